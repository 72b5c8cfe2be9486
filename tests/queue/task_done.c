/* Joinable queues: which item is done by whom, and each kind of item. */
#include "queue/queues.h"

#include <stdlib.h>

/* ---- whose is done ------------------------------------------------------------------------------- */

static void gets_one_and_waits(peer *self)
{
    CHECK_EQ(queues_get_int(self->object), self->extra);
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    if (!peers_are_threads()) CHECK_OK(mproc_queue_task_done(self->object));
    atomic_fetch_add(&self->board->done, 1);
}

/* What another process has got is not ours to say. */
static void case_task_done_once_too_often_is_refused(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_SAYS(mproc_queue_task_done(queue), MPROC_BAD_STATE, "one task_done() too many");
    queues_put_int(queue, 1);
    CHECK_STATUS(mproc_queue_task_done(queue), MPROC_BAD_STATE);
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_SAYS(mproc_queue_task_done(queue), MPROC_BAD_STATE, "one task_done() too many");
    queues_put_int(queue, 5);
    crowd.extra = 5;
    crowd_add(&crowd, 1, gets_one_and_waits, queue);
    board_await(&crowd.board->ready, 1);
    CHECK_STATUS(mproc_queue_task_done(queue), peers_are_threads() ? MPROC_OK : MPROC_BAD_STATE);
    CHECK_EQ(queues_counts(queue).done, peers_are_threads() ? 2 : 1);
    atomic_store(&crowd.board->go, 1);
    crowd_join(&crowd);
    CHECK_EQ(queues_counts(queue).done, 2);
    CHECK_OK(mproc_queue_join(queue, 0));
    CHECK_STATUS(mproc_queue_task_done(queue), MPROC_BAD_STATE);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

/* What is not done comes back when the reference is freed: these, in this order. */
static void check_left(mproc_queue *queue, mproc_queue *again, const int *left, int count)
{
    mproc_queue_free(queue);
    CHECK_EQ(mproc_queue_size(again), count);
    for (int i = 0; i < count; i++) {
        CHECK_EQ(queues_get_int(again), left[i]);
        CHECK_EQ(mproc_queue_redelivered(again), 1);
        CHECK_OK(mproc_queue_task_done(again));
    }
    CHECK_OK(mproc_queue_join(again, 0));
    mproc_queue_free(again);
}

static void case_own_items_are_done_oldest_first(void)
{
    for (int done = 0; done <= 4; done++) {
        mproc_queue *queue = queues_create_joinable(0, 0), *again = peers_second(queue);
        for (int i = 1; i <= 4; i++) queues_put_int(queue, i);
        for (int i = 1; i <= 4; i++) CHECK_EQ(queues_get_int(queue), i);
        for (int i = 0; i < done; i++) CHECK_OK(mproc_queue_task_done(queue));
        check_left(queue, again, &(int[]){1, 2, 3, 4, 0}[done], 4 - done);
    }
}

/* A thread that gets what is next and stays; the case's threads do not end before their items are done. */
typedef struct getter {
    mproc_queue *queue;
    int64_t expected;
    _Atomic uint32_t got;
    _Atomic uint32_t go;
    plat_thread *thread;
} getter;

static void gets_item(void *argument)
{
    getter *self = argument;

    CHECK_EQ(queues_get_int(self->queue), self->expected);
    CHECK_EQ(mproc_queue_redelivered(self->queue), 0);
    atomic_store(&self->got, 1);
    CHECK_AWAIT(&self->go, 1);
}

static void start_getter(getter *self, mproc_queue *queue, int64_t expected)
{
    *self = (getter){.queue = queue, .expected = expected};
    CHECK_OK(plat_thread_start(gets_item, self, &self->thread));
    CHECK_AWAIT(&self->got, 1);
}

static void end_getter(getter *self)
{
    atomic_store(&self->go, 1);
    plat_thread_join(self->thread);
}

/* Here 1 is another's, 2 ours, 3 a third one's, 4 ours: they are done in the order 2, 4, 1, 3. */
static void case_own_items_are_done_before_those_of_other_threads(void)
{
    static const int left[5][4] = {{1, 2, 3, 4}, {1, 3, 4}, {1, 3}, {3}, {0}};

    for (int done = 0; done <= 4; done++) {
        mproc_queue *queue = queues_create_joinable(0, 0), *again = peers_second(queue);
        getter first, third;
        for (int i = 1; i <= 4; i++) queues_put_int(queue, i);
        start_getter(&first, queue, 1);
        CHECK_EQ(queues_get_int(queue), 2);
        start_getter(&third, queue, 3);
        CHECK_EQ(queues_get_int(queue), 4);
        for (int i = 0; i < done; i++) CHECK_OK(mproc_queue_task_done(queue));
        if (done == 4) CHECK_STATUS(mproc_queue_task_done(queue), MPROC_BAD_STATE);
        end_getter(&first);
        end_getter(&third);
        check_left(queue, again, left[done], 4 - done);
    }
}

/* What is got next comes behind those that are left. */
static void case_item_that_was_got_last_is_done_before_others(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0), *again = peers_second(queue);
    getter first;

    for (int i = 1; i <= 4; i++) queues_put_int(queue, i);
    start_getter(&first, queue, 1);
    CHECK_EQ(queues_get_int(queue), 2);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_EQ(queues_get_int(queue), 3);
    CHECK_EQ(queues_get_int(queue), 4);
    end_getter(&first);
    check_left(queue, again, (int[]){1, 3, 4}, 3);
}

