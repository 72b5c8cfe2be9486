/*
 * Handles of the operating system that go from process to process: files, sockets, pipes of the program's own
 * (Python: multiprocessing.reduction's DupFd, DupHandle, send_handle()).
 *
 *     mproc_os_handle *file;
 *     mproc_check(mproc_os_handle_create(fileno(stream), &file));          Windows: _get_osfhandle(fileno(stream))
 *     mproc_check(mproc_queue_put(queue, MPROC_VALUE(file), MPROC_FOREVER));
 *     mproc_os_handle_free(file);
 *
 * and in the process that has got it:
 *
 *     intptr_t descriptor;
 *     mproc_check(mproc_os_handle_duplicate(file, &descriptor));           its own: it closes it
 *
 * It goes where a connection goes: to a process with the arguments with which that is started, and at any time in
 * items of queues, arguments and results of tasks, and messages of pipes. What <mproc/connection.h> says there holds
 * here: the statuses of whoever puts and reads it, and that what it stands for stays open while an item has it, or a
 * process that has not freed it.
 *
 * On Linux it is a file descriptor; on Windows a HANDLE, or a SOCKET, which is one as long as no layered provider has
 * changed it; a process that gets a SOCKET has called WSAStartup() itself.
 */
#ifndef MPROC_OS_HANDLE_H
#define MPROC_OS_HANDLE_H

#include <stdint.h>

#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes an object that stands for what `handle` stands for, by a duplicate of its own: the program may close the
 * handle at once, and the library never does. Does not block. `*out` is the caller's: mproc_os_handle_free().
 *
 * Returns MPROC_OK, or, with `*out` unchanged:
 *   MPROC_INVALID    it is no open handle, or `out` is NULL
 *   MPROC_LIMIT      there are too many open files
 *   MPROC_NO_MEMORY  the family's shared memory or this process has no room
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_os_handle_create(intptr_t handle, mproc_os_handle **out);

/*
 * Drops the reference, and with the last one of this process its handle. What was duplicated from it stays. What a
 * task has got from its arguments is freed when it returns. Does not block. NULL is fine.
 */
MPROC_API void mproc_os_handle_free(mproc_os_handle *handle);

/*
 * Writes a new duplicate into `*duplicate`, which is the caller's: he closes it. Children do not inherit it. Of a
 * file, duplicates share the position, in all processes. Does not block. Any thread may call it.
 *
 * Returns MPROC_OK, or, with nothing written, MPROC_INVALID: `duplicate` is NULL; MPROC_LIMIT: there are too many
 * open files; MPROC_FORKED: this process is a fork() copy of the one that had it.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_os_handle_duplicate(const mproc_os_handle *handle, intptr_t *duplicate);

#ifdef __cplusplus
}
#endif

#endif
