/*
 * Sets: elements that all processes of a family share, each of them once (Python 3.14: Manager().set(), without the
 * manager's process in between).
 *
 *     mproc_set *seen;
 *     mproc_check(mproc_set_create(mproc_nil(), &seen));
 *     mproc_check(mproc_process_create(crawl, MPROC_ARGS(seen), NULL, &child));
 *     mproc_check(mproc_set_add(seen, MPROC_VALUE(url), &is_new));
 *     if (is_new) ...
 *
 * A set is a dict that has keys alone, and what <mproc/dict.h> says of dicts is true for it. So an element is what
 * may be a key: a bool, an integer, a string or bytes, of at most MPROC_DICT_KEY_BYTES_MAX; type by type, so 1 is not
 * true. Elements have the order in which they came.
 *
 * `other` is, for all functions that take one: a list, a map, of which the keys count, or mproc_nil(), which is none;
 * an element may be there twice. Or it is another set, MPROC_VALUE(set), or a dict, of which the keys count.
 *
 * Each call is one step: others see the set as it was before or as it is after. Whoever is killed in the middle of
 * one has done all of it or nothing, and nobody waits for the dead. Of two sets the other one is taken as it is at
 * one moment of the call.
 */
#ifndef MPROC_SET_H
#define MPROC_SET_H

#include <stdbool.h>
#include <stddef.h>

#include <mproc/dict.h>
#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_set mproc_set;

/*
 * Creates a set with copies of the elements of `other` (Python: set(iterable)); mproc_nil(): an empty one. Does not
 * block.
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    `out` is NULL, or `other` is something else, or what is in it cannot be an element
 *   MPROC_CLOSED     the other set has been freed
 *   MPROC_NO_MEMORY  the family's shared memory, or this process, has no room
 *   MPROC_FORKED     the family is that of another process, of which this one is a fork() copy
 */
MPROC_API mproc_status mproc_set_create(mproc_value other, mproc_set **out);

/* Drops this process' reference; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_set_free(mproc_set *set);

/* ---- one element ----------------------------------------------------------------------------------- */

/*
 * Adds the element, if it is not there (Python: add()). `*is_new` (unless it is NULL) is whether it was not: so of
 * all who add the same one is told so. Does not block.
 *
 * Returns MPROC_OK, or, with the set and `*is_new` unchanged:
 *   MPROC_INVALID    it cannot be an element
 *   MPROC_NO_MEMORY  the family's shared memory has no room
 *   MPROC_FORKED     as mproc_set_create()
 */
static inline mproc_status mproc_set_add(mproc_set *set, mproc_value element, bool *is_new);

/* Takes the element out, if it is there (Python: discard()). Does not block. Returns as mproc_set_add(). */
static inline mproc_status mproc_set_discard(mproc_set *set, mproc_value element);

/*
 * Takes the element out (Python: remove()). Does not block. Returns as mproc_set_add(), and MPROC_NOT_FOUND: it is
 * not there (Python: KeyError).
 */
static inline mproc_status mproc_set_remove(mproc_set *set, mproc_value element);

/* Returns whether it is there (Python: element in set); false also for what cannot be one. Does not block. */
static inline bool mproc_set_has(const mproc_set *set, mproc_value element);

/*
 * Takes out the element that came last, and writes it to `*element`, which is the caller's: mproc_value_clear()
 * (Python: pop(), which takes any). Does not block. Returns MPROC_OK, or, with the set and `*element` unchanged:
 *   MPROC_NOT_FOUND  the set is empty
 *   other statuses   as mproc_set_add()
 */
MPROC_NODISCARD static inline mproc_status mproc_set_pop(mproc_set *set, mproc_value *element);

/* ---- the whole ------------------------------------------------------------------------------------- */

/* Returns how many elements there are (Python: len()). Does not block. */
static inline size_t mproc_set_count(const mproc_set *set);

/* Takes all elements out (Python: clear()). Blocks and returns as mproc_dict_clear(). */
static inline mproc_status mproc_set_clear(mproc_set *set);

