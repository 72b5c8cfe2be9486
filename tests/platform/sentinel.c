/*
 * platform.h, sentinel.c: how a child knows that its parent has ended, however it did.
 *
 * In these cases the case's process starts a "middle" process, which starts a "last" one with a sentinel; then the
 * middle one is killed. All three share a board.
 */
#include "platform_fixture.h"

#include <stdio.h>

/* What the last process writes to the board: values[0]. */
enum { SAW_NOTHING = 0, SAW_PARENT_LIVE = 1, SAW_PARENT_END = 2 };

static void case_holds_what_the_system_needs(void)
{
    plat_handle parent_end = 0;
    plat_handle child_end = 0;
    int ready = -1;

    CHECK_OK(plat_sentinel_create(&parent_end, &child_end));
    CHECK(child_end != PLAT_NO_HANDLE);
    CHECK_STATUS(plat_handle_wait(&child_end, 1, 0, &ready), MPROC_TIMEOUT);
    CHECK(!os_handle_is_inheritable(child_end));
    if (parent_end != PLAT_NO_HANDLE) CHECK(!os_handle_is_inheritable(parent_end));
    plat_handle_close(parent_end);
    plat_handle_close(child_end);
}

/* Starts a helper with the board and a new sentinel; the text is passed on. */
static void start_with_sentinel(const char *helper, const char *text, plat_handle memory, bool daemon,
                                plat_process *process)
{
    plat_handle parent_end;
    plat_handle child_end;
    platform_call call;

    CHECK_OK(plat_sentinel_create(&parent_end, &child_end));
    platform_call_init(&call, helper, text);
    call.start.handles[0] = memory;
    call.start.handles[1] = child_end;
    call.start.daemon = daemon;
    CHECK_OK(plat_process_start(&call.start, process));
    plat_handle_close(child_end);
}

/* ---- watching --------------------------------------------------------------------------------- */

static int helper_watches(const char *text)
{
    plat_handle handles[4];
    platform_board *board;
    int ready = -1;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    CHECK_OK(plat_handle_adopt(handles[1]));
    if (plat_handle_wait(&handles[1], 1, 0, &ready) == MPROC_TIMEOUT)
        atomic_store(&board->values[0], SAW_PARENT_LIVE);
    atomic_store(&board->step, 1);
    CHECK_OK(plat_handle_wait(&handles[1], 1, platform_limit_ns(), &ready));
    atomic_store(&board->values[0], SAW_PARENT_END);
    atomic_store(&board->step, 2);
    return 0;
}

/* Stays until the board's word is 1, so that it can be let go after its parent has been killed. */
static bool word_is_set(void *board)
{
    return atomic_load(&((platform_board *)board)->word) == 1;
}

static int helper_stays_until_told(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    atomic_fetch_add(&board->values[1], 1);
    CHECK_WAIT_UNTIL(word_is_set, board);
    return 0;
}

static bool sibling_is_there(void *board)
{
    return atomic_load(&((platform_board *)board)->values[1]) == 1;
}

static int stay(void)
{
    for (;;) check_pause_ms(1000);
    return 0;
}

/* Starts the watcher and then a sibling of it, which must not keep the parent alive in the watcher's eyes. */
static int helper_holds(const char *text)
{
    plat_handle handles[4];
    plat_process last;
    plat_process sibling;

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    start_with_sentinel("sentinel.watches", "", handles[0], false, &last);
    platform_start("sentinel.stays_until_told", "", handles[0], &sibling);
    return stay();
}

static void case_is_ready_when_the_parent_was_killed(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process middle;

    platform_start("sentinel.holds", "", memory, &middle);
    platform_await_step(board, 1);
    CHECK_EQ(atomic_load(&board->values[0]), SAW_PARENT_LIVE);
    CHECK_WAIT_UNTIL(sibling_is_there, board);
    CHECK_OK(plat_process_kill(&middle));
    CHECK_SIGNALLED(&middle, 9);
    platform_await_step(board, 2);
    CHECK_EQ(atomic_load(&board->values[0]), SAW_PARENT_END);
    atomic_store(&board->word, 1);
    platform_board_drop(board, memory);
}

/* As holds, but ends by itself when the board's word is set. */
static int helper_holds_and_exits(const char *text)
{
    plat_handle handles[4];
    plat_process last;
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    start_with_sentinel("sentinel.watches", "", handles[0], false, &last);
    CHECK_WAIT_UNTIL(word_is_set, board);
    return 0;
}

static void case_is_ready_when_the_parent_has_exited(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process middle;

    platform_start("sentinel.holds_and_exits", "", memory, &middle);
    platform_await_step(board, 1);
    CHECK_EQ(atomic_load(&board->values[0]), SAW_PARENT_LIVE);
    atomic_store(&board->word, 1);
    CHECK_EXITS(&middle, 0);
    platform_await_step(board, 2);
    platform_board_drop(board, memory);
}

/* ---- daemons ---------------------------------------------------------------------------------- */

/* Arms and stays, which it would do long after the case. */
static int helper_is_armed(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    CHECK_OK(plat_handle_adopt(handles[1]));
    CHECK_OK(plat_sentinel_arm(handles[1]));
    atomic_store(&board->values[2], plat_process_id());
    atomic_store(&board->step, 1);
    return stay();
}

static int helper_starts_a_daemon(const char *text)
{
    plat_handle handles[4];
    plat_process last;

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    start_with_sentinel("sentinel.is_armed", "", handles[0], true, &last);
    return stay();
}

