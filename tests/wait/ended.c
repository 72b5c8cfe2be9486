/* Things that are closed or freed, and processes that are killed, while somebody waits. */
#include "wait/waiting.h"

#define OF_A_POOL (CHECK_HANDLES | CHECK_THREADS)

/* ---- closed and freed ---------------------------------------------------------------------------- */

enum {
    CLOSED_CONNECTION,
    FREED_CONNECTION,
    FREED_PROCESS,
    FREED_QUEUE,
    FREED_RESULT,
    FREED_EVENT,
    FREED_SEMAPHORE,
    WAYS
};

/* Returns which of the things it was. */
static size_t end_one(one_of_each *each, int way)
{
    switch (way) {
    case CLOSED_CONNECTION:
        mproc_connection_close(each->pipe.first);
        return 0;
    case FREED_CONNECTION:
        mproc_connection_free(each->pipe.first);
        each->pipe.first = NULL;
        return 0;
    case FREED_PROCESS:
        each->freed = mproc_process_pid(each->child);
        mproc_process_free(each->child);
        return 1;
    case FREED_QUEUE:
        mproc_queue_free(each->queue);
        each->queue = NULL;
        return 2;
    case FREED_RESULT:
        mproc_result_free(each->result);
        each->result = NULL;
        return 3;
    case FREED_EVENT:
        mproc_event_free(each->event);
        each->event = NULL;
        return 4;
    default:
        mproc_semaphore_free(each->semaphore);
        each->semaphore = NULL;
        return 5;
    }
}

static void check_ended(int way, bool only_that)
{
    one_of_each each;
    waiting_thread waiting = {.timeout_ms = MPROC_FOREVER};
    size_t which;

    each_create(&each);
    waiting.things = each.things;
    waiting.count = KINDS;
    if (only_that) {
        int index = way <= FREED_CONNECTION ? 0 : way - 1;
        waiting.things = &each.things[index];
        waiting.count = 1;
    }
    waiting_begin(&waiting);
    waiting_await_asleep(1);
    which = end_one(&each, way);
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    CHECK_EQ(waiting.ready, 1);
    for (size_t i = 0; i < KINDS; i++) CHECK_EQ(each.things[i].ready, i == which);
    each_free(&each);
}

static void case_what_is_closed_or_freed_meanwhile_is_ready(void)
{
    for (int way = 0; way < WAYS; way++) check_ended(way, false);
}

static void case_what_is_closed_or_freed_ends_a_wait_for_it_alone(void)
{
    for (int way = 0; way < WAYS; way++) check_ended(way, true);
}

static void case_closed_connection_is_ready(void)
{
    ends pipe = connections_create(false);
    mproc_waitable thing = MPROC_WAITABLE(pipe.first);

    mproc_connection_close(pipe.first);
    CHECK_OK(mproc_wait(&thing, 1, MPROC_FOREVER, NULL));
    connections_free(&pipe);
}

static void case_closed_process_is_ready(void)
{
    mproc_process *child = connections_start(fixture_does_nothing, mproc_no_args());
    mproc_waitable thing = MPROC_WAITABLE(child);

    CHECK_OK(mproc_wait(&thing, 1, MPROC_FOREVER, NULL));
    CHECK_OK(mproc_process_join(child, 0));
    CHECK_OK(mproc_wait(&thing, 1, 0, NULL));
    CHECK_OK(mproc_process_close(child));
    CHECK_OK(mproc_wait(&thing, 1, 0, NULL));
    mproc_process_free(child);
}

/* ---- processes ----------------------------------------------------------------------------------- */

static void waits_for_items(peer *self)
{
    mproc_waitable thing = mproc_waitable_queue(self->object);
    mproc_value value;
    mproc_status status;

    do {
        CHECK_OK(mproc_wait(&thing, 1, MPROC_FOREVER, NULL));
        status = mproc_queue_get(self->object, &value, 0);
        if (status == MPROC_OK) atomic_fetch_add(&self->board->count, 1);
    } while (status != MPROC_OK || mproc_value_int(value) != 0);
}

static void gets_items(peer *self)
{
    mproc_value value;

    do {
        CHECK_OK(mproc_queue_get(self->object, &value, MPROC_FOREVER));
        atomic_fetch_add(&self->board->count, 1);
    } while (mproc_value_int(value) != 0);
}

