/*
 * A side of a connection that speaks as Python does, of 3.12 and later or of up to 3.11, from what is written about
 * it: by messages, and over a raw stream.
 */
#ifndef PYTHON_PEER_H
#define PYTHON_PEER_H

#include "check.h"
#include "platform_channel.h"
#include "platform_crypto.h"

enum { PYTHON_MESSAGE_MAX = 256 };

typedef struct python_message {
    unsigned char bytes[PYTHON_MESSAGE_MAX];
    size_t size;
} python_message;

/* `digest` is what 3.12 asks for, or NULL for sha256. */
typedef struct python_peer {
    plat_channel channel;
    bool old; /* 3.11 */
    const char *key;
    const char *digest;
} python_peer;

/* ---- messages ----------------------------------------------------------------------------------- */

/* "#CHALLENGE#" and random bytes. */
python_message python_challenge(const python_peer *peer);

/* The answer to such a message. False: it is refused. */
bool python_answer(const python_peer *peer, const void *challenge, size_t size, python_message *answer);

/* Whether the answer to this message of python_challenge() is right. */
bool python_is_right(const python_peer *peer, const python_message *challenge, const void *answer, size_t size);

/* `words`, `size` bytes behind them, and the HMAC of `message` behind those: what else somebody might send. */
python_message python_words(const char *words);
void python_append(python_message *message, const void *bytes, size_t size);
void python_append_mac(python_message *message, enum plat_digest digest, const char *key, const void *data,
                       size_t size);

/* ---- over a stream ------------------------------------------------------------------------------ */

/* A message, in Python's framing. Receiving returns false when the stream has ended; longer ones fail the case. */
void python_send(const python_peer *peer, const void *bytes, size_t size);
bool python_recv(const python_peer *peer, python_message *message);

/* deliver_challenge() and answer_challenge(): whether they return. */
bool python_deliver_challenge(const python_peer *peer);
bool python_answer_challenge(const python_peer *peer);

#endif
