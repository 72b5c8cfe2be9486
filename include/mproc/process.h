/*
 * Processes: run a function of this program in a process of its own.
 *
 *     mproc_process *child;
 *     mproc_check(mproc_process_create(greet, MPROC_ARGS("world", 2), NULL, &child));
 *     mproc_check(mproc_process_start(child));
 *     mproc_check(mproc_process_join(child, MPROC_FOREVER));
 *     mproc_process_free(child);
 *
 * A child is this executable, started anew. It enters through mproc_main_guard(), at the top of
 * main(), and runs its function there. The semantics are those of Python's multiprocessing with the
 * start method "spawn", except where a comment says "ours".
 *
 * Said once for all functions below:
 *   - The first call of any function founds the process family, or, in a child, joins it; every
 *     function that returns a status can therefore also return
 *       MPROC_NO_MEMORY, MPROC_LIMIT, MPROC_PERMISSION   there is no memory, no handle, or no place
 *                       for shared memory to found the family with
 *       MPROC_MISMATCH  this process was started by another version or copy of the library
 *       MPROC_BAD_STATE, MPROC_INVALID   this process descends from a start, but is not let in: its parent ended
 *                       meanwhile, a launcher started it, or what it was given is closed
 *       MPROC_FORKED    this process is a fork() copy, and the object is one that it has copied; or it is a copy of
 *                       a child that has not passed its main guard
 *     and, on a failure of the system that none of its statuses names, MPROC_SYSTEM.
 *   - A NULL object is a programming error: a build with assertions stops, others are undefined.
 *   - Functions may be called by any thread. A process object belongs to the process that created
 *     it; its address means nothing elsewhere. A fork() copy can do nothing with it: what returns a status
 *     returns MPROC_FORKED there. The same is true of all other objects of the library. What a copy makes itself
 *     works: its first call founds a family of its own.
 */
#ifndef MPROC_PROCESS_H
#define MPROC_PROCESS_H

#include <mproc/call.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_process mproc_process;

/* How a process ended, if it ended. */
typedef enum mproc_exit_kind {
    MPROC_EXIT_NOT_STARTED = 0, /* start() was not called or failed */
    MPROC_EXIT_RUNNING = 1,     /* it has not ended */
    MPROC_EXIT_EXITED = 2,      /* it ended with the exit code `code` */
    MPROC_EXIT_SIGNALLED = 3,   /* it was ended by `signal`, or by a fault of its own */
    MPROC_EXIT_LOST = 4         /* it ended; how is unknown, because somebody else collected it */
} mproc_exit_kind;

/*
 * Python's exitcode, taken apart. `signal` has the POSIX numbers on every system: on Windows
 * terminate() is 15, kill() 9, an access violation 11, an illegal instruction 4, an arithmetic fault
 * 8, Ctrl-C 2, abort() 6 with the universal C runtime (an older one, such as MinGW's msvcrt, ends
 * abort() with the exit code 3).
 *
 * `code` is the exit code of a process that ended by itself; -`signal`, as in Python, of one that was ended by a
 * signal; and MPROC_NO_EXIT_CODE otherwise. So it is 0 only if the process ended with 0. See mproc_exit_ok().
 */
#define MPROC_NO_EXIT_CODE (-1000)

typedef struct mproc_exit_status {
    mproc_exit_kind kind;
    int code;
    int signal;
} mproc_exit_status;

/* Returns whether the process has ended, by itself and with the exit code 0. */
static inline bool mproc_exit_ok(mproc_exit_status status)
{
    return status.kind == MPROC_EXIT_EXITED && status.code == 0;
}

/* A yes-or-no option with a default of its own. */
typedef enum mproc_choice { MPROC_DEFAULT = 0, MPROC_YES = 1, MPROC_NO = 2 } mproc_choice;

/* Where a standard stream of a child leads. */
typedef enum mproc_stdio_kind {
    MPROC_STDIO_DEFAULT = 0, /* stdin: MPROC_STDIO_NULL, as in Python; stdout, stderr: MPROC_STDIO_INHERIT */
    MPROC_STDIO_INHERIT = 1, /* where this process' stream leads */
    MPROC_STDIO_NULL = 2,    /* nowhere: reads give end of file, writes vanish */
    MPROC_STDIO_HANDLE = 3   /* to `handle` */
} mproc_stdio_kind;

