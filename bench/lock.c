#include "host.h"
#include "member.h"
#include "subjects.h"

#include "arena/lock.h"

/* What the two processes share, as in lock_posix.c. */
typedef struct shared_state {
    arena_lock lock;
    char line[64];
    _Atomic int ready;
    uint64_t repeats;
    char next_line[64];
    uint64_t counter;
} shared_state;

static void lock_often(shared_state *shared, size_t repeats)
{
    struct intent *intent = work_intent();

    for (size_t i = 0; i < repeats; i++) {
        lock_acquire(intent, &shared->lock);
        shared->counter++;
        lock_release(intent, &shared->lock);
    }
}

static bool measure_lock(const bench_setting *setting, double *values)
{
    shared_state *shared = member_shared(sizeof *shared);
    int64_t begin;

    lock_often(shared, setting->repeats / 10);
    begin = host_now_ns();
    lock_often(shared, setting->repeats);
    values[0] = (double)(host_now_ns() - begin) / (double)setting->repeats;
    return true;
}

static void meet_and_lock(shared_state *shared, int number, size_t repeats)
{
    host_bind(number);
    atomic_fetch_add(&shared->ready, 1);
    while (atomic_load(&shared->ready) < 2) host_sleep_ns(10000);
    lock_often(shared, repeats);
}

static mproc_status run_other(mproc_call *call)
{
    shared_state *shared = member_find(call);

    meet_and_lock(shared, 1, shared->repeats);
    return MPROC_OK;
}

static bool measure_contend(const bench_setting *setting, double *values)
{
    shared_state *shared = member_shared(sizeof *shared);
    mproc_process *other;
    int64_t begin;

    shared->repeats = setting->repeats;
    other = member_start(run_other, shared);
    while (atomic_load(&shared->ready) < 1) host_sleep_ns(100000);
    begin = host_now_ns();
    meet_and_lock(shared, 0, setting->repeats);
    if (!member_join(other)) return false;
    values[0] = (double)(host_now_ns() - begin) / (double)(2 * setting->repeats);
    return shared->counter == 2 * setting->repeats;
}

const bench_subject lock_mproc = {"mproc", false, measure_lock, NULL};
const bench_subject contend_mproc = {"mproc", false, measure_contend, NULL};
