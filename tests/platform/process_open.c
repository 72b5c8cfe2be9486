/* platform.h, process.c: processes that are known by their number. */
#include "platform_fixture.h"

#include <stdio.h>

/* More than the steps in which systems record births. */
enum { BIRTH_STEP_MS = 50 };

static int helper_stays(const char *text)
{
    plat_handle handles[4];

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    plat_event_set(handles[0]);
    for (;;) check_pause_ms(1000);
    return 0;
}

static int helper_returns(const char *text)
{
    plat_handle handles[4];

    return atoi(platform_handles(text, handles));
}

static void start_stayer(plat_process *process)
{
    plat_handle there;
    int ready = -1;

    CHECK_OK(plat_event_create(&there));
    platform_start("process_open.stays", "", there, process);
    CHECK_OK(plat_handle_wait(&there, 1, platform_limit_ns(), &ready));
    plat_handle_close(there);
}

static void case_own_id_is_alive(void)
{
    plat_handle self;
    int ready = -1;

    CHECK(plat_process_id() > 0);
    CHECK(plat_process_id() != plat_process_parent_id());
    CHECK(plat_process_alive(plat_process_id(), plat_clock_birth_ns()));
    CHECK(plat_process_alive(plat_process_parent_id(), plat_clock_birth_ns()));
    CHECK_OK(plat_process_open(plat_process_id(), plat_clock_birth_ns(), &self));
    CHECK_STATUS(plat_handle_wait(&self, 1, 0, &ready), MPROC_TIMEOUT);
    plat_handle_close(self);
}

static int helper_tells_ids(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    atomic_store(&board->values[0], plat_process_id());
    atomic_store(&board->values[1], plat_process_parent_id());
    return 0;
}

static void case_ids_agree_between_parent_and_child(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process process;
    int64_t pid;

    platform_start("process_open.tells_ids", "", memory, &process);
    pid = process.pid;
    CHECK_EXITS(&process, 0);
    CHECK_EQ(atomic_load(&board->values[0]), pid);
    CHECK_EQ(atomic_load(&board->values[1]), plat_process_id());
    platform_board_drop(board, memory);
}

static void case_opened_process_becomes_ready_at_its_end(void)
{
    plat_process process;
    plat_handle opened;
    int ready = -1;

    start_stayer(&process);
    CHECK_OK(plat_process_open(process.pid, plat_clock_birth_ns(), &opened));
    CHECK(!os_handle_is_inheritable(opened));
    CHECK_STATUS(plat_handle_wait(&opened, 1, 0, &ready), MPROC_TIMEOUT);
    CHECK_OK(plat_process_kill(&process));
    CHECK_OK(plat_handle_wait(&opened, 1, platform_limit_ns(), &ready));
    CHECK_SIGNALLED(&process, 9);
    CHECK_OK(plat_handle_wait(&opened, 1, 0, &ready));
    plat_handle_close(opened);
}

static void case_process_born_later_is_another(void)
{
    plat_process process;
    plat_handle opened = PLAT_NO_HANDLE;
    int64_t before = plat_clock_birth_ns();

    check_pause_ms(BIRTH_STEP_MS);
    start_stayer(&process);
    CHECK_REFUSED(plat_process_open(process.pid, before, &opened), MPROC_NOT_FOUND);
    CHECK_EQ(opened, PLAT_NO_HANDLE);
    CHECK(!plat_process_alive(process.pid, before));
    CHECK(plat_process_alive(process.pid, plat_clock_birth_ns()));
    CHECK_OK(plat_process_kill(&process));
    CHECK_SIGNALLED(&process, 9);
}

/* What is asked right after the start must be right too, in spite of the steps. */
static void case_process_just_born_is_found(void)
{
    plat_handle opened;
    plat_process process;
    int i;

    for (i = 0; i < 20; i++) {
        platform_start("process_open.returns", "0", PLAT_NO_HANDLE, &process);
        if (plat_process_open(process.pid, plat_clock_birth_ns(), &opened) == MPROC_OK) plat_handle_close(opened);
        /* It may have ended meanwhile; then its own handle says so too. */
        else CHECK_OK(plat_handle_wait(&process.handle, 1, 0, &(int){0}));
        CHECK_EXITS(&process, 0);
    }
}

static void case_ended_process_is_not_found(void)
{
    plat_handle opened = PLAT_NO_HANDLE;
    plat_process process;
    int64_t pid;
    int ready = -1;

    platform_start("process_open.returns", "0", PLAT_NO_HANDLE, &process);
    pid = process.pid;
    CHECK_OK(plat_handle_wait(&process.handle, 1, platform_limit_ns(), &ready));
    /* Nobody has collected it yet: it has ended all the same. */
    CHECK(!plat_process_alive(pid, plat_clock_birth_ns()));
    CHECK_REFUSED(plat_process_open(pid, plat_clock_birth_ns(), &opened), MPROC_NOT_FOUND);
    CHECK_EXITS(&process, 0);
    CHECK(!plat_process_alive(pid, plat_clock_birth_ns()));
    CHECK_REFUSED(plat_process_open(pid, plat_clock_birth_ns(), &opened), MPROC_NOT_FOUND);
    CHECK_EQ(opened, PLAT_NO_HANDLE);
}

static void case_absurd_ids_are_not_found(void)
{
    static const int64_t ids[] = {0, -1, INT32_MIN, INT32_MAX, INT64_MAX, INT64_MIN, INT64_C(1) << 32};
    plat_handle opened = PLAT_NO_HANDLE;
    size_t i;

    for (i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        CHECK(!plat_process_alive(ids[i], plat_clock_birth_ns()));
        CHECK_REFUSED(plat_process_open(ids[i], plat_clock_birth_ns(), &opened), MPROC_NOT_FOUND);
    }
    CHECK_EQ(opened, PLAT_NO_HANDLE);
}

/* A grandchild: no child of this process. */
static int helper_starts_one(const char *text)
{
    plat_handle handles[4];
    platform_board *board;
    plat_process process;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    start_stayer(&process);
    atomic_store(&board->values[0], process.pid);
    atomic_store(&board->step, 1);
    platform_await_step(board, 2);
    CHECK_OK(plat_process_kill(&process));
    CHECK_SIGNALLED(&process, 9);
    return 0;
}

static void case_opens_what_is_no_child(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_process process;
    plat_handle opened;
    int ready = -1;

    platform_start("process_open.starts_one", "", memory, &process);
    platform_await_step(board, 1);
    CHECK(plat_process_alive(atomic_load(&board->values[0]), plat_clock_birth_ns()));
    CHECK_OK(plat_process_open(atomic_load(&board->values[0]), plat_clock_birth_ns(), &opened));
    atomic_store(&board->step, 2);
    CHECK_OK(plat_handle_wait(&opened, 1, platform_limit_ns(), &ready));
    CHECK_EXITS(&process, 0);
    plat_handle_close(opened);
    platform_board_drop(board, memory);
}

CHECK_SUITE(process_open,
    CASE(own_id_is_alive),
    CASE(ids_agree_between_parent_and_child),
    CASE(opened_process_becomes_ready_at_its_end),
    CASE(process_born_later_is_another),
    CASE(process_just_born_is_found),
    CASE(ended_process_is_not_found),
    CASE(absurd_ids_are_not_found),
    CASE(opens_what_is_no_child),
    HELPER(stays),
    HELPER(returns),
    HELPER(tells_ids),
    HELPER(starts_one),
);
