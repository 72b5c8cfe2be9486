/* plat_process_start(): the birth of a process. The rest of its life is in process.c. */
#include "command.h"
#include "environment.h"
#include "error.h"
#include "handle.h"
#include "process.h"
#include "spawn_close.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The handles of a child have fixed numbers, those after the standard streams. */
#define SPAWN_FIRST 3
#define SPAWN_HANDLES 4
#define SPAWN_MARKER_BYTES 128
#define SPAWN_TEMPORARIES_MAX (SPAWN_FIRST + SPAWN_HANDLES)

/* What posix_spawn() is given, and what must be freed after it. */
typedef struct spawn_plan {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *const *arguments;
    char **environment;
    const char *path;
    char *path_made; /* what `path` points to, if it was made for this start */
    int temporaries[SPAWN_TEMPORARIES_MAX];
    int temporary_count;
    plat_handle reserved; /* keeps a number for the descriptor of the new process */
} spawn_plan;

static _Atomic bool spawn_can_watch;

static mproc_status spawn_init(spawn_plan *plan);
static void spawn_fini(spawn_plan *plan);
static mproc_status spawn_prepare(spawn_plan *plan, const plat_start *start);
static mproc_status spawn_choose_path(spawn_plan *plan, const plat_start *start);
static mproc_status spawn_add_stdio(spawn_plan *plan, int number, const mproc_stdio *stdio);
static mproc_status spawn_add_handles(spawn_plan *plan, const plat_start *start);
static mproc_status spawn_add_copy(spawn_plan *plan, int from, int to, bool overwritten);
static mproc_status spawn_set_signals(spawn_plan *plan);
static mproc_status spawn_reserve(spawn_plan *plan, const plat_start *start);
static mproc_status spawn_refuse(int number);
static mproc_status spawn_explain(int number, const spawn_plan *plan, const plat_start *start);
static bool spawn_can_enter(const char *directory);
static mproc_status spawn_watch(pid_t pid, plat_process *process);
static mproc_status spawn_ended(plat_handle *handle);
static void spawn_undo(pid_t pid);

mproc_status plat_process_start(const plat_start *start, plat_process *process)
{
    spawn_plan plan;
    pid_t pid = 0;
    mproc_status status;

    MPROC_TRY(spawn_init(&plan));
    if ((status = spawn_prepare(&plan, start)) != MPROC_OK) goto done;
    int error = posix_spawn(&pid, plan.path, &plan.actions, &plan.attributes, plan.arguments, plan.environment);
    plat_handle_close(plan.reserved);
    plan.reserved = PLAT_NO_HANDLE;
    status = error == 0 ? spawn_watch(pid, process) : spawn_explain(error, &plan, start);
done:
    spawn_fini(&plan);
    return status;
}

static mproc_status spawn_init(spawn_plan *plan)
{
    *plan = (spawn_plan){.reserved = PLAT_NO_HANDLE};
    int error = posix_spawn_file_actions_init(&plan->actions);
    if (error != 0) return spawn_refuse(error);
    error = posix_spawnattr_init(&plan->attributes);
    if (error == 0) return MPROC_OK;
    posix_spawn_file_actions_destroy(&plan->actions);
    return spawn_refuse(error);
}

static void spawn_fini(spawn_plan *plan)
{
    plat_handle_close(plan->reserved);
    for (int i = 0; i < plan->temporary_count; i++) close(plan->temporaries[i]);
    free(plan->path_made);
    free(plan->environment);
    posix_spawnattr_destroy(&plan->attributes);
    posix_spawn_file_actions_destroy(&plan->actions);
}

/*
 * The order of the actions matters: the standard streams may be given from any number, so they are
 * copied first; our handles then overwrite 3 to 6; what is left is closed last.
 */
