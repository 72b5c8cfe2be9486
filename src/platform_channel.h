/*
 * The part of src/platform.h for streams of bytes between processes; what is said there of all functions holds here.
 */
#ifndef MPROC_PLATFORM_CHANNEL_H
#define MPROC_PLATFORM_CHANNEL_H

#include "platform.h"

/* ---- channel.c -------------------------------------------------------------------------------- */

/*
 * One end of a stream: a socket, or a named pipe with overlapped operations. What is written at the one end is read
 * at the other, in order; what was written before an end was closed, or its process was killed, can still be read.
 *
 * One thread at a time peeks or reads, and one writes. Windows: each of them has an event of its own.
 */
typedef struct plat_channel {
    plat_handle handle;
    plat_handle input;
    plat_handle output;
    bool socket; /* Windows: and no named pipe */
} plat_channel;

/* A piece of memory. */
typedef struct plat_bytes {
    void *data;
    size_t size;
} plat_bytes;

/* What is written as one piece, or not at all, if both parts together have at most so many bytes. Not so by TCP. */
#define PLAT_CHANNEL_WHOLE ((size_t)16384)

/* Makes a stream. `one_way`: the first end only reads, and the second only writes. MPROC_LIMIT, MPROC_NO_MEMORY. */
mproc_status plat_channel_pair(bool one_way, plat_channel *first, plat_channel *second);

/*
 * Makes a channel of the handle of an end that this process was started with and has adopted. MPROC_INVALID: it is
 * no such handle. The handle is the channel's then, which may have another in its place.
 */
mproc_status plat_channel_open(plat_handle handle, plat_channel *channel);

/* Nobody uses it. */
void plat_channel_close(plat_channel *channel);

/*
 * Each of these waits until it can move at least one byte, moves as many as go at once, of the first part and then of
 * the second, and writes how many. To peek leaves them where they are. Sizes of 0 move nothing; the data of the first
 * part are.
 *
 *   MPROC_TIMEOUT      the deadline has passed
 *   MPROC_INTERRUPTED  the event `wake` (unless it is PLAT_NO_HANDLE) is set
 *   MPROC_END          peek, read: there is nothing left, and nobody has the other end
 *   MPROC_PEER_DIED    write: nobody has the other end. No signal is sent
 * None of these has set a text, and nothing was moved; but on Windows a write of more than PLAT_CHANNEL_WHOLE bytes
 * that the deadline or the event ends may have been, unless the first part, which goes by itself then, was to go.
 */
typedef mproc_status plat_channel_move(const plat_channel *channel, const plat_bytes parts[2], plat_handle wake,
                                       int64_t deadline_ns, size_t *moved);
plat_channel_move plat_channel_peek; /* into the first part alone */
plat_channel_move plat_channel_read;
plat_channel_move plat_channel_write;

#endif
