/* How long items, and values that were got, keep the objects that they refer to. */
#include "queue/queues.h"

#include <stdlib.h>

#include "object/reference.h"

static mproc_value get(mproc_queue *queue)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_queue_get(queue, &value, check_limit_ms()));
    return value;
}

static uint32_t handles_of(const void *object)
{
    return object_handles(((const struct reference *)object)->at);
}

static mproc_event *create_event(void)
{
    mproc_event *event = NULL;

    CHECK_OK(mproc_event_create(&event));
    return event;
}

/* An event that the queue's next item alone refers to: LIST(1, event). */
static void put_event(mproc_queue *queue)
{
    mproc_event *event = create_event();

    CHECK_OK(mproc_queue_put(queue, MPROC_LIST(1, event), MPROC_FOREVER));
    mproc_event_free(event);
}

/* Also of a joinable queue, whose lease is done before, or not. */
static mproc_queue *create(int i)
{
    return i == 0 ? queues_create(0, 0) : queues_create_joinable(0, 0);
}

/* ---- the value that was got ------------------------------------------------------------------------ */

static void check_kept(mproc_queue *queue, bool asked, bool done)
{
    mproc_event *event = NULL;
    mproc_value value, copy;
    uint64_t blocks;

    put_event(queue);
    value = get(queue);
    CHECK_OK(mproc_value_copy(value, &copy));
    if (done) CHECK_OK(mproc_queue_task_done(queue));
    if (asked) {
        CHECK_OK(mproc_value_to(mproc_value_at(copy, 1), &event)); /* the value keeps it for the copy */
        CHECK_OK(mproc_event_set(event));
        mproc_event_free(event);
        CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &event));
        CHECK(mproc_event_is_set(event));
    }
    blocks = peers_blocks();
    mproc_value_clear(&value);
    CHECK(mproc_value_is_nil(value));
    if (asked) CHECK(mproc_event_is_set(event));
    mproc_event_free(event);
    CHECK(done == (peers_blocks() < blocks)); /* what is leased keeps it as well */
    if (done) CHECK_SAYS(mproc_value_to(mproc_value_at(copy, 1), &event), MPROC_CLOSED, "has been freed");
    mproc_value_clear(&copy);
}

static void case_value_that_was_got_keeps_its_objects_until_it_is_cleared(void)
{
    mproc_queue *plain = queues_create(0, 0), *joinable = queues_create_joinable(0, 0);

    for (int i = 0; i < 2; i++) {
        mproc_value value;
        uint64_t blocks;
        mproc_event *event = NULL;
        put_event(plain);
        value = get(plain);
        blocks = peers_blocks();
        if (i == 1) CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &event));
        mproc_value_clear(&value);
        CHECK_EQ(peers_blocks(), blocks - (i == 0 ? 2 : 1));
        mproc_event_free(event);
        CHECK_EQ(peers_blocks(), blocks - 2);
        check_kept(joinable, i == 1, true);
        check_kept(joinable, i == 1, false);
        CHECK_OK(mproc_queue_task_done(joinable));
    }
    mproc_queue_free(plain);
    mproc_queue_free(joinable);
}

/* The queue, and whoever put the item, may be gone. */
static void case_value_outlives_its_queue_and_its_giver(void)
{
    for (int i = 0; i < 2; i++) {
        mproc_queue *queue = create(i);
        mproc_event *event = NULL;
        mproc_value value;
        put_event(queue);
        value = get(queue);
        mproc_queue_free(queue);
        CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &event));
        CHECK_OK(mproc_event_set(event));
        mproc_event_free(event);
        mproc_value_clear(&value);
    }
}

static void case_value_that_was_got_is_put_again(void)
{
    mproc_queue *first = queues_create(0, 0), *second = queues_create_joinable(0, 0);
    mproc_event *event = NULL, *same = NULL;
    mproc_value value, again;

    put_event(first);
    value = get(first);
    CHECK_OK(mproc_queue_put(second, value, 0));
    CHECK_OK(mproc_queue_put(second, MPROC_MAP("part", mproc_value_at(value, 1)), 0));
    mproc_value_clear(&value);
    value = get(second);
    again = get(second);
    CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &event));
    CHECK_OK(mproc_event_set(event));
    mproc_value_clear(&value);
    mproc_event_free(event);
    CHECK_OK(mproc_value_to(mproc_value_get(again, "part"), &same));
    CHECK(mproc_event_is_set(same));
    mproc_event_free(same);
    mproc_value_clear(&again);
    mproc_queue_free(first);
    mproc_queue_free(second);
}

