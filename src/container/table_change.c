/* Tables: what changes them. Each change is one list, so it is whole or not there. */
#include "container/table.h"

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

/* From the end. `*used` is how far that is, and is changed. False: a segment is missing. */
static bool take_at_end(const struct table *table, uint32_t units, uint32_t *used, struct room *room,
                        struct table_need *need)
{
    uint32_t place = *used, first, segment = table_segment_of_unit(place, &first);

    while (place + units > first + table_segment_units(segment)) {
        place = first + table_segment_units(segment) + (uint32_t)(sizeof(struct block_header) / TABLE_UNIT);
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
 * that is missing, and then again because of another. `*units` is how many it may take, and is less by those that it
 * has taken.
 */
static bool split(struct intent *intent, const struct container *container, struct table *table, uint32_t *units,
                  struct table_need *need)
{
    uint64_t before = word_get(&table->buckets), used = word_get(&table->used);
    uint32_t count = low(before), mask = high(before), end = low(used), first;
    uint32_t segment = table_segment_of_bucket(count, &first), from = 0;
    uint64_t after = both(count + 1, count > mask ? 2 * (uint64_t)mask + 1 : mask);
    struct table_bucket *old = NULL;
    struct redo redo;

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
    if (end - low(used) > *units) return false;
    *units -= end - low(used);
    redo = container_redo(intent, container);
    if (end != low(used)) redo_store(&redo, &table->used, both(end, high(used)));
    redo_store(&redo, &table->buckets, after);
    container_redo_commit(&redo, container);
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

/* What a key that is added takes: a slot, or a bucket behind the `last` one, and a record. */
struct rooms {
    _Atomic uint64_t *slot;
    struct table_bucket *last;
    struct room bucket;
    struct room record;
    uint32_t units;
    uint32_t end;
};

static bool find_rooms(struct table *table, const struct table_key *key, struct rooms *rooms, struct table_need *need)
{
    rooms->units = units_of(key);
    rooms->end = low(word_get(&table->used));
    rooms->last = NULL;
    rooms->slot = free_slot(table, key->hash, &rooms->last);
    if (!take(table, rooms->units, NULL, &rooms->end, &rooms->record, need)) return false;
    return rooms->slot ||
           take(table, sizeof *rooms->last / TABLE_UNIT, rooms->record.list, &rooms->end, &rooms->bucket, need);
}

static bool is_full(const struct table *table)
{
    uint32_t count = table_count(table) + high(word_get(&table->merging));

    return count >= TABLE_LOAD * low(word_get(&table->buckets));
}

/* The list's entries for a key that is added, whose record is written; `count` keys are there then. */
static inline void add_key(struct redo *redo, struct table *table, const struct table_key *key,
                           const struct cell *cell, const struct rooms *rooms, uint32_t count)
{
    uint64_t slot = both(rooms->record.place, key->hash);

    write_record(table_at(table, rooms->record.place), key, cell);
    if (rooms->slot) redo_store(redo, rooms->slot, slot);
    else add_bucket(redo, table, rooms->last, &rooms->bucket, slot);
    append(redo, table, &rooms->record, rooms->units);
    redo_store(redo, &table->used, both(rooms->end, count));
}

/* The list's entries for a key of the pending table that has come: `old` takes the place of its value there. */
static inline void leave(struct redo *redo, struct table *table, struct table_record *from, const struct cell *old,
                         uint32_t added)
{
    redo_store(redo, &from->head, cell_head(old));
    redo_store(redo, &from->word, old->word);
    redo_store(redo, &table->merging, both(high(word_get(&from->hash_next)), added));
}

/*
 * A key that is not there: whose value is in the stage if it is a parcel, or which comes `from` the pending table;
 * then nothing is missing, but a bucket is split only with `*units` to spare.
 */
static enum table_outcome add(struct intent *intent, const struct container *container, const struct table_key *key,
                              const struct cell *cell, struct table_record *from, uint32_t *units,
                              struct table_need *need)
{
    static const struct cell nothing = {MPROC_TYPE_NIL, 0, 0};
    struct table *table = table_of(container);
    struct rooms rooms;
    struct redo redo;

    if (is_full(table) && !split(intent, container, table, units, need) && !from) return TABLE_NEEDS;
    if (!find_rooms(table, key, &rooms, need)) return TABLE_NEEDS;
    if (cell_is_parcel(cell)) word_set(&table->parcels, 1);
    redo = container_redo(intent, container);
    add_key(&redo, table, key, cell, &rooms, table_count(table) + !from);
    if (from) leave(&redo, table, from, &nothing, high(word_get(&table->merging)) + 1);
    else if (cell_is_parcel(cell)) redo_store(&redo, &intent->stages[STAGE_VALUE], 0);
    container_redo_commit(&redo, container);
    return TABLE_DONE;
}

enum table_outcome table_insert(struct intent *intent, const struct container *container, const struct table_key *key,
                                const struct cell *cell, struct table_need *need)
{
    uint32_t units = UINT32_MAX;

    return add(intent, container, key, cell, NULL, &units, need);
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

static const _Atomic uint64_t *slot_of(const struct table_spot *spot)
{
    const _Atomic uint64_t *slot = spot->bucket->slots;

    while (low(word_get(slot)) != spot->place) slot++;
    return slot;
}

/* A key that is there: its value comes into the stage if it is a parcel, or in the place of that of `from`. */
static void take_away(struct intent *intent, const struct container *container, const struct table_spot *spot,
                      struct table_record *from)
{
    struct table *table = table_of(container);
    struct table_record *record = spot->record;
    struct cell cell = table_cell(record);
    uint32_t units = high(word_get(&record->before)), count = table_count(table) - !from;
    _Atomic uint64_t *list = &table->free[list_of(units)];
    struct redo redo = container_redo(intent, container);

    redo_store(&redo, slot_of(spot), 0);
    take_out(&redo, table, record);
    redo_store(&redo, &record->before, both(low(word_get(list)), units));
    redo_store(&redo, list, spot->place);
    redo_store(&redo, &table->used, both(low(word_get(&table->used)), count));
    if (from) leave(&redo, table, from, &cell, high(word_get(&table->merging)) - 1);
    else if (cell_is_parcel(&cell)) redo_store(&redo, &intent->stages[STAGE_VALUE], cell.word);
    container_redo_commit(&redo, container);
}

void table_remove(struct intent *intent, const struct container *container, const struct table_spot *spot)
{
    take_away(intent, container, spot, NULL);
}

/* ---- many at once -------------------------------------------------------------------------------------- */

/*
 * A step of many keys is a table of its own, which is published by one list: it becomes the `pending` one, and the
 * version is odd until all of it is merged. Then its keys come or go one after the other, each by one list, in which
 * `merging` goes on to the next one; how many there are is changed at the end, so that who asks for no more needs no
 * lock. Whoever takes the lock meanwhile, as the one who began was killed, goes on there. All room that can be needed
 * is there before; but a bucket that would be split stays as it is if there is none for that.
 *
 * A value that is replaced, or goes, takes a place in the pending table, and goes with it: so if one of the tables
 * has parcels, both may have.
 */

static void merge_one(struct intent *intent, const struct container *container, struct table_record *from,
                      enum table_merging how, uint32_t *spare)
{
    struct table *table = table_of(container);
    struct cell cell = table_cell(from), old;
    enum table_outcome outcome = TABLE_DONE;
    struct table_spot spot;
    struct table_need need;
    struct table_key key;
    struct redo redo;
    bool found;

    cell_set(&old, MPROC_TYPE_NIL, 0);
    *spare += TABLE_SPARE;
    table_key_of(from, &key);
    found = table_find(container, container_version(container), &key, &spot) == TABLE_DONE;
    if (!found && how != TABLE_SUBTRACT) {
        outcome = add(intent, container, &key, &cell, from, spare, &need);
    } else if (found && how != TABLE_MERGE) {
        take_away(intent, container, &spot, from);
    } else {
        redo = container_redo(intent, container);
        if (found) {
            old = table_cell(spot.record);
            redo_store(&redo, &spot.record->head, cell_head(&cell));
            redo_store(&redo, &spot.record->word, cell.word);
        }
        leave(&redo, table, from, &old, high(word_get(&table->merging)));
        container_redo_commit(&redo, container);
    }
    assert(outcome == TABLE_DONE);
    (void)outcome;
    intent_restart(intent);
}

/* Under the lock, which it releases, of a container whose version is odd. */
static void merge_rest(struct intent *intent, struct container *container)
{
    _Atomic uint64_t *stage = &container_nested()->stages[STAGE_OTHER];
    struct table *table = table_of(container);
    const struct table *pending = arena_at(word_get(&table->pending));
    enum table_merging how = (enum table_merging)word_get(&pending->merging);
    struct redo redo = redo_begin(intent);
    uint32_t place, spare = 0;
    uint64_t used;

    while ((place = low(word_get(&table->merging))) != 0)
        merge_one(intent, container, table_at(pending, place), how, &spare);
    used = word_get(&table->used);
    redo_store(&redo, stage, arena_offset(pending));
    redo_store(&redo, &table->pending, 0);
    redo_store(&redo, &table->used, both(low(used), high(used) + high(word_get(&table->merging))));
    redo_store(&redo, &table->merging, 0);
    redo_store(&redo, &container->version, word_get(&container->version) + 1);
    redo_commit(&redo);
    container_unlock(intent, container);
    object_drop(intent, stage);
}

/* Others may have the lock meanwhile, and leave it in the same way. */
void table_finish(struct intent *intent, uint64_t container)
{
    struct container *container_ = (struct container *)arena_at(container);

    do {
        merge_rest(intent, container_);
        object_lock(intent, container, &container_->lock);
    } while (container_version(container_) % 2 == 1);
}

mproc_status table_merge(struct container *container, struct container *from, enum table_merging how)
{
    struct table_load load = table_load_of(table_of(from));
    struct redo redo = redo_begin(work_intent());
    struct table_need need;
    bool provided = false;
    mproc_status status;

    if (load.keys == 0) return MPROC_OK;
    container_lock(container);
    while (how != TABLE_SUBTRACT && !table_has_room(table_of(container), &load, &need)) {
        container_unlock(redo.intent, container);
        if ((status = table_provide(container, &need)) != MPROC_OK) return status;
        provided = true;
        container_lock(container);
    }
    if (word_get(&table_of(container)->parcels)) word_set(&table_of(from)->parcels, 1);
    else word_set(&table_of(container)->parcels, word_get(&table_of(from)->parcels));
    word_set(&table_of(from)->merging, how);
    redo_store(&redo, &container->version, word_get(&container->version) + 1);
    redo_store(&redo, &table_of(container)->merging, low(word_get(&table_of(from)->order)));
    redo_store(&redo, &table_of(container)->pending, word_get(&from->body));
    redo_store(&redo, &from->body, 0);
    redo_commit(&redo);
    intent_restart(redo.intent);
    merge_rest(redo.intent, container);
    for (uint32_t i = 0; provided && i < TABLE_DIRECTORIES; i++) table_give_back(container, i);
    return MPROC_OK;
}
