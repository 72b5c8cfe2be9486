/* Sets: dicts whose values are nil. */
#ifndef MPROC_CONTAINER_SET_H
#define MPROC_CONTAINER_SET_H

#include <mproc/set.h>

#include "container/dict.h"

extern const struct object_type set_type;

struct mproc_set {
    mproc_dict dict;
};

/* What becomes of the elements of another set. */
mproc_status set_merge(const mproc_set *set, enum table_merging how, const mproc_value *other);

/* The other calls from MPROC_SET_UNION on; see <mproc/set.h>. */
mproc_status set_combine(const mproc_set *set, enum mproc_set_method method, const mproc_value *other,
                         mproc_value *result);

#endif
