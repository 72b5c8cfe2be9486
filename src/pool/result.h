/* Results, for who makes them. */
#ifndef MPROC_POOL_RESULT_H
#define MPROC_POOL_RESULT_H

#include "object/wait.h"
#include "object/waitable.h"
#include "pool/tasks.h"

extern const struct waitable result_waitable;

/* What has become of it, looked at without the mutex: TASK_READY and TASK_TAKEN are of one that is not over. */
enum task_state result_state(const mproc_result *result);

/* Whether nobody has to wait for it. */
bool result_is_over(const mproc_result *result);

/* The calling thread's bell, which some threads share. */
uint32_t result_bell(void);

/* Has whoever finishes the task ring the bell. False: it is finished. */
bool result_announce(const mproc_result *result, uint32_t bell);

/* MPROC_TIMEOUT, MPROC_INTERRUPTED; MPROC_BAD_STATE: the calling thread is a worker of the pool. */
mproc_status result_wait_until_over(mproc_result *result, struct wait *wait);

/* A view of what the task has returned; of a result that is known and is MPROC_OK. */
mproc_value result_view(const mproc_result *result);

/*
 * The end of a result that is over and that nobody else knows: if it is a number or nothing, `*value` (unless it is
 * NULL) is that, and the result is freed. False: there is more to it, and it is as before.
 */
bool result_end(mproc_result *result, mproc_value *value);

/* The same as the caller's own, for mproc_value_clear(). The result is then only to be freed. MPROC_NO_MEMORY. */
mproc_status result_take_value(mproc_result *result, mproc_value *value);

#endif
