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

/* This process has one name in any case, so that its family looks after names. */
void start_names(const struct order *order, double values[2])
{
    char name[32];

    for (size_t i = 0; i <= order->items; i++) {
        mproc_shared_memory *memory;
        snprintf(name, sizeof name, "bench-%lld-%zu", (long long)mproc_getpid(), i);
        mproc_check(mproc_shared_memory_create(8, &(mproc_shared_memory_options){.name = name}, &memory));
    }
    run_process(NULL);
    values[0] = measure_median(run_process, NULL, order->repeats);
}
