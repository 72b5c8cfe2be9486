/* Sets that are kept from wait to wait: adding, removing, waiting, by several threads; things that end. */
#include "wait/waiting.h"

#define OF_A_POOL (CHECK_HANDLES | CHECK_THREADS)

static mproc_wait_set *set_of(const mproc_waitable *things, size_t count)
{
    mproc_wait_set *set = NULL;

    CHECK_OK(mproc_wait_set_create(&set));
    for (size_t i = 0; i < count; i++) CHECK_OK(mproc_wait_set_add(set, things[i]));
    return set;
}

static bool same(const mproc_waitable *one, const mproc_waitable *other)
{
    return one->kind == other->kind && one->object == other->object && one->handle == other->handle;
}

static void check_one(mproc_wait_set *set, const mproc_waitable *expected)
{
    mproc_waitable ready[KINDS + 1];
    size_t count = 99;

    CHECK_OK(mproc_wait_set_wait(set, ready, KINDS + 1, check_limit_ms(), &count));
    CHECK_EQ(count, 1);
    CHECK(same(&ready[0], expected) && ready[0].ready && ready[0].context == expected->context);
}

static void check_none(mproc_wait_set *set)
{
    mproc_waitable ready;
    size_t count = 99;

    CHECK_STATUS(mproc_wait_set_wait(set, &ready, 1, 0, &count), MPROC_TIMEOUT);
    CHECK_STATUS(mproc_wait_set_wait(set, &ready, 1, 10, &count), MPROC_TIMEOUT);
    CHECK_EQ(count, 99);
}

static void case_what_is_ready_is_returned_as_it_was_added(void)
{
    one_of_each each;
    mproc_wait_set *set;

    for (int i = 0; i < KINDS; i++) {
        each_create(&each);
        for (int j = 0; j < KINDS; j++) each.things[j].context = &each.things[j];
        set = set_of(each.things, KINDS);
        CHECK_EQ(mproc_wait_set_count(set), KINDS);
        check_none(set);
        each_make_ready(&each, i);
        check_one(set, &each.things[i]);
        check_one(set, &each.things[i]);
        CHECK_OK(mproc_wait_set_remove(set, each.things[i]));
        check_none(set);
        mproc_wait_set_free(set);
        each_free(&each);
    }
}

static void case_who_sleeps_in_a_set_is_woken_by_each_kind(void)
{
    one_of_each each;
    mproc_wait_set *set;
    mproc_waitable ready[KINDS];
    waiting_thread waiting = {.things = ready, .count = KINDS, .timeout_ms = MPROC_FOREVER};

    for (int i = 0; i < KINDS; i++) {
        each_create(&each);
        waiting.set = set = set_of(each.things, KINDS);
        waiting_begin(&waiting);
        waiting_await_asleep(1);
        each_make_ready(&each, i);
        waiting_end(&waiting);
        CHECK_OK(waiting.status);
        CHECK_EQ(waiting.ready, 1);
        CHECK(same(&ready[0], &each.things[i]));
        mproc_wait_set_free(set);
        each_free(&each);
    }
}

/* One after the other: what is reported once does not keep the others from being reported. */
static void case_all_that_are_ready_come_also_one_at_a_time(void)
{
    one_of_each each;
    mproc_wait_set *set;
    mproc_waitable ready[KINDS];
    bool seen[KINDS] = {false};
    size_t count = 0;

    each_create(&each);
    set = set_of(each.things, KINDS);
    for (int i = 0; i < KINDS; i++) each_make_ready(&each, i);
    for (int left = KINDS; left > 0;) {
        CHECK_OK(mproc_wait_set_wait(set, ready, 1, check_limit_ms(), &count));
        CHECK_EQ(count, 1);
        for (int i = 0; i < KINDS; i++) {
            if (!same(&ready[0], &each.things[i]) || seen[i]) continue;
            seen[i] = true;
            left--;
        }
    }
    CHECK_OK(mproc_wait_set_wait(set, ready, KINDS, check_limit_ms(), &count));
    CHECK_EQ(count, KINDS);
    mproc_wait_set_free(set);
    each_free(&each);
}

