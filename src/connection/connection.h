/*
 * Connections: an object of the arena says which end of which stream it is, so that values can refer to it; what a
 * process has of an end, all its references share.
 *
 * A message is its size - 4 bytes, the highest first, or -1 and 8 bytes - and its bytes (Python's framing). Whoever
 * receives looks at the size where it lies, and takes both together: so a message for which there is no room stays
 * where it is. What was taken of a message before a call had to end stays with the end, and the next call goes on.
 */
#ifndef MPROC_CONNECTION_CONNECTION_H
#define MPROC_CONNECTION_CONNECTION_H

#include <mproc/connection.h>

#include "object/wait.h"
#include "object/waitable.h"
#include "platform_channel.h"
#include "process/carried.h"

#define HEADER_BYTES_MAX 12

/*
 * The object in the arena. What it reads and writes is set before anybody knows it; one that stands for another in a
 * message has no more than its first field. `stream` is a link: what goes with messages of a pipe; `is_second` says
 * which end of that it is. `side` is set once, by the first half of a handshake by this end: 1 + the
 * role of it.
 */
struct connection {
    struct deposited deposited;
    _Atomic uint64_t stream;
    bool reads;
    bool writes;
    bool is_second;
    _Atomic uint32_t side;
};

static_assert(offsetof(struct connection, stream) == offsetof(struct deposited, of) + sizeof(uint64_t),
              "links follow");

/* Whose turn it is: one thread of this process at a time. `waiting` of them have been told to wait. */
struct turn {
    _Atomic uint32_t taken;
    _Atomic uint32_t waiting;
};

/*
 * A message of which something was taken: of its size `header_got` bytes; then, if `sized`, `got` bytes of `size`. If
 * the call had to end then, they are in `part`, behind `part_before` bytes of room, where there is room for all.
 */
struct incoming {
    unsigned char header[HEADER_BYTES_MAX];
    size_t header_got;
    bool sized;
    size_t size;
    size_t got;
    unsigned char *part;
    size_t part_before;
};

/*
 * What this process has of an end. `in` and `broken_in` are the reader's, `broken_out` is the writer's. `apart`, also
 * changed by the reader: there is something to receive that the system does not tell of, a message that was taken and
 * kept, or the news that there will be none.
 */
struct end {
    struct carried carried;
    bool reads;
    _Atomic bool apart;
    plat_channel channel;
    struct turn reading;
    struct turn writing;
    struct incoming in;
    bool broken_in;
    bool broken_out;
    _Atomic uint32_t tries; /* how often it pays to look before others run */
    uint32_t late;          /* the reader's: so often others run before he looks */
};

struct mproc_connection {
    struct reference reference;
};

extern const struct object_type connection_type;
extern const struct waitable connection_waitable;

static inline const struct connection *connection_of(const mproc_connection *connection)
{
    assert(connection && connection->reference.ref.kind == OBJECT_CONNECTION);
    return (const struct connection *)connection->reference.at;
}

/* The first `moved` bytes of the part have gone; returns what is over for the next part. */
static inline size_t parts_skip(plat_bytes *part, size_t moved)
{
    size_t gone = moved < part->size ? moved : part->size;

    if (gone > 0) part->data = (unsigned char *)part->data + gone; /* there may be none */
    part->size -= gone;
    return moved - gone;
}

/*
 * Makes a connection of an end, which is its own from then on, or closed. MPROC_NO_MEMORY; *out is unchanged then.
 * The thread has entered the family.
 */
mproc_status connection_create(bool reads, bool writes, plat_channel *channel, mproc_connection **out);

/* ---- end.c: what a process has of an end -------------------------------------------------------- */

/* Makes one; its channel is the caller's to set. MPROC_NO_MEMORY. */
mproc_status end_create(struct end **out);

/* How many ends are `apart`. */
extern _Atomic uint32_t ends_apart;

/* One call that sends or receives. */
struct passage {
    struct end *end;
    struct turn *turn;
    struct wait wait;
};

/*
 * Begins a call, which has its turn until passage_end(). MPROC_INVALID: the time limit; MPROC_FORKED; MPROC_CLOSED;
 * MPROC_BAD_STATE: the end does not go that way; and as passage_move(), for the turn.
 */
mproc_status passage_begin(struct passage *passage, mproc_connection *connection, bool reads, int64_t timeout_ms);
void passage_end(struct passage *passage);

/* It has no time limit any more. */
static inline void passage_stays(struct passage *passage)
{
    passage->wait.timeout_ms = MPROC_FOREVER;
    passage->wait.deadline_ns = PLAT_FOREVER;
}

/*
 * Moves some bytes, as plat_channel_move says. MPROC_TIMEOUT, MPROC_END, MPROC_PEER_DIED: without a text.
 * MPROC_INTERRUPTED, MPROC_CLOSED: with one.
 */
mproc_status passage_move(struct passage *passage, plat_channel_move *move, const plat_bytes parts[2], size_t *moved);

/* ---- send.c ------------------------------------------------------------------------------------- */

/* In its turn: sends a message. As mproc_connection_send_bytes(). */
mproc_status passage_send(struct passage *passage, const void *data, size_t size);

#endif
