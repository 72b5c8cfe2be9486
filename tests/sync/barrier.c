/* mproc/barrier.h: parties that all come. Those that do not: barrier_break.c. */
#include "sync/peers.h"

enum { PARTIES = 5 };

static mproc_barrier *create(int parties, const mproc_barrier_options *options)
{
    mproc_barrier *barrier = NULL;

    if (options != NULL) CHECK_OK(mproc_barrier_create(parties, options, &barrier));
    else CHECK_OK(mproc_barrier_create(parties, NULL, &barrier));
    return barrier;
}

/*
 * Passes the barrier `extra` times: before a pass is over all have come to it, and nobody has come to the next but
 * one. Each index of a pass is given once.
 */
static void passes(peer *self)
{
    uint32_t i;
    int index;

    for (i = 0; i < (uint32_t)self->extra; i++) {
        CHECK_EQ(atomic_load(&self->board->done) / PARTIES, i);
        atomic_fetch_add(&self->board->ready, 1);
        index = -1;
        CHECK_OK(mproc_barrier_wait(self->object, MPROC_FOREVER, &index));
        CHECK(index >= 0 && index < PARTIES);
        CHECK(atomic_load(&self->board->ready) >= (i + 1) * PARTIES);
        CHECK(atomic_load(&self->board->ready) <= (i + 2) * PARTIES);
        CHECK_EQ(atomic_fetch_add(&self->board->marks[i * PARTIES + (uint32_t)index], 1), 0);
        atomic_fetch_add(&self->board->done, 1);
        CHECK_OK(mproc_barrier_wait(self->object, MPROC_FOREVER, NULL));
    }
}

static void check_at_rest(const mproc_barrier *barrier)
{
    CHECK_EQ(mproc_barrier_waiting(barrier), 0);
    CHECK(!mproc_barrier_broken(barrier));
}

static void check_passes(int times)
{
    mproc_barrier *barrier = create(PARTIES, NULL);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.extra = times;
    CHECK_EQ(mproc_barrier_parties(barrier), PARTIES);
    check_at_rest(barrier);
    crowd_add(&crowd, PARTIES, passes, barrier);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), PARTIES * times);
    check_at_rest(barrier);
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

static void case_parties_pass_in_lockstep(void)
{
    check_passes(1);
}

static void case_parties_pass_ten_times(void)
{
    check_passes(10);
}

static void case_parties_pass_a_thousand_times(void)
{
    check_passes(1000);
}

static void case_one_party_passes_at_once(void)
{
    mproc_barrier *barrier = create(1, NULL);
    int index = -1;

    CHECK_OK(mproc_barrier_wait(barrier, 0, &index));
    CHECK_EQ(index, 0);
    CHECK_OK(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL));
    check_at_rest(barrier);
    mproc_barrier_free(barrier);
}

/* Twelve threads at a barrier for five: they pass until the board says that it is enough, and it is broken. */
static void passes_with_anybody(peer *self)
{
    mproc_status status;

    while ((status = mproc_barrier_wait(self->object, MPROC_FOREVER, NULL)) == MPROC_OK)
        atomic_fetch_add(&self->board->count, 1);
    CHECK_STATUS(status, MPROC_BROKEN);
}

static void case_more_threads_than_parties_pass_in_groups(void)
{
    mproc_barrier *barrier = create(PARTIES, NULL);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.threads = 2;
    crowd_add(&crowd, 6, passes_with_anybody, barrier);
    board_await(&crowd.board->count, 500);
    CHECK_OK(mproc_barrier_abort(barrier));
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->count) % PARTIES, 0);
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

/* ---- the action --------------------------------------------------------------------------------- */

/* A function of the barrier has no arguments; what it counts lies in the process of the party that came last. */
static _Atomic uint32_t actions_here;

static mproc_status acts(mproc_call *call)
{
    (void)call;
    check_pause_ms(5);
    atomic_fetch_add(&actions_here, 1);
    return MPROC_OK;
}

