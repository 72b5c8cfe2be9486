/* mproc/pool.h: what tasks are given and what they return: values of every kind, and objects. */
#include <stdlib.h>

#include "pool/tasks_fixture.h"
#include "object/reference.h"
#include "process/all_objects.h"

/* ---- arguments and values --------------------------------------------------------------------- */

static mproc_status power(mproc_call *call)
{
    int64_t base, exponent, result = 1;

    MPROC_TRY(mproc_unpack(call, &base, &exponent));
    for (; exponent > 0; exponent--) result *= base;
    return mproc_call_return(call, mproc_int(result));
}

static mproc_status says_hello(mproc_call *call)
{
    const char *name = mproc_value_string(mproc_value_get(mproc_call_value(call), "name"));

    if (!name) return mproc_error(MPROC_INVALID, "nobody to greet");
    return mproc_call_return(call, MPROC_MAP("hello", name, "letters", (int64_t)strlen(name)));
}

static void case_apply_returns_what_the_function_returns(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_pool_apply(pool, power, MPROC_ARGS(7, 3), &value));
    CHECK_EQ(mproc_value_int(value), 343);
    mproc_value_clear(&value);
    CHECK_OK(mproc_pool_apply(pool, says_hello, MPROC_MAP("name", "Anna"), &value));
    CHECK_STRING(mproc_value_string(mproc_value_get(value, "hello")), "Anna");
    CHECK_EQ(mproc_value_int(mproc_value_get(value, "letters")), 4);
    mproc_value_clear(&value);
    CHECK_OK(mproc_pool_apply(pool, power, MPROC_ARGS(7, 3), NULL));
    mproc_pool_free(pool);
}

static mproc_status returns_nothing(mproc_call *call)
{
    CHECK_EQ(mproc_call_count(call), 0);
    return MPROC_OK;
}

/* Also after a task of the same worker has returned something. */
static void case_a_task_without_arguments_and_value_returns_nil(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_value value = mproc_int(1);

    for (int i = 0; i < 3; i++) {
        CHECK_OK(mproc_pool_apply(pool, returns_nothing, mproc_no_args(), &value));
        CHECK(mproc_value_is_nil(value));
        CHECK_OK(mproc_pool_apply(pool, power, MPROC_ARGS(2, 62), &value));
        CHECK_EQ(mproc_value_int(value), (int64_t)1 << 62);
    }
    mproc_pool_free(pool);
}

static const size_t sizes[] = {0,  1,   2,   3,   4,    5,    6,    7,     8,      9,      15, 16,
                               17, 23,  24,  25,  31,   32,   33,   39,    40,     41,     47, 48,
                               49, 100, 255, 256, 2000, 4096, 5000, 32768, 100000, 1 << 20};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void check_echo(mproc_pool *pool, mproc_value value)
{
    mproc_result *result;
    mproc_value back = mproc_nil();
    mproc_args args = mproc_list_from(&value, 1);

    CHECK_OK(mproc_pool_apply_async(pool, tasks_echo, args, NULL, &result));
    CHECK_OK(mproc_result_get(result, &back, check_limit_ms()));
    CHECK(mproc_value_equal(back, args));
    mproc_result_free(result);
    CHECK_OK(mproc_pool_apply(pool, tasks_echo, args, &back));
    CHECK(mproc_value_equal(back, args));
    mproc_value_clear(&back);
}

static void case_texts_and_bytes_of_every_size_come_and_go(void)
{
    mproc_pool *pool = fixture_create(2);
    char *text = malloc(sizes[SIZES - 1]);

    CHECK(text != NULL);
    for (size_t i = 0; i < sizes[SIZES - 1]; i++) text[i] = (char)('a' + (i + (i >> 8)) % 26);
    for (int i = 0; i < SIZES; i++) {
        check_echo(pool, mproc_string_from(text, sizes[i]));
        check_echo(pool, mproc_bytes(text, sizes[i]));
    }
    free(text);
    mproc_pool_free(pool);
}

