/*
 * The test runner, as a test sees it.
 *
 *     static void case_put_times_out_when_full(void)
 *     {
 *         CHECK_STATUS(mproc_queue_put(queue, "x", 1, 0), MPROC_TIMEOUT);
 *     }
 *
 *     CHECK_SUITE(queue,
 *         CASE(put_times_out_when_full),
 *         CASE_LIMIT(get_waits_for_a_put, 30),
 *     );
 *
 * The table at the end of the file is the only place where a case is registered: CMake reads it too,
 * which is why each entry stands on a line of its own, and the name of the suite on the line of CHECK_SUITE.
 * A file becomes part of a program by its name in tests/CMakeLists.txt.
 *
 * Each case runs in a process of its own, with a time limit of its own, as the ctest entry `suite.case`. By hand:
 *
 *     program                  runs all cases, one after the other
 *     program suite.case ...   runs these cases; `suite` runs all of a suite
 *     program --list           prints the names
 *     program --plain NAME     runs a case as if it were not expected to fail
 *
 * A case passes only if its function returns and the process then ends normally. It fails if a CHECK
 * fails, in it or in a child that it then finds ended with CHECK_FAILED; if it crashes, ends early or overruns its
 * limit; and if there are other handles, children, threads or shared memory than before it. Its output is
 * shown when it fails.
 *
 * The environment variable MPROC_TEST_SLOW (1 to 100) multiplies all limits: for sanitizers and emulators.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <mproc/status.h>

/* Exit codes by which a case tells its runner how it ended. A helper ends with CHECK_FAILED too. */
enum { CHECK_SKIPPED = 77, CHECK_PASSED = 80, CHECK_FAILED = 81 };

/* What is counted. check_case.leaves names what a case may leave behind. */
typedef enum check_kind {
    CHECK_HANDLES = 1,
    CHECK_CHILDREN = 2,
    CHECK_SHARED = 4, /* shared-memory mappings, and names that the library could have left in the system */
    CHECK_THREADS = 8
} check_kind;

/* A row of a suite's table: a case, or a helper that a case starts in a process of its own. */
typedef struct check_case {
    const char *name;
    void (*run)(void);
    int (*helper)(const char *text);
    int limit_s;       /* 0: CHECK_LIMIT_S */
    const char *fails; /* not NULL: the case must fail, and its report must contain this */
    unsigned leaves;   /* kinds that are not compared; needs a comment that says why */
} check_case;

/* `setup` runs in the case's process before things are counted: it makes what all cases share. May be NULL. */
typedef struct check_suite {
    const char *name;
    void (*setup)(void);
    const check_case *cases;
    size_t count;
} check_suite;

#define CHECK_LIMIT_S 20

#define CASE(name_) CASE_WITH(name_, .leaves = 0)
#define CASE_LIMIT(name_, seconds) CASE_WITH(name_, .limit_s = (seconds))
#define CASE_FAILS(name_, reason) CASE_WITH(name_, .fails = (reason))
#define CASE_WITH(name_, ...)                            \
    {                                                    \
        .name = #name_, .run = case_##name_, __VA_ARGS__ \
    }
#define HELPER(name_)                            \
    {                                            \
        .name = #name_, .helper = helper_##name_ \
    }

#define CHECK_TABLE(suite) check_table_##suite, sizeof check_table_##suite / sizeof check_table_##suite[0]

#define CHECK_SUITE(suite, ...) CHECK_SUITE_SETUP(suite, NULL, __VA_ARGS__)

#define CHECK_SUITE_SETUP(suite, setup, ...)                       \
    static const check_case check_table_##suite[] = {__VA_ARGS__}; \
    extern const check_suite check_suite_##suite;                  \
    const check_suite check_suite_##suite = {#suite, setup, CHECK_TABLE(suite)}

/* The same cases in two suites with different setups: one body for two back ends. */
#define CHECK_TWINS(suite, setup, twin, twin_setup, ...) \
    CHECK_SUITE_SETUP(suite, setup, __VA_ARGS__);        \
    extern const check_suite check_suite_##twin;         \
    const check_suite check_suite_##twin = {#twin, twin_setup, CHECK_TABLE(suite)}

