/* Computing the chunks of a window. */
#ifndef MPROC_POOL_RUN_CHUNKS_H
#define MPROC_POOL_RUN_CHUNKS_H

#include "pool/window.h"
#include "process/call.h"
#include "process/task.h"

/* A range of items in the array: the first one's number, and where they and their results lie. */
struct range {
    uint64_t first;
    uint64_t items;
    const unsigned char *inputs;
    unsigned char *results;
};

/* Calls the job's function for a range. Returns its status, and how many items it has done before. */
struct chunk_runner;
typedef mproc_status run_range_function(struct chunk_runner *runner, const struct range *range, uint64_t *done);

/* A worker's own memory: the job that it knows, with its function found. */
struct chunk_runner {
    struct pool_shared *shared;
    struct pool_worker *worker;
    uint32_t index;
    struct task task;
    mproc_call call; /* with the arguments of `args_job` */
    uint64_t tasks_left;
    uint64_t args_job;
    uint64_t args; /* of `job`: where they lie */
    uint64_t job;
    mproc_status status; /* why the job's function cannot be called here */
    function_ref known;  /* the function that `function` was found for */
    function_pointer function;
    uintptr_t loop;          /* as in struct pool_job */
    run_range_function *run; /* item by item, or at once */
    bool copies;             /* as in struct pool_job */
    size_t item_size;
    size_t result_size;
};

/* Claims and computes chunks of the window until none is left: its own region first, then the others'. */
void run_chunks(struct chunk_runner *runner, uint64_t number);

#endif
