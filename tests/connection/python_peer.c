#include "connection/python_peer.h"

#include <stdio.h>

#include "platform.h"

enum { NEW_RANDOM = 40, OLD_RANDOM = 20, OLD_MAC = 16 };

static const struct {
    const char *name;
    enum plat_digest digest;
} named[] = {{"md5", PLAT_MD5}, {"sha256", PLAT_SHA256}, {"sha384", PLAT_SHA384}};

python_message python_words(const char *words)
{
    python_message message = {{0}, 0};

    python_append(&message, words, strlen(words));
    return message;
}

void python_append(python_message *message, const void *bytes, size_t size)
{
    CHECK(size <= sizeof message->bytes - message->size);
    if (size > 0) memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

void python_append_mac(python_message *message, enum plat_digest digest, const char *key, const void *data,
                       size_t size)
{
    unsigned char mac[PLAT_DIGEST_MAX];
    size_t mac_size;

    CHECK_OK(plat_hmac(digest, key, strlen(key), data, size, mac, &mac_size));
    python_append(message, mac, mac_size);
}

static bool begins(const void *bytes, size_t size, const char *words)
{
    return size >= strlen(words) && memcmp(bytes, words, strlen(words)) == 0;
}

/* The digest that stands in braces at the beginning; how many bytes that has. 0: none that is known. */
static size_t named_digest(const unsigned char *bytes, size_t size, enum plat_digest *digest)
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        char words[16];
        snprintf(words, sizeof words, "{%s}", named[i].name);
        *digest = named[i].digest;
        if (begins(bytes, size, words)) return strlen(words);
    }
    return 0;
}

python_message python_challenge(const python_peer *peer)
{
    python_message message = python_words("#CHALLENGE#");
    unsigned char random[NEW_RANDOM];
    char words[16];

    CHECK_OK(plat_system_random(random, sizeof random));
    snprintf(words, sizeof words, "{%s}", peer->digest ? peer->digest : "sha256");
    if (!peer->old) python_append(&message, words, strlen(words));
    python_append(&message, random, peer->old ? OLD_RANDOM : NEW_RANDOM);
    return message;
}

bool python_answer(const python_peer *peer, const void *challenge, size_t size, python_message *answer)
{
    size_t words = strlen("#CHALLENGE#"), name;
    enum plat_digest digest;
    const unsigned char *rest;

    answer->size = 0;
    if (!begins(challenge, size, "#CHALLENGE#")) return false;
    rest = (const unsigned char *)challenge + words;
    size -= words;
    if (peer->old || size == OLD_RANDOM) {
        python_append_mac(answer, PLAT_MD5, peer->key, rest, size);
        return true;
    }
    if (size < OLD_RANDOM || (name = named_digest(rest, size, &digest)) == 0) return false;
    python_append(answer, rest, name);
    python_append_mac(answer, digest, peer->key, rest, size);
    return true;
}

bool python_is_right(const python_peer *peer, const python_message *challenge, const void *answer, size_t size)
{
    size_t words = strlen("#CHALLENGE#"), name = 0;
    enum plat_digest digest = PLAT_MD5;
    python_message right = {{0}, 0};

    if (!peer->old && size != OLD_MAC && (name = named_digest(answer, size, &digest)) == 0) return false;
    python_append(&right, answer, name);
    python_append_mac(&right, digest, peer->key, challenge->bytes + words, challenge->size - words);
    return right.size == size && memcmp(right.bytes, answer, size) == 0;
}

/* ---- over a stream ------------------------------------------------------------------------------ */

static void move_all(const python_peer *peer, plat_channel_move *way, void *bytes, size_t size, bool *ended)
{
    for (size_t at = 0, moved = 0; at < size && !*ended; at += moved) {
        const plat_bytes parts[2] = {{(unsigned char *)bytes + at, size - at}, {bytes, 0}};
        mproc_status status = way(&peer->channel, parts, PLAT_NO_HANDLE, PLAT_FOREVER, &moved);
        *ended = status == MPROC_END || status == MPROC_PEER_DIED;
        if (!*ended) CHECK_OK(status);
    }
}

void python_send(const python_peer *peer, const void *bytes, size_t size)
{
    unsigned char all[4 + PYTHON_MESSAGE_MAX + 1] = {0, 0, (unsigned char)(size >> 8), (unsigned char)size};
    bool ended = false;

    CHECK(size <= sizeof all - 4);
    memcpy(all + 4, bytes, size);
    move_all(peer, plat_channel_write, all, 4 + size, &ended);
}

bool python_recv(const python_peer *peer, python_message *message)
{
    unsigned char size[4] = {0};
    bool ended = false;

    move_all(peer, plat_channel_read, size, sizeof size, &ended);
    message->size = (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
    CHECK(message->size <= sizeof message->bytes);
    if (!ended) move_all(peer, plat_channel_read, message->bytes, message->size, &ended);
    return !ended;
}

bool python_deliver_challenge(const python_peer *peer)
{
    python_message challenge = python_challenge(peer), answer;
    bool right;

    python_send(peer, challenge.bytes, challenge.size);
    if (!python_recv(peer, &answer)) return false;
    right = python_is_right(peer, &challenge, answer.bytes, answer.size);
    python_send(peer, right ? "#WELCOME#" : "#FAILURE#", strlen("#WELCOME#"));
    return right;
}

bool python_answer_challenge(const python_peer *peer)
{
    python_message challenge, answer, welcome;

    if (!python_recv(peer, &challenge)) return false;
    if (!python_answer(peer, challenge.bytes, challenge.size, &answer)) return false;
    python_send(peer, answer.bytes, answer.size);
    if (!python_recv(peer, &welcome)) return false;
    return welcome.size == strlen("#WELCOME#") && begins(welcome.bytes, welcome.size, "#WELCOME#");
}
