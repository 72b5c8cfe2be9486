/*
 * What one process can give to another through shared memory and no system call: a ring of items of 64 bytes for one
 * that puts and one that gets, as bare as it can be and as fast as it can be; one of larger items; the time of a
 * cache line; the time of copies. Whoever is killed here leaves the other waiting for ever.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "measure.h"

enum { ITEM_BYTES = 64, ITEMS = 1024, BATCH = 64, AHEAD = 8, PAUSES_MAX = 64, LOOKS = 8, BLOCKS = 4 };

static void pause_once(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

struct item {
    uint64_t number;
    char rest[ITEM_BYTES - sizeof(uint64_t)];
};

/* How many items have been put, and how many got: each is written by one process only. */
struct ring {
    _Alignas(128) _Atomic uint64_t put;
    _Alignas(128) _Atomic uint64_t got;
    _Alignas(128) struct item items[ITEMS];
};

/* ---- bare: each looks at the other's number for each item, and pauses once between two looks ----- */

static void put_bare(void *context, size_t repeats)
{
    struct ring *ring = context;
    struct item item = {0, "item"};

    for (uint64_t i = 0; i < repeats; i++) {
        uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
        while (put - atomic_load_explicit(&ring->got, memory_order_acquire) == ITEMS) pause_once();
        item.number = i;
        ring->items[put % ITEMS] = item;
        atomic_store_explicit(&ring->put, put + 1, memory_order_release);
    }
}

static void get_bare(void *context, size_t repeats)
{
    struct ring *ring = context;
    struct item item;

    for (uint64_t i = 0; i < repeats; i++) {
        uint64_t got = atomic_load_explicit(&ring->got, memory_order_relaxed);
        while (atomic_load_explicit(&ring->put, memory_order_acquire) == got) pause_once();
        item = ring->items[got % ITEMS];
        atomic_store_explicit(&ring->got, got + 1, memory_order_release);
        if (item.number != i) abort();
    }
}

/* ---- best: numbers are known as long as that suffices, and published for many items at once ------ */

/* Waits until the number is not `than` any more: twice as long before each look, and then for the scheduler. */
static uint64_t await_other(_Atomic uint64_t *number, uint64_t than)
{
    uint64_t seen;

    for (int look = 0, pauses = 1; (seen = atomic_load_explicit(number, memory_order_acquire)) == than; look++) {
        for (int i = 0; i < pauses; i++) pause_once();
        if (pauses < PAUSES_MAX) pauses *= 2;
        if (look >= LOOKS) sched_yield();
    }
    return seen;
}

/* Takes the lines of the items after next from the other's cache, several at a time, if they are free already. */
static void own_ahead(struct ring *ring, uint64_t put, uint64_t known)
{
    if (put - known > ITEMS - 2 * AHEAD) return;
    for (uint64_t i = put + AHEAD; i < put + 2 * AHEAD; i++) *(volatile uint64_t *)&ring->items[i % ITEMS].number = 0;
}

/* What is put is seen when a batch is full, or there is no room, or the last was put. */
static void put_best(void *context, size_t repeats)
{
    struct ring *ring = context;
    struct item item = {0, "item"};
    uint64_t put = atomic_load(&ring->put), known = atomic_load(&ring->got);

    for (uint64_t i = 0; i < repeats; i++) {
        if (put - known == ITEMS) {
            atomic_store_explicit(&ring->put, put, memory_order_release);
            known = await_other(&ring->got, put - ITEMS);
        }
        if (put % AHEAD == 0) own_ahead(ring, put, known);
        item.number = i;
        ring->items[put % ITEMS] = item;
        if (++put % BATCH == 0) atomic_store_explicit(&ring->put, put, memory_order_release);
    }
    atomic_store_explicit(&ring->put, put, memory_order_release);
}

static void get_best(void *context, size_t repeats)
{
    struct ring *ring = context;
    struct item item;
    uint64_t got = atomic_load(&ring->got), known = got;

    for (uint64_t i = 0; i < repeats; i++) {
        if (got == known) {
            atomic_store_explicit(&ring->got, got, memory_order_release);
            known = await_other(&ring->put, got);
        }
        item = ring->items[got % ITEMS];
        if (++got % BATCH == 0) atomic_store_explicit(&ring->got, got, memory_order_release);
        if (item.number != i) abort();
    }
    atomic_store_explicit(&ring->got, got, memory_order_release);
}

static void bare(const struct order *order, double values[2])
{
    values[0] = measure_forked(get_bare, put_bare, measure_shared(sizeof(struct ring)), order->repeats);
}

static void best(const struct order *order, double values[2])
{
    values[0] = measure_forked(get_best, put_best, measure_shared(sizeof(struct ring)), order->repeats);
}

