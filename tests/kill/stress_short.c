/*
 * The stress tests of the quick suite: a few seconds each.
 */
#include "stress.h"

#include "check.h"

#define SECONDS 3

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

static void case_tasks(void)
{
    stress_tasks(SECONDS, false);
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

CHECK_SUITE(stress,
    CASE_LIMIT(arena, 60),
    CASE_LIMIT(sync, 60),
    CASE_LIMIT(names, 60),
    CASE_LIMIT(pool, 60),
    CASE_LIMIT(tasks, 60),
    CASE_LIMIT(queue, 60),
    CASE_LIMIT(dict, 60),
    CASE_LIMIT(set, 60),
    CASE_LIMIT(list, 60),
    CASE_LIMIT(objects, 60),
    CASE_LIMIT(leases, 60)
);
