/* Queues by their small interface. */
#include "queue/queues.h"

static mproc_simple_queue *create(void)
{
    mproc_simple_queue *queue = NULL;

    CHECK_OK(mproc_simple_queue_create(&queue));
    return queue;
}

static mproc_value get(mproc_simple_queue *queue)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_simple_queue_get(queue, &value));
    return value;
}

static void puts_whether_it_is_empty(peer *self)
{
    for (int i = 0; i < 2; i++)
        CHECK_OK(mproc_simple_queue_put(self->object, mproc_bool(mproc_simple_queue_empty(self->object))));
}

static void case_simple_queue_is_empty_until_an_item_is_put(void)
{
    mproc_simple_queue *queue = create();
    peer_crowd crowd;

    crowd_init(&crowd);
    CHECK(mproc_simple_queue_empty(queue));
    crowd_add(&crowd, 1, puts_whether_it_is_empty, queue);
    crowd_join(&crowd);
    CHECK(!mproc_simple_queue_empty(queue));
    CHECK(mproc_value_equal(get(queue), mproc_bool(true)));
    CHECK(mproc_value_equal(get(queue), mproc_bool(false)));
    CHECK(mproc_simple_queue_empty(queue));
    crowd_fini(&crowd);
    mproc_simple_queue_free(queue);
}

/* The other one waits for the item. */
static void echoes(peer *self)
{
    mproc_value value = get(self->object);

    CHECK_EQ(mproc_value_int(value), 42);
    atomic_store(&self->board->done, 1);
}

static void case_get_of_a_simple_queue_waits_for_an_item(void)
{
    mproc_simple_queue *queue = create();
    peer_crowd crowd;

    crowd_init(&crowd);
    crowd_add(&crowd, 1, echoes, queue);
    peers_await_sleepers(queue, 1);
    CHECK_OK(mproc_simple_queue_put(queue, mproc_int(42)));
    crowd_fini(&crowd);
    mproc_simple_queue_free(queue);
}

static mproc_status answers(mproc_call *call)
{
    mproc_simple_queue *asked = NULL, *answered = NULL;
    mproc_value value;

    MPROC_TRY(mproc_unpack(call, &asked, &answered));
    MPROC_TRY(mproc_simple_queue_get(asked, &value));
    MPROC_TRY(mproc_simple_queue_put(answered, MPROC_LIST("the answer to", value)));
    mproc_value_clear(&value);
    return MPROC_OK;
}

static void case_simple_queue_is_an_argument_of_a_task_and_an_item(void)
{
    mproc_simple_queue *asked = create(), *answered = create(), *inner = create(), *same = NULL;
    mproc_process *process = NULL;
    mproc_value value;

    CHECK_OK(mproc_process_create(answers, MPROC_ARGS(asked, answered), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_simple_queue_put(asked, MPROC_LIST("text", inner)));
    CHECK_EXITED(process, 0);
    value = get(answered);
    CHECK_STRING(mproc_value_string(mproc_value_at(value, 0)), "the answer to");
    CHECK_OK(mproc_value_to(mproc_value_at(mproc_value_at(value, 1), 1), &same));
    mproc_value_clear(&value);
    CHECK_OK(mproc_simple_queue_put(inner, mproc_int(1)));
    CHECK_EQ(mproc_value_int(get(same)), 1);
    CHECK_STATUS(mproc_simple_queue_put(inner, MPROC_VALUE(same)), MPROC_INVALID);
    mproc_simple_queue_free(same);
    mproc_simple_queue_free(inner);
    mproc_simple_queue_free(asked);
    mproc_simple_queue_free(answered);
}

static void case_closed_simple_queue_neither_puts_nor_gets(void)
{
    for (int used = 0; used < 2; used++) {
        mproc_simple_queue *queue = create();
        mproc_value value = mproc_int(5);
        if (used) CHECK_OK(mproc_simple_queue_put(queue, value));
        mproc_simple_queue_close(queue);
        mproc_simple_queue_close(queue);
        CHECK_EQ(mproc_simple_queue_empty(queue), !used);
        CHECK_STATUS(mproc_simple_queue_put(queue, value), MPROC_CLOSED);
        CHECK_STATUS(mproc_simple_queue_get(queue, &value), MPROC_CLOSED);
        CHECK_EQ(mproc_value_int(value), 5);
        mproc_simple_queue_free(queue);
    }
}

static void case_simple_queue_has_no_limits_and_is_a_queue_as_others(void)
{
    mproc_simple_queue *queue = create();
    int64_t number = 7;

    CHECK_STATUS(mproc_simple_queue_create(NULL), MPROC_INVALID);
    CHECK_STATUS(mproc_simple_queue_get(queue, NULL), MPROC_INVALID);
    mproc_simple_queue_free(NULL);
    for (int i = 0; i < 5000; i++) CHECK_OK(mproc_simple_queue_put(queue, mproc_int(i)));
    CHECK(!mproc_queue_full(queue));
    CHECK_EQ(mproc_queue_size(queue), 5000);
    for (int i = 0; i < 5000; i++) CHECK_EQ(mproc_value_int(get(queue)), i);
    CHECK_OK(mproc_queue_put_bytes(queue, &number, sizeof number, 0));
    CHECK_OK(mproc_simple_queue_put(queue, mproc_string("text")));
    CHECK_OK(mproc_queue_get_bytes(queue, &number, sizeof number, NULL, 0));
    CHECK_EQ(number, 7);
    CHECK_STATUS(mproc_queue_task_done(queue), MPROC_BAD_STATE);
    mproc_queue_free(queue);
}

CHECK_TWINS(queue_simple, peers_of_processes, queue_simple_threads, peers_of_threads,
    CASE(simple_queue_is_empty_until_an_item_is_put),
    CASE(get_of_a_simple_queue_waits_for_an_item),
);

CHECK_SUITE_SETUP(queue_simple_alone, peers_of_processes,
    CASE(simple_queue_is_an_argument_of_a_task_and_an_item),
    CASE(closed_simple_queue_neither_puts_nor_gets),
    CASE(simple_queue_has_no_limits_and_is_a_queue_as_others),
);