static void case_daemon_is_ended_when_its_parent_was_killed(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process middle;
    plat_handle last;
    int ready = -1;

    platform_start("sentinel.starts_a_daemon", "", memory, &middle);
    platform_await_step(board, 1);
    CHECK_OK(plat_process_open(atomic_load(&board->values[2]), plat_clock_birth_ns(), &last));
    CHECK_STATUS(plat_handle_wait(&last, 1, 0, &ready), MPROC_TIMEOUT);
    CHECK_OK(plat_process_kill(&middle));
    CHECK_SIGNALLED(&middle, 9);
    CHECK_OK(plat_handle_wait(&last, 1, platform_limit_ns(), &ready));
    plat_handle_close(last);
    platform_board_drop(board, memory);
}

/* The end of a daemon takes its own daemons along. */
static int helper_is_armed_and_starts_a_daemon(const char *text)
{
    plat_handle handles[4];
    plat_process last;

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    CHECK_OK(plat_handle_adopt(handles[1]));
    CHECK_OK(plat_sentinel_arm(handles[1]));
    start_with_sentinel("sentinel.is_armed", "", handles[0], true, &last);
    return stay();
}

static int helper_starts_two_generations(const char *text)
{
    plat_handle handles[4];
    plat_process next;

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    start_with_sentinel("sentinel.is_armed_and_starts_a_daemon", "", handles[0], true, &next);
    return stay();
}

static void case_daemons_of_daemons_are_ended_too(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process first;
    plat_handle last;
    int ready = -1;

    platform_start("sentinel.starts_two_generations", "", memory, &first);
    platform_await_step(board, 1);
    CHECK_OK(plat_process_open(atomic_load(&board->values[2]), plat_clock_birth_ns(), &last));
    CHECK_OK(plat_process_kill(&first));
    CHECK_SIGNALLED(&first, 9);
    CHECK_OK(plat_handle_wait(&last, 1, platform_limit_ns(), &ready));
    plat_handle_close(last);
    platform_board_drop(board, memory);
}

/* A child that is no daemon lives on when its parent's daemons are ended with it. */
static int helper_starts_one_of_each(const char *text)
{
    plat_handle handles[4];
    plat_process process;

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    start_with_sentinel("sentinel.is_armed", "", handles[0], true, &process);
    platform_start("sentinel.outlives", "", handles[0], &process);
    return stay();
}

/* Says that it is there, and after the word that it still is. */
static int helper_outlives(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    atomic_store(&board->values[1], 1);
    CHECK_WAIT_UNTIL(word_is_set, board);
    atomic_store(&board->step, 3);
    return 0;
}

static void case_other_children_live_on(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process middle;
    plat_handle daemon;
    int ready = -1;

    platform_start("sentinel.starts_one_of_each", "", memory, &middle);
    platform_await_step(board, 1);
    CHECK_WAIT_UNTIL(sibling_is_there, board);
    CHECK_OK(plat_process_open(atomic_load(&board->values[2]), plat_clock_birth_ns(), &daemon));
    CHECK_OK(plat_process_kill(&middle));
    CHECK_SIGNALLED(&middle, 9);
    CHECK_OK(plat_handle_wait(&daemon, 1, platform_limit_ns(), &ready));
    atomic_store(&board->word, 1);
    platform_await_step(board, 3);
    plat_handle_close(daemon);
    platform_board_drop(board, memory);
}

/* ---- threads ---------------------------------------------------------------------------------- */

static plat_handle daemon_memory;
static plat_process daemon_process;
static plat_handle daemon_parent_end;

static void start_daemon(void *unused)
{
    plat_handle child_end;
    platform_call call;

    (void)unused;
    CHECK_OK(plat_sentinel_create(&daemon_parent_end, &child_end));
    platform_call_init(&call, "sentinel.is_armed", "");
    call.start.handles[0] = daemon_memory;
    call.start.handles[1] = child_end;
    CHECK_OK(plat_process_start(&call.start, &daemon_process));
    plat_handle_close(child_end);
}

/* Not so with the system's simpler ways, which watch the thread that started the child. */
static void case_daemon_outlives_the_thread_that_started_it(void)
{
    platform_board *board = platform_board_create(&daemon_memory);
    plat_thread *thread;
    int ready = -1;

    CHECK_OK(plat_thread_start(start_daemon, NULL, &thread));
    plat_thread_join(thread);
    platform_await_step(board, 1);
    CHECK_STATUS(plat_handle_wait(&daemon_process.handle, 1, platform_in_ms(50), &ready), MPROC_TIMEOUT);
    CHECK_OK(plat_process_kill(&daemon_process));
    CHECK_SIGNALLED(&daemon_process, 9);
    plat_handle_close(daemon_parent_end);
    platform_board_drop(board, daemon_memory);
}

CHECK_SUITE(sentinel,
    CASE(holds_what_the_system_needs),
    CASE(is_ready_when_the_parent_was_killed),
    CASE(is_ready_when_the_parent_has_exited),
    CASE(daemon_is_ended_when_its_parent_was_killed),
    CASE(daemons_of_daemons_are_ended_too),
    CASE(other_children_live_on),
    CASE(daemon_outlives_the_thread_that_started_it),
    HELPER(watches),
    HELPER(stays_until_told),
    HELPER(holds),
    HELPER(holds_and_exits),
    HELPER(is_armed),
    HELPER(starts_a_daemon),
    HELPER(is_armed_and_starts_a_daemon),
    HELPER(starts_two_generations),
    HELPER(starts_one_of_each),
    HELPER(outlives),
);
