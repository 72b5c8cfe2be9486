/* mproc/semaphore.h. */
#include "sync/peers.h"

#include "object/reference.h"
#include "sync/permits.h"

/* ---- alone -------------------------------------------------------------------------------------- */

static void case_permits_are_taken_and_given_without_a_bound(void)
{
    mproc_semaphore *semaphore = NULL;
    int i;

    CHECK_OK(mproc_semaphore_create(2, NULL, &semaphore));
    for (i = 2; i > 0; i--) {
        CHECK_EQ(mproc_semaphore_value(semaphore), i);
        CHECK_OK(mproc_semaphore_acquire(semaphore, MPROC_FOREVER));
    }
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 0), MPROC_TIMEOUT);
    for (i = 1; i <= 4; i++) {
        CHECK_OK(mproc_semaphore_release(semaphore));
        CHECK_EQ(mproc_semaphore_value(semaphore), i);
    }
    mproc_semaphore_free(semaphore);
}

static void case_bounded_semaphore_has_never_more_than_at_first(void)
{
    mproc_semaphore *semaphore = NULL;
    int i;

    CHECK_OK(mproc_semaphore_create(2, &(mproc_semaphore_options){.bounded = true}, &semaphore));
    CHECK_SAYS(mproc_semaphore_release(semaphore), MPROC_BAD_STATE, "one release too many");
    for (i = 0; i < 2; i++) CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 0), MPROC_TIMEOUT);
    for (i = 0; i < 2; i++) CHECK_OK(mproc_semaphore_release(semaphore));
    CHECK_STATUS(mproc_semaphore_release(semaphore), MPROC_BAD_STATE);
    CHECK_EQ(mproc_semaphore_value(semaphore), 2);
    mproc_semaphore_free(semaphore);
    CHECK_OK(mproc_semaphore_create(0, &(mproc_semaphore_options){.bounded = true}, &semaphore));
    CHECK_STATUS(mproc_semaphore_release(semaphore), MPROC_BAD_STATE);
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 1), MPROC_TIMEOUT);
    mproc_semaphore_free(semaphore);
}

static void case_largest_number_of_permits_is_the_bound_of_all(void)
{
    mproc_semaphore *semaphore = NULL;

    CHECK_OK(mproc_semaphore_create(MPROC_SEMAPHORE_MAX, NULL, &semaphore));
    CHECK_EQ(mproc_semaphore_value(semaphore), MPROC_SEMAPHORE_MAX);
    CHECK_STATUS(mproc_semaphore_release(semaphore), MPROC_BAD_STATE);
    CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    CHECK_OK(mproc_semaphore_release(semaphore));
    CHECK_EQ(mproc_semaphore_value(semaphore), MPROC_SEMAPHORE_MAX);
    mproc_semaphore_free(semaphore);
}

static void case_acquire_gives_up_in_time(void)
{
    mproc_semaphore *semaphore = NULL;
    int64_t began_ms = check_now_ms();

    CHECK_OK(mproc_semaphore_create(0, NULL, &semaphore));
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 0), MPROC_TIMEOUT);
    CHECK_SAYS(mproc_semaphore_acquire(semaphore, 30), MPROC_TIMEOUT, "no permit within 30 ms");
    CHECK(check_now_ms() - began_ms >= 29);
    mproc_semaphore_free(semaphore);
}

/* ---- many --------------------------------------------------------------------------------------- */

enum { PAIRS = 4, ROUNDS = 3000 };

/* No more inside than permits, and once more than one, if it can be had at all. */
static void goes_in_and_out(peer *self)
{
    uint32_t inside;
    int i;

    for (i = 0; i < ROUNDS; i++) {
        CHECK_OK(mproc_semaphore_acquire(self->object, MPROC_FOREVER));
        inside = atomic_fetch_add(&self->board->inside, 1) + 1;
        CHECK(inside <= 3);
        atomic_fetch_sub(&self->board->inside, 1);
        CHECK_OK(mproc_semaphore_release(self->object));
    }
    atomic_fetch_add(&self->board->done, 1);
}

static void check_in_and_out(const mproc_semaphore_options *options)
{
    mproc_semaphore *semaphore = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_semaphore_create(3, options, &semaphore));
    crowd_add(&crowd, PAIRS, goes_in_and_out, semaphore);
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), PAIRS * 2);
    CHECK_EQ(mproc_semaphore_value(semaphore), 3);
    mproc_semaphore_free(semaphore);
    crowd_fini(&crowd);
}

static void case_no_more_are_inside_than_there_are_permits(void)
{
    check_in_and_out(NULL);
}

static void case_no_more_are_inside_than_there_are_owned_permits(void)
{
    check_in_and_out(&(mproc_semaphore_options){.owned = true, .bounded = true});
}

/* All release at once, more than may be: the sum of what was accepted is exact. */
static void releases_too_much(peer *self)
{
    mproc_status status;
    int i;

    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    for (i = 0; i < ROUNDS; i++) {
        status = mproc_semaphore_release(self->object);
        if (status == MPROC_OK) atomic_fetch_add(&self->board->count, 1);
        else CHECK_STATUS(status, MPROC_BAD_STATE);
        if (i % 4 == 0 && mproc_semaphore_acquire(self->object, 0) == MPROC_OK)
            atomic_fetch_add(&self->board->inside, 1);
    }
}

