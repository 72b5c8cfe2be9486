/* fork() copies of a process that has queues, items and buffers: these stay the origin's. */
#include <stdlib.h>

#include "process/process_fixture_os.h"
#include "queue/queues.h"

/* What the origin has: a lease, a value with an event, memory that was reserved, and an item that is read. */
typedef struct copied {
    mproc_queue *queue, *joinable;
    mproc_value value;
    mproc_queue_buffer reserved, peeked;
} copied;

static void create(copied *all)
{
    mproc_event *event = NULL;

    memset(all, 0, sizeof *all);
    all->queue = queues_create(0, 0);
    all->joinable = queues_create_joinable(0, 0);
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_queue_put(all->queue, MPROC_LIST(1, event), 0));
    mproc_event_free(event);
    CHECK_OK(mproc_queue_get(all->queue, &all->value, 0));
    CHECK_OK(mproc_queue_reserve(all->queue, 100, &all->reserved));
    CHECK_OK(mproc_queue_put_bytes(all->queue, "an item", 8, 0));
    CHECK_OK(mproc_queue_peek(all->queue, &all->peeked, 0));
    queues_put_int(all->joinable, 1);
    CHECK_EQ(queues_get_int(all->joinable), 1);
    memcpy(all->reserved.data, "is written", 11);
}

/* All of it is as it was. */
static void check_there(copied *all)
{
    mproc_event *event = NULL;

    CHECK_OK(mproc_value_to(mproc_value_at(all->value, 1), &event));
    CHECK_OK(mproc_event_set(event));
    mproc_event_free(event);
    mproc_value_clear(&all->value);
    CHECK_STRING(all->peeked.data, "an item");
    mproc_queue_release(&all->peeked);
    CHECK_STRING(all->reserved.data, "is written");
    CHECK_OK(mproc_queue_commit(all->queue, &all->reserved, 0));
    CHECK_EQ(mproc_queue_size(all->queue), 1);
    CHECK(mproc_queue_empty(all->joinable));
    CHECK_OK(mproc_queue_task_done(all->joinable));
    CHECK_OK(mproc_queue_join(all->joinable, 0));
    mproc_queue_free(all->queue);
    mproc_queue_free(all->joinable);
}

static void check_calls_refused(copied *all)
{
    mproc_queue_buffer buffer = {0};
    mproc_queue_counts counts;
    mproc_value value = mproc_int(5);

    CHECK_SAYS(mproc_queue_put(all->queue, value, 0), MPROC_FORKED, "fork() copy");
    CHECK_STATUS(mproc_queue_put_bytes(all->queue, "x", 1, MPROC_FOREVER), MPROC_FORKED);
    CHECK_STATUS(mproc_queue_get(all->queue, &value, 0), MPROC_FORKED);
    CHECK_STATUS(mproc_queue_reserve(all->queue, 10, &buffer), MPROC_FORKED);
    CHECK_STATUS(mproc_queue_peek(all->queue, &buffer, 0), MPROC_FORKED);
    CHECK_STATUS(mproc_queue_commit(all->queue, &all->reserved, 0), MPROC_FORKED);
    CHECK_STATUS(mproc_queue_task_done(all->joinable), MPROC_FORKED);
    CHECK_STATUS(mproc_queue_join(all->joinable, MPROC_FOREVER), MPROC_FORKED);
    CHECK_STATUS(mproc_queue_counters(all->queue, &counts), MPROC_FORKED);
    CHECK_EQ(mproc_queue_redelivered(all->joinable), 0);
    CHECK(buffer.owned == NULL && mproc_value_int(value) == 5);
}

static void give_up(copied *all)
{
    mproc_queue_release(&all->reserved);
    mproc_queue_release(&all->peeked);
    CHECK(all->reserved.owned == NULL && all->peeked.data == NULL);
    mproc_value_clear(&all->value);
    CHECK(mproc_value_is_nil(all->value));
    mproc_queue_close(all->joinable);
    mproc_queue_free(all->joinable);
    mproc_queue_free(all->queue);
}

static void gives_up(void *context)
{
    check_calls_refused(context);
    give_up(context);
}

/* With a family of its own, where other things lie at the same places. */
static void gives_up_in_a_family(void *context)
{
    copied *all = context, own;
    mproc_queue *queue = queues_create(0, 0);

    create(&own);
    CHECK_SAYS(mproc_queue_commit(queue, &all->reserved, 0), MPROC_FORKED, "a buffer of another family");
    CHECK_STATUS(mproc_queue_put(queue, all->value, 0), MPROC_CLOSED);
    CHECK_STATUS(mproc_queue_put(queue, MPROC_VALUE(all->joinable), 0), MPROC_CLOSED);
    CHECK(mproc_queue_empty(queue));
    check_calls_refused(all);
    give_up(all);
    check_there(&own);
    mproc_queue_free(queue);
}

static void check_copy(void (*does)(void *))
{
    uint64_t blocks;
    copied all;

    create(&all);
    blocks = peers_blocks();
    CHECK_EQ(fixture_in_a_copy(does, &all, exit), 5);
    CHECK_EQ(peers_blocks(), blocks);
    check_there(&all);
}

static void case_copy_gives_up_what_it_has_copied_and_changes_nothing(void)
{
    check_copy(gives_up);
}

static void case_copy_with_a_family_of_its_own_does_so_as_well(void)
{
    check_copy(gives_up_in_a_family);
}

CHECK_SUITE_SETUP(posix_copies, peers_of_processes,
    CASE(copy_gives_up_what_it_has_copied_and_changes_nothing),
    CASE(copy_with_a_family_of_its_own_does_so_as_well),
);
