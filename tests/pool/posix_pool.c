/* mproc/pool.h where POSIX has what Windows has not: fork() copies, signals. */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool/tasks_fixture.h"
#include "pool/pool.h"
#include "pool/tasks.h"

/* ---- fork() copies ---------------------------------------------------------------------------- */

static void check_exit_code(pid_t pid, int expected)
{
    int status = 0;

    CHECK(pid > 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), expected);
}

/* As if another thread had been in a call on this pool when the copy was made. */
static void case_a_fork_copy_is_told_of_no_workers(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t pids[2];
    pid_t copy;

    plat_mutex_lock(&pool->mutex);
    if ((copy = fork()) == 0) {
        size_t count = mproc_pool_pids(pool, pids, 2);
        mproc_pool_close(pool);
        mproc_pool_terminate(pool);
        mproc_pool_free(pool);
        _exit(count == 0 ? 7 : 1);
    }
    plat_mutex_unlock(&pool->mutex);
    check_exit_code(copy, 7);
    CHECK_EQ(mproc_pool_pids(pool, pids, 2), 2);
    fixture_check_squares(pool, 100, 1);
    mproc_pool_free(pool);
}

static int copy_is_refused(mproc_pool *pool, mproc_result *done, mproc_result *queued)
{
    mproc_value value = mproc_int(3);

    if (mproc_pool_apply(pool, tasks_square, MPROC_ARGS(0, 1), &value) != MPROC_FORKED) return 1;
    if (mproc_pool_apply_async(pool, tasks_square, MPROC_ARGS(0, 1), NULL, NULL) != MPROC_FORKED) return 2;
    if (mproc_result_wait(queued, MPROC_FOREVER) != MPROC_FORKED) return 3;
    if (mproc_result_get(done, &value, MPROC_FOREVER) != MPROC_FORKED) return 4;
    if (mproc_result_cancel(queued) != MPROC_FORKED) return 5;
    if (mproc_result_ready(done) || mproc_result_successful(done)) return 6;
    if (mproc_result_running(queued) || mproc_result_cancelled(queued)) return 9;
    if (mproc_result_wait_many(&queued, 1, MPROC_WAIT_ANY, MPROC_FOREVER) != MPROC_FORKED) return 10;
    if (mproc_value_int(value) != 3) return 8;
    mproc_result_free(done);
    mproc_result_free(queued);
    mproc_pool_free(pool);
    return 7;
}

static mproc_status next_pair(void *context, mproc_value *item)
{
    mproc_value *pair = context;
    int64_t number = mproc_value_int(pair[1]) + 1;

    if (number == 20) return MPROC_END;
    pair[1] = mproc_int(number);
    *item = mproc_list_from(pair, 2);
    return MPROC_OK;
}

static int copy_has_no_iterator(mproc_iterator *iterator, mproc_iterator *fresh, const mproc_value *pair,
                                const mproc_pool *pool)
{
    mproc_worker_statistics one;

    if (mproc_iterator_next(iterator, NULL, MPROC_FOREVER) != MPROC_FORKED) return 1;
    if (mproc_iterator_next(fresh, NULL, MPROC_FOREVER) != MPROC_FORKED) return 2;
    if (mproc_value_int(pair[1]) != -1) return 3;
    if (mproc_pool_worker_statistics(pool, 0, &one) != MPROC_FORKED) return 4;
    mproc_iterator_free(iterator);
    mproc_iterator_free(fresh);
    return 7;
}

