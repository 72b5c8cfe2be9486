/* mproc/barrier.h: parties that give up, abort, reset, or do not come. Those that are killed: death.c. */
#include "sync/peers.h"

static mproc_barrier *create(int parties)
{
    mproc_barrier *barrier = NULL;

    CHECK_OK(mproc_barrier_create(parties, NULL, &barrier));
    return barrier;
}

/* Waits once, and notes how it ended. */
static void waits(peer *self)
{
    int64_t timeout_ms = self->extra ? self->extra : MPROC_FOREVER;
    int index = -1;

    atomic_store(&self->board->statuses[self->number], (int32_t)mproc_barrier_wait(self->object, timeout_ms, &index));
    atomic_store(&self->board->values[self->number], index);
    atomic_fetch_add(&self->board->done, 1);
}

static void check_statuses(const peer_crowd *crowd, mproc_status status)
{
    int i;

    CHECK_EQ(atomic_load(&crowd->board->done), crowd->peers);
    for (i = 0; i < crowd->peers; i++) {
        CHECK_STATUS((mproc_status)atomic_load(&crowd->board->statuses[i]), status);
        CHECK((atomic_load(&crowd->board->values[i]) >= 0) == (status == MPROC_OK));
    }
}

/* As many as are missing come, and all pass. */
static void check_passes(mproc_barrier *barrier, int parties)
{
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, parties, waits, barrier);
    crowd_join(&crowd);
    check_statuses(&crowd, MPROC_OK);
    CHECK(!mproc_barrier_broken(barrier));
    CHECK_EQ(mproc_barrier_waiting(barrier), 0);
    crowd_fini(&crowd);
}

static void case_abort_sends_all_away_until_reset(void)
{
    mproc_barrier *barrier = create(5);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.threads = 2;
    crowd_add(&crowd, 2, waits, barrier);
    peers_await_sleepers(barrier, 4);
    CHECK_EQ(mproc_barrier_waiting(barrier), 4);
    CHECK_OK(mproc_barrier_abort(barrier));
    crowd_join(&crowd);
    check_statuses(&crowd, MPROC_BROKEN);
    CHECK(mproc_barrier_broken(barrier));
    CHECK_OK(mproc_barrier_abort(barrier));
    CHECK_SAYS(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL), MPROC_BROKEN, "broken or was reset");
    CHECK_STATUS(mproc_barrier_wait(barrier, 0, NULL), MPROC_BROKEN);
    CHECK_OK(mproc_barrier_reset(barrier));
    check_passes(barrier, 5);
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

static void case_reset_sends_away_who_waits_and_leaves_the_barrier_whole(void)
{
    mproc_barrier *barrier = create(4);
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_barrier_reset(barrier));
    crowd_add(&crowd, 3, waits, barrier);
    peers_await_sleepers(barrier, 3);
    CHECK_OK(mproc_barrier_reset(barrier));
    crowd_join(&crowd);
    check_statuses(&crowd, MPROC_BROKEN);
    CHECK(!mproc_barrier_broken(barrier));
    check_passes(barrier, 4);
    CHECK_OK(mproc_barrier_abort(barrier));
    CHECK_OK(mproc_barrier_reset(barrier));
    CHECK_OK(mproc_barrier_reset(barrier));
    check_passes(barrier, 4);
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

/* ---- time --------------------------------------------------------------------------------------- */

static void case_party_that_gives_up_breaks_it_for_all(void)
{
    mproc_barrier *barrier = create(5);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 3, waits, barrier);
    peers_await_sleepers(barrier, 3);
    CHECK_SAYS(mproc_barrier_wait(barrier, 20, NULL), MPROC_BROKEN, "came within 20 ms");
    crowd_join(&crowd);
    check_statuses(&crowd, MPROC_BROKEN);
    CHECK(mproc_barrier_broken(barrier));
    CHECK_OK(mproc_barrier_reset(barrier));
    check_passes(barrier, 5);
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

static void case_no_time_breaks_it_at_once(void)
{
    mproc_barrier *barrier = create(2);

    CHECK_STATUS(mproc_barrier_wait(barrier, 0, NULL), MPROC_BROKEN);
    CHECK(mproc_barrier_broken(barrier));
    CHECK_OK(mproc_barrier_reset(barrier));
    CHECK(!mproc_barrier_broken(barrier));
    CHECK_STATUS(mproc_barrier_wait(barrier, 0, NULL), MPROC_BROKEN);
    CHECK(mproc_barrier_broken(barrier));
    mproc_barrier_free(barrier);
}

static void case_default_limit_holds_for_waits_without_one(void)
{
    mproc_barrier *barrier = NULL;
    int64_t began_ms = check_now_ms();
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_barrier_create(4, &(mproc_barrier_options){.timeout_ms = 50}, &barrier));
    crowd_add(&crowd, 3, waits, barrier);
    crowd_join(&crowd);
    CHECK(check_now_ms() - began_ms >= 49);
    check_statuses(&crowd, MPROC_BROKEN);
    CHECK(mproc_barrier_broken(barrier));
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

static void case_own_limit_stands_before_the_default(void)
{
    mproc_barrier *barrier = NULL;
    int64_t began_ms;

    CHECK_OK(mproc_barrier_create(2, &(mproc_barrier_options){.timeout_ms = 100000000}, &barrier));
    began_ms = check_now_ms();
    CHECK_STATUS(mproc_barrier_wait(barrier, 30, NULL), MPROC_BROKEN);
    CHECK(check_now_ms() - began_ms >= 29);
    mproc_barrier_free(barrier);
}

/* ---- all at once -------------------------------------------------------------------------------- */

static void passes_or_not(peer *self)
{
    mproc_status status;
    int i;

    for (i = 0; i < 300; i++) {
        status = mproc_barrier_wait(self->object, i % 50 == 49 ? 1 : check_limit_ms(), NULL);
        if (status == MPROC_OK) continue;
        CHECK_STATUS(status, MPROC_BROKEN);
        CHECK_OK(mproc_barrier_reset(self->object));
    }
    atomic_fetch_add(&self->board->done, 1);
    CHECK_OK(mproc_barrier_abort(self->object));
    board_await(&self->board->done, 4);
}

/* The first who has done with it aborts, and then nobody waits: each of the others resets it and comes to its end. */
static void aborts_again(peer *self)
{
    while (atomic_load(&self->board->done) < 4) {
        if (atomic_load(&self->board->done) > 0) CHECK_OK(mproc_barrier_abort(self->object));
        check_pause_ms(1);
    }
}

static void case_resets_and_aborts_at_any_time_leave_nobody_behind(void)
{
    mproc_barrier *barrier = create(4);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.threads = 2;
    crowd_add(&crowd, 2, passes_or_not, barrier);
    crowd.threads = 1;
    crowd_add(&crowd, 1, aborts_again, barrier);
    crowd_join(&crowd);
    CHECK_EQ(mproc_barrier_waiting(barrier), 0);
    CHECK_OK(mproc_barrier_reset(barrier));
    check_passes(barrier, 4);
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

CHECK_TWINS(sync_barrier_break, peers_of_processes, sync_barrier_break_threads, peers_of_threads,
    CASE(abort_sends_all_away_until_reset),
    CASE(reset_sends_away_who_waits_and_leaves_the_barrier_whole),
    CASE(party_that_gives_up_breaks_it_for_all),
    CASE(no_time_breaks_it_at_once),
    CASE(default_limit_holds_for_waits_without_one),
    CASE(own_limit_stands_before_the_default),
    CASE(resets_and_aborts_at_any_time_leave_nobody_behind),
);
