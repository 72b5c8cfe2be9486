/* Objects as items: who gets one uses it, whoever has put it, and how long it lives. */
#include "queue/queues.h"

#include <stdlib.h>

#include "object/reference.h"
#include "process/all_objects.h"

static mproc_value get(mproc_queue *queue)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_queue_get(queue, &value, check_limit_ms()));
    return value;
}

/* How many have the object. */
static uint32_t handles_of(const void *object)
{
    return object_handles(((const struct reference *)object)->at);
}

/* ---- of each kind -------------------------------------------------------------------------------- */

static void use_memory_and_list(mproc_value list)
{
    mproc_shared_memory *memory = NULL;
    mproc_shareable_list *row = NULL;
    mproc_queue *queue = NULL;
    mproc_value text;

    CHECK_OK(mproc_value_to(mproc_value_at(list, 0), &memory));
    CHECK_OK(mproc_value_to(mproc_value_at(list, 1), &row));
    CHECK_OK(mproc_value_to(mproc_value_at(list, 2), &queue));
    CHECK_EQ(mproc_shared_memory_size(memory), 5);
    CHECK_STRING(mproc_shared_memory_data(memory), "four");
    CHECK_OK(mproc_shareable_list_get(row, 1, &text));
    CHECK_STRING(mproc_value_string(text), "two");
    mproc_value_clear(&text);
    CHECK_EQ(queues_get_int(queue), 3);
    queues_put_int(queue, 4);
    mproc_shared_memory_free(memory);
    mproc_shareable_list_free(row);
    mproc_queue_free(queue);
}

static void use_all(mproc_value list)
{
    things all;

    CHECK_OK(all_objects_from(list, &all));
    all_objects_use(&all);
    all_objects_check(&all, 1);
    all_objects_free(&all);
}

/* It had the queue before the objects were made. */
static void uses_what_comes(peer *self)
{
    mproc_value value = get(self->object);

    use_all(value);
    mproc_value_clear(&value);
    value = get(self->object);
    use_memory_and_list(value);
    mproc_value_clear(&value);
    value = get(self->object);
    use_all(mproc_value_get(mproc_value_at(value, 2), "all"));
    use_memory_and_list(mproc_value_at(mproc_value_get(mproc_value_at(value, 2), "others"), 0));
    mproc_value_clear(&value);
}

typedef struct others {
    mproc_shared_memory *memory;
    mproc_shareable_list *list;
    mproc_queue *queue;
} others;

#define OTHERS_LIST(others_) MPROC_LIST((others_).memory, (others_).list, (others_).queue)

static others make_others(void)
{
    others all;

    CHECK_OK(mproc_shared_memory_create(5, NULL, &all.memory));
    memcpy(mproc_shared_memory_data(all.memory), "four", 5);
    CHECK_OK(mproc_shareable_list_create(MPROC_LIST(1, "two"), NULL, &all.list));
    all.queue = queues_create(0, 0);
    queues_put_int(all.queue, 3);
    return all;
}

static void free_others(const others *all)
{
    mproc_shared_memory_free(all->memory);
    mproc_shareable_list_free(all->list);
    mproc_queue_free(all->queue);
}

/* The giver has none of them any more when they come. */
static void check_each_kind(bool joinable)
{
    mproc_queue *queue = queues_create_of(joinable);
    peer_crowd crowd;
    things all;
    others more;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, uses_what_comes, queue);
    peers_await_sleepers(queue, 1);
    all_objects_create(&all);
    CHECK_OK(mproc_queue_put(queue, ALL_OBJECTS_LIST(&all), MPROC_FOREVER));
    all_objects_free(&all);
    more = make_others();
    CHECK_OK(mproc_queue_put(queue, OTHERS_LIST(more), 0));
    free_others(&more);
    all_objects_create(&all);
    more = make_others();
    CHECK_OK(mproc_queue_put(
        queue,
        MPROC_LIST("nested", 1.5, MPROC_MAP("all", ALL_OBJECTS_LIST(&all), "others", MPROC_LIST(OTHERS_LIST(more)))),
        0));
    all_objects_free(&all);
    free_others(&more);
    crowd_fini(&crowd);
    mproc_queue_free(queue);
}

static void case_objects_of_each_kind_are_used_by_who_gets_them(void)
{
    check_each_kind(false);
    check_each_kind(true);
}

static void sets_events(peer *self)
{
    enum { BYTES = 100000 };
    unsigned char *bytes = malloc(BYTES);

    CHECK(bytes != NULL);
    queues_fill(bytes, BYTES, 7);
    for (int i = 0; i < self->extra; i++) {
        mproc_value value = get(self->object);
        mproc_event *event = NULL;
        CHECK_EQ(mproc_value_int(mproc_value_at(value, 0)), i);
        if (i % 2) CHECK(mproc_value_equal(mproc_value_at(value, 2), mproc_bytes(bytes, BYTES)));
        CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &event));
        mproc_value_clear(&value);
        CHECK_OK(mproc_event_set(event));
        mproc_event_free(event);
    }
    free(bytes);
}