/*
 * The checks. One that fails prints where, what and the values, and ends the process, from any
 * thread, at once: no exit handler runs, and the runner ends what is left.
 */
#define CHECK(condition) check_that((condition), #condition, __FILE__, __LINE__)

/* Integers of any type. */
#define CHECK_EQ(value, expected) \
    check_equal((intmax_t)(value), (intmax_t)(expected), #value, #expected, __FILE__, __LINE__)

#define CHECK_STRING(text, expected) check_string((text), (expected), #text, __FILE__, __LINE__)
#define CHECK_CONTAINS(text, part) check_contains((text), (part), #text, __FILE__, __LINE__)

/* Each as it is written: passed on from one to the other, macros in the call would be shown expanded. */
#define CHECK_OK(call) check_status((call), MPROC_OK, #call, __FILE__, __LINE__)
#define CHECK_STATUS(call, expected) check_status((call), (expected), #call, __FILE__, __LINE__)

/* Waits until `predicate(context)` is true: for an event that nothing can be waited on for. */
#define CHECK_WAIT_UNTIL(predicate, context) \
    check_wait_until((predicate), (context), #predicate "(" #context ")", __FILE__, __LINE__)

/* Waits until the word is at least `least`: how cases, and processes of theirs, wait for each other. */
#define CHECK_AWAIT(word, least) check_await((word), (least), #word, __FILE__, __LINE__)

/*
 * From here on, things are compared with what there is now: for a case that has to make what stays with the process
 * (such as the family) before it begins.
 */
#define CHECK_BASELINE() check_baseline()

/* Ends the case as not possible on this system; `reason` is shown. For nothing else. */
#define CHECK_SKIP(reason) check_skip(reason)

void check_that(bool holds, const char *text, const char *file, int line);
void check_equal(intmax_t value, intmax_t expected, const char *value_text, const char *expected_text,
                 const char *file, int line);
void check_string(const char *value, const char *expected, const char *text, const char *file, int line);
void check_contains(const char *value, const char *part, const char *text, const char *file, int line);
void check_wait_until(bool (*predicate)(void *), void *context, const char *text, const char *file, int line);
void check_await(_Atomic uint32_t *word, uint32_t least, const char *text, const char *file, int line);
void check_baseline(void);
void check_skip(const char *reason);

/* Fails the case with a message, printf-like. */
void check_fail(const char *file, int line, const char *format, ...);

/* A limit for waits that are expected to end by an event: generous, and below the case's own limit. */
int64_t check_limit_ms(void);

/* MPROC_TEST_SLOW, at least 1. */
int check_slow(void);

/* How many of something dear a case takes: `many`, or `few` where MPROC_TEST_SLOW says that everything is slow. */
int check_many(int many, int few);

/* Time that only moves forward, and a pause; neither is the library's. */
int64_t check_now_ms(void);
void check_pause_ms(int ms);

/*
 * The variable by which a process learns that it is to run a helper: its value is "suite.helper", perhaps followed by
 * a blank and a text for the helper. The helper's result is the exit code.
 */
#define CHECK_HELPER_VARIABLE "CHECK_HELPER"

/* The command line of this process. */
extern int check_argument_count;
extern char **check_arguments;

/*
 * The whole of main(), after what must come first in every process of the program. `check_suites`, ended by
 * NULL, and the number of cases that CMake has found are in a source that CMake writes.
 */
int check_main(int argc, char **argv);
extern const check_suite *const check_suites[];
extern const int check_cases_found;

/*
 * Inline, because the runner itself uses nothing of the library that it judges.
 */
static inline void check_status(mproc_status status, mproc_status expected, const char *call, const char *file,
                                int line)
{
    if (status == expected) return;
    check_fail(file, line, "%s\n    is %s (%d), expected %s (%d)\n    last error: %s", call,
               mproc_status_name(status), (int)status, mproc_status_name(expected), (int)expected,
               mproc_last_error_text());
}

#endif
