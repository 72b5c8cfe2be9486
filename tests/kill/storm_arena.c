/*
 * A storm over the arena's own parts. The processes count under a lock, pass items by a word on which they
 * sleep, and take, fill, check and give back blocks.
 */
#include "storm.h"

#include "arena/cells.h"
#include "arena/lock.h"
#include "arena/park.h"
#include "check.h"

#include <mproc/mproc.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define PROCESSES 4
#define LIVES_MAX 65536
#define HELD_MAX 8
#define BLOCK_BYTES_MAX 3000

/*
 * `counter` and `inside` are changed under the lock alone. `items` is a count that anybody changes by
 * compare-and-swap. Each life is a process from its start to its end; it alone writes what it has published.
 */
struct board {
    arena_lock lock;
    _Atomic uint32_t inside;
    _Atomic uint64_t counter;
    _Atomic uint32_t items;
    _Atomic uint32_t stop;
    _Atomic uint32_t two_inside;
    _Atomic uint32_t spoiled;
    _Atomic uint64_t published[LIVES_MAX];
};

struct life {
    uint64_t board;
    uint32_t number;
};

static struct hand *hand(void)
{
    return &thread_self.slot->hands[HAND_WORK];
}

/* ---- what the processes do ----------------------------------------------------------------------- */

/* The count is one more than what is published if a process is killed in between, and never anything else. */
static void count_up(struct board *board, uint32_t life)
{
    uint64_t counter;

    lock_acquire(hand(), &board->lock);
    atomic_store(&board->inside, life + 1);
    counter = atomic_load(&board->counter);
    atomic_store(&board->counter, counter + 1);
    if (atomic_load(&board->inside) != life + 1) atomic_fetch_add(&board->two_inside, 1);
    lock_release(hand(), &board->lock);
    atomic_fetch_add(&board->published[life], 1);
}

static void put_item(struct board *board)
{
    park_announce(&board->items);
    atomic_fetch_add(&board->items, 1);
    park_wake(&board->items, 1);
    park_announce(NULL);
}

static bool take_item(struct board *board)
{
    uint32_t seen = 0;
    bool taken = false;

    park_announce(&board->items);
    while (!taken && !atomic_load(&board->stop)) {
        seen = atomic_load(&board->items);
        if (seen == 0) park_wait(&board->items, 0, PLAT_FOREVER);
        else taken = atomic_compare_exchange_strong(&board->items, &seen, seen - 1);
    }
    park_announce(NULL);
    return taken;
}

static void fill(_Atomic uint64_t *cell, uint32_t life)
{
    memset(arena_at(atomic_load(cell)), (int)(life % 255 + 1), (size_t)block_size(atomic_load(cell)));
}

/* A block that was given to two is seen by one of them. */
static bool is_filled(_Atomic uint64_t *cell, uint32_t life)
{
    const unsigned char *bytes = arena_at(atomic_load(cell));
    uint64_t size = block_size(atomic_load(cell)), i;

    for (i = 0; i < size; i++)
        if (bytes[i] != life % 255 + 1) return false;
    return true;
}

/* Keeps some blocks, replaces one of them at a time. */
static void change_blocks(struct board *board, _Atomic uint64_t **held, uint32_t life, uint32_t *seed)
{
    _Atomic uint64_t **place = &held[storm_random(seed) % HELD_MAX];

    if (*place != NULL) {
        if (!is_filled(*place, life)) atomic_fetch_add(&board->spoiled, 1);
        cells_give(*place);
        *place = NULL;
    }
    if (cells_take(1 + storm_random(seed) % BLOCK_BYTES_MAX, 0, place) == MPROC_OK) fill(*place, life);
}

static mproc_status live(mproc_call *call)
{
    _Atomic uint64_t *held[HELD_MAX] = {NULL};
    struct board *board;
    struct life life;
    uint32_t seed;
    int i;

    if (mproc_unpack_bytes(call, &life, sizeof life) != MPROC_OK) return MPROC_INVALID;
    board = arena_at(life.board);
    seed = life.number;
    while (!atomic_load(&board->stop)) {
        count_up(board, life.number);
        if (storm_random(&seed) % 2) change_blocks(board, held, life.number, &seed);
        if (storm_random(&seed) % 2 && take_item(board)) put_item(board);
    }
    for (i = 0; i < HELD_MAX; i++) cells_give(held[i]);
    return MPROC_OK;
}

/* ---- the storm ---------------------------------------------------------------------------------------- */

