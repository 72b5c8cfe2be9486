/*
 * The arena's heap, as arrays use it: many of any size, made and freed in any order, by one or
 * by threads of several processes at once.
 */
#include "sync/peers.h"

#include "arena/block.h"

enum { PLACES = 100, ROUNDS = 5000 };

/* One of the arrays that somebody has at the moment. `mark` is what all its bytes are. */
typedef struct holding {
    mproc_shared_array *array;
    unsigned char mark;
} holding;

static uint32_t random_number(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* As often small as large: below 2 to the power of 1, 2, 3, ... 17; so sometimes nothing. */
static size_t random_size(uint32_t *seed)
{
    uint32_t power = 1 + random_number(seed) % 17;

    return random_number(seed) % ((uint32_t)1 << power);
}

static void make(holding *place, uint32_t *seed)
{
    mproc_shared_options raw = {.raw = true};
    size_t size = random_size(seed);

    place->mark = (unsigned char)random_number(seed);
    CHECK_OK(mproc_shared_array_create(1, size, NULL, random_number(seed) % 2 ? &raw : NULL, &place->array));
    memset(mproc_shared_array_data(place->array), place->mark, size);
}

/* Whoever has been given the same memory has left another mark in it. */
static void drop(holding *place)
{
    const unsigned char *bytes = mproc_shared_array_data(place->array);
    size_t count = mproc_shared_array_count(place->array), i;

    for (i = 0; i < count; i++)
        if (bytes[i] != place->mark) check_fail(__FILE__, __LINE__, "byte %zu of %zu is another's", i, count);
    mproc_shared_array_free(place->array);
    place->array = NULL;
}

static void drop_all(holding *places)
{
    int i;

    for (i = 0; i < PLACES; i++)
        if (places[i].array != NULL) drop(&places[i]);
}

static void change_one(holding *places, uint32_t *seed)
{
    holding *place = &places[random_number(seed) % PLACES];

    if (place->array != NULL) drop(place);
    else make(place, seed);
}

/* The owned slots that a process needs for so many stay with it. */
static void make_all_once(int count)
{
    static holding places[8 * PLACES];
    uint32_t seed = 1;
    int i;

    CHECK(count <= 8 * PLACES);
    for (i = 0; i < count; i++) make(&places[i], &seed);
    for (i = 0; i < count; i++) drop(&places[i]);
}

static uint64_t blocks_of(const holding *places)
{
    uint64_t count = 0;
    int i;

    for (i = 0; i < PLACES; i++) {
        if (places[i].array == NULL) continue;
        count += mproc_shared_array_acquire(places[i].array, 0) == MPROC_OK ? 2 : 1; /* one of them is a lock */
        mproc_shared_array_release(places[i].array);
    }
    return count;
}

static void case_census_of_random_arrays_is_exact(void)
{
    static holding places[PLACES];
    uint32_t seed = 2026;
    uint64_t blocks;
    int i;

    make_all_once(PLACES);
    blocks = peers_blocks();
    for (i = 1; i <= ROUNDS; i++) {
        change_one(places, &seed);
        if (i % 250 != 0) continue;
        CHECK(block_count().sound);
        CHECK_EQ(peers_blocks(), blocks + blocks_of(places));
    }
    drop_all(places);
    CHECK(block_count().sound);
    CHECK_EQ(peers_blocks(), blocks);
}

static void case_freed_memory_is_used_again(void)
{
    static holding places[PLACES];
    uint64_t blocks, committed = 0;
    uint32_t seed;
    int round, i;

    make_all_once(PLACES);
    blocks = peers_blocks();
    for (round = 0; round < 3; round++) {
        seed = 5; /* the same sizes each time */
        for (i = 0; i < ROUNDS / 5; i++) change_one(places, &seed);
        drop_all(places);
        if (round == 0) committed = peers_committed();
        CHECK_EQ(peers_committed(), committed);
        CHECK_EQ(peers_blocks(), blocks);
    }
}

static void changes_at_random(peer *self)
{
    holding places[PLACES] = {{NULL, 0}};
    uint32_t seed = (uint32_t)self->number;
    int i;

    for (i = 0; i < ROUNDS / 5; i++) change_one(places, &seed);
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    drop_all(places);
}

static void change_by_many(bool killed)
{
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    crowd.threads = 2;
    crowd_add(&crowd, 3, changes_at_random, NULL);
    board_await(&crowd.board->ready, 6);
    for (i = 0; killed && i < 3; i++) crowd_kill(&crowd, i);
    atomic_store(&crowd.board->go, 1);
    crowd_fini(&crowd);
}

static void case_arrays_of_many_at_once_do_not_overlap(void)
{
    uint64_t blocks;

    make_all_once(6 * PLACES);
    blocks = peers_blocks();
    change_by_many(false);
    peers_await_blocks(blocks);
}

static void case_arrays_of_the_killed_come_back(void)
{
    uint64_t blocks = peers_blocks();

    change_by_many(true);
    peers_await_blocks(blocks);
}

/* Killed at any moment, also while it takes memory or gives it back. */
static void changes_without_end(peer *self)
{
    holding places[PLACES] = {{NULL, 0}};
    uint32_t seed = (uint32_t)self->number;

    for (;;) {
        change_one(places, &seed);
        atomic_fetch_add(&self->board->count, 1);
    }
}

static void case_heap_survives_those_who_are_killed_in_it(void)
{
    uint64_t blocks = peers_blocks();
    peer_crowd crowd;
    uint32_t i;

    crowd_init(&crowd);
    crowd.threads = 2;
    for (i = 0; i < 20; i++) {
        crowd_add(&crowd, 1, changes_without_end, NULL);
        board_await(&crowd.board->count, (i + 1) * 97);
        crowd_kill(&crowd, (int)i);
    }
    crowd_fini(&crowd);
    peers_await_blocks(blocks);
    make_all_once(8);
}

/* The last handle of its lock goes with the array: what is freed frees more. */
static void case_free_within_a_free_comes_to_its_end(void)
{
    mproc_shared_array *array = NULL;
    mproc_rlock *rlock = NULL;
    uint64_t blocks = peers_blocks();
    int i;

    for (i = 0; i < 1000; i++) {
        CHECK_OK(mproc_rlock_create(NULL, &rlock));
        CHECK_OK(mproc_shared_array_create(1, (size_t)i, NULL, &(mproc_shared_options){.rlock = rlock}, &array));
        mproc_rlock_free(rlock);
        mproc_shared_array_free(array);
    }
    CHECK_EQ(peers_blocks(), blocks);
    CHECK(block_count().sound);
}

CHECK_SUITE_SETUP(shared_heap, peers_of_processes,
    CASE(census_of_random_arrays_is_exact),
    CASE(freed_memory_is_used_again),
    CASE(arrays_of_many_at_once_do_not_overlap),
    CASE(arrays_of_the_killed_come_back),
    CASE(heap_survives_those_who_are_killed_in_it),
    CASE(free_within_a_free_comes_to_its_end),
);
