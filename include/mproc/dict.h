/*
 * Dicts: keys with values that all processes of a family share (Python: Manager().dict(), without the manager's
 * process in between).
 *
 *     mproc_dict *dict;
 *     mproc_check(mproc_dict_create(MPROC_MAP("count", 500), &dict));
 *     mproc_check(mproc_process_create(withdraw, MPROC_ARGS(dict), NULL, &child));
 *     mproc_check(mproc_dict_increment(dict, MPROC_VALUE("count"), -1, NULL));
 *
 * A key is what may be one of a map: a bool, an integer, a string or bytes, of at most MPROC_DICT_KEY_BYTES_MAX; type
 * by type, so 1 is not true. Python's None, floats and tuples are refused. A value is any mproc_value; what is got is
 * a copy. So to change what is in a list that is a value, one gets it, changes it and sets it, or lets
 * mproc_dict_update_with() do that in one step. Objects in values - locks, queues, other dicts - are no copies: they
 * live as long as the dict has them, and then as long as the value that was got, until mproc_value_clear().
 *
 * Keys have the order in which they came into the dict; one that is set again keeps its place.
 *
 * Each call is one step: others see the dict as it was before or as it is after. Whoever is killed in the middle of
 * one has done all of it or nothing, and nobody waits for the dead. Those who only look - get, has, count - do not
 * wait for each other; as a rule they take no lock.
 *
 * A dict is an object as a lock is: it is made at any time, goes as an argument, as an item of a queue, as a result
 * or as a value in another dict to any process or task, and what <mproc/lock.h> says once for all objects is said for
 * it, too. Only a dict that lies in itself, by way of others, never ends before the family: mproc_dict_clear() breaks
 * such a circle.
 *
 * No call takes long because the dict is large, but for those that copy or clear the whole: it grows with each key by
 * what that needs. When its last key goes, its memory is given back.
 */
#ifndef MPROC_DICT_H
#define MPROC_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/call.h>
#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_dict mproc_dict;

#define MPROC_DICT_KEY_BYTES_MAX 65536

/*
 * Creates a dict with copies of the pairs of a map, or of a list of lists of two (Python: dict(mapping),
 * dict(pairs)); mproc_nil(): an empty one. Of pairs with the same key the last counts. Does not block.
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    `out` is NULL, or `items` is something else
 *   other statuses   as mproc_dict_set()
 */
MPROC_API mproc_status mproc_dict_create(mproc_value items, mproc_dict **out);

/* Drops this process' reference; see <mproc/lock.h>. NULL is fine. */
MPROC_API void mproc_dict_free(mproc_dict *dict);

/* ---- one key --------------------------------------------------------------------------------------- */

/*
 * Gives the key a copy of the value, and adds it if it is not there (Python: dict[key] = value). Does not block.
 *
 * Returns MPROC_OK, or, with the dict unchanged:
 *   MPROC_INVALID        the key cannot be one, the value cannot be copied (see mproc_value_copy()), or the dict
 *                        itself is in it
 *   MPROC_CLOSED         an object in the value has been freed
 *   MPROC_BAD_FUNCTION   a function in the value lies in no module of this process
 *   MPROC_NO_MEMORY      the family's shared memory has no room
 *   MPROC_FORKED         the dict is of the family of another process, of which this one is a fork() copy
 */
static inline mproc_status mproc_dict_set(mproc_dict *dict, mproc_value key, mproc_value value);

/*
 * Copies the key's value to `*value`, which is the caller's: mproc_value_clear() (Python: dict[key]). So for a
 * default (Python: get(key, default)) one sets `*value` before, and takes MPROC_NOT_FOUND for success.
 *
 * Does not block. Returns MPROC_OK, or, with `*value` unchanged:
 *   MPROC_NOT_FOUND  the key is not there (Python: KeyError)
 *   MPROC_INVALID    the key cannot be one, or `value` is NULL
 *   MPROC_NO_MEMORY  this process has no room for the copy
 *   MPROC_FORKED     as mproc_dict_set()
 */
