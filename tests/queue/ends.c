/* Closed, freed and interrupted while others wait. */
#include "queue/queues.h"

/* ---- who waits ---------------------------------------------------------------------------------- */

enum { PUTS, PUTS_BYTES, PUTS_MANY, PUTS_LARGE, GETS, GETS_BYTES, GETS_MANY, WAYS };

typedef struct waiter {
    mproc_queue *queue;
    int way;
    mproc_status status;
    plat_thread *thread;
} waiter;

static mproc_status wait_by(mproc_queue *queue, int way)
{
    static const char bytes[10000];
    char taken[8];
    mproc_value value = mproc_nil();
    mproc_status status;
    size_t count;

    switch (way) {
    case PUTS:
        return mproc_queue_put(queue, mproc_int(1), MPROC_FOREVER);
    case PUTS_BYTES:
        return mproc_queue_put_bytes(queue, "x", 1, MPROC_FOREVER);
    case PUTS_MANY:
        return mproc_queue_put_many(queue, "xyz", 1, 3, NULL, MPROC_FOREVER);
    case PUTS_LARGE:
        return mproc_queue_put_bytes(queue, bytes, sizeof bytes, MPROC_FOREVER);
    case GETS:
        status = mproc_queue_get(queue, &value, MPROC_FOREVER);
        mproc_value_clear(&value);
        return status;
    case GETS_BYTES:
        return mproc_queue_get_bytes(queue, taken, sizeof taken, NULL, MPROC_FOREVER);
    default:
        return mproc_queue_get_many(queue, taken, 1, sizeof taken, &count, MPROC_FOREVER);
    }
}

static void waits(void *argument)
{
    waiter *self = argument;

    self->status = wait_by(self->queue, self->way);
}

static void waits_there(peer *self)
{
    atomic_store(&self->board->statuses[0], (int32_t)wait_by(self->object, (int)self->extra));
}

/* A queue that is full, or empty, so that the call waits. */
static mproc_queue *create(int way)
{
    mproc_queue *queue = queues_create(1, 0);

    queues_put_int(queue, 7);
    if (way >= GETS) CHECK_EQ(queues_get_int(queue), 7);
    return queue;
}

static void start(waiter *waiters, int count, mproc_queue *queue, int way)
{
    for (int i = 0; i < count; i++) {
        waiters[i] = (waiter){.queue = queue, .way = way};
        CHECK_OK(plat_thread_start(waits, &waiters[i], &waiters[i].thread));
    }
}

static void join(waiter *waiters, int count, mproc_status status)
{
    for (int i = 0; i < count; i++) plat_thread_join(waiters[i].thread);
    for (int i = 0; i < count; i++) CHECK_STATUS(waiters[i].status, status);
}

/* ---- closed and freed ----------------------------------------------------------------------------- */

/* Another process goes on; `again` is this process' second reference. */
static void check_sent_away(int way, bool freed)
{
    mproc_queue *queue = create(way), *again = peers_second(queue);
    waiter waiters[3];
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.extra = way;
    start(waiters, 3, queue, way);
    crowd_add(&crowd, 1, waits_there, again);
    peers_await_sleepers(again, 4);
    if (freed) mproc_queue_free(queue);
    else mproc_queue_close(queue);
    join(waiters, 3, MPROC_CLOSED);
    if (!freed) mproc_queue_free(queue);
    peers_await_sleepers(again, 1);
    if (way >= GETS) CHECK_OK(mproc_queue_put_bytes(again, "x", 1, 0));
    else CHECK_EQ(queues_get_int(again), 7);
    for (int i = 0; way == PUTS_MANY && i < 2; i++) {
        char byte;
        CHECK_OK(mproc_queue_get_bytes(again, &byte, 1, NULL, check_limit_ms()));
    }
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(&crowd.board->statuses[0]), MPROC_OK);
    mproc_queue_free(again);
    crowd_fini(&crowd);
}

static void case_close_sends_away_threads_that_wait_here_and_no_others(void)
{
    for (int way = 0; way < WAYS; way++) check_sent_away(way, false);
}

static void case_free_sends_away_threads_that_wait_here_and_no_others(void)
{
    for (int way = 0; way < WAYS; way++) check_sent_away(way, true);
}

static void case_closed_queue_neither_puts_nor_gets(void)
{
    mproc_queue *queue = queues_create(2, 0), *again = peers_second(queue);
    mproc_value value = mproc_int(5);
    mproc_queue_counts counts;
    char bytes[4];
    size_t count;

    queues_put_int(queue, 1);
    mproc_queue_close(queue);
    CHECK_SAYS(mproc_queue_put(queue, value, MPROC_FOREVER), MPROC_CLOSED, "this process has closed the queue");
    CHECK_STATUS(mproc_queue_put_bytes(queue, "x", 1, 0), MPROC_CLOSED);
    CHECK_STATUS(mproc_queue_put_many(queue, "xy", 1, 2, &count, 0), MPROC_CLOSED);
    CHECK_EQ(count, 0);
    CHECK_SAYS(mproc_queue_get(queue, &value, 0), MPROC_CLOSED, "this process has closed the queue");
    CHECK_STATUS(mproc_queue_get_bytes(queue, bytes, 4, NULL, MPROC_FOREVER), MPROC_CLOSED);
    CHECK_STATUS(mproc_queue_get_many(queue, bytes, 1, 4, &count, 20), MPROC_CLOSED);
    CHECK_EQ(mproc_value_int(value), 5);
    CHECK_EQ(mproc_queue_size(queue), 1);
    CHECK(!mproc_queue_empty(queue) && !mproc_queue_full(queue));
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK_EQ(counts.put, 1);
    CHECK_EQ(queues_get_int(again), 1);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    mproc_queue_free(again);
}

