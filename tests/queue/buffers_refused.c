/* Buffers that are refused, and stay as they were. */
#include "queue/queues.h"

static void check_same(const mproc_queue_buffer *buffer, const mproc_queue_buffer *before)
{
    CHECK_EQ(memcmp(buffer, before, sizeof *buffer), 0);
}

static mproc_queue_buffer reserve(mproc_queue *queue, size_t size)
{
    mproc_queue_buffer buffer;

    memset(&buffer, 0, sizeof buffer);
    CHECK_OK(mproc_queue_reserve(queue, size, &buffer));
    queues_fill(buffer.data, size, 6);
    return buffer;
}

static void check_whole(mproc_queue *queue, size_t size)
{
    unsigned char bytes[200];
    size_t got = 0;

    CHECK_OK(mproc_queue_get_bytes(queue, bytes, sizeof bytes, &got, 0));
    CHECK_EQ(got, size);
    queues_check_bytes(bytes, got, 6);
}

static void case_reserve_refuses_what_could_not_be_put(void)
{
    mproc_queue *queue = queues_create(0, 100);
    mproc_queue_buffer buffer = {.size = 7}, before;

    memset(&buffer, 5, sizeof buffer);
    before = buffer;
    CHECK_SAYS(mproc_queue_reserve(queue, 10, NULL), MPROC_INVALID, "NULL");
    CHECK_STATUS(mproc_queue_reserve(queue, MPROC_QUEUE_ITEM_MAX + 1, &buffer), MPROC_INVALID);
    CHECK_SAYS(mproc_queue_reserve(queue, 101, &buffer), MPROC_INVALID,
               "an item of 101 bytes for a queue of at most 100 bytes");
    mproc_queue_close(queue);
    CHECK_SAYS(mproc_queue_reserve(queue, 10, &buffer), MPROC_CLOSED, "this process has closed the queue");
    check_same(&buffer, &before);
    mproc_queue_free(queue);
}

static void case_reserve_says_that_there_is_no_room(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_queue_buffer buffer = {.size = 7}, before;
    uint64_t blocks = peers_blocks();

    memset(&buffer, 5, sizeof buffer);
    before = buffer;
    CHECK_STATUS(mproc_queue_reserve(queue, MPROC_QUEUE_ITEM_MAX, &buffer), MPROC_NO_MEMORY);
    CHECK_STATUS(mproc_queue_reserve(queue, (size_t)1 << 45, &buffer), MPROC_NO_MEMORY);
    check_same(&buffer, &before);
    CHECK_EQ(peers_blocks(), blocks);
    buffer = reserve(queue, 100);
    CHECK_OK(mproc_queue_commit(queue, &buffer, 0));
    check_whole(queue, 100);
    mproc_queue_free(queue);
}

#define NOT_RESERVED "that was not reserved"

static void case_commit_refuses_what_was_not_reserved(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_queue_buffer buffer = {0}, before;

    CHECK_SAYS(mproc_queue_commit(queue, NULL, 0), MPROC_INVALID, NOT_RESERVED);
    CHECK_SAYS(mproc_queue_commit(queue, &buffer, 0), MPROC_INVALID, NOT_RESERVED);
    buffer = reserve(queue, 100);
    CHECK_STATUS(mproc_queue_commit(queue, &buffer, -1), MPROC_INVALID);
    CHECK_OK(mproc_queue_commit(queue, &buffer, 0));
    CHECK_SAYS(mproc_queue_commit(queue, &buffer, 0), MPROC_INVALID, NOT_RESERVED); /* again */
    CHECK_OK(mproc_queue_peek(queue, &buffer, 0));
    before = buffer;
    CHECK_SAYS(mproc_queue_commit(queue, &buffer, 0), MPROC_INVALID, NOT_RESERVED);
    check_same(&buffer, &before);
    queues_check_bytes(buffer.data, buffer.size, 6);
    mproc_queue_release(&buffer);
    CHECK_STATUS(mproc_queue_commit(queue, &buffer, 0), MPROC_INVALID);
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
}

static void case_buffer_that_has_grown_is_refused(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_queue_buffer buffer = reserve(queue, 100);

    buffer.size = 101;
    CHECK_SAYS(mproc_queue_commit(queue, &buffer, 0), MPROC_INVALID,
               "101 bytes of a buffer are to be put for which 100 were reserved");
    buffer.size = SIZE_MAX;
    CHECK_STATUS(mproc_queue_commit(queue, &buffer, 0), MPROC_INVALID);
    CHECK(mproc_queue_empty(queue));
    buffer.size = 100;
    CHECK_OK(mproc_queue_commit(queue, &buffer, 0));
    check_whole(queue, 100);
    mproc_queue_free(queue);
}

