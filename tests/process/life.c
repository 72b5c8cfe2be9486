/* mproc/process.h: a process from its creation to its end, and the objects of this process and its parent. */
#include "process_fixture.h"

#include <stdlib.h>

/* ---- this process ----------------------------------------------------------------------------- */

static void case_current_process_is_this_one(void)
{
    mproc_process *self = mproc_current_process();
    size_t size = 0;

    CHECK(self != NULL);
    CHECK(mproc_current_process() == self);
    CHECK_STRING(mproc_process_name(self), "MainProcess");
    CHECK(mproc_process_is_alive(self));
    CHECK(!mproc_process_daemon(self));
    CHECK(mproc_process_authkey(self, &size) != NULL);
    CHECK_EQ(size, 32);
    CHECK_EQ(mproc_process_pid(self), mproc_getpid());
    CHECK(mproc_getpid() > 0);
    CHECK_EQ(mproc_process_exit_status(self).kind, MPROC_EXIT_RUNNING);
}

static void case_first_process_has_no_parent(void)
{
    CHECK(mproc_parent_process() == NULL);
    CHECK(mproc_getppid() > 0);
}

static void case_current_process_ignores_free_and_close(void)
{
    mproc_process *self = mproc_current_process();

    mproc_process_free(self);
    CHECK_OK(mproc_process_close(self));
    CHECK(mproc_process_is_alive(self));
    mproc_process_free(NULL);
}

/* ---- birth and end ---------------------------------------------------------------------------- */

static void case_created_process_is_not_alive(void)
{
    mproc_process *process = fixture_create(fixture_does_nothing, NULL, 0, NULL);
    mproc_exit_status status = mproc_process_exit_status(process);

    CHECK(!mproc_process_is_alive(process));
    CHECK(!fixture_is_active(process));
    CHECK_EQ(mproc_process_pid(process), 0);
    CHECK_EQ(status.kind, MPROC_EXIT_NOT_STARTED);
    CHECK_EQ(status.code, MPROC_NO_EXIT_CODE);
    CHECK_EQ(status.signal, 0);
    mproc_process_free(process);
}

static mproc_status sees_its_own(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    mproc_process *self = mproc_current_process();
    size_t size = 0;
    const void *key = mproc_process_authkey(self, &size);

    atomic_store(&board->values[0], mproc_getpid());
    atomic_store(&board->values[1], mproc_process_pid(self));
    atomic_store(&board->values[2], (int64_t)size);
    atomic_store(&board->values[3], mproc_process_daemon(self));
    atomic_store(&board->values[4], mproc_process_is_alive(self));
    memcpy(board->text, key, size);
    snprintf(board->text + 512, 512, "%s", mproc_process_name(self));
    fixture_step(board);
    fixture_await_step(board, 2);
    return MPROC_OK;
}

static void case_started_process_runs_with_what_it_was_given(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_create(sees_its_own, board, 0, NULL);
    size_t size = 0;
    const void *key = mproc_process_authkey(mproc_current_process(), &size);

    CHECK_OK(mproc_process_start(process));
    CHECK(mproc_process_is_alive(process));
    CHECK(fixture_is_active(process));
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_RUNNING);
    fixture_await_step(board, 1);
    CHECK(mproc_process_is_alive(process));
    CHECK_EQ(atomic_load(&board->values[0]), mproc_process_pid(process));
    CHECK_EQ(atomic_load(&board->values[1]), mproc_process_pid(process));
    CHECK(atomic_load(&board->values[0]) != mproc_getpid());
    CHECK_EQ(atomic_load(&board->values[2]), size);
    CHECK_EQ(atomic_load(&board->values[3]), false);
    CHECK_EQ(atomic_load(&board->values[4]), true);
    CHECK(memcmp(board->text, key, size) == 0);
    CHECK_STRING(board->text + 512, mproc_process_name(process));
    fixture_step(board);
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_EXITED);
    CHECK_EQ(mproc_process_exit_status(process).code, 0);
    CHECK(!mproc_process_is_alive(process));
    CHECK(!fixture_is_active(process));
    mproc_process_free(process);
    fixture_board_free(board);
}

static void case_active_children_are_those_between_start_and_end(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *first = fixture_create(fixture_waits, board, 0, NULL);
    mproc_process *second = fixture_create(fixture_waits, board, 0, NULL);
    mproc_process *listed[1] = {NULL};
    size_t count = 0;

    CHECK_EQ(fixture_active_count(), 0);
    CHECK_OK(mproc_process_start(first));
    CHECK_EQ(fixture_active_count(), 1);
    CHECK_OK(mproc_process_start(second));
    CHECK(fixture_is_active(first) && fixture_is_active(second));
    CHECK_OK(mproc_active_children(listed, 1, &count));
    CHECK_EQ(count, 2);
    CHECK(listed[0] == first || listed[0] == second);
    CHECK_OK(mproc_process_kill(first));
    CHECK_OK(mproc_process_join(first, check_limit_ms()));
    CHECK(!fixture_is_active(first) && fixture_is_active(second));
    mproc_process_free(first);
    CHECK_OK(mproc_process_kill(second));
    CHECK_ENDED_BY(second, 9);
    CHECK_EQ(fixture_active_count(), 0);
    fixture_board_free(board);
}