/* `handle` is a file descriptor, or a HANDLE; it stays the caller's and must be open during start(). */
typedef struct mproc_stdio {
    mproc_stdio_kind kind;
    intptr_t handle;
} mproc_stdio;

/* Zero in a field is its default. Everything is copied by create(). */
typedef struct mproc_process_options {
    /* UTF-8, at most 127 bytes. Default: "Process-1", in its children "Process-1:1", and so on. */
    const char *name;
    /* A daemon is ended together with its parent, however that ends. Default: as this process. */
    mproc_choice daemon;
    /* At most 256 bytes, for authenticated connections. Default: this process' key. */
    const void *authkey;
    size_t authkey_size;
    /* Directory (UTF-8) that the child starts in. Default: this process' at start(). Ours. */
    const char *working_directory;
    /* "NAME=VALUE" sets, "NAME" removes a variable of the child; ends with NULL. Ours. */
    const char *const *environment;
    /* The child gets `environment` alone, nothing of this process'. */
    bool environment_only;
    /*
     * POSIX: the child has this thread's signal mask and ignored signals as they are. Default: SIGTERM and SIGINT are
     * not blocked, and SIGTERM is not ignored, in a child, so that terminate() and interrupt() reach it though this
     * program takes its signals by sigwait() or ignores them. An ignored SIGINT (nohup, &) stays so. Ours.
     */
    bool inherit_signals;
    mproc_stdio standard_input;
    mproc_stdio standard_output;
    mproc_stdio standard_error;
} mproc_process_options;

/*
 * Is C's `if __name__ == "__main__":`. In a child it runs the child's task and ends the process; in
 * the program itself it does nothing. Call it at the top of main(), after what every process of the
 * program must do (such as reading options), and before anything that only the program itself does.
 *
 * In a child it does not return. A program that starts processes and has no guard is told so: its first
 * mproc_process_start() returns MPROC_NO_GUARD, and nothing is started.
 *
 * Prints to stderr why, and exits with code 1, if this process is a child that cannot run its task.
 */
static inline void mproc_main_guard(void);

/*
 * Creates a process that will run `function` with `args`; it is not started yet (Python: Process()).
 *
 * Does not block. `*out` is the caller's: mproc_process_free(). Arguments and options are copied; encoded, all
 * arguments together have at most 1 GiB, so that one of exactly 1 GiB does not fit. Objects among the arguments live
 * as long as the process object, or, after free(), its process.
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID       `function` or `out` is NULL, an option is out of range, or an argument cannot be (see
 *                       mproc_value_copy()): the text names its number
 *   MPROC_BAD_FUNCTION  `function` lies in no module of this process (a trampoline, generated code)
 *   MPROC_CLOSED        an argument is, or has in it, a copied value of an object that is gone
 *   MPROC_NOT_FOUND     an argument is named memory, or a list, whose name was taken away
 *   MPROC_LIMIT         the same, and too many files are open
 *   MPROC_NO_MEMORY
 */
static inline mproc_status mproc_process_create(mproc_function *function, mproc_args args,
                                                const mproc_process_options *options, mproc_process **out);

/*
 * Drops the object. A child that still runs goes on and stays in the family: it is joined, or, as a
 * daemon, ended, when this process exits. NULL is fine. Does not block.
 */
MPROC_API void mproc_process_free(mproc_process *process);

