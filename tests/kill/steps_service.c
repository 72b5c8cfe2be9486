/*
 * Objects of classes. Promised: a call that another process of the family makes is one call, or none, and the caller
 * learns what came of it, or that nobody is left who answers, whoever is killed; a process learns of each of its
 * objects that nobody has any more; and nothing is left of a process that had objects, or of its calls.
 */
#include "steps.h"
#include "test_family.h"

#include "object/reference.h"
#include "service/call.h"
#include "service/requests.h"

#include <mproc/object.h>
#include <mproc/queue.h>

#include <stdlib.h>

/* What the root has, in queues, too; the victim has the references that are its own. */
static mproc_object *object, *mine;
static mproc_queue *objects, *replies;
static struct service *service;
static int destroyed;

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

/* ---- a class -------------------------------------------------------------------------------------------- */

static mproc_status add(mproc_call *call)
{
    int64_t a, b;

    MPROC_TRY(mproc_unpack(call, &a, &b));
    return mproc_call_return(call, MPROC_VALUE(a + b));
}

static mproc_status destroy(mproc_call *call)
{
    (void)call;
    destroyed++;
    return MPROC_OK;
}

static const mproc_method methods[] = {{"add", add}};
static const mproc_class adder = {.name = "Adder", .destroy = destroy, .methods = methods, .method_count = 1};

static mproc_object *create(void)
{
    const mproc_args none = mproc_no_args();
    mproc_object *made;

    must(object_create(&adder, &none, &made));
    return made;
}

/* ---- processes that have objects ------------------------------------------------------------------------ */

/* A fork has nothing of its origin's objects; no process here has the threads that serve. */
static void forget(void)
{
    object_types[OBJECT_OBJECT]->forked();
}

static struct service *make_service(void)
{
    forget();
    must(service_create());
    return (struct service *)arena_at(service_offset());
}

/* A call of `mine`, whose reply comes to `reply`. */
static void put_request(const struct service *to, mproc_queue *reply)
{
    const struct handle_ref ref = object_ref(atomic_load(&to->requests));
    mproc_value items[REQUEST_ITEMS];
    struct reference *requests;

    must(reference_open(&ref, &requests));
    items[REQUEST_REPLY] = MPROC_VALUE(reply);
    items[REQUEST_OBJECT] = MPROC_VALUE(mine);
    items[REQUEST_METHOD] = mproc_string("add");
    items[REQUEST_ARGS] = MPROC_ARGS(20, 22);
    items[REQUEST_TIMEOUT] = mproc_int(0);
    must(mproc_queue_put((mproc_queue *)(void *)requests, mproc_list_from(items, REQUEST_ITEMS), 0));
    reference_free(requests);
}

static void serve_all(void)
{
    struct request request = {mproc_nil(), NULL, NULL};

    while (request_take(&request, 0) == MPROC_OK) request_serve(&request);
}

/* So many requests that the queue has as much memory as it keeps. */
#define MANY 2000

/* The root's service is made once, and stays. */
static void begin_service(void)
{
    service = make_service();
    must(mproc_queue_create(NULL, &replies));
    mine = create();
    for (int i = 0; i < MANY; i++) put_request(service, replies);
    serve_all();
    mproc_object_free(mine);
    mproc_queue_free(replies);
}

static void begin(void *state)
{
    test_family_pass_objects();
    if (!service) begin_service();
    test_family_begin(state);
    destroyed = 0;
}

static void begin_with_object(void *state)
{
    begin(state);
    object = create();
}

static void enter(void *state)
{
    test_family_enter_victim(state);
    forget();
}

static void *open_of(const void *theirs)
{
    struct reference *reference;

    must(reference_open(&((const struct reference *)theirs)->ref, &reference));
    return reference;
}

static void enter_with_object(void *state)
{
    enter(state);
    mine = open_of(object);
}

static const char *check_end(void *state, bool completed)
{
    service_collect_all(service);
    if (destroyed != 1) return step_says("the object has ended %d times", destroyed);
    return test_family_check(state, completed);
}

/* ---- the victim makes objects --------------------------------------------------------------------------- */

static void create_and_free(void *state)
{
    (void)state;
    mproc_object_free(create());
}

static void enter_with_service(void *state)
{
    enter(state);
    (void)make_service();
}

static void become_service(void *state)
{
    (void)state;
    must(service_create());
}

/* ---- the victim has the last reference ------------------------------------------------------------------ */

static void put_object(mproc_object *it)
{
    must(mproc_queue_put(objects, MPROC_VALUE(it), 0));
}

static mproc_object *get_object(void)
{
    mproc_object *it;
    mproc_value value;

    must(mproc_queue_get(objects, &value, 0));
    must(mproc_value_to(value, &it));
    mproc_value_clear(&value);
    return it;
}

