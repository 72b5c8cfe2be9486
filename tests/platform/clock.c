/* platform.h, clock.c: time. */
#include "platform_fixture.h"

static void case_never_goes_back(void)
{
    int64_t last = plat_clock_now_ns();
    int i;

    for (i = 0; i < 100000; i++) {
        int64_t now = plat_clock_now_ns();
        CHECK(now >= last);
        last = now;
    }
}

static bool clock_has_moved(void *context)
{
    return plat_clock_now_ns() > *(int64_t *)context;
}

static void case_goes_on(void)
{
    int64_t start = plat_clock_now_ns();

    CHECK_WAIT_UNTIL(clock_has_moved, &start);
}

/* A wrong unit would be off by a factor of at least 100. */
static void case_counts_nanoseconds(void)
{
    int64_t start_ns = plat_clock_now_ns();
    int64_t start_ms = check_now_ms();
    int64_t ns;
    int64_t ms;

    check_pause_ms(100);
    ns = plat_clock_now_ns() - start_ns;
    ms = check_now_ms() - start_ms;
    CHECK(ns / 1000000 >= ms / 2);
    CHECK(ns / 1000000 <= (ms + 20) * 10);
}

static int helper_tells_the_time(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    atomic_store(&board->values[0], plat_clock_now_ns());
    atomic_store(&board->values[1], plat_clock_birth_ns());
    return 0;
}

static void case_has_one_scale_in_all_processes(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process process;
    int64_t before = plat_clock_now_ns();

    platform_start("clock.tells_the_time", "", memory, &process);
    CHECK_EXITS(&process, 0);
    CHECK(atomic_load(&board->values[0]) >= before);
    CHECK(atomic_load(&board->values[0]) <= plat_clock_now_ns());
    platform_board_drop(board, memory);
}

/* The system records births in steps of up to 10 ms, and Windows' wall clock in steps of 16 ms. */
static void case_birth_scale_is_the_same_everywhere(void)
{
    const int64_t step_ns = 20 * 1000000;
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process process;
    int64_t before = plat_clock_birth_ns();

    platform_start("clock.tells_the_time", "", memory, &process);
    CHECK_EXITS(&process, 0);
    CHECK(before > 0);
    CHECK(atomic_load(&board->values[1]) >= before - step_ns);
    CHECK(atomic_load(&board->values[1]) <= plat_clock_birth_ns() + step_ns);
    platform_board_drop(board, memory);
}

static void case_sleep_is_never_early(void)
{
    static const int64_t spans_ns[] = {1, 1000, 100000, 999999, 1000000, 1500000, 20000000};
    size_t i;

    for (i = 0; i < sizeof spans_ns / sizeof spans_ns[0]; i++) {
        int64_t deadline = plat_clock_now_ns() + spans_ns[i];
        plat_clock_sleep_until(deadline);
        CHECK(plat_clock_now_ns() >= deadline);
    }
}

static void case_sleep_until_the_past_returns(void)
{
    plat_clock_sleep_until(plat_clock_now_ns() - 1);
    plat_clock_sleep_until(0);
    plat_clock_sleep_until(-1);
    plat_clock_sleep_until(INT64_MIN);
}

CHECK_SUITE(clock,
    CASE(never_goes_back),
    CASE(goes_on),
    CASE(counts_nanoseconds),
    CASE(has_one_scale_in_all_processes),
    CASE(birth_scale_is_the_same_everywhere),
    CASE(sleep_is_never_early),
    CASE(sleep_until_the_past_returns),
    HELPER(tells_the_time),
);
