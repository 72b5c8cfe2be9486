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
    _Atomic uint64_t owned[TABLE_SLOTS];
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
static mproc_status add_table(void)
{
    struct resource_table *table;
    mproc_status status;

    if ((status = make_room()) != MPROC_OK) return status;
    if (!chain_end) chain_end = &process_slot_at(thread_self.process)->owned;
    if ((status = block_take(work_intent(), sizeof *table, sizeof *table, chain_end)) != MPROC_OK) return status;
    table = (struct resource_table *)arena_at(atomic_load(chain_end));
    chain_end = &table->next;
    for (int i = 0; i < TABLE_SLOTS; i++) free_slots[free_count++] = &table->owned[i];
    slot_count += TABLE_SLOTS;
    return MPROC_OK;
}

mproc_status resource_take(uint64_t size, uint64_t clear, _Atomic uint64_t **owned)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&mutex);
    if (free_count == 0) status = add_table();
    if (status == MPROC_OK) status = block_take(work_intent(), size, clear, free_slots[free_count - 1]);
    if (status == MPROC_OK) *owned = free_slots[--free_count];
    plat_mutex_unlock(&mutex);
    return status;
}

mproc_status resource_refer(uint64_t object, _Atomic uint64_t **owned)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&mutex);
    if (free_count == 0) status = add_table();
    if (status == MPROC_OK) {
        *owned = free_slots[--free_count];
        object_refer(work_intent(), object, *owned);
    }
    plat_mutex_unlock(&mutex);
    return status;
}

void resource_release(_Atomic uint64_t *owned)
{
    if (!owned) return;
    plat_mutex_lock(&mutex);
    object_drop(work_intent(), owned);
    free_slots[free_count++] = owned;
    plat_mutex_unlock(&mutex);
}

void resource_owner_died(struct intent *intent, const _Atomic uint64_t *chain)
{
    for (uint64_t at = atomic_load(chain); at != 0;) {
        struct resource_table *table = (struct resource_table *)arena_at(at);
        for (int i = 0; i < TABLE_SLOTS; i++) {
            object_holder_died(intent, atomic_load(&table->owned[i]));
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
        for (int i = 0; i < TABLE_SLOTS; i++) object_drop(intent, &table->owned[i]);
        block_give_leaving(intent, chain, atomic_load(&table->next));
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
