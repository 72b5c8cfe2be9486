/*
 * Lists: values in a row that all processes of a family share (Python: Manager().list(), without the manager's
 * process in between).
 *
 *     mproc_list *list;
 *     mproc_check(mproc_list_create(MPROC_LIST(3, "one", 2.5), &list));
 *     mproc_check(mproc_process_create(fill, MPROC_ARGS(list), NULL, &child));
 *     mproc_check(mproc_list_append(list, MPROC_LIST("a", 1)));
 *
 * An element is any mproc_value; what is got is a copy. So to change what is in a list that is an element, one gets
 * it, changes it and sets it, or lets mproc_list_update_with() do that in one step. Objects in values - locks,
 * queues, other shared lists - are no copies: they live as long as the list has them, and then as long as the value
 * that was got, until mproc_value_clear().
 *
 * An index counts from 0, one below 0 from the end: -1 is the last element. A slice is `start`, `stop` and `step`, as
 * in Python: what lies past an end is cut off, and MPROC_LIST_OPEN stands for what Python leaves out: list[1:] is
 * (1, MPROC_LIST_OPEN, 1), list[::-1] is (MPROC_LIST_OPEN, MPROC_LIST_OPEN, -1).
 *
 * Each call is one step: others see the list as it was before or as it is after. Whoever is killed in the middle of
 * one has done all of it or nothing, and nobody waits for the dead. Who gets an element that is a number or a short
 * text, or the count, as a rule takes no lock.
 *
 * A loop over a list is one over its copy, in which what others change meanwhile does not show; or one by index, from
 * 0 until MPROC_NOT_FOUND, in which it does, as in Python's.
 *
 * A list is an object as a lock is: it is made at any time, goes as an argument, as an item of a queue, as a result
 * or as an element of another list to any process or task, and what <mproc/lock.h> says once for all objects is said
 * for it, too. Only a list that lies in itself, by way of others, never ends before the family: mproc_list_clear()
 * breaks such a circle.
 *
 * No call at the ends of a list takes long because it is large - append, set and get, pop and delete of the last
 * element; and those at its front seldom do. Insert and delete in the middle, slices, sort, reverse and repeat take
 * as long as copying all its cells, 16 bytes each. When its last element goes, its memory is given back.
 */
#ifndef MPROC_LIST_H
#define MPROC_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/call.h>
#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_list mproc_list;

/* Instead of `start` or `stop` of a slice: from the one end, or up to the other. */
#define MPROC_LIST_OPEN INT64_MIN

/*
 * Creates a list with copies of the elements of `items`, a list of values (Python: list(items)); mproc_nil(): an
 * empty one. Does not block.
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    `out` is NULL, or `items` is something else
 *   other statuses   as mproc_list_append()
 */
MPROC_API mproc_status mproc_list_create(mproc_value items, mproc_list **out);

/* Drops this process' reference; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_list_free(mproc_list *list);

/* ---- one element ----------------------------------------------------------------------------------- */

/*
 * Puts a copy of the value behind the last element. Does not block.
 *
 * Returns MPROC_OK, or, with the list unchanged:
 *   MPROC_INVALID        the value cannot be copied (see mproc_value_copy()), or the list itself is in it
 *   MPROC_CLOSED         an object in the value has been freed
 *   MPROC_BAD_FUNCTION   a function in the value lies in no module of this process
 *   MPROC_NO_MEMORY      the family's shared memory has no room
 *   MPROC_FORKED         the list is of the family of another process, of which this one is a fork() copy
 */
static inline mproc_status mproc_list_append(mproc_list *list, mproc_value value);

/*
 * Puts a copy of the value before the element at `index`; past the end it is appended, before the first one it comes
 * first. Does not block. Returns as mproc_list_append().
 */
static inline mproc_status mproc_list_insert(mproc_list *list, int64_t index, mproc_value value);

/*
 * Copies the element at `index` to `*value`, which is the caller's: mproc_value_clear() (Python: list[index]).
 *
 * Does not block. Returns MPROC_OK, or, with `*value` unchanged:
 *   MPROC_NOT_FOUND  there is no element at `index`: mproc_last_error_text() says how many there are (Python:
 *                    IndexError)
 *   MPROC_INVALID    `value` is NULL
 *   MPROC_NO_MEMORY  this process has no room for the copy
 *   MPROC_FORKED     as mproc_list_append()
 */
