/*
 * Judges the runner: each thing that it must catch is done here, in a case that is declared to fail for
 * that reason, and passes only if the runner's report says so.
 */
#include "check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "selftest.h"

static void case_passes(void)
{
    CHECK(true);
    CHECK_EQ(2 + 2, 4);
    CHECK_STRING("text", "text");
    CHECK_CONTAINS("a text", "tex");
}

static void case_fails_a_check(void)
{
    CHECK(1 > 2);
}

static void case_shows_both_numbers(void)
{
    CHECK_EQ(3, 4);
}

static void case_shows_both_strings(void)
{
    CHECK_STRING("left", "right");
}

static void case_shows_a_missing_part(void)
{
    CHECK_CONTAINS("haystack", "needle");
}

static void case_compares_null_strings(void)
{
    CHECK_STRING(NULL, "");
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static bool third_time(void *context)
{
    return ++*(int *)context == 3;
}

static void case_waits_for_what_comes(void)
{
    int count = 0;

    CHECK_WAIT_UNTIL(third_time, &count);
    CHECK_EQ(count, 3);
}

static void case_overruns_its_limit(void)
{
    CHECK_WAIT_UNTIL(never, NULL);
}

/* Busy, with output that nobody has flushed: the report must still come, with what was printed. */
static void case_overruns_its_limit_busily(void)
{
    volatile unsigned turns = 0;

    printf("printed before the loop\n");
    for (;;) turns++;
}

static void case_crashes(void)
{
    volatile uintptr_t nowhere = 16;

    /* The sanitizers' own handler would turn the crash into an exit code. */
    signal(SIGSEGV, SIG_DFL);
    *(volatile int *)nowhere = 1;
}

static void case_aborts(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void case_exits_with_0(void)
{
    exit(0);
}

static void case_exits_in_silence(void)
{
    _Exit(5);
}

static void case_crashes_at_exit(void)
{
    atexit(case_crashes);
}

static void case_leaves_a_handle(void)
{
    selftest_leave_handle();
}

static void case_closes_a_handle_of_others(void)
{
    CHECK_EQ(fclose(stdin), 0);
}

static void case_leaves_a_child(void)
{
    CHECK(selftest_start("selftest.sleeps") != 0);
}

static void case_leaves_an_orphan(void)
{
    CHECK_EQ(selftest_collect(selftest_start("selftest.starts_a_sleeper")), 0);
}

static void case_leaves_a_thread(void)
{
    selftest_leave_thread();
}

static void case_leaves_a_mapping(void)
{
    selftest_leave_mapping();
}

static void case_may_leave_what_it_declares(void)
{
    selftest_leave_thread();
}

static void case_starts_to_count_at_its_baseline(void)
{
    selftest_leave_handle();
    CHECK_BASELINE();
}

static void case_collects_its_child(void)
{
    CHECK_EQ(selftest_collect(selftest_start("selftest.returns_7")), 7);
}

static void case_sees_a_failed_check_in_a_helper(void)
{
    CHECK_EQ(selftest_collect(selftest_start("selftest.fails_a_check")), CHECK_FAILED);
}

static void case_is_told_of_an_unknown_helper(void)
{
    CHECK_EQ(selftest_collect(selftest_start("selftest.nobody")), CHECK_FAILED);
}

static int helper_sleeps(const char *text)
{
    for (;;) check_pause_ms(1000);
    return text != NULL;
}

static int helper_starts_a_sleeper(const char *text)
{
    (void)text;
    return selftest_start("selftest.sleeps") != 0 ? 0 : 1;
}

static int helper_returns_7(const char *text)
{
    (void)text;
    return 7;
}

static int helper_fails_a_check(const char *text)
{
    (void)text;
    CHECK(false);
    return 0;
}

CHECK_SUITE(selftest,
    CASE(passes),
    CASE_FAILS(fails_a_check, "check failed: 1 > 2"),
    CASE_FAILS(shows_both_numbers, "3 is 3, expected 4 = 4"),
    CASE_FAILS(shows_both_strings, "is \"left\", expected \"right\""),
    CASE_FAILS(shows_a_missing_part, "does not contain \"needle\""),
    CASE_FAILS(compares_null_strings, "is \"(NULL)\", expected"),
    CASE(waits_for_what_comes),
    CASE_WITH(overruns_its_limit, .limit_s = 1, .fails = "overran its limit of"),
    CASE_WITH(overruns_its_limit_busily, .limit_s = 1, .fails = "printed before the loop"),
    CASE_FAILS(crashes, "crashed"),
    CASE_FAILS(aborts, "aborted"),
    CASE_FAILS(exits_with_0, "ended early, with exit code 0"),
    CASE_FAILS(exits_in_silence, "ended early, with exit code 5"),
    CASE_FAILS(crashes_at_exit, "crashed"),
    CASE_FAILS(leaves_a_handle, "handles left"),
    CASE_FAILS(closes_a_handle_of_others, "handles left"),
    CASE_FAILS(leaves_a_child, "children left: 1, before the case 0"),
    CASE_FAILS(leaves_an_orphan, "processes left: 1"),
    CASE_FAILS(leaves_a_thread, "threads left"),
    CASE_FAILS(leaves_a_mapping, "shared objects left"),
    CASE_WITH(may_leave_what_it_declares, .leaves = CHECK_THREADS | CHECK_HANDLES),
    CASE(starts_to_count_at_its_baseline),
    CASE(collects_its_child),
    CASE(sees_a_failed_check_in_a_helper),
    CASE(is_told_of_an_unknown_helper),
    HELPER(sleeps),
    HELPER(starts_a_sleeper),
    HELPER(returns_7),
    HELPER(fails_a_check),
);
