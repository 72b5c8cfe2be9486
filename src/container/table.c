/* Tables: keys, and finding them; how a table begins and ends. */
#include "container/table.h"

#include "base/map_index.h"

/* ---- begin and end --------------------------------------------------------------------------------- */

/* What is in the record is dropped before its segment is, so that no segment is read that is gone. */
static void drop_values(struct intent *intent, struct table *table)
{
    for (uint32_t place = low(word_get(&table->order)); place;) {
        struct table_record *record = table_at(table, place);
        if (word_get(&record->head) == CELL_PARCEL) object_drop_link(intent, arena_offset(table), &record->word);
        place = high(word_get(&record->hash_next));
    }
    atomic_store(&table->parcels, 0);
}

static void last_dropped(struct intent *intent, uint64_t object)
{
    struct table *table = (struct table *)arena_at(object);

    if (word_get(&table->parcels)) drop_values(intent, table);
    for (int i = 0; i < TABLE_DIRECTORIES; i++) {
        uint64_t at = word_get(&table->directories[i]);
        struct table_directory *all = at ? arena_at(at) : NULL;
        for (uint64_t j = 0; all && j < all->room; j++) block_give(intent, &all->segments[j], 0);
    }
}

const struct object_type table_type = {.name = "a table",
                                       .links = TABLE_DIRECTORIES,
                                       .links_at = offsetof(struct table, directories),
                                       .last_dropped = last_dropped};

static_assert(sizeof(struct table_bucket) == ARENA_LINE, "a bucket is what one look reads");
static_assert(sizeof(struct table) + sizeof(struct block_header) <= 768, "the table of a small dict");

/* Place 0 is none. */
mproc_status table_create(struct intent *intent, _Atomic uint64_t *owned)
{
    mproc_status status = block_take(intent, sizeof(struct table), sizeof(struct table), owned);

    if (status != MPROC_OK) return status;
    word_set(&((struct table *)arena_at(word_get(owned)))->used, 1);
    object_publish(owned, OBJECT_TABLE);
    return MPROC_OK;
}

/* ---- keys ------------------------------------------------------------------------------------------ */

static inline uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9FB21C651E98DF25u;
    return hash ^ hash >> 32;
}

static inline uint64_t word_at(const struct table_key *key, uint32_t index)
{
    uint64_t word;

    if (index + 1 == key->words) return key->last;
    memcpy(&word, key->bytes + index * sizeof word, sizeof word);
    return word;
}

static mproc_status refuse_key(const mproc_value *value)
{
    size_t size;
    mproc_status status = encoding_measure(value, &size);

    if (status != MPROC_OK) return status;
    if (key_is_allowed(value->type))
        return mproc_error(MPROC_INVALID, "a key of %lu bytes: at most %u are possible", (unsigned long)value->count,
                           TABLE_KEY_BYTES_MAX);
    return mproc_error(MPROC_INVALID, "a key is %s: keys are strings, integers, bools or bytes",
                       mproc_type_name((mproc_type)value->type));
}

/* Other families hash otherwise, so that nobody outside can make many keys for one bucket. */
mproc_status table_key_set(struct table_key *key, const mproc_value *value)
{
    uint64_t hash = arena_header->salt ^ value_head(value) * 0x9E3779B97F4A7C15u;
    struct cell cell;
    size_t size;

    if (!key_is_allowed(value->type) || value->count > TABLE_KEY_BYTES_MAX) return refuse_key(value);
    key->head = value_head(value);
    key->bytes = value->as.data;
    if (cell_write_small(&cell, value)) {
        key->words = 1;
        key->last = cell.word;
    } else {
        uint32_t whole = value->count / (uint32_t)sizeof(uint64_t), tail = value->count % (uint32_t)sizeof(uint64_t);
        mproc_status status = encoding_measure(value, &size);
        if (status != MPROC_OK) return status;
        key->words = whole + 1;
        key->last = short_word(key->bytes + whole * sizeof(uint64_t), tail);
    }
    for (uint32_t i = 0; i < key->words; i++) hash = mixed(hash, word_at(key, i));
    key->hash = (uint32_t)(mixed(hash, key->words) >> 16);
    return MPROC_OK;
}

