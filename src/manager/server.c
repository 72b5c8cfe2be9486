/* The server of a manager: accepts clients, and receives their calls. */
#include "manager/server.h"

#include <stdlib.h>

#include <mproc/process.h>

#include "manager/classes.h"
#include "manager/kind.h"
#include "manager/types.h"
#include "process/family.h"

/* So many are ready at a time. */
#define READY_MAX 64
/* Whoever has connected and proves no key is looked for so often. */
#define LOOK_MS 10000
/* Where the system has no room for one more, so long is waited. */
#define PAUSE_NS ((int64_t)10000000)
/* How soon who is to stop is asked again. */
#define ASK_MS 5

/* ---- clients -------------------------------------------------------------------------------------------- */

static void accept_all(struct server *server)
{
    mproc_connection *connection;
    struct line *line;
    mproc_status status;

    while ((status = mproc_listener_accept(server->listener, &connection, 0)) == MPROC_OK)
        if ((line = line_begin(server, connection)) &&
            mproc_wait_set_add(server->set, line_waitable(line)) != MPROC_OK)
            line_end(line);
    if (status != MPROC_TIMEOUT && status != MPROC_INTERRUPTED && !atomic_load(&server->thread.ends))
        plat_clock_sleep_until(plat_clock_now_ns() + PAUSE_NS);
}

static void go_on(struct server *server, struct line *line)
{
    enum line_step step = line_receive(line);
    mproc_status status;

    if (step == LINE_WORKS && (status = workers_give(server, line)) != MPROC_OK) step = line_fail(line, status);
    if (step != LINE_ENDS) return;
    (void)mproc_wait_set_remove(server->set, line_waitable(line));
    line_end(line);
}

/* A worker that was about to sleep when it was asked to stop sleeps on: it is woken a few times more. */
static bool ask_again(struct server *server)
{
    if (server->asks == 0) return false;
    server->asks--;
    interrupt_wake(family.process);
    return true;
}

static void serve(void *context)
{
    struct server *server = context;
    mproc_waitable ready[READY_MAX];
    size_t count;

    thread_self.requests_alone = true; /* interrupts are for those who wait */
    while (!atomic_load(&server->thread.ends)) {
        mproc_status status =
            mproc_wait_set_wait(server->set, ready, READY_MAX, server->asks > 0 ? ASK_MS : LOOK_MS, &count);
        if (status == MPROC_TIMEOUT && !ask_again(server)) accept_all(server);
        else if (status != MPROC_OK && status != MPROC_TIMEOUT && status != MPROC_INTERRUPTED)
            plat_clock_sleep_until(plat_clock_now_ns() + PAUSE_NS);
        for (size_t i = 0; status == MPROC_OK && i < count; i++) {
            if (ready[i].context) go_on(server, ready[i].context);
            else accept_all(server);
        }
    }
}

/* ---- the end -------------------------------------------------------------------------------------------- */

/* The listener that is closed is ready, so the thread sees that it is to end. */
static void ring(void *context)
{
    struct server *server = context;

    mproc_listener_close(server->listener);
}

static void shut_down(void *self)
{
    struct server *server = self;

    if (family_enter_with(server->arena) != MPROC_OK) return;
    plat_mutex_lock(&server->shutdown);
    if (!atomic_exchange(&server->down, true)) {
        pool_thread_end(&server->thread, ring);
        lines_close(server);
        workers_end(&server->workers);
        while (server->lines) line_end(server->lines);
        mproc_wait_set_free(server->set);
    }
    plat_mutex_unlock(&server->shutdown);
}

/* A fork() copy has none of it. */
static void end(void *self)
{
    struct server *server = self;

    if (family_enter_with(server->arena) == MPROC_OK) {
        shut_down(server);
        mproc_listener_free(server->listener);
        mproc_dict_free(server->names);
        mproc_dict_free(server->classes);
    }
    free(server);
}

