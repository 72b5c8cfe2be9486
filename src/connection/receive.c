/* Receiving: the size is looked at where it lies, then both are taken together. */
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "connection/stream.h"

#define SIZE_SHORT_MAX 0x7FFFFFFFu
#define SIZE_LONG UINT32_MAX

/*
 * Where a message goes that is not too long: to `data`, or into memory that is made, behind `before` bytes of room.
 */
struct target {
    bool make;
    void *data;
    size_t capacity;
    size_t before;
};

static uint64_t get_number(const unsigned char *at, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++) number = number << 8 | at[i];
    return number;
}

/* How many bytes a size has of which the first `got` are known. */
static size_t header_bytes(const unsigned char *header, size_t got)
{
    return got >= 4 && get_number(header, 4) == SIZE_LONG ? HEADER_BYTES_MAX : 4;
}

static mproc_status read_header(struct end *end, const unsigned char *header, size_t *size)
{
    uint64_t number = get_number(header, 4);

    if (number == SIZE_LONG) number = get_number(header + 4, 8);
    else if (number > SIZE_SHORT_MAX) number = UINT64_MAX;
    *size = (size_t)number;
    if (number <= MPROC_CONNECTION_MESSAGE_MAX) return MPROC_OK;
    end->broken_in = true;
    return mproc_error(MPROC_BROKEN,
                       "what came is no message: it begins with a size that none has (%02x %02x %02x "
                       "%02x). Nothing can be received by this connection any more",
                       header[0], header[1], header[2], header[3]);
}

/* Why nothing more came. */
static mproc_status not_received(const struct passage *passage, mproc_status status)
{
    const struct incoming *in = &passage->end->in;
    bool begun = in->sized || in->header_got > 0;

    if (status == MPROC_TIMEOUT)
        return wait_timed_out(&passage->wait,
                              begun ? "a message came in part, and the rest did not come" : "no message came");
    if (status != MPROC_END) return status;
    if (!begun)
        return mproc_error(MPROC_END,
                           "nobody has the other end of the connection any more, and nothing is left to be "
                           "received");
    passage->end->broken_in = true;
    return mproc_error(MPROC_BROKEN,
                       "the other end was closed, or whoever had it has ended, in the middle of a "
                       "message: %zu of %zu bytes came",
                       in->got, in->sized ? in->size : 0);
}

/*
 * Waits for a size. `*lying` bytes of it are still to be taken: those at `header`. A part of one is taken: as long as
 * it lies there the system tells that there is something to read.
 */
static mproc_status await_size(struct passage *passage, unsigned char header[HEADER_BYTES_MAX], size_t *lying,
                               size_t *size)
{
    struct incoming *in = &passage->end->in;
    const plat_bytes nothing = {header, 0};
    size_t moved = 0;
    mproc_status status;

    *lying = *size = 0;
    if (!in->sized && in->header_got == 0) {
        status = passage_move(passage, plat_channel_peek, (const plat_bytes[2]){{header, HEADER_BYTES_MAX}, nothing},
                              &moved);
        if (status != MPROC_OK) return not_received(passage, status);
        if (moved >= 4 && moved >= header_bytes(header, moved)) {
            *lying = header_bytes(header, moved);
            return read_header(passage->end, header, size);
        }
    }
    while (!in->sized) {
        plat_bytes rest = {in->header + in->header_got, header_bytes(in->header, in->header_got) - in->header_got};
        if (rest.size == 0) {
            if ((status = read_header(passage->end, in->header, &in->size)) != MPROC_OK) return status;
            in->sized = true;
            break;
        }
        status = passage_move(passage, plat_channel_read, (const plat_bytes[2]){rest, nothing}, &moved);
        if (status != MPROC_OK) return not_received(passage, status);
        in->header_got += moved;
    }
    *size = in->size;
    return MPROC_OK;
}

static mproc_status make_part(struct incoming *in, size_t size, size_t before)
{
    if (!(in->part = malloc(before + (size_t)encoding_padded(size))))
        return mproc_error(MPROC_NO_MEMORY, "no memory for a message of %zu bytes", size);
    in->part_before = before;
    return MPROC_OK;
}