/*
 * Starts the process (Python: start()).
 *
 * Blocks only as long as the system takes to start a program; it does not wait for the child.
 *
 * Returns MPROC_OK, or, with nothing started:
 *   MPROC_BAD_STATE   it was started before, or closed, or is running here (mproc_process_run()); or
 *                     mproc_shutdown() was called
 *   MPROC_NO_GUARD    this process has not passed mproc_main_guard(), and, unless it is a child, no
 *                     mproc_set_executable() names another program
 *   MPROC_NOT_FOUND   the executable, or the working directory, does not exist
 *   MPROC_PERMISSION  the executable may not be executed
 *   MPROC_INVALID     the executable is no program, or a stdio handle is not open
 *   MPROC_LIMIT       too many processes or open files
 *   MPROC_NO_MEMORY
 *
 * Unlike Python's, a daemon may start processes of its own: its daemons end with it.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_process_start(mproc_process *process);

/*
 * Runs the process' function in the calling process and thread, and returns what it returns
 * (Python: run()). Any number of times before it is started, as a start gives the arguments to the child; afterwards,
 * and when it is closed: MPROC_BAD_STATE.
 */
MPROC_API mproc_status mproc_process_run(mproc_process *process);

/*
 * Waits for the process to end (Python: join(), which does not say whether it timed out).
 *
 * Blocks at most `timeout_ms` milliseconds. May be called by several threads at once, and again.
 *
 * Returns MPROC_OK when it has ended, or:
 *   MPROC_TIMEOUT      it still runs
 *   MPROC_BAD_STATE    it was not started, or was closed
 *   MPROC_INVALID      it is the current process: it would wait for itself for ever; or `timeout_ms` is below 0
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_NO_GUARD     it exited (see its exit status) without having entered mproc_main_guard(); one that a signal
 *                      has ended before that is MPROC_OK, and its exit status names the signal
 *   MPROC_MISMATCH     it exited before that, as it has another version or copy of the library
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_process_join(mproc_process *process, int64_t timeout_ms);

/*
 * Returns whether the process was started and has not ended. True for the current process.
 * Does not block. Never true for a process that has ended, whoever collected its exit status.
 */
MPROC_API bool mproc_process_is_alive(mproc_process *process);

/*
 * Returns how the process ended (Python: exitcode). Does not block. A closed process keeps its last status. Of a
 * child nothing is known in a fork() copy: MPROC_EXIT_LOST.
 */
MPROC_API mproc_exit_status mproc_process_exit_status(mproc_process *process);

/*
 * Writes what the process' task returned to `*status`: MPROC_OK, or why it failed, such as MPROC_USER + 7. Ours; in
 * Python an exception ends in a traceback. Does not block.
 *
 * Returns MPROC_OK, or, with `*status` unchanged:
 *   MPROC_BAD_STATE   it was not started, or runs; or it ended before its task returned (killed, exit()); or it is
 *                     no child of this process
 *   MPROC_INVALID     `status` is NULL
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_process_task_status(mproc_process *process, mproc_status *status);

/*
 * Returns the text that the process' task left with the status that it returned, of at most 511 bytes: "" if that was
 * MPROC_OK, or mproc_process_task_status() gives none. It stays until the object is freed. Does not block.
 */
MPROC_API const char *mproc_process_error_text(mproc_process *process);

/*
 * Ends the process: SIGTERM on POSIX, TerminateProcess on Windows (Python: terminate()). Exit
 * handlers do not run on Windows, and on POSIX only if the program catches SIGTERM. Processes that it started
 * live on, unless they are daemons. What it held is recovered, and what waited for it is woken.
 *
 * Does not block. Returns MPROC_OK, also when it had ended already, or:
 *   MPROC_BAD_STATE   it was not started, or was closed
 *   MPROC_NOT_OWNER   it is this process' parent, or this process itself
 *   MPROC_PERMISSION  it runs as somebody else
 */
MPROC_API mproc_status mproc_process_terminate(mproc_process *process);

/* Ends the process at once: SIGKILL on POSIX, TerminateProcess on Windows. Otherwise as terminate(). */
MPROC_API mproc_status mproc_process_kill(mproc_process *process);

/*
 * Asks the process to stop (Python: interrupt()): does in it what mproc_interrupt() does, so that its
 * waits return MPROC_INTERRUPTED and mproc_interrupted() says true; then, on POSIX, sends SIGINT,
 * which ends a process that neither catches nor ignores it. Windows has no signal for one process:
 * there the request is all. Pool workers ignore SIGINT. Returns and blocks as terminate().
 */
MPROC_API mproc_status mproc_process_interrupt(mproc_process *process);

