/*
 * What a function gets and sees when it runs as a task: in a process, or for a pool.
 */
#ifndef MPROC_CALL_H
#define MPROC_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include <mproc/value.h>

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
 * When it returns, locks that it holds are abandoned, as at the end of their owner. A fork() copy that it has made
 * and that returns from it ends at once, without exit handlers. The same is true of the functions of maps.
 *
 * It is found in the child by its module and its place in it, so it may be static, and may lie in
 * the executable, in a shared library linked to it, or in one opened at run time.
 */
typedef mproc_status mproc_function(mproc_call *call);

/*
 * Arguments of a task: a value, copied when the task is created.
 *
 *     MPROC_ARGS("f1", 2)                         in their order, for mproc_unpack()
 *     MPROC_MAP("name", "f1", "seconds", 2)       by their names, for mproc_call_value()
 *     mproc_bytes(&order, sizeof order)           bytes as they are, for mproc_unpack_bytes(); pointers inside them
 *                                                 mean nothing to the process that runs the task
 *     mproc_no_args()
 */
typedef mproc_value mproc_args;

/* Makes an empty argument list. */
static inline mproc_args mproc_no_args(void)
{
    return mproc_list_from(NULL, 0);
}

/*
 * Puts the task's arguments into variables, whose addresses are given, by the type of each:
 *
 *     const char *name;
 *     int64_t seconds;
 *     MPROC_TRY(mproc_unpack(call, &name, &seconds));
 *
 * Integers fit a variable of any integer type that can hold them; strings and what is in an mproc_value are the
 * library's and stay until the task returns. Up to 32 variables.
 *
 * Returns MPROC_OK, or, with all variables unchanged:
 *   MPROC_INVALID   another number of arguments, or one of another type or out of range: mproc_last_error_text()
 *                   names it and both types; or the arguments are a map or bytes
 *   MPROC_BAD_FUNCTION, MPROC_CLOSED, ...  of functions and objects, as mproc_value_to()
 *
 * Never blocks. Only the task itself (any of its threads) may call this.
 */
#ifndef __cplusplus
#define mproc_unpack(call, ...) mproc_unpack_targets((call), MPROC_TARGETS_(__VA_ARGS__), MPROC_COUNT(__VA_ARGS__))
#endif

/* Returns how many arguments the task has: elements of a list, pairs of a map; 1 for bytes. Otherwise as above. */
MPROC_API size_t mproc_call_count(const mproc_call *call);

/*
 * Returns a view of the task's arguments: the list, the map or the bytes. It, and what is in it, is the library's and
 * stays until the task returns. Never blocks. Only the task itself (any of its threads) may call this.
 */
MPROC_API mproc_value mproc_call_value(const mproc_call *call);

/*
 * Returns the task's argument bytes and, if `size` is not NULL, their number. The bytes are aligned
 * for every type (up to 7 of them: for types of that size), are the library's, and stay until the task returns. NULL
 * when there are none, or other arguments than bytes.
 *
 * Never blocks. Only the task itself (any of its threads) may call this.
 */
MPROC_API const void *mproc_call_bytes(const mproc_call *call, size_t *size);

/*
 * Copies the task's argument bytes into the variable `out` of `size` bytes.
 *
 * Returns MPROC_OK, or, with `out` unchanged:
 *   MPROC_INVALID   `out` is NULL, or the task was given another number of bytes, or other arguments than bytes
 *
 * Never blocks. Only the task itself (any of its threads) may call this.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_unpack_bytes(const mproc_call *call, void *out, size_t size);

/*
 * Keeps an address for the tasks that follow in the same worker of a pool: what its initializer has made
 * (<mproc/pool.h>). It means nothing elsewhere, and what it points to is the program's own. Ours: Python's
 * initializers use global variables, which worker threads share.
 *
 * Never blocks. Only the task itself may call this.
 */
MPROC_API void mproc_call_set_state(mproc_call *call, void *state);

/*
 * Returns the address that was kept last in this worker, or in this run of a task that is none of a pool's; NULL if
 * there is none. Never blocks. Only the task itself (any of its threads) may call this.
 */
MPROC_API void *mproc_call_state(const mproc_call *call);

/*
 * Returns whether the task of a pool is to stop, and to return soon (C++: stop_token.stop_requested()): whoever has
 * given it to the pool was interrupted, has given it up or has called mproc_result_stop(), the pool is terminated, or
 * its soft time limit has passed. It stays so; mproc_interrupted() says it once, and a wait that it ends, too. False
 * elsewhere.
 *
 * Never blocks, and takes about as long as reading two variables. The thread alone that runs the task may call this.
 * Ours.
 */
MPROC_API bool mproc_call_stop_requested(const mproc_call *call);

/*
 * Returns which attempt this run of a pool's task, or of a map's item, is: 1, or more if it was begun before, and
 * lost with its worker (`retries` in mproc_task_options and mproc_map_options). What it then did may have had its
 * effects. 1 elsewhere. Never blocks. Only the task itself (any of its threads) may call this. Ours.
 */
MPROC_API int mproc_call_attempt(const mproc_call *call);

/*
 * Keeps a copy of the value as what the task returns to whoever has given it to a pool, as return does in Python:
 *
 *     return mproc_call_return(call, MPROC_VALUE(n * n));
 *
 * Of several the last counts; a task that keeps none returns nil. Objects in the value travel with it. When the task
 * then returns another status than MPROC_OK, that arrives, and the value does not.
 *
 * Returns MPROC_OK, or, with nothing kept:
 *   MPROC_BAD_STATE   nobody gets a value of this function: it runs in a process of its own, or for a map
 *   MPROC_INVALID     the value cannot be copied, see mproc_value_copy()
 *   MPROC_CLOSED      an object in the value has been freed
 *   MPROC_FORKED      this process is a fork() copy that the task has made
 *   MPROC_NO_MEMORY   there is no room for it
 *
 * Never blocks. Only the thread that runs the task may call this.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_call_return(mproc_call *call, mproc_value value);

/* What mproc_unpack() calls. */
MPROC_NODISCARD MPROC_API mproc_status mproc_unpack_targets(const mproc_call *call, const mproc_target *targets,
                                                            size_t count);

#ifdef __cplusplus
}

/* A list or a map where it is made. */
template <bool map, class... Kept>
MPROC_NODISCARD mproc_status mproc_call_return(mproc_call *call, const mproc_values<map, Kept...> &value)
{
    return mproc_call_return(call, value.borrow());
}

/* Puts the task's arguments into variables: as the macro of this name in C. */
template <class... Address> MPROC_NODISCARD mproc_status mproc_unpack(const mproc_call *call, Address... address)
{
    const mproc_target targets[] = {mproc_target_of(address)...};

    static_assert(sizeof...(Address) <= 32, "mproc: up to 32 variables can be unpacked");
    return mproc_unpack_targets(call, targets, sizeof...(Address));
}
#endif

#endif
