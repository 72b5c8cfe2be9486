/* Computing the chunks of a window. */
#ifndef MPROC_POOL_RUN_CHUNKS_H
#define MPROC_POOL_RUN_CHUNKS_H

#include "pool/window.h"
#include "pool/worker.h"

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

/* A worker's own memory for maps: the job that it knows, with its function found. */
struct chunk_runner {
    struct worker *worker;
    struct pool_job *place; /* where the job is */
    uint64_t args_job;      /* the job of which the call has the arguments */
    uint64_t args;          /* of `job`: where they lie */
    uint64_t job;
    mproc_status status; /* why the job's function cannot be called here */
    function_ref known;  /* the function that `function` was found for */
    function_pointer function;
    uintptr_t loop;          /* as in struct pool_map */
    run_range_function *run; /* item by item, or at once */
    bool copies;             /* as in struct pool_map */
    bool stops;              /* likewise */
    bool given_up;           /* the chunk that it is in */
    size_t item_size;
    size_t result_size;
};

/*
 * Claims and computes chunks of the window until none is left: its own region first, then the others'. False: there
 * may be more, but another job has work, or the worker has done enough.
 */
bool run_chunks(struct chunk_runner *runner, uint32_t place, uint64_t number);

#endif
