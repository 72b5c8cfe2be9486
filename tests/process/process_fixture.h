/*
 * What the tests of processes share: a board in the arena that a case and its children write on, a short way to
 * start a child, and the checks of how it ended and of what a refusal says.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdatomic.h>
#include <stdio.h>

#include <mproc/process.h>

#include "arena/arena.h"
#include "board.h"
#include "check.h"
#include "platform.h"

/* For CHECK_SUITE_SETUP: founds the family and has had one child, so that what stays with a process is there. */
void fixture_setup(void);

/* Waits until `step` is at least this. */
void fixture_await_step(fixture_board *board, uint32_t step);

/* Raises `step` by one. */
void fixture_step(fixture_board *board);

/* What a task of the tests is given: a board (or none) and a number. */
typedef struct fixture_args {
    uint64_t board;
    int64_t number;
} fixture_args;

/* In a task: the board, NULL for none, and the number, if `number` is not NULL. */
fixture_board *fixture_unpack(const mproc_call *call, int64_t *number);

mproc_process *fixture_create(mproc_function *function, fixture_board *board, int64_t number,
                              const mproc_process_options *options);

/* The same, and starts it. */
mproc_process *fixture_start(mproc_function *function, fixture_board *board, int64_t number,
                             const mproc_process_options *options);

/* Tasks. Does nothing; calls exit(number); returns `number` as its status, with a text; raises `step`, and waits. */
mproc_status fixture_does_nothing(mproc_call *call);
mproc_status fixture_exits(mproc_call *call);
mproc_status fixture_returns(mproc_call *call);
mproc_status fixture_waits(mproc_call *call);

/* Joins the process, checks how it ended, and frees it. */
#define CHECK_EXITED(process, code) fixture_check_end((process), MPROC_EXIT_EXITED, (code), __FILE__, __LINE__)
#define CHECK_ENDED_BY(process, signal) \
    fixture_check_end((process), MPROC_EXIT_SIGNALLED, (signal), __FILE__, __LINE__)
void fixture_check_end(mproc_process *process, mproc_exit_kind kind, int number, const char *file, int line);

/* A call that must fail with this status and with a text that contains `part`. */
#define CHECK_SAYS(call, status, part)                             \
    do {                                                           \
        mproc_error(MPROC_OK, "%s", "nothing was said");           \
        check_status((call), (status), #call, __FILE__, __LINE__); \
        CHECK_CONTAINS(mproc_last_error_text(), part);             \
    } while (0)

/* How many children mproc_active_children() counts, and whether this one is among them. */
size_t fixture_active_count(void);
bool fixture_is_active(mproc_process *process);

/* Whether no process has this id, or only one that is born from now on. */
bool fixture_is_gone(int64_t pid);
void fixture_await_gone(int64_t pid);

/*
 * A run of a program as the first process of a family of its own. Fill in what comes in, zero is the default.
 * Its output and errors are kept together. It must end by an exit code, within the case's limit.
 */
typedef struct fixture_run {
    const char *executable; /* NULL: this program, to run `helper`, "suite.helper" */
    const char *helper;
    const char *text; /* for the helper, or, as the variable FIXTURE_TEXT, for another program */
    const char *working_directory;
    const char *const *environment; /* changes, ends with NULL */
    int code;                       /* out */
    char output[8192];              /* out */
} fixture_run;

void fixture_run_to_end(fixture_run *run);

/* How often a text contains another. */
int fixture_count(const char *text, const char *part);

/* Starts it, with its output where this process' goes. */
void fixture_run_start(const fixture_run *run, plat_process *process);

/* Kills a process that is no child of this one. */
void fixture_kill(int64_t pid);

/* This process' command line, as one text. */
void fixture_command_line(char *text, size_t size);

/* A block of the arena that this process owns; and how many bytes all blocks of the family have. */
mproc_status fixture_take_block(uint64_t size, _Atomic uint64_t **owned);
uint64_t fixture_bytes_used(void);

/* The path of a file in the directory of this program. */
const char *fixture_beside(const char *name, char *path, size_t size);

#endif