/*
 * Gives up the process' handles early (Python: close()). Afterwards only free(), close(), name(), exit_status(),
 * task_status() and error_text() have a meaning. Does not block. Returns MPROC_OK, also the second time, or:
 *   MPROC_BAD_STATE   it still runs
 */
MPROC_API mproc_status mproc_process_close(mproc_process *process);

/* Returns the name; it stays until it is changed or the object freed. */
MPROC_API const char *mproc_process_name(const mproc_process *process);

/*
 * Changes the name; a child that runs keeps the one that it was started with. MPROC_INVALID: `name` is NULL,
 * empty, no UTF-8 or above 127 bytes.
 */
MPROC_API mproc_status mproc_process_set_name(mproc_process *process, const char *name);

/* Returns the process id, 0 before start(), after close() and, of a child, in a fork() copy. Does not block. */
MPROC_API int64_t mproc_process_pid(const mproc_process *process);

/* Returns whether the process is ended together with its parent (Python: daemon). Does not block. */
MPROC_API bool mproc_process_daemon(const mproc_process *process);

/* Before start() only: MPROC_BAD_STATE. */
MPROC_API mproc_status mproc_process_set_daemon(mproc_process *process, bool daemon);

/*
 * Returns the key, and its number of bytes in `*size`; it stays until it is changed or the object
 * freed. The family's first process makes 32 random bytes; children inherit it.
 */
MPROC_API const void *mproc_process_authkey(const mproc_process *process, size_t *size);

/* Copies a new key of at most 256 bytes (MPROC_INVALID above); it is for processes created from now on. */
MPROC_API mproc_status mproc_process_set_authkey(mproc_process *process, const void *key, size_t size);

/*
 * Gives a system handle that is ready when the process has ended: a file descriptor for poll() on
 * POSIX, a HANDLE for WaitForSingleObject() on Windows (Python: sentinel). It stays the library's
 * and is open until close() or free().
 *
 * Returns MPROC_OK, or MPROC_BAD_STATE (not started, closed, or the current process), or MPROC_INVALID: `handle` is
 * NULL.
 */
MPROC_API mproc_status mproc_process_sentinel(const mproc_process *process, intptr_t *handle);

/*
 * Returns the object of this process (Python: current_process()). It is the library's: free() and
 * close() ignore it. NULL only when the family cannot be entered (mproc_last_error_text()).
 */
MPROC_API mproc_process *mproc_current_process(void);

/*
 * Returns the object of the process that started this one, NULL in the family's first process
 * (Python: parent_process()). It is the library's; name, pid, is_alive, join and sentinel have a
 * meaning, its exit status is never known (MPROC_EXIT_LOST).
 */
MPROC_API mproc_process *mproc_parent_process(void);

/*
 * Lists the objects of this process' children that have not ended (Python: active_children()), but for those that
 * the program has freed and for the workers of pools, which are their pools'.
 *
 * Writes up to `capacity` of them to `children` (NULL if 0), their whole number to `*count`. The objects stay their
 * creators': each is there until it is freed. Does not block. MPROC_INVALID: NULL where something is to be written.
 */
MPROC_API mproc_status mproc_active_children(mproc_process **children, size_t capacity, size_t *count);

/*
 * Does now, within `timeout_ms`, what a normal exit of the process does without limit: ends daemons,
 * then waits for the others. A daemon is terminated, and killed if it still runs a second later, or at the end of
 * the time; a pool's workers are killed. Whatever it returns, nothing can be started afterwards, and pools do not
 * replace workers. Returns MPROC_OK, or MPROC_TIMEOUT or MPROC_INTERRUPTED with the rest still running; an interrupt
 * also ends the second that daemons have. MPROC_INVALID, with nothing done: `timeout_ms` is below 0. Ours.
 *
 * A process that ends by exit() or by returning from main() does this by itself if it has called
 * mproc_main_guard(); not if a signal handler calls exit() in the middle of a call of the library that does not wait:
 * then daemons end as when the process is killed, and the others live on.
 */
MPROC_API mproc_status mproc_shutdown(int64_t timeout_ms);

