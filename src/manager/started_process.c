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

static mproc_status serve(const mproc_call *call, mproc_dict *names, mproc_dict *classes, mproc_shared_value *counts,
                          struct server **server)
{
    const mproc_value args = mproc_call_value(call);
    mproc_manager_options options;

    memcpy(&options, mproc_value_bytes(mproc_value_at(args, STARTED_OPTIONS)), sizeof options);
    options.address = mproc_value_string(mproc_value_at(args, STARTED_ADDRESS));
    options.authkey = mproc_value_at(args, STARTED_AUTHKEY);
    return server_create(&options, names, classes, mproc_shared_value_data(counts), server);
}

/* ---- what the starter calls ----------------------------------------------------------------------------- */

/* A manager's process has one. */
static struct server *serving;

static mproc_status hand_over(mproc_call *call, mproc_status status, mproc_value *value)
{
    if (status == MPROC_OK) status = mproc_call_return(call, *value);
    mproc_value_clear(value);
    return status;
}

static mproc_status make(mproc_call *call)
{
    const mproc_value args = mproc_call_value(call), of = mproc_value_at(args, 1);
    mproc_value made = mproc_nil();

    return hand_over(call, server_make(serving, mproc_value_string(mproc_value_at(args, 0)), &of, false, &made),
                     &made);
}

static mproc_status debug_info(mproc_call *call)
{
    mproc_value info = mproc_nil();

    return hand_over(call, server_debug_info(serving, &info), &info);
}

static const mproc_method methods[] = {{"make", make}, {"debug_info", debug_info}};
static const mproc_class maker_class = {
    .name = "Manager", .methods = methods, .method_count = sizeof methods / sizeof methods[0], .concurrent = true};

/* ---- the process ---------------------------------------------------------------------------------------- */

/* If nobody hears it there is nobody to serve for. */
static mproc_status report(mproc_connection *control, mproc_status status, struct server *server, mproc_object *maker)
{
    const mproc_value said[] = {
        mproc_int(status), mproc_string(status == MPROC_OK ? server_kind.address(server) : mproc_error_text(status)),
        MPROC_VALUE(maker)};

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
    mproc_dict *names = NULL, *classes = NULL;
    mproc_shared_value *counts = NULL;
    mproc_object *maker = NULL;
    mproc_status status;

    plat_process_ignore_interrupts();
    MPROC_TRY(mproc_value_to(mproc_value_at(args, STARTED_CONTROL), &control));
    MPROC_TRY(mproc_value_to(mproc_value_at(args, STARTED_NAMES), &names));
    MPROC_TRY(mproc_value_to(mproc_value_at(args, STARTED_CLASSES), &classes));
    MPROC_TRY(mproc_value_to(mproc_value_at(args, STARTED_COUNTS), &counts));
    status =
        initialize(call, mproc_value_at(args, STARTED_INITIALIZER), mproc_value_at(args, STARTED_INITIALIZER_ARGS));
    if (status == MPROC_OK) status = mproc_object_create(&maker_class, mproc_no_args(), &maker);
    if (status == MPROC_OK) status = serve(call, names, classes, counts, &serving);
    if (report(control, status, serving, maker) == MPROC_OK && serving) await_end(control);
    if (serving) server_kind.shutdown(serving); /* its memory stays, as the starter may just be asking */
    mproc_object_free(maker);
    return MPROC_OK;
}
