#include "service/classes.h"

#include <stdlib.h>
#include <string.h>

_Atomic uint32_t classes_destroyed;

typedef struct counter {
    int64_t value;
    mproc_object *itself; /* NULL but for "keep" */
} counter;

static mproc_status create(mproc_call *call)
{
    counter *state = calloc(1, sizeof *state);
    mproc_status status;

    CHECK(state != NULL);
    if ((status = mproc_unpack(call, &state->value)) == MPROC_OK) mproc_call_set_state(call, state);
    else free(state);
    return status;
}

static mproc_status destroy(mproc_call *call)
{
    free(mproc_call_state(call));
    atomic_fetch_add(&classes_destroyed, 1);
    return MPROC_OK;
}

static mproc_status get(mproc_call *call)
{
    const counter *state = mproc_call_state(call);

    return mproc_call_return(call, MPROC_VALUE(state->value));
}

static mproc_status increase(mproc_call *call)
{
    counter *state = mproc_call_state(call);
    int64_t by;

    MPROC_TRY(mproc_unpack(call, &by));
    state->value += by;
    return mproc_call_return(call, MPROC_VALUE(state->value));
}

/* What it is given. */
static mproc_status echo(mproc_call *call)
{
    return mproc_call_return(call, mproc_call_value(call));
}

static mproc_status first(mproc_call *call)
{
    return mproc_call_return(call, mproc_value_at(mproc_call_value(call), 0));
}

static mproc_status fail(mproc_call *call)
{
    int64_t status;

    MPROC_TRY(mproc_unpack(call, &status));
    return mproc_error((mproc_status)status, "it was to fail");
}

/* Another object of this class (Python: method_to_typeid). */
static mproc_status make(mproc_call *call)
{
    mproc_object *made = NULL;
    mproc_status status;

    MPROC_TRY(mproc_object_create(&classes_counter, mproc_call_value(call), &made));
    status = mproc_call_return(call, MPROC_VALUE(made));
    mproc_object_free(made);
    return status;
}

/* Calls the method of an object that it is given. */
static mproc_status call_other(mproc_call *call)
{
    mproc_object *other;
    const char *method;
    mproc_value value;

    MPROC_TRY(mproc_unpack(call, &other, &method));
    MPROC_TRY(mproc_object_call(other, method, mproc_no_args(), &value, MPROC_FOREVER));
    return mproc_call_return(call, value);
}

/* Keeps a reference to the object that it is given; "let_go" frees it. */
static mproc_status keep(mproc_call *call)
{
    counter *state = mproc_call_state(call);

    return mproc_value_to(mproc_value_at(mproc_call_value(call), 0), &state->itself);
}

static mproc_status let_go(mproc_call *call)
{
    counter *state = mproc_call_state(call);

    mproc_object_free(state->itself);
    state->itself = NULL;
    return mproc_call_return(call, MPROC_VALUE(state->value));
}

/* Calls the object that is kept, for at most 20 ms. */
static mproc_status call_kept(mproc_call *call)
{
    counter *state = mproc_call_state(call);
    mproc_value value;

    MPROC_TRY(mproc_object_call(state->itself, "get", mproc_no_args(), &value, 20));
    return mproc_call_return(call, value);
}

/* Down to zero. */
static mproc_status next(mproc_call *call)
{
    counter *state = mproc_call_state(call);

    if (state->value == 0) return mproc_error(MPROC_END, "it counts down to zero");
    return mproc_call_return(call, MPROC_VALUE(--state->value));
}

/* Sets the first event, and returns when the second one is set. */
static mproc_status hold(mproc_call *call)
{
    mproc_event *begun, *over;

    MPROC_TRY(mproc_unpack(call, &begun, &over));
    MPROC_TRY(mproc_event_set(begun));
    return mproc_event_wait(over, check_limit_ms());
}

static mproc_status leave(mproc_call *call)
{
    (void)call;
    exit(7);
}

static const mproc_method methods[] = {{"get", get},    {"increase", increase}, {"echo", echo},
                                       {"fail", fail},  {"make", make},         {"call_other", call_other},
                                       {"keep", keep},  {"let_go", let_go},     {"next", next},
                                       {"hold", hold},  {"leave", leave},       {"call_kept", call_kept},
                                       {"first", first}};

const mproc_class classes_counter = {.name = "Counter",
                                     .create = create,
                                     .destroy = destroy,
                                     .methods = methods,
                                     .method_count = sizeof methods / sizeof methods[0]};

void classes_setup(void)
{
    serving_setup();
    mproc_object_free(classes_counter_at(0));
    classes_await_destroyed(1);
    atomic_store(&classes_destroyed, 0);
}

static bool are_destroyed(void *context)
{
    return atomic_load(&classes_destroyed) >= *(const uint32_t *)context;
}

void classes_await_destroyed(uint32_t count)
{
    CHECK_WAIT_UNTIL(are_destroyed, &count);
    CHECK_EQ(atomic_load(&classes_destroyed), count);
}

mproc_object *classes_create(const mproc_class *class_, mproc_args args)
{
    mproc_object *object = NULL;

    CHECK_OK(mproc_object_create(class_, args, &object));
    return object;
}

mproc_object *classes_counter_at(int64_t value)
{
    return classes_create(&classes_counter, MPROC_ARGS(value));
}

void classes_says(mproc_object *object, const char *method, mproc_args args, mproc_status status, const char *text)
{
    CHECK_SAYS(mproc_object_call(object, method, args, NULL, check_limit_ms()), status, text);
}

int64_t classes_int(mproc_object *object, const char *method, mproc_args args)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_object_call(object, method, args, &value, check_limit_ms()));
    CHECK_EQ(mproc_value_type(value), MPROC_TYPE_INT64);
    return mproc_value_int(value);
}

/* ---- a process that has an object ----------------------------------------------------------------------- */

/* Hands its object out, and waits to be ended. */
static mproc_status has_counter(mproc_call *call)
{
    mproc_object *object = classes_counter_at(1);
    mproc_queue *queue;
    mproc_event *end;

    MPROC_TRY(mproc_unpack(call, &queue, &end));
    MPROC_TRY(mproc_queue_put(queue, MPROC_VALUE(object), 0));
    mproc_object_free(object);
    return mproc_event_wait(end, MPROC_FOREVER);
}

classes_server classes_start_server(void)
{
    classes_server self = {NULL, NULL, NULL};
    mproc_queue *queue = NULL;
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_queue_create(NULL, &queue));
    CHECK_OK(mproc_event_create(&self.end));
    self.process = connections_start(has_counter, MPROC_ARGS(queue, self.end));
    CHECK_OK(mproc_queue_get(queue, &value, check_limit_ms()));
    CHECK_OK(mproc_value_to(value, &self.counter));
    mproc_value_clear(&value);
    mproc_queue_free(queue);
    CHECK_EQ(classes_int(self.counter, "increase", MPROC_ARGS(1)), 2);
    return self;
}

void classes_free_server(classes_server *self)
{
    mproc_object_free(self->counter);
    mproc_event_free(self->end);
}
