/* arena/block.h and object/resource_owner.h: what is promised of blocks while everybody lives. */
#include "arena/block.h"

#include <stdlib.h>

#include "object/resource_owner.h"
#include "check.h"
#include "process/process_fixture.h"

enum { SLOTS = 700, THREADS = 4, ROUNDS = 3000 };

static void fill(uint64_t block, uint64_t size, int byte)
{
    memset(arena_at(block), byte, size);
}

static bool is_filled(uint64_t block, uint64_t size, int byte)
{
    const unsigned char *bytes = arena_at(block);

    for (; size > 0; size--) {
        if (bytes[size - 1] != (unsigned char)byte) return false;
    }
    return true;
}

static uint64_t next_size(uint64_t size)
{
    return size + 1 + size / 7;
}

static void case_blocks_of_all_sizes_are_aligned_and_apart(void)
{
    _Atomic uint64_t *owned[200];
    uint64_t sizes[200];
    uint64_t size = 0;
    int count = 0;
    int i;

    for (; size < 2000000; size = next_size(size), count++) {
        uint64_t block;
        CHECK_OK(resource_take(size, 0, &owned[count]));
        block = atomic_load(owned[count]);
        CHECK_EQ(block % BLOCK_ALIGNMENT, 0);
        CHECK(block_size(block) >= size);
        CHECK(block_size(block) <= size + size / 4 + 64);
        sizes[count] = size;
        fill(block, size, count);
    }
    for (i = 0; i < count; i++) CHECK(is_filled(atomic_load(owned[i]), sizes[i], i));
    CHECK(block_count().sound);
    for (i = 0; i < count; i++) resource_release(owned[i]);
    CHECK(block_count().sound);
}

static void case_given_blocks_are_taken_again(void)
{
    _Atomic uint64_t *owned = NULL;
    struct block_census before;
    struct block_census after;
    uint64_t block;
    int i;

    CHECK_OK(resource_take(5000, 0, &owned));
    block = atomic_load(owned);
    resource_release(owned);
    before = block_count();
    for (i = 0; i < 100; i++) {
        CHECK_OK(resource_take(5000, 0, &owned));
        CHECK_EQ(atomic_load(owned), block);
        resource_release(owned);
        CHECK_EQ(atomic_load(owned), 0);
    }
    after = block_count();
    CHECK_EQ(after.cut, before.cut);
    CHECK_EQ(after.free, before.free);
    CHECK_EQ(after.bytes_used, before.bytes_used);
}

static void case_cleared_bytes_are_zero_whatever_was_there(void)
{
    _Atomic uint64_t *owned = NULL;

    CHECK_OK(resource_take(3000, 3000, &owned));
    CHECK(is_filled(atomic_load(owned), 3000, 0));
    fill(atomic_load(owned), 3000, 0xEE);
    resource_release(owned);
    CHECK_OK(resource_take(3000, 1000, &owned));
    CHECK(is_filled(atomic_load(owned), 1000, 0));
    CHECK(is_filled(atomic_load(owned) + 1000, 2000, 0xEE));
    resource_release(owned);
}

static void case_too_large_a_block_is_refused(void)
{
    struct block_census before = block_count();
    _Atomic uint64_t *owned = NULL;

    CHECK_SAYS(resource_take(UINT64_MAX, 0, &owned), MPROC_NO_MEMORY, "18446744073709551615 bytes");
    CHECK_SAYS(resource_take(UINT64_MAX / 2, 0, &owned), MPROC_NO_MEMORY, "all that the family can share");
    CHECK_SAYS(resource_take(arena_header->reserve, 0, &owned), MPROC_NO_MEMORY, "can share");
    CHECK(owned == NULL);
    CHECK_EQ(block_count().cut, before.cut);
    CHECK_OK(resource_take(10, 0, &owned));
    resource_release(owned);
    resource_release(NULL);
}

static void case_empty_slot_can_be_released(void)
{
    _Atomic uint64_t *owned = NULL;

    CHECK_OK(resource_take(10, 0, &owned));
    block_give(work_intent(), owned, 0);
    CHECK_EQ(atomic_load(owned), 0);
    block_give(work_intent(), owned, 0);
    resource_release(owned);
    CHECK(block_count().sound);
}

/* More owned slots than a table has; given back in another order. */
static void case_many_blocks_are_taken_and_released(void)
{
    static _Atomic uint64_t *owned[SLOTS];
    struct block_census before;
    int round;
    int i;

    for (round = 0; round < 2; round++) {
        if (round == 1) before = block_count();
        for (i = 0; i < SLOTS; i++) {
            CHECK_OK(resource_take(40, 8, &owned[i]));
            *(int64_t *)arena_at(atomic_load(owned[i])) = i;
        }
        for (i = 0; i < SLOTS; i++) CHECK_EQ(*(int64_t *)arena_at(atomic_load(owned[i])), i);
        for (i = 0; i < SLOTS; i++) resource_release(owned[i * 11 % SLOTS]);
    }
    CHECK_EQ(block_count().bytes_used, before.bytes_used);
    CHECK_EQ(block_count().cut, before.cut);
    CHECK(block_count().sound);
}