/* The call ends in the middle. What came of the message is kept for the next one. */
static mproc_status keep(struct passage *passage, const struct target *target, mproc_status status)
{
    struct incoming *in = &passage->end->in;

    status = not_received(passage, status);
    if (!in->sized) { /* another process has taken what was seen: the next message has another size */
        free(in->part);
        in->part = NULL;
    }
    if (status == MPROC_BROKEN || in->part || in->got == 0) return status;
    assert(target->data);
    if (make_part(in, in->size, ENCODING_PAYLOAD) == MPROC_OK) {
        memcpy(in->part + in->part_before, target->data, in->got);
        return status;
    }
    passage->end->broken_in = true;
    return mproc_error(MPROC_BROKEN,
                       "there is no memory to keep the %zu bytes that came of a message when the call "
                       "had to end: nothing can be received by this connection any more",
                       in->got);
}

/*
 * Afterwards all of the message has come, and is at target->data, or, if there is a part, in that. If it has been
 * dealt with: receive_done().
 */
static mproc_status receive(struct passage *passage, const struct target *target, size_t *size)
{
    struct incoming *in = &passage->end->in;
    unsigned char header[HEADER_BYTES_MAX];
    plat_bytes parts[2];
    size_t lying, moved, over;
    mproc_status status;

    if (passage->end->broken_in)
        return mproc_error(MPROC_BROKEN, "a message came in part or was none before: nothing can be received by this "
                                         "connection any more");
    if ((status = await_size(passage, header, &lying, size)) != MPROC_OK) return status;
    if (*size > target->capacity)
        return mproc_error(MPROC_TOO_LONG, "the next message has %zu bytes, and there is room for %zu: it stays",
                           *size, target->capacity);
    assert(in->part || in->got == 0);
    if (target->make && !in->part && (status = make_part(in, *size, target->before)) != MPROC_OK) return status;
    memcpy(in->header, header, lying);
    parts[0] = (plat_bytes){header, lying};
    parts[1].data = (in->part ? in->part + in->part_before : (unsigned char *)target->data) + in->got;
    parts[1].size = *size - in->got;
    while (parts[0].size > 0 || parts[1].size > 0) {
        if ((status = passage_move(passage, plat_channel_read, parts, &moved)) != MPROC_OK)
            return keep(passage, target, status);
        over = parts_skip(&parts[0], moved);
        in->header_got += moved - over;
        in->size = *size;
        in->sized = parts[0].size == 0;
        in->got += over;
        parts_skip(&parts[1], over);
    }
    return MPROC_OK;
}

static void receive_done(struct incoming *in)
{
    *in = (struct incoming){.part = NULL};
}

mproc_status mproc_connection_recv_bytes_into(mproc_connection *connection, void *data, size_t capacity, size_t *size,
                                              int64_t timeout_ms)
{
    struct target target = {false, data, capacity, 0};
    struct passage passage;
    struct incoming *in;
    size_t received = 0;
    mproc_status status;

    if (!data && capacity > 0)
        return mproc_error(MPROC_INVALID, "a message was to go into %zu bytes at no address", capacity);
    if ((status = passage_begin(&passage, connection, true, timeout_ms)) != MPROC_OK) return status;
    in = &passage.end->in;
    status = receive(&passage, &target, &received);
    if (status == MPROC_OK) {
        assert(data || received == 0);
        if (in->part && received > 0) memcpy(data, in->part + in->part_before, received);
        stream_drop(connection, data, received);
        free(in->part);
        receive_done(in);
    }
    passage_end(&passage);
    if (size && (status == MPROC_OK || status == MPROC_TOO_LONG)) *size = received;
    return status;
}

/* Takes the memory of a message that is all there, with `before` bytes of room in front of it. */
static mproc_status take(struct incoming *in, size_t before, unsigned char **memory)
{
    unsigned char *part = in->part;

    assert(part);
    if (in->part_before != before) {
        size_t from = in->part_before;
        if (before > from && !(part = realloc(part, before + (size_t)encoding_padded(in->size))))
            return mproc_error(MPROC_NO_MEMORY, "no memory for a message of %zu bytes", in->size);
        memmove(part + before, part + from, in->size);
    }
    *memory = part;
    receive_done(in);
    return MPROC_OK;
}

