/* The rivals of map(): programs of their own, which measure inside themselves. */
#include "host.h"
#include "subjects.h"

#include <stdio.h>
#include <stdlib.h>

/* So few repeats, because each takes as long as a whole sample of the others. */
enum { PYTHON_REPEATS = 5, WORKERS = 2 };

static bool read_values(const char *program, const char *output, int count, double *values)
{
    char *place = (char *)(uintptr_t)output;

    for (int value = 0; value < count; value++) {
        values[value] = strtod(place, &place);
        if (values[value] > 0) continue;
        fprintf(stderr, "bench: %s printed '%s' instead of its times\n", program, output);
        return false;
    }
    return true;
}

static bool run_openmp(const char *shape, const char *memory, const bench_setting *setting, double *values)
{
    const char *program = host_beside_program("bench_openmp");
    char items[32];
    char chunk[32];
    char repeats[32];
    char output[128];
    const char *arguments[] = {program, shape, memory, items, chunk, repeats, NULL};
    const char *variables[] = {"OMP_NUM_THREADS=2", "OMP_PROC_BIND=true", "OMP_DYNAMIC=false", NULL};
    size_t chunk_size = setting->chunk_size;

    /* OpenMP's own default is 1, which nobody would choose; so it gets what map() chooses. */
    if (chunk_size == 0) chunk_size = (setting->items + 4 * WORKERS - 1) / (4 * WORKERS);
    snprintf(items, sizeof items, "%zu", setting->items);
    snprintf(chunk, sizeof chunk, "%zu", chunk_size);
    snprintf(repeats, sizeof repeats, "%zu", setting->repeats);
    return host_run(arguments, variables, output, sizeof output) && read_values("bench_openmp", output, 1, values);
}

static bool measure_openmp_pointer(const bench_setting *setting, double *values)
{
    return run_openmp("pointer", "private", setting, values);
}

static bool measure_openmp_inline(const bench_setting *setting, double *values)
{
    return run_openmp("inline", "private", setting, values);
}

static bool measure_shared_pointer(const bench_setting *setting, double *values)
{
    return run_openmp("pointer", "shared", setting, values);
}

static bool measure_shared_inline(const bench_setting *setting, double *values)
{
    return run_openmp("inline", "shared", setting, values);
}

static const char *missing_openmp(void)
{
    return host_exists(host_beside_program("bench_openmp")) ? NULL : "the compiler has no OpenMP";
}

static bool run_python(const char *mode, const bench_setting *setting, int count, double *values)
{
    char items[32];
    char chunk[32];
    char repeats[32];
    char output[128];
    const char *arguments[] = {"python3", "-I", BENCH_PEER_POOL, mode, "2", items, chunk, repeats, NULL};

    snprintf(items, sizeof items, "%zu", setting->peer_items);
    snprintf(chunk, sizeof chunk, "%zu", setting->chunk_size);
    snprintf(repeats, sizeof repeats, "%d", PYTHON_REPEATS);
    return host_run(arguments, NULL, output, sizeof output) && read_values("python3", output, count, values);
}

static bool measure_python(const bench_setting *setting, double *values)
{
    return run_python("warm", setting, 1, values);
}

static bool measure_cold_python(const bench_setting *setting, double *values)
{
    return run_python("cold", setting, 2, values);
}

static const char *missing_python(void)
{
    const char *arguments[] = {"python3", "-I", "-c", "import multiprocessing", NULL};
    char output[128];

    return host_run(arguments, NULL, output, sizeof output) ? NULL : "python3 with multiprocessing";
}

const bench_subject map_openmp_pointer = {"OpenMP dynamic, pointer", true, measure_openmp_pointer, missing_openmp};
const bench_subject map_openmp_inline = {"OpenMP dynamic, inlined", true, measure_openmp_inline, missing_openmp};
const bench_subject shared_openmp_pointer = {"OpenMP dynamic, pointer", true, measure_shared_pointer, missing_openmp};
const bench_subject shared_openmp_inline = {"OpenMP dynamic, inlined", true, measure_shared_inline, missing_openmp};
const bench_subject map_python = {"CPython Pool.map", true, measure_python, missing_python};
const bench_subject cold_python = {"CPython Pool.map", true, measure_cold_python, missing_python};
