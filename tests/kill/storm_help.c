/*
 * What the storms share.
 */
#include "storm.h"

#include "arena/cells.h"
#include "arena/recovery.h"
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
