/* The chain of cell tables. Which cells are in use is known to the process alone, in ordinary memory. */
#include "object/cells.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_CELLS 61

/* `next` is a cell as well: the table that follows is a block in it. Only the owner writes here; then recovery. */
struct cell_table {
    _Atomic uint64_t next;
    _Atomic uint64_t cells[TABLE_CELLS];
};

/* The cells that are free, as a stack of pointers with room for all there are. Guarded by `mutex`. */
static plat_mutex mutex;
static _Atomic uint64_t **free_cells;
static size_t free_count;
static size_t free_room;  /* places in the stack */
static size_t cell_count; /* cells there are */
static _Atomic uint64_t *chain_end;

static mproc_status make_room(void)
{
    size_t room = free_room == 0 ? TABLE_CELLS : 2 * free_room;
    _Atomic uint64_t **more;

    if (cell_count + TABLE_CELLS <= free_room) return MPROC_OK;
    if (!(more = realloc(free_cells, room * sizeof(void *))))
        return mproc_error(MPROC_NO_MEMORY, "no memory to keep account of %zu blocks", cell_count + TABLE_CELLS);
    free_cells = more;
    free_room = room;
    return MPROC_OK;
}

/* A new table hangs on the last one; it is clear before it is there, so recovery may walk the chain at any time. */
static mproc_status add_table(void)
{
    struct cell_table *table;
    mproc_status status;

    if ((status = make_room()) != MPROC_OK) return status;
    if (!chain_end) chain_end = &process_slot_at(thread_self.process)->cells;
    if ((status = block_take(work_intent(), sizeof *table, sizeof *table, chain_end)) != MPROC_OK) return status;
    table = (struct cell_table *)arena_at(atomic_load(chain_end));
    chain_end = &table->next;
    for (int i = 0; i < TABLE_CELLS; i++) free_cells[free_count++] = &table->cells[i];
    cell_count += TABLE_CELLS;
    return MPROC_OK;
}

mproc_status cells_take(uint64_t size, uint64_t clear, _Atomic uint64_t **cell)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&mutex);
    if (free_count == 0) status = add_table();
    if (status == MPROC_OK) status = block_take(work_intent(), size, clear, free_cells[free_count - 1]);
    if (status == MPROC_OK) *cell = free_cells[--free_count];
    plat_mutex_unlock(&mutex);
    return status;
}

mproc_status cells_refer(uint64_t object, _Atomic uint64_t **cell)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&mutex);
    if (free_count == 0) status = add_table();
    if (status == MPROC_OK) {
        *cell = free_cells[--free_count];
        object_refer(work_intent(), object, *cell);
    }
    plat_mutex_unlock(&mutex);
    return status;
}

void cells_give(_Atomic uint64_t *cell)
{
    if (!cell) return;
    plat_mutex_lock(&mutex);
    object_drop(work_intent(), cell);
    free_cells[free_count++] = cell;
    plat_mutex_unlock(&mutex);
}

void cells_release(struct intent *intent, const _Atomic uint64_t *chain)
{
    for (uint64_t at = atomic_load(chain); at != 0;) {
        struct cell_table *table = (struct cell_table *)arena_at(at);
        for (int i = 0; i < TABLE_CELLS; i++) {
            object_holder_died(intent, atomic_load(&table->cells[i]));
        }
        at = atomic_load(&table->next);
    }
}

/* A table is taken off the head of the chain when all its cells are empty, and leaves the next one there. */
void cells_recover(struct intent *intent, _Atomic uint64_t *chain)
{
    uint64_t head;

    while ((head = atomic_load(chain)) != 0) {
        struct cell_table *table = (struct cell_table *)arena_at(head);
        for (int i = 0; i < TABLE_CELLS; i++) object_drop(intent, &table->cells[i]);
        block_give_leaving(intent, chain, atomic_load(&table->next));
    }
}

void cells_forget(void)
{
    free(free_cells);
    free_cells = NULL;
    free_count = free_room = cell_count = 0;
    chain_end = NULL;
    memset(&mutex, 0, sizeof mutex);
}
