/*
 * A server over TCP for those who have a key, and its clients: one that has it, one that has another, and one in
 * Python.
 *
 *     authkey                             all in one program
 *     authkey serve | python3 authkey.py  the server alone, and the client in Python, which reads the address
 *     authkey serve md5                   the same for Python up to 3.11, which knows nothing better
 *
 * The messages are bytes, as both languages have them; here they are text. (Python: multiprocessing.connection.)
 */
#include <ctype.h>
#include <string.h>

#include <mproc/mproc.h>

#define KEY "what only those know who may come in"

/* Asks three questions, and tells the answers. */
static mproc_status ask(mproc_call *call)
{
    static const char *const questions[] = {"is anybody there?", "and who?", ""};
    mproc_connection *server;
    const char *address, *key;
    char answer[100];
    size_t size;
    mproc_status status;

    MPROC_TRY(mproc_unpack(call, &address, &key));
    status = mproc_client(address, &(mproc_client_options){.authkey = MPROC_VALUE(key)}, &server, 10000);
    if (status != MPROC_OK) {
        printf("the client: %s\n", mproc_status_name(status));
        return MPROC_OK;
    }
    for (int i = 0; i < 3; i++) {
        MPROC_TRY(mproc_connection_send_bytes(server, questions[i], strlen(questions[i]), MPROC_FOREVER));
        MPROC_TRY(mproc_connection_recv_bytes_into(server, answer, sizeof answer, &size, MPROC_FOREVER));
        printf("'%s': '%.*s'\n", questions[i], (int)size, answer);
    }
    mproc_connection_free(server);
    return MPROC_OK;
}

/* Answers all that a client says, in its own words but louder, until it has gone. */
static void serve(mproc_connection *client)
{
    char text[100];
    size_t size;

    while (mproc_connection_recv_bytes_into(client, text, sizeof text, &size, MPROC_FOREVER) == MPROC_OK) {
        for (size_t i = 0; i < size; i++) text[i] = (char)toupper((unsigned char)text[i]);
        if (mproc_connection_send_bytes(client, text, size, MPROC_FOREVER) != MPROC_OK) break;
    }
    mproc_connection_free(client);
}

static mproc_process *start_client(const mproc_listener *listener, const char *key)
{
    mproc_process *process;
    mproc_args args = MPROC_ARGS(mproc_listener_address(listener), key);

    mproc_check(mproc_process_create(ask, args, NULL, &process));
    mproc_check(mproc_process_start(process));
    return process;
}

/* Two clients; the one with another key learns that it is refused, and so does the server. */
static void serve_own_clients(mproc_listener *listener)
{
    mproc_connection *client;
    mproc_process *process = start_client(listener, "a guess");

    while (mproc_listener_refused(listener) == 0)
        if (mproc_listener_accept(listener, &client, 10) != MPROC_TIMEOUT) return;
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    printf("the server has refused %d\n", (int)mproc_listener_refused(listener));
    fflush(stdout);
    mproc_process_free(process);
    process = start_client(listener, KEY);
    mproc_check(mproc_listener_accept(listener, &client, 10000));
    serve(client);
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
}

int main(int argc, char **argv)
{
    mproc_listener_options options = {.authkey = MPROC_VALUE(KEY)};
    mproc_listener *listener;
    mproc_connection *client;

    mproc_main_guard();

    options.allow_md5 = argc > 2 && strcmp(argv[2], "md5") == 0;
    mproc_check(mproc_listener_create("tcp:127.0.0.1:0", &options, &listener));
    if (argc > 1) {
        printf("%s\n", mproc_listener_address(listener));
        fflush(stdout);
        mproc_check(mproc_listener_accept(listener, &client, 10000));
        serve(client);
    } else {
        serve_own_clients(listener);
    }
    mproc_listener_free(listener);
    return 0;
}
