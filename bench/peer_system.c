/* The system's own means, used as directly as can be: posix_spawn, robust mutexes, bare futexes, malloc. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

extern char **environ;

/* ---- a process that does nothing ----------------------------------------------------------------- */

/* Starts the program that is given, as `program --nothing`, whose main() returns at once. */
static void run_nothing(void *program)
{
    char *arguments[] = {program, "--nothing", NULL};
    int status = -1;
    pid_t child;

    measure_require(posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0, "posix_spawn() succeeds");
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    measure_require(status == 0, "the process ends with 0");
}

static void start(const struct order *order, double values[2])
{
    measure_make_resident(order->items);
    run_nothing(getenv("BENCH_NOTHING"));
    values[0] = measure_median(run_nothing, getenv("BENCH_NOTHING"), order->repeats);
}

/* ---- a mutex -------------------------------------------------------------------------------------- */

/* What two processes share. `ready` counts those that have arrived; `counter` is guarded by the mutex. */
struct guarded {
    pthread_mutex_t mutex;
    char line[64];
    _Atomic int ready;
    char next_line[64];
    uint64_t counter;
};

static struct guarded *create_guarded(void)
{
    struct guarded *shared = measure_shared(sizeof *shared);
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    measure_require(pthread_mutex_init(&shared->mutex, &attributes) == 0, "there is a robust mutex");
    return shared;
}

static void lock_often(void *context, size_t repeats)
{
    struct guarded *shared = context;

    for (size_t i = 0; i < repeats; i++) {
        pthread_mutex_lock(&shared->mutex);
        shared->counter++;
        pthread_mutex_unlock(&shared->mutex);
    }
}

static void lock(const struct order *order, double values[2])
{
    values[0] = measure_mean(lock_often, create_guarded(), order->repeats);
}

/* Both meet, then lock; on one CPU they must not spin for each other. */
static void meet_and_lock(struct guarded *shared, int number, size_t repeats)
{
    measure_bind(number);
    atomic_fetch_add(&shared->ready, 1);
    while (atomic_load(&shared->ready) < 2) measure_sleep_ns(10000);
    lock_often(shared, repeats);
}

static void lock_contended(const struct order *order, double values[2])
{
    struct guarded *shared = create_guarded();
    int64_t begin;
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        meet_and_lock(shared, 1, order->repeats);
        _exit(0);
    }
    while (atomic_load(&shared->ready) < 1) measure_sleep_ns(100000);
    begin = measure_now_ns();
    meet_and_lock(shared, 0, order->repeats);
    waitpid(child, &status, 0);
    values[0] = (double)(measure_now_ns() - begin) / (double)(2 * order->repeats);
    measure_require(status == 0 && shared->counter == 2 * order->repeats, "each pair has counted");
}

/* ---- a round trip --------------------------------------------------------------------------------- */

/* Whose turn it is: 0 the first process', 1 the second's. Each sets it to the other's number. */
struct table {
    _Atomic uint32_t turn;
};

static void give_turn(struct table *shared, uint32_t to)
{
    atomic_store(&shared->turn, to);
    syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void await_turn(struct table *shared, uint32_t mine)
{
    while (atomic_load(&shared->turn) != mine) syscall(SYS_futex, &shared->turn, FUTEX_WAIT, 1 - mine, NULL, NULL, 0);
}

static void go_and_come(void *shared)
{
    give_turn(shared, 1);
    await_turn(shared, 0);
}

static void trip(const struct order *order, double values[2])
{
    struct table *shared = measure_shared(sizeof *shared);
    int status = -1;
    pid_t child = fork();

    measure_bind(child == 0);
    for (size_t i = 0; child == 0 && i < order->repeats; i++) {
        await_turn(shared, 1);
        give_turn(shared, 0);
    }
    if (child == 0) _exit(0);
    measure_rested(go_and_come, shared, order->repeats, order->items, values);
    waitpid(child, &status, 0);
    measure_require(status == 0, "the other process ends with 0");
}

/* ---- memory --------------------------------------------------------------------------------------- */

/* Volatile, so that the compiler does not leave out the memory that nobody looks at. */
static void *volatile memory;

static void take_and_free(void *context, size_t repeats)
{
    (void)context;
    for (size_t i = 0; i < repeats; i++) {
        memory = malloc(128);
        free(memory);
    }
}

static void allocate(const struct order *order, double values[2])
{
    values[0] = measure_mean(take_and_free, NULL, order->repeats);
}

/* ---- work ----------------------------------------------------------------------------------------- */

struct work {
    int64_t *durations_ns;
    size_t count;
};

static void work_through(void *context)
{
    const struct work *work = context;

    for (size_t i = 0; i < work->count; i++) measure_work(work->durations_ns[i]);
}

/* By one thread, and half of the time: what two would need that nothing holds up. */
static double half_of(const struct order *order, int last_is_long)
{
    struct work work = {calloc(order->items, sizeof(int64_t)), order->items};
    double time;

    measure_require(work.durations_ns != NULL, "there is memory for the durations");
    measure_durations(work.durations_ns, work.count, (int64_t)order->chunk, last_is_long);
    work_through(&work);
    time = measure_median(work_through, &work, order->repeats) / 2;
    free(work.durations_ns);
    return time;
}

static void work_half(const struct order *order, double values[2])
{
    values[0] = half_of(order, 0);
}

static void work_half_skewed(const struct order *order, double values[2])
{
    values[0] = half_of(order, 1);
}

static void work_half_each(const struct order *order, double values[2])
{
    values[0] = half_of(order, 0) / (double)order->items;
}

static const struct task tasks[] = {
    {"start", start},     {"lock", lock},      {"lock-contended", lock_contended}, {"trip", trip},
    {"malloc", allocate}, {"work", work_half}, {"work-skewed", work_half_skewed},  {"work-each", work_half_each},
    {NULL, NULL},
};

int main(int count, char **arguments)
{
    return measure_main(count, arguments, tasks);
}
