/*
 * Results, as those who run tasks or maps for them see them: what became of a task is taken down here, and is then
 * known to the program. All under the mutex of the tasks, but for maps.
 */
#ifndef MPROC_POOL_OUTCOME_H
#define MPROC_POOL_OUTCOME_H

#include "pool/tasks.h"

/* All of it is zero, it has no holders yet, and holds the tasks. NULL: there is no memory. */
mproc_result *outcome_create(struct tasks *tasks);

/* Takes down what a worker has said in the slot. `link` is to the parcel with the value or the text, if any. */
void outcome_take(mproc_result *result, const struct task_slot *slot, const _Atomic uint64_t *link,
                  enum task_state state);

/* The same, of what no worker has said. */
void outcome_set(mproc_result *result, mproc_status status, const char *text);

/* It is known now, and the tasks hold it no longer: if the program has freed it, then for its callback alone. */
void outcome_publish(mproc_result *result);

/* Gives up one holder of the result. */
void outcome_put(mproc_result *result);

/* Of an asynchronous map, in the thread that has run it: it is known. */
void outcome_of_map(mproc_result *result, mproc_status status, const char *text);

#endif
