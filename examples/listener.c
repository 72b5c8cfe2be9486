/*
 * A server and its clients over TCP, in one program: the server listens at a free port of this machine, and tells it
 * to the clients, which could as well be other programs on other machines, also in Python. Nobody is accepted who has
 * not the key. (Python: multiprocessing.connection, Listener and Client.)
 */
#include <mproc/mproc.h>
#include <string.h>

enum { CLIENTS = 2 };

#define KEY mproc_string("what both sides know")

/* Connects, sends two lists and prints what they add up to. */
static mproc_status ask(mproc_call *call)
{
    mproc_connection *server;
    mproc_value sums[2];
    const char *address;
    int number;

    MPROC_TRY(mproc_unpack(call, &address, &number));
    MPROC_TRY(mproc_client(address, &(mproc_client_options){.authkey = KEY}, &server, 10000));
    MPROC_TRY(mproc_connection_send(server, MPROC_LIST(number, 1, 2), MPROC_FOREVER));
    MPROC_TRY(mproc_connection_recv(server, &sums[0], MPROC_FOREVER));
    MPROC_TRY(mproc_connection_send(server, MPROC_LIST(number, 40), MPROC_FOREVER));
    MPROC_TRY(mproc_connection_recv(server, &sums[1], MPROC_FOREVER));
    printf("client %d: %d and %d\n", number, (int)mproc_value_int(sums[0]), (int)mproc_value_int(sums[1]));
    mproc_value_clear(&sums[0]);
    mproc_value_clear(&sums[1]);
    mproc_connection_free(server);
    return MPROC_OK;
}

/* Answers each list with its sum, until the client has gone. */
static mproc_status serve(mproc_connection *client)
{
    mproc_value numbers;
    mproc_status status;

    while ((status = mproc_connection_recv(client, &numbers, MPROC_FOREVER)) == MPROC_OK) {
        int64_t sum = 0;
        for (uint32_t i = 0; i < mproc_value_count(numbers); i++) sum += mproc_value_int(mproc_value_at(numbers, i));
        mproc_value_clear(&numbers);
        MPROC_TRY(mproc_connection_send(client, MPROC_VALUE(sum), MPROC_FOREVER));
    }
    return status;
}

int main(void)
{
    mproc_listener *listener;
    mproc_connection *client;
    mproc_process *process;
    mproc_status status;

    mproc_main_guard();

    mproc_check(mproc_listener_create("tcp:127.0.0.1:0", &(mproc_listener_options){.authkey = KEY}, &listener));
    for (int i = 1; i <= CLIENTS; i++) {
        mproc_args args = MPROC_ARGS(mproc_listener_address(listener), 100 * i);
        mproc_check(mproc_process_create(ask, args, NULL, &process));
        mproc_check(mproc_process_start(process));
        mproc_check(mproc_listener_accept(listener, &client, 10000));
        status = serve(client);
        mproc_connection_free(client);
        mproc_check(mproc_process_join(process, MPROC_FOREVER));
        mproc_process_free(process);
        printf("served until %s\n", mproc_status_name(status));
        fflush(stdout);
    }
    printf("nobody else: %s\n", mproc_status_name(mproc_listener_accept(listener, &client, 0)));
    mproc_listener_free(listener);
    return 0;
}