/* It keeps all that was reserved, also if fewer bytes were to be put. */
static void check_still_usable(mproc_status expected, mproc_queue *queue, int64_t timeout_ms)
{
    mproc_queue *other = queues_create(0, 0);
    mproc_queue_buffer buffer = reserve(other, 100), before;

    for (size_t size = 100; size > 0; size -= 50) {
        buffer.size = size;
        before = buffer;
        CHECK_STATUS(mproc_queue_commit(queue, &buffer, timeout_ms), expected);
        check_same(&buffer, &before);
    }
    buffer.size = 100;
    CHECK_OK(mproc_queue_commit(other, &buffer, 0));
    check_whole(other, 100);
    mproc_queue_free(other);
}

static void case_buffer_that_could_not_be_put_stays_usable(void)
{
    mproc_queue *full = queues_create(1, 0), *bytes = queues_create(0, 110), *small = queues_create(0, 49);
    mproc_queue *closed = queues_create(0, 0), *joinable = queues_create_joinable(1, 0);

    queues_put_int(full, 1);
    queues_put_int(joinable, 1);
    CHECK_OK(mproc_queue_put_bytes(bytes, (char[61]){0}, 61, 0));
    mproc_queue_close(closed);
    check_still_usable(MPROC_TIMEOUT, full, 0);
    check_still_usable(MPROC_TIMEOUT, full, 20);
    check_still_usable(MPROC_TIMEOUT, bytes, 0);
    check_still_usable(MPROC_TIMEOUT, joinable, 0);
    check_still_usable(MPROC_INVALID, small, MPROC_FOREVER);
    check_still_usable(MPROC_CLOSED, closed, MPROC_FOREVER);
    CHECK(mproc_queue_size(full) == 1 && mproc_queue_size(bytes) == 1 && mproc_queue_empty(closed));
    mproc_queue_free(full);
    mproc_queue_free(bytes);
    mproc_queue_free(small);
    mproc_queue_free(closed);
    mproc_queue_free(joinable);
}

/* ---- while it waits ------------------------------------------------------------------------------- */

typedef struct waiter {
    mproc_queue *queue;
    mproc_queue_buffer buffer;
    bool peeks;
    mproc_status status;
    plat_thread *thread;
} waiter;

static void waits(void *argument)
{
    waiter *self = argument;

    self->status = self->peeks ? mproc_queue_peek(self->queue, &self->buffer, MPROC_FOREVER)
                               : mproc_queue_commit(self->queue, &self->buffer, MPROC_FOREVER);
}

/* On a full queue, or an empty one. */
static void check_sent_away(bool peeks, bool interrupted)
{
    mproc_queue *queue = queues_create(1, 0), *other = queues_create(0, 0);
    waiter self = {.queue = queue, .buffer = reserve(other, 100), .peeks = peeks};

    queues_put_int(queue, 1);
    if (peeks) CHECK_EQ(queues_get_int(queue), 1);
    CHECK_OK(plat_thread_start(waits, &self, &self.thread));
    peers_await_sleepers(queue, 1);
    if (interrupted) mproc_interrupt();
    else mproc_queue_close(queue);
    plat_thread_join(self.thread);
    CHECK_STATUS(self.status, interrupted ? MPROC_INTERRUPTED : MPROC_CLOSED);
    CHECK_EQ(mproc_interrupted(), interrupted);
    CHECK_OK(mproc_queue_commit(other, &self.buffer, 0));
    check_whole(other, 100);
    mproc_queue_free(queue);
    mproc_queue_free(other);
}

static void case_commit_and_peek_are_sent_away_as_put_and_get_are(void)
{
    for (int i = 0; i < 4; i++) check_sent_away(i / 2, i % 2);
}

static void case_commit_waits_for_room_and_peek_for_an_item(void)
{
    mproc_queue *queue = queues_create(1, 0);
    waiter putter = {.queue = queue, .buffer = reserve(queue, 100)}, getter = {.queue = queue, .peeks = true};

    CHECK_OK(mproc_queue_put_bytes(queue, "x", 1, 0));
    CHECK_OK(plat_thread_start(waits, &putter, &putter.thread));
    peers_await_sleepers(queue, 1);
    CHECK_OK(mproc_queue_get_bytes(queue, (char[1]){0}, 1, NULL, 0));
    plat_thread_join(putter.thread);
    CHECK_STATUS(putter.status, MPROC_OK);
    check_whole(queue, 100);
    CHECK_OK(plat_thread_start(waits, &getter, &getter.thread));
    peers_await_sleepers(queue, 1);
    CHECK_OK(mproc_queue_put_bytes(queue, "y", 1, 0));
    plat_thread_join(getter.thread);
    CHECK_STATUS(getter.status, MPROC_OK);
    CHECK(getter.buffer.size == 1 && *(const char *)getter.buffer.data == 'y');
    mproc_queue_release(&getter.buffer);
    mproc_queue_free(queue);
}