/* It asks no source, and ends nothing of what the original has in flight, whatever another thread was in. */
static void case_a_fork_copy_has_no_iterators(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_value pair[2] = {mproc_uint(fixture_board_offset(board)), mproc_int(-1)};
    mproc_value other[2] = {pair[0], pair[1]};
    mproc_iterator_options options = {.unpack = true, .in_flight = 10};
    mproc_iterator *iterator, *fresh;
    pid_t copy;

    CHECK_OK(mproc_pool_imap(pool, tasks_stay, next_pair, pair, &options, &iterator));
    CHECK_OK(mproc_pool_imap(pool, tasks_stay, next_pair, other, &options, &fresh));
    CHECK_STATUS(mproc_iterator_next(iterator, NULL, 0), MPROC_TIMEOUT);
    CHECK_AWAIT(&board->started, 1);
    plat_mutex_lock(&pool->tasks->mutex);
    if ((copy = fork()) == 0) _exit(copy_has_no_iterator(iterator, fresh, other, pool));
    plat_mutex_unlock(&pool->tasks->mutex);
    check_exit_code(copy, 7);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 20; i++) CHECK_OK(mproc_iterator_next(iterator, NULL, MPROC_FOREVER));
    CHECK_STATUS(mproc_iterator_next(iterator, NULL, MPROC_FOREVER), MPROC_END);
    mproc_iterator_free(iterator);
    mproc_iterator_free(fresh);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Neither what is known nor what is not: whatever another thread was in when the copy was made. */
