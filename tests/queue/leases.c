/* Leases at their edges: a queue that is freed while somebody gets, and a thread that ends in the call. */
#include "queue/queues.h"

#include <stdlib.h>
#include <string.h>

#include "object/parcel.h"
#include "queue/lease.h"

static mproc_queue *create(void)
{
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.joinable = true}, &queue));
    return queue;
}

/* ---- freed while somebody gets ------------------------------------------------------------------- */

#define LARGE ((size_t)32 << 20)

typedef struct getter {
    mproc_queue *queue;
    unsigned char *bytes;
    mproc_status status;
} getter;

static void gets_item(void *argument)
{
    getter *self = argument;

    self->status = mproc_queue_get_bytes(self->queue, self->bytes, LARGE, NULL, MPROC_FOREVER);
}

/* The item is copied, which takes some time, or it was not taken: the next one changes it. */
static void case_an_item_is_copied_before_the_free_of_its_queue_gives_it_back(void)
{
    mproc_queue *queue = create();
    getter self = {.queue = peers_second(queue), .bytes = malloc(LARGE)};
    mproc_queue_buffer buffer;
    plat_thread *thread;

    CHECK(self.bytes);
    CHECK_OK(mproc_queue_reserve(queue, LARGE, &buffer));
    memset(buffer.data, 'a', LARGE);
    CHECK_OK(plat_thread_start(gets_item, &self, &thread));
    peers_await_sleepers(queue, 1);
    CHECK_OK(mproc_queue_commit(queue, &buffer, 0));
    while (!mproc_queue_empty(queue)) plat_thread_yield();
    mproc_queue_free(self.queue);
    CHECK_OK(mproc_queue_peek(queue, &buffer, 0));
    memset(buffer.data, 'b', LARGE);
    mproc_queue_release(&buffer);
    plat_thread_join(thread);
    CHECK_STATUS(self.status, MPROC_OK);
    CHECK_EQ(self.bytes[0], 'a');
    CHECK(memcmp(self.bytes, self.bytes + 1, LARGE - 1) == 0);
    free(self.bytes);
    mproc_queue_free(queue);
}

/* ---- copies of buffers --------------------------------------------------------------------------- */

/* Whatever has come into its place since. */
static void case_copy_of_a_buffer_that_was_given_up_is_refused(void)
{
    mproc_queue *queue = create(), *second;
    mproc_queue_buffer buffer, copy;

    CHECK_OK(mproc_queue_reserve(queue, 50, &buffer));
    copy = buffer;
    CHECK_OK(mproc_queue_commit(queue, &buffer, 0));
    CHECK_STATUS(mproc_queue_commit(queue, &copy, 0), MPROC_INVALID);
    second = peers_second(queue);
    CHECK_STATUS(mproc_queue_commit(queue, &copy, 0), MPROC_INVALID);
    mproc_queue_release(&copy);
    CHECK_EQ(mproc_queue_size(second), 1);
    CHECK_OK(mproc_queue_peek(second, &buffer, 0));
    copy = buffer;
    mproc_queue_release(&buffer);
    mproc_queue_release(&copy);
    CHECK_OK(mproc_queue_task_done(second));
    mproc_queue_free(second);
    mproc_queue_free(queue);
}

/* ---- a getter that ended in the middle ------------------------------------------------------------ */

/* As if the thread had been ended in the call: it has taken the item, and not said that it has read it. */
static void takes_and_ends(void *argument)
{
    mproc_queue *queue = argument;
    struct leases *leases;

    CHECK_EQ(queues_get_int(queue), 1);
    leases = (struct leases *)arena_at(atomic_load((_Atomic uint64_t *)atomic_load(&queue->reference.own)));
    atomic_store(&parcel_at(atomic_load(&leases->first))->in_use, 1);
}

static void case_what_a_thread_took_that_ended_in_the_call_can_be_done(void)
{
    mproc_queue *queue = create();
    plat_thread *thread;

    queues_put_int(queue, 1);
    CHECK_OK(plat_thread_start(takes_and_ends, queue, &thread));
    plat_thread_join(thread);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_OK(mproc_queue_join(queue, 0));
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(queue_leases, peers_of_threads,
    CASE(copy_of_a_buffer_that_was_given_up_is_refused),
    CASE(an_item_is_copied_before_the_free_of_its_queue_gives_it_back),
    CASE(what_a_thread_took_that_ended_in_the_call_can_be_done),
);
