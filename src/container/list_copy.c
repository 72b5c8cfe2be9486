/* Lists: copies of the whole, or of a part of it, as it was at one moment. */
#include <stdlib.h>

#include "container/list_snapshot.h"

/* As much as the last walk has found, and some more. */
static mproc_status make_room(struct list_snapshot *all)
{
    free(all->cells);
    all->room = all->count + all->count / 8 + 8;
    all->parcels_room = all->parcels > 0 ? all->parcels + all->parcels / 8 + 2 : 0;
    if (!(all->cells = malloc((size_t)all->room * sizeof *all->cells)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for a copy of %llu elements", (unsigned long long)all->room);
    if (all->parcels_room == 0) return MPROC_OK;
    if (all->parcels_room > UINT32_MAX / 2)
        return mproc_error(MPROC_NO_MEMORY, "a copy of %llu elements is too large",
                           (unsigned long long)all->parcels_room);
    object_drop(work_intent(), all->owned);
    return parcel_create(work_intent(), 0, (uint32_t)all->parcels_room, all->owned);
}

static bool fits(const struct list_snapshot *all)
{
    return all->count <= all->room && all->parcels <= all->parcels_room;
}

/* Under the lock. */
static void keep(struct list_snapshot *all, uint64_t number, const struct cell *cell)
{
    all->cells[number] = *cell;
    if (!cell_is_parcel(cell)) return;
    all->parcels++;
    if (fits(all)) container_hold(cell, &parcel_at(word_get(all->owned))->next + all->parcels);
}

static void walk(const mproc_list *list, const int64_t *at, struct list_snapshot *all)
{
    static const int64_t whole[] = {MPROC_LIST_OPEN, MPROC_LIST_OPEN, 1};
    struct container *container = list_container(list);
    struct intent *intent = container_lock(container);
    const struct items *items = items_of(container);
    struct list_slice slice = list_slice(at ? at : whole, items_count(items));

    all->count = slice.count;
    all->parcels = 0;
    for (uint64_t i = 0; i < slice.count && slice.count <= all->room; i++) {
        struct cell cell = item_cell(items_at(items, slice.start + i * slice.step));
        keep(all, slice.backwards ? slice.count - 1 - i : i, &cell);
    }
    container_unlock(intent, container);
}

mproc_status list_snapshot(const mproc_list *list, const int64_t *at, struct list_snapshot *all)
{
    mproc_status status;

    *all = (struct list_snapshot){.count = at ? 0 : mproc_list_count(list)};
    if ((status = resource_slot_take(&all->owned)) != MPROC_OK) return status;
    do {
        if ((status = make_room(all)) != MPROC_OK) return status;
        walk(list, at, all);
    } while (!fits(all));
    if (!(all->values = malloc((size_t)all->room * sizeof *all->values)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for a copy of %llu elements", (unsigned long long)all->count);
    for (uint64_t i = 0; i < all->count; i++) all->values[i] = container_view(&all->cells[i]);
    return MPROC_OK;
}

void list_snapshot_end(const struct list_snapshot *all)
{
    free(all->cells);
    free(all->values);
    if (all->owned) resource_release(all->owned);
}

mproc_status list_copy(const mproc_list *list, const int64_t *at, mproc_value *copy)
{
    struct list_snapshot all;
    mproc_value view;
    mproc_status status;

    if (!copy) return mproc_error(MPROC_INVALID, "a copy of a list is to go to NULL");
    if (at && (status = list_slice_check(at)) != MPROC_OK) return status;
    if ((status = list_snapshot(list, at, &all)) == MPROC_OK) {
        view = mproc_list_from(all.values, (size_t)all.count);
        status = container_copy(&view, &all.owned, copy);
    }
    list_snapshot_end(&all);
    return status;
}
