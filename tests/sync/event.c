/* mproc/event.h. Set from a signal handler: posix_sync.c. */
#include "sync/peers.h"

static void sets_when_told(peer *self)
{
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    CHECK_OK(mproc_event_set(self->object));
}

static void check_unset(mproc_event *event)
{
    int64_t began_ms = check_now_ms();

    CHECK(!mproc_event_is_set(event));
    CHECK_STATUS(mproc_event_wait(event, 0), MPROC_TIMEOUT);
    CHECK_SAYS(mproc_event_wait(event, 20), MPROC_TIMEOUT, "not set within 20 ms");
    CHECK(check_now_ms() - began_ms >= 19);
}

static void check_set(mproc_event *event)
{
    CHECK(mproc_event_is_set(event));
    CHECK_OK(mproc_event_wait(event, 0));
    CHECK_OK(mproc_event_wait(event, 20));
    CHECK_OK(mproc_event_wait(event, MPROC_FOREVER));
}

static void case_event_is_unset_until_it_is_set_and_after_it_was_cleared(void)
{
    mproc_event *event = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_event_create(&event));
    check_unset(event);
    CHECK_OK(mproc_event_clear(event));
    CHECK_OK(mproc_event_set(event));
    CHECK_OK(mproc_event_set(event));
    check_set(event);
    CHECK_OK(mproc_event_clear(event));
    CHECK_OK(mproc_event_clear(event));
    check_unset(event);
    crowd_add(&crowd, 1, sets_when_told, event);
    board_await(&crowd.board->ready, 1);
    atomic_store(&crowd.board->go, 1);
    CHECK_OK(mproc_event_wait(event, MPROC_FOREVER));
    crowd_join(&crowd);
    check_set(event);
    mproc_event_free(event);
    crowd_fini(&crowd);
}

static void waits(peer *self)
{
    CHECK_OK(mproc_event_wait(self->object, MPROC_FOREVER));
    atomic_fetch_add(&self->board->done, 1);
}

/* Whoever slept when it was set goes on, although it is unset again before he looks. */
static void case_set_then_clear_wakes_all_who_waited(void)
{
    mproc_event *event = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_event_create(&event));
    for (i = 0; i < 5; i++) {
        crowd_add(&crowd, 3, waits, event);
        peers_await_sleepers(event, 6);
        CHECK_OK(mproc_event_set(event));
        CHECK_OK(mproc_event_clear(event));
        crowd_join(&crowd);
        CHECK_EQ(atomic_load(&crowd.board->done), 6 * (i + 1));
        CHECK_STATUS(mproc_event_wait(event, 0), MPROC_TIMEOUT);
    }
    mproc_event_free(event);
    crowd_fini(&crowd);
}

/* Two events as a ball: each side waits for its own, clears it, and sets the other's. */
static void plays(peer *self)
{
    int i;

    for (i = 0; i < 1000; i++) {
        CHECK_OK(mproc_event_wait(self->object, check_limit_ms()));
        CHECK_OK(mproc_event_clear(self->object));
        CHECK_OK(mproc_event_set(self->other));
    }
}

static void case_events_pass_a_ball(void)
{
    mproc_event *ours = NULL;
    mproc_event *theirs = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    CHECK_OK(mproc_event_create(&ours));
    CHECK_OK(mproc_event_create(&theirs));
    crowd.other = ours;
    crowd_add(&crowd, 1, plays, theirs);
    for (i = 0; i < 1000; i++) {
        CHECK_OK(mproc_event_set(theirs));
        CHECK_OK(mproc_event_wait(ours, check_limit_ms()));
        CHECK_OK(mproc_event_clear(ours));
    }
    crowd_fini(&crowd);
    mproc_event_free(ours);
    mproc_event_free(theirs);
}

/* Setters and clearers all at once: it ends set, and everybody sees it. */
static void sets_and_clears(peer *self)
{
    int i;

    for (i = 0; i < 3000; i++) {
        CHECK_OK(mproc_event_set(self->object));
        if (mproc_event_wait(self->object, i % 2) != MPROC_OK) atomic_fetch_add(&self->board->count, 1);
        CHECK_OK(mproc_event_clear(self->object));
    }
    CHECK_OK(mproc_event_set(self->object));
    CHECK_OK(mproc_event_wait(self->other, MPROC_FOREVER));
}

static void case_many_set_and_clear_at_once(void)
{
    mproc_event *event = NULL;
    mproc_event *end = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_event_create(&end));
    crowd.other = end;
    crowd_add(&crowd, 3, sets_and_clears, event);
    peers_await_sleepers(end, 6);
    CHECK(mproc_event_is_set(event));
    CHECK_OK(mproc_event_set(end));
    crowd_fini(&crowd);
    mproc_event_free(end);
    mproc_event_free(event);
}

CHECK_TWINS(sync_event, peers_of_processes, sync_event_threads, peers_of_threads,
    CASE(event_is_unset_until_it_is_set_and_after_it_was_cleared),
    CASE(set_then_clear_wakes_all_who_waited),
    CASE(events_pass_a_ball),
    CASE(many_set_and_clear_at_once),
);
