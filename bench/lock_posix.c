#define _GNU_SOURCE
#include "host.h"
#include "subjects.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the two processes share. `ready` counts those that have arrived; `counter` is guarded by the mutex. */
typedef struct arena {
    pthread_mutex_t mutex;
    char line[64];
    _Atomic int ready;
    char next_line[64];
    uint64_t counter;
} arena;

static bool init_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    int error;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    error = pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    if (error != 0) fprintf(stderr, "bench: pthread_mutex_init: %s\n", strerror(error));
    return error == 0;
}

static void lock_often(arena *shared, size_t repeats)
{
    for (size_t i = 0; i < repeats; i++) {
        pthread_mutex_lock(&shared->mutex);
        shared->counter++;
        pthread_mutex_unlock(&shared->mutex);
    }
}

static bool measure_lock(const bench_setting *setting, double *values)
{
    arena *shared = host_shared(sizeof *shared);
    int64_t begin;

    if (shared == NULL || !init_mutex(&shared->mutex)) return false;
    lock_often(shared, setting->repeats / 10);
    begin = host_now_ns();
    lock_often(shared, setting->repeats);
    values[0] = (double)(host_now_ns() - begin) / (double)setting->repeats;
    return true;
}

/* Both meet, then lock; on one CPU they must not spin for each other. */
static void meet_and_lock(arena *shared, int number, size_t repeats)
{
    host_bind(number);
    atomic_fetch_add(&shared->ready, 1);
    while (atomic_load(&shared->ready) < 2) host_sleep_ns(10000);
    lock_often(shared, repeats);
}

static bool measure_contend(const bench_setting *setting, double *values)
{
    arena *shared = host_shared(sizeof *shared);
    int status = -1;
    int64_t begin;
    pid_t child;

    if (shared == NULL || !init_mutex(&shared->mutex)) return false;
    if ((child = fork()) < 0) return false;
    if (child == 0) {
        meet_and_lock(shared, 1, setting->repeats);
        _exit(0);
    }
    while (atomic_load(&shared->ready) < 1) host_sleep_ns(100000);
    begin = host_now_ns();
    meet_and_lock(shared, 0, setting->repeats);
    waitpid(child, &status, 0);
    values[0] = (double)(host_now_ns() - begin) / (double)(2 * setting->repeats);
    return status == 0 && shared->counter == 2 * setting->repeats;
}

const bench_subject lock_pthread = {"pthread mutex, robust, process-shared", true, measure_lock, NULL};
const bench_subject contend_pthread = {"pthread mutex, robust, process-shared", true, measure_contend, NULL};