/* Small ones and large ones, of which the giver keeps the objects. */
static void case_values_of_any_size_have_objects(void)
{
    enum { BYTES = 100000, EVENTS = 10 };
    unsigned char *bytes = malloc(BYTES);
    mproc_queue *queue = queues_create(0, 0);
    mproc_event *events[EVENTS];
    peer_crowd crowd;

    CHECK(bytes != NULL);
    queues_fill(bytes, BYTES, 7);
    crowd_init(&crowd);
    crowd.extra = EVENTS;
    crowd_add(&crowd, 1, sets_events, queue);
    for (int i = 0; i < EVENTS; i++) {
        CHECK_OK(mproc_event_create(&events[i]));
        CHECK_OK(mproc_queue_put(
            queue, i % 2 ? MPROC_LIST(i, events[i], mproc_bytes(bytes, BYTES)) : MPROC_LIST(i, events[i]), 0));
    }
    for (int i = 0; i < EVENTS; i++) CHECK_OK(mproc_event_wait(events[i], check_limit_ms()));
    crowd_join(&crowd);
    for (int i = 0; i < EVENTS; i++) {
        CHECK_EQ(handles_of(events[i]), 1);
        mproc_event_free(events[i]);
    }
    crowd_fini(&crowd);
    mproc_queue_free(queue);
    free(bytes);
}

/* ---- functions ----------------------------------------------------------------------------------- */

static mproc_status is_called(mproc_call *call)
{
    (void)call;
    return mproc_error(MPROC_LIMIT, "%s", "called");
}

static void calls(peer *self)
{
    mproc_value value = get(self->object);
    mproc_status (*function)(mproc_call *) = NULL;

    CHECK_OK(mproc_value_to(mproc_value_at(value, 1), &function));
    mproc_value_clear(&value);
    CHECK(function == is_called);
    CHECK_SAYS(function(NULL), MPROC_LIMIT, "called");
    value = get(self->object);
    CHECK_OK(mproc_value_to(value, &function));
    CHECK_STATUS(function(NULL), MPROC_LIMIT);
    mproc_value_clear(&value);
}

static void case_functions_are_items(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_event *event = NULL;
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK_OK(mproc_event_create(&event));
    CHECK_OK(mproc_queue_put(queue, MPROC_LIST("with an event", is_called, event), 0));
    CHECK_OK(mproc_queue_put(queue, mproc_function_from(is_called), 0));
    crowd_add(&crowd, 1, calls, queue);
    crowd_fini(&crowd);
    mproc_event_free(event);
    mproc_queue_free(queue);
}

/* ---- queues in requests ---------------------------------------------------------------------------- */

enum { REQUESTS = 20 };

static void serves(peer *self)
{
    for (;;) {
        mproc_value request = get(self->object);
        mproc_queue *reply = NULL;
        if (mproc_value_is_nil(request)) break;
        CHECK_OK(mproc_value_to(mproc_value_at(request, 1), &reply));
        queues_put_int(reply, 2 * mproc_value_int(mproc_value_at(request, 0)));
        mproc_queue_free(reply);
        mproc_value_clear(&request);
    }
}

static void asks(peer *self)
{
    mproc_queue *kept = queues_create(0, 0);

    for (int i = 0; i < REQUESTS; i++) {
        mproc_queue *reply = i % 2 ? queues_create(1, 0) : kept;
        CHECK_OK(mproc_queue_put(self->object, MPROC_LIST(100 * self->number + i, reply), MPROC_FOREVER));
        CHECK_EQ(queues_get_int(reply), 2 * (100 * self->number + i));
        if (i % 2) mproc_queue_free(reply);
    }
    mproc_queue_free(kept);
}

static void case_reply_comes_by_the_queue_in_the_request(void)
{
    mproc_queue *queue = queues_create(0, 0);
    peer_crowd servers, clients;

    crowd_init(&servers);
    crowd_init(&clients);
    crowd_add(&servers, 2, serves, queue);
    crowd_add(&clients, 3, asks, queue);
    crowd_join(&clients);
    for (int i = 0; i < 2; i++) CHECK_OK(mproc_queue_put(queue, mproc_nil(), 0));
    crowd_fini(&servers);
    crowd_fini(&clients);
    mproc_queue_free(queue);
}

/* ---- refused ------------------------------------------------------------------------------------- */

