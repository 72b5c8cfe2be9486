/*
 * bench_public TASK REPEATS ITEMS
 *
 * Measures the public functions through the shared library, and prints two values. A program of its own, because
 * bench itself is linked with the static library, below whose public functions some of its subjects look.
 */
#include "public.h"

#include <mproc/mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct task {
    const char *name;
    bench_measure *measure;
} task;

static const task tasks[] = {
    {"lock", public_lock},
    {"lock-contended", public_lock_contended},
    {"semaphore-trip", public_trip_semaphore},
    {"event-trip", public_trip_event},
    {"condition-trip", public_trip_condition},
    {"semaphore", public_semaphore},
    {"event-set", public_event_set},
    {"event-is-set", public_event_is_set},
    {"event-wait", public_event_wait},
    {"create-lock", public_create_lock},
    {"create-event", public_create_event},
    {"create-array", public_create_array},
    {"map-item", public_map_item},
    {"map-range", public_map_range},
    {"recovery", public_recovery},
    {"recovery-owner", public_recovery_owner},
};

static bench_measure *find_task(const char *name)
{
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        if (strcmp(tasks[i].name, name) == 0) return tasks[i].measure;
    }
    return NULL;
}

int main(int argument_count, char **arguments)
{
    bench_setting setting = {0};
    bench_measure *measure;
    double values[BENCH_VALUES_MAX] = {0};

    mproc_main_guard();

    if (argument_count != 4 || (measure = find_task(arguments[1])) == NULL) {
        fprintf(stderr, "usage: bench_public TASK REPEATS ITEMS\n");
        return 2;
    }
    setting.repeats = (size_t)strtoul(arguments[2], NULL, 10);
    setting.items = (size_t)strtoul(arguments[3], NULL, 10);
    if (setting.repeats < 1 || !measure(&setting, values)) return 1;
    printf("%.17g %.17g\n", values[0], values[1]);
    return 0;
}
