/* What the tests of sets share, besides dicts.h. */
#ifndef SETS_H
#define SETS_H

#include "container/dicts.h"
#include "container/set.h"

static inline mproc_set *sets_create(mproc_value elements)
{
    mproc_set *set = NULL;

    CHECK_OK(mproc_set_create(elements, &set));
    return containers_served(set);
}

/* Whether it was new. */
static inline bool sets_add(mproc_set *set, mproc_value element)
{
    bool is_new = false;

    CHECK_OK(mproc_set_add(set, element, &is_new));
    return is_new;
}

/* What its copy prints as, and that it is whole. */
static inline void sets_check(const mproc_set *set, const char *expected)
{
    mproc_value copy = mproc_nil();

    CHECK_OK(mproc_set_copy(set, &copy));
    CHECK_EQ(mproc_set_count(set), mproc_value_count(copy));
    got_prints(copy, expected);
    dicts_check_sound(&set->dict);
}

#endif