MPROC_NODISCARD static inline mproc_status mproc_list_get(const mproc_list *list, int64_t index, mproc_value *value);

/*
 * Puts a copy of the value in the place of the element at `index` (Python: list[index] = value). Does not block.
 * Returns as mproc_list_append(), and MPROC_NOT_FOUND as mproc_list_get(), with the list unchanged.
 */
static inline mproc_status mproc_list_set(mproc_list *list, int64_t index, mproc_value value);

/*
 * Takes out the element at `index` (Python: del list[index]). Does not block. Returns as mproc_list_get(), with the
 * list unchanged; MPROC_NO_MEMORY: the family's shared memory has no room for what is left.
 */
static inline mproc_status mproc_list_delete(mproc_list *list, int64_t index);

/*
 * The same, and copies the element to `*value`, which is the caller's (Python: pop(index); pop() is index -1). Does
 * not block. Returns as mproc_list_delete(), with `*value` unchanged.
 */
MPROC_NODISCARD static inline mproc_status mproc_list_pop(mproc_list *list, int64_t index, mproc_value *value);

/*
 * Adds to the integer at `index`, in one step (Python's list[index] += by is two, of which others come in between).
 * `*result` (unless it is NULL) is what it is then. Does not block. Ours.
 *
 * Returns MPROC_OK, or, with the list and `*result` unchanged:
 *   MPROC_NOT_FOUND  as mproc_list_get()
 *   MPROC_INVALID    the element is no int64, or would be none afterwards
 *   MPROC_FORKED     as mproc_list_append()
 */
static inline mproc_status mproc_list_increment(mproc_list *list, int64_t index, int64_t by, int64_t *result);

/*
 * Gives the element at `index` the value that a function makes of the one that it has, in one step. The function gets
 * that value and behind it `args`, a list or mproc_no_args(), and says by mproc_call_return() what comes of it: see
 * mproc_dict_update_with() in <mproc/dict.h>, which has an example.
 *
 * It runs here, in the calling thread, while no lock is held: it may call what it likes, also for this list, and
 * whoever is killed in it has changed nothing. If another value is at the index meanwhile, it runs again, with that
 * one: so it should do nothing but make one value of the other. Of those who update an element at the same time one
 * always comes to an end. Ours.
 *
 * Does not block but for the function. Returns MPROC_OK, or, with the list unchanged:
 *   MPROC_NOT_FOUND  as mproc_list_get()
 *   MPROC_INVALID    also if `function` is NULL or `args` is something else
 *   other statuses   what the function returned, or as mproc_list_append()
 */
static inline mproc_status mproc_list_update_with(mproc_list *list, int64_t index, mproc_function *function,
                                                  mproc_args args);

/* ---- by value -------------------------------------------------------------------------------------- */

/*
 * Writes to `*index`, from 0, where the first element is that equals the value, as mproc_value_equal() has it, of
 * those from `start` up to, not including, `stop`; MPROC_LIST_OPEN, MPROC_LIST_OPEN: of all (Python: index(value,
 * start, stop)). `index` may be NULL.
 *
 * Does not block, but who changes the list at the same time waits. Returns MPROC_OK, or, with `*index` unchanged:
 *   MPROC_NOT_FOUND  there is none (Python: ValueError)
 *   MPROC_FORKED     as mproc_list_append()
 */
static inline mproc_status mproc_list_index_of(const mproc_list *list, mproc_value value, int64_t start, int64_t stop,
                                               int64_t *index);

/* Returns whether an element equals the value (Python: value in list). Otherwise as mproc_list_index_of(). */
static inline bool mproc_list_contains(const mproc_list *list, mproc_value value);

/*
 * Writes to `*count` how many elements equal the value (Python: count(value)). Blocks as mproc_list_index_of().
 * MPROC_INVALID: `count` is NULL; MPROC_FORKED.
 */
static inline mproc_status mproc_list_count_of(const mproc_list *list, mproc_value value, int64_t *count);

/*
 * Takes out the first element that equals the value (Python: remove(value)). Blocks as mproc_list_index_of(). Returns
 * MPROC_OK, or, with the list unchanged:
 *   MPROC_NOT_FOUND  there is none (Python: ValueError)
 *   other statuses   as mproc_list_delete()
 */
static inline mproc_status mproc_list_remove(mproc_list *list, mproc_value value);

/* ---- several elements ------------------------------------------------------------------------------ */

