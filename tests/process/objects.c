/* Objects as arguments of processes: they arrive, are passed on, and live as long as anybody has them. */
#include <mproc/mproc.h>

#include "check.h"
#include "process/process_fixture.h"
#include "process/all_objects.h"

/* Runs the function with the arguments in a child named 'f1'. */
static void run_child(mproc_function *function, mproc_args args)
{
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(function, args, &(mproc_process_options){.name = "f1"}, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
}

/* The same, in this process, which has to have everything back afterwards. */
static void run_here(mproc_function *function, mproc_args args, int times)
{
    mproc_process *process = NULL;
    uint64_t bytes;
    int i;

    CHECK_OK(mproc_process_create(function, args, &(mproc_process_options){.name = "f1"}, &process));
    bytes = fixture_bytes_used();
    for (i = 0; i < times; i++) CHECK_OK(mproc_process_run(process));
    CHECK_EQ(fixture_bytes_used(), bytes);
    mproc_process_free(process);
}

/* ---- the way ------------------------------------------------------------------------------------ */

static mproc_status uses_objects(mproc_call *call)
{
    things all;

    MPROC_TRY(all_objects_unpack(call, &all));
    all_objects_use(&all);
    return MPROC_OK;
}

static void case_objects_of_each_kind_arrive(void)
{
    things all;

    all_objects_create(&all);
    run_child(uses_objects, ALL_OBJECTS_LIST(&all));
    all_objects_check(&all, 1);
    run_here(uses_objects, ALL_OBJECTS_LIST(&all), 1);
    all_objects_check(&all, 2);
    all_objects_free(&all);
}

static mproc_status looks_for_things(mproc_call *call)
{
    mproc_value args = mproc_call_value(call);
    mproc_value deep = mproc_value_at(mproc_value_get(args, "list"), 1);
    things all, again;

    MPROC_TRY(all_objects_from(mproc_value_get(args, "things"), &all));
    all_objects_use(&all);
    MPROC_TRY(all_objects_from(mproc_value_get(deep, "again"), &again));
    all_objects_use(&again);
    CHECK(again.lock == all.lock && again.array == all.array);
    return MPROC_OK;
}

static void case_objects_arrive_in_lists_and_maps(void)
{
    things all;

    all_objects_create(&all);
    run_child(looks_for_things, MPROC_MAP("things", ALL_OBJECTS_LIST(&all), "list",
                                          MPROC_LIST(1, MPROC_MAP("again", ALL_OBJECTS_LIST(&all)))));
    all_objects_check(&all, 2);
    all_objects_free(&all);
}

/* By its own references, and as it was given them. */
static mproc_status passes_on(mproc_call *call)
{
    things all;

    MPROC_TRY(all_objects_unpack(call, &all));
    run_child(uses_objects, ALL_OBJECTS_LIST(&all));
    run_child(uses_objects, mproc_call_value(call));
    all_objects_use(&all);
    return MPROC_OK;
}

static void case_objects_are_passed_on_to_grandchildren(void)
{
    things all;

    all_objects_create(&all);
    run_child(passes_on, ALL_OBJECTS_LIST(&all));
    all_objects_check(&all, 3);
    all_objects_free(&all);
}

static void case_copied_values_refer_to_the_same_objects(void)
{
    mproc_value copy;
    things all;

    all_objects_create(&all);
    CHECK_OK(mproc_value_copy(ALL_OBJECTS_LIST(&all), &copy));
    run_child(uses_objects, copy);
    all_objects_check(&all, 1);
    mproc_value_clear(&copy);
    all_objects_free(&all);
}

/* ---- references of a task ----------------------------------------------------------------------- */

static mproc_status takes_one_twice(mproc_call *call)
{
    mproc_lock *first = NULL, *second = NULL, *other = NULL, *again = NULL;

    MPROC_TRY(mproc_unpack(call, &first, &second, &other));
    CHECK(first == second && first != other);
    MPROC_TRY(mproc_unpack(call, &again, &second, &other));
    CHECK(again == first);
    CHECK_OK(mproc_lock_acquire(first, 0));
    CHECK_STATUS(mproc_lock_acquire(second, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_lock_acquire(other, 0));
    CHECK_OK(mproc_lock_release(other));
    CHECK_OK(mproc_lock_release(second));
    return MPROC_OK;
}

static void case_object_that_is_given_twice_is_one(void)
{
    mproc_lock *lock = NULL, *other = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_lock_create(NULL, &other));
    run_child(takes_one_twice, MPROC_ARGS(lock, lock, other));
    run_here(takes_one_twice, MPROC_ARGS(lock, lock, other), 100);
    CHECK(!mproc_lock_locked(lock) && !mproc_lock_locked(other));
    mproc_lock_free(lock);
    mproc_lock_free(other);
}

static void case_what_a_task_finds_in_its_arguments_ends_with_it(void)
{
    things all;

    all_objects_create(&all);
    run_here(looks_for_things,
             MPROC_MAP("things", ALL_OBJECTS_LIST(&all), "list",
                       MPROC_LIST(1, MPROC_MAP("again", ALL_OBJECTS_LIST(&all)))),
             100);
    all_objects_check(&all, 200);
    all_objects_free(&all);
}

static mproc_status frees_what_it_was_given(mproc_call *call)
{
    mproc_lock *lock = NULL, *other = NULL;
    int i;

    for (i = 0; i < 3; i++) {
        MPROC_TRY(mproc_unpack(call, &lock, &other));
        CHECK_OK(mproc_lock_acquire(lock, 0));
        CHECK_OK(mproc_lock_release(lock));
        mproc_lock_free(i == 1 ? other : lock);
    }
    CHECK_OK(mproc_lock_acquire(other, 0));
    CHECK_OK(mproc_lock_release(other));
    return MPROC_OK;
}

static void case_task_may_free_what_it_was_given(void)
{
    mproc_lock *lock = NULL, *other = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_lock_create(NULL, &other));
    run_child(frees_what_it_was_given, MPROC_ARGS(lock, other));
    run_here(frees_what_it_was_given, MPROC_ARGS(lock, other), 10);
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_OK(mproc_lock_release(lock));
    mproc_lock_free(lock);
    mproc_lock_free(other);
}

