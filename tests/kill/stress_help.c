/*
 * What the stress tests share.
 */
#include "stress.h"

#include "object/resource_owner.h"
#include "object/recovery.h"
#include "pool/pool.h"
#include "process/family.h"
#include "check.h"

#include <mproc/mproc.h>

#include <stdio.h>

uint32_t stress_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

uint32_t stress_seed(const char *name)
{
    uint32_t seed = (uint32_t)plat_clock_now_ns() | 1;

    printf("stress of %s: seed %lu\n", name, (unsigned long)seed);
    return seed;
}

void stress_pause(uint32_t *seed, uint32_t least, uint32_t most)
{
    plat_clock_sleep_until(plat_clock_now_ns() + (int64_t)(least + stress_random(seed) % (most - least)) * 1000);
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
bool stress_kill_worker(mproc_pool *pool, uint32_t *seed)
{
    const struct worker_record *record = &pool->records[stress_random(seed) % pool->count];
    bool killed;

    plat_mutex_lock(&pool->mutex);
    killed = record->process != NULL && is_fair(pool, record) && mproc_process_kill(record->process) == MPROC_OK;
    plat_mutex_unlock(&pool->mutex);
    return killed;
}

struct census {
    uint32_t processes;
    uint32_t threads;
    uint64_t blocks;
    bool sound;
};

static struct census before;

static struct census count(void)
{
    const struct arena_header *header = arena_header;
    struct block_census blocks = block_count();
    struct census now = {0, 0, blocks.cut - blocks.free, blocks.sound};
    uint32_t i;

    for (i = 0; i < atomic_load(&header->processes_high); i++)
        now.processes += process_slot_state(process_slot_at(i)) != PROCESS_FREE;
    for (i = 1; i < atomic_load(&header->threads_high); i++)
        now.threads += atomic_load(&thread_slot_at(i)->owner) != 0;
    return now;
}

static mproc_status leave(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

/* This thread and the reaper. */
static bool reaper_runs(void *unused)
{
    (void)unused;
    return count().threads == 2;
}

/* What the first daemon makes - the reaper, on Windows a job - stays, and so does the first table of owned slots. */
void stress_remember(void)
{
    mproc_process_options options = {.daemon = MPROC_YES};
    _Atomic uint64_t *owned;
    mproc_process *process;

    CHECK_OK(mproc_process_create(leave, mproc_no_args(), &options, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    mproc_process_free(process);
    CHECK_WAIT_UNTIL(reaper_runs, NULL);
    CHECK_OK(resource_take(1, 0, &owned));
    resource_release(owned);
    CHECK_BASELINE();
    before = count();
}

/* The reaper may still be at work, and an orphan's slot is freed by whoever looks. */
static bool as_before(void *unused)
{
    struct census now;

    (void)unused;
    recovery_adopt();
    now = count();
    return now.sound && now.processes == before.processes && now.threads == before.threads &&
           now.blocks == before.blocks;
}

void stress_check_as_before(void)
{
    struct census now = count();

    printf("in use: %lu processes, %lu threads, %llu blocks; before: %lu, %lu, %llu\n", (unsigned long)now.processes,
           (unsigned long)now.threads, (unsigned long long)now.blocks, (unsigned long)before.processes,
           (unsigned long)before.threads, (unsigned long long)before.blocks);
    CHECK_WAIT_UNTIL(as_before, NULL);
}

/* ---- what is wrong -------------------------------------------------------------------------------------- */

void stress_say_wrong(struct stress_wrong *wrong, uint32_t line)
{
    atomic_store(&wrong->line, line);
    atomic_fetch_add(&wrong->count, 1);
}

void stress_check_nothing_wrong(const struct stress_wrong *wrong)
{
    if (atomic_load(&wrong->count)) printf("line %lu\n", (unsigned long)atomic_load(&wrong->line));
    CHECK_EQ(atomic_load(&wrong->count), 0);
}

void stress_tell(_Atomic uint64_t *object, const void *handle)
{
    atomic_store(object, ((const struct reference *)handle)->ref.offset);
}

void *stress_open(const _Atomic uint64_t *object)
{
    struct handle_ref ref = object_ref(atomic_load(object));
    struct reference *reference = NULL;

    CHECK_OK(family_enter());
    CHECK_OK(reference_open(&ref, &reference));
    return reference;
}

/* ---- stress tests over a board ------------------------------------------------------------------------ */

/* Wine's server now and then answers "Internal error" where processes are killed meanwhile; the next try succeeds. */
#define STARTS_MAX 5

/* So often all have to do their work when it is calm again. */
#define ROUNDS 10

void *stress_begin(struct stress *stress, const char *name, size_t board_bytes)
{
    CHECK(stress->processes <= STRESS_PROCESSES_MAX && stress->threads <= STRESS_THREADS_MAX);
    stress->seed = stress_seed(name);
    CHECK(mproc_current_process() != NULL);
    stress_remember();
    CHECK_OK(resource_take(board_bytes, board_bytes, &stress->owned));
    return arena_at(atomic_load(stress->owned));
}

static void begin_life(struct stress *stress, uint32_t place)
{
    struct stress_life life = {atomic_load(stress->owned), stress->lives++};
    mproc_status status = MPROC_SYSTEM;
    int i;

    stress->numbers[place] = life.number;
    CHECK_OK(mproc_process_create(stress->live, mproc_bytes(&life, sizeof life), NULL, &stress->all[place]));
    for (i = 0; i < STARTS_MAX && status == MPROC_SYSTEM; i++) {
        status = mproc_process_start(stress->all[place]);
        if (status == MPROC_SYSTEM) printf("start failed: %s\n", mproc_last_error_text());
    }
    CHECK_OK(status);
}

/* A process that is killed before its main guard says so at the join. */
static void end_life(struct stress *stress, uint32_t place, bool killed)
{
    mproc_status status = mproc_process_join(stress->all[place], check_limit_ms());
    mproc_exit_status end = mproc_process_exit_status(stress->all[place]);

    if (status != MPROC_NO_GUARD || !killed) CHECK_STATUS(status, MPROC_OK);
    CHECK_EQ(end.kind, killed ? MPROC_EXIT_SIGNALLED : MPROC_EXIT_EXITED);
    CHECK_EQ(killed ? end.signal : end.code, killed ? 9 : 0);
    mproc_process_free(stress->all[place]);
}

static void kill_one(struct stress *stress)
{
    uint32_t place = stress_random(&stress->seed) % stress->processes;

    stress_pause(&stress->seed, stress->least, stress->most);
    CHECK_OK(mproc_process_kill(stress->all[place]));
    stress->kills++;
    end_life(stress, place, true);
    stress->dead = stress->numbers[place];
    stress->put_back();
    begin_life(stress, place);
}

void stress_blow(struct stress *stress, int seconds)
{
    int64_t end_ms = check_now_ms() + seconds * 1000;
    uint32_t i;

    for (i = 0; i < stress->processes; i++) begin_life(stress, i);
    while (check_now_ms() < end_ms && stress->lives < STRESS_LIVES_MAX) kill_one(stress);
}

static bool all_go_on(void *context)
{
    const struct stress *stress = context;
    uint32_t i, j;

    for (i = 0; i < stress->processes; i++)
        for (j = 0; j < stress->threads; j++)
            if (stress->rounds(stress->numbers[i], j) < stress->seen[i][j] + ROUNDS) return false;
    return true;
}

void stress_await_rounds(struct stress *stress)
{
    uint32_t i, j;

    for (i = 0; i < stress->processes; i++)
        for (j = 0; j < stress->threads; j++) stress->seen[i][j] = stress->rounds(stress->numbers[i], j);
    CHECK_WAIT_UNTIL(all_go_on, stress);
}

void stress_join(struct stress *stress)
{
    uint32_t i;

    for (i = 0; i < stress->processes; i++) end_life(stress, i, false);
}

void stress_judge_count(const struct stress *stress, const char *what, uint64_t counted,
                        const _Atomic uint32_t *published)
{
    uint64_t sum = 0;
    uint32_t i;

    for (i = 0; i < stress->lives; i++) sum += atomic_load(&published[i]);
    printf("%s: %lu kills, counted to %llu, published %llu\n", what, (unsigned long)stress->kills,
           (unsigned long long)counted, (unsigned long long)sum);
    CHECK(counted >= sum);
    CHECK(counted <= sum + stress->kills);
}

void stress_end(struct stress *stress)
{
    resource_release(stress->owned);
    stress_check_as_before();
}
