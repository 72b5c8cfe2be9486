/* What the tests of dicts share, besides peers.h. */
#ifndef DICTS_H
#define DICTS_H

#include "kill/table_sound.h"
#include "sync/peers.h"

#define KEY(x) MPROC_VALUE(x)

static inline mproc_dict *dicts_create(mproc_value items)
{
    mproc_dict *dict = NULL;

    CHECK_OK(mproc_dict_create(items, &dict));
    return dict;
}

static inline int64_t dicts_int(const mproc_dict *dict, mproc_value key)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_get(dict, key, &value));
    CHECK_EQ(mproc_value_type(value), MPROC_TYPE_INT64);
    return mproc_value_int(value);
}

/* Whether what is got is the value. */
static inline bool dicts_has(const mproc_dict *dict, mproc_value key, mproc_value expected)
{
    mproc_value value = mproc_nil();
    bool same;

    CHECK_OK(mproc_dict_get(dict, key, &value));
    same = mproc_value_equal(value, expected);
    mproc_value_clear(&value);
    return same;
}

/* What Python's print(dict) would say. */
static inline void dicts_check_prints(const mproc_dict *dict, const char *expected)
{
    mproc_value copy = mproc_nil();
    char text[512];

    CHECK_OK(mproc_dict_copy(dict, &copy));
    mproc_value_print(copy, text, sizeof text);
    CHECK_STRING(text, expected);
    mproc_value_clear(&copy);
}

static inline void dicts_check_sound(const mproc_dict *dict)
{
    const char *wrong = table_sound(dict);

    CHECK_STRING(wrong ? wrong : "", "");
}

#endif
