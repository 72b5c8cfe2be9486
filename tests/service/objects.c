/* Objects of classes, in the process that has them. */
#include "service/classes.h"

#include <stdlib.h>
#include <string.h>

#define NONE mproc_no_args()

static void case_methods_change_the_state(void)
{
    mproc_object *counter = classes_counter_at(40);

    CHECK_EQ(classes_int(counter, "increase", MPROC_ARGS(2)), 42);
    CHECK_EQ(classes_int(counter, "get", NONE), 42);
    CHECK_EQ(classes_int(counter, "get", mproc_nil()), 42);
    CHECK_STRING(mproc_object_class(counter), "Counter");
    CHECK_OK(mproc_object_call(counter, "get", NONE, NULL, 0));
    mproc_object_free(counter);
    classes_await_destroyed(1);
}

static void check_echo(mproc_object *counter, mproc_args args)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_object_call(counter, "echo", args, &value, MPROC_FOREVER));
    CHECK(mproc_value_equal(value, args));
    mproc_value_clear(&value);
}

static void case_values_of_all_types_come_back(void)
{
    mproc_object *counter = classes_counter_at(0);
    char *large = calloc(1, 1 << 20);

    CHECK(large != NULL);
    memset(large, 'x', 1 << 20);
    check_echo(counter, MPROC_ARGS(1));
    check_echo(counter, MPROC_ARGS("more than a word of text", 2.5, mproc_nil(), mproc_bytes("\0\xff", 2)));
    check_echo(counter, MPROC_MAP("name", 1, "more", MPROC_LIST(1, 2)));
    check_echo(counter, mproc_bytes("bytes as they are", 17));
    check_echo(counter, MPROC_ARGS(mproc_string_from(large, 1 << 20)));
    free(large);
    mproc_object_free(counter);
}

static void case_objects_come_back(void)
{
    mproc_object *counter = classes_counter_at(1), *same = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_object_call(counter, "echo", MPROC_ARGS(counter), &value, 0));
    CHECK_OK(mproc_value_to(mproc_value_at(value, 0), &same));
    mproc_value_clear(&value);
    CHECK_EQ(classes_int(same, "increase", MPROC_ARGS(1)), 2);
    mproc_object_free(counter);
    CHECK_EQ(classes_int(same, "get", NONE), 2);
    CHECK_EQ(atomic_load(&classes_destroyed), 0);
    mproc_object_free(same);
    classes_await_destroyed(1);
}

static void case_methods_make_objects(void)
{
    mproc_object *counter = classes_counter_at(1), *made = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_object_call(counter, "make", MPROC_ARGS(7), &value, 0));
    mproc_object_free(counter);
    classes_await_destroyed(1);
    CHECK_OK(mproc_value_to(value, &made));
    CHECK_EQ(classes_int(made, "get", NONE), 7);
    mproc_object_free(made);
    CHECK_EQ(atomic_load(&classes_destroyed), 1);
    mproc_value_clear(&value); /* the last reference, and no pointer to the object */
    classes_await_destroyed(2);
}

/* A dict and a queue have the references. */
static void case_objects_live_as_long_as_somebody_has_them(void)
{
    mproc_object *counter = classes_counter_at(1);
    mproc_queue *queue = NULL;
    mproc_dict *dict = NULL;

    CHECK_OK(mproc_queue_create(NULL, &queue));
    CHECK_OK(mproc_queue_put(queue, MPROC_VALUE(counter), 0));
    CHECK_OK(mproc_dict_create(MPROC_MAP("counter", counter), &dict));
    mproc_object_free(counter);
    mproc_queue_free(queue);
    CHECK_EQ(atomic_load(&classes_destroyed), 0);
    CHECK_OK(mproc_dict_clear(dict));
    classes_await_destroyed(1);
    mproc_dict_free(dict);
}

