/*
 * A stress over a pool: workers are killed while it maps, and each item is right or reported lost.
 */
#include "stress.h"

#include "check.h"
#include "platform.h"

#include <mproc/mproc.h>

#include <stdio.h>

#define WORKERS 3
#define ITEMS 3000
#define CHUNK 8

struct pool_stress {
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

static void blow(void *context)
{
    struct pool_stress *stress = context;

    while (!atomic_load(&stress->stop)) {
        stress_pause(&stress->seed, 500, 4000);
        stress->kills += stress_kill_worker(stress->pool, &stress->seed);
    }
}

static mproc_status map(struct pool_stress *stress)
{
    mproc_map_options options = {.chunk_size = CHUNK, .statuses = stress->statuses};
    uint64_t lost = 0;
    mproc_status status;
    int i;

    for (i = 0; i < ITEMS; i++) {
        stress->items[i] = stress->maps * ITEMS + (uint64_t)i;
        stress->results[i] = 0;
    }
    status = mproc_pool_map(stress->pool, square, stress->items, sizeof stress->items[0], stress->results,
                            sizeof stress->results[0], ITEMS, &options);
    for (i = 0; i < ITEMS; i++) {
        if (stress->statuses[i] == MPROC_WORKER_LOST) lost++;
        else {
            CHECK_EQ(stress->statuses[i], MPROC_OK);
            CHECK_EQ(stress->results[i], stress->items[i] * stress->items[i]);
        }
    }
    CHECK_STATUS(status, lost > 0 ? MPROC_WORKER_LOST : MPROC_OK);
    stress->lost += lost;
    stress->maps++;
    return status;
}

static bool has_its_size(void *context)
{
    return mproc_pool_pids(((struct pool_stress *)context)->pool, NULL, 0) == WORKERS;
}

void stress_pool(int seconds)
{
    static struct pool_stress stress;
    int64_t end_ms = check_now_ms() + seconds * 1000;
    plat_thread *thread;

    CHECK(mproc_current_process() != NULL);
    stress.seed = stress_seed("a pool");
    stress_remember();
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = WORKERS}, &stress.pool));
    CHECK_OK(plat_thread_start(blow, &stress, &thread));
    while (check_now_ms() < end_ms) map(&stress);
    atomic_store(&stress.stop, 1);
    plat_thread_join(thread);

    printf("%lu kills, %llu maps, %llu of %llu items lost\n", (unsigned long)stress.kills,
           (unsigned long long)stress.maps, (unsigned long long)stress.lost, (unsigned long long)stress.maps * ITEMS);
    /* One that was killed at the very end may still cost this map a chunk; the next one not. */
    map(&stress);
    CHECK_WAIT_UNTIL(has_its_size, &stress);
    CHECK_OK(map(&stress));
    CHECK(stress.lost <= ((uint64_t)stress.kills + 1) * CHUNK * 2);
    mproc_pool_free(stress.pool);
    stress_check_as_before();
}
