/* Tables: their segments, which are made and given back without the lock. */
#include "container/table.h"

/* A directory begins with so many words. */
#define DIRECTORY_ROOM 7u

/* ---- one that is missing ------------------------------------------------------------------------------- */

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
    if (need->directory == TABLE_RECORDS) making.bytes = table_segment_units(need->segment) * TABLE_UNIT;
    else making.bytes = (uint64_t)table_segment_buckets(need->segment) * sizeof(struct table_bucket) + ARENA_LINE;
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
        block_give(intent, stage, 0);
    } while (making.room);
    return MPROC_OK;
}

/* ---- those for many keys ------------------------------------------------------------------------------- */

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

/* Whether there is a segment for each bucket that so many keys more will have. */
static bool has_buckets(const struct table *table, uint64_t keys, struct table_need *need)
{
    uint32_t first, last = table_segment_of_bucket((uint32_t)((table_count(table) + keys) / TABLE_LOAD + 1), &first);

    for (uint32_t i = 0; i <= last; i++) {
        *need = (struct table_need){TABLE_BUCKETS, i};
        if (!table_segment(table, TABLE_BUCKETS, i)) return false;
    }
    return true;
}

struct table_load table_load_of(const struct table *table)
{
    const uint32_t bucket = sizeof(struct table_bucket) / TABLE_UNIT;
    struct table_load load = {table_count(table), 0, bucket};

    for (uint32_t place = low(word_get(&table->order)); place;) {
        const struct table_record *record = table_at(table, place);
        uint32_t units = high(word_get(&record->before));
        load.units += units + bucket + TABLE_SPARE;
        if (units > load.most) load.most = units;
        place = high(word_get(&record->hash_next));
    }
    return load;
}

/* At the end of a segment there may be room that is too small for the next: at worst, for the largest. */
bool table_has_room(const struct table *table, const struct table_load *load, struct table_need *need)
{
    uint32_t place = low(word_get(&table->used)), first, segment = table_segment_of_unit(place, &first);
    uint64_t room = first + table_segment_units(segment) - place, found = 0;

    if (!has_buckets(table, load->keys, need)) return false;
    for (;; room = table_segment_units(++segment)) {
        *need = (struct table_need){TABLE_RECORDS, segment};
        if (!table_segment(table, TABLE_RECORDS, segment)) return false;
        if (room >= load->most) found += room - load->most + 1;
        if (found >= load->units) return true;
    }
}

/* The last segment that there is; at least `least`. */
static uint32_t last_segment(const struct table *table, uint32_t directory, uint32_t least)
{
    uint64_t at = word_get(&table->directories[directory]);
    uint32_t last = at ? (uint32_t)((const struct table_directory *)arena_at(at))->room : 0;

    while (last > least && !table_segment(table, directory, last)) last--;
    return last > least ? last : least;
}

/* One may stay, so that who changes little does not take and give one at each time. */
void table_give_back(struct container *container, uint32_t directory)
{
    _Atomic uint64_t *stage = &work_intent()->stages[STAGE_OTHER];

    for (;;) {
        struct intent *intent = container_lock(container);
        struct table *table = table_of(container);
        uint32_t first,
            kept = 1 + (directory == TABLE_RECORDS ? table_segment_of_unit(low(word_get(&table->used)), &first)
                                                   : table_segment_of_bucket(low(word_get(&table->buckets)), &first));
        uint32_t last = last_segment(table, directory, kept);
        if (last > kept) {
            struct table_directory *all = arena_at(word_get(&table->directories[directory]));
            struct redo redo = container_redo(intent, container);
            redo_store(&redo, stage, word_get(&all->segments[last]));
            redo_store(&redo, &all->segments[last], 0);
            container_redo_commit(&redo, container);
        }
        container_unlock(intent, container);
        if (last == kept) return;
        block_give(intent, stage, 0);
    }
}
