/* Objects of classes that other processes of the family call. */
#include "service/classes.h"

#include <stdlib.h>
#include <string.h>

#define NONE mproc_no_args()
enum { CALLERS = 3, CALLS = 200 };

/* ---- callers in other processes ------------------------------------------------------------------------- */

static mproc_status calls(mproc_call *call)
{
    mproc_object *counter, *made;
    mproc_value value;
    char *large = calloc(1, 1 << 20);

    CHECK(large != NULL);
    memset(large, 'x', 1 << 20);
    MPROC_TRY(mproc_unpack(call, &counter));
    for (int i = 0; i < CALLS; i++) classes_int(counter, "increase", MPROC_ARGS(1));
    CHECK_STRING(mproc_object_class(counter), "Counter");
    MPROC_TRY(
        mproc_object_call(counter, "echo", MPROC_ARGS(mproc_string_from(large, 1 << 20)), &value, MPROC_FOREVER));
    CHECK_EQ(mproc_value_size(mproc_value_at(value, 0)), 1 << 20);
    mproc_value_clear(&value);
    MPROC_TRY(mproc_object_call(counter, "make", MPROC_ARGS(7), &value, check_limit_ms()));
    MPROC_TRY(mproc_value_to(value, &made));
    mproc_value_clear(&value);
    CHECK_EQ(classes_int(made, "get", NONE), 7);
    CHECK_EQ(classes_int(counter, "call_other", MPROC_ARGS(made, "get")), 7);
    mproc_object_free(made);
    free(large);
    classes_says(counter, "fail", MPROC_ARGS(MPROC_USER + 3), MPROC_USER + 3, "Counter.fail in process '");
    classes_says(counter, "no", NONE, MPROC_NOT_SUPPORTED, "class 'Counter' has no method 'no', but get");
    classes_says(counter, "echo", MPROC_ARGS(mproc_string_from("\xff", 1)), MPROC_INVALID, "UTF-8");
    return MPROC_OK;
}

static void case_methods_run_where_the_object_is(void)
{
    mproc_object *counter = classes_counter_at(0);
    mproc_process *processes[CALLERS];

    for (int i = 0; i < CALLERS; i++) processes[i] = connections_start(calls, MPROC_ARGS(counter));
    for (int i = 0; i < CALLERS; i++) CHECK_EXITED(processes[i], 0);
    CHECK_EQ(classes_int(counter, "get", NONE), CALLERS * CALLS);
    mproc_object_free(counter);
    classes_await_destroyed(1 + CALLERS);
}

/* It is the last that has the object. */
static mproc_status keeps(mproc_call *call)
{
    mproc_object *counter;
    mproc_event *freed;

    MPROC_TRY(mproc_unpack(call, &counter, &freed));
    MPROC_TRY(mproc_event_wait(freed, check_limit_ms()));
    CHECK_EQ(classes_int(counter, "get", NONE), 5);
    return MPROC_OK;
}

static void case_a_reference_of_another_process_keeps_it(void)
{
    mproc_object *counter = classes_counter_at(5);
    mproc_event *freed = NULL;
    mproc_process *process;

    CHECK_OK(mproc_event_create(&freed));
    process = connections_start(keeps, MPROC_ARGS(counter, freed));
    mproc_object_free(counter);
    CHECK_EQ(atomic_load(&classes_destroyed), 0);
    CHECK_OK(mproc_event_set(freed));
    CHECK_EXITED(process, 0);
    mproc_event_free(freed);
    classes_await_destroyed(1);
}

static mproc_status holds(mproc_call *call)
{
    mproc_object *counter;
    mproc_event *begun, *over;

    MPROC_TRY(mproc_unpack(call, &counter, &begun, &over));
    return mproc_object_call(counter, "hold", MPROC_ARGS(begun, over), NULL, MPROC_FOREVER);
}

/* Killed in the middle of its call: the method ends, and others go on. */
static void case_a_killed_caller_has_nothing_left(void)
{
    mproc_object *counter = classes_counter_at(5);
    mproc_event *begun = NULL, *over = NULL;
    mproc_process *process;

    CHECK_OK(mproc_event_create(&begun));
    CHECK_OK(mproc_event_create(&over));
    process = connections_start(holds, MPROC_ARGS(counter, begun, over));
    CHECK_OK(mproc_event_wait(begun, check_limit_ms()));
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
    CHECK_STATUS(mproc_object_call(counter, "get", NONE, NULL, 0), MPROC_TIMEOUT);
    CHECK_OK(mproc_event_set(over));
    CHECK_EQ(classes_int(counter, "get", NONE), 5);
    mproc_object_free(counter);
    classes_await_destroyed(1);
    mproc_event_free(begun);
    mproc_event_free(over);
}

