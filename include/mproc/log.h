/*
 * The log: what the library says of what it does, and what the program says in the same place (Python:
 * multiprocessing.get_logger(), log_to_stderr()). Silent by default.
 *
 *     int main(void)
 *     {
 *         mproc_log_to_stderr(MPROC_LOG_INFO);
 *         mproc_main_guard();
 *         ...
 *         mproc_log(MPROC_LOG_WARNING, "no stock of %s", name);
 *
 *     [INFO/MainProcess] process 'Process-1' (pid 4711) was started
 *     [WARNING/MainProcess] no stock of apples
 *
 * The library says, at MPROC_LOG_INFO or below, which processes were started, how they ended, and what pools do; at
 * MPROC_LOG_WARNING what the program did not ask for: a process that was killed or failed, what of a dead one was
 * repaired, a worker that was replaced, and what was lost with it, a client that was refused. The words are for
 * people and may change.
 *
 * A child gets the level that its parent has when it is started, and writes to stderr if its parent does. A handler
 * is a function of one process: where all are to have it, set it before mproc_main_guard(), which each process
 * passes. What a child sets itself, before its guard or after, is its own.
 *
 * Said once for all functions below: any thread may call them, but no signal handler.
 */
#ifndef MPROC_LOG_H
#define MPROC_LOG_H

#include <stdbool.h>

#include <mproc/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How grave a line is; the numbers are Python's. Others are possible, too: their name is "Level 7". */
enum {
    MPROC_LOG_SUBDEBUG = 5,
    MPROC_LOG_DEBUG = 10,
    MPROC_LOG_INFO = 20,
    MPROC_LOG_SUBWARNING = 25,
    MPROC_LOG_WARNING = 30,
    MPROC_LOG_ERROR = 40,
    MPROC_LOG_OFF = 0x7fffffff /* as a level of the log: nothing is said */
};

/* Longer texts are cut, at a character, and end with "...". So a whole line goes into a pipe in one piece. */
#define MPROC_LOG_TEXT_MAX 3900

/*
 * A line, as a handler gets it. The texts are the library's, and UTF-8 if what was logged is; they end with the call.
 */
typedef struct mproc_log_line {
    int level;
    const char *level_name; /* "WARNING" */
    const char *name;       /* of this process; in a worker of a pool on threads, the worker's */
    const char *text;       /* without an end of line */
    const char *file;       /* where the program has called mproc_log(); NULL: the library says it */
    int line;
} mproc_log_line;

/*
 * Gets each line, with the context that it was set with. It is called by whichever thread has something to say - one
 * of the library's own, too -, by several at once, and never while the library has locked anything: so it may call
 * all functions of the library, but not free what the line is about, such as the listener that has refused a client:
 * its thread goes on with that. Who is in it keeps others waiting, such as those who join a process, and it must
 * return, as it was called. What is logged in it, by itself or by what it calls, is dropped.
 */
typedef void mproc_log_handler(const mproc_log_line *line, void *context) MPROC_NOEXCEPT_;

/*
 * Says lines of this level and above from now on (Python: Logger.setLevel()); MPROC_LOG_OFF, the default, none. This
 * alone does not say where. Does not block.
 */
MPROC_API void mproc_log_set_level(int level);

/* Returns the level. Does not block. */
MPROC_API int mproc_log_level(void);

/*
 * Writes lines to stderr from now on, in the place of a handler, and sets the level (Python: log_to_stderr()). They
 * look like "[WARNING/MainProcess] text". Each is written at once, past what the program has in its buffers, and as
 * one piece, so that those of several processes do not mix. A stderr that nobody reads costs its lines; one that is
 * full holds up who speaks.
 *
 * Waits as mproc_log_set_handler() does.
 */
MPROC_API void mproc_log_to_stderr(int level);

/*
 * Gives lines to the handler from now on, in the place of stderr or of another handler; NULL: to nobody. The level is
 * mproc_log_set_level()'s.
 *
 * Blocks until no other thread is in the handler that was set before: its context may be freed then. Not to be called
 * with a lock that this handler waits for.
 */
MPROC_API void mproc_log_set_handler(mproc_log_handler *handler, void *context);

/* Returns whether a line of this level would be said. Costs the read of one word. Does not block. */
MPROC_API bool mproc_log_enabled(int level);

/*
 * mproc_log(level, format, ...) says a line, printf-like (Python: Logger.log()). What stands behind the level is
 * evaluated only if the line is said, the level perhaps twice.
 *
 * Blocks as long as stderr, or the handler, does. Leaves mproc_last_error_text() as it is.
 */
#define mproc_log(level, ...) \
    (mproc_log_enabled(level) ? mproc_log_write((level), __FILE__, __LINE__, __VA_ARGS__) : MPROC_CAST_(void, 0))

/*
 * What mproc_log() does if the line is said: for those who have no macros. `file` may be NULL; `number` is a line of
 * it.
 */
MPROC_API void mproc_log_write(int level, const char *file, int number, const char *format, ...) MPROC_PRINTF_(4, 5);

#ifdef __cplusplus
}
#endif

#endif
