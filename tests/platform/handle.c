/* platform.h, handle.c: closing, adopting, waiting, counting. */
#include "platform_fixture.h"

#include <stdio.h>

static void case_closing_no_handle_is_ignored(void)
{
    plat_handle_close(PLAT_NO_HANDLE);
}

static void case_closed_handle_is_closed(void)
{
    plat_handle event;

    CHECK_OK(plat_event_create(&event));
    CHECK(os_handle_is_open(event));
    plat_handle_close(event);
    CHECK(!os_handle_is_open(event));
}

static void case_count_follows_what_is_open(void)
{
    int before = plat_handle_count();
    plat_handle events[10];
    int i;

    if (before < 0) CHECK_SKIP("this system does not tell how many handles are open");
    for (i = 0; i < 10; i++) CHECK_OK(plat_event_create(&events[i]));
    CHECK(plat_handle_count() >= before + 10);
    for (i = 0; i < 10; i++) plat_handle_close(events[i]);
    CHECK_EQ(plat_handle_count(), before);
}

/* ---- adopting --------------------------------------------------------------------------------- */

static int helper_adopts(const char *text)
{
    plat_handle handles[4];

    platform_handles(text, handles);
    CHECK(os_handle_is_open(handles[0]));
    CHECK_OK(plat_handle_adopt(handles[0]));
    CHECK(os_handle_is_open(handles[0]));
    CHECK(!os_handle_is_inheritable(handles[0]));
    return 0;
}

static void case_adopted_handle_goes_no_further(void)
{
    plat_handle event;
    plat_process process;

    CHECK_OK(plat_event_create(&event));
    platform_start("handle.adopts", "", event, &process);
    CHECK_EXITS(&process, 0);
    plat_handle_close(event);
}

static void case_adopting_what_is_not_open_is_refused(void)
{
    plat_handle event;

    CHECK_OK(plat_event_create(&event));
    plat_handle_close(event);
    CHECK_REFUSED(plat_handle_adopt(event), MPROC_INVALID);
    CHECK_REFUSED(plat_handle_adopt(0x3ff0), MPROC_INVALID);
    CHECK_REFUSED(plat_handle_adopt(PLAT_NO_HANDLE), MPROC_INVALID);
}

/* ---- waiting ---------------------------------------------------------------------------------- */

enum { EVENTS = 8 };

static void create_events(plat_handle *events)
{
    int i;

    for (i = 0; i < EVENTS; i++) CHECK_OK(plat_event_create(&events[i]));
}

static void close_events(plat_handle *events)
{
    int i;

    for (i = 0; i < EVENTS; i++) plat_handle_close(events[i]);
}

static void case_wait_names_each_of_eight(void)
{
    plat_handle events[EVENTS];
    int i;

    create_events(events);
    for (i = 0; i < EVENTS; i++) {
        int ready = -1;
        plat_event_set(events[i]);
        CHECK_OK(plat_handle_wait(events, EVENTS, platform_limit_ns(), &ready));
        CHECK_EQ(ready, i);
        plat_event_clear(events[i]);
    }
    close_events(events);
}

static void case_wait_names_the_lowest(void)
{
    plat_handle events[EVENTS];
    int ready = -1;

    create_events(events);
    plat_event_set(events[7]);
    plat_event_set(events[5]);
    plat_event_set(events[2]);
    CHECK_OK(plat_handle_wait(events, EVENTS, platform_limit_ns(), &ready));
    CHECK_EQ(ready, 2);
    CHECK_OK(plat_handle_wait(events + 3, EVENTS - 3, platform_limit_ns(), &ready));
    CHECK_EQ(ready, 2);
    close_events(events);
}

static void case_wait_takes_nothing_away(void)
{
    plat_handle event;
    int ready = -1;
    int i;

    CHECK_OK(plat_event_create(&event));
    plat_event_set(event);
    for (i = 0; i < 3; i++) CHECK_OK(plat_handle_wait(&event, 1, platform_limit_ns(), &ready));
    plat_handle_close(event);
}

static void case_wait_times_out_and_not_before(void)
{
    static const int64_t spans_ns[] = {1, 300000, 1000000, 1999999, 15000000};
    plat_handle events[EVENTS];
    int ready = -1;
    size_t i;

    create_events(events);
    for (i = 0; i < sizeof spans_ns / sizeof spans_ns[0]; i++) {
        int64_t deadline = plat_clock_now_ns() + spans_ns[i];
        CHECK_STATUS(plat_handle_wait(events, EVENTS, deadline, &ready), MPROC_TIMEOUT);
        CHECK(plat_clock_now_ns() >= deadline);
    }
    CHECK_EQ(ready, -1);
    close_events(events);
}

static void case_passed_deadline_means_try(void)
{
    static const int64_t deadlines[] = {0, -1, INT64_MIN, 1};
    plat_handle event;
    int ready = -1;
    size_t i;

    CHECK_OK(plat_event_create(&event));
    for (i = 0; i < 4; i++) CHECK_STATUS(plat_handle_wait(&event, 1, deadlines[i], &ready), MPROC_TIMEOUT);
    plat_event_set(event);
    for (i = 0; i < 4; i++) CHECK_OK(plat_handle_wait(&event, 1, deadlines[i], &ready));
    plat_handle_close(event);
}

static void set_after_a_while(void *event)
{
    check_pause_ms(20);
    plat_event_set(*(plat_handle *)event);
}

static void case_wait_sleeps_until_another_thread_sets(void)
{
    plat_handle events[EVENTS];
    plat_thread *thread;
    int ready = -1;

    create_events(events);
    CHECK_OK(plat_thread_start(set_after_a_while, &events[6], &thread));
    CHECK_OK(plat_handle_wait(events, EVENTS, PLAT_FOREVER, &ready));
    CHECK_EQ(ready, 6);
    plat_thread_join(thread);
    close_events(events);
}

static int helper_waits_for_its_handle(const char *text)
{
    plat_handle handles[4];
    int ready = -1;

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    CHECK_OK(plat_handle_wait(handles, 1, platform_limit_ns(), &ready));
    return 9;
}

static void case_wait_sees_a_process_end_among_events(void)
{
    plat_handle handles[EVENTS];
    plat_handle go;
    plat_process process;
    int ready = -1;

    create_events(handles);
    CHECK_OK(plat_event_create(&go));
    platform_start("handle.waits_for_its_handle", "", go, &process);
    plat_handle_close(handles[3]);
    handles[3] = process.handle;
    CHECK_STATUS(plat_handle_wait(handles, EVENTS, 0, &ready), MPROC_TIMEOUT);
    plat_event_set(go);
    CHECK_OK(plat_handle_wait(handles, EVENTS, platform_limit_ns(), &ready));
    CHECK_EQ(ready, 3);
    CHECK_EXITS(&process, 9);
    handles[3] = PLAT_NO_HANDLE;
    plat_handle_close(go);
    close_events(handles);
}

CHECK_SUITE(handle,
    CASE(closing_no_handle_is_ignored),
    CASE(closed_handle_is_closed),
    CASE(count_follows_what_is_open),
    CASE(adopted_handle_goes_no_further),
    CASE(adopting_what_is_not_open_is_refused),
    CASE(wait_names_each_of_eight),
    CASE(wait_names_the_lowest),
    CASE(wait_takes_nothing_away),
    CASE(wait_times_out_and_not_before),
    CASE(passed_deadline_means_try),
    CASE(wait_sleeps_until_another_thread_sets),
    CASE(wait_sees_a_process_end_among_events),
    HELPER(adopts),
    HELPER(waits_for_its_handle),
);
