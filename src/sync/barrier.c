/* Barriers. See barrier_word.h for the word. */
#include <mproc/barrier.h>

#include <string.h>

#include "base/function.h"
#include "base/options.h"
#include "object/act.h"
#include "object/held.h"
#include "object/interrupt.h"
#include "object/reference.h"
#include "object/wait.h"
#include "object/waiting.h"
#include "process/call.h"
#include "process/family.h"
#include "sync/barrier_word.h"
#include "sync/types.h"

struct mproc_barrier {
    struct reference reference;
};

/* Of its parties, and of the one that runs the action. */
static void party_died(struct intent *intent, uint64_t object, uint32_t generation)
{
    barrier_break(intent, (struct barrier *)arena_at(object), generation);
}

const struct object_type barrier_type = {
    .name = "a barrier", .links = 1, .links_at = offsetof(struct barrier, action), .waiter_died = party_died};

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

static mproc_status put_action(struct barrier *barrier, mproc_function *action)
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
        family_free(reference);
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

/*
 * Sleeps until the generation is over. Returns why it should not, MPROC_TIMEOUT without a text; MPROC_OK otherwise,
 * also for no reason.
 */
static mproc_status sleep(const struct party *party)
{
    return wait_sleep(&party->wait, barrier_turn(party->barrier), party->generation);
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

/* Takes a place in the barrier. Entered as waiting before that: from then on the end of this thread breaks it. */
static mproc_status arrive(struct party *party)
{
    struct barrier *barrier = party->barrier;
    uint64_t seen = atomic_load(&barrier->word), next;
    mproc_status status;

    for (;;) {
        party->generation = barrier_generation(seen);
        if (seen & BARRIER_BROKEN) return broken();
        if (is_full(barrier, seen)) {
            if ((status = sleep(party)) == MPROC_TIMEOUT) return others_stayed(party);
            if (status != MPROC_OK) return status;
            seen = atomic_load(&barrier->word);
            continue;
        }
        waiting_enter(party->object, party->generation);
        party->place = barrier_count(seen);
        next = seen + 1;
        if (party->place + 1 == barrier->parties) next |= BARRIER_TRIPPING;
        if (atomic_compare_exchange_strong(&barrier->word, &seen, next)) return MPROC_OK;
        waiting_leave();
    }
}

static mproc_status run_action(const struct barrier *barrier)
{
    struct reference_scope scope = {.first = NULL};
    mproc_call call = {mproc_no_args(), "the barrier's action", &scope};
    uint64_t action = atomic_load(&barrier->action);
    function_pointer function;
    mproc_status status;

    if (!action) return MPROC_OK;
    status = function_decode((const function_ref *)arena_at(action), &function);
    return status == MPROC_OK ? ((mproc_function *)function)(&call) : status;
}

/* Lets the parties go, or breaks the barrier; somebody else may have broken it meanwhile. */
static bool turn_over(const struct party *party, bool passed)
{
    uint64_t seen = atomic_load(&party->barrier->word);

    while (!is_over(party, seen))
        if (barrier_turn_over(work_intent(), party->barrier, &seen, passed, !passed)) return true;
    return barrier_passed(seen, party->generation);
}

static mproc_status trip(const struct party *party)
{
    mproc_status status = run_action(party->barrier);

    if (!turn_over(party, status == MPROC_OK)) return status != MPROC_OK ? status : broken();
    return status;
}

/* The action may wait for something, too, which then stands in the slot in place of this barrier. */
static mproc_status come_last(const struct party *party)
{
    mproc_status status;

    if (!act_begin(party->object, party->generation)) {
        turn_over(party, false);
        return mproc_error(MPROC_LIMIT, "the barrier's action would run within the actions of %d others", SLOT_ACTS);
    }
    status = trip(party);
    act_end();
    return status;
}

static mproc_status wait_for_others(const struct party *party)
{
    mproc_status status = MPROC_OK;
    uint64_t seen;

    while (!is_over(party, seen = atomic_load(&party->barrier->word)) && status == MPROC_OK) status = sleep(party);
    if (status == MPROC_OK) return barrier_passed(seen, party->generation) ? MPROC_OK : broken();
    /* Its end, if it came before we could break it, is what counts. */
    barrier_break(work_intent(), party->barrier, party->generation);
    if (!barrier_passed(atomic_load(&party->barrier->word), party->generation))
        return status == MPROC_TIMEOUT ? not_all_came(party) : status;
    if (status == MPROC_INTERRUPTED) interrupt_give_back();
    return MPROC_OK;
}

static mproc_status wait_in(struct party *party)
{
    mproc_status status = arrive(party);

    if (status != MPROC_OK) return status;
    status = party->place + 1 == party->barrier->parties ? come_last(party) : wait_for_others(party);
    waiting_leave();
    return status;
}

mproc_status mproc_barrier_wait(mproc_barrier *barrier, int64_t timeout_ms, int *index)
{
    struct party party = {.barrier = barrier_at(barrier), .object = barrier->reference.ref.offset};
    mproc_status status;

    if (timeout_ms == MPROC_FOREVER) timeout_ms = party.barrier->timeout_ms;
    if ((status = timeout_check(timeout_ms)) != MPROC_OK || (status = family_enter()) != MPROC_OK) return status;
    if ((status = wait_begin(&party.wait, &barrier->reference, timeout_ms)) != MPROC_OK) return status;
    status = wait_in(&party);
    wait_end(&party.wait);
    if (status == MPROC_OK && index) *index = (int)party.place;
    return status;
}

/* ---- everything else ---------------------------------------------------------------------------- */

/* Breaks it, or makes it whole. With nobody there its generation goes on: nobody is to be told of an end. */
static mproc_status set_broken(mproc_barrier *barrier, bool broken)
{
    struct barrier *at = barrier_at(barrier);
    uint64_t flag = broken ? BARRIER_BROKEN : 0, seen = atomic_load(&at->word);
    mproc_status status;
    bool done = false;

    if ((status = family_enter()) != MPROC_OK) return status;
    while (!done) {
        if (!barrier_empty(seen)) done = barrier_turn_over(work_intent(), at, &seen, false, broken);
        else done = atomic_compare_exchange_strong(&at->word, &seen, (seen & ~BARRIER_BROKEN) | flag);
    }
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
    return (int)barrier_at(barrier)->parties;
}

int mproc_barrier_waiting(const mproc_barrier *barrier)
{
    return (int)barrier_count(atomic_load(&barrier_at(barrier)->word));
}

bool mproc_barrier_broken(const mproc_barrier *barrier)
{
    return atomic_load(&barrier_at(barrier)->word) & BARRIER_BROKEN;
}
