#include "host.h"
#include "square.h"
#include "subjects.h"

#include <mproc/mproc.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 2 };

/* What all workers and this process have used until now; what this very measuring costs is in it. */
static bool read_usage(const mproc_pool *pool, host_usage *sum)
{
    int64_t pids[WORKERS + 1];
    size_t count = mproc_pool_pids(pool, pids, WORKERS);

    *sum = (host_usage){0};
    if (count != WORKERS) {
        fprintf(stderr, "bench: the pool has %zu workers instead of %d\n", count, WORKERS);
        return false;
    }
    pids[count++] = mproc_getpid();
    for (size_t i = 0; i < count; i++) {
        host_usage usage;

        if (!host_usage_of(pids[i], &usage)) return false;
        sum->cpu_ns += usage.cpu_ns;
        sum->switches += usage.switches;
        sum->threads += usage.threads;
    }
    return true;
}

/* Lets the pool rest after a map for as many seconds as there are repeats. */
static bool measure(const bench_setting *setting, double *values)
{
    enum { ITEMS = 100000 };
    int64_t *items;
    int64_t *results;
    mproc_pool *pool = NULL;
    host_usage before;
    host_usage after;
    bool done;

    if (!square_arrays(ITEMS, &items, &results)) return false;
    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &pool));
    mproc_check(mproc_pool_map(pool, square_item, items, sizeof items[0], results, sizeof results[0], ITEMS, NULL));
    host_sleep_ns(100000000);
    done = read_usage(pool, &before);
    host_sleep_ns((int64_t)setting->repeats * 1000000000);
    done = done && read_usage(pool, &after);
    if (done) {
        values[0] = (double)(after.cpu_ns - before.cpu_ns) / (double)setting->repeats;
        values[1] = (double)(after.switches - before.switches) / (double)setting->repeats;
    }
    mproc_pool_free(pool);
    free(items);
    free(results);
    return done;
}

const bench_subject idle_mproc = {"mproc", false, measure, NULL};
