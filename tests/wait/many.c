/* Many things in one wait, and all that is to come from them. */
#include "wait/waiting.h"

#include <stdlib.h>

/* Above 64, which is what Windows waits for at once. */
enum { SENTINELS = 200, FEW_SENTINELS = 70 };

static mproc_status ends_when_set(mproc_call *call)
{
    mproc_event *event = NULL;

    MPROC_TRY(mproc_unpack(call, &event));
    return mproc_event_wait(event, MPROC_FOREVER);
}

static bool all_have_ended(void *context)
{
    const waiting_thread *all = context;
    size_t ready = 0;

    CHECK_OK(mproc_wait(all->things, all->count, MPROC_FOREVER, &ready));
    return ready == all->count;
}

static void case_many_sentinels_in_one_wait(void)
{
    int count = check_many(SENTINELS, FEW_SENTINELS);
    mproc_waitable things[SENTINELS];
    mproc_process *children[SENTINELS];
    mproc_event *one = NULL, *all = NULL;
    waiting_thread waiting = {.things = things, .count = (size_t)count, .timeout_ms = MPROC_FOREVER};

    CHECK_OK(mproc_event_create(&one));
    CHECK_OK(mproc_event_create(&all));
    for (int i = 0; i < count; i++) {
        children[i] = connections_start(ends_when_set, MPROC_ARGS(i == count - 1 ? one : all));
        things[i] = MPROC_WAITABLE(children[i]);
    }
    CHECK_STATUS(mproc_wait(things, (size_t)count, 10, NULL), MPROC_TIMEOUT);
    waiting_begin(&waiting);
    waiting_await_asleep(1);
    CHECK_OK(mproc_event_set(one));
    waiting_end(&waiting);
    CHECK_OK(waiting.status);
    CHECK_EQ(waiting.ready, 1);
    CHECK(things[count - 1].ready);
    CHECK_OK(mproc_event_set(all));
    CHECK_WAIT_UNTIL(all_have_ended, &waiting);
    for (int i = 0; i < count; i++) CHECK_EXITED(children[i], 0);
    mproc_event_free(one);
    mproc_event_free(all);
}

/* ---- writers whose messages all come, and then their ends --------------------------------------------- */

enum { WRITERS = 4, MESSAGES = 10 };

static mproc_status writes_messages(mproc_call *call)
{
    mproc_connection *connection = NULL;
    int64_t number, slow;

    MPROC_TRY(mproc_unpack(call, &connection, &number, &slow));
    for (int i = 0; i < MESSAGES; i++) {
        if (slow) MPROC_TRY(mproc_sleep_ms(1 + (number * 7 + i) % 5));
        connections_send_int(connection, number * MESSAGES + i);
    }
    return MPROC_OK;
}

static void check_writers(int slow)
{
    mproc_process *writers[WRITERS];
    mproc_waitable things[WRITERS];
    int64_t next[WRITERS];
    size_t left = WRITERS;

    for (int i = 0; i < WRITERS; i++) {
        ends pipe = connections_create(true);
        writers[i] = connections_start(writes_messages, MPROC_ARGS(pipe.second, i, slow));
        mproc_connection_free(pipe.second);
        things[i] = MPROC_WAITABLE(pipe.first);
        things[i].context = &next[i];
        next[i] = i * MESSAGES;
    }
    while (left > 0) {
        CHECK_OK(mproc_wait(things, left, check_limit_ms(), NULL));
        for (size_t i = left; i-- > 0;) {
            mproc_value value = mproc_nil();
            mproc_status status;
            if (!things[i].ready) continue;
            status = mproc_connection_recv(things[i].object, &value, check_limit_ms());
            if (status == MPROC_OK) {
                CHECK_EQ(mproc_value_int(value), (*(int64_t *)things[i].context)++);
                continue;
            }
            CHECK_EQ(status, MPROC_END);
            mproc_connection_free(things[i].object);
            things[i] = things[--left];
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        CHECK_EQ(next[i], (i + 1) * MESSAGES);
        CHECK_EXITED(writers[i], 0);
    }
}

static void case_all_messages_of_several_writers_come_and_then_their_ends(void)
{
    check_writers(0);
}

static void case_slow_writers_lose_nothing(void)
{
    check_writers(1);
}

/* ---- connections ----------------------------------------------------------------------------------- */

/* Above 64 with the kinds mixed, in one wait and in a set; the limit on open files is nowhere lower. */
static void case_more_than_64_things_of_several_kinds(void)
{
    enum { PIPES = 50, OTHERS = 60 };
    ends pipes[PIPES];
    mproc_event *events[OTHERS];
    mproc_waitable things[PIPES + OTHERS + 20];
    plat_handle handles[20];
    size_t count = 0, ready = 0;
    waiting_thread waiting = {.things = things, .timeout_ms = MPROC_FOREVER};

    for (int i = 0; i < PIPES; i++) {
        pipes[i] = connections_create(false);
        things[count++] = MPROC_WAITABLE(pipes[i].first);
    }
    for (int i = 0; i < OTHERS; i++) {
        CHECK_OK(mproc_event_create(&events[i]));
        things[count++] = MPROC_WAITABLE(events[i]);
    }
    for (int i = 0; i < 20; i++) {
        CHECK_OK(plat_event_create(&handles[i]));
        things[count++] = mproc_waitable_handle(handles[i]);
    }
    waiting.count = count;
    CHECK_STATUS(mproc_wait(things, count, 10, NULL), MPROC_TIMEOUT);
    for (int i = 0; i < 3; i++) {
        waiting_begin(&waiting);
        waiting_await_asleep(1);
        if (i == 0) connections_send_int(pipes[PIPES - 1].second, 1);
        if (i == 1) CHECK_OK(mproc_event_set(events[OTHERS - 1]));
        if (i == 2) plat_event_set(handles[19]);
        waiting_end(&waiting);
        CHECK_OK(waiting.status);
        CHECK_EQ(waiting.ready, 1);
        CHECK(things[i == 0 ? PIPES - 1 : i == 1 ? PIPES + OTHERS - 1 : (int)count - 1].ready);
        if (i == 0) connections_recv_int(pipes[PIPES - 1].first);
        if (i == 1) CHECK_OK(mproc_event_clear(events[OTHERS - 1]));
    }
    for (int i = 0; i < PIPES; i++) connections_send_int(pipes[i].second, i);
    CHECK_OK(mproc_wait(things, count, check_limit_ms(), &ready));
    CHECK_EQ(ready, PIPES + 1);
    for (int i = 0; i < PIPES; i++) connections_free(&pipes[i]);
    for (int i = 0; i < OTHERS; i++) mproc_event_free(events[i]);
    for (int i = 0; i < 20; i++) plat_handle_close(handles[i]);
}

CHECK_SUITE_SETUP(wait_many, waiting_setup,
    CASE_LIMIT(many_sentinels_in_one_wait, 120),
    CASE(all_messages_of_several_writers_come_and_then_their_ends),
    CASE(slow_writers_lose_nothing),
    CASE(more_than_64_things_of_several_kinds),
);