static void case_failures_name_the_method_and_its_process(void)
{
    mproc_object *counter = classes_counter_at(1);

    classes_says(counter, "fail", MPROC_ARGS(MPROC_USER + 3), MPROC_USER + 3, "Counter.fail in process '");
    classes_says(counter, "fail", MPROC_ARGS(MPROC_USER + 3), MPROC_USER + 3, "(pid ");
    classes_says(counter, "fail", MPROC_ARGS(MPROC_USER + 3), MPROC_USER + 3, "): it was to fail");
    classes_says(counter, "fail", MPROC_ARGS("no"), MPROC_INVALID, "Counter.fail");
    classes_says(counter, "increase", NONE, MPROC_INVALID, "'Counter.increase' was given 0 arguments");
    CHECK_EQ(classes_int(counter, "get", NONE), 1);
    mproc_object_free(counter);
}

static void case_methods_that_are_not_there_are_listed(void)
{
    static const mproc_class bare = {.name = "Bare"};
    mproc_object *counter = classes_counter_at(1), *none = classes_create(&bare, NONE);

    classes_says(counter, "decrease", NONE, MPROC_NOT_SUPPORTED,
                 "class 'Counter' has no method 'decrease', but get,");
    classes_says(counter, "create", MPROC_ARGS(1), MPROC_NOT_SUPPORTED, "no method 'create'");
    classes_says(none, "get", NONE, MPROC_NOT_SUPPORTED, "class 'Bare' has no methods");
    mproc_object_free(counter);
    mproc_object_free(none);
}

static void case_what_cannot_be_a_class_is_refused(void)
{
    static const mproc_method twice[] = {{"a", NULL}, {"a", NULL}};
    mproc_method two[] = {{"a", classes_counter.create}, {"b", classes_counter.create}};
    mproc_class class_ = {.name = "C", .methods = two, .method_count = 2};
    mproc_object *object = NULL;
    char name[MPROC_CLASS_NAME_BYTES_MAX + 2];

    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    CHECK_SAYS(mproc_object_create(NULL, NONE, &object), MPROC_INVALID, "class NULL");
    CHECK_SAYS(mproc_object_create(&class_, NONE, NULL), MPROC_INVALID, "object is NULL");
    CHECK_SAYS(mproc_object_create(&class_, MPROC_ARGS(1), &object), MPROC_INVALID, "no function that makes");
    two[1].name = "a";
    CHECK_SAYS(mproc_object_create(&class_, NONE, &object), MPROC_INVALID, "two methods 'a'");
    two[1].name = NULL;
    CHECK_SAYS(mproc_object_create(&class_, NONE, &object), MPROC_INVALID, "a method of class C has no name");
    two[1].name = "";
    CHECK_SAYS(mproc_object_create(&class_, NONE, &object), MPROC_INVALID, "cannot be one");
    two[1].name = name;
    CHECK_SAYS(mproc_object_create(&class_, NONE, &object), MPROC_INVALID, "1 to 63 bytes");
    name[MPROC_CLASS_NAME_BYTES_MAX] = '\0';
    CHECK_OK(mproc_object_create(&class_, NONE, &object));
    mproc_object_free(object);
    class_.methods = twice;
    CHECK_SAYS(mproc_object_create(&class_, NONE, &object), MPROC_INVALID, "has no function");
    class_.methods = NULL;
    CHECK_SAYS(mproc_object_create(&class_, NONE, &object), MPROC_INVALID, "at no address");
    class_.name = NULL;
    CHECK_SAYS(mproc_object_create(&class_, NONE, &object), MPROC_INVALID, "a class has no name");
    CHECK_SAYS(mproc_object_create(&classes_counter, MPROC_ARGS("no number"), &object), MPROC_INVALID,
               "Counter.create in process");
    CHECK_SAYS(mproc_object_create(&classes_counter, mproc_int(1), &object), MPROC_INVALID, "MPROC_ARGS(x)");
    CHECK_EQ(atomic_load(&classes_destroyed), 0);
}

static void case_what_cannot_be_called_is_refused(void)
{
    mproc_object *counter = classes_counter_at(1);

    CHECK_SAYS(mproc_object_call(counter, NULL, NONE, NULL, 0), MPROC_INVALID, "method is NULL");
    CHECK_STATUS(mproc_object_call(counter, "get", NONE, NULL, -1), MPROC_INVALID);
    classes_says(counter, "echo", MPROC_ARGS(mproc_string_from("\xff", 1)), MPROC_INVALID, "Counter.echo");
    classes_says(counter, "echo", mproc_int(1), MPROC_INVALID, "MPROC_ARGS(x)");
    mproc_object_free(counter);
    mproc_object_free(NULL);
}

