/* Lock and RLock. The word is that of arena/lock.h; what is more stands in object/robust_list.h. */
#include <mproc/lock.h>

#include "arena/park.h"
#include "base/options.h"
#include "process/family.h"
#include "sync/lock_impl.h"
#include "sync/types.h"

struct mproc_lock {
    struct reference reference;
};

struct mproc_rlock {
    struct reference reference;
};

/* The others are in lock_impl.h. */
enum { LOCK_LOCKED = 2 };

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);

const struct object_type lock_type = {.name = "a lock",
                                      .owner_died = robust_lock_abandon,
                                      .owned_by = robust_lock_owned,
                                      .call = call_served,
                                      .moments = LOCK_ACQUIRE,
                                      .threads_own = true};
const struct object_type rlock_type = {.name = "an rlock",
                                       .owner_died = robust_lock_abandon,
                                       .owned_by = robust_lock_owned,
                                       .call = call_served,
                                       .moments = LOCK_ACQUIRE,
                                       .threads_own = true};

static bool swap(struct robust_lock *lock, uint32_t expected, uint32_t value)
{
    return atomic_compare_exchange_strong_explicit(&lock->word.word, &expected, value, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* ---- acquiring -------------------------------------------------------------------------------- */

static mproc_status owner_died(void)
{
    return mproc_error(MPROC_OWNER_DIED,
                       "the lock is abandoned: its owner ended, or its task did, without releasing it, and what it "
                       "guards may be half done: mproc_lock_recover() takes it over");
}

/*
 * Takes a lock that is free, or abandoned if `recover`, with the mark. MPROC_TIMEOUT, without a text: it is not, and
 * its word is `*seen`. MPROC_OWNER_DIED.
 */
static mproc_status try_once(struct robust_lock *lock, uint32_t mark, bool recover, uint32_t *seen)
{
    do {
        *seen = atomic_load(&lock->word.word);
        if (*seen == LOCK_ABANDONED && !recover) return owner_died();
        if (*seen != 0 && *seen != LOCK_ABANDONED) return MPROC_TIMEOUT;
    } while (!swap(lock, *seen, thread_self.owner_id | mark));
    return MPROC_OK;
}

/* Who only ever tries must learn as well that the owner has ended. */
static mproc_status try_now(struct robust_lock *lock, bool recover)
{
    uint32_t seen;
    mproc_status status = try_once(lock, 0, recover, &seen);

    if (status == MPROC_TIMEOUT && wait_ask(seen & ~LOCK_WAITERS, &lock->asked_ns))
        status = try_once(lock, 0, recover, &seen);
    return status == MPROC_TIMEOUT ? wait_tried("the lock is not free") : status;
}

/*
 * The lock was not free at first sight. Others may sleep as well, so whoever has slept takes it with the mark set.
 * `stays`: interrupts do not end the wait.
 */
static mproc_status acquire_taken(struct robust_lock *lock, struct reference *reference, int64_t timeout_ms,
                                  bool recover, bool stays)
{
    mproc_status status;
    struct wait wait;
    uint32_t seen;

    recover = recover || lock->ignore_abandoned;
    if (timeout_ms == 0) return try_now(lock, recover);
    if ((status = wait_begin(&wait, reference, timeout_ms)) != MPROC_OK) return status;
    wait.stays = stays;
    if (lock_spin(&lock->word)) goto done;
    while ((status = try_once(lock, LOCK_WAITERS, recover, &seen)) == MPROC_TIMEOUT) {
        if (!(seen & LOCK_WAITERS) && !swap(lock, seen, seen | LOCK_WAITERS)) continue;
        status = wait_sleep_for(&wait, &lock->word.word, seen | LOCK_WAITERS, seen & ~LOCK_WAITERS, &lock->asked_ns);
        if (status == MPROC_OK) continue;
        if (status == MPROC_TIMEOUT) status = wait_timed_out(&wait, "the lock was not free");
        else park_wake(&lock->word.word, 1); /* a wake-up that came to us was meant for whoever takes the lock */
        break;
    }
done:
    wait_end(&wait);
    return status;
}

/* ---- in other programs ------------------------------------------------------------------------- */

mproc_status robust_lock_call(const struct reference *reference, uint32_t method, const int64_t *timeout_ms,
                              mproc_value *result)
{
    const mproc_value limit = mproc_int(timeout_ms ? *timeout_ms : 0);

    return object_types[OBJECT_REMOTE]->call_within(reference, method, &limit, timeout_ms ? 1 : 0, result,
                                                    timeout_ms ? *timeout_ms : 0);
}

/* Only the owner comes past the question whether it is his, so `depth` is nobody else's. */
mproc_status robust_lock_acquire_slow(uint64_t lock, struct reference *reference, int64_t timeout_ms, bool recover)
{
    struct robust_lock *at;
    mproc_status status;

    if ((status = timeout_check(timeout_ms)) != MPROC_OK) return status;
    if ((status = family_enter_with(reference->arena)) != MPROC_OK) return status;
    if (reference->arena == REFERENCE_REMOTE)
        return robust_lock_call(reference, recover ? LOCK_RECOVER : LOCK_ACQUIRE, &timeout_ms, NULL);
    at = robust_lock_at(lock);
    if (robust_lock_mine(lock) && object_kind(lock) == OBJECT_RLOCK) {
        at->depth++;
        return MPROC_OK;
    }
    if (!robust_list_enter_first(lock) && (status = robust_list_enter_slow(lock)) != MPROC_OK) return status;
    if (!swap(at, 0, thread_self.owner_id) &&
        (status = acquire_taken(at, reference, timeout_ms, recover, false)) != MPROC_OK) {
        robust_list_leave(lock);
        return status;
    }
    at->depth = 1;
    return MPROC_OK;
}

mproc_status robust_lock_take_back(uint64_t lock, uint32_t depth, struct reference *reference)
{
    struct robust_lock *at = robust_lock_at(lock);
    mproc_status status;

    if (!swap(at, 0, thread_self.owner_id) &&
        (status = acquire_taken(at, reference, MPROC_FOREVER, false, true)) != MPROC_OK) {
        robust_list_leave(lock);
        return status;
    }
    at->depth = depth;
    return MPROC_OK;
}

void robust_lock_give_up(uint64_t lock)
{
    robust_list_leave(lock);
}

/* ---- releasing -------------------------------------------------------------------------------- */

/*
 * False, with nothing changed: the word is another than `seen`. Of a lock with somebody notified that can only be the
 * mark of a sleeper, as nobody but its owner lets go of it. What is to be woken is in the intent before the word is
 * changed: if we end before the wake, recovery wakes.
 */
static bool let_go(struct robust_lock *lock, uint32_t seen)
{
    _Atomic uint32_t *word = &lock->word.word, *notified = robust_lock_take_notified(lock);
    bool done;

    do done = atomic_compare_exchange_strong(word, &seen, 0);
    while (!done && notified);
    if (done && seen & LOCK_WAITERS) park_wake(word, 1);
    if (notified) park_wake(notified, 1);
    atomic_signal_fence(memory_order_seq_cst);
    park_announce(NULL);
    return done;
}

static mproc_status check_releasable(uint32_t seen, bool rlock)
{
    if (seen == LOCK_ABANDONED) return owner_died();
    if (rlock && (seen & ~LOCK_WAITERS) != thread_self.owner_id)
        return mproc_error(MPROC_NOT_OWNER, "this thread does not hold the rlock: only its owner releases it");
    if (seen == 0)
        return mproc_error(MPROC_BAD_STATE, "nobody holds the lock: release it once for each time it was acquired");
    return MPROC_OK;
}

mproc_status robust_lock_release_slow(uint64_t lock, const struct reference *reference)
{
    struct robust_lock *at;
    mproc_status status;
    uint32_t seen;
    bool rlock;

    if ((status = family_enter_with(reference->arena)) != MPROC_OK) return status;
    if (reference->arena == REFERENCE_REMOTE) return robust_lock_call(reference, LOCK_RELEASE, NULL, NULL);
    at = robust_lock_at(lock);
    rlock = object_kind(lock) == OBJECT_RLOCK;
    do {
        seen = atomic_load_explicit(&at->word.word, memory_order_relaxed);
        if ((status = check_releasable(seen, rlock)) != MPROC_OK) return status;
        if (rlock && at->depth > 1) {
            at->depth--;
            return MPROC_OK;
        }
    } while (!let_go(at, seen));
    robust_list_leave(lock);
    return MPROC_OK;
}

/* It stays entered as held: that only says where to look. A Lock may be released by others meanwhile. */
void robust_lock_let_go(uint64_t lock)
{
    struct robust_lock *at = robust_lock_at(lock);
    uint32_t seen = atomic_load_explicit(&at->word.word, memory_order_relaxed);

    while ((seen & ~LOCK_WAITERS) == thread_self.owner_id && !let_go(at, seen))
        seen = atomic_load_explicit(&at->word.word, memory_order_relaxed);
}

/* ---- both kinds ------------------------------------------------------------------------------- */

static mproc_status create(enum object_kind kind, const mproc_lock_options *options, size_t size, void **out)
{
    mproc_lock_options all;
    struct reference *reference;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a lock was to be created, and out is NULL");
    options_read(&all, sizeof all, options, size);
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = reference_create(kind, sizeof(struct robust_lock), &reference)) != MPROC_OK) return status;
    ((struct robust_lock *)reference->at)->ignore_abandoned = all.ignore_abandoned;
    reference_publish(reference);
    *out = reference;
    return MPROC_OK;
}

