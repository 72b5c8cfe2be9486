/* mproc/process.h: waiting for processes from several threads at once. The suite for ThreadSanitizer, too. */
#include "process_fixture.h"

#include <stdlib.h>

enum { THREADS = 6, ROUNDS = 8, PER_ROUND = 4 };

/* What one thread of a case does and saw. */
typedef struct joiner {
    mproc_process *process;
    int64_t timeout_ms;
    mproc_status status;
    mproc_exit_status exit;
    char text[200];
} joiner;

static void join_it(void *argument)
{
    joiner *self = argument;

    self->status = mproc_process_join(self->process, self->timeout_ms);
    self->exit = mproc_process_exit_status(self->process);
    snprintf(self->text, sizeof self->text, "%s", mproc_last_error_text());
}

static void run_all(void (*function)(void *), void *arguments, size_t size, int count)
{
    plat_thread *threads[THREADS];
    int i;

    CHECK(count <= THREADS);
    for (i = 0; i < count; i++)
        CHECK_OK(plat_thread_start(function, (char *)arguments + (size_t)i * size, &threads[i]));
    for (i = 0; i < count; i++) plat_thread_join(threads[i]);
}

static mproc_status waits_and_exits(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_step(board);
    fixture_await_step(board, 2);
    exit(42);
}

static void releases(void *board)
{
    fixture_await_step(board, 1);
    fixture_step(board);
}

static void case_all_joining_threads_learn_the_same_status(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(waits_and_exits, board, 0, NULL);
    joiner joiners[THREADS];
    plat_thread *releaser = NULL;
    int i;

    for (i = 0; i < THREADS; i++) joiners[i] = (joiner){.process = process, .timeout_ms = MPROC_FOREVER};
    CHECK_OK(plat_thread_start(releases, board, &releaser));
    run_all(join_it, joiners, sizeof joiners[0], THREADS);
    plat_thread_join(releaser);
    for (i = 0; i < THREADS; i++) {
        CHECK_STATUS(joiners[i].status, MPROC_OK);
        CHECK_EQ(joiners[i].exit.kind, MPROC_EXIT_EXITED);
        CHECK_EQ(joiners[i].exit.code, 42);
    }
    CHECK_EXITED(process, 42);
    fixture_board_free(board);
}

static void case_each_thread_times_out_by_itself(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, &(mproc_process_options){.name = "waiting"});
    joiner joiners[THREADS];
    int i;

    fixture_await_step(board, 1);
    for (i = 0; i < THREADS; i++) joiners[i] = (joiner){.process = process, .timeout_ms = i % 2 ? 30 : 0};
    run_all(join_it, joiners, sizeof joiners[0], THREADS);
    for (i = 0; i < THREADS; i++) {
        CHECK_STATUS(joiners[i].status, MPROC_TIMEOUT);
        CHECK_EQ(joiners[i].exit.kind, MPROC_EXIT_RUNNING);
        CHECK_CONTAINS(joiners[i].text, i % 2 ? "still runs after 30 ms" : "still runs after 0 ms");
        CHECK_CONTAINS(joiners[i].text, "'waiting'");
    }
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    fixture_board_free(board);
}

/* ---- everything at once ----------------------------------------------------------------------- */

static void start_and_join_own(void *argument)
{
    int thread = *(int *)argument;
    int i;
    int round;

    for (round = 0; round < check_many(ROUNDS, ROUNDS / 4); round++) {
        mproc_process *processes[PER_ROUND];
        for (i = 0; i < PER_ROUND; i++) {
            processes[i] = fixture_start(fixture_exits, NULL, (thread * 31 + round * 7 + i) % 200, NULL);
            mproc_process_is_alive(processes[i]);
        }
        fixture_active_count();
        for (i = 0; i < PER_ROUND; i++) CHECK_EXITED(processes[i], (thread * 31 + round * 7 + i) % 200);
    }
}

static void case_threads_start_and_join_processes_of_their_own(void)
{
    int numbers[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) numbers[i] = i;
    run_all(start_and_join_own, numbers, sizeof numbers[0], THREADS);
    CHECK_EQ(fixture_active_count(), 0);
}

/* One process at a time, whose object all threads use in all ways at once. */
typedef struct meeting {
    mproc_process *process;
    _Atomic int starts;
    _Atomic int kills;
} meeting;

static void use_it_in_all_ways(void *argument)
{
    meeting *shared = *(meeting **)argument;
    intptr_t sentinel = -1;
    mproc_status status = mproc_process_start(shared->process);

    if (status == MPROC_OK) atomic_fetch_add(&shared->starts, 1);
    else CHECK_STATUS(status, MPROC_BAD_STATE);
    CHECK(mproc_process_name(shared->process) != NULL);
    CHECK(mproc_process_pid(shared->process) > 0);
    CHECK_OK(mproc_process_sentinel(shared->process, &sentinel));
    mproc_process_is_alive(shared->process);
    status = mproc_process_join(shared->process, 0);
    CHECK(status == MPROC_OK || status == MPROC_TIMEOUT);
    if (mproc_process_kill(shared->process) == MPROC_OK) atomic_fetch_add(&shared->kills, 1);
    CHECK_OK(mproc_process_join(shared->process, MPROC_FOREVER));
    CHECK(!mproc_process_is_alive(shared->process));
    CHECK_EQ(mproc_process_exit_status(shared->process).signal, 9);
    fixture_active_count();
}

static void case_threads_use_the_same_process_at_once(void)
{
    fixture_board *board = fixture_board_create();
    meeting shared;
    meeting *arguments[THREADS];
    int round;
    int i;

    for (i = 0; i < THREADS; i++) arguments[i] = &shared;
    for (round = 0; round < ROUNDS; round++) {
        shared.process = fixture_create(fixture_waits, board, 0, NULL);
        atomic_init(&shared.starts, 0);
        atomic_init(&shared.kills, 0);
        run_all(use_it_in_all_ways, arguments, sizeof arguments[0], THREADS);
        CHECK_EQ(atomic_load(&shared.starts), 1);
        CHECK_EQ(atomic_load(&shared.kills), THREADS);
        mproc_process_free(shared.process);
    }
    fixture_board_free(board);
}

/* ---- closing under a joiner ------------------------------------------------------------------- */

static void case_process_is_closed_while_others_join(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(fixture_waits, board, 0, NULL);
    joiner joiners[3];
    plat_thread *threads[3];
    int i;

    fixture_await_step(board, 1);
    for (i = 0; i < 3; i++) {
        joiners[i] = (joiner){.process = process, .timeout_ms = MPROC_FOREVER};
        CHECK_OK(plat_thread_start(join_it, &joiners[i], &threads[i]));
    }
    CHECK_OK(mproc_process_kill(process));
    while (mproc_process_close(process) != MPROC_OK) check_pause_ms(1);
    for (i = 0; i < 3; i++) plat_thread_join(threads[i]);
    for (i = 0; i < 3; i++) {
        /* A thread that came after the close was told so. */
        CHECK(joiners[i].status == MPROC_OK || joiners[i].status == MPROC_BAD_STATE);
        CHECK_EQ(joiners[i].exit.kind, MPROC_EXIT_SIGNALLED);
    }
    mproc_process_free(process);
    fixture_board_free(board);
}

CHECK_SUITE_SETUP(process_join, fixture_setup,
    CASE(all_joining_threads_learn_the_same_status),
    CASE(each_thread_times_out_by_itself),
    CASE_LIMIT(threads_start_and_join_processes_of_their_own, 60),
    CASE(threads_use_the_same_process_at_once),
    CASE(process_is_closed_while_others_join),
);
