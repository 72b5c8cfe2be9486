/* Tables: what changes them. Each change is one list, so it is whole or not there. */
#include "container/table.h"

/* So many keys for each bucket, on average. */
#define TABLE_LOAD 4

/* A directory begins with so many words. */
#define DIRECTORY_ROOM 7u

/* ---- room for records --------------------------------------------------------------------------------- */

static uint32_t list_of(uint32_t units)
{
    if (units <= TABLE_EXACT) return units;
    return TABLE_EXACT + size_class_of(units * TABLE_UNIT) - size_class_of(TABLE_EXACT * TABLE_UNIT);
}

/* What a record of so many units takes, so that all in one list serve each other. */
static uint32_t rounded(uint32_t units)
{
    if (units <= TABLE_EXACT) return units;
    return (uint32_t)(size_class_bytes(size_class_of(units * TABLE_UNIT)) / TABLE_UNIT);
}

static uint32_t units_of(const struct table_key *key)
{
    return rounded((uint32_t)TABLE_RECORD_UNITS + key->words);
}

/* Room that an insertion takes: from a list, whose first word then is `rest`, or NULL: from the end. */
struct room {
    uint32_t place;
    _Atomic uint64_t *list;
    uint64_t rest;
};

/* How many units a segment of records has. Its block has a header, and fills whole pages. */
static uint32_t segment_units(uint32_t segment)
{
    static const uint32_t first[] = {0, TABLE_FIRST_UNITS, TABLE_NEAR_UNITS, 8192, 32768};
    uint32_t units = segment < 4 ? first[segment + 1] - first[segment] : 32768;

    return units - (uint32_t)(sizeof(struct block_header) / TABLE_UNIT);
}

static uint32_t segment_buckets(uint32_t segment)
{
    static const uint32_t first[] = {0, TABLE_FIRST_BUCKETS, TABLE_NEAR_BUCKETS, 4096};

    return segment < 3 ? first[segment + 1] - first[segment] : 4096;
}

/* From the end. `*used` is how far that is, and is changed. False: a segment is missing. */
static bool take_at_end(const struct table *table, uint32_t units, uint32_t *used, struct room *room,
                        struct table_need *need)
{
    uint32_t place = *used, first, segment = table_segment_of_unit(place, &first);

    while (place + units > first + segment_units(segment)) {
        place = first + segment_units(segment) + (uint32_t)(sizeof(struct block_header) / TABLE_UNIT);
        segment = table_segment_of_unit(place, &first);
    }
    if (!table_segment(table, TABLE_RECORDS, segment)) {
        *need = (struct table_need){TABLE_RECORDS, segment};
        return false;
    }
    *room = (struct room){place, NULL, 0};
    *used = place + units;
    return true;
}

/* `other`: a list that is not to be used, as its first is taken already. */
static bool take(struct table *table, uint32_t units, const _Atomic uint64_t *other, uint32_t *used,
                 struct room *room, struct table_need *need)
{
    _Atomic uint64_t *list = &table->free[list_of(units)];
    uint32_t place = low(word_get(list));

    if (!place || list == other) return take_at_end(table, units, used, room, need);
    *room = (struct room){place, list, low(word_get(&((struct table_record *)table_at(table, place))->before))};
    return true;
}

/* ---- growing ------------------------------------------------------------------------------------------- */

/* Under the lock: no more than a bucket that nobody looks into yet. */
static void clear_bucket(struct table_bucket *bucket)
{
    for (int i = 0; i < TABLE_SLOTS; i++) word_set(&bucket->slots[i], 0);
    word_set(&bucket->link, 0);
}

static struct table_bucket *next_bucket(const struct table *table, const struct table_bucket *bucket)
{
    uint32_t link = low(word_get(&bucket->link));

    return link ? table_at(table, link) : NULL;
}

/* What the new bucket is to have goes there, with more buckets behind it if need be. */
static bool move_slots(struct table *table, struct table_bucket *old, struct table_bucket *to, uint64_t before,
                       uint64_t after, uint32_t *used, struct table_need *need)
{
    uint32_t index = low(before), from = table_bucket_of(index, before), moved = 0;
    struct room room;

    for (; old; old = next_bucket(table, old))
        for (int i = 0; i < TABLE_SLOTS; i++) {
            uint64_t slot = word_get(&old->slots[i]);
            if (!low(slot) || table_bucket_of(high(slot), after) != index ||
                table_bucket_of(high(slot), before) != from)
                continue;
            if (moved == TABLE_SLOTS) {
                if (!take_at_end(table, sizeof *to / TABLE_UNIT, used, &room, need)) return false;
                word_set(&to->link, room.place);
                to = table_at(table, room.place);
                clear_bucket(to);
                moved = 0;
            }
            word_set(&to->slots[moved++], slot);
        }
    return true;
}

