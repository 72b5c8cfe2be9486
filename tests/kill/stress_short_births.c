/*
 * The stresses of processes that are killed while they start others, for a few seconds.
 */
#include "stress.h"

#include "check.h"

static void case_for_seconds(void)
{
    stress_births(3);
}

static void case_owners_for_seconds(void)
{
    stress_owners(3);
}

CHECK_SUITE(stress_births,
    CASE_LIMIT(for_seconds, 60),
    CASE_LIMIT(owners_for_seconds, 60),
);