/* Each that is asked for by the program itself is a reference of its own, and is freed. */
static void case_each_question_for_an_object_gives_a_reference(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_event *event = create_event(), *first = NULL, *second = NULL;
    mproc_value value;

    CHECK_OK(mproc_queue_put(queue, MPROC_LIST(event, event), 0));
    CHECK_EQ(handles_of(event), 3);
    value = get(queue);
    CHECK_EQ(handles_of(event), 3);
    CHECK_OK(mproc_value_to(mproc_value_at(value, 0), &first));
    CHECK_OK(mproc_value_to(mproc_value_at(value, 0), &second));
    CHECK(first != second && first != event);
    CHECK_EQ(handles_of(event), 5);
    mproc_event_free(first);
    mproc_value_clear(&value);
    CHECK_EQ(handles_of(event), 2);
    CHECK_OK(mproc_event_set(second));
    CHECK(mproc_event_is_set(event));
    mproc_event_free(second);
    CHECK_EQ(handles_of(event), 1);
    mproc_event_free(event);
    mproc_queue_free(queue);
}

static void case_memory_with_a_name_goes_with_the_last_process_that_has_it(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_shared_memory *memory = NULL, *same = NULL, *gone = NULL;
    mproc_value value;

    CHECK_OK(mproc_shared_memory_create(5, &(mproc_shared_memory_options){.name = "keeping"}, &memory));
    memcpy(mproc_shared_memory_data(memory), "four", 5);
    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE(memory), 0));
    value = get(queue);
    CHECK_OK(mproc_value_to(value, &same));
    CHECK_STRING(mproc_shared_memory_data(same), "four");
    mproc_shared_memory_free(same);
    mproc_shared_memory_free(memory);
    CHECK_SAYS(mproc_value_to(value, &gone), MPROC_NOT_FOUND, "keeping");
    mproc_value_clear(&value);
    mproc_queue_free(queue);
}

/* ---- threads ------------------------------------------------------------------------------------- */

typedef struct handed {
    mproc_queue *queue;
    mproc_value value;
} handed;

/* Its first call of the library. */
static void gets_item(void *argument)
{
    handed *self = argument;

    CHECK_OK(mproc_queue_get(self->queue, &self->value, check_limit_ms()));
}

static void clears(void *argument)
{
    handed *self = argument;

    mproc_value_clear(&self->value);
}

static void run_thread(void (*body)(void *), handed *self)
{
    plat_thread *thread = NULL;

    CHECK_OK(plat_thread_start(body, self, &thread));
    plat_thread_join(thread);
}

/* The thread that got it may have ended. */
static void case_value_is_got_used_and_cleared_by_different_threads(void)
{
    for (int i = 0; i < 2; i++) {
        mproc_queue *queue = create(i);
        handed self = {.queue = queue};
        mproc_event *event = NULL;
        uint64_t blocks;
        CHECK_STATUS(mproc_queue_get(queue, &self.value, 0), MPROC_TIMEOUT);
        queues_put_int(queue, 1);
        CHECK_EQ(queues_get_int(queue), 1);
        if (i == 1) CHECK_OK(mproc_queue_task_done(queue));
        CHECK_STATUS(mproc_queue_get(queue, &self.value, 0), MPROC_TIMEOUT);
        blocks = peers_blocks();
        put_event(queue);
        run_thread(gets_item, &self);
        CHECK_EQ(mproc_value_int(mproc_value_at(self.value, 0)), 1);
        CHECK_OK(mproc_value_to(mproc_value_at(self.value, 1), &event));
        CHECK_OK(mproc_event_set(event));
        mproc_event_free(event);
        run_thread(clears, &self);
        CHECK(mproc_value_is_nil(self.value));
        if (i == 1) CHECK_OK(mproc_queue_task_done(queue));
        CHECK(peers_blocks() <= blocks);
        mproc_queue_free(queue);
    }
}

/* ---- items of all kinds, got by several at once ------------------------------------------------------ */

enum { PUTTERS = 2, ROUNDS = 150, KINDS = 6 };

