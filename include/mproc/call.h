/*
 * What a function gets and sees when it runs as a task: in a process, or for a pool.
 */
#ifndef MPROC_CALL_H
#define MPROC_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include <mproc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One run of one task; it belongs to the library and lives until the task returns. */
typedef struct mproc_call mproc_call;

/*
 * A function that runs in another process (Python: Process(target=...)).
 *
 * MPROC_OK ends the process with exit code 0; any other status with 1, after its text was printed
 * to stderr. The function may also call exit(n).
 *
 * It is found in the child by its module and its place in it, so it may be static, and may lie in
 * the executable, in a shared library linked to it, or in one opened at run time.
 */
typedef mproc_status mproc_function(mproc_call *call);

/*
 * Arguments of a task: plain bytes, copied when the task is created. Pointers inside them mean
 * nothing to the process that runs it.
 */
typedef struct mproc_args {
    const void *data;
    size_t size;
} mproc_args;

/* Makes arguments of the `size` bytes at `data`: mproc_bytes(&order, sizeof order). Never blocks, never fails. */
static inline mproc_args mproc_bytes(const void *data, size_t size)
{
    mproc_args args;
    args.data = data;
    args.size = size;
    return args;
}

/* Makes an empty argument list. */
static inline mproc_args mproc_no_args(void)
{
    return mproc_bytes(NULL, 0);
}

/*
 * Returns the task's argument bytes and, if `size` is not NULL, their number. The bytes are aligned
 * for every type, are the library's, and stay until the task returns. NULL when there are none.
 *
 * Never blocks. Only the task itself (any of its threads) may call this.
 */
MPROC_API const void *mproc_call_bytes(const mproc_call *call, size_t *size);

/*
 * Copies the task's arguments into the variable `out` of `size` bytes.
 *
 * Returns MPROC_OK, or, with `out` unchanged:
 *   MPROC_INVALID   `out` is NULL, or the task was given another number of bytes
 *
 * Never blocks. Only the task itself (any of its threads) may call this.
 */
MPROC_API mproc_status mproc_unpack_bytes(const mproc_call *call, void *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
