/*
 * Blocks. Promised: each block is on its list or in one owned slot, whoever is killed; the heap stays walkable and
 * everybody can go on taking and giving.
 */
#include "test_family.h"
#include "steps.h"

#include "arena/block.h"
#include "object/resource_owner.h"
#include "arena/lock.h"
#include "arena/size_class.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 200
/* More than a page, so that a block cut beyond what is committed needs more of it. */
#define SIZE_LARGE 6000
/* A large block, with what stands before it: some pages. */
#define SIZE_EXTENT ((uint64_t)10 * 4096)
/* More than one table of owned slots. */
#define MANY 70

/* An owned slot of the process itself: where its spawn data hangs, which is given back when its slot is freed. */
static _Atomic uint64_t *own_slot(void)
{
    return &process_slot_at(thread_self.process)->spawn_data;
}

static void take(uint64_t size, _Atomic uint64_t *owned)
{
    if (block_take(test_family_intent(), size, size, owned) != MPROC_OK) abort();
}

/* ---- states of the heap --------------------------------------------------------------------------- */

/* Whether a small block of this size is free, in any bank. */
static bool any_free(uint64_t size)
{
    uint32_t class_index = size_class_of(size + sizeof(struct block_header)), i;

    for (i = 0; i < HEAP_BANKS; i++)
        if (atomic_load(&arena_header->heap.banks[i].heads[class_index]) != 0) return true;
    return false;
}

/* The root takes what is free, and keeps it, so that the next block has to be cut. */
static void drain(uint64_t size)
{
    _Atomic uint64_t *owned;

    while (any_free(size))
        if (resource_take(size, 0, &owned) != MPROC_OK) abort();
}

static void begin_drained(void *state)
{
    drain(SIZE);
    test_family_begin(state);
}

/* Says that no memory is committed above the top; committing it again is harmless. */
static void begin_uncommitted(void *state)
{
    uint64_t page = arena_header->page, top;

    drain(SIZE_LARGE);
    top = atomic_load(&arena_header->heap.top);
    atomic_store(&arena_header->ranges[ARENA_HEAP].committed, (top + page - 1) / page * page);
    test_family_begin(state);
}

/* In the root's bank, and no other. */
static void begin_with_free(void *state)
{
    drain(SIZE);
    take(SIZE, &test_family_objects->owned);
    take(SIZE, own_slot());
    block_give(test_family_intent(), &test_family_objects->owned, 0);
    block_give(test_family_intent(), own_slot(), 0);
    test_family_begin(state);
}

/* The victim finds none in its own bank, and waits for the root's. */
static void begin_locked(void *state)
{
    uint32_t bank = thread_self.index + thread_self.index / HEAP_BANKS;

    begin_with_free(state);
    lock_acquire(test_family_intent(), &arena_header->heap.banks[bank % HEAP_BANKS].lock);
}

static void unlock(void *state)
{
    arena_lock *lock = arena_at(atomic_load(&test_family_intent()->lock));

    (void)state;
    lock_release(test_family_intent(), lock);
}

/* Entries of the table of extents that are in no use: several, so that each names another. */
static void make_spares(void)
{
    _Atomic uint64_t *owned[8];
    int i;

    atomic_store(&arena_header->heap.warm_bytes_max, 0);
    for (i = 0; i < 8; i++)
        if (resource_take(SIZE_EXTENT, 0, &owned[i]) != MPROC_OK) abort();
    for (i = 0; i < 8; i++) resource_release(owned[i]);
}

/* Of large blocks, up to so many bytes keep their memory when they are free. */
static void begin_warm(void *state, uint64_t bytes_max)
{
    static bool made;

    if (!made) make_spares();
    made = true;
    atomic_store(&arena_header->heap.warm_bytes_max, bytes_max);
    test_family_begin(state);
}

static void begin_keeping_all(void *state)
{
    begin_warm(state, 64 * SIZE_EXTENT);
}

static void begin_keeping_two(void *state)
{
    begin_warm(state, 3 * SIZE_EXTENT - 1);
}

static void begin_keeping_none(void *state)
{
    begin_warm(state, 0);
}

/* ---- what the victim does --------------------------------------------------------------------------- */

static void take_one(void *state)
{
    (void)state;
    take(SIZE, own_slot());
}

static void take_large(void *state)
{
    (void)state;
    take(SIZE_LARGE, own_slot());
}

static void enter_with_block(void *state)
{
    test_family_enter_victim(state);
    take(SIZE, own_slot());
}

