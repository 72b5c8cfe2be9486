/*
 * The only way to the operating system. src/posix and src/win32 implement it, in files of the same
 * names; nothing outside them includes an OS header.
 *
 * For every function:
 *   - A function that can fail returns a mproc_status, has set the thread's error text with
 *     mproc_error() (what was tried, the system's own words and number), has written no result and
 *     left nothing behind. What cannot fail returns void or the value. Only MPROC_TIMEOUT of a wait sets no text:
 *     waits end by it also inside calls that succeed.
 *   - It does what the system does. Defaults, checks, retries and names are the business of the layers above.
 *   - Any thread may call it, unless it says otherwise. EINTR is never seen above the platform.
 *   - Times are int64_t nanoseconds. Deadlines are absolute, of plat_clock_now_ns(); PLAT_FOREVER is
 *     none, and one that has passed means: try, do not wait.
 *   - Handles that it makes are never inherited by accident: a child gets those that
 *     plat_process_start() names, and no other.
 */
#ifndef MPROC_PLATFORM_H
#define MPROC_PLATFORM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/status.h>

#define PLAT_FOREVER INT64_MAX

/* A file descriptor or a HANDLE. */
typedef intptr_t plat_handle;
#define PLAT_NO_HANDLE ((plat_handle)-1)

/* ---- clock.c ---------------------------------------------------------------------------------- */

/* Monotonic time; the same scale in every process. Wall-clock steps do not move it. */
int64_t plat_clock_now_ns(void);

/* Time on the scale in which the system records the birth of processes (see plat_process_alive). */
int64_t plat_clock_birth_ns(void);

/* Sleeps at least until the deadline. */
void plat_clock_sleep_until(int64_t deadline_ns);

/* ---- memory.c --------------------------------------------------------------------------------- */

/* The largest reservation that makes sense here: less than what the process' address-space limit leaves. */
size_t plat_memory_reserve_max(void);
/* Granularity of plat_memory_commit(): a power of two. */
size_t plat_memory_page(void);

/*
 * Creates a shared-memory object of at most `reserve` bytes, nothing of it committed. It has no name and is gone
 * with the last process that has it open or mapped.
 */
mproc_status plat_memory_create(size_t reserve, plat_handle *memory);

/*
 * Maps `reserve` bytes of it, the same number that it was created with. Touching what is not committed is a
 * fault. A core dump leaves the mapping out. MPROC_NO_MEMORY: no such range of addresses is free.
 */
mproc_status plat_memory_map(plat_handle memory, size_t reserve, void **base);

void plat_memory_unmap(void *base, size_t reserve);

/*
 * Makes [offset, offset + size) usable in every process that has it mapped, now and later; new bytes are zero, bytes
 * that were usable keep their contents. Both are multiples of plat_memory_page(). Idempotent, and
 * may run in several processes at once for the same range.
 *
 * A large range takes its time, but in steps: whoever commits something small meanwhile waits for one step at most.
 * POSIX: `base` is NULL where this process has not mapped it yet.
 *
 * MPROC_NO_MEMORY: the system, or the memory cgroup of this process, has no room; a part of the range may be
 * committed. What was returned as usable never faults for want of memory (a race with other users of the cgroup
 * excepted).
 */
mproc_status plat_memory_commit(plat_handle memory, void *base, size_t offset, size_t size);

/*
 * Gives [offset, offset + size), which nobody uses, back to the system. Both are multiples of plat_memory_page().
 * What of it was committed is not any more, in any process: it has to be committed again, and is zero then. Bytes
 * that are not committed stay so. Idempotent; whoever is killed in it leaves each byte as it was, or given back.
 *
 * Windows cannot decommit a part of a section, not even when no process uses it: there the committed bytes are
 * cleared, stay committed, and count against the system's commit limit until the whole section is gone.
 */
void plat_memory_release(plat_handle memory, void *base, size_t offset, size_t size);

/*
 * Copies the first `size` bytes (at most a page) of a handle that may be anything, and changes nothing. False: it is
 * not such memory, or so much of it is not committed.
 */
bool plat_memory_peek(plat_handle memory, void *bytes, size_t size);
/* Bytes of memory that this process shares with nobody: Linux: in RAM; Windows: committed. 0: it is not told. */
uint64_t plat_memory_own(void);

/* ---- named.c ---------------------------------------------------------------------------------- */

