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
                                       .links = TABLE_DIRECTORIES + 1,
                                       .links_at = offsetof(struct table, directories),
                                       .finish = table_finish,
                                       .last_dropped = last_dropped};

static_assert(offsetof(struct table, pending) ==
                  offsetof(struct table, directories) + sizeof(uint64_t[TABLE_DIRECTORIES]),
              "the links are one row");
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

void table_empty(struct table *table)
{
    word_set(&table->buckets, 0);
    word_set(&table->used, 1);
    word_set(&table->order, 0);
    for (int i = 0; i < (int)TABLE_LISTS; i++) word_set(&table->free[i], 0);
}

/* ---- keys ------------------------------------------------------------------------------------------ */

static inline uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9FB21C651E98DF25u;
    return hash ^ hash >> 32;
}

/* Buckets go by the lower bits, which without a second product were alike for keys that count up. */
static inline uint32_t hash_end(uint64_t hash)
{
    uint32_t end = high(hash * 0xD6E8FEB86659FD93u);

    return end ? end : 1;
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

static mproc_status set_long(struct table_key *key, const mproc_value *value)
{
    uint32_t whole = value->count / (uint32_t)sizeof(uint64_t), tail = value->count % (uint32_t)sizeof(uint64_t);
    size_t size;
    mproc_status status;

    if (!key_is_allowed(value->type) || value->count > TABLE_KEY_BYTES_MAX) return refuse_key(value);
    if ((status = encoding_measure(value, &size)) != MPROC_OK) return status;
    key->words = whole + 1;
    key->last = short_word((const unsigned char *)value->as.data + whole * sizeof(uint64_t), tail);
    return MPROC_OK;
}

/* Who knows the function can make keys that come into one bucket: that takes time, no more. */
mproc_status table_key_set(struct table_key *key, const mproc_value *value)
{
    uint64_t hash = arena_header->salt ^ value_head(value) * 0x9E3779B97F4A7C15u;
    struct cell cell;
    mproc_status status;

    key->head = value_head(value);
    key->bytes = value->as.data;
    key->words = 1;
    if (key_is_allowed(value->type) && cell_write_small(&cell, value)) key->last = cell.word;
    else if ((status = set_long(key, value)) != MPROC_OK) return status;
    for (uint32_t i = 0; i + 1 < key->words; i++) hash = mixed(hash, word_at(key, i));
    key->hash = hash_end(mixed(hash, key->last));
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

/* One look at a table. What was read is as it was at one moment if the version has not changed since. */
struct look {
    const struct container *container;
    uint64_t version;
    const struct table *table;
};

static inline bool is_changed(struct look look)
{
    return container_changed(look.container, look.version);
}

/* The segment at this index of a directory. It is not used before it is known that nothing has changed. */
static inline uint64_t segment_in(struct look look, uint32_t directory, uint32_t segment)
{
    uint64_t at = word_get(&look.table->directories[directory]);

    return is_changed(look) ? 0 : word_get(&((const struct table_directory *)arena_at(at))->segments[segment]);
}

/* What is at a place that was read. NULL: something has changed. In which segment, too, nobody can foresee. */
static inline void *find_unit(struct look look, uint32_t place)
{
    const _Atomic uint64_t *near = look.table->near[TABLE_RECORDS];
    uint32_t first = 0;
    uint64_t base = word_get(&near[0]), next = word_get(&near[1]);

    if (place >= TABLE_FIRST_UNITS) base = next;
    if (place >= TABLE_NEAR_UNITS) base = segment_in(look, TABLE_RECORDS, table_segment_of_unit(place, &first));
    return is_changed(look) ? NULL : table_unit_in(base, place - first);
}

static inline struct table_bucket *find_bucket(struct look look, uint32_t bucket)
{
    const _Atomic uint64_t *near = look.table->near[TABLE_BUCKETS];
    uint32_t first = 0;
    uint64_t base = word_get(&near[0]), next = word_get(&near[1]);

    if (bucket >= TABLE_FIRST_BUCKETS) base = next;
    if (bucket >= TABLE_NEAR_BUCKETS) base = segment_in(look, TABLE_BUCKETS, table_segment_of_bucket(bucket, &first));
    return is_changed(look) ? NULL : table_bucket_in(base, bucket - first);
}

/* Looks at the record of a slot that has the key's hash. */
static inline enum table_outcome look_at(struct look look, const struct table_key *key, uint32_t place,
                                         struct table_spot *spot)
{
    const struct table_record *record = spot->record = find_unit(look, place);

    spot->place = place;
    if (!record) return TABLE_CHANGED;
    if (word_get(&record->key_head) != key->head) return TABLE_ABSENT;
    if (key->words > 1 && is_changed(look)) return TABLE_CHANGED;
    for (uint32_t i = 0; i + 1 < key->words; i++)
        if (word_get(&record->key[i]) != word_at(key, i)) return TABLE_ABSENT;
    return word_get(&record->key[key->words - 1]) == key->last ? TABLE_DONE : TABLE_ABSENT;
}

/* Several slots of the bucket have the hash, and the first one has another key. */
static enum table_outcome look_at_each(struct look look, const struct table_key *key, struct table_spot *spot)
{
    enum table_outcome outcome = TABLE_ABSENT;

    for (int i = 0; i < TABLE_SLOTS && outcome == TABLE_ABSENT; i++) {
        uint64_t slot = word_get(&spot->bucket->slots[i]);
        if (high(slot) == key->hash) outcome = look_at(look, key, low(slot), spot);
    }
    return outcome;
}

/* A slot that has the hash is then its place alone, and any other is more than all places. */
static inline uint64_t without(const struct table_bucket *bucket, int index, uint64_t hash)
{
    return word_get(&bucket->slots[index]) ^ hash;
}

static inline uint64_t lesser(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

static_assert(TABLE_SLOTS == 7, "look_into() looks at each");

/* Which slot it is the processor cannot foresee: so the least of all is taken, without a jump. */
static inline enum table_outcome look_into(struct look look, const struct table_key *key, struct table_spot *spot)
{
    const struct table_bucket *bucket = spot->bucket;
    uint64_t hash = both(0, key->hash);
    uint64_t first = lesser(without(bucket, 0, hash), without(bucket, 1, hash));
    uint64_t second = lesser(without(bucket, 2, hash), without(bucket, 3, hash));
    uint64_t third = lesser(without(bucket, 4, hash), without(bucket, 5, hash));
    uint64_t least = lesser(lesser(first, second), lesser(third, without(bucket, 6, hash)));
    enum table_outcome outcome;

    if (high(least) != 0) return TABLE_ABSENT;
    outcome = look_at(look, key, low(least), spot);
    return outcome == TABLE_ABSENT ? look_at_each(look, key, spot) : outcome;
}

/*
 * The table is read as it is, without trust: each offset is used only while the version says that it is one. What a
 * split has left in the bucket is not taken for another key, as the keys are compared.
 */
enum table_outcome table_find(const struct container *container, uint64_t version, const struct table_key *key,
                              struct table_spot *spot)
{
    struct look look = {container, version, table_of(container)};
    uint64_t buckets = word_get(&look.table->buckets);
    enum table_outcome outcome;
    uint32_t link;

    if (low(buckets) == 0) return is_changed(look) ? TABLE_CHANGED : TABLE_ABSENT;
    spot->bucket = find_bucket(look, table_bucket_of(key->hash, buckets));
    while (spot->bucket) {
        outcome = look_into(look, key, spot);
        if (outcome != TABLE_ABSENT) return outcome;
        link = low(word_get(&spot->bucket->link));
        if (link == 0) return is_changed(look) ? TABLE_CHANGED : TABLE_ABSENT;
        spot->bucket = find_unit(look, link);
    }
    return TABLE_CHANGED;
}
