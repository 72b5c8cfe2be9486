/* What the tests of dicts share. */
#ifndef DICTS_H
#define DICTS_H

#include "container/containers.h"
#include "kill/table_sound.h"

static inline mproc_dict *dicts_create(mproc_value items)
{
    mproc_dict *dict = NULL;

    CHECK_OK(mproc_dict_create(items, &dict));
    return containers_served(dict);
}

static inline int64_t dicts_int(const mproc_dict *dict, mproc_value key)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_get(dict, key, &value));
    return got_int(value);
}

/* Whether what is got is the value. */
static inline bool dicts_has(const mproc_dict *dict, mproc_value key, mproc_value expected)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_get(dict, key, &value));
    return got_equals(value, expected);
}

/* What Python's print(dict) would say. */
static inline void dicts_check_prints(const mproc_dict *dict, const char *expected)
{
    mproc_value copy = mproc_nil();

    CHECK_OK(mproc_dict_copy(dict, &copy));
    got_prints(copy, expected);
}

static inline void dicts_check_sound(const mproc_dict *dict)
{
    const char *wrong = containers_are_served() ? NULL : table_sound(dict);

    CHECK_STRING(wrong ? wrong : "", "");
}

#endif