/* ---- arguments -------------------------------------------------------------------------------- */

enum { MANY_BYTES = 5000001 };

static mproc_status sums_its_bytes(mproc_call *call)
{
    size_t size = 0;
    const unsigned char *bytes = mproc_call_bytes(call, &size);
    size_t i;

    CHECK_EQ(size, MANY_BYTES);
    CHECK((uintptr_t)bytes % 16 == 0);
    for (i = 0; i < size; i++) CHECK(bytes[i] == (unsigned char)(i * 7));
    return MPROC_OK;
}

static void case_arguments_arrive_as_they_were_at_creation(void)
{
    unsigned char *bytes = malloc(MANY_BYTES);
    mproc_process *process = NULL;
    size_t i;

    CHECK(bytes != NULL);
    for (i = 0; i < MANY_BYTES; i++) bytes[i] = (unsigned char)(i * 7);
    CHECK_OK(mproc_process_create(sums_its_bytes, mproc_bytes(bytes, MANY_BYTES), NULL, &process));
    memset(bytes, 0, MANY_BYTES);
    free(bytes);
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
}

static mproc_status has_no_arguments(mproc_call *call)
{
    size_t size = 1;
    char byte = 'x';

    CHECK(mproc_call_bytes(call, &size) == NULL);
    CHECK_EQ(size, 0);
    CHECK(mproc_call_bytes(call, NULL) == NULL);
    CHECK_OK(mproc_unpack_bytes(call, &byte, 0));
    CHECK_EQ(byte, 'x');
    return MPROC_OK;
}

static void case_no_arguments_are_none(void)
{
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(has_no_arguments, mproc_no_args(), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
}

static mproc_status unpacks_wrongly(mproc_call *call)
{
    char bytes[sizeof(fixture_args) + 1] = "unchanged";

    CHECK_SAYS(mproc_unpack_bytes(call, bytes, sizeof bytes), MPROC_INVALID, "wants 17");
    CHECK_CONTAINS(mproc_last_error_text(), "16 argument bytes");
    CHECK_CONTAINS(mproc_last_error_text(), "unpacker");
    CHECK_STRING(bytes, "unchanged");
    CHECK_SAYS(mproc_unpack_bytes(call, NULL, sizeof(fixture_args)), MPROC_INVALID, "NULL");
    return MPROC_OK;
}

static void case_unpacking_another_size_is_refused(void)
{
    CHECK_EXITED(fixture_start(unpacks_wrongly, NULL, 0, &(mproc_process_options){.name = "unpacker"}), 0);
}

static void case_run_calls_the_function_here(void)
{
    mproc_process *process = fixture_create(fixture_returns, NULL, MPROC_USER + 3, NULL);

    CHECK_STATUS(mproc_process_run(process), (mproc_status)(MPROC_USER + 3));
    CHECK_CONTAINS(mproc_last_error_text(), "the task returns 1003");
    CHECK_STATUS(mproc_process_run(process), (mproc_status)(MPROC_USER + 3));
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_NOT_STARTED);
    CHECK_OK(mproc_process_start(process));
    CHECK_SAYS(mproc_process_run(process), MPROC_BAD_STATE, "has got its arguments");
    CHECK_EXITED(process, 1);
}

/* ---- parents ---------------------------------------------------------------------------------- */

static mproc_status sees_its_parent(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    mproc_process *parent = mproc_parent_process();
    intptr_t sentinel = -1;

    CHECK(parent != NULL);
    CHECK(mproc_process_is_alive(parent));
    CHECK_EQ(mproc_process_exit_status(parent).kind, MPROC_EXIT_RUNNING);
    CHECK_OK(mproc_process_sentinel(parent, &sentinel));
    CHECK_EQ(mproc_process_pid(parent), mproc_getppid());
    CHECK_STATUS(mproc_process_join(parent, 0), MPROC_TIMEOUT);
    CHECK_SAYS(mproc_process_terminate(parent), MPROC_NOT_OWNER, mproc_process_name(parent));
    CHECK_SAYS(mproc_process_kill(parent), MPROC_NOT_OWNER, "killed");
    CHECK_SAYS(mproc_process_interrupt(parent), MPROC_NOT_OWNER, "interrupted");
    CHECK_SAYS(mproc_process_start(parent), MPROC_BAD_STATE, mproc_process_name(parent));
    CHECK_STATUS(mproc_process_run(parent), MPROC_BAD_STATE);
    mproc_process_free(parent);
    atomic_store(&board->values[0], mproc_process_pid(parent));
    snprintf(board->text, sizeof board->text, "%s", mproc_process_name(parent));
    return MPROC_OK;
}

