/*
 * Keys of maps: their order, and finding one of them. The order has no meaning but to be found by: types by number,
 * then counts, then numbers and short strings as 64-bit words, longer ones byte by byte.
 */
#ifndef MPROC_BASE_MAP_INDEX_H
#define MPROC_BASE_MAP_INDEX_H

#include "base/encoding.h"

/* Whether a type can be a key: all that is the same wherever it is compared. Doubles are not. */
static inline bool key_is_allowed(uint32_t type)
{
    const unsigned allowed = 1u << MPROC_TYPE_BOOL | 1u << MPROC_TYPE_INT64 | 1u << MPROC_TYPE_UINT64 |
                             1u << MPROC_TYPE_STRING | 1u << MPROC_TYPE_BYTES;

    return type <= MPROC_TYPE_BYTES && (allowed >> type & 1u) != 0;
}

/* Whether a map's keys can be looked through: of an encoding, and few. */
static inline bool map_is_scanned(mproc_value map)
{
    return map.type == MPROC_TYPE_MAP && map.form & VALUE_IS_VIEW && map.count <= MAP_SCANNED_MAX;
}

/*
 * Looks for a key without a payload among few pairs: the first 16 bytes say it all. NULL: it is not there. Most keys
 * are short names in small maps, so this is done without detours.
 */
static inline const struct cell *pairs_scan(const struct cell *pairs, uint32_t count, uint64_t head, uint64_t word)
{
    for (const struct cell *at = pairs, *end = pairs + 2 * (size_t)count; at < end; at += 2)
        if (at->word == word && cell_head(at) == head) return at;
    return NULL;
}

/* Negative, 0 or positive, of two cells that can be keys. */
int key_compare(const struct cell *left, const struct cell *right);

/* The number of a pair before `number` that has the same key, or `number`: for keys with a payload. */
uint32_t key_before(const struct cell *pairs, uint32_t number);

static inline bool has_payload(uint32_t type, uint32_t count)
{
    return count > SHORT_BYTES_MAX && (type == MPROC_TYPE_STRING || type == MPROC_TYPE_BYTES);
}

/*
 * The number of a pair of a map, of at most MAP_SCANNED_MAX, whose key is there before; 0: there is none. As above,
 * without detours.
 */
static inline uint32_t keys_twice(const struct cell *pairs, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const struct cell *key = &pairs[2 * (size_t)i];
        if (has_payload(key->type, key->count) ? key_before(pairs, i) < i
                                               : pairs_scan(pairs, i, cell_head(key), key->word) != NULL)
            return i;
    }
    return 0;
}

/* Writes the index of a map that has one. Returns as keys_twice(). */
uint32_t index_write(const struct cell *pairs, uint32_t count, uint32_t *index);

/* mproc_value_find() for any value, key and form. By value: what has its address taken cannot stay in registers. */
bool map_find(mproc_value map, mproc_value key, mproc_value *value);

#endif
