/*
 * The stress of births, for two minutes.
 */
#include "stress.h"

#include "check.h"

static void case_for_minutes(void)
{
    stress_births(120);
}

CHECK_SUITE(stress_births,
    CASE_LIMIT(for_minutes, 240),
);