/* Those who sleep for an item alone, and those who wait for it with others, each get what comes. */
static void case_killed_waiters_take_no_wake_up_with_them(void)
{
    enum { WATCHERS = 3, DOOMED = 2, GETTERS = 2 };
    mproc_queue *queue = NULL;
    peer_crowd crowd;

    CHECK_OK(mproc_queue_create(NULL, &queue));
    crowd_init(&crowd);
    crowd_add(&crowd, WATCHERS, waits_for_items, queue);
    for (int i = 0; i < WATCHERS; i++) waiting_await_watchers(crowd.all[i].process, 1);
    crowd_add(&crowd, GETTERS, gets_items, queue);
    peers_await_sleepers(queue, GETTERS);
    for (int i = 0; i < DOOMED; i++) crowd_kill(&crowd, i);
    for (uint32_t i = 1; i <= 20; i++) {
        CHECK_OK(mproc_queue_put(queue, mproc_int(1), 0));
        CHECK_AWAIT(&crowd.board->count, i);
    }
    crowd_kill(&crowd, WATCHERS);
    CHECK_OK(mproc_queue_put(queue, mproc_int(1), 0));
    CHECK_AWAIT(&crowd.board->count, 21);
    for (uint32_t i = 0; i < WATCHERS - DOOMED + GETTERS - 1; i++) CHECK_OK(mproc_queue_put(queue, mproc_int(0), 0));
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void waits_for_an_event(peer *self)
{
    mproc_waitable thing = mproc_waitable_event(self->object);

    CHECK_OK(mproc_wait(&thing, 1, MPROC_FOREVER, NULL));
    CHECK(thing.ready);
}

static void case_event_wakes_the_waiters_of_all_processes(void)
{
    enum { WATCHERS = 4 };
    mproc_event *event = NULL;
    peer_crowd crowd;

    CHECK_OK(mproc_event_create(&event));
    crowd_init(&crowd);
    crowd_add(&crowd, WATCHERS, waits_for_an_event, event);
    for (int i = 0; i < WATCHERS; i++) waiting_await_watchers(crowd.all[i].process, 1);
    crowd_kill(&crowd, 1);
    CHECK_OK(mproc_event_set(event));
    crowd_fini(&crowd);
    mproc_event_free(event);
}

static void holds_a_queue(peer *self)
{
    atomic_store(&self->board->ready, 1);
    peer_waits_for_ever();
}

/* The next get says MPROC_PEER_DIED. */
static void case_queue_is_ready_when_nobody_is_left_who_puts(void)
{
    mproc_queue *queue = NULL;
    mproc_waitable thing;
    mproc_value value;
    peer_crowd crowd;
    waiting_thread waiting = {.things = &thing, .count = 1, .timeout_ms = MPROC_FOREVER};

    CHECK_OK(mproc_queue_create(NULL, &queue));
    thing = MPROC_WAITABLE(queue);
    crowd_init(&crowd);
    crowd_add(&crowd, 1, holds_a_queue, queue);
    board_await(&crowd.board->ready, 1);
    waiting_begin(&waiting);
    waiting_await_asleep(1);
    crowd_kill(&crowd, 0);
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    CHECK_STATUS(mproc_queue_get(queue, &value, MPROC_FOREVER), MPROC_PEER_DIED);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

/* A process and the connection to it, together. */
static mproc_status waits_to_be_killed(mproc_call *call)
{
    mproc_connection *connection = NULL;

    MPROC_TRY(mproc_unpack(call, &connection));
    connections_send_int(connection, 1);
    return mproc_sleep_ms(MPROC_FOREVER);
}

static void case_killed_process_is_ready_and_so_is_its_connection(void)
{
    ends pipe = connections_create(false);
    mproc_process *child = connections_start(waits_to_be_killed, MPROC_ARGS(pipe.second));
    mproc_waitable things[2] = {MPROC_WAITABLE(child), MPROC_WAITABLE(pipe.first)};
    waiting_thread waiting = {.things = things, .count = 2, .timeout_ms = MPROC_FOREVER};
    mproc_value value = mproc_nil();

    mproc_connection_free(pipe.second);
    CHECK_EQ(connections_recv_int(pipe.first), 1);
    waiting_begin(&waiting);
    waiting_await_asleep(1);
    CHECK_OK(mproc_process_kill(child));
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    CHECK_OK(mproc_wait(things, 1, check_limit_ms(), NULL));
    CHECK_OK(mproc_wait(things + 1, 1, check_limit_ms(), NULL));
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, 0), MPROC_END);
    CHECK_ENDED_BY(child, 9);
    mproc_connection_free(pipe.first);
}

CHECK_SUITE_SETUP(wait_ended, waiting_setup,
    CASE_WITH(what_is_closed_or_freed_meanwhile_is_ready, .limit_s = 60, .leaves = OF_A_POOL), /* a pool's own */
    CASE_WITH(what_is_closed_or_freed_ends_a_wait_for_it_alone, .limit_s = 60, .leaves = OF_A_POOL), /* likewise */
    CASE(closed_connection_is_ready),
    CASE(closed_process_is_ready),
    CASE_LIMIT(killed_waiters_take_no_wake_up_with_them, 40),
    CASE_LIMIT(event_wakes_the_waiters_of_all_processes, 40),
    CASE(queue_is_ready_when_nobody_is_left_who_puts),
    CASE(killed_process_is_ready_and_so_is_its_connection),
);
