/* plat_process_start(): the birth of a process. The rest of its life is in process.c. */
#include "birth.h"
#include "cancel.h"
#include "command.h"
#include "environment.h"
#include "error.h"
#include "handle.h"
#include "process.h"
#include "spawn_order.h"
#include "thread.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPAWN_FIRST BIRTH_FIRST_HANDLE
#define SPAWN_HANDLES 4

/* The order for a start, and what must be freed after it. */
typedef struct spawn_plan {
    spawn_order order;
    char *path_made; /* what the order's path points to, if it was made for this start */
    int *temporaries;
    int temporary_count;
    plat_handle *numbers; /* of all handles, in the child */
    int handle_count;
    plat_handle reserved; /* keeps a number for the descriptor of the new process */
} spawn_plan;

static _Atomic bool spawn_can_watch;

static mproc_status spawn_with_pipe(const plat_start *start, plat_process *process);
static void spawn_fini(spawn_plan *plan);
static mproc_status spawn_prepare(spawn_plan *plan, const plat_start *start);
static bool spawn_make_room(spawn_plan *plan, const plat_start *start);
static plat_handle spawn_handle(const plat_start *start, int index);
static void spawn_set_signals(spawn_plan *plan, const plat_start *start);
static mproc_status spawn_choose_path(spawn_plan *plan, const plat_start *start);
static mproc_status spawn_add_stdio(spawn_plan *plan, int number, const plat_stream *stdio);
static mproc_status spawn_add_handles(spawn_plan *plan, const plat_start *start);
static mproc_status spawn_add_copy(spawn_plan *plan, int from, int to, int lowest);
static void spawn_add(spawn_plan *plan, spawn_step step);
static mproc_status spawn_with_descriptor(spawn_plan *plan, const plat_start *start, plat_process *process);
static mproc_status spawn_without_descriptor(spawn_plan *plan, const plat_start *start, plat_process *process);
static mproc_status spawn_reserve(spawn_plan *plan, const plat_start *start);
static mproc_status spawn_refuse(int number);
static mproc_status spawn_explain(int number, const spawn_plan *plan, const plat_start *start);
static bool spawn_can_enter(const char *directory);
static mproc_status spawn_watch(pid_t pid, plat_process *process);
static mproc_status spawn_keep(pid_t pid, int descriptor, plat_process *process);
static mproc_status spawn_ended(plat_handle *handle);
static void spawn_undo(pid_t pid);

mproc_status plat_process_start(const plat_start *start, plat_process *process)
{
    int state = cancel_hold();
    spawn_plan plan = {.reserved = PLAT_NO_HANDLE};
    mproc_status status;

    if (process_has_no_descriptors()) status = spawn_with_pipe(start, process);
    else if ((status = spawn_prepare(&plan, start)) == MPROC_OK)
        status = spawn_with_descriptor(&plan, start, process);
    spawn_fini(&plan);
    cancel_resume(state);
    return status;
}

/*
 * The child holds the one end of a pipe until it ends; the other end is what is waited for. Children of its own that
 * are no members hold it, too, if it starts them before it has joined the family.
 */
static mproc_status spawn_with_pipe(const plat_start *start, plat_process *process)
{
    const int last = BIRTH_END_HANDLE - BIRTH_FIRST_HANDLE;
    spawn_plan plan = {.reserved = PLAT_NO_HANDLE};
    plat_start with_end = *start;
    plat_handle ended = PLAT_NO_HANDLE;
    pid_t pid = 0;
    mproc_status status;

    assert(start->handles[last] == PLAT_NO_HANDLE);
    if ((status = plat_sentinel_create(&with_end.handles[last], &ended)) != MPROC_OK) return status;
    status = spawn_prepare(&plan, &with_end);
    if (status == MPROC_OK) {
        int error = spawn_by_library(&plan.order, &pid);
        if (error != 0) status = spawn_explain(error, &plan, start);
    }
    spawn_fini(&plan);
    plat_handle_close(with_end.handles[last]);
    if (status == MPROC_OK) *process = (plat_process){.handle = ended, .pid = pid};
    else plat_handle_close(ended);
    return status;
}