static void give_one(void *state)
{
    (void)state;
    block_give(test_family_intent(), own_slot(), 0);
}

/* It is taken from the victim's own bank. */
static void enter_with_own(void *state)
{
    enter_with_block(state);
    block_give(test_family_intent(), own_slot(), 0);
}

static void take_extent(_Atomic uint64_t *owned)
{
    uint64_t size = SIZE_EXTENT - sizeof(struct block_header);

    take(size, owned);
    memset(arena_at(atomic_load(owned)), 0xEE, (size_t)size);
}

static void take_one_extent(void *state)
{
    (void)state;
    take(SIZE_EXTENT - sizeof(struct block_header), own_slot());
}

static void enter_with_extent(void *state)
{
    test_family_enter_victim(state);
    take_extent(own_slot());
}

/* The victim's own owned slots, for what makes the heap as it is meant to be. */
static void enter_with_extents(void *state, _Atomic uint64_t **owned, int count)
{
    int i;

    test_family_enter_victim(state);
    for (i = 0; i < count; i++) {
        if (resource_take(SIZE, 0, &owned[i]) != MPROC_OK) abort();
        block_give(test_family_intent(), owned[i], 0);
        take_extent(owned[i]);
    }
}

static void move_to_own(_Atomic uint64_t *owned)
{
    atomic_store(own_slot(), atomic_load(owned));
    atomic_store(owned, 0);
}

static void enter_with_warm(void *state)
{
    enter_with_extent(state);
    block_give(test_family_intent(), own_slot(), 0);
}

/* Three are free, which is more than fit, when the victim's own is. */
static void enter_with_two_warm(void *state)
{
    _Atomic uint64_t *owned[3];

    enter_with_extents(state, owned, 3);
    move_to_own(owned[0]);
    block_give(test_family_intent(), owned[2], 0);
    block_give(test_family_intent(), owned[1], 0);
}

/* Each has a neighbour below that is in use, and the first, the highest, one above. */
static void enter_between_used(void *state)
{
    _Atomic uint64_t *owned[3];

    enter_with_extents(state, owned, 3);
    move_to_own(owned[1]);
}

static void enter_between_cold(void *state)
{
    _Atomic uint64_t *owned[4];

    enter_with_extents(state, owned, 4);
    move_to_own(owned[1]);
    block_give(test_family_intent(), owned[0], 0);
    block_give(test_family_intent(), owned[2], 0);
}

/* Below it is nothing but the heap's free addresses. */
static void enter_lowest(void *state)
{
    _Atomic uint64_t *owned[2];

    enter_with_extents(state, owned, 2);
    move_to_own(owned[1]);
    block_give(test_family_intent(), owned[0], 0);
}

/* A hole of one, of two. */
static void enter_with_hole(void *state)
{
    _Atomic uint64_t *owned[3];

    enter_with_extents(state, owned, 3);
    block_give(test_family_intent(), owned[1], 0);
}

static void enter_with_wide_hole(void *state)
{
    _Atomic uint64_t *owned[4];

    enter_with_extents(state, owned, 4);
    block_give(test_family_intent(), owned[1], 0);
    block_give(test_family_intent(), owned[2], 0);
}

static _Atomic uint64_t *first_slot;

static void enter_with_slot(void *state)
{
    test_family_enter_victim(state);
    if (resource_take(SIZE, SIZE, &first_slot) != MPROC_OK) abort();
}

static void resource_take_one(void *state)
{
    _Atomic uint64_t *owned;

    (void)state;
    if (resource_take(SIZE, SIZE, &owned) != MPROC_OK) abort();
}

static void resource_release_one(void *state)
{
    (void)state;
    resource_release(first_slot);
}

static void enter_with_many(void *state)
{
    int i;

    test_family_enter_victim(state);
    for (i = 0; i < MANY; i++) resource_take_one(state);
}

static void nothing(void *state)
{
    (void)state;
}

/* ---- the promise ------------------------------------------------------------------------------------- */

/* Another takes one, finds it clear, and gives it back. */
static const char *check_takes(uint64_t size)
{
    const unsigned char *bytes;
    uint64_t i;

    take(size, &test_family_objects->owned);
    bytes = arena_at(atomic_load(&test_family_objects->owned));
    for (i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return step_says("byte %llu of a block that should be clear is %d", (unsigned long long)i, bytes[i]);
    }
    block_give(test_family_intent(), &test_family_objects->owned, 0);
    return NULL;
}