static void case_values_of_every_type_come_and_go(void)
{
    enum { MANY = 5000 };
    static mproc_value numbers[2 * MANY];
    mproc_pool *pool = fixture_create(2);
    mproc_value values[] = {mproc_nil(),
                            mproc_bool(true),
                            mproc_int(INT64_MIN),
                            mproc_int(-1),
                            mproc_int(0),
                            mproc_int(INT64_MAX),
                            mproc_uint(UINT64_MAX),
                            mproc_double(-0.5),
                            mproc_string(""),
                            mproc_bytes("", 0),
                            mproc_list_from(NULL, 0),
                            mproc_map_from(NULL, 0),
                            MPROC_LIST(1, "two", 3.0, MPROC_LIST(4, MPROC_MAP("five", mproc_nil()))),
                            MPROC_MAP("name", "f1", "count", 2, "tags", MPROC_LIST("a", "b")),
                            MPROC_VALUE(power),
                            mproc_list_from(numbers, 2 * MANY),
                            mproc_map_from(numbers, MANY)};

    for (int i = 0; i < 2 * MANY; i++) numbers[i] = mproc_int(i);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) check_echo(pool, values[i]);
    mproc_pool_free(pool);
}

/* Arguments that are no list, and lists of one and two elements that do not fit a slot. */
static void case_arguments_of_every_form_arrive(void)
{
    static const char large[3000];
    mproc_pool *pool = fixture_create(1);
    mproc_args args[] = {mproc_no_args(),
                         MPROC_ARGS(1),
                         MPROC_ARGS(1, 2),
                         MPROC_ARGS(1, 2, 3),
                         MPROC_ARGS("a", "a text that does not fit a slot beside another one, or alone"),
                         MPROC_ARGS("a text that does not fit a slot beside another one, or alone", 1),
                         MPROC_MAP("a", 1),
                         MPROC_MAP("a", 1, "b", 2),
                         mproc_bytes("x", 1),
                         mproc_bytes(large, 40),
                         mproc_bytes(large, sizeof large),
                         MPROC_ARGS(mproc_list_from(NULL, 0), MPROC_MAP("a", MPROC_LIST(1)))};

    for (size_t i = 0; i < sizeof args / sizeof args[0]; i++) {
        mproc_value back;
        CHECK_OK(mproc_pool_apply(pool, tasks_echo, args[i], &back));
        CHECK(mproc_value_equal(back, args[i]));
        mproc_value_clear(&back);
    }
    mproc_pool_free(pool);
}

/* ---- what is kept of a task ------------------------------------------------------------------- */

static mproc_status returns_twice(mproc_call *call)
{
    static char large[5000];
    int64_t how;

    MPROC_TRY(mproc_unpack(call, &how));
    MPROC_TRY(mproc_call_return(call, how % 2 ? mproc_bytes(large, sizeof large) : mproc_int(1)));
    if (how < 2) return mproc_call_return(call, mproc_string("the last"));
    if (how < 4) return mproc_call_return(call, mproc_bytes(large, sizeof large));
    return mproc_error(MPROC_USER, "in vain");
}

static void case_of_several_values_the_last_counts(void)
{
    mproc_pool *pool = fixture_create(1);
    uint64_t blocks;
    mproc_value value;

    /* Each function that a pool has called takes a block. */
    CHECK_OK(mproc_pool_apply(pool, returns_twice, MPROC_ARGS(0), NULL));
    CHECK_OK(mproc_pool_apply(pool, returns_nothing, mproc_no_args(), NULL));
    blocks = tasks_blocks();
    for (int i = 0; i < 4; i++) {
        CHECK_OK(mproc_pool_apply(pool, returns_twice, MPROC_ARGS(i), &value));
        if (i < 2) CHECK_STRING(mproc_value_string(value), "the last");
        else CHECK_EQ(mproc_value_size(value), 5000);
        mproc_value_clear(&value);
    }
    CHECK_REFUSED(mproc_pool_apply(pool, returns_twice, MPROC_ARGS(4), &value), MPROC_USER, "in vain");
    CHECK_REFUSED(mproc_pool_apply(pool, returns_twice, MPROC_ARGS(5), &value), MPROC_USER, "in vain");
    CHECK_OK(mproc_pool_apply(pool, returns_nothing, mproc_no_args(), &value));
    CHECK(mproc_value_is_nil(value));
    tasks_await_blocks(blocks);
    mproc_pool_free(pool);
}