static void spawn_fini(spawn_plan *plan)
{
    plat_handle_close(plan->reserved);
    for (int i = 0; i < plan->temporary_count; i++) close(plan->temporaries[i]);
    free(plan->numbers);
    free(plan->temporaries);
    free(plan->order.steps);
    free(plan->path_made);
    free(plan->order.environment);
}

/*
 * The order of the steps matters: the standard streams may be given from any number, so they are
 * copied first; our handles then overwrite 3 to 6, and more if there are more; what is left is closed last.
 */
static mproc_status spawn_prepare(spawn_plan *plan, const plat_start *start)
{
    char token[PLAT_TOKEN_BYTES] = "";
    mproc_status status;

    if (!spawn_make_room(plan, start)) return spawn_refuse(ENOMEM);
    if ((status = command_arguments(&plan->order.arguments)) != MPROC_OK) return status;
    if ((status = spawn_choose_path(plan, start)) != MPROC_OK) return status;
    for (int i = 0; i < SPAWN_FIRST; i++)
        if ((status = spawn_add_stdio(plan, i, &start->stdio[i])) != MPROC_OK) return status;
    if ((status = spawn_add_handles(plan, start)) != MPROC_OK) return status;
    if (start->working_directory) {
        spawn_add(plan, (spawn_step){.act = SPAWN_ENTER, .directory = start->working_directory});
    }
    spawn_set_signals(plan, start);
    start->token_write(start->context, plan->numbers, token);
    plan->order.environment = environment_make(start, token);
    return plan->order.environment ? MPROC_OK : spawn_refuse(ENOMEM);
}

static bool spawn_make_room(spawn_plan *plan, const plat_start *start)
{
    size_t handles = SPAWN_HANDLES + start->more_count;

    if (start->more_count > INT_MAX / 2) return false;
    plan->handle_count = (int)handles;
    plan->order.steps = malloc((SPAWN_STEPS + handles) * sizeof *plan->order.steps);
    plan->temporaries = malloc((SPAWN_FIRST + handles) * sizeof *plan->temporaries);
    plan->numbers = malloc(handles * sizeof *plan->numbers);
    return plan->order.steps && plan->temporaries && plan->numbers;
}

static plat_handle spawn_handle(const plat_start *start, int index)
{
    return index < SPAWN_HANDLES ? start->handles[index] : start->more[index - SPAWN_HANDLES];
}

/*
 * A thread of the library blocks all signals, which a child must not inherit: there it gets the mask of the
 * thread that the library's was started by. Other threads pass on their own, but for what asks a child to end.
 */
static void spawn_set_signals(spawn_plan *plan, const plat_start *start)
{
    spawn_order *order = &plan->order;

    if (thread_host_mask()) order->mask = *thread_host_mask();
    else pthread_sigmask(SIG_SETMASK, NULL, &order->mask);
    sigemptyset(&order->defaults);
    if (process_ignores_interrupts()) sigaddset(&order->defaults, SIGINT);
    if (!start->inherit_signals) {
        sigdelset(&order->mask, SIGTERM);
        sigdelset(&order->mask, SIGINT);
        sigaddset(&order->defaults, SIGTERM);
    }
    /* Blocked, and not ignored: posix_spawn() can do the one and not the other. */
    if (start->without_interrupts) sigaddset(&order->mask, SIGINT);
}

/* The child changes its directory before it loads the program, so a relative path must be made absolute here. */
static mproc_status spawn_choose_path(spawn_plan *plan, const plat_start *start)
{
    const char *path = start->executable ? start->executable : command_executable();

    plan->order.path = path;
    if (path[0] == '/' || path[0] == '\0' || !start->working_directory) return MPROC_OK;
    char *directory = getcwd(NULL, 0); /* memory, for a path is too long for the stacks of small threads */
    if (!directory) return error_system(errno, "cannot find '%s': the working directory has no path", path);
    size_t size = strlen(directory) + 1 + strlen(path) + 1;
    plan->path_made = malloc(size);
    if (plan->path_made) snprintf(plan->path_made, size, "%s/%s", directory, path);
    free(directory);
    if (!plan->path_made) return spawn_refuse(ENOMEM);
    plan->order.path = plan->path_made;
    return MPROC_OK;
}

