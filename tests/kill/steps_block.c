/*
 * Blocks. Promised: each block is on its list or in one cell, whoever is killed; the heap stays walkable and
 * everybody can go on taking and giving.
 */
#include "clan.h"
#include "steps.h"

#include "arena/block.h"
#include "object/cells.h"
#include "arena/lock.h"
#include "arena/size_class.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 200
/* More than a page, so that a block cut beyond what is committed needs more of it. */
#define SIZE_LARGE 6000
/* A large block, with what stands before it: some pages. */
#define SIZE_EXTENT ((uint64_t)10 * 4096)
/* More than one table of cells. */
#define MANY 70

/* A cell of the process itself: where its letter hangs, which is given back when its slot is freed. */
static _Atomic uint64_t *own_cell(void)
{
    return &process_slot_at(thread_self.process)->letter;
}

static void take(uint64_t size, _Atomic uint64_t *cell)
{
    if (block_take(clan_intent(), size, size, cell) != MPROC_OK) abort();
}

/* ---- states of the heap --------------------------------------------------------------------------- */

/* Whether a small block of this size is free, in any bank. */
static bool any_free(uint64_t size)
{
    uint32_t class_index = size_class_of(size + sizeof(struct block_header)), i;

    for (i = 0; i < HEAP_BANKS; i++)
        if (atomic_load(&arena_header()->heap.banks[i].heads[class_index]) != 0) return true;
    return false;
}

/* The root takes what is free, and keeps it, so that the next block has to be cut. */
static void drain(uint64_t size)
{
    _Atomic uint64_t *cell;

    while (any_free(size))
        if (cells_take(size, 0, &cell) != MPROC_OK) abort();
}

static void begin_drained(void *state)
{
    drain(SIZE);
    clan_begin(state);
}

/* Says that no memory is committed above the top; committing it again is harmless. */
static void begin_uncommitted(void *state)
{
    uint64_t page = arena_header()->page, top;

    drain(SIZE_LARGE);
    top = atomic_load(&arena_header()->heap.top);
    atomic_store(&arena_header()->ranges[ARENA_HEAP].committed, (top + page - 1) / page * page);
    clan_begin(state);
}

/* In the root's bank, and no other. */
static void begin_with_free(void *state)
{
    drain(SIZE);
    take(SIZE, &clan_objects->cell);
    take(SIZE, own_cell());
    block_give(clan_intent(), &clan_objects->cell);
    block_give(clan_intent(), own_cell());
    clan_begin(state);
}

/* The victim finds none in its own bank, and waits for the root's. */
static void begin_locked(void *state)
{
    uint32_t bank = thread_self.index + thread_self.index / HEAP_BANKS;

    begin_with_free(state);
    lock_acquire(clan_intent(), &arena_header()->heap.banks[bank % HEAP_BANKS].lock);
}

static void unlock(void *state)
{
    arena_lock *lock = arena_at(atomic_load(&clan_intent()->lock));

    (void)state;
    lock_release(clan_intent(), lock);
}

/* Entries of the table of extents that are in no use: several, so that each names another. */
static void make_spares(void)
{
    _Atomic uint64_t *cells[8];
    int i;

    atomic_store(&arena_header()->heap.warm_bytes_max, 0);
    for (i = 0; i < 8; i++)
        if (cells_take(SIZE_EXTENT, 0, &cells[i]) != MPROC_OK) abort();
    for (i = 0; i < 8; i++) cells_give(cells[i]);
}

/* Of large blocks, up to so many bytes keep their memory when they are free. */
static void begin_warm(void *state, uint64_t bytes_max)
{
    static bool made;

    if (!made) make_spares();
    made = true;
    atomic_store(&arena_header()->heap.warm_bytes_max, bytes_max);
    clan_begin(state);
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
    take(SIZE, own_cell());
}

static void take_large(void *state)
{
    (void)state;
    take(SIZE_LARGE, own_cell());
}

static void enter_with_block(void *state)
{
    clan_enter_victim(state);
    take(SIZE, own_cell());
}

static void give_one(void *state)
{
    (void)state;
    block_give(clan_intent(), own_cell());
}

/* It is taken from the victim's own bank. */
static void enter_with_own(void *state)
{
    enter_with_block(state);
    block_give(clan_intent(), own_cell());
}

static void take_extent(_Atomic uint64_t *cell)
{
    uint64_t size = SIZE_EXTENT - sizeof(struct block_header);

    take(size, cell);
    memset(arena_at(atomic_load(cell)), 0xEE, (size_t)size);
}

static void take_one_extent(void *state)
{
    (void)state;
    take(SIZE_EXTENT - sizeof(struct block_header), own_cell());
}

static void enter_with_extent(void *state)
{
    clan_enter_victim(state);
    take_extent(own_cell());
}

/* The victim's own cells, for what makes the heap as it is meant to be. */
static void enter_with_extents(void *state, _Atomic uint64_t **cells, int count)
{
    int i;

    clan_enter_victim(state);
    for (i = 0; i < count; i++) {
        if (cells_take(SIZE, 0, &cells[i]) != MPROC_OK) abort();
        block_give(clan_intent(), cells[i]);
        take_extent(cells[i]);
    }
}

static void move_to_own(_Atomic uint64_t *cell)
{
    atomic_store(own_cell(), atomic_load(cell));
    atomic_store(cell, 0);
}

static void enter_with_warm(void *state)
{
    enter_with_extent(state);
    block_give(clan_intent(), own_cell());
}

/* Three are free, which is more than fit, when the victim's own is. */
static void enter_with_two_warm(void *state)
{
    _Atomic uint64_t *cells[3];

    enter_with_extents(state, cells, 3);
    move_to_own(cells[0]);
    block_give(clan_intent(), cells[2]);
    block_give(clan_intent(), cells[1]);
}