/* Not text at all. */
static mproc_status returns_what_cannot_be(mproc_call *call)
{
    return mproc_call_return(call, MPROC_LIST(1, mproc_string_from("\xff\xfe", 2)));
}

static void case_a_value_that_cannot_be_fails_its_task_and_no_worker(void)
{
    mproc_pool *pool = fixture_create(2);
    int64_t before[2], after[2];

    tasks_check_pool(pool);
    CHECK_EQ(mproc_pool_pids(pool, before, 2), 2);
    for (int i = 0; i < 20; i++)
        CHECK_REFUSED(mproc_pool_apply(pool, returns_what_cannot_be, mproc_no_args(), NULL), MPROC_INVALID, "UTF-8");
    CHECK_CONTAINS(mproc_last_error_text(), "PoolWorker-");
    tasks_check_pool(pool);
    CHECK_EQ(mproc_pool_pids(pool, after, 2), 2);
    for (int i = 0; i < 2; i++) CHECK_EQ(after[i], before[i]);
    mproc_pool_free(pool);
}

static mproc_status item_returns_a_value(const void *item, void *result, mproc_call *call)
{
    (void)item;
    (void)result;
    return mproc_call_return(call, mproc_int(1));
}

/* Also where the worker has run a task before. */
static void case_an_item_of_a_map_returns_no_value(void)
{
    mproc_pool *pool = fixture_create(1);

    tasks_check_pool(pool);
    CHECK_REFUSED(mproc_pool_map(pool, item_returns_a_value, "x", 1, NULL, 0, 1, NULL), MPROC_BAD_STATE,
                  "returns a value that nobody gets");
    mproc_pool_free(pool);
}

static mproc_status keeps_the_lock(mproc_call *call)
{
    mproc_lock *lock;

    MPROC_TRY(mproc_unpack(call, &lock));
    return mproc_lock_acquire(lock, 0);
}

static void case_locks_that_a_task_leaves_held_are_abandoned(void)
{
    mproc_pool *pool = fixture_create(1);
    mproc_lock *lock;

    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_pool_apply(pool, keeps_the_lock, MPROC_ARGS(lock), NULL));
    CHECK_REFUSED(mproc_lock_acquire(lock, MPROC_FOREVER), MPROC_OWNER_DIED, "or its task did");
    mproc_lock_free(lock);
    tasks_check_pool(pool);
    mproc_pool_free(pool);
}

/* ---- objects ---------------------------------------------------------------------------------- */

static uint32_t handles_of(const void *object)
{
    return object_handles(((const struct reference *)object)->at);
}

static mproc_status uses_objects(mproc_call *call)
{
    things all;

    MPROC_TRY(all_objects_unpack(call, &all));
    all_objects_use(&all);
    return MPROC_OK;
}

static void case_tasks_have_objects_of_each_kind_and_give_them_back(void)
{
    enum { TASKS = 30 };
    mproc_pool *pool = fixture_create(2);
    mproc_result *results[TASKS];
    things all;

    all_objects_create(&all);
    for (int i = 0; i < TASKS; i++)
        CHECK_OK(mproc_pool_apply_async(pool, uses_objects, ALL_OBJECTS_LIST(&all), NULL, &results[i]));
    for (int i = 0; i < TASKS; i++) CHECK_OK(mproc_result_get(results[i], NULL, check_limit_ms()));
    all_objects_check(&all, TASKS);
    CHECK_EQ(handles_of(all.lock), 1);
    CHECK_EQ(handles_of(all.array), 1);
    for (int i = 0; i < TASKS; i++) mproc_result_free(results[i]);
    all_objects_free(&all);
    mproc_pool_free(pool);
}

