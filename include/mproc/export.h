/*
 * MPROC_API marks what the library exports. A program that links the static library defines MPROC_STATIC (the CMake
 * target does so, and `pkgconf --static --cflags mproc`); building the shared library defines MPROC_BUILD.
 */
#ifndef MPROC_EXPORT_H
#define MPROC_EXPORT_H

#if defined(MPROC_STATIC)
#define MPROC_API
#elif defined(_WIN32) && defined(MPROC_BUILD)
#define MPROC_API __declspec(dllexport)
#elif defined(_WIN32)
#define MPROC_API __declspec(dllimport)
#elif defined(__GNUC__)
#define MPROC_API __attribute__((visibility("default")))
#else
#define MPROC_API
#endif

/*
 * MPROC_NODISCARD stands first in the declaration of a function whose status says whether something is held or done,
 * also before MPROC_API: a compiler that can warns of a call that throws the status away. A cast to void says that
 * this is meant.
 */
#if defined(__cplusplus) && (__cplusplus >= 201703L || (defined(_MSVC_LANG) && _MSVC_LANG >= 201703L))
#define MPROC_NODISCARD [[nodiscard]]
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L
#define MPROC_NODISCARD [[nodiscard]]
#elif defined(__clang__) && !defined(_MSC_VER)
#define MPROC_NODISCARD __attribute__((warn_unused_result))
#elif defined(__GNUC__) && __GNUC__ >= 11
/* Its own attribute cannot be silenced by a cast; that of C23 is known in C11, too. */
#define MPROC_NODISCARD __extension__ [[nodiscard]]
#else
#define MPROC_NODISCARD
#endif

/*
 * Ends the declaration of a function that takes a format as its argument `format`, and what that names from `first`
 * on: a compiler that can compares them. The library formats as C11 says, also where Windows has other habits.
 */
#if defined(__MINGW32__) && !defined(__clang__)
#define MPROC_PRINTF_(format_, first_) __attribute__((format(gnu_printf, format_, first_)))
#elif defined(__GNUC__)
#define MPROC_PRINTF_(format_, first_) __attribute__((format(printf, format_, first_)))
#else
#define MPROC_PRINTF_(format_, first_)
#endif

/*
 * Ends the type of a function that the library calls in the middle of its own work: no exception may leave it, and
 * C++ takes none that might throw.
 */
#ifdef __cplusplus
#define MPROC_NOEXCEPT_ noexcept
#else
#define MPROC_NOEXCEPT_
#endif

/* Conversions, of an address to a pointer the second, in the way of each language: C++ compilers can warn of C's. */
#ifdef __cplusplus
#define MPROC_CAST_(type, value) static_cast<type>(value)
#define MPROC_POINTER_(type, address) reinterpret_cast<type>(address)
#else
#define MPROC_CAST_(type, value) ((type)(value))
#define MPROC_POINTER_(type, address) ((type)(address))
#endif

/*
 * Within an expression of C: refuses to compile if the condition is 0. The compiler shows the text - but Visual C++,
 * which takes no assertion in a struct.
 */
#if defined(_MSC_VER) && !defined(__clang__)
#define MPROC_REFUSE_UNLESS_(condition, text) ((void)sizeof(char[(condition) ? 1 : -1]))
#else
#define MPROC_REFUSE_UNLESS_(condition, text) \
    ((void)sizeof(struct {                    \
        _Static_assert((condition), text);    \
        char nothing;                         \
    }))
#endif

#endif