/* What was held of it on the way is given up. */
static void case_value_with_a_freed_object_is_refused(void)
{
    mproc_queue *queue = queues_create(0, 0);
    mproc_event *gone = NULL, *there = NULL;
    mproc_value copy;
    uint64_t blocks;

    CHECK_OK(mproc_event_create(&there));
    CHECK_OK(mproc_event_create(&gone));
    CHECK_OK(mproc_value_copy(MPROC_LIST(1, there, MPROC_MAP("gone", gone), there), &copy));
    CHECK_OK(mproc_queue_put(queue, copy, 0));
    mproc_event_free(gone);
    CHECK_OK(mproc_queue_put(queue, copy, 0)); /* the first one keeps it */
    for (int i = 0; i < 2; i++) {
        mproc_value value = get(queue);
        mproc_value_clear(&value);
    }
    blocks = peers_blocks();
    CHECK_SAYS(mproc_queue_put(queue, copy, MPROC_FOREVER), MPROC_CLOSED, "has been freed");
    CHECK_EQ(handles_of(there), 1);
    CHECK_EQ(peers_blocks(), blocks);
    CHECK(mproc_queue_empty(queue));
    mproc_value_clear(&copy);
    mproc_event_free(there);
    mproc_queue_free(queue);
}

static void check_itself(bool joinable)
{
    enum { BYTES = 100000 };
    mproc_queue *queue = queues_create_of(joinable), *again = peers_second(queue);
    char *bytes = calloc(1, BYTES);
    mproc_event *event = NULL;
    mproc_value deep[60];

    CHECK(bytes != NULL);
    CHECK_OK(mproc_event_create(&event));
    deep[0] = MPROC_VALUE(queue);
    for (int i = 1; i < 60; i++) deep[i] = mproc_list_from(&deep[i - 1], 1);
    CHECK_SAYS(mproc_queue_put(queue, MPROC_VALUE(queue), 0), MPROC_INVALID, "a queue is no item of itself");
    CHECK_STATUS(mproc_queue_put(queue, MPROC_VALUE(again), MPROC_FOREVER), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(again, MPROC_LIST(event, event, queue), 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(queue, MPROC_MAP("event", event, "queue", MPROC_LIST(1, queue)), 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(queue, deep[59], 0), MPROC_INVALID);
    CHECK_STATUS(mproc_queue_put(queue, MPROC_LIST(mproc_bytes(bytes, BYTES), again), 0), MPROC_INVALID);
    CHECK(mproc_queue_empty(queue));
    CHECK_EQ(handles_of(event), 1);
    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE(event), 0));
    mproc_event_free(event);
    mproc_queue_free(again);
    mproc_queue_free(queue);
    free(bytes);
}

static void case_queue_is_no_item_of_itself_at_any_depth(void)
{
    check_itself(false);
    check_itself(true);
}

static void check_not_put(mproc_status expected, mproc_queue *queue, mproc_event *event)
{
    uint64_t blocks = peers_blocks();
    int64_t size = mproc_queue_size(queue);

    CHECK_STATUS(mproc_queue_put(queue, MPROC_LIST("an object", event, MPROC_LIST(event)), 0), expected);
    CHECK_EQ(mproc_queue_size(queue), size);
    CHECK_EQ(handles_of(event), 1);
    CHECK_EQ(peers_blocks(), blocks);
}

static void case_put_that_fails_keeps_no_object(void)
{
    mproc_queue *full = queues_create(1, 0), *small = queues_create(0, 50), *closed = queues_create(0, 0);
    mproc_event *event = NULL;

    CHECK_OK(mproc_event_create(&event));
    queues_put_int(full, 1);
    CHECK_OK(mproc_queue_put_bytes(closed, "some", 4, 0));
    mproc_queue_close(closed);
    check_not_put(MPROC_TIMEOUT, full, event);
    check_not_put(MPROC_INVALID, small, event);
    check_not_put(MPROC_CLOSED, closed, event);
    CHECK_STATUS(mproc_queue_put(full, MPROC_LIST(event), 20), MPROC_TIMEOUT);
    CHECK_EQ(handles_of(event), 1);
    mproc_event_free(event);
    mproc_queue_free(full);
    mproc_queue_free(small);
    mproc_queue_free(closed);
}

CHECK_TWINS(queue_objects, peers_of_processes, queue_objects_threads, peers_of_threads,
    CASE(objects_of_each_kind_are_used_by_who_gets_them),
    CASE(values_of_any_size_have_objects),
    CASE(functions_are_items),
    CASE(reply_comes_by_the_queue_in_the_request),
);

CHECK_SUITE_SETUP(queue_objects_refused, peers_of_processes,
    CASE(value_with_a_freed_object_is_refused),
    CASE(queue_is_no_item_of_itself_at_any_depth),
    CASE(put_that_fails_keeps_no_object),
);