static mproc_status uses_an_event_when_told(mproc_call *call)
{
    mproc_event *event;
    uint64_t board;

    MPROC_TRY(mproc_unpack(call, &board, &event));
    atomic_fetch_add(&fixture_board_at(board)->started, 1);
    CHECK_AWAIT(&fixture_board_at(board)->go, 1);
    MPROC_TRY(mproc_event_set(event));
    return mproc_call_return(call, mproc_bool(mproc_event_is_set(event)));
}

/* One that runs has them, and one that waits behind it. */
static void case_arguments_keep_objects_that_are_freed_meanwhile(void)
{
    mproc_pool *pool = fixture_create(1);
    fixture_board *board = fixture_board_create();
    mproc_result *results[2];
    mproc_event *event;
    mproc_value value;

    CHECK_OK(mproc_event_create(&event));
    for (int i = 0; i < 2; i++)
        CHECK_OK(mproc_pool_apply_async(pool, uses_an_event_when_told, MPROC_ARGS(fixture_board_offset(board), event),
                                        NULL, &results[i]));
    CHECK_AWAIT(&board->started, 1);
    mproc_event_free(event);
    atomic_store(&board->go, 1);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(mproc_result_get(results[i], &value, check_limit_ms()));
        CHECK(mproc_value_bool(value));
        mproc_result_free(results[i]);
    }
    fixture_board_free(board);
    mproc_pool_free(pool);
}

/* ---- objects that tasks make ------------------------------------------------------------------ */

/* Nobody but whoever gets the value has them then. */
static mproc_status makes_objects(mproc_call *call)
{
    mproc_queue *queue = NULL;
    mproc_lock *lock = NULL;
    mproc_status status = MPROC_OK;

    MPROC_TRY(mproc_queue_create(NULL, &queue));
    CHECK_OK(mproc_lock_create(NULL, &lock));
    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE("from the task"), 0));
    status = mproc_call_return(call, MPROC_LIST(lock, queue, mproc_getpid()));
    mproc_queue_free(queue);
    mproc_lock_free(lock);
    return status;
}

static void use_objects(mproc_value list)
{
    mproc_lock *lock = NULL;
    mproc_queue *queue = NULL;
    mproc_value item;

    CHECK_OK(mproc_value_to(mproc_value_at(list, 0), &lock));
    CHECK_OK(mproc_value_to(mproc_value_at(list, 1), &queue));
    CHECK_OK(mproc_lock_acquire(lock, 0));
    CHECK_OK(mproc_lock_release(lock));
    CHECK_OK(mproc_queue_get(queue, &item, 0));
    CHECK_STRING(mproc_value_string(item), "from the task");
    CHECK_OK(mproc_queue_put(queue, item, 0));
    mproc_value_clear(&item);
    mproc_lock_free(lock);
    mproc_queue_free(queue);
}

static bool is_gone(void *context)
{
    return !os_is_alive(*(const int64_t *)context);
}