mproc_status robust_lock_link(const struct reference *given, _Atomic uint64_t *link)
{
    mproc_status status;

    if (given && given->arena == REFERENCE_REMOTE) {
        status = mproc_error(MPROC_NOT_SUPPORTED, "%s in another program cannot be the lock of what is made here",
                             handle_name(given->ref.kind));
    } else if (given) {
        if ((status = family_enter_with(given->arena)) == MPROC_OK)
            object_refer(work_intent(), given->ref.offset, link, OBJECT_GIVEN);
    } else {
        status = block_take(work_intent(), sizeof(struct robust_lock), sizeof(struct robust_lock), link);
        if (status == MPROC_OK) object_publish(link, OBJECT_RLOCK);
    }
    return status;
}

/* A reference of another kind under this type is a programming error. */
static struct reference *checked(const void *object, enum object_kind kind)
{
    struct reference *reference = (struct reference *)object;

    assert(reference && reference->ref.kind == (uint32_t)kind);
    (void)kind;
    return reference;
}

static bool locked(const struct reference *reference)
{
    mproc_value result = mproc_nil();

    if (reference->arena == REFERENCE_REMOTE)
        return family_enter_with(reference->arena) == MPROC_OK &&
               robust_lock_call(reference, LOCK_LOCKED, NULL, &result) == MPROC_OK && mproc_value_bool(result);
    return atomic_load(&((const struct robust_lock *)reference->at)->word.word) != 0;
}

