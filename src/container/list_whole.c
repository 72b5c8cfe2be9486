/* Lists: what makes all of a list another: its order, or how often it has what it has. */
#include "container/list.h"

/* A body for so many in the second stage, in which there may be one that is too small. */
static mproc_status make_room(struct intent *intent, uint64_t count)
{
    object_drop(intent, &intent->stages[STAGE_OTHER]);
    return items_create(intent, count, &intent->stages[STAGE_OTHER]);
}

mproc_status list_reverse(const mproc_list *list)
{
    struct container *container = list_container(list);
    struct intent *intent = work_intent();
    uint64_t count = mproc_list_count(list), room;
    mproc_status status;

    do {
        struct items *old, *fresh;
        if ((status = make_room(intent, count + count / 8)) != MPROC_OK) return status;
        container_lock(container);
        old = items_of(container);
        fresh = arena_at(word_get(&intent->stages[STAGE_OTHER]));
        count = items_count(old);
        room = word_get(&fresh->room);
        if (count <= room) {
            items_begin(fresh, old);
            for (uint64_t i = 0; i < count; i++) {
                struct cell cell = item_cell(items_at(old, count - 1 - i));
                items_write(&fresh->cells[i], &cell);
            }
            items_publish(fresh, 0, count);
            items_exchange(intent, container, 0);
        }
        container_unlock(intent, container);
    } while (count > room);
    object_drop(intent, &intent->stages[STAGE_OTHER]);
    return MPROC_OK;
}

/* Each cell of its own: what it holds is counted. A parcel comes to a cell that is in the span. */
static void fill_repeated(struct items *fresh, const struct items *old, uint64_t times)
{
    uint64_t count = items_count(old), all = count * times;

    items_begin(fresh, old);
    for (uint64_t i = 0; i < all; i++) {
        struct cell cell = item_cell(items_at(old, i % count));
        if (cell_is_parcel(&cell)) cell.word = 0;
        items_write(&fresh->cells[i], &cell);
    }
    items_publish(fresh, 0, all);
    word_set(&fresh->owns, ITEMS_ALL);
    if (!word_get(&old->parcels)) return;
    for (uint64_t i = 0; i < all; i++) {
        struct cell cell = item_cell(items_at(old, i % count));
        container_hold(&cell, &fresh->cells[i].word);
    }
}

mproc_status list_repeat(const mproc_list *list, int64_t times)
{
    struct container *container = list_container(list);
    struct intent *intent = work_intent();
    uint64_t count = mproc_list_count(list), most = times > 0 ? ITEMS_MAX / (uint64_t)times : 0, room;
    mproc_status status;

    if (times == 1) return MPROC_OK;
    if (times <= 0) return list_clear(list, false);
    do {
        struct items *old, *fresh;
        count += count / 8;
        status = make_room(intent, count <= most ? count * (uint64_t)times : ITEMS_MAX + 1);
        if (status != MPROC_OK) return status;
        container_lock(container);
        old = items_of(container);
        fresh = arena_at(word_get(&intent->stages[STAGE_OTHER]));
        count = items_count(old);
        room = word_get(&fresh->room) / (uint64_t)times;
        if (count <= room) {
            fill_repeated(fresh, old, (uint64_t)times);
            items_exchange(intent, container, ITEMS_ALL);
        }
        container_unlock(intent, container);
    } while (count > room);
    object_drop(intent, &intent->stages[STAGE_OTHER]);
    return MPROC_OK;
}