/*
 * Memory with a name, for processes of one user (Windows: of one session) that need not know each other. It lives as
 * long as a process has it open, however these processes end; its name as long as it lives and was not unlinked.
 * Names are of the characters a-z, 0-9, % and -, at most 200 of them.
 *
 * No call waits for another process without a limit: where one that is stopped stands in the way of a name, calls
 * that concern this name return MPROC_TIMEOUT, with a text, after about a second.
 */
typedef struct plat_named {
    plat_handle handle;
    plat_handle index; /* Windows: what says which memory the name stands for */
    uint32_t number;   /* Windows: which one this is; 0: this process has left it */
    void *base;
    size_t size; /* of the mapping: at least what was asked for */
} plat_named;

/*
 * Creates and maps it, all of it committed: `head`, and zeros behind it. Nobody sees it without its head.
 * MPROC_EXISTS: the name stands for memory that is in use. MPROC_MISMATCH: something else is in its place.
 * MPROC_NO_MEMORY, MPROC_PERMISSION, MPROC_LIMIT, MPROC_TIMEOUT.
 */
mproc_status plat_named_create(const char *name, size_t size, const void *head, size_t head_size, plat_named *named);

/* Opens and maps what the name stands for. MPROC_NOT_FOUND; and as create. */
mproc_status plat_named_attach(const char *name, plat_named *named);

/* Takes the name away, if it stands for this memory. MPROC_NOT_FOUND: it does not, or not any more. */
mproc_status plat_named_unlink(const char *name, const plat_named *named);

/*
 * Ends this process' use of it, and with the last user's the name, but leaves it mapped: for the end of the process.
 * Close follows, or the end.
 */
void plat_named_leave(const char *name, plat_named *named);

/* Leaves, and unmaps it. */
void plat_named_close(const char *name, plat_named *named);

/* Takes the name away if no living process has open what it stands for. Windows: there are none, it does nothing. */
void plat_named_tidy(const char *name);

/* The same of all names of the user: it takes some microseconds for each. */
void plat_named_sweep(void);

/* ---- handle.c --------------------------------------------------------------------------------- */

/* Closes the handle; PLAT_NO_HANDLE is ignored. */
void plat_handle_close(plat_handle handle);

/*
 * For a child: takes charge of a handle that it was started with, whose number it was told. The
 * handle is not inherited any further. MPROC_INVALID: it is not open.
 */
mproc_status plat_handle_adopt(plat_handle handle);

/*
 * Waits until one of `count` (1 to 8) handles is ready: an event that is set, a process that has ended, a
 * sentinel whose holder is gone. Writes its index, the lowest if several are. MPROC_TIMEOUT.
 */
mproc_status plat_handle_wait(const plat_handle *handles, int count, int64_t deadline_ns, int *ready);

/* Number of handles that this process has open, or -1 if the system does not tell. */
int plat_handle_count(void);

/* ---- event.c ---------------------------------------------------------------------------------- */

/* An event of this process: not set. It stays set until plat_event_clear(). Close it as a handle. */
mproc_status plat_event_create(plat_handle *event);

/* Async-signal-safe; keeps errno. */
void plat_event_set(plat_handle event);

void plat_event_clear(plat_handle event);

/* A watcher tells which of many processes have ended. One thread waits; any thread adds, removes and wakes. */
typedef struct plat_watcher plat_watcher;

mproc_status plat_watcher_create(plat_watcher **watcher);

/* No thread waits in it. */
void plat_watcher_free(plat_watcher *watcher);

/* Reports `token` (not 0) once when the process has ended. */
mproc_status plat_watcher_add(plat_watcher *watcher, plat_handle process, uint64_t token);

/* Takes it out; a report that is already on its way may still come. */
void plat_watcher_remove(plat_watcher *watcher, plat_handle process, uint64_t token);

/* Lets plat_watcher_wait() return with token 0. Wakes do not add up. */
void plat_watcher_wake(plat_watcher *watcher);

/*
 * Waits for a report. Returns its token, 0 after a wake or at the deadline. PLAT_WATCHER_LOST, each time after some
 * milliseconds: the program has closed what it watches by, so each process has to be looked at (POSIX).
 */
#define PLAT_WATCHER_LOST (UINT64_MAX - 1)
uint64_t plat_watcher_wait(plat_watcher *watcher, int64_t deadline_ns);

/* ---- sentinel.c ------------------------------------------------------------------------------- */

/*
 * Makes the two ends by which one child knows that its parent lives. `child_end` is for the child (give it to
 * plat_process_start) and becomes ready when this process has ended, or has closed `parent_end`.
 * Windows: `child_end` is a handle of this process, `parent_end` PLAT_NO_HANDLE, and closing it tells nobody.
 */
