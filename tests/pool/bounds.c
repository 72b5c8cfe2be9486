/* mproc/pool.h: how much memory a worker may have, and on which CPU it runs. */
#include <stdio.h>
#include <stdlib.h>

#include "pool/tasks_fixture.h"
#include "process/call.h"

enum { MIB = 1 << 20 };

/* ---- memory ---------------------------------------------------------------------------------------- */

/* What is never freed is in sight to the end, as the leak checker wants it. */
static void *volatile kept[256];
static int kept_count;

static void keep(size_t bytes)
{
    void *memory = malloc(bytes);

    CHECK(memory != NULL && kept_count < 256);
    memset(memory, 1, bytes);
    kept[kept_count++] = memory;
}

static mproc_status leak(mproc_call *call)
{
    int64_t mebibytes;

    CHECK_OK(mproc_unpack(call, &mebibytes));
    if (mebibytes > 0) keep((size_t)mebibytes * MIB);
    return mproc_call_return(call, mproc_int(mproc_getpid()));
}

static int64_t leak_in(mproc_pool *pool, int mebibytes)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_pool_apply(pool, leak, MPROC_ARGS(mebibytes), &value));
    return mproc_value_int(value);
}

/* So much more than a process has that has just begun. */
static mproc_pool *create_with_memory(int64_t bytes)
{
    mproc_pool_options options = {.workers = 1, .max_memory_bytes = (int64_t)plat_memory_own() + bytes};
    mproc_pool *pool = NULL;

    CHECK(plat_memory_own() > 0);
    CHECK_OK(mproc_pool_create(&options, &pool));
    return pool;
}

static void check_lost_none(const mproc_pool *pool)
{
    mproc_pool_totals totals;

    CHECK_OK(mproc_pool_statistics(pool, &totals));
    CHECK_EQ(totals.lost, 0);
}

static uint64_t retired(const mproc_pool *pool)
{
    mproc_pool_totals totals;

    CHECK_OK(mproc_pool_statistics(pool, &totals));
    return totals.retired;
}

static void case_a_worker_whose_tasks_leak_is_replaced(void)
{
    mproc_pool *pool = create_with_memory(64 * MIB);
    int64_t pid = leak_in(pool, 1);

    for (int i = 0; i < 3; i++) CHECK_EQ(leak_in(pool, 1), pid);
    CHECK_EQ(retired(pool), 0);
    CHECK_EQ(leak_in(pool, 80), pid);
    while (leak_in(pool, 0) == pid) check_pause_ms(1); /* it looks from time to time */
    CHECK(retired(pool) >= 1);
    check_lost_none(pool);
    mproc_pool_free(pool);
}

static mproc_status leak_item(const void *item, void *result, mproc_call *call)
{
    (void)call;
    keep(MIB);
    *(int64_t *)result = *(const int64_t *)item + 1;
    return MPROC_OK;
}

/* In the middle of a map; no item is lost. */
static void case_a_worker_whose_items_leak_is_replaced(void)
{
    enum { ITEMS = 60 };
    mproc_pool *pool = create_with_memory(32 * MIB);
    mproc_map_options options = {.chunk_size = 1};
    int64_t items[ITEMS], results[ITEMS];

    do {
        for (int i = 0; i < ITEMS; i++) items[i] = i;
        CHECK_OK(mproc_map(pool, leak_item, items, results, ITEMS, &options));
        for (int i = 0; i < ITEMS; i++) CHECK_EQ(results[i], i + 1);
    } while (retired(pool) == 0);
    check_lost_none(pool);
    mproc_pool_free(pool);
}

static mproc_status touch(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)call;
    memset(result, 3, MIB);
    return MPROC_OK;
}

/* A successor would have it, too. */
static void case_shared_memory_does_not_count(void)
{
    enum { ITEMS = 96 };
    mproc_pool *pool = create_with_memory(64 * MIB);
    mproc_map_options options = {.chunk_size = 1};
    mproc_shared_memory *memory;
    int64_t pid = leak_in(pool, 0);

    if (check_slow() > 4) CHECK_SKIP("a sanitizer for threads takes memory for all that is touched");
    CHECK_OK(mproc_shared_memory_create((size_t)ITEMS * MIB, NULL, &memory));
    for (int i = 0; i < 5; i++) {
        CHECK_OK(mproc_pool_map(pool, touch, NULL, 0, mproc_shared_memory_data(memory), MIB, ITEMS, &options));
        CHECK_EQ(leak_in(pool, 0), pid);
    }
    CHECK_EQ(retired(pool), 0);
    mproc_shared_memory_free(memory);
    mproc_pool_free(pool);
}

static void case_memory_that_cannot_be_bounded_is_refused(void)
{
    mproc_pool *pool = NULL;

    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.max_memory_bytes = -1}, &pool), MPROC_INVALID,
                  "at most -1 bytes");
    CHECK_REFUSED(mproc_pool_create(&(mproc_pool_options){.kind = MPROC_THREADS, .max_memory_bytes = 1 << 30}, &pool),
                  MPROC_INVALID, "threads have the memory of this one");
    CHECK(pool == NULL);
}

/* ---- CPUs ------------------------------------------------------------------------------------------ */

/* Which worker it is, from its name, and where it runs; it gives others a chance to take its CPU. */
static mproc_status tell_cpu(mproc_call *call)
{
    int worker = 0, cpu = plat_thread_cpu();

    CHECK_EQ(sscanf(call->name, "PoolWorker-%d", &worker), 1);
    for (int i = 0; i < 20; i++) {
        plat_thread_yield();
        CHECK_EQ(plat_thread_cpu(), cpu);
    }
    return mproc_call_return(call, MPROC_LIST(worker, cpu));
}

static void case_each_worker_stays_on_its_cpu(void)
{
    enum { WORKERS = 3, TASKS = 60 };
    mproc_pool_options options = {
        .workers = WORKERS, .kind = fixture_is_threads() ? MPROC_THREADS : MPROC_PROCESSES, .pinned = true};
    mproc_result *results[TASKS];
    int64_t seen[WORKERS] = {-1, -1, -1}, worker, cpu;
    mproc_value value;
    mproc_pool *pool;

    CHECK_OK(mproc_pool_create(&options, &pool));
    for (int i = 0; i < TASKS; i++)
        CHECK_OK(mproc_pool_apply_async(pool, tell_cpu, mproc_no_args(), NULL, &results[i]));
    for (int i = 0; i < TASKS; i++) {
        CHECK_OK(mproc_result_get(results[i], &value, check_limit_ms()));
        CHECK_OK(mproc_value_unpack(value, &worker, &cpu));
        CHECK(worker >= 1 && worker <= WORKERS);
        CHECK(seen[worker - 1] == -1 || seen[worker - 1] == cpu);
        seen[worker - 1] = cpu;
        mproc_result_free(results[i]);
    }
    if (mproc_cpu_count() > 1 && seen[0] >= 0 && seen[1] >= 0) CHECK(seen[0] != seen[1]);
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(pool_memory, fixture_of_processes,
    CASE(a_worker_whose_tasks_leak_is_replaced),
    CASE(a_worker_whose_items_leak_is_replaced),
    CASE(shared_memory_does_not_count),
    CASE(memory_that_cannot_be_bounded_is_refused),
);

CHECK_TWINS(pool_cpus, fixture_of_processes, pool_cpus_threads, fixture_of_threads,
    CASE(each_worker_stays_on_its_cpu),
);
