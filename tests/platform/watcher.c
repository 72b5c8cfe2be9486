/* platform.h, event.c, second half: watchers. */
#include "platform_fixture.h"

#include <stdio.h>

static int helper_ends(const char *text)
{
    (void)text;
    return 0;
}

static int helper_stays(const char *text)
{
    for (;;) check_pause_ms(1000);
    return text != NULL;
}

static void await_end(plat_handle process)
{
    int ready = -1;

    CHECK_OK(plat_handle_wait(&process, 1, platform_limit_ns(), &ready));
}

static void kill_and_collect(plat_process *process)
{
    CHECK_OK(plat_process_kill(process));
    CHECK_SIGNALLED(process, 9);
}

/* Nothing is reported: not now, and not within a moment. */
static void check_silent(plat_watcher *watcher)
{
    int64_t deadline = platform_in_ms(20);

    CHECK_EQ(plat_watcher_wait(watcher, 0), 0);
    CHECK_EQ(plat_watcher_wait(watcher, deadline), 0);
    CHECK(plat_clock_now_ns() >= deadline);
}

static void case_reports_an_end_once(void)
{
    const uint64_t token = UINT64_C(0xFEDCBA9876543210);
    plat_watcher *watcher;
    plat_process process;

    CHECK_OK(plat_watcher_create(&watcher));
    platform_start("watcher.stays", "", PLAT_NO_HANDLE, &process);
    CHECK_OK(plat_watcher_add(watcher, process.handle, token));
    check_silent(watcher);
    CHECK_OK(plat_process_kill(&process));
    CHECK(plat_watcher_wait(watcher, PLAT_FOREVER) == token);
    check_silent(watcher);
    plat_watcher_remove(watcher, process.handle, token);
    CHECK_SIGNALLED(&process, 9);
    plat_watcher_free(watcher);
}

static void case_reports_what_had_ended_before(void)
{
    plat_watcher *watcher;
    plat_process process;

    CHECK_OK(plat_watcher_create(&watcher));
    platform_start("watcher.ends", "", PLAT_NO_HANDLE, &process);
    await_end(process.handle);
    CHECK_OK(plat_watcher_add(watcher, process.handle, 5));
    CHECK_EQ(plat_watcher_wait(watcher, platform_limit_ns()), 5);
    plat_watcher_remove(watcher, process.handle, 5);
    CHECK_EXITS(&process, 0);
    plat_watcher_free(watcher);
}

/* More than the 64 that one wait of Windows can take. Half of them end by themselves. */
enum { MANY = 100 };

static void start_many(plat_watcher *watcher, plat_process *processes)
{
    int i;

    for (i = 0; i < MANY; i++) {
        platform_start(i % 2 ? "watcher.stays" : "watcher.ends", "", PLAT_NO_HANDLE, &processes[i]);
        CHECK_OK(plat_watcher_add(watcher, processes[i].handle, (uint64_t)i + 1));
    }
}

static void await_reports(plat_watcher *watcher, int *reports, int count)
{
    while (count > 0) {
        uint64_t token = plat_watcher_wait(watcher, platform_limit_ns());
        CHECK(token >= 1 && token <= MANY);
        CHECK_EQ(++reports[token - 1], 1);
        count--;
    }
}

static void case_watches_a_hundred(void)
{
    static plat_process processes[MANY];
    static int reports[MANY];
    plat_watcher *watcher;
    int i;

    CHECK_OK(plat_watcher_create(&watcher));
    start_many(watcher, processes);
    await_reports(watcher, reports, MANY / 2);
    for (i = 0; i < MANY; i++) CHECK_EQ(reports[i], i % 2 ? 0 : 1);
    for (i = 1; i < MANY; i += 2) CHECK_OK(plat_process_kill(&processes[i]));
    await_reports(watcher, reports, MANY / 2);
    for (i = 0; i < MANY; i++) {
        plat_watcher_remove(watcher, processes[i].handle, (uint64_t)i + 1);
        platform_check_end(&processes[i], i % 2 ? PLAT_END_SIGNALLED : PLAT_END_EXITED, i % 2 ? 9 : 0, __FILE__,
                           __LINE__);
    }
    plat_watcher_free(watcher);
}

static void case_removed_process_is_not_reported(void)
{
    plat_watcher *watcher;
    plat_process kept;
    plat_process removed;

    CHECK_OK(plat_watcher_create(&watcher));
    platform_start("watcher.stays", "", PLAT_NO_HANDLE, &kept);
    platform_start("watcher.stays", "", PLAT_NO_HANDLE, &removed);
    CHECK_OK(plat_watcher_add(watcher, removed.handle, 1));
    CHECK_OK(plat_watcher_add(watcher, kept.handle, 2));
    plat_watcher_remove(watcher, removed.handle, 1);
    kill_and_collect(&removed);
    check_silent(watcher);
    CHECK_OK(plat_process_kill(&kept));
    CHECK_EQ(plat_watcher_wait(watcher, platform_limit_ns()), 2);
    plat_watcher_remove(watcher, kept.handle, 2);
    CHECK_SIGNALLED(&kept, 9);
    plat_watcher_free(watcher);
}

