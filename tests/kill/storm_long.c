/*
 * The storms of the soak: two minutes each.
 */
#include "storm.h"

#include "check.h"

#define SECONDS 120

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

CHECK_SUITE(storm_long,
    CASE_LIMIT(arena, 240),
    CASE_LIMIT(sync, 240),
    CASE_LIMIT(names, 240),
    CASE_LIMIT(pool, 240)
);
