/*
 * Shareable lists (Python: shared_memory.ShareableList): a fixed number of elements in shared memory - nil, bools,
 * integers, doubles, strings and bytes - of which each may be replaced at any time, also by one of another type.
 *
 *     mproc_shareable_list *row;
 *     mproc_check(mproc_shareable_list_create(MPROC_LIST("f1", 2, 3.5), NULL, &row));
 *     mproc_check(mproc_shareable_list_set(row, 1, mproc_int(3)));
 *
 * Whoever reads an element while another process replaces it, or is killed doing so, gets the old one or the new
 * one as a whole. Two that replace the same element at the same time need a lock of the program's: else a string may
 * become a mixture of both. Text keeps its exact bytes: NULs at its end, and characters of any size.
 *
 * How long a list lives, and what its name is good for, <mproc/shared_memory.h> says; what all objects have in
 * common, <mproc/lock.h>.
 */
#ifndef MPROC_SHAREABLE_LIST_H
#define MPROC_SHAREABLE_LIST_H

#include <stddef.h>

#include <mproc/shared_memory.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero in a field is its default. */
typedef struct mproc_shareable_list_options {
    /* As that of shared memory. */
    const char *name;
    /*
     * Each element has room for at least so many bytes of text. Default: 8, and for a string or bytes that are there
     * from the beginning their size and up to 8 bytes more, as in Python.
     */
    size_t text_bytes;
} mproc_shareable_list_options;

/*
 * Creates a list with these elements: `items` is a list of nils, bools, integers, doubles, strings and bytes (Python:
 * ShareableList(sequence)). They are copied. A list of no elements is one.
 *
 * Blocks as mproc_shared_memory_create() does. Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID   `out` is NULL, `items` is no list or has an element that cannot be one, the name cannot be one,
 *                   or `text_bytes` is above MPROC_VALUE_BYTES_MAX
 *   MPROC_EXISTS, MPROC_MISMATCH, MPROC_NO_MEMORY, MPROC_LIMIT, MPROC_PERMISSION, MPROC_TIMEOUT
 *                   as mproc_shared_memory_create()
 */
static inline mproc_status mproc_shareable_list_create(mproc_value items, const mproc_shareable_list_options *options,
                                                       mproc_shareable_list **out);

/* Attaches to the list of that name. Blocks and returns as mproc_shared_memory_attach(). */
MPROC_API mproc_status mproc_shareable_list_attach(const char *name, mproc_shareable_list **out);

/* Drops the reference. NULL is fine. Blocks as mproc_shared_memory_free(). */
MPROC_API void mproc_shareable_list_free(mproc_shareable_list *list);

/* Returns the number of elements (Python: len()). Never blocks. */
MPROC_API size_t mproc_shareable_list_count(const mproc_shareable_list *list);

/*
 * Copies the element at `index` (from 0) to `*value`, which is the caller's: mproc_value_clear(). Does not block.
 * Returns MPROC_OK, or, with `*value` unchanged:
 *   MPROC_INVALID    there is no such element, or `value` is NULL
 *   MPROC_NO_MEMORY  no memory for its text
 *   MPROC_MISMATCH   what lies in the memory is no element, or a string that is not UTF-8: somebody else has written
 *                    there, or two at once have replaced it
 */
MPROC_API mproc_status mproc_shareable_list_get(const mproc_shareable_list *list, size_t index, mproc_value *value);

/*
 * Replaces the element at `index`. Does not block. Returns MPROC_OK, or, with the element unchanged:
 *   MPROC_INVALID    there is no such element, `value` cannot be one, or its text has more bytes than the element has
 *                    room for
 *   MPROC_MISMATCH   as get
 */
MPROC_API mproc_status mproc_shareable_list_set(mproc_shareable_list *list, size_t index, mproc_value value);

/*
 * Writes to `*index` where the first element is that equals `value`, as mproc_value_equal() has it (Python: index()).
 * Does not block. Returns MPROC_OK, or, with `*index` unchanged, MPROC_NOT_FOUND, or as get.
 */
MPROC_API mproc_status mproc_shareable_list_index_of(const mproc_shareable_list *list, mproc_value value,
                                                     size_t *index);

/* Writes to `*count` how many elements equal `value` (Python: count()). Does not block. Returns as get. */
MPROC_API mproc_status mproc_shareable_list_count_of(const mproc_shareable_list *list, mproc_value value,
                                                     size_t *count);

/*
 * Copies all elements as a list to `*items`, which is the caller's: mproc_value_clear(). Each is read by itself,
 * while others may change. Does not block. Returns as get.
 */
MPROC_API mproc_status mproc_shareable_list_items(const mproc_shareable_list *list, mproc_value *items);

/* Returns the name, or NULL if it has none; the text is there until free. Never blocks. */
MPROC_API const char *mproc_shareable_list_name(const mproc_shareable_list *list);

/* Takes the name away. Blocks and returns as mproc_shared_memory_unlink(). */
MPROC_API mproc_status mproc_shareable_list_unlink(mproc_shareable_list *list);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

MPROC_API mproc_status mproc_shareable_list_create_sized(mproc_value items,
                                                         const mproc_shareable_list_options *options,
                                                         size_t options_size, mproc_shareable_list **out);

static inline mproc_status mproc_shareable_list_create(mproc_value items, const mproc_shareable_list_options *options,
                                                       mproc_shareable_list **out)
{
    return mproc_shareable_list_create_sized(items, options, sizeof(mproc_shareable_list_options), out);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_shareable_list_create(mproc_value items, const mproc_shareable_list_options &options,
                                                       mproc_shareable_list **out)
{
    return mproc_shareable_list_create_sized(items, &options, sizeof options, out);
}

/* Elements where they are made, with options of either form. */
template <bool map, class... Kept, class Options>
mproc_status mproc_shareable_list_create(const mproc_values<map, Kept...> &items, const Options &options,
                                         mproc_shareable_list **out)
{
    return mproc_shareable_list_create(items.borrow(), options, out);
}
#endif

#endif
