/*
 * Connections: messages between two ends, each of which a process has (Python: multiprocessing.connection, Pipe()).
 *
 *     mproc_connection *here, *there;
 *     mproc_check(mproc_pipe(NULL, &here, &there));
 *     mproc_check(mproc_process_create(answer, MPROC_ARGS(there), NULL, &child));
 *     mproc_check(mproc_process_start(child));
 *     mproc_connection_free(there);                     the child has it
 *     mproc_check(mproc_connection_send(here, MPROC_VALUE("one"), MPROC_FOREVER));
 *     mproc_check(mproc_connection_recv(here, &answer, MPROC_FOREVER));
 *
 * A message is a value or plain bytes, and arrives whole, or not at all. What was sent is received, in order, also if
 * the sender has ended meanwhile. Under an end lies a stream of the operating system - on Linux a socket, on Windows
 * a named pipe -, so the system's own handle can be waited for in the program's own loop, and the end of a process,
 * in whatever way, is the end of what it had: the other side receives what was sent, then MPROC_END. Nothing else
 * suffers when a process is killed in the middle of a message: the other side gets MPROC_BROKEN instead, on that
 * connection.
 *
 * For that, nobody else may have the end still: whoever has given one to a child frees his own reference. A process
 * that is killed frees all of its references.
 *
 * Queues are the other way (<mproc/queue.h>): faster, with any number of processes at both sides, and safe whoever is
 * killed when. A connection is for two sides that talk, and for what has a handle.
 *
 * Which process has an end: a connection goes to a process as an argument with which that is started
 * (mproc_process_create()), and at any time in an item of a queue, in what a task of a pool is given or returns, in
 * a value of a dict, and in a message of a pipe. Until the start the process object keeps it, so the creator may free
 * his reference at once. A child has what it was started with until it frees it, also if its task never asks for it.
 * A fork() copy of a process has none of its connections: their handles are closed in it, and calls return
 * MPROC_FORKED.
 *
 * In an item, in arguments, a result or a message the end is open by itself: the other side learns of no end before
 * nobody has the item any more - it was cleared, or its queue is gone - and whoever got the connection from it has
 * freed it or was killed. What is sent by a pipe and not received is dropped when both of its ends are freed; so is
 * what a process was about to send or to receive when it was killed. So ends stay for ever that can be had from each
 * other's messages alone: of two pipes, or of one, if an end of it is in a queue that is in its message. Meanwhile
 * the first process of the family has a duplicate of the handle. Whoever reads a connection out of a value
 * (mproc_unpack(), mproc_value_to()) takes another one from there, and may be told, as may who puts one:
 *   MPROC_PEER_DIED    the first process has ended: then handles go to new processes alone
 *   MPROC_TIMEOUT      it is stopped, and does not answer within the call's time limit; where a call has none, for 10
 *                      seconds
 *   MPROC_INTERRUPTED  mproc_interrupt() was called meanwhile
 *   MPROC_LIMIT        there are too many open files, here or there
 *   MPROC_CLOSED       this process has closed the connection that is to be passed on
 *
 * Threads: any thread may use a connection at any time. One sends at a time, and one receives; others wait for their
 * turn, within their time limits. So messages are never mixed. Two processes that use the same end at once are not
 * kept apart.
 *
 * Time limits are in milliseconds (MPROC_FOREVER: none; 0: only tries). mproc_interrupt() ends what waits at once; so
 * does mproc_connection_close() by another thread. A call that ends so while it waits for the rest of a message has
 * received nothing: the next one goes on with that message. A call that ends so in the middle of sending one returns
 * MPROC_BROKEN, and nothing can be sent by this end any more, for nobody could tell where the next message begins.
 *
 * Framing: 4 bytes of size, the highest first, or -1 and 8 bytes above 2 GiB, then the message (Python's own).
 */
#ifndef MPROC_CONNECTION_H
#define MPROC_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_connection mproc_connection;

/* The most bytes that a message can have. A value has at most MPROC_VALUE_BYTES_MAX. */
#define MPROC_CONNECTION_MESSAGE_MAX (SIZE_MAX / 4)

/* Zero in a field is its default. */
typedef struct mproc_pipe_options {
    /* The first end only receives, the second only sends (Python: duplex=False). Default: both do both. */
    bool one_way;
} mproc_pipe_options;

