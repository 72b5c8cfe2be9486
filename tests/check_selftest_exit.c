/*
 * More cases for judging the runner: here it is its exit code that counts. CMake runs them one by one and
 * says what must come out.
 */
#include "check.h"

static void case_is_skipped(void)
{
    CHECK_SKIP("to show what a skip looks like");
}

static void case_passes_but_must_fail(void)
{
}

static void case_fails_but_not_as_declared(void)
{
    CHECK(2 > 3);
}

static void setup_that_fails(void)
{
    CHECK(3 > 4);
}

static void case_never_runs(void)
{
}

CHECK_SUITE(selftest_exit,
    CASE(is_skipped),
    CASE_FAILS(passes_but_must_fail, "anything"),
    CASE_FAILS(fails_but_not_as_declared, "a reason that is never printed"),
);

CHECK_SUITE_SETUP(selftest_setup, setup_that_fails,
    CASE(never_runs),
);
