/* platform.h, event.c, first half: events. The watchers are in watcher.c. */
#include "platform_fixture.h"

#include <errno.h>

static bool is_set(plat_handle event)
{
    int ready = -1;

    return plat_handle_wait(&event, 1, 0, &ready) == MPROC_OK;
}

static void case_is_not_set_at_first(void)
{
    plat_handle event;

    CHECK_OK(plat_event_create(&event));
    CHECK(event != PLAT_NO_HANDLE);
    CHECK(!is_set(event));
    plat_handle_close(event);
}

static void case_stays_set_until_it_is_cleared(void)
{
    plat_handle event;

    CHECK_OK(plat_event_create(&event));
    plat_event_set(event);
    CHECK(is_set(event));
    CHECK(is_set(event));
    plat_event_clear(event);
    CHECK(!is_set(event));
    plat_event_set(event);
    CHECK(is_set(event));
    plat_handle_close(event);
}

static void case_one_clear_undoes_many_sets(void)
{
    plat_handle event;
    int i;

    CHECK_OK(plat_event_create(&event));
    /* More than a pipe would hold. */
    for (i = 0; i < check_many(100000, 5000); i++) plat_event_set(event);
    plat_event_clear(event);
    CHECK(!is_set(event));
    plat_handle_close(event);
}

static void case_clearing_what_is_not_set_returns(void)
{
    plat_handle event;

    CHECK_OK(plat_event_create(&event));
    plat_event_clear(event);
    plat_event_clear(event);
    CHECK(!is_set(event));
    plat_event_set(event);
    CHECK(is_set(event));
    plat_handle_close(event);
}

static void case_events_do_not_touch_each_other(void)
{
    plat_handle first;
    plat_handle second;

    CHECK_OK(plat_event_create(&first));
    CHECK_OK(plat_event_create(&second));
    plat_event_set(first);
    CHECK(!is_set(second));
    plat_event_set(second);
    plat_event_clear(first);
    CHECK(is_set(second));
    plat_handle_close(first);
    plat_handle_close(second);
}

static void case_set_keeps_errno(void)
{
    plat_handle event;

    CHECK_OK(plat_event_create(&event));
    errno = 4711;
    plat_event_set(event);
    plat_event_set(event);
    CHECK_EQ(errno, 4711);
    plat_handle_close(event);
}

enum { WAITERS = 4 };

static _Atomic int woken;

static void wait_forever(void *event)
{
    int ready = -1;

    CHECK_OK(plat_handle_wait(event, 1, PLAT_FOREVER, &ready));
    atomic_fetch_add(&woken, 1);
}

static void case_one_set_wakes_all_waiters(void)
{
    plat_thread *threads[WAITERS];
    plat_handle event;
    int i;

    CHECK_OK(plat_event_create(&event));
    for (i = 0; i < WAITERS; i++) CHECK_OK(plat_thread_start(wait_forever, &event, &threads[i]));
    check_pause_ms(10);
    CHECK_EQ(atomic_load(&woken), 0);
    plat_event_set(event);
    for (i = 0; i < WAITERS; i++) plat_thread_join(threads[i]);
    CHECK_EQ(atomic_load(&woken), WAITERS);
    plat_handle_close(event);
}

static void case_event_is_not_inherited_by_accident(void)
{
    plat_handle event;

    CHECK_OK(plat_event_create(&event));
    CHECK(!os_handle_is_inheritable(event));
    plat_handle_close(event);
}

CHECK_SUITE(event,
    CASE(is_not_set_at_first),
    CASE(stays_set_until_it_is_cleared),
    CASE(one_clear_undoes_many_sets),
    CASE(clearing_what_is_not_set_returns),
    CASE(events_do_not_touch_each_other),
    CASE(set_keeps_errno),
    CASE(one_set_wakes_all_waiters),
    CASE(event_is_not_inherited_by_accident),
);
