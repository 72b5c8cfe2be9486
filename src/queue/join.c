/* Joinable queues: items are done, and somebody waits until all are. */
#include "queue/join.h"

#include <limits.h>

#include "process/family.h"
#include "queue/lease.h"
#include "queue/turn.h"

static mproc_status check(const mproc_queue *queue)
{
    mproc_status status = family_enter_with(queue->reference.arena);

    if (status != MPROC_OK || queue_of(queue)->joinable) return status;
    return mproc_error(MPROC_BAD_STATE, "the queue does not count what is done: it was created without the option "
                                        "joinable");
}

/* NULL: nothing was ever got by the reference. */
static struct leases *leases_of(const mproc_queue *queue)
{
    const _Atomic uint64_t *owned = atomic_load(&queue->reference.own);

    return owned ? (struct leases *)arena_at(atomic_load(owned)) : NULL;
}

void join_end_sleep(struct queue *queue)
{
    atomic_fetch_add(&queue->finished, 1);
    park_wake(&queue->finished, INT_MAX);
}

mproc_status mproc_queue_task_done(mproc_queue *queue)
{
    struct queue *at = queue_of(queue);
    bool done = false, finished = false;
    struct intent *intent;
    mproc_status status;

    if ((status = check(queue)) != MPROC_OK) return status;
    if (leases_of(queue)) {
        intent = work_intent();
        queue_lock(intent, at, &queue_ends(at)->get);
        done = lease_finish(intent, at, leases_of(queue), &intent->stages[0], &finished);
        lock_release(intent, &queue_ends(at)->get.lock);
        if (finished) join_end_sleep(at);
        intent_has_woken(intent);
        object_drop(intent, &intent->stages[0]);
    }
    if (done) return MPROC_OK;
    return mproc_error(MPROC_BAD_STATE, "this process has no item of the queue that is not done: one task_done() too "
                                        "many");
}

int64_t mproc_queue_redelivered(mproc_queue *queue)
{
    struct queue *at = queue_of(queue);
    const struct parcel *last;
    struct intent *intent;
    int64_t given = 1;

    if (family_enter_with(queue->reference.arena) != MPROC_OK || !leases_of(queue)) return 0;
    intent = work_intent();
    queue_lock(intent, at, &queue_ends(at)->get);
    if ((last = lease_last(leases_of(queue))) != NULL) given = (int64_t)atomic_load(&last->given);
    lock_release(intent, &queue_ends(at)->get.lock);
    return given - 1;
}

static mproc_status alone(const struct queue *queue)
{
    return mproc_error(MPROC_PEER_DIED,
                       "not all items are done (%lu are not), and all other processes that had the queue have "
                       "ended or freed it: nobody is left who does them",
                       (unsigned long)queue_unfinished(queue));
}

static mproc_status wait_for(const struct wait *wait, mproc_queue *queue)
{
    struct queue *at = queue_of(queue);
    mproc_status status = MPROC_OK;
    uint32_t seen;
    bool is_alone;

    /* Alone first: whoever ends now has done before what it has. */
    while (status == MPROC_OK) {
        seen = atomic_load(&at->finished);
        is_alone = turn_is_alone(&queue->reference, QUEUE_HAS_GOT);
        if (queue_unfinished(at) == 0) return MPROC_OK;
        if (is_alone) return alone(at);
        status = wait_sleep(wait, &at->finished, seen);
    }
    if (queue_unfinished(at) == 0) return MPROC_OK;
    return status == MPROC_TIMEOUT ? wait_timed_out(wait, "items of the queue were not done") : status;
}

mproc_status mproc_queue_join(mproc_queue *queue, int64_t timeout_ms)
{
    struct wait wait;
    mproc_status status;

    if ((status = check(queue)) != MPROC_OK) return status;
    if ((status = queue_begin(queue, timeout_ms)) != MPROC_OK) return status;
    if (queue_unfinished(queue_of(queue)) == 0) return MPROC_OK;
    if (timeout_ms == 0) return wait_tried("items of the queue are not done");
    if ((status = wait_begin(&wait, &queue->reference, timeout_ms)) != MPROC_OK) return status;
    status = wait_for(&wait, queue);
    wait_end(&wait);
    return status;
}