static void case_bad_arguments_are_refused(void)
{
    ends pipe = connections_create(true);
    mproc_wait_set *set = set_of(NULL, 0);
    mproc_waitable thing = MPROC_WAITABLE(pipe.first), ready;
    size_t count;

    CHECK_STATUS(mproc_wait_set_create(NULL), MPROC_INVALID);
    CHECK_OK(mproc_wait_set_add(set, thing));
    CHECK_SAYS(mproc_wait_set_add(set, thing), MPROC_EXISTS, "a connection");
    CHECK_STATUS(mproc_wait_set_add(set, MPROC_WAITABLE(pipe.second)), MPROC_BAD_STATE);
    CHECK_STATUS(mproc_wait_set_add(set, mproc_waitable_queue(NULL)), MPROC_INVALID);
    CHECK_STATUS(mproc_wait_set_add(set, mproc_waitable_handle(-1)), MPROC_INVALID);
    CHECK_STATUS(mproc_wait_set_add(set, mproc_waitable_handle(100004)), MPROC_INVALID);
    CHECK_STATUS(mproc_wait_set_remove(set, MPROC_WAITABLE(pipe.second)), MPROC_NOT_FOUND);
    CHECK_EQ(mproc_wait_set_count(set), 1);
    CHECK_STATUS(mproc_wait_set_wait(set, NULL, 1, 0, &count), MPROC_INVALID);
    CHECK_STATUS(mproc_wait_set_wait(set, &ready, 0, 0, &count), MPROC_INVALID);
    CHECK_STATUS(mproc_wait_set_wait(set, &ready, 1, 0, NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_wait_set_wait(set, &ready, 1, -1, &count), MPROC_INVALID);
    CHECK_OK(mproc_wait_set_remove(set, thing));
    CHECK_STATUS(mproc_wait_set_remove(set, thing), MPROC_NOT_FOUND);
    CHECK_OK(mproc_wait_set_add(set, thing));
    mproc_wait_set_free(set);
    mproc_wait_set_free(NULL);
    connections_free(&pipe);
}

/* ---- things that end ------------------------------------------------------------------------------- */

static void case_what_is_closed_stays_and_is_ready(void)
{
    one_of_each each;
    mproc_wait_set *set;
    mproc_value value;

    each_create(&each);
    set = set_of(each.things, KINDS);
    mproc_connection_close(each.pipe.first);
    check_one(set, &each.things[0]);
    CHECK_STATUS(mproc_connection_recv(each.pipe.second, &value, check_limit_ms()), MPROC_END);
    check_one(set, &each.things[0]);
    mproc_connection_free(each.pipe.first);
    each.pipe.first = NULL;
    check_none(set);
    CHECK_EQ(mproc_wait_set_count(set), KINDS - 1);
    each_make_ready(&each, 2);
    mproc_queue_close(each.queue);
    check_one(set, &each.things[2]);
    mproc_wait_set_free(set);
    each_free(&each);
}

static void case_what_is_freed_is_out_of_the_set(void)
{
    one_of_each each;
    mproc_wait_set *set;
    mproc_waitable ready[KINDS];
    waiting_thread waiting = {.things = ready, .count = KINDS, .timeout_ms = MPROC_FOREVER};

    each_create(&each);
    waiting.set = set = set_of(each.things, KINDS);
    waiting_begin(&waiting);
    waiting_await_asleep(1);
    mproc_connection_free(each.pipe.first);
    mproc_queue_free(each.queue);
    mproc_event_free(each.event);
    mproc_result_free(each.result);
    each.freed = mproc_process_pid(each.child);
    mproc_process_free(each.child);
    CHECK_EQ(mproc_wait_set_count(set), 2);
    each.pipe.first = NULL;
    each.queue = NULL;
    each.event = NULL;
    each.result = NULL;
    each_make_ready(&each, 5);
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    CHECK_EQ(waiting.ready, 1);
    CHECK(same(&ready[0], &each.things[5]));
    mproc_semaphore_free(each.semaphore);
    each.semaphore = NULL;
    check_none(set);
    mproc_wait_set_free(set);
    each_free(&each);
}

static void case_process_that_has_ended_is_ready_until_it_is_removed(void)
{
    mproc_process *child = connections_start(fixture_does_nothing, mproc_no_args());
    mproc_waitable thing = MPROC_WAITABLE(child);
    mproc_wait_set *set = set_of(&thing, 1);

    check_one(set, &thing);
    CHECK_OK(mproc_process_join(child, 0));
    check_one(set, &thing);
    CHECK_OK(mproc_process_close(child));
    check_one(set, &thing);
    CHECK_OK(mproc_wait_set_remove(set, thing));
    CHECK_OK(mproc_wait_set_add(set, thing));
    check_one(set, &thing);
    mproc_process_free(child);
    CHECK_EQ(mproc_wait_set_count(set), 0);
    check_none(set);
    mproc_wait_set_free(set);
}

static void case_message_that_was_taken_and_kept_is_ready(void)
{
    ends pipe = connections_create(false);
    mproc_waitable thing = MPROC_WAITABLE(pipe.first);
    mproc_wait_set *set = set_of(&thing, 1);
    mproc_value value = mproc_nil();

    connections_write_raw(pipe.second, "\0\0\0\3abc", 7);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, MPROC_FOREVER), MPROC_INVALID);
    check_one(set, &thing);
    connections_send_int(pipe.second, 1);
    check_one(set, &thing);
    CHECK_OK(mproc_wait_set_remove(set, thing));
    CHECK_OK(mproc_wait_set_add(set, thing));
    connections_check_text(pipe.first, "abc");
    check_one(set, &thing);
    CHECK_EQ(connections_recv_int(pipe.first), 1);
    check_none(set);
    mproc_wait_set_free(set);
    connections_free(&pipe);
}

