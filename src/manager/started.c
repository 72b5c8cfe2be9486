/* A manager that is a process of its own, in the process that has started it. */
#include "manager/started.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "manager/classes.h"
#include "manager/kind.h"
#include "manager/server.h"
#include "manager/types.h"
#include "process/family.h"
#include "process/process.h"

/* ---- the end -------------------------------------------------------------------------------------------- */

static bool ends_within(const struct started *started, int64_t timeout_ms)
{
    mproc_status status;

    do status = mproc_process_join(started->process, timeout_ms);
    while (status == MPROC_INTERRUPTED);
    return status != MPROC_TIMEOUT;
}

/* Python's steps. Interrupts are for the next wait of this thread: who waits here could not be told of them. */
static void end_process(struct started *started)
{
    bool before = thread_self.requests_alone;
    uint32_t seen = thread_self.interrupts_seen;

    thread_self.requests_alone = true;
    mproc_connection_close(started->control);
    if (!ends_within(started, started->shutdown_timeout_ms)) {
        mproc_process_terminate(started->process);
        if (!ends_within(started, started->shutdown_timeout_ms)) {
            mproc_process_kill(started->process);
            ends_within(started, MPROC_FOREVER);
        }
    }
    thread_self.requests_alone = before;
    thread_self.interrupts_seen = seen;
}

static void shut_down(void *self)
{
    struct started *started = self;

    if (family_enter_with(started->arena) != MPROC_OK) return;
    plat_mutex_lock(&started->mutex);
    if (!atomic_exchange(&started->down, true)) end_process(started);
    plat_mutex_unlock(&started->mutex);
}

static void free_parts(struct started *started)
{
    mproc_process_free(started->process);
    mproc_connection_free(started->control);
    mproc_dict_free(started->names);
    mproc_dict_free(started->classes);
    mproc_object_free(started->maker);
    mproc_shared_value_free(started->counts);
    free(started);
}

/* A fork() copy has none of it. */
static void end(void *self)
{
    struct started *started = self;

    if (family_enter_with(started->arena) != MPROC_OK) {
        free(started);
        return;
    }
    shut_down(started);
    free_parts(started);
}

/* ---- the beginning -------------------------------------------------------------------------------------- */

/* By default "Manager-1", as Python's "SyncManager-1": with the number that the process has. */
static mproc_status set_name(mproc_process *process, const char *name)
{
    char usual[SPAWN_NAME_BYTES];

    if (name) return MPROC_OK;
    snprintf(usual, sizeof usual, "Manager-%.100s", process->identity);
    return mproc_process_set_name(process, usual);
}

static mproc_status create_process(struct started *started, const mproc_manager_options *options,
                                   mproc_connection *there)
{
    const mproc_process_options process_options = {.name = options->name, .daemon = MPROC_YES};
    mproc_manager_options given = *options;
    mproc_value args[STARTED_ARGUMENTS];
    mproc_status status;

    given.address = given.name = NULL;
    given.authkey = given.initializer_args = mproc_nil();
    given.initializer = NULL;
    args[STARTED_CONTROL] = MPROC_VALUE(there);
    args[STARTED_NAMES] = MPROC_VALUE(started->names);
    args[STARTED_CLASSES] = MPROC_VALUE(started->classes);
    args[STARTED_COUNTS] = MPROC_VALUE(started->counts);
    args[STARTED_OPTIONS] = mproc_bytes(&given, sizeof given);
    args[STARTED_ADDRESS] = mproc_string(options->address);
    args[STARTED_AUTHKEY] = options->authkey;
    args[STARTED_INITIALIZER] = mproc_function_from(options->initializer);
    args[STARTED_INITIALIZER_ARGS] = options->initializer_args;
    status = mproc_process_create(started_main, mproc_list_from(args, STARTED_ARGUMENTS), &process_options,
                                  &started->process);
    if (status == MPROC_OK) status = set_name(started->process, options->name);
    if (status != MPROC_OK) return status;
    started->process->stoppable = true;
    return mproc_process_start(started->process);
}

/* The process has closed the pipe without a word: it has ended, or is about to, as far as it is not hindered. */
static mproc_status tell_end(struct started *started)
{
    mproc_status status;
    mproc_exit_status exit_status;

    end_process(started);
    if ((status = mproc_process_join(started->process, 0)) != MPROC_OK) return status;
    exit_status = mproc_process_exit_status(started->process);
    return mproc_error(MPROC_PEER_DIED, "the manager '%s' has ended before it served, with exit code %d",
                       mproc_process_name(started->process), exit_status.code);
}

/* What the process has said. MPROC_OK: it serves. */
static mproc_status read_report(struct started *started, const mproc_value *said)
{
    mproc_status status = (mproc_status)mproc_value_int(mproc_value_at(*said, STARTED_STATUS));
    const char *text = mproc_value_string(mproc_value_at(*said, STARTED_TEXT));

    if (status != MPROC_OK) return mproc_error(status, "%s", text ? text : "");
    snprintf(started->address, sizeof started->address, "%s", text);
    return mproc_value_to(mproc_value_at(*said, STARTED_MAKER), &started->maker);
}

