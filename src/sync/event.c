/* Events. */
#include <mproc/event.h>

#include <limits.h>

#include "arena/park.h"
#include "object/wait.h"
#include "process/methods.h"
#include "sync/types.h"

/*
 * `word` is: number of times it was set << 2 | somebody may sleep << 1 | set. It changes by compare-and-swap
 * alone. Whoever waits goes on when it is set or the number is another. The number does not come round within a
 * century. Who waits sleeps on the lower half of the word.
 */
struct event {
    struct object object;
    _Atomic uint64_t word;
};

#define EVENT_SET 1u
#define EVENT_WAITERS 2u
#define EVENT_NUMBER 4u

/* As docs/manager-protocol.md numbers them. */
enum event_method { METHOD_SET = 1, METHOD_CLEAR, METHOD_IS_SET, METHOD_WAIT = 32 };

static const struct method methods[] = {{METHOD_SET, false, ""},
                                        {METHOD_CLEAR, false, ""},
                                        {METHOD_IS_SET, true, ""},
                                        {METHOD_WAIT, false, "t"},
                                        {0, false, NULL}};

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);

const struct object_type event_type = {.name = "an event", .call = call_served, .moments = METHOD_WAIT};

struct mproc_event {
    struct reference reference;
};

static _Atomic uint64_t *word_of(const mproc_event *event)
{
    assert(event && event->reference.ref.kind == OBJECT_EVENT);
    return &((struct event *)event->reference.at)->word;
}

mproc_status mproc_event_create(mproc_event **out)
{
    struct reference *reference;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "an event was to be created, and out is NULL");
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = reference_create(OBJECT_EVENT, sizeof(struct event), &reference)) != MPROC_OK) return status;
    reference_publish(reference);
    *out = (mproc_event *)reference;
    return MPROC_OK;
}

void mproc_event_free(mproc_event *event)
{
    assert(!event || event->reference.ref.kind == OBJECT_EVENT);
    if (event) family_free(&event->reference);
}

/* Every system that the library knows stores the lower half first. */
static _Atomic uint32_t *half_of(_Atomic uint64_t *word)
{
    return (_Atomic uint32_t *)(void *)word;
}

/* Nobody sleeps any more, and the number is the next. */
static uint64_t set_after(uint64_t seen)
{
    return (seen / EVENT_NUMBER + 1) * EVENT_NUMBER | EVENT_SET;
}

/*
 * The word is in the intent before it is changed: if we end before the wake, recovery wakes. What was in the intent
 * comes back, as this may run in a signal handler in the middle of anything.
 */
mproc_status mproc_event_set(mproc_event *event)
{
    struct intent *intent;
    uint64_t before, seen;
    _Atomic uint64_t *word;

    if (method_is_remote(&event->reference)) return method_do(&event->reference, methods, METHOD_SET);
    word = word_of(event);
    seen = atomic_load(word);
    if (seen & EVENT_SET) return MPROC_OK;
    intent = work_intent();
    before = atomic_load_explicit(&intent->wake, memory_order_relaxed);
    park_announce(half_of(word));
    while (!(seen & EVENT_SET) && !atomic_compare_exchange_weak(word, &seen, set_after(seen))) {
    }
    if (!(seen & EVENT_SET) && seen & EVENT_WAITERS) park_wake(half_of(word), INT_MAX);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&intent->wake, before, memory_order_relaxed);
    return MPROC_OK;
}

mproc_status mproc_event_clear(mproc_event *event)
{
    if (method_is_remote(&event->reference)) return method_do(&event->reference, methods, METHOD_CLEAR);
    atomic_fetch_and(word_of(event), ~(uint64_t)EVENT_SET);
    return MPROC_OK;
}

bool mproc_event_is_set(const mproc_event *event)
{
    if (!event->reference.at) return method_says(&event->reference, methods, METHOD_IS_SET);
    return atomic_load(word_of(event)) & EVENT_SET;
}

mproc_status mproc_event_wait(mproc_event *event, int64_t timeout_ms)
{
    _Atomic uint64_t *word;
    uint64_t first, seen;
    mproc_status status;
    struct wait wait;

    if ((status = timeout_check(timeout_ms)) != MPROC_OK) return status;
    if (method_is_remote(&event->reference))
        return method_wait(&event->reference, methods, METHOD_WAIT, timeout_ms, NULL);
    word = word_of(event);
    first = seen = atomic_load(word);
    if (seen & EVENT_SET) return MPROC_OK;
    if (timeout_ms == 0) return wait_tried("the event is not set");
    if ((status = wait_begin(&wait, &event->reference, timeout_ms)) != MPROC_OK) return status;
    while (status == MPROC_OK && !(seen & EVENT_SET) && seen / EVENT_NUMBER == first / EVENT_NUMBER) {
        if (!(seen & EVENT_WAITERS) && !atomic_compare_exchange_strong(word, &seen, seen | EVENT_WAITERS)) continue;
        status = wait_sleep(&wait, half_of(word), (uint32_t)seen | EVENT_WAITERS);
        seen = atomic_load(word);
    }
    wait_end(&wait);
    return status == MPROC_TIMEOUT ? wait_timed_out(&wait, "the event was not set") : status;
}

/* ---- from another program ------------------------------------------------------------------------ */

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    mproc_event *event = (mproc_event *)reference;
    int64_t numbers[METHOD_NUMBERS_MAX] = {0};
    struct method_given given;
    mproc_status status = method_read(reference, methods, method, values, count, numbers, &given);

    if (status != MPROC_OK) return status;
    switch ((enum event_method)method) {
    case METHOD_SET:
        return mproc_event_set(event);
    case METHOD_CLEAR:
        return mproc_event_clear(event);
    case METHOD_IS_SET:
        *result = mproc_bool(mproc_event_is_set(event));
        return MPROC_OK;
    case METHOD_WAIT:
        break;
    }
    return mproc_event_wait(event, numbers[0]);
}

/* ---- together with other things ------------------------------------------------------------------ */

static mproc_status look(void *thing, plat_handle *handle)
{
    const mproc_event *event = thing;

    if (method_is_remote(&event->reference))
        return method_refuse(&event->reference, "waited for together with others");
    *handle = PLAT_NO_HANDLE;
    if (atomic_load(word_of(event)) & EVENT_SET) return MPROC_OK;
    return atomic_load(&event->reference.closed) ? MPROC_OK : MPROC_TIMEOUT;
}

/* Whoever sets it takes the mark away. */
static mproc_status watch(void *thing)
{
    _Atomic uint64_t *word = word_of(thing);
    uint64_t seen = atomic_load(word);

    park_watch(half_of(word));
    while (!(seen & (EVENT_SET | EVENT_WAITERS)) &&
           !atomic_compare_exchange_weak(word, &seen, seen | EVENT_WAITERS)) {
    }
    return MPROC_OK;
}

const struct waitable event_waitable = {.name = "an event", .look = look, .announce = watch};
