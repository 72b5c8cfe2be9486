/*
 * Feeds libFuzzer's bytes to one side of a handshake, as the stream of the other side: bytes as they are, in the
 * parts that the input says, and between them what a side that has the key would send, so that what comes behind it
 * is reached.
 *
 * A side that has given no right answer is never taken for one that has the key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/handshake.h"
#include "platform_crypto.h"

enum { RIGHT_ANSWER = 0xf0, WELCOME, CHALLENGE, MD5_ANSWER, ROLE_BITS = 3 };

static const struct handshake_key keys[2] = {{"a key", 5, false}, {"a key", 5, true}};

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz: %s: %s\n", what, mproc_last_error_text());
    abort();
}

/* Reads as much as is asked for, in parts of `part` bytes. Returns whether all of it was taken. */
static bool feed(struct handshake_stream *stream, const unsigned char *data, size_t size, size_t part)
{
    while (size > 0) {
        plat_bytes out = handshake_stream_to_write(stream), in;
        size_t got = part < size ? part : size;
        must(out.size <= sizeof stream->out, "more is to be written than there is");
        handshake_stream_written(stream, out.size);
        in = handshake_stream_to_read(stream);
        must((unsigned char *)in.data >= stream->in &&
                 (unsigned char *)in.data + in.size <= stream->in + sizeof stream->in,
             "a part lies elsewhere");
        if (in.size == 0) return false;
        if (got > in.size) got = in.size;
        memcpy(in.data, data, got);
        if (handshake_stream_read(stream, got) != MPROC_OK) {
            must(stream->handshake.state == HANDSHAKE_REFUSED, "it goes on after it was refused");
            return false;
        }
        data += got;
        size -= got;
    }
    return true;
}

static bool feed_message(struct handshake_stream *stream, const void *bytes, size_t size)
{
    unsigned char all[HANDSHAKE_FRAME_BYTES + HANDSHAKE_MESSAGE_MAX] = {0, 0, (unsigned char)(size >> 8),
                                                                        (unsigned char)size};

    memcpy(all + HANDSHAKE_FRAME_BYTES, bytes, size);
    return feed(stream, all, HANDSHAKE_FRAME_BYTES + size, SIZE_MAX);
}

static bool feed_answer(struct handshake_stream *stream, enum plat_digest digest, const char *name, bool *proved)
{
    unsigned char answer[HANDSHAKE_MESSAGE_MAX];
    size_t size = 0, name_size = strlen(name);
    bool asked = stream->handshake.state == HANDSHAKE_AWAITS_ANSWER && stream->in_got == 0;

    memcpy(answer, name, name_size);
    must(plat_hmac(digest, "a key", 5, stream->handshake.asked, stream->handshake.asked_size, answer + name_size,
                   &size) == MPROC_OK,
         "no digest");
    if (!feed_message(stream, answer, name_size + size)) return false;
    *proved = *proved || asked;
    return true;
}

static bool feed_said(struct handshake_stream *stream, unsigned char what, bool *proved)
{
    switch (what) {
    case RIGHT_ANSWER:
        return feed_answer(stream, PLAT_SHA256, "{sha256}", proved);
    case MD5_ANSWER:
        return feed_answer(stream, PLAT_MD5, "", proved);
    case WELCOME:
        return feed_message(stream, "#WELCOME#", 9);
    default:
        return feed_message(stream, "#CHALLENGE#{sha256}0123456789012345678901234567890123456789", 59);
    }
}

/* The first byte chooses the side. Then each byte below RIGHT_ANSWER says how many follow, and in which parts. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct handshake_stream stream;
    bool proved = false, goes_on = true;
    size_t at = 1;

    if (size == 0) return 0;
    must(handshake_stream_begin(&stream, data[0] & 1 ? HANDSHAKE_LISTENER : HANDSHAKE_CLIENT,
                                &keys[data[0] >> 1 & 1]) == MPROC_OK,
         "it does not begin");
    while (goes_on && at < size) {
        unsigned char what = data[at++];
        size_t count = what < size - at ? what : size - at;
        if (what >= RIGHT_ANSWER && what <= MD5_ANSWER) {
            goes_on = feed_said(&stream, what, &proved);
            continue;
        }
        goes_on = feed(&stream, data + at, count, 1 + (data[0] >> ROLE_BITS));
        at += count;
    }
    must(stream.handshake.state != HANDSHAKE_DONE || proved, "who has not the key is accepted");
    return 0;
}