/* Nothing depends on it: what is left in a bucket and belongs elsewhere is told by its hash. */
static void tidy(const struct table *table, struct table_bucket *bucket, uint32_t index, uint64_t buckets)
{
    for (; bucket; bucket = next_bucket(table, bucket))
        for (int i = 0; i < TABLE_SLOTS; i++) {
            uint64_t slot = word_get(&bucket->slots[i]);
            if (low(slot) && table_bucket_of(high(slot), buckets) != index) word_set(&bucket->slots[i], 0);
        }
}

/*
 * One bucket more: it is filled where nobody looks, and then published. It may refuse once because of the one segment
 * that is missing, and then again because of another.
 */
static bool split(struct intent *intent, const struct container *container, struct table *table,
                  struct table_need *need)
{
    uint64_t before = word_get(&table->buckets), used = word_get(&table->used);
    uint32_t count = low(before), mask = high(before), end = low(used), first;
    uint32_t segment = table_segment_of_bucket(count, &first), from = 0;
    uint64_t after = both(count + 1, count > mask ? 2 * (uint64_t)mask + 1 : mask);
    struct table_bucket *old = NULL;

    if (!table_segment(table, TABLE_BUCKETS, segment)) {
        *need = (struct table_need){TABLE_BUCKETS, segment};
        return false;
    }
    clear_bucket(table_bucket_at(table, count));
    if (count > 0) {
        from = table_bucket_of(count, before);
        old = table_bucket_at(table, from);
        if (!move_slots(table, old, table_bucket_at(table, count), before, after, &end, need)) return false;
    }
    container_change(intent, container);
    if (end != low(used)) intent_store(intent, &table->used, both(end, high(used)));
    intent_store(intent, &table->buckets, after);
    container_commit(intent, container);
    if (old) tidy(table, old, from, after);
    intent_restart(intent);
    return true;
}

/* ---- changes ------------------------------------------------------------------------------------------- */

/* A free slot for the hash, or NULL and `*last`, the bucket behind which there is to be another. */
static _Atomic uint64_t *free_slot(const struct table *table, uint32_t hash, struct table_bucket **last)
{
    uint64_t buckets = word_get(&table->buckets);
    uint32_t index = table_bucket_of(hash, buckets);

    for (struct table_bucket *at = table_bucket_at(table, index); at; at = next_bucket(table, at)) {
        for (int i = 0; i < TABLE_SLOTS; i++) {
            uint64_t slot = word_get(&at->slots[i]);
            if (!low(slot) || table_bucket_of(high(slot), buckets) != index) return &at->slots[i];
        }
        *last = at;
    }
    return NULL;
}

/* Where nobody looks yet; `before` is part of the list, as it may be that of free records until then. */
static void write_record(struct table_record *record, const struct table_key *key, const struct cell *cell)
{
    atomic_thread_fence(memory_order_release);
    word_set(&record->hash_next, key->hash);
    word_set(&record->head, cell_head(cell));
    word_set(&record->word, cell->word);
    word_set(&record->key_head, key->head);
    for (uint32_t i = 0; i + 1 < key->words; i++) {
        uint64_t word;
        memcpy(&word, key->bytes + i * sizeof word, sizeof word);
        word_set(&record->key[i], word);
    }
    word_set(&record->key[key->words - 1], key->last);
}

/* The bucket behind a full one, with its first slot; its second may be in a list of free records until then. */
static void add_bucket(struct redo *redo, const struct table *table, const struct table_bucket *last,
                       const struct room *room, uint64_t slot)
{
    struct table_bucket *bucket = table_at(table, room->place);

    for (int i = 0; i < TABLE_SLOTS; i++)
        if (i != 1 || !room->list) word_set(&bucket->slots[i], i == 0 ? slot : 0);
    word_set(&bucket->link, 0);
    if (room->list) {
        redo_store(redo, room->list, room->rest);
        redo_store(redo, &bucket->slots[1], 0);
    }
    redo_store(redo, &last->link, room->place);
}

static_assert(offsetof(struct table_record, before) == offsetof(struct table_bucket, slots) + sizeof(uint64_t),
              "the second slot of a bucket lies where a free record names the next");