/* A class that the program makes, and changes afterwards. */
static void case_classes_are_copied(void)
{
    mproc_method method = classes_counter.methods[0];
    mproc_class class_ = classes_counter;
    char class_name[] = "Made", method_name[] = "got";
    mproc_object *object;

    class_.name = class_name;
    class_.methods = &method;
    class_.method_count = 1;
    method.name = method_name;
    object = classes_create(&class_, MPROC_ARGS(9));
    memset(&method, 0, sizeof method);
    memset(&class_, 0, sizeof class_);
    class_name[0] = method_name[0] = 'x';
    CHECK_EQ(classes_int(object, "got", NONE), 9);
    CHECK_STRING(mproc_object_class(object), "Made");
    mproc_object_free(object);
    classes_await_destroyed(1);
}

static void case_next_ends(void)
{
    mproc_object *counter = classes_counter_at(3);
    mproc_value value = mproc_nil();

    for (int64_t i = 2; i >= 0; i--) {
        CHECK_OK(mproc_object_next(counter, &value, 0));
        CHECK_EQ(mproc_value_int(value), i);
    }
    CHECK_SAYS(mproc_object_next(counter, &value, 0), MPROC_END, "it counts down to zero");
    mproc_object_free(counter);
}

static void case_a_method_that_calls_its_own_object_is_refused(void)
{
    mproc_object *counter = classes_counter_at(3), *other = classes_counter_at(4);
    mproc_class class_ = classes_counter;
    mproc_object *concurrent;

    classes_says(counter, "call_other", MPROC_ARGS(counter, "get"), MPROC_BAD_STATE, "would wait for itself");
    CHECK_EQ(classes_int(counter, "call_other", MPROC_ARGS(other, "get")), 4);
    class_.concurrent = true;
    concurrent = classes_create(&class_, MPROC_ARGS(5));
    CHECK_EQ(classes_int(concurrent, "call_other", MPROC_ARGS(concurrent, "get")), 5);
    mproc_object_free(concurrent);
    mproc_object_free(counter);
    mproc_object_free(other);
    classes_await_destroyed(3);
}

/* The method frees the last reference to its own object: that ends when the method has. */
static void case_a_method_frees_its_own_object(void)
{
    mproc_object *counter = classes_counter_at(3);
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_object_call(counter, "keep", MPROC_ARGS(counter), NULL, 0));
    CHECK_OK(mproc_object_call(counter, "let_go", NONE, &value, 0));
    CHECK_EQ(mproc_value_int(value), 3);
    CHECK_EQ(classes_int(counter, "get", NONE), 3);
    mproc_object_free(counter);
    classes_await_destroyed(1);
}

/* ---- several threads ------------------------------------------------------------------------------------ */

typedef struct holder {
    mproc_object *counter;
    mproc_event *begun, *ends;
    mproc_status status;
} holder;

static void holds(void *context)
{
    holder *self = context;

    self->status = mproc_object_call(self->counter, "hold", MPROC_ARGS(self->begun, self->ends), NULL, MPROC_FOREVER);
}

static void hold(holder *self, plat_thread **thread, const mproc_class *class_)
{
    *self = (holder){.counter = classes_create(class_, MPROC_ARGS(1)), .status = MPROC_CLOSED};
    CHECK_OK(mproc_event_create(&self->begun));
    CHECK_OK(mproc_event_create(&self->ends));
    CHECK_OK(plat_thread_start(holds, self, thread));
    CHECK_OK(mproc_event_wait(self->begun, check_limit_ms()));
}

static void let_go(holder *self, plat_thread *thread)
{
    CHECK_OK(mproc_event_set(self->ends));
    plat_thread_join(thread);
    CHECK_EQ(self->status, MPROC_OK);
    mproc_event_free(self->begun);
    mproc_event_free(self->ends);
    mproc_object_free(self->counter);
}

