/* What the tests of dicts share, besides peers.h. */
#ifndef DICTS_H
#define DICTS_H

#include "kill/table_sound.h"
#include "sync/peers.h"

#define KEY(x) MPROC_VALUE(x)

/*
 * For CHECK_SUITE_SETUP: from then on dicts are made in a manager, and cases have proxies of them: the same body for
 * another back end.
 */
void dicts_of_a_manager(void);

/* What stands for the new dict there; else itself. */
mproc_dict *dicts_served(mproc_dict *dict);
bool dicts_are_served(void);

static inline mproc_dict *dicts_create(mproc_value items)
{
    mproc_dict *dict = NULL;

    CHECK_OK(mproc_dict_create(items, &dict));
    return dicts_served(dict);
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
    const char *wrong = dicts_are_served() ? NULL : table_sound(dict);

    CHECK_STRING(wrong ? wrong : "", "");
}

#endif
