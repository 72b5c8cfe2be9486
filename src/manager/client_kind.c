/* A connection to a manager, as a manager. */
#include "manager/client.h"
#include "manager/client_line.h"
#include "manager/connections.h"
#include "manager/kind.h"

static mproc_status refuse_to_serve(const struct client *client)
{
    return mproc_error(MPROC_BAD_STATE, "a connection to the manager at %s serves nothing: its own program does",
                       client->address);
}

static mproc_status serve(void *self, const char *name, const mproc_value *value)
{
    (void)name;
    (void)value;
    return refuse_to_serve(self);
}

static mproc_status withdraw(void *self, const char *name)
{
    (void)name;
    return refuse_to_serve(self);
}

static mproc_status get(void *self, const char *name, mproc_value *value)
{
    const mproc_value text = mproc_string(name);

    return client_call(self, 0, MANAGER_GET, &text, 1, value, 0);
}

static mproc_status make(void *self, const char *type, const mproc_value *args, mproc_value *value)
{
    const mproc_value values[] = {mproc_string(type), *args};

    return client_call(self, 0, MANAGER_MAKE, values, sizeof values / sizeof values[0], value, 0);
}

static mproc_status debug_info(void *self, mproc_value *info)
{
    return client_call(self, 0, MANAGER_DEBUG_INFO, NULL, 0, info, 0);
}

static const char *address(const void *self)
{
    const struct client *client = self;

    return client->address;
}

static size_t no_clients(const void *self)
{
    (void)self;
    return 0;
}

static size_t objects(void *self)
{
    struct client *client = self;
    size_t count;

    plat_mutex_lock(&client->proxies.mutex);
    count = client->proxies.count;
    plat_mutex_unlock(&client->proxies.mutex);
    return count;
}

static void shut_down(void *self)
{
    struct client *client = self;

    client_lines_close(client);
    mproc_connection_close(client->connection);
}

static void release(void *self)
{
    client_release(self);
}

const struct manager_kind client_kind = {.serve = serve,
                                         .withdraw = withdraw,
                                         .get = get,
                                         .make = make,
                                         .debug_info = debug_info,
                                         .address = address,
                                         .clients = no_clients,
                                         .objects = objects,
                                         .shutdown = shut_down,
                                         .free = release};
