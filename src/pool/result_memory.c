/* Memory for results. */
#include "pool/result_memory.h"

#include <stdlib.h>

#include "pool/tasks.h"

#define BLOCK_RESULTS 256

/*
 * The results from `begun` on were never used. `free` are those that were given back, linked by `next`. A block is in
 * the list of the open ones, unless all of its results are used.
 */
struct result_block {
    struct result_block *next;
    struct result_block *previous;
    mproc_result *free;
    uint32_t used;
    uint32_t begun;
    mproc_result results[BLOCK_RESULTS];
};

static void open_block(struct result_memory *memory, struct result_block *block)
{
    block->previous = NULL;
    block->next = memory->open;
    if (block->next) block->next->previous = block;
    memory->open = block;
}

static void close_block(struct result_memory *memory, struct result_block *block)
{
    if (block->next) block->next->previous = block->previous;
    if (block->previous) block->previous->next = block->next;
    else memory->open = block->next;
}

static bool add_block(struct result_memory *memory)
{
    struct result_block *block = malloc(sizeof *block);

    if (!block) return false;
    block->free = NULL;
    block->used = block->begun = 0;
    open_block(memory, block);
    memory->empty++;
    return true;
}

mproc_result *result_memory_take(struct result_memory *memory)
{
    struct result_block *block;
    mproc_result *result;

    if (!memory->open && !add_block(memory)) return NULL;
    block = memory->open;
    if (block->used++ == 0) memory->empty--;
    if (block->used == BLOCK_RESULTS) close_block(memory, block);
    if ((result = block->free)) block->free = result->next;
    else result = &block->results[block->begun++];
    *result = (mproc_result){.block = block};
    return result;
}

void result_memory_give(struct result_memory *memory, mproc_result *result)
{
    struct result_block *block = result->block;

    result->next = block->free;
    block->free = result;
    if (block->used-- == BLOCK_RESULTS) open_block(memory, block);
    if (block->used > 0 || memory->empty++ < RESULT_BLOCKS_KEPT) return;
    memory->empty--;
    close_block(memory, block);
    free(block);
}

void result_memory_end(struct result_memory *memory)
{
    struct result_block *block;

    while ((block = memory->open)) {
        memory->open = block->next;
        free(block);
    }
}