mproc_value table_key_view(const struct table_record *record)
{
    uint64_t head = word_get(&record->key_head) | (uint64_t)VALUE_VIEW << 8;
    mproc_value value;

    memcpy(&value, &head, sizeof head);
    if (value.type < MPROC_TYPE_STRING) value.as.uint64 = word_get(&record->key[0]);
    else value.as.data = (const void *)&record->key[0];
    return value;
}

void table_key_of(const struct table_record *record, struct table_key *key)
{
    key->head = word_get(&record->key_head);
    key->words = high(key->head) / (uint32_t)sizeof(uint64_t) + 1;
    key->bytes = (const unsigned char *)&record->key[0];
    key->last = word_get(&record->key[key->words - 1]);
    key->hash = low(word_get(&record->hash_next));
}

/* ---- finding --------------------------------------------------------------------------------------- */

static enum table_outcome is_key(const struct container *container, uint64_t version,
                                 const struct table_record *record, const struct table_key *key)
{
    if (word_get(&record->key_head) != key->head) return TABLE_ABSENT;
    if (key->words > 1 && container_changed(container, version)) return TABLE_CHANGED;
    for (uint32_t i = 0; i < key->words; i++)
        if (word_get(&record->key[i]) != word_at(key, i)) return TABLE_ABSENT;
    return TABLE_DONE;
}

/* The segment at this index of a directory, which exists if nothing has changed; 0: something has. */
static inline uint64_t segment_in(const struct container *container, uint64_t version, uint64_t directory,
                                  uint32_t segment)
{
    uint64_t at;

    if (container_changed(container, version)) return 0;
    at = word_get(&((const struct table_directory *)arena_at(directory))->segments[segment]);
    return container_changed(container, version) ? 0 : at;
}

static enum table_outcome look_at(const struct container *container, uint64_t version, uint64_t records,
                                  const struct table_key *key, uint32_t place, struct table_spot *spot)
{
    uint32_t first, segment = table_segment_of_unit(place, &first);
    uint64_t at = segment_in(container, version, records, segment);

    if (!at) return TABLE_CHANGED;
    spot->record = (struct table_record *)(void *)((_Atomic uint64_t *)arena_at(at) + (place - first));
    return is_key(container, version, spot->record, key);
}

/*
 * The table is read as it is, without trust: each offset is used only while the version says that it is one. What a
 * split has left in the bucket is not taken for another key, as the keys are compared.
 */
enum table_outcome table_find(const struct container *container, uint64_t version, const struct table_key *key,
                              struct table_spot *spot)
{
    const struct table *table = table_of(container);
    uint64_t buckets, directory, records, at;
    struct table_bucket *bucket;
    uint32_t first, segment, index, link;

    if (container_changed(container, version)) return TABLE_CHANGED;
    buckets = word_get(&table->buckets);
    directory = word_get(&table->directories[TABLE_BUCKETS]);
    records = word_get(&table->directories[TABLE_RECORDS]);
    if (container_changed(container, version)) return TABLE_CHANGED;
    if (low(buckets) == 0) return TABLE_ABSENT;
    index = table_bucket_of(key->hash, buckets);
    segment = table_segment_of_bucket(index, &first);
    if (!(at = segment_in(container, version, directory, segment))) return TABLE_CHANGED;
    bucket = table_bucket_in(at, index - first);
    for (;;) {
        for (int i = 0; i < TABLE_SLOTS; i++) {
            uint64_t slot = word_get(&bucket->slots[i]);
            enum table_outcome outcome;
            if (high(slot) != key->hash || low(slot) == 0) continue;
            spot->slot = &bucket->slots[i];
            outcome = look_at(container, version, records, key, low(slot), spot);
            if (outcome != TABLE_ABSENT) return outcome;
        }
        link = low(word_get(&bucket->link));
        if (container_changed(container, version)) return TABLE_CHANGED;
        if (link == 0) return TABLE_ABSENT;
        segment = table_segment_of_unit(link, &first);
        if (!(at = segment_in(container, version, records, segment))) return TABLE_CHANGED;
        bucket = (struct table_bucket *)(void *)((_Atomic uint64_t *)arena_at(at) + (link - first));
    }
}
