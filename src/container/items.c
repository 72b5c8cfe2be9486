/* Items: how a body begins, grows and ends. */
#include "container/items.h"

/* A directory begins with so many words. */
#define DIRECTORY_ROOM 7u

/* ---- begin and end ----------------------------------------------------------------------------------- */

/* Its own cells alone; before its segments go, so that no segment is read that is gone. */
static void drop_values(struct intent *intent, struct items *items)
{
    uint64_t owns = word_get(&items->owns), step = owns == ITEMS_ALL ? 1 : word_get(&items->step);
    uint64_t start = owns == ITEMS_ALL ? 0 : low(owns), count = owns == ITEMS_ALL ? items_count(items) : high(owns);

    for (uint64_t i = 0; i < count; i++) {
        struct item *item = items_at(items, start + i * step);
        if (word_get(&item->head) == CELL_PARCEL) object_drop_link(intent, arena_offset(items), &item->word);
    }
    atomic_store(&items->parcels, 0);
}

static void last_dropped(struct intent *intent, uint64_t object)
{
    struct items *items = (struct items *)arena_at(object);
    uint64_t at = word_get(&items->directory);
    struct items_directory *all = at ? arena_at(at) : NULL;

    if (word_get(&items->parcels)) drop_values(intent, items);
    for (uint64_t i = 0; all && i < all->room; i++) block_give(intent, &all->segments[i], 0);
}

const struct object_type items_type = {
    .name = "items", .links = 1, .links_at = offsetof(struct items, directory), .last_dropped = last_dropped};

static_assert(sizeof(struct items) == 64 && sizeof(struct item) == sizeof(struct cell),
              "cells are copied as they are");

static mproc_status too_many(uint64_t count)
{
    return mproc_error(MPROC_NO_MEMORY, "a list of %llu elements: at most %llu are possible",
                       (unsigned long long)count, (unsigned long long)ITEMS_MAX);
}

mproc_status items_create(struct intent *intent, uint64_t room, _Atomic uint64_t *owned)
{
    uint64_t bytes = sizeof(struct items) + room * sizeof(struct item);
    struct items *items;
    mproc_status status;

    if (room > ITEMS_MAX) return too_many(room);
    if ((status = block_take(intent, bytes, sizeof(struct items), owned)) != MPROC_OK) return status;
    items = arena_at(word_get(owned));
    room = (block_size(word_get(owned)) - sizeof(struct items)) / sizeof(struct item);
    word_set(&items->room, room < ITEMS_MAX ? room : ITEMS_MAX);
    word_set(&items->owns, ITEMS_ALL);
    object_publish(owned, OBJECT_ITEMS);
    return MPROC_OK;
}

/* Each cell is in the span before its parcel comes to it, so that what is there is dropped with the body. */
mproc_status items_make(const struct reference *reference, const mproc_value *list, uint64_t room,
                        _Atomic uint64_t *owned)
{
    uint64_t count = mproc_value_count(*list);
    struct items *items;
    mproc_status status = items_create(work_intent(), room > count ? room : count, owned);

    if (status != MPROC_OK) return status;
    items = arena_at(word_get(owned));
    atomic_thread_fence(memory_order_release); /* who still reads here sees that it is something else */
    for (uint64_t i = 0; i < count && status == MPROC_OK; i++) {
        mproc_value value = mproc_value_at(*list, i);
        struct item *item = &items->cells[i];
        struct cell cell;
        word_set(&item->head, CELL_PARCEL);
        word_set(&item->word, 0);
        word_set(&items->parcels, 1);
        items_publish(items, 0, i + 1);
        status = container_stage(reference, &value, &cell, &item->word);
        if (status != MPROC_OK || cell_is_parcel(&cell)) continue;
        word_set(&item->head, cell_head(&cell));
        word_set(&item->word, cell.word);
    }
    if (status != MPROC_OK) object_drop(work_intent(), owned);
    return status;
}

/* ---- growing ------------------------------------------------------------------------------------------ */

/* What is to be made, by a look under the lock: a segment, a directory that has room for it, or nothing. */
struct making {
    _Atomic uint64_t *place;
    uint64_t bytes;
    uint64_t room; /* of a directory */
};

bool items_is_missing(const struct items *items, uint64_t count, uint64_t *place)
{
    uint64_t end, run;

    *place = items_end(items);
    for (end = *place + count; *place < end; *place += run)
        if (!items_run(items, *place, &run)) return true;
    return false;
}

static struct making look_what(const struct container *container, uint64_t count)
{
    struct items *items = items_of(container);
    uint64_t at = word_get(&items->directory), place, first, segment;
    struct items_directory *all = at ? arena_at(at) : NULL;
    struct making making = {NULL, 0, DIRECTORY_ROOM};

    if (!items_is_missing(items, count, &place)) return making;
    segment = items_segment(place - word_get(&items->room), &first);
    if (!all || all->room <= segment) {
        while (making.room <= segment) making.room = 2 * making.room + 1;
        making.place = &items->directory;
        making.bytes = sizeof *all + making.room * sizeof(uint64_t);
        return making;
    }
    making.room = 0;
    making.place = &all->segments[segment];
    making.bytes = items_segment_cells(segment) * sizeof(struct item);
    return making;
}

/* A larger directory has what the one had in whose place it comes. */
static void fill_directory(uint64_t larger, uint64_t room, uint64_t smaller)
{
    struct items_directory *to = arena_at(larger);
    const struct items_directory *from = smaller ? arena_at(smaller) : NULL;

    to->room = room;
    for (uint64_t i = 0; from && i < from->room; i++) word_set(&to->segments[i], word_get(&from->segments[i]));
}

/*
 * What was looked up under the lock is made without it, and put there under the lock, unless somebody else has seen
 * to it meanwhile, or the body is another. What comes out of the place goes with the stage: a smaller directory.
 */
mproc_status items_provide(struct container *container, uint64_t count)
{
    struct intent *intent = work_intent();
    _Atomic uint64_t *stage = &intent->stages[STAGE_OTHER];
    struct making making, now;
    uint64_t end;
    mproc_status status;

    for (;;) {
        container_lock(container);
        end = items_end(items_of(container));
        making = look_what(container, count);
        container_unlock(intent, container);
        if (end + count > ITEMS_MAX) return too_many(end + count);
        if (!making.place) return MPROC_OK;
        status = block_take(intent, making.bytes, making.room ? making.bytes : 0, stage);
        if (status != MPROC_OK) return status;
        container_lock(container);
        now = look_what(container, count);
        if (now.place == making.place && now.bytes == making.bytes) {
            uint64_t old = word_get(making.place);
            if (making.room) fill_directory(word_get(stage), making.room, old);
            container_change(intent, container);
            intent_store(intent, making.place, word_get(stage));
            intent_store(intent, stage, old);
            container_commit(intent, container);
        }
        container_unlock(intent, container);
        object_drop(intent, stage);
    }
}
