/* Dicts: copies of the whole, as it was at one moment. */
#include <stdlib.h>

#include "container/dict.h"

/*
 * What a walk finds, and how much of it there is: first counted, then, with room for it, kept. `items` are keys and
 * values in turn; `bytes` has their texts, each with zeros up to a multiple of 8 behind it. `owned` has an object of
 * this process whose links hold the parcels among the values, so that these can be read without the lock.
 */
struct snapshot {
    mproc_value *items;
    mproc_value *pairs;
    unsigned char *bytes;
    _Atomic uint64_t *owned;
    struct cell cell; /* of the last value */
    uint64_t entries, bytes_used, parcels;
    uint64_t entries_room, bytes_room, parcels_room;
};

static void give_up(const struct snapshot *all)
{
    free(all->items);
    free(all->bytes);
    free(all->pairs);
    if (all->owned) resource_release(all->owned);
}

/* As much as the last walk has found, and some more. */
static mproc_status make_room(struct snapshot *all)
{
    free(all->items);
    free(all->bytes);
    all->entries_room = all->entries + all->entries / 8 + 8;
    all->bytes_room = all->bytes_used + all->bytes_used / 8 + 256;
    all->parcels_room = all->parcels + all->parcels / 8 + 2;
    all->items = malloc((size_t)all->entries_room * 2 * sizeof *all->items);
    all->bytes = malloc((size_t)all->bytes_room);
    if (!all->items || !all->bytes)
        return mproc_error(MPROC_NO_MEMORY, "no memory for a copy of %llu keys",
                           (unsigned long long)all->entries_room);
    object_drop(work_intent(), all->owned);
    return parcel_create(work_intent(), 0, (uint32_t)all->parcels_room, all->owned);
}

static bool fits(const struct snapshot *all)
{
    return all->entries <= all->entries_room && all->bytes_used <= all->bytes_room &&
           all->parcels <= all->parcels_room;
}

/* Text moves to the snapshot's own bytes, if these suffice. */
static void keep_text(struct snapshot *all, mproc_value *value)
{
    uint64_t padded = encoding_padded(value->count), at = all->bytes_used;

    all->bytes_used += padded;
    if (!fits(all)) return;
    memcpy(all->bytes + at, value->as.data, (size_t)padded);
    value->as.data = all->bytes + at;
}

static bool is_text(const mproc_value *value)
{
    return value->type == MPROC_TYPE_STRING || value->type == MPROC_TYPE_BYTES;
}

/*
 * Short text of a cell is a word with zeros behind it, and all text of a key is padded: both can be read as a whole.
 */
static void keep_entry(struct snapshot *all, const struct table_record *record)
{
    struct cell cell = table_cell(record);
    mproc_value key = table_key_view(record), value;
    uint64_t entry = all->entries++;

    all->cell = cell;
    if (is_text(&key)) keep_text(all, &key);
    if (cell_is_parcel(&cell)) {
        uint64_t number = ++all->parcels;
        if (fits(all)) container_hold(&cell, &parcel_at(word_get(all->owned))->next + number);
        value = container_view(&cell);
    } else {
        value = cell_view(&cell);
        if (is_text(&value)) keep_text(all, &value);
    }
    if (!fits(all)) return;
    all->items[2 * entry] = key;
    all->items[2 * entry + 1] = value;
}

/* `last`: no more than the last entry. */
static void walk(struct container *container, struct snapshot *all, bool last)
{
    struct intent *intent = container_lock(container);
    const struct table *table = table_of(container);
    uint64_t order = word_get(&table->order);
    uint32_t place = last ? high(order) : low(order);

    all->entries = all->bytes_used = all->parcels = 0;
    while (place) {
        const struct table_record *record = table_at(table, place);
        keep_entry(all, record);
        place = high(word_get(&record->hash_next));
    }
    container_unlock(intent, container);
}

/* Keys or values alone move to the front; pairs become lists, which need room. */
static mproc_status arrange(struct snapshot *all, enum mproc_dict_method what, mproc_value *view)
{
    size_t count = (size_t)all->entries;

    if (what == MPROC_DICT_COPY) {
        *view = mproc_map_from(all->items, count);
        return MPROC_OK;
    }
    if (what == MPROC_DICT_ITEMS) {
        if (!(all->pairs = malloc(count * sizeof *all->pairs + 1)))
            return mproc_error(MPROC_NO_MEMORY, "no memory for %zu pairs", count);
        for (size_t i = 0; i < count; i++) all->pairs[i] = mproc_list_from(&all->items[2 * i], 2);
        *view = mproc_list_from(all->pairs, count);
        return MPROC_OK;
    }
    for (size_t i = 0; i < count; i++) all->items[i] = all->items[2 * i + (what == MPROC_DICT_VALUES)];
    *view = mproc_list_from(all->items, count);
    return MPROC_OK;
}

mproc_status dict_copy(const mproc_dict *dict, enum mproc_dict_method what, mproc_value *copy)
{
    struct snapshot all = {.entries = mproc_dict_count(dict)};
    mproc_value view;
    mproc_status status;

    if (!copy) return mproc_error(MPROC_INVALID, "a copy of a %s is to go to NULL", dict_noun(dict));
    if ((status = resource_slot_take(&all.owned)) != MPROC_OK) return status;
    all.bytes_used = 16 * all.entries;
    do {
        if ((status = make_room(&all)) != MPROC_OK) break;
        walk(dict_container(dict), &all, false);
    } while (!fits(&all));
    if (status == MPROC_OK) status = arrange(&all, what, &view);
    if (status == MPROC_OK) status = container_copy(&view, &all.owned, copy);
    give_up(&all);
    return status;
}

/*
 * As with pop, the copy is made first; the entry goes if it still is the last one, and the same. Of a set an element
 * is a key alone.
 */
mproc_status dict_pop_item(const mproc_dict *dict, mproc_value *pair)
{
    struct snapshot all = {.entries = 1};
    struct table_key key;
    struct dict_change change = {.key = &key, .from = &all.cell, .last = true};
    enum table_outcome outcome = TABLE_CHANGED;
    mproc_value view, copy = mproc_nil();
    mproc_status status = MPROC_OK;

    if (!pair) return mproc_error(MPROC_INVALID, "an item of a %s is to go to NULL", dict_noun(dict));
    while (status == MPROC_OK && outcome != TABLE_DONE) {
        if (!all.owned) status = resource_slot_take(&all.owned);
        if (status == MPROC_OK && (status = make_room(&all)) == MPROC_OK) walk(dict_container(dict), &all, true);
        if (status != MPROC_OK || !fits(&all)) continue;
        if (all.entries == 0) {
            status = mproc_error(MPROC_NOT_FOUND, "the %s is empty", dict_noun(dict));
            break;
        }
        view = dict->reference.ref.kind == OBJECT_SET ? all.items[0] : mproc_list_from(all.items, 2);
        status = table_key_set(&key, &all.items[0]);
        if (status == MPROC_OK) status = container_copy(&view, &all.owned, &copy);
        if (status == MPROC_OK) status = dict_change(dict, &change, &outcome);
        if (outcome != TABLE_DONE) mproc_value_clear(&copy);
    }
    if (status == MPROC_OK) *pair = copy;
    give_up(&all);
    return status;
}
