/* How a map is cut into windows and chunks. */
#ifndef MPROC_POOL_PARTITION_H
#define MPROC_POOL_PARTITION_H

#include "pool/map.h"

/* Checks what is asked and decides on chunks and windows. MPROC_INVALID. */
mproc_status partition_map(struct map *map, const mproc_map_options *options);

#endif