static mproc_status spawn_prepare(spawn_plan *plan, const plat_start *start)
{
    plat_handle numbers[SPAWN_HANDLES];
    char marker[SPAWN_MARKER_BYTES] = "";

    MPROC_TRY(command_arguments(&plan->arguments));
    MPROC_TRY(spawn_choose_path(plan, start));
    for (int i = 0; i < SPAWN_FIRST; i++) MPROC_TRY(spawn_add_stdio(plan, i, &start->stdio[i]));
    MPROC_TRY(spawn_add_handles(plan, start));
    if (start->working_directory != NULL) {
        int error = posix_spawn_file_actions_addchdir_np(&plan->actions, start->working_directory);
        if (error != 0) return spawn_refuse(error);
    }
    MPROC_TRY(spawn_set_signals(plan));
    for (int i = 0; i < SPAWN_HANDLES; i++) {
        numbers[i] = start->handles[i] == PLAT_NO_HANDLE ? PLAT_NO_HANDLE : SPAWN_FIRST + i;
    }
    start->marker_write(start->context, numbers, marker);
    plan->environment = environment_make(start, marker);
    if (plan->environment == NULL) return spawn_refuse(ENOMEM);
    return spawn_reserve(plan, start);
}

/* The child changes its directory before it loads the program, so a relative path must be made absolute here. */
static mproc_status spawn_choose_path(spawn_plan *plan, const plat_start *start)
{
    char directory[PATH_MAX];

    plan->path = start->executable != NULL ? start->executable : command_executable();
    if (plan->path[0] == '/' || plan->path[0] == '\0' || start->working_directory == NULL) return MPROC_OK;
    if (getcwd(directory, sizeof directory) == NULL) {
        return error_system(errno, "cannot find '%s': the working directory has no path", plan->path);
    }
    size_t size = strlen(directory) + 1 + strlen(plan->path) + 1;
    plan->path_made = malloc(size);
    if (plan->path_made == NULL) return spawn_refuse(ENOMEM);
    snprintf(plan->path_made, size, "%s/%s", directory, plan->path);
    plan->path = plan->path_made;
    return MPROC_OK;
}

static mproc_status spawn_add_stdio(spawn_plan *plan, int number, const mproc_stdio *stdio)
{
    if (stdio->kind == MPROC_STDIO_NULL) {
        int error = posix_spawn_file_actions_addopen(&plan->actions, number, "/dev/null", O_RDWR, 0);
        return error == 0 ? MPROC_OK : spawn_refuse(error);
    }
    if (stdio->kind != MPROC_STDIO_HANDLE) return MPROC_OK;
    if (stdio->handle < 0 || stdio->handle > INT_MAX || fcntl((int)stdio->handle, F_GETFD) < 0) {
        return error_system(EBADF, "cannot start a process with file descriptor %lld as its descriptor %d",
                            (long long)stdio->handle, number);
    }
    /* Streams may be exchanged for one another. */
    return spawn_add_copy(plan, (int)stdio->handle, number, stdio->handle < SPAWN_FIRST);
}

/* A child that starts a child passes on handles that still have the low numbers it was given them by. */
static mproc_status spawn_add_handles(spawn_plan *plan, const plat_start *start)
{
    int next = SPAWN_FIRST;

    for (int i = 0; i < SPAWN_HANDLES; i++) {
        if (start->handles[i] != PLAT_NO_HANDLE) next = SPAWN_FIRST + i + 1;
    }
    for (int number = SPAWN_FIRST; number < next; number++) {
        plat_handle handle = start->handles[number - SPAWN_FIRST];
        if (handle != PLAT_NO_HANDLE) {
            MPROC_TRY(spawn_add_copy(plan, (int)handle, number, handle < next));
        } else {
            int error = posix_spawn_file_actions_addclose(&plan->actions, number);
            if (error != 0) return spawn_refuse(error);
        }
    }
    int error = spawn_close_from(&plan->actions, next);
    return error == 0 ? MPROC_OK : spawn_refuse(error);
}

/*
 * A copy onto the same number only takes away close-on-exec, as POSIX demands. A number that an
 * action before may have overwritten is kept in another place for the time of the start.
 */
static mproc_status spawn_add_copy(spawn_plan *plan, int from, int to, bool overwritten)
{
    if (overwritten && from != to) {
        from = fcntl(from, F_DUPFD_CLOEXEC, HANDLE_LOWEST);
        if (from < 0) return spawn_refuse(errno == EINVAL ? EMFILE : errno); /* the limit is below our numbers */
        plan->temporaries[plan->temporary_count++] = from;
    }
    int error = posix_spawn_file_actions_adddup2(&plan->actions, from, to);
    return error == 0 ? MPROC_OK : spawn_refuse(error);
}