static const char *check(void *state, bool completed)
{
    const char *wrong = test_family_check(state, completed);

    if (wrong == NULL) wrong = check_takes(SIZE);
    return wrong != NULL ? wrong : test_family_check(state, completed);
}

/* All that the dead had is free: with nothing kept warm, the heap's large end is as it was at first. */
static const char *check_extents(void *state, bool completed)
{
    const struct heap *heap = &arena_header->heap;
    const char *wrong = check(state, completed);
    uint64_t most = atomic_load(&heap->warm_bytes_max);

    if (wrong == NULL) wrong = check_takes(SIZE_EXTENT - sizeof(struct block_header));
    if (wrong == NULL) wrong = test_family_check(state, completed);
    if (wrong != NULL) return wrong;
    if (atomic_load(&heap->warm_bytes) > most) return step_says("too many bytes are kept warm");
    if (most == 0 && atomic_load(&heap->lowest) != 0) return step_says("free addresses are not merged");
    return NULL;
}

/* The next trial begins with no extents. */
static void end_extents(void *state)
{
    test_family_end(state);
    atomic_store(&arena_header->heap.warm_bytes_max, 0);
    take_extent(&test_family_objects->owned);
    block_give(test_family_intent(), &test_family_objects->owned, 0);
}

static const char *check_locked(void *state, bool completed)
{
    if (atomic_load(&test_family_intent()->lock) != 0) unlock(state);
    return check(state, completed);
}

#define COMMON_BUT_END .recover_enter = test_family_enter_recoverer, .recover = test_family_recover
#define COMMON COMMON_BUT_END, .teardown = test_family_end
#define COMMON_EXTENTS COMMON_BUT_END, .teardown = end_extents

static const step_scenario scenarios[] = {
    {.name = "block.take_fresh",
     .setup = begin_drained,
     .enter = test_family_enter_victim,
     .operation = take_one,
     .check = check,
     COMMON},
    {.name = "block.take_uncommitted",
     .slow = true, /* the way to memory is long, and the rest is as in the others */
     .setup = begin_uncommitted,
     .enter = test_family_enter_victim,
     .operation = take_large,
     .check = check,
     COMMON},
    {.name = "block.take_free",
     .setup = test_family_begin,
     .enter = enter_with_own,
     .operation = take_one,
     .check = check,
     COMMON},
    {.name = "block.take_of_another_bank",
     .setup = begin_with_free,
     .enter = test_family_enter_victim,
     .operation = take_one,
     .check = check,
     COMMON},
    {.name = "block.take_contended",
     .slow = true, /* its spins make the path long */
     .setup = begin_locked,
     .enter = test_family_enter_victim,
     .operation = take_one,
     .release = unlock,
     .check = check_locked,
     COMMON},
    {.name = "block.give",
     .setup = begin_with_free,
     .enter = enter_with_block,
     .operation = give_one,
     .check = check,
     COMMON},
    {.name = "block.resource_take",
     .setup = test_family_begin,
     .enter = enter_with_slot,
     .operation = resource_take_one,
     .check = check,
     COMMON},
    {.name = "block.resource_take_first",
     .setup = test_family_begin,
     .enter = test_family_enter_victim,
     .operation = resource_take_one,
     .check = check,
     COMMON},
    {.name = "block.resource_release",
     .setup = test_family_begin,
     .enter = enter_with_slot,
     .operation = resource_release_one,
     .check = check,
     COMMON},
    {.name = "block.owner_of_many",
     .setup = test_family_begin,
     .enter = enter_with_many,
     .operation = nothing,
     .check = check,
     COMMON},
    {.name = "extent.take_fresh",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = test_family_enter_victim,
     .operation = take_one_extent,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.take_hole",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = enter_with_hole,
     .operation = take_one_extent,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.take_part",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = enter_with_wide_hole,
     .operation = take_one_extent,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.take_warm",
     .outside = true,
     .setup = begin_keeping_all,
     .enter = enter_with_warm,
     .operation = take_one_extent,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.give_warm",
     .outside = true,
     .setup = begin_keeping_all,
     .enter = enter_with_extent,
     .operation = give_one,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.give_too_warm",
     .outside = true,
     .setup = begin_keeping_two,
     .enter = enter_with_two_warm,
     .operation = give_one,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.give_cold",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = enter_between_used,
     .operation = give_one,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.give_between_cold",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = enter_between_cold,
     .operation = give_one,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.give_lowest",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = enter_lowest,
     .operation = give_one,
     .check = check_extents,
     COMMON_EXTENTS},
};

const steps_table steps_block = STEPS_TABLE(scenarios);
