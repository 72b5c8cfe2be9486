/* What calls of objects between processes promise: objects in values, iterators, waits that end, and calls back. */
#include "service/classes.h"

#define NONE mproc_no_args()
enum { ITEMS = 5, TASKS = 20 };

static void end(classes_server *self)
{
    CHECK_OK(mproc_event_set(self->end));
    CHECK_EXITED(self->process, 0);
    classes_free_server(self);
}

/* ---- objects in values ---------------------------------------------------------------------------------- */

static void check_object(mproc_value value, int64_t number)
{
    mproc_object *object = NULL;

    CHECK_OK(mproc_value_to(value, &object));
    CHECK_EQ(classes_int(object, "get", NONE), number);
    mproc_object_free(object);
}

/* Of both processes, in what a method is given and what comes of it. */
static void case_objects_go_in_arguments_and_results(void)
{
    classes_server self = classes_start_server();
    mproc_object *counter = classes_counter_at(5);
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_object_call(self.counter, "echo", MPROC_ARGS(counter, MPROC_LIST(self.counter)), &value,
                               check_limit_ms()));
    check_object(mproc_value_at(value, 0), 5);
    check_object(mproc_value_at(mproc_value_at(value, 1), 0), 2);
    mproc_value_clear(&value);
    mproc_object_free(counter);
    classes_await_destroyed(1);
    end(&self);
}

static void case_objects_go_in_containers(void)
{
    classes_server self = classes_start_server();
    mproc_dict *dict = NULL;
    mproc_list *list = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_create(MPROC_MAP("counter", self.counter), &dict));
    CHECK_OK(mproc_list_create(MPROC_LIST(self.counter), &list));
    CHECK_OK(mproc_object_call(self.counter, "echo", MPROC_ARGS(dict, list), NULL, check_limit_ms()));
    CHECK_OK(mproc_dict_get(dict, MPROC_VALUE("counter"), &value));
    check_object(value, 2);
    mproc_value_clear(&value);
    CHECK_OK(mproc_list_pop(list, -1, &value));
    check_object(value, 2);
    mproc_value_clear(&value);
    mproc_dict_free(dict);
    mproc_list_free(list);
    end(&self);
}

static void case_objects_iterate(void)
{
    classes_server self = classes_start_server();
    mproc_value value = mproc_nil();

    CHECK_EQ(classes_int(self.counter, "increase", MPROC_ARGS(ITEMS - 2)), ITEMS);
    for (int64_t i = ITEMS; i-- > 0;) {
        CHECK_OK(mproc_object_next(self.counter, &value, check_limit_ms()));
        CHECK_EQ(mproc_value_int(value), i);
    }
    CHECK_SAYS(mproc_object_next(self.counter, &value, check_limit_ms()), MPROC_END, "it counts down to zero");
    end(&self);
}

/* Bytes, lists, texts, and nothing, as they are. */
static void case_results_of_all_types_come_back(void)
{
    classes_server self = classes_start_server();
    const mproc_value values[] = {mproc_bytes("ab\0c", 4),   mproc_bytes("", 0), mproc_nil(),      mproc_bool(true),
                                  MPROC_LIST(1, "two", 3.5), MPROC_VALUE(""),    MPROC_MAP("a", 1)};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        mproc_value value = mproc_nil();
        CHECK_OK(mproc_object_call(self.counter, "first", MPROC_ARGS(values[i]), &value, check_limit_ms()));
        CHECK(mproc_value_equal(value, values[i]));
        mproc_value_clear(&value);
    }
    end(&self);
}

/* ---- waits ---------------------------------------------------------------------------------------------- */

typedef struct holder {
    mproc_object *counter;
    mproc_event *begun, *over;
    mproc_status status;
} holder;

static void holds(void *context)
{
    holder *self = context;

    self->status = mproc_object_call(self->counter, "hold", MPROC_ARGS(self->begun, self->over), NULL, MPROC_FOREVER);
}

