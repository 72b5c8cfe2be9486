/*
 * The handshake by which two sides prove to each other that they have the same key, without showing it (CPython's, of
 * 3.12 and later, and by permission that of up to 3.11). It only computes: what came goes in, what is to be sent
 * comes out, so that one thread can have many under way, and none of them waits for another.
 *
 *     listener                                              client
 *     #CHALLENGE#{sha256}<40 random bytes>#listener#   ->
 *                          <-   {sha256}<HMAC of the key and what stands behind #CHALLENGE#>
 *     #WELCOME#, or #FAILURE# and the end              ->
 *     then the same with the sides changed; what the client makes ends with #client#.
 *
 * Nobody can change a challenge and still use its answer, as the digest's name and the end are in what is answered.
 * So the end tells who asks, and each side answers only what the other kind of side has made: a client's challenge
 * cannot be given to another client to be answered, as it can in the original. The original's sides have no such end,
 * and their challenges are answered, whatever is in them.
 */
#ifndef MPROC_CONNECTION_HANDSHAKE_H
#define MPROC_CONNECTION_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

#include <mproc/value.h>

#include "platform_channel.h"

/* Longer messages are refused before they are received. */
#define HANDSHAKE_MESSAGE_MAX 256
#define HANDSHAKE_CHALLENGE_MAX 64
#define HANDSHAKE_WELCOME_BYTES 9
#define HANDSHAKE_FRAME_BYTES 4

/* A key, which the caller keeps for as long as the handshake. None of 0 bytes is no key. */
struct handshake_key {
    const void *data;
    size_t size;
    bool allow_md5; /* with sides that know nothing better: CPython up to 3.11 */
};

/*
 * Takes a key as a program gives it: bytes, or text. MPROC_INVALID: it is neither. The bytes stay where they are.
 */
mproc_status handshake_key_from(mproc_value authkey, bool allow_md5, struct handshake_key *key);

/*
 * A listener asks first and then answers, a client the other way round. Or one of the two is all that is to be done.
 */
enum handshake_role { HANDSHAKE_LISTENER, HANDSHAKE_CLIENT };
enum handshake_halves { HANDSHAKE_BOTH, HANDSHAKE_ASK, HANDSHAKE_ANSWER };

/* What is awaited. */
enum handshake_state {
    HANDSHAKE_AWAITS_CHALLENGE,
    HANDSHAKE_AWAITS_ANSWER,
    HANDSHAKE_AWAITS_WELCOME,
    HANDSHAKE_DONE,
    HANDSHAKE_REFUSED
};

struct handshake_message {
    unsigned char bytes[HANDSHAKE_MESSAGE_MAX];
    size_t size;
};

struct handshake {
    struct handshake_key key;
    enum handshake_role role;
    enum handshake_halves halves;
    enum handshake_state state;
    unsigned char asked[HANDSHAKE_CHALLENGE_MAX]; /* our challenge, without #CHALLENGE# */
    size_t asked_size;
};

/*
 * Whether there can be handshakes at all. MPROC_NOT_SUPPORTED: this system has no library for it, as the text says.
 */
mproc_status handshake_check(const struct handshake_key *key);

/* Begins. `*out` is to be sent, unless its size is 0. MPROC_SYSTEM, MPROC_LIMIT: there are no random bytes. */
mproc_status handshake_begin(struct handshake *handshake, enum handshake_role role, enum handshake_halves halves,
                             const struct handshake_key *key, struct handshake_message *out);

/*
 * Takes a message that came. `*out` is to be sent, unless its size is 0; then, if the state is HANDSHAKE_DONE, each
 * side has proved what it was to prove. MPROC_AUTHENTICATION: refused, with the reason as the text; what is in `*out`
 * is still sent if that goes at once, and then the stream is closed. MPROC_NOT_SUPPORTED as handshake_check(), also
 * for a single digest; MPROC_SYSTEM, MPROC_LIMIT as handshake_begin().
 */
mproc_status handshake_take(struct handshake *handshake, const void *message, size_t size,
                            struct handshake_message *out);

/* Refuses what came for its size, and returns MPROC_AUTHENTICATION. */
mproc_status handshake_too_long(struct handshake *handshake, size_t size);

/*
 * The text for a handshake that the stream's end, or a time limit (MPROC_TIMEOUT), cut off: what was awaited, and
 * what may be the cause. Returns `status`.
 */
mproc_status handshake_cut(const struct handshake *handshake, mproc_status status);

/* ---- handshake_stream.c ------------------------------------------------------------------------- */

/*
 * The same for a stream of bytes, in whatever parts these come and go. Each message is behind its size, as in Python:
 *
 *     handshake_stream_begin(&stream, HANDSHAKE_LISTENER, &key);
 *     while (!handshake_stream_done(&stream)) {
 *         bytes = handshake_stream_to_write(&stream);   if there are some: write; handshake_stream_written(&s, n)
 *         bytes = handshake_stream_to_read(&stream);    else: read up to so many; handshake_stream_read(&s, n)
 *     }
 *
 * It never asks for more than is the handshake's: what follows in the stream is not touched. A size above
 * HANDSHAKE_MESSAGE_MAX is refused when it comes.
 */
struct handshake_stream {
    struct handshake handshake;
    unsigned char in[HANDSHAKE_FRAME_BYTES + HANDSHAKE_MESSAGE_MAX];
    size_t in_got;
    unsigned char out[HANDSHAKE_FRAME_BYTES + HANDSHAKE_MESSAGE_MAX];
    size_t out_size;
    size_t out_written;
};

/* As handshake_begin(), of both halves. */
mproc_status handshake_stream_begin(struct handshake_stream *stream, enum handshake_role role,
                                    const struct handshake_key *key);

/*
 * What is to be written next; its size is 0 if nothing is. Refused: what may be written still, once, without waiting.
 */
plat_bytes handshake_stream_to_write(struct handshake_stream *stream);
void handshake_stream_written(struct handshake_stream *stream, size_t size);

/* Where what comes next is to be read to, and how much at most; the size is 0 while something is to be written. */
plat_bytes handshake_stream_to_read(struct handshake_stream *stream);

/* So many bytes were read there, at least one. As handshake_take(). */
mproc_status handshake_stream_read(struct handshake_stream *stream, size_t got);

/* Both sides have proved that they have the key, and all is written. */
static inline bool handshake_stream_done(const struct handshake_stream *stream)
{
    return stream->handshake.state == HANDSHAKE_DONE && stream->out_written == stream->out_size;
}

#endif
