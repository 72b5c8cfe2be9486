/* Calls that go from one process of the family to another. */
#include "service/requests.h"

#include <string.h>

#include "arena/lock.h"
#include "object/wait.h"
#include "service/call.h"

#define MS_NS ((int64_t)1000000)
/* So many queues for replies are kept for the next calls. */
#define REPLIES_KEPT 16

/* ---- the home ------------------------------------------------------------------------------------------- */

/*
 * What a process alone has of its service: the links to that and to its requests. When it ends, the service forgets
 * the requests first, under its lock, under which callers take their handles.
 */
struct service_home {
    struct object object;
    _Atomic uint64_t service;
    _Atomic uint64_t requests;
};

static void forget_requests(struct intent *intent, uint64_t home)
{
    uint64_t at = atomic_load(&((struct service_home *)arena_at(home))->service);
    struct service *service = (struct service *)arena_at(at);

    if (!at) return;
    object_lock(intent, at, &service->object.lock);
    atomic_store(&service->requests, 0);
    lock_release(intent, &service->object.lock);
}

const struct object_type service_home_type = {.name = "what a process has of its service",
                                              .links = 2,
                                              .links_at = offsetof(struct service_home, service),
                                              .holder_died = forget_requests,
                                              .last_dropped = forget_requests};

/* `requests` is set under the mutex of the service. `mutex` guards the kept queues for replies. */
static struct {
    mproc_queue *requests;
    plat_mutex mutex;
    mproc_queue *replies[REPLIES_KEPT];
    int replies_count;
} own;

static const struct handle_ref *ref_of(const mproc_queue *queue)
{
    return (const struct handle_ref *)(const void *)queue;
}

mproc_status requests_create(struct service *service)
{
    struct service_home *home;
    _Atomic uint64_t *owned;
    mproc_status status;

    if ((status = mproc_queue_create(NULL, &own.requests)) != MPROC_OK) return status;
    if ((status = resource_take(sizeof *home, sizeof *home, &owned)) != MPROC_OK) {
        mproc_queue_free(own.requests);
        return status;
    }
    home = (struct service_home *)arena_at(atomic_load(owned));
    object_publish(owned, OBJECT_HOME);
    object_refer(work_intent(), arena_offset(service), &home->service, 0);
    object_refer(work_intent(), ref_of(own.requests)->offset, &home->requests, OBJECT_GIVEN);
    atomic_store(&service->requests, ref_of(own.requests)->offset);
    return MPROC_OK;
}

/* ---- served --------------------------------------------------------------------------------------------- */

/* Bytes, which a status follows: of MPROC_OK they are the result, otherwise a text. */
static mproc_status put_with_status(mproc_queue *queue, mproc_value bytes, mproc_status status)
{
    mproc_status put = mproc_queue_put(queue, bytes, 0);

    return put == MPROC_OK ? mproc_queue_put(queue, mproc_int(status), 0) : put;
}

/* Whoever waits for it may have ended, or have given it up: then nobody reads it. */
static void reply(const struct request *request, mproc_status status, const mproc_value *value)
{
    const char *text;

    if (status == MPROC_OK && value->type != MPROC_TYPE_BYTES) status = mproc_queue_put(request->reply, *value, 0);
    else if (status == MPROC_OK) status = put_with_status(request->reply, *value, MPROC_OK);
    if (status == MPROC_OK) return;
    text = mproc_error_text(status);
    (void)put_with_status(request->reply, mproc_bytes(text, strlen(text)), status);
}

static void end_request(struct request *request)
{
    mproc_object_free(request->object);
    mproc_queue_free(request->reply);
    request->object = NULL;
    request->reply = NULL;
    mproc_value_clear(&request->value);
}

static mproc_value item(const struct request *request, enum request_item which)
{
    return mproc_value_at(request->value, which);
}

mproc_status request_take(struct request *request, int64_t timeout_ms)
{
    return mproc_queue_get(own.requests, &request->value, timeout_ms);
}

bool requests_wait(void)
{
    return mproc_queue_size(own.requests) > 0;
}

void request_serve(struct request *request)
{
    mproc_value args = item(request, REQUEST_ARGS), result = mproc_nil();
    mproc_status status;

    if (mproc_value_to(item(request, REQUEST_REPLY), &request->reply) == MPROC_OK &&
        mproc_value_to(item(request, REQUEST_OBJECT), &request->object) == MPROC_OK) {
        status = object_call_local(request->object, mproc_value_string(item(request, REQUEST_METHOD)), &args, &result,
                                   mproc_value_int(item(request, REQUEST_TIMEOUT)));
        reply(request, status, &result);
        mproc_value_clear(&result);
    }
    end_request(request);
}

void request_abandon(struct request *request)
{
    mproc_status status;

    if (!request->reply) return;
    status = mproc_error(MPROC_PEER_DIED, "the thread that ran %s.%s in process %lld has ended inside it",
                         mproc_object_class(request->object), mproc_value_string(item(request, REQUEST_METHOD)),
                         (long long)plat_process_id());
    reply(request, status, NULL);
    end_request(request);
}

/* ---- called --------------------------------------------------------------------------------------------- */

static mproc_status ended(const struct service_object *object)
{
    return mproc_error(MPROC_PEER_DIED, "the process that had this object of class '%s' has ended",
                       object->class_name);
}

