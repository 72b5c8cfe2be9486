/* Memory for the results of one pool's tasks: each task takes and gives some, so it is kept, in blocks of many. */
#ifndef MPROC_POOL_RESULT_MEMORY_H
#define MPROC_POOL_RESULT_MEMORY_H

#include <mproc/result.h>

#include <stdint.h>

/* Blocks in which no result is used are kept up to this number. */
#define RESULT_BLOCKS_KEPT 16

/* All zero at first. `open` are the blocks in which a result is free, `empty` counts those in which all are. */
struct result_memory {
    struct result_block *open;
    uint32_t empty;
};

/* All zero. NULL: there is no memory. */
mproc_result *result_memory_take(struct result_memory *memory);

void result_memory_give(struct result_memory *memory, mproc_result *result);

/* When none is used any more. */
void result_memory_end(struct result_memory *memory);

#endif
