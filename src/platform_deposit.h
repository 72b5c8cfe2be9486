/*
 * The part of src/platform.h for handles that one process of a family leaves with another; what is said there of all
 * functions holds here.
 */
#ifndef MPROC_PLATFORM_DEPOSIT_H
#define MPROC_PLATFORM_DEPOSIT_H

#include "platform.h"

/* ---- deposit.c -------------------------------------------------------------------------------- */

/*
 * A deposit is a duplicate of a handle that the first process of a family has for the others. They have a `door` to
 * that process, which each gives to its children: a socket, or a handle of the process.
 *
 * POSIX: what they ask lies in the socket until the first process serves it, in its order, and not longer than that
 * lives. Windows: they put and take handles themselves, and nothing is to be served.
 */

/*
 * What stands in shared memory for a deposit, zero at first. `number`: 0 if there is none; who puts one writes it
 * before anything is there, or the system does. `taken` is the number that the one has who drops it (Windows).
 */
typedef struct plat_deposit {
    _Atomic int64_t number;
    _Atomic int64_t taken;
} plat_deposit;

/* In the first process: makes both ends. Windows: `store` is PLAT_NO_HANDLE. MPROC_LIMIT, MPROC_NO_MEMORY. */
mproc_status plat_deposit_create(plat_handle *store, plat_handle *door);

/*
 * Makes another handle of this process for the same thing: of one of the library's; of one of the program's, which
 * stays that's; and for the program, to which it belongs then. MPROC_INVALID: it is none. MPROC_LIMIT.
 */
mproc_status plat_handle_copy(plat_handle handle, plat_handle *copy);
mproc_status plat_handle_import(intptr_t handle, plat_handle *copy);
mproc_status plat_handle_export(plat_handle handle, intptr_t *copy);

/*
 * Puts a duplicate of the handle there under the key, which no other deposit of the family ever has. Never waits.
 * Killed in it, there is no deposit, or one that `deposit` tells of.
 *
 * MPROC_TIMEOUT: too much is asked for that is not served yet. MPROC_PEER_DIED: the first process has ended.
 * Neither has set a text. MPROC_LIMIT: too many files are on their way. MPROC_INVALID: one of the handles is none.
 */
mproc_status plat_deposit_put(plat_handle door, uint64_t key, plat_handle handle, plat_deposit *deposit);

/*
 * Asks for a duplicate of a deposit, which plat_deposit_take() takes from `*answer`. It never waits, and returns as
 * plat_deposit_put(). Windows: `*answer` is the duplicate.
 */
mproc_status plat_deposit_ask(plat_handle door, uint64_t key, const plat_deposit *deposit, plat_handle *answer);

/*
 * Waits for the answer, at most until the deadline: MPROC_TIMEOUT, without a text, and the answer stays. Otherwise
 * that is closed, unless it is the duplicate. MPROC_PEER_DIED, without a text: the first process has ended.
 * MPROC_CLOSED, without a text: there is no such deposit. MPROC_LIMIT: the first process has too many open files.
 */
mproc_status plat_deposit_take(plat_handle door, plat_handle *answer, int64_t deadline_ns, plat_handle *handle);

/*
 * Drops a deposit; of one that is gone, or whose first process is, nothing is left to be done. Killed in it, it is
 * done, or can be done again. Never waits. False: as MPROC_TIMEOUT above, nothing was done.
 */
bool plat_deposit_drop(plat_handle door, uint64_t key, plat_deposit *deposit);

/* Waits until there may be room for what is asked. MPROC_TIMEOUT. */
mproc_status plat_deposit_await_room(plat_handle door, int64_t deadline_ns);

/* One thing that was asked. `handle`: what is put, with `status` why it did not arrive; or where the answer goes. */
typedef enum plat_deposit_act { PLAT_DEPOSIT_PUT = 1, PLAT_DEPOSIT_ASK, PLAT_DEPOSIT_DROP } plat_deposit_act;

typedef struct plat_deposit_request {
    plat_deposit_act act;
    uint64_t key;
    plat_handle handle;
} plat_deposit_request;

/* In the first process: the next request, whose handle is the caller's. False: there is none. Never waits. */
bool plat_deposit_next(plat_handle store, plat_deposit_request *request);

/* Answers, with the handle or, without one, the status; closes the request's. Never waits. */
void plat_deposit_answer(const plat_deposit_request *request, plat_handle handle, mproc_status status);

#endif
