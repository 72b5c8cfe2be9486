/* Items of joinable queues that come back: their getter has ended over them, or freed the queue. */
#include "queue/holders.h"

#include <stdlib.h>

#include "logged.h"

/* ---- they come back ------------------------------------------------------------------------------ */

static void check_come_back(int how, int done)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    mproc_queue_counts counts;
    peer_crowd crowd;

    crowd_init(&crowd);
    put_numbers(queue, 1, 4);
    hold(&crowd, queue, how, 3, done);
    CHECK_EQ(mproc_queue_size(queue), 1);
    let_end(&crowd, how);
    CHECK_EQ(mproc_queue_size(queue), 4 - done);
    counts = queues_counts(queue);
    CHECK(counts.put == 4 && counts.got == done && counts.done == done && counts.redelivered == 3 - done);
    for (int i = done + 1; i <= 3; i++) check_next(queue, i, 1);
    check_next(queue, 4, 0);
    CHECK_OK(mproc_queue_join(queue, 0));
    counts = queues_counts(queue);
    CHECK(counts.put == 4 && counts.got == 4 && counts.done == 4 && counts.lost == 0);
    CHECK_EQ(counts.redelivered, 3 - done);
    CHECK(mproc_queue_empty(queue));
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void case_items_come_back_in_their_order_however_their_holder_ends(void)
{
    check_come_back(PEER_RETURNS, 0);
    check_come_back(PEER_EXITS, 0);
    check_come_back(PEER_IS_KILLED, 0);
}

static void case_items_that_are_done_do_not_come_back(void)
{
    check_come_back(PEER_RETURNS, 1);
    check_come_back(PEER_IS_KILLED, 2);
    check_come_back(PEER_IS_KILLED, 3);
}

static void frees_it_and_stays(peer *self)
{
    get_and_do(self);
    mproc_queue_free(self->object);
    self->object = NULL;
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
}

/* The process goes on. */
static void case_items_come_back_when_the_queue_is_freed(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0), *again = peers_second(queue);
    peer_crowd crowd;

    crowd_init(&crowd);
    put_numbers(queue, 1, 5);
    crowd.extra = orders(0, 2, 0);
    crowd_add(&crowd, 1, frees_it_and_stays, queue);
    board_await(&crowd.board->ready, 1);
    CHECK_EQ(mproc_queue_size(queue), 5);
    CHECK_EQ(queues_get_int(queue), 1);
    mproc_queue_close(queue);
    CHECK_EQ(mproc_queue_size(again), 4); /* to close is not to give back */
    mproc_queue_free(queue);
    CHECK_EQ(mproc_queue_size(again), 5);
    check_next(again, 2, 1);
    check_next(again, 1, 2);
    for (int i = 3; i <= 5; i++) check_next(again, i, 0);
    CHECK_OK(mproc_queue_join(again, 0));
    mproc_queue_free(again);
    atomic_store(&crowd.board->go, 1);
    crowd_fini(&crowd);
}

/* Whose holder ended first comes first; behind them what was never got. */
static void case_items_of_several_holders_come_back_in_the_order_of_their_ends(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd first, second, third;

    crowd_init(&first);
    crowd_init(&second);
    crowd_init(&third);
    put_numbers(queue, 1, 5);
    hold(&first, queue, PEER_IS_KILLED, 2, 0);
    hold(&second, queue, PEER_RETURNS, 2, 0);
    let_end(&second, PEER_RETURNS);
    let_end(&first, PEER_IS_KILLED);
    hold(&third, queue, PEER_EXITS, 1, 0); /* has 3, which comes behind 2 now */
    let_end(&third, PEER_EXITS);
    check_next(queue, 4, 1);
    check_next(queue, 1, 1);
    check_next(queue, 2, 1);
    check_next(queue, 3, 2);
    check_next(queue, 5, 0);
    CHECK_OK(mproc_queue_join(queue, 0));
    CHECK_EQ(queues_counts(queue).redelivered, 5);
    crowd_fini(&first);
    crowd_fini(&second);
    crowd_fini(&third);
    mproc_queue_free(queue);
}

/* ---- tasks --------------------------------------------------------------------------------------- */

