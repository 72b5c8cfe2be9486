/* mproc/process.h: what becomes of the others when a process is killed. */
#include "process_fixture.h"

#include <mproc/map.h>
#include <stdlib.h>

#include "arena/slot.h"
#include "platform/platform_fixture.h"

/* A process of the family that runs, is a daemon, and is not this one. */
static bool daemon_is_left(void)
{
    uint32_t high = atomic_load(&arena_header->processes_high);
    uint32_t i;

    for (i = 0; i < high; i++) {
        const struct process_slot *slot = process_slot_at(i);
        enum process_state state = process_slot_state(slot);
        if (state != PROCESS_STARTING && state != PROCESS_ATTACHED) continue;
        if ((atomic_load(&slot->flags) & PROCESS_DAEMON) != 0 && !slot_process_dead(i)) return true;
    }
    return false;
}

static bool no_daemon_is_left(void *unused)
{
    (void)unused;
    return !daemon_is_left();
}

/* ---- a tree of daemons ------------------------------------------------------------------------ */

static mproc_status daemon_with_a_daemon(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_start(fixture_waits, board, 0, NULL);
    return fixture_waits(call);
}

static mproc_status waits_in_a_pool(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    (void)call;
    for (;;) mproc_sleep_ms(MPROC_FOREVER);
    return MPROC_OK;
}

/* Starts daemons, a daemon with a daemon, and a pool whose workers work; then waits. */
static mproc_status has_many_daemons(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    const mproc_process_options daemon = {.daemon = MPROC_YES};
    mproc_pool *pool = NULL;
    int items[4] = {0};

    fixture_start(fixture_waits, board, 0, &daemon);
    fixture_start(daemon_with_a_daemon, board, 0, &daemon);
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool));
    fixture_step(board);
    return mproc_pool_map(pool, waits_in_a_pool, items, sizeof items[0], NULL, 0, 4, NULL);
}

/* Daemon, daemon with its daemon, and the parent itself. */
enum { ALL_STEPS = 4 };

static void case_killed_parent_leaves_no_daemon_worker_or_grandchild(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_many_daemons, board, 0, NULL);
    int64_t start_ms;

    fixture_await_step(board, ALL_STEPS);
    CHECK(daemon_is_left());
    start_ms = check_now_ms();
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, 9);
    CHECK_WAIT_UNTIL(no_daemon_is_left, NULL);
    printf("all gone after %lld ms\n", (long long)(check_now_ms() - start_ms));
    fixture_board_free(board);
}