/*
 * Makes two connections that are each other's other end (Python: Pipe()). Does not block. Each is the caller's:
 * mproc_connection_free(). Returns MPROC_OK, or, with `*first` and `*second` unchanged:
 *   MPROC_INVALID    `first` or `second` is NULL
 *   MPROC_LIMIT      there are too many open files
 *   MPROC_NO_MEMORY  the family's shared memory or this process has no room
 */
static inline mproc_status mproc_pipe(const mproc_pipe_options *options, mproc_connection **first,
                                      mproc_connection **second);

/*
 * Closes it for this reference (as mproc_connection_close()) and drops the reference, which nobody uses from then on.
 * What a task has got from its arguments is freed when it returns. NULL is fine.
 */
MPROC_API void mproc_connection_free(mproc_connection *connection);

/*
 * Sends a copy of a value (Python: send()). Blocks while the system has no room, that is, until the other side
 * receives, at most `timeout_ms`. MPROC_OK: the message is with the system, and arrives also if this process ends.
 *
 * Returns MPROC_OK, or, with nothing sent:
 *   MPROC_TIMEOUT        there was no room all the time
 *   MPROC_INTERRUPTED    mproc_interrupt() was called
 *   MPROC_CLOSED         this process has closed the connection
 *   MPROC_PEER_DIED      nobody has the other end any more (Python: BrokenPipeError). There is no SIGPIPE
 *   MPROC_BROKEN         time or an interrupt ended the call when a part was sent, or an earlier one: nothing can be
 *                        sent any more. By a pipe a message of up to some KiB is sent whole or not at all; larger
 *                        ones, and any by TCP, go in parts as the other side receives. With a limit of 0 one that was
 *                        begun is sent to its end
 *   MPROC_BAD_STATE      this end only receives
 *   MPROC_INVALID        `timeout_ms` is negative, or the value cannot be one (see mproc_value_copy())
 *   MPROC_BAD_FUNCTION   a function in the value lies in no module of this process
 *   MPROC_NOT_SUPPORTED  there are objects in the value, and this is no pipe: queues carry them
 * Of a value with objects also what is said above of who passes on a connection, and MPROC_INVALID: an end of this
 * connection is among them.
 *   MPROC_NO_MEMORY      this process has no room for the copy
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_connection_send(mproc_connection *connection, mproc_value value,
                                                             int64_t timeout_ms);

/*
 * Receives a value (Python: recv()). Blocks until a message is there, at most `timeout_ms`. `*value` is the caller's:
 * mproc_value_clear(). What came is checked whole before anything of it is used.
 *
 * Returns MPROC_OK, or, with nothing received and `*value` unchanged:
 *   MPROC_TIMEOUT      no message came, or not all of it: the next call goes on
 *   MPROC_END          nothing is left, and nobody has the other end any more (Python: EOFError)
 *   MPROC_BROKEN       the other side ended in the middle of a message, or what came is none: nothing can be received
 *                      any more
 *   MPROC_INVALID      the message is no value, as it was sent as bytes: it stays, for
 *                      mproc_connection_recv_bytes(); or `timeout_ms` is negative, or `value` is NULL
 *   MPROC_TOO_LONG     the message has more than MPROC_VALUE_BYTES_MAX bytes: it stays
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_CLOSED       this process has closed the connection
 *   MPROC_BAD_STATE    this end only sends
 *   MPROC_NO_MEMORY    this process has no room for the message, which stays
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_connection_recv(mproc_connection *connection, mproc_value *value,
                                                             int64_t timeout_ms);

/*
 * Sends `size` bytes as one message (Python: send_bytes(); its offset and size are arithmetic in C). 0 are a message,
 * too. Otherwise as mproc_connection_send(). MPROC_INVALID: also if `data` is NULL with a size, or the size is above
 * MPROC_CONNECTION_MESSAGE_MAX.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_connection_send_bytes(mproc_connection *connection, const void *data,
                                                                   size_t size, int64_t timeout_ms);

/*
 * Receives a message as a value of bytes (Python: recv_bytes(maxlength)), whatever it was sent as. `max` is the most
 * that is taken: SIZE_MAX if any is; MPROC_VALUE_BYTES_MAX is the limit of values. Of a value with objects the bytes
 * say nothing, and the objects are dropped. Otherwise as mproc_connection_recv().
 *
 * MPROC_TOO_LONG: the message has more bytes, as the text says, and stays. Unlike in Python the connection can be
 * used on. MPROC_INVALID: never for what the message is.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_connection_recv_bytes(mproc_connection *connection, size_t max,
                                                                   mproc_value *bytes, int64_t timeout_ms);

/*
 * Receives a message into the `capacity` bytes at `data`, and its number of bytes into `*size`, unless that is NULL
 * (Python: recv_bytes_into()). Messages of any size. Otherwise as mproc_connection_recv_bytes(); what is at `data` if
 * the call fails is undefined.
 *
 * MPROC_TOO_LONG: the message has more bytes, as `*size` says. It stays: the next call with room gets it. (In Python
 * it comes with the exception.) MPROC_INVALID: also if `data` is NULL with a capacity.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_connection_recv_bytes_into(mproc_connection *connection, void *data,
                                                                        size_t capacity, size_t *size,
                                                                        int64_t timeout_ms);

/*
 * Waits until something can be received: a message, or a part of one, or the news that there will be none (Python:
 * poll(timeout)). Takes nothing. Blocks at most `timeout_ms`.
 *
 * Returns MPROC_OK, or:
 *   MPROC_TIMEOUT      nothing came, or another thread was receiving all the time
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_CLOSED       this process has closed the connection
 *   MPROC_BAD_STATE    this end only sends
 *   MPROC_INVALID      `timeout_ms` is negative (in Python that is 0)
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_connection_poll(mproc_connection *connection, int64_t timeout_ms);

/*
 * Closes the connection for this reference (Python: close()): calls by it, also those that wait, return MPROC_CLOSED.
 * With the last reference of this process the handle is closed, and if no other process has the end, the other side
 * learns of it. Blocks until those who wait have left, for moments. To close again does nothing.
 * mproc_connection_free() is still to be called.
 */
