/*
 * Joinable queues. Promised: whatever a killed consumer has got and not done comes back, once and in order, and says
 * so; what it has done is done; nobody sleeps over an item that came back, or over the end of all.
 */
#include "steps_queue.h"

#include <stdlib.h>
#include <string.h>

#define ITEMS 4
#define LIMITS .maxsize = ITEMS, .max_bytes = ITEMS * SMALL

/* So many consumers have died over the first items, DIED_OVER of them, before the victim began. */
#define DIED_OVER 3
static uint32_t died;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* ---- what the root makes ------------------------------------------------------------------------- */

static void begin_with(void *state, const mproc_queue_options *options, int items)
{
    test_queue_begin(state, options);
    for (int i = 0; i < items; i++) test_queue_put_before(SMALL);
    died = 0;
}

static void begin(void *state)
{
    begin_with(state, &(mproc_queue_options){.joinable = true}, ITEMS);
}

static void begin_limited(void *state)
{
    begin_with(state, &(mproc_queue_options){.joinable = true, LIMITS}, ITEMS);
}

static void get(void)
{
    size_t size;

    test_queue_get(test_queue_mine, &size);
}

static void peer_dies_over(struct test_family *tested, int number)
{
    test_queue_open();
    for (int i = 0; i < DIED_OVER; i++) get();
    atomic_store(&tested->went_on[number], 1);
}

static void begin_died_over(void *state, uint32_t times)
{
    struct test_family *tested = state;

    begin_limited(state);
    for (died = 0; died < times; died++) {
        int peer = test_family_peer(tested, peer_dies_over);
        atomic_store(&tested->go[peer], 1);
        if (!step_wait_for(&tested->went_on[peer], 1)) abort();
        test_family_disband(tested);
        atomic_store(&tested->go[peer], 0);
        atomic_store(&tested->went_on[peer], 0);
    }
}

static void begin_died_over_once(void *state)
{
    begin_died_over(state, 1);
}

static void begin_died_over_twice(void *state)
{
    begin_died_over(state, 2);
}

/* ---- what victims do ----------------------------------------------------------------------------- */

static void enter_with_one(void *state)
{
    test_queue_enter(state);
    get();
}

static void enter_with_two(void *state)
{
    enter_with_one(state);
    get();
}

/* Nobody else has the queue. */
static void enter_with_all(void *state)
{
    test_family_enter_victim(state);
    must(mproc_queue_create(&(mproc_queue_options){.joinable = true}, &test_queue_mine));
    test_queue_put(test_queue_mine, VICTIMS, SMALL);
    test_queue_put(test_queue_mine, VICTIMS, LARGE);
    test_queue_put(test_queue_mine, VICTIMS, SMALL);
    get();
    get();
}

static void task_done_twice(void *state)
{
    for (uint32_t i = 1; i <= 2; i++) {
        must(mproc_queue_task_done(test_queue_mine));
        test_queue_say(state, i);
    }
}

/* ---- recovery ------------------------------------------------------------------------------------ */

/* Somebody wants the queue's locks before the dead are recovered. */
static void ask_and_recover(void *state)
{
    int64_t bytes;

    if (thread_self.process == test_family_root) test_queue_counted(&bytes);
    test_family_recover(state);
}

/* ---- judging ------------------------------------------------------------------------------------- */

static mproc_queue_counts counted(void)
{
    mproc_queue_counts counts;

    must(mproc_queue_counters(test_queue, &counts));
    return counts;
}

/* The next item is the one of this number, and was given so often before. It is done then. */
static const char *check_next(uint32_t number, uint32_t given)
{
    uint64_t got;
    size_t size;

    got = test_queue_get(test_queue, &size);
    if (got != ROOTS + number || size != SMALL)
        return step_says("item %llu comes where %u was next", (unsigned long long)got, ROOTS + number);
    if (mproc_queue_redelivered(test_queue) != given)
        return step_says("item %u was given %lld times, not %u", ROOTS + number,
                         (long long)mproc_queue_redelivered(test_queue), given);
    return mproc_queue_task_done(test_queue) == MPROC_OK ? NULL : step_says("no item can be done");
}

/*
 * The victim had got the first `got` of the items, and `done` of these are done: those that had come back before and
 * that it has not got come first, then its own, then all others.
 */
static const char *check_rest(uint32_t got, uint32_t done)
{
    uint32_t before = died ? DIED_OVER : 0, i;
    const char *wrong = NULL;

    for (i = got; i < before && !wrong; i++) wrong = check_next(i, died);
    for (i = done; i < got && !wrong; i++) wrong = check_next(i, (i < before ? died : 0) + 1);
    for (i = got > before ? got : before; i < ITEMS && !wrong; i++) wrong = check_next(i, 0);
    return wrong;
}