/*
 * Copies the whole, as it is at one moment, to `*copy`: a list, in the order in which the elements came, which is the
 * caller's: mproc_value_clear() (Python: copy()). A loop over a set is one over its copy. Blocks and returns as
 * mproc_dict_copy().
 */
MPROC_NODISCARD static inline mproc_status mproc_set_copy(const mproc_set *set, mproc_value *copy);

/*
 * Writes what Python's print(set) would say to `*text`, a string, which is the caller's: mproc_value_clear(). That is
 * "{1, 'a'}", or "set()"; elements are printed as by mproc_value_print(). Blocks and returns as mproc_dict_copy().
 */
MPROC_NODISCARD static inline mproc_status mproc_set_text(const mproc_set *set, mproc_value *text);

/* ---- with another ---------------------------------------------------------------------------------- */

/*
 * Adds all elements of the other (Python: update(), set |= other).
 *
 * Does not block, but takes as long as copying the other; whoever uses the set at the same time waits for a part of
 * that. Returns as mproc_set_create(), with the set unchanged.
 */
static inline mproc_status mproc_set_update(mproc_set *set, mproc_value other);

/* Takes out what is in the other (Python: set -= other). Blocks and returns as mproc_set_update(). */
static inline mproc_status mproc_set_difference_update(mproc_set *set, mproc_value other);

/* Leaves what is in one of both, and not in both (Python: set ^= other). Blocks and returns as mproc_set_update(). */
static inline mproc_status mproc_set_symmetric_difference_update(mproc_set *set, mproc_value other);

/*
 * Leaves what is in both (Python: set &= other). Takes as long as copying both, and needs memory for what is left;
 * else it blocks and returns as mproc_set_update().
 */
static inline mproc_status mproc_set_intersection_update(mproc_set *set, mproc_value other);

/*
 * Writes what is in one of both, or in both, to `*result`: a list, first those of the set in their order, then the
 * others, which is the caller's: mproc_value_clear() (Python: set | other). A set of it is made by
 * mproc_set_create(). Takes as long as copying both; else it blocks and returns as mproc_set_update(), with `*result`
 * unchanged. MPROC_INVALID: also if `result` is NULL.
 */
MPROC_NODISCARD static inline mproc_status mproc_set_union(const mproc_set *set, mproc_value other,
                                                           mproc_value *result);

/* The same of what is in both (Python: set & other). Blocks and returns as mproc_set_union(). */
MPROC_NODISCARD static inline mproc_status mproc_set_intersection(const mproc_set *set, mproc_value other,
                                                                  mproc_value *result);

/* The same of what is in the set alone (Python: set - other). Blocks and returns as mproc_set_union(). */
MPROC_NODISCARD static inline mproc_status mproc_set_difference(const mproc_set *set, mproc_value other,
                                                                mproc_value *result);

/* The same of what is in one of both alone (Python: set ^ other). Blocks and returns as mproc_set_union(). */
MPROC_NODISCARD static inline mproc_status mproc_set_symmetric_difference(const mproc_set *set, mproc_value other,
                                                                          mproc_value *result);

/*
 * Writes whether no element of the set is in the other to `*answer` (Python: isdisjoint()). Blocks and returns as
 * mproc_set_update(), with `*answer` unchanged.
 */
MPROC_NODISCARD static inline mproc_status mproc_set_is_disjoint(const mproc_set *set, mproc_value other,
                                                                 bool *answer);

/* The same: whether all elements of the set are in the other (Python: set <= other). */
MPROC_NODISCARD static inline mproc_status mproc_set_is_subset(const mproc_set *set, mproc_value other, bool *answer);

/* The same: whether all elements of the other are in the set (Python: set >= other). */
MPROC_NODISCARD static inline mproc_status mproc_set_is_superset(const mproc_set *set, mproc_value other,
                                                                 bool *answer);

/* The same: whether both have the same elements, in any order (Python: set == other). */
MPROC_NODISCARD static inline mproc_status mproc_set_equal(const mproc_set *set, mproc_value other, bool *answer);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

/*
 * Those before MPROC_SET_CLEAR have an element, those from MPROC_SET_UNION on another set. The numbers are those of
 * messages, too, and never change.
 */
