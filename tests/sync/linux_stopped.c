/*
 * Processes that the system has stopped: who is slow to look learns what was, and who is to look after others and
 * does not is replaced.
 */
#include "sync/linux_stopping.h"
#include "sync/peers.h"

/* ---- a party that is slow to look --------------------------------------------------------------- */

static void waits(peer *self)
{
    atomic_store(&self->board->statuses[0], (int32_t)mproc_barrier_wait(self->object, MPROC_FOREVER, NULL));
}

/* Makes a barrier for two, at which a process waits that is stopped. */
static mproc_barrier *begin(peer_crowd *crowd)
{
    mproc_barrier *barrier = NULL;

    crowd_init(crowd);
    CHECK_OK(mproc_barrier_create(2, NULL, &barrier));
    crowd_add(crowd, 1, waits, barrier);
    peers_await_sleepers(barrier, 1);
    stop(mproc_process_pid(crowd->all[0].process));
    return barrier;
}

static void check_end(peer_crowd *crowd, mproc_barrier *barrier, mproc_status status)
{
    go_on(mproc_process_pid(crowd->all[0].process));
    crowd_join(crowd);
    CHECK_STATUS((mproc_status)atomic_load(&crowd->board->statuses[0]), status);
    crowd_fini(crowd);
    mproc_barrier_free(barrier);
}

static void fail_generations(mproc_barrier *barrier, int count)
{
    for (int i = 0; i < count; i++) {
        CHECK_STATUS(mproc_barrier_wait(barrier, 0, NULL), MPROC_BROKEN);
        CHECK_OK(mproc_barrier_reset(barrier));
    }
}

/* A count of failures that has few bits has come round after so many. */
static void check_failure_is_known(int later)
{
    peer_crowd crowd;
    mproc_barrier *barrier = begin(&crowd);

    CHECK_OK(mproc_barrier_reset(barrier));
    fail_generations(barrier, later);
    check_end(&crowd, barrier, MPROC_BROKEN);
}

static void case_party_whose_generation_failed_is_told_so_whatever_happened_since(void)
{
    check_failure_is_known(0);
    check_failure_is_known(255);
}

static void case_party_whose_generation_passed_is_told_so_whatever_happened_since(void)
{
    peer_crowd crowd;
    mproc_barrier *barrier = begin(&crowd);

    CHECK_OK(mproc_barrier_wait(barrier, 0, NULL));
    fail_generations(barrier, 300);
    check_end(&crowd, barrier, MPROC_OK);
}

/* ---- an owner whose parent does not look -------------------------------------------------------- */

static void holds_the_lock(void *lock, board *its_board)
{
    CHECK_OK(mproc_lock_acquire(lock, MPROC_FOREVER));
    atomic_store(&its_board->ready, 1);
    peer_waits_for_ever();
}

/* Each wait is too short to ask whether the owner lives. */
static void check_polling(int64_t timeout_ms)
{
    mproc_status status = MPROC_TIMEOUT;
    mproc_process *parent;
    mproc_lock *lock = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_lock_create(NULL, &lock));
    parent = crowd_start_grandchild(&crowd, holds_the_lock, lock);
    stop(mproc_process_pid(parent));
    CHECK_EQ(kill((pid_t)crowd.board->plain, SIGKILL), 0);
    for (int64_t i = 0; status == MPROC_TIMEOUT && i < check_limit_ms() / 2; i++) {
        status = mproc_lock_acquire(lock, timeout_ms);
        if (timeout_ms == 0) check_pause_ms(1);
    }
    CHECK_STATUS(status, MPROC_OWNER_DIED);
    go_on(mproc_process_pid(parent));
    CHECK_OK(mproc_process_join(parent, check_limit_ms()));
    mproc_process_free(parent);
    mproc_lock_free(lock);
    crowd_fini(&crowd);
}

static void case_whoever_only_tries_learns_that_the_owner_ended(void)
{
    check_polling(0);
}

static void case_whoever_waits_for_short_times_learns_that_the_owner_ended(void)
{
    check_polling(2);
}

CHECK_SUITE_SETUP(linux_stopped, peers_of_processes,
    CASE(party_whose_generation_failed_is_told_so_whatever_happened_since),
    CASE(party_whose_generation_passed_is_told_so_whatever_happened_since),
    CASE(whoever_only_tries_learns_that_the_owner_ended),
    CASE(whoever_waits_for_short_times_learns_that_the_owner_ended),
);