/*
 * Sets the program (UTF-8 path) that children are started from; NULL: this executable again (Python:
 * set_executable()). It must enter mproc_main_guard() and contain, or be able to open, the modules
 * that hold the functions. Returns MPROC_OK or MPROC_NO_MEMORY; a missing file is start()'s to report.
 */
MPROC_API mproc_status mproc_set_executable(const char *path);

/*
 * Returns how many CPUs this process may use: its affinity, further limited by its cgroup's quota
 * (rounded up) or its job object. At least 1. Does not block. (Python: process_cpu_count().)
 */
MPROC_API int mproc_cpu_count(void);

/* Returns this process' id. Never fails. */
MPROC_API int64_t mproc_getpid(void);

/* Returns the id of the process that started this one; it may have ended. */
MPROC_API int64_t mproc_getppid(void);

/*
 * Sleeps at least `ms` milliseconds. Returns MPROC_OK, or MPROC_INTERRUPTED after mproc_interrupt(), or MPROC_INVALID
 * if `ms` is negative.
 */
MPROC_API mproc_status mproc_sleep_ms(int64_t ms);

/*
 * Interrupts this process: in each thread one wait of this library - the one that it is in, or its
 * next - returns MPROC_INTERRUPTED. Ours; Python raises KeyboardInterrupt.
 *
 * A wait ends at once; one whose thread was just about to sleep may end up to two seconds later, or four where others
 * wait for the same lock, too.
 *
 * Does not block. May be called by any thread, and from a signal handler or console handler.
 */
MPROC_API void mproc_interrupt(void);

/*
 * Returns, once for each interrupt and thread, whether this process was interrupted: for tasks
 * that compute and do not wait. Does not block.
 */
MPROC_API bool mproc_interrupted(void);

/*
 * Installs a handler for Ctrl-C (SIGINT; the console's CTRL_C_EVENT) that calls mproc_interrupt().
 * The only call that changes the program's signal dispositions. Returns MPROC_OK or MPROC_SYSTEM.
 */
MPROC_API mproc_status mproc_catch_interrupts(void);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

/*
 * Returns whether this process is a child; it has then run its task, and `*code` is its exit code. `flush` writes out
 * the buffers of the program's standard streams.
 */
MPROC_API bool mproc_main_guard_run(int *code, void (*flush)(void));

/* What a normal exit does, see mproc_shutdown(). */
MPROC_API void mproc_main_exit(void);

/* `options_size` is the size of the caller's struct, so that later versions can add fields. */
MPROC_API mproc_status mproc_process_create_sized(mproc_function *function, mproc_args args,
                                                  const mproc_process_options *options, size_t options_size,
                                                  mproc_process **out);

/*
 * Inline, so that exit(), atexit() and the stdio buffers are the program's own, not those of a
 * shared library with a C runtime of its own.
 */
static inline void mproc_flush_(void)
{
    fflush(stdout);
    fflush(stderr);
}

static inline void mproc_main_guard(void)
{
    int code = 0;

    atexit(mproc_main_exit);
    if (mproc_main_guard_run(&code, mproc_flush_)) exit(code);
}

static inline mproc_status mproc_process_create(mproc_function *function, mproc_args args,
                                                const mproc_process_options *options, mproc_process **out)
{
    return mproc_process_create_sized(function, args, options, sizeof(mproc_process_options), out);
}

#ifdef __cplusplus
}

/* Options as a named object or a temporary: mproc_process_create(f, args, mproc_process_options{...}, &p). */
static inline mproc_status mproc_process_create(mproc_function *function, mproc_args args,
                                                const mproc_process_options &options, mproc_process **out)
{
    return mproc_process_create_sized(function, args, &options, sizeof options, out);
}

/* Arguments where they are made, with options of either form: mproc_process_create(f, MPROC_ARGS(1), nullptr, &p). */
template <bool map, class... Kept, class Options>
mproc_status mproc_process_create(mproc_function *function, const mproc_values<map, Kept...> &args,
                                  const Options &options, mproc_process **out)
{
    return mproc_process_create(function, args.borrow(), options, out);
}
#endif

#endif