/* Their worker is killed, and their pool freed. */
static void case_objects_that_a_task_has_made_live_until_its_result_is_freed(void)
{
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(1);
    mproc_result *result;
    mproc_lock *lock = NULL;
    mproc_value value, copy;

    CHECK_OK(mproc_pool_apply_async(pool, makes_objects, mproc_no_args(), NULL, &result));
    CHECK_OK(mproc_result_get(result, &value, check_limit_ms()));
    use_objects(value);
    if (!fixture_is_threads()) {
        int64_t pid = mproc_value_int(mproc_value_at(value, 2));
        os_kill(pid);
        CHECK_WAIT_UNTIL(is_gone, &pid);
    }
    tasks_check_pool(pool);
    use_objects(value);
    mproc_pool_free(pool);
    use_objects(value);
    CHECK_OK(mproc_value_copy(value, &copy));
    CHECK_OK(mproc_value_to(mproc_value_at(value, 0), &lock));
    mproc_result_free(result);
    CHECK_OK(mproc_lock_acquire(lock, 0)); /* it is the program's, too */
    CHECK_OK(mproc_lock_release(lock));
    mproc_lock_free(lock);
    CHECK_REFUSED(mproc_value_to(mproc_value_at(copy, 0), &lock), MPROC_CLOSED, "has been freed");
    mproc_value_clear(&copy);
    tasks_await_blocks(blocks);
}

static void case_objects_in_a_value_of_apply_live_until_it_is_cleared(void)
{
    uint64_t blocks = tasks_blocks_without_pools();
    mproc_pool *pool = fixture_create(2);
    mproc_value values[10];

    for (int i = 0; i < 10; i++) CHECK_OK(mproc_pool_apply(pool, makes_objects, mproc_no_args(), &values[i]));
    for (int i = 0; i < 5; i++) use_objects(values[i]);
    for (int i = 0; i < 5; i++) mproc_value_clear(&values[i]);
    mproc_pool_free(pool);
    for (int i = 5; i < 10; i++) use_objects(values[i]);
    for (int i = 5; i < 10; i++) mproc_value_clear(&values[i]);
    tasks_await_blocks(blocks);
}

/* From task to task. */
static mproc_status puts_into_a_queue(mproc_call *call)
{
    mproc_queue *queue;

    MPROC_TRY(mproc_unpack(call, &queue));
    MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE("from the second"), 0));
    return mproc_call_return(call, MPROC_VALUE(queue));
}

static void case_an_object_of_one_task_is_an_argument_of_the_next(void)
{
    mproc_pool *pool = fixture_create(2);
    mproc_value first, second, item;
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_pool_apply(pool, makes_objects, mproc_no_args(), &first));
    CHECK_OK(mproc_pool_apply(pool, puts_into_a_queue, MPROC_ARGS(mproc_value_at(first, 1)), &second));
    mproc_value_clear(&first);
    CHECK_OK(mproc_value_to(second, &queue));
    mproc_value_clear(&second);
    CHECK_EQ(handles_of(queue), 1);
    CHECK_EQ(mproc_queue_size(queue), 2);
    CHECK_OK(mproc_queue_get(queue, &item, 0));
    mproc_value_clear(&item);
    CHECK_OK(mproc_queue_get(queue, &item, 0));
    CHECK_STRING(mproc_value_string(item), "from the second");
    mproc_value_clear(&item);
    mproc_queue_free(queue);
    mproc_pool_free(pool);
}

CHECK_TWINS(pool_values, fixture_of_processes, pool_values_threads, fixture_of_threads,
    CASE(apply_returns_what_the_function_returns),
    CASE(a_task_without_arguments_and_value_returns_nil),
    CASE(texts_and_bytes_of_every_size_come_and_go),
    CASE(values_of_every_type_come_and_go),
    CASE(arguments_of_every_form_arrive),
    CASE(of_several_values_the_last_counts),
    CASE(a_value_that_cannot_be_fails_its_task_and_no_worker),
    CASE(an_item_of_a_map_returns_no_value),
    CASE(locks_that_a_task_leaves_held_are_abandoned),
    CASE(tasks_have_objects_of_each_kind_and_give_them_back),
    CASE(arguments_keep_objects_that_are_freed_meanwhile),
    CASE(objects_that_a_task_has_made_live_until_its_result_is_freed),
    CASE(objects_in_a_value_of_apply_live_until_it_is_cleared),
    CASE(an_object_of_one_task_is_an_argument_of_the_next),
);