/* ---- where there is no memory ----------------------------------------------------------------- */

/* As if all addresses were in use. */
static void case_a_larger_block_serves_where_no_new_one_fits(void)
{
    struct heap *heap = &arena_header->heap;
    uint64_t bottom = atomic_load(&heap->bottom);
    _Atomic uint64_t *owned = NULL;
    _Atomic uint64_t *none = NULL;

    CHECK_OK(resource_take(20000, 0, &owned));
    resource_release(owned);
    atomic_store(&heap->bottom, atomic_load(&heap->top));
    CHECK_OK(resource_take(9000, 9000, &owned));
    CHECK(block_size(atomic_load(owned)) >= 20000);
    CHECK(is_filled(atomic_load(owned), 9000, 0));
    CHECK_SAYS(resource_take(9000, 0, &none), MPROC_NO_MEMORY, "in one piece");
    CHECK_SAYS(resource_take(90000, 0, &none), MPROC_NO_MEMORY, "in one piece");
    atomic_store(&heap->bottom, bottom);
    CHECK_OK(resource_take(9000, 0, &none));
    resource_release(none);
    resource_release(owned);
    CHECK(block_count().sound);
}

/*
 * Recovery reads the chain of tables while one is on its way, and what hangs on one must not be lost with it. Here no
 * small block can be cut any more, but there is room for large ones.
 */
static void case_table_of_owned_slots_is_never_a_large_block(void)
{
    struct heap *heap = &arena_header->heap;
    uint64_t top = atomic_load(&heap->top), table = atomic_load(&process_slot_at(thread_self.process)->owned);
    static _Atomic uint64_t *owned[4 * SLOTS];
    int count = 0, i;

    atomic_store(&heap->top, atomic_load(&heap->bottom));
    while (count < 4 * SLOTS && resource_take(20, 0, &owned[count]) == MPROC_OK) count++;
    CHECK(count < 4 * SLOTS);
    for (; table; table = *(const uint64_t *)arena_at(table))
        CHECK(block_header_of(table)->class_index < HEAP_CLASSES);
    atomic_store(&heap->top, top);
    for (i = 0; i < count; i++) resource_release(owned[i]);
    CHECK(block_count().sound);
}

/* ---- large blocks ----------------------------------------------------------------------------- */

static void check_clear(uint64_t size)
{
    _Atomic uint64_t *owned = NULL;

    CHECK_OK(resource_take(size, size, &owned));
    CHECK(is_filled(atomic_load(owned), size, 0));
    fill(atomic_load(owned), size, 0xEE);
    resource_release(owned);
}

/* With memory that was kept, and with memory that was given back. */
static void case_large_blocks_are_clear_whatever_was_there(void)
{
    _Atomic uint64_t *warm_bytes_max = &arena_header->heap.warm_bytes_max;
    int round;

    for (round = 0; round < 3; round++) check_clear(100000);
    atomic_store(warm_bytes_max, 0);
    for (round = 0; round < 3; round++) check_clear(100000);
    CHECK_EQ(block_count().bytes_warm, 0);
    CHECK(block_count().sound);
}

/* How many bytes of addresses large blocks take, in use or not. */
static uint64_t large_addresses(void)
{
    return arena_header->ranges[ARENA_HEAP].limit - atomic_load(&arena_header->heap.bottom);
}

static void case_one_block_that_grows_leaves_little_behind(void)
{
    uint64_t most = atomic_load(&arena_header->heap.warm_bytes_max), size = 1000000;
    _Atomic uint64_t *owned = NULL;

    for (; size < most + most / 2; size += size / 2) {
        CHECK_OK(resource_take(size, 0, &owned));
        resource_release(owned);
        CHECK(block_count().bytes_warm <= most);
    }
    CHECK(large_addresses() <= 2 * size);
    CHECK(block_count().sound);
}

static void case_ten_thousand_sizes_share_the_addresses(void)
{
    enum { AT_ONCE = 20, SIZES = 10000 };
    _Atomic uint64_t *blocks[AT_ONCE] = {NULL};
    uint32_t seed = 1;
    int i;

    atomic_store(&arena_header->heap.warm_bytes_max, 1000000);
    for (i = 0; i < SIZES; i++) {
        _Atomic uint64_t **owned = &blocks[(seed >> 16) % AT_ONCE];
        resource_release(*owned);
        CHECK_OK(resource_take(33000 + (uint64_t)(i * 7919 % SIZES) * 20, 0, owned));
        seed = seed * 1664525u + 1013904223u;
    }
    CHECK(large_addresses() <= (uint64_t)2 * AT_ONCE * (33000 + SIZES * 20) + 1000000);
    for (i = 0; i < AT_ONCE; i++) resource_release(blocks[i]);
    CHECK(block_count().sound);
    atomic_store(&arena_header->heap.warm_bytes_max, 0);
    check_clear(33000);
    CHECK_EQ(large_addresses(), 0);
}