/* ---- several threads --------------------------------------------------------------------------------- */

static void case_who_sleeps_waits_for_what_others_add(void)
{
    one_of_each each;
    mproc_waitable ready[KINDS];
    waiting_thread waiting = {.things = ready, .count = KINDS, .timeout_ms = MPROC_FOREVER};

    for (int i = 0; i < KINDS; i++) {
        each_create(&each);
        waiting.set = set_of(NULL, 0);
        waiting_begin(&waiting);
        waiting_await_asleep(1);
        if (i % 2) each_make_ready(&each, i);
        CHECK_OK(mproc_wait_set_add(waiting.set, each.things[i]));
        if (i % 2 == 0) each_make_ready(&each, i);
        waiting_end(&waiting);
        CHECK_OK(waiting.status);
        CHECK(waiting.ready == 1 && same(&ready[0], &each.things[i]));
        mproc_wait_set_free(waiting.set);
        each_free(&each);
    }
}

/* The system does not tell of it. */
static void case_who_sleeps_is_woken_by_a_kept_message_that_is_added(void)
{
    ends pipe = connections_create(false);
    mproc_waitable ready;
    waiting_thread waiting = {.set = set_of(NULL, 0), .things = &ready, .count = 1, .timeout_ms = MPROC_FOREVER};
    mproc_value value = mproc_nil();

    connections_write_raw(pipe.second, "\0\0\0\3abc", 7);
    CHECK_STATUS(mproc_connection_recv(pipe.first, &value, MPROC_FOREVER), MPROC_INVALID);
    waiting_begin(&waiting);
    waiting_await_asleep(1);
    CHECK_OK(mproc_wait_set_add(waiting.set, MPROC_WAITABLE(pipe.first)));
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    CHECK(ready.object == pipe.first);
    mproc_wait_set_free(waiting.set);
    connections_free(&pipe);
}

