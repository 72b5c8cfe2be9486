/* The chain of cell tables. Which cells are in use is known to the process alone, in ordinary memory. */
#include "arena/cells.h"

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
static size_t free_room;

static struct hand *work_hand(void)
{
    return &thread_self.slot->hands[HAND_WORK];
}

/* A new table hangs on the last one; it is clear before it is there, so recovery may walk the chain at any time. */
static mproc_status add_table(void)
{
    struct process_slot *process = process_slot_at(thread_self.process);
    _Atomic uint64_t **more = realloc(free_cells, (free_room + TABLE_CELLS) * sizeof(void *));
    _Atomic uint64_t *last = &process->cells;
    struct cell_table *table;
    mproc_status status;

    if (!more)
        return mproc_error(MPROC_NO_MEMORY, "no memory to keep account of %zu blocks", free_room + TABLE_CELLS);
    free_cells = more;
    while (atomic_load(last)) last = &((struct cell_table *)arena_at(atomic_load(last)))->next;
    if ((status = block_take(work_hand(), sizeof *table, sizeof *table, last)) != MPROC_OK) return status;
    table = (struct cell_table *)arena_at(atomic_load(last));
    for (int i = 0; i < TABLE_CELLS; i++) free_cells[free_count++] = &table->cells[i];
    free_room += TABLE_CELLS;
    return MPROC_OK;
}

mproc_status cells_take(uint64_t size, uint64_t clear, _Atomic uint64_t **cell)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&mutex);
    if (free_count == 0) status = add_table();
    if (status == MPROC_OK) status = block_take(work_hand(), size, clear, free_cells[free_count - 1]);
    if (status == MPROC_OK) *cell = free_cells[--free_count];
    plat_mutex_unlock(&mutex);
    return status;
}

void cells_give(_Atomic uint64_t *cell)
{
    if (!cell) return;
    plat_mutex_lock(&mutex);
    block_give(work_hand(), cell);
    free_cells[free_count++] = cell;
    plat_mutex_unlock(&mutex);
}

/* From the end of the chain to its head: a table is given back when nothing hangs on it any more. */
void cells_recover(struct hand *hand, _Atomic uint64_t *chain)
{
    while (atomic_load(chain)) {
        _Atomic uint64_t *last = chain;
        struct cell_table *table = (struct cell_table *)arena_at(atomic_load(last));
        while (atomic_load(&table->next)) {
            last = &table->next;
            table = (struct cell_table *)arena_at(atomic_load(last));
        }
        for (int i = 0; i < TABLE_CELLS; i++) block_give(hand, &table->cells[i]);
        block_give(hand, last);
    }
}

void cells_forget(void)
{
    free(free_cells);
    free_cells = NULL;
    free_count = free_room = 0;
    memset(&mutex, 0, sizeof mutex);
}
