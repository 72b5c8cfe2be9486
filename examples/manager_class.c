/*
 * A program that serves an object of a class of its own, and another one, which calls its methods over TCP. The two
 * share nothing but an address, a key and the names of the methods. (Python: BaseManager.register() and a proxy.)
 */
#include <stdlib.h>

#include <mproc/mproc.h>

#define KEY "what only the two programs know"

/* ---- the class ------------------------------------------------------------------------------------------ */

struct counter {
    int64_t value;
};

static mproc_status counter_create(mproc_call *call)
{
    struct counter *counter = calloc(1, sizeof *counter);

    mproc_call_set_state(call, counter);
    if (!counter) return mproc_error(MPROC_NO_MEMORY, "no memory for a counter");
    return mproc_unpack(call, &counter->value);
}

static mproc_status counter_destroy(mproc_call *call)
{
    struct counter *counter = mproc_call_state(call);

    printf("a counter ends at %lld\n", (long long)counter->value);
    free(counter);
    return MPROC_OK;
}

static mproc_status counter_increase(mproc_call *call)
{
    struct counter *counter = mproc_call_state(call);
    int64_t by;

    MPROC_TRY(mproc_unpack(call, &by));
    counter->value += by;
    return mproc_call_return(call, MPROC_VALUE(counter->value));
}

/* An iterator of one pass: it counts down. */
static mproc_status counter_next(mproc_call *call)
{
    struct counter *counter = mproc_call_state(call);

    if (counter->value == 40) return mproc_error(MPROC_END, "it counts down to 40");
    return mproc_call_return(call, MPROC_VALUE(--counter->value));
}

static const mproc_method counter_methods[] = {{"increase", counter_increase}, {"next", counter_next}};
static const mproc_class counter_class = {.name = "Counter",
                                          .create = counter_create,
                                          .destroy = counter_destroy,
                                          .methods = counter_methods,
                                          .method_count = 2};

/* ---- the second program --------------------------------------------------------------------------------- */

static mproc_status count(const char *address)
{
    mproc_manager *manager;
    mproc_object *counter;
    mproc_value value;

    MPROC_TRY(mproc_manager_connect(address, &(mproc_manager_connect_options){.authkey = MPROC_VALUE(KEY)}, &manager,
                                    10000));
    MPROC_TRY(mproc_manager_get(manager, "counter", &value));
    MPROC_TRY(mproc_value_to(value, &counter));
    mproc_value_clear(&value);

    MPROC_TRY(mproc_object_call(counter, "increase", MPROC_ARGS(2), &value, 10000));
    printf("increased to %lld\n", (long long)mproc_value_int(value));
    while (mproc_object_next(counter, &value, 10000) == MPROC_OK)
        printf("down to %lld\n", (long long)mproc_value_int(value));
    if (mproc_object_call(counter, "decrease", MPROC_ARGS(2), &value, 10000) == MPROC_NOT_SUPPORTED)
        printf("%s\n", mproc_last_error_text());

    mproc_object_free(counter);
    mproc_manager_free(manager);
    return MPROC_OK;
}

static mproc_status run_second(mproc_call *call)
{
    const char *address;

    MPROC_TRY(mproc_unpack(call, &address));
    return count(address);
}

/* ---- the first program ---------------------------------------------------------------------------------- */

int main(void)
{
    const mproc_manager_options options = {.address = "tcp:127.0.0.1:0", .authkey = MPROC_VALUE(KEY)};
    mproc_manager *manager;
    mproc_process *second;
    mproc_object *counter;

    mproc_main_guard();

    mproc_check(mproc_manager_create(&options, &manager));
    mproc_check(mproc_object_create(&counter_class, MPROC_ARGS(40), &counter));
    mproc_check(mproc_manager_serve(manager, "counter", MPROC_VALUE(counter)));

    mproc_check(mproc_process_create(run_second, MPROC_ARGS(mproc_manager_address(manager)), NULL, &second));
    mproc_check(mproc_process_start(second));
    mproc_check(mproc_process_join(second, MPROC_FOREVER));
    mproc_process_free(second);

    mproc_manager_free(manager);
    mproc_object_free(counter);
    return 0;
}
