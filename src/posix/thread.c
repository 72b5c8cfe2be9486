#include "thread.h"

#include "base/thread_local.h"
#include "cancel.h"
#include "error.h"
#include "platform.h"
#include "process.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* The C library's default may be far less (128 KiB with musl), and tasks of users run here. */
#define THREAD_STACK_MIN ((size_t)2 << 20)

/* As many CPUs as kernels can be built for. */
#define THREAD_CPUS 8192

struct plat_thread {
    pthread_t thread;
    void (*function)(void *argument);
    void *argument;
    sigset_t host_mask;
    bool deaf; /* it blocks all signals; the thread's own */
};

/* This thread's, if the library started it. */
static THREAD_LOCAL plat_thread *thread_self;

static pthread_key_t thread_exit_key; /* set once, by plat_thread_exit_hook() */

/* How many mutexes this thread has or waits for. Only its own signal handlers read it meanwhile. */
static THREAD_LOCAL volatile sig_atomic_t thread_mutexes;

static void thread_mask(sigset_t *blocked);
static int thread_create(plat_thread *thread);
static void *thread_run(void *argument);

mproc_status plat_thread_start(void (*function)(void *argument), void *argument, plat_thread **thread)
{
    plat_thread *started = calloc(1, sizeof *started);
    sigset_t blocked;
    sigset_t saved;

    if (!started) return error_system(ENOMEM, "cannot start a thread");
    started->function = function;
    started->argument = argument;

    /* A new thread has its creator's mask from the first instruction on. */
    thread_mask(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &saved);
    started->host_mask = thread_self && thread_self->deaf ? thread_self->host_mask : saved;
    started->deaf = true;
    int error = thread_create(started);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    if (error != 0) {
        free(started);
        /* The same number where the system has no room for its stack. */
        return error_system(error, error == EAGAIN ? "cannot start a thread, or map its stack (ulimit -v)"
                                                   : "cannot start a thread");
    }
    *thread = started;
    return MPROC_OK;
}

void plat_thread_take_signals(void)
{
    assert(thread_self);
    pthread_sigmask(SIG_SETMASK, &thread_self->host_mask, NULL);
    thread_self->deaf = false;
}

/* Without /proc the system does not tell. */
bool plat_thread_program_ended(int others)
{
    return process_threads() == 1 + others;
}

void plat_thread_join(plat_thread *thread)
{
    int state = cancel_hold();

    pthread_join(thread->thread, NULL);
    free(thread);
    cancel_resume(state);
}

mproc_status plat_thread_exit_hook(void (*function)(void *value))
{
    int error = pthread_key_create(&thread_exit_key, function);

    return error == 0 ? MPROC_OK : error_system(error, "cannot watch for the ends of threads");
}

void plat_thread_exit_set(void *value)
{
    int error = pthread_setspecific(thread_exit_key, value);

    assert(error == 0);
    (void)error;
}

static pthread_once_t thread_block_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_block_key;
static bool thread_has_blocks;

/*
 * A module that holds the library would take another of the system's few keys each time that it is opened. So it
 * stays: at its end the key could not be deleted, as the process' end looks the same, and other threads still run.
 */
static void thread_make_block_key(void)
{
    plat_module_pin((uintptr_t)thread_make_block_key);
    thread_has_blocks = pthread_key_create(&thread_block_key, free) == 0;
}

/* A value that is set while the thread ends is freed as well: the system looks for such ones again. */
void *plat_thread_block(size_t size)
{
    void *block;

    pthread_once(&thread_block_once, thread_make_block_key);
    if (!thread_has_blocks) return NULL;
    if ((block = pthread_getspecific(thread_block_key))) return block;
    if (!(block = calloc(1, size)) || pthread_setspecific(thread_block_key, block) == 0) return block;
    free(block);
    return NULL;
}

static_assert(sizeof(pthread_mutex_t) <= sizeof(plat_mutex), "the place is too small for the system's mutex");
static_assert(_Alignof(pthread_mutex_t) <= _Alignof(plat_mutex), "the place is not aligned for the system's mutex");

/* The C libraries of Linux promise nothing about it, but both have kept to it for the sake of static mutexes. */
static bool mutex_starts_as_zeros(void)
{
    static const pthread_mutex_t initial = PTHREAD_MUTEX_INITIALIZER;
    static const unsigned char zeros[sizeof initial];

    return memcmp((const unsigned char *)&initial, zeros, sizeof zeros) == 0;
}

void plat_mutex_lock(plat_mutex *mutex)
{
    bool usable = mutex_starts_as_zeros();

    thread_mutexes++;
    int error = pthread_mutex_lock((pthread_mutex_t *)(void *)mutex);

    assert(usable && error == 0);
    (void)usable;
    (void)error;
}