static void begin_with_last(void *state)
{
    begin_with_object(state);
    must(mproc_queue_create(NULL, &objects));
    put_object(object);
    mproc_object_free(object);
}

static void enter_as_last(void *state)
{
    enter(state);
    mine = get_object();
}

static void free_mine(void *state)
{
    (void)state;
    mproc_object_free(mine);
}

static const char *check_last(void *state, bool completed)
{
    if (destroyed != 0) return step_says("the object has ended before anybody looked");
    mproc_queue_free(objects);
    return check_end(state, completed);
}

/* ---- the victim calls ----------------------------------------------------------------------------------- */

static void call(void *state)
{
    mproc_value value;

    must(mproc_object_call(mine, "add", MPROC_ARGS(20, 22), &value, MPROC_FOREVER));
    if (mproc_value_int(value) != 42) abort();
    atomic_store(&((struct test_family *)state)->victim_said, 1);
}

/* The bell has rung, as nobody waited for requests. */
static void serve(void *state)
{
    (void)state;
    serve_all();
}

static const char *check_called(void *state, bool completed)
{
    mproc_value value;

    serve_all();
    must(mproc_object_call(object, "add", MPROC_ARGS(20, 22), &value, 0));
    mproc_object_free(object);
    return check_end(state, completed);
}

/* ---- the victim serves ---------------------------------------------------------------------------------- */

static void begin_with_queues(void *state)
{
    begin(state);
    must(mproc_queue_create(NULL, &replies));
    must(mproc_queue_create(NULL, &objects));
}

/* Two requests lie there for an object of its own, which the root has as well, and who waits for the replies. */
static void enter_with_requests(void *state)
{
    struct service *own;
    mproc_queue *its_replies, *its_objects = objects;

    enter(state);
    own = make_service();
    mine = create();
    its_replies = open_of(replies);
    objects = open_of(its_objects);
    put_request(own, its_replies);
    put_request(own, its_replies);
    put_object(mine);
    mproc_queue_free(objects);
    mproc_queue_free(its_replies);
}

static void serve_one(void *state)
{
    struct request request = {mproc_nil(), NULL, NULL};

    must(request_take(&request, 0));
    request_serve(&request);
    atomic_store(&((struct test_family *)state)->victim_said, 1);
}

#define LIMIT_MS 20000

/* Nobody but the root has the queue: either there is the reply, or nobody will give it. */
static const char *check_replies(uint32_t least)
{
    mproc_value value = mproc_nil();
    mproc_status status = mproc_queue_get(replies, &value, LIMIT_MS);

    if (status == MPROC_OK) {
        if (mproc_value_int(value) != 42) return step_says("the reply is %lld", (long long)mproc_value_int(value));
        status = mproc_queue_get(replies, &value, LIMIT_MS);
    } else if (least) {
        return step_says("there is no reply of what was served");
    }
    return status == MPROC_PEER_DIED ? NULL : step_says("who waits for a reply gets the status %d", (int)status);
}

static const char *check_served(void *state, bool completed)
{
    const char *wrong = check_replies(atomic_load(&((struct test_family *)state)->victim_said));
    mproc_status status;

    if (wrong) return wrong;
    object = get_object();
    status = mproc_object_call(object, "add", MPROC_ARGS(20, 22), NULL, LIMIT_MS);
    if (status != MPROC_PEER_DIED) return step_says("a call of an object of the dead has the status %d", (int)status);
    mproc_object_free(object);
    mproc_queue_free(replies);
    mproc_queue_free(objects);
    return test_family_check(state, completed);
}

/* What a process has for its objects takes pages, which a walk cannot put back. */
#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .outside = true, .slow = true, .sparse = true

static const step_scenario scenarios[] = {
    {.name = "service.begin",
     .setup = begin,
     .enter = enter,
     .operation = become_service,
     .check = test_family_check,
     RECOVERED},
    {.name = "service.create_and_free",
     .setup = begin,
     .enter = enter_with_service,
     .operation = create_and_free,
     .check = test_family_check,
     RECOVERED},
    {.name = "service.last_dropped",
     .setup = begin_with_last,
     .enter = enter_as_last,
     .operation = free_mine,
     .check = check_last,
     RECOVERED},
    {.name = "service.call_waits",
     .setup = begin_with_object,
     .enter = enter_with_object,
     .operation = call,
     .release = serve,
     .check = check_called,
     RECOVERED},
    {.name = "service.call_served",
     .setup = begin_with_queues,
     .enter = enter_with_requests,
     .operation = serve_one,
     .check = check_served,
     RECOVERED},
};

const steps_table steps_service = STEPS_TABLE(scenarios);
