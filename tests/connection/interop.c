/*
 * One side of a conversation of which the other side is Python's: see interop.py.
 *
 *     interop listen ADDRESS KEY [md5]     listens, prints its address, accepts one client, and echoes what it sends
 *     interop connect ADDRESS KEY [md5]    connects, and checks that what it sends is echoed
 *
 * KEY is "-" for none, or ":" and the key. An empty message ends the conversation. The exit code is 0, or 3 if the
 * other side was refused, or this one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mproc/mproc.h>

enum { LIMIT_MS = 30000, LOOK_MS = 20, REFUSED = 3, LARGE = 300000 };

static mproc_value key_from(const char *text)
{
    return *text == ':' ? mproc_bytes(text + 1, strlen(text + 1)) : mproc_nil();
}

static mproc_status echo(mproc_connection *connection)
{
    size_t size;

    do {
        mproc_value bytes;
        MPROC_TRY(mproc_connection_recv_bytes(connection, SIZE_MAX, &bytes, LIMIT_MS));
        size = mproc_value_size(bytes);
        MPROC_TRY(mproc_connection_send_bytes(connection, mproc_value_bytes(bytes), size, LIMIT_MS));
        mproc_value_clear(&bytes);
    } while (size > 0);
    return MPROC_OK;
}

static mproc_status check_echo(mproc_connection *connection)
{
    static const size_t sizes[] = {1, 5, 1000, LARGE, 0};
    static char sent[LARGE], received[LARGE];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = 0;
        memset(sent, 'a' + (int)i, sizes[i]);
        MPROC_TRY(mproc_connection_send_bytes(connection, sent, sizes[i], LIMIT_MS));
        MPROC_TRY(mproc_connection_recv_bytes_into(connection, received, sizeof received, &size, LIMIT_MS));
        if (size != sizes[i] || memcmp(sent, received, size) != 0)
            return mproc_error(MPROC_USER, "%zu bytes came back as %zu others", sizes[i], size);
    }
    return MPROC_OK;
}

static mproc_status listens(const char *address, mproc_value key, bool md5, mproc_connection **connection)
{
    const mproc_listener_options options = {.authkey = key, .allow_md5 = md5};
    char why[MPROC_REFUSED_BYTES];
    mproc_listener *listener;
    mproc_status status = MPROC_TIMEOUT;

    MPROC_TRY(mproc_listener_create(address, &options, &listener));
    printf("%s\n", mproc_listener_address(listener));
    fflush(stdout);
    for (int i = 0; i < LIMIT_MS / LOOK_MS && status == MPROC_TIMEOUT; i++) {
        status = mproc_listener_accept(listener, connection, LOOK_MS);
        mproc_listener_last_refused(listener, why);
        if (status == MPROC_TIMEOUT && *why) status = mproc_error(MPROC_AUTHENTICATION, "%s", why);
    }
    mproc_listener_free(listener);
    return status;
}

int main(int argc, char **argv)
{
    mproc_connection *connection = NULL;
    bool server, md5;
    mproc_status status;

    mproc_main_guard();
    if (argc < 4) return 2;
    server = strcmp(argv[1], "listen") == 0;
    md5 = argc > 4;
    if (server) {
        status = listens(argv[2], key_from(argv[3]), md5, &connection);
    } else {
        const mproc_client_options options = {.authkey = key_from(argv[3]), .allow_md5 = md5};
        status = mproc_client(argv[2], &options, &connection, LIMIT_MS);
    }
    if (status == MPROC_OK) status = server ? echo(connection) : check_echo(connection);
    mproc_connection_free(connection);
    if (status == MPROC_OK) return 0;
    fprintf(stderr, "%s: %s\n", mproc_status_name(status), mproc_error_text(status));
    return status == MPROC_AUTHENTICATION ? REFUSED : 1;
}
