/*
 * A stress over the arena's own parts. The processes count under a lock, pass items by a word on which they
 * sleep, and take, fill, check and give back blocks.
 */
#include "stress.h"

#include "object/resource_owner.h"
#include "arena/lock.h"
#include "arena/park.h"
#include "object/wait.h"
#include "check.h"

#include <mproc/mproc.h>

#include <limits.h>
#include <string.h>

#define PROCESSES 4
#define HELD_MAX 8
#define BLOCK_BYTES_MAX 3000
#define BLOCK_BYTES_MAX_LARGE 100000

/*
 * `counter` and `inside` are changed under the lock alone. `items` is a count that anybody changes by
 * compare-and-swap. A life alone writes what it has published.
 */
struct board {
    arena_lock lock;
    _Atomic uint32_t inside;
    _Atomic uint64_t counter;
    _Atomic uint32_t items;
    _Atomic uint32_t stop;
    _Atomic uint32_t two_inside;
    _Atomic uint32_t spoiled;
    _Atomic uint32_t published[STRESS_LIVES_MAX];
};

static struct board *board;

static struct intent *intent(void)
{
    return work_intent();
}

/* ---- what the processes do ----------------------------------------------------------------------- */

/* The count is one more than what is published if a process is killed in between, and never anything else. */
static void count_up(uint32_t life)
{
    uint64_t counter;

    lock_acquire(intent(), &board->lock);
    atomic_store(&board->inside, life + 1);
    counter = atomic_load(&board->counter);
    atomic_store(&board->counter, counter + 1);
    if (atomic_load(&board->inside) != life + 1) atomic_fetch_add(&board->two_inside, 1);
    lock_release(intent(), &board->lock);
    atomic_fetch_add(&board->published[life], 1);
}

static void put_item(void)
{
    park_announce(&board->items);
    atomic_fetch_add(&board->items, 1);
    park_wake(&board->items, 1);
    park_announce(NULL);
}

static bool take_item(void)
{
    uint32_t seen = 0;
    bool taken = false;

    park_announce(&board->items);
    while (!taken && !atomic_load(&board->stop)) {
        seen = atomic_load(&board->items);
        if (seen == 0) wait_on(&board->items, 0, PLAT_FOREVER);
        else taken = atomic_compare_exchange_strong(&board->items, &seen, seen - 1);
    }
    park_announce(NULL);
    return taken;
}

static void fill(_Atomic uint64_t *owned, uint32_t life)
{
    memset(arena_at(atomic_load(owned)), (int)(life % 255 + 1), (size_t)block_size(atomic_load(owned)));
}

/* A block that was given to two is seen by one of them. */
static bool is_filled(_Atomic uint64_t *owned, uint32_t life)
{
    const unsigned char *bytes = arena_at(atomic_load(owned));
    uint64_t size = block_size(atomic_load(owned)), i;

    for (i = 0; i < size; i++)
        if (bytes[i] != life % 255 + 1) return false;
    return true;
}

/* Keeps some blocks, replaces one of them at a time. */
static void change_blocks(_Atomic uint64_t **held, uint32_t life, uint32_t *seed)
{
    _Atomic uint64_t **place = &held[stress_random(seed) % HELD_MAX];
    uint32_t bytes_max;

    if (*place != NULL) {
        if (!is_filled(*place, life)) atomic_fetch_add(&board->spoiled, 1);
        resource_release(*place);
        *place = NULL;
    }
    bytes_max = stress_random(seed) % 8 == 0 ? BLOCK_BYTES_MAX_LARGE : BLOCK_BYTES_MAX;
    if (resource_take(1 + stress_random(seed) % bytes_max, 0, place) == MPROC_OK) fill(*place, life);
}

static mproc_status live(mproc_call *call)
{
    _Atomic uint64_t *held[HELD_MAX] = {NULL};
    struct stress_life life;
    uint32_t seed;
    int i;

    if (mproc_unpack_bytes(call, &life, sizeof life) != MPROC_OK) return MPROC_INVALID;
    board = arena_at(life.board);
    seed = life.number;
    while (!atomic_load(&board->stop)) {
        count_up(life.number);
        if (stress_random(&seed) % 2) change_blocks(held, life.number, &seed);
        if (stress_random(&seed) % 2 && take_item()) put_item();
    }
    for (i = 0; i < HELD_MAX; i++) resource_release(held[i]);
    return MPROC_OK;
}

/* ---- the stress ---------------------------------------------------------------------------------------- */

static void put_back(void)
{
    if (atomic_load(&board->items) == 0) put_item();
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    (void)thread;
    return atomic_load(&board->published[life]);
}

/* When it is calm again, everybody goes on, and everybody ends. */
static void calm_down(struct stress *stress)
{
    uint32_t i;

    for (i = 0; i < PROCESSES; i++) put_item();
    stress_await_rounds(stress);
    atomic_store(&board->stop, 1);
    put_item();
    park_wake(&board->items, INT_MAX);
    stress_join(stress);
}

static void judge(const struct stress *stress)
{
    stress_judge_count(stress, "lock", atomic_load(&board->counter), board->published);
    CHECK_EQ(atomic_load(&board->two_inside), 0);
    CHECK_EQ(atomic_load(&board->spoiled), 0);
    CHECK_EQ(atomic_load(&board->lock.word), 0);
}

void stress_arena(int seconds)
{
    struct stress stress = {.live = live,
                            .processes = PROCESSES,
                            .threads = 1,
                            .least = 100,
                            .most = 500,
                            .put_back = put_back,
                            .rounds = rounds};

    board = stress_begin(&stress, "the arena", sizeof *board);
    atomic_store(&arena_header->heap.warm_bytes_max, BLOCK_BYTES_MAX_LARGE); /* so that many become cold */
    atomic_store(&board->items, PROCESSES / 2);
    stress_blow(&stress, seconds);
    calm_down(&stress);
    judge(&stress);
    stress_end(&stress);
}
