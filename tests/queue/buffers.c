/* Items that are written and read where they lie. */
#include "queue/queues.h"

#include <stdlib.h>

static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 8192, 8193, 32768, 32769, 1 << 20, 3 << 20};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void check_empty(const mproc_queue_buffer *buffer)
{
    CHECK(buffer->data == NULL && buffer->size == 0 && buffer->owned == NULL);
}

static mproc_queue_buffer reserve(mproc_queue *queue, size_t size, uint32_t seed)
{
    mproc_queue_buffer buffer = {0};

    CHECK_OK(mproc_queue_reserve(queue, size, &buffer));
    CHECK_EQ(buffer.size, size);
    CHECK_EQ((uintptr_t)buffer.data % 16, 0);
    queues_fill(buffer.data, size, seed);
    return buffer;
}

static void commit(mproc_queue *queue, mproc_queue_buffer *buffer)
{
    CHECK_OK(mproc_queue_commit(queue, buffer, MPROC_FOREVER));
    check_empty(buffer);
}

static mproc_queue_buffer peek(mproc_queue *queue)
{
    mproc_queue_buffer buffer = {0};

    CHECK_OK(mproc_queue_peek(queue, &buffer, check_limit_ms()));
    CHECK_EQ((uintptr_t)buffer.data % 16, 0);
    return buffer;
}

static void check_next(mproc_queue *queue, size_t size, uint32_t seed)
{
    mproc_queue_buffer buffer = peek(queue);

    CHECK_EQ(buffer.size, size);
    queues_check_bytes(buffer.data, size, seed);
    memset(buffer.data, 0xEE, size); /* it is ours */
    mproc_queue_release(&buffer);
    check_empty(&buffer);
}

/* ---- in and out ---------------------------------------------------------------------------------- */

/* Written as a buffer, and as bytes. */
static void peeks_each_size(peer *self)
{
    for (int i = 0; i < SIZES; i++)
        for (uint32_t n = 0; n < 2; n++) {
            check_next(self->object, sizes[i], (uint32_t)i + n);
            if (self->extra) CHECK_OK(mproc_queue_task_done(self->object));
        }
}

static void check_each_size(bool joinable)
{
    mproc_queue *queue = queues_create_of(joinable);
    unsigned char *bytes = malloc(sizes[SIZES - 1]);
    mproc_queue_buffer buffer;
    peer_crowd crowd;

    CHECK(bytes != NULL);
    crowd_init(&crowd);
    crowd.extra = joinable;
    crowd_add(&crowd, 1, peeks_each_size, queue);
    peers_await_sleepers(queue, 1);
    for (int i = 0; i < SIZES; i++) {
        buffer = reserve(queue, sizes[i], (uint32_t)i);
        commit(queue, &buffer);
        queues_fill(bytes, sizes[i], (uint32_t)i + 1);
        CHECK_OK(mproc_queue_put_bytes(queue, bytes, sizes[i], 0));
    }
    if (joinable) CHECK_OK(mproc_queue_join(queue, MPROC_FOREVER));
    crowd_fini(&crowd);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    free(bytes);
}

static void case_items_of_each_size_are_read_where_they_lie(void)
{
    check_each_size(false);
    check_each_size(true);
}

/* By whatever kind of get. */
static void gets_each_size(peer *self)
{
    unsigned char *bytes = malloc(sizes[SIZES - 1]);
    size_t size;

    CHECK(bytes != NULL);
    for (int i = 0; i < SIZES; i++) {
        mproc_value value;
        CHECK_OK(mproc_queue_get_bytes(self->object, bytes, sizes[i], &size, check_limit_ms()));
        CHECK_EQ(size, sizes[i]);
        queues_check_bytes(bytes, size, (uint32_t)i);
        CHECK_OK(mproc_queue_get(self->object, &value, check_limit_ms()));
        CHECK(mproc_value_type(value) == MPROC_TYPE_BYTES && mproc_value_size(value) == sizes[i]);
        queues_check_bytes(mproc_value_bytes(value), size, (uint32_t)i + 1);
        mproc_value_clear(&value);
        CHECK_OK(mproc_queue_get_many(self->object, bytes, sizes[i], 1, &size, check_limit_ms()));
        CHECK_EQ(size, 1);
        queues_check_bytes(bytes, sizes[i], (uint32_t)i + 2);
    }
    free(bytes);
}

