/* What a manager's process does: it runs the initializer, serves, and ends when it is told to. */
#include "manager/started.h"

#include "base/text.h"
#include "manager/kind.h"
#include "manager/server.h"
#include "process/call.h"

/* What the initializer takes of its arguments stays until the process ends. */
static mproc_status initialize(const mproc_call *call, mproc_value initializer, mproc_value arguments)
{
    const mproc_args args = mproc_value_is_nil(arguments) ? mproc_no_args() : arguments;
    mproc_call own = {args, call->name, call->scope, NULL, NULL, 0};
    mproc_function *function = NULL;
    mproc_status status;

    if (mproc_value_is_nil(initializer)) return MPROC_OK;
    if ((status = mproc_value_to(initializer, &function)) != MPROC_OK) return status;
    error_text_clear();
    if ((status = function(&own)) == MPROC_OK) return MPROC_OK;
    return mproc_error(status, "%s: its initializer failed: %s", call->name, mproc_error_text(status));
}

static mproc_status serve(const mproc_call *call, mproc_dict *names, mproc_shared_value *counts,
                          struct server **server)
{
    const mproc_value args = mproc_call_value(call);
    mproc_manager_options options;

    memcpy(&options, mproc_value_bytes(mproc_value_at(args, STARTED_OPTIONS)), sizeof options);
    options.address = mproc_value_string(mproc_value_at(args, STARTED_ADDRESS));
    options.authkey = mproc_value_at(args, STARTED_AUTHKEY);
    return server_create(&options, names, mproc_shared_value_data(counts), server);
}

/* If nobody hears it there is nobody to serve for. */
static mproc_status report(mproc_connection *control, mproc_status status, struct server *server)
{
    const mproc_value said[] = {
        mproc_int(status), mproc_string(status == MPROC_OK ? server_kind.address(server) : mproc_error_text(status))};

    return mproc_connection_send(control, mproc_list_from(said, sizeof said / sizeof said[0]), MPROC_FOREVER);
}

/* Until the starter, which sends nothing, closes its end, or interrupts this process, as it does when it exits. */
static void await_end(mproc_connection *control)
{
    (void)mproc_connection_poll(control, MPROC_FOREVER);
}

mproc_status started_main(mproc_call *call)
{
    const mproc_value args = mproc_call_value(call);
    mproc_connection *control = NULL;
    mproc_dict *names = NULL;
    mproc_shared_value *counts = NULL;
    struct server *server = NULL;
    mproc_status status;

    plat_process_ignore_interrupts();
    MPROC_TRY(mproc_value_to(mproc_value_at(args, STARTED_CONTROL), &control));
    MPROC_TRY(mproc_value_to(mproc_value_at(args, STARTED_NAMES), &names));
    MPROC_TRY(mproc_value_to(mproc_value_at(args, STARTED_COUNTS), &counts));
    status =
        initialize(call, mproc_value_at(args, STARTED_INITIALIZER), mproc_value_at(args, STARTED_INITIALIZER_ARGS));
    if (status == MPROC_OK) status = serve(call, names, counts, &server);
    if (report(control, status, server) == MPROC_OK && server) await_end(control);
    if (server) server_kind.free(server);
    return MPROC_OK;
}