/* Numbers between 0 and `below`, the same in each run. */
static uint32_t random_below(uint32_t below)
{
    static uint32_t state = 12345;

    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

enum { KILLS = 40, KILL_WITHIN_US = 15000 };

static void case_parent_killed_at_any_time_leaves_none(void)
{
    fixture_board *board = fixture_board_create();
    int64_t longest_ms = 0;
    int i;

    for (i = 0; i < KILLS; i++) {
        mproc_process *parent = fixture_start(has_many_daemons, board, 0, NULL);
        int64_t start_ms;
        plat_clock_sleep_until(plat_clock_now_ns() + (int64_t)random_below(KILL_WITHIN_US) * 1000 * check_slow());
        CHECK_OK(mproc_process_kill(parent));
        start_ms = check_now_ms();
        CHECK_ENDED_BY(parent, 9);
        CHECK_WAIT_UNTIL(no_daemon_is_left, NULL);
        if (check_now_ms() - start_ms > longest_ms) longest_ms = check_now_ms() - start_ms;
    }
    printf("%d kills; the last daemon was gone after %lld ms at most\n", KILLS, (long long)longest_ms);
    fixture_board_free(board);
}

/* ---- a first process that is killed ----------------------------------------------------------- */

/* Tells the pids of its daemons on the platform's board, and waits. The text starts with the handle of the board. */
static int helper_is_a_first_process_with_daemons(const char *text)
{
    fixture_board *board = fixture_board_create();
    plat_handle handles[4];
    platform_board *outer;
    const mproc_process_options daemon = {.daemon = MPROC_YES};
    int i;

    platform_handles(text, handles);
    outer = platform_board_open(handles[0]);
    for (i = 0; i < 3; i++)
        atomic_store(&outer->values[i], mproc_process_pid(fixture_start(fixture_waits, board, 0, &daemon)));
    fixture_await_step(board, 3);
    atomic_store(&outer->step, 1);
    for (;;) check_pause_ms(1000);
    return 0;
}

static void case_killed_first_process_leaves_none(void)
{
    plat_handle memory;
    platform_board *outer = platform_board_create(&memory);
    plat_process first;
    int i;

    platform_start("process_death.is_a_first_process_with_daemons", "", memory, &first);
    platform_await_step(outer, 1);
    for (i = 0; i < 3; i++) CHECK(!fixture_is_gone(atomic_load(&outer->values[i])));
    CHECK_OK(plat_process_kill(&first));
    platform_end(&first);
    for (i = 0; i < 3; i++) {
        int64_t pid = atomic_load(&outer->values[i]);
        fixture_await_gone(pid);
    }
    platform_board_drop(outer, memory);
}

/* ---- those that live on ----------------------------------------------------------------------- */

static mproc_status lives_on(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_step(board);
    CHECK_OK(mproc_process_join(mproc_parent_process(), check_limit_ms()));
    /* It is still a member of the family: it can start processes. */
    CHECK_EXITED(fixture_start(fixture_exits, board, 9, NULL), 9);
    fixture_step(board);
    return MPROC_OK;
}

static mproc_status has_one_that_lives_on(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_start(lives_on, board, 0, &(mproc_process_options){.daemon = MPROC_NO});
    return fixture_waits(call);
}

static void case_other_children_of_a_killed_parent_live_on(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_one_that_lives_on, board, 0, NULL);

    fixture_await_step(board, 2);
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, 9);
    fixture_await_step(board, 3);
    fixture_board_free(board);
}

static mproc_status has_a_waiting_child(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_start(lives_on, board, 0, NULL);
    return fixture_waits(call);
}

/* As in Python: only what is a daemon ends with the terminated. */
static void case_terminate_leaves_the_childrens_children(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_a_waiting_child, board, 0, NULL);

    fixture_await_step(board, 2);
    CHECK_OK(mproc_process_terminate(parent));
    CHECK_ENDED_BY(parent, 15);
    fixture_await_step(board, 3);
    fixture_board_free(board);
}

/* ---- memory ----------------------------------------------------------------------------------- */

static mproc_status takes_blocks(mproc_call *call)
{
    _Atomic uint64_t *owned = NULL;
    int i;

    for (i = 0; i < 200; i++) CHECK_OK(fixture_take_block(5000, &owned));
    return fixture_waits(call);
}

static bool only_this_much_is_used(void *bytes)
{
    return fixture_bytes_used() == *(uint64_t *)bytes;
}

static void case_blocks_of_a_killed_process_are_given_back(void)
{
    fixture_board *board = fixture_board_create();
    uint64_t before = fixture_bytes_used();
    int i;

    for (i = 0; i < 10; i++) {
        mproc_process *process = fixture_start(takes_blocks, board, 0, NULL);
        fixture_await_step(board, (uint32_t)i + 1);
        CHECK(fixture_bytes_used() > before + 200 * 5000);
        CHECK_OK(mproc_process_kill(process));
        CHECK_ENDED_BY(process, 9);
        CHECK_WAIT_UNTIL(only_this_much_is_used, &before);
    }
    fixture_board_free(board);
}

CHECK_SUITE_SETUP(process_death, fixture_setup,
    CASE(killed_parent_leaves_no_daemon_worker_or_grandchild),
    CASE_LIMIT(parent_killed_at_any_time_leaves_none, 60),
    CASE(killed_first_process_leaves_none),
    CASE(other_children_of_a_killed_parent_live_on),
    CASE(terminate_leaves_the_childrens_children),
    CASE(blocks_of_a_killed_process_are_given_back),
    HELPER(is_a_first_process_with_daemons),
);