static void case_what_others_remove_is_waited_for_no_more(void)
{
    one_of_each each;
    mproc_waitable ready[KINDS];
    waiting_thread waiting = {.things = ready, .count = KINDS, .timeout_ms = MPROC_FOREVER};

    each_create(&each);
    waiting.set = set_of(each.things, KINDS);
    waiting_begin(&waiting);
    waiting_await_asleep(1);
    for (int i = 0; i < KINDS - 1; i++) CHECK_OK(mproc_wait_set_remove(waiting.set, each.things[i]));
    for (int i = 0; i < KINDS - 1; i++) each_make_ready(&each, i);
    each_make_ready(&each, KINDS - 1);
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    CHECK(waiting.ready == 1 && same(&ready[0], &each.things[KINDS - 1]));
    mproc_wait_set_free(waiting.set);
    each_free(&each);
}

static void case_interrupt_ends_all_who_wait_in_a_set(void)
{
    enum { WAITERS = 3 };
    one_of_each each;
    mproc_waitable ready[WAITERS];
    waiting_thread waiting[WAITERS];
    mproc_wait_set *set;

    each_create(&each);
    set = set_of(each.things, KINDS);
    for (int i = 0; i < WAITERS; i++) {
        waiting[i] = (waiting_thread){.set = set, .things = &ready[i], .count = 1, .timeout_ms = MPROC_FOREVER};
        waiting_begin(&waiting[i]);
        waiting_await_asleep(i + 1);
    }
    mproc_interrupt();
    for (int i = 0; i < WAITERS; i++) {
        waiting_end(&waiting[i]);
        CHECK_EQ(waiting[i].status, MPROC_INTERRUPTED);
    }
    CHECK(mproc_interrupted());
    mproc_wait_set_free(set);
    each_free(&each);
}

typedef struct looker {
    mproc_wait_set *set;
    _Atomic uint32_t ends;
    plat_thread *thread;
} looker;

enum { EVENTS = 40 };

static void looks_all_the_time(void *argument)
{
    looker *self = argument;
    mproc_waitable ready[EVENTS];
    size_t count = 0;

    while (!atomic_load(&self->ends)) CHECK_OK(mproc_wait_set_wait(self->set, ready, EVENTS, 0, &count));
}

static void case_each_thing_is_reported_once_whoever_else_waits(void)
{
    mproc_event *events[EVENTS];
    mproc_waitable ready[EVENTS];
    looker other = {.set = set_of(NULL, 0)};
    size_t count = 0;

    for (int i = 0; i < EVENTS; i++) {
        mproc_waitable thing;
        CHECK_OK(mproc_event_create(&events[i]));
        CHECK_OK(mproc_event_set(events[i]));
        thing = MPROC_WAITABLE(events[i]);
        thing.context = &events[i];
        CHECK_OK(mproc_wait_set_add(other.set, thing));
    }
    CHECK_OK(plat_thread_start(looks_all_the_time, &other, &other.thread));
    for (int i = 0; i < check_many(60000, 500); i++) {
        bool seen[EVENTS] = {false};
        CHECK_OK(mproc_wait_set_wait(other.set, ready, EVENTS, 0, &count));
        CHECK_EQ(count, EVENTS);
        for (size_t k = 0; k < count; k++) {
            size_t which = (size_t)((mproc_event **)ready[k].context - events);
            CHECK(!seen[which]);
            seen[which] = true;
        }
    }
    atomic_store(&other.ends, 1);
    plat_thread_join(other.thread);
    mproc_wait_set_free(other.set);
    for (int i = 0; i < EVENTS; i++) mproc_event_free(events[i]);
}

/* A server: threads take messages as they come, while connections and queues come and go. */
enum { SERVERS = 2, CLIENTS = 6, REQUESTS = 60 };

typedef struct server {
    mproc_wait_set *set;
    _Atomic uint32_t *served;
    plat_thread *thread;
} server;