/* Whoever comes with an old reference finds nothing, also where another block lies at the same place. */
static void case_a_large_block_that_was_given_is_no_object(void)
{
    _Atomic uint64_t *owned = NULL;
    uint64_t block;

    CHECK_OK(resource_take(50000, 0, &owned));
    block = atomic_load(owned);
    CHECK_EQ(block_kind(block), atomic_load(&block_header_of(block)->kind));
    atomic_store(&block_header_of(block)->kind, block_kind(block) | 77);
    block_give(work_intent(), owned, 0);
    resource_release(owned);
    CHECK_EQ(block_kind(block), 0);
    CHECK_OK(resource_take(50000, 0, &owned));
    CHECK_EQ(atomic_load(owned), block);
    CHECK_EQ(block_kind(block) & 0xFF, 0);
    resource_release(owned);
}

/* ---- many at once ----------------------------------------------------------------------------- */

/* Some are large. */
static uint64_t random_size(uint32_t seed)
{
    return 100 + (seed >> 10) % 3000 * (seed % 64 == 0 ? 40 : 1);
}

static void take_and_give(uint32_t seed)
{
    _Atomic uint64_t *owned[16] = {NULL};
    int bytes[16] = {0};
    int i;

    for (i = 0; i < ROUNDS; i++) {
        uint32_t place;
        seed = seed * 1664525u + 1013904223u;
        place = seed >> 28;
        if (owned[place] != NULL) {
            CHECK(is_filled(atomic_load(owned[place]), 100, bytes[place]));
            resource_release(owned[place]);
            owned[place] = NULL;
        } else {
            CHECK_OK(resource_take(random_size(seed), 0, &owned[place]));
            bytes[place] = (int)(seed >> 20 & 0xFF);
            fill(atomic_load(owned[place]), 100, bytes[place]);
        }
    }
    for (i = 0; i < 16; i++) resource_release(owned[i]);
}

static void take_and_give_in_a_thread(void *seed)
{
    CHECK(mproc_current_process() != NULL);
    take_and_give(*(uint32_t *)seed);
}

enum { ROUND = 500 };

static void give_all(void *owned)
{
    _Atomic uint64_t **all = owned;
    int i;

    CHECK(mproc_current_process() != NULL);
    for (i = 0; i < ROUND; i++) resource_release(all[i]);
}

/* One takes, others give: what lies in their banks is found there. */
static void case_blocks_that_others_give_are_taken_again(void)
{
    static _Atomic uint64_t *owned[ROUND];
    uint64_t cut = 0;
    int round, i;

    for (round = 0; round < 20; round++) {
        plat_thread *thread;
        for (i = 0; i < ROUND; i++) CHECK_OK(resource_take(1000, 0, &owned[i]));
        CHECK_OK(plat_thread_start(give_all, owned, &thread));
        plat_thread_join(thread);
        if (round == 1) cut = block_count().cut;
    }
    CHECK_EQ(block_count().cut, cut);
    CHECK(block_count().sound);
}

static void case_threads_take_and_give_at_once(void)
{
    plat_thread *threads[THREADS];
    uint32_t seeds[THREADS];
    uint64_t used;
    uint32_t i;

    take_and_give(99);
    used = block_count().bytes_used;
    for (i = 0; i < THREADS; i++) {
        seeds[i] = i;
        CHECK_OK(plat_thread_start(take_and_give_in_a_thread, &seeds[i], &threads[i]));
    }
    for (i = 0; i < THREADS; i++) plat_thread_join(threads[i]);
    CHECK(block_count().sound);
    /* The table of owned slots may have grown by one for the threads; everything else was given back. */
    CHECK(block_count().bytes_used <= used + 2 * 640);
}

static mproc_status takes_and_gives(mproc_call *call)
{
    int64_t seed = 0;

    fixture_unpack(call, &seed);
    take_and_give((uint32_t)seed);
    return MPROC_OK;
}

static void case_processes_take_and_give_at_once(void)
{
    uint64_t used = block_count().bytes_used;
    mproc_process *processes[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) processes[i] = fixture_start(takes_and_gives, NULL, i, NULL);
    for (i = 0; i < THREADS; i++) CHECK_EXITED(processes[i], 0);
    CHECK(block_count().sound);
    CHECK_EQ(block_count().bytes_used, used);
}

CHECK_SUITE_SETUP(arena_block, fixture_setup,
    CASE(blocks_of_all_sizes_are_aligned_and_apart),
    CASE(given_blocks_are_taken_again),
    CASE(cleared_bytes_are_zero_whatever_was_there),
    CASE(too_large_a_block_is_refused),
    CASE(empty_slot_can_be_released),
    CASE(many_blocks_are_taken_and_released),
    CASE(a_larger_block_serves_where_no_new_one_fits),
    CASE(table_of_owned_slots_is_never_a_large_block),
    CASE(large_blocks_are_clear_whatever_was_there),
    CASE(one_block_that_grows_leaves_little_behind),
    CASE(ten_thousand_sizes_share_the_addresses),
    CASE(a_large_block_that_was_given_is_no_object),
    CASE(blocks_that_others_give_are_taken_again),
    CASE(threads_take_and_give_at_once),
    CASE(processes_take_and_give_at_once),
);