static void case_reference_that_no_task_finds_is_the_programs(void)
{
    mproc_lock *lock = NULL, *second = NULL;
    uint64_t bytes = fixture_bytes_used();

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_value_to(MPROC_VALUE(lock), &second));
    CHECK(second != lock);
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_OK(mproc_lock_release(second));
    mproc_lock_free(lock);
    CHECK_OK(mproc_lock_acquire(second, 0));
    CHECK_OK(mproc_lock_release(second));
    mproc_lock_free(second);
    CHECK_EQ(fixture_bytes_used(), bytes);
}

/* ---- lives -------------------------------------------------------------------------------------- */

static mproc_status uses_objects_when_told(mproc_call *call)
{
    mproc_value list;
    fixture_board *board;
    uint64_t offset;
    uint32_t step;
    things all;

    MPROC_TRY(mproc_unpack(call, &offset, &step, &list));
    board = (fixture_board *)arena_at(offset);
    fixture_await_step(board, step);
    MPROC_TRY(all_objects_from(list, &all));
    all_objects_use(&all);
    all_objects_check(&all, 1);
    atomic_store(&board->values[0], 1);
    return MPROC_OK;
}

static bool bytes_are(void *bytes)
{
    return fixture_bytes_used() == *(const uint64_t *)bytes;
}

/* Freed before the child has seen them, and even before there is a child. */
static void check_lives(bool before_start)
{
    fixture_board *board = fixture_board_create();
    uint64_t bytes = fixture_bytes_used();
    mproc_process *process = NULL;
    things all;

    all_objects_create(&all);
    CHECK_OK(mproc_process_create(uses_objects_when_told, MPROC_ARGS(arena_offset(board), 1, ALL_OBJECTS_LIST(&all)),
                                  NULL, &process));
    if (before_start) all_objects_free(&all);
    CHECK_OK(mproc_process_start(process));
    if (!before_start) all_objects_free(&all);
    fixture_step(board);
    CHECK_EXITED(process, 0);
    CHECK_EQ(atomic_load(&board->values[0]), 1);
    CHECK_WAIT_UNTIL(bytes_are, &bytes);
    fixture_board_free(board);
}

static void case_arguments_keep_objects_that_are_freed_meanwhile(void)
{
    check_lives(false);
    check_lives(true);
}

/* Its child is no daemon: that lives on. */
static mproc_status makes_things_for_a_child(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    mproc_process *process = NULL;
    things all;

    all_objects_create(&all);
    CHECK_OK(mproc_process_create(uses_objects_when_told, MPROC_ARGS(arena_offset(board), 2, ALL_OBJECTS_LIST(&all)),
                                  &(mproc_process_options){.daemon = MPROC_NO}, &process));
    CHECK_OK(mproc_process_start(process));
    atomic_store(&board->values[1], mproc_process_pid(process));
    fixture_step(board);
    for (;;) CHECK_OK(mproc_sleep_ms(MPROC_FOREVER));
    return MPROC_OK;
}

static void case_objects_outlive_the_process_that_made_them(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(makes_things_for_a_child, board, 0, NULL);
    int64_t pid;

    fixture_await_step(board, 1);
    pid = atomic_load(&board->values[1]);
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    fixture_step(board);
    fixture_await_gone(pid);
    CHECK_EQ(atomic_load(&board->values[0]), 1);
    fixture_board_free(board);
}

/* ---- refused ------------------------------------------------------------------------------------ */

static mproc_status takes_wrong_kinds(mproc_call *call)
{
    const char *text = "unchanged";
    mproc_rlock *rlock = NULL;
    mproc_lock *lock = NULL;
    int number = 5;

    CHECK_SAYS(mproc_unpack(call, &rlock, &text), MPROC_INVALID,
               "argument 1 of 'f1' is a lock, the function wants an rlock");
    CHECK_SAYS(mproc_unpack(call, &number, &text), MPROC_INVALID,
               "argument 1 of 'f1' is a lock, the function wants an int32_t");
    CHECK_SAYS(mproc_unpack(call, &lock, &lock), MPROC_INVALID,
               "argument 2 of 'f1' is a string, the function wants a lock");
    CHECK(rlock == NULL && lock == NULL && number == 5);
    CHECK_STRING(text, "unchanged");
    return mproc_unpack(call, &lock, &text);
}

