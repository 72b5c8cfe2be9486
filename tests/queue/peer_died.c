/* MPROC_PEER_DIED: nobody is left who could put. */
#include "queue/queues.h"

#include <stdlib.h>

#define ENDED "nobody is left who puts"

static void puts_one_and_ends(peer *self)
{
    queues_put_int(self->object, 1);
    peer_end(self);
}

static void only_ends(peer *self)
{
    peer_end(self);
}

/* ---- when it comes ------------------------------------------------------------------------------- */

static void check_died(int how)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value value = mproc_int(5);
    char bytes[4];
    size_t count = 9;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.extra = how;
    crowd_add(&crowd, 1, puts_one_and_ends, queue);
    crowd_let_end(&crowd);
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_STATUS(mproc_queue_get(queue, &value, 0), MPROC_TIMEOUT);
    CHECK_SAYS(mproc_queue_get(queue, &value, MPROC_FOREVER), MPROC_PEER_DIED, ENDED);
    CHECK_STATUS(mproc_queue_get(queue, &value, check_limit_ms()), MPROC_PEER_DIED);
    CHECK_STATUS(mproc_queue_get_bytes(queue, bytes, 4, NULL, MPROC_FOREVER), MPROC_PEER_DIED);
    CHECK_STATUS(mproc_queue_get_many(queue, bytes, 1, 4, &count, MPROC_FOREVER), MPROC_PEER_DIED);
    CHECK_EQ(mproc_value_int(value), 5);
    CHECK_EQ(count, 9);
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

static void case_get_says_that_all_others_have_ended_however_they_did(void)
{
    check_died(PEER_RETURNS);
    check_died(PEER_EXITS);
    check_died(PEER_IS_KILLED);
}

typedef struct waiter {
    mproc_queue *queue;
    mproc_status status;
} waiter;

static void waits(void *argument)
{
    waiter *self = argument;
    mproc_value value;

    self->status = mproc_queue_get(self->queue, &value, MPROC_FOREVER);
}

static void check_woken(int how)
{
    waiter waiters[3];
    plat_thread *threads[3];
    mproc_queue *queue = queues_create(0, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.extra = how;
    crowd_add(&crowd, 2, only_ends, queue);
    board_await(&crowd.board->ready, 2);
    for (int i = 0; i < 3; i++) {
        waiters[i].queue = queue;
        CHECK_OK(plat_thread_start(waits, &waiters[i], &threads[i]));
    }
    peers_await_sleepers(queue, 3);
    if (how == PEER_IS_KILLED) crowd_kill(&crowd, 1);
    crowd_let_end(&crowd);
    for (int i = 0; i < 3; i++) {
        plat_thread_join(threads[i]);
        CHECK_STATUS(waiters[i].status, MPROC_PEER_DIED);
    }
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

static void case_who_waits_is_woken_when_the_last_other_ends(void)
{
    check_woken(PEER_RETURNS);
    check_woken(PEER_EXITS);
    check_woken(PEER_IS_KILLED);
}

static void frees_it(peer *self)
{
    peer_end(self);
    mproc_queue_free(self->object);
    self->object = NULL;
    board_await(&self->board->go, 2);
}

/* It lives on, but can put no more. */
static void case_who_has_freed_it_is_nobody(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value value;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, frees_it, queue);
    board_await(&crowd.board->ready, 1);
    atomic_store(&crowd.board->go, 1);
    CHECK_STATUS(mproc_queue_get(queue, &value, MPROC_FOREVER), MPROC_PEER_DIED);
    atomic_store(&crowd.board->go, 2);
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

/* ---- a consumer that was given it as an argument ------------------------------------------------- */

static mproc_status counts_until_the_end(mproc_call *call)
{
    mproc_queue *queue = NULL;
    int64_t expected = 0, got = 0;
    mproc_value value;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &queue, &expected));
    while ((status = mproc_queue_get(queue, &value, check_limit_ms())) == MPROC_OK) got++;
    CHECK_STATUS(status, MPROC_PEER_DIED);
    CHECK_EQ(got, expected);
    return MPROC_OK;
}

static void case_consumer_learns_that_its_parent_has_freed_the_queue(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_process *consumer = NULL;

    CHECK_OK(mproc_process_create(counts_until_the_end, MPROC_ARGS(queue, 3), NULL, &consumer));
    CHECK_OK(mproc_process_start(consumer));
    for (int i = 0; i < 3; i++) queues_put_int(queue, i);
    mproc_queue_free(queue);
    CHECK_EXITED(consumer, 0);
}

