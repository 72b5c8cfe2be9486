/*
 * What the programs of the bench share: mproc's, and its rivals' as well, so nothing here is the library's.
 *
 * Each program takes one sample in a process of its own: PROGRAM TASK REPEATS [ITEMS [CHUNK]]. It prints one number
 * or two, as bench.py says for the task.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* What a task is told. `items` and `chunk` are 0 where they have no meaning. */
struct order {
    size_t repeats;
    size_t items;
    size_t chunk;
};

/* Measures, and writes one value or two. What fails ends the program with a text. */
typedef void measure_task(const struct order *order, double values[2]);

struct task {
    const char *name; /* NULL ends a table */
    measure_task *measure;
};

/* Runs the task that the arguments name, and prints its values. Returns the exit code. */
int measure_main(int count, char **arguments, const struct task *tasks);

/* Ends the program if something is not as it has to be. */
void measure_require(int is_so, const char *what);

/* Monotonic time. */
int64_t measure_now_ns(void);

void measure_sleep_ns(int64_t duration_ns);

/*
 * Uses the CPU for so long: time in which others have it does not count, but for less than a microsecond, which is
 * too short to ask how much was used.
 */
void measure_work(int64_t duration_ns);

/* Writes how long each of `count` items takes: all the same, or the last one a hundred times as long. */
void measure_durations(int64_t *durations_ns, size_t count, int64_t duration_ns, int last_is_long);

/* How often the system has taken the CPU away from the calling thread, for others to run on it. */
int64_t measure_preemptions(void);

/* Binds the calling thread to the CPU with that number, counted among those that it may use; wraps around. */
void measure_bind(int number);

/* Touches that many bytes of private memory, so that they are resident until the process ends. */
void measure_make_resident(size_t size);

/* Zeroed memory from a memory file, as the library's own is, shared with fork() children. */
void *measure_shared(size_t size);

/* Does something that often. */
typedef void measure_pass(void *context, size_t repeats);

/* Times `pass` for each repeat, after a warm-up of a tenth: the mean time of one. */
double measure_mean(measure_pass *pass, void *context, size_t repeats);

/* The same for two fork() children, on two CPUs if there are, that begin at once: until both have ended. */
double measure_forked(measure_pass *first, measure_pass *second, void *context, size_t repeats);

/* Times each of `repeats` calls of `pass` by itself: the median. */
double measure_median(void (*pass)(void *context), void *context, size_t repeats);

/* The same after a rest of `rest_ns` before each call, which is not timed: the median and the 99th percentile. */
void measure_rested(void (*pass)(void *context), void *context, size_t repeats, size_t rest_ns, double values[2]);

/* The median of `count` (at least 1) numbers, which it sorts. */
double median_of(double *numbers, size_t count);

#endif
