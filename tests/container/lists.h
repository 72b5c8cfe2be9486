/* What the tests of lists share. */
#ifndef LISTS_H
#define LISTS_H

#include "container/containers.h"
#include "kill/items_sound.h"

#define OPEN MPROC_LIST_OPEN

static inline mproc_list *lists_create(mproc_value items)
{
    mproc_list *list = NULL;

    CHECK_OK(mproc_list_create(items, &list));
    return containers_served(list);
}

static inline int64_t lists_int(const mproc_list *list, int64_t index)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_list_get(list, index, &value));
    return got_int(value);
}

/* Whether what is got is the value. */
static inline bool lists_has(const mproc_list *list, int64_t index, mproc_value expected)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_list_get(list, index, &value));
    return got_equals(value, expected);
}

static inline void lists_check_sound(const mproc_list *list)
{
    const char *wrong = containers_are_served() ? NULL : items_sound(list);

    CHECK_STRING(wrong ? wrong : "", "");
}

/* What Python's print(list) would say. */
static inline void lists_check_prints(const mproc_list *list, const char *expected)
{
    mproc_value copy = mproc_nil();

    CHECK_OK(mproc_list_copy(list, &copy));
    got_prints(copy, expected);
    lists_check_sound(list);
}

#endif