/* It is its process' still. */
static void case_item_of_a_thread_that_ended_is_done_by_another(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    getter ended;

    queues_put_int(queue, 1);
    start_getter(&ended, queue, 1);
    end_getter(&ended);
    CHECK(mproc_queue_empty(queue));
    CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_OK(mproc_queue_join(queue, 0));
    mproc_queue_free(queue);
}

enum { READ = 100, READ_BYTES = 200000 };

typedef struct reader {
    mproc_queue *queue;
    _Atomic uint32_t *taken;
    plat_thread *thread;
} reader;

static void reads(void *argument)
{
    reader *self = argument;
    unsigned char *bytes = malloc(READ_BYTES);
    size_t size;

    CHECK(bytes != NULL);
    while (atomic_fetch_add(self->taken, 1) < READ) {
        CHECK_OK(mproc_queue_get_bytes(self->queue, bytes, READ_BYTES, &size, check_limit_ms()));
        CHECK_EQ(size, READ_BYTES);
        queues_check_bytes(bytes, size, 9);
    }
    free(bytes);
}

/* What is still copied is not done by another thread: the item would be gone. */
static void case_item_that_is_read_is_not_done_by_another_thread(void)
{
    mproc_queue *queue = queues_create_joinable(4, 0);
    unsigned char *bytes = malloc(READ_BYTES);
    _Atomic uint32_t taken = 0;
    reader readers[2];
    int put = 0, done = 0;

    CHECK(bytes != NULL);
    queues_fill(bytes, READ_BYTES, 9);
    for (int i = 0; i < 2; i++) {
        readers[i] = (reader){.queue = queue, .taken = &taken};
        CHECK_OK(plat_thread_start(reads, &readers[i], &readers[i].thread));
    }
    while (done < READ) {
        if (put < READ && mproc_queue_put_bytes(queue, bytes, READ_BYTES, 0) == MPROC_OK) put++;
        if (mproc_queue_task_done(queue) == MPROC_OK) done++;
    }
    for (int i = 0; i < 2; i++) plat_thread_join(readers[i].thread);
    CHECK_OK(mproc_queue_join(queue, 0));
    mproc_queue_free(queue);
    free(bytes);
}

/* By another reference of the same process nothing was got. */
static void case_item_is_done_by_the_reference_that_got_it(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0), *again = peers_second(queue);

    queues_put_int(queue, 1);
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_STATUS(mproc_queue_task_done(again), MPROC_BAD_STATE);
    CHECK_EQ(mproc_queue_redelivered(again), 0);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_OK(mproc_queue_join(again, 0));
    mproc_queue_free(again);
    mproc_queue_free(queue);
}

static void case_queue_that_is_not_joinable_counts_nothing(void)
{
    mproc_queue *queue = queues_create(0, 0);

    queues_put_int(queue, 1);
    CHECK_SAYS(mproc_queue_join(queue, MPROC_FOREVER), MPROC_BAD_STATE, "without the option joinable");
    CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_BAD_STATE);
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_SAYS(mproc_queue_task_done(queue), MPROC_BAD_STATE, "without the option joinable");
    CHECK_EQ(mproc_queue_redelivered(queue), 0);
    CHECK(queues_counts(queue).done == 0 && queues_counts(queue).redelivered == 0);
    mproc_queue_free(queue);
}

