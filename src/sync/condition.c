/* Conditions. Who waits stands in the slots of threads: see object/wait_queue.h. */
#include <mproc/condition.h>

#include <limits.h>

#include "base/options.h"
#include "object/interrupt.h"
#include "object/wait_queue.h"
#include "process/family.h"
#include "sync/lock_impl.h"
#include "sync/types.h"

/* `lock` is a link. `order` changes under that lock: it counts those who have waited. */
struct condition {
    struct object object;
    _Atomic uint64_t lock;
    _Atomic uint64_t order;
};

const struct object_type condition_type = {
    .name = "a condition", .links = 1, .links_at = offsetof(struct condition, lock)};

struct mproc_condition {
    struct reference reference;
};

static struct condition *condition_at(const mproc_condition *condition)
{
    assert(condition && condition->reference.ref.kind == OBJECT_CONDITION);
    return (struct condition *)condition->reference.at;
}

static uint64_t lock_of(const mproc_condition *condition)
{
    return atomic_load_explicit(&condition_at(condition)->lock, memory_order_relaxed);
}

/* The program's references begin with a struct reference. */
static const struct reference *given_lock(const mproc_condition_options *options)
{
    return options->lock ? (const struct reference *)(const void *)options->lock
                         : (const struct reference *)(const void *)options->rlock;
}

mproc_status mproc_condition_create_sized(const mproc_condition_options *options, size_t options_size,
                                          mproc_condition **out)
{
    mproc_condition_options all;
    struct reference *reference;
    struct condition *condition;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a condition was to be created, and out is NULL");
    options_read(&all, sizeof all, options, options_size);
    if (all.lock && all.rlock)
        return mproc_error(MPROC_INVALID, "a condition has one lock, and was given a lock and an rlock");
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = reference_create(OBJECT_CONDITION, sizeof *condition, &reference)) != MPROC_OK) return status;
    condition = (struct condition *)reference->at;
    reference_publish(reference);
    if ((status = robust_lock_link(given_lock(&all), &condition->lock)) != MPROC_OK) {
        reference_free(reference);
        return status;
    }
    *out = (mproc_condition *)reference;
    return MPROC_OK;
}

void mproc_condition_free(mproc_condition *condition)
{
    assert(!condition || condition->reference.ref.kind == OBJECT_CONDITION);
    if (condition) family_free(&condition->reference);
}

/* ---- its lock --------------------------------------------------------------------------------- */

mproc_status mproc_condition_acquire(mproc_condition *condition, int64_t timeout_ms)
{
    return robust_lock_acquire(lock_of(condition), &condition->reference, timeout_ms, false);
}

mproc_status mproc_condition_recover(mproc_condition *condition, int64_t timeout_ms)
{
    return robust_lock_acquire(lock_of(condition), &condition->reference, timeout_ms, true);
}

static mproc_status check_mine(uint64_t lock, const char *what)
{
    if (robust_lock_mine(lock)) return MPROC_OK;
    return mproc_error(MPROC_NOT_OWNER, "this thread does not hold the condition's lock: acquire it before %s", what);
}

mproc_status mproc_condition_release(mproc_condition *condition)
{
    return robust_lock_release(lock_of(condition), &condition->reference);
}

/* ---- waiting ---------------------------------------------------------------------------------- */

/* Without the lock: until it is notified, or why not. */
static mproc_status sleep(const struct wait *wait)
{
    mproc_status status = MPROC_OK;
    uint32_t word;

    while (status == MPROC_OK) {
        if (wait_queue_state(&word) == WAIT_NOTIFIED) return MPROC_OK;
        status = wait_sleep(wait, wait_queue_word(thread_self.slot), word);
    }
    /* Somebody may have notified it meanwhile: then it was notified after all. */
    if (wait_queue_give_up() != WAIT_NOTIFIED)
        return status == MPROC_TIMEOUT ? wait_timed_out(wait, "the condition was not notified") : status;
    if (status == MPROC_INTERRUPTED) interrupt_give_back();
    return MPROC_OK;
}