/* Of a victim that had got `held` items, and then gets up to `gets` more or says that up to `dones` are done. */
static const char *check(void *state, bool completed, uint32_t held, uint32_t gets, uint32_t dones)
{
    uint32_t said = atomic_load(&((struct test_family *)state)->victim_said);
    mproc_queue_counts counts = counted();
    uint32_t done = (uint32_t)counts.done, got = (uint32_t)counts.redelivered - died * DIED_OVER + done;
    const char *wrong;

    if (got > held + gets || got < held + (gets ? said : 0) || (completed && got < held + gets))
        return step_says("%u items came back or are done", got);
    if (done > dones || done < (dones ? said : 0) || (completed && done < dones))
        return step_says("%u are done", done);
    if (counts.put != ITEMS || counts.got != done || counts.lost || mproc_queue_size(test_queue) != ITEMS - done)
        return step_says("%lld are put, %lld got, %u done, %lld there, and %lld lost", (long long)counts.put,
                         (long long)counts.got, done, (long long)mproc_queue_size(test_queue),
                         (long long)counts.lost);
    if (mproc_queue_join(test_queue, 0) != MPROC_TIMEOUT) return step_says("all is done too early");
    if ((wrong = check_rest(got, done))) return wrong;
    if (mproc_queue_join(test_queue, 0) != MPROC_OK || mproc_queue_size(test_queue) > 0)
        return step_says("not all is done");
    if ((wrong = test_queue_check_counted(0, 0))) return wrong;
    return test_queue_check_end(state, completed);
}

static const char *check_got_first(void *state, bool completed)
{
    return check(state, completed, 0, 1, 0);
}

static const char *check_got_third(void *state, bool completed)
{
    return check(state, completed, 2, 1, 0);
}

static const char *check_done(void *state, bool completed)
{
    return check(state, completed, 2, 0, 2);
}

static const char *check_freed(void *state, bool completed)
{
    return check(state, completed, 2, 0, 0);
}

/* ---- while others sleep -------------------------------------------------------------------------- */

/* What a peer or the root has got, and how often it was given before. */
#define GOT(number, given) ((uint32_t)(number)*10 + (uint32_t)(given) + 1)

static void peer_works(struct test_family *tested, int number)
{
    uint64_t got;
    size_t size;

    test_queue_open();
    atomic_store(&tested->begun[number], 1);
    got = test_queue_get(test_queue_mine, &size);
    atomic_store(&tested->said[number], GOT(got, mproc_queue_redelivered(test_queue_mine)));
    must(mproc_queue_task_done(test_queue_mine));
    atomic_store(&tested->went_on[number], 1);
}

static void peer_joins(struct test_family *tested, int number)
{
    test_queue_open();
    atomic_store(&tested->begun[number], 1);
    must(mproc_queue_join(test_queue_mine, MPROC_FOREVER));
    atomic_store(&tested->went_on[number], 1);
}

static void peer_puts(struct test_family *tested, int number)
{
    test_queue_open();
    atomic_store(&tested->begun[number], 1);
    test_queue_put(test_queue_mine, PEERS, SMALL);
    atomic_store(&tested->went_on[number], 1);
}

static void all_asleep(struct test_family *tested)
{
    for (int i = 0; i < tested->peers_count; i++) test_family_peer_asleep(tested, i);
}

static void begin_with_joiner(void *state)
{
    begin_with(state, &(mproc_queue_options){.joinable = true}, 1);
    test_family_peer(state, peer_joins);
}

static void begin_with_worker_and_joiner(void *state)
{
    begin_with(state, &(mproc_queue_options){.joinable = true}, 2);
    test_family_peer(state, peer_works);
    test_family_peer(state, peer_joins);
}

static void begin_with_workers(void *state)
{
    begin_with(state, &(mproc_queue_options){.joinable = true}, 2);
    test_family_peer(state, peer_works);
    test_family_peer(state, peer_works);
}

static void begin_full_with_putter(void *state)
{
    begin_with(state, &(mproc_queue_options){.joinable = true, .maxsize = 1}, 1);
    test_family_peer(state, peer_puts);
}

static void enter_with_one_and_peers_asleep(void *state)
{
    enter_with_one(state);
    all_asleep(state);
}

static void enter_with_two_and_peers_asleep(void *state)
{
    enter_with_two(state);
    all_asleep(state);
}

static void enter_and_putter_asleep(void *state)
{
    test_queue_enter(state);
    all_asleep(state);
}

static void task_done(void *state)
{
    must(mproc_queue_task_done(test_queue_mine));
    test_queue_say(state, 1);
}

/* Takes what is there, and marks which items that were; each has come back. */
static const char *take_back(uint32_t *marks)
{
    uint64_t number;
    size_t size;

    while (mproc_queue_size(test_queue) > 0) {
        number = test_queue_get(test_queue, &size);
        if (number < ROOTS || number >= ROOTS + test_queue_had) return step_says("another item comes");
        if (mproc_queue_redelivered(test_queue) != 1) return step_says("an item has not come back");
        if (*marks & 1u << (number - ROOTS)) return step_says("an item comes twice");
        *marks |= 1u << (number - ROOTS);
        must(mproc_queue_task_done(test_queue));
    }
    return NULL;
}

