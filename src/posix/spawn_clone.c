/*
 * A process by one clone3(). Until it has become its program the child uses the memory of this process, while the
 * calling thread waits, as after vfork(): it runs on a stack of its own, and its signal handlers are gone from
 * its first instruction on. It makes its system calls directly, for the functions of the C library may be places
 * where a thread is cancelled, and the child is no thread.
 */
#include "spawn_order.h"

#include <errno.h>

#if defined(__linux__) && defined(__x86_64__)

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Missing in older headers: Linux 5.3, 5.9, 5.2 and 5.5. */
#define CLONE_CALL 435
#define CLONE_CLOSE_RANGE 436
#define CLONE_WITH_DESCRIPTOR 0x1000u
#define CLONE_WITHOUT_HANDLERS 0x100000000u

#define CLONE_EXIT_CALL 231
#define CLONE_STACK_BYTES ((size_t)32 << 10)

/* The first version of struct clone_args. */
typedef struct clone_request {
    uint64_t flags;
    uint64_t descriptor;
    uint64_t child_id;
    uint64_t parent_id;
    uint64_t signal;
    uint64_t stack;
    uint64_t stack_bytes;
    uint64_t thread_area;
} clone_request;

/* Written by the kernel and by the child before its program is loaded, then read by the parent. */
typedef struct clone_child {
    const spawn_order *order;
    int descriptor;
    int error;
} clone_child;

/* Kernels before 5.9 do not know it all (EINVAL, ENOSYS), and sandboxes refuse what they do not know (EPERM too). */
static _Atomic bool clone_refused;

static int clone_shielded(clone_child *child, void *stack);
static int clone_begin(clone_child *child, void *stack);
static long clone_call(const clone_request *request, void (*function)(clone_child *child), clone_child *child);
static void clone_run(clone_child *child);
static int clone_step(const spawn_step *step);
static int clone_open_null(int number);
static int clone_copy(int from, int number);

int spawn_by_clone(const spawn_order *order, pid_t *pid, int *descriptor)
{
    clone_child child = {.order = order};

    if (atomic_load(&clone_refused)) return ENOSYS;
    void *stack = malloc(CLONE_STACK_BYTES);
    if (!stack) return ENOMEM;
    int made = clone_shielded(&child, stack);
    free(stack);
    if (made > 0 && child.error == 0) {
        *pid = made;
        *descriptor = child.descriptor;
        return 0;
    }
    if (made > 0) {
        close(child.descriptor);
        while (waitpid(made, NULL, 0) < 0 && errno == EINTR) continue;
    }
    int error = made > 0 ? child.error : -made;
    bool refused = error == ENOSYS || (made < 0 && (error == EPERM || error == EINVAL));
    if (refused) atomic_store(&clone_refused, true);
    return refused ? ENOSYS : error;
}

/*
 * A child has the mask of the thread that makes it until it sets its own. What is not blocked there could end it
 * before its program is loaded, also a child that is to be born deaf to Ctrl-C. So nothing is open from before its
 * birth on, as with posix_spawn(); what comes meanwhile reaches the child when its own mask lets it, and this thread
 * afterwards.
 */
static int clone_shielded(clone_child *child, void *stack)
{
    sigset_t all;
    sigset_t saved;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved);
    int made = clone_begin(child, stack);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    return made;
}

/* Returns the process id, or a negative errno. */
static int clone_begin(clone_child *child, void *stack)
{
    clone_request request = {.flags = CLONE_VM | CLONE_VFORK | CLONE_WITH_DESCRIPTOR | CLONE_WITHOUT_HANDLERS,
                             .descriptor = (uint64_t)(uintptr_t)&child->descriptor,
                             .signal = SIGCHLD,
                             .stack = (uint64_t)(uintptr_t)stack,
                             .stack_bytes = CLONE_STACK_BYTES};

    return (int)clone_call(&request, clone_run, child);
}

/* In the child the stack is another and the registers are the same; it does not come back from here. */
static long clone_call(const clone_request *request, void (*function)(clone_child *child), clone_child *child)
{
    long result = CLONE_CALL;

    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %[child], %%rdi\n\t"
                     "call *%[function]\n\t"
                     "mov $127, %%edi\n\t"
                     "mov %[exit], %%eax\n\t"
                     "syscall\n"
                     "1:"
                     : "+a"(result)
                     : "D"(request),
                       "S"(sizeof *request), [function] "r"(function), [child] "r"(child), [exit] "i"(CLONE_EXIT_CALL)
                     : "rcx", "r11", "cc", "memory");
    return result;
}

/* In the child, with all signals blocked until its handlers are right. Returns if it cannot become the program. */
static void clone_run(clone_child *child)
{
    const spawn_order *order = child->order;

    if (sigismember(&order->defaults, SIGINT)) signal(SIGINT, SIG_DFL);
    if (sigismember(&order->defaults, SIGTERM)) signal(SIGTERM, SIG_DFL);
    for (int i = 0; i < order->step_count; i++) {
        child->error = clone_step(&order->steps[i]);
        if (child->error != 0) return;
    }
    sigprocmask(SIG_SETMASK, &order->mask, NULL);
    syscall(SYS_execve, order->path, order->arguments, order->environment);
    child->error = errno;
}

static int clone_step(const spawn_step *step)
{
    switch (step->act) {
    case SPAWN_OPEN_NULL:
        return clone_open_null(step->number);
    case SPAWN_COPY:
        return clone_copy(step->from, step->number);
    case SPAWN_CLOSE:
        syscall(SYS_close, step->number);
        return 0;
    case SPAWN_CLOSE_FROM:
        return syscall(CLONE_CLOSE_RANGE, step->number, UINT32_MAX, 0) == 0 ? 0 : ENOSYS; /* whatever refuses it */
    case SPAWN_ENTER:
        return syscall(SYS_chdir, step->directory) == 0 ? 0 : errno;
    }
    return EINVAL;
}

static int clone_open_null(int number)
{
    syscall(SYS_close, number);
    int opened = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
    if (opened < 0) return errno;
    if (opened == number) return 0;
    int error = clone_copy(opened, number);
    syscall(SYS_close, opened);
    return error;
}

/* EBADF: `number` is not below the limit on open files, for `from` was open a moment ago. */
static int clone_copy(int from, int number)
{
    long result = from == number ? syscall(SYS_fcntl, from, F_SETFD, 0) : syscall(SYS_dup2, from, number);

    if (result >= 0) return 0;
    return errno == EBADF ? EMFILE : errno;
}

#else

int spawn_by_clone(const spawn_order *order, pid_t *pid, int *descriptor)
{
    (void)order;
    (void)pid;
    (void)descriptor;
    return ENOSYS;
}

#endif