MPROC_API void mproc_connection_close(mproc_connection *connection);

/* Returns whether it was closed by this reference (Python: closed). Does not block. */
MPROC_API bool mproc_connection_closed(const mproc_connection *connection);

/* Returns whether this end receives (Python: readable). Does not block. */
MPROC_API bool mproc_connection_readable(const mproc_connection *connection);

/* Returns whether this end sends (Python: writable). Does not block. */
MPROC_API bool mproc_connection_writable(const mproc_connection *connection);

/*
 * Writes the system's handle into `*handle` (Python: fileno()), for the program's own wait: a file descriptor, which
 * poll() and the like say is readable when a message, a part of one, or the end is there; on Windows a HANDLE of a
 * named pipe with overlapped operations, of which a read of 0 bytes is over then. The library has it: the program
 * neither closes it nor reads or writes by it. What a call has taken of a message and kept is not seen by it, but by
 * mproc_connection_poll(). Does not block.
 *
 * Returns MPROC_OK; MPROC_CLOSED: this process has closed the connection; MPROC_INVALID: `handle` is NULL.
 */
MPROC_API mproc_status mproc_connection_handle(mproc_connection *connection, intptr_t *handle);

/* ---- authentication ----------------------------------------------------------------------------- */

/*
 * What Python's functions of these names do: each side proves that it has a key, without showing it, by answering a
 * challenge that the other side has delivered. So one side delivers and then answers, the other answers and then
 * delivers. Listeners and clients that were given a key do both by themselves.
 *
 * The key is bytes, or text: what only those have who may connect. It can be empty. The one of this process' family,
 * of 32 random bytes, is at hand as mproc_process_authkey(). Nothing is decoded of what comes meanwhile. What is sent
 * later is neither hidden nor signed: who can change what goes over a network can take over a connection.
 *
 * The digest is SHA-256, as in Python 3.12 and later. docs/connections.md says what is sent.
 */
typedef struct mproc_challenge_options {
    /* Also with Python up to 3.11, which knows MD5 alone. Default: that is refused. */
    bool allow_md5;
} mproc_challenge_options;

