/* Linux: affinity and memory files are its own. */
#define _GNU_SOURCE
#include "measure.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static size_t number(int count, char **arguments, int index)
{
    return index < count ? (size_t)strtoull(arguments[index], NULL, 10) : 0;
}

int measure_main(int count, char **arguments, const struct task *tasks)
{
    struct order order = {number(count, arguments, 2), number(count, arguments, 3), number(count, arguments, 4)};
    double values[2] = {0, 0};

    while (count > 2 && tasks->name && strcmp(tasks->name, arguments[1]) != 0) tasks++;
    if (count <= 2 || !tasks->name || order.repeats < 1) {
        fprintf(stderr, "usage: %s TASK REPEATS [ITEMS [CHUNK]]; bench.py knows the tasks\n", arguments[0]);
        return 2;
    }
    tasks->measure(&order, values);
    printf("%.17g %.17g\n", values[0], values[1]);
    return 0;
}

void measure_require(int is_so, const char *what)
{
    if (is_so) return;
    fprintf(stderr, "bench: not so: %s (errno %d: %s)\n", what, errno, strerror(errno));
    exit(1);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t measure_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void measure_work(int64_t duration_ns)
{
    clockid_t clock = duration_ns < 1000 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
    int64_t end;

    if (duration_ns <= 0) return;
    end = read_clock(clock) + duration_ns;
    while (read_clock(clock) < end) continue;
}

void measure_durations(int64_t *durations_ns, size_t count, int64_t duration_ns, int last_is_long)
{
    for (size_t i = 0; i < count; i++) durations_ns[i] = duration_ns;
    if (last_is_long && count > 0) durations_ns[count - 1] = 100 * duration_ns;
}

void measure_sleep_ns(int64_t duration_ns)
{
    struct timespec duration = {.tv_sec = duration_ns / 1000000000, .tv_nsec = duration_ns % 1000000000};

    while (nanosleep(&duration, &duration) != 0 && errno == EINTR) continue;
}

int64_t measure_preemptions(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

void measure_bind(int number)
{
    cpu_set_t allowed, chosen;

    measure_require(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "the CPUs are known");
    number %= CPU_COUNT(&allowed);
    CPU_ZERO(&chosen);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && number-- == 0) CPU_SET(cpu, &chosen);
    measure_require(sched_setaffinity(0, sizeof chosen, &chosen) == 0, "a thread can be bound to a CPU");
}

void measure_make_resident(size_t size)
{
    char *memory = malloc(size + 1);

    measure_require(memory != NULL, "there is memory to be resident");
    for (size_t i = 0; i < size; i += 4096) ((volatile char *)memory)[i] = 1;
}

void *measure_shared(size_t size)
{
    int memory = memfd_create("bench", MFD_CLOEXEC);
    void *base = MAP_FAILED;

    if (memory >= 0 && ftruncate(memory, (off_t)size) == 0)
        base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    measure_require(base != MAP_FAILED, "there is shared memory");
    close(memory);
    return base;
}

double measure_mean(measure_pass *pass, void *context, size_t repeats)
{
    int64_t begin;

    pass(context, repeats / 10 + 1);
    begin = measure_now_ns();
    pass(context, repeats);
    return (double)(measure_now_ns() - begin) / (double)repeats;
}

double measure_median(void (*pass)(void *context), void *context, size_t repeats)
{
    double values[2];

    measure_rested(pass, context, repeats, 0, values);
    return values[0];
}

void measure_rested(void (*pass)(void *context), void *context, size_t repeats, size_t rest_ns, double values[2])
{
    double *times = calloc(repeats, sizeof times[0]);

    measure_require(times != NULL, "there is memory for the times");
    for (size_t i = 0; i < repeats; i++) {
        int64_t begin;
        if (rest_ns) measure_sleep_ns((int64_t)rest_ns);
        begin = measure_now_ns();
        pass(context);
        times[i] = (double)(measure_now_ns() - begin);
    }
    values[0] = median_of(times, repeats);
    values[1] = times[repeats * 99 / 100];
    free(times);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double median_of(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof numbers[0], compare);
    return count % 2 ? numbers[count / 2] : (numbers[count / 2 - 1] + numbers[count / 2]) / 2;
}
