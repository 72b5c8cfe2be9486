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

/* Each bit of the word changes some of the lower half. */
static inline uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash ^= word;
    hash = (hash ^ hash >> 32) * 0x9FB21C651E98DF25u;
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
    hash = mixed(hash, key->last);
    key->hash = low(hash) ? low(hash) : 1;
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

/* What is read of a table at once, as it was at one moment if nothing has changed since. */
struct view {
    const struct container *container;
    uint64_t version;
    uint64_t buckets;
    uint64_t directories[TABLE_DIRECTORIES];
    uint64_t near[TABLE_DIRECTORIES][TABLE_NEAR];
};

static inline void read_table(struct view *view, const struct container *container, uint64_t version)
{
    const struct table *table = table_of(container);

    view->container = container;
    view->version = version;
    view->buckets = word_get(&table->buckets);
    for (int i = 0; i < TABLE_DIRECTORIES; i++) {
        view->directories[i] = word_get(&table->directories[i]);
        view->near[i][0] = word_get(&table->near[i][0]);
        view->near[i][1] = word_get(&table->near[i][1]);
    }
}

static inline bool is_changed(const struct view *view)
{
    return container_changed(view->container, view->version);
}

/* The segment at this index of a directory, which exists if nothing has changed. False: something has. */
static bool segment_in(const struct view *view, uint64_t directory, uint32_t segment, uint64_t *at)
{
    *at = word_get(&((const struct table_directory *)arena_at(directory))->segments[segment]);
    return !is_changed(view);
}

/* What is at a place. NULL: something has changed. */
static inline void *find_unit(const struct view *view, uint32_t place)
{
    uint32_t first, segment;
    uint64_t at;

    if (place < TABLE_NEAR_UNITS) return table_unit_in(view->near[TABLE_RECORDS][place >= TABLE_FIRST_UNITS], place);
    segment = table_segment_of_unit(place, &first);
    return segment_in(view, view->directories[TABLE_RECORDS], segment, &at) ? table_unit_in(at, place - first) : NULL;
}

static inline struct table_bucket *find_bucket(const struct view *view, uint32_t bucket)
{
    uint32_t first, segment;
    uint64_t at;

    if (bucket < TABLE_NEAR_BUCKETS)
        return table_bucket_in(view->near[TABLE_BUCKETS][bucket >= TABLE_FIRST_BUCKETS], bucket);
    segment = table_segment_of_bucket(bucket, &first);
    return segment_in(view, view->directories[TABLE_BUCKETS], segment, &at) ? table_bucket_in(at, bucket - first)
                                                                           : NULL;
}

static inline enum table_outcome is_key(const struct view *view, const struct table_record *record,
                                        const struct table_key *key)
{
    if (word_get(&record->key_head) != key->head) return TABLE_ABSENT;
    if (key->words > 1 && is_changed(view)) return TABLE_CHANGED;
    for (uint32_t i = 0; i + 1 < key->words; i++)
        if (word_get(&record->key[i]) != word_at(key, i)) return TABLE_ABSENT;
    return word_get(&record->key[key->words - 1]) == key->last ? TABLE_DONE : TABLE_ABSENT;
}

/* Looks at the record of a slot with the key's hash, which was read since the table was. */
static inline enum table_outcome look_at(const struct view *view, const struct table_key *key, uint32_t place,
                                         struct table_spot *spot)
{
    if (is_changed(view)) return TABLE_CHANGED;
    if (!(spot->record = find_unit(view, place))) return TABLE_CHANGED;
    return is_key(view, spot->record, key);
}

/* Where several slots of a bucket have the hash. */
static enum table_outcome look_at_each(const struct view *view, const struct table_key *key,
                                       struct table_bucket *bucket, struct table_spot *spot)
{
    for (int i = 0; i < TABLE_SLOTS; i++) {
        uint64_t slot = word_get(&bucket->slots[i]);
        enum table_outcome outcome;
        if (high(slot) != key->hash) continue;
        spot->slot = &bucket->slots[i];
        outcome = look_at(view, key, low(slot), spot);
        if (outcome != TABLE_ABSENT) return outcome;
    }
    return TABLE_ABSENT;
}

/*
 * In a bucket there is one slot with the hash, or none, but for rare cases. Which of them it is the processor cannot
 * foresee: so all are added up, those that have another hash as zeros, without a jump.
 */
static inline enum table_outcome look_into(const struct view *view, const struct table_key *key,
                                           struct table_bucket *bucket, struct table_spot *spot)
{
    uint32_t places = 0, count = 0, index = 0;

    for (uint32_t i = 0; i < TABLE_SLOTS; i++) {
        uint64_t slot = word_get(&bucket->slots[i]);
        uint32_t same = 0u - (uint32_t)(high(slot) == key->hash);
        places += low(slot) & same;
        index += i & same;
        count += 1u & same;
    }
    if (count == 0) return TABLE_ABSENT;
    if (count > 1) return look_at_each(view, key, bucket, spot);
    spot->slot = &bucket->slots[index];
    return look_at(view, key, places, spot);
}

/*
 * The table is read as it is, without trust: each offset is used only while the version says that it is one. What a
 * split has left in the bucket is not taken for another key, as the keys are compared.
 */
enum table_outcome table_find(const struct container *container, uint64_t version, const struct table_key *key,
                              struct table_spot *spot)
{
    struct table_bucket *bucket;
    struct view view;
    uint32_t link;

    read_table(&view, container, version);
    if (is_changed(&view)) return TABLE_CHANGED;
    if (low(view.buckets) == 0) return TABLE_ABSENT;
    bucket = find_bucket(&view, table_bucket_of(key->hash, view.buckets));
    while (bucket) {
        enum table_outcome outcome = look_into(&view, key, bucket, spot);
        if (outcome != TABLE_ABSENT) return outcome;
        link = low(word_get(&bucket->link));
        if (is_changed(&view)) return TABLE_CHANGED;
        if (link == 0) return TABLE_ABSENT;
        bucket = find_unit(&view, link);
    }
    return TABLE_CHANGED;
}