static void serve(void *argument)
{
    const server *self = argument;

    while (atomic_load(self->served) < CLIENTS * REQUESTS) {
        mproc_waitable ready[4];
        mproc_value value = mproc_nil();
        size_t count = 0;
        mproc_status status = mproc_wait_set_wait(self->set, ready, 4, 10, &count);
        if (status == MPROC_TIMEOUT) continue;
        CHECK_OK(status);
        for (size_t i = 0; i < count; i++) {
            if (ready[i].kind == MPROC_WAITABLE_QUEUE) status = mproc_queue_get(ready[i].object, &value, 0);
            else status = mproc_connection_recv(ready[i].object, &value, 0);
            if (status == MPROC_OK) atomic_fetch_add(self->served, 1);
            else CHECK(status == MPROC_TIMEOUT || status == MPROC_PEER_DIED);
            mproc_value_clear(&value);
        }
    }
}

static void case_things_come_and_go_while_several_threads_wait(void)
{
    mproc_wait_set *set = set_of(NULL, 0);
    _Atomic uint32_t served = 0;
    server servers[SERVERS];
    ends pipes[CLIENTS];
    mproc_queue *queues[CLIENTS];

    for (int i = 0; i < CLIENTS; i++) {
        pipes[i] = connections_create(false);
        CHECK_OK(mproc_queue_create(NULL, &queues[i]));
    }
    for (int i = 0; i < SERVERS; i++) {
        servers[i] = (server){set, &served, NULL};
        CHECK_OK(plat_thread_start(serve, &servers[i], &servers[i].thread));
    }
    for (int i = 0; i < REQUESTS; i++) {
        for (int j = 0; j < CLIENTS; j++) {
            mproc_waitable thing = j % 2 ? MPROC_WAITABLE(queues[j]) : MPROC_WAITABLE(pipes[j].first);
            if (i % 4 == 0) CHECK_OK(mproc_wait_set_add(set, thing));
            if (j % 2) CHECK_OK(mproc_queue_put(queues[j], mproc_int(i), 0));
            else connections_send_int(pipes[j].second, i);
            if (i % 4 == 2) CHECK_OK(mproc_wait_set_remove(set, thing));
        }
    }
    for (int j = 0; j < CLIENTS; j++)
        CHECK_OK(mproc_wait_set_add(set, j % 2 ? MPROC_WAITABLE(queues[j]) : MPROC_WAITABLE(pipes[j].first)));
    for (int i = 0; i < SERVERS; i++) plat_thread_join(servers[i].thread);
    CHECK_EQ(atomic_load(&served), CLIENTS * REQUESTS);
    for (int i = 0; i < CLIENTS; i++) {
        connections_free(&pipes[i]);
        mproc_queue_free(queues[i]);
    }
    CHECK_EQ(mproc_wait_set_count(set), 0);
    mproc_wait_set_free(set);
}

CHECK_SUITE_SETUP(wait_sets, waiting_setup,
    CASE_WITH(what_is_ready_is_returned_as_it_was_added, .limit_s = 60, .leaves = OF_A_POOL), /* a pool's own */
    CASE_WITH(who_sleeps_in_a_set_is_woken_by_each_kind, .limit_s = 60, .leaves = OF_A_POOL), /* likewise */
    CASE_WITH(all_that_are_ready_come_also_one_at_a_time, .leaves = OF_A_POOL), /* likewise */
    CASE(bad_arguments_are_refused),
    CASE_WITH(what_is_closed_stays_and_is_ready, .leaves = OF_A_POOL), /* likewise */
    CASE_WITH(what_is_freed_is_out_of_the_set, .leaves = OF_A_POOL), /* likewise */
    CASE(process_that_has_ended_is_ready_until_it_is_removed),
    CASE(message_that_was_taken_and_kept_is_ready),
    CASE_WITH(who_sleeps_waits_for_what_others_add, .limit_s = 60, .leaves = OF_A_POOL), /* likewise */
    CASE(who_sleeps_is_woken_by_a_kept_message_that_is_added),
    CASE_WITH(what_others_remove_is_waited_for_no_more, .leaves = OF_A_POOL), /* likewise */
    CASE_WITH(interrupt_ends_all_who_wait_in_a_set, .leaves = OF_A_POOL), /* likewise */
    CASE(each_thing_is_reported_once_whoever_else_waits),
    CASE_LIMIT(things_come_and_go_while_several_threads_wait, 40),
);