/*
 * Delivers a challenge, waits for the answer, and says whether it is right (Python: deliver_challenge()). Blocks
 * until the other side has answered, at most `timeout_ms`. Whoever does not get MPROC_OK closes the connection.
 *
 * Returns MPROC_OK: the other side has the key; or:
 *   MPROC_AUTHENTICATION  it has another key, or none, or does something else than it must; the text says what
 *   MPROC_TIMEOUT         it did not answer in time
 *   MPROC_END             it ended
 *   MPROC_INVALID         the key is neither bytes nor text; or `timeout_ms` is negative
 *   MPROC_NOT_SUPPORTED   this system cannot: on Linux without libcrypto.so.3 or .1.1 (OpenSSL), which is loaded now
 * and what mproc_connection_send_bytes() and mproc_connection_recv_bytes_into() return.
 */
MPROC_NODISCARD static inline mproc_status mproc_connection_deliver_challenge(mproc_connection *connection,
                                                                              mproc_value authkey,
                                                                              const mproc_challenge_options *options,
                                                                              int64_t timeout_ms);

/*
 * Waits for a challenge, answers it, and waits for what the other side says to that (Python: answer_challenge()).
 * Otherwise as mproc_connection_deliver_challenge(). MPROC_OK: the other side accepts the answer. That it has the key
 * itself only its answer to a challenge proves. A challenge that the other side cannot have made, but got from this
 * end, or from a client if this is one, is not answered: MPROC_AUTHENTICATION.
 */
MPROC_NODISCARD static inline mproc_status mproc_connection_answer_challenge(mproc_connection *connection,
                                                                             mproc_value authkey,
                                                                             const mproc_challenge_options *options,
                                                                             int64_t timeout_ms);

/* ---- what the inline functions above call; not for direct use --------------------------------- */

MPROC_API mproc_status mproc_connection_deliver_challenge_sized(mproc_connection *connection, mproc_value authkey,
                                                                const mproc_challenge_options *options,
                                                                size_t options_size, int64_t timeout_ms);
MPROC_API mproc_status mproc_connection_answer_challenge_sized(mproc_connection *connection, mproc_value authkey,
                                                               const mproc_challenge_options *options,
                                                               size_t options_size, int64_t timeout_ms);

static inline mproc_status mproc_connection_deliver_challenge(mproc_connection *connection, mproc_value authkey,
                                                              const mproc_challenge_options *options,
                                                              int64_t timeout_ms)
{
    return mproc_connection_deliver_challenge_sized(connection, authkey, options, sizeof(mproc_challenge_options),
                                                    timeout_ms);
}

static inline mproc_status mproc_connection_answer_challenge(mproc_connection *connection, mproc_value authkey,
                                                             const mproc_challenge_options *options,
                                                             int64_t timeout_ms)
{
    return mproc_connection_answer_challenge_sized(connection, authkey, options, sizeof(mproc_challenge_options),
                                                   timeout_ms);
}

MPROC_API mproc_status mproc_pipe_sized(const mproc_pipe_options *options, size_t options_size,
                                        mproc_connection **first, mproc_connection **second);

static inline mproc_status mproc_pipe(const mproc_pipe_options *options, mproc_connection **first,
                                      mproc_connection **second)
{
    return mproc_pipe_sized(options, sizeof(mproc_pipe_options), first, second);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_pipe(const mproc_pipe_options &options, mproc_connection **first,
                                      mproc_connection **second)
{
    return mproc_pipe_sized(&options, sizeof options, first, second);
}

MPROC_NODISCARD static inline mproc_status mproc_connection_deliver_challenge(mproc_connection *connection,
                                                                              mproc_value authkey,
                                                                              const mproc_challenge_options &options,
                                                                              int64_t timeout_ms)
{
    return mproc_connection_deliver_challenge_sized(connection, authkey, &options, sizeof options, timeout_ms);
}

MPROC_NODISCARD static inline mproc_status mproc_connection_answer_challenge(mproc_connection *connection,
                                                                             mproc_value authkey,
                                                                             const mproc_challenge_options &options,
                                                                             int64_t timeout_ms)
{
    return mproc_connection_answer_challenge_sized(connection, authkey, &options, sizeof options, timeout_ms);
}
#endif

#endif
