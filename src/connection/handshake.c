/* Both sides of the handshake, as computing alone. */
#include "connection/handshake.h"

#include <assert.h>
#include <string.h>

#include "platform_crypto.h"

#define CHALLENGE "#CHALLENGE#"
#define WELCOME "#WELCOME#"
#define FAILURE "#FAILURE#"
#define RANDOM_BYTES 40
/* What sides that know MD5 alone send: so many random bytes, and a digest without a name. */
#define OLD_CHALLENGE_BYTES 20
#define OLD_ANSWER_BYTES 16

static const char *const makers[] = {[HANDSHAKE_LISTENER] = "#listener#", [HANDSHAKE_CLIENT] = "#client#"};
static const char *const digest_names[PLAT_DIGESTS] = {
    [PLAT_MD5] = "{md5}", [PLAT_SHA256] = "{sha256}", [PLAT_SHA384] = "{sha384}"};

static bool begins(const unsigned char *message, size_t size, const char *words)
{
    size_t length = strlen(words);

    return size >= length && memcmp(message, words, length) == 0;
}

static bool ends(const unsigned char *message, size_t size, const char *words)
{
    size_t length = strlen(words);

    return size >= length && memcmp(message + size - length, words, length) == 0;
}

static void append(struct handshake_message *out, const void *bytes, size_t size)
{
    assert(size <= sizeof out->bytes - out->size);
    memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

/* Takes as long however many bytes are the same. */
static bool same(const unsigned char *one, const unsigned char *other, size_t size)
{
    volatile unsigned difference = 0;

    for (size_t i = 0; i < size; i++) difference = difference | ((unsigned)one[i] ^ (unsigned)other[i]);
    return difference == 0;
}

/*
 * The digest whose name a message begins with, or PLAT_DIGESTS. `name` is that name, or what stands in its place, as
 * far as it can be shown.
 */
static enum plat_digest digest_named(const unsigned char *message, size_t size, char name[16])
{
    size_t length = 0;

    for (enum plat_digest digest = 0; digest < PLAT_DIGESTS; digest++)
        if (begins(message, size, digest_names[digest])) {
            memcpy(name, digest_names[digest], strlen(digest_names[digest]) + 1);
            return digest;
        }
    while (length < size && length < 15 && message[length] > ' ' && message[length] <= '~') {
        name[length] = (char)message[length];
        if (name[length++] == '}') break;
    }
    name[length] = 0;
    return PLAT_DIGESTS;
}

/* ---- asking ------------------------------------------------------------------------------------- */

static mproc_status ask(struct handshake *handshake, struct handshake_message *out)
{
    unsigned char random[RANDOM_BYTES];
    const char *maker = makers[handshake->role];
    mproc_status status = plat_system_random(random, sizeof random);

    if (status != MPROC_OK) return status;
    append(out, CHALLENGE, strlen(CHALLENGE));
    append(out, digest_names[PLAT_SHA256], strlen(digest_names[PLAT_SHA256]));
    append(out, random, sizeof random);
    append(out, maker, strlen(maker));
    handshake->asked_size = out->size - strlen(CHALLENGE);
    assert(handshake->asked_size <= sizeof handshake->asked);
    memcpy(handshake->asked, out->bytes + strlen(CHALLENGE), handshake->asked_size);
    handshake->state = HANDSHAKE_AWAITS_ANSWER;
    return MPROC_OK;
}

/* What is said of an answer that is not that to our challenge by SHA-256. */
static mproc_status wrong_answer(const unsigned char *message, size_t size)
{
    char name[16];
    enum plat_digest digest = digest_named(message, size, name);

    if (digest == PLAT_SHA256)
        return mproc_error(MPROC_AUTHENTICATION, "the other side's proof has %zu bytes instead of %zu: it was cut",
                           size, strlen(digest_names[PLAT_SHA256]) + 32);
    if (size == OLD_ANSWER_BYTES)
        return mproc_error(MPROC_AUTHENTICATION,
                           "the other side proves its key by MD5, as Python up to 3.11 does: that is refused "
                           "unless the option allow_md5 is set");
    if (begins(message, size, "{"))
        return mproc_error(MPROC_AUTHENTICATION,
                           "the other side was asked for a proof by {sha256}, and has sent one "
                           "by %s, which is refused",
                           name);
    return mproc_error(MPROC_AUTHENTICATION,
                       "the other side sent something else than a proof that it knows the authkey: perhaps it was "
                       "given none");
}

static mproc_status check_answer(struct handshake *handshake, const unsigned char *message, size_t size)
{
    const char *name = digest_names[PLAT_SHA256];
    enum plat_digest digest = PLAT_SHA256;
    unsigned char mac[PLAT_DIGEST_MAX];
    size_t mac_size;
    mproc_status status;

    if (handshake->key.allow_md5 && size == OLD_ANSWER_BYTES) {
        digest = PLAT_MD5;
        name = "";
    }
    status = plat_hmac(digest, handshake->key.data, handshake->key.size, handshake->asked, handshake->asked_size, mac,
                       &mac_size);
    if (status != MPROC_OK) return status;
    if (!begins(message, size, name) || size != strlen(name) + mac_size) return wrong_answer(message, size);
    if (!same(mac, message + strlen(name), mac_size))
        return mproc_error(MPROC_AUTHENTICATION, "the other side has another authkey");
    return MPROC_OK;
}

static mproc_status take_answer(struct handshake *handshake, const unsigned char *message, size_t size,
                                struct handshake_message *out)
{
    mproc_status status = check_answer(handshake, message, size);

    append(out, status == MPROC_OK ? WELCOME : FAILURE, strlen(FAILURE));
    if (status != MPROC_OK) return status;
    if (handshake->role == HANDSHAKE_LISTENER && handshake->halves == HANDSHAKE_BOTH)
        handshake->state = HANDSHAKE_AWAITS_CHALLENGE;
    else handshake->state = HANDSHAKE_DONE;
    return MPROC_OK;
}

/* ---- answering ---------------------------------------------------------------------------------- */

/* By which digest a challenge is answered, and what the answer begins with. */
static mproc_status choose_digest(const struct handshake *handshake, const unsigned char *message, size_t size,
                                  enum plat_digest *digest, const char **prefix)
{
    char name[16];

    if (size == OLD_CHALLENGE_BYTES) {
        *digest = PLAT_MD5;
        *prefix = "";
    } else {
        *digest = digest_named(message, size, name);
        if (*digest == PLAT_DIGESTS)
            return mproc_error(MPROC_AUTHENTICATION,
                               "the other side asks for a proof by '%s', which is no digest that is known here",
                               name);
        *prefix = digest_names[*digest];
    }
    if (*digest == PLAT_MD5 && !handshake->key.allow_md5)
        return mproc_error(MPROC_AUTHENTICATION, "the other side asks for a proof by MD5, as Python up to 3.11 does: "
                                                 "that is refused unless the option allow_md5 is set");
    return MPROC_OK;
}

static mproc_status take_challenge(struct handshake *handshake, const unsigned char *message, size_t size,
                                   struct handshake_message *out)
{
    enum plat_digest digest = PLAT_SHA256;
    const char *prefix = "";
    unsigned char mac[PLAT_DIGEST_MAX];
    size_t mac_size;
    mproc_status status;

    if (!begins(message, size, CHALLENGE))
        return mproc_error(MPROC_AUTHENTICATION,
                           "the other side sent something else than a challenge: perhaps it was "
                           "given no authkey");
    message += strlen(CHALLENGE);
    size -= strlen(CHALLENGE);
    if (size < OLD_CHALLENGE_BYTES)
        return mproc_error(MPROC_AUTHENTICATION, "the other side's challenge has %zu bytes, less than the %d of any",
                           size, OLD_CHALLENGE_BYTES);
    if (ends(message, size, makers[handshake->role]))
        return mproc_error(MPROC_AUTHENTICATION,
                           "the other side sent the challenge of a %s back to a %s, to have it answered",
                           handshake->role == HANDSHAKE_LISTENER ? "listener" : "client",
                           handshake->role == HANDSHAKE_LISTENER ? "listener" : "client");
    if ((status = choose_digest(handshake, message, size, &digest, &prefix)) != MPROC_OK) return status;
    status = plat_hmac(digest, handshake->key.data, handshake->key.size, message, size, mac, &mac_size);
    if (status != MPROC_OK) return status;
    append(out, prefix, strlen(prefix));
    append(out, mac, mac_size);
    handshake->state = HANDSHAKE_AWAITS_WELCOME;
    return MPROC_OK;
}

static mproc_status take_welcome(struct handshake *handshake, const unsigned char *message, size_t size,
                                 struct handshake_message *out)
{
    if (size != strlen(WELCOME) || !begins(message, size, WELCOME)) {
        if (begins(message, size, FAILURE))
            return mproc_error(MPROC_AUTHENTICATION, "the other side refused our proof: it has another authkey");
        return mproc_error(MPROC_AUTHENTICATION, "the other side neither accepted our proof nor refused it");
    }
    if (handshake->role == HANDSHAKE_CLIENT && handshake->halves == HANDSHAKE_BOTH) return ask(handshake, out);
    handshake->state = HANDSHAKE_DONE;
    return MPROC_OK;
}

/* ---- messages ----------------------------------------------------------------------------------- */

mproc_status handshake_key_from(mproc_value authkey, bool allow_md5, struct handshake_key *key)
{
    mproc_type type = mproc_value_type(authkey);

    if (type != MPROC_TYPE_BYTES && type != MPROC_TYPE_STRING)
        return mproc_error(MPROC_INVALID, "an authkey is bytes or text, and this is %s", mproc_type_name(type));
    *key = (struct handshake_key){type == MPROC_TYPE_BYTES ? mproc_value_bytes(authkey) : mproc_value_string(authkey),
                                  mproc_value_size(authkey), allow_md5};
    return MPROC_OK;
}

mproc_status handshake_check(const struct handshake_key *key)
{
    unsigned char mac[PLAT_DIGEST_MAX];
    size_t mac_size;

    return plat_hmac(PLAT_SHA256, key->data, key->size, "", 0, mac, &mac_size);
}

mproc_status handshake_begin(struct handshake *handshake, enum handshake_role role, enum handshake_halves halves,
                             const struct handshake_key *key, struct handshake_message *out)
{
    *handshake = (struct handshake){*key, role, halves, HANDSHAKE_AWAITS_CHALLENGE, {0}, 0};
    out->size = 0;
    if (halves == HANDSHAKE_ANSWER || (halves == HANDSHAKE_BOTH && role == HANDSHAKE_CLIENT)) return MPROC_OK;
    return ask(handshake, out);
}

mproc_status handshake_take(struct handshake *handshake, const void *message, size_t size,
                            struct handshake_message *out)
{
    mproc_status status = MPROC_OK;

    out->size = 0;
    if (size > HANDSHAKE_MESSAGE_MAX) return handshake_too_long(handshake, size);
    switch (handshake->state) {
    case HANDSHAKE_AWAITS_CHALLENGE:
        status = take_challenge(handshake, message, size, out);
        break;
    case HANDSHAKE_AWAITS_ANSWER:
        status = take_answer(handshake, message, size, out);
        break;
    case HANDSHAKE_AWAITS_WELCOME:
        status = take_welcome(handshake, message, size, out);
        break;
    case HANDSHAKE_DONE:
    case HANDSHAKE_REFUSED:
        status = mproc_error(MPROC_BAD_STATE, "the handshake is over");
        break;
    }
    if (status != MPROC_OK) handshake->state = HANDSHAKE_REFUSED;
    return status;
}

mproc_status handshake_too_long(struct handshake *handshake, size_t size)
{
    handshake->state = HANDSHAKE_REFUSED;
    return mproc_error(MPROC_AUTHENTICATION,
                       "the other side sent %zu bytes at once, more than the handshake has at this place: perhaps it "
                       "was given no authkey",
                       size);
}

mproc_status handshake_cut(const struct handshake *handshake, mproc_status status)
{
    const char *awaited = "it was not told whether its proof is good";

    if (handshake->state == HANDSHAKE_AWAITS_CHALLENGE)
        awaited = "no challenge came: perhaps the other side was given no authkey";
    if (handshake->state == HANDSHAKE_AWAITS_ANSWER)
        awaited = "the other side did not prove that it has the authkey: perhaps it was given none";
    return mproc_error(status, "%s in the middle of the handshake: %s",
                       status == MPROC_TIMEOUT ? "the time limit passed" : "the other side ended", awaited);
}
