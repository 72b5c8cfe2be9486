/* Objects of classes that a manager serves to other programs. */
#include "service/classes.h"

#define NONE mproc_no_args()

/* A counter of the manager, as its client has it. */
static mproc_object *counter_of(const serving *both, const char *name)
{
    mproc_value value = mproc_nil();
    mproc_object *counter = NULL;

    CHECK_OK(mproc_manager_get(both->client, name, &value));
    CHECK_OK(mproc_value_to(value, &counter));
    mproc_value_clear(&value);
    return counter;
}

static mproc_object *serve(serving *both, int64_t value)
{
    mproc_object *counter = classes_counter_at(value);

    *both = serving_create(LISTENING_PRIVATE, NULL);
    CHECK_OK(mproc_manager_serve(both->manager, "counter", MPROC_VALUE(counter)));
    mproc_object_free(counter);
    return counter_of(both, "counter");
}

static void case_clients_call_methods(void)
{
    serving both;
    mproc_object *counter = serve(&both, 40);
    mproc_value value = mproc_nil();

    CHECK_EQ(classes_int(counter, "increase", MPROC_ARGS(2)), 42);
    CHECK_EQ(classes_int(counter, "get", NONE), 42);
    CHECK(mproc_object_class(counter) == NULL);
    CHECK_OK(mproc_object_call(counter, "echo", MPROC_MAP("a", 1.5), &value, MPROC_FOREVER));
    CHECK(mproc_value_equal(value, MPROC_MAP("a", 1.5)));
    mproc_value_clear(&value);
    CHECK_OK(mproc_object_next(counter, &value, check_limit_ms()));
    CHECK_EQ(mproc_value_int(value), 41);
    mproc_object_free(counter);
    serving_free(&both);
    classes_await_destroyed(1);
}

static void case_failures_come_with_their_texts(void)
{
    serving both;
    mproc_object *counter = serve(&both, 0);

    classes_says(counter, "fail", MPROC_ARGS(MPROC_USER + 3), MPROC_USER + 3, "Counter.fail in process '");
    classes_says(counter, "no", NONE, MPROC_NOT_SUPPORTED, "class 'Counter' has no method 'no', but get, increase");
    classes_says(counter, "next", NONE, MPROC_END, "it counts down to zero");
    classes_says(counter, "echo", mproc_int(1), MPROC_INVALID, "MPROC_ARGS(x)");
    CHECK_SAYS(mproc_object_call(counter, NULL, NONE, NULL, 0), MPROC_INVALID, "method is NULL");
    mproc_object_free(counter);
    serving_free(&both);
}

static void case_methods_make_objects_for_clients(void)
{
    serving both;
    mproc_object *counter = serve(&both, 0), *made = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_object_call(counter, "make", MPROC_ARGS(7), &value, check_limit_ms()));
    CHECK_OK(mproc_value_to(value, &made));
    mproc_value_clear(&value);
    CHECK_EQ(classes_int(made, "increase", MPROC_ARGS(1)), 8);
    CHECK_EQ(classes_int(counter, "call_other", MPROC_ARGS(made, "get")), 8);
    serving_await_objects(both.manager, 2);
    mproc_object_free(made);
    classes_await_destroyed(1);
    mproc_object_free(counter);
    serving_free(&both);
    classes_await_destroyed(2);
}

static mproc_event *gate;

static mproc_status pass(mproc_call *call)
{
    (void)call;
    return mproc_event_wait(gate, check_limit_ms());
}

/* The answer that comes late is another call's. */
static void case_calls_of_clients_have_limits(void)
{
    static const mproc_method methods[] = {{"pass", pass}};
    static const mproc_class class_ = {.name = "Gate", .methods = methods, .method_count = 1};
    serving both = serving_create(LISTENING_PRIVATE, NULL);
    mproc_object *object = classes_create(&class_, NONE), *proxy;

    CHECK_OK(mproc_event_create(&gate));
    CHECK_OK(mproc_manager_serve(both.manager, "gate", MPROC_VALUE(object)));
    proxy = counter_of(&both, "gate");
    CHECK_OK(mproc_event_set(gate));
    CHECK_OK(mproc_object_call(proxy, "pass", NONE, NULL, check_limit_ms())); /* makes a connection for such calls */
    CHECK_OK(mproc_event_clear(gate));
    CHECK_SAYS(mproc_object_call(proxy, "pass", NONE, NULL, 20), MPROC_TIMEOUT, "did not answer within 20 ms");
    CHECK_OK(mproc_event_set(gate));
    CHECK_OK(mproc_object_call(proxy, "pass", NONE, NULL, check_limit_ms()));
    mproc_object_free(proxy);
    mproc_object_free(object);
    serving_free(&both);
    mproc_event_free(gate);
}

CHECK_SUITE_SETUP(objects_served, classes_setup,
    CASE(clients_call_methods),
    CASE(failures_come_with_their_texts),
    CASE(methods_make_objects_for_clients),
    CASE(calls_of_clients_have_limits)
);
