/*
 * What a call answers: a status, and a text that tells the story behind it.
 *
 * MPROC_OK is 0; any other status means: not done, not held, nothing changed (where a function
 * differs, its comment says so). The numbers are the same on every system and never change.
 */
#ifndef MPROC_STATUS_H
#define MPROC_STATUS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <mproc/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Number, name and text of every status; the enum and the table of texts are both made from it. */
#define MPROC_STATUS_TABLE(X)                                                                  \
    X(0, OK, "done")                                                                           \
    X(1, TIMEOUT, "the time limit passed")                                                     \
    X(2, CLOSED, "the object was closed")                                                      \
    X(3, INVALID, "an argument is not valid")                                                  \
    X(4, BAD_STATE, "the object is not in a state that allows this")                           \
    X(5, NO_MEMORY, "there is not enough memory")                                              \
    X(6, LIMIT, "a limit on processes, threads or open files was reached")                     \
    X(7, NOT_FOUND, "a file, directory or module was not found")                               \
    X(8, PERMISSION, "the system denied permission")                                           \
    X(9, NOT_SUPPORTED, "this system cannot do it")                                            \
    X(10, NOT_OWNER, "only the object's owner may do this")                                    \
    X(11, NO_GUARD, "the program does not enter mproc_main_guard()")                           \
    X(12, FORKED, "this process is a fork() copy, and the object is not its own")              \
    X(13, INTERRUPTED, "the wait was interrupted by mproc_interrupt()")                        \
    X(14, OWNER_DIED, "the owner ended without releasing; nothing is held")                    \
    X(15, WORKER_LOST, "a worker ended while it worked on this")                               \
    X(16, TERMINATED, "the pool was terminated with this work unfinished")                     \
    X(17, BAD_FUNCTION, "the function cannot be found from another process")                   \
    X(18, MISMATCH, "the other side is another program, version or copy of the library")       \
    X(19, SYSTEM, "the system refused for a reason of its own")                                \
    X(20, BROKEN, "it is broken: one of its parties, or the rest of a message, will not come") \
    X(21, EXISTS, "something of this name is there already")                                   \
    X(22, PEER_DIED, "nobody is left at the other side")                                       \
    X(23, CANCELLED, "the task was cancelled before it was begun")                             \
    X(24, END, "there are no more")                                                            \
    X(25, TOO_LONG, "there is no room for all of it")                                          \
    X(26, AUTHENTICATION, "the two sides did not prove to each other that they have the same key")

typedef enum mproc_status {
#define MPROC_STATUS_ENUM(number, name, text) MPROC_##name = (number),
    MPROC_STATUS_TABLE(MPROC_STATUS_ENUM)
#undef MPROC_STATUS_ENUM
    /* Statuses from here on are the program's own: a task may return MPROC_USER + n. */
    MPROC_USER = 1000,
    MPROC_STATUS_MAX = INT32_MAX
} mproc_status;

/*
 * "No time limit", for every `timeout_ms`. Zero means: try once, do not wait. A negative number is MPROC_INVALID.
 */
#define MPROC_FOREVER INT64_MAX

/*
 * Returns the status' name, such as "MPROC_TIMEOUT"; "MPROC_USER+n" numbers are named "MPROC_USER",
 * numbers that are no status "MPROC_UNKNOWN".
 *
 * Never blocks; the text is static. Any thread of any process may call this, at any time.
 */
MPROC_API const char *mproc_status_name(mproc_status status);

/* Returns one sentence that explains the status in general. Otherwise as mproc_status_name(). */
MPROC_API const char *mproc_status_text(mproc_status status);

/*
 * Returns what happened, to whom, and what helps, for the last call in this thread that did not
 * return MPROC_OK: for example
 *   process 'f1' was already started (pid 4711): start a process once
 *
 * Never blocks. The text is the thread's own and stays until its next failing call; it is never
 * NULL, and "" when no call has failed. Calls that succeed leave it alone.
 * Any thread of any process may call this.
 */
MPROC_API const char *mproc_last_error_text(void);

/*
 * Returns the text that belongs to a status that a call in this thread has just returned: mproc_last_error_text() if
 * that was set with this status, otherwise mproc_status_text(). So an older failure, which the program dealt with, is
 * not taken for the cause of a later one. Blocks and lives as mproc_last_error_text().
 */
MPROC_API const char *mproc_error_text(mproc_status status);

/*
 * Sets this thread's error text, printf-like, and returns `status`: the way for a task to say why
 * it failed, `return mproc_error(MPROC_USER + 1, "no stock of %s", name);`.
 *
 * Never blocks. Texts above 1,000 bytes are cut (at a character, not inside one). `format` NULL
 * uses mproc_status_text(status). Any thread of any process may call this.
 */
MPROC_API mproc_status mproc_error(mproc_status status, const char *format, ...);

/* Leaves the calling function with the status if `call` does not return MPROC_OK. */
#define MPROC_TRY(call)                                              \
    do {                                                             \
        mproc_status mproc_try_status_ = (call);                     \
        if (mproc_try_status_ != MPROC_OK) return mproc_try_status_; \
    } while (0)

/*
 * For programs and examples: prints what failed, where and why to stderr and exits with code 1 if
 * `call` does not return MPROC_OK. The library itself never exits the program.
 */
#define mproc_check(call) mproc_check_((call), #call, __FILE__, __LINE__)

static inline void mproc_check_(mproc_status status, const char *call, const char *file, int line)
{
    if (status == MPROC_OK) return;
    fprintf(stderr, "%s:%d: %s\n    %s (%d): %s\n", file, line, call, mproc_status_name(status),
            MPROC_CAST_(int, status), mproc_error_text(status));
    exit(1);
}

#ifdef __cplusplus
}
#endif

#endif
