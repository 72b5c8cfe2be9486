/* The handshake's messages in a stream of bytes, in whatever parts they come and go. */
#include <assert.h>
#include <string.h>

#include "connection/handshake.h"

#define FRAME_BYTES HANDSHAKE_FRAME_BYTES

static void send_message(struct handshake_stream *stream, const struct handshake_message *message)
{
    const unsigned char header[FRAME_BYTES] = {0, 0, (unsigned char)(message->size >> 8),
                                               (unsigned char)message->size};

    stream->out_written = stream->out_size = 0;
    if (message->size == 0) return;
    memcpy(stream->out, header, sizeof header);
    memcpy(stream->out + sizeof header, message->bytes, message->size);
    stream->out_size = sizeof header + message->size;
}

mproc_status handshake_stream_begin(struct handshake_stream *stream, enum handshake_role role,
                                    const struct handshake_key *key)
{
    struct handshake_message out;
    mproc_status status = handshake_begin(&stream->handshake, role, HANDSHAKE_BOTH, key, &out);

    stream->in_got = 0;
    send_message(stream, &out);
    return status;
}

plat_bytes handshake_stream_to_write(struct handshake_stream *stream)
{
    return (plat_bytes){stream->out + stream->out_written, stream->out_size - stream->out_written};
}

void handshake_stream_written(struct handshake_stream *stream, size_t size)
{
    assert(size <= stream->out_size - stream->out_written);
    stream->out_written += size;
}

/*
 * How much of a message there can be. Whoever waits for a welcome may get the program's first message right behind
 * it; the other messages are followed by nothing until they are answered, so that one read takes all that is there.
 */
static size_t message_max(const struct handshake_stream *stream)
{
    return stream->handshake.state == HANDSHAKE_AWAITS_WELCOME ? HANDSHAKE_WELCOME_BYTES : HANDSHAKE_MESSAGE_MAX;
}

plat_bytes handshake_stream_to_read(struct handshake_stream *stream)
{
    unsigned char *at = stream->in + stream->in_got;
    bool waits = stream->handshake.state == HANDSHAKE_DONE || stream->handshake.state == HANDSHAKE_REFUSED ||
                 stream->out_written < stream->out_size;

    return (plat_bytes){at, waits ? 0 : FRAME_BYTES + message_max(stream) - stream->in_got};
}

mproc_status handshake_stream_read(struct handshake_stream *stream, size_t got)
{
    const unsigned char *in = stream->in;
    struct handshake_message out;
    size_t size;
    mproc_status status;

    assert(got > 0 && got <= handshake_stream_to_read(stream).size);
    stream->in_got += got;
    if (stream->in_got < FRAME_BYTES) return MPROC_OK;
    size = (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
    if (size > message_max(stream)) return handshake_too_long(&stream->handshake, size);
    if (stream->in_got < FRAME_BYTES + size) return MPROC_OK;
    if (stream->in_got > FRAME_BYTES + size)
        return handshake_too_long(&stream->handshake, stream->in_got - FRAME_BYTES);
    stream->in_got = 0;
    status = handshake_take(&stream->handshake, in + FRAME_BYTES, size, &out);
    send_message(stream, &out);
    return status;
}
