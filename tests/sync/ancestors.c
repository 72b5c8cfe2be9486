/*
 * A first process that is killed while a grandchild waits for something of it: nobody is left who started it, and the
 * grandchild's own parent lives. Whatever the processes in between do, the wait ends.
 */
#include "sync/peers.h"

#include "platform/platform_fixture.h"
#include "object/reference.h"

#include <stdlib.h>

/* The generations after the first, and what each but the last does meanwhile; the last one waits. */
enum { JOINS = 'j', COMPUTES = 'c', ENDS = 'e', IS_KILLED = 'k', WAITS = 'w' };

typedef struct plan {
    uint64_t board;
    uint64_t object;
    int64_t permit; /* the object is a semaphore, otherwise a barrier */
    int64_t generation;
    char what[8];
} plan;

/* What the first process had is gone with it, also the board: nobody uses it after the wait. */
static void wait_for_it(const plan *its_plan)
{
    void *object = peers_open(its_plan->object);

    if (its_plan->permit) CHECK_OK(mproc_semaphore_acquire(object, MPROC_FOREVER));
    else CHECK_STATUS(mproc_barrier_wait(object, MPROC_FOREVER, NULL), MPROC_BROKEN);
}

static void compute_for_ever(void)
{
    for (;;) check_pause_ms(1000);
}

static mproc_status has_its_place(mproc_call *call)
{
    mproc_process_options options = {.daemon = MPROC_NO};
    mproc_process *child = NULL;
    fixture_board *told;
    plan its_plan;
    char what;

    MPROC_TRY(mproc_unpack_bytes(call, &its_plan, sizeof its_plan));
    told = arena_at(its_plan.board);
    what = its_plan.what[its_plan.generation];
    atomic_store(&told->values[its_plan.generation], mproc_getpid());
    if (what == WAITS) {
        wait_for_it(&its_plan);
        return MPROC_OK;
    }
    its_plan.generation++;
    MPROC_TRY(mproc_process_create(has_its_place, mproc_bytes(&its_plan, sizeof its_plan), &options, &child));
    MPROC_TRY(mproc_process_start(child));
    if (what == JOINS) return mproc_process_join(child, MPROC_FOREVER);
    if (what == ENDS) _Exit(0); /* without waiting for its child */
    compute_for_ever();
    return MPROC_OK;
}

/* ---- the first process ------------------------------------------------------------------------ */

static void stand_at_the_barrier(void *barrier)
{
    (void)mproc_barrier_wait(barrier, MPROC_FOREVER, NULL);
}

static void *create_object(bool permit)
{
    mproc_semaphore *semaphore = NULL;
    mproc_barrier *barrier = NULL;
    plat_thread *thread;

    if (!permit) {
        CHECK_OK(mproc_barrier_create(3, NULL, &barrier));
        CHECK_OK(plat_thread_start(stand_at_the_barrier, barrier, &thread));
        return barrier;
    }
    CHECK_OK(mproc_semaphore_create(1, &(mproc_semaphore_options){.owned = true}, &semaphore));
    CHECK_OK(mproc_semaphore_acquire(semaphore, 0));
    return semaphore;
}

/* The text: the handle of the outer board, then "p" or "b" and what the generations do. */
static int helper_is_the_first_process(const char *text)
{
    mproc_process *child = NULL;
    plan its_plan = {.generation = 0};
    plat_handle handles[4];
    platform_board *outer;
    fixture_board *told;
    void *object;
    int count;

    text = platform_handles(text, handles);
    while (*text == ' ') text++;
    outer = platform_board_open(handles[0]);
    told = fixture_board_create();
    its_plan.permit = text[0] == 'p';
    snprintf(its_plan.what, sizeof its_plan.what, "%s", text + 1);
    object = create_object(its_plan.permit);
    its_plan.object = ((struct reference *)object)->ref.offset;
    its_plan.board = arena_offset(told);
    CHECK_OK(mproc_process_create(has_its_place, mproc_bytes(&its_plan, sizeof its_plan), NULL, &child));
    CHECK_OK(mproc_process_start(child));
    if (its_plan.what[0] == ENDS) CHECK_OK(mproc_process_join(child, MPROC_FOREVER));
    peers_await_sleepers(object, its_plan.permit ? 1 : 2);
    count = (int)strlen(its_plan.what);
    for (int i = 0; i < count; i++) atomic_store(&outer->values[i], atomic_load(&told->values[i]));
    atomic_store(&outer->step, 1);
    compute_for_ever();
    return 0;
}

static void kill_those_that(int what, const char *generations, platform_board *outer)
{
    for (int i = 0; generations[i]; i++)
        if (generations[i] == what) fixture_kill(atomic_load(&outer->values[i]));
}

static void wait_ends(const char *what)
{
    int waiting = (int)strlen(what) - 2;
    plat_process first;
    plat_handle memory;
    platform_board *outer = platform_board_create(&memory);

    platform_start("sync_ancestors.is_the_first_process", what, memory, &first);
    platform_await_step(outer, 1);
    CHECK_OK(plat_process_kill(&first));
    kill_those_that(IS_KILLED, what + 1, outer);
    platform_end(&first);
    for (int i = waiting; i >= 0; i--) {
        int64_t pid = atomic_load(&outer->values[i]);
        fixture_await_gone(pid);
        if (i == waiting) kill_those_that(COMPUTES, what + 1, outer);
    }
    platform_board_drop(outer, memory);
}

static void case_grandchild_gets_the_permit_while_its_parent_joins_it(void)
{
    wait_ends("pjw");
}

static void case_grandchild_learns_of_the_barrier_while_its_parent_computes(void)
{
    wait_ends("bcw");
}

static void case_great_grandchild_gets_the_permit_while_both_join(void)
{
    wait_ends("pjjw");
}

static void case_great_grandchild_learns_of_the_barrier_while_one_computes(void)
{
    wait_ends("bcjw");
}

static void case_great_grandchild_gets_the_permit_when_its_grandparent_is_killed_too(void)
{
    wait_ends("pkjw");
}

static void case_great_grandchild_gets_the_permit_when_its_grandparent_has_ended(void)
{
    wait_ends("pejw");
}

static void case_orphan_learns_of_the_barrier(void)
{
    wait_ends("bcew");
}

CHECK_SUITE(sync_ancestors,
    CASE(grandchild_gets_the_permit_while_its_parent_joins_it),
    CASE(grandchild_learns_of_the_barrier_while_its_parent_computes),
    CASE(great_grandchild_gets_the_permit_while_both_join),
    CASE(great_grandchild_learns_of_the_barrier_while_one_computes),
    CASE(great_grandchild_gets_the_permit_when_its_grandparent_is_killed_too),
    CASE(great_grandchild_gets_the_permit_when_its_grandparent_has_ended),
    CASE(orphan_learns_of_the_barrier),
    HELPER(is_the_first_process),
);
