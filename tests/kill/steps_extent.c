/*
 * Extents, of large blocks. Promised: what the dead had is free, neighbours that are free are merged, and no more is
 * kept warm than may be.
 */
#include "test_family.h"
#include "steps.h"
#include "steps_block.h"

#include "arena/block.h"
#include "object/resource_owner.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 200
/* A large block, with what stands before it: some pages. */
#define SIZE_EXTENT ((uint64_t)10 * 4096)

/* ---- states of the heap --------------------------------------------------------------------------- */

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

static void take_extent(_Atomic uint64_t *owned)
{
    uint64_t size = SIZE_EXTENT - sizeof(struct block_header);

    block_steps_take(size, owned);
    memset(arena_at(atomic_load(owned)), 0xEE, (size_t)size);
}

static void take_one_extent(void *state)
{
    (void)state;
    block_steps_take(SIZE_EXTENT - sizeof(struct block_header), block_steps_slot());
}

static void enter_with_extent(void *state)
{
    test_family_enter_victim(state);
    take_extent(block_steps_slot());
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
    atomic_store(block_steps_slot(), atomic_load(owned));
    atomic_store(owned, 0);
}

static void enter_with_warm(void *state)
{
    enter_with_extent(state);
    block_give(test_family_intent(), block_steps_slot(), 0);
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

/* ---- the promise ------------------------------------------------------------------------------------- */

/* All that the dead had is free: with nothing kept warm, the heap's large end is as it was at first. */
static const char *check_extents(void *state, bool completed)
{
    const struct heap *heap = &arena_header->heap;
    const char *wrong = test_family_check(state, completed);
    uint64_t most = atomic_load(&heap->warm_bytes_max);

    if (wrong == NULL) wrong = block_steps_check(SIZE);
    if (wrong == NULL) wrong = block_steps_check(SIZE_EXTENT - sizeof(struct block_header));
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

#define COMMON_EXTENTS \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = end_extents

static const step_scenario scenarios[] = {
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
     .operation = block_steps_give,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.give_too_warm",
     .outside = true,
     .setup = begin_keeping_two,
     .enter = enter_with_two_warm,
     .operation = block_steps_give,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.give_cold",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = enter_between_used,
     .operation = block_steps_give,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.give_between_cold",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = enter_between_cold,
     .operation = block_steps_give,
     .check = check_extents,
     COMMON_EXTENTS},
    {.name = "extent.give_lowest",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = enter_lowest,
     .operation = block_steps_give,
     .check = check_extents,
     COMMON_EXTENTS},
};

const steps_table steps_extent = STEPS_TABLE(scenarios);
