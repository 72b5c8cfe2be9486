#define _GNU_SOURCE
#include "mproc.h"
#include "square.h"

#include <mproc/mproc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Until whoever reads the line closes this program's input. */
static void rest(const int64_t *pids, size_t count)
{
    for (size_t i = 0; i < count; i++) printf("%lld ", (long long)pids[i]);
    printf("\n");
    fflush(stdout);
    while (getchar() != EOF) continue;
}

/* A pool of two workers after a map, and this process. */
void idle_pool(const struct order *order, double values[2])
{
    enum { WORKERS = 2, ITEMS = 100000 };
    static int64_t items[ITEMS], results[ITEMS];
    int64_t pids[WORKERS + 1];
    mproc_pool *pool;

    (void)order;
    (void)values;
    square_fill(items, results, ITEMS);
    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &pool));
    mproc_check(mproc_pool_map(pool, square_item, items, sizeof items[0], results, sizeof results[0], ITEMS, NULL));
    measure_require(mproc_pool_pids(pool, pids, WORKERS) == WORKERS, "the pool has its workers");
    pids[WORKERS] = mproc_getpid();
    rest(pids, WORKERS + 1);
    mproc_pool_free(pool);
}

static _Atomic size_t waiters;

static void *wait_for_lock(void *context)
{
    mproc_lock *lock = context;

    atomic_fetch_add(&waiters, 1);
    mproc_check(mproc_lock_acquire(lock, MPROC_FOREVER));
    mproc_check(mproc_lock_release(lock));
    return NULL;
}

/* `items` threads of this process that wait for a lock that it holds. */
void idle_waiters(const struct order *order, double values[2])
{
    pthread_t *threads = calloc(order->items, sizeof threads[0]);
    int64_t pid = mproc_getpid();
    mproc_lock *lock;

    (void)values;
    measure_require(threads != NULL, "there is memory for the threads");
    mproc_check(mproc_lock_create(NULL, &lock));
    mproc_check(mproc_lock_acquire(lock, MPROC_FOREVER));
    for (size_t i = 0; i < order->items; i++)
        measure_require(pthread_create(&threads[i], NULL, wait_for_lock, lock) == 0, "a thread can be started");
    while (atomic_load(&waiters) < order->items) measure_sleep_ns(1000000);
    rest(&pid, 1);
    mproc_check(mproc_lock_release(lock));
    for (size_t i = 0; i < order->items; i++) pthread_join(threads[i], NULL);
    free(threads);
}