static void case_items_that_were_written_there_are_items_as_others(void)
{
    mproc_queue *queue = queues_create(3, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, gets_each_size, queue);
    for (int i = 0; i < SIZES; i++)
        for (uint32_t n = 0; n < 3; n++) {
            mproc_queue_buffer buffer = reserve(queue, sizes[i], (uint32_t)i + n);
            commit(queue, &buffer);
        }
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

/* Whoever commits gives away that memory itself. */
static void case_nothing_is_copied_between_commit_and_peek(void)
{
    for (int i = 0; i < SIZES; i++) {
        mproc_queue *queue = queues_create_of(i % 2);
        mproc_queue_buffer buffer = reserve(queue, sizes[i], 1);
        const void *data = buffer.data;
        commit(queue, &buffer);
        buffer = peek(queue);
        CHECK(buffer.data == data);
        mproc_queue_release(&buffer);
        mproc_queue_free(queue);
    }
}

static void case_item_is_there_when_it_is_committed_and_not_before(void)
{
    mproc_queue *queue = queues_create(0, 100);
    mproc_queue_counts counts;
    mproc_queue_buffer first = reserve(queue, 100, 1), second = reserve(queue, 100, 2), peeked = {0};

    CHECK(mproc_queue_empty(queue));
    CHECK_STATUS(mproc_queue_peek(queue, &peeked, 0), MPROC_TIMEOUT);
    check_empty(&peeked);
    first.size = 40;
    commit(queue, &first);
    CHECK_EQ(mproc_queue_size(queue), 1);
    counts = queues_counts(queue);
    CHECK(counts.put == 1 && counts.put_bytes == 40 && counts.got == 0);
    CHECK_STATUS(mproc_queue_commit(queue, &second, 0), MPROC_TIMEOUT);
    second.size = 60;
    commit(queue, &second);
    check_next(queue, 40, 1);
    counts = queues_counts(queue);
    CHECK(counts.put_bytes == 100 && counts.got == 1 && counts.got_bytes == 40);
    peeked = peek(queue);
    CHECK(mproc_queue_empty(queue)); /* what is read takes no room */
    CHECK_OK(mproc_queue_put_bytes(queue, "0123456789", 10, 0));
    queues_check_bytes(peeked.data, 60, 2);
    mproc_queue_release(&peeked);
    CHECK_EQ(queues_counts(queue).got_bytes, 100);
    mproc_queue_free(queue);
}

static void case_fewer_bytes_than_were_reserved_are_put(void)
{
    for (int i = 0; i < SIZES; i++) {
        mproc_queue *queue = queues_create_of(i % 2);
        for (int n = 0; n < 3; n++) {
            size_t fewer = n == 0 ? 0 : n == 1 ? sizes[i] / 2 : sizes[i] - (sizes[i] > 0);
            mproc_queue_buffer buffer = reserve(queue, sizes[i], 3);
            buffer.size = fewer;
            commit(queue, &buffer);
            check_next(queue, fewer, 3);
        }
        mproc_queue_free(queue);
    }
}

/* ---- threads and queues ----------------------------------------------------------------------------- */

typedef struct step {
    mproc_queue *queue;
    mproc_queue_buffer buffer;
    int number;
} step;

/* Each by a thread of its own, for which it is the first call of the library. */
static void does_a_step(void *argument)
{
    step *self = argument;

    if (self->number == 0) self->buffer = reserve(self->queue, 5000, 4);
    if (self->number == 1) commit(self->queue, &self->buffer);
    if (self->number == 2) self->buffer = peek(self->queue);
    if (self->number == 3) mproc_queue_release(&self->buffer);
}

static void case_buffers_pass_from_thread_to_thread(void)
{
    for (int i = 0; i < 2; i++) {
        step self = {.queue = queues_create_of(i == 1)};
        for (self.number = 0; self.number < 4; self.number++) {
            plat_thread *thread = NULL;
            CHECK_OK(plat_thread_start(does_a_step, &self, &thread));
            plat_thread_join(thread);
            if (self.number == 2) queues_check_bytes(self.buffer.data, 5000, 4);
        }
        check_empty(&self.buffer);
        if (i == 1) CHECK_OK(mproc_queue_task_done(self.queue));
        mproc_queue_free(self.queue);
    }
}

static void case_buffer_goes_to_another_queue_than_it_was_reserved_for(void)
{
    mproc_queue *first = queues_create(0, 0), *small = queues_create(0, 10), *joinable = queues_create_of(true);
    mproc_queue_buffer buffer = reserve(first, 1000, 1), other = reserve(small, 10, 2);

    CHECK_SAYS(mproc_queue_commit(small, &buffer, MPROC_FOREVER), MPROC_INVALID,
               "an item of 1000 bytes for a queue of at most 10 bytes");
    mproc_queue_free(first);
    commit(joinable, &buffer);
    commit(joinable, &other);
    check_next(joinable, 1000, 1);
    CHECK_OK(mproc_queue_task_done(joinable));
    check_next(joinable, 10, 2);
    CHECK_STATUS(mproc_queue_join(joinable, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_task_done(joinable));
    CHECK_OK(mproc_queue_join(joinable, 0));
    mproc_queue_free(small);
    mproc_queue_free(joinable);
}

/* Its bytes stay. */
static void case_buffer_is_released_after_its_queue_was_freed(void)
{
    uint64_t blocks = peers_blocks();

    for (int i = 0; i < SIZES; i++) {
        mproc_queue *queue = queues_create_of(i % 2);
        mproc_queue_buffer reserved = reserve(queue, sizes[i], 1), peeked = reserve(queue, sizes[i], 2);
        commit(queue, &peeked);
        peeked = peek(queue);
        if (i % 4 == 3) CHECK_OK(mproc_queue_task_done(queue));
        mproc_queue_free(queue);
        queues_check_bytes(reserved.data, sizes[i], 1);
        queues_check_bytes(peeked.data, sizes[i], 2);
        mproc_queue_release(&reserved);
        mproc_queue_release(&peeked);
        check_empty(&peeked);
    }
    CHECK(peers_blocks() <= blocks + 1); /* a table of owned slots */
}

/* ---- joinable ------------------------------------------------------------------------------------ */

static void case_bytes_of_a_lease_stay_until_they_are_released(void)
{
    for (int i = 0; i < SIZES; i++) {
        mproc_queue *queue = queues_create_joinable(0, 0), *again = peers_second(queue);
        mproc_queue_buffer buffer = reserve(queue, sizes[i], 1);
        commit(queue, &buffer);
        buffer = peek(queue);
        CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_TIMEOUT);
        if (i % 2) { /* it is done */
            CHECK_OK(mproc_queue_task_done(queue));
            CHECK_OK(mproc_queue_join(queue, 0));
        } else { /* it comes back, and two have it at once */
            mproc_queue_free(queue);
            queue = NULL;
            check_next(again, sizes[i], 1);
            CHECK_EQ(mproc_queue_redelivered(again), 1);
            CHECK_OK(mproc_queue_task_done(again));
            memset(buffer.data, 1, buffer.size);
        }
        if (queue) queues_check_bytes(buffer.data, sizes[i], 1);
        mproc_queue_release(&buffer);
        CHECK_OK(mproc_queue_join(again, 0));
        mproc_queue_free(queue);
        mproc_queue_free(again);
    }
}

static void case_released_lease_is_not_done(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);

    CHECK_OK(mproc_queue_put_bytes(queue, "1", 1, 0));
    CHECK_OK(mproc_queue_put_bytes(queue, "2", 1, 0));
    check_next(queue, 1, '1');
    CHECK_STATUS(mproc_queue_join(queue, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_STATUS(mproc_queue_task_done(queue), MPROC_BAD_STATE);
    mproc_queue_free(queue);
}

/* ---- many at once -------------------------------------------------------------------------------- */

enum { EACH = 200, PUTTERS = 2, GETTERS = 3 };

static size_t size_of(uint32_t number)
{
    static const size_t mixed[] = {8, 50, 40000, 8, 2000, 100000, 9000, 8, 31000};

    return mixed[number % (sizeof mixed / sizeof mixed[0])];
}

/* The first bytes say which it is; every third is written in place. */
static void puts_mixed(peer *self)
{
    unsigned char *bytes = malloc(100000);

    CHECK(bytes != NULL);
    for (uint32_t i = 0; i < EACH; i++) {
        uint32_t number = i * PUTTERS + (uint32_t)self->number;
        mproc_queue_buffer buffer = {.data = bytes, .size = size_of(number)};
        if (i % 3 == 0) CHECK_OK(mproc_queue_reserve(self->object, size_of(number), &buffer));
        queues_fill(buffer.data, buffer.size, number);
        memcpy(buffer.data, &number, sizeof number);
        if (i % 3 == 0) CHECK_OK(mproc_queue_commit(self->object, &buffer, MPROC_FOREVER));
        else CHECK_OK(mproc_queue_put_bytes(self->object, bytes, size_of(number), MPROC_FOREVER));
    }
    free(bytes);
}

/* Until all are there; two items are read at a time. */
static void peeks_mixed(peer *self)
{
    mproc_queue_buffer buffers[2] = {{0}};

    for (int i = 0; atomic_fetch_add(&self->board->count, 1) < EACH * PUTTERS; i++) {
        mproc_queue_buffer *buffer = &buffers[i % 2];
        uint32_t number;
        mproc_queue_release(buffer);
        CHECK_OK(mproc_queue_peek(self->object, buffer, check_limit_ms()));
        memcpy(&number, buffer->data, sizeof number);
        CHECK(number < EACH * PUTTERS);
        CHECK_EQ(buffer->size, size_of(number));
        queues_fill(buffer->data, sizeof number, number);
        queues_check_bytes(buffer->data, buffer->size, number);
        CHECK_EQ(atomic_fetch_add(&self->board->marks[number], 1), 0);
    }
    for (int i = 0; i < 2; i++) mproc_queue_release(&buffers[i]);
}

static void check_many_peek(int64_t maxsize, int64_t max_bytes, bool joinable)
{
    mproc_queue *queue = NULL;
    peer_crowd putters, getters;
    uint64_t blocks;

    crowd_init(&putters);
    crowd_init(&getters);
    blocks = peers_blocks();
    CHECK_OK(mproc_queue_create(
        &(mproc_queue_options){.maxsize = maxsize, .max_bytes = max_bytes, .joinable = joinable}, &queue));
    crowd_add(&getters, GETTERS, peeks_mixed, queue);
    crowd_add(&putters, PUTTERS, puts_mixed, queue);
    crowd_join(&putters);
    crowd_join(&getters);
    for (int i = 0; i < EACH * PUTTERS; i++) CHECK_EQ(atomic_load(&getters.board->marks[i]), 1);
    if (!joinable) CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    if (!peers_are_threads()) peers_await_blocks(blocks);
    crowd_fini(&putters);
    crowd_fini(&getters);
}

static void case_several_peek_at_items_of_mixed_sizes(void)
{
    check_many_peek(0, 0, false);
    check_many_peek(4, 0, false);
    check_many_peek(0, 250000, false);
}

/* ---- memory -------------------------------------------------------------------------------------- */

static void has_buffers(peer *self)
{
    mproc_queue_buffer buffers[4];

    for (int i = 0; i < 4; i++) buffers[i] = i % 2 ? peek(self->object) : reserve(self->object, i ? 100000 : 20, 1);
    CHECK(buffers[0].size == 20 && buffers[2].size == 100000);
    peer_end(self);
}

static void check_given_back(int how, bool joinable)
{
    static const char bytes[50000];
    mproc_queue *queue = queues_create_of(joinable);
    uint64_t blocks;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_STATUS(mproc_queue_get_bytes(queue, NULL, 0, NULL, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, 10, 0));
    CHECK_OK(mproc_queue_get_bytes(queue, (char[10]){0}, 10, NULL, 0));
    if (joinable) CHECK_OK(mproc_queue_task_done(queue));
    blocks = peers_blocks();
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, 10, 0));
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, sizeof bytes, 0));
    crowd.extra = how;
    crowd_add(&crowd, 1, has_buffers, queue);
    crowd_let_end(&crowd);
    if (joinable) {
        CHECK_EQ(mproc_queue_size(queue), 2);
        for (int i = 0; i < 2; i++) {
            mproc_queue_buffer buffer = peek(queue);
            CHECK_EQ(mproc_queue_redelivered(queue), 1);
            mproc_queue_release(&buffer);
            CHECK_OK(mproc_queue_task_done(queue));
        }
    }
    peers_await_blocks(blocks);
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

static void case_buffers_of_a_process_that_ends_are_given_back(void)
{
    for (int how = PEER_RETURNS; how <= PEER_IS_KILLED; how++) {
        check_given_back(how, false);
        check_given_back(how, true);
    }
}

CHECK_TWINS(queue_buffers, peers_of_processes, queue_buffers_threads, peers_of_threads,
    CASE(items_of_each_size_are_read_where_they_lie),
    CASE(items_that_were_written_there_are_items_as_others),
    CASE(several_peek_at_items_of_mixed_sizes),
);

CHECK_SUITE_SETUP(queue_buffer, peers_of_processes,
    CASE(nothing_is_copied_between_commit_and_peek),
    CASE(item_is_there_when_it_is_committed_and_not_before),
    CASE(fewer_bytes_than_were_reserved_are_put),
    CASE(buffers_pass_from_thread_to_thread),
    CASE(buffer_goes_to_another_queue_than_it_was_reserved_for),
    CASE(buffer_is_released_after_its_queue_was_freed),
    CASE(bytes_of_a_lease_stay_until_they_are_released),
    CASE(released_lease_is_not_done),
    CASE(buffers_of_a_process_that_ends_are_given_back),
);