/* The record comes behind the last one. */
static inline void append(struct redo *redo, const struct table *table, const struct room *room, uint32_t units)
{
    uint64_t order = word_get(&table->order);
    struct table_record *record = table_at(table, room->place), *last;

    if (room->list) redo_store(redo, room->list, room->rest);
    redo_store(redo, &record->before, both(high(order), units));
    if (high(order)) {
        last = table_at(table, high(order));
        redo_store(redo, &last->hash_next, both(low(word_get(&last->hash_next)), room->place));
    }
    redo_store(redo, &table->order, both(high(order) ? low(order) : room->place, room->place));
}

enum table_outcome table_insert(struct intent *intent, const struct container *container, const struct table_key *key,
                                const struct cell *cell, struct table_need *need)
{
    struct table *table = table_of(container);
    struct table_bucket *last = NULL;
    struct room room, more = {0, NULL, 0};
    struct redo redo;
    _Atomic uint64_t *slot;
    uint32_t units = units_of(key), end;

    if (table_count(table) >= TABLE_LOAD * low(word_get(&table->buckets)) && !split(intent, container, table, need))
        return TABLE_NEEDS;
    end = low(word_get(&table->used));
    slot = free_slot(table, key->hash, &last);
    if (!take(table, units, NULL, &end, &room, need)) return TABLE_NEEDS;
    if (!slot && !take(table, sizeof *last / TABLE_UNIT, room.list, &end, &more, need)) return TABLE_NEEDS;
    write_record(table_at(table, room.place), key, cell);
    if (cell_is_parcel(cell)) word_set(&table->parcels, 1);
    redo = container_redo(intent, container);
    if (slot) redo_store(&redo, slot, both(room.place, key->hash));
    else add_bucket(&redo, table, last, &more, both(room.place, key->hash));
    append(&redo, table, &room, units);
    redo_store(&redo, &table->used, both(end, (uint64_t)table_count(table) + 1));
    if (cell_is_parcel(cell)) redo_store(&redo, &intent->stages[STAGE_VALUE], 0);
    container_redo_commit(&redo, container);
    return TABLE_DONE;
}

/* A number for a number of the same type is one store. */
void table_replace(struct intent *intent, const struct container *container, struct table_record *record,
                   const struct cell *cell)
{
    struct cell old = table_cell(record);
    bool parcels = cell_is_parcel(&old) || cell_is_parcel(cell);

    if (!parcels && cell_head(&old) == cell_head(cell)) {
        atomic_store_explicit(&record->word, cell->word, memory_order_release);
        return;
    }
    if (cell_is_parcel(cell)) word_set(&table_of(container)->parcels, 1);
    container_change(intent, container);
    intent_store(intent, &record->head, cell_head(cell));
    intent_store(intent, &record->word, cell->word);
    if (parcels) intent_store(intent, &intent->stages[STAGE_VALUE], cell_is_parcel(&old) ? old.word : 0);
    container_commit(intent, container);
}

/* The record's neighbours, or the ends of the order, know each other. */
static inline void take_out(struct redo *redo, const struct table *table, const struct table_record *record)
{
    uint32_t before = low(word_get(&record->before)), next = high(word_get(&record->hash_next));
    uint64_t order = word_get(&table->order);

    if (before) {
        const struct table_record *at = table_at(table, before);
        redo_store(redo, &at->hash_next, both(low(word_get(&at->hash_next)), next));
    }
    if (next) {
        const struct table_record *at = table_at(table, next);
        redo_store(redo, &at->before, both(before, high(word_get(&at->before))));
    }
    if (!before || !next)
        redo_store(redo, &table->order, both(before ? low(order) : next, next ? high(order) : before));
}

void table_remove(struct intent *intent, const struct container *container, const struct table_spot *spot)
{
    struct table *table = table_of(container);
    struct table_record *record = spot->record;
    uint32_t units = high(word_get(&record->before)), place = low(word_get(spot->slot));
    _Atomic uint64_t *list = &table->free[list_of(units)];
    struct cell cell = table_cell(record);
    struct redo redo = container_redo(intent, container);

    redo_store(&redo, spot->slot, 0);
    take_out(&redo, table, record);
    redo_store(&redo, &record->before, both(low(word_get(list)), units));
    redo_store(&redo, list, place);
    redo_store(&redo, &table->used, both(low(word_get(&table->used)), (uint64_t)table_count(table) - 1));
    if (cell_is_parcel(&cell)) redo_store(&redo, &intent->stages[STAGE_VALUE], cell.word);
    container_redo_commit(&redo, container);
}

