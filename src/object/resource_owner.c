/* The chain of owned slot tables. Which owned slots are in use is known to the process alone, in ordinary memory. */
#include "object/resource_owner.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_SLOTS 61

/*
 * `next` is an owned slot as well: the table that follows is a block in it. Only the owner writes here; then
 * recovery.
 */
struct resource_table {
    _Atomic uint64_t next;
    _Atomic uint64_t slots[TABLE_SLOTS];
};

/* The owned slots that are free, as a stack of pointers with room for all there are. Guarded by `mutex`. */
static plat_mutex mutex;
static _Atomic uint64_t **free_slots;
static size_t free_count;
static size_t free_room;  /* places in the stack */
static size_t slot_count; /* owned slots there are */
static _Atomic uint64_t *chain_end;

static mproc_status make_room(void)
{
    size_t room = free_room == 0 ? TABLE_SLOTS : 2 * free_room;
    _Atomic uint64_t **more;

    if (slot_count + TABLE_SLOTS <= free_room) return MPROC_OK;
    if (!(more = realloc(free_slots, room * sizeof(void *))))
        return mproc_error(MPROC_NO_MEMORY, "no memory to keep account of %zu blocks", slot_count + TABLE_SLOTS);
    free_slots = more;
    free_room = room;
    return MPROC_OK;
}

/* A new table hangs on the last one; it is clear before it is there, so recovery may walk the chain at any time. */
static void use_table(struct resource_table *table)
{
    chain_end = &table->next;
    for (int i = 0; i < TABLE_SLOTS; i++) free_slots[free_count++] = &table->slots[i];
    slot_count += TABLE_SLOTS;
}

mproc_status resource_slot_take(_Atomic uint64_t **owned)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&mutex);
    if (!chain_end) chain_end = &process_slot_at(thread_self.process)->owned;
    if (free_count == 0 && (status = make_room()) == MPROC_OK) {
        status =
            block_take_small(work_intent(), sizeof(struct resource_table), sizeof(struct resource_table), chain_end);
        if (status == MPROC_OK) use_table((struct resource_table *)arena_at(atomic_load(chain_end)));
    }
    if (status == MPROC_OK) *owned = free_slots[--free_count];
    plat_mutex_unlock(&mutex);
    return status;
}

void resource_slot_put(_Atomic uint64_t *owned)
{
    plat_mutex_lock(&mutex);
    free_slots[free_count++] = owned;
    plat_mutex_unlock(&mutex);
}

mproc_status resource_take(uint64_t size, uint64_t clear, _Atomic uint64_t **owned)
{
    _Atomic uint64_t *slot;
    mproc_status status;

    if ((status = resource_slot_take(&slot)) != MPROC_OK) return status;
    if ((status = block_take(work_intent(), size, clear, slot)) == MPROC_OK) *owned = slot;
    else resource_slot_put(slot);
    return status;
}

void resource_release(_Atomic uint64_t *owned)
{
    if (!owned) return;
    object_drop(work_intent(), owned);
    resource_slot_put(owned);
}

void resource_owner_died(struct intent *intent, const _Atomic uint64_t *chain)
{
    for (uint64_t at = atomic_load(chain); at != 0;) {
        struct resource_table *table = (struct resource_table *)arena_at(at);
        for (int i = 0; i < TABLE_SLOTS; i++) {
            uint64_t object = atomic_load(&table->slots[i]);
            if (object) object_holder_died(intent, object);
        }
        at = atomic_load(&table->next);
    }
}

/* A table is taken off the head of the chain when all its owned slots are empty, and leaves the next one there. */
void resource_owner_recover(struct intent *intent, _Atomic uint64_t *chain)
{
    uint64_t head;

    while ((head = atomic_load(chain)) != 0) {
        struct resource_table *table = (struct resource_table *)arena_at(head);
        for (int i = 0; i < TABLE_SLOTS; i++)
            if (atomic_load(&table->slots[i])) object_drop(intent, &table->slots[i]);
        block_give(intent, chain, atomic_load(&table->next));
    }
}

void resource_owner_forget(void)
{
    free(free_slots);
    free_slots = NULL;
    free_count = free_room = slot_count = 0;
    chain_end = NULL;
    memset(&mutex, 0, sizeof mutex);
}
