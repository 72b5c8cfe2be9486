/*
 * What the tests of processes need of the system beyond platform/platform_fixture.h: process_fixture_posix.c,
 * process_fixture_win32.c.
 */
#ifndef FIXTURE_OS_H
#define FIXTURE_OS_H

#include "process_fixture.h"

/* Copies a program's file; anybody may execute the copy. */
void os_copy_file(const char *from, const char *to);

/*
 * A program that is started as a user would: the file is found as the system finds it, and it has arguments. Fill in
 * what comes in. Output and errors are kept together; it must end by an exit code.
 */
typedef struct fixture_exec {
    const char *file;
    const char *search;           /* not NULL: `file` is looked for in this directory, the search path */
    const char *const *arguments; /* after the name; end with NULL; may be NULL */
    const char *directory;        /* that it starts in, and that a relative `file` begins at */
    int code;                     /* out */
    char output[8192];            /* out */
} fixture_exec;

void fixture_exec_to_end(fixture_exec *exec);

/*
 * POSIX alone: runs `function` in a fork() copy of this process, which then ends by `end`(5), exit() or _exit().
 * Returns the copy's exit code.
 */
int fixture_in_a_copy(void (*function)(void *context), void *context, void (*end)(int code));

/* The system's part: starts it, with output and errors to the handle. */
void os_exec(const fixture_exec *exec, plat_handle output, plat_process *process);

#endif
