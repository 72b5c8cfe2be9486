/* Semaphores. See permits.h for their words. */
#include <mproc/semaphore.h>

#include <limits.h>

#include "arena/park.h"
#include "base/options.h"
#include "object/wait.h"
#include "process/methods.h"
#include "sync/permits.h"
#include "sync/types.h"

struct mproc_semaphore {
    struct reference reference;
};

/* The account of a reference, if it has one, goes with it. */
static void close_account(struct reference *reference)
{
    resource_release(atomic_load(&reference->own));
}

static void give_permits_back(struct intent *intent, uint64_t object)
{
    permits_return(intent, (struct permits *)arena_at(object));
}

/* As docs/manager-protocol.md numbers them. */
enum semaphore_method { METHOD_RELEASE = 1, METHOD_VALUE, METHOD_ACQUIRE = 32 };

static const struct method methods[] = {
    {METHOD_RELEASE, false, ""}, {METHOD_VALUE, true, ""}, {METHOD_ACQUIRE, false, "t"}, {0, false, NULL}};

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);
static void delivered(const struct reference *reference, bool received);

const struct object_type semaphore_type = {.name = "a semaphore",
                                           .closing = close_account,
                                           .call = call_served,
                                           .delivered = delivered,
                                           .moments = METHOD_ACQUIRE,
                                           .takes = METHOD_ACQUIRE};
const struct object_type permits_type = {.name = "permits",
                                         .links = 1,
                                         .links_at = offsetof(struct permits, semaphore),
                                         .holder_died = give_permits_back,
                                         .last_dropped = give_permits_back};

static struct semaphore *semaphore_at(const mproc_semaphore *semaphore)
{
    assert(semaphore && semaphore->reference.ref.kind == OBJECT_SEMAPHORE);
    return (struct semaphore *)semaphore->reference.at;
}

mproc_status mproc_semaphore_create_sized(int64_t value, const mproc_semaphore_options *options, size_t options_size,
                                          mproc_semaphore **out)
{
    mproc_semaphore_options all;
    struct reference *reference;
    struct semaphore *semaphore;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a semaphore was to be created, and out is NULL");
    if (value < 0 || value > MPROC_SEMAPHORE_MAX)
        return mproc_error(MPROC_INVALID, "a semaphore of %lld permits: 0 to %d are possible", (long long)value,
                           MPROC_SEMAPHORE_MAX);
    options_read(&all, sizeof all, options, options_size);
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = reference_create(OBJECT_SEMAPHORE, sizeof *semaphore, &reference)) != MPROC_OK) return status;
    semaphore = (struct semaphore *)reference->at;
    semaphore->bound = all.bounded ? (uint32_t)value : SEMAPHORE_VALUE_MAX;
    semaphore->owned = all.owned;
    atomic_store(&semaphore->value, (uint32_t)value);
    reference_publish(reference);
    *out = (mproc_semaphore *)reference;
    return MPROC_OK;
}

void mproc_semaphore_free(mproc_semaphore *semaphore)
{
    assert(!semaphore || semaphore->reference.ref.kind == OBJECT_SEMAPHORE);
    if (semaphore) family_free(&semaphore->reference);
}

/* ---- permits that nobody owns ----------------------------------------------------------------- */

/* `mark` is SEMAPHORE_WAITERS for one who has slept: others may sleep as well. */
static bool take(struct semaphore *semaphore, uint32_t mark)
{
    uint32_t seen = atomic_load_explicit(&semaphore->value, memory_order_relaxed);

    while ((seen & SEMAPHORE_VALUE_MAX) > 0)
        if (atomic_compare_exchange_weak(&semaphore->value, &seen, (seen - 1) | mark)) return true;
    return false;
}

/* Sets the mark for waiters where there is no permit. */
static void mark_waiter(struct semaphore *semaphore)
{
    uint32_t none = 0;

    atomic_compare_exchange_strong(&semaphore->value, &none, SEMAPHORE_WAITERS);
}

/*
 * Whoever has slept takes its permit with the mark set; so the mark may be taken away when there are permits and
 * nobody sleeps. Until it is gone others may have come to sleep: they are woken, as nobody else would know of them.
 */
static mproc_status release_free(struct semaphore *semaphore)
{
    uint32_t seen = atomic_load_explicit(&semaphore->value, memory_order_relaxed), next;

    park_announce(&semaphore->value);
    do {
        if ((seen & SEMAPHORE_VALUE_MAX) >= semaphore->bound) {
            park_announce(NULL);
            return mproc_error(MPROC_BAD_STATE, "the semaphore has all of its %lu permits: one release too many",
                               (unsigned long)semaphore->bound);
        }
    } while (!atomic_compare_exchange_weak(&semaphore->value, &seen, seen + 1));
    next = seen + 1;
    if (seen & SEMAPHORE_WAITERS && park_wake(&semaphore->value, 1) == 0 &&
        atomic_compare_exchange_strong(&semaphore->value, &next, next & SEMAPHORE_VALUE_MAX))
        park_wake(&semaphore->value, INT_MAX);
    atomic_signal_fence(memory_order_seq_cst);
    park_announce(NULL);
    return MPROC_OK;
}

/* ---- permits with an owner -------------------------------------------------------------------- */

static mproc_status account_of(struct reference *reference, struct permits **permits)
{
    void *account = NULL;
    mproc_status status = reference_account(reference, OBJECT_PERMITS, sizeof **permits, &account);

    *permits = account;
    return status;
}

