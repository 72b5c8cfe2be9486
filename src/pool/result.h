/* Results, for who makes them. */
#ifndef MPROC_POOL_RESULT_H
#define MPROC_POOL_RESULT_H

#include "pool/tasks.h"

/* A view of what the task has returned; of a result that is known and is MPROC_OK. */
mproc_value result_view(const mproc_result *result);

/* The same as the caller's own, for mproc_value_clear(). The result is then only to be freed. MPROC_NO_MEMORY. */
mproc_status result_take_value(mproc_result *result, mproc_value *value);

#endif