/* The method goes on. */
static void case_interrupts_end_the_wait(void)
{
    classes_server self = classes_start_server();
    holder it = {.counter = self.counter};
    plat_thread *thread;

    CHECK_OK(mproc_event_create(&it.begun));
    CHECK_OK(mproc_event_create(&it.over));
    CHECK_OK(plat_thread_start(holds, &it, &thread));
    CHECK_OK(mproc_event_wait(it.begun, check_limit_ms()));
    mproc_interrupt();
    plat_thread_join(thread);
    CHECK_STATUS(it.status, MPROC_INTERRUPTED);
    CHECK(mproc_interrupted());
    CHECK_STATUS(mproc_object_call(self.counter, "get", NONE, NULL, 20), MPROC_TIMEOUT);
    CHECK_OK(mproc_event_set(it.over));
    CHECK_EQ(classes_int(self.counter, "get", NONE), 2);
    mproc_event_free(it.begun);
    mproc_event_free(it.over);
    end(&self);
}

/* ---- calls back ----------------------------------------------------------------------------------------- */

static int64_t call_by(mproc_object *counter, mproc_object *other)
{
    return classes_int(counter, "call_other", MPROC_ARGS(other, "call_kept"));
}

/* The thread of the caller is in a method; another one of its process runs what is called. */
static void case_methods_call_back(void)
{
    classes_server self = classes_start_server();
    mproc_object *caller = classes_counter_at(5), *called = classes_counter_at(6);

    CHECK_OK(mproc_object_call(self.counter, "keep", MPROC_ARGS(called), NULL, check_limit_ms()));
    CHECK_EQ(call_by(caller, self.counter), 6);
    CHECK_OK(mproc_object_call(self.counter, "let_go", NONE, NULL, check_limit_ms()));
    mproc_object_free(caller);
    mproc_object_free(called);
    classes_await_destroyed(2);
    end(&self);
}

/* To the very object whose method waits for that: a circle, in which the time limit ends the innermost call. */
static void case_a_circle_ends_with_its_limit(void)
{
    classes_server self = classes_start_server();
    mproc_object *caller = classes_counter_at(5);

    CHECK_OK(mproc_object_call(self.counter, "keep", MPROC_ARGS(caller), NULL, check_limit_ms()));
    classes_says(caller, "call_other", MPROC_ARGS(self.counter, "call_kept"), MPROC_TIMEOUT, "within 20 ms");
    CHECK_EQ(classes_int(caller, "get", NONE), 5);
    CHECK_OK(mproc_object_call(self.counter, "let_go", NONE, NULL, check_limit_ms()));
    mproc_object_free(caller);
    classes_await_destroyed(1);
    end(&self);
}

/* ---- pools ---------------------------------------------------------------------------------------------- */

static mproc_status increases(mproc_call *call)
{
    mproc_object *counter;

    MPROC_TRY(mproc_unpack(call, &counter));
    return mproc_object_call(counter, "increase", MPROC_ARGS(1), NULL, check_limit_ms());
}

static void check_pool(bool threads)
{
    mproc_object *counter = classes_counter_at(0);
    mproc_result *results[TASKS];
    mproc_pool *pool = NULL;

    CHECK_OK(mproc_pool_create(&(mproc_pool_options){.workers = 2, .kind = threads ? MPROC_THREADS : MPROC_PROCESSES},
                               &pool));
    for (int i = 0; i < TASKS; i++)
        CHECK_OK(mproc_pool_apply_async(pool, increases, MPROC_ARGS(counter), NULL, &results[i]));
    for (int i = 0; i < TASKS; i++) {
        CHECK_OK(mproc_result_get(results[i], NULL, check_limit_ms()));
        mproc_result_free(results[i]);
    }
    mproc_pool_free(pool);
    CHECK_EQ(classes_int(counter, "get", NONE), TASKS);
    mproc_object_free(counter);
}

static void case_tasks_of_a_pool_call_objects_of_its_owner(void)
{
    check_pool(false);
}

static void case_tasks_of_threads_call_objects_of_their_process(void)
{
    check_pool(true);
}

/* When methods run at the same time here, threads for them come, of which some stay. */
#define THREADS_STAY .leaves = CHECK_THREADS | CHECK_HANDLES

CHECK_SUITE_SETUP(objects_called, classes_setup,
    CASE(objects_go_in_arguments_and_results),
    CASE(objects_go_in_containers),
    CASE(objects_iterate),
    CASE(results_of_all_types_come_back),
    CASE(interrupts_end_the_wait),
    CASE_WITH(methods_call_back, THREADS_STAY),
    CASE_WITH(a_circle_ends_with_its_limit, THREADS_STAY),
    CASE_WITH(tasks_of_a_pool_call_objects_of_its_owner, THREADS_STAY),
    CASE(tasks_of_threads_call_objects_of_their_process)
);
