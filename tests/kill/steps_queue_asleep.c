/*
 * Queues for which somebody waits. Promised: nobody sleeps over an item, or over room for one, whoever is killed; and
 * nobody waits for items that nobody can put.
 */
#include "steps_queue.h"

#include <stdlib.h>

static uint32_t put_later; /* by the root, in the meantime */

static void begin_with(void *state, const mproc_queue_options *options)
{
    test_queue_begin(state, options);
    put_later = 0;
}

/* ---- what victims and peers do ----------------------------------------------------------------- */

static void enter_with_peer_asleep(void *state)
{
    test_queue_enter(state);
    test_family_peer_asleep(state, 0);
}

static void enter_with_two_asleep(void *state)
{
    enter_with_peer_asleep(state);
    test_family_peer_asleep(state, 1);
}

static void peer_gets(struct test_family *tested, int number)
{
    size_t size;

    test_queue_open();
    atomic_store(&tested->begun[number], 1);
    atomic_store(&tested->said[number], (uint32_t)test_queue_get(test_queue_mine, &size));
    atomic_store(&tested->went_on[number], 1);
}

static void peer_puts(struct test_family *tested, int number)
{
    test_queue_open();
    atomic_store(&tested->begun[number], 1);
    test_queue_put(test_queue_mine, PEERS, SMALL);
    atomic_store(&tested->went_on[number], 1);
}

/* ---- peers wait for items ---------------------------------------------------------------------- */

/* With a limit that is not reached. */
static void begin_bounded(void *state)
{
    begin_with(state, &(mproc_queue_options){.maxsize = 3});
}

static void begin_with_getter(void *state)
{
    begin_with(state, NULL);
    test_family_peer(state, peer_gets);
}

static void begin_with_getters(void *state)
{
    begin_with_getter(state);
    test_family_peer(state, peer_gets);
}

/* Nobody sleeps over an item; and who sleeps rightly hears of the next. */
static const char *check_awake(struct test_family *tested)
{
    int left = test_family_left_asleep(tested);

    for (int i = 0; left >= 0 && i < CLAN_PEERS; i++) {
        if (mproc_queue_size(test_queue) > 0)
            return step_says("peer %d sleeps over %lld items", left, (long long)mproc_queue_size(test_queue));
        test_queue_put(test_queue, LATER, SMALL);
        put_later++;
        left = test_family_left_asleep(tested);
    }
    return left < 0 ? NULL : step_says("peer %d sleeps for ever", left);
}

static uint32_t peers_got(const struct test_family *tested, uint32_t number)
{
    uint32_t got = 0;

    for (int i = 0; i < tested->peers_count; i++)
        got += number ? atomic_load(&tested->said[i]) == number : atomic_load(&tested->went_on[i]) != 0;
    return got;
}

/* Each peer has got one of the root's items or of the victim's `most`, which came in before those. */
static const char *check_getters_most(void *state, bool completed, uint32_t most)
{
    struct test_family *tested = state;
    const char *wrong = check_awake(tested);
    uint32_t victims = 0;
    size_t size;

    if (wrong) return wrong;
    for (uint32_t i = 0; i < most; i++) {
        if (peers_got(tested, VICTIMS + i) > 1) return step_says("an item came twice");
        victims += peers_got(tested, VICTIMS + i);
    }
    while (mproc_queue_size(test_queue) > 0) victims += test_queue_get(test_queue, &size) < LATER;
    if (victims < atomic_load(&tested->victim_said)) return step_says("%u items came", victims);
    if (peers_got(tested, 0) != (uint32_t)tested->peers_count) return step_says("a peer got nothing");
    wrong = test_queue_check_counted(0, 0);
    return wrong ? wrong : test_queue_check_end(state, completed);
}

static const char *check_getters(void *state, bool completed)
{
    return check_getters_most(state, completed, 1);
}

/* The victim puts nothing. */
static const char *check_getters_alone(void *state, bool completed)
{
    return check_getters_most(state, completed, 0);
}

static void close_mine(void *state)
{
    (void)state;
    mproc_queue_close(test_queue_mine);
}

static const char *check_getters_of_batch(void *state, bool completed)
{
    return check_getters_most(state, completed, BATCH);
}

/* ---- peers wait for room ----------------------------------------------------------------------- */

