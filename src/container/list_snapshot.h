/* Snapshots of lists: the elements as they were at one moment, to be read without the lock. */
#ifndef MPROC_CONTAINER_LIST_SNAPSHOT_H
#define MPROC_CONTAINER_LIST_SNAPSHOT_H

#include "container/list.h"

/*
 * `cells` are the elements in their order, and `values` views of them, with `room` for some more. `owned` has, if
 * there are parcels among them, an object of this process whose links hold these.
 */
struct list_snapshot {
    struct cell *cells;
    mproc_value *values;
    _Atomic uint64_t *owned;
    uint64_t count, parcels;
    uint64_t room, parcels_room;
};

/* `at`: a slice of the list, or NULL: all of it. MPROC_NO_MEMORY. In both cases list_snapshot_end() follows. */
mproc_status list_snapshot(const mproc_list *list, const int64_t *at, struct list_snapshot *all);
void list_snapshot_end(const struct list_snapshot *all);

#endif