static void case_object_of_another_kind_is_refused_by_number(void)
{
    mproc_lock *lock = NULL;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    run_child(takes_wrong_kinds, MPROC_ARGS(lock, "a text"));
    run_here(takes_wrong_kinds, MPROC_ARGS(lock, "a text"), 1);
    mproc_lock_free(lock);
}

#define CHECK_WANTS(index, variable, text) \
    CHECK_SAYS(mproc_value_to(mproc_value_at(list, (index)), &(variable)), MPROC_INVALID, text)

static void case_each_kind_is_told_from_the_others(void)
{
    things all, wrong = {.lock = NULL};
    mproc_value list;

    all_objects_create(&all);
    CHECK_OK(mproc_value_copy(ALL_OBJECTS_LIST(&all), &list));
    CHECK_WANTS(0, wrong.rlock, "is a lock, the variable wants an rlock");
    CHECK_WANTS(1, wrong.lock, "is an rlock, the variable wants a lock");
    CHECK_WANTS(2, wrong.condition, "is a semaphore, the variable wants a condition");
    CHECK_WANTS(3, wrong.event, "is a condition, the variable wants an event");
    CHECK_WANTS(4, wrong.barrier, "is an event, the variable wants a barrier");
    CHECK_WANTS(5, wrong.semaphore, "is a barrier, the variable wants a semaphore");
    CHECK_WANTS(6, wrong.array, "is a shared value, the variable wants a shared array");
    CHECK_WANTS(7, wrong.value, "is a shared array, the variable wants a shared value");
    CHECK(wrong.rlock == NULL && wrong.lock == NULL && wrong.array == NULL && wrong.value == NULL);
    mproc_value_clear(&list);
    all_objects_free(&all);
}

static mproc_status takes_nothing_for_an_object(mproc_call *call)
{
    mproc_lock *lock = (void *)call; /* no lock, but not NULL either */
    mproc_shared_array *array = (void *)call;

    MPROC_TRY(mproc_unpack(call, &lock, &array));
    CHECK(lock == NULL && array == NULL);
    return MPROC_OK;
}

static void case_no_object_is_null(void)
{
    mproc_lock *lock = NULL;

    run_child(takes_nothing_for_an_object, MPROC_ARGS(lock, mproc_nil()));
}

/* A copy of a value refers to objects and does not keep them. At their places others may lie. */
static void check_gone(mproc_value list)
{
    mproc_process *process = NULL;
    mproc_lock *lock = NULL;
    size_t i;

    for (i = 0; i < mproc_value_count(list); i++) {
        mproc_value one = mproc_value_at(list, i);
        CHECK_SAYS(mproc_process_create(fixture_does_nothing, mproc_list_from(&one, 1), NULL, &process), MPROC_CLOSED,
                   "that is passed on has been freed");
    }
    CHECK_STATUS(mproc_process_create(fixture_does_nothing, list, NULL, &process), MPROC_CLOSED);
    CHECK(process == NULL);
    CHECK_SAYS(mproc_value_to(mproc_value_at(list, 0), &lock), MPROC_CLOSED,
               "a lock that a value refers to has been freed");
    CHECK(lock == NULL);
}

static void case_object_that_was_freed_is_refused(void)
{
    mproc_value copy;
    things all, others;
    uint64_t bytes;

    all_objects_create(&all);
    CHECK_OK(mproc_value_copy(ALL_OBJECTS_LIST(&all), &copy));
    all_objects_free(&all);
    bytes = fixture_bytes_used();
    check_gone(copy);
    all_objects_create(&others);
    check_gone(copy);
    all_objects_check(&others, 0);
    all_objects_free(&others);
    CHECK_EQ(fixture_bytes_used(), bytes);
    mproc_value_clear(&copy);
}

CHECK_SUITE_SETUP(process_objects, fixture_setup,
    CASE(objects_of_each_kind_arrive),
    CASE(objects_arrive_in_lists_and_maps),
    CASE(objects_are_passed_on_to_grandchildren),
    CASE(copied_values_refer_to_the_same_objects),
    CASE(object_that_is_given_twice_is_one),
    CASE(what_a_task_finds_in_its_arguments_ends_with_it),
    CASE(task_may_free_what_it_was_given),
    CASE(reference_that_no_task_finds_is_the_programs),
    CASE(arguments_keep_objects_that_are_freed_meanwhile),
    CASE(objects_outlive_the_process_that_made_them),
    CASE(object_of_another_kind_is_refused_by_number),
    CASE(each_kind_is_told_from_the_others),
    CASE(no_object_is_null),
    CASE(object_that_was_freed_is_refused),
);
