#include "process.h"

#include "birth.h"
#include "cancel.h"
#include "error.h"
#include "handle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc and musl say how much a stream has in its buffer. */
#if defined(__has_include)
#if __has_include(<stdio_ext.h>)
#include <stdio_ext.h>
#define PROCESS_KNOWS_OUTPUT 1
#endif
#endif

/* Linux 5.4; the name is missing in older headers. */
#define PROCESS_BY_DESCRIPTOR ((idtype_t)3)

#define NS_PER_SECOND 1000000000

static _Atomic bool interrupts_ignored;
static void (*_Atomic interrupt_handler)(void);

static mproc_status process_signal(const plat_process *process, int number);
static mproc_status process_signal_child(const plat_process *process, int number);
static bool process_was_born_before(int64_t pid, int64_t born_before_ns);
static bool process_has_not_ended(int64_t pid);
static int64_t process_zombie_of(int64_t pid);
static int64_t process_birth_ns(int64_t pid);
static bool process_read_stat(int64_t pid, char *text, size_t size);
static void process_on_interrupt(int number);

int64_t plat_process_born_before_ns(const plat_process *process)
{
    (void)process;
    return plat_clock_birth_ns();
}

plat_end plat_process_collect(const plat_process *process)
{
    siginfo_t info = {0};
    bool ours = handle_is_ours(process->handle);
    bool by_pid = !ours || process_has_no_descriptors();
    int state = cancel_hold();
    int answer = by_pid ? waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG)
                        : waitid(PROCESS_BY_DESCRIPTOR, (id_t)process->handle, &info, WEXITED | WNOHANG);

    /* ECHILD: somebody else has its status, or SIGCHLD is ignored. EBADF: it had ended before it had a descriptor. */
    if (answer != 0) {
        bool ended = ours ? handle_is_ready(process->handle) : kill((pid_t)process->pid, 0) != 0;
        cancel_resume(state);
        return (plat_end){.kind = ended ? PLAT_END_LOST : PLAT_END_RUNNING};
    }
    cancel_resume(state);
    if (info.si_pid == 0) return (plat_end){.kind = PLAT_END_RUNNING};
    if (info.si_code == CLD_EXITED) return (plat_end){.kind = PLAT_END_EXITED, .code = info.si_status};
    return (plat_end){.kind = PLAT_END_SIGNALLED, .signal = info.si_status};
}

mproc_status plat_process_terminate(const plat_process *process)
{
    return process_signal(process, SIGTERM);
}

mproc_status plat_process_kill(const plat_process *process)
{
    return process_signal(process, SIGKILL);
}

mproc_status plat_process_interrupt(const plat_process *process)
{
    return process_signal(process, SIGINT);
}

/* The descriptor comes first: what is learned by the pid afterwards is about the same process, or it has ended. */
mproc_status plat_process_open(int64_t pid, int64_t born_before_ns, plat_handle *process)
{
    int state = cancel_hold();
    int descriptor = process_open_descriptor(pid);
    mproc_status status;

    if (descriptor < 0 && !process_is_gone(errno)) {
        status = error_system(errno, "cannot open process %" PRId64, pid);
    } else if (descriptor >= 0 && process_was_born_before(pid, born_before_ns) && !handle_is_ready(descriptor)) {
        status = handle_take(descriptor, "a descriptor of a process", process);
    } else {
        if (descriptor >= 0) close(descriptor);
        status = mproc_error(MPROC_NOT_FOUND, "process %" PRId64 " has ended", pid);
    }
    cancel_resume(state);
    return status;
}

/* Without a descriptor to spare (or the call for it), what /proc says must do. */
bool plat_process_alive(int64_t pid, int64_t born_before_ns)
{
    int state = cancel_hold();
    int descriptor = process_open_descriptor(pid);
    bool alive = descriptor >= 0 || !process_is_gone(errno);

    if (alive) alive = process_was_born_before(pid, born_before_ns);
    if (alive) alive = descriptor >= 0 ? !handle_is_ready(descriptor) : process_has_not_ended(pid);
    if (descriptor >= 0) close(descriptor);
    cancel_resume(state);
    return alive;
}