MPROC_NODISCARD static inline mproc_status mproc_dict_get(const mproc_dict *dict, mproc_value key,
                                                          mproc_value *value);

/* Returns whether the key is there (Python: key in dict); false also for what cannot be one. Does not block. */
static inline bool mproc_dict_has(const mproc_dict *dict, mproc_value key);

/*
 * Takes the key and its value out (Python: del dict[key]). Does not block. Returns as mproc_dict_get(), with the dict
 * unchanged.
 */
static inline mproc_status mproc_dict_delete(mproc_dict *dict, mproc_value key);

/*
 * The same, and copies the value to `*value`, which is the caller's (Python: pop(key)). Does not block. Returns as
 * mproc_dict_get(), with the dict and `*value` unchanged.
 */
MPROC_NODISCARD static inline mproc_status mproc_dict_pop(mproc_dict *dict, mproc_value key, mproc_value *value);

/*
 * Takes out the key that came last, and writes it with its value, as a list of two, to `*pair`, which is the caller's
 * (Python: popitem()). Does not block. Returns MPROC_OK, or, with the dict and `*pair` unchanged:
 *   MPROC_NOT_FOUND  the dict is empty
 *   other statuses   as mproc_dict_get()
 */
MPROC_NODISCARD static inline mproc_status mproc_dict_pop_item(mproc_dict *dict, mproc_value *pair);

/*
 * Gives the key a copy of the value if it is not there, in one step, and copies what it has then to `*now`, which is
 * the caller's (Python: setdefault(key, value)). Does not block. Returns as mproc_dict_set(), with `*now` unchanged;
 * MPROC_NO_MEMORY may also mean that the key has the value, and only the copy has no room.
 */
MPROC_NODISCARD static inline mproc_status mproc_dict_setdefault(mproc_dict *dict, mproc_value key, mproc_value value,
                                                                 mproc_value *now);

/*
 * Adds to the key's integer, in one step (Python's dict[key] += by is two, of which others come in between); one that
 * is not there begins with 0. `*result` (unless it is NULL) is what it is then. Does not block. Ours.
 *
 * Returns as mproc_dict_set(), with `*result` unchanged. MPROC_INVALID: also if the value is no int64, or would be
 * none afterwards.
 */
static inline mproc_status mproc_dict_increment(mproc_dict *dict, mproc_value key, int64_t by, int64_t *result);

/*
 * Gives the key the value that a function makes of the one that it has, in one step. The function gets that value and
 * behind it `args`, a list or mproc_no_args(), and says by mproc_call_return() what comes of it:
 *
 *     static mproc_status withdraw(mproc_call *call)
 *     {
 *         int64_t balance, amount;
 *         MPROC_TRY(mproc_unpack(call, &balance, &amount));
 *         return mproc_call_return(call, mproc_int(balance - amount));
 *     }
 *
 *     mproc_check(mproc_dict_update_with(dict, MPROC_VALUE("balance"), withdraw, MPROC_ARGS(30)));
 *
 * It runs here, in the calling thread, while no lock is held: it may call what it likes, also for this dict, and
 * whoever is killed in it has changed nothing. If somebody has changed the key meanwhile, it runs again, with the new
 * value: so it should do nothing but make one value of the other. One of those who update a key at the same time
 * always comes to an end. Ours.
 *
 * Does not block but for the function. Returns MPROC_OK, or, with the key unchanged:
 *   MPROC_NOT_FOUND  the key is not there, or not any more
 *   MPROC_INVALID    also if `function` is NULL or `args` is something else
 *   other statuses   what the function returned, or as mproc_dict_set()
 */
static inline mproc_status mproc_dict_update_with(mproc_dict *dict, mproc_value key, mproc_function *function,
                                                  mproc_args args);

/* ---- the whole ------------------------------------------------------------------------------------- */

/* Returns how many keys there are (Python: len()). Does not block. */
MPROC_API size_t mproc_dict_count(const mproc_dict *dict);

