/* Managers, as programs see them: what serves, or a connection to it. */
#include <mproc/manager.h>

#include <stdlib.h>

#include <mproc/process.h>

#include "base/options.h"
#include "manager/client.h"
#include "manager/kind.h"
#include "manager/server.h"
#include "manager/started.h"
#include "process/family.h"

#define ANSWER_MS 10000
#define MESSAGE_BYTES ((size_t)64 << 20)
#define CLIENTS 1024
#define OBJECTS 65536
#define SHUTDOWN_MS 1000
#define CONNECTIONS 256

static mproc_status make(const struct manager_kind *kind, mproc_manager **manager)
{
    if (!(*manager = calloc(1, sizeof **manager))) return mproc_error(MPROC_NO_MEMORY, "no memory for a manager");
    (*manager)->kind = kind;
    return MPROC_OK;
}

/* The key of this process, if none is given. */
static mproc_value key_of(mproc_value given)
{
    size_t size;
    const void *key;

    if (!mproc_value_is_nil(given)) return given;
    key = mproc_process_authkey(mproc_current_process(), &size);
    return mproc_bytes(key, size);
}

/* ---- made ----------------------------------------------------------------------------------------------- */

static mproc_status check_options(mproc_manager_options *options)
{
    if (!options->answer_timeout_ms) options->answer_timeout_ms = ANSWER_MS;
    if (!options->message_bytes_max) options->message_bytes_max = MESSAGE_BYTES;
    if (!options->clients_max) options->clients_max = CLIENTS;
    if (!options->objects_per_client_max) options->objects_per_client_max = OBJECTS;
    if (!options->shutdown_timeout_ms) options->shutdown_timeout_ms = SHUTDOWN_MS;
    if (!options->initializer && !mproc_value_is_nil(options->initializer_args))
        return mproc_error(MPROC_INVALID, "there are arguments for the initializer, and no initializer");
    if (options->shutdown_timeout_ms < 0)
        return mproc_error(MPROC_INVALID, "a manager that has %lld ms to shut down",
                           (long long)options->shutdown_timeout_ms);
    if (!options->connections_per_client_max) options->connections_per_client_max = CONNECTIONS;
    if (options->answer_timeout_ms < 0)
        return mproc_error(MPROC_INVALID, "a manager whose clients may take %lld ms to receive an answer",
                           (long long)options->answer_timeout_ms);
    if (options->message_bytes_max > MPROC_VALUE_BYTES_MAX)
        return mproc_error(MPROC_INVALID, "a manager with messages of %zu bytes: they have %zu at most",
                           options->message_bytes_max, MPROC_VALUE_BYTES_MAX);
    if (options->objects_per_client_max >= MESSAGE_OBJECTS_MAX)
        return mproc_error(MPROC_INVALID, "a manager with %lu objects for each client: they have %lu at most",
                           (unsigned long)options->objects_per_client_max, (unsigned long)MESSAGE_OBJECTS_MAX - 1);
    return MPROC_OK;
}

mproc_status mproc_manager_create_sized(const mproc_manager_options *options, size_t options_size,
                                        mproc_manager **manager)
{
    mproc_manager_options all;
    struct server *server = NULL;
    mproc_dict *names = NULL, *classes = NULL;
    mproc_manager *made = NULL;
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    if (!manager) return mproc_error(MPROC_INVALID, "a manager was to be made, and manager is NULL");
    if (all.initializer)
        return mproc_error(MPROC_INVALID, "a manager that serves in this process has no initializer: call it, or use "
                                          "mproc_manager_start()");
    if ((status = check_options(&all)) != MPROC_OK || (status = family_enter()) != MPROC_OK) return status;
    all.authkey = key_of(all.authkey);
    if ((status = make(&server_kind, &made)) != MPROC_OK) return status;
    status = mproc_dict_create(mproc_nil(), &names);
    if (status == MPROC_OK) status = mproc_dict_create(mproc_nil(), &classes);
    if (status == MPROC_OK) status = server_create(&all, names, classes, NULL, &server);
    made->self = server;
    if (status == MPROC_OK) {
        *manager = made;
        return MPROC_OK;
    }
    mproc_dict_free(names);
    mproc_dict_free(classes);
    free(made);
    return status;
}