/* Whoever ran the action did so before anybody went on: then `count` was still 0. */
static void passes_with_an_action(peer *self)
{
    uint32_t before;
    int i, index;

    for (i = 0; i < 4; i++) {
        before = peers_are_threads() ? 0 : atomic_load(&actions_here);
        CHECK_OK(mproc_barrier_wait(self->object, MPROC_FOREVER, &index));
        if (!peers_are_threads()) atomic_fetch_add(&self->board->count, atomic_load(&actions_here) - before);
        else CHECK_EQ(atomic_load(&actions_here), i + 1);
        CHECK_OK(mproc_barrier_wait(self->other, MPROC_FOREVER, NULL));
        if (!peers_are_threads()) CHECK_EQ(atomic_load(&self->board->count), i + 1);
        CHECK_OK(mproc_barrier_wait(self->other, MPROC_FOREVER, NULL));
    }
}

static void case_action_runs_once_before_anybody_goes_on(void)
{
    mproc_barrier *barrier = create(PARTIES, &(mproc_barrier_options){.action = acts});
    mproc_barrier *other = create(PARTIES, NULL);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.other = other;
    crowd_add(&crowd, PARTIES, passes_with_an_action, barrier);
    crowd_join(&crowd);
    if (peers_are_threads()) CHECK_EQ(atomic_load(&actions_here), 4);
    else CHECK_EQ(atomic_load(&crowd.board->count), 4);
    mproc_barrier_free(other);
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

static mproc_status fails(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_USER, "the action fails");
}

static void waits_for_a_failure(peer *self)
{
    mproc_status status = mproc_barrier_wait(self->object, MPROC_FOREVER, NULL);

    if (status == MPROC_USER) atomic_fetch_add(&self->board->count, 1);
    else CHECK_STATUS(status, MPROC_BROKEN);
    CHECK_STATUS(mproc_barrier_wait(self->object, MPROC_FOREVER, NULL), MPROC_BROKEN);
}

static void case_action_that_fails_breaks_the_barrier(void)
{
    mproc_barrier *barrier = create(3, &(mproc_barrier_options){.action = fails});
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 3, waits_for_a_failure, barrier);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->count), 1);
    CHECK(mproc_barrier_broken(barrier));
    CHECK_EQ(mproc_barrier_waiting(barrier), 0);
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

static void case_failure_of_the_action_is_told_to_who_ran_it(void)
{
    mproc_barrier *barrier = create(1, &(mproc_barrier_options){.action = fails});

    CHECK_SAYS(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL), MPROC_USER, "the action fails");
    CHECK_STATUS(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL), MPROC_BROKEN);
    CHECK_OK(mproc_barrier_reset(barrier));
    CHECK_STATUS(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL), MPROC_USER);
    mproc_barrier_free(barrier);
}

/* An action knows no arguments. */
static board *board_here;

static mproc_status waits_to_be_told(mproc_call *call)
{
    (void)call;
    atomic_fetch_add(&board_here->ready, 1);
    board_await(&board_here->go, 1);
    return MPROC_OK;
}

static void passes_when_told(peer *self)
{
    board_here = self->board;
    CHECK_OK(mproc_barrier_wait(self->object, MPROC_FOREVER, NULL));
}

static void case_who_comes_during_the_action_waits_for_a_place(void)
{
    mproc_barrier *barrier = create(1, &(mproc_barrier_options){.action = waits_to_be_told});
    peer_crowd crowd;

    crowd_init(&crowd);
    board_here = crowd.board;
    crowd_add(&crowd, 1, passes_when_told, barrier);
    board_await(&crowd.board->ready, 1);
    CHECK_SAYS(mproc_barrier_wait(barrier, 20, NULL), MPROC_TIMEOUT, "all places at the barrier were taken");
    CHECK(!mproc_barrier_broken(barrier));
    atomic_store(&crowd.board->go, 1);
    CHECK_OK(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL));
    CHECK_EQ(atomic_load(&crowd.board->ready), 2);
    crowd_fini(&crowd);
    mproc_barrier_free(barrier);
}

CHECK_TWINS(sync_barrier, peers_of_processes, sync_barrier_threads, peers_of_threads,
    CASE(parties_pass_in_lockstep),
    CASE(parties_pass_ten_times),
    CASE_LIMIT(parties_pass_a_thousand_times, 60),
    CASE(one_party_passes_at_once),
    CASE(more_threads_than_parties_pass_in_groups),
    CASE(action_runs_once_before_anybody_goes_on),
    CASE(action_that_fails_breaks_the_barrier),
    CASE(failure_of_the_action_is_told_to_who_ran_it),
    CASE(who_comes_during_the_action_waits_for_a_place),
);
