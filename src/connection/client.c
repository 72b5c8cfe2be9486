/* Clients: connections to listeners. */
#include <mproc/listener.h>

#include "base/options.h"
#include "connection/address.h"
#include "connection/challenge.h"
#include "process/alarm.h"
#include "process/family.h"

/* What an alarm ends that was not for this thread goes on. */
static mproc_status connect(const plat_address *at, const struct wait *wait, plat_channel *channel)
{
    plat_attempt attempt = PLAT_NO_ATTEMPT;
    struct alarm *alarm;
    mproc_status status;

    if ((status = alarm_take(channel, &alarm)) != MPROC_OK) return status;
    while ((status = wait_why(wait)) == MPROC_OK) {
        status = plat_channel_connect(at, alarm->event, wait->deadline_ns, &attempt, channel);
        if (status != MPROC_INTERRUPTED) break;
        alarm_clear(alarm);
    }
    plat_attempt_end(&attempt);
    alarm_give(alarm);
    return status;
}

mproc_status mproc_client_sized(const char *address, const mproc_client_options *options, size_t options_size,
                                mproc_connection **connection, int64_t timeout_ms)
{
    mproc_client_options all;
    mproc_connection *made = NULL;
    struct handshake_key key;
    plat_channel channel;
    struct wait wait;
    plat_address at;
    bool has_key;
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    has_key = all.authkey.type != MPROC_TYPE_NIL;
    if (!connection || !address)
        return mproc_error(MPROC_INVALID, "a client was to connect, and its address or connection is NULL");
    if ((status = address_read(address, false, &at)) != MPROC_OK) return status;
    if (has_key && (status = handshake_key_from(all.authkey, all.allow_md5, &key)) != MPROC_OK) return status;
    if ((status = family_enter()) != MPROC_OK) return status;
    if (has_key && (status = handshake_check(&key)) != MPROC_OK) return status;
    if ((status = wait_begin(&wait, NULL, timeout_ms)) != MPROC_OK) return status;
    if ((status = connect(&at, &wait, &channel)) == MPROC_TIMEOUT)
        status = wait_timed_out(&wait, "no connection was made");
    wait_end(&wait);
    if (status == MPROC_OK) status = connection_create(true, true, &channel, &made);
    if (status == MPROC_OK && has_key) status = challenge_run(made, HANDSHAKE_CLIENT, HANDSHAKE_BOTH, &key, &wait);
    if (status == MPROC_OK) *connection = made;
    else mproc_connection_free(made);
    return status;
}
