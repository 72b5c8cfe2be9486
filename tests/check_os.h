/*
 * What the test runner needs from the system: check_posix.c and check_win32.c. It is not the library's own
 * platform layer, because it judges that layer.
 */
#ifndef CHECK_OS_H
#define CHECK_OS_H

#include <stdio.h>

#include "check.h"

/* Names of things found; `count` may be above the number of names that have room. */
enum { CHECK_LIST_MAX = 512, CHECK_NAME_BYTES = 96 };
typedef struct check_list {
    int count;
    char names[CHECK_LIST_MAX][CHECK_NAME_BYTES];
} check_list;

/* How a process ended; `text` says it in words when it was not by an exit code of its own choice. */
typedef struct check_outcome {
    bool exited;
    int code;
    char text[96];
} check_outcome;

typedef struct check_process check_process;

int64_t check_os_now_ms(void);
void check_os_pause_ms(int ms);

/* In every process of a test program, first: a crash leaves no core file and opens no window. */
void check_os_quiet(void);

/* Reads a variable and takes it out of the environment. False: it is not set, or too long. */
bool check_os_take_variable(const char *name, char *value, size_t size);

/* Opens a file without a name, for what a case prints. NULL: failed. */
FILE *check_os_output(void);

/*
 * Starts this program with the arguments, up to a NULL, and one more variable; its output and errors go to `output`
 * (NULL: where this process' go), its input is empty. It, and whatever it starts, can be ended together, and
 * ends with this process. Returns NULL, having said why, if that fails.
 */
check_process *check_os_start(const char *const *arguments, const char *variable, const char *value, FILE *output);

/* Waits for the end of the process itself. False: it still runs after the limit. */
bool check_os_wait(check_process *process, int64_t limit_ms, check_outcome *outcome);

/*
 * Waits until everything that the process started, in any generation, has ended; after the limit ends it
 * by force, the process too, and lists it. Frees `process`.
 */
void check_os_finish(check_process *process, int64_t limit_ms, check_list *left);

/* Before a case: makes what the system and the compiler make at their first use and keep for the process. */
void check_os_warm_up(void);

/* Lists what this process has of a kind. */
void check_os_list(check_kind kind, check_list *list);

/* Whether a thing of that kind and name is one that the system itself may have ended meanwhile. */
bool check_os_may_vanish(check_kind kind, const char *name);

/* Adds a name to a list, printf-like. */
void check_list_add(check_list *list, const char *format, ...);

/* The half of check_main() that starts cases: check_runner.c. */
int check_runner_main(int argc, char **argv);

/* Calls `visit` for each case, not helper. */
void check_each_case(void (*visit)(void *context, const check_suite *suite, const check_case *entry), void *context);

/* Whether `name` is "suite" or "suite.case". */
bool check_name_matches(const char *name, const check_suite *suite, const check_case *entry);

/* Set by the runner for a case's process, so that no other process takes itself for one. */
#define CHECK_CASE_VARIABLE "CHECK_CASE"
#define CHECK_CASE_ARGUMENT "--case"

/* For everybody who wants to see a path without the place of the checkout. */
const char *check_short_path(const char *path);

#endif
