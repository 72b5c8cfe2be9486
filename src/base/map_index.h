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

/*
 * Looks for a key without a payload among few pairs: the first 16 bytes say it all. NULL: it is not there. Most keys
 * are short names in small maps, so this is done without detours.
 */
static inline const struct cell *pairs_scan(const struct cell *pairs, uint32_t count, mproc_value key)
{
    bool text = key.type == MPROC_TYPE_STRING || key.type == MPROC_TYPE_BYTES;
    uint64_t head = key.type | (uint64_t)key.count << 32;
    uint64_t word = text ? short_word((const unsigned char *)key.as.data, key.count) : key.as.uint64;

    for (const struct cell *at = pairs; count > 0; count--, at += 2)
        if (cell_head(at) == head && at->word == word) return at;
    return NULL;
}

/* Negative, 0 or positive, of two cells that can be keys. */
int key_compare(const struct cell *left, const struct cell *right);

/*
 * Whether no two keys of a map of at most MAP_SCANNED_MAX pairs are equal; if two are, `*twice` is the later one's
 * number.
 */
bool keys_differ(const struct cell *pairs, uint32_t count, uint32_t *twice);

/* Writes the index of a map that has one. False: two keys are equal, see keys_differ(). */
bool index_write(const struct cell *pairs, uint32_t count, uint32_t *index, uint32_t *twice);

/* mproc_value_find() for any value, key and form. By value: what has its address taken cannot stay in registers. */
bool map_find(mproc_value map, mproc_value key, mproc_value *value);

#endif
