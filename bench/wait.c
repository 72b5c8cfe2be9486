/* Waits over many connections, one of which has a message: in one call, and in a set that is kept. */
#include "mproc.h"

#include <mproc/mproc.h>

static mproc_waitable *make_things(size_t count)
{
    mproc_waitable *things = calloc(count, sizeof *things);

    measure_require(things != NULL, "there is memory for connections");
    for (size_t i = 0; i < count; i++) {
        mproc_connection *here, *there;
        mproc_check(mproc_pipe(NULL, &here, &there));
        things[i] = MPROC_WAITABLE(here);
        if (i == count / 2) mproc_check(mproc_connection_send_bytes(there, "x", 1, MPROC_FOREVER));
    }
    measure_bind(0);
    return things;
}

void wait_once(const struct order *order, double values[2])
{
    mproc_waitable *things = make_things(order->items);
    int64_t begun = measure_now_ns();
    size_t ready = 0;

    for (size_t i = 0; i < order->repeats; i++) {
        mproc_check(mproc_wait(things, order->items, MPROC_FOREVER, &ready));
        measure_require(ready == 1 && things[order->items / 2].ready, "one is ready");
    }
    values[0] = (double)(measure_now_ns() - begun) / (double)order->repeats;
    free(things);
}

void wait_kept(const struct order *order, double values[2])
{
    mproc_waitable *things = make_things(order->items), ready[16];
    mproc_wait_set *set;
    size_t count = 0;
    int64_t begun;

    mproc_check(mproc_wait_set_create(&set));
    for (size_t i = 0; i < order->items; i++) mproc_check(mproc_wait_set_add(set, things[i]));
    begun = measure_now_ns();
    for (size_t i = 0; i < order->repeats; i++) {
        mproc_check(mproc_wait_set_wait(set, ready, 16, MPROC_FOREVER, &count));
        measure_require(count == 1 && ready[0].object == things[order->items / 2].object, "one is ready");
    }
    values[0] = (double)(measure_now_ns() - begun) / (double)order->repeats;
    mproc_wait_set_free(set);
    free(things);
}