static void puts_all_kinds(peer *self)
{
    unsigned char *bytes = calloc(1, 50000);
    mproc_event *event = create_event();

    CHECK(bytes != NULL);
    for (int i = 0; i < ROUNDS; i++) {
        mproc_value values[KINDS] = {
            mproc_int(i),
            mproc_string("a text that does not fit the value itself"),
            MPROC_LIST(event),
            mproc_bytes(bytes, 50000),
            MPROC_LIST(event, mproc_bytes(bytes, 3000), event),
            MPROC_LIST(mproc_bytes(bytes, (size_t)i * 40)),
        };
        for (int n = 0; n < KINDS; n++)
            CHECK_OK(mproc_queue_put(self->object, values[(n * 5 + i) % KINDS], MPROC_FOREVER));
        CHECK_OK(mproc_queue_put_bytes(self->object, bytes, (size_t)(i % 6 * 9000), MPROC_FOREVER));
    }
    mproc_event_free(event);
    free(bytes);
}

/* An event is the last of a list, or none is in it. */
static void gets_all_kinds(peer *self)
{
    mproc_value value;

    for (;; atomic_fetch_add(&self->board->count, 1)) {
        mproc_event *event = NULL;
        mproc_value last;
        value = get(self->object);
        if (self->extra) CHECK_OK(mproc_queue_task_done(self->object));
        if (mproc_value_is_nil(value)) break;
        last = mproc_value_at(value, mproc_value_count(value) - 1);
        if (mproc_value_type(value) == MPROC_TYPE_LIST && mproc_value_type(last) == MPROC_TYPE_HANDLE) {
            CHECK_OK(mproc_value_to(last, &event));
            CHECK_OK(mproc_event_set(event));
            mproc_event_free(event);
        }
        mproc_value_clear(&value);
    }
}

/* What one is made ready for another takes: nothing is torn, nor kept. */
static void check_mixed(bool joinable)
{
    mproc_queue *queue;
    peer_crowd putters, getters;
    uint64_t blocks;

    crowd_init(&putters);
    crowd_init(&getters);
    blocks = peers_blocks();
    CHECK_OK(mproc_queue_create(&(mproc_queue_options){.maxsize = 20, .joinable = joinable}, &queue));
    getters.extra = joinable;
    crowd_add(&getters, 3, gets_all_kinds, queue);
    crowd_add(&putters, PUTTERS, puts_all_kinds, queue);
    crowd_join(&putters);
    for (int i = 0; i < 3; i++) CHECK_OK(mproc_queue_put(queue, mproc_nil(), MPROC_FOREVER));
    crowd_join(&getters);
    CHECK_EQ(atomic_load(&getters.board->count), PUTTERS * ROUNDS * (KINDS + 1));
    CHECK(mproc_queue_empty(queue));
    mproc_queue_free(queue);
    if (!peers_are_threads()) peers_await_blocks(blocks); /* tables of owned slots stay with a process */
    crowd_fini(&putters);
    crowd_fini(&getters);
}

static void case_items_of_all_kinds_come_whole_to_several_at_once(void)
{
    check_mixed(false);
    check_mixed(true);
}

/* ---- given up ------------------------------------------------------------------------------------ */

static void case_items_that_nobody_gets_give_up_their_objects(void)
{
    for (int i = 0; i < 2; i++) {
        mproc_event *event = create_event();
        uint64_t blocks = peers_blocks();
        mproc_queue *queue = create(i), *inner = create(i);
        for (int n = 0; n < 5; n++) put_event(queue);
        put_event(inner);
        CHECK_OK(mproc_queue_put(inner, MPROC_LIST(event, event, event), 0));
        CHECK_OK(mproc_queue_put(queue, MPROC_LIST(inner), 0));
        mproc_queue_free(inner);
        CHECK_EQ(handles_of(event), 4);
        mproc_queue_free(queue);
        CHECK_EQ(handles_of(event), 1);
        CHECK_EQ(peers_blocks(), blocks);
        mproc_event_free(event);
    }
}

/* Has a value, a reference besides, and one that it has put again into a queue of its own. */
static void has_values(peer *self)
{
    mproc_queue *own = queues_create(0, 0);
    mproc_value values[3];
    mproc_event *event = NULL;

    for (int i = 0; i < 3; i++) values[i] = get(self->object);
    CHECK_OK(mproc_value_to(mproc_value_at(values[0], 1), &event));
    CHECK_OK(mproc_queue_put(own, values[1], 0));
    mproc_value_clear(&values[1]);
    peer_end(self);
}

