/*
 * Waiting for several things at once (Python: multiprocessing.connection.wait()): connections, listeners, ends of
 * processes, queues, results, events, semaphores, and the program's own handles, in any mixture and number.
 *
 *     mproc_waitable things[] = {MPROC_WAITABLE(connection), MPROC_WAITABLE(child), MPROC_WAITABLE(queue)};
 *     size_t ready;
 *     mproc_check(mproc_wait(things, 3, MPROC_FOREVER, &ready));
 *     if (things[1].ready) mproc_check(mproc_process_join(child, 0));
 *
 * Ready means that the call that would wait for the thing alone does not wait: there is something to receive, or the
 * news that nothing will come; the process has ended; there is an item, or nobody is left who could put one; the
 * result is finished; the event is set; there is a permit. Nothing is taken, so another thread or process may be
 * faster. What was closed by this process is ready, too: the next call tells. An event that is set and cleared at
 * once may be missed.
 *
 * Waiting costs no time of the CPU. Interrupts end it at once. What others of the family do is seen at once, also if
 * some who wait for the same thing are killed.
 *
 * A wait with a few things need keep nothing. A server with thousands of connections keeps a set (mproc_wait_set),
 * of which each wait costs, on Linux, as much as is ready: the number of connections does not matter.
 */
#ifndef MPROC_WAIT_H
#define MPROC_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/connection.h>
#include <mproc/event.h>
#include <mproc/listener.h>
#include <mproc/process.h>
#include <mproc/queue.h>
#include <mproc/result.h>
#include <mproc/semaphore.h>
#include <mproc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mproc_waitable_kind {
    MPROC_WAITABLE_CONNECTION = 1, /* it receives; one that only sends cannot be waited for */
    MPROC_WAITABLE_PROCESS = 2,    /* it has ended */
    MPROC_WAITABLE_QUEUE = 3,      /* it can be got from */
    MPROC_WAITABLE_RESULT = 4,     /* it is finished */
    MPROC_WAITABLE_EVENT = 5,      /* it is set */
    MPROC_WAITABLE_SEMAPHORE = 6,  /* it can be acquired */
    MPROC_WAITABLE_HANDLE = 7,     /* the program's own: see mproc_waitable_handle() */
    MPROC_WAITABLE_LISTENER = 8    /* a client may be there; perhaps there is none: accept with a limit of 0 */
} mproc_waitable_kind;

/* One thing. `ready` is written by the wait. `context` is the program's, which the library does not look at. */
typedef struct mproc_waitable {
    mproc_waitable_kind kind;
    bool ready;
    void *object;    /* the mproc_connection and so on, or NULL */
    intptr_t handle; /* of MPROC_WAITABLE_HANDLE */
    void *context;
} mproc_waitable;

/*
 * A handle of the program: a file descriptor that poll() can wait for to be readable; on Windows the HANDLE of an
 * object that stays signalled, such as an event with manual reset or a process. (Waiting changes others, such as
 * events with automatic reset.) It stays open until the wait is over, or it is out of the set.
 */
static inline mproc_waitable mproc_waitable_handle(intptr_t handle);

/*
 * Waits until one or more of `count` things are ready, at most `timeout_ms` milliseconds (MPROC_FOREVER: no limit; 0:
 * only looks). `ready` of each thing says whether it is, of all that are; and `*ready`, unless it is NULL, how many.
 * Without a thing it waits for its limit, or an interrupt.
 *
 * A thing that is closed or freed meanwhile, by another thread, is ready then. That thread waits until this one has
 * let go of it, which is moments.
 *
 * Returns MPROC_OK, or, with nothing ready:
 *   MPROC_TIMEOUT       nothing was ready in time (Python: an empty list)
 *   MPROC_INTERRUPTED   mproc_interrupt() was called, or the task is to stop
 *   MPROC_INVALID       `things` is NULL and `count` is not 0, `timeout_ms` is negative (in Python that is 0), a
 *                       thing has no object or no kind, a handle is none that can be waited for, or a process is the
 *                       caller's own
 *   MPROC_BAD_STATE     a process was not started, a connection only sends, or a result is of the pool that the
 *                       caller works for
 *   MPROC_LIMIT         there are too many open files, or more handles are waited for than their limit allows; or the
 *                       thread is missing that hears interrupts
 *   MPROC_NO_MEMORY     this process has no room for so many things
 *   MPROC_FORKED        this process is a fork() copy of the one that has a thing, or the set
 *   MPROC_NOT_SUPPORTED  a thing is in another program: a proxy of <mproc/manager.h>
 * The text says which thing it was, counted from 0.
 *
 * Any thread, any number of them for the same things.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_wait(mproc_waitable *things, size_t count, int64_t timeout_ms,
                                                  size_t *ready);

/* ---- sets that are kept ---------------------------------------------------------------------------- */

