#include "host.h"
#include "member.h"
#include "subjects.h"

#include "arena/arena.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A job has an item for the survivor, which keeps it until the successor has come, one for the successor, and
 * one more, in case the victim still took one before it died.
 */
enum { WORKERS = 2, ITEMS = 3 };

/* `old` is written before each kill; the successor, whose pid is in neither place, writes when it came. */
typedef struct scene {
    _Atomic int64_t old[WORKERS];
    _Atomic int64_t came_ns;
} scene;

static bool is_old(const scene *shared)
{
    int64_t pid = mproc_getpid();

    return pid == atomic_load(&shared->old[0]) || pid == atomic_load(&shared->old[1]);
}

/* The item is where the scene lies in the arena. */
static mproc_status appear(const void *item, void *result, mproc_call *call)
{
    scene *shared = arena_at(*(const uint64_t *)item);
    int64_t nobody = 0;

    (void)result;
    (void)call;
    if (!is_old(shared)) atomic_compare_exchange_strong(&shared->came_ns, &nobody, host_now_ns());
    while (atomic_load(&shared->came_ns) == 0) host_sleep_ns(50000);
    return MPROC_OK;
}

/* Gives the pids of the workers, when all of them are there. */
static bool wait_for_workers(const mproc_pool *pool, int64_t *pids)
{
    for (int i = 0; i < 5000; i++) {
        if (mproc_pool_pids(pool, pids, WORKERS) == WORKERS) return true;
        host_sleep_ns(1000000);
    }
    fprintf(stderr, "bench: the pool has not replaced its worker in 5 s\n");
    return false;
}

/* Kills one worker and gives the time until its successor has appeared. */
static bool kill_one(mproc_pool *pool, scene *shared, int victim, double *duration)
{
    uint64_t items[ITEMS];
    int64_t pids[WORKERS];
    int64_t begin;
    mproc_status status;

    if (!wait_for_workers(pool, pids)) return false;
    for (int i = 0; i < ITEMS; i++) items[i] = arena_offset(shared);
    for (int i = 0; i < WORKERS; i++) atomic_store(&shared->old[i], pids[i]);
    atomic_store(&shared->came_ns, 0);
    begin = host_now_ns();
    host_kill(pids[victim]);
    status =
        mproc_pool_map(pool, appear, items, sizeof items[0], NULL, 0, ITEMS, &(mproc_map_options){.chunk_size = 1});
    /* The victim may have taken an item with its last breath. */
    if (status != MPROC_WORKER_LOST) mproc_check(status);
    *duration = (double)(atomic_load(&shared->came_ns) - begin);
    return true;
}

static bool measure(const bench_setting *setting, double *values)
{
    double *times = calloc(setting->repeats, sizeof times[0]);
    scene *shared = member_shared(sizeof *shared);
    mproc_pool *pool = NULL;
    bool done = times != NULL;

    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &pool));
    for (size_t i = 0; i < setting->repeats && done; i++) {
        done = kill_one(pool, shared, (int)(i % WORKERS), &times[i]);
        /* The pool is idle when its worker is killed. */
        host_sleep_ns(2000000);
    }
    mproc_pool_free(pool);
    if (done) values[0] = bench_median(times, setting->repeats);
    if (done) values[1] = times[setting->repeats - 1];
    free(times);
    return done;
}

const bench_subject death_mproc = {"mproc", false, measure, NULL};