struct storm {
    struct board *board;
    _Atomic uint64_t *cell;
    mproc_process *processes[PROCESSES];
    uint32_t numbers[PROCESSES];
    uint64_t seen[PROCESSES];
    uint32_t lives;
    uint32_t kills;
    uint32_t seed;
};

/* Wine's server now and then answers "Internal error" where processes are killed meanwhile; the next try succeeds. */
#define STARTS_MAX 5

static void begin_life(struct storm *storm, uint32_t place)
{
    struct life life = {arena_offset(storm->board), storm->lives++};
    mproc_status status = MPROC_SYSTEM;
    int i;

    storm->numbers[place] = life.number;
    CHECK_OK(mproc_process_create(live, mproc_bytes(&life, sizeof life), NULL, &storm->processes[place]));
    for (i = 0; i < STARTS_MAX && status == MPROC_SYSTEM; i++) {
        status = mproc_process_start(storm->processes[place]);
        if (status == MPROC_SYSTEM) printf("start failed: %s\n", mproc_last_error_text());
    }
    CHECK_OK(status);
}

/* A process that is killed before its main guard says so at the join. */
static void end_life(struct storm *storm, uint32_t place, bool killed)
{
    mproc_status status = mproc_process_join(storm->processes[place], check_limit_ms());
    mproc_exit_status end = mproc_process_exit_status(storm->processes[place]);

    if (status != MPROC_NO_GUARD || !killed) CHECK_STATUS(status, MPROC_OK);
    CHECK_EQ(end.kind, killed ? MPROC_EXIT_SIGNALLED : MPROC_EXIT_EXITED);
    CHECK_EQ(killed ? end.signal : end.code, killed ? 9 : 0);
    mproc_process_free(storm->processes[place]);
}

/* What the dead one had taken is put back when nothing is left, or the others would sleep, rightly, for ever. */
static void blow(struct storm *storm)
{
    uint32_t place = storm_random(&storm->seed) % PROCESSES;

    storm_pause(&storm->seed, 100, 500);
    CHECK_OK(mproc_process_kill(storm->processes[place]));
    storm->kills++;
    end_life(storm, place, true);
    if (atomic_load(&storm->board->items) == 0) put_item(storm->board);
    begin_life(storm, place);
}

static bool all_go_on(void *context)
{
    struct storm *storm = context;
    int i;

    for (i = 0; i < PROCESSES; i++)
        if (atomic_load(&storm->board->published[storm->numbers[i]]) < storm->seen[i] + 10) return false;
    return true;
}

/* When it is calm again, everybody goes on, and everybody ends. */
static void calm_down(struct storm *storm)
{
    uint32_t i;

    for (i = 0; i < PROCESSES; i++) put_item(storm->board);
    for (i = 0; i < PROCESSES; i++) storm->seen[i] = atomic_load(&storm->board->published[storm->numbers[i]]);
    CHECK_WAIT_UNTIL(all_go_on, storm);
    atomic_store(&storm->board->stop, 1);
    put_item(storm->board);
    park_wake(&storm->board->items, INT_MAX);
    for (i = 0; i < PROCESSES; i++) end_life(storm, i, false);
}

static void judge(const struct storm *storm)
{
    uint64_t published = 0, counter = atomic_load(&storm->board->counter);
    uint32_t i;

    for (i = 0; i < storm->lives; i++) published += atomic_load(&storm->board->published[i]);
    printf("%lu kills; counted to %llu, published %llu\n", (unsigned long)storm->kills, (unsigned long long)counter,
           (unsigned long long)published);
    CHECK(counter >= published);
    CHECK(counter <= published + storm->kills);
    CHECK_EQ(atomic_load(&storm->board->two_inside), 0);
    CHECK_EQ(atomic_load(&storm->board->spoiled), 0);
    CHECK_EQ(atomic_load(&storm->board->lock.word), 0);
}

void storm_arena(int seconds)
{
    struct storm storm = {.seed = storm_seed("the arena")};
    int64_t end_ms = check_now_ms() + seconds * 1000;
    uint32_t i;

    CHECK(mproc_current_process() != NULL);
    storm_remember();
    CHECK_OK(cells_take(sizeof *storm.board, sizeof *storm.board, &storm.cell));
    storm.board = arena_at(atomic_load(storm.cell));
    atomic_store(&storm.board->items, PROCESSES / 2);
    for (i = 0; i < PROCESSES; i++) begin_life(&storm, i);
    while (check_now_ms() < end_ms && storm.lives < LIVES_MAX - PROCESSES) blow(&storm);
    calm_down(&storm);
    judge(&storm);
    cells_give(storm.cell);
    storm_check_as_before();
}
