#include "bench.h"

#include "subjects.h"

#include <stddef.h>

/* Sets of values, subjects and goals that several comparisons share. A goal names both by their places. */

static const bench_value start_values[] = {{"start to reaped", true}, {NULL, false}};
static const bench_subject *const start_subjects[] = {&start_mproc, &start_posix_spawn, NULL};
static const bench_goal start_goals[] = {{.kind = BENCH_TIME_AT_MOST, .rival = 1, .bound = 1.15}, {0}};

static const bench_value lock_values[] = {{"pair", true}, {NULL, false}};
static const bench_subject *const lock_subjects[] = {&lock_mproc, &lock_pthread, NULL};
static const bench_goal lock_goals[] = {{.kind = BENCH_TIME_AT_MOST, .rival = 1, .bound = 1.0}, {0}};

static const bench_subject *const contend_subjects[] = {&contend_mproc, &contend_pthread, NULL};
static const bench_goal no_goals[] = {{0}};

static const bench_value park_values[] = {{"round trip", true}, {NULL, false}};
static const bench_subject *const park_subjects[] = {&park_mproc, &park_futex, NULL};
static const bench_goal park_goals[] = {{.kind = BENCH_TIME_AT_MOST, .rival = 1, .bound = 1.15}, {0}};

static const bench_subject *const public_lock_subjects[] = {&objects_mproc, &lock_pthread, NULL};
static const bench_subject *const public_contend_subjects[] = {&objects_mproc, &contend_pthread, NULL};

static const bench_subject *const trip_subjects[] = {&objects_mproc, &park_futex, &objects_python, NULL};
static const bench_goal permit_goals[] = {{.kind = BENCH_TIME_AT_MOST, .rival = 1, .bound = 1.25}, {0}};
static const bench_goal trip_goals[] = {{.kind = BENCH_TIME_AT_MOST, .rival = 1, .bound = 1.25},
                                        {.kind = BENCH_SPEED_AT_LEAST, .rival = 2, .bound = 2},
                                        {0}};

static const bench_value pair_values[] = {{"pair", true}, {NULL, false}};
static const bench_value call_values[] = {{"call", true}, {NULL, false}};
static const bench_subject *const use_subjects[] = {&objects_mproc, &objects_python, NULL};
static const bench_goal use_goals[] = {{.kind = BENCH_SPEED_AT_LEAST, .rival = 1, .bound = 3}, {0}};

static const bench_subject *const create_subjects[] = {&objects_mproc, &objects_python, &objects_malloc, NULL};

static const bench_value recovery_values[] = {{"told", true}, {"joined", true}, {NULL, false}};
static const bench_subject *const recovery_subjects[] = {&recovery_few, &recovery_many, &recovery_owner, NULL};
static const bench_goal recovery_goals[] = {{.kind = BENCH_TIME_AT_MOST, .subject = 1, .rival = 0, .bound = 1.25},
                                            {0}};

static const bench_value map_values[] = {{"one item", true}, {NULL, false}};
static const bench_subject *const map_subjects[] = {&map_mproc_item,    &map_mproc_range, &map_openmp_pointer,
                                                    &map_openmp_inline, &map_python,      NULL};
static const bench_goal map_goals[] = {{.kind = BENCH_SPEED_AT_LEAST, .rival = 2, .bound = 0.35},
                                       {.kind = BENCH_SPEED_AT_LEAST, .rival = 4, .bound = 40},
                                       {0}};
static const bench_goal map_single_goals[] = {{.kind = BENCH_SPEED_AT_LEAST, .rival = 2, .bound = 3},
                                              {.kind = BENCH_SPEED_AT_LEAST, .rival = 4, .bound = 40},
                                              {.kind = BENCH_VALUE_AT_MOST, .bound = 20},
                                              {0}};

static const bench_subject *const shared_subjects[] = {&shared_mproc_item, &shared_mproc_range,
                                                       &shared_openmp_pointer, &shared_openmp_inline, NULL};
static const bench_goal shared_goals[] = {{.kind = BENCH_SPEED_AT_LEAST, .rival = 2, .bound = 1},
                                          {.kind = BENCH_SPEED_AT_LEAST, .subject = 1, .rival = 3, .bound = 0.8},
                                          {0}};

static const bench_value cold_values[] = {{"first map", true}, {"create and first map", true}, {NULL, false}};
static const bench_subject *const cold_subjects[] = {&cold_mproc_item, &cold_mproc_range, &cold_python, NULL};
static const bench_goal cold_goals[] = {{.kind = BENCH_SPEED_AT_LEAST, .rival = 2, .bound = 30},
                                        {.kind = BENCH_SPEED_AT_LEAST, .value = 1, .rival = 2, .bound = 30},
                                        {0}};

static const bench_value message_values[] = {{"one map", true}, {NULL, false}};
static const bench_subject *const message_subjects[] = {&value_mproc, &value_mproc_checked, &value_msgpack, NULL};
static const bench_goal message_goals[] = {{.kind = BENCH_SPEED_AT_LEAST, .rival = 2, .bound = 3}, {0}};

