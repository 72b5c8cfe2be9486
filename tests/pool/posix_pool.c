/* mproc/pool.h where POSIX has what Windows has not: fork() copies, signals. */
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool_fixture.h"
#include "pool/pool.h"

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
static void case_a_fork_copy_that_returns_from_its_task_ends_there(void)
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

CHECK_TWINS(posix_pool, fixture_of_processes, posix_pool_threads, fixture_of_threads,
    CASE(a_fork_copy_is_told_of_no_workers),
    CASE(a_fork_copy_that_returns_from_its_task_ends_there),
    CASE(tasks_have_the_signal_mask_of_their_pools_creator),
);

CHECK_SUITE_SETUP(posix_pool_signals, fixture_of_processes,
    CASE(an_interrupt_at_birth_ends_no_worker),
);