/*
 * Puts copies of the elements of `items`, a list of values, behind the last one, in one step (Python: extend(items),
 * list += items). For Python's list + items, one extends a list that was made of a copy. Does not block. Returns as
 * mproc_list_append(); MPROC_INVALID also if `items` is no list.
 */
static inline mproc_status mproc_list_extend(mproc_list *list, mproc_value items);

/*
 * Copies the elements of a slice, as they are at one moment, to `*items`: a list, which is the caller's:
 * mproc_value_clear() (Python: list[start:stop:step]). Blocks and returns as mproc_list_copy(); MPROC_INVALID also if
 * `step` is 0.
 */
MPROC_NODISCARD static inline mproc_status mproc_list_get_slice(const mproc_list *list, int64_t start, int64_t stop,
                                                                int64_t step, mproc_value *items);

/*
 * Puts copies of the elements of `items`, a list of values, in the place of a slice (Python: list[start:stop:step] =
 * items). With a step of 1 these may be more, or fewer, or none; then the list gets longer or shorter.
 *
 * Does not block. Returns as mproc_list_append(), with the list unchanged; MPROC_INVALID also if `items` is no list,
 * `step` is 0, or it is not 1 and `items` has not as many elements as the slice (Python: ValueError).
 */
static inline mproc_status mproc_list_set_slice(mproc_list *list, int64_t start, int64_t stop, int64_t step,
                                                mproc_value items);

/*
 * Takes the elements of a slice out (Python: del list[start:stop:step]). Does not block. MPROC_INVALID: `step` is 0;
 * MPROC_NO_MEMORY, MPROC_FORKED. Then the list is unchanged.
 */
static inline mproc_status mproc_list_delete_slice(mproc_list *list, int64_t start, int64_t stop, int64_t step);

/* ---- the whole ------------------------------------------------------------------------------------- */

/* Returns how many elements there are (Python: len()). Does not block. */
MPROC_API size_t mproc_list_count(const mproc_list *list);

/*
 * Takes all elements out (Python: clear()). Does not block, but takes as long as freeing what they had.
 * MPROC_NO_MEMORY, MPROC_FORKED: nothing was taken out.
 */
static inline mproc_status mproc_list_clear(mproc_list *list);

/*
 * Copies the whole, as it is at one moment, to `*copy`: a list, which is the caller's: mproc_value_clear() (Python:
 * copy()). mproc_value_print() prints it as Python's print(list).
 *
 * Does not block, but who changes the list at the same time waits. Returns MPROC_OK, or, with `*copy` unchanged:
 *   MPROC_INVALID    `copy` is NULL, or it has more than MPROC_VALUE_BYTES_MAX bytes
 *   MPROC_NO_MEMORY  this process, or the family's shared memory, has no room for it
 *   MPROC_FORKED     as mproc_list_append()
 */
MPROC_NODISCARD static inline mproc_status mproc_list_copy(const mproc_list *list, mproc_value *copy);

/*
 * Makes the list `times` as long, by what is in it (Python: list *= times); with 0 or less nothing is left. Does not
 * block, but who changes the list at the same time waits. MPROC_NO_MEMORY, MPROC_FORKED: the list is unchanged.
 */
static inline mproc_status mproc_list_repeat(mproc_list *list, int64_t times);

/* Turns the order round (Python: reverse()). Blocks and returns as mproc_list_repeat(). */
static inline mproc_status mproc_list_reverse(mproc_list *list);

/* Returns less than 0, 0 or more than 0, as `left` comes before `right`, is the same in order, or comes behind it. */
typedef int mproc_list_compare(mproc_value left, mproc_value right) MPROC_NOEXCEPT_;

/*
 * Sorts the list (Python: sort()); elements that are the same in order stay in the order in which they are, also with
 * `reverse`, which sorts from the last to the first. `compare` says what comes first; NULL: numbers by what they are,
 * of whichever type, also bools; texts and bytes by their bytes, which for texts is the order of their characters;
 * and lists by their first elements that are different. The values that it gets are valid until it returns.
 *
 * It runs here, in the calling thread, on a copy, while no lock is held: it may call what it likes. If somebody has
 * changed the list meanwhile, all is done again.
 *
 * Does not block but for the function. Returns MPROC_OK, or, with the list unchanged:
 *   MPROC_INVALID    with NULL: two elements have no order, such as a number and a text (Python: TypeError)
 *   MPROC_NO_MEMORY  this process, or the family's shared memory, has no room for the copy
 *   MPROC_FORKED     as mproc_list_append()
 */
