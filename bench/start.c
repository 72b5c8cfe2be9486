#include "mproc.h"

#include <mproc/mproc.h>
#include <stdio.h>

static mproc_status do_nothing(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

static void run_process(void *unused)
{
    mproc_process *process;

    (void)unused;
    mproc_check(mproc_process_create(do_nothing, mproc_no_args(), NULL, &process));
    mproc_check(mproc_process_start(process));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    measure_require(mproc_process_exit_status(process).code == 0, "the process ends with 0");
    mproc_process_free(process);
}

void start(const struct order *order, double values[2])
{
    measure_make_resident(order->items);
    run_process(NULL);
    values[0] = measure_median(run_process, NULL, order->repeats);
}

static void create_names(size_t count)
{
    char name[64];

    for (size_t i = 0; i < count; i++) {
        mproc_shared_memory *memory;
        snprintf(name, sizeof name, "bench-%lld-%zu", (long long)mproc_getpid(), i);
        mproc_check(mproc_shared_memory_create(8, &(mproc_shared_memory_options){.name = name}, &memory));
    }
}

static mproc_status have_names(mproc_call *call)
{
    mproc_event *made, *over;
    size_t count;

    MPROC_TRY(mproc_unpack(call, &made, &over, &count));
    create_names(count);
    MPROC_TRY(mproc_event_set(made));
    return mproc_event_wait(over, MPROC_FOREVER);
}

/* Another process has the names. This one has one in any case, so that its family looks after names. */
void start_names(const struct order *order, double values[2])
{
    mproc_event *made, *over;
    mproc_process *other;

    create_names(1);
    mproc_check(mproc_event_create(&made));
    mproc_check(mproc_event_create(&over));
    mproc_check(mproc_process_create(have_names, MPROC_ARGS(made, over, order->items), NULL, &other));
    mproc_check(mproc_process_start(other));
    mproc_check(mproc_event_wait(made, MPROC_FOREVER));
    run_process(NULL);
    values[0] = measure_median(run_process, NULL, order->repeats);
    mproc_check(mproc_event_set(over));
    mproc_check(mproc_process_join(other, MPROC_FOREVER));
}