static void case_queue_is_closed_twice_and_used_or_not(void)
{
    mproc_queue *queue = queues_create(0, 0);

    mproc_queue_close(queue);
    mproc_queue_close(queue);
    CHECK(mproc_queue_empty(queue) && !mproc_queue_full(queue));
    CHECK_STATUS(mproc_queue_put(queue, mproc_nil(), 0), MPROC_CLOSED);
    mproc_queue_free(queue);
}

/* The thread that is told so says of what. */
static void says_why(void *argument)
{
    waiter *self = argument;

    CHECK_SAYS(wait_by(self->queue, self->way), MPROC_CLOSED, "this process has closed or freed the object");
}

static void case_who_waited_is_told_that_the_queue_was_closed(void)
{
    mproc_queue *queue = create(GETS);
    waiter self = {.queue = queue, .way = GETS};

    CHECK_OK(plat_thread_start(says_why, &self, &self.thread));
    peers_await_sleepers(queue, 1);
    mproc_queue_close(queue);
    plat_thread_join(self.thread);
    mproc_queue_free(queue);
}

/* ---- many times, at any moment --------------------------------------------------------------------- */

static void gets_until_closed(void *argument)
{
    waiter *self = argument;
    mproc_value value;

    while ((self->status = mproc_queue_get(self->queue, &value, MPROC_FOREVER)) == MPROC_OK) continue;
}

static void case_close_at_any_moment_is_seen_by_all(void)
{
    for (int round = 0; round < check_many(60, 20); round++) {
        mproc_queue *queue = queues_create(0, 0);
        waiter waiters[2];
        for (int i = 0; i < 2; i++) {
            waiters[i] = (waiter){.queue = queue};
            CHECK_OK(plat_thread_start(gets_until_closed, &waiters[i], &waiters[i].thread));
        }
        for (int i = 0; i < round % 20; i++) queues_put_int(queue, i);
        mproc_queue_close(queue);
        join(waiters, 2, MPROC_CLOSED);
        mproc_queue_free(queue);
    }
}

/* ---- interrupted --------------------------------------------------------------------------------- */

static void case_interrupt_ends_each_wait_of_each_thread(void)
{
    for (int way = 0; way < WAYS; way++) {
        mproc_queue *queue = create(way);
        int64_t size = mproc_queue_size(queue);
        waiter waiters[2];
        start(waiters, 2, queue, way);
        peers_await_sleepers(queue, 2);
        mproc_interrupt();
        join(waiters, 2, MPROC_INTERRUPTED);
        CHECK(mproc_interrupted());
        CHECK_EQ(mproc_queue_size(queue), size);
        mproc_queue_free(queue);
    }
}

/* It ends a wait, not a call that need not wait. */
static void case_interrupt_from_before_ends_the_wait_alone(void)
{
    mproc_queue *queue = create(PUTS);

    mproc_interrupt();
    CHECK_EQ(queues_get_int(queue), 7);
    CHECK_SAYS(wait_by(queue, GETS), MPROC_INTERRUPTED, "was interrupted");
    CHECK(!mproc_interrupted());
    mproc_queue_free(queue);
}

static void is_interrupted(peer *self)
{
    CHECK_OK(mproc_catch_interrupts());
    CHECK_STATUS(wait_by(self->object, (int)self->extra), MPROC_INTERRUPTED);
    mproc_interrupted(); /* the signal that comes with the request may be one more */
}

static void check_interrupted(int way)
{
    mproc_queue *queue = create(way);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.extra = way;
    crowd_add(&crowd, 1, is_interrupted, queue);
    peers_await_sleepers(queue, 1);
    CHECK_OK(mproc_process_interrupt(crowd.all[0].process));
    crowd_fini(&crowd);
    CHECK_EQ(mproc_queue_size(queue), way < GETS);
    mproc_queue_free(queue);
}

static void case_wait_of_another_process_can_be_interrupted(void)
{
    check_interrupted(PUTS);
    check_interrupted(GETS);
}

CHECK_SUITE_SETUP(queue_ends, peers_of_processes,
    CASE(close_sends_away_threads_that_wait_here_and_no_others),
    CASE(free_sends_away_threads_that_wait_here_and_no_others),
    CASE(closed_queue_neither_puts_nor_gets),
    CASE(queue_is_closed_twice_and_used_or_not),
    CASE(who_waited_is_told_that_the_queue_was_closed),
    CASE(close_at_any_moment_is_seen_by_all),
    CASE(interrupt_ends_each_wait_of_each_thread),
    CASE(interrupt_from_before_ends_the_wait_alone),
    CASE(wait_of_another_process_can_be_interrupted),
);