/* The system has no descriptor for it, or none to spare: then there is a moment in which the id may change hands. */
void plat_process_kill_other(int64_t pid, int64_t born_before_ns)
{
    int state = cancel_hold();
    int descriptor = process_open_descriptor(pid);
    bool gone = descriptor < 0 && process_is_gone(errno);

    if (!gone && process_was_born_before(pid, born_before_ns)) {
        if (descriptor < 0) kill((pid_t)pid, SIGKILL);
        else syscall(SYS_pidfd_send_signal, descriptor, SIGKILL, NULL, 0);
    }
    if (descriptor >= 0) close(descriptor);
    cancel_resume(state);
}

/* What is not a child of this process, or has not ended, waitid() leaves alone. */
static int64_t process_collect_orphan_uncancelled(int64_t pid, int64_t born_before_ns)
{
    siginfo_t info = {0};

    if (pid <= 0 || !process_was_born_before(pid, born_before_ns)) return 0;
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0) return 0;
    return process_zombie_of(pid);
}

int64_t plat_process_collect_orphan(int64_t pid, int64_t born_before_ns)
{
    int state = cancel_hold();
    int64_t parent = process_collect_orphan_uncancelled(pid, born_before_ns);

    cancel_resume(state);
    return parent;
}

bool plat_process_is_given_orphans(void)
{
    int subreaper = 0;

    return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper != 0);
}

int64_t plat_process_id(void)
{
    return getpid();
}

int64_t plat_process_parent_id(void)
{
    return getppid();
}

/* The kernel names a process after the last part of the path that it was started by. */
void plat_process_show_name(void)
{
    char name[16] = "";

    if (prctl(PR_GET_NAME, name) == 0 && strcmp(name, "exe") == 0) prctl(PR_SET_NAME, program_invocation_short_name);
}

/* A process has one C library: the program's streams are those that are looked at here. */
bool plat_process_has_printed(void)
{
#ifdef PROCESS_KNOWS_OUTPUT
    return __fpending(stdout) > 0 || __fpending(stderr) > 0;
#else
    return true;
#endif
}

void plat_process_ignore_interrupts(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    struct sigaction before = {.sa_handler = SIG_IGN};
    sigset_t interrupts;

    sigaction(SIGINT, &action, &before);
    if (before.sa_handler != SIG_IGN) atomic_store(&interrupts_ignored, true);
    /* One that came meanwhile is gone: to ignore a signal is also to drop it. */
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &interrupts, NULL);
}

mproc_status plat_process_catch_interrupts(void (*handler)(void))
{
    struct sigaction action = {.sa_handler = process_on_interrupt, .sa_flags = SA_RESTART};

    atomic_store(&interrupt_handler, handler);
    if (sigaction(SIGINT, &action, NULL) != 0) return error_system(errno, "cannot catch SIGINT");
    atomic_store(&interrupts_ignored, false);
    return MPROC_OK;
}

mproc_status plat_process_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    int error = pthread_atfork(before, parent, child);

    return error == 0 ? MPROC_OK : error_system(error, "cannot watch for fork()");
}

