/*
 * The storm of births, for a few seconds.
 */
#include "storm.h"

#include "check.h"

static void case_for_seconds(void)
{
    storm_births(3);
}

CHECK_SUITE(storm_births,
    CASE_LIMIT(for_seconds, 60),
);