/* ---- peek ---------------------------------------------------------------------------------------- */

static void check_peek(mproc_queue *queue, mproc_status expected, int64_t timeout_ms)
{
    mproc_queue_buffer buffer, before;
    uint64_t blocks = peers_blocks();

    memset(&buffer, 5, sizeof buffer);
    before = buffer;
    CHECK_STATUS(mproc_queue_peek(queue, &buffer, timeout_ms), expected);
    check_same(&buffer, &before);
    CHECK_EQ(peers_blocks(), blocks);
}

static void check_value_stays(mproc_queue *queue, mproc_value value)
{
    mproc_value got;

    CHECK_OK(mproc_queue_put(queue, value, 0));
    check_peek(queue, MPROC_INVALID, MPROC_FOREVER);
    CHECK_SAYS(mproc_queue_peek(queue, &(mproc_queue_buffer){0}, 0), MPROC_INVALID, "is a value, not bytes");
    CHECK_EQ(mproc_queue_size(queue), 1);
    CHECK_OK(mproc_queue_get(queue, &got, 0));
    CHECK(mproc_value_equal(got, value));
    mproc_value_clear(&got);
}

static void check_peek_refuses(mproc_queue *queue)
{
    static const char bytes[50000];

    CHECK_STATUS(mproc_queue_get_bytes(queue, NULL, 0, NULL, 0), MPROC_TIMEOUT); /* the account of leases */
    CHECK_SAYS(mproc_queue_peek(queue, NULL, 0), MPROC_INVALID, "NULL");
    check_peek(queue, MPROC_INVALID, -1);
    check_value_stays(queue, mproc_int(5));
    check_value_stays(queue, MPROC_LIST("a", "list"));
    check_value_stays(queue, mproc_bytes("bytes as a value", 16));
    check_value_stays(queue, mproc_bytes(bytes, sizeof bytes));
    check_peek(queue, MPROC_TIMEOUT, 0);
    check_peek(queue, MPROC_TIMEOUT, 20);
    mproc_queue_close(queue);
    check_peek(queue, MPROC_CLOSED, MPROC_FOREVER);
    mproc_queue_free(queue);
}

static void case_peek_refuses_values_and_what_cannot_be(void)
{
    check_peek_refuses(queues_create(0, 0));
    check_peek_refuses(queues_create_joinable(0, 0));
}

static void ends(peer *self)
{
    CHECK_OK(mproc_queue_put_bytes(self->object, "x", 1, 0));
    peer_end(self);
}

static void case_peek_says_that_nobody_is_left(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_queue_buffer buffer = {0};
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.extra = PEER_IS_KILLED;
    crowd_add(&crowd, 1, ends, queue);
    crowd_let_end(&crowd);
    CHECK_OK(mproc_queue_peek(queue, &buffer, MPROC_FOREVER));
    mproc_queue_release(&buffer);
    CHECK_SAYS(mproc_queue_peek(queue, &buffer, MPROC_FOREVER), MPROC_PEER_DIED, "nobody is left who puts");
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

/* ---- release ------------------------------------------------------------------------------------- */

static void case_buffers_are_released_once_whatever_is_called(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_queue_buffer buffer = {0}, other;
    uint64_t blocks;

    mproc_queue_release(NULL);
    mproc_queue_release(&buffer);
    buffer = reserve(queue, 0);
    mproc_queue_release(&buffer);
    blocks = peers_blocks();
    for (int i = 0; i < 3; i++) {
        buffer = reserve(queue, (size_t)i * 50000);
        buffer.size = 0;
        CHECK_EQ(peers_blocks(), blocks + 1);
        mproc_queue_release(&buffer);
        CHECK(buffer.data == NULL && buffer.owned == NULL && buffer.size == 0);
        CHECK_EQ(peers_blocks(), blocks);
        other = reserve(queue, 10);
        mproc_queue_release(&buffer); /* again */
        queues_check_bytes(other.data, 10, 6);
        CHECK_OK(mproc_queue_commit(queue, &other, 0));
        mproc_queue_release(&other);
        check_whole(queue, 10);
        blocks = peers_blocks(); /* a segment came with the first item */
    }
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(queue_buffers_refused, peers_of_processes,
    CASE(reserve_refuses_what_could_not_be_put),
    CASE(reserve_says_that_there_is_no_room),
    CASE(commit_refuses_what_was_not_reserved),
    CASE(buffer_that_has_grown_is_refused),
    CASE(buffer_that_could_not_be_put_stays_usable),
    CASE(commit_and_peek_are_sent_away_as_put_and_get_are),
    CASE(commit_waits_for_room_and_peek_for_an_item),
    CASE(peek_refuses_values_and_what_cannot_be),
    CASE(peek_says_that_nobody_is_left),
    CASE(buffers_are_released_once_whatever_is_called),
);
