/* platform.h, futex.c: only on systems that have it. */
#include "platform_fixture.h"

#include <errno.h>

static void case_returns_at_once_when_the_word_differs(void)
{
    _Atomic uint32_t word = 1;

    CHECK_OK(plat_futex_wait(&word, 0, PLAT_FOREVER));
}

static void case_times_out_and_not_before(void)
{
    static const int64_t spans_ns[] = {1, 300000, 1999999, 15000000};
    _Atomic uint32_t word = 0;
    size_t i;

    for (i = 0; i < sizeof spans_ns / sizeof spans_ns[0]; i++) {
        int64_t deadline = plat_clock_now_ns() + spans_ns[i];
        while (plat_futex_wait(&word, 0, deadline) != MPROC_TIMEOUT) continue;
        CHECK(plat_clock_now_ns() >= deadline);
    }
}

static void case_passed_deadline_means_try(void)
{
    _Atomic uint32_t word = 0;

    CHECK_STATUS(plat_futex_wait(&word, 0, 0), MPROC_TIMEOUT);
    CHECK_STATUS(plat_futex_wait(&word, 0, INT64_MIN), MPROC_TIMEOUT);
    CHECK_OK(plat_futex_wait(&word, 1, INT64_MIN));
}

static void case_timeout_sets_no_error_text(void)
{
    _Atomic uint32_t word = 0;

    (void)mproc_error(MPROC_INVALID, "kept");
    CHECK_STATUS(plat_futex_wait(&word, 0, 0), MPROC_TIMEOUT);
    CHECK_STRING(mproc_last_error_text(), "kept");
}

static void case_wake_keeps_errno(void)
{
    _Atomic uint32_t word = 0;

    errno = 4711;
    CHECK_EQ(plat_futex_wake(&word, 1), 0);
    CHECK_EQ(errno, 4711);
}

enum { SLEEPERS = 4 };

static _Atomic uint32_t shared_word;
static _Atomic int awake;

/* Every return while the word is 0 is for no reason, or a wake that was counted. */
static void sleep_until_set(void *unused)
{
    (void)unused;
    while (atomic_load(&shared_word) == 0) CHECK_OK(plat_futex_wait(&shared_word, 0, PLAT_FOREVER));
    atomic_fetch_add(&awake, 1);
}

static bool wakes_one(void *unused)
{
    (void)unused;
    return plat_futex_wake(&shared_word, 1) == 1;
}

static void case_wakes_as_many_as_asked(void)
{
    plat_thread *threads[SLEEPERS];
    int woken = 0;
    int i;

    for (i = 0; i < SLEEPERS; i++) CHECK_OK(plat_thread_start(sleep_until_set, NULL, &threads[i]));
    /* Whoever is woken now finds the word unchanged and sleeps again. */
    for (i = 0; i < SLEEPERS; i++) CHECK_WAIT_UNTIL(wakes_one, NULL);
    CHECK_EQ(atomic_load(&awake), 0);
    atomic_store(&shared_word, 1);
    while (atomic_load(&awake) < SLEEPERS) {
        int count = plat_futex_wake(&shared_word, INT32_MAX);
        CHECK(count >= 0 && count <= SLEEPERS);
        woken += count;
        check_pause_ms(1);
    }
    CHECK(woken <= SLEEPERS);
    for (i = 0; i < SLEEPERS; i++) plat_thread_join(threads[i]);
    CHECK_EQ(plat_futex_wake(&shared_word, INT32_MAX), 0);
}

static int helper_sleeps_on_the_board(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    atomic_store(&board->step, 1);
    while (atomic_load(&board->word) == 0) CHECK_OK(plat_futex_wait(&board->word, 0, platform_limit_ns()));
    return 0;
}

static bool board_wakes_one(void *board)
{
    return plat_futex_wake(&((platform_board *)board)->word, 1) == 1;
}

static void case_wakes_another_process(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process process;

    platform_start("futex.sleeps_on_the_board", "", memory, &process);
    platform_await_step(board, 1);
    CHECK_WAIT_UNTIL(board_wakes_one, board);
    atomic_store(&board->word, 1);
    plat_futex_wake(&board->word, 1);
    CHECK_EXITS(&process, 0);
    platform_board_drop(board, memory);
}

CHECK_SUITE(futex,
    CASE(returns_at_once_when_the_word_differs),
    CASE(times_out_and_not_before),
    CASE(passed_deadline_means_try),
    CASE(timeout_sets_no_error_text),
    CASE(wake_keeps_errno),
    CASE(wakes_as_many_as_asked),
    CASE(wakes_another_process),
    HELPER(sleeps_on_the_board),
);
