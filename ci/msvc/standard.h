/* Read before each C source: what clang and mingw-w64 offer and Visual C++ does not is an error from here on. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#pragma clang poison __attribute__ __extension__ __typeof__ typeof __asm__ __int128
#pragma clang poison __builtin_expect __builtin_clz __builtin_ctz __builtin_clzll __builtin_ctzll __builtin_popcountll
#pragma clang poison __builtin_unreachable __builtin_add_overflow __builtin_mul_overflow __builtin_sub_overflow
#pragma clang poison __builtin_memcpy __builtin_return_address __builtin_frame_address __builtin_ia32_pause
#pragma clang poison aligned_alloc max_align_t ssize_t pid_t usleep strndup stpcpy asprintf
#pragma clang poison gettimeofday clock_gettime nanosleep strtok_r localtime_r gmtime_r setenv unsetenv
