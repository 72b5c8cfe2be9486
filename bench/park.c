#include "host.h"
#include "member.h"
#include "subjects.h"

#include "arena/park.h"

#include <stdlib.h>

/* Whose turn it is, as in park_posix.c. */
typedef struct table {
    _Atomic uint32_t turn;
    uint32_t unused;
    uint64_t repeats;
} table;

static void give_turn(table *shared, uint32_t to)
{
    atomic_store(&shared->turn, to);
    park_wake(&shared->turn, 1);
}

static void await_turn(table *shared, uint32_t mine)
{
    while (atomic_load(&shared->turn) != mine) park_wait(&shared->turn, 1 - mine, PLAT_FOREVER);
}

static mproc_status answer(mproc_call *call)
{
    table *shared = member_find(call);

    host_bind(1);
    for (size_t i = 0; i < shared->repeats; i++) {
        await_turn(shared, 1);
        give_turn(shared, 0);
    }
    return MPROC_OK;
}

static bool measure(const bench_setting *setting, double *values)
{
    table *shared = member_shared(sizeof *shared);
    double *times = calloc(setting->repeats, sizeof times[0]);
    mproc_process *other;

    if (times == NULL) return false;
    shared->repeats = setting->repeats;
    other = member_start(answer, shared);
    host_bind(0);
    for (size_t i = 0; i < setting->repeats; i++) {
        int64_t begin = host_now_ns();

        give_turn(shared, 1);
        await_turn(shared, 0);
        times[i] = (double)(host_now_ns() - begin);
    }
    values[0] = bench_median(times, setting->repeats);
    free(times);
    return member_join(other);
}

const bench_subject park_mproc = {"mproc", false, measure, NULL};
