/* How a map is cut into windows and chunks. */
#ifndef MPROC_POOL_PARTITION_H
#define MPROC_POOL_PARTITION_H

#include "pool/map.h"

/* Whether there can be so many items, results and statuses: before anything is written to one. MPROC_INVALID. */
mproc_status partition_check_count(const struct map *map, const mproc_map_options *options);

/* Checks what is asked and decides on chunks and windows. MPROC_INVALID. */
mproc_status partition_map(struct map *map, const mproc_map_options *options);

#endif