/* ---- the beginning -------------------------------------------------------------------------------------- */

static mproc_status create_parts(struct server *server, const mproc_manager_options *options)
{
    mproc_listener_options listener_options = {.allow_md5 = options->allow_md5,
                                               .backlog = options->backlog,
                                               .authkey_timeout_ms = options->authkey_timeout_ms,
                                               .authkey = options->authkey};
    mproc_status status;

    if ((status = mproc_listener_create(options->address, &listener_options, &server->listener)) != MPROC_OK)
        return status;
    if ((status = mproc_wait_set_create(&server->set)) != MPROC_OK) return status;
    if ((status = mproc_wait_set_add(server->set, mproc_waitable_listener(server->listener))) != MPROC_OK)
        return status;
    if ((status = workers_init(&server->workers)) != MPROC_OK) return status;
    return pool_thread_start(&server->thread, serve, server, "the thread of a manager");
}

mproc_status server_create(const mproc_manager_options *options, mproc_dict *names, mproc_dict *classes,
                           struct server_counts *counts, struct server **out)
{
    struct server *server = calloc(1, sizeof *server);
    mproc_status status;

    if (!server) return mproc_error(MPROC_NO_MEMORY, "no memory for a manager");
    server->arena = thread_self.arena;
    server->options = *options;
    server->options.address = NULL;
    server->options.authkey = mproc_nil();
    server->names = names;
    server->classes = classes;
    server->counts = counts ? counts : &server->own_counts;
    if ((status = create_parts(server, options)) == MPROC_OK) {
        *out = server;
        return MPROC_OK;
    }
    mproc_wait_set_free(server->set);
    mproc_listener_free(server->listener);
    mproc_semaphore_free(server->workers.jobs);
    free(server);
    return status;
}

mproc_status server_make(const struct server *server, const char *type, const mproc_value *args, bool served,
                         mproc_value *value)
{
    return types_know(type) ? types_make(type, args, served, value)
                            : classes_make(server->classes, type, args, value);
}

/* ---- as a manager --------------------------------------------------------------------------------------- */

static mproc_status put_name(void *self, const char *name, const mproc_value *value)
{
    struct server *server = self;

    return names_serve(server->names, name, value);
}

static mproc_status withdraw(void *self, const char *name)
{
    struct server *server = self;

    return names_withdraw(server->names, name);
}

static mproc_status get(void *self, const char *name, mproc_value *value)
{
    struct server *server = self;

    return names_get(server->names, name, value);
}

static mproc_status make(void *self, const char *type, const mproc_value *args, mproc_value *value)
{
    const struct server *server = self;
    mproc_status status = family_enter_with(server->arena);

    return status == MPROC_OK ? server_make(server, type, args, false, value) : status;
}

static mproc_status add_class(void *self, const mproc_class *class_)
{
    struct server *server = self;
    mproc_status status = family_enter_with(server->arena);

    return status == MPROC_OK ? classes_register(server->classes, class_) : status;
}

static mproc_status debug_info(void *self, mproc_value *info)
{
    struct server *server = self;
    mproc_status status = family_enter_with(server->arena);

    return status == MPROC_OK ? server_debug_info(server, info) : status;
}

static const char *address(const void *self)
{
    const struct server *server = self;

    return mproc_listener_address(server->listener);
}

static size_t clients(const void *self)
{
    const struct server *server = self;

    return atomic_load(&server->counts->clients);
}

static size_t objects(void *self)
{
    struct server *server = self;

    return (size_t)atomic_load(&server->counts->objects);
}

const struct manager_kind server_kind = {.serve = put_name,
                                         .withdraw = withdraw,
                                         .get = get,
                                         .make = make,
                                         .add_class = add_class,
                                         .debug_info = debug_info,
                                         .address = address,
                                         .clients = clients,
                                         .objects = objects,
                                         .shutdown = shut_down,
                                         .free = end};