mproc_status mproc_manager_start_sized(const mproc_manager_options *options, size_t options_size,
                                       mproc_manager **manager, int64_t timeout_ms)
{
    mproc_manager_options all;
    struct started *started = NULL;
    mproc_manager *made = NULL;
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    if (!manager) return mproc_error(MPROC_INVALID, "a manager was to be started, and manager is NULL");
    if ((status = check_options(&all)) != MPROC_OK || (status = family_enter()) != MPROC_OK) return status;
    all.authkey = key_of(all.authkey);
    if ((status = make(&started_kind, &made)) != MPROC_OK) return status;
    status = started_create(&all, timeout_ms, &started);
    made->self = started;
    if (status == MPROC_OK) *manager = made;
    else free(made);
    return status;
}

mproc_status mproc_manager_connect_sized(const char *address, const mproc_manager_connect_options *options,
                                         size_t options_size, mproc_manager **manager, int64_t timeout_ms)
{
    mproc_manager_connect_options all;
    struct client *client = NULL;
    mproc_manager *made = NULL;
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    if (!manager) return mproc_error(MPROC_INVALID, "a manager was to be connected to, and manager is NULL");
    if (all.call_timeout_ms < 0)
        return mproc_error(MPROC_INVALID, "calls of a manager that may take %lld ms", (long long)all.call_timeout_ms);
    if ((status = family_enter()) != MPROC_OK || (status = make(&client_kind, &made)) != MPROC_OK) return status;
    all.authkey = key_of(all.authkey);
    status = client_create(address, &all, timeout_ms, &client);
    made->self = client;
    if (status == MPROC_OK) *manager = made;
    else free(made);
    return status;
}

/* ---- what each kind does in its own way ----------------------------------------------------------------- */

static mproc_status refuse_name(void)
{
    return mproc_error(MPROC_INVALID, "what a manager serves has a name, which is NULL");
}

mproc_status mproc_manager_serve(mproc_manager *manager, const char *name, mproc_value value)
{
    return name ? manager->kind->serve(manager->self, name, &value) : refuse_name();
}

mproc_status mproc_manager_withdraw(mproc_manager *manager, const char *name)
{
    return name ? manager->kind->withdraw(manager->self, name) : refuse_name();
}

mproc_status mproc_manager_get(mproc_manager *manager, const char *name, mproc_value *value)
{
    if (!name) return refuse_name();
    if (!value) return mproc_error(MPROC_INVALID, "what a manager serves as '%s' is to go to NULL", name);
    return manager->kind->get(manager->self, name, value);
}

mproc_status mproc_manager_new(mproc_manager *manager, const char *type, mproc_args args, mproc_value *value)
{
    if (!type) return mproc_error(MPROC_INVALID, "a manager makes objects by the name of a type, which is NULL");
    if (!value) return mproc_error(MPROC_INVALID, "the %s that a manager makes is to go to NULL", type);
    return manager->kind->make(manager->self, type, &args, value);
}

mproc_status mproc_manager_register(mproc_manager *manager, const mproc_class *class_)
{
    if (manager->kind->add_class) return manager->kind->add_class(manager->self, class_);
    return mproc_error(MPROC_BAD_STATE,
                       "a connection to a manager registers no classes: that is done where it serves");
}

mproc_status mproc_manager_debug_info(mproc_manager *manager, mproc_value *info)
{
    if (!info) return mproc_error(MPROC_INVALID, "what a manager's clients have is to be told to NULL");
    return manager->kind->debug_info(manager->self, info);
}

size_t mproc_manager_clients(const mproc_manager *manager)
{
    return manager->kind->clients(manager->self);
}

size_t mproc_manager_objects(const mproc_manager *manager)
{
    return manager->kind->objects(manager->self);
}

mproc_process *mproc_manager_process(mproc_manager *manager)
{
    return manager->kind->process ? manager->kind->process(manager->self) : NULL;
}

mproc_status mproc_manager_join(mproc_manager *manager, int64_t timeout_ms)
{
    mproc_process *process = mproc_manager_process(manager);

    if (process) return mproc_process_join(process, timeout_ms);
    return mproc_error(MPROC_BAD_STATE, "a manager that was not started is no process that could be joined");
}

const char *mproc_manager_address(const mproc_manager *manager)
{
    return manager->kind->address(manager->self);
}

void mproc_manager_shutdown(mproc_manager *manager)
{
    manager->kind->shutdown(manager->self);
}

void mproc_manager_free(mproc_manager *manager)
{
    if (!manager) return;
    manager->kind->free(manager->self);
    free(manager);
}