static void begin_full_with_putter(void *state)
{
    begin_with(state, &(mproc_queue_options){.maxsize = 2});
    test_queue_put_before(SMALL);
    test_queue_put_before(SMALL);
    test_family_peer(state, peer_puts);
}

static void begin_full_of_bytes_with_putter(void *state)
{
    begin_with(state, &(mproc_queue_options){.max_bytes = 2 * SMALL});
    test_queue_put_before(SMALL);
    test_queue_put_before(SMALL);
    test_family_peer(state, peer_puts);
}

static const char *check_putter(void *state, bool completed)
{
    struct test_family *tested = state;
    uint64_t number, last = 0;
    size_t size;

    if (test_family_left_asleep(tested) >= 0 && mproc_queue_size(test_queue) < 2)
        return step_says("a putter sleeps while there is room");
    number = test_queue_get(test_queue, &size);
    if (number != ROOTS + 1 && (number != ROOTS || atomic_load(&tested->victim_said)))
        return step_says("item %llu comes first", (unsigned long long)number);
    if (test_family_left_asleep(tested) >= 0) return step_says("a putter sleeps, later, while there is room");
    while (mproc_queue_size(test_queue) > 0) last = test_queue_get(test_queue, &size);
    if (last != PEERS) return step_says("the putter's item has not come");
    if (test_queue_check_counted(0, 0)) return test_queue_check_counted(0, 0);
    return test_queue_check_end(state, completed);
}

/* ---- the victim waits, and a peer behind it ---------------------------------------------------- */

static void begin_bounded_with_getter(void *state)
{
    begin_bounded(state);
    test_family_peer(state, peer_gets);
}

/* The victim, which has waited for longer, is chosen. */
static void put_for_one(void *state)
{
    test_family_peer_asleep(state, 0);
    if (mproc_queue_size(test_queue) > 0) return;
    test_queue_put(test_queue, LATER, SMALL);
    put_later++;
}

static const char *check_rival(void *state, bool completed)
{
    struct test_family *tested = state;
    const char *wrong;
    int64_t rest;

    if (put_later == 0) put_for_one(state);
    if ((wrong = check_awake(tested))) return wrong;
    rest = (int64_t)put_later - peers_got(tested, LATER) - mproc_queue_size(test_queue);
    if (rest < atomic_load(&tested->victim_said) || rest > 1)
        return step_says("%lld items are missing", (long long)rest);
    return test_queue_check_end(state, completed);
}

/* What has come is too large for the victim, and stays. */
static void get_too_large(void *state)
{
    uint64_t number;
    size_t size;

    (void)state;
    if (mproc_queue_get_bytes(test_queue_mine, &number, sizeof number, &size, MPROC_FOREVER) != MPROC_INVALID)
        abort();
}

/* Two have no room, and there will be some for one. */
static void get_for_one(void *state)
{
    size_t size;

    test_family_peer_asleep(state, 0);
    if (mproc_queue_size(test_queue) < 2 || put_later) return;
    test_queue_get(test_queue, &size);
    put_later = 1;
}

static const char *check_rival_putter(void *state, bool completed)
{
    struct test_family *tested = state;
    uint64_t number, peers = 0, victims = 0;
    size_t size;

    get_for_one(state);
    if (test_family_left_asleep(tested) >= 0) {
        if (mproc_queue_size(test_queue) < 2) return step_says("a putter sleeps while there is room");
        test_queue_get(test_queue, &size);
        victims += test_queue_buffer.number == VICTIMS;
    }
    if (test_family_left_asleep(tested) >= 0) return step_says("a putter sleeps, later, while there is room");
    while (mproc_queue_size(test_queue) > 0) {
        number = test_queue_get(test_queue, &size);
        peers += number == PEERS;
        victims += number == VICTIMS;
    }
    if (peers != 1 || victims > 1 || victims < atomic_load(&tested->victim_said))
        return step_says("%llu items of the peer have come, and %llu of the victim", (unsigned long long)peers,
                         (unsigned long long)victims);
    return test_queue_check_end(state, completed);
}

/* ---- all others have dropped it ----------------------------------------------------------------- */

static void peer_is_left(struct test_family *tested, int number)
{
    size_t size;

    test_queue_open();
    atomic_store(&tested->begun[number], 1);
    atomic_store(&tested->said[number],
                 (uint32_t)mproc_queue_get_bytes(test_queue_mine, &test_queue_buffer, sizeof test_queue_buffer, &size,
                                                 MPROC_FOREVER) +
                     1);
    atomic_store(&tested->went_on[number], 1);
}

