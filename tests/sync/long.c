/* What takes longer: a million objects, many passes of a barrier. */
#include "sync/peers.h"

static void case_million_objects_do_not_grow_the_arena(void)
{
    uint64_t blocks = 0, committed = 0;
    mproc_condition *condition = NULL;
    mproc_event *event = NULL;
    mproc_lock *lock = NULL;
    int i;

    for (i = 0; i < 250000; i++) {
        CHECK_OK(mproc_lock_create(NULL, &lock));
        CHECK_OK(mproc_condition_create(NULL, &condition));
        CHECK_OK(mproc_event_create(&event));
        mproc_lock_free(lock);
        mproc_event_free(event);
        mproc_condition_free(condition);
        if (i == 0) blocks = peers_blocks();
        if (i == 0) committed = peers_committed();
    }
    CHECK_EQ(peers_blocks(), blocks);
    CHECK_EQ(peers_committed(), committed);
}

static void passes(peer *self)
{
    int i;

    for (i = 0; i < 20000; i++) CHECK_OK(mproc_barrier_wait(self->object, MPROC_FOREVER, NULL));
}

static void case_barrier_passes_twenty_thousand_times(void)
{
    mproc_barrier *barrier = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_barrier_create(5, NULL, &barrier));
    crowd_add(&crowd, 5, passes, barrier);
    crowd_join(&crowd);
    CHECK(!mproc_barrier_broken(barrier));
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

CHECK_TWINS(sync_long, peers_of_processes, sync_long_threads, peers_of_threads,
    CASE_LIMIT(million_objects_do_not_grow_the_arena, 300),
    CASE_LIMIT(barrier_passes_twenty_thousand_times, 300),
);