/* Each has a neighbour below that is in use, and the first, the highest, one above. */
static void enter_between_used(void *state)
{
    _Atomic uint64_t *cells[3];

    enter_with_extents(state, cells, 3);
    move_to_own(cells[1]);
}

static void enter_between_cold(void *state)
{
    _Atomic uint64_t *cells[4];

    enter_with_extents(state, cells, 4);
    move_to_own(cells[1]);
    block_give(clan_intent(), cells[0]);
    block_give(clan_intent(), cells[2]);
}

/* Below it is nothing but the heap's free addresses. */
static void enter_lowest(void *state)
{
    _Atomic uint64_t *cells[2];

    enter_with_extents(state, cells, 2);
    move_to_own(cells[1]);
    block_give(clan_intent(), cells[0]);
}

/* A hole of one, of two. */
static void enter_with_hole(void *state)
{
    _Atomic uint64_t *cells[3];

    enter_with_extents(state, cells, 3);
    block_give(clan_intent(), cells[1]);
}

static void enter_with_wide_hole(void *state)
{
    _Atomic uint64_t *cells[4];

    enter_with_extents(state, cells, 4);
    block_give(clan_intent(), cells[1]);
    block_give(clan_intent(), cells[2]);
}

static _Atomic uint64_t *first_cell;

static void enter_with_cell(void *state)
{
    clan_enter_victim(state);
    if (cells_take(SIZE, SIZE, &first_cell) != MPROC_OK) abort();
}

static void cells_take_one(void *state)
{
    _Atomic uint64_t *cell;

    (void)state;
    if (cells_take(SIZE, SIZE, &cell) != MPROC_OK) abort();
}

static void cells_give_one(void *state)
{
    (void)state;
    cells_give(first_cell);
}

static void enter_with_many(void *state)
{
    int i;

    clan_enter_victim(state);
    for (i = 0; i < MANY; i++) cells_take_one(state);
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

    take(size, &clan_objects->cell);
    bytes = arena_at(atomic_load(&clan_objects->cell));
    for (i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return step_says("byte %llu of a block that should be clear is %d", (unsigned long long)i, bytes[i]);
    }
    block_give(clan_intent(), &clan_objects->cell);
    return NULL;
}

static const char *check(void *state, bool completed)
{
    const char *wrong = clan_check(state, completed);

    if (wrong == NULL) wrong = check_takes(SIZE);
    return wrong != NULL ? wrong : clan_check(state, completed);
}

/* All that the dead had is free: with nothing kept warm, the heap's large end is as it was at first. */
static const char *check_extents(void *state, bool completed)
{
    const struct heap *heap = &arena_header()->heap;
    const char *wrong = check(state, completed);
    uint64_t most = atomic_load(&heap->warm_bytes_max);

    if (wrong == NULL) wrong = check_takes(SIZE_EXTENT - sizeof(struct block_header));
    if (wrong == NULL) wrong = clan_check(state, completed);
    if (wrong != NULL) return wrong;
    if (atomic_load(&heap->warm_bytes) > most) return step_says("too many bytes are kept warm");
    if (most == 0 && atomic_load(&heap->lowest) != 0) return step_says("free addresses are not merged");
    return NULL;
}

/* The next trial begins with no extents. */
static void end_extents(void *state)
{
    clan_end(state);
    atomic_store(&arena_header()->heap.warm_bytes_max, 0);
    take_extent(&clan_objects->cell);
    block_give(clan_intent(), &clan_objects->cell);
}

static const char *check_locked(void *state, bool completed)
{
    if (atomic_load(&clan_intent()->lock) != 0) unlock(state);
    return check(state, completed);
}

#define COMMON_BUT_END .recover_enter = clan_enter_recoverer, .recover = clan_recover
#define COMMON COMMON_BUT_END, .teardown = clan_end
#define COMMON_EXTENTS COMMON_BUT_END, .teardown = end_extents

static const step_scenario scenarios[] = {
    {.name = "block.take_fresh",
     .setup = begin_drained,
     .enter = clan_enter_victim,
     .operation = take_one,
     .check = check,
     COMMON},
    {.name = "block.take_uncommitted",
     .slow = true, /* the way to memory is long, and the rest is as in the others */
     .setup = begin_uncommitted,
     .enter = clan_enter_victim,
     .operation = take_large,
     .check = check,
     COMMON},
    {.name = "block.take_free",
     .setup = clan_begin,
     .enter = enter_with_own,
     .operation = take_one,
     .check = check,
     COMMON},
    {.name = "block.take_of_another_bank",
     .setup = begin_with_free,
     .enter = clan_enter_victim,
     .operation = take_one,
     .check = check,
     COMMON},
    {.name = "block.take_contended",
     .slow = true, /* its spins make the path long */
     .setup = begin_locked,
     .enter = clan_enter_victim,
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
    {.name = "block.cells_take",
     .setup = clan_begin,
     .enter = enter_with_cell,
     .operation = cells_take_one,
     .check = check,
     COMMON},
    {.name = "block.cells_take_first",
     .setup = clan_begin,
     .enter = clan_enter_victim,
     .operation = cells_take_one,
     .check = check,
     COMMON},
    {.name = "block.cells_give",
     .setup = clan_begin,
     .enter = enter_with_cell,
     .operation = cells_give_one,
     .check = check,
     COMMON},
    {.name = "block.owner_of_many",
     .setup = clan_begin,
     .enter = enter_with_many,
     .operation = nothing,
     .check = check,
     COMMON},
    {.name = "extent.take_fresh",
     .outside = true,
     .setup = begin_keeping_none,
     .enter = clan_enter_victim,
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
