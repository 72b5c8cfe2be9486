/* Maps of all shapes by several threads, while workers are killed at random. For three seconds. */
#include <stdlib.h>

#include "pool_fixture.h"

enum { STRESS_MS = 3000, WORKERS = 4, MAPPERS = 3, MOST = 40000 };

typedef struct stress {
    mproc_pool *pool;
    int64_t until_ms;
    uint32_t seed;
    plat_thread *thread;
    int64_t done;
    int64_t lost;
    int kills;
} stress;

static uint32_t draw(stress *own, uint32_t below)
{
    own->seed = own->seed * 1664525 + 1013904223;
    return (own->seed >> 8) % below;
}

static mproc_status triple(const void *item, void *result, mproc_call *call)
{
    (void)call;
    *(int64_t *)result = 3 * *(const int64_t *)item;
    return MPROC_OK;
}

static mproc_status triple_range(size_t first, size_t count, const void *items, void *results, mproc_call *call)
{
    (void)first;
    (void)call;
    for (size_t i = 0; i < count; i++) ((int64_t *)results)[i] = 3 * ((const int64_t *)items)[i];
    return MPROC_OK;
}

/* Each item is either right, or lost with its worker, if that may be. */
static void check_items(stress *own, const int64_t *results, const mproc_status *statuses, int64_t base, size_t count,
                        bool lost)
{
    for (size_t i = 0; i < count; i++) {
        own->done++;
        if (statuses[i] == MPROC_OK) {
            if (results[i] == 3 * (base + (int64_t)i)) continue;
            check_fail(__FILE__, __LINE__, "item %zu of %zu is %lld", i, count, (long long)results[i]);
        }
        CHECK_STATUS(statuses[i], lost ? MPROC_WORKER_LOST : MPROC_OK);
        own->lost++;
    }
}

static void map_once(stress *own, int64_t *values, int64_t *results, mproc_status *statuses)
{
    size_t count = 1 + draw(own, draw(own, 2) ? MOST : 50);
    int64_t base = draw(own, 1000000);
    mproc_map_options options = {
        .chunk_size = draw(own, 3) * draw(own, 100), .statuses = statuses, .retries = draw(own, 2) * 100};
    mproc_status status;

    for (size_t i = 0; i < count; i++) values[i] = base + (int64_t)i;
    memset(results, 0xFF, count * sizeof *results);
    memset(statuses, 0xFF, count * sizeof *statuses);
    if (draw(own, 2))
        status = mproc_pool_map(own->pool, triple, values, sizeof *values, results, sizeof *results, count, &options);
    else
        status = mproc_pool_map_range(own->pool, triple_range, values, sizeof *values, results, sizeof *results,
                                      count, &options);
    if (status != MPROC_OK) CHECK_STATUS(status, options.retries ? MPROC_OK : MPROC_WORKER_LOST);
    check_items(own, results, statuses, base, count, options.retries == 0);
}

static void map_on(void *context)
{
    stress *own = context;
    int64_t *values = malloc(MOST * sizeof *values);
    int64_t *results = malloc(MOST * sizeof *results);
    mproc_status *statuses = malloc(MOST * sizeof *statuses);

    CHECK(values != NULL && results != NULL && statuses != NULL);
    while (check_now_ms() < own->until_ms) map_once(own, values, results, statuses);
    free(statuses);
    free(results);
    free(values);
}

static void kill_on(stress *own)
{
    while (check_now_ms() < own->until_ms) {
        int64_t pids[WORKERS];
        size_t count = mproc_pool_pids(own->pool, pids, WORKERS);
        if (count > 0) {
            os_kill(pids[draw(own, (uint32_t)count)]);
            own->kills++;
        }
        check_pause_ms((int)draw(own, 25));
    }
}

static void blow(bool kills)
{
    mproc_pool *pool = fixture_create(WORKERS);
    stress loads[MAPPERS + 1];
    int64_t done = 0;
    int64_t lost = 0;

    fixture_check_squares(pool, 1000, 1);
    for (uint32_t i = 0; i <= MAPPERS; i++)
        loads[i] = (stress){.pool = pool, .until_ms = check_now_ms() + STRESS_MS, .seed = 4711 + 99 * i};
    for (int i = 0; i < MAPPERS; i++) CHECK_OK(plat_thread_start(map_on, &loads[i], &loads[i].thread));
    if (kills) kill_on(&loads[MAPPERS]);
    for (int i = 0; i < MAPPERS; i++) {
        plat_thread_join(loads[i].thread);
        done += loads[i].done;
        lost += loads[i].lost;
    }
    CHECK(done > 0);
    CHECK(lost < done);
    CHECK_EQ(loads[MAPPERS].kills > 0, kills);
    if (!kills) CHECK_EQ(lost, 0);
    fixture_check_squares(pool, 100000, 1);
    CHECK_EQ(mproc_pool_pids(pool, NULL, 0), WORKERS);
    mproc_pool_free(pool);
}

static void case_workers_are_killed_during_maps(void)
{
    blow(true);
}

static void case_threads_map_without_rest(void)
{
    blow(false);
}

CHECK_SUITE_SETUP(pool_stress, fixture_of_processes,
    CASE_LIMIT(workers_are_killed_during_maps, 40),
);

CHECK_TWINS(pool_rush, fixture_of_processes, pool_rush_threads, fixture_of_threads,
    CASE_LIMIT(threads_map_without_rest, 40),
);