static mproc_status spawn_add_stdio(spawn_plan *plan, int number, const plat_stream *stdio)
{
    if (stdio->kind == PLAT_STREAM_NULL) {
        spawn_add(plan, (spawn_step){.act = SPAWN_OPEN_NULL, .number = number});
        return MPROC_OK;
    }
    if (stdio->kind != PLAT_STREAM_HANDLE) return MPROC_OK;
    if (stdio->handle < 0 || stdio->handle > INT_MAX || fcntl((int)stdio->handle, F_GETFD) < 0) {
        return error_system(EBADF, "cannot start a process with file descriptor %lld as its descriptor %d",
                            (long long)stdio->handle, number);
    }
    /* Streams may be exchanged for one another. */
    return spawn_add_copy(plan, (int)stdio->handle, number, SPAWN_FIRST);
}

/* A child that starts a child passes on handles that still have the low numbers it was given them by. */
static mproc_status spawn_add_handles(spawn_plan *plan, const plat_start *start)
{
    int next = SPAWN_FIRST;
    mproc_status status;

    for (int i = 0; i < plan->handle_count; i++) {
        bool given = spawn_handle(start, i) != PLAT_NO_HANDLE;
        if (given) next = SPAWN_FIRST + i + 1;
        plan->numbers[i] = given ? SPAWN_FIRST + i : PLAT_NO_HANDLE;
    }
    for (int number = SPAWN_FIRST; number < next; number++) {
        plat_handle handle = spawn_handle(start, number - SPAWN_FIRST);
        if (handle != PLAT_NO_HANDLE) {
            if (!handle_is_ours(handle)) return handle_lost(handle, "start a process");
            if ((status = spawn_add_copy(plan, (int)handle, number, next)) != MPROC_OK) return status;
        } else {
            spawn_add(plan, (spawn_step){.act = SPAWN_CLOSE, .number = number});
        }
    }
    spawn_add(plan, (spawn_step){.act = SPAWN_CLOSE_FROM, .number = next});
    return MPROC_OK;
}

/*
 * A number below `lowest`, which a step before may have overwritten, is kept in another place for the time of the
 * start.
 */
static mproc_status spawn_add_copy(spawn_plan *plan, int from, int to, int lowest)
{
    if (from < lowest && from != to) {
        from = fcntl(from, F_DUPFD_CLOEXEC, lowest < HANDLE_LOWEST ? HANDLE_LOWEST : lowest);
        if (from < 0) return spawn_refuse(errno == EINVAL ? EMFILE : errno); /* the limit is below our numbers */
        plan->temporaries[plan->temporary_count++] = from;
    }
    spawn_add(plan, (spawn_step){.act = SPAWN_COPY, .number = to, .from = from});
    return MPROC_OK;
}

static void spawn_add(spawn_plan *plan, spawn_step step)
{
    assert(plan->order.step_count < SPAWN_STEPS + plan->handle_count);
    plan->order.steps[plan->order.step_count++] = step;
}

static mproc_status spawn_with_descriptor(spawn_plan *plan, const plat_start *start, plat_process *process)
{
    pid_t pid = 0;
    int descriptor = -1;
    int error = spawn_by_clone(&plan->order, &pid, &descriptor);

    if (error == ENOSYS) return spawn_without_descriptor(plan, start, process);
    if (error != 0) return spawn_explain(error, plan, start);
    return spawn_keep(pid, descriptor, process);
}

static mproc_status spawn_without_descriptor(spawn_plan *plan, const plat_start *start, plat_process *process)
{
    pid_t pid = 0;
    mproc_status status;

    if ((status = spawn_reserve(plan, start)) != MPROC_OK) return status;
    int error = spawn_by_library(&plan->order, &pid);
    plat_handle_close(plan->reserved);
    plan->reserved = PLAT_NO_HANDLE;
    return error == 0 ? spawn_watch(pid, process) : spawn_explain(error, plan, start);
}

/*
 * Shows before there is a process that the system can watch one, which is learned once, and that there is a number
 * for its descriptor. A copy of any descriptor will do then, at a tenth of the price.
 */
