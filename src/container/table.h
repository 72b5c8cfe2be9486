/*
 * Tables: keys with their values, in the order in which the keys were added. The body of a dict.
 *
 * A table grows by linear hashing: with each few keys by one bucket, into which some of those of one other go. So no
 * call takes long because the table is large. A bucket is one cache line of slots, {hash, record}; a full one is
 * followed by another. What a split has left in the old bucket is told by its hash, for ever, so tidying up needs no
 * list. Buckets and records lie in segments, which are found by directories.
 *
 * A record's place is counted in units from the first segment; 0 is none. Those that are free are in lists by size.
 * Where the first segments are also stands in the table itself, so that a small one is read without a detour.
 */
#ifndef MPROC_CONTAINER_TABLE_H
#define MPROC_CONTAINER_TABLE_H

#include "arena/size_class.h"
#include "container/container.h"

extern const struct object_type table_type;

#define TABLE_UNIT sizeof(uint64_t)
#define TABLE_KEY_BYTES_MAX 65536u

/* Free records of up to so many units are in lists of exactly their size, others in those of their size class. */
#define TABLE_EXACT 40u
#define TABLE_LISTS 80u

#define TABLE_SLOTS 7

/* So many keys for each bucket, on average. */
#define TABLE_LOAD 4

/* So many units of another bucket a step of many may take for each of its keys, besides those that they may need. */
#define TABLE_SPARE 2

/*
 * A slot is a key's hash, which is not 0, << 32 | the place of its record; 0: free. `link` is the place of the next
 * bucket, or 0.
 */
struct table_bucket {
    _Atomic uint64_t slots[TABLE_SLOTS];
    _Atomic uint64_t link;
};

/*
 *   hash_next   the key's hash | the place of the record behind this one, in order, << 32
 *   before      the place of the record before this one, or of the next free one | units << 32
 *   head, word  the value's cell
 *   key_head    the key's type | count << 32, as in a cell
 *   key         the key's number, or its bytes, zeros behind them
 */
struct table_record {
    _Atomic uint64_t hash_next;
    _Atomic uint64_t before;
    _Atomic uint64_t head;
    _Atomic uint64_t word;
    _Atomic uint64_t key_head;
    _Atomic uint64_t key[];
};

#define TABLE_RECORD_UNITS (sizeof(struct table_record) / TABLE_UNIT)

/* What finds segments. It is replaced by a larger one. */
struct table_directory {
    uint64_t room;
    _Atomic uint64_t segments[];
};

/*
 * All changes by the list, under the container's lock.
 *
 *   directories  of buckets and of records: links
 *   buckets      how many there are | the mask of the hashes << 32
 *   used         units that were ever in use | how many keys there are << 32
 *   order        the place of the first record | the last << 32
 *   parcels      whether a value ever was a parcel: set before it is published
 *   pending      a link: a table with keys that are to come into this one, in one step: see table_merge()
 *   merging      the place there of the next key that comes or goes, or 0 | how many more keys there are then than
 *                `used` says << 32. Of a table that is pending: an enum table_merging
 *   near         of the first segments in each directory: where place 0 would be, if it were one with them
 *   free         the first of each list of free records
 */
enum { TABLE_BUCKETS, TABLE_RECORDS, TABLE_DIRECTORIES };

#define TABLE_NEAR 2

struct table {
    struct object object;
    _Atomic uint64_t directories[TABLE_DIRECTORIES];
    _Atomic uint64_t pending;
    _Atomic uint64_t merging;
    _Atomic uint64_t buckets;
    _Atomic uint64_t used;
    _Atomic uint64_t order;
    _Atomic uint64_t parcels;
    _Atomic uint64_t near[TABLE_DIRECTORIES][TABLE_NEAR];
    _Atomic uint64_t free[TABLE_LISTS];
};

/* A key that is looked for. `words` is how many it has in a record, of which `last` is the last. */
struct table_key {
    uint64_t head;
    uint64_t last;
    const unsigned char *bytes;
    uint32_t words;
    uint32_t hash;
};

/* A segment that is missing. */
struct table_need {
    uint32_t directory;
    uint32_t segment;
};