/*
 * The notification counts as used when this thread has the lock again. If it does not get it, it has no use for the
 * notification, and the next one is notified.
 */
static mproc_status wait_once(mproc_condition *condition, const struct wait *wait)
{
    uint64_t lock = lock_of(condition);
    uint32_t depth = robust_lock_at(lock)->depth;
    mproc_status slept, status;

    wait_queue_enter(condition->reference.ref.offset, atomic_fetch_add(&condition_at(condition)->order, 1));
    robust_lock_let_go(lock);
    status = slept = sleep(wait);
    /* By a reference that is freed nobody could release it, and who frees it may hold it. */
    if (slept == MPROC_CLOSED) robust_lock_give_up(lock);
    else status = robust_lock_take_back(lock, depth, &condition->reference);
    /* Before it leaves: if we end in between, recovery still finds that it was notified. */
    if (status != MPROC_OK && slept == MPROC_OK)
        wait_queue_notify(work_intent(), condition->reference.ref.offset, 1, NULL);
    wait_queue_leave();
    return status == MPROC_OK ? slept : status;
}

/* The predicate decides also after the last wait. A fork() copy that it has made does not wait. */
static mproc_status wait_until(mproc_condition *condition, const struct wait *wait, mproc_predicate *predicate,
                               void *context)
{
    mproc_status waited = MPROC_OK, status;

    do {
        bool holds = predicate(context);
        if ((status = family_enter_with(condition->reference.arena)) != MPROC_OK) return status;
        if (holds) return MPROC_OK;
        if (waited == MPROC_TIMEOUT) return waited;
        waited = wait_once(condition, wait);
    } while (waited == MPROC_OK || waited == MPROC_TIMEOUT);
    return waited;
}

/* Counts as waiting also while the predicate is asked: the condition must not go meanwhile. NULL: waits once. */
static mproc_status wait_for(mproc_condition *condition, mproc_predicate *predicate, void *context,
                             int64_t timeout_ms)
{
    mproc_status status;
    struct wait wait;

    if ((status = timeout_check(timeout_ms)) != MPROC_OK) return status;
    if ((status = family_enter_with(condition->reference.arena)) != MPROC_OK) return status;
    if ((status = check_mine(lock_of(condition), "waiting")) != MPROC_OK) return status;
    if ((status = wait_begin(&wait, &condition->reference, timeout_ms)) != MPROC_OK) return status;
    status = predicate ? wait_until(condition, &wait, predicate, context) : wait_once(condition, &wait);
    wait_end(&wait);
    return status;
}

mproc_status mproc_condition_wait(mproc_condition *condition, int64_t timeout_ms)
{
    return wait_for(condition, NULL, NULL, timeout_ms);
}

mproc_status mproc_condition_wait_for(mproc_condition *condition, mproc_predicate *predicate, void *context,
                                      int64_t timeout_ms)
{
    if (!predicate) return mproc_error(MPROC_INVALID, "a condition is to be waited for, and its predicate is NULL");
    return wait_for(condition, predicate, context, timeout_ms);
}

/* ---- notifying -------------------------------------------------------------------------------- */

static mproc_status notify(mproc_condition *condition, uint32_t count)
{
    uint64_t lock = lock_of(condition);
    mproc_status status;

    if ((status = family_enter_with(condition->reference.arena)) != MPROC_OK) return status;
    if ((status = check_mine(lock, "notifying")) != MPROC_OK) return status;
    wait_queue_notify(work_intent(), condition->reference.ref.offset, count, robust_lock_notified(lock));
    return MPROC_OK;
}

mproc_status mproc_condition_notify(mproc_condition *condition, int count)
{
    if (count < 0) return mproc_error(MPROC_INVALID, "%d are to be notified: 0 or more are possible", count);
    return notify(condition, (uint32_t)count);
}

mproc_status mproc_condition_notify_all(mproc_condition *condition)
{
    return notify(condition, UINT_MAX);
}
