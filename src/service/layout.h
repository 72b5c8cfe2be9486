/* Objects of classes in the arena: what others know of them. */
#ifndef MPROC_SERVICE_LAYOUT_H
#define MPROC_SERVICE_LAYOUT_H

#include <mproc/object.h>

#include "object/object.h"

/* So many objects has a process at most. */
#define SERVICE_OBJECTS 262144
#define SERVICE_BITS 64

/*
 * An object: of the process that has made it, which finds its part by `index`. `service` is a link to that process'
 * service. `gone` is set when the last handle is dropped, whoever drops it. The rest is written before anybody else
 * knows the object.
 */
struct service_object {
    struct object object;
    _Atomic uint64_t service;
    _Atomic uint32_t gone;
    uint32_t index;
    char class_name[MPROC_CLASS_NAME_BYTES_MAX + 1];
};

/*
 * One of a process that has objects: it has a handle, and each of its objects.
 *
 * Whoever drops the last handle of an object sets its bit in `gone`, then the bit of that word in `any`, then counts
 * up `bell`, and wakes; each of these can be done again. The process takes the bits away first, from `any` on. A bit
 * tells where to look: it may be set once more when the object is gone and another has its index.
 *
 * `reading` is 1 while a thread waits for requests: whoever puts one and finds 0 rings the bell, and so does whoever
 * has taken one and leaves others. On `rest` threads sleep that may be needed.
 *
 * `requests` is the queue by which other processes call (requests.h): no handle of it, and 0 when the process has
 * ended. It changes under the lock of the object.
 */
struct service {
    struct object object;
    _Atomic uint32_t bell;
    _Atomic uint32_t reading;
    _Atomic uint32_t rest;
    uint32_t unused;
    _Atomic uint64_t requests;
    _Atomic uint64_t any[SERVICE_OBJECTS / SERVICE_BITS / SERVICE_BITS];
    _Atomic uint64_t gone[SERVICE_OBJECTS / SERVICE_BITS];
};

extern const struct object_type service_object_type;
extern const struct object_type service_type;
extern const struct object_type service_home_type;

#endif