static void check_getter_killed(int joinable)
{
    mproc_event *event = create_event();
    mproc_queue *queue = create(joinable);
    uint64_t blocks;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_STATUS(mproc_queue_get(queue, &(mproc_value){0}, 0), MPROC_TIMEOUT);
    queues_put_int(queue, 1);
    CHECK_EQ(queues_get_int(queue), 1);
    if (joinable) CHECK_OK(mproc_queue_task_done(queue));
    blocks = peers_blocks();
    put_event(queue);
    put_event(queue);
    CHECK_OK(mproc_queue_put(queue, MPROC_LIST(event, event), 0));
    crowd.extra = PEER_IS_KILLED;
    crowd_add(&crowd, 1, has_values, queue);
    board_await(&crowd.board->ready, 1);
    CHECK_EQ(handles_of(event), 3);
    crowd_let_end(&crowd);
    for (int i = 0; joinable && i < 3; i++) {
        mproc_value value = get(queue);
        CHECK_EQ(mproc_queue_redelivered(queue), 1);
        mproc_value_clear(&value);
        CHECK_OK(mproc_queue_task_done(queue));
    }
    peers_await_blocks(blocks);
    CHECK_EQ(handles_of(event), 1);
    mproc_event_free(event);
    mproc_queue_free(queue);
    crowd_fini(&crowd);
}

/* Those of a lease come back with it. */
static void case_objects_of_a_killed_getter_are_given_up(void)
{
    check_getter_killed(0);
    check_getter_killed(1);
}

static void takes_a_request(peer *self)
{
    mproc_value request = get(self->object);
    mproc_queue *reply = NULL;

    CHECK_OK(mproc_value_to(mproc_value_at(request, 0), &reply));
    peer_end(self);
}

/* The request is gone with the server, and so is all by which there could come a reply. */
static void case_reply_of_a_killed_server_is_not_waited_for(void)
{
    mproc_queue *queue = queues_create(0, 0), *reply = queues_create(0, 0);
    mproc_value value;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd.extra = PEER_IS_KILLED;
    crowd_add(&crowd, 1, takes_a_request, queue);
    CHECK_OK(mproc_queue_put(queue, MPROC_LIST(reply, "a request"), 0));
    crowd_let_end(&crowd);
    CHECK_STATUS(mproc_queue_get(reply, &value, MPROC_FOREVER), MPROC_PEER_DIED);
    mproc_queue_free(queue);
    mproc_queue_free(reply);
    crowd_fini(&crowd);
}

static void only_ends(peer *self)
{
    peer_end(self);
}

/* Some server may come for it yet. */
static void case_reply_is_waited_for_while_the_request_lies_in_a_queue(void)
{
    mproc_queue *queue = queues_create(0, 0), *reply = queues_create(0, 0);
    mproc_value value;
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, only_ends, reply);
    CHECK_OK(mproc_queue_put(queue, MPROC_LIST(reply, "a request"), 0));
    crowd_let_end(&crowd);
    CHECK_STATUS(mproc_queue_get(reply, &value, 30), MPROC_TIMEOUT);
    mproc_queue_free(queue);
    CHECK_STATUS(mproc_queue_get(reply, &value, MPROC_FOREVER), MPROC_PEER_DIED);
    mproc_queue_free(reply);
    crowd_fini(&crowd);
}

CHECK_TWINS(queue_mixed_objects, peers_of_processes, queue_mixed_objects_threads, peers_of_threads,
    CASE(items_of_all_kinds_come_whole_to_several_at_once),
);

CHECK_SUITE_SETUP(queue_keeping, peers_of_processes,
    CASE(value_that_was_got_keeps_its_objects_until_it_is_cleared),
    CASE(value_outlives_its_queue_and_its_giver),
    CASE(value_that_was_got_is_put_again),
    CASE(each_question_for_an_object_gives_a_reference),
    CASE(memory_with_a_name_goes_with_the_last_process_that_has_it),
    CASE(value_is_got_used_and_cleared_by_different_threads),
    CASE(items_that_nobody_gets_give_up_their_objects),
    CASE(objects_of_a_killed_getter_are_given_up),
    CASE(reply_of_a_killed_server_is_not_waited_for),
    CASE(reply_is_waited_for_while_the_request_lies_in_a_queue),
);
