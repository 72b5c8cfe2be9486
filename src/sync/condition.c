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

/* Besides those of a lock, as docs/manager-protocol.md numbers them. */
enum condition_method { CONDITION_NOTIFY = 2, CONDITION_CHECK = 3, CONDITION_WAIT = 34 };

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);

const struct object_type condition_type = {.name = "a condition",
                                           .links = 1,
                                           .links_at = offsetof(struct condition, lock),
                                           .call = call_served,
                                           .moments = LOCK_ACQUIRE,
                                           .threads_own = true};

struct mproc_condition {
    struct reference reference;
};

static struct condition *condition_at(const mproc_condition *condition)
{
    assert(condition && condition->reference.ref.kind == OBJECT_CONDITION);
    return (struct condition *)condition->reference.at;
}

/* In the slow path alone: a thread is never of this arena. */
static inline bool is_remote(const mproc_condition *condition)
{
    return thread_self.arena != condition->reference.arena && condition->reference.arena == REFERENCE_REMOTE;
}

/* In another program it is known there. */
static uint64_t lock_of(const mproc_condition *condition)
{
    if (is_remote(condition)) return 0;
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

static mproc_status check_mine(const mproc_condition *condition, const char *what)
{
    if (is_remote(condition)) return robust_lock_call(&condition->reference, CONDITION_CHECK, NULL, NULL);
    if (robust_lock_mine(lock_of(condition))) return MPROC_OK;
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
 * By a reference that is freed nobody could release it, and who frees it may hold it. Nor does anybody who is gone
 * have it again.
 */
static mproc_status take_back(mproc_condition *condition, uint64_t lock, uint32_t depth, mproc_status slept)
{
    mproc_status status = slept;

    if (slept != MPROC_CLOSED && !interrupt_deserted()) {
        status = robust_lock_take_back(lock, depth, &condition->reference);
        if (status != MPROC_OK || !interrupt_deserted()) return status;
        robust_lock_let_go(lock);
    }
    robust_lock_give_up(lock);
    return status == MPROC_OK ? interrupt_status() : status;
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
    slept = sleep(wait);
    status = take_back(condition, lock, depth, slept);
    /* Before it leaves: if we end in between, recovery still finds that it was notified. */
    if (status != MPROC_OK && slept == MPROC_OK)
        wait_queue_notify(work_intent(), condition->reference.ref.offset, 1, NULL);
    wait_queue_leave();
    return status == MPROC_OK ? slept : status;
}

static mproc_status wait_there(mproc_condition *condition, int64_t timeout_ms)
{
    return robust_lock_call(&condition->reference, CONDITION_WAIT, &timeout_ms, NULL);
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
        waited = is_remote(condition) ? wait_there(condition, wait_left_ms(wait)) : wait_once(condition, wait);
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
    if (!predicate && is_remote(condition)) return wait_there(condition, timeout_ms);
    if ((status = check_mine(condition, "waiting")) != MPROC_OK) return status;
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
    const mproc_value number = mproc_int(count);
    mproc_status status;

    if ((status = family_enter_with(condition->reference.arena)) != MPROC_OK) return status;
    if (is_remote(condition))
        return object_types[OBJECT_REMOTE]->call(&condition->reference, CONDITION_NOTIFY, &number, 1, NULL);
    if ((status = check_mine(condition, "notifying")) != MPROC_OK) return status;
    wait_queue_notify(work_intent(), condition->reference.ref.offset, count,
                      robust_lock_notified(lock_of(condition)));
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

/* ---- from another program ---------------------------------------------------------------------- */

static mproc_status call_limited(mproc_condition *condition, uint32_t method, int64_t timeout_ms)
{
    if (method == CONDITION_WAIT) return mproc_condition_wait(condition, timeout_ms);
    return method == LOCK_RECOVER ? mproc_condition_recover(condition, timeout_ms)
                                  : mproc_condition_acquire(condition, timeout_ms);
}

static mproc_status notify_served(mproc_condition *condition, const mproc_value *number)
{
    uint64_t count = number->as.int64 > 0 ? (uint64_t)number->as.int64 : 0;

    if (number->as.int64 < 0)
        return mproc_error(MPROC_INVALID, "%lld are to be notified: 0 or more are possible",
                           (long long)number->as.int64);
    return notify(condition, count < UINT_MAX ? (uint32_t)count : UINT_MAX);
}

/* As of a lock: see there. */
static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    mproc_condition *condition = (mproc_condition *)(uintptr_t)reference;
    bool limited = method == LOCK_ACQUIRE || method == LOCK_RECOVER || method == CONDITION_WAIT;
    bool given = limited || method == CONDITION_NOTIFY;

    (void)result;
    if (!given && method != LOCK_RELEASE && method != CONDITION_CHECK)
        return mproc_error(MPROC_NOT_SUPPORTED, "a condition in another program has no method %lu",
                           (unsigned long)method);
    if (count != (given ? 1 : 0) || (given && values[0].type != MPROC_TYPE_INT64))
        return mproc_error(MPROC_INVALID, "method %lu of a condition is given %s", (unsigned long)method,
                           given ? "a time limit or a number, an int64" : "nothing");
    if (method == LOCK_RELEASE) return mproc_condition_release(condition);
    if (method == CONDITION_CHECK) return check_mine(condition, "waiting");
    if (method == CONDITION_NOTIFY) return notify_served(condition, &values[0]);
    return call_limited(condition, method, values[0].as.int64);
}