static mproc_status release_owned(struct semaphore *semaphore, struct permits *permits)
{
    bool done;

    park_announce(&semaphore->value);
    done = permits_move(work_intent(), permits, 1);
    if (done && atomic_load(&semaphore->value) & SEMAPHORE_WAITERS && park_wake(&semaphore->value, 1) == 0)
        permits_unmark(work_intent(), permits);
    park_announce(NULL);
    if (done) return MPROC_OK;
    return mproc_error(MPROC_NOT_OWNER, "this process has no permit of the semaphore by this reference to release");
}

/* ---- both ------------------------------------------------------------------------------------- */

/* NULL for permits that nobody owns. */
static bool try_take(struct semaphore *semaphore, struct permits *permits, uint32_t mark)
{
    return permits ? permits_move(work_intent(), permits, -1) : take(semaphore, mark);
}

/* Sets the mark for waiters if there is still none. */
static void announce_sleep(struct semaphore *semaphore, struct permits *permits)
{
    if (permits) permits_move(work_intent(), permits, 0);
    else mark_waiter(semaphore);
}

/* The word is in the intent all the time: if we end after a wake-up that was ours, recovery wakes the next. */
static mproc_status wait_for(const struct wait *wait, struct semaphore *semaphore, struct permits *permits)
{
    mproc_status status = MPROC_OK;

    park_announce(&semaphore->value);
    while (status == MPROC_OK && !try_take(semaphore, permits, SEMAPHORE_WAITERS)) {
        /* Also if we leave now: a wake-up may have come to us while others sleep, who need the mark. */
        announce_sleep(semaphore, permits);
        status = wait_sleep(wait, &semaphore->value, SEMAPHORE_WAITERS);
    }
    park_announce(NULL);
    return status == MPROC_TIMEOUT ? wait_timed_out(wait, "the semaphore had no permit") : status;
}

mproc_status mproc_semaphore_acquire(mproc_semaphore *semaphore, int64_t timeout_ms)
{
    struct semaphore *at = semaphore_at(semaphore);
    struct permits *permits = NULL;
    mproc_status status;
    struct wait wait;

    if ((status = timeout_check(timeout_ms)) != MPROC_OK) return status;
    if (method_is_remote(&semaphore->reference))
        return method_wait(&semaphore->reference, methods, METHOD_ACQUIRE, timeout_ms, NULL);
    if (at->owned && (status = account_of(&semaphore->reference, &permits)) != MPROC_OK) return status;
    if (try_take(at, permits, 0)) return MPROC_OK;
    if (timeout_ms == 0) return wait_tried("the semaphore has no permit");
    if ((status = wait_begin(&wait, &semaphore->reference, timeout_ms)) != MPROC_OK) return status;
    status = wait_for(&wait, at, permits);
    wait_end(&wait);
    return status;
}

mproc_status mproc_semaphore_release(mproc_semaphore *semaphore)
{
    struct semaphore *at = semaphore_at(semaphore);
    struct permits *permits;
    mproc_status status;

    if (method_is_remote(&semaphore->reference)) return method_do(&semaphore->reference, methods, METHOD_RELEASE);
    if (!at->owned) return release_free(at);
    if ((status = account_of(&semaphore->reference, &permits)) != MPROC_OK) return status;
    return release_owned(at, permits);
}

int64_t mproc_semaphore_value(const mproc_semaphore *semaphore)
{
    if (!semaphore->reference.at) return (int64_t)method_count(&semaphore->reference, methods, METHOD_VALUE);
    return (int64_t)(atomic_load(&semaphore_at(semaphore)->value) & SEMAPHORE_VALUE_MAX);
}

/* ---- from another program ------------------------------------------------------------------------ */

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    mproc_semaphore *semaphore = (mproc_semaphore *)reference;
    int64_t numbers[METHOD_NUMBERS_MAX] = {0};
    struct method_given given;
    mproc_status status = method_read(reference, methods, method, values, count, numbers, &given);

    if (status != MPROC_OK) return status;
    switch ((enum semaphore_method)method) {
    case METHOD_RELEASE:
        return mproc_semaphore_release(semaphore);
    case METHOD_VALUE:
        *result = mproc_int(mproc_semaphore_value(semaphore));
        return MPROC_OK;
    case METHOD_ACQUIRE:
        break;
    }
    return mproc_semaphore_acquire(semaphore, numbers[0]);
}

/* A permit of which nobody knows that he has it goes back. */
static void delivered(const struct reference *reference, bool received)
{
    if (!received) (void)mproc_semaphore_release((mproc_semaphore *)reference);
}

/* ---- together with other things ------------------------------------------------------------------ */

static mproc_status look(void *thing, plat_handle *handle)
{
    const mproc_semaphore *semaphore = thing;
    const struct semaphore *at = semaphore_at(semaphore);

    if (method_is_remote(&semaphore->reference))
        return method_refuse(&semaphore->reference, "waited for together with others");
    *handle = PLAT_NO_HANDLE;
    if ((atomic_load(&at->value) & SEMAPHORE_VALUE_MAX) > 0) return MPROC_OK;
    return atomic_load(&semaphore->reference.closed) ? MPROC_OK : MPROC_TIMEOUT;
}

static mproc_status watch(void *thing)
{
    mproc_semaphore *semaphore = thing;
    struct semaphore *at = semaphore_at(semaphore);
    struct permits *permits = NULL;
    mproc_status status;

    if (at->owned && (status = account_of(&semaphore->reference, &permits)) != MPROC_OK) return status;
    park_watch(&at->value);
    announce_sleep(at, permits);
    return MPROC_OK;
}

const struct waitable semaphore_waitable = {.name = "a semaphore", .look = look, .announce = watch};
