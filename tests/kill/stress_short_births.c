/*
 * The stress of births, for a few seconds.
 */
#include "stress.h"

#include "check.h"

static void case_for_seconds(void)
{
    stress_births(3);
}

CHECK_SUITE(stress_births,
    CASE_LIMIT(for_seconds, 60),
);
