/* Creates and frees process objects; what can be asked of them without the system. */
#include "process/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"
#include "base/text.h"
#include "process/arguments.h"
#include "process/call.h"
#include "process/children.h"
#include "process/family.h"
#include "process/self.h"

static_assert(offsetof(mproc_process_options, standard_error) + sizeof(mproc_stdio) == sizeof(mproc_process_options),
              "no padding at the end: see options_read()");

/* How many of the text's first `size` bytes are whole characters. */
static int whole_characters(const char *text, int size)
{
    while (size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80) size--;
    return size;
}

static mproc_status check_name(const char *name)
{
    if (!name) return mproc_error(MPROC_INVALID, "the process' name is NULL");
    if (!*name) return mproc_error(MPROC_INVALID, "a process has no empty name: leave it out");
    if (!text_is_utf8(name)) return mproc_error(MPROC_INVALID, "the process' name is not UTF-8");
    if (strlen(name) >= SPAWN_NAME_BYTES)
        return mproc_error(MPROC_INVALID, "the name '%.*s...' has %zu bytes: at most %d fit",
                           whole_characters(name, 20), name, strlen(name), SPAWN_NAME_BYTES - 1);
    return MPROC_OK;
}

static mproc_status check_key(const void *key, size_t size)
{
    if (!key && size > 0) return mproc_error(MPROC_INVALID, "an authkey of %zu bytes at no address", size);
    if (size > SPAWN_KEY_BYTES)
        return mproc_error(MPROC_INVALID, "an authkey of %zu bytes: at most %d fit", size, SPAWN_KEY_BYTES);
    return MPROC_OK;
}

static mproc_status check_options(const mproc_process_options *options)
{
    const mproc_stdio *stdio[3] = {&options->standard_input, &options->standard_output, &options->standard_error};
    static const char *const names[3] = {"standard_input", "standard_output", "standard_error"};
    mproc_status status;

    if (options->name && (status = check_name(options->name)) != MPROC_OK) return status;
    if ((status = check_key(options->authkey, options->authkey_size)) != MPROC_OK) return status;
    if ((unsigned)options->daemon > MPROC_NO)
        return mproc_error(MPROC_INVALID, "the option daemon is %d: use MPROC_YES or MPROC_NO", (int)options->daemon);
    for (int i = 0; i < 3; i++)
        if ((unsigned)stdio[i]->kind > MPROC_STDIO_HANDLE)
            return mproc_error(MPROC_INVALID, "the option %s has the unknown kind %d", names[i], (int)stdio[i]->kind);
    if (options->environment_only && !options->environment)
        return mproc_error(MPROC_INVALID, "the option environment_only needs an environment");
    return MPROC_OK;
}

static mproc_status copy_text(const char *text, char **copy)
{
    size_t size;

    if (!text) return MPROC_OK;
    size = strlen(text) + 1;
    if (!(*copy = malloc(size))) return mproc_error(MPROC_NO_MEMORY, "no memory for %zu bytes of options", size);
    memcpy(*copy, text, size);
    return MPROC_OK;
}

static mproc_status copy_environment(const char *const *from, char ***copy)
{
    size_t count = 0;
    mproc_status status = MPROC_OK;

    if (!from) return MPROC_OK;
    while (from[count]) count++;
    if (!(*copy = calloc(count + 1, sizeof(char *))))
        return mproc_error(MPROC_NO_MEMORY, "no memory for %zu environment variables", count);
    for (size_t i = 0; i < count && status == MPROC_OK; i++) {
        if (!*from[i] || *from[i] == '=')
            return mproc_error(MPROC_INVALID, "the environment variable '%s' has no name", from[i]);
        status = copy_text(from[i], &(*copy)[i]);
    }
    return status;
}

