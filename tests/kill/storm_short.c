/*
 * The storms of the quick suite: a few seconds each.
 */
#include "storm.h"

#include "check.h"

#define SECONDS 3

static void case_arena(void)
{
    storm_arena(SECONDS);
}

static void case_sync(void)
{
    storm_sync(SECONDS);
}

static void case_names(void)
{
    storm_names(SECONDS);
}

static void case_pool(void)
{
    storm_pool(SECONDS);
}

CHECK_SUITE(storm,
    CASE_LIMIT(arena, 60),
    CASE_LIMIT(sync, 60),
    CASE_LIMIT(names, 60),
    CASE_LIMIT(pool, 60)
);