mproc_status plat_sentinel_create(plat_handle *parent_end, plat_handle *child_end);

/*
 * In the child, for a daemon: from now on this process is killed by the system when `child_end` becomes
 * ready, and at once if it is ready already. Windows: the parent's job object does this from birth,
 * see plat_start.daemon, and this does nothing.
 */
mproc_status plat_sentinel_arm(plat_handle child_end);

/* ---- process.c -------------------------------------------------------------------------------- */

/* Where a standard stream of a new process leads: to where this process' stream leads, nowhere, or to `handle`. */
typedef enum plat_stream_kind { PLAT_STREAM_INHERIT, PLAT_STREAM_NULL, PLAT_STREAM_HANDLE } plat_stream_kind;

typedef struct plat_stream {
    plat_stream_kind kind;
    plat_handle handle;
} plat_stream;

/*
 * How a process ended, if it has. `signal` has the POSIX numbers on every system: on Windows they are told from the
 * exit code, which `code` keeps.
 */
typedef enum plat_end_kind { PLAT_END_RUNNING, PLAT_END_EXITED, PLAT_END_SIGNALLED, PLAT_END_LOST } plat_end_kind;

typedef struct plat_end {
    plat_end_kind kind;
    int code;
    int signal;
} plat_end;

/* Everything that a new process is given. Strings are UTF-8. */
typedef struct plat_start {
    const char *executable;         /* NULL: this process' own; on Linux also if its file is gone or was replaced */
    const char *working_directory;  /* NULL: this process' */
    const char *const *environment; /* "NAME=VALUE" or "NAME", which removes it; may be NULL */
    bool environment_only;
    const char *token_name;  /* one more variable: PLAT_TOKEN_NAME, but in tests */
    plat_stream stdio[3];    /* standard input, output, error */
    plat_handle handles[4];  /* what the child gets, PLAT_NO_HANDLE for none */
    const plat_handle *more; /* and so many more, none of them PLAT_NO_HANDLE */
    size_t more_count;
    bool daemon; /* ended by the system with this process (Windows; see plat_sentinel_arm) */
    /*
     * It has the signal mask and the ignored signals of the thread's host as they are. Otherwise SIGTERM and SIGINT
     * are not blocked, and SIGTERM is not ignored, in it: a child can be asked to end. Windows: has no meaning.
     */
    bool inherit_signals;
    bool without_interrupts; /* Ctrl-C does not reach it until it has called plat_process_ignore_interrupts() */
    /*
     * Writes the variable's value, given the numbers that the child will know its handles by (the four, then the
     * others), into `text` (PLAT_TOKEN_BYTES). Called before the child exists, in the calling thread.
     */
    void (*token_write)(void *context, const plat_handle *numbers, char *text);
    void *context;
} plat_start;

typedef struct plat_process {
    plat_handle handle; /* ready when the process has ended; close it as a handle */
    int64_t pid;
} plat_process;

/*
 * Starts a process with the command line that this one had when the library was loaded, the signal mask of the
 * calling thread's host and default dispositions for what the library changed. Returns when the new program
 * is loaded. It inherits `handles` and the standard streams and nothing else.
 *
 * MPROC_NOT_FOUND, MPROC_PERMISSION, MPROC_INVALID (no program; a bad stdio handle), MPROC_LIMIT,
 * MPROC_NO_MEMORY: there is no process, in every case.
 */
mproc_status plat_process_start(const plat_start *start, plat_process *process);

/*
 * A time on the scale of plat_clock_birth_ns() that the process was born before, or at: of a process that was started
 * right now; NULL: of this one.
 */
int64_t plat_process_born_before_ns(const plat_process *process);

/*
 * Collects the status of an ended child of this process: PLAT_END_RUNNING if it has not ended, PLAT_END_LOST if
 * somebody else has collected it. Call it once with another answer than running; it never waits.
 */
plat_end plat_process_collect(const plat_process *process);

/* A process that has ended is no error. MPROC_PERMISSION. */
mproc_status plat_process_terminate(const plat_process *process);
mproc_status plat_process_kill(const plat_process *process);

/* Sends SIGINT. Windows: does nothing. */
mproc_status plat_process_interrupt(const plat_process *process);

/*
 * Opens a process that need not be a child, to wait for its end. MPROC_NOT_FOUND: it has ended, or
 * `pid` now belongs to a process that was born after `born_before_ns` (plat_clock_birth_ns()).
 */