/* What so many keys take at most: units, in records and buckets of which the largest has `most`. */
struct table_load {
    uint64_t keys;
    uint64_t units;
    uint32_t most;
};

/* Where a key is: a slot of this bucket has the record's place. */
struct table_spot {
    struct table_bucket *bucket;
    struct table_record *record;
    uint32_t place;
};

enum table_outcome { TABLE_DONE, TABLE_ABSENT, TABLE_CHANGED, TABLE_NEEDS };

/* ---- places ------------------------------------------------------------------------------------------- */

/* The segments of records and of buckets grow at first; the first TABLE_NEAR have those before these places. */
#define TABLE_FIRST_UNITS 128u
#define TABLE_NEAR_UNITS 1024u
#define TABLE_FIRST_BUCKETS 32u
#define TABLE_NEAR_BUCKETS 512u

/* `*first` is what is in front of the segment. */
static inline uint32_t table_segment_of_unit(uint32_t unit, uint32_t *first)
{
    if (unit >= 32768) return *first = unit & ~32767u, 3 + (unit >> 15);
    if (unit >= 8192) return *first = 8192, 3;
    if (unit >= TABLE_NEAR_UNITS) return *first = TABLE_NEAR_UNITS, 2;
    return *first = unit < TABLE_FIRST_UNITS ? 0 : TABLE_FIRST_UNITS, unit >= TABLE_FIRST_UNITS;
}

static inline uint32_t table_segment_of_bucket(uint32_t bucket, uint32_t *first)
{
    if (bucket >= 4096) return *first = bucket & ~4095u, 2 + (bucket >> 12);
    if (bucket >= TABLE_NEAR_BUCKETS) return *first = TABLE_NEAR_BUCKETS, 2;
    return *first = bucket < TABLE_FIRST_BUCKETS ? 0 : TABLE_FIRST_BUCKETS, bucket >= TABLE_FIRST_BUCKETS;
}

/* How many units a segment of records has. Its block has a header, and fills whole pages. */
static inline uint32_t table_segment_units(uint32_t segment)
{
    static const uint32_t first[] = {0, TABLE_FIRST_UNITS, TABLE_NEAR_UNITS, 8192, 32768};
    uint32_t units = segment < 4 ? first[segment + 1] - first[segment] : 32768;

    return units - (uint32_t)(sizeof(struct block_header) / TABLE_UNIT);
}

static inline uint32_t table_segment_buckets(uint32_t segment)
{
    static const uint32_t first[] = {0, TABLE_FIRST_BUCKETS, TABLE_NEAR_BUCKETS, 4096};

    return segment < 3 ? first[segment + 1] - first[segment] : 4096;
}

/* What is at a place, counted from `base`: where a segment begins, or what `near` says. */
static inline void *table_unit_in(uint64_t base, uint32_t place)
{
    return arena_at(base + place * TABLE_UNIT);
}

static inline struct table_bucket *table_bucket_in(uint64_t base, uint32_t bucket)
{
    uint64_t line = (base + ARENA_LINE - 1) & ~(uint64_t)(ARENA_LINE - 1);

    return (struct table_bucket *)arena_at(line + bucket * sizeof(struct table_bucket));
}

static inline uint32_t table_bucket_of(uint32_t hash, uint64_t buckets)
{
    uint32_t mask = (uint32_t)(buckets >> 32), bucket = hash & mask;

    return bucket < (uint32_t)buckets ? bucket : bucket & mask >> 1;
}

static inline uint32_t table_count(const struct table *table)
{
    return (uint32_t)(word_get(&table->used) >> 32);
}

/* The segment that is in the directory, or 0. Under the lock. */
static inline uint64_t table_segment(const struct table *table, uint32_t directory, uint32_t segment)
{
    uint64_t at = word_get(&table->directories[directory]);
    const struct table_directory *all = at ? arena_at(at) : NULL;

    return all && segment < all->room ? word_get(&all->segments[segment]) : 0;
}

