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

#endif