static mproc_status gets_one(const void *item, void *result, mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_value number;

    (void)item;
    MPROC_TRY(mproc_unpack(call, &queue));
    CHECK_OK(mproc_queue_get(queue, &number, check_limit_ms()));
    *(int64_t *)result = mproc_value_int(number) * 100 + mproc_queue_redelivered(queue);
    return MPROC_OK;
}

/* The worker goes on, which has one reference for all calls of a map. */
static void check_pool(mproc_worker_kind kind)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    int64_t given[3] = {0};
    mproc_pool *pool = NULL;

    put_numbers(queue, 1, 4);
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.kind = kind, .workers = 1}, &pool));
    for (int before = 0; before < 3; before++) {
        CHECK_OK(mproc_pool_map(pool, gets_one, "123", 1, given, sizeof *given, 3,
                                &(mproc_map_options){.chunk_size = 1, .args = MPROC_ARGS(queue)}));
        for (int i = 0; i < 3; i++) CHECK_EQ(given[i], 100 * (i + 1) + before);
        CHECK_EQ(mproc_queue_size(queue), 4);
    }
    for (int i = 1; i <= 3; i++) check_next(queue, i, 3);
    check_next(queue, 4, 0);
    mproc_pool_free(pool);
    mproc_queue_free(queue);
}

static void case_items_that_a_map_did_not_do_come_back_with_it(void)
{
    check_pool(MPROC_PROCESSES);
    check_pool(MPROC_THREADS);
}

static mproc_status gets_one_alone(mproc_call *call)
{
    int64_t got;

    MPROC_TRY(gets_one(NULL, &got, call));
    CHECK_EQ(got / 100, 1);
    return MPROC_OK;
}

static void case_item_that_a_task_did_not_do_comes_back_with_it(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    mproc_process *process = NULL;

    put_numbers(queue, 1, 2);
    CHECK_OK(mproc_process_create(gets_one_alone, MPROC_ARGS(queue), NULL, &process));
    CHECK_OK(mproc_process_run(process)); /* here */
    CHECK_EQ(mproc_queue_size(queue), 2);
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
    CHECK_EQ(mproc_queue_size(queue), 2);
    check_next(queue, 1, 2);
    check_next(queue, 2, 0);
    mproc_queue_free(queue);
}

/* ---- how often ----------------------------------------------------------------------------------- */

typedef struct asker {
    mproc_queue *queue;
    int64_t told;
} asker;

static void asks(void *argument)
{
    asker *self = argument;

    self->told = mproc_queue_redelivered(self->queue);
}