static mproc_status await_report(struct started *started, int64_t timeout_ms)
{
    mproc_value said = mproc_nil();
    mproc_status status = mproc_connection_recv(started->control, &said, timeout_ms);

    if (status == MPROC_OK) status = read_report(started, &said);
    else if (status == MPROC_TIMEOUT)
        status = mproc_error(MPROC_TIMEOUT, "the manager '%s' does not serve after %lld ms, and was ended",
                             mproc_process_name(started->process), (long long)timeout_ms);
    else if (status == MPROC_END || status == MPROC_BROKEN) status = tell_end(started);
    mproc_value_clear(&said);
    return status;
}

static mproc_status start(struct started *started, const mproc_manager_options *options, int64_t timeout_ms)
{
    const mproc_shared_options raw = {.raw = true};
    mproc_connection *there = NULL;
    mproc_status status;

    if ((status = mproc_dict_create(mproc_nil(), &started->names)) != MPROC_OK) return status;
    if ((status = mproc_dict_create(mproc_nil(), &started->classes)) != MPROC_OK) return status;
    status = mproc_shared_value_create(sizeof(struct server_counts), NULL, &raw, &started->counts);
    if (status != MPROC_OK) return status;
    if ((status = mproc_pipe(NULL, &started->control, &there)) != MPROC_OK) return status;
    status = create_process(started, options, there);
    mproc_connection_free(there);
    return status == MPROC_OK ? await_report(started, timeout_ms) : status;
}

mproc_status started_create(const mproc_manager_options *options, int64_t timeout_ms, struct started **out)
{
    struct started *started;
    struct error_text why;
    mproc_status status;

    if (timeout_ms < 0) return mproc_error(MPROC_INVALID, "a manager has %lld ms to start", (long long)timeout_ms);
    if (!(started = calloc(1, sizeof *started))) return mproc_error(MPROC_NO_MEMORY, "no memory for a manager");
    started->arena = thread_self.arena;
    started->shutdown_timeout_ms = options->shutdown_timeout_ms;
    if ((status = start(started, options, timeout_ms)) == MPROC_OK) {
        *out = started;
        return MPROC_OK;
    }
    error_text_keep(&why);
    if (started->process) {
        if (status == MPROC_TIMEOUT || status == MPROC_INTERRUPTED) mproc_process_kill(started->process);
        end_process(started);
    }
    free_parts(started);
    error_text_restore(&why);
    return status;
}

/* ---- as a manager --------------------------------------------------------------------------------------- */

static mproc_status check(const struct started *started)
{
    mproc_exit_status exit_status;
    mproc_status status;

    if ((status = family_enter_with(started->arena)) != MPROC_OK) return status;
    if (atomic_load(&started->down))
        return mproc_error(MPROC_CLOSED, "the manager at %s was shut down", started->address);
    if (mproc_process_is_alive(started->process)) return MPROC_OK;
    exit_status = mproc_process_exit_status(started->process);
    return mproc_error(MPROC_PEER_DIED, "the manager at %s has ended, with exit code %d", started->address,
                       exit_status.code);
}

static mproc_status put_name(void *self, const char *name, const mproc_value *value)
{
    struct started *started = self;
    mproc_status status = check(started);

    return status == MPROC_OK ? names_serve(started->names, name, value) : status;
}

static mproc_status withdraw(void *self, const char *name)
{
    struct started *started = self;
    mproc_status status = check(started);

    return status == MPROC_OK ? names_withdraw(started->names, name) : status;
}

static mproc_status get(void *self, const char *name, mproc_value *value)
{
    struct started *started = self;
    mproc_status status = check(started);

    return status == MPROC_OK ? names_get(started->names, name, value) : status;
}

static mproc_status make(void *self, const char *type, const mproc_value *args, mproc_value *value)
{
    struct started *started = self;
    mproc_status status = check(started);

    if (status != MPROC_OK || types_know(type))
        return status == MPROC_OK ? types_make(type, args, false, value) : status;
    return mproc_object_call(started->maker, "make", MPROC_ARGS(type, *args), value, MPROC_FOREVER);
}

static mproc_status add_class(void *self, const mproc_class *class_)
{
    struct started *started = self;
    mproc_status status = check(started);

    return status == MPROC_OK ? classes_register(started->classes, class_) : status;
}

static mproc_status debug_info(void *self, mproc_value *info)
{
    struct started *started = self;
    mproc_status status = check(started);

    if (status != MPROC_OK) return status;
    return mproc_object_call(started->maker, "debug_info", mproc_no_args(), info, MPROC_FOREVER);
}

static const char *address(const void *self)
{
    const struct started *started = self;

    return started->address;
}

/* NULL: it serves nobody any more. */
static const struct server_counts *counts_of(const struct started *started)
{
    return check(started) == MPROC_OK ? mproc_shared_value_data(started->counts) : NULL;
}

static size_t clients(const void *self)
{
    const struct server_counts *counts = counts_of(self);

    return counts ? atomic_load(&counts->clients) : 0;
}

static size_t objects(void *self)
{
    const struct server_counts *counts = counts_of(self);

    return counts ? (size_t)atomic_load(&counts->objects) : 0;
}

static mproc_process *process_of(void *self)
{
    struct started *started = self;

    return started->process;
}

const struct manager_kind started_kind = {.serve = put_name,
                                          .withdraw = withdraw,
                                          .get = get,
                                          .make = make,
                                          .add_class = add_class,
                                          .debug_info = debug_info,
                                          .address = address,
                                          .clients = clients,
                                          .objects = objects,
                                          .process = process_of,
                                          .shutdown = shut_down,
                                          .free = end};
