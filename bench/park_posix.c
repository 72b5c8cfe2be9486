/* Linux: bare futexes, without a time limit. */
#define _GNU_SOURCE
#include "host.h"
#include "subjects.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whose turn it is: 0 the first process', 1 the second's. Each sets it to the other's number. */
typedef struct table {
    _Atomic uint32_t turn;
} table;

static void give_turn(table *shared, uint32_t to)
{
    atomic_store(&shared->turn, to);
    syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void await_turn(table *shared, uint32_t mine)
{
    while (atomic_load(&shared->turn) != mine) {
        syscall(SYS_futex, &shared->turn, FUTEX_WAIT, 1 - mine, NULL, NULL, 0);
    }
}

static void answer(table *shared, size_t repeats)
{
    host_bind(1);
    for (size_t i = 0; i < repeats; i++) {
        await_turn(shared, 1);
        give_turn(shared, 0);
    }
}

static bool measure_futex(const bench_setting *setting, double *values)
{
    table *shared = host_shared(sizeof *shared);
    double *times = calloc(setting->repeats, sizeof times[0]);
    int status = -1;
    pid_t child;

    if (shared == NULL || times == NULL || (child = fork()) < 0) return false;
    if (child == 0) {
        answer(shared, setting->repeats);
        _exit(0);
    }
    host_bind(0);
    for (size_t i = 0; i < setting->repeats; i++) {
        int64_t begin = host_now_ns();

        give_turn(shared, 1);
        await_turn(shared, 0);
        times[i] = (double)(host_now_ns() - begin);
    }
    waitpid(child, &status, 0);
    values[0] = bench_median(times, setting->repeats);
    free(times);
    return status == 0;
}

const bench_subject park_futex = {"bare futexes", true, measure_futex, NULL};
