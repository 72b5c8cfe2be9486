/*
 * What a process has for its objects of classes: their parts in its own memory, in a table; the service in the arena,
 * by which it learns which of them nobody refers to any more; and a thread that then ends them. Other processes call
 * by requests (requests.h).
 */
#ifndef MPROC_SERVICE_SERVICE_H
#define MPROC_SERVICE_SERVICE_H

#include <mproc/lock.h>

#include "object/reference.h"
#include "service/class.h"
#include "service/layout.h"

/*
 * The part of an object that its process has. It is in the table until nobody refers to the object, and ends when no
 * method runs either: `holds` counts both. `known` is set when others can refer to it. Who has `turn` runs a method:
 * `inside` is the id of that thread, and `method` the name; there is no turn if the class is concurrent. `state` is
 * the program's.
 */
struct local_object {
    struct handle_ref ref;
    uint32_t index;
    _Atomic bool known;
    struct class_copy *class_;
    mproc_lock *turn;
    _Atomic uint32_t inside;
    _Atomic(const char *) method;
    _Atomic uint32_t holds;
    void *state;
    struct local_object *ended_before;
};

/* Makes this process' service, if it has none, without its threads, or with them. MPROC_LIMIT, MPROC_NO_MEMORY. */
mproc_status service_create(void);
mproc_status service_begin(void);

/* Gives the object an index. MPROC_LIMIT, MPROC_NO_MEMORY. If it does not come to be known: service_remove(). */
mproc_status service_add(struct local_object *object);
void service_remove(const struct local_object *object);

/* Has the thread look for what is to be done. */
void service_ring(struct service *service);

/* What that does: ends objects to which nobody refers any more. */
void service_collect_all(struct service *service);

/* This process' service in the arena: it has one. */
uint64_t service_offset(void);

/* The part that this process has of an object to which somebody here refers; NULL: another process has it. */
struct local_object *service_find(const struct service_object *object);

/* If it is so that nobody refers to the object of this index any more: ends it, as soon as no method runs. */
void service_collect(uint32_t index);

static inline void service_hold(struct local_object *object)
{
    atomic_fetch_add(&object->holds, 1);
}

void service_drop(struct local_object *object);

#endif
