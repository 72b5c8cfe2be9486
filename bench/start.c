#include "host.h"
#include "subjects.h"

#include <mproc/mproc.h>
#include <stdio.h>
#include <stdlib.h>

static mproc_status do_nothing(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

static bool run_process(void)
{
    mproc_process *process = NULL;
    mproc_exit_status status;

    mproc_check(mproc_process_create(do_nothing, mproc_no_args(), NULL, &process));
    mproc_check(mproc_process_start(process));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    status = mproc_process_exit_status(process);
    mproc_process_free(process);
    if (status.kind == MPROC_EXIT_EXITED && status.code == 0) return true;
    fprintf(stderr, "bench: the process ended with kind %d, code %d, signal %d\n", (int)status.kind, status.code,
            status.signal);
    return false;
}

static bool measure(const bench_setting *setting, double *values)
{
    double *times = calloc(setting->repeats, sizeof times[0]);
    bool done = times != NULL && host_make_resident(setting->resident_bytes) && run_process();

    for (size_t i = 0; i < setting->repeats && done; i++) {
        int64_t begin = host_now_ns();

        done = run_process();
        times[i] = (double)(host_now_ns() - begin);
    }
    if (done) values[0] = bench_median(times, setting->repeats);
    free(times);
    return done;
}

const bench_subject start_mproc = {"mproc", false, measure, NULL};
