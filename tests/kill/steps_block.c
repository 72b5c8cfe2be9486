/*
 * Blocks. Promised: each block is on its list or in one cell, whoever is killed; the heap stays walkable and
 * everybody can go on taking and giving.
 */
#include "clan.h"
#include "steps.h"

#include "arena/block.h"
#include "object/cells.h"
#include "arena/lock.h"

#include <stdlib.h>

#define SIZE 200
/* More than a page, so that a block cut beyond what is committed needs more of it. */
#define SIZE_LARGE 6000
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

static struct heap_class *class_of_size(uint64_t size)
{
    const struct block_header *header;

    take(size, &clan_objects->cell);
    header = (const struct block_header *)arena_at(atomic_load(&clan_objects->cell) - sizeof *header);
    block_give(clan_intent(), &clan_objects->cell);
    return &arena_header()->heap.classes[header->class_index];
}

/* The root takes what is free, and keeps it, so that the next block has to be cut. */
static void drain(uint64_t size)
{
    struct heap_class *class_ = class_of_size(size);
    _Atomic uint64_t *cell;

    while (atomic_load(&class_->head) != 0) {
        if (cells_take(size, 0, &cell) != MPROC_OK) abort();
    }
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

static void begin_with_free(void *state)
{
    take(SIZE, &clan_objects->cell);
    take(SIZE, own_cell());
    block_give(clan_intent(), &clan_objects->cell);
    block_give(clan_intent(), own_cell());
    clan_begin(state);
}

static void begin_locked(void *state)
{
    begin_with_free(state);
    lock_acquire(clan_intent(), &class_of_size(SIZE)->lock);
}

static void unlock(void *state)
{
    struct heap_class *class_ = arena_at(atomic_load(&clan_intent()->lock));

    (void)state;
    lock_release(clan_intent(), &class_->lock);
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

static const char *check(void *state, bool completed)
{
    const char *wrong = clan_check(state, completed);
    const unsigned char *bytes;
    int i;

    if (wrong != NULL) return wrong;
    take(SIZE, &clan_objects->cell);
    bytes = arena_at(atomic_load(&clan_objects->cell));
    for (i = 0; i < SIZE; i++) {
        if (bytes[i] != 0) return step_says("byte %d of a block that should be clear is %d", i, bytes[i]);
    }
    block_give(clan_intent(), &clan_objects->cell);
    return clan_check(state, completed);
}

static const char *check_locked(void *state, bool completed)
{
    if (atomic_load(&clan_intent()->lock) != 0) unlock(state);
    return check(state, completed);
}

#define COMMON .recover_enter = clan_enter_recoverer, .recover = clan_recover, .teardown = clan_end

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
};

const steps_table steps_block = STEPS_TABLE(scenarios);