enum mproc_set_method {
    MPROC_SET_ADD = 1,
    MPROC_SET_DISCARD = 2,
    MPROC_SET_REMOVE = 3,
    MPROC_SET_HAS = 4,
    MPROC_SET_CLEAR = 32,
    MPROC_SET_COPY = 33,
    MPROC_SET_POP = 34,
    MPROC_SET_TEXT = 35,
    MPROC_SET_COUNT = 36,
    MPROC_SET_UNION = 64,
    MPROC_SET_INTERSECTION = 65,
    MPROC_SET_DIFFERENCE = 66,
    MPROC_SET_SYMMETRIC_DIFFERENCE = 67,
    MPROC_SET_UPDATE = 80,
    MPROC_SET_INTERSECTION_UPDATE = 81,
    MPROC_SET_DIFFERENCE_UPDATE = 82,
    MPROC_SET_SYMMETRIC_DIFFERENCE_UPDATE = 83,
    MPROC_SET_IS_DISJOINT = 96,
    MPROC_SET_IS_SUBSET = 97,
    MPROC_SET_IS_SUPERSET = 98,
    MPROC_SET_EQUAL = 99
};

/* One call, wherever the set is. `value` is the element, or the other. */
MPROC_NODISCARD MPROC_API mproc_status mproc_set_call(const mproc_set *set, enum mproc_set_method method,
                                                      const mproc_value *value, mproc_value *result);

static inline mproc_status mproc_set_add(mproc_set *set, mproc_value element, bool *is_new)
{
    mproc_value result = mproc_nil();
    mproc_status status = mproc_set_call(set, MPROC_SET_ADD, &element, &result);

    if (status == MPROC_OK && is_new) *is_new = mproc_value_bool(result);
    return status;
}

static inline mproc_status mproc_set_discard(mproc_set *set, mproc_value element)
{
    return mproc_set_call(set, MPROC_SET_DISCARD, &element, NULL);
}

static inline mproc_status mproc_set_remove(mproc_set *set, mproc_value element)
{
    return mproc_set_call(set, MPROC_SET_REMOVE, &element, NULL);
}

static inline bool mproc_set_has(const mproc_set *set, mproc_value element)
{
    return mproc_set_call(set, MPROC_SET_HAS, &element, NULL) == MPROC_OK;
}

static inline mproc_status mproc_set_pop(mproc_set *set, mproc_value *element)
{
    return mproc_set_call(set, MPROC_SET_POP, NULL, element);
}

static inline size_t mproc_set_count(const mproc_set *set)
{
    mproc_value result = mproc_nil();

    return mproc_set_call(set, MPROC_SET_COUNT, NULL, &result) == MPROC_OK
               ? MPROC_CAST_(size_t, mproc_value_uint(result))
               : 0;
}

static inline mproc_status mproc_set_clear(mproc_set *set)
{
    return mproc_set_call(set, MPROC_SET_CLEAR, NULL, NULL);
}

static inline mproc_status mproc_set_copy(const mproc_set *set, mproc_value *copy)
{
    return mproc_set_call(set, MPROC_SET_COPY, NULL, copy);
}

static inline mproc_status mproc_set_text(const mproc_set *set, mproc_value *text)
{
    return mproc_set_call(set, MPROC_SET_TEXT, NULL, text);
}

static inline mproc_status mproc_set_update(mproc_set *set, mproc_value other)
{
    return mproc_set_call(set, MPROC_SET_UPDATE, &other, NULL);
}

static inline mproc_status mproc_set_intersection_update(mproc_set *set, mproc_value other)
{
    return mproc_set_call(set, MPROC_SET_INTERSECTION_UPDATE, &other, NULL);
}

static inline mproc_status mproc_set_difference_update(mproc_set *set, mproc_value other)
{
    return mproc_set_call(set, MPROC_SET_DIFFERENCE_UPDATE, &other, NULL);
}

static inline mproc_status mproc_set_symmetric_difference_update(mproc_set *set, mproc_value other)
{
    return mproc_set_call(set, MPROC_SET_SYMMETRIC_DIFFERENCE_UPDATE, &other, NULL);
}

