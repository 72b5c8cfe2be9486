/* mproc/pool.h: the end of the process that owns a pool. */
#include <stdlib.h>

#include "pool/tasks_fixture.h"

/* What is never freed is in sight to the end, as the leak checker wants it. */
static mproc_pool *owned;

static void exit_with_the_value(mproc_value value, void *board)
{
    atomic_store(&((fixture_board *)board)->most, 1);
    exit((int)mproc_value_int(value));
}

/* Tasks are queued and run meanwhile, others wait for their callbacks, and a thread submits, until it is refused. */
static void exit_in_a_callback(fixture_board *board)
{
    mproc_task_options options = {.callback = exit_with_the_value, .context = board};
    mproc_args args = MPROC_ARGS(fixture_board_offset(board), 2);

    for (int i = 0; i < 1000; i++)
        if (mproc_pool_apply_async(owned, tasks_square, args, &options, NULL) != MPROC_OK) break;
    for (;;) check_pause_ms(1000);
}

/* An owner in a process of its own, which tells its workers' pids. */
static mproc_status own_a_pool(mproc_call *call)
{
    fixture_item item;
    fixture_board *board;
    int64_t pids[3];

    MPROC_TRY(mproc_unpack_bytes(call, &item, sizeof item));
    board = fixture_board_at(item.board);
    MPROC_TRY(mproc_pool_create(&(mproc_pool_options){.workers = 3}, &owned));
    fixture_check_squares(owned, 100, 1);
    CHECK_EQ(mproc_pool_pids(owned, pids, 3), 3);
    for (int i = 0; i < 3; i++) atomic_store(&board->marks[100 + i], (uint32_t)pids[i]);
    if (item.value == 3) exit_in_a_callback(board);
    atomic_store(&board->most, 1);
    if (item.value == 0) return MPROC_OK; /* without a free */
    if (item.value == 1) exit(0);
    fixture_check_squares(owned, 100, 1);
    MPROC_TRY(mproc_pool_map(owned, fixture_sit, &item, sizeof item, &pids[0], 8, 1, NULL));
    return MPROC_OK;
}

static void check_workers_end(fixture_board *board)
{
    int64_t pids[3];

    CHECK_AWAIT(&board->most, 1);
    for (int i = 0; i < 3; i++) pids[i] = atomic_load(&board->marks[100 + i]);
    CHECK_WAIT_UNTIL(fixture_all_gone, pids);
}

static void end_an_owner(int64_t how, mproc_exit_kind kind)
{
    fixture_board *board = fixture_board_create();
    fixture_item *item = fixture_items(board, 1);
    mproc_process *owner;

    item->value = how;
    CHECK_OK(mproc_process_create(own_a_pool, mproc_bytes(item, sizeof *item), NULL, &owner));
    CHECK_OK(mproc_process_start(owner));
    if (how == 2) {
        CHECK_AWAIT(&board->started, 1);
        os_kill(mproc_process_pid(owner));
    }
    CHECK_OK(mproc_process_join(owner, MPROC_FOREVER));
    CHECK_EQ(mproc_process_exit_status(owner).kind, kind);
    if (how != 2) CHECK_EQ(mproc_process_exit_status(owner).code, how == 3 ? 4 : 0);
    check_workers_end(board);
    mproc_process_free(owner);
    free(item);
    fixture_board_free(board);
}

static void case_workers_end_with_an_owner_that_returns_without_free(void)
{
    end_an_owner(0, MPROC_EXIT_EXITED);
}

static void case_workers_end_with_an_owner_that_exits_without_free(void)
{
    end_an_owner(1, MPROC_EXIT_EXITED);
}

static void case_workers_end_with_an_owner_that_is_killed_during_a_map(void)
{
    for (int i = 0; i < 5; i++) end_an_owner(2, os_killed_kind());
}

static void case_workers_end_with_an_owner_that_exits_in_a_callback(void)
{
    for (int i = 0; i < 3; i++) end_an_owner(3, MPROC_EXIT_EXITED);
}

/* They are the pool's, and end when it likes: nobody else can use their objects. */
static void case_workers_are_not_listed_as_children(void)
{
    mproc_pool *pool = fixture_create(2);
    size_t count = 1;

    fixture_check_squares(pool, 100, 1);
    CHECK_OK(mproc_active_children(NULL, 0, &count));
    CHECK_EQ(count, 0);
    mproc_pool_free(pool);
}

CHECK_SUITE_SETUP(pool_owner, fixture_of_processes,
    CASE(workers_are_not_listed_as_children),
    CASE(workers_end_with_an_owner_that_returns_without_free),
    CASE(workers_end_with_an_owner_that_exits_without_free),
    CASE(workers_end_with_an_owner_that_is_killed_during_a_map),
    CASE(workers_end_with_an_owner_that_exits_in_a_callback),
);