/*
 * Gives keys copies of values, and adds those that are not there, as mproc_dict_set() for each pair of a map or of a
 * list of lists of two, but all in one step (Python: update(mapping), update(pairs), dict |= mapping): others see
 * none of them or all, also if this process is killed in the middle. Of pairs with the same key the last counts.
 * Those of another dict are those of its copy. Python's a | b is a dict made of a copy of `a`, then updated by one of
 * `b`.
 *
 * Does not block, but whoever uses the dict at the same time waits. Returns as mproc_dict_set(), with the dict
 * unchanged; MPROC_INVALID: also if `items` is something else.
 */
static inline mproc_status mproc_dict_update(mproc_dict *dict, mproc_value items);

/*
 * Takes all keys out (Python: clear()). Does not block, but takes as long as freeing what they had.
 * MPROC_NO_MEMORY, MPROC_FORKED: nothing was taken out.
 */
static inline mproc_status mproc_dict_clear(mproc_dict *dict);

/*
 * Copies the whole, as it is at one moment, to `*copy`: a map, with the keys in their order, which is the caller's:
 * mproc_value_clear() (Python: copy()). mproc_value_print() prints it as Python's print(dict).
 *
 * So a loop over a dict is one over its copy, or over that of its keys: what others change meanwhile does not show in
 * it, and does not end it (Python: RuntimeError).
 *
 * Does not block, but who changes the dict at the same time waits. Returns MPROC_OK, or, with `*copy` unchanged:
 *   MPROC_INVALID    `copy` is NULL, or it has more than MPROC_VALUE_BYTES_MAX bytes
 *   MPROC_NO_MEMORY  this process, or the family's shared memory, has no room for it
 *   MPROC_FORKED     as mproc_dict_set()
 */
MPROC_NODISCARD static inline mproc_status mproc_dict_copy(const mproc_dict *dict, mproc_value *copy);

/* The same of the keys alone, as a list (Python: keys()). Blocks and returns as mproc_dict_copy(). */
MPROC_NODISCARD static inline mproc_status mproc_dict_keys(const mproc_dict *dict, mproc_value *keys);

/* The same of the values alone, as a list (Python: values()). Blocks and returns as mproc_dict_copy(). */
MPROC_NODISCARD static inline mproc_status mproc_dict_values(const mproc_dict *dict, mproc_value *values);

/* The same as a list of lists of two (Python: items()). Blocks and returns as mproc_dict_copy(). */
MPROC_NODISCARD static inline mproc_status mproc_dict_items(const mproc_dict *dict, mproc_value *items);

/* ---- what the inline functions above call; not for direct use ------------------------------ */

/* Those before MPROC_DICT_CLEAR have a key. The numbers are those of messages, too, and never change. */
enum mproc_dict_method {
    MPROC_DICT_SET = 1,
    MPROC_DICT_GET = 2,
    MPROC_DICT_DELETE = 3,
    MPROC_DICT_POP = 4,
    MPROC_DICT_INCREMENT = 5,
    MPROC_DICT_UPDATE = 6,
    MPROC_DICT_HAS = 7,
    MPROC_DICT_SETDEFAULT = 8,
    MPROC_DICT_CLEAR = 32,
    MPROC_DICT_COPY = 33,
    MPROC_DICT_KEYS = 34,
    MPROC_DICT_VALUES = 35,
    MPROC_DICT_ITEMS = 36,
    MPROC_DICT_POP_ITEM = 37,
    MPROC_DICT_MERGE = 38,
    MPROC_DICT_COUNT = 39
};

/* One call, wherever the dict is. */
MPROC_NODISCARD MPROC_API mproc_status mproc_dict_call(const mproc_dict *dict, enum mproc_dict_method method,
                                                       const mproc_value *key, const mproc_value *value,
                                                       mproc_function *function, mproc_value *result);

static inline mproc_status mproc_dict_set(mproc_dict *dict, mproc_value key, mproc_value value)
{
    return mproc_dict_call(dict, MPROC_DICT_SET, &key, &value, NULL, NULL);
}

static inline mproc_status mproc_dict_get(const mproc_dict *dict, mproc_value key, mproc_value *value)
{
    return mproc_dict_call(dict, MPROC_DICT_GET, &key, NULL, NULL, value);
}