static inline mproc_status mproc_list_sort(mproc_list *list, mproc_list_compare *compare, bool reverse);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

/* The numbers are those of messages, too, and never change. */
enum mproc_list_method {
    MPROC_LIST_APPEND = 1,
    MPROC_LIST_GET = 2,
    MPROC_LIST_SET = 3,
    MPROC_LIST_INCREMENT = 4,
    MPROC_LIST_INSERT = 5,
    MPROC_LIST_DELETE = 6,
    MPROC_LIST_POP = 7,
    MPROC_LIST_UPDATE = 8,
    MPROC_LIST_INDEX_OF = 9,
    MPROC_LIST_COUNT_OF = 10,
    MPROC_LIST_REMOVE = 11,
    MPROC_LIST_EXTEND = 12,
    MPROC_LIST_GET_SLICE = 13,
    MPROC_LIST_SET_SLICE = 14,
    MPROC_LIST_DELETE_SLICE = 15,
    MPROC_LIST_CLEAR = 16,
    MPROC_LIST_COPY = 17,
    MPROC_LIST_REPEAT = 18,
    MPROC_LIST_REVERSE = 19,
    MPROC_LIST_SORT = 20,
    MPROC_LIST_COUNT = 21
};

/*
 * One call, wherever the list is. `at` is an index, or the numbers of a slice, or what else is a number; `function`
 * is that of an update, or the comparison of a sort.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_list_call(const mproc_list *list, enum mproc_list_method method,
                                                       const int64_t *at, const mproc_value *value,
                                                       mproc_function *function, mproc_value *result);

static inline mproc_status mproc_list_append(mproc_list *list, mproc_value value)
{
    return mproc_list_call(list, MPROC_LIST_APPEND, NULL, &value, NULL, NULL);
}

static inline mproc_status mproc_list_insert(mproc_list *list, int64_t index, mproc_value value)
{
    return mproc_list_call(list, MPROC_LIST_INSERT, &index, &value, NULL, NULL);
}

static inline mproc_status mproc_list_get(const mproc_list *list, int64_t index, mproc_value *value)
{
    return mproc_list_call(list, MPROC_LIST_GET, &index, NULL, NULL, value);
}

static inline mproc_status mproc_list_set(mproc_list *list, int64_t index, mproc_value value)
{
    return mproc_list_call(list, MPROC_LIST_SET, &index, &value, NULL, NULL);
}

static inline mproc_status mproc_list_delete(mproc_list *list, int64_t index)
{
    return mproc_list_call(list, MPROC_LIST_DELETE, &index, NULL, NULL, NULL);
}

static inline mproc_status mproc_list_pop(mproc_list *list, int64_t index, mproc_value *value)
{
    return mproc_list_call(list, MPROC_LIST_POP, &index, NULL, NULL, value);
}

static inline mproc_status mproc_list_increment(mproc_list *list, int64_t index, int64_t by, int64_t *result)
{
    mproc_value number = mproc_int(by), sum = mproc_nil();
    mproc_status status = mproc_list_call(list, MPROC_LIST_INCREMENT, &index, &number, NULL, &sum);

    if (status == MPROC_OK && result) *result = mproc_value_int(sum);
    return status;
}

static inline mproc_status mproc_list_update_with(mproc_list *list, int64_t index, mproc_function *function,
                                                  mproc_args args)
{
    return mproc_list_call(list, MPROC_LIST_UPDATE, &index, &args, function, NULL);
}

static inline mproc_status mproc_list_index_of(const mproc_list *list, mproc_value value, int64_t start, int64_t stop,
                                               int64_t *index)
{
    int64_t at[2] = {start, stop};
    mproc_value place = mproc_nil();
    mproc_status status = mproc_list_call(list, MPROC_LIST_INDEX_OF, at, &value, NULL, &place);

    if (status == MPROC_OK && index) *index = mproc_value_int(place);
    return status;
}

static inline bool mproc_list_contains(const mproc_list *list, mproc_value value)
{
    return mproc_list_index_of(list, value, MPROC_LIST_OPEN, MPROC_LIST_OPEN, NULL) == MPROC_OK;
}

static inline mproc_status mproc_list_count_of(const mproc_list *list, mproc_value value, int64_t *count)
{
    mproc_value number = mproc_nil();
    mproc_status status = mproc_list_call(list, MPROC_LIST_COUNT_OF, NULL, &value, NULL, count ? &number : NULL);

    if (status == MPROC_OK) *count = mproc_value_int(number);
    return status;
}

static inline mproc_status mproc_list_remove(mproc_list *list, mproc_value value)
{
    return mproc_list_call(list, MPROC_LIST_REMOVE, NULL, &value, NULL, NULL);
}

static inline mproc_status mproc_list_extend(mproc_list *list, mproc_value items)
{
    return mproc_list_call(list, MPROC_LIST_EXTEND, NULL, &items, NULL, NULL);
}

static inline mproc_status mproc_list_get_slice(const mproc_list *list, int64_t start, int64_t stop, int64_t step,
                                                mproc_value *items)
{
    int64_t at[3] = {start, stop, step};

    return mproc_list_call(list, MPROC_LIST_GET_SLICE, at, NULL, NULL, items);
}

static inline mproc_status mproc_list_set_slice(mproc_list *list, int64_t start, int64_t stop, int64_t step,
                                                mproc_value items)
{
    int64_t at[3] = {start, stop, step};

    return mproc_list_call(list, MPROC_LIST_SET_SLICE, at, &items, NULL, NULL);
}

static inline mproc_status mproc_list_delete_slice(mproc_list *list, int64_t start, int64_t stop, int64_t step)
{
    int64_t at[3] = {start, stop, step};

    return mproc_list_call(list, MPROC_LIST_DELETE_SLICE, at, NULL, NULL, NULL);
}

static inline mproc_status mproc_list_clear(mproc_list *list)
{
    return mproc_list_call(list, MPROC_LIST_CLEAR, NULL, NULL, NULL, NULL);
}

static inline mproc_status mproc_list_copy(const mproc_list *list, mproc_value *copy)
{
    return mproc_list_call(list, MPROC_LIST_COPY, NULL, NULL, NULL, copy);
}

static inline mproc_status mproc_list_repeat(mproc_list *list, int64_t times)
{
    return mproc_list_call(list, MPROC_LIST_REPEAT, &times, NULL, NULL, NULL);
}

static inline mproc_status mproc_list_reverse(mproc_list *list)
{
    return mproc_list_call(list, MPROC_LIST_REVERSE, NULL, NULL, NULL, NULL);
}

/*
 * The comparison goes as a function of another type, by way of the one that stands for all, and gets its own again.
 */
