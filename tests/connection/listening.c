#include "connection/listening.h"

#include <stdio.h>

void listening_setup(void)
{
    connections_setup();
    for (int kind = 0; kind < LISTENING_KINDS; kind++) {
        ends pair = listening_pair_of(kind);
        if (pair.first) connections_free(&pair);
    }
}

bool listening_is_tcp(int kind)
{
    return kind == LISTENING_TCP || kind == LISTENING_TCP6;
}

mproc_listener *listening_create(int kind)
{
    return listening_create_with(kind, NULL);
}

mproc_listener *listening_create_with(int kind, const mproc_listener_options *options)
{
    char named[64];
    const char *address = named;
    mproc_listener *listener = NULL;
    mproc_status status;

    snprintf(named, sizeof named,
             kind == LISTENING_ABSTRACT ? "unix:@mproc-test-%lld" : "\\\\.\\pipe\\mproc-test-%lld",
             (long long)plat_process_id());
    if (kind == LISTENING_PRIVATE) address = NULL;
    if (kind == LISTENING_TCP) address = "tcp:127.0.0.1:0";
    if (kind == LISTENING_TCP6) address = "tcp:[::1]:0";
    status = mproc_listener_create(address, options, &listener);
    if (status == MPROC_NOT_SUPPORTED && kind > LISTENING_TCP) return NULL;
    if (status == MPROC_NOT_FOUND && kind == LISTENING_TCP6) return NULL;
    CHECK_OK(status);
    return listener;
}

mproc_connection *listening_connect(const mproc_listener *listener)
{
    mproc_connection *client = NULL;

    CHECK_OK(mproc_client(mproc_listener_address(listener), NULL, &client, check_limit_ms()));
    return client;
}

mproc_connection *listening_accept(mproc_listener *listener)
{
    mproc_connection *accepted = NULL;

    CHECK_OK(mproc_listener_accept(listener, &accepted, check_limit_ms()));
    return accepted;
}

ends listening_pair(mproc_listener *listener)
{
    ends pair = {listening_connect(listener), NULL};

    pair.second = listening_accept(listener);
    return pair;
}

ends listening_pair_of(int kind)
{
    mproc_listener *listener = listening_create(kind);
    ends pair = {NULL, NULL};

    if (listener) pair = listening_pair(listener);
    mproc_listener_free(listener);
    return pair;
}

static void run(void *argument)
{
    one_accept *call = argument;

    atomic_store(&call->begun, 1);
    call->status = mproc_listener_accept(call->listener, &call->connection, call->timeout_ms);
    snprintf(call->text, sizeof call->text, "%s", mproc_error_text(call->status));
    atomic_store(&call->ended, 1);
}

void listening_begin(one_accept *call)
{
    CHECK_OK(plat_thread_start(run, call, &call->thread));
    CHECK_AWAIT(&call->begun, 1);
}

void listening_end(one_accept *call)
{
    CHECK_AWAIT(&call->ended, 1);
    plat_thread_join(call->thread);
}
