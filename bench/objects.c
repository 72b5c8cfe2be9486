/* The public functions and their rivals: programs of their own, which measure inside themselves. */
#include "host.h"
#include "subjects.h"

#include <stdio.h>
#include <stdlib.h>

/* CPython repeats what it is measured by so many times less often: it is slower, and its figures need no more. */
enum { PYTHON_SHARE = 10 };

/* What a program prints: one number, or two. */
static bool run(const char *const *arguments, double *values)
{
    char output[128];
    char *place = output;

    if (!host_run(arguments, NULL, output, sizeof output)) return false;
    for (int value = 0; value < BENCH_VALUES_MAX; value++) values[value] = strtod(place, &place);
    if (values[0] > 0) return true;
    fprintf(stderr, "bench: %s printed '%s' instead of a time\n", arguments[0], output);
    return false;
}

static bool run_public(const char *task, size_t repeats, size_t items, double *values)
{
    const char *program = host_beside_program("bench_public");
    char repeats_text[32];
    char items_text[32];
    const char *arguments[] = {program, task, repeats_text, items_text, NULL};

    snprintf(repeats_text, sizeof repeats_text, "%zu", repeats);
    snprintf(items_text, sizeof items_text, "%zu", items);
    return run(arguments, values);
}

static bool measure_public(const bench_setting *setting, double *values)
{
    return run_public(setting->task, setting->repeats, setting->items, values);
}

static bool measure_map_item(const bench_setting *setting, double *values)
{
    return run_public("map-item", setting->repeats, setting->items, values);
}

static bool measure_map_range(const bench_setting *setting, double *values)
{
    return run_public("map-range", setting->repeats, setting->items, values);
}

static bool measure_recovery_few(const bench_setting *setting, double *values)
{
    return run_public("recovery", setting->repeats, 10, values);
}

static bool measure_recovery_many(const bench_setting *setting, double *values)
{
    return run_public("recovery", setting->repeats, 1000000, values);
}

static bool measure_recovery_owner(const bench_setting *setting, double *values)
{
    return run_public("recovery-owner", setting->repeats, 100000, values);
}

static bool measure_python(const bench_setting *setting, double *values)
{
    char repeats[32];
    const char *arguments[] = {"python3", "-I", BENCH_PEER_OBJECTS, setting->task, repeats, NULL};

    snprintf(repeats, sizeof repeats, "%zu", setting->repeats / PYTHON_SHARE + 1);
    return run(arguments, values);
}

static const char *missing_python(void)
{
    const char *arguments[] = {"python3", "-I", "-c", "import multiprocessing.synchronize", NULL};
    char output[128];

    return host_run(arguments, NULL, output, sizeof output) ? NULL : "python3 with multiprocessing";
}

/* Volatile, so that the compiler does not leave out the memory that nobody looks at. */
static void *volatile memory;

static bool measure_malloc(const bench_setting *setting, double *values)
{
    int64_t begin = host_now_ns();

    for (size_t i = 0; i < setting->repeats; i++) {
        memory = malloc(128);
        if (memory == NULL) return false;
        free(memory);
    }
    values[0] = (double)(host_now_ns() - begin) / (double)setting->repeats;
    return true;
}

const bench_subject objects_mproc = {"mproc", false, measure_public, NULL};
const bench_subject objects_python = {"CPython", true, measure_python, missing_python};
const bench_subject objects_malloc = {"malloc and free, 128 bytes", true, measure_malloc, NULL};
const bench_subject shared_mproc_item = {"mproc, item function", false, measure_map_item, NULL};
const bench_subject shared_mproc_range = {"mproc, range function", false, measure_map_range, NULL};
const bench_subject recovery_few = {"10 objects", true, measure_recovery_few, NULL};
const bench_subject recovery_many = {"1,000,000 objects", false, measure_recovery_many, NULL};
const bench_subject recovery_owner = {"100,000 objects of the killed process", false, measure_recovery_owner, NULL};
