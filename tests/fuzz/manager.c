/*
 * Feeds libFuzzer's bytes to both sides of a manager's protocol. As messages of a client: what is received, to a
 * manager's line, behind a client that has an object of each kind already. As a message of a manager: what is
 * received, to a client, whose proxies are opened, called and given back.
 *
 * Whatever comes, nothing else than these is reached, and nothing is left over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mproc/list.h>
#include <mproc/namespace.h>
#include <mproc/set.h>

#include "manager/answer.h"
#include "manager/server.h"

enum { MESSAGE_MAX = 4096, OF_A_MANAGER = 1, UNIT = 8 };

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz: %s: %s\n", what, mproc_last_error_text());
    abort();
}

static struct server server;

static void serve(const char *name, mproc_value value)
{
    must(mproc_dict_set(server.names, mproc_string(name), value) == MPROC_OK, "it is not served");
}

/* Of each kind one. */
static void begin(void)
{
    mproc_dict *dict;
    mproc_list *list;
    mproc_set *set;
    mproc_namespace *space;

    if (server.names) return;
    server.counts = &server.own_counts;
    server.options = (mproc_manager_options){.answer_timeout_ms = 1000,
                                             .message_bytes_max = 1 << 20,
                                             .clients_max = 4,
                                             .connections_per_client_max = 4,
                                             .objects_per_client_max = 8};
    must(mproc_dict_create(mproc_nil(), &server.names) == MPROC_OK, "no names");
    must(mproc_dict_create(mproc_nil(), &server.classes) == MPROC_OK, "no classes");
    must(mproc_dict_create(MPROC_MAP("n", 1), &dict) == MPROC_OK, "no dict");
    must(mproc_list_create(MPROC_LIST(1, "two"), &list) == MPROC_OK, "no list");
    must(mproc_set_create(MPROC_LIST(1, "two"), &set) == MPROC_OK, "no set");
    must(mproc_namespace_create(MPROC_MAP("n", 1), &space) == MPROC_OK, "no namespace");
    serve("dict", MPROC_VALUE(dict));
    serve("all", MPROC_LIST(dict, list, set, space));
    mproc_dict_free(dict);
    mproc_list_free(list);
    mproc_set_free(set);
    mproc_namespace_free(space);
}

/* What calls have made large is made small again. */
static void begin_again(void)
{
    mproc_value all = mproc_nil();
    mproc_list *list = NULL;

    must(mproc_dict_get(server.names, MPROC_VALUE("all"), &all) == MPROC_OK, "it is gone");
    must(mproc_value_to(mproc_value_at(all, 1), &list) == MPROC_OK, "it is no list");
    must(mproc_list_clear(list) == MPROC_OK, "it is not cleared");
    mproc_list_free(list);
    mproc_value_clear(&all);
}

static void send_value(mproc_connection *connection, mproc_value value)
{
    must(mproc_connection_send(connection, value, 0) == MPROC_OK, "there is no room");
}

/* Receives the answers that are there. */
static void drain(mproc_connection *connection)
{
    mproc_value bytes;

    while (mproc_connection_recv_bytes(connection, SIZE_MAX, &bytes, 0) == MPROC_OK) mproc_value_clear(&bytes);
}

static void rest(struct worker *worker)
{
    (void)worker;
}

/* As a worker does it, who is told to stop as soon as it waits. */
static enum line_step work(struct line *line)
{
    struct worker worker = {.server = &server};
    int64_t number = mproc_value_int(mproc_value_at(line->call, 0));
    enum line_step step;

    if (number == MESSAGE_NO_CALL) line->ends = true;
    else line->given_up = number;
    thread_self.request = &worker.request;
    step = line_work(line, &worker);
    thread_self.request = NULL;
    if (step == LINE_WAITS) step = line_next(line, &worker, rest);
    if (step == LINE_WAITS) return step;
    line_give_up(line); /* what a lock's owner does not release is abandoned */
    return LINE_ENDS;
}

/* The input is several messages, each with a byte that says its size, in units. */
static void of_a_client(const unsigned char *data, size_t size)
{
    enum line_step step = LINE_WAITS;
    mproc_connection *here, *there;
    struct line *line;

    must(mproc_pipe(NULL, &here, &there) == MPROC_OK, "there is no pipe");
    must((line = line_begin(&server, there)) != NULL, "it is not accepted");
    send_value(here, MPROC_LIST(1, 0, MANAGER_GET, "all"));
    must(line_receive(line) == LINE_WAITS, "the first call is not answered");
    while (step != LINE_ENDS && size > 1) {
        size_t part = UNIT * (size_t)data[0];
        if (part > size - 1) part = size - 1;
        must(mproc_connection_send_bytes(here, data + 1, part, 0) == MPROC_OK, "there is no room");
        data += 1 + part;
        size -= 1 + part;
        step = line_receive(line);
        if (step == LINE_WORKS) step = work(line);
        drain(here);
    }
    line_end(line);
    mproc_connection_free(here);
    begin_again();
    must(atomic_load(&server.own_counts.objects) == 0 && atomic_load(&server.own_counts.clients) == 0,
         "something is left");
}

static void visit(void *context, const struct handle_ref *ref)
{
    void *object = NULL;

    (void)context;
    if (handle_open(ref, &object) == MPROC_OK) handle_drop(object);
}

/* A client that waits for the answer to its call 1. */
static void of_a_manager(const unsigned char *data, size_t size)
{
    struct client *client = calloc(1, sizeof *client);
    mproc_value bytes = mproc_nil(), value = mproc_nil();
    mproc_connection *there;
    struct answer answer;

    must(client != NULL, "no memory");
    must(mproc_pipe(NULL, &client->connection, &there) == MPROC_OK, "there is no pipe");
    must(mproc_lock_create(NULL, &client->turn) == MPROC_OK, "there is no lock");
    must(connections_add(client) == MPROC_OK, "there is no room for a connection");
    must(mproc_connection_send_bytes(there, data, size, 0) == MPROC_OK, "there is no room");
    must(mproc_connection_recv_bytes(client->connection, SIZE_MAX, &bytes, 0) == MPROC_OK, "nothing came");
    if (answer_read(&bytes, &answer) == MPROC_OK) {
        if (answer.number == 1 && answer_take(client, &answer, &value) == MPROC_OK) {
            value_visit_objects(&value, visit, NULL);
            mproc_value_clear(&value);
        } else if (answer.number != 1) {
            answer_discard(client, &answer);
        }
    }
    mproc_value_clear(&bytes);
    must(client->proxies.count == 0, "proxies are left");
    mproc_connection_free(there);
    client_release(client);
}

/* The first byte says whose messages they are. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 2 || size > MESSAGE_MAX) return 0;
    begin();
    if (data[0] & OF_A_MANAGER) of_a_manager(data + 1, size - 1);
    else of_a_client(data + 1, size - 1);
    return 0;
}