static void case_items_are_done_after_close(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0), *again = peers_second(queue);
    mproc_value value = mproc_nil();

    queues_put_int(queue, 1);
    queues_put_int(queue, 2);
    CHECK_EQ(queues_get_int(queue), 1);
    mproc_queue_close(queue);
    CHECK_SAYS(mproc_queue_join(queue, 0), MPROC_CLOSED, "this process has closed the queue");
    CHECK_STATUS(mproc_queue_join(queue, MPROC_FOREVER), MPROC_CLOSED);
    CHECK_STATUS(mproc_queue_get(queue, &value, 0), MPROC_CLOSED);
    CHECK_EQ(queues_counts(queue).done, 0);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_STATUS(mproc_queue_task_done(queue), MPROC_BAD_STATE);
    CHECK_EQ(queues_counts(queue).done, 1);
    CHECK_EQ(queues_get_int(again), 2);
    CHECK_OK(mproc_queue_task_done(again));
    CHECK_OK(mproc_queue_join(again, 0));
    CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_CLOSED);
    mproc_queue_free(again);
    mproc_queue_free(queue);
}

/* ---- each kind of put and get ---------------------------------------------------------------------- */

enum { LARGE = 40000 };

/* An item that came is one that is not done, in whatever way it was put and got. */
static void does(mproc_queue *queue, int64_t done)
{
    mproc_queue_counts counts = queues_counts(queue);

    CHECK(counts.done == done && counts.put == done + 1 && counts.got == done + 1);
    CHECK(counts.lost == 0 && counts.redelivered == 0);
    CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_TIMEOUT);
    CHECK_EQ(mproc_queue_redelivered(queue), 0);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_OK(mproc_queue_join(queue, 0));
}

static void case_each_kind_of_item_is_done(void)
{
    static unsigned char bytes[LARGE], taken[LARGE];
    mproc_queue *queue = queues_create_joinable(0, 0);
    const mproc_value values[] = {mproc_nil(), mproc_double(1.5), mproc_string("short"), MPROC_LIST(1, "two", 3),
                                  mproc_bytes(bytes, LARGE)};
    int64_t done = 0;
    uint64_t blocks;

    queues_fill(bytes, LARGE, 3);
    CHECK_STATUS(mproc_queue_get(queue, &(mproc_value){0}, 0), MPROC_TIMEOUT); /* the account of its leases */
    blocks = peers_blocks();
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        mproc_value value;
        CHECK_OK(mproc_queue_put(queue, values[i], 0));
        CHECK_OK(mproc_queue_get(queue, &value, 0));
        CHECK(mproc_value_equal(value, values[i]));
        does(queue, done++);
        CHECK(mproc_value_equal(value, values[i]));
        mproc_value_clear(&value);
    }
    for (size_t size = 0; size <= LARGE; size = size ? size * 200 : 1) {
        size_t got = 9;
        CHECK_OK(mproc_queue_put_bytes(queue, bytes, size, 0));
        CHECK_OK(mproc_queue_get_bytes(queue, taken, LARGE, &got, 0));
        CHECK_EQ(got, size);
        queues_check_bytes(taken, size, 3);
        does(queue, done++);
    }
    mproc_queue_free(queue);
    peers_await_blocks(blocks - 2); /* the queue and the account */
}

static void case_many_are_put_at_once_and_got_one_at_a_time(void)
{
    mproc_queue *queue = queues_create_joinable(3, 0);
    int32_t items[5] = {10, 20, 30, 40, 50}, taken[5] = {0};
    size_t count = 9;

    CHECK_STATUS(mproc_queue_put_many(queue, items, sizeof *items, 5, &count, 0), MPROC_TIMEOUT);
    CHECK_EQ(count, 3);
    CHECK_STATUS(mproc_queue_put_many(queue, items, sizeof *items, 5, &count, 20), MPROC_TIMEOUT);
    CHECK_EQ(count, 0);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(mproc_queue_get_many(queue, taken, sizeof *taken, 5, &count, 0));
        CHECK(count == 1 && taken[0] == items[i]);
    }
    count = 9;
    CHECK_STATUS(mproc_queue_get_many(queue, taken, sizeof *taken, 5, &count, 0), MPROC_TIMEOUT);
    CHECK_EQ(count, 9);
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_TIMEOUT);
        CHECK_OK(mproc_queue_task_done(queue));
    }
    CHECK_OK(mproc_queue_join(queue, 0));
    CHECK_OK(mproc_queue_put_many(queue, items, sizeof *items, 0, &count, 0));
    CHECK_EQ(count, 0);
    CHECK_OK(mproc_queue_join(queue, 0));
    mproc_queue_free(queue);
}

