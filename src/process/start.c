/*
 * Starts a process: slot, spawn data, sentinel, program. Until the child is named in its slot nothing has happened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena/liveness.h"
#include "base/log.h"
#include "process/arguments.h"
#include "process/carried.h"
#include "process/children.h"
#include "process/family.h"
#include "process/reaper.h"
#include "process/self.h"
#include "process/token.h"

/* Those of plat_start that every child has a place for. */
#define CHILD_HANDLES 4

/*
 * A child is this program, started anew. Without a guard it would do the program's work once more before anybody
 * noticed; another program, that of mproc_set_executable(), has a guard of its own.
 */
static mproc_status check_guard(const mproc_process *process)
{
    bool other;

    if (atomic_load(&family.entered)) return MPROC_OK;
    if (family.child)
        return mproc_error(MPROC_NO_GUARD,
                           "process '%s' cannot be started: this process (pid %lld) is itself a child that has not "
                           "entered mproc_main_guard(): call it at the top of main(), before the program's own work",
                           process->name, (long long)plat_process_id());
    plat_mutex_lock(&family_mutex);
    other = family.executable != NULL;
    plat_mutex_unlock(&family_mutex);
    if (other) return MPROC_OK;
    return mproc_error(
        MPROC_NO_GUARD,
        "process '%s' cannot be started: this program has not called mproc_main_guard(), so its children "
        "would run main() once more: call it at the top of main(), before the program's own work; a "
        "library in a program that is not its own names one that does (mproc_set_executable())",
        process->name);
}

static mproc_status check_startable(const mproc_process *process)
{
    if (process->role != PROCESS_CHILD)
        return mproc_error(MPROC_BAD_STATE, "process '%s' runs already: it was not created here", process->name);
    if (process->closed) return mproc_error(MPROC_BAD_STATE, "process '%s' was closed", process->name);
    if (process->phase != PROCESS_CREATED)
        return mproc_error(MPROC_BAD_STATE, "process '%s' was already started (pid %lld): start a process once",
                           process->name, (long long)process->os.pid);
    if (process->runs > 0)
        return mproc_error(MPROC_BAD_STATE, "process '%s' cannot be started while its function runs here",
                           process->name);
    return check_guard(process);
}

/* Slots of orphans that nobody has looked at since they ended are worth a search before giving up. */
static mproc_status take_slot(uint32_t *slot)
{
    mproc_status status = slot_process_take(family.process, slot);

    if (status != MPROC_LIMIT) return status;
    liveness.adopt();
    return slot_process_take(family.process, slot);
}

static mproc_status write_spawn_data(const mproc_process *process, struct process_slot *slot)
{
    const mproc_process *self = process_self();
    struct spawn_data *spawn_data;
    mproc_status status;

    status = spawn_data_create(slot, arguments_in(process->args), carried_count(&process->kept), &spawn_data);
    if (status != MPROC_OK) return status;
    carried_list(&process->kept, spawn_data->given);
    spawn_data->function = process->function_ref;
    memcpy(spawn_data->name, process->name, sizeof spawn_data->name);
    memcpy(spawn_data->parent_name, self->name, sizeof spawn_data->parent_name);
    memcpy(spawn_data->identity, process->identity, sizeof spawn_data->identity);
    spawn_data->parent_pid = plat_process_id();
    spawn_data->log = log_settings();
    spawn_data->authkey_size = (uint32_t)process->authkey_size;
    memcpy(spawn_data->authkey, process->authkey, process->authkey_size);
    return MPROC_OK;
}

static struct spawn_data *spawn_data_of(uint32_t process)
{
    return (struct spawn_data *)arena_at(atomic_load(&process_slot_at(process)->spawn_data));
}

/* Also writes the numbers of what goes along into the spawn data. */
static void write_token(void *context, const plat_handle *numbers, char *text)
{
    const uint32_t *index = context;
    struct process_slot *slot = process_slot_at(*index);
    struct spawn_data *spawn_data = spawn_data_of(*index);
    struct spawn_token token = {.memory = numbers[0],
                                .child_end = numbers[1],
                                .door = numbers[2],
                                .reserve = arena_header->reserve,
                                .pid_offset = arena_offset(&slot->pid),
                                .process = *index,
                                .generation = atomic_load(&slot->generation),
                                .parent = plat_process_id(),
                                .parent_born_before_ns = atomic_load(&family_slot()->born_before_ns),
                                .depth = family.depth};

    for (size_t i = 0; i < spawn_data->given_count; i++) spawn_data->given[i].number = numbers[CHILD_HANDLES + i];
    token_print(&token, text);
}

