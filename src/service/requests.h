/*
 * Calls of objects by other processes of the family: what each process that has objects gets them by.
 *
 * A service has a queue, its requests. A request is a list: see below. The reply is one item, what came of it; or
 * bytes and then a status: of MPROC_OK they are what came of it, otherwise a text. So nothing of a call is anywhere
 * but in queues, and whoever is killed in between costs no more than what recovery drops: a request keeps its
 * reply's queue, and when the one who was to reply has ended, nobody has that but the caller, who learns of it as of
 * any queue.
 *
 * Only the process that has the objects has the requests for longer, by its home; callers take a handle for the
 * moment in which they put. So the requests that nobody comes to go with it.
 */
#ifndef MPROC_SERVICE_REQUESTS_H
#define MPROC_SERVICE_REQUESTS_H

#include <mproc/queue.h>

#include "service/service.h"

/* A queue for the reply, the object, the method's name, its arguments and what is left of the time for its turn. */
enum request_item { REQUEST_REPLY, REQUEST_OBJECT, REQUEST_METHOD, REQUEST_ARGS, REQUEST_TIMEOUT, REQUEST_ITEMS };

/* One that is served. `reply` and `object` are this process' references while it is. */
struct request {
    mproc_value value;
    mproc_queue *reply;
    mproc_object *object;
};

/* By whoever makes the service, under its mutex: makes its requests, and what takes them away at the end. */
mproc_status requests_create(struct service *service);

/* Waits for the next request; as mproc_queue_get(). */
mproc_status request_take(struct request *request, int64_t timeout_ms);

/* Whether there is one that nobody has taken. */
bool requests_wait(void);

/* Calls the method, replies, and ends the request. */
void request_serve(struct request *request);

/* In a thread that ends in there. */
void request_abandon(struct request *request);

/* One call of an object that another process has; see <mproc/object.h>. */
mproc_status requests_call(const struct service_object *object, const struct reference *reference, const char *method,
                           const mproc_args *args, mproc_value *result, int64_t timeout_ms);

/* In a fork() copy. */
void requests_forked(void);

#endif