static void begin_with_one_left(void *state)
{
    begin_with(state, NULL);
    test_family_peer(state, peer_is_left);
}

/* The root's handle is dropped in its name. */
static void enter_with_one_left(void *state)
{
    enter_with_peer_asleep(state);
    object_drop(test_family_intent(), ((const struct reference *)(const void *)test_queue)->owned);
}

static const char *check_left(void *state, bool completed)
{
    struct test_family *tested = state;

    if (test_family_left_asleep(tested) >= 0) return step_says("it waits for items that nobody can put");
    if (atomic_load(&tested->said[0]) != MPROC_PEER_DIED + 1)
        return step_says("it got status %d", (int)atomic_load(&tested->said[0]) - 1);
    return test_queue_check_end(state, completed);
}

static const step_scenario scenarios[] = {
    {.name = "queue.put_getter_asleep",
     .slow = true,
     .setup = begin_with_getter,
     .enter = enter_with_peer_asleep,
     .operation = test_queue_put_one,
     .check = check_getters,
     RECOVERED},
    {.name = "queue.put_getters_asleep",
     .slow = true,
     .setup = begin_with_getters,
     .enter = enter_with_two_asleep,
     .operation = test_queue_put_one,
     .check = check_getters,
     RECOVERED},
    {.name = "queue.put_several_getters_asleep",
     .slow = true,
     .setup = begin_with_getters,
     .enter = enter_with_two_asleep,
     .operation = test_queue_put_batch,
     .check = check_getters_of_batch,
     RECOVERED},
    {.name = "queue.commit_getter_asleep",
     .slow = true,
     .setup = begin_with_getter,
     .enter = enter_with_peer_asleep,
     .operation = test_queue_commit_one,
     .check = check_getters,
     RECOVERED},
    {.name = "queue.close_getter_asleep",
     .slow = true,
     .setup = begin_with_getter,
     .enter = enter_with_peer_asleep,
     .operation = close_mine,
     .check = check_getters_alone,
     RECOVERED},
    {.name = "queue.get_putter_asleep",
     .slow = true,
     .setup = begin_full_with_putter,
     .enter = enter_with_peer_asleep,
     .operation = test_queue_get_one,
     .check = check_putter,
     RECOVERED},
    {.name = "queue.get_of_limited_bytes_putter_asleep",
     .slow = true,
     .setup = begin_full_of_bytes_with_putter,
     .enter = enter_with_peer_asleep,
     .operation = test_queue_get_one,
     .check = check_putter,
     RECOVERED},
    {.name = "queue.get_asleep_before_rival",
     .slow = true,
     .setup = begin_with_getter,
     .enter = test_queue_enter,
     .operation = test_queue_get_one,
     .release = put_for_one,
     .check = check_rival,
     RECOVERED},
    {.name = "queue.get_too_large_asleep_before_rival",
     .slow = true,
     .setup = begin_with_getter,
     .enter = test_queue_enter,
     .operation = get_too_large,
     .release = put_for_one,
     .check = check_rival,
     RECOVERED},
    {.name = "queue.get_of_limited_asleep_before_rival",
     .slow = true,
     .setup = begin_bounded_with_getter,
     .enter = test_queue_enter,
     .operation = test_queue_get_one,
     .release = put_for_one,
     .check = check_rival,
     RECOVERED},
    {.name = "queue.put_asleep_before_rival",
     .slow = true,
     .setup = begin_full_with_putter,
     .enter = test_queue_enter,
     .operation = test_queue_put_one,
     .release = get_for_one,
     .check = check_rival_putter,
     RECOVERED},
    {.name = "queue.commit_asleep_before_rival",
     .slow = true,
     .setup = begin_full_with_putter,
     .enter = test_queue_enter,
     .operation = test_queue_commit_one,
     .release = get_for_one,
     .check = check_rival_putter,
     RECOVERED},
    {.name = "queue.free_getter_left_asleep",
     .slow = true,
     .setup = begin_with_one_left,
     .enter = enter_with_one_left,
     .operation = test_queue_free_mine,
     .check = check_left,
     RECOVERED},
};

const steps_table steps_queue_asleep = STEPS_TABLE(scenarios);