/* The first `workers` peers get an item each, which comes back in any case; a joiner goes on when all is done. */
static const char *check_peers(void *state, bool completed, int workers)
{
    struct test_family *tested = state;
    uint32_t said = atomic_load(&tested->victim_said), marks = 0, done = 0;
    int left = test_family_left_asleep(tested);
    mproc_queue_counts counts = counted();
    const char *wrong;

    if (left >= 0 && counts.put == counts.done) return step_says("a joiner sleeps though all is done");
    for (int i = 0; i < workers; i++) {
        if (!atomic_load(&tested->went_on[i])) return step_says("peer %d sleeps over an item", i);
        for (uint32_t n = 0; n < test_queue_had; n++)
            if (atomic_load(&tested->said[i]) == GOT(ROOTS + n, 1)) marks |= 1u << n;
    }
    if ((wrong = take_back(&marks))) return wrong;
    for (uint32_t n = 0; n < test_queue_had; n++) done += !(marks & 1u << n);
    if (done < said || done > 1 || (completed && said && done != 1)) return step_says("%u were done", done);
    if ((left = test_family_left_asleep(tested)) >= 0) return step_says("peer %d sleeps for ever", left);
    counts = counted();
    if (counts.put != counts.done || counts.put != counts.got || counts.lost)
        return step_says("%lld were put, %lld done, and %lld got", (long long)counts.put, (long long)counts.done,
                         (long long)counts.got);
    return test_queue_check_end(state, completed);
}

static const char *check_joiner(void *state, bool completed)
{
    return check_peers(state, completed, 0);
}

static const char *check_worker_and_joiner(void *state, bool completed)
{
    return check_peers(state, completed, 1);
}

static const char *check_workers(void *state, bool completed)
{
    return check_peers(state, completed, 2);
}

/* What the victim has got comes back, perhaps in addition to the item for which there was room meanwhile. */
static const char *check_putter(void *state, bool completed)
{
    struct test_family *tested = state;
    mproc_queue_counts counts;
    size_t size;

    if (test_family_left_asleep(tested) >= 0 && mproc_queue_size(test_queue) == 0)
        return step_says("a putter sleeps while there is room");
    if (test_queue_get(test_queue, &size) != ROOTS) return step_says("the item has not come back");
    if (mproc_queue_redelivered(test_queue) < atomic_load(&tested->victim_said))
        return step_says("the item does not say that it has come back");
    if (test_family_left_asleep(tested) >= 0) return step_says("a putter sleeps, later, while there is room");
    if (test_queue_get(test_queue, &size) != PEERS) return step_says("the putter's item has not come");
    counts = counted();
    if (counts.put != 2 || counts.got != 2 || counts.done) return step_says("it is counted in another way");
    return test_queue_check_end(state, completed);
}

#define ASKED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = ask_and_recover, .teardown = test_family_end, \
    .sparse = true

static const step_scenario scenarios[] = {
    {.name = "queue.lease_another",
     .setup = begin_limited,
     .enter = enter_with_two,
     .operation = test_queue_get_one,
     .check = check_got_third,
     ASKED},
    {.name = "queue.lease_what_came_back",
     .setup = begin_died_over_once,
     .enter = test_queue_enter,
     .operation = test_queue_get_one,
     .check = check_got_first,
     RECOVERED},
    {.name = "queue.lease_what_came_back_twice",
     .setup = begin_died_over_twice,
     .enter = enter_with_two,
     .operation = test_queue_get_one,
     .check = check_got_third,
     RECOVERED},
    {.name = "queue.lease_peek",
     .setup = begin_died_over_once,
     .enter = enter_with_two,
     .operation = test_queue_peek_one,
     .check = check_got_third,
     RECOVERED},
    {.name = "queue.leases_done",
     .setup = begin,
     .enter = enter_with_two,
     .operation = task_done_twice,
     .check = check_done,
     RECOVERED},
    {.name = "queue.leases_freed",
     .setup = begin_died_over_once,
     .enter = enter_with_two,
     .operation = test_queue_free_mine,
     .check = check_freed,
     ASKED},
    {.name = "queue.leases_freed_with_their_queue",
     .setup = test_family_begin,
     .enter = enter_with_all,
     .operation = test_queue_free_mine,
     .check = test_family_check,
     RECOVERED},
    {.name = "queue.lease_done_joiner_asleep",
     .slow = true,
     .setup = begin_with_joiner,
     .enter = enter_with_one_and_peers_asleep,
     .operation = task_done,
     .check = check_joiner,
     RECOVERED},
    {.name = "queue.lease_done_getter_and_joiner_asleep",
     .slow = true,
     .setup = begin_with_worker_and_joiner,
     .enter = enter_with_two_and_peers_asleep,
     .operation = task_done,
     .check = check_worker_and_joiner,
     RECOVERED},
    {.name = "queue.leases_freed_getters_asleep",
     .slow = true,
     .setup = begin_with_workers,
     .enter = enter_with_two_and_peers_asleep,
     .operation = test_queue_free_mine,
     .check = check_workers,
     RECOVERED},
    {.name = "queue.lease_putter_asleep",
     .slow = true,
     .setup = begin_full_with_putter,
     .enter = enter_and_putter_asleep,
     .operation = test_queue_get_one,
     .check = check_putter,
     RECOVERED},
};

const steps_table steps_queue_lease = STEPS_TABLE(scenarios);
