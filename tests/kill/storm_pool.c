/*
 * A storm over a pool: workers are killed while it maps, and each item is right or reported lost.
 */
#include "storm.h"

#include "check.h"
#include "pool/pool.h"

#include <mproc/mproc.h>

#include <stdio.h>

#define WORKERS 3
#define ITEMS 3000
#define CHUNK 8

struct pool_storm {
    mproc_pool *pool;
    _Atomic uint32_t stop;
    uint32_t kills;
    uint32_t seed;
    uint64_t items[ITEMS];
    uint64_t results[ITEMS];
    mproc_status statuses[ITEMS];
    uint64_t maps, lost;
};

static mproc_status square(const void *item, void *result, mproc_call *call)
{
    uint64_t value = *(const uint64_t *)item;
    volatile int i;

    (void)call;
    for (i = 0; i < 500; i++) {
    }
    *(uint64_t *)result = value * value;
    return MPROC_OK;
}

/*
 * Very many in a row that end before they begin would be taken for a broken program. On a machine that is busy all
 * are killed before they begin, so when there were many already, only one that has begun is.
 */
static bool is_fair(const mproc_pool *pool, const struct worker_record *record)
{
    uint32_t ready = atomic_load(&pool_worker_at(pool->shared, record->index)->ready);

    return pool->failed_starts < 40 || ready != record->ready_before;
}

/* Under the pool's mutex a worker's object stays. */
static void kill_one(struct pool_storm *storm)
{
    const struct worker_record *record = &storm->pool->records[storm_random(&storm->seed) % WORKERS];

    plat_mutex_lock(&storm->pool->mutex);
    if (record->process != NULL && is_fair(storm->pool, record) && mproc_process_kill(record->process) == MPROC_OK)
        storm->kills++;
    plat_mutex_unlock(&storm->pool->mutex);
}

static void blow(void *context)
{
    struct pool_storm *storm = context;

    while (!atomic_load(&storm->stop)) {
        storm_pause(&storm->seed, 500, 4000);
        kill_one(storm);
    }
}

static mproc_status map(struct pool_storm *storm)
{
    mproc_map_options options = {.chunk_size = CHUNK, .statuses = storm->statuses};
    uint64_t lost = 0;
    mproc_status status;
    int i;

    for (i = 0; i < ITEMS; i++) {
        storm->items[i] = storm->maps * ITEMS + (uint64_t)i;
        storm->results[i] = 0;
    }
    status = mproc_pool_map(storm->pool, square, storm->items, sizeof storm->items[0], storm->results,
                            sizeof storm->results[0], ITEMS, &options);
    for (i = 0; i < ITEMS; i++) {
        if (storm->statuses[i] == MPROC_WORKER_LOST) lost++;
        else {
            CHECK_EQ(storm->statuses[i], MPROC_OK);
            CHECK_EQ(storm->results[i], storm->items[i] * storm->items[i]);
        }
    }
    CHECK_STATUS(status, lost > 0 ? MPROC_WORKER_LOST : MPROC_OK);
    storm->lost += lost;
    storm->maps++;
    return status;
}

static bool has_its_size(void *context)
{
    return mproc_pool_pids(((struct pool_storm *)context)->pool, NULL, 0) == WORKERS;
}

void storm_pool(int seconds)
{
    static struct pool_storm storm;
    int64_t end_ms = check_now_ms() + seconds * 1000;
    plat_thread *thread;

    CHECK(mproc_current_process() != NULL);
    storm.seed = storm_seed("a pool");
    storm_remember();
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &storm.pool));
    CHECK_OK(plat_thread_start(blow, &storm, &thread));
    while (check_now_ms() < end_ms) map(&storm);
    atomic_store(&storm.stop, 1);
    plat_thread_join(thread);

    printf("%lu kills, %llu maps, %llu of %llu items lost\n", (unsigned long)storm.kills,
           (unsigned long long)storm.maps, (unsigned long long)storm.lost, (unsigned long long)storm.maps * ITEMS);
    /* One that was killed at the very end may still cost this map a chunk; the next one not. */
    map(&storm);
    CHECK_WAIT_UNTIL(has_its_size, &storm);
    CHECK_OK(map(&storm));
    CHECK(storm.lost <= ((uint64_t)storm.kills + 1) * CHUNK * 2);
    mproc_pool_free(storm.pool);
    storm_check_as_before();
}
