/* Joinable queues: items are done, and who joins waits until all are. */
#include "queue/queues.h"

/* ---- until all are done -------------------------------------------------------------------------- */

/* Until a sentinel comes, which is an item, too. */
static void works(peer *self)
{
    mproc_value value;

    atomic_fetch_add(&self->board->ready, 1);
    for (;;) {
        CHECK_OK(mproc_queue_get(self->object, &value, check_limit_ms()));
        if (mproc_value_is_nil(value)) break;
        atomic_fetch_add(&self->board->count, 1);
        CHECK_OK(mproc_queue_task_done(self->object));
    }
    CHECK_OK(mproc_queue_task_done(self->object));
}

static void case_join_returns_when_all_tasks_of_four_workers_are_done(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 4, works, queue);
    board_await(&crowd.board->ready, 4); /* from now on they have the queue */
    for (uint32_t round = 1; round <= 3; round++) {
        for (int i = 0; i < 10; i++) queues_put_int(queue, i);
        CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
        CHECK_EQ(atomic_load(&crowd.board->count), 10 * round);
    }
    for (int i = 0; i < 4; i++) CHECK_OK(mproc_queue_put(queue, mproc_nil(), 0));
    CHECK_OK(mproc_queue_join(queue, check_limit_ms()));
    crowd_fini(&crowd);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
}

/* Gets one, and says that it is done when it may. */
static void does_one(peer *self)
{
    CHECK_EQ(queues_get_int(self->object), self->number + 1);
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, (uint32_t)self->number + 1);
    CHECK_OK(mproc_queue_task_done(self->object));
    atomic_fetch_add(&self->board->done, 1);
}

typedef struct joiner {
    mproc_queue *queue;
    int64_t timeout_ms;
    mproc_status status;
    _Atomic uint32_t back;
    plat_thread *thread;
} joiner;

static void joins(void *argument)
{
    joiner *self = argument;

    self->status = mproc_queue_join(self->queue, self->timeout_ms);
    atomic_store(&self->back, 1);
}

static void start(joiner *all, int count, mproc_queue *queue)
{
    for (int i = 0; i < count; i++) {
        all[i] = (joiner){.queue = queue, .timeout_ms = MPROC_FOREVER};
        CHECK_OK(plat_thread_start(joins, &all[i], &all[i].thread));
    }
}

static void end(joiner *all, int count, mproc_status status)
{
    for (int i = 0; i < count; i++) plat_thread_join(all[i].thread);
    for (int i = 0; i < count; i++) CHECK_STATUS(all[i].status, status);
}

/* In the queue, then taken by somebody, then all but one done: none of that is enough. */
static void case_join_waits_until_the_last_one_is_done(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd crowd;
    joiner self;

    crowd_init(&crowd);
    queues_put_int(queue, 1);
    start(&self, 1, queue);
    peers_await_sleepers(queue, 1);
    queues_put_int(queue, 2);
    crowd_add(&crowd, 1, does_one, queue);
    board_await(&crowd.board->ready, 1);
    crowd_add(&crowd, 1, does_one, queue);
    board_await(&crowd.board->ready, 2);
    CHECK(mproc_queue_empty(queue));
    atomic_store(&crowd.board->go, 1);
    board_await(&crowd.board->done, 1);
    peers_await_sleepers(queue, 1);
    CHECK_EQ(atomic_load(&self.back), 0);
    CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_TIMEOUT);
    atomic_store(&crowd.board->go, 2);
    end(&self, 1, MPROC_OK);
    CHECK_OK(mproc_queue_join(queue, 0));
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void joins_there(peer *self)
{
    CHECK_OK(mproc_queue_join(self->object, MPROC_FOREVER));
    atomic_fetch_add(&self->board->done, 1);
}

