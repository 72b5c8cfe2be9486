/* Keys of maps: compared, sorted and found. */
#include "base/map_index.h"

#include <string.h>

static const struct cell *key_at(const struct cell *pairs, uint64_t number)
{
    return &pairs[2 * number];
}

static int order(uint64_t left, uint64_t right)
{
    return left < right ? -1 : left > right;
}

int key_compare(const struct cell *left, const struct cell *right)
{
    if (left->type != right->type) return order(left->type, right->type);
    if (left->count != right->count) return order(left->count, right->count);
    if (!has_payload(left->type, left->count)) return order(left->word, right->word);
    return memcmp(cell_payload(left), cell_payload(right), left->count);
}

uint32_t key_before(const struct cell *pairs, uint32_t number)
{
    uint32_t before = 0;

    while (before < number && key_compare(key_at(pairs, before), key_at(pairs, number)) != 0) before++;
    return before;
}

/* Lets the number at `at` sink into the heap below it, of which the greatest key is on top. */
static void sift(const struct cell *pairs, uint32_t *heap, uint64_t at, uint64_t count)
{
    uint32_t number = heap[at];

    for (uint64_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
        if (child + 1 < count && key_compare(key_at(pairs, heap[child]), key_at(pairs, heap[child + 1])) < 0) child++;
        if (key_compare(key_at(pairs, number), key_at(pairs, heap[child])) >= 0) break;
        heap[at] = heap[child];
    }
    heap[at] = number;
}

/* Sorted on the spot: there is no memory but the encoding's own, and no input for which this is slow. */
static void heap_sort(const struct cell *pairs, uint32_t *index, uint32_t count)
{
    for (uint64_t i = count / 2; i > 0; i--) sift(pairs, index, i - 1, count);
    for (uint64_t left = count; left > 1; left--) {
        uint32_t greatest = index[0];
        index[0] = index[left - 1];
        index[left - 1] = greatest;
        sift(pairs, index, 0, left - 1);
    }
}

uint32_t index_write(const struct cell *pairs, uint32_t count, uint32_t *index)
{
    if (count % 2 == 1) index[count] = 0;
    for (uint32_t i = 0; i < count; i++) index[i] = i;
    heap_sort(pairs, index, count);
    for (uint32_t i = 1; i < count; i++)
        if (key_compare(key_at(pairs, index[i - 1]), key_at(pairs, index[i])) == 0)
            return index[i - 1] > index[i] ? index[i - 1] : index[i];
    return 0;
}

/* A key as a cell would hold it; one with a payload has it elsewhere. */
struct probe {
    struct cell cell;
    const void *bytes;
};

static void probe_make(const mproc_value *key, struct probe *probe)
{
    bool is_text = key->type == MPROC_TYPE_STRING || key->type == MPROC_TYPE_BYTES;

    probe->cell = (struct cell){key->type, key->count, is_text ? 0 : key->as.uint64};
    probe->bytes = is_text ? key->as.data : NULL;
    if (is_text && key->count <= SHORT_BYTES_MAX) probe->cell.word = short_word(key->as.data, key->count);
}

static int probe_compare(const struct probe *probe, const struct cell *cell)
{
    if (probe->cell.type != cell->type || probe->cell.count != cell->count || !has_payload(cell->type, cell->count))
        return key_compare(&probe->cell, cell);
    return memcmp(probe->bytes, cell_payload(cell), cell->count);
}

/* Most keys differ in their types or counts already. */
static int64_t scan(const struct cell *pairs, uint32_t count, const struct probe *probe)
{
    uint64_t head = cell_head_of(probe->cell.type, probe->cell.count);

    for (uint32_t i = 0; i < count; i++)
        if (cell_head(key_at(pairs, i)) == head && probe_compare(probe, key_at(pairs, i)) == 0) return i;
    return -1;
}

static int64_t search(const struct cell *pairs, uint32_t count, const struct probe *probe)
{
    const uint32_t *index = (const uint32_t *)(pairs + 2 * (size_t)count);
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int side = probe_compare(probe, key_at(pairs, index[middle]));
        if (side == 0) return index[middle];
        if (side < 0) high = middle;
        else low = middle + 1;
    }
    return -1;
}

static bool same_key(const mproc_value *left, const mproc_value *right)
{
    if (left->type != right->type || left->count != right->count) return false;
    if (left->type != MPROC_TYPE_STRING && left->type != MPROC_TYPE_BYTES) return left->as.uint64 == right->as.uint64;
    return left->count == 0 || memcmp(left->as.data, right->as.data, left->count) == 0;
}

/* A borrowed map has no order to search by. */
static int64_t compare_all(const mproc_value *map, const mproc_value *key)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (same_key(&map->as.items[2 * (size_t)i], key)) return i;
    return -1;
}

bool map_find(mproc_value map, mproc_value key, mproc_value *value)
{
    struct probe probe;
    int64_t pair;

    if (map.type != MPROC_TYPE_MAP || !map.as.data || !key_is_allowed(key.type)) return false;
    if (key.count > 0 && !key.as.data) return false;
    probe_make(&key, &probe);
    if (!(map.form & VALUE_IS_VIEW)) pair = compare_all(&map, &key);
    else if (map.count <= MAP_SCANNED_MAX) pair = scan(map.as.data, map.count, &probe);
    else pair = search(map.as.data, map.count, &probe);
    if (pair >= 0 && value) *value = value_element(&map, 2 * (uint64_t)pair + 1);
    return pair >= 0;
}