/* ---- segments ------------------------------------------------------------------------------------------ */

/* What is to be made, by a look under the lock: the segment, a directory that has room for it, or nothing. */
struct making {
    _Atomic uint64_t *place;
    uint64_t bytes;
    uint64_t room; /* of a directory */
};

static struct making look_what(const struct container *container, const struct table_need *need)
{
    struct table *table = table_of(container);
    uint64_t at = word_get(&table->directories[need->directory]);
    struct table_directory *all = at ? arena_at(at) : NULL;
    struct making making = {NULL, 0, DIRECTORY_ROOM};

    if (!all || all->room <= need->segment) {
        while (making.room <= need->segment) making.room = 2 * making.room + 1;
        making.place = &table->directories[need->directory];
        making.bytes = sizeof *all + making.room * sizeof(uint64_t);
        return making;
    }
    making.room = 0;
    if (!word_get(&all->segments[need->segment])) making.place = &all->segments[need->segment];
    if (need->directory == TABLE_RECORDS) making.bytes = segment_units(need->segment) * TABLE_UNIT;
    else making.bytes = (uint64_t)segment_buckets(need->segment) * sizeof(struct table_bucket) + ARENA_LINE;
    return making;
}

/* A larger directory has what the one had in whose place it comes. */
static void fill_directory(uint64_t larger, uint64_t room, uint64_t smaller)
{
    struct table_directory *to = arena_at(larger);
    const struct table_directory *from = smaller ? arena_at(smaller) : NULL;

    to->room = room;
    for (uint64_t i = 0; from && i < from->room; i++) word_set(&to->segments[i], word_get(&from->segments[i]));
}

/* Where place 0 would be, if the segment in the stage and all before it were one. */
static uint64_t near_of(const struct table_need *need, uint64_t segment)
{
    if (need->directory == TABLE_RECORDS) return segment - need->segment * TABLE_FIRST_UNITS * TABLE_UNIT;
    return arena_offset(table_bucket_in(segment, 0)) -
           need->segment * TABLE_FIRST_BUCKETS * sizeof(struct table_bucket);
}

/*
 * What was looked up under the lock is made without it, and put there under the lock, unless somebody else has seen
 * to it meanwhile, or cleared the container. What comes out of the place goes with the stage: a smaller directory.
 */
mproc_status table_provide(struct container *container, const struct table_need *need)
{
    struct intent *intent = work_intent();
    _Atomic uint64_t *stage = &intent->stages[STAGE_OTHER];
    struct making making, now;
    mproc_status status;

    do {
        container_lock(container);
        making = look_what(container, need);
        container_unlock(intent, container);
        if (!making.place) return MPROC_OK;
        status = block_take(intent, making.bytes, making.room ? making.bytes : 0, stage);
        if (status != MPROC_OK) return status;
        container_lock(container);
        now = look_what(container, need);
        if (now.place == making.place && now.room == making.room) {
            uint64_t old = word_get(making.place);
            if (making.room) fill_directory(word_get(stage), making.room, old);
            container_change(intent, container);
            intent_store(intent, making.place, word_get(stage));
            if (!making.room && need->segment < TABLE_NEAR)
                intent_store(intent, &table_of(container)->near[need->directory][need->segment],
                             near_of(need, word_get(stage)));
            intent_store(intent, stage, old);
            container_commit(intent, container);
        }
        container_unlock(intent, container);
        object_drop(intent, stage);
    } while (making.room);
    return MPROC_OK;
}

/* Buckets behind full ones need room, too: an eighth of what the records have. */
mproc_status table_reserve(struct container *container, uint32_t units, uint32_t keys)
{
    uint32_t first, records = table_segment_of_unit(units + units / 8, &first);
    uint32_t buckets = table_segment_of_bucket(keys / TABLE_LOAD, &first);
    mproc_status status = MPROC_OK;

    for (uint32_t i = 0; i <= records && status == MPROC_OK; i++)
        status = table_provide(container, &(struct table_need){TABLE_RECORDS, i});
    for (uint32_t i = 0; i <= buckets && status == MPROC_OK; i++)
        status = table_provide(container, &(struct table_need){TABLE_BUCKETS, i});
    return status;
}

void table_empty(struct table *table)
{
    word_set(&table->buckets, 0);
    word_set(&table->used, 1);
    word_set(&table->order, 0);
    for (int i = 0; i < (int)TABLE_LISTS; i++) word_set(&table->free[i], 0);
}