static inline bool mproc_dict_has(const mproc_dict *dict, mproc_value key)
{
    return mproc_dict_call(dict, MPROC_DICT_HAS, &key, NULL, NULL, NULL) == MPROC_OK;
}

static inline mproc_status mproc_dict_delete(mproc_dict *dict, mproc_value key)
{
    return mproc_dict_call(dict, MPROC_DICT_DELETE, &key, NULL, NULL, NULL);
}

static inline mproc_status mproc_dict_pop(mproc_dict *dict, mproc_value key, mproc_value *value)
{
    return mproc_dict_call(dict, MPROC_DICT_POP, &key, NULL, NULL, value);
}

static inline mproc_status mproc_dict_pop_item(mproc_dict *dict, mproc_value *pair)
{
    return mproc_dict_call(dict, MPROC_DICT_POP_ITEM, NULL, NULL, NULL, pair);
}

static inline mproc_status mproc_dict_setdefault(mproc_dict *dict, mproc_value key, mproc_value value,
                                                 mproc_value *now)
{
    return mproc_dict_call(dict, MPROC_DICT_SETDEFAULT, &key, &value, NULL, now);
}

static inline mproc_status mproc_dict_increment(mproc_dict *dict, mproc_value key, int64_t by, int64_t *result)
{
    mproc_value number = mproc_int(by), sum = mproc_nil();
    mproc_status status = mproc_dict_call(dict, MPROC_DICT_INCREMENT, &key, &number, NULL, &sum);

    if (status == MPROC_OK && result) *result = mproc_value_int(sum);
    return status;
}

static inline mproc_status mproc_dict_update_with(mproc_dict *dict, mproc_value key, mproc_function *function,
                                                  mproc_args args)
{
    return mproc_dict_call(dict, MPROC_DICT_UPDATE, &key, &args, function, NULL);
}

static inline mproc_status mproc_dict_update(mproc_dict *dict, mproc_value items)
{
    return mproc_dict_call(dict, MPROC_DICT_MERGE, NULL, &items, NULL, NULL);
}

static inline mproc_status mproc_dict_clear(mproc_dict *dict)
{
    return mproc_dict_call(dict, MPROC_DICT_CLEAR, NULL, NULL, NULL, NULL);
}

static inline mproc_status mproc_dict_copy(const mproc_dict *dict, mproc_value *copy)
{
    return mproc_dict_call(dict, MPROC_DICT_COPY, NULL, NULL, NULL, copy);
}

static inline mproc_status mproc_dict_keys(const mproc_dict *dict, mproc_value *keys)
{
    return mproc_dict_call(dict, MPROC_DICT_KEYS, NULL, NULL, NULL, keys);
}

static inline mproc_status mproc_dict_values(const mproc_dict *dict, mproc_value *values)
{
    return mproc_dict_call(dict, MPROC_DICT_VALUES, NULL, NULL, NULL, values);
}

static inline mproc_status mproc_dict_items(const mproc_dict *dict, mproc_value *items)
{
    return mproc_dict_call(dict, MPROC_DICT_ITEMS, NULL, NULL, NULL, items);
}

#ifdef __cplusplus
}

/* Lists and maps where they are made. */
template <bool map, class... Kept>
mproc_status mproc_dict_create(const mproc_values<map, Kept...> &items, mproc_dict **out)
{
    return mproc_dict_create(items.borrow(), out);
}

template <bool map, class... Kept>
mproc_status mproc_dict_update(mproc_dict *dict, const mproc_values<map, Kept...> &items)
{
    return mproc_dict_update(dict, items.borrow());
}

template <bool map, class... Kept>
mproc_status mproc_dict_set(mproc_dict *dict, mproc_value key, const mproc_values<map, Kept...> &value)
{
    return mproc_dict_set(dict, key, value.borrow());
}

template <bool map, class... Kept>
mproc_status mproc_dict_update_with(mproc_dict *dict, mproc_value key, mproc_function *function,
                                    const mproc_values<map, Kept...> &args)
{
    return mproc_dict_update_with(dict, key, function, args.borrow());
}
#endif

#endif