/* ---- best for items of any size, which are copied in and out -------------------------------------- */

/*
 * The ring is larger than a processor's own cache and smaller than the one that both share: what was put has left the
 * one's cache when the other reads it, so that it comes several times as fast.
 */
enum { SIZED_BYTES = 8 << 20, SIZED_BATCH = 8 };

struct sized {
    _Alignas(128) _Atomic uint64_t put;
    _Alignas(128) _Atomic uint64_t got;
    _Alignas(128) size_t size;
    size_t count;
    _Alignas(128) char items[];
};

static void put_sized(void *context, size_t repeats)
{
    struct sized *ring = context;
    char *own = calloc(1, ring->size);
    uint64_t put = atomic_load(&ring->put), known = atomic_load(&ring->got);

    measure_require(own != NULL, "there is memory for an item");
    for (uint64_t i = 0; i < repeats; i++) {
        if (put - known == ring->count) {
            atomic_store_explicit(&ring->put, put, memory_order_release);
            known = await_other(&ring->got, put - ring->count);
        }
        memcpy(own, &i, sizeof i);
        memcpy(ring->items + put % ring->count * ring->size, own, ring->size);
        if (++put % SIZED_BATCH == 0) atomic_store_explicit(&ring->put, put, memory_order_release);
    }
    atomic_store_explicit(&ring->put, put, memory_order_release);
    free(own);
}

static void get_sized(void *context, size_t repeats)
{
    struct sized *ring = context;
    char *own = calloc(1, ring->size);
    uint64_t got = atomic_load(&ring->got), known = got;

    measure_require(own != NULL, "there is memory for an item");
    for (uint64_t i = 0; i < repeats; i++) {
        if (got == known) {
            atomic_store_explicit(&ring->got, got, memory_order_release);
            known = await_other(&ring->put, got);
        }
        memcpy(own, ring->items + got % ring->count * ring->size, ring->size);
        if (++got % SIZED_BATCH == 0) atomic_store_explicit(&ring->got, got, memory_order_release);
        if (memcmp(own, &i, sizeof i) != 0) abort();
    }
    atomic_store_explicit(&ring->got, got, memory_order_release);
    free(own);
}

static void sized(const struct order *order, double values[2])
{
    struct sized *ring = measure_shared(sizeof *ring + SIZED_BYTES);

    ring->size = order->items;
    ring->count = SIZED_BYTES / order->items;
    values[0] = measure_forked(get_sized, put_sized, ring, order->repeats);
}

/* ---- a cache line goes to the other process and comes back --------------------------------------- */

static void go_and_come(void *context)
{
    _Atomic uint32_t *turn = context;

    atomic_store_explicit(turn, 1, memory_order_release);
    while (atomic_load_explicit(turn, memory_order_acquire) != 0) continue;
}

static void line(const struct order *order, double values[2])
{
    _Atomic uint32_t *turn = measure_shared(ITEM_BYTES);
    int status = -1;
    pid_t child = fork();

    measure_bind(child == 0);
    for (size_t i = 0; child == 0 && i < order->repeats; i++) {
        while (atomic_load_explicit(turn, memory_order_acquire) != 1) continue;
        atomic_store_explicit(turn, 0, memory_order_release);
    }
    if (child == 0) _exit(0);
    measure_rested(go_and_come, turn, order->repeats, 0, values);
    waitpid(child, &status, 0);
    measure_require(status == 0, "the other process ends with 0");
}

/* ---- copies of `items` bytes, into shared memory and out of it, without anybody waiting ---------- */

struct copies {
    size_t size;
    char *shared;
    char *own;
};

static void copy_in(void *context, size_t repeats)
{
    const struct copies *copies = context;

    for (size_t i = 0; i < repeats; i++)
        memcpy(copies->shared + i % BLOCKS * copies->size, copies->own, copies->size);
}

static void copy_out(void *context, size_t repeats)
{
    const struct copies *copies = context;

    for (size_t i = 0; i < repeats; i++)
        memcpy(copies->own, copies->shared + i % BLOCKS * copies->size, copies->size);
}

static void copy(const struct order *order, double values[2])
{
    struct copies copies = {order->items, measure_shared(BLOCKS * order->items), calloc(1, order->items)};

    measure_require(copies.own != NULL, "there is memory to copy");
    values[0] = measure_forked(copy_out, copy_in, &copies, order->repeats);
}

static const struct task tasks[] = {{"bare", bare}, {"best", best}, {"sized", sized},
                                    {"line", line}, {"copy", copy}, {NULL, NULL}};

int main(int count, char **arguments)
{
    return measure_main(count, arguments, tasks);
}
