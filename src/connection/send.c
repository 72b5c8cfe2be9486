/* Sending: a size and its bytes, in one piece if the system takes it. */
#include <stdlib.h>

#include "base/encoding.h"
#include "connection/stream.h"

/* Values up to this size are encoded on the stack. */
#define SMALL_WORDS 64
#define SIZE_SHORT_MAX 0x7FFFFFFFu

static void put_number(unsigned char *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) at[i] = (unsigned char)(number >> (8 * (bytes - 1 - i)));
}

static size_t write_header(unsigned char header[HEADER_BYTES_MAX], size_t size)
{
    if (size <= SIZE_SHORT_MAX) {
        put_number(header, size, 4);
        return 4;
    }
    put_number(header, UINT32_MAX, 4);
    put_number(header + 4, size, 8);
    return HEADER_BYTES_MAX;
}

/* Nothing was sent. */
static mproc_status not_sent(const struct passage *passage, mproc_status status)
{
    if (status == MPROC_TIMEOUT) return wait_timed_out(&passage->wait, "the other end of a connection took nothing");
    if (status == MPROC_PEER_DIED)
        return mproc_error(status,
                           "nobody has the other end of the connection any more: it was closed, or whoever had "
                           "it has ended");
    return status;
}

/* Nobody could tell where the next message begins. */
static mproc_status sent_in_part(struct passage *passage, mproc_status status, size_t sent, size_t size)
{
    passage->end->broken_out = true;
    if (status == MPROC_PEER_DIED || status == MPROC_CLOSED) return not_sent(passage, status);
    return mproc_error(MPROC_BROKEN,
                       "%zu of the %zu bytes of a message were sent when the call %s: nothing can be sent by this "
                       "connection any more",
                       sent, size,
                       status == MPROC_TIMEOUT       ? "was out of time"
                       : status == MPROC_INTERRUPTED ? "was interrupted"
                                                     : "failed");
}

mproc_status passage_send(struct passage *passage, const void *data, size_t size)
{
    unsigned char header[HEADER_BYTES_MAX];
    plat_bytes parts[2] = {{header, write_header(header, size)}, {(void *)(uintptr_t)data, size}};
    size_t all = parts[0].size + size, sent = 0, moved;
    mproc_status status;

    if (passage->end->broken_out)
        return mproc_error(MPROC_BROKEN,
                           "a message was sent in part before: nothing can be sent by this connection any more");
    while (sent < all) {
        status = passage_move(passage, plat_channel_write, parts, &moved);
        if (status != MPROC_OK)
            return sent == 0 ? not_sent(passage, status) : sent_in_part(passage, status, sent, all);
        if (passage->wait.timeout_ms == 0) passage_stays(passage); /* it was begun, and is sent to its end */
        sent += moved;
        moved = parts_skip(&parts[0], moved);
        parts_skip(&parts[1], moved);
    }
    return MPROC_OK;
}

mproc_status mproc_connection_send_bytes(mproc_connection *connection, const void *data, size_t size,
                                         int64_t timeout_ms)
{
    struct passage passage;
    mproc_status status;

    if (!data && size > 0) return mproc_error(MPROC_INVALID, "a message of %zu bytes at no address", size);
    if (size > MPROC_CONNECTION_MESSAGE_MAX)
        return mproc_error(MPROC_INVALID, "a message of %zu bytes: it can have %zu", size,
                           MPROC_CONNECTION_MESSAGE_MAX);
    if ((status = passage_begin(&passage, connection, false, timeout_ms)) != MPROC_OK) return status;
    status = passage_send(&passage, data, size);
    passage_end(&passage);
    return status;
}

/* `*memory` is to be freed if it is not `small`. */
static mproc_status encode(const mproc_value *value, uint64_t small[SMALL_WORDS], void **memory, size_t *size,
                           uint32_t *objects)
{
    mproc_status status;

    *memory = small;
    if ((status = encoding_measure(value, size)) != MPROC_OK) return status;
    if (*size > SMALL_WORDS * sizeof *small && !(*memory = malloc(*size)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for a value of %zu bytes that is to be sent", *size);
    return encoding_write(value, *memory, *size, size, objects);
}

mproc_status mproc_connection_send(mproc_connection *connection, mproc_value value, int64_t timeout_ms)
{
    uint64_t small[SMALL_WORDS];
    void *memory;
    size_t size;
    uint32_t objects = 0;
    mproc_status status = encode(&value, small, &memory, &size, &objects);

    if (status == MPROC_OK && objects > 0) status = stream_send(connection, &value, timeout_ms);
    else if (status == MPROC_OK) status = mproc_connection_send_bytes(connection, memory, size, timeout_ms);
    if (memory != small) free(memory);
    return status;
}
