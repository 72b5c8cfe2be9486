# How this project's own sources are compiled. Programs that use the library see nothing of it.

if(MPROC_SANITIZE)
    add_compile_options(-fsanitize=${MPROC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${MPROC_SANITIZE})
    if(MPROC_SANITIZE MATCHES "thread" AND CMAKE_C_COMPILER_ID MATCHES "Clang")
        add_compile_options($<$<COMPILE_LANGUAGE:C>:-fsanitize-ignorelist=${mproc_SOURCE_DIR}/tests/tsan.ignored>)
    endif()
endif()

# C11 without extensions, with all warnings that the project keeps clean of: for examples and other programs.
function(mproc_compile_strictly target)
    set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
    if(MSVC)
        # Without the remarks that C11 itself is "nonstandard" and that alignas() pads.
        target_compile_options(${target} PRIVATE /W4 /wd4200 /wd4204 /wd4221 /wd4324 /utf-8
                               $<$<BOOL:${MPROC_WERROR}>:/WX>)
        target_compile_definitions(${target} PRIVATE _CRT_SECURE_NO_WARNINGS)
    else()
        target_compile_options(${target} PRIVATE
            -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wvla -Wpointer-arith
            $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
            $<$<BOOL:${MPROC_WERROR}>:-Werror>)
    endif()
endfunction()

# The same for sources that include the library's private headers: the library itself, and tests of its layers.
function(mproc_compile_inside target)
    mproc_compile_strictly(${target})
    target_include_directories(${target} PRIVATE ${mproc_SOURCE_DIR}/src)
    if(MSVC)
        target_compile_options(${target} PRIVATE /experimental:c11atomics)
        target_compile_definitions(${target} PRIVATE "MPROC_THREAD_LOCAL=__declspec(thread)")
    endif()
endfunction()

# Definitions without which the system's headers hide what `sources` need; portable code is compiled without them.
function(mproc_sources_use_system)
    if(WIN32)
        set(definitions _WIN32_WINNT=0x0A00 UNICODE _UNICODE WIN32_LEAN_AND_MEAN)
    else()
        set(definitions _GNU_SOURCE)
    endif()
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_DEFINITIONS ${definitions})
endfunction()