static void case_redelivered_tells_of_the_item_that_this_thread_got_last(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    plat_thread *thread = NULL;
    peer_crowd crowd;
    asker other = {.queue = queue, .told = 9};

    crowd_init(&crowd);
    CHECK_EQ(mproc_queue_redelivered(queue), 0);
    put_numbers(queue, 1, 3);
    CHECK_EQ(mproc_queue_redelivered(queue), 0);
    for (int i = 0; i < 2; i++) {
        hold(&crowd, queue, PEER_IS_KILLED, 1, 0);
        let_end(&crowd, PEER_IS_KILLED);
    }
    CHECK_EQ(queues_get_int(queue), 1);
    CHECK_EQ(mproc_queue_redelivered(queue), 2);
    CHECK_OK(plat_thread_start(asks, &other, &thread));
    plat_thread_join(thread);
    CHECK_EQ(other.told, 0);
    CHECK_EQ(queues_get_int(queue), 2);
    CHECK_EQ(mproc_queue_redelivered(queue), 0);
    CHECK_OK(mproc_queue_task_done(queue)); /* the older one */
    CHECK_EQ(mproc_queue_redelivered(queue), 0);
    CHECK_OK(mproc_queue_task_done(queue));
    CHECK_EQ(mproc_queue_redelivered(queue), 0);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

/* ---- limits -------------------------------------------------------------------------------------- */

/* No put sees room that items have taken which came back since it looked last. */
static void case_items_that_came_back_count_towards_the_limit(void)
{
    mproc_queue *queue = queues_create_joinable(4, 0);
    peer_crowd crowd;

    crowd_init(&crowd);
    put_numbers(queue, 1, 4);
    hold(&crowd, queue, PEER_IS_KILLED, 2, 0);
    CHECK_EQ(mproc_queue_size(queue), 2);
    queues_put_int(queue, 5);
    CHECK(!mproc_queue_full(queue));
    let_end(&crowd, PEER_IS_KILLED);
    CHECK_EQ(mproc_queue_size(queue), 5);
    CHECK(mproc_queue_full(queue));
    CHECK_STATUS(mproc_queue_put(queue, mproc_int(6), 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_queue_put(queue, mproc_int(6), 20), MPROC_TIMEOUT);
    check_next(queue, 1, 1);
    CHECK(mproc_queue_full(queue));
    CHECK_STATUS(mproc_queue_put(queue, mproc_int(6), 0), MPROC_TIMEOUT);
    check_next(queue, 2, 1);
    CHECK(!mproc_queue_full(queue));
    CHECK_OK(mproc_queue_put(queue, mproc_int(6), 0));
    CHECK_STATUS(mproc_queue_put(queue, mproc_int(7), 0), MPROC_TIMEOUT);
    for (int i = 3; i <= 6; i++) check_next(queue, i, 0);
    CHECK_OK(mproc_queue_join(queue, 0));
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void case_bytes_that_came_back_count_towards_the_limit(void)
{
    static const char bytes[100];
    mproc_queue *queue = queues_create_joinable(0, 100);
    mproc_queue_counts counts;
    char taken[100];
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, 60, 0));
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, 40, 0));
    hold(&crowd, queue, PEER_IS_KILLED, 1, 0);
    CHECK_EQ(queues_counts(queue).got_bytes, 60);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, 50, 0));
    CHECK_STATUS(mproc_queue_put_bytes(queue, bytes, 11, 0), MPROC_TIMEOUT);
    let_end(&crowd, PEER_IS_KILLED);
    counts = queues_counts(queue);
    CHECK(counts.put_bytes == 150 && counts.got_bytes == 0 && counts.redelivered == 1);
    CHECK_STATUS(mproc_queue_put_bytes(queue, bytes, 1, 0), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_queue_put_bytes(queue, bytes, 100, 20), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, 0, 0)); /* has none */
    CHECK_OK(mproc_queue_get_bytes(queue, taken, 100, NULL, 0));
    CHECK_STATUS(mproc_queue_put_bytes(queue, bytes, 11, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, 10, 0));
    CHECK_EQ(queues_counts(queue).got_bytes, 60);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void puts_later(peer *self)
{
    queues_put_int(self->object, 9);
    atomic_fetch_add(&self->board->done, 1);
}

/* Who waits for room goes on waiting when there is less than none, and comes in at last. */
static void case_who_waits_for_room_gets_in_after_items_came_back(void)
{
    mproc_queue *queue = queues_create_joinable(1, 0);
    peer_crowd holder, putter;

    crowd_init(&holder);
    crowd_init(&putter);
    queues_put_int(queue, 1);
    hold(&holder, queue, PEER_IS_KILLED, 1, 0);
    queues_put_int(queue, 2);
    crowd_add(&putter, 1, puts_later, queue);
    peers_await_sleepers(queue, 1);
    let_end(&holder, PEER_IS_KILLED);
    CHECK_EQ(mproc_queue_size(queue), 2);
    check_next(queue, 1, 1);
    CHECK_EQ(atomic_load(&putter.board->done), 0);
    check_next(queue, 2, 0);
    crowd_join(&putter);
    check_next(queue, 9, 0);
    CHECK_OK(mproc_queue_join(queue, 0));
    crowd_fini(&holder);
    crowd_fini(&putter);
    mproc_queue_free(queue);
}

/* ---- what they hold ------------------------------------------------------------------------------- */

enum { MEGABYTE = 1 << 20 };