static inline mproc_status mproc_set_union(const mproc_set *set, mproc_value other, mproc_value *result)
{
    return mproc_set_call(set, MPROC_SET_UNION, &other, result);
}

static inline mproc_status mproc_set_intersection(const mproc_set *set, mproc_value other, mproc_value *result)
{
    return mproc_set_call(set, MPROC_SET_INTERSECTION, &other, result);
}

static inline mproc_status mproc_set_difference(const mproc_set *set, mproc_value other, mproc_value *result)
{
    return mproc_set_call(set, MPROC_SET_DIFFERENCE, &other, result);
}

static inline mproc_status mproc_set_symmetric_difference(const mproc_set *set, mproc_value other,
                                                          mproc_value *result)
{
    return mproc_set_call(set, MPROC_SET_SYMMETRIC_DIFFERENCE, &other, result);
}

static inline mproc_status mproc_set_ask_(const mproc_set *set, enum mproc_set_method method, mproc_value other,
                                          bool *answer)
{
    mproc_value result = mproc_nil();
    mproc_status status = mproc_set_call(set, method, &other, &result);

    if (status == MPROC_OK && answer) *answer = mproc_value_bool(result);
    return status;
}

static inline mproc_status mproc_set_is_disjoint(const mproc_set *set, mproc_value other, bool *answer)
{
    return mproc_set_ask_(set, MPROC_SET_IS_DISJOINT, other, answer);
}

static inline mproc_status mproc_set_is_subset(const mproc_set *set, mproc_value other, bool *answer)
{
    return mproc_set_ask_(set, MPROC_SET_IS_SUBSET, other, answer);
}

static inline mproc_status mproc_set_is_superset(const mproc_set *set, mproc_value other, bool *answer)
{
    return mproc_set_ask_(set, MPROC_SET_IS_SUPERSET, other, answer);
}

static inline mproc_status mproc_set_equal(const mproc_set *set, mproc_value other, bool *answer)
{
    return mproc_set_ask_(set, MPROC_SET_EQUAL, other, answer);
}

#ifdef __cplusplus
}

/* Lists and maps where they are made. */
#define MPROC_SET_TAKES(function, set_type, last_type)                                             \
    template <bool map, class... Kept>                                                             \
    mproc_status function(set_type *set, const mproc_values<map, Kept...> &other, last_type *last) \
    {                                                                                              \
        return function(set, other.borrow(), last);                                                \
    }

#define MPROC_SET_IS_CHANGED_BY(function)                                          \
    template <bool map, class... Kept>                                             \
    mproc_status function(mproc_set *set, const mproc_values<map, Kept...> &other) \
    {                                                                              \
        return function(set, other.borrow());                                      \
    }

MPROC_SET_IS_CHANGED_BY(mproc_set_update)
MPROC_SET_IS_CHANGED_BY(mproc_set_intersection_update)
MPROC_SET_IS_CHANGED_BY(mproc_set_difference_update)
MPROC_SET_IS_CHANGED_BY(mproc_set_symmetric_difference_update)
MPROC_SET_TAKES(mproc_set_union, const mproc_set, mproc_value)
MPROC_SET_TAKES(mproc_set_intersection, const mproc_set, mproc_value)
MPROC_SET_TAKES(mproc_set_difference, const mproc_set, mproc_value)
MPROC_SET_TAKES(mproc_set_symmetric_difference, const mproc_set, mproc_value)
MPROC_SET_TAKES(mproc_set_is_disjoint, const mproc_set, bool)
MPROC_SET_TAKES(mproc_set_is_subset, const mproc_set, bool)
MPROC_SET_TAKES(mproc_set_is_superset, const mproc_set, bool)
MPROC_SET_TAKES(mproc_set_equal, const mproc_set, bool)
#undef MPROC_SET_TAKES
#undef MPROC_SET_IS_CHANGED_BY

template <bool map, class... Kept>
mproc_status mproc_set_create(const mproc_values<map, Kept...> &other, mproc_set **out)
{
    return mproc_set_create(other.borrow(), out);
}
#endif

#endif
