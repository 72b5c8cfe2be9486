#include "items_sound.h"

static const char *check_cells(const struct items *items)
{
    for (uint64_t i = 0; i < items_count(items); i++) {
        const struct item *item = items_at(items, i);
        struct cell cell;
        if (!item) return "an element has no cell";
        cell = item_cell(item);
        if (cell_is_parcel(&cell) && !word_get(&items->parcels)) return "the body does not know that it has parcels";
        if (cell_is_parcel(&cell) && object_kind(cell.word) != OBJECT_PARCEL) return "an element is no parcel";
        if (!cell_is_parcel(&cell) && cell.type > MPROC_TYPE_BYTES) return "an element is no value";
    }
    return NULL;
}

/* A parcel has at least as many handles as elements that have it. */
static const char *check_handles(const struct items *items)
{
    uint64_t count = items_count(items);

    for (uint64_t i = 0; i < count && count <= 100; i++) {
        struct cell cell = item_cell(items_at(items, i));
        uint32_t same = 0;
        if (!cell_is_parcel(&cell)) continue;
        for (uint64_t j = 0; j < count; j++) {
            struct cell other = item_cell(items_at(items, j));
            if (cell_same(&cell, &other)) same++;
        }
        if (object_handles(arena_at(cell.word)) < same) return "a parcel is counted less often than it is there";
    }
    return NULL;
}

const char *items_sound(const mproc_list *list)
{
    const struct container *container = list_container(list);
    const struct items *items = items_of(container);
    const char *wrong;

    if (container_version(container) % 2 == 1) return "the version is odd";
    if (lock_owner(&container->lock)) return "the lock is not free";
    if (object_kind(word_get(&container->body)) != OBJECT_ITEMS) return "the body is no items";
    if (object_handles(&items->object) != 1) return "somebody else has the body";
    if (word_get(&items->owns) != ITEMS_ALL) return "the body does not own what it has";
    wrong = check_cells(items);
    return wrong ? wrong : check_handles(items);
}