/* The requests, for the moment. They may go with their process: so a handle is taken under the service's lock. */
static mproc_status open_requests(const struct service_object *object, mproc_queue **requests)
{
    uint64_t at = atomic_load(&object->service), queue;
    struct service *service = (struct service *)arena_at(at);
    struct reference *reference = NULL;
    _Atomic uint64_t *owned;
    struct handle_ref ref;
    mproc_status status;

    if (!at) return ended(object);
    if ((status = resource_slot_take(&owned)) != MPROC_OK) return status;
    object_lock(work_intent(), at, &service->object.lock);
    if ((queue = atomic_load(&service->requests)))
        object_refer(&thread_self.slot->intents[INTENT_NESTED], queue, owned, OBJECT_GIVEN);
    lock_release(work_intent(), &service->object.lock);
    if (queue) {
        ref = object_ref(queue);
        status = reference_open(&ref, &reference);
    } else {
        status = ended(object);
    }
    resource_release(owned);
    *requests = (mproc_queue *)reference;
    return status;
}

static mproc_status take_reply(mproc_queue **queue)
{
    *queue = NULL;
    plat_mutex_lock(&own.mutex);
    if (own.replies_count > 0) *queue = own.replies[--own.replies_count];
    plat_mutex_unlock(&own.mutex);
    return *queue ? MPROC_OK : mproc_queue_create(NULL, queue);
}

/* `whole`: nothing comes into it any more. */
static void put_reply(mproc_queue *queue, bool whole)
{
    plat_mutex_lock(&own.mutex);
    if (whole && own.replies_count < REPLIES_KEPT) {
        own.replies[own.replies_count++] = queue;
        queue = NULL;
    }
    plat_mutex_unlock(&own.mutex);
    mproc_queue_free(queue);
}

/* If all threads that serve are in methods, another one is needed; see `reading`. */
static void ring_if_busy(const struct service_object *object)
{
    struct service *service = (struct service *)arena_at(atomic_load(&object->service));

    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load(&service->reading)) service_ring(service);
}

static int64_t left_ms(int64_t begun_ns, int64_t timeout_ms)
{
    int64_t passed_ms = timeout_ms == MPROC_FOREVER ? 0 : (plat_clock_now_ns() - begun_ns) / MS_NS;

    if (timeout_ms == MPROC_FOREVER) return MPROC_FOREVER;
    return passed_ms < timeout_ms ? timeout_ms - passed_ms : 0;
}

/* Of a wait without a limit the clock is not asked. */
static mproc_status await_reply(mproc_queue *queue, int64_t timeout_ms, mproc_value *value, mproc_value *said)
{
    int64_t begun_ns = timeout_ms == MPROC_FOREVER ? 0 : plat_clock_now_ns();
    mproc_status got = mproc_queue_get(queue, value, timeout_ms);

    *said = mproc_int(MPROC_OK);
    if (got != MPROC_OK || value->type != MPROC_TYPE_BYTES) return got;
    if ((got = mproc_queue_get(queue, said, left_ms(begun_ns, timeout_ms))) != MPROC_OK) mproc_value_clear(value);
    return got;
}

static mproc_status not_replied(const struct service_object *object, const char *method, int64_t timeout_ms,
                                mproc_status status)
{
    if (status == MPROC_PEER_DIED)
        return mproc_error(status,
                           "the process that had this object of class '%s' has ended: what %s.%s was to do "
                           "may be done, or not",
                           object->class_name, object->class_name, method);
    if (status == MPROC_TIMEOUT)
        return mproc_error(status, "%s.%s has not returned within %lld ms: what it was to do may be done, or not",
                           object->class_name, method, (long long)timeout_ms);
    return status;
}

static mproc_status take_result(mproc_value *value, mproc_status status, mproc_value *result)
{
    if (status == MPROC_OK && result) {
        *result = *value;
        return MPROC_OK;
    }
    if (status != MPROC_OK)
        status = mproc_error(status, "%.*s", (int)mproc_value_size(*value), (const char *)mproc_value_bytes(*value));
    mproc_value_clear(value);
    return status;
}

/* `*queue` is where the reply comes. */
static mproc_status put_request(mproc_queue *requests, const struct reference *reference, const char *method,
                                const mproc_args *args, int64_t timeout_ms, mproc_queue **queue)
{
    mproc_value items[REQUEST_ITEMS];
    mproc_status status;

    if ((status = take_reply(queue)) != MPROC_OK) return status;
    items[REQUEST_REPLY] = mproc_object_from(MPROC_KIND_QUEUE, *queue);
    items[REQUEST_OBJECT] = mproc_object_from(MPROC_KIND_OBJECT, reference);
    items[REQUEST_METHOD] = mproc_string(method);
    items[REQUEST_ARGS] = *args;
    items[REQUEST_TIMEOUT] = mproc_int(timeout_ms);
    status = mproc_queue_put(requests, mproc_list_from(items, REQUEST_ITEMS), 0);
    if (status != MPROC_OK) put_reply(*queue, true);
    return status;
}

mproc_status requests_call(const struct service_object *object, const struct reference *reference, const char *method,
                           const mproc_args *args, mproc_value *result, int64_t timeout_ms)
{
    mproc_queue *requests = NULL, *queue;
    mproc_value value = mproc_nil(), said;
    mproc_status status;

    if ((status = open_requests(object, &requests)) != MPROC_OK) return status;
    status = put_request(requests, reference, method, args, timeout_ms, &queue);
    mproc_queue_free(requests);
    if (status != MPROC_OK) return status;
    ring_if_busy(object);
    if ((status = await_reply(queue, timeout_ms, &value, &said)) != MPROC_OK) {
        put_reply(queue, false);
        return not_replied(object, method, timeout_ms, status);
    }
    put_reply(queue, true);
    return take_result(&value, (mproc_status)mproc_value_int(said), result);
}

void requests_forked(void)
{
    memset(&own, 0, sizeof own);
}