/* As in Python a child reads nothing unless it is told what. */
static plat_stream stream_of(mproc_stdio stdio, plat_stream_kind usual)
{
    static const plat_stream_kind kinds[] = {[MPROC_STDIO_INHERIT] = PLAT_STREAM_INHERIT,
                                             [MPROC_STDIO_NULL] = PLAT_STREAM_NULL,
                                             [MPROC_STDIO_HANDLE] = PLAT_STREAM_HANDLE};

    return (plat_stream){stdio.kind == MPROC_STDIO_DEFAULT ? usual : kinds[stdio.kind], stdio.handle};
}

static void copy_stdio(mproc_process *process, const mproc_process_options *options)
{
    process->stdio[0] = stream_of(options->standard_input, PLAT_STREAM_NULL);
    process->stdio[1] = stream_of(options->standard_output, PLAT_STREAM_INHERIT);
    process->stdio[2] = stream_of(options->standard_error, PLAT_STREAM_INHERIT);
}

/* Everything that is copied without failing. */
static void fill(mproc_process *process, const mproc_process_options *options)
{
    const mproc_process *self = process_self();

    copy_stdio(process, options);
    process_next_identity(process->identity);
    if (options->name) snprintf(process->name, sizeof process->name, "%s", options->name);
    else snprintf(process->name, sizeof process->name, "Process-%.100s", process->identity);
    process->daemon = options->daemon == MPROC_DEFAULT ? self->daemon : options->daemon == MPROC_YES;
    process->environment_only = options->environment_only;
    process->inherit_signals = options->inherit_signals;
    process->authkey_size = options->authkey ? options->authkey_size : self->authkey_size;
    memcpy(process->authkey, options->authkey ? options->authkey : self->authkey, process->authkey_size);
}

mproc_status mproc_process_create_sized(mproc_function *function, mproc_args args,
                                        const mproc_process_options *options, size_t options_size,
                                        mproc_process **out)
{
    mproc_process_options all;
    mproc_process *process = NULL;
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    if (!out)
        return mproc_error(MPROC_INVALID, "mproc_process_create() has nowhere to write the process: out is NULL");
    if ((status = family_enter()) != MPROC_OK) goto done;
    if (!function) {
        status = mproc_error(MPROC_INVALID, "a process needs a function, and was given NULL");
        goto done;
    }
    if ((status = check_options(&all)) != MPROC_OK) goto done;
    if (!(process = calloc(1, sizeof *process))) {
        status = mproc_error(MPROC_NO_MEMORY, "no memory for a process object");
        goto done;
    }
    process->references = 1;
    process->arena = arena_generation;
    process->function = function;
    process->os.handle = process->parent_end = PLAT_NO_HANDLE;
    if ((status = function_encode((function_pointer)function, &process->function_ref)) != MPROC_OK) goto done;
    if ((status = copy_text(all.working_directory, &process->working_directory)) != MPROC_OK) goto done;
    if ((status = copy_environment(all.environment, &process->environment)) != MPROC_OK) goto done;
    fill(process, &all);
    if ((status = arguments_create(&args, process->name, true, &process->args)) != MPROC_OK) goto done;
    if (process->args && (status = reference_scope_keep(&process->kept, &args)) != MPROC_OK) goto done;

    *out = process;
    process = NULL;
done:
    mproc_process_free(process);
    return status;
}

/* Forgotten before it is closed: a fork() copy made in between must not close what has its number by then. */
void process_close_parent_end(mproc_process *process)
{
    plat_handle parent_end = process->parent_end;

    process->parent_end = PLAT_NO_HANDLE;
    atomic_signal_fence(memory_order_seq_cst);
    plat_handle_close(parent_end);
}

void process_release_handle(mproc_process *process)
{
    plat_handle_close(process->os.handle);
    process->os.handle = PLAT_NO_HANDLE;
}

void process_destroy(mproc_process *process)
{
    plat_handle_close(process->parent_end);
    plat_handle_close(process->os.handle);
    for (size_t i = 0; process->environment && process->environment[i]; i++) free(process->environment[i]);
    free(process->environment);
    free(process->working_directory);
    reference_scope_clear(&process->kept);
    free(process);
}