static mproc_status spawn_reserve(spawn_plan *plan, const plat_start *start)
{
    mproc_status status;

    for (int i = 0; i < SPAWN_HANDLES && atomic_load(&spawn_can_watch); i++) {
        if (start->handles[i] == PLAT_NO_HANDLE) continue;
        int copy = fcntl((int)start->handles[i], F_DUPFD_CLOEXEC, HANDLE_LOWEST);
        if (copy < 0) return spawn_refuse(errno == EINVAL ? EMFILE : errno);
        handle_remember(copy);
        plan->reserved = copy;
        return MPROC_OK;
    }
    if ((status = handle_take(process_open_descriptor(getpid()), "a descriptor of a new process", &plan->reserved)) !=
        MPROC_OK)
        return status;
    atomic_store(&spawn_can_watch, true);
    return MPROC_OK;
}

static mproc_status spawn_refuse(int number)
{
    return error_system(number, "cannot start a process");
}

/* It is not known which of the steps failed. Looks what is wrong with the paths, the likeliest cause. */
static mproc_status spawn_explain(int number, const spawn_plan *plan, const plat_start *start)
{
    const char *directory = start->working_directory;
    mproc_status status = error_status(number);
    struct stat file;
    struct statvfs mount;

    assert(plan->order.path);
    bool path = status == MPROC_NOT_FOUND || number == EACCES || number == ENAMETOOLONG;
    if (path && directory && !spawn_can_enter(directory)) {
        return error_system(number, "cannot start a process in the working directory '%s'", directory);
    }
    if (number == ENOENT && stat(plan->order.path, &file) == 0) {
        return error_system(number,
                            "cannot start '%s': it exists, but the interpreter that it names, or /dev/null, "
                            "does not",
                            plan->order.path);
    }
    if (status == MPROC_INVALID && number != ENAMETOOLONG) {
        return error_system(number, "cannot start '%s': it is no program for this system", plan->order.path);
    }
    if (number == ENOENT && !start->executable && access("/proc/self/exe", F_OK) != 0) {
        return error_system(number,
                            "cannot start '%s': without /proc the program's own path is not known: name it by "
                            "mproc_set_executable()",
                            plan->order.path);
    }
    if (number == EACCES && statvfs(plan->order.path, &mount) == 0 && (mount.f_flag & ST_NOEXEC)) {
        return error_system(number, "cannot start '%s': it lies where programs are not run (a mount with noexec)",
                            plan->order.path);
    }
    return error_system(number, "cannot start '%s'", plan->order.path);
}

static bool spawn_can_enter(const char *directory)
{
    struct stat file;

    return stat(directory, &file) == 0 && S_ISDIR(file.st_mode) &&
           faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) == 0;
}

/* If the host ignores SIGCHLD, or collects all its children, a child that ends at once is gone already. */
static mproc_status spawn_watch(pid_t pid, plat_process *process)
{
    plat_handle handle = PLAT_NO_HANDLE;
    int descriptor = process_open_descriptor(pid);
    mproc_status status;

    if (descriptor >= 0 || !process_is_gone(errno)) return spawn_keep(pid, descriptor, process);
    if ((status = spawn_ended(&handle)) != MPROC_OK) return status;
    *process = (plat_process){.handle = handle, .pid = pid};
    return MPROC_OK;
}

static mproc_status spawn_keep(pid_t pid, int descriptor, plat_process *process)
{
    plat_handle handle = PLAT_NO_HANDLE;
    mproc_status status = handle_take(descriptor, "a descriptor of a new process", &handle);

    if (status == MPROC_OK) *process = (plat_process){.handle = handle, .pid = pid};
    else spawn_undo(pid);
    return status;
}

/* Makes a descriptor that is ready, as that of an ended process is. */
static mproc_status spawn_ended(plat_handle *handle)
{
    int ends[2] = {-1, -1};

    if (pipe2(ends, O_CLOEXEC) == 0) close(ends[1]);
    return handle_take(ends[0], "a descriptor of a new process", handle);
}

/* A process that cannot be watched must not be: another thread was faster with the number meant for it. */
static void spawn_undo(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
}
