/*
 * The subjects that measure the library's own ground, below its public functions: memory of the arena, and a
 * second process that shares it.
 */
#ifndef BENCH_MEMBER_H
#define BENCH_MEMBER_H

#include <mproc/mproc.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory of the arena, at the start of a cache line; the process keeps it until it ends. */
void *member_shared(size_t size);

/* Starts `function` as a process of the family; its argument is where `shared` lies in the arena. */
mproc_process *member_start(mproc_function *function, const void *shared);

/* In that process: the memory that was named. */
void *member_find(const mproc_call *call);

/* Waits for its end. False: it did not end with exit code 0. */
bool member_join(mproc_process *process);

#endif