static void case_child_knows_its_parent(void)
{
    fixture_board *board = fixture_board_create();

    CHECK_OK(mproc_process_set_name(mproc_current_process(), "the parent"));
    CHECK_EXITED(fixture_start(sees_its_parent, board, 0, NULL), 0);
    CHECK_EQ(atomic_load(&board->values[0]), mproc_getpid());
    CHECK_STRING(board->text, "the parent");
    fixture_board_free(board);
}

static mproc_status outlives_its_parent(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    mproc_process *parent = mproc_parent_process();

    CHECK(mproc_process_is_alive(parent));
    fixture_step(board);
    CHECK_OK(mproc_process_join(parent, check_limit_ms()));
    CHECK(!mproc_process_is_alive(parent));
    CHECK_OK(mproc_process_join(parent, 0));
    CHECK_EQ(mproc_process_exit_status(parent).kind, MPROC_EXIT_LOST);
    CHECK_EQ(mproc_getppid(), mproc_process_pid(parent));
    fixture_step(board);
    return MPROC_OK;
}

static mproc_status has_a_child_and_waits(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_start(outlives_its_parent, board, 0, NULL);
    for (;;) CHECK_OK(mproc_sleep_ms(MPROC_FOREVER));
    return MPROC_OK;
}

static void case_grandchild_sees_the_end_of_its_parent(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *middle = fixture_start(has_a_child_and_waits, board, 0, NULL);

    fixture_await_step(board, 1);
    CHECK_OK(mproc_process_terminate(middle));
    CHECK_ENDED_BY(middle, 15);
    fixture_await_step(board, 2);
    fixture_board_free(board);
}

/* ---- ending it -------------------------------------------------------------------------------- */

static void end_a_waiting_child(mproc_status (*end)(mproc_process *), int signal)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);

    fixture_await_step(board, 1);
    CHECK_SAYS(mproc_process_join(process, 0), MPROC_TIMEOUT, "still runs");
    CHECK_CONTAINS(mproc_last_error_text(), mproc_process_name(process));
    CHECK_STATUS(mproc_process_join(process, 0), MPROC_TIMEOUT);
    CHECK(mproc_process_is_alive(process));
    CHECK_OK(end(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_SIGNALLED);
    CHECK_EQ(mproc_process_exit_status(process).signal, signal);
    CHECK(!fixture_is_active(process));
    CHECK_OK(mproc_process_join(process, 0));
    CHECK_OK(end(process));
    CHECK_ENDED_BY(process, signal);
    fixture_board_free(board);
}

static void case_terminate_ends_a_child(void)
{
    end_a_waiting_child(mproc_process_terminate, 15);
}

static void case_kill_ends_a_child(void)
{
    end_a_waiting_child(mproc_process_kill, 9);
}

enum { MANY = 8, CROWD = 100 };

static mproc_status meets_others(mproc_call *call)
{
    int64_t number;
    fixture_board *board = fixture_unpack(call, &number);

    fixture_step(board);
    fixture_await_step(board, (uint32_t)number);
    return MPROC_OK;
}

/* More than have their slots on the arena's first pages. */
static void case_many_children_are_alive_at_once(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *processes[CROWD];
    int count = check_many(CROWD, 40);
    int i;

    for (i = 0; i < count; i++) processes[i] = fixture_start(meets_others, board, count, NULL);
    for (i = 0; i < count; i++) CHECK_EXITED(processes[i], 0);
    fixture_board_free(board);
}

static void case_many_children_end_by_themselves(void)
{
    mproc_process *processes[MANY];
    int i;

    for (i = 0; i < MANY; i++) processes[i] = fixture_start(fixture_exits, NULL, i, NULL);
    for (i = 0; i < MANY; i++) CHECK_EXITED(processes[i], i);
    CHECK_EQ(fixture_active_count(), 0);
}

/* Some have not read their spawn data, some not begun main(), when they are ended. */
static void case_many_children_are_ended_right_after_their_start(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *processes[MANY];
    int i;

    for (i = 0; i < MANY; i++) processes[i] = fixture_start(fixture_waits, board, 0, NULL);
    for (i = 0; i < MANY; i++) CHECK_OK(mproc_process_terminate(processes[i]));
    for (i = 0; i < MANY; i++) CHECK_ENDED_BY(processes[i], 15);
    for (i = 0; i < MANY; i++) {
        processes[0] = fixture_start(fixture_waits, board, 0, NULL);
        CHECK_OK(mproc_process_kill(processes[0]));
        CHECK_ENDED_BY(processes[0], 9);
    }
    fixture_board_free(board);
}

