/*
 * The pool. Promised: when a worker is killed, the chunk that it had begun is reported lost, all others are
 * right, and the pool goes on with a new worker; when the caller of map is killed, its workers end.
 */
#include "born.h"
#include "steps.h"

#include <mproc/mproc.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS 6

/* Where the victim's stepping begins and ends is said by the items: its process knows nothing else of the tool. */
struct item {
    uint32_t begins;
    uint32_t ends;
    uint64_t value;
};

struct work {
    struct born_census before;
    mproc_pool *pool;
    pthread_t caller;
    struct item items[ITEMS];
    uint64_t results[ITEMS];
    mproc_status statuses[ITEMS];
    mproc_status status;
    int pipe_end;
};

static mproc_status square(const void *item, void *result, mproc_call *call)
{
    const struct item *in = item;
    uint64_t out = in->value * in->value;

    (void)call;
    if (in->begins) step_victim_begin();
    if (in->ends) step_victim_end();
    memcpy(result, &out, sizeof out);
    return MPROC_OK;
}

static void *map(void *state)
{
    struct work *work = state;
    mproc_map_options options = {.chunk_size = 1, .statuses = work->statuses};

    memset(work->results, 0, sizeof work->results);
    work->status = mproc_pool_map(work->pool, square, work->items, sizeof work->items[0], work->results,
                                  sizeof work->results[0], ITEMS, &options);
    return NULL;
}

static void prepare(struct work *work, int first, int last)
{
    int i;

    for (i = 0; i < ITEMS; i++) {
        work->items[i].value = (uint64_t)(i + 3);
        work->items[i].begins = i == first;
        work->items[i].ends = i == last;
    }
}

/* The first pool makes the reaper and what the process itself needs once. */
static void warm_up(void)
{
    static bool warm;
    static struct work work;

    if (warm) return;
    warm = true;
    prepare(&work, -1, -1);
    if (mproc_pool_create(&(mproc_pool_options){.workers = 1}, &work.pool) != MPROC_OK) abort();
    map(&work);
    if (work.status != MPROC_OK) abort();
    mproc_pool_free(work.pool);
    born_settle();
}

static void begin(void *state)
{
    warm_up();
    ((struct work *)state)->before = born_baseline();
}

/* The map runs in a thread of its own: the victim is traced by this one, which has started it. */
static int64_t start_worker(struct work *work, bool from_birth)
{
    int64_t pid = 0;

    born_victims(from_birth);
    if (mproc_pool_create(&(mproc_pool_options){.workers = 1}, &work->pool) != MPROC_OK) return 0;
    born_victims(false);
    if (mproc_pool_pids(work->pool, &pid, 1) != 1) return 0;
    if (pthread_create(&work->caller, NULL, map, work) != 0) return 0;
    return pid;
}

/* From inside the first item to inside the third: two chunks completed, two claimed. */
static int64_t start_at_work(void *state)
{
    prepare(state, 0, 2);
    return start_worker(state, false);
}

static int64_t start_at_birth(void *state)
{
    prepare(state, -1, 0);
    return start_worker(state, true);
}

/* From inside the last item on the worker completes the map, and its caller is woken; it has no more to do. */
static const char *check_items(const struct work *work, int lost_max)
{
    int i, lost = 0;

    for (i = 0; i < ITEMS; i++) {
        if (work->statuses[i] == MPROC_WORKER_LOST) lost++;
        else if (work->statuses[i] != MPROC_OK)
            return step_says("item %d: %s", i, mproc_status_name(work->statuses[i]));
        else if (work->results[i] != work->items[i].value * work->items[i].value)
            return step_says("item %d: %llu", i, (unsigned long long)work->results[i]);
    }
    if (lost > lost_max) return step_says("%d items are lost", lost);
    if (work->status != (lost ? MPROC_WORKER_LOST : MPROC_OK))
        return step_says("with %d items lost, map returned %s", lost, mproc_status_name(work->status));
    return NULL;
}

static const char *check(void *state, bool completed)
{
    struct work *work = state;
    const char *wrong;
    int64_t pid;

    (void)completed;
    pthread_join(work->caller, NULL);
    if ((wrong = check_items(work, 1)) != NULL) return wrong;
    prepare(work, -1, -1);
    map(work);
    if ((wrong = check_items(work, 0)) != NULL) return wrong;
    if (mproc_pool_pids(work->pool, &pid, 1) != 1) return step_says("the pool has not its size again");
    mproc_pool_free(work->pool);
    return born_compare(&work->before);
}

/* ---- the caller is killed ------------------------------------------------------------------------------ */

int born_mapper(void)
{
    static struct work work;

    prepare(&work, -1, -1);
    if (mproc_pool_create(&(mproc_pool_options){.workers = 2}, &work.pool) != MPROC_OK) return 1;
    map(&work);
    if (work.status != MPROC_OK) return 1;
    step_victim_begin();
    map(&work);
    step_victim_end();
    return 0;
}

static int64_t start_mapper(void *state)
{
    return born_start(BORN_MAPPER, &((struct work *)state)->pipe_end);
}

static const char *check_all_ended(void *state, bool completed)
{
    (void)completed;
    return born_all_ended(((struct work *)state)->pipe_end);
}

static const step_scenario scenarios[] = {
    {.name = "pool.worker_at_work", .setup = begin, .start = start_at_work, .check = check, .keep_status = true},
    /* The instructions are those of start.child. */
    {.name = "pool.worker_at_birth",
     .setup = begin,
     .start = start_at_birth,
     .check = check,
     .keep_status = true,
     .slow = true},
    {.name = "pool.caller",
     .setup = begin,
     .start = start_mapper,
     .check = check_all_ended,
     .unsteady = true,
     .slow = true},
};

const steps_table steps_pool = STEPS_TABLE(scenarios);