void process_give_arguments(mproc_process *process)
{
    resource_release(process->args);
    process->args = NULL;
}

/* Now, and not when the reaper looks at it for the last time. A child that runs may not have all of them yet. */
static void give_up_arguments(mproc_process *process)
{
    bool runs;

    plat_mutex_lock(&process->mutex);
    process_give_arguments(process);
    runs = process->phase == PROCESS_STARTED;
    plat_mutex_unlock(&process->mutex);
    if (!runs) reference_scope_clear(&process->kept);
}

void mproc_process_free(mproc_process *process)
{
    if (!process || process->role != PROCESS_CHILD) return;
    atomic_store(&process->freed, true);
    waitable_ends(process, true);
    if (family_enter_with(process->arena) == MPROC_OK) give_up_arguments(process);
    if (children_drop(process)) process_destroy(process);
}

/* What a function that runs uses stays: it is not given to a child meanwhile. */
static mproc_status begin_run(mproc_process *process)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&process->mutex);
    if (process->closed || !process->function)
        status =
            mproc_error(MPROC_BAD_STATE, "process '%s' has no function to run: it is closed or was not created here",
                        process->name);
    else if (process->phase != PROCESS_CREATED)
        status = mproc_error(MPROC_BAD_STATE, "process '%s' was started, and has got its arguments: run it before",
                             process->name);
    else process->runs++;
    plat_mutex_unlock(&process->mutex);
    return status;
}

static void end_run(mproc_process *process)
{
    plat_mutex_lock(&process->mutex);
    process->runs--;
    plat_mutex_unlock(&process->mutex);
}

mproc_status mproc_process_run(mproc_process *process)
{
    struct reference_scope scope = {.references = {.mask = 0}}, *before;
    mproc_call call;
    mproc_status status;

    assert(process);
    if ((status = family_enter_with(process->arena)) != MPROC_OK) return status;
    if ((status = begin_run(process)) != MPROC_OK) return status;
    call = (mproc_call){arguments_view(arguments_in(process->args)), process->name, &scope, NULL, NULL, 0};
    before = reference_scope_enter(&scope);
    status = process->function(&call);
    reference_scope_enter(before);
    reference_scope_clear(&scope);
    end_run(process);
    return status;
}

const char *mproc_process_name(const mproc_process *process)
{
    assert(process);
    return process->name;
}

mproc_status mproc_process_set_name(mproc_process *process, const char *name)
{
    mproc_status status;

    assert(process);
    if ((status = family_enter_with(process->arena)) != MPROC_OK) return status;
    if ((status = check_name(name)) != MPROC_OK) return status;
    snprintf(process->name, sizeof process->name, "%s", name);
    if (process->role == PROCESS_SELF) log_set_name(name);
    return MPROC_OK;
}

bool mproc_process_daemon(const mproc_process *process)
{
    assert(process);
    return process->daemon;
}

mproc_status mproc_process_set_daemon(mproc_process *process, bool daemon)
{
    mproc_status status;

    assert(process);
    if ((status = family_enter_with(process->arena)) != MPROC_OK) return status;
    plat_mutex_lock(&process->mutex);
    if (process->role != PROCESS_CHILD || process->phase != PROCESS_CREATED)
        status = mproc_error(MPROC_BAD_STATE, "process '%s' was started: whether it is a daemon is said before",
                             process->name);
    else process->daemon = daemon;
    plat_mutex_unlock(&process->mutex);
    return status;
}

const void *mproc_process_authkey(const mproc_process *process, size_t *size)
{
    assert(process);
    if (size) *size = process->authkey_size;
    return process->authkey;
}

mproc_status mproc_process_set_authkey(mproc_process *process, const void *key, size_t size)
{
    mproc_status status;

    assert(process);
    if ((status = family_enter_with(process->arena)) != MPROC_OK) return status;
    if ((status = check_key(key, size)) != MPROC_OK) return status;
    if (size > 0) memcpy(process->authkey, key, size);
    process->authkey_size = size;
    return MPROC_OK;
}