mproc_status plat_process_open(int64_t pid, int64_t born_before_ns, plat_handle *process);

/* Whether that process still exists and has not ended. */
bool plat_process_alive(int64_t pid, int64_t born_before_ns);

/* Kills a process that need not be a child. It may have ended; one that has its id by now is left alone. */
void plat_process_kill_other(int64_t pid, int64_t born_before_ns);

/*
 * For a process that has ended after its parent: collects it if the system has given it to this process meanwhile
 * (the first of a container, a subreaper), where it would be a zombie. Returns the id of the process that it is a
 * zombie of, which alone can collect it, or 0. Windows: 0.
 */
int64_t plat_process_collect_orphan(int64_t pid, int64_t born_before_ns);

/* Whether the system gives orphans to this process. */
bool plat_process_is_given_orphans(void);

int64_t plat_process_id(void);

/* The id of the process that started this one, or, after its end, perhaps of another. */
int64_t plat_process_parent_id(void);

/* In a child, as early as possible: shows its program's name, which a start by /proc/self/exe hides (Linux). */
void plat_process_show_name(void);

/* Whether output may stand in the buffers of stdout or stderr. Windows: true, programs have runtimes of their own. */
bool plat_process_has_printed(void);

/*
 * Keeps Ctrl-C from this process (pool workers), but not from its children: ignores SIGINT; Windows: the console's
 * CTRL_C_EVENT. Takes back what plat_start.without_interrupts has done, which children would inherit. Called by the
 * first thread.
 */
void plat_process_ignore_interrupts(void);

/* Calls `handler`, which is async-signal-safe, on Ctrl-C. */
mproc_status plat_process_catch_interrupts(void (*handler)(void));

/* Calls `child` in the new process after a fork(). Windows has none: does nothing. */
mproc_status plat_process_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void));

/* ---- semaphore.c ------------------------------------------------------------------------------ */

/*
 * A wake-up object of one thread that lies in shared memory and can be posted by any thread of any
 * process. It holds at most one post. Zeroed memory is a semaphore that was not opened.
 * `value` is the count (Linux: a futex word; Windows: unused), `pid` and `handle` name the system's
 * object inside its owner (Windows), `serial` changes with each opening, so that posters can cache
 * what they duplicated. They are changed by the owning thread alone, in open and close; `value` by anybody.
 */
typedef struct plat_semaphore {
    _Atomic uint32_t value;
    _Atomic uint32_t serial;
    _Atomic int64_t pid;
    _Atomic int64_t handle;
} plat_semaphore;

/* By the owner: makes it ready to be posted. Keeps a post that is already there, or not. */
mproc_status plat_semaphore_open(plat_semaphore *semaphore);

void plat_semaphore_close(plat_semaphore *semaphore);

/* By the owner: takes a post, waiting for it. May return without one. MPROC_TIMEOUT. */
mproc_status plat_semaphore_wait(plat_semaphore *semaphore, int64_t deadline_ns);

/* Posts; an owner that has ended is ignored. Async-signal-safe on POSIX. */
void plat_semaphore_post(plat_semaphore *semaphore);

/* ---- futex.c: only where the system has a futex that crosses processes (Linux) ------------------- */

/* Sleeps while `*word` is `expected`. May return for no reason. MPROC_TIMEOUT at the deadline. Sets no error text. */
mproc_status plat_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns);

/* Wakes up to `count` sleepers on the word; returns how many. Async-signal-safe; keeps errno. */
int plat_futex_wake(_Atomic uint32_t *word, int count);

/* ---- thread.c --------------------------------------------------------------------------------- */

typedef struct plat_thread plat_thread;

/* Starts a thread that blocks all signals but those of its own faults. MPROC_LIMIT, MPROC_NO_MEMORY. */
mproc_status plat_thread_start(void (*function)(void *argument), void *argument, plat_thread **thread);

/* Waits for its end and frees it. */
void plat_thread_join(plat_thread *thread);

/* In such a thread: it gets the signal mask of the thread that started it, as functions of the program run in it. */
void plat_thread_take_signals(void);

/* Whether all but `others` and this one have ended. Windows: false, a process can end there whatever threads do. */
bool plat_thread_program_ended(int others);

/* Once: calls `function` with a thread's value when that ends, not the process; see docs/architecture.md, locks. */
mproc_status plat_thread_exit_hook(void (*function)(void *value));
void plat_thread_exit_set(void *value);
/* Memory of the calling thread, zero at first, given back at its end; always of one size. NULL: there is none. */
void *plat_thread_block(size_t size);

