/* mproc/process.h: interrupts, which end one wait in each thread. From a signal handler: posix_signal.c. */
#include "process_fixture.h"

#include <mproc/map.h>

#include "platform/platform_fixture.h"
#include "object/interrupt.h"
#include "process/process.h"

static void case_interrupt_ends_the_next_wait_once(void)
{
    mproc_interrupt();
    CHECK_SAYS(mproc_sleep_ms(MPROC_FOREVER), MPROC_INTERRUPTED, "was interrupted");
    CHECK(!mproc_interrupted());
    CHECK_OK(mproc_sleep_ms(1));
    mproc_interrupt();
    mproc_interrupt();
    CHECK(mproc_interrupted());
    CHECK(!mproc_interrupted());
    CHECK_OK(mproc_sleep_ms(0));
    CHECK_SAYS(mproc_sleep_ms(-1), MPROC_INVALID, "MPROC_FOREVER");
}

static void case_sleep_lasts_its_time(void)
{
    int64_t start_ns = plat_clock_now_ns();

    CHECK_OK(mproc_sleep_ms(20));
    CHECK(plat_clock_now_ns() - start_ns >= 20000000);
}

/* ---- in each thread --------------------------------------------------------------------------- */

enum { SLEEPERS = 4 };

typedef struct sleeper {
    mproc_process *process; /* joined; NULL: it sleeps */
    fixture_board *board;
    mproc_status first;
    mproc_status second;
    bool more;
} sleeper;

static mproc_status wait_once(sleeper *self, int64_t timeout_ms)
{
    return self->process != NULL ? mproc_process_join(self->process, timeout_ms) : mproc_sleep_ms(timeout_ms);
}

static void wait_twice(void *argument)
{
    sleeper *self = argument;

    /* What the thread knows of interrupts begins with its first call. */
    CHECK(!mproc_interrupted());
    fixture_step(self->board);
    self->first = wait_once(self, MPROC_FOREVER);
    self->more = mproc_interrupted();
    self->second = wait_once(self, 20);
}

static void case_interrupt_ends_one_wait_in_each_thread(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);
    sleeper sleepers[SLEEPERS];
    plat_thread *threads[SLEEPERS];
    int i;

    for (i = 0; i < SLEEPERS; i++) {
        sleepers[i] = (sleeper){.process = i % 2 ? process : NULL, .board = board};
        CHECK_OK(plat_thread_start(wait_twice, &sleepers[i], &threads[i]));
    }
    fixture_await_step(board, 1 + SLEEPERS);
    mproc_interrupt();
    for (i = 0; i < SLEEPERS; i++) plat_thread_join(threads[i]);
    for (i = 0; i < SLEEPERS; i++) {
        CHECK_STATUS(sleepers[i].first, MPROC_INTERRUPTED);
        CHECK(!sleepers[i].more);
        CHECK_STATUS(sleepers[i].second, i % 2 ? MPROC_TIMEOUT : MPROC_OK);
    }
    CHECK(mproc_interrupted());
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    fixture_board_free(board);
}

static void sleep_a_little(void *status)
{
    *(mproc_status *)status = mproc_sleep_ms(1);
}

static void case_later_threads_know_nothing_of_an_interrupt(void)
{
    mproc_status status = MPROC_SYSTEM;
    plat_thread *thread = NULL;

    mproc_interrupt();
    CHECK_OK(plat_thread_start(sleep_a_little, &status, &thread));
    plat_thread_join(thread);
    CHECK_OK(status);
    CHECK(mproc_interrupted());
}

/* ---- map -------------------------------------------------------------------------------------- */

/* So many items that nobody waits for the last: a map that is not interrupted overruns the case's limit. */
enum { ITEMS = 100000 };

static mproc_status takes_its_time(const void *item, void *result, mproc_call *call)
{
    fixture_board *board = arena_at(*(const uint64_t *)item);

    (void)result;
    (void)call;
    fixture_step(board);
    check_pause_ms(1);
    return MPROC_OK;
}

static void interrupts_at_the_first_item(void *argument)
{
    fixture_board *board = argument;

    fixture_await_step(board, 1);
    mproc_interrupt();
}

static void case_interrupt_ends_a_map(void)
{
    fixture_board *board = fixture_board_create();
    static uint64_t items[ITEMS];
    mproc_pool *pool = NULL;
    plat_thread *thread = NULL;
    int i;

    for (i = 0; i < ITEMS; i++) items[i] = arena_offset(board);
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool));
    CHECK_OK(plat_thread_start(interrupts_at_the_first_item, board, &thread));
    CHECK_STATUS(mproc_pool_map(pool, takes_its_time, items, sizeof items[0], NULL, 0, ITEMS,
                                &(mproc_map_options){.chunk_size = 1}),
                 MPROC_INTERRUPTED);
    plat_thread_join(thread);
    CHECK(!mproc_interrupted());
    CHECK(atomic_load(&board->step) < ITEMS);
    CHECK_OK(mproc_pool_map(pool, takes_its_time, items, sizeof items[0], NULL, 0, 4, NULL));
    mproc_pool_free(pool);
    fixture_board_free(board);
}

/* ---- another process -------------------------------------------------------------------------- */

static mproc_status is_interrupted_asleep(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    CHECK_OK(mproc_catch_interrupts());
    fixture_step(board);
    return mproc_sleep_ms(MPROC_FOREVER);
}

static void case_interrupted_child_that_returns_its_status_exits_with_1(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(is_interrupted_asleep, board, 0, NULL);

    fixture_await_step(board, 1);
    CHECK(mproc_process_is_alive(process));
    CHECK_OK(mproc_process_interrupt(process));
    CHECK_EXITED(process, 1);
    fixture_board_free(board);
}

static mproc_status polls(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    CHECK_OK(mproc_catch_interrupts());
    fixture_step(board);
    while (!mproc_interrupted()) continue;
    return MPROC_OK;
}

static void case_computing_child_can_ask(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(polls, board, 0, NULL);

    fixture_await_step(board, 1);
    CHECK_OK(mproc_process_interrupt(process));
    CHECK_EXITED(process, 0);
    fixture_board_free(board);
}

static mproc_status sleeps_at_once(mproc_call *call)
{
    (void)call;
    return mproc_sleep_ms(MPROC_FOREVER);
}

/* Without the signal, which would end it before it can say anything. */
static void case_interrupt_may_come_before_the_childs_first_call(void)
{
    mproc_process *process = fixture_start(sleeps_at_once, NULL, 0, NULL);

    interrupt_process(process->slot);
    CHECK_EXITED(process, 1);
}

static void case_interrupting_an_ended_child_is_fine(void)
{
    mproc_process *process = fixture_start(fixture_does_nothing, NULL, 0, NULL);

    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_OK(mproc_process_interrupt(process));
    CHECK_OK(mproc_process_terminate(process));
    CHECK_EXITED(process, 0);
}

CHECK_SUITE_SETUP(process_interrupt, fixture_setup,
    CASE(interrupt_ends_the_next_wait_once),
    CASE(sleep_lasts_its_time),
    CASE(interrupt_ends_one_wait_in_each_thread),
    CASE(later_threads_know_nothing_of_an_interrupt),
    CASE(interrupt_ends_a_map),
    CASE(interrupted_child_that_returns_its_status_exits_with_1),
    CASE(computing_child_can_ask),
    CASE(interrupt_may_come_before_the_childs_first_call),
    CASE(interrupting_an_ended_child_is_fine),
);
