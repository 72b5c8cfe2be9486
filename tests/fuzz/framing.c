/*
 * Feeds libFuzzer's bytes to a connection as the stream that comes from the other side, whose end follows, and
 * receives by the calls that the input chooses. What comes is compared with what a simple reader finds in the same
 * bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/connection.h"

/* Enough for a message above which one is never sent in one piece; and room for what is received. */
enum { STREAM_MAX = 4096, CHOICES = 8 };

/* What is not yet received of the stream. */
typedef struct stream {
    const unsigned char *at;
    size_t size;
} stream;

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz: %s: %s\n", what, mproc_last_error_text());
    abort();
}

static void write_all(const mproc_connection *connection, const unsigned char *data, size_t size)
{
    const struct end *end = atomic_load(&connection->reference.own);
    const plat_bytes parts[2] = {{(void *)(uintptr_t)data, size}, {(void *)(uintptr_t)data, 0}};
    size_t moved = 0;

    if (size == 0) return;
    must(plat_channel_write(&end->channel, parts, PLAT_NO_HANDLE, 0, &moved) == MPROC_OK && moved == size,
         "the stream has no room");
}

/* What the next call must find: the size of a message, and where it lies. */
static mproc_status next(const stream *left, uint64_t *size, size_t *header)
{
    uint64_t number = 0;

    *size = 0;
    *header = 4;
    if (left->size == 0) return MPROC_END;
    if (left->size < 4) return MPROC_BROKEN;
    for (int i = 0; i < 4; i++) number = number << 8 | left->at[i];
    if (number == UINT32_MAX) {
        *header = 12;
        number = 0;
        if (left->size < 12) return MPROC_BROKEN;
        for (int i = 4; i < 12; i++) number = number << 8 | left->at[i];
        if (number > MPROC_CONNECTION_MESSAGE_MAX) return MPROC_BROKEN;
    } else if (number > INT32_MAX) {
        return MPROC_BROKEN;
    }
    *size = number;
    return MPROC_OK;
}

static void take(stream *left, size_t header, uint64_t size)
{
    left->at += header + size;
    left->size -= header + (size_t)size;
}

static mproc_status receive_into(mproc_connection *connection, stream *left, size_t capacity)
{
    unsigned char bytes[STREAM_MAX];
    uint64_t expected;
    size_t size = 0, header;
    mproc_status must_be = next(left, &expected, &header);
    mproc_status status = mproc_connection_recv_bytes_into(connection, bytes, capacity, &size, 0);

    if (must_be == MPROC_OK && expected > capacity) must_be = MPROC_TOO_LONG;
    else if (must_be == MPROC_OK && expected > left->size - header) must_be = MPROC_BROKEN;
    must(status == must_be, "it is received otherwise");
    if (status == MPROC_TOO_LONG) must(size == expected, "it has another size");
    if (status != MPROC_OK) return status;
    must(size == expected && memcmp(bytes, left->at + header, size) == 0, "it is something else");
    take(left, header, expected);
    return MPROC_OK;
}

static mproc_status receive_bytes(mproc_connection *connection, stream *left, size_t max)
{
    mproc_value value = mproc_nil();
    uint64_t expected;
    size_t header;
    mproc_status must_be = next(left, &expected, &header);
    mproc_status status = mproc_connection_recv_bytes(connection, max, &value, 0);

    if (must_be == MPROC_OK && expected > max) must_be = MPROC_TOO_LONG;
    else if (must_be == MPROC_OK && expected > left->size - header) must_be = MPROC_BROKEN;
    must(status == must_be, "bytes are received otherwise");
    if (status != MPROC_OK) return status;
    must(mproc_value_size(value) == expected, "bytes have another size");
    must(expected == 0 || memcmp(mproc_value_bytes(value), left->at + header, (size_t)expected) == 0,
         "bytes are something else");
    mproc_value_clear(&value);
    take(left, header, expected);
    return MPROC_OK;
}

/* What is no value stays. A size for which nobody would make room is asked for nowhere. */
static mproc_status receive_value(mproc_connection *connection, stream *left)
{
    mproc_value value = mproc_nil();
    uint64_t expected;
    size_t header;
    mproc_status must_be = next(left, &expected, &header), status;

    if (must_be == MPROC_OK && expected > STREAM_MAX) return receive_into(connection, left, STREAM_MAX);
    status = mproc_connection_recv(connection, &value, 0);
    if (status == MPROC_INVALID) return receive_into(connection, left, STREAM_MAX);
    if (must_be == MPROC_OK && expected > left->size - header) must_be = MPROC_BROKEN;
    must(status == must_be, "a value is received otherwise");
    if (status != MPROC_OK) return status;
    mproc_value_clear(&value);
    take(left, header, expected);
    return MPROC_OK;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    mproc_connection *first, *second;
    mproc_status status = MPROC_OK;
    stream left;

    if (size < CHOICES || size > STREAM_MAX) return 0;
    left = (stream){data + CHOICES, size - CHOICES};
    must(mproc_pipe(NULL, &first, &second) == MPROC_OK, "there is no pipe");
    write_all(second, left.at, left.size);
    mproc_connection_free(second);
    for (size_t i = 0; status == MPROC_OK; i++) {
        unsigned char choice = data[i % CHOICES];
        if (choice & 0x40) must(mproc_connection_poll(first, 0) == MPROC_OK, "there is nothing");
        if (choice & 0x80) status = receive_value(first, &left);
        else if (choice & 0x20) status = receive_bytes(first, &left, STREAM_MAX);
        else status = receive_into(first, &left, choice & 0x10 ? STREAM_MAX : choice & 0xf);
        if (status == MPROC_TOO_LONG) status = receive_into(first, &left, STREAM_MAX);
    }
    mproc_connection_free(first);
    return 0;
}
