/*
 * The storm of births, for two minutes.
 */
#include "storm.h"

#include "check.h"

static void case_for_minutes(void)
{
    storm_births(120);
}

CHECK_SUITE(storm_births,
    CASE_LIMIT(for_minutes, 240),
);
