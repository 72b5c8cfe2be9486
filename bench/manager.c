#include "mproc.h"

#include <mproc/mproc.h>

/* Serves a dict, says where, and stays until it is told to go. */
static mproc_status serve(mproc_call *call)
{
    bool tcp;
    mproc_queue *queue;
    mproc_event *over;
    mproc_dict *dict;
    mproc_manager *manager;
    mproc_manager_options options = {.authkey = MPROC_VALUE("a key")};

    MPROC_TRY(mproc_unpack(call, &tcp, &queue, &over));
    if (tcp) options.address = "tcp:127.0.0.1:0";
    measure_bind(1);
    MPROC_TRY(mproc_dict_create(MPROC_MAP("n", 0), &dict));
    MPROC_TRY(mproc_manager_create(&options, &manager));
    MPROC_TRY(mproc_manager_serve(manager, "dict", MPROC_VALUE(dict)));
    MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(mproc_manager_address(manager)), MPROC_FOREVER));
    MPROC_TRY(mproc_event_wait(over, MPROC_FOREVER));
    mproc_manager_free(manager);
    mproc_dict_free(dict);
    return MPROC_OK;
}

static void increment(void *dict)
{
    mproc_check(mproc_dict_increment(dict, MPROC_VALUE("n"), 1, NULL));
}

/* `chunk` is 1 for TCP. */
void manager_increment(const struct order *order, double values[2])
{
    const mproc_manager_connect_options options = {.authkey = MPROC_VALUE("a key")};
    mproc_process *process;
    mproc_manager *manager;
    mproc_queue *queue;
    mproc_event *over;
    mproc_dict *dict;
    mproc_value value;

    mproc_check(mproc_queue_create(NULL, &queue));
    mproc_check(mproc_event_create(&over));
    mproc_check(mproc_process_create(serve, MPROC_ARGS(order->chunk > 0, queue, over), NULL, &process));
    mproc_check(mproc_process_start(process));
    measure_bind(0);
    mproc_check(mproc_queue_get(queue, &value, MPROC_FOREVER));
    mproc_check(mproc_manager_connect(mproc_value_string(value), &options, &manager, MPROC_FOREVER));
    mproc_value_clear(&value);
    mproc_check(mproc_manager_get(manager, "dict", &value));
    mproc_check(mproc_value_to(value, &dict));
    mproc_value_clear(&value);
    measure_rested(increment, dict, order->repeats, order->items, values);
    mproc_dict_free(dict);
    mproc_manager_free(manager);
    mproc_check(mproc_event_set(over));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    measure_require(mproc_process_exit_status(process).code == 0, "the manager ends with 0");
}