/* A lock among the threads of this process. Zeroed memory is an unlocked mutex; it needs no end. */
typedef struct plat_mutex {
    void *place[8];
} plat_mutex;

void plat_mutex_lock(plat_mutex *mutex);
void plat_mutex_unlock(plat_mutex *mutex);

/* For signal handlers: whether the thread has a mutex or waits for one. Windows: false, nothing interrupts it. */
bool plat_mutex_held(void);

/* Lets another thread run on this CPU. */
void plat_thread_yield(void);
/* Tells the CPU that this is a spin loop: some tens of nanoseconds. */
void plat_thread_pause(void);

/* The CPU that the calling thread runs on, or -1. */
int plat_thread_cpu(void);
/* Moves the calling thread to that CPU once, if it may run there, without binding it: its affinity stays. */
void plat_thread_move(int cpu);

/* How the system schedules a thread, and those that it starts. Windows: nothing, as it is the process that counts. */
typedef struct plat_schedule {
    uint64_t cpus[128];
    int32_t policy;
    int32_t priority;
    int32_t nice;
    uint32_t unused;
} plat_schedule;

/* Tells what those would inherit that the calling thread starts. */
void plat_thread_schedule(plat_schedule *schedule);
/* Gives the calling thread the same, as far as the system allows it. */
void plat_thread_schedule_as(const plat_schedule *schedule);
/* Binds the calling thread to one CPU: by its number, counted round, among the schedule's; Windows: the process'. */
void plat_thread_pin(const plat_schedule *schedule, uint32_t number);

/* ---- module.c --------------------------------------------------------------------------------- */

/* An executable or shared library in this process. */
typedef struct plat_module {
    uintptr_t base;
    uint8_t id[20];  /* tells builds apart: the build id, or a hash of what identifies the file */
    bool main;       /* it is the executable */
    char path[1024]; /* UTF-8; for the executable not needed and perhaps empty */
} plat_module;

/* Finds the module whose code holds the address. MPROC_NOT_FOUND: none does, or it is not code. */
mproc_status plat_module_find(uintptr_t address, plat_module *module);

/* Finds the loaded module with this id. MPROC_NOT_FOUND. */
mproc_status plat_module_lookup(const uint8_t id[20], plat_module *module);

/* Keeps the module that holds this address, which may be a plugin, in the process for good. */
void plat_module_pin(uintptr_t address);

/* Opens a module for good, as dlopen() and LoadLibrary() do. MPROC_NOT_FOUND, with the loader's words. */
mproc_status plat_module_open(const char *path);

/* ---- birth.c: what this process was given, taken when the library is loaded --------------------- */

#define PLAT_TOKEN_NAME "MPROC_CHILD"
#define PLAT_TOKEN_BYTES 192

/*
 * The value of the variable PLAT_TOKEN_NAME as it was when the library was loaded: before the program could change
 * its environment. NULL: it was not set. It stays.
 * A value that ends with '0' ends with '1' in the environment from then on: whoever inherits it learns that a process
 * that has the library was there before.
 */
const char *plat_birth_token(void);

/*
 * The numbers by which a child whose environment was taken away knows the first three of its handles. False: this
 * process was given none, or the system has no fixed numbers (Windows). What is there may be anything.
 */
bool plat_birth_handles(plat_handle *memory, plat_handle *child_end, plat_handle *door);

/*
 * In a child: takes charge of what tells its parent that it has ended, where the system does not (a pipe). In a
 * fork() copy: closes it, for the copy's end is not the child's, and forgets the other threads.
 */
void plat_birth_adopt_end(void);
void plat_birth_forked(void);

/* ---- system.c --------------------------------------------------------------------------------- */

/* Whether a tool (valgrind) takes what a thread has, that runs at the end of the process, for lost memory. */
bool plat_system_checks_leaks(void);
/* CPUs of this process' affinity, limited by its cgroup's quota or its job. At least 1. */
int plat_system_cpu_count(void);
/* Random bytes fit for keys. */
mproc_status plat_system_random(void *bytes, size_t size);
/* Writes to standard error, past the C library's buffers, in one piece. If nobody reads it, nothing happens. */
void plat_system_print_error(const char *text, size_t size);

/* Copies the variable's value. False: it is not set, or longer than `size` - 1. */
bool plat_system_environment(const char *name, char *value, size_t size);
/* Takes the variable out of this process' environment. */
void plat_system_environment_remove(const char *name);

#endif