void plat_mutex_unlock(plat_mutex *mutex)
{
    int error = pthread_mutex_unlock((pthread_mutex_t *)(void *)mutex);

    thread_mutexes--;
    assert(error == 0);
    (void)error;
}

bool plat_mutex_held(void)
{
    return thread_mutexes > 0;
}

void plat_thread_yield(void)
{
    sched_yield();
}

void plat_thread_pause(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory"); /* `yield` is no pause at all on most of these processors */
#else
    sched_yield();
#endif
}

int plat_thread_cpu(void)
{
    return sched_getcpu();
}

void plat_thread_move(int cpu)
{
    cpu_set_t saved[THREAD_CPUS / CPU_SETSIZE];
    cpu_set_t target[THREAD_CPUS / CPU_SETSIZE];

    if (cpu < 0 || cpu >= THREAD_CPUS) return;
    if (sched_getaffinity(0, sizeof saved, saved) != 0 || !CPU_ISSET_S((size_t)cpu, sizeof saved, saved)) return;
    CPU_ZERO_S(sizeof target, target);
    CPU_SET_S((size_t)cpu, sizeof target, target);
    if (sched_setaffinity(0, sizeof target, target) == 0) sched_setaffinity(0, sizeof saved, saved);
}

static_assert(sizeof(((plat_schedule *)0)->cpus) * 8 == THREAD_CPUS, "a schedule has a bit for each CPU");

/* With SCHED_RESET_ON_FORK a child has the usual policy, and no nice value below 0. */
void plat_thread_schedule(plat_schedule *schedule)
{
    struct sched_param parameters = {0};
    int policy = sched_getscheduler(0);

    memset(schedule, 0, sizeof *schedule);
    sched_getaffinity(0, sizeof schedule->cpus, (cpu_set_t *)(void *)schedule->cpus);
    schedule->nice = getpriority(PRIO_PROCESS, 0);
    if (policy >= 0 && (policy & SCHED_RESET_ON_FORK)) {
        if (schedule->nice < 0) schedule->nice = 0;
        policy &= ~SCHED_RESET_ON_FORK;
        if (policy == SCHED_FIFO || policy == SCHED_RR) policy = SCHED_OTHER;
    } else {
        sched_getparam(0, &parameters);
    }
    schedule->policy = policy;
    schedule->priority = parameters.sched_priority;
}

/* Each that differs for itself: one may be allowed where another is not. */
void plat_thread_schedule_as(const plat_schedule *schedule)
{
    struct sched_param parameters = {.sched_priority = schedule->priority};
    plat_schedule own;

    plat_thread_schedule(&own);
    if (memcmp(own.cpus, schedule->cpus, sizeof own.cpus) != 0)
        sched_setaffinity(0, sizeof schedule->cpus, (const cpu_set_t *)(const void *)schedule->cpus);
    if (own.policy != schedule->policy || own.priority != schedule->priority)
        sched_setscheduler(0, schedule->policy, &parameters);
    if (own.nice != schedule->nice) setpriority(PRIO_PROCESS, 0, schedule->nice);
}

void plat_thread_pin(const plat_schedule *schedule, uint32_t number)
{
    const cpu_set_t *cpus = (const cpu_set_t *)(const void *)schedule->cpus;
    cpu_set_t target[THREAD_CPUS / CPU_SETSIZE];
    int count = CPU_COUNT_S(sizeof schedule->cpus, cpus);
    uint32_t left = count > 0 ? number % (uint32_t)count : 0;

    for (size_t cpu = 0; cpu < THREAD_CPUS; cpu++) {
        if (!CPU_ISSET_S(cpu, sizeof schedule->cpus, cpus) || left-- > 0) continue;
        CPU_ZERO_S(sizeof target, target);
        CPU_SET_S(cpu, sizeof target, target);
        sched_setaffinity(0, sizeof target, target);
        return;
    }
}

const sigset_t *thread_host_mask(void)
{
    return thread_self && thread_self->deaf ? &thread_self->host_mask : NULL;
}

/* A thread that faults with the signal blocked is ended at once: no handler of the program would ever run. */
static void thread_mask(sigset_t *blocked)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

    sigfillset(blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) sigdelset(blocked, faults[i]);
}

static int thread_create(plat_thread *thread)
{
    pthread_attr_t attributes;
    size_t stack = 0;

    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    if (pthread_attr_getstacksize(&attributes, &stack) == 0 && stack < THREAD_STACK_MIN) {
        pthread_attr_setstacksize(&attributes, THREAD_STACK_MIN);
    }
    error = pthread_create(&thread->thread, &attributes, thread_run, thread);
    pthread_attr_destroy(&attributes);
    return error;
}

static void *thread_run(void *argument)
{
    thread_self = argument;
    thread_self->function(thread_self->argument);
    thread_self->deaf = false;
    return NULL;
}