/* What goes along with the arguments. MPROC_NO_MEMORY. */
static mproc_status list_handles(plat_start *start, const struct spawn_data *spawn_data, plat_handle **list)
{
    start->more_count = (size_t)spawn_data->given_count;
    *list = NULL;
    if (start->more_count == 0) return MPROC_OK;
    if (!(*list = malloc(start->more_count * sizeof(plat_handle))))
        return mproc_error(MPROC_NO_MEMORY, "no memory for the %zu connections among the arguments",
                           start->more_count);
    for (size_t i = 0; i < start->more_count; i++) (*list)[i] = (plat_handle)spawn_data->given[i].number;
    start->more = *list;
    return MPROC_OK;
}

static mproc_status start_program(mproc_process *process, plat_handle child_end)
{
    plat_start start = {.working_directory = process->working_directory,
                        .environment = (const char *const *)process->environment,
                        .environment_only = process->environment_only,
                        .token_name = PLAT_TOKEN_NAME,
                        .stdio = {process->stdio[0], process->stdio[1], process->stdio[2]},
                        .handles = {arena_memory(), child_end, PLAT_NO_HANDLE, PLAT_NO_HANDLE},
                        .daemon = process->daemon,
                        .inherit_signals = process->inherit_signals,
                        .without_interrupts = process->worker || process->stoppable,
                        .token_write = write_token,
                        .context = &process->slot};
    plat_handle *list;
    mproc_status status;

    if ((status = deposit_door(&start.handles[2])) != MPROC_OK) return status;
    if ((status = list_handles(&start, spawn_data_of(process->slot), &list)) != MPROC_OK) return status;
    plat_mutex_lock(&family_mutex);
    start.executable = family.executable;
    status = plat_process_start(&start, &process->os);
    plat_mutex_unlock(&family_mutex);
    free(list);
    return status;
}

/* A child that cannot be watched is ended again, before it is let in: nobody would ever collect it. */
static mproc_status watch(mproc_process *process)
{
    mproc_status status = reaper_watch(process);
    int ready;

    if (status == MPROC_OK) return MPROC_OK;
    plat_process_kill(&process->os);
    plat_handle_wait(&process->os.handle, 1, PLAT_FOREVER, &ready);
    plat_process_collect(&process->os);
    plat_handle_close(process->os.handle);
    process->os = (plat_process){PLAT_NO_HANDLE, 0};
    return mproc_error(status, "it was ended again, as it cannot be watched: %s", mproc_last_error_text());
}

mproc_status mproc_process_start(mproc_process *process)
{
    struct process_slot *slot = NULL;
    plat_handle child_end = PLAT_NO_HANDLE;
    mproc_status status;

    assert(process);
    if ((status = family_enter_with(process->arena)) != MPROC_OK) return status;
    plat_mutex_lock(&process->mutex);
    if ((status = check_startable(process)) != MPROC_OK) goto done;
    if ((status = reaper_start()) != MPROC_OK) goto refused;
    if ((status = take_slot(&process->slot)) != MPROC_OK) goto refused;
    slot = process_slot_at(process->slot);
    atomic_store(&slot->flags, process->daemon ? PROCESS_DAEMON : 0);
    if ((status = write_spawn_data(process, slot)) != MPROC_OK) goto refused;
    if ((status = children_add(process, &child_end)) != MPROC_OK) goto refused;
    if ((status = start_program(process, child_end)) != MPROC_OK) goto refused;
    if ((status = watch(process)) != MPROC_OK) goto refused;
    process->phase = PROCESS_STARTED;
    process->exit.kind = MPROC_EXIT_RUNNING;
    atomic_store(&slot->born_before_ns, plat_process_born_before_ns(&process->os));
    atomic_store(&slot->pid, process->os.pid); /* the last store lets the child in */
    process_give_arguments(process);
    if (log_on(MPROC_LOG_INFO))
        log_owe(MPROC_LOG_INFO, "process '%s' (pid %lld) was started", process->name, (long long)process->os.pid);
refused:
    if (status != MPROC_OK)
        mproc_error(status, "process '%s' cannot be started: %s", process->name, mproc_last_error_text());
done:
    plat_handle_close(child_end);
    if (status != MPROC_OK && slot) {
        process_close_parent_end(process);
        children_remove(process);
        spawn_data_free(slot);
        slot_process_release(process->slot);
    }
    plat_mutex_unlock(&process->mutex);
    /* Without the mutex: whoever waits for several things may have it while it adds the process. */
    if (status == MPROC_OK) carried_gave(&process->kept);
    if (!process->worker) log_speak(); /* a worker is started under its pool's mutex */
    return status;
}