/* From another program. The thread is the one that its thread has here, as long as it holds anything. */
static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    struct reference *own = (struct reference *)reference;
    bool acquires = method == LOCK_ACQUIRE || method == LOCK_RECOVER;

    if (!acquires && method != LOCK_RELEASE && method != LOCK_LOCKED)
        return mproc_error(MPROC_NOT_SUPPORTED, "%s in another program has no method %lu",
                           handle_name(reference->ref.kind), (unsigned long)method);
    if (count != (acquires ? 1 : 0) || (acquires && values[0].type != MPROC_TYPE_INT64))
        return mproc_error(MPROC_INVALID, "method %lu of %s is given %s", (unsigned long)method,
                           handle_name(reference->ref.kind), acquires ? "a time limit, an int64" : "nothing");
    if (method == LOCK_RELEASE) return robust_lock_release(reference->ref.offset, reference);
    if (acquires) return robust_lock_acquire(reference->ref.offset, own, values[0].as.int64, method == LOCK_RECOVER);
    *result = mproc_bool(locked(reference));
    return MPROC_OK;
}

/* ---- Lock ------------------------------------------------------------------------------------- */

mproc_status mproc_lock_create_sized(const mproc_lock_options *options, size_t options_size, mproc_lock **out)
{
    return create(OBJECT_LOCK, options, options_size, (void **)out);
}

void mproc_lock_free(mproc_lock *lock)
{
    if (lock) family_free(checked(lock, OBJECT_LOCK));
}

mproc_status mproc_lock_acquire(mproc_lock *lock, int64_t timeout_ms)
{
    struct reference *reference = checked(lock, OBJECT_LOCK);

    return robust_lock_acquire(reference->ref.offset, reference, timeout_ms, false);
}

mproc_status mproc_lock_recover(mproc_lock *lock, int64_t timeout_ms)
{
    struct reference *reference = checked(lock, OBJECT_LOCK);

    return robust_lock_acquire(reference->ref.offset, reference, timeout_ms, true);
}

mproc_status mproc_lock_release(mproc_lock *lock)
{
    const struct reference *reference = checked(lock, OBJECT_LOCK);

    return robust_lock_release(reference->ref.offset, reference);
}

bool mproc_lock_locked(const mproc_lock *lock)
{
    return locked(checked(lock, OBJECT_LOCK));
}

/* ---- RLock ------------------------------------------------------------------------------------ */

mproc_status mproc_rlock_create_sized(const mproc_lock_options *options, size_t options_size, mproc_rlock **out)
{
    return create(OBJECT_RLOCK, options, options_size, (void **)out);
}

void mproc_rlock_free(mproc_rlock *rlock)
{
    if (rlock) family_free(checked(rlock, OBJECT_RLOCK));
}

mproc_status mproc_rlock_acquire(mproc_rlock *rlock, int64_t timeout_ms)
{
    struct reference *reference = checked(rlock, OBJECT_RLOCK);

    return robust_lock_acquire(reference->ref.offset, reference, timeout_ms, false);
}

mproc_status mproc_rlock_recover(mproc_rlock *rlock, int64_t timeout_ms)
{
    struct reference *reference = checked(rlock, OBJECT_RLOCK);

    return robust_lock_acquire(reference->ref.offset, reference, timeout_ms, true);
}

mproc_status mproc_rlock_release(mproc_rlock *rlock)
{
    const struct reference *reference = checked(rlock, OBJECT_RLOCK);

    return robust_lock_release(reference->ref.offset, reference);
}

bool mproc_rlock_locked(const mproc_rlock *rlock)
{
    return locked(checked(rlock, OBJECT_RLOCK));
}
