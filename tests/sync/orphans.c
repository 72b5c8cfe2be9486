/*
 * Processes whose parent has ended before them: of their ends nobody is told, and what they had comes back all the
 * same.
 */
#include "sync/peers.h"

/* Starts both, waits until the grandchild holds the object, and kills its parent. */
static void make_orphan(peer_crowd *crowd, void *object, peer_holding *body)
{
    mproc_process *parent = crowd_start_grandchild(crowd, body, object);

    CHECK_OK(mproc_process_kill(parent));
    CHECK_OK(mproc_process_join(parent, check_limit_ms()));
    mproc_process_free(parent);
}

/* ---- what comes back ---------------------------------------------------------------------------- */

static void has_a_permit(void *object, board *its_board)
{
    CHECK_OK(mproc_semaphore_acquire(object, MPROC_FOREVER));
    atomic_store(&its_board->ready, 1);
    peer_waits_for_ever();
}

static mproc_semaphore *create_semaphore(peer_crowd *crowd)
{
    mproc_semaphore *semaphore = NULL;

    crowd_init(crowd);
    CHECK_OK(mproc_semaphore_create(1, &(mproc_semaphore_options){.owned = true}, &semaphore));
    make_orphan(crowd, semaphore, has_a_permit);
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 0), MPROC_TIMEOUT);
    return semaphore;
}

static void case_permit_of_a_killed_orphan_comes_back(void)
{
    peer_crowd crowd;
    mproc_semaphore *semaphore = create_semaphore(&crowd);

    fixture_kill(crowd.board->plain);
    CHECK_OK(mproc_semaphore_acquire(semaphore, check_limit_ms()));
    mproc_semaphore_free(semaphore);
    crowd_fini(&crowd);
}

/* No single wait is long enough for a look of its own. */
static void case_also_for_whoever_waits_for_short_times(void)
{
    peer_crowd crowd;
    mproc_semaphore *semaphore = create_semaphore(&crowd);
    mproc_status status = MPROC_TIMEOUT;

    fixture_kill(crowd.board->plain);
    for (int64_t i = 0; status == MPROC_TIMEOUT && i < check_limit_ms() / 20; i++)
        status = mproc_semaphore_acquire(semaphore, 20);
    CHECK_OK(status);
    mproc_semaphore_free(semaphore);
    crowd_fini(&crowd);
}

/* Nobody waits for anything: this process' reaper gives it back. */
static bool is_free(void *semaphore)
{
    return mproc_semaphore_value(semaphore) == 1;
}

static void case_also_while_nobody_waits(void)
{
    peer_crowd crowd;
    mproc_semaphore *semaphore = create_semaphore(&crowd);

    fixture_kill(crowd.board->plain);
    CHECK_WAIT_UNTIL(is_free, semaphore);
    mproc_semaphore_free(semaphore);
    crowd_fini(&crowd);
}

static void stands_at_a_barrier(void *object, board *its_board)
{
    atomic_store(&its_board->ready, 1);
    (void)mproc_barrier_wait(object, MPROC_FOREVER, NULL);
}

static void case_barrier_breaks_when_an_orphan_is_killed_there(void)
{
    mproc_barrier *barrier = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_barrier_create(3, NULL, &barrier));
    make_orphan(&crowd, barrier, stands_at_a_barrier);
    peers_await_sleepers(barrier, 1);
    fixture_kill(crowd.board->plain);
    CHECK_STATUS(mproc_barrier_wait(barrier, check_limit_ms(), NULL), MPROC_BROKEN);
    CHECK_CONTAINS(mproc_last_error_text(), "one of its parties will not come");
    mproc_barrier_free(barrier);
    crowd_fini(&crowd);
}

CHECK_SUITE_SETUP(sync_orphans, peers_of_processes,
    CASE(permit_of_a_killed_orphan_comes_back),
    CASE(also_for_whoever_waits_for_short_times),
    CASE(also_while_nobody_waits),
    CASE(barrier_breaks_when_an_orphan_is_killed_there),
);
