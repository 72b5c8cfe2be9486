/*
 * Streams of pipes: a message with objects is a parcel in the arena, and what goes by the system names it. Until it
 * is received the stream has the parcel, in a list for each direction: so it is there whoever ends, and is dropped
 * with the connection if nobody receives it.
 */
#ifndef MPROC_CONNECTION_STREAM_H
#define MPROC_CONNECTION_STREAM_H

#include "connection/connection.h"
#include "process/family.h"

/* An object, to which both ends have a link. The lists are parcels' `next`, and change under its lock. */
struct stream {
    struct object object;
    _Atomic uint64_t lists[2]; /* of what goes to the first end, and to the second */
};

/* The message. */
struct stream_message {
    unsigned char mark[8];
    struct handle_ref ref;
};

extern const struct object_type stream_type;

/* Makes the stream of the two ends of a pipe, which nobody else has. MPROC_NO_MEMORY. */
mproc_status stream_create(struct connection *first, struct connection *second);

/*
 * Sends a value with objects, as mproc_connection_send(). MPROC_NOT_SUPPORTED: the connection is no pipe.
 * MPROC_INVALID: an end of it is in the value. And as parcel_hold().
 */
mproc_status stream_send(mproc_connection *connection, const mproc_value *value, int64_t timeout_ms);

/*
 * Makes a value of a message that has come. MPROC_NOT_FOUND, without a text: it names none. MPROC_NO_MEMORY: it can
 * be tried again.
 */
mproc_status stream_receive(const mproc_connection *connection, const void *bytes, size_t size, mproc_value *value);

/* A message was received as bytes: what it names, nobody can get any more. */
void stream_drop(const mproc_connection *connection, const void *bytes, size_t size);

#endif