static inline mproc_status mproc_list_sort(mproc_list *list, mproc_list_compare *compare, bool reverse)
{
    int64_t backwards = reverse;
    mproc_function *function = MPROC_POINTER_(mproc_function *, MPROC_POINTER_(void (*)(void), compare));

    return mproc_list_call(list, MPROC_LIST_SORT, &backwards, NULL, function, NULL);
}

#ifdef __cplusplus
}

/* Lists and maps where they are made. */
template <bool map, class... Kept>
mproc_status mproc_list_create(const mproc_values<map, Kept...> &items, mproc_list **out)
{
    return mproc_list_create(items.borrow(), out);
}

template <bool map, class... Kept>
mproc_status mproc_list_append(mproc_list *list, const mproc_values<map, Kept...> &value)
{
    return mproc_list_append(list, value.borrow());
}

template <bool map, class... Kept>
mproc_status mproc_list_insert(mproc_list *list, int64_t index, const mproc_values<map, Kept...> &value)
{
    return mproc_list_insert(list, index, value.borrow());
}

template <bool map, class... Kept>
mproc_status mproc_list_set(mproc_list *list, int64_t index, const mproc_values<map, Kept...> &value)
{
    return mproc_list_set(list, index, value.borrow());
}

template <bool map, class... Kept>
mproc_status mproc_list_update_with(mproc_list *list, int64_t index, mproc_function *function,
                                    const mproc_values<map, Kept...> &args)
{
    return mproc_list_update_with(list, index, function, args.borrow());
}

template <bool map, class... Kept>
mproc_status mproc_list_extend(mproc_list *list, const mproc_values<map, Kept...> &items)
{
    return mproc_list_extend(list, items.borrow());
}

template <bool map, class... Kept>
mproc_status mproc_list_set_slice(mproc_list *list, int64_t start, int64_t stop, int64_t step,
                                  const mproc_values<map, Kept...> &items)
{
    return mproc_list_set_slice(list, start, stop, step, items.borrow());
}
#endif

#endif