static void case_what_comes_back_is_whole(void)
{
    unsigned char *bytes = malloc(MEGABYTE), *taken = malloc(MEGABYTE);
    mproc_queue *queue = queues_create_joinable(0, 0);
    mproc_event *event = NULL, *came = NULL;
    mproc_value value;
    peer_crowd crowd;
    size_t size = 0;

    CHECK(bytes != NULL && taken != NULL);
    crowd_init(&crowd);
    queues_fill(bytes, MEGABYTE, 5);
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_queue_put_bytes(queue, bytes, MEGABYTE, 0));
    CHECK_OK(mproc_queue_put(queue, MPROC_LIST("an event", event), 0));
    mproc_event_free(event);
    CHECK_OK(mproc_queue_put_bytes(queue, NULL, 0, 0));
    hold(&crowd, queue, PEER_IS_KILLED, 3, 0);
    let_end(&crowd, PEER_IS_KILLED);
    CHECK_OK(mproc_queue_get_bytes(queue, taken, MEGABYTE, &size, 0));
    CHECK_EQ(size, MEGABYTE);
    queues_check_bytes(taken, MEGABYTE, 5);
    CHECK_OK(mproc_queue_get(queue, &value, 0));
    CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &came));
    CHECK_OK(mproc_event_set(came));
    mproc_event_free(came);
    mproc_value_clear(&value);
    CHECK_OK(mproc_queue_get_bytes(queue, taken, MEGABYTE, &size, 0));
    CHECK_EQ(size, 0);
    mproc_queue_free(queue);
    crowd_fini(&crowd);
    free(bytes);
    free(taken);
}

/* The last who had the queue is killed with leases; or frees it with some. */
static void case_items_that_come_back_to_nobody_are_freed(void)
{
    static const char bytes[40000];
    mproc_queue *queue;
    mproc_event *event = NULL;
    peer_crowd crowd;
    uint64_t blocks;

    crowd_init(&crowd);
    blocks = peers_blocks();
    for (int how = PEER_RETURNS; how <= PEER_IS_KILLED; how++) {
        queue = queues_create_joinable(0, 0);
        CHECK_OK(mproc_event_create(&event));
        for (int i = 0; i < 10; i++) CHECK_OK(mproc_queue_put_bytes(queue, bytes, i * 4000, 0));
        CHECK_OK(mproc_queue_put(queue, MPROC_LIST(event), 0));
        CHECK_OK(mproc_queue_put(queue, mproc_int(1), 0));
        mproc_event_free(event);
        hold(&crowd, queue, how, 11, 2);
        CHECK_STATUS(mproc_queue_get_bytes(queue, NULL, 0, NULL, 0), MPROC_INVALID);
        CHECK_EQ(queues_get_int(queue), 1);
        mproc_queue_free(queue);
        let_end(&crowd, how);
        peers_await_blocks(blocks);
    }
    crowd_fini(&crowd);
}

static void case_items_that_come_back_are_said(void)
{
    mproc_queue *queue = queues_create_joinable(0, 0);
    peer_crowd crowd;

    logged_begin(MPROC_LOG_INFO);
    crowd_init(&crowd);
    put_numbers(queue, 1, 4);
    hold(&crowd, queue, PEER_IS_KILLED, 3, 1);
    let_end(&crowd, PEER_IS_KILLED);
    CHECK_LOGGED("[INFO/MainProcess] 2 items come back to a joinable queue: who got them has not done them\n");
    logged_end();
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

CHECK_SUITE_SETUP(queue_redelivered, peers_of_processes,
    CASE(items_come_back_in_their_order_however_their_holder_ends),
    CASE(items_that_are_done_do_not_come_back),
    CASE(items_come_back_when_the_queue_is_freed),
    CASE(items_of_several_holders_come_back_in_the_order_of_their_ends),
    CASE(items_that_a_map_did_not_do_come_back_with_it),
    CASE(item_that_a_task_did_not_do_comes_back_with_it),
    CASE(redelivered_tells_of_the_item_that_this_thread_got_last),
    CASE(items_that_came_back_count_towards_the_limit),
    CASE(bytes_that_came_back_count_towards_the_limit),
    CASE(who_waits_for_room_gets_in_after_items_came_back),
    CASE(what_comes_back_is_whole),
    CASE(items_that_come_back_to_nobody_are_freed),
    CASE(items_that_come_back_are_said),
);
