/* Linux: fork() is its own. */
#define _GNU_SOURCE
#include "meeting.h"

#include <sys/wait.h>
#include <unistd.h>

void meeting_pass(struct meeting *meeting, size_t count, size_t cpu, measure_pass *pass, void *context,
                  size_t repeats)
{
    int64_t now, last;

    measure_bind((int)cpu);
    pass(context, repeats / 10 + 1);
    atomic_fetch_add(&meeting->ready, 1);
    while (!atomic_load(&meeting->begun)) measure_sleep_ns(10000);
    pass(context, repeats);
    now = measure_now_ns();
    last = atomic_load(&meeting->ended_ns);
    while (last < now && !atomic_compare_exchange_weak(&meeting->ended_ns, &last, now)) continue;
    atomic_fetch_add(&meeting->ended, 1);
    while (atomic_load(&meeting->ended) < count) measure_sleep_ns(100000);
}

double meeting_time(struct meeting *meeting, size_t count)
{
    int64_t begin;

    while (atomic_load(&meeting->ready) < count) measure_sleep_ns(100000);
    begin = measure_now_ns();
    atomic_store(&meeting->begun, 1);
    while (atomic_load(&meeting->ended) < count) measure_sleep_ns(100000);
    return (double)(atomic_load(&meeting->ended_ns) - begin);
}

double measure_forked(measure_pass *first, measure_pass *second, void *context, size_t repeats)
{
    struct meeting *meeting = measure_shared(sizeof *meeting);
    measure_pass *passes[] = {first, second};
    double time;

    for (size_t i = 0; i < 2; i++) {
        if (fork() > 0) continue;
        meeting_pass(meeting, 2, i, passes[i], context, repeats);
        _exit(0);
    }
    time = meeting_time(meeting, 2);
    for (size_t i = 0; i < 2; i++) {
        int status = -1;
        wait(&status);
        measure_require(status == 0, "each process ends with 0");
    }
    return time / (double)repeats;
}