/* Under the lock: the record, or the bucket, at this place. */
static inline void *table_at(const struct table *table, uint32_t place)
{
    uint32_t first, segment;

    if (place < TABLE_NEAR_UNITS)
        return table_unit_in(word_get(&table->near[TABLE_RECORDS][place >= TABLE_FIRST_UNITS]), place);
    segment = table_segment_of_unit(place, &first);
    return table_unit_in(table_segment(table, TABLE_RECORDS, segment), place - first);
}

static inline struct table_bucket *table_bucket_at(const struct table *table, uint32_t bucket)
{
    uint32_t first, segment;

    if (bucket < TABLE_NEAR_BUCKETS)
        return table_bucket_in(word_get(&table->near[TABLE_BUCKETS][bucket >= TABLE_FIRST_BUCKETS]), bucket);
    segment = table_segment_of_bucket(bucket, &first);
    return table_bucket_in(table_segment(table, TABLE_BUCKETS, segment), bucket - first);
}

/* Under the lock. */
static inline struct table *table_of(const struct container *container)
{
    return (struct table *)arena_at(word_get(&container->body));
}

/* ---- what is done -------------------------------------------------------------------------------------- */

/* Makes an empty table in the empty owned slot. MPROC_NO_MEMORY. */
mproc_status table_create(struct intent *intent, _Atomic uint64_t *owned);

/* MPROC_INVALID: the value cannot be a key. */
mproc_status table_key_set(struct table_key *key, const mproc_value *value);

/*
 * Looks for a key: under the lock, or with the version as it was before. TABLE_DONE, TABLE_ABSENT, or, without the
 * lock, TABLE_CHANGED: somebody changes the container, look again.
 */
enum table_outcome table_find(const struct container *container, uint64_t version, const struct table_key *key,
                              struct table_spot *spot);

/* The key of a record, as a view. Under the lock. */
mproc_value table_key_view(const struct table_record *record);

/* The same as a key that is looked for elsewhere, while the record is there. */
void table_key_of(const struct table_record *record, struct table_key *key);

static inline struct cell table_cell(const struct table_record *record)
{
    struct cell cell;

    cell_set(&cell, word_get(&record->head), word_get(&record->word));
    return cell;
}

/*
 * Under the lock: another value for a key that is there, whose cell is in the intent's stage if it is a parcel; the
 * old one comes there.
 */
void table_replace(struct intent *intent, const struct container *container, struct table_record *record,
                   const struct cell *cell);

/* The same for a key that is not there. TABLE_DONE, or TABLE_NEEDS, with nothing changed. */
enum table_outcome table_insert(struct intent *intent, const struct container *container, const struct table_key *key,
                                const struct cell *cell, struct table_need *need);

/* Under the lock: takes out a key, whose value comes into the stage if it is a parcel. */
void table_remove(struct intent *intent, const struct container *container, const struct table_spot *spot);

/* Without the lock: sees to the segment that an insertion needs. MPROC_NO_MEMORY. */
mproc_status table_provide(struct container *container, const struct table_need *need);

/* The same for so many keys whose records have so many units. There may be need of more nevertheless. */
mproc_status table_reserve(struct container *container, uint32_t units, uint32_t keys);

/* Of a table that this thread alone has, and which never had a parcel: takes all out, and keeps the segments. */
void table_empty(struct table *table);

/* Of a table that is to be merged with another: what its keys take there at worst, each a record and a bucket. */
struct table_load table_load_of(const struct table *table);

/* Under the lock: whether so much can be added. False: first a segment is needed. */
bool table_has_room(const struct table *table, const struct table_load *load, struct table_need *need);

/* Without the lock: gives back the segments that are not in use, but for one. */
void table_give_back(struct container *container, uint32_t directory);

/*
 * What becomes of the keys of another container. MERGE: they are added, or get its values; SUBTRACT: they go; TOGGLE:
 * they are added, or go.
 */
enum table_merging { TABLE_MERGE, TABLE_SUBTRACT, TABLE_TOGGLE };

/*
 * Without the lock: does that with all of them, in one step. Nobody else has the other one, which has no body
 * afterwards. MPROC_NO_MEMORY: nothing was changed.
 */
mproc_status table_merge(struct container *container, struct container *from, enum table_merging how);
void table_finish(struct intent *intent, uint64_t container);

#endif
