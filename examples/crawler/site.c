/* The server: a process that answers one request after the other, in HTTP/1.0. */
#include "site.h"

#include "sockets.h"

#define LINK(path) "<a href=\"" path "\">" path "</a>\n"

static const struct {
    const char *path, *body;
} pages[] = {
    {"/", LINK("/birds") LINK("/fish") LINK("/about")},
    {"/about", LINK("/")},
    {"/birds", LINK("/") LINK("/birds/owl") LINK("/birds/swan") LINK("/birds/dodo")},
    {"/birds/owl", LINK("/birds") LINK("/mice")},
    {"/birds/swan", LINK("/birds") LINK("/fish")},
    {"/fish", LINK("/") LINK("/fish/carp") LINK("/birds/swan")},
    {"/fish/carp", LINK("/fish")},
    {"/mice", "Nothing links from here.\n"},
};

static const char *find_body(const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(pages[i].path, path) == 0) return pages[i].body;
    return NULL;
}

static void answer(intptr_t client)
{
    char request[1024], path[64] = "";
    const char *body;

    socket_receive(client, request, sizeof request, "\r\n\r\n");
    sscanf(request, "GET %63s", path);
    body = find_body(path);
    socket_send(client, body ? "HTTP/1.0 200 OK\r\n\r\n" : "HTTP/1.0 404 Not Found\r\n\r\n");
    if (body) socket_send(client, body);
}

static mproc_status serve(mproc_call *call)
{
    intptr_t listener, client;
    mproc_queue *ports;
    int port;

    MPROC_TRY(mproc_unpack(call, &ports));
    if ((listener = socket_listen(&port)) < 0) return mproc_error(MPROC_USER, "there is no port to listen at");
    MPROC_TRY(mproc_queue_put(ports, MPROC_VALUE(port), MPROC_FOREVER));
    while ((client = socket_accept(listener)) >= 0) {
        answer(client);
        socket_close(client);
    }
    return mproc_error(MPROC_USER, "the server listens no more");
}

mproc_status site_start(mproc_process **out, int *port)
{
    mproc_queue *ports;
    mproc_value value;
    mproc_status status;

    MPROC_TRY(mproc_queue_create(NULL, &ports));
    status = mproc_process_create(serve, MPROC_ARGS(ports), &(mproc_process_options){.daemon = MPROC_YES}, out);
    if (status == MPROC_OK) status = mproc_process_start(*out);
    if (status == MPROC_OK) status = mproc_queue_get(ports, &value, MPROC_FOREVER);
    if (status == MPROC_OK) {
        *port = (int)mproc_value_int(value);
        mproc_value_clear(&value);
    }
    mproc_queue_free(ports);
    return status;
}
