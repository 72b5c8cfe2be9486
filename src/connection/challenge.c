/* The handshake over a connection, for a caller that waits. */
#include "connection/challenge.h"

#include <stdio.h>

#include "base/options.h"
#include "process/family.h"

/* What is left of the time limit. */
static int64_t remaining_ms(const struct wait *wait)
{
    int64_t left = wait->deadline_ns - plat_clock_now_ns();

    if (wait->timeout_ms == 0 || wait->timeout_ms == MPROC_FOREVER) return wait->timeout_ms;
    return left > 0 ? (left + 999999) / 1000000 : 0;
}

/* The other side learns that it was refused, if that goes at once. The text stays what it is. */
static mproc_status refuse(mproc_connection *connection, const struct handshake_message *out, mproc_status status)
{
    char text[400];

    snprintf(text, sizeof text, "%s", mproc_error_text(status));
    if (out->size > 0) (void)!mproc_connection_send_bytes(connection, out->bytes, out->size, 0);
    return mproc_error(status, "%s", text);
}

mproc_status challenge_run(mproc_connection *connection, enum handshake_role role, enum handshake_halves halves,
                           const struct handshake_key *key, const struct wait *wait)
{
    struct handshake handshake;
    struct handshake_message out;
    unsigned char in[HANDSHAKE_MESSAGE_MAX];
    size_t size = 0;
    mproc_status status;

    if ((status = handshake_begin(&handshake, role, halves, key, &out)) != MPROC_OK) return status;
    for (;;) {
        if (out.size > 0) {
            status = mproc_connection_send_bytes(connection, out.bytes, out.size, remaining_ms(wait));
            if (status == MPROC_PEER_DIED) return handshake_cut(&handshake, MPROC_END);
            if (status != MPROC_OK) return status;
        }
        if (handshake.state == HANDSHAKE_DONE) return MPROC_OK;
        status = mproc_connection_recv_bytes_into(connection, in, sizeof in, &size, remaining_ms(wait));
        if (status == MPROC_TOO_LONG) return handshake_too_long(&handshake, size);
        if (status == MPROC_TIMEOUT || status == MPROC_END) return handshake_cut(&handshake, status);
        if (status == MPROC_BROKEN)
            return mproc_error(MPROC_AUTHENTICATION,
                               "the other side sent what is no part of a handshake, or ended in "
                               "the middle of a message: perhaps it is no listener or client");
        if (status != MPROC_OK) return status;
        if ((status = handshake_take(&handshake, in, size, &out)) != MPROC_OK)
            return refuse(connection, &out, status);
    }
}

/* Checks what the caller gives, and takes the side that this end is on: whoever asks first is the listener's. */
static mproc_status begin(mproc_connection *connection, mproc_value authkey, const mproc_challenge_options *options,
                          size_t options_size, enum handshake_role role, struct handshake_key *key,
                          enum handshake_role *taken)
{
    struct connection *object = (struct connection *)connection->reference.at;
    mproc_challenge_options all;
    uint32_t none = 0;
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    if ((status = handshake_key_from(authkey, all.allow_md5, key)) != MPROC_OK) return status;
    if ((status = family_enter_with(connection->reference.arena)) != MPROC_OK) return status;
    if ((status = handshake_check(key)) != MPROC_OK) return status;
    if (atomic_compare_exchange_strong(&object->side, &none, (uint32_t)role + 1)) *taken = role;
    else *taken = (enum handshake_role)(none - 1);
    return MPROC_OK;
}

mproc_status mproc_connection_deliver_challenge_sized(mproc_connection *connection, mproc_value authkey,
                                                      const mproc_challenge_options *options, size_t options_size,
                                                      int64_t timeout_ms)
{
    struct handshake_key key;
    enum handshake_role role;
    struct wait wait;
    mproc_status status = begin(connection, authkey, options, options_size, HANDSHAKE_LISTENER, &key, &role);

    if (status == MPROC_OK) status = wait_begin(&wait, NULL, timeout_ms);
    return status == MPROC_OK ? challenge_run(connection, role, HANDSHAKE_ASK, &key, &wait) : status;
}

mproc_status mproc_connection_answer_challenge_sized(mproc_connection *connection, mproc_value authkey,
                                                     const mproc_challenge_options *options, size_t options_size,
                                                     int64_t timeout_ms)
{
    struct handshake_key key;
    enum handshake_role role;
    struct wait wait;
    mproc_status status = begin(connection, authkey, options, options_size, HANDSHAKE_CLIENT, &key, &role);

    if (status == MPROC_OK) status = wait_begin(&wait, NULL, timeout_ms);
    return status == MPROC_OK ? challenge_run(connection, role, HANDSHAKE_ANSWER, &key, &wait) : status;
}
