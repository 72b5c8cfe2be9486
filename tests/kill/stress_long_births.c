/*
 * The stresses of processes that are killed while they start others, for two minutes.
 */
#include "stress.h"

#include "check.h"

static void case_for_minutes(void)
{
    stress_births(120);
}

static void case_owners_for_minutes(void)
{
    stress_owners(120);
}

CHECK_SUITE(stress_births,
    CASE_LIMIT(for_minutes, 240),
    CASE_LIMIT(owners_for_minutes, 240),
);