static void case_a_fork_copy_has_neither_tasks_nor_results(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *done = tasks_submit(pool, tasks_square, board, 9);
    mproc_result *stays, *queued;
    pid_t copy;

    CHECK_OK(mproc_result_wait(done, MPROC_FOREVER));
    stays = tasks_submit(pool, tasks_stay, board, 4);
    queued = tasks_submit(pool, tasks_square, board, 5);
    CHECK_AWAIT(&board->started, 1);
    plat_mutex_lock(&pool->tasks->mutex);
    if ((copy = fork()) == 0) _exit(copy_is_refused(pool, done, queued));
    plat_mutex_unlock(&pool->tasks->mutex);
    check_exit_code(copy, 7);
    atomic_store(&board->go, 1);
    CHECK_EQ(tasks_take_int(stays), 4);
    CHECK_EQ(tasks_take_int(queued), 25);
    CHECK_EQ(tasks_take_int(done), 81);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

static mproc_status forks_once(mproc_call *call)
{
    int64_t number;
    fixture_board *board = tasks_arguments(call, &number);
    pid_t copy;

    atomic_fetch_add(&board->marks[number], 1);
    CHECK_OK(mproc_call_return(call, mproc_int(number)));
    if ((copy = fork()) == 0) return number % 2 ? MPROC_USER : MPROC_OK;
    check_exit_code(copy, number % 2 ? 1 : 0);
    return MPROC_OK;
}

static void case_a_fork_copy_that_returns_from_a_task_ends_there(void)
{
    enum { TASKS = 24 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    mproc_result *results[TASKS];

    for (int i = 0; i < TASKS; i++) results[i] = tasks_submit(pool, forks_once, board, i);
    for (int i = 0; i < TASKS; i++) CHECK_EQ(tasks_take_int(results[i]), i);
    fixture_check_marks(board, TASKS, 1);
    tasks_check_pool(pool);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* Each of two items is a copy that returns, as after an exec() that has failed; the original waits for its end. */
static mproc_status forks(const void *item, void *result, mproc_call *call)
{
    const fixture_item *own = item;
    fixture_board *board = fixture_board_at(own->board);
    mproc_status status = own->value % 2 ? MPROC_USER : MPROC_OK;
    pid_t copy;

    (void)call;
    atomic_fetch_add(&board->marks[own->value], 1);
    *(int64_t *)result = own->value;
    if ((copy = fork()) == 0) return status;
    check_exit_code(copy, status == MPROC_OK ? 0 : 1);
    return MPROC_OK;
}

/* It does no other item, it tells nobody that an item is done, and no exit handler of the worker runs in it. */
static void case_a_fork_copy_that_returns_from_an_item_ends_there(void)
{
    enum { COUNT = 24 };
    mproc_pool *pool = fixture_create(2);
    fixture_board *board = fixture_board_create();
    fixture_item *items = fixture_items(board, COUNT);
    int64_t results[COUNT];

    for (size_t chunk = 1; chunk <= 4; chunk += 3) {
        CHECK_OK(mproc_pool_map(pool, forks, items, sizeof *items, results, sizeof *results, COUNT,
                                &(mproc_map_options){.chunk_size = chunk}));
        for (size_t i = 0; i < COUNT; i++) CHECK_EQ(results[i], (int64_t)i);
        fixture_check_marks(board, COUNT, chunk == 1 ? 1 : 2);
    }
    fixture_check_squares(pool, 100, 1);
    free(items);
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- signals ---------------------------------------------------------------------------------- */

/* Ctrl-C while the program of a worker is loaded: to all of them, before they can have ignored it themselves. */
static void case_an_interrupt_at_birth_ends_no_worker(void)
{
    mproc_pool *pool;
    int64_t pids[8], later[8];

    pool = fixture_create(8);
    CHECK_EQ(mproc_pool_pids(pool, pids, 8), 8);
    for (int i = 0; i < 8; i++) CHECK_EQ(kill((pid_t)pids[i], SIGINT), 0);
    fixture_check_squares(pool, 1000, 1);
    CHECK_EQ(mproc_pool_pids(pool, later, 8), 8);
    for (int i = 0; i < 8; i++) CHECK_EQ(later[i], pids[i]);
    mproc_pool_free(pool);
}

enum { BLOCKS_USR1 = 1, BLOCKS_TERM = 2, ENDS_PROGRAMS = 4 };

static mproc_status tells_its_mask(const void *item, void *result, mproc_call *call)
{
    int status = system("kill -TERM $$; exit 3");
    sigset_t mask;

    (void)item;
    (void)call;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    *(int64_t *)result = (sigismember(&mask, SIGUSR1) ? BLOCKS_USR1 : 0) |
                         (sigismember(&mask, SIGTERM) ? BLOCKS_TERM : 0) |
                         (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? ENDS_PROGRAMS : 0);
    return MPROC_OK;
}

/* And so have the programs that they start. */
static void case_tasks_have_the_signal_mask_of_their_pools_creator(void)
{
    int64_t item = 0, result = 0;
    mproc_pool *pool;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    pool = fixture_create(1);
    CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    CHECK_OK(mproc_pool_map(pool, tells_its_mask, &item, sizeof item, &result, sizeof result, 1, NULL));
    CHECK_EQ(result, BLOCKS_USR1 | ENDS_PROGRAMS);
    mproc_pool_free(pool);
}

/* A function is known by its address: if its module could go, another one's might come to lie there. */
static void case_the_module_of_a_task_stays_when_it_is_closed(void)
{
    mproc_function *function = (mproc_function *)os_open_function(POOL_MODULE, "pool_module_task");
    void *handle = dlopen(POOL_MODULE, RTLD_NOW | RTLD_NOLOAD);
    mproc_pool *pool = fixture_create(1);

    CHECK(handle != NULL);
    CHECK_OK(mproc_pool_apply(pool, function, mproc_no_args(), NULL));
    for (int i = 0; i < 2; i++) CHECK_EQ(dlclose(handle), 0);
    CHECK((handle = dlopen(POOL_MODULE, RTLD_NOW | RTLD_NOLOAD)) != NULL);
    CHECK_OK(mproc_pool_apply(pool, function, mproc_no_args(), NULL));
    CHECK_EQ(dlclose(handle), 0);
    mproc_pool_free(pool);
}

CHECK_TWINS(posix_pool, fixture_of_processes, posix_pool_threads, fixture_of_threads,
    CASE(a_fork_copy_is_told_of_no_workers),
    CASE(a_fork_copy_that_returns_from_an_item_ends_there),
    CASE(a_fork_copy_has_neither_tasks_nor_results),
    CASE(a_fork_copy_has_no_iterators),
    CASE(a_fork_copy_that_returns_from_a_task_ends_there),
    CASE(tasks_have_the_signal_mask_of_their_pools_creator),
);

CHECK_SUITE_SETUP(posix_pool_modules, fixture_of_processes,
    CASE(the_module_of_a_task_stays_when_it_is_closed),
);

CHECK_SUITE_SETUP(posix_pool_signals, fixture_of_processes,
    CASE(an_interrupt_at_birth_ends_no_worker),
);