static void case_freed_child_goes_on(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);
    int64_t pid = mproc_process_pid(process);

    CHECK(fixture_is_active(process));
    mproc_process_free(process);
    CHECK_EQ(fixture_active_count(), 0);
    fixture_await_step(board, 1);
    fixture_kill(pid);
    CHECK_OK(mproc_shutdown(check_limit_ms()));
    CHECK(fixture_is_gone(pid));
    fixture_board_free(board);
}

/* ---- closing ---------------------------------------------------------------------------------- */

static void case_close_gives_up_the_handles(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.name = "closed one"});
    intptr_t handle = -1;

    fixture_await_step(board, 1);
    CHECK_SAYS(mproc_process_close(process), MPROC_BAD_STATE, "'closed one'");
    CHECK_CONTAINS(mproc_last_error_text(), "still runs");
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_OK(mproc_process_close(process));
    CHECK_OK(mproc_process_close(process));
    CHECK(!mproc_process_is_alive(process));
    CHECK_SAYS(mproc_process_join(process, 0), MPROC_BAD_STATE, "'closed one' was closed");
    CHECK_SAYS(mproc_process_terminate(process), MPROC_BAD_STATE, "was closed");
    CHECK_SAYS(mproc_process_kill(process), MPROC_BAD_STATE, "was closed");
    CHECK_SAYS(mproc_process_interrupt(process), MPROC_BAD_STATE, "was closed");
    CHECK_SAYS(mproc_process_start(process), MPROC_BAD_STATE, "was closed");
    CHECK_SAYS(mproc_process_run(process), MPROC_BAD_STATE, "closed");
    CHECK_SAYS(mproc_process_sentinel(process, &handle), MPROC_BAD_STATE, "was closed");
    CHECK_EQ(handle, -1);
    CHECK_EQ(mproc_process_pid(process), 0);
    CHECK_STRING(mproc_process_name(process), "closed one");
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_SIGNALLED);
    CHECK_EQ(mproc_process_exit_status(process).signal, 9);
    mproc_process_free(process);
    fixture_board_free(board);
}

static void case_process_that_was_not_started_can_be_closed(void)
{
    mproc_process *process = fixture_create(fixture_does_nothing, NULL, 0, NULL);

    CHECK_OK(mproc_process_close(process));
    CHECK_SAYS(mproc_process_start(process), MPROC_BAD_STATE, "was closed");
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_NOT_STARTED);
    mproc_process_free(process);
}

/* ---- the sentinel ----------------------------------------------------------------------------- */

static void case_sentinel_is_ready_when_the_process_has_ended(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_create(fixture_waits, board, 0, NULL);
    intptr_t sentinel = -1;
    int ready = -1;

    CHECK_SAYS(mproc_process_sentinel(process, &sentinel), MPROC_BAD_STATE, "was not started");
    CHECK_SAYS(mproc_process_sentinel(mproc_current_process(), &sentinel), MPROC_BAD_STATE, "current process");
    CHECK_EQ(sentinel, -1);
    CHECK_OK(mproc_process_start(process));
    CHECK_SAYS(mproc_process_sentinel(process, NULL), MPROC_INVALID, "NULL");
    CHECK_OK(mproc_process_sentinel(process, &sentinel));
    fixture_await_step(board, 1);
    CHECK_STATUS(plat_handle_wait(&sentinel, 1, 0, &ready), MPROC_TIMEOUT);
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(plat_handle_wait(&sentinel, 1, plat_clock_now_ns() + check_limit_ms() * 1000000, &ready));
    CHECK_ENDED_BY(process, 9);
    fixture_board_free(board);
}

CHECK_SUITE_SETUP(process_life, fixture_setup,
    CASE(current_process_is_this_one),
    CASE(first_process_has_no_parent),
    CASE(current_process_ignores_free_and_close),
    CASE(created_process_is_not_alive),
    CASE(started_process_runs_with_what_it_was_given),
    CASE(active_children_are_those_between_start_and_end),
    CASE(arguments_arrive_as_they_were_at_creation),
    CASE(no_arguments_are_none),
    CASE(unpacking_another_size_is_refused),
    CASE(run_calls_the_function_here),
    CASE(child_knows_its_parent),
    CASE(grandchild_sees_the_end_of_its_parent),
    CASE(terminate_ends_a_child),
    CASE(kill_ends_a_child),
    CASE_LIMIT(many_children_are_alive_at_once, 60),
    CASE(many_children_end_by_themselves),
    CASE(many_children_are_ended_right_after_their_start),
    CASE(freed_child_goes_on),
    CASE(close_gives_up_the_handles),
    CASE(process_that_was_not_started_can_be_closed),
    CASE(sentinel_is_ready_when_the_process_has_ended),
);
