/* How a map is cut into windows and chunks. */
#include "pool/partition.h"

#include <assert.h>
#include <stdint.h>

#define WINDOW_BYTES ((size_t)2 << 20)
#define WINDOW_BYTES_MAX ((size_t)64 << 20)
#define ITEM_BYTES_MAX ((size_t)64 << 20)
/*
 * Chunks for each worker, where no size is asked for: so many that what one is in when all others have none left is
 * little, whatever the items cost.
 */
#define WORKER_CHUNKS 32
/* Chunks of one window, where it is not its bytes that limit it. */
#define WINDOW_CHUNKS ((size_t)WORDS_MAX)

static mproc_status check_array(const char *what, const void *address, size_t size, size_t count)
{
    if (!address && size > 0)
        return mproc_error(MPROC_INVALID, "%zu %s of %zu bytes at no address", count, what, size);
    if (address && size == 0)
        return mproc_error(MPROC_INVALID, "%zu %s of 0 bytes at %p: pass NULL if there are none", count, what,
                           address);
    if (size > ITEM_BYTES_MAX)
        return mproc_error(MPROC_INVALID, "%s of %zu bytes: at most 64 MiB are possible", what, size);
    return MPROC_OK;
}

/* Sizes that are too large are the business of check_array(). */
static mproc_status check_count(const char *what, size_t size, size_t count)
{
    size_t room = size < ITEM_BYTES_MAX ? size : ITEM_BYTES_MAX;

    if (count <= (size_t)PTRDIFF_MAX / (room > 0 ? room : 1)) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "%zu %s of %zu bytes are more than memory can hold: is the count negative?",
                       count, what, size);
}

mproc_status partition_check_count(const struct map *map, const mproc_map_options *options)
{
    mproc_status status;

    if ((status = check_count("items", map->item_size, map->count)) != MPROC_OK) return status;
    if ((status = check_count("results", map->result_size, map->count)) != MPROC_OK) return status;
    return options->statuses ? check_count("statuses", sizeof(mproc_status), map->count) : MPROC_OK;
}

static size_t lesser(size_t left, size_t right)
{
    return left < right ? left : right;
}

static size_t greater(size_t left, size_t right)
{
    return left > right ? left : right;
}

/* Threads reach all memory, and processes the arena's. */
static bool is_reached(const struct map *map, const void *array, size_t size)
{
    uintptr_t begin = (uintptr_t)array, base = (uintptr_t)arena_header;
    uint64_t reserve = arena_header->reserve;

    if (!array || map->pool->shared->threads) return true;
    return begin >= base && begin - base < reserve && size <= reserve - (begin - base);
}

/* Items that are copied: a window is what fits the caches, or what gives each worker two. */
static void cut_copied(struct map *map)
{
    size_t bytes = (map->copies_items ? map->item_size : 0) + (map->copies_results ? map->result_size : 0);
    size_t workers = atomic_load(&map->pool->shared->limit);

    assert(bytes > 0); /* of what is copied; see check_array() */
    map->window_items = greater(WINDOW_BYTES / bytes, lesser(2 * workers, WINDOW_BYTES_MAX / bytes));
    map->window_items = lesser(greater(map->window_items, 1), map->count);
    map->chunk = lesser(map->chunk, greater(map->window_items / (2 * workers), 1));
    map->window_items = lesser(map->window_items, map->chunk * WINDOW_CHUNKS);
}

/* Workers work in the caller's arrays: a window is a number of chunks. How far one came has 32 bits. */
static void cut_in_place(struct map *map)
{
    map->chunk = lesser(map->chunk, UINT32_MAX);
    map->window_items = map->chunk > map->count / WINDOW_CHUNKS ? map->count : map->chunk * WINDOW_CHUNKS;
}

mproc_status partition_map(struct map *map, const mproc_map_options *options)
{
    size_t shares = (size_t)WORKER_CHUNKS * atomic_load(&map->pool->shared->limit);
    mproc_status status;

    if (!map->item_function && !map->range_function)
        return mproc_error(MPROC_INVALID, "a map needs a function, and was given NULL");
    if (map->count == 0) return MPROC_OK;
    if ((status = check_array("items", map->items, map->item_size, map->count)) != MPROC_OK) return status;
    if ((status = check_array("results", map->results, map->result_size, map->count)) != MPROC_OK) return status;
    if (options->chunk_size > (size_t)PTRDIFF_MAX)
        return mproc_error(MPROC_INVALID, "a chunk of %zu items: is the size negative?", options->chunk_size);
    if ((status = pool_check_retries(options->retries)) != MPROC_OK) return status;
    map->args = options->args;
    map->retries = (uint32_t)options->retries;
    map->stops_at_failure = options->stop_at_failure;
    map->chunk = options->chunk_size ? options->chunk_size : map->count / shares + (map->count % shares != 0);
    map->chunk = lesser(map->chunk, map->count);
    map->copies_items = !is_reached(map, map->items, map->count * map->item_size);
    map->copies_results = !is_reached(map, map->results, map->count * map->result_size);
    map->in_place =
        map->pool->shared->threads || (map->items && !map->copies_items) || (map->results && !map->copies_results);
    if (map->copies_items || map->copies_results) cut_copied(map);
    else cut_in_place(map);
    assert(map->window_items > 0);
    map->windows = map->count / map->window_items + (map->count % map->window_items != 0);
    return MPROC_OK;
}
