/* Barriers. See barrier_word.h for the word. */
#include <mproc/barrier.h>

#include <string.h>

#include "base/function.h"
#include "base/options.h"
#include "object/robust_list.h"
#include "object/interrupt.h"
#include "object/reference.h"
#include "object/wait.h"
#include "object/wait_queue.h"
#include "process/call.h"
#include "process/methods.h"
#include "sync/barrier_word.h"
#include "sync/types.h"

struct mproc_barrier {
    struct reference reference;
};

/* Of those that wait, and of others that end a generation: these have entered BARRIER_NO_GENERATION. */
static void party_died(struct intent *intent, uint64_t object, uint64_t generation)
{
    barrier_break(intent, (struct barrier *)arena_at(object), generation);
}

/* The one that runs the action: its slot may say that it waits for something else. */
static void actor_died(struct intent *intent, uint64_t object, uint32_t owner_id)
{
    struct barrier *barrier = (struct barrier *)arena_at(object);
    uint64_t actor = atomic_load(&barrier->actor);

    barrier_break(intent, barrier, (uint32_t)actor == owner_id ? actor >> 32 : BARRIER_NO_GENERATION);
}

static bool is_actor(uint64_t object, uint32_t owner_id)
{
    return (uint32_t)atomic_load(&((struct barrier *)arena_at(object))->actor) == owner_id;
}

/* As docs/manager-protocol.md numbers them. */
enum barrier_method {
    METHOD_RESET = 1,
    METHOD_ABORT,
    METHOD_PARTIES,
    METHOD_WAITING,
    METHOD_BROKEN,
    METHOD_WAIT = 32
};

static const struct method methods[] = {{METHOD_RESET, false, ""},
                                        {METHOD_ABORT, false, ""},
                                        {METHOD_PARTIES, true, ""},
                                        {METHOD_WAITING, true, ""},
                                        {METHOD_BROKEN, true, ""},
                                        {METHOD_WAIT, true, "t"},
                                        {0, false, NULL}};

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);

const struct object_type barrier_type = {.name = "a barrier",
                                         .links = 1,
                                         .links_at = offsetof(struct barrier, action),
                                         .waiter_died = party_died,
                                         .owner_died = actor_died,
                                         .owned_by = is_actor,
                                         .call = call_served,
                                         .moments = METHOD_WAIT};

static struct barrier *barrier_at(const mproc_barrier *barrier)
{
    assert(barrier && barrier->reference.ref.kind == OBJECT_BARRIER);
    return (struct barrier *)barrier->reference.at;
}

static mproc_status check(int parties, const mproc_barrier_options *options)
{
    if (parties < 1 || parties > MPROC_BARRIER_PARTIES_MAX)
        return mproc_error(MPROC_INVALID, "a barrier for %d parties: 1 to %d are possible", parties,
                           MPROC_BARRIER_PARTIES_MAX);
    if (options->timeout_ms < 0)
        return mproc_error(MPROC_INVALID, "a barrier with a time limit of %lld ms: leave it out for none",
                           (long long)options->timeout_ms);
    return MPROC_OK;
}

static mproc_status put_action(struct barrier *barrier, mproc_barrier_action *action)
{
    function_ref ref;
    mproc_status status;

    if (!action) return MPROC_OK;
    if ((status = function_encode((function_pointer)action, &ref)) != MPROC_OK) return status;
    if ((status = block_take(work_intent(), sizeof ref, 0, &barrier->action)) != MPROC_OK) return status;
    memcpy(arena_at(atomic_load(&barrier->action)), &ref, sizeof ref);
    return MPROC_OK;
}

mproc_status mproc_barrier_create_sized(int parties, const mproc_barrier_options *options, size_t options_size,
                                        mproc_barrier **out)
{
    mproc_barrier_options all;
    struct reference *reference;
    struct barrier *barrier;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a barrier was to be created, and out is NULL");
    options_read(&all, sizeof all, options, options_size);
    if ((status = check(parties, &all)) != MPROC_OK) return status;
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = reference_create(OBJECT_BARRIER, sizeof *barrier, &reference)) != MPROC_OK) return status;
    barrier = (struct barrier *)reference->at;
    barrier->parties = (uint32_t)parties;
    barrier->timeout_ms = all.timeout_ms ? all.timeout_ms : MPROC_FOREVER;
    reference_publish(reference);
    if ((status = put_action(barrier, all.action)) != MPROC_OK) {
        reference_free(reference);
        return status;
    }
    *out = (mproc_barrier *)reference;
    return MPROC_OK;
}

void mproc_barrier_free(mproc_barrier *barrier)
{
    assert(!barrier || barrier->reference.ref.kind == OBJECT_BARRIER);
    if (barrier) family_free(&barrier->reference);
}

/* ---- waiting ---------------------------------------------------------------------------------- */

/* One that waits. */
struct party {
    struct wait wait;
    struct barrier *barrier;
    uint64_t object;
    uint32_t generation;
    uint32_t place; /* how many had come before */
};

