/*
 * What the storms share.
 */
#include "storm.h"

#include "object/cells.h"
#include "object/recovery.h"
#include "check.h"

#include <mproc/mproc.h>

#include <stdio.h>

uint32_t storm_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

uint32_t storm_seed(const char *name)
{
    uint32_t seed = (uint32_t)plat_clock_now_ns() | 1;

    printf("storm of %s: seed %lu\n", name, (unsigned long)seed);
    return seed;
}

void storm_pause(uint32_t *seed, uint32_t least, uint32_t most)
{
    plat_clock_sleep_until(plat_clock_now_ns() + (int64_t)(least + storm_random(seed) % (most - least)) * 1000);
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
    const struct arena_header *header = arena_header();
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

/* What the first daemon makes - the reaper, on Windows a job - stays, and so does the first table of cells. */
void storm_remember(void)
{
    mproc_process_options options = {.daemon = MPROC_YES};
    _Atomic uint64_t *cell;
    mproc_process *process;

    CHECK_OK(mproc_process_create(leave, mproc_no_args(), &options, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    mproc_process_free(process);
    CHECK_WAIT_UNTIL(reaper_runs, NULL);
    CHECK_OK(cells_take(1, 0, &cell));
    cells_give(cell);
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

void storm_check_as_before(void)
{
    struct census now = count();

    printf("in use: %lu processes, %lu threads, %llu blocks; before: %lu, %lu, %llu\n", (unsigned long)now.processes,
           (unsigned long)now.threads, (unsigned long long)now.blocks, (unsigned long)before.processes,
           (unsigned long)before.threads, (unsigned long long)before.blocks);
    CHECK_WAIT_UNTIL(as_before, NULL);
}

/* ---- storms over a board ------------------------------------------------------------------------ */

/* Wine's server now and then answers "Internal error" where processes are killed meanwhile; the next try succeeds. */
#define STARTS_MAX 5

/* So often all have to do their work when it is calm again. */
#define ROUNDS 10

void *storm_begin(struct storm *storm, const char *name, size_t board_bytes)
{
    CHECK(storm->processes <= STORM_PROCESSES_MAX && storm->threads <= STORM_THREADS_MAX);
    storm->seed = storm_seed(name);
    CHECK(mproc_current_process() != NULL);
    storm_remember();
    CHECK_OK(cells_take(board_bytes, board_bytes, &storm->cell));
    return arena_at(atomic_load(storm->cell));
}

static void begin_life(struct storm *storm, uint32_t place)
{
    struct storm_life life = {atomic_load(storm->cell), storm->lives++};
    mproc_status status = MPROC_SYSTEM;
    int i;

    storm->numbers[place] = life.number;
    CHECK_OK(mproc_process_create(storm->live, mproc_bytes(&life, sizeof life), NULL, &storm->all[place]));
    for (i = 0; i < STARTS_MAX && status == MPROC_SYSTEM; i++) {
        status = mproc_process_start(storm->all[place]);
        if (status == MPROC_SYSTEM) printf("start failed: %s\n", mproc_last_error_text());
    }
    CHECK_OK(status);
}

/* A process that is killed before its main guard says so at the join. */
static void end_life(struct storm *storm, uint32_t place, bool killed)
{
    mproc_status status = mproc_process_join(storm->all[place], check_limit_ms());
    mproc_exit_status end = mproc_process_exit_status(storm->all[place]);

    if (status != MPROC_NO_GUARD || !killed) CHECK_STATUS(status, MPROC_OK);
    CHECK_EQ(end.kind, killed ? MPROC_EXIT_SIGNALLED : MPROC_EXIT_EXITED);
    CHECK_EQ(killed ? end.signal : end.code, killed ? 9 : 0);
    mproc_process_free(storm->all[place]);
}

static void kill_one(struct storm *storm)
{
    uint32_t place = storm_random(&storm->seed) % storm->processes;

    storm_pause(&storm->seed, storm->least, storm->most);
    CHECK_OK(mproc_process_kill(storm->all[place]));
    storm->kills++;
    end_life(storm, place, true);
    storm->put_back();
    begin_life(storm, place);
}

void storm_blow(struct storm *storm, int seconds)
{
    int64_t end_ms = check_now_ms() + seconds * 1000;
    uint32_t i;

    for (i = 0; i < storm->processes; i++) begin_life(storm, i);
    while (check_now_ms() < end_ms && storm->lives < STORM_LIVES_MAX) kill_one(storm);
}

static bool all_go_on(void *context)
{
    const struct storm *storm = context;
    uint32_t i, j;

    for (i = 0; i < storm->processes; i++)
        for (j = 0; j < storm->threads; j++)
            if (storm->rounds(storm->numbers[i], j) < storm->seen[i][j] + ROUNDS) return false;
    return true;
}

void storm_await_rounds(struct storm *storm)
{
    uint32_t i, j;

    for (i = 0; i < storm->processes; i++)
        for (j = 0; j < storm->threads; j++) storm->seen[i][j] = storm->rounds(storm->numbers[i], j);
    CHECK_WAIT_UNTIL(all_go_on, storm);
}

void storm_join(struct storm *storm)
{
    uint32_t i;

    for (i = 0; i < storm->processes; i++) end_life(storm, i, false);
}

void storm_judge_count(const struct storm *storm, const char *what, uint64_t counted,
                       const _Atomic uint32_t *published)
{
    uint64_t sum = 0;
    uint32_t i;

    for (i = 0; i < storm->lives; i++) sum += atomic_load(&published[i]);
    printf("%s: %lu kills, counted to %llu, published %llu\n", what, (unsigned long)storm->kills,
           (unsigned long long)counted, (unsigned long long)sum);
    CHECK(counted >= sum);
    CHECK(counted <= sum + storm->kills);
}

void storm_end(struct storm *storm)
{
    cells_give(storm->cell);
    storm_check_as_before();
}
