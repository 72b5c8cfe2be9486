/*
 * The stress tests of the soak: two minutes each, or a million tasks.
 */
#include "stress.h"

#include "check.h"

#define SECONDS 120

static void case_arena(void)
{
    stress_arena(SECONDS);
}

static void case_sync(void)
{
    stress_sync(SECONDS);
}

static void case_names(void)
{
    stress_names(SECONDS);
}

static void case_pool(void)
{
    stress_pool(SECONDS);
}

static void case_a_million_tasks(void)
{
    stress_tasks(0, false);
}

static void case_a_million_tasks_of_threads(void)
{
    stress_tasks(0, true);
}

static void case_queue(void)
{
    stress_queue(SECONDS);
}

static void case_dict(void)
{
    stress_dict(SECONDS);
}

static void case_set(void)
{
    stress_set(SECONDS);
}

static void case_list(void)
{
    stress_list(SECONDS);
}

static void case_objects(void)
{
    stress_objects(SECONDS);
}

static void case_leases(void)
{
    stress_leases(SECONDS);
}

CHECK_SUITE(stress_long,
    CASE_LIMIT(arena, 240),
    CASE_LIMIT(sync, 240),
    CASE_LIMIT(names, 240),
    CASE_LIMIT(pool, 240),
    CASE_LIMIT(a_million_tasks, 600),
    CASE_LIMIT(a_million_tasks_of_threads, 600),
    CASE_LIMIT(queue, 240),
    CASE_LIMIT(dict, 240),
    CASE_LIMIT(set, 240),
    CASE_LIMIT(list, 240),
    CASE_LIMIT(objects, 240),
    CASE_LIMIT(leases, 240)
);