/* Its parent waits until it sleeps: the last other goes while it does. */
static void case_consumer_that_waits_is_woken_when_its_parent_frees_the_queue(void)
{
    mproc_queue *queue = queues_create(0, 0), *again;
    mproc_process *consumer = NULL;

    CHECK_OK(mproc_process_create(counts_until_the_end, MPROC_ARGS(queue, 0), NULL, &consumer));
    CHECK_OK(mproc_process_start(consumer));
    peers_await_sleepers(queue, 1);
    again = peers_second(queue);
    mproc_queue_free(again);
    mproc_queue_free(queue);
    CHECK_EXITED(consumer, 0);
}

static mproc_status puts_some(mproc_call *call)
{
    mproc_queue *queue = NULL;

    MPROC_TRY(mproc_unpack(call, &queue));
    for (int i = 0; i < 5; i++) queues_put_int(queue, i);
    return MPROC_OK;
}

/* The process object of the producer is still there, and it had the queue as an argument. */
static void case_consumer_learns_that_the_producer_ended(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_process *producer = NULL;
    mproc_value value;

    CHECK_OK(mproc_process_create(puts_some, MPROC_ARGS(queue), NULL, &producer));
    CHECK_OK(mproc_process_start(producer));
    for (int i = 0; i < 5; i++) CHECK_EQ(queues_get_int(queue), i);
    CHECK_STATUS(mproc_queue_get(queue, &value, check_limit_ms()), MPROC_PEER_DIED);
    CHECK_EXITED(producer, 0);
    mproc_queue_free(queue);
}

/* ---- when it does not ----------------------------------------------------------------------------- */

static void case_it_does_not_come_while_another_has_the_queue(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value value;
    peer_crowd dead, alive;

    crowd_init(&dead);
    crowd_init(&alive);
    dead.extra = PEER_IS_KILLED;
    crowd_add(&alive, 1, puts_one_and_ends, queue);
    CHECK_EQ(queues_get_int(queue), 1);
    crowd_add(&dead, 1, puts_one_and_ends, queue);
    CHECK_EQ(queues_get_int(queue), 1);
    crowd_let_end(&dead);
    CHECK_STATUS(mproc_queue_get(queue, &value, 100), MPROC_TIMEOUT);
    crowd_let_end(&alive);
    CHECK_STATUS(mproc_queue_get(queue, &value, MPROC_FOREVER), MPROC_PEER_DIED);
    mproc_queue_free(queue);
    crowd_fini(&alive);
    crowd_fini(&dead);
}

static void case_it_does_not_come_to_a_process_that_has_put(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value value;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, puts_one_and_ends, queue);
    CHECK_EQ(queues_get_int(queue), 1);
    queues_put_int(queue, 2);
    CHECK_EQ(queues_get_int(queue), 2);
    crowd_let_end(&crowd);
    CHECK_STATUS(mproc_queue_get(queue, &value, 100), MPROC_TIMEOUT);
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

static void case_it_does_not_come_before_anybody_else_had_the_queue(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value value;

    CHECK_STATUS(mproc_queue_get(queue, &value, 100), MPROC_TIMEOUT);
    mproc_queue_free(queue);
}

static void case_items_come_first(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_value value;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 3, puts_one_and_ends, queue);
    board_await(&crowd.board->ready, 3);
    atomic_store(&crowd.board->go, 1);
    crowd_join(&crowd);
    for (int i = 0; i < 3; i++) CHECK_EQ(queues_get_int(queue), 1);
    CHECK_STATUS(mproc_queue_get(queue, &value, MPROC_FOREVER), MPROC_PEER_DIED);
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

/* The account of what it has got is a handle of its own. */
static void case_joinable_queue_that_was_given_to_nobody_waits(void)
{
    mproc_queue *queue = NULL;
    mproc_value value;

    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.joinable = true}, &queue));
    CHECK_STATUS(mproc_queue_get(queue, &value, 1), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_queue_get(queue, &value, 1), MPROC_TIMEOUT);
    queues_put_int(queue, 1);
    CHECK_STATUS(mproc_queue_join(queue, 1), MPROC_TIMEOUT);
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(queue_peer_died, peers_of_processes,
    CASE(get_says_that_all_others_have_ended_however_they_did),
    CASE(who_waits_is_woken_when_the_last_other_ends),
    CASE(who_has_freed_it_is_nobody),
    CASE(consumer_learns_that_its_parent_has_freed_the_queue),
    CASE(consumer_that_waits_is_woken_when_its_parent_frees_the_queue),
    CASE(consumer_learns_that_the_producer_ended),
    CASE(it_does_not_come_while_another_has_the_queue),
    CASE(it_does_not_come_to_a_process_that_has_put),
    CASE(it_does_not_come_before_anybody_else_had_the_queue),
    CASE(items_come_first),
    CASE(joinable_queue_that_was_given_to_nobody_waits),
);