static mproc_status broken(void)
{
    return mproc_error(MPROC_BROKEN, "the barrier is broken or was reset: one of its parties will not come");
}

static bool is_over(const struct party *party, uint64_t word)
{
    return barrier_generation(word) != party->generation;
}

static mproc_status not_all_came(const struct party *party)
{
    return mproc_error(MPROC_BROKEN, "the barrier broke: not all of its %lu parties came within %lld ms",
                       (unsigned long)party->barrier->parties, (long long)party->wait.timeout_ms);
}

static mproc_status others_stayed(const struct party *party)
{
    return mproc_error(MPROC_TIMEOUT, "all places at the barrier were taken: its action took longer than %lld ms",
                       (long long)party->wait.timeout_ms);
}

/* All places of this generation are taken, and its parties have not gone yet: the next begins soon. */
static bool is_full(const struct barrier *barrier, uint64_t word)
{
    return word & BARRIER_TRIPPING || barrier_count(word) >= barrier->parties;
}

/* The last one runs the action, if there is one. From then on it owns the barrier, and its end breaks that. */
static bool acts(const struct party *party)
{
    return party->place + 1 == party->barrier->parties && atomic_load(&party->barrier->action) != 0;
}

/*
 * Takes a place in the barrier, if its word is still `seen`. Entered as waiting before that: from then on the end of
 * this thread breaks it.
 */
static mproc_status take_place(struct party *party, uint64_t seen, bool *taken)
{
    mproc_status status;
    uint64_t next = seen + 1;

    party->place = barrier_count(seen);
    if (party->place + 1 == party->barrier->parties) next |= BARRIER_TRIPPING;
    if (acts(party) && (status = robust_list_enter(party->object)) != MPROC_OK) return status;
    wait_queue_enter(party->object, party->generation);
    *taken = atomic_compare_exchange_strong(&party->barrier->word, &seen, next);
    if (*taken) return MPROC_OK;
    wait_queue_leave();
    if (acts(party)) robust_list_leave(party->object);
    return MPROC_OK;
}

static mproc_status arrive(struct party *party)
{
    struct barrier *barrier = party->barrier;
    uint64_t seen = atomic_load(&barrier->word);
    mproc_status status = MPROC_OK;
    bool taken = false;

    while (!taken && status == MPROC_OK) {
        party->generation = barrier_generation(seen);
        if (seen & BARRIER_BROKEN) return broken();
        if (!is_full(barrier, seen)) {
            status = take_place(party, seen, &taken);
        } else {
            status = wait_sleep(&party->wait, barrier_turn(barrier), party->generation);
            if (status == MPROC_TIMEOUT) return others_stayed(party);
        }
        seen = atomic_load(&barrier->word);
    }
    return status;
}

/* Without arguments there is nothing to keep in a scope. */
static mproc_status run_action(const struct barrier *barrier)
{
    mproc_call call = {mproc_no_args(), "the barrier's action", NULL, NULL, NULL, 0};
    uint64_t action = atomic_load(&barrier->action);
    function_pointer function;
    mproc_status status;

    if (!action) return MPROC_OK;
    status = function_decode((const function_ref *)arena_at(action), &function);
    return status == MPROC_OK ? ((mproc_barrier_action *)function)(&call) : status;
}

/* Lets the parties go, or breaks the barrier. False: somebody else has broken it meanwhile. */
static bool end(const struct party *party, bool passed)
{
    uint64_t seen = atomic_load(&party->barrier->word);

    while (!is_over(party, seen))
        if (barrier_end(work_intent(), party->barrier, &seen, passed, !passed)) return true;
    return false;
}

static mproc_status come_last(const struct party *party)
{
    mproc_status status = MPROC_OK, refused;

    if (acts(party)) {
        atomic_store(&party->barrier->actor, (uint64_t)party->generation << 32 | thread_self.owner_id);
        status = run_action(party->barrier);
        /* A fork() copy, made by the action, is no party. */
        if ((refused = family_enter_with(party->wait.reference->arena)) != MPROC_OK) return refused;
    }
    if (!end(party, status == MPROC_OK) && status == MPROC_OK) status = broken();
    if (acts(party)) robust_list_leave(party->object);
    return status;
}

/* After the party gave up: how its generation ended, if it did before that, is what counts. */
static mproc_status outcome(const struct party *party, mproc_status given_up)
{
    uint32_t word;

    if (wait_queue_state(&word) != WAIT_PASSED) {
        if (given_up == MPROC_OK) return broken();
        return given_up == MPROC_TIMEOUT ? not_all_came(party) : given_up;
    }
    if (given_up == MPROC_INTERRUPTED) interrupt_give_back();
    return MPROC_OK;
}

static mproc_status wait_for_others(const struct party *party)
{
    mproc_status status = MPROC_OK;
    uint32_t word;

    while (status == MPROC_OK && wait_queue_state(&word) == WAIT_PENDING) {
        /* Whoever ended the generation may have been killed, or stopped, before we were notified. */
        if (is_over(party, atomic_load(&party->barrier->word))) barrier_notify(work_intent(), party->barrier);
        status = wait_sleep(&party->wait, wait_queue_word(thread_self.slot), word);
    }
    if (status != MPROC_OK) barrier_break(work_intent(), party->barrier, party->generation);
    return outcome(party, status);
}