static void case_one_method_runs_at_a_time(void)
{
    plat_thread *thread;
    holder self;

    hold(&self, &thread, &classes_counter);
    CHECK_SAYS(mproc_object_call(self.counter, "get", NONE, NULL, 0), MPROC_TIMEOUT,
               "Counter.get did not get its turn within 0 ms: the object was last in Counter.hold");
    let_go(&self, thread);
    classes_await_destroyed(1);
}

static void case_methods_of_a_concurrent_class_run_together(void)
{
    mproc_class class_ = classes_counter;
    plat_thread *thread;
    holder self;

    class_.concurrent = true;
    hold(&self, &thread, &class_);
    CHECK_EQ(classes_int(self.counter, "get", NONE), 1);
    let_go(&self, thread);
    classes_await_destroyed(1);
}

enum { THREADS = 4, CALLS = 500 };

static void increases(void *context)
{
    for (int i = 0; i < CALLS; i++) classes_int(context, "increase", MPROC_ARGS(1));
}

static void case_no_call_is_lost(void)
{
    mproc_object *counter = classes_counter_at(0);
    plat_thread *threads[THREADS];

    for (int i = 0; i < THREADS; i++) CHECK_OK(plat_thread_start(increases, counter, &threads[i]));
    for (int i = 0; i < THREADS; i++) plat_thread_join(threads[i]);
    CHECK_EQ(classes_int(counter, "get", NONE), THREADS * CALLS);
    mproc_object_free(counter);
}

/* ---- the end of the process ----------------------------------------------------------------------------- */

static mproc_queue *told;

static mproc_status says_that_it_ends(mproc_call *call)
{
    (void)call;
    return mproc_queue_put(told, MPROC_VALUE("destroyed"), 0);
}

/* With `inside`, a method calls exit(), and its object does not end. */
static mproc_status exits(mproc_call *call)
{
    static mproc_object *left[2]; /* whoever exits has them to the end */
    const mproc_class ending = {.name = "Ending", .destroy = says_that_it_ends};
    mproc_value queue;
    bool inside;

    MPROC_TRY(mproc_unpack(call, &queue, &inside));
    MPROC_TRY(mproc_value_to(queue, &told));
    left[0] = classes_create(&ending, NONE);
    left[1] = classes_counter_at(1);
    return inside ? mproc_object_call(left[1], "leave", NONE, NULL, MPROC_FOREVER) : MPROC_OK;
}

static void check_exit(bool inside, int code)
{
    mproc_queue *queue = NULL;
    mproc_value value = mproc_nil();
    mproc_process *process;

    CHECK_OK(mproc_queue_create(NULL, &queue));
    process = connections_start(exits, MPROC_ARGS(queue, inside));
    CHECK_EXITED(process, code);
    CHECK_OK(mproc_queue_get(queue, &value, 0));
    CHECK_STRING(mproc_value_string(value), "destroyed");
    mproc_value_clear(&value);
    CHECK_STATUS(mproc_queue_get(queue, &value, 0), MPROC_TIMEOUT);
    mproc_queue_free(queue);
}

static void case_objects_end_with_their_process(void)
{
    check_exit(false, 0);
}

static void case_a_method_exits(void)
{
    check_exit(true, 7);
}

CHECK_SUITE_SETUP(objects, classes_setup,
    CASE(methods_change_the_state),
    CASE(values_of_all_types_come_back),
    CASE(objects_come_back),
    CASE(methods_make_objects),
    CASE(objects_live_as_long_as_somebody_has_them),
    CASE(failures_name_the_method_and_its_process),
    CASE(methods_that_are_not_there_are_listed),
    CASE(what_cannot_be_a_class_is_refused),
    CASE(what_cannot_be_called_is_refused),
    CASE(classes_are_copied),
    CASE(next_ends),
    CASE(a_method_that_calls_its_own_object_is_refused),
    CASE(a_method_frees_its_own_object),
    CASE(one_method_runs_at_a_time),
    CASE(methods_of_a_concurrent_class_run_together),
    CASE(no_call_is_lost),
    CASE(objects_end_with_their_process),
    CASE(a_method_exits)
);