/* ---- a process that has objects, and ends --------------------------------------------------------------- */

typedef struct waiter {
    mproc_object *counter;
    mproc_event *begun, *over;
    mproc_status status;
} waiter;

static void waits(void *context)
{
    waiter *self = context;

    self->status = mproc_object_call(self->counter, "hold", MPROC_ARGS(self->begun, self->over), NULL, MPROC_FOREVER);
}

/* One is in a method, and others wait behind it: all learn of it at once. */
static void case_a_killed_process_keeps_nobody_waiting(void)
{
    classes_server self = classes_start_server();
    waiter waiters[CALLERS];
    plat_thread *threads[CALLERS];

    for (int i = 0; i < CALLERS; i++) {
        waiters[i] = (waiter){.counter = self.counter, .status = MPROC_OK};
        CHECK_OK(mproc_event_create(&waiters[i].begun));
        CHECK_OK(mproc_event_create(&waiters[i].over));
        CHECK_OK(plat_thread_start(waits, &waiters[i], &threads[i]));
        if (i == 0) CHECK_OK(mproc_event_wait(waiters[0].begun, check_limit_ms()));
    }
    CHECK_OK(mproc_process_kill(self.process));
    CHECK_OK(mproc_process_join(self.process, MPROC_FOREVER));
    mproc_process_free(self.process);
    for (int i = 0; i < CALLERS; i++) {
        plat_thread_join(threads[i]);
        CHECK_EQ(waiters[i].status, MPROC_PEER_DIED);
        mproc_event_free(waiters[i].begun);
        mproc_event_free(waiters[i].over);
    }
    classes_says(self.counter, "get", NONE, MPROC_PEER_DIED, "had this object of class 'Counter' has ended");
    CHECK_STRING(mproc_object_class(self.counter), "Counter");
    classes_free_server(&self);
}

static void case_a_process_that_has_ended_says_so(void)
{
    classes_server self = classes_start_server();

    CHECK_OK(mproc_event_set(self.end));
    CHECK_EXITED(self.process, 0);
    classes_says(self.counter, "get", NONE, MPROC_PEER_DIED, "has ended");
    classes_free_server(&self);
}

static void case_a_method_that_exits_is_told(void)
{
    classes_server self = classes_start_server();

    classes_says(self.counter, "leave", NONE, MPROC_PEER_DIED, "Counter.leave was to do may be done, or not");
    CHECK_EXITED(self.process, 7);
    classes_free_server(&self);
}

static void case_calls_end_with_their_limits(void)
{
    classes_server self = classes_start_server();
    mproc_event *begun = NULL, *over = NULL;

    CHECK_OK(mproc_event_create(&begun));
    CHECK_OK(mproc_event_create(&over));
    CHECK_SAYS(mproc_object_call(self.counter, "hold", MPROC_ARGS(begun, over), NULL, 20), MPROC_TIMEOUT,
               "Counter.hold has not returned within 20 ms");
    CHECK_OK(mproc_event_wait(begun, check_limit_ms()));
    CHECK_SAYS(mproc_object_call(self.counter, "get", NONE, NULL, 20), MPROC_TIMEOUT, "within 20 ms");
    CHECK_OK(mproc_event_set(over));
    CHECK_EQ(classes_int(self.counter, "get", NONE), 2);
    CHECK_OK(mproc_event_set(self.end));
    CHECK_EXITED(self.process, 0);
    mproc_event_free(begun);
    mproc_event_free(over);
    classes_free_server(&self);
}

/* When methods run at the same time here, threads for them come, of which some stay. */
#define THREADS_STAY .leaves = CHECK_THREADS | CHECK_HANDLES

CHECK_SUITE_SETUP(objects_of_family, classes_setup,
    CASE_WITH(methods_run_where_the_object_is, THREADS_STAY),
    CASE(a_reference_of_another_process_keeps_it),
    CASE_WITH(a_killed_caller_has_nothing_left, THREADS_STAY),
    CASE(a_killed_process_keeps_nobody_waiting),
    CASE(a_process_that_has_ended_says_so),
    CASE(a_method_that_exits_is_told),
    CASE(calls_end_with_their_limits)
);