/* What did not fit, and what was refused, is nobody's lease. */
static void case_item_that_was_refused_to_the_getter_is_not_leased(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    mproc_queue_buffer buffer = {0};
    char taken[4];
    size_t size = 0;

    queues_put_int(queue, 1);
    CHECK_OK(mproc_queue_put_bytes(queue, "0123456789", 10, 0));
    CHECK_STATUS(mproc_queue_get_bytes(queue, taken, 4, NULL, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_get_many(queue, taken, 4, 1, &size, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_peek(queue, &buffer, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_task_done(queue), MPROC_BAD_STATE);
    CHECK_EQ(mproc_queue_size(queue), 2);
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_STATUS(mproc_queue_get_bytes(queue, taken, 4, &size, 0), MPROC_INVALID);
    CHECK_EQ(size, 10);
    CHECK_STATUS(mproc_queue_task_done(queue), MPROC_BAD_STATE);
    CHECK_EQ(mproc_queue_size(queue), 1);
    mproc_queue_free(queue);
}

/* ---- with limits --------------------------------------------------------------------------------- */

static void waits_for_room(peer *self)
{
    queues_put_int(self->object, 100);
    atomic_fetch_add(&self->board->done, 1);
}

/* Room is there when an item is got, not only when it is done. */
static void case_item_that_is_not_done_takes_no_room(void)
{
    mproc_queue *queue = queues_create_joinable(1, 16);
    mproc_queue_counts counts;
    peer_crowd crowd;

    crowd_init(&crowd);
    queues_put_int(queue, 1);
    CHECK(mproc_queue_full(queue));
    CHECK_STATUS(mproc_queue_put(queue, mproc_int(2), 0), MPROC_TIMEOUT);
    crowd_add(&crowd, 1, waits_for_room, queue);
    peers_await_sleepers(queue, 1);
    CHECK_EQ(queues_get_int(queue), 1);
    crowd_join(&crowd);
    CHECK(mproc_queue_full(queue) && mproc_queue_size(queue) == 1);
    counts = queues_counts(queue);
    CHECK(counts.put == 2 && counts.got == 1 && counts.done == 0);
    CHECK(counts.put_bytes == 32 && counts.got_bytes == 16);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_EQ(queues_get_int(queue), 100);
    CHECK(mproc_queue_empty(queue) && !mproc_queue_full(queue));
    CHECK_OK(mproc_queue_task_done(queue));
    counts = queues_counts(queue);
    CHECK(counts.put == 2 && counts.got == 2 && counts.done == 2 && counts.redelivered == 0 && counts.lost == 0);
    CHECK(counts.put_bytes == 32 && counts.got_bytes == 32);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

CHECK_TWINS(queue_task_done, peers_of_processes, queue_task_done_threads, peers_of_threads,
    CASE(task_done_once_too_often_is_refused),
    CASE(item_that_is_not_done_takes_no_room),
);

CHECK_SUITE_SETUP(queue_tasks, peers_of_processes,
    CASE(own_items_are_done_oldest_first),
    CASE(own_items_are_done_before_those_of_other_threads),
    CASE(item_that_was_got_last_is_done_before_others),
    CASE(item_of_a_thread_that_ended_is_done_by_another),
    CASE(item_that_is_read_is_not_done_by_another_thread),
    CASE(item_is_done_by_the_reference_that_got_it),
    CASE(queue_that_is_not_joinable_counts_nothing),
    CASE(items_are_done_after_close),
    CASE(each_kind_of_item_is_done),
    CASE(many_are_put_at_once_and_got_one_at_a_time),
    CASE(item_that_was_refused_to_the_getter_is_not_leased),
);