static void case_removed_process_can_be_added_again(void)
{
    plat_watcher *watcher;
    plat_process process;

    CHECK_OK(plat_watcher_create(&watcher));
    platform_start("watcher.stays", "", PLAT_NO_HANDLE, &process);
    CHECK_OK(plat_watcher_add(watcher, process.handle, 1));
    plat_watcher_remove(watcher, process.handle, 1);
    CHECK_OK(plat_watcher_add(watcher, process.handle, 2));
    CHECK_OK(plat_process_kill(&process));
    CHECK_EQ(plat_watcher_wait(watcher, platform_limit_ns()), 2);
    plat_watcher_remove(watcher, process.handle, 2);
    CHECK_SIGNALLED(&process, 9);
    plat_watcher_free(watcher);
}

/* ---- waking and waiting ----------------------------------------------------------------------- */

static void wake_after_a_while(void *watcher)
{
    check_pause_ms(20);
    plat_watcher_wake(watcher);
}

static void case_wake_ends_a_wait(void)
{
    plat_watcher *watcher;
    plat_thread *thread;

    CHECK_OK(plat_watcher_create(&watcher));
    CHECK_OK(plat_thread_start(wake_after_a_while, watcher, &thread));
    CHECK_EQ(plat_watcher_wait(watcher, PLAT_FOREVER), 0);
    plat_thread_join(thread);
    plat_watcher_free(watcher);
}

static void case_wakes_are_kept_but_do_not_add_up(void)
{
    plat_watcher *watcher;

    CHECK_OK(plat_watcher_create(&watcher));
    plat_watcher_wake(watcher);
    plat_watcher_wake(watcher);
    plat_watcher_wake(watcher);
    CHECK_EQ(plat_watcher_wait(watcher, PLAT_FOREVER), 0);
    check_silent(watcher);
    plat_watcher_free(watcher);
}

static void case_wait_times_out_and_not_before(void)
{
    static const int64_t spans_ns[] = {1, 300000, 1999999, 15000000};
    plat_watcher *watcher;
    size_t i;

    CHECK_OK(plat_watcher_create(&watcher));
    for (i = 0; i < sizeof spans_ns / sizeof spans_ns[0]; i++) {
        int64_t deadline = plat_clock_now_ns() + spans_ns[i];
        CHECK_EQ(plat_watcher_wait(watcher, deadline), 0);
        CHECK(plat_clock_now_ns() >= deadline);
    }
    plat_watcher_free(watcher);
}

typedef struct late_addition {
    plat_watcher *watcher;
    plat_handle process;
} late_addition;

static void add_after_a_while(void *context)
{
    late_addition *addition = context;

    check_pause_ms(20);
    CHECK_OK(plat_watcher_add(addition->watcher, addition->process, 77));
}

static void case_what_is_added_during_a_wait_is_reported_by_it(void)
{
    late_addition addition;
    plat_process process;
    plat_thread *thread;

    CHECK_OK(plat_watcher_create(&addition.watcher));
    platform_start("watcher.ends", "", PLAT_NO_HANDLE, &process);
    addition.process = process.handle;
    CHECK_OK(plat_thread_start(add_after_a_while, &addition, &thread));
    CHECK_EQ(plat_watcher_wait(addition.watcher, PLAT_FOREVER), 77);
    plat_thread_join(thread);
    plat_watcher_remove(addition.watcher, process.handle, 77);
    CHECK_EXITS(&process, 0);
    plat_watcher_free(addition.watcher);
}

static void case_free_forgets_what_is_still_in_it(void)
{
    plat_watcher *watcher;
    plat_process process;

    CHECK_OK(plat_watcher_create(&watcher));
    platform_start("watcher.stays", "", PLAT_NO_HANDLE, &process);
    CHECK_OK(plat_watcher_add(watcher, process.handle, 1));
    plat_watcher_free(watcher);
    kill_and_collect(&process);
}

CHECK_SUITE(watcher,
    CASE(reports_an_end_once),
    CASE(reports_what_had_ended_before),
    CASE(watches_a_hundred),
    CASE(removed_process_is_not_reported),
    CASE(removed_process_can_be_added_again),
    CASE(wake_ends_a_wait),
    CASE(wakes_are_kept_but_do_not_add_up),
    CASE(wait_times_out_and_not_before),
    CASE(what_is_added_during_a_wait_is_reported_by_it),
    CASE(free_forgets_what_is_still_in_it),
    HELPER(ends),
    HELPER(stays),
);
