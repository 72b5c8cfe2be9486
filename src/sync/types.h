/* The types of the objects of this layer; each is defined beside the functions of its kind. */
#ifndef MPROC_SYNC_TYPES_H
#define MPROC_SYNC_TYPES_H

#include "object/type.h"
#include "object/waitable.h"

extern const struct object_type lock_type;
extern const struct object_type rlock_type;
extern const struct object_type semaphore_type;
extern const struct object_type permits_type;
extern const struct object_type condition_type;
extern const struct object_type event_type;
extern const struct object_type barrier_type;

extern const struct waitable event_waitable;
extern const struct waitable semaphore_waitable;

#endif
