/*
 * The stress tests that need no other process, for the quick suite: the thread sanitizer runs them, too.
 */
#include "stress.h"

#include "check.h"

#define SECONDS 3

static void case_tasks(void)
{
    stress_tasks(SECONDS, true);
}

CHECK_SUITE(stress_threads,
    CASE_LIMIT(tasks, 60)
);