/* Where it is, its own time limit counts. */
static mproc_status wait_remotely(const mproc_barrier *barrier, int64_t timeout_ms, int *index)
{
    mproc_value place = mproc_nil();
    mproc_status status = method_wait(&barrier->reference, methods, METHOD_WAIT, timeout_ms, &place);

    if (status == MPROC_OK && index) *index = (int)mproc_value_int(place);
    mproc_value_clear(&place);
    return status;
}

mproc_status mproc_barrier_wait(mproc_barrier *barrier, int64_t timeout_ms, int *index)
{
    struct party party = {.barrier = barrier_at(barrier), .object = barrier->reference.ref.offset};
    mproc_status status;

    if ((status = timeout_check(timeout_ms)) != MPROC_OK) return status;
    if (method_is_remote(&barrier->reference)) return wait_remotely(barrier, timeout_ms, index);
    if (timeout_ms == MPROC_FOREVER) timeout_ms = party.barrier->timeout_ms;
    if ((status = wait_begin(&party.wait, &barrier->reference, timeout_ms)) != MPROC_OK) return status;
    if ((status = arrive(&party)) == MPROC_OK) {
        status = party.place + 1 == party.barrier->parties ? come_last(&party) : wait_for_others(&party);
        if (thread_self.slot) wait_queue_leave();
    }
    wait_end(&party.wait);
    if (status == MPROC_OK && index) *index = (int)party.place;
    return status;
}

/* ---- everything else ---------------------------------------------------------------------------- */

/*
 * Breaks it, or makes it whole. Entered as if it waited: if we end before all are notified, others notify them. With
 * nobody there its generation goes on: nobody is to be notified of an end.
 */
static mproc_status set_broken(mproc_barrier *barrier, bool broken)
{
    uint64_t flag = broken ? BARRIER_BROKEN : 0, seen;
    struct barrier *at = barrier_at(barrier);
    bool done = false;

    if (method_is_remote(&barrier->reference))
        return method_do(&barrier->reference, methods, broken ? METHOD_ABORT : METHOD_RESET);
    wait_queue_enter(barrier->reference.ref.offset, BARRIER_NO_GENERATION);
    seen = atomic_load(&at->word);
    while (!done) {
        if (!barrier_empty(seen)) done = barrier_end(work_intent(), at, &seen, false, broken);
        else done = atomic_compare_exchange_strong(&at->word, &seen, (seen & ~BARRIER_BROKEN) | flag);
    }
    wait_queue_leave();
    return MPROC_OK;
}

mproc_status mproc_barrier_reset(mproc_barrier *barrier)
{
    return set_broken(barrier, false);
}

mproc_status mproc_barrier_abort(mproc_barrier *barrier)
{
    return set_broken(barrier, true);
}

int mproc_barrier_parties(const mproc_barrier *barrier)
{
    if (!barrier->reference.at) return (int)method_count(&barrier->reference, methods, METHOD_PARTIES);
    return (int)barrier_at(barrier)->parties;
}

int mproc_barrier_waiting(const mproc_barrier *barrier)
{
    if (!barrier->reference.at) return (int)method_count(&barrier->reference, methods, METHOD_WAITING);
    return (int)barrier_count(atomic_load(&barrier_at(barrier)->word));
}

bool mproc_barrier_broken(const mproc_barrier *barrier)
{
    if (!barrier->reference.at) return method_says(&barrier->reference, methods, METHOD_BROKEN);
    return atomic_load(&barrier_at(barrier)->word) & BARRIER_BROKEN;
}

/* ---- from another program ------------------------------------------------------------------------ */

static mproc_status wait_served(mproc_barrier *barrier, int64_t timeout_ms, mproc_value *result)
{
    int index = 0;
    mproc_status status = mproc_barrier_wait(barrier, timeout_ms, &index);

    if (status == MPROC_OK) *result = mproc_int(index);
    return status;
}

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    mproc_barrier *barrier = (mproc_barrier *)reference;
    int64_t numbers[METHOD_NUMBERS_MAX] = {0};
    struct method_given given;
    mproc_status status = method_read(reference, methods, method, values, count, numbers, &given);

    if (status != MPROC_OK) return status;
    switch ((enum barrier_method)method) {
    case METHOD_RESET:
        return mproc_barrier_reset(barrier);
    case METHOD_ABORT:
        return mproc_barrier_abort(barrier);
    case METHOD_PARTIES:
        *result = mproc_int(mproc_barrier_parties(barrier));
        return MPROC_OK;
    case METHOD_WAITING:
        *result = mproc_int(mproc_barrier_waiting(barrier));
        return MPROC_OK;
    case METHOD_BROKEN:
        *result = mproc_bool(mproc_barrier_broken(barrier));
        return MPROC_OK;
    case METHOD_WAIT:
        break;
    }
    return wait_served(barrier, numbers[0], result);
}
