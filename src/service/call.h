/* Functions of classes, run in the process that has the object. */
#ifndef MPROC_SERVICE_CALL_H
#define MPROC_SERVICE_CALL_H

#include "service/service.h"

/* As mproc_object_create(), once there is a service. */
mproc_status object_create(const mproc_class *class_, const mproc_args *args, mproc_object **out);

/* Makes the state, in the calling thread. Returns what `create` does, with a text that names the class. */
mproc_status object_begin(struct local_object *object, const mproc_args *args);

/* Ends it: nothing else runs. */
void object_end(struct local_object *object);

/* One call; see <mproc/object.h>. The caller's reference keeps the object until the method runs. */
mproc_status object_call_here(struct local_object *object, const char *name, const mproc_args *args,
                              mproc_value *result, int64_t timeout_ms);

/* By a thread that serves requests; MPROC_PEER_DIED: the process is at its end, and has the object no more. */
mproc_status object_call_local(const mproc_object *object, const char *method, const mproc_args *args,
                               mproc_value *result, int64_t timeout_ms);

/* The row's: a call by name, with a list of arguments, and a time limit or nil. */
mproc_status object_call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);

#endif