static const bench_value death_values[] = {{"median of 200", true}, {"worst of 200", true}, {NULL, false}};
static const bench_subject *const death_subjects[] = {&death_mproc, NULL};
static const bench_goal death_goals[] = {
    {.kind = BENCH_VALUE_AT_MOST, .bound = 2e6}, {.kind = BENCH_WORST_AT_MOST, .value = 1, .bound = 1e7}, {0}};

static const bench_value idle_values[] = {{"CPU time", true}, {"context switches", false}, {NULL, false}};
static const bench_subject *const idle_subjects[] = {&idle_mproc, NULL};
/* A look every two seconds by four threads is two switches in a second. */
static const bench_goal idle_goals[] = {
    {.kind = BENCH_VALUE_AT_MOST, .bound = 1e6}, {.kind = BENCH_VALUE_AT_MOST, .value = 1, .bound = 4}, {0}};

enum { GIB = 1 << 30 };

const bench_comparison bench_comparisons[] = {
    {"start",
     "a process that does nothing, two CPUs",
     {.placement = BENCH_TWO_CPUS, .repeats = 200},
     start_values,
     start_subjects,
     start_goals},
    {"start-one-cpu",
     "a process that does nothing, one CPU",
     {.placement = BENCH_ONE_CPU, .repeats = 200},
     start_values,
     start_subjects,
     start_goals},
    {"start-1gib",
     "a process that does nothing, from a parent with 1 GiB resident, two CPUs",
     {.placement = BENCH_TWO_CPUS, .repeats = 200, .resident_bytes = GIB},
     start_values,
     start_subjects,
     start_goals},
    {"start-1gib-one-cpu",
     "a process that does nothing, from a parent with 1 GiB resident, one CPU",
     {.placement = BENCH_ONE_CPU, .repeats = 200, .resident_bytes = GIB},
     start_values,
     start_subjects,
     start_goals},

    {"lock",
     "lock and unlock, nobody else there",
     {.placement = BENCH_ONE_CPU, .repeats = 5000000},
     lock_values,
     lock_subjects,
     lock_goals},
    {"lock-contended",
     "lock and unlock, two processes bound to two CPUs",
     {.placement = BENCH_TWO_CPUS, .repeats = 2000000},
     lock_values,
     contend_subjects,
     no_goals},
    {"lock-contended-one-cpu",
     "lock and unlock, two processes bound to one CPU",
     {.placement = BENCH_ONE_CPU, .repeats = 2000000},
     lock_values,
     contend_subjects,
     no_goals},

    {"park",
     "round trip between two sleepers, bound to two CPUs",
     {.placement = BENCH_TWO_CPUS, .repeats = 20000},
     park_values,
     park_subjects,
     park_goals},
    {"park-one-cpu",
     "round trip between two sleepers, bound to one CPU",
     {.placement = BENCH_ONE_CPU, .repeats = 50000},
     park_values,
     park_subjects,
     park_goals},

    {"public-lock",
     "acquire and release by the public functions, nobody else there",
     {.placement = BENCH_ONE_CPU, .repeats = 5000000, .task = "lock"},
     lock_values,
     public_lock_subjects,
     lock_goals},
    {"public-lock-contended",
     "acquire and release by the public functions, two processes bound to two CPUs",
     {.placement = BENCH_TWO_CPUS, .repeats = 2000000, .task = "lock-contended"},
     lock_values,
     public_contend_subjects,
     lock_goals},
    {"public-lock-contended-one-cpu",
     "acquire and release by the public functions, two processes bound to one CPU",
     {.placement = BENCH_ONE_CPU, .repeats = 2000000, .task = "lock-contended"},
     lock_values,
     public_contend_subjects,
     lock_goals},

    {"semaphore-trip",
     "round trip between two sleepers by two semaphores, bound to two CPUs",
     {.placement = BENCH_TWO_CPUS, .repeats = 4000, .task = "semaphore-trip"},
     park_values,
     trip_subjects,
     permit_goals},
    {"semaphore-trip-one-cpu",
     "round trip between two sleepers by two semaphores, bound to one CPU",
     {.placement = BENCH_ONE_CPU, .repeats = 20000, .task = "semaphore-trip"},
     park_values,
     trip_subjects,
     permit_goals},
    {"event-trip",
     "round trip between two sleepers by two events, bound to two CPUs",
     {.placement = BENCH_TWO_CPUS, .repeats = 4000, .task = "event-trip"},
     park_values,
     trip_subjects,
     trip_goals},
    {"event-trip-one-cpu",
     "round trip between two sleepers by two events, bound to one CPU",
     {.placement = BENCH_ONE_CPU, .repeats = 20000, .task = "event-trip"},
     park_values,
     trip_subjects,
     trip_goals},
    {"condition-trip",
     "round trip between two sleepers by a condition, bound to two CPUs",
     {.placement = BENCH_TWO_CPUS, .repeats = 4000, .task = "condition-trip"},
     park_values,
     trip_subjects,
     trip_goals},
    {"condition-trip-one-cpu",
     "round trip between two sleepers by a condition, bound to one CPU",
     {.placement = BENCH_ONE_CPU, .repeats = 20000, .task = "condition-trip"},
     park_values,
     trip_subjects,
     trip_goals},

    {"semaphore",
     "acquire and release of a semaphore that has a permit",
     {.placement = BENCH_ONE_CPU, .repeats = 2000000, .task = "semaphore"},
     pair_values,
     use_subjects,
     use_goals},
    {"event-set",
     "set and clear of an event that nobody waits for",
     {.placement = BENCH_ONE_CPU, .repeats = 1000000, .task = "event-set"},
     pair_values,
     use_subjects,
     use_goals},
    {"event-is-set",
     "whether an event is set",
     {.placement = BENCH_ONE_CPU, .repeats = 2000000, .task = "event-is-set"},
     call_values,
     use_subjects,
     use_goals},
    {"event-wait",
     "waiting for an event that is set",
     {.placement = BENCH_ONE_CPU, .repeats = 2000000, .task = "event-wait"},
     call_values,
     use_subjects,
     use_goals},

    {"create-lock",
     "creating and freeing a lock",
     {.placement = BENCH_ONE_CPU, .repeats = 20000, .task = "create-lock"},
     pair_values,
     create_subjects,
     no_goals},
    {"create-event",
     "creating and freeing an event",
     {.placement = BENCH_ONE_CPU, .repeats = 20000, .task = "create-event"},
     pair_values,
     create_subjects,
     no_goals},
    {"create-array",
     "creating and freeing an array of 16 int64 with its lock",
     {.placement = BENCH_ONE_CPU, .repeats = 20000, .task = "create-array"},
     pair_values,
     create_subjects,
     no_goals},

    {"map-default",
     "map of 1,000,000 squares, default chunks, warm, two workers",
     {.placement = BENCH_TWO_CPUS, .items = 1000000, .peer_items = 1000000, .repeats = 30},
     map_values,
     map_subjects,
     map_goals},
    {"map-10000",
     "map of 1,000,000 squares, chunks of 10,000, warm, two workers",
     {.placement = BENCH_TWO_CPUS, .items = 1000000, .chunk_size = 10000, .peer_items = 1000000, .repeats = 30},
     map_values,
     map_subjects,
     map_goals},
    {"map-1000",
     "map of 1,000,000 squares, chunks of 1,000, warm, two workers",
     {.placement = BENCH_TWO_CPUS, .items = 1000000, .chunk_size = 1000, .peer_items = 1000000, .repeats = 30},
     map_values,
     map_subjects,
     map_goals},
    {"map-100",
     "map of 1,000,000 squares, chunks of 100, warm, two workers",
     {.placement = BENCH_TWO_CPUS, .items = 1000000, .chunk_size = 100, .peer_items = 1000000, .repeats = 30},
     map_values,
     map_subjects,
     map_goals},
    {"map-10",
     "map of 1,000,000 squares (CPython: 100,000), chunks of 10, warm, two workers",
     {.placement = BENCH_TWO_CPUS, .items = 1000000, .chunk_size = 10, .peer_items = 100000, .repeats = 30},
     map_values,
     map_subjects,
     map_goals},
    {"map-1",
     "map of 1,000,000 squares (CPython: 20,000), chunks of 1, warm, two workers",
     {.placement = BENCH_TWO_CPUS, .items = 1000000, .chunk_size = 1, .peer_items = 20000, .repeats = 30},
     map_values,
     map_subjects,
     map_single_goals},
    {"map-cold",
     "map of 1,000,000 squares, default chunks, a new pool of two workers",
     {.placement = BENCH_TWO_CPUS, .items = 1000000, .peer_items = 1000000, .repeats = 10},
     cold_values,
     cold_subjects,
     cold_goals},
    {"map-in-place",
     "map of 1,000,000 squares in shared arrays, default chunks, warm, two workers",
     {.placement = BENCH_TWO_CPUS, .items = 1000000, .repeats = 200},
     map_values,
     shared_subjects,
     shared_goals},

    {"value",
     "building and reading a small map of five pairs",
     {.placement = BENCH_ONE_CPU, .repeats = 1000000},
     message_values,
     message_subjects,
     message_goals},

    {"worker-death",
     "from the kill of an idle worker until its successor computes, pool of two",
     {.placement = BENCH_TWO_CPUS, .repeats = 200},
     death_values,
     death_subjects,
     death_goals},
    {"recovery",
     "from the kill of a process that has a lock, while so many objects live",
     {.placement = BENCH_TWO_CPUS, .repeats = 20},
     recovery_values,
     recovery_subjects,
     recovery_goals},
    {"idle",
     "an idle pool of two workers and its parent, per second, over ten seconds",
     {.placement = BENCH_TWO_CPUS, .repeats = 10},
     idle_values,
     idle_subjects,
     idle_goals},
    {.name = NULL},
};

size_t bench_subject_count(const bench_comparison *comparison)
{
    size_t count = 0;

    while (comparison->subjects[count] != NULL) count++;
    return count;
}
