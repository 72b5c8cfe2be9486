#include "mproc.h"

#include <mproc/mproc.h>

static mproc_status add(mproc_call *call)
{
    int64_t a, b;

    MPROC_TRY(mproc_unpack(call, &a, &b));
    return mproc_call_return(call, MPROC_VALUE(a + b));
}

/* Has an object, hands it out, and stays until it is told to go. */
static mproc_status have(mproc_call *call)
{
    static const mproc_method methods[] = {{"add", add}};
    static const mproc_class adder = {.name = "Adder", .methods = methods, .method_count = 1};
    mproc_queue *queue;
    mproc_event *over;
    mproc_object *object;

    MPROC_TRY(mproc_unpack(call, &queue, &over));
    measure_bind(1);
    MPROC_TRY(mproc_object_create(&adder, mproc_no_args(), &object));
    MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(object), MPROC_FOREVER));
    MPROC_TRY(mproc_event_wait(over, MPROC_FOREVER));
    mproc_object_free(object);
    return MPROC_OK;
}

static void call_add(void *object)
{
    mproc_value value;

    mproc_check(mproc_object_call(object, "add", MPROC_ARGS(20, 22), &value, MPROC_FOREVER));
    measure_require(mproc_value_int(value) == 42, "the sum is right");
}

void object_call(const struct order *order, double values[2])
{
    mproc_process *process;
    mproc_object *object;
    mproc_queue *queue;
    mproc_event *over;
    mproc_value value;

    mproc_check(mproc_queue_create(NULL, &queue));
    mproc_check(mproc_event_create(&over));
    mproc_check(mproc_process_create(have, MPROC_ARGS(queue, over), NULL, &process));
    mproc_check(mproc_process_start(process));
    measure_bind(0);
    mproc_check(mproc_queue_get(queue, &value, MPROC_FOREVER));
    mproc_check(mproc_value_to(value, &object));
    mproc_value_clear(&value);
    measure_rested(call_add, object, order->repeats, order->items, values);
    mproc_object_free(object);
    mproc_check(mproc_event_set(over));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    measure_require(mproc_process_exit_status(process).code == 0, "the process that has the object ends with 0");
}