static void case_all_who_join_are_woken_by_the_last_task(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd crowd;
    joiner here[2];

    crowd_init(&crowd);
    for (uint32_t round = 1; round <= 2; round++) {
        queues_put_int(queue, 1);
        queues_put_int(queue, 2);
        start(here, 2, queue);
        crowd_add(&crowd, 3, joins_there, queue);
        peers_await_sleepers(queue, 5);
        for (int i = 1; i <= 2; i++) {
            CHECK_EQ(atomic_load(&crowd.board->done), 3 * (round - 1));
            CHECK_EQ(queues_get_int(queue), i);
            CHECK_OK(mproc_queue_task_done(queue));
        }
        end(here, 2, MPROC_OK);
        crowd_join(&crowd);
        CHECK_EQ(atomic_load(&crowd.board->done), 3 * round);
    }
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void case_join_without_tasks_returns_at_once(void)
{
    mproc_queue *queue = queues_create_joinable(1, 0);

    CHECK_OK(mproc_queue_join(queue, 0));
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    queues_put_int(queue, 1);
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    CHECK_OK(mproc_queue_join(queue, 0));
    mproc_queue_free(queue);
}

static void case_join_waits_no_longer_than_its_time_limit(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    mproc_queue_counts counts;

    queues_put_int(queue, 1);
    for (int i = 0; i < 2; i++) {
        CHECK_SAYS(mproc_queue_join(queue, 0), MPROC_TIMEOUT, "items of the queue are not done");
        CHECK_SAYS(mproc_queue_join(queue, 20), MPROC_TIMEOUT, "items of the queue were not done within 20 ms");
        if (i == 0) CHECK_EQ(queues_get_int(queue), 1);
    }
    CHECK_SAYS(mproc_queue_join(queue, -5), MPROC_INVALID, "-5");
    counts = queues_counts(queue);
    CHECK(counts.put == 1 && counts.got == 1 && counts.done == 0);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_STATUS(mproc_queue_join(queue, -5), MPROC_INVALID);
    mproc_queue_free(queue);
}

/* ---- closed, freed, interrupted -------------------------------------------------------------------- */

static void case_join_of_a_closed_queue_is_refused(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);

    mproc_queue_close(queue);
    CHECK_SAYS(mproc_queue_join(queue, 0), MPROC_CLOSED, "this process has closed the queue");
    CHECK_STATUS(mproc_queue_join(queue, MPROC_FOREVER), MPROC_CLOSED);
    mproc_queue_free(queue);
}

/* A peer's process waits by a reference of its own. */
static void check_sent_away(bool freed)
{
    mproc_queue *queue = queues_create_joinable(0, 0), *again = peers_second(queue);
    peer_crowd crowd;
    joiner here[3];

    crowd_init(&crowd);
    queues_put_int(queue, 1);
    start(here, 3, queue);
    crowd_add(&crowd, 1, joins_there, again);
    peers_await_sleepers(again, 4);
    if (freed) mproc_queue_free(queue);
    else mproc_queue_close(queue);
    end(here, 3, MPROC_CLOSED);
    if (!freed) mproc_queue_free(queue);
    peers_await_sleepers(again, 1);
    CHECK_EQ(queues_get_int(again), 1);
    CHECK_EQ(atomic_load(&crowd.board->done), 0);
    CHECK_OK(mproc_queue_task_done(again));
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->done), 1);
    mproc_queue_free(again);
    crowd_fini(&crowd);
}

static void case_close_and_free_send_away_who_joins_here_and_no_others(void)
{
    check_sent_away(false);
    check_sent_away(true);
}

static void case_interrupt_ends_the_join_of_each_thread(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    joiner here[2];

    queues_put_int(queue, 1);
    start(here, 2, queue);
    peers_await_sleepers(queue, 2);
    mproc_interrupt();
    end(here, 2, MPROC_INTERRUPTED);
    CHECK(mproc_interrupted());
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_OK(mproc_queue_task_done(queue));
    mproc_interrupt();
    CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER)); /* it need not wait */
    CHECK(mproc_interrupted());
    mproc_queue_free(queue);
}

static void is_interrupted(peer *self)
{
    CHECK_OK(mproc_catch_interrupts());
    CHECK_STATUS(mproc_queue_join(self->object, MPROC_FOREVER), MPROC_INTERRUPTED);
    mproc_interrupted(); /* the signal that comes with the request may be one more */
}

static void case_join_of_another_process_can_be_interrupted(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    queues_put_int(queue, 1);
    crowd_add(&crowd, 1, is_interrupted, queue);
    peers_await_sleepers(queue, 1);
    CHECK_OK(mproc_process_interrupt(crowd.all[0].process));
    crowd_fini(&crowd);
    CHECK_EQ(queues_get_int(queue), 1);
    mproc_queue_free(queue);
}

CHECK_TWINS(queue_joinable, peers_of_processes, queue_joinable_threads, peers_of_threads,
    CASE(join_returns_when_all_tasks_of_four_workers_are_done),
    CASE(join_waits_until_the_last_one_is_done),
    CASE(all_who_join_are_woken_by_the_last_task),
);

CHECK_SUITE_SETUP(queue_join, peers_of_processes,
    CASE(join_without_tasks_returns_at_once),
    CASE(join_waits_no_longer_than_its_time_limit),
    CASE(join_of_a_closed_queue_is_refused),
    CASE(close_and_free_send_away_who_joins_here_and_no_others),
    CASE(interrupt_ends_the_join_of_each_thread),
    CASE(join_of_another_process_can_be_interrupted),
);
