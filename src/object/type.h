/*
 * What the bottom must know of a kind of objects, as a row of a table: how it holds others, and what happens to it
 * when somebody who had to do with it dies. The list of all rows is src/types.c, above all layers.
 */
#ifndef MPROC_OBJECT_TYPE_H
#define MPROC_OBJECT_TYPE_H

#include "arena/intent.h"

struct handle_ref;
struct mproc_value;
struct reference;
struct wait;

/*
 * Functions that are NULL have nothing to do. Those with an intent are called with one that has no lock, by a thread
 * that recovers or is about to free the object, and can be done again from any point: it may be killed, too.
 *
 *   name           as messages call it: "a lock"
 *   stand_in       each process that uses it has a handle of the system for it (process/carried.h): makes, in an
 *                  empty owned slot, what goes in its place in messages, with the handle. `wait` is how long it may
 *                  take, or NULL. If it fails, what is in the slot is to be dropped
 *   stands_for     the object in whose place this one goes, or 0
 *   links          so many owned slots in the object refer to others or have blocks; they begin at links_at. If there
 *                  are not always as many, links_count_at is where their number stands, as 32 bits
 *   waiter_died    a thread has died that waits for the object (wait_queue.h), notified or not, with this `order`
 *   owner_died     a thread has died that had entered the object as its own (robust_list.h); `owner` is its id
 *   owned_by       whether it still is that thread's
 *   holder_died    a process has died that has a handle, which is dropped later: what others wait for comes back
 *   left           the words, by their index, that are counted up, and whose sleepers are woken, when a handle is
 *                  given up and others are left; NULL behind the last
 *   taken_lost     a thread has died in a call that took something out of the object: `*taken` says what, and is to
 *                  be counted and cleared. `locked`: the call had not let go of its lock; then it is cleared, no
 *                  more, if nothing was taken
 *   finish         a thread has died that had a container's lock, and has left a step of many changes to this, the
 *                  container's body, half done: does the rest of it, under that lock, and has it afterwards
 *   last_dropped   nobody has a handle any more; afterwards the links are dropped and the block is given back
 *   opened         this process has got a reference, by a value that refers to the object, or to `by`, which stands
 *                  for it: makes what that needs outside of the arena
 *   closing        this process gives up a reference, made or opened
 *   call           one call as it comes from another program, or goes to one: by the number of its method, with the
 *                  values that the method is given, of which anything can be. `*result` is nil at first, and the
 *                  caller's afterwards. NULL: it is not served to others
 *   call_within    of what is in another program: the same, of a method that may itself wait for so long
 *   moments        methods with a smaller number take no longer than moments
 *   never_waits    the others take longer, but wait for nobody
 *   runs_on        a call goes on to its end, and may take longer than it may wait: nobody stops it
 *   threads_own    a thread owns what it acquires by it: its calls from another program are all made by one thread
 *   takes          methods from this number on take something out of the object, if there is one
 *   delivered      what such a call, which was OK, has taken for another program has arrived there, or never will:
 *                  then the object has it again
 *   send_away      threads may wait by a reference that is freed otherwise than by parking: they look again
 *   thread_ends    the calling thread ends: what the type keeps for it goes
 *   forked         this process is a fork() copy: another thread of its origin may have had the mutex of the type
 */
struct object_type {
    const char *name;
    uint32_t links;
    uint32_t links_at;
    uint32_t links_count_at;
    void (*waiter_died)(struct intent *intent, uint64_t object, uint64_t order);
    void (*owner_died)(struct intent *intent, uint64_t object, uint32_t owner);
    bool (*owned_by)(uint64_t object, uint32_t owner);
    void (*holder_died)(struct intent *intent, uint64_t object);
    _Atomic uint32_t *(*left)(uint64_t object, uint32_t index);
    void (*taken_lost)(struct intent *intent, uint64_t object, _Atomic uint64_t *taken, bool locked);
    void (*finish)(struct intent *intent, uint64_t container);
    void (*last_dropped)(struct intent *intent, uint64_t object);
    mproc_status (*stand_in)(struct intent *intent, const struct handle_ref *ref, _Atomic uint64_t *owned,
                             const struct wait *wait);
    uint64_t (*stands_for)(uint64_t object);
    mproc_status (*opened)(struct reference *reference, uint64_t by);
    void (*closing)(struct reference *reference);
    mproc_status (*call)(const struct reference *reference, uint32_t method, const struct mproc_value *values,
                         size_t count, struct mproc_value *result);
    mproc_status (*call_within)(const struct reference *reference, uint32_t method, const struct mproc_value *values,
                                size_t count, struct mproc_value *result, int64_t waits_ms);
    uint32_t moments;
    bool never_waits;
    bool runs_on;
    bool threads_own;
    uint32_t takes;
    void (*delivered)(const struct reference *reference, bool received);
    void (*send_away)(const struct reference *reference);
    void (*thread_ends)(void);
    void (*forked)(void);
};

/* Kinds are less than this. */
#define OBJECT_KINDS 64

/* By the kind of object; NULL: there is none. */
extern const struct object_type *const object_types[OBJECT_KINDS];

#endif