int process_open_descriptor(int64_t pid)
{
    if (pid <= 0 || pid > INT32_MAX) {
        errno = ESRCH;
        return -1;
    }
    if (process_has_no_descriptors()) {
        errno = ENOSYS;
        return -1;
    }
    return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

/* A descriptor of this process itself costs two calls, once. */
bool process_has_no_descriptors(void)
{
    static _Atomic int known; /* 1: it has some, 2: it has none */
    int descriptor;

    if (atomic_load(&known) == 0) {
        descriptor = birth_emulated() ? -1 : (int)syscall(SYS_pidfd_open, getpid(), 0);
        if (descriptor >= 0) close(descriptor);
        if (descriptor >= 0 || birth_emulated() || errno == ENOSYS || errno == EPERM || errno == EACCES)
            atomic_store(&known, descriptor >= 0 ? 1 : 2);
    }
    return atomic_load(&known) == 2;
}

/* EINVAL, on newer kernels ENOENT: the number is that of a thread, or of a process that has just been collected. */
bool process_is_gone(int number)
{
    return number == ESRCH || number == EINVAL || number == ENOENT;
}

bool process_ignores_interrupts(void)
{
    return atomic_load(&interrupts_ignored);
}

/* Its number is no other's as long as it is a child that nobody has collected. */
static mproc_status process_signal_child(const plat_process *process, int number)
{
    siginfo_t info = {0};
    int state = cancel_hold();
    bool runs = waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;

    cancel_resume(state);
    if (!runs || kill((pid_t)process->pid, number) == 0) return MPROC_OK;
    return error_system(errno, "cannot send signal %d to process %" PRId64, number, process->pid);
}

/* EBADF: it had ended before it had a descriptor; its number may be another's by now. */
static mproc_status process_signal(const plat_process *process, int number)
{
    bool by_pid = process_has_no_descriptors();

    if (!handle_is_ours(process->handle)) return process_signal_child(process, number);
    if (!by_pid && syscall(SYS_pidfd_send_signal, (int)process->handle, number, NULL, 0) == 0) return MPROC_OK;
    if ((by_pid || errno == ENOSYS) && kill((pid_t)process->pid, number) == 0) return MPROC_OK;
    if (errno == ESRCH || errno == EBADF) return MPROC_OK;
    return error_system(errno, "cannot send signal %d to process %" PRId64, number, process->pid);
}

/* The system counts births in whole ticks. Without /proc it does not tell, and the pid alone must do. */
static bool process_was_born_before(int64_t pid, int64_t born_before_ns)
{
    int64_t tick_ns = NS_PER_SECOND / sysconf(_SC_CLK_TCK);
    int64_t birth_ns = process_birth_ns(pid);

    return birth_ns < 0 || birth_ns <= born_before_ns || birth_ns - born_before_ns <= tick_ns;
}

/* Field 3 of the stat file is the state, Z or X for the end: that of the main thread; others may still run. */
static bool process_has_not_ended(int64_t pid)
{
    char text[1024];

    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH) return false;
    if (!process_read_stat(pid, text, sizeof text)) return true;
    const char *state = strrchr(text, ')');
    return !state || strlen(state) < 3 || !strchr("ZXx", state[2]);
}

/* Field 4 is the parent, for which the zombie waits. */
static int64_t process_zombie_of(int64_t pid)
{
    char text[1024];

    if (!process_read_stat(pid, text, sizeof text)) return 0;
    const char *state = strrchr(text, ')');
    return state && strncmp(state, ") Z ", 4) == 0 ? strtoll(state + 4, NULL, 10) : 0;
}

/* Field 20 is the number of threads. One that has ended counts if it is the first. -1: the system does not tell. */
int64_t process_threads(void)
{
    char text[1024];

    if (!process_read_stat(getpid(), text, sizeof text)) return -1;
    const char *field = strrchr(text, ')');
    bool first_ended = field && strncmp(field, ") Z ", 4) == 0;
    for (int number = 2; field && number < 20; number++) field = strchr(field + 1, ' ');
    return field ? strtoll(field, NULL, 10) - first_ended : -1;
}

/* Field 22 of the stat file, or -1. Field 2, the name in parentheses, may itself hold blanks and parentheses. */
static int64_t process_birth_ns(int64_t pid)
{
    char text[1024];

    if (!process_read_stat(pid, text, sizeof text)) return -1;
    const char *field = strrchr(text, ')');
    for (int number = 2; field && number < 22; number++) field = strchr(field + 1, ' ');
    if (!field) return -1;
    return strtoll(field, NULL, 10) * (NS_PER_SECOND / sysconf(_SC_CLK_TCK));
}

/* A /proc that was mounted for another namespace of pids tells of other processes: then it does not count. */
static bool process_read_stat(int64_t pid, char *text, size_t size)
{
    char path[64];
    char self[32] = "";

    if (readlink("/proc/self", self, sizeof self - 1) <= 0 || strtoll(self, NULL, 10) != getpid()) return false;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    ssize_t count = read(descriptor, text, size - 1);
    close(descriptor);
    text[count > 0 ? count : 0] = '\0';
    return count > 0;
}

static void process_on_interrupt(int number)
{
    void (*handler)(void) = atomic_load(&interrupt_handler);
    int saved = errno;

    (void)number;
    handler();
    errno = saved;
}