mproc_status mproc_connection_recv_bytes(mproc_connection *connection, size_t max, mproc_value *bytes,
                                         int64_t timeout_ms)
{
    size_t capacity = max < MPROC_VALUE_BYTES_MAX ? max : MPROC_VALUE_BYTES_MAX, size = 0;
    struct target target = {true, NULL, capacity, ENCODING_PAYLOAD};
    struct passage passage;
    unsigned char *memory = NULL;
    mproc_status status;

    if (!bytes) return mproc_error(MPROC_INVALID, "a message was to be received, and bytes is NULL");
    if ((status = passage_begin(&passage, connection, true, timeout_ms)) != MPROC_OK) return status;
    status = receive(&passage, &target, &size);
    if (status == MPROC_OK) status = take(&passage.end->in, ENCODING_PAYLOAD, &memory);
    if (status == MPROC_OK) stream_drop(connection, memory + ENCODING_PAYLOAD, size);
    passage_end(&passage);
    if (status != MPROC_OK) return status;
    assert(memory);
    encoding_write_bytes(memory, size);
    *bytes = encoding_owned(memory);
    return MPROC_OK;
}

/* What is no value stays, as a part that is complete. */
static mproc_status take_value(struct incoming *in, size_t size, mproc_value *value)
{
    unsigned char *memory = NULL;
    mproc_status status;

    if (encoding_check(in->part, size, ENCODING_FUNCTIONS) != MPROC_OK)
        return mproc_error(MPROC_INVALID,
                           "the next message, of %zu bytes, is no value, and stays for "
                           "mproc_connection_recv_bytes(): %s",
                           size, mproc_last_error_text());
    if ((status = take(in, 0, &memory)) != MPROC_OK) return status;
    assert(memory && size >= ENCODING_PAYLOAD);
    *value = encoding_owned(memory);
    if (value->type >= MPROC_TYPE_STRING) return MPROC_OK;
    value->form = VALUE_BORROWED; /* a number is all in the value */
    free(memory);
    return MPROC_OK;
}

mproc_status mproc_connection_recv(mproc_connection *connection, mproc_value *value, int64_t timeout_ms)
{
    struct target target = {true, NULL, MPROC_VALUE_BYTES_MAX, 0};
    struct passage passage;
    struct incoming *in;
    size_t size = 0;
    mproc_status status;

    if (!value) return mproc_error(MPROC_INVALID, "a value was to be received, and value is NULL");
    if ((status = passage_begin(&passage, connection, true, timeout_ms)) != MPROC_OK) return status;
    in = &passage.end->in;
    if ((status = receive(&passage, &target, &size)) == MPROC_OK) {
        assert(in->part);
        if (in->part_before > 0) memmove(in->part, in->part + in->part_before, size);
        in->part_before = 0;
        status = stream_receive(connection, in->part, size, value);
        if (status == MPROC_NOT_FOUND) {
            status = take_value(in, size, value);
        } else if (status == MPROC_OK) {
            free(in->part);
            receive_done(in);
        }
    }
    passage_end(&passage);
    return status;
}

/* The end of the stream is something that a receiver finds, and so is a message that is all there. */
mproc_status mproc_connection_poll(mproc_connection *connection, int64_t timeout_ms)
{
    struct passage passage;
    const struct incoming *in;
    unsigned char byte;
    const plat_bytes parts[2] = {{&byte, 1}, {&byte, 0}};
    size_t moved;
    mproc_status status;

    if ((status = passage_begin(&passage, connection, true, timeout_ms)) != MPROC_OK) return status;
    in = &passage.end->in;
    if (!passage.end->broken_in && !(in->sized && in->got == in->size)) {
        status = passage_move(&passage, plat_channel_peek, parts, &moved);
        if (status == MPROC_END) status = MPROC_OK;
        if (status == MPROC_TIMEOUT) wait_timed_out(&passage.wait, "nothing came");
    }
    passage_end(&passage);
    return status;
}