/*
 * A thread of the library blocks all signals, which a child must not inherit: there it gets the mask of the
 * thread that the library's was started by. Other threads pass on their own, which is the default.
 */
static mproc_status spawn_set_signals(spawn_plan *plan)
{
    const sigset_t *mask = thread_host_mask();
    sigset_t changed;
    short flags = 0;
    int error = 0;

    if (mask != NULL) {
        flags |= POSIX_SPAWN_SETSIGMASK;
        error = posix_spawnattr_setsigmask(&plan->attributes, mask);
    }
    if (error == 0 && process_ignores_interrupts()) {
        sigemptyset(&changed);
        sigaddset(&changed, SIGINT);
        flags |= POSIX_SPAWN_SETSIGDEF;
        error = posix_spawnattr_setsigdefault(&plan->attributes, &changed);
    }
    if (error == 0 && flags != 0) error = posix_spawnattr_setflags(&plan->attributes, flags);
    return error == 0 ? MPROC_OK : spawn_refuse(error);
}

/*
 * Shows before there is a process that the system can watch one, which is learned once, and that there is a number
 * for its descriptor. A copy of any descriptor will do then, at a tenth of the price.
 */
static mproc_status spawn_reserve(spawn_plan *plan, const plat_start *start)
{
    for (int i = 0; i < SPAWN_HANDLES && atomic_load(&spawn_can_watch); i++) {
        if (start->handles[i] == PLAT_NO_HANDLE) continue;
        int copy = fcntl((int)start->handles[i], F_DUPFD_CLOEXEC, HANDLE_LOWEST);
        if (copy < 0) return spawn_refuse(errno == EINVAL ? EMFILE : errno);
        plan->reserved = copy;
        return MPROC_OK;
    }
    MPROC_TRY(handle_take(process_open_descriptor(getpid()), "a descriptor of a new process", &plan->reserved));
    atomic_store(&spawn_can_watch, true);
    return MPROC_OK;
}

/* EBADF: a number of the child's, 0 to 7, is not below the limit on open files. */
static mproc_status spawn_refuse(int number)
{
    return error_system(number == EBADF ? EMFILE : number, "cannot start a process");
}

/* posix_spawn() does not say which of its steps failed. Looks what is wrong with the paths, the likeliest cause. */
static mproc_status spawn_explain(int number, const spawn_plan *plan, const plat_start *start)
{
    const char *directory = start->working_directory;
    mproc_status status = error_status(number);
    struct stat file;

    bool path = status == MPROC_NOT_FOUND || number == EACCES || number == ENAMETOOLONG;
    if (path && directory != NULL && !spawn_can_enter(directory)) {
        return error_system(number, "cannot start a process in the working directory '%s'", directory);
    }
    if (number == ENOENT && stat(plan->path, &file) == 0) {
        return error_system(number,
                            "cannot start '%s': it exists, but the interpreter that it names, or /dev/null, "
                            "does not",
                            plan->path);
    }
    if (status == MPROC_INVALID && number != ENAMETOOLONG && number != EBADF) {
        return error_system(number, "cannot start '%s': it is no program for this system", plan->path);
    }
    return error_system(number, "cannot start '%s'", plan->path);
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

    if (descriptor < 0 && process_is_gone(errno)) {
        MPROC_TRY(spawn_ended(&handle));
    } else {
        mproc_status status = handle_take(descriptor, "a descriptor of a new process", &handle);
        if (status != MPROC_OK) {
            spawn_undo(pid);
            return status;
        }
    }
    *process = (plat_process){.handle = handle, .pid = pid};
    return MPROC_OK;
}

/* Makes a descriptor that is ready, as that of an ended process is. */
static mproc_status spawn_ended(plat_handle *handle)
{
    int ends[2] = {-1, -1};

    if (pipe2(ends, O_CLOEXEC) == 0) close(ends[1]);
    return handle_take(ends[0], "a descriptor of a new process", handle);
}

/* A process that cannot be watched must not be: another thread was faster with the number kept for it. */
static void spawn_undo(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
}
