/*
 * Blocks. Promised: each block is on its list or in one owned slot, whoever is killed; the heap stays walkable and
 * everybody can go on taking and giving.
 */
#include "steps_block.h"

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
/* More than a bank keeps when another asks it for some. */
#define FREE 20
/* More than one table of owned slots. */
#define MANY 70

/* An owned slot of the process itself: where its spawn data hangs, which is given back when its slot is freed. */
_Atomic uint64_t *block_steps_slot(void)
{
    return &process_slot_at(thread_self.process)->spawn_data;
}

void block_steps_take(uint64_t size, _Atomic uint64_t *owned)
{
    if (block_take(test_family_intent(), size, size, owned) != MPROC_OK) abort();
}

/* ---- states of the heap --------------------------------------------------------------------------- */

static _Atomic uint64_t *root_head(uint64_t size)
{
    uint32_t bank = (thread_self.index + thread_self.index / HEAP_BANKS) % HEAP_BANKS;

    return &arena_header->heap.banks[bank].heads[size_class_of(size + sizeof(struct block_header))];
}

/* All small blocks of this size that are free, in any bank, come into the root's. Nobody else is there yet. */
static void gather(uint64_t size)
{
    uint32_t class_index = size_class_of(size + sizeof(struct block_header)), i;
    _Atomic uint64_t *last = root_head(size), *head;

    for (i = 0; i < HEAP_BANKS; i++) {
        head = &arena_header->heap.banks[i].heads[class_index];
        if (head == root_head(size)) continue;
        while (atomic_load(last) != 0) last = &block_header_of(atomic_load(last))->next;
        atomic_store(last, atomic_exchange(head, 0));
    }
}

/* The root takes what is free, and keeps it, so that the next block has to be cut. */
static void drain(uint64_t size)
{
    _Atomic uint64_t *owned;

    gather(size);
    while (atomic_load(root_head(size)) != 0)
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

/* In the root's bank, and no other: more than it keeps when others ask. */
static void begin_with_free(void *state)
{
    _Atomic uint64_t *owned[FREE];
    int i;

    for (i = 0; i < FREE; i++)
        if (resource_take(SIZE, 0, &owned[i]) != MPROC_OK) abort();
    for (i = 0; i < FREE; i++) resource_release(owned[i]);
    gather(SIZE);
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

/* ---- what the victim does --------------------------------------------------------------------------- */

static void take_one(void *state)
{
    (void)state;
    block_steps_take(SIZE, block_steps_slot());
}

static void take_large(void *state)
{
    (void)state;
    block_steps_take(SIZE_LARGE, block_steps_slot());
}

static void enter_with_block(void *state)
{
    test_family_enter_victim(state);
    block_steps_take(SIZE, block_steps_slot());
}

void block_steps_give(void *state)
{
    (void)state;
    block_give(test_family_intent(), block_steps_slot(), 0);
}

/* It is taken from the victim's own bank. */
static void enter_with_own(void *state)
{
    enter_with_block(state);
    block_give(test_family_intent(), block_steps_slot(), 0);
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
const char *block_steps_check(uint64_t size)
{
    const unsigned char *bytes;
    uint64_t i;

    block_steps_take(size, &test_family_objects->owned);
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

    if (wrong == NULL) wrong = block_steps_check(SIZE);
    return wrong != NULL ? wrong : test_family_check(state, completed);
}

static const char *check_locked(void *state, bool completed)
{
    if (atomic_load(&test_family_intent()->lock) != 0) unlock(state);
    return check(state, completed);
}

#define COMMON \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end

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
     .operation = block_steps_give,
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
};

const steps_table steps_block = STEPS_TABLE(scenarios);
