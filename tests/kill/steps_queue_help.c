/*
 * What the scenarios of queues share.
 */
#include "steps_queue.h"

#include <stdlib.h>
#include <string.h>

mproc_queue *test_queue;
mproc_queue *test_queue_mine;
struct test_queue_item test_queue_buffer;
uint64_t test_queue_had, test_queue_taken;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

static void fill(struct test_queue_item *item, uint64_t number, size_t size)
{
    item->number = number;
    memset(item->filled, (int)number & 0xFF, size - sizeof number);
}

void test_queue_put(mproc_queue *to, uint64_t number, size_t size)
{
    fill(&test_queue_buffer, number, size);
    must(mproc_queue_put_bytes(to, &test_queue_buffer, size, MPROC_FOREVER));
}

static bool is_filled(size_t size)
{
    for (size_t i = 0; i < size - sizeof test_queue_buffer.number; i++)
        if (test_queue_buffer.filled[i] != (unsigned char)test_queue_buffer.number) return false;
    return true;
}

/* 0: what was got is not what was put. */
uint64_t test_queue_get(mproc_queue *from, size_t *size)
{
    must(mproc_queue_get_bytes(from, &test_queue_buffer, sizeof test_queue_buffer, size, MPROC_FOREVER));
    return is_filled(*size) ? test_queue_buffer.number : 0;
}

/* ---- what the root makes ----------------------------------------------------------------------- */

void test_queue_put_before(size_t size)
{
    test_queue_put(test_queue, ROOTS + test_queue_had++, size);
}

void test_queue_get_before(void)
{
    size_t size;

    if (test_queue_get(test_queue, &size) != ROOTS + test_queue_taken++) abort();
}

void test_queue_begin(void *state, const mproc_queue_options *options)
{
    test_family_begin(state);
    must(mproc_queue_create(options, &test_queue));
    test_queue_had = test_queue_taken = 0;
}

void test_queue_begin_empty(void *state)
{
    test_queue_begin(state, NULL);
}

/* ---- what victims and peers do ----------------------------------------------------------------- */

void test_queue_open(void)
{
    const struct reference *theirs = (const struct reference *)(const void *)test_queue;
    struct reference *reference;

    must(reference_open(&theirs->ref, &reference));
    test_queue_mine = (mproc_queue *)(void *)reference;
}

void test_queue_enter(void *state)
{
    test_family_enter_victim(state);
    test_queue_open();
}

void test_queue_say(void *state, uint32_t what)
{
    atomic_store(&((struct test_family *)state)->victim_said, what);
}

void test_queue_put_one(void *state)
{
    test_queue_put(test_queue_mine, VICTIMS, SMALL);
    test_queue_say(state, 1);
}

static struct test_queue_item batch[BATCH]; /* of which SMALL bytes each are used, one behind the other */

void test_queue_put_batch(void *state)
{
    for (uint64_t i = 0; i < BATCH; i++) {
        fill(&test_queue_buffer, VICTIMS + i, SMALL);
        memcpy((unsigned char *)batch + i * SMALL, &test_queue_buffer, SMALL);
    }
    must(mproc_queue_put_many(test_queue_mine, batch, SMALL, BATCH, NULL, MPROC_FOREVER));
    test_queue_say(state, BATCH);
}

void test_queue_get_one(void *state)
{
    size_t size;

    must(mproc_queue_get_bytes(test_queue_mine, &test_queue_buffer, sizeof test_queue_buffer, &size, MPROC_FOREVER));
    test_queue_say(state, 1);
}

/* It reserves more than it needs. */
void test_queue_commit_one(void *state)
{
    mproc_queue_buffer buffer;

    must(mproc_queue_reserve(test_queue_mine, MIDDLE, &buffer));
    fill(buffer.data, VICTIMS, SMALL);
    buffer.size = SMALL;
    must(mproc_queue_commit(test_queue_mine, &buffer, MPROC_FOREVER));
    test_queue_say(state, 1);
}

void test_queue_peek_one(void *state)
{
    mproc_queue_buffer buffer;
    const unsigned char *bytes;

    must(mproc_queue_peek(test_queue_mine, &buffer, MPROC_FOREVER));
    bytes = buffer.data;
    if (bytes[buffer.size - 1] != (unsigned char)((const struct test_queue_item *)buffer.data)->number) abort();
    test_queue_say(state, 1);
    mproc_queue_release(&buffer);
}

void test_queue_free_mine(void *state)
{
    (void)state;
    mproc_queue_free(test_queue_mine);
}

/* ---- judging ------------------------------------------------------------------------------------ */

const char *test_queue_check_end(void *state, bool completed)
{
    test_family_disband(state);
    mproc_queue_free(test_queue);
    return test_family_check(state, completed);
}

/* Items that were put and not got, as the counters say. */
int64_t test_queue_counted(int64_t *bytes)
{
    mproc_queue_counts counts;

    must(mproc_queue_counters(test_queue, &counts));
    *bytes = counts.put_bytes - counts.got_bytes;
    return counts.put - counts.got;
}

const char *test_queue_check_counted(int64_t items, int64_t bytes)
{
    int64_t bytes_there, there = test_queue_counted(&bytes_there);

    if (there == items && bytes_there == bytes) return NULL;
    return step_says("%lld items and %lld bytes are counted, not %lld and %lld", (long long)there,
                     (long long)bytes_there, (long long)items, (long long)bytes);
}