static void case_bound_is_exact_however_many_release_at_once(void)
{
    mproc_semaphore *semaphore = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_semaphore_create(5, &(mproc_semaphore_options){.bounded = true}, &semaphore));
    for (i = 0; i < 5; i++) CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    crowd_add(&crowd, PAIRS, releases_too_much, semaphore);
    board_await(&crowd.board->ready, PAIRS * 2);
    atomic_store(&crowd.board->go, 1);
    crowd_join(&crowd);
    CHECK_EQ((int64_t)atomic_load(&crowd.board->count) - atomic_load(&crowd.board->inside),
             mproc_semaphore_value(semaphore));
    CHECK(mproc_semaphore_value(semaphore) <= 5);
    mproc_semaphore_free(semaphore);
    crowd_fini(&crowd);
}

/* Permits go from one side to the other, as between who makes and who uses: nothing is lost, nobody sleeps on. */
static void consumes(peer *self)
{
    int i;

    for (i = 0; i < ROUNDS; i++) CHECK_OK(mproc_semaphore_acquire(self->object, check_limit_ms()));
}

static void produces(peer *self)
{
    int i;

    for (i = 0; i < ROUNDS; i++) CHECK_OK(mproc_semaphore_release(self->object));
}

static void case_each_release_wakes_one_who_waits(void)
{
    mproc_semaphore *semaphore = NULL;
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    CHECK_OK(mproc_semaphore_create(0, NULL, &semaphore));
    for (i = 0; i < 3; i++) {
        crowd_add(&crowd, 1, consumes, semaphore);
        crowd_add(&crowd, 1, produces, semaphore);
    }
    crowd_join(&crowd);
    CHECK_EQ(mproc_semaphore_value(semaphore), 0);
    mproc_semaphore_free(semaphore);
    crowd_fini(&crowd);
}

static void takes_one(peer *self)
{
    CHECK_OK(mproc_semaphore_acquire(self->object, check_limit_ms()));
    atomic_fetch_add(&self->board->done, 1);
}

static void case_release_wakes_no_more_than_one(void)
{
    mproc_semaphore *semaphore = NULL;
    peer_crowd crowd;
    uint32_t i;

    crowd_init(&crowd);
    crowd.threads = 2;
    CHECK_OK(mproc_semaphore_create(0, NULL, &semaphore));
    crowd_add(&crowd, 2, takes_one, semaphore);
    for (i = 0; i < 4; i++) {
        peers_await_sleepers(semaphore, 4 - (int)i);
        CHECK_EQ(atomic_load(&crowd.board->done), i);
        CHECK_OK(mproc_semaphore_release(semaphore));
        board_await(&crowd.board->done, i + 1);
    }
    mproc_semaphore_free(semaphore);
    crowd_fini(&crowd);
}

/* ---- permits with an owner ---------------------------------------------------------------------- */

static void case_owned_permits_are_released_by_who_has_some(void)
{
    mproc_semaphore *semaphore = NULL;

    CHECK_OK(mproc_semaphore_create(2, &(mproc_semaphore_options){.owned = true}, &semaphore));
    CHECK_SAYS(mproc_semaphore_release(semaphore), MPROC_NOT_OWNER, "no permit");
    CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    CHECK_OK(mproc_semaphore_acquire(semaphore, 10));
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 5), MPROC_TIMEOUT);
    CHECK_EQ(mproc_semaphore_value(semaphore), 0);
    CHECK_OK(mproc_semaphore_release(semaphore));
    CHECK_OK(mproc_semaphore_release(semaphore));
    CHECK_STATUS(mproc_semaphore_release(semaphore), MPROC_NOT_OWNER);
    CHECK_EQ(mproc_semaphore_value(semaphore), 2);
    mproc_semaphore_free(semaphore);
}

/* As long as the word says that somebody may sleep, each release asks the system to wake him. */
static void check_release_unmarks(bool owned)
{
    mproc_semaphore *semaphore = NULL;
    const struct semaphore *at;

    CHECK_OK(mproc_semaphore_create(1, &(mproc_semaphore_options){.owned = owned}, &semaphore));
    at = ((const struct reference *)(const void *)semaphore)->at;
    CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    CHECK_STATUS(mproc_semaphore_acquire(semaphore, 1), MPROC_TIMEOUT);
    CHECK_EQ(atomic_load(&at->value), SEMAPHORE_WAITERS);
    CHECK_OK(mproc_semaphore_release(semaphore));
    CHECK_EQ(atomic_load(&at->value), 1);
    mproc_semaphore_free(semaphore);
}

static void case_release_that_wakes_nobody_is_the_last_to_look_for_sleepers(void)
{
    check_release_unmarks(false);
    check_release_unmarks(true);
}

CHECK_TWINS(sync_semaphore, peers_of_processes, sync_semaphore_threads, peers_of_threads,
    CASE(permits_are_taken_and_given_without_a_bound),
    CASE(bounded_semaphore_has_never_more_than_at_first),
    CASE(largest_number_of_permits_is_the_bound_of_all),
    CASE(acquire_gives_up_in_time),
    CASE(no_more_are_inside_than_there_are_permits),
    CASE(no_more_are_inside_than_there_are_owned_permits),
    CASE(bound_is_exact_however_many_release_at_once),
    CASE(each_release_wakes_one_who_waits),
    CASE(release_wakes_no_more_than_one),
    CASE(owned_permits_are_released_by_who_has_some),
    CASE(release_that_wakes_nobody_is_the_last_to_look_for_sleepers),
);
