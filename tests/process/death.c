/* mproc/process.h: what becomes of the others when a process is killed. */
#include "kit.h"

#include <mproc/pool.h>
#include <stdlib.h>

#include "arena/slot.h"
#include "platform/door.h"

/* A process of the family that runs, is a daemon, and is not this one. */
static bool daemon_is_left(void)
{
    uint32_t high = atomic_load(&arena_header()->processes_high);
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
    kit_board *board = kit_unpack(call, NULL);

    kit_start(kit_waits, board, 0, NULL);
    return kit_waits(call);
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
    kit_board *board = kit_unpack(call, NULL);
    const mproc_process_options daemon = {.daemon = MPROC_YES};
    mproc_pool *pool = NULL;
    int items[4] = {0};

    kit_start(kit_waits, board, 0, &daemon);
    kit_start(daemon_with_a_daemon, board, 0, &daemon);
    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 2}, &pool));
    kit_step(board);
    return mproc_pool_map(pool, waits_in_a_pool, items, sizeof items[0], NULL, 0, 4, NULL);
}

/* Daemon, daemon with its daemon, and the parent itself. */
enum { ALL_STEPS = 4 };

static void case_killed_parent_leaves_no_daemon_worker_or_grandchild(void)
{
    kit_board *board = kit_board_create();
    mproc_process *parent = kit_start(has_many_daemons, board, 0, NULL);
    int64_t start_ms;

    kit_await_step(board, ALL_STEPS);
    CHECK(daemon_is_left());
    start_ms = check_now_ms();
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, 9);
    CHECK_WAIT_UNTIL(no_daemon_is_left, NULL);
    printf("all gone after %lld ms\n", (long long)(check_now_ms() - start_ms));
    kit_board_free(board);
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
    kit_board *board = kit_board_create();
    int64_t longest_ms = 0;
    int i;

    for (i = 0; i < KILLS; i++) {
        mproc_process *parent = kit_start(has_many_daemons, board, 0, NULL);
        int64_t start_ms;
        plat_clock_sleep_until(plat_clock_now_ns() + (int64_t)random_below(KILL_WITHIN_US) * 1000 * check_slow());
        CHECK_OK(mproc_process_kill(parent));
        start_ms = check_now_ms();
        CHECK_ENDED_BY(parent, 9);
        CHECK_WAIT_UNTIL(no_daemon_is_left, NULL);
        if (check_now_ms() - start_ms > longest_ms) longest_ms = check_now_ms() - start_ms;
    }
    printf("%d kills; the last daemon was gone after %lld ms at most\n", KILLS, (long long)longest_ms);
    kit_board_free(board);
}

/* ---- a first process that is killed ----------------------------------------------------------- */

/* Tells the pids of its daemons on the door's board, and waits. The text starts with the handle of the board. */
static int helper_is_a_first_process_with_daemons(const char *text)
{
    kit_board *board = kit_board_create();
    plat_handle handles[4];
    door_board *outer;
    const mproc_process_options daemon = {.daemon = MPROC_YES};
    int i;

    door_handles(text, handles);
    outer = door_board_open(handles[0]);
    for (i = 0; i < 3; i++)
        atomic_store(&outer->values[i], mproc_process_pid(kit_start(kit_waits, board, 0, &daemon)));
    kit_await_step(board, 3);
    atomic_store(&outer->step, 1);
    for (;;) check_pause_ms(1000);
    return 0;
}

static bool process_is_gone(void *pid)
{
    return kit_is_gone(*(int64_t *)pid);
}

static void case_killed_first_process_leaves_none(void)
{
    plat_handle memory;
    door_board *outer = door_board_create(&memory);
    plat_process first;
    int i;

    door_start("process_death.is_a_first_process_with_daemons", "", memory, &first);
    door_await_step(outer, 1);
    for (i = 0; i < 3; i++) CHECK(!kit_is_gone(atomic_load(&outer->values[i])));
    CHECK_OK(plat_process_kill(&first));
    door_end(&first);
    for (i = 0; i < 3; i++) {
        int64_t pid = atomic_load(&outer->values[i]);
        CHECK_WAIT_UNTIL(process_is_gone, &pid);
    }
    door_board_drop(outer, memory);
}

/* ---- those that live on ----------------------------------------------------------------------- */

static mproc_status lives_on(mproc_call *call)
{
    kit_board *board = kit_unpack(call, NULL);

    kit_step(board);
    CHECK_OK(mproc_process_join(mproc_parent_process(), check_limit_ms()));
    /* It is still a member of the family: it can start processes. */
    CHECK_EXITED(kit_start(kit_exits, board, 9, NULL), 9);
    kit_step(board);
    return MPROC_OK;
}

static mproc_status has_one_that_lives_on(mproc_call *call)
{
    kit_board *board = kit_unpack(call, NULL);

    kit_start(lives_on, board, 0, &(mproc_process_options){.daemon = MPROC_NO});
    return kit_waits(call);
}

static void case_other_children_of_a_killed_parent_live_on(void)
{
    kit_board *board = kit_board_create();
    mproc_process *parent = kit_start(has_one_that_lives_on, board, 0, NULL);

    kit_await_step(board, 2);
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, 9);
    kit_await_step(board, 3);
    kit_board_free(board);
}

static mproc_status has_a_waiting_child(mproc_call *call)
{
    kit_board *board = kit_unpack(call, NULL);

    kit_start(lives_on, board, 0, NULL);
    return kit_waits(call);
}

/* As in Python: only what is a daemon ends with the terminated. */
static void case_terminate_leaves_the_childrens_children(void)
{
    kit_board *board = kit_board_create();
    mproc_process *parent = kit_start(has_a_waiting_child, board, 0, NULL);

    kit_await_step(board, 2);
    CHECK_OK(mproc_process_terminate(parent));
    CHECK_ENDED_BY(parent, 15);
    kit_await_step(board, 3);
    kit_board_free(board);
}

/* ---- memory ----------------------------------------------------------------------------------- */

static mproc_status takes_blocks(mproc_call *call)
{
    _Atomic uint64_t *cell = NULL;
    int i;

    for (i = 0; i < 200; i++) CHECK_OK(kit_take_block(5000, &cell));
    return kit_waits(call);
}

static bool only_this_much_is_used(void *bytes)
{
    return kit_bytes_used() == *(uint64_t *)bytes;
}

static void case_blocks_of_a_killed_process_are_given_back(void)
{
    kit_board *board = kit_board_create();
    uint64_t before = kit_bytes_used();
    int i;

    for (i = 0; i < 10; i++) {
        mproc_process *process = kit_start(takes_blocks, board, 0, NULL);
        kit_await_step(board, (uint32_t)i + 1);
        CHECK(kit_bytes_used() > before + 200 * 5000);
        CHECK_OK(mproc_process_kill(process));
        CHECK_ENDED_BY(process, 9);
        CHECK_WAIT_UNTIL(only_this_much_is_used, &before);
    }
    kit_board_free(board);
}

CHECK_SUITE_SETUP(process_death, kit_setup,
    CASE(killed_parent_leaves_no_daemon_worker_or_grandchild),
    CASE_LIMIT(parent_killed_at_any_time_leaves_none, 60),
    CASE(killed_first_process_leaves_none),
    CASE(other_children_of_a_killed_parent_live_on),
    CASE(terminate_leaves_the_childrens_children),
    CASE(blocks_of_a_killed_process_are_given_back),
    HELPER(is_a_first_process_with_daemons),
);
