/* Limits of items, of bytes and of time; what a queue says of itself; its counters. */
#include "queue/queues.h"

/* ---- full and empty ------------------------------------------------------------------------------ */

static void drains(peer *self)
{
    for (int64_t i = 0; i < 6; i++) CHECK_EQ(queues_get_int(self->object), i);
    CHECK(mproc_queue_empty(self->object) && !mproc_queue_full(self->object));
    atomic_store(&self->board->done, 1);
}

/* By each kind of put and each kind of time limit. */
static void case_full_queue_takes_no_more_until_it_is_drained(void)
{
    mproc_queue *queue = queues_create(6, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK(mproc_queue_empty(queue) && !mproc_queue_full(queue));
    for (int64_t i = 0; i < 6; i++) {
        CHECK(!mproc_queue_full(queue));
        CHECK_OK(mproc_queue_put(queue, mproc_int(i), i % 3 == 0 ? 0 : i % 3 == 1 ? 20 : MPROC_FOREVER));
        CHECK_EQ(mproc_queue_size(queue), i + 1);
    }
    CHECK(!mproc_queue_empty(queue) && mproc_queue_full(queue));
    CHECK_SAYS(mproc_queue_put(queue, mproc_int(7), 0), MPROC_TIMEOUT, "the queue is full");
    CHECK_SAYS(mproc_queue_put(queue, mproc_int(7), 20), MPROC_TIMEOUT, "the queue was full within 20 ms");
    CHECK_STATUS(mproc_queue_put_bytes(queue, "x", 1, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_queue_put_bytes(queue, "x", 1, 20), MPROC_TIMEOUT);
    CHECK_EQ(mproc_queue_size(queue), 6);
    crowd_add(&crowd, 1, drains, queue);
    board_await(&crowd.board->done, 1);
    CHECK(mproc_queue_empty(queue) && !mproc_queue_full(queue));
    CHECK_EQ(mproc_queue_size(queue), 0);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void fills(peer *self)
{
    for (int64_t i = 0; i < 4; i++) queues_put_int(self->object, i);
    atomic_store(&self->board->done, 1);
}

/* By each kind of get and each kind of time limit. */
static void case_empty_queue_gives_nothing(void)
{
    mproc_queue *queue = queues_create(0, 0);
    int64_t limits[] = {MPROC_FOREVER, 1000, 20, 0};
    mproc_value value = mproc_int(77);
    char bytes[8] = "same";
    peer_crowd crowd;
    size_t size = 5;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, fills, queue);
    board_await(&crowd.board->done, 1);
    CHECK_EQ(mproc_queue_size(queue), 4);
    for (int64_t i = 0; i < 4; i++) {
        CHECK_OK(mproc_queue_get(queue, &value, limits[i]));
        CHECK_EQ(mproc_value_int(value), i);
    }
    queues_put_int(queue, 1); /* from now on this process is not told that nobody is left */
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_SAYS(mproc_queue_get(queue, &value, 0), MPROC_TIMEOUT, "the queue is empty");
    CHECK_SAYS(mproc_queue_get(queue, &value, 20), MPROC_TIMEOUT, "the queue was empty within 20 ms");
    CHECK_STATUS(mproc_queue_get_bytes(queue, bytes, sizeof bytes, &size, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_queue_get_bytes(queue, bytes, sizeof bytes, &size, 20), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_queue_get_many(queue, bytes, 1, sizeof bytes, &size, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_queue_get_many(queue, bytes, 1, sizeof bytes, &size, 20), MPROC_TIMEOUT);
    CHECK_EQ(mproc_value_int(value), 3);
    CHECK_STRING(bytes, "same");
    CHECK_EQ(size, 5);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

/* No more than a bound that no clock is late for: that it waits at all. */
static void case_get_waits_for_its_time_limit(void)
{
    mproc_queue *queue = queues_create(0, 0);
    int64_t began_ms = check_now_ms();
    mproc_value value;

    CHECK_STATUS(mproc_queue_get(queue, &value, 100), MPROC_TIMEOUT);
    CHECK(check_now_ms() - began_ms >= 95);
    mproc_queue_free(queue);
}

/* ---- waiting ------------------------------------------------------------------------------------ */

static void waits_for_an_item(peer *self)
{
    atomic_store(&self->board->values[self->number], queues_get_int(self->object));
    atomic_fetch_add(&self->board->done, 1);
}

static void case_put_lets_one_in_who_waits_for_an_item(void)
{
    mproc_queue *queue = queues_create(0, 0);
    int64_t sum = 0;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 3, waits_for_an_item, queue);
    for (int i = 1; i <= 3; i++) {
        peers_await_sleepers(queue, 4 - i);
        CHECK_OK(mproc_queue_put(queue, mproc_int(i), 0));
        board_await(&crowd.board->done, (uint32_t)i);
        CHECK_EQ(atomic_load(&crowd.board->done), i);
    }
    crowd_join(&crowd);
    for (int i = 0; i < 3; i++) sum += atomic_load(&crowd.board->values[i]);
    CHECK_EQ(sum, 6);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void waits_for_room(peer *self)
{
    queues_put_int(self->object, 100);
    atomic_fetch_add(&self->board->done, 1);
}

static void case_get_lets_one_in_who_waits_for_room(void)
{
    mproc_queue *queue = queues_create(2, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    queues_put_int(queue, 1);
    queues_put_int(queue, 2);
    crowd_add(&crowd, 3, waits_for_room, queue);
    peers_await_sleepers(queue, 3);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(queues_get_int(queue), i < 3 ? i : 100);
        board_await(&crowd.board->done, (uint32_t)i);
        peers_await_sleepers(queue, 3 - i);
        CHECK_EQ(mproc_queue_size(queue), 2);
    }
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

/* ---- bytes -------------------------------------------------------------------------------------- */

static void puts_what_fits_later(peer *self)
{
    CHECK_OK(mproc_queue_put_bytes(self->object, "0123456789", 10, MPROC_FOREVER));
}

static void case_bytes_of_all_items_keep_to_their_limit(void)
{
    mproc_queue *queue = queues_create(0, 25);
    char bytes[32];
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_queue_put_bytes(queue, "0123456789", 10, 0));
    CHECK_OK(mproc_queue_put_bytes(queue, "0123456789", 10, 0));
    CHECK_STATUS(mproc_queue_put_bytes(queue, "012345", 6, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_put_bytes(queue, "01234", 5, 0));
    CHECK_STATUS(mproc_queue_put_bytes(queue, "0", 1, 20), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_put_bytes(queue, NULL, 0, 0));
    CHECK(!mproc_queue_full(queue));
    crowd_add(&crowd, 1, puts_what_fits_later, queue);
    peers_await_sleepers(queue, 1);
    CHECK_OK(mproc_queue_get_bytes(queue, bytes, sizeof bytes, NULL, 0));
    crowd_join(&crowd);
    CHECK_EQ(mproc_queue_size(queue), 4);
    CHECK_STATUS(mproc_queue_put_bytes(queue, "0", 1, 0), MPROC_TIMEOUT);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void case_item_of_more_bytes_than_the_limit_is_refused(void)
{
    static const char bytes[20000];
    mproc_queue *queue = queues_create(0, 100);

    CHECK_SAYS(mproc_queue_put_bytes(queue, bytes, 101, MPROC_FOREVER), MPROC_INVALID,
               "an item of 101 bytes for a queue of at most 100 bytes");
    CHECK_STATUS(mproc_queue_put_bytes(queue, bytes, sizeof bytes, MPROC_FOREVER), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(queue, mproc_bytes(bytes, 101), MPROC_FOREVER), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(queue, mproc_bytes(bytes, sizeof bytes), MPROC_FOREVER), MPROC_INVALID);
    CHECK(mproc_queue_empty(queue));
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, 100, 0));
    CHECK_STATUS(mproc_queue_put_bytes(queue, bytes, 101, 0), MPROC_INVALID);
    mproc_queue_free(queue);
}

/* ---- sizes and counters -------------------------------------------------------------------------- */

static void sees_what_was_put(peer *self)
{
    for (uint32_t i = 1; i <= 3; i++) {
        mproc_value value;
        board_await(&self->board->step, 2 * i - 1);
        CHECK_EQ(mproc_queue_size(self->object), 2);
        CHECK_OK(mproc_queue_get(self->object, &value, 0));
        mproc_value_clear(&value);
        CHECK_EQ(mproc_queue_size(self->object), 1);
        CHECK_OK(mproc_queue_get(self->object, &value, 0));
        CHECK(mproc_queue_empty(self->object));
        atomic_store(&self->board->step, 2 * i);
    }
}

/* No time passes between the return of a put and a get that only tries. */
static void case_item_is_there_for_all_once_put_has_returned(void)
{
    mproc_queue *queue = queues_create(2, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, sees_what_was_put, queue);
    for (uint32_t i = 1; i <= 3; i++) {
        CHECK_EQ(mproc_queue_size(queue), 0);
        CHECK_OK(mproc_queue_put(queue, mproc_string("a text of some length"), 0));
        CHECK_EQ(mproc_queue_size(queue), 1);
        CHECK_OK(mproc_queue_put(queue, mproc_nil(), 0));
        CHECK_EQ(mproc_queue_size(queue), 2);
        CHECK(mproc_queue_full(queue));
        atomic_store(&crowd.board->step, 2 * i - 1);
        board_await(&crowd.board->step, 2 * i);
        CHECK(mproc_queue_empty(queue) && !mproc_queue_full(queue));
    }
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void passes_items_on(peer *self)
{
    while (atomic_load(&self->board->go) == 0) {
        mproc_value value;
        if (self->number % 2) queues_put_int(self->object, 1);
        else CHECK_OK(mproc_queue_get(self->object, &value, MPROC_FOREVER));
    }
    atomic_fetch_add(&self->board->done, 1);
}

/* Whoever asks while others put and get is told what was there at one moment. */
static void case_size_is_never_more_than_the_limit(void)
{
    mproc_queue *queue = queues_create(3, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 2, passes_items_on, queue);
    for (int i = 0; i < check_many(1000000, 50000); i++) {
        int64_t size = mproc_queue_size(queue);
        CHECK(size >= 0 && size <= 3);
    }
    atomic_store(&crowd.board->go, 1);
    while (atomic_load(&crowd.board->done) < 2) {
        mproc_value value;
        if (mproc_queue_full(queue)) (void)mproc_queue_get(queue, &value, 0);
        else (void)mproc_queue_put(queue, mproc_nil(), 0);
    }
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void counts_some(peer *self)
{
    mproc_value value;

    CHECK_OK(mproc_queue_put_bytes(self->object, "four", 4, 0));
    CHECK_OK(mproc_queue_get(self->object, &value, 0));
    mproc_value_clear(&value);
}

static void case_counters_tell_of_all_processes(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_queue_counts counts = {0};
    static const char bytes[10000];
    size_t text_bytes, got;
    char taken[8];
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK(counts.put == 0 && counts.got == 0 && counts.put_bytes == 0 && counts.got_bytes == 0);
    CHECK_OK(mproc_value_encoded_size(mproc_string("a text of some length"), &text_bytes));
    CHECK_OK(mproc_queue_put(queue, mproc_string("a text of some length"), 0));
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, sizeof bytes, 0));
    CHECK_OK(mproc_queue_put_many(queue, "abcdef", 2, 3, NULL, 0));
    crowd_add(&crowd, 1, counts_some, queue);
    crowd_join(&crowd);
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK(counts.put == 6 && counts.got == 1);
    CHECK_EQ(counts.put_bytes, text_bytes + sizeof bytes + 6 + 4);
    CHECK_EQ(counts.got_bytes, text_bytes);
    CHECK_STATUS(mproc_queue_get_bytes(queue, taken, 1, NULL, 0), MPROC_INVALID);
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK(counts.got == 1 && counts.putters == 0 && counts.getters == 0);
    CHECK_OK(mproc_queue_get_bytes(queue, (char[10000]){0}, 10000, NULL, 0));
    CHECK_OK(mproc_queue_get_many(queue, taken, 2, 4, &got, 0));
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK(counts.put == 6 && counts.got == 5);
    CHECK_EQ(counts.got_bytes, text_bytes + sizeof bytes + 6);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void case_number_is_an_item_of_16_bytes(void)
{
    mproc_queue *queue = queues_create(0, 16);
    mproc_queue_counts counts = {0};

    queues_put_int(queue, 7);
    CHECK_STATUS(mproc_queue_put_bytes(queue, "x", 1, 0), MPROC_TIMEOUT);
    CHECK_EQ(queues_get_int(queue), 7);
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK_EQ(counts.put_bytes, 16);
    CHECK_EQ(counts.got_bytes, 16);
    mproc_queue_free(queue);
}

static void case_counters_tell_who_sleeps(void)
{
    mproc_queue *queue = queues_create(1, 0);
    mproc_queue_counts counts = {0};
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 2, waits_for_an_item, queue);
    peers_await_sleepers(queue, 2);
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK(counts.getters == 2 && counts.putters == 0);
    queues_put_int(queue, 1);
    queues_put_int(queue, 1);
    crowd_join(&crowd);
    queues_put_int(queue, 1);
    crowd_add(&crowd, 1, waits_for_room, queue);
    peers_await_sleepers(queue, 1);
    CHECK_OK(mproc_queue_counters(queue, &counts));
    CHECK(counts.putters == 1);
    CHECK_EQ(queues_get_int(queue), 1);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

CHECK_TWINS(queue_limits, peers_of_processes, queue_limits_threads, peers_of_threads,
    CASE(full_queue_takes_no_more_until_it_is_drained),
    CASE(empty_queue_gives_nothing),
    CASE(put_lets_one_in_who_waits_for_an_item),
    CASE(get_lets_one_in_who_waits_for_room),
    CASE(bytes_of_all_items_keep_to_their_limit),
    CASE(item_is_there_for_all_once_put_has_returned),
    CASE(size_is_never_more_than_the_limit),
    CASE(counters_tell_of_all_processes),
    CASE(counters_tell_who_sleeps),
);

CHECK_SUITE_SETUP(queue_alone, peers_of_threads,
    CASE(get_waits_for_its_time_limit),
    CASE(item_of_more_bytes_than_the_limit_is_refused),
    CASE(number_is_an_item_of_16_bytes),
);