/* The things that this process waits for, from wait to wait. Any thread adds, removes and waits at any time. */
typedef struct mproc_wait_set mproc_wait_set;

/*
 * Makes an empty set, which is the caller's: mproc_wait_set_free(). Does not block. Returns MPROC_OK; MPROC_INVALID:
 * `out` is NULL; MPROC_LIMIT: there are too many open files; MPROC_NO_MEMORY: this process has no room.
 */
MPROC_API mproc_status mproc_wait_set_create(mproc_wait_set **out);

/* Frees it. Nobody waits in it or uses it any more. What is in it stays as it is. NULL is fine. Does not block. */
MPROC_API void mproc_wait_set_free(mproc_wait_set *set);

/*
 * Adds a thing, with its context. Those who wait in the set wait for it, too. Does not block, but on Windows until
 * they have noticed. `thing` is copied; what it refers to stays the caller's.
 *
 * What is closed while it is in the set stays there, and is ready. What is freed is out of the set.
 *
 * Returns MPROC_OK, or, with nothing added:
 *   MPROC_EXISTS    the object or the handle is in the set
 *   and as mproc_wait()
 */
MPROC_API mproc_status mproc_wait_set_add(mproc_wait_set *set, mproc_waitable thing);

/*
 * Takes a thing out: the object or the handle counts, and nothing else of `thing`. Does not block, but on Windows
 * until those who wait have noticed. A wait of another thread that is about to return may still report it. Returns
 * MPROC_OK; MPROC_NOT_FOUND: it is not in the set.
 */
MPROC_API mproc_status mproc_wait_set_remove(mproc_wait_set *set, mproc_waitable thing);

/* Returns how many things are in the set. Does not block. */
MPROC_API size_t mproc_wait_set_count(mproc_wait_set *set);

/*
 * Waits until one or more things of the set are ready, as mproc_wait() does, and writes up to `room` of those that
 * are to `things`, as they were added, and how many into `*count`. Those for which there is no room come with the
 * next waits; what stays ready is reported again each time. Without a thing in the set it waits until one is added.
 *
 * Returns as mproc_wait(), but the text says of what kind the thing was. MPROC_INVALID: also if `room` is 0, or
 * `things` or `count` is NULL.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_wait_set_wait(mproc_wait_set *set, mproc_waitable *things, size_t room,
                                                           int64_t timeout_ms, size_t *count);

/* ---- things by their type ---------------------------------------------------------------------------- */

static inline mproc_waitable mproc_waitable_from_(mproc_waitable_kind kind, void *object, intptr_t handle)
{
    mproc_waitable thing;

    thing.kind = kind;
    thing.ready = false;
    thing.object = object;
    thing.handle = handle;
    thing.context = NULL;
    return thing;
}

static inline mproc_waitable mproc_waitable_handle(intptr_t handle)
{
    return mproc_waitable_from_(MPROC_WAITABLE_HANDLE, NULL, handle);
}

/* For compilers without _Generic: mproc_waitable_connection(c), mproc_waitable_process(p) and so on. */
#define MPROC_WAITABLE_TABLE_(X) \
    X(connection, CONNECTION)    \
    X(process, PROCESS)          \
    X(queue, QUEUE)              \
    X(result, RESULT)            \
    X(event, EVENT)              \
    X(semaphore, SEMAPHORE)      \
    X(listener, LISTENER)

#define MPROC_WAITABLE_MAKE_(name, constant)                                 \
    static inline mproc_waitable mproc_waitable_##name(mproc_##name *object) \
    {                                                                        \
        return mproc_waitable_from_(MPROC_WAITABLE_##constant, object, -1);  \
    }
MPROC_WAITABLE_TABLE_(MPROC_WAITABLE_MAKE_)
#undef MPROC_WAITABLE_MAKE_

#ifdef __cplusplus
}

#define MPROC_WAITABLE_OVERLOAD_(name, constant)                          \
    static inline mproc_waitable mproc_waitable_of_(mproc_##name *object) \
    {                                                                     \
        return mproc_waitable_##name(object);                             \
    }
MPROC_WAITABLE_TABLE_(MPROC_WAITABLE_OVERLOAD_)
#undef MPROC_WAITABLE_OVERLOAD_

#define MPROC_WAITABLE(object) mproc_waitable_of_(object)
#else
/* A thing to wait for, of any object that can be waited for. */
#define MPROC_WAITABLE(object)                            \
    _Generic((object), mproc_connection *                 \
             : mproc_waitable_connection, mproc_process * \
             : mproc_waitable_process, mproc_queue *      \
             : mproc_waitable_queue, mproc_result *       \
             : mproc_waitable_result, mproc_event *       \
             : mproc_waitable_event, mproc_semaphore *    \
             : mproc_waitable_semaphore, mproc_listener * \
             : mproc_waitable_listener)(object)
#endif

#endif
