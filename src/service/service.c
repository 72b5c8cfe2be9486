/* This process' objects, and their ends. */
#include "service/service.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "arena/park.h"
#include "object/wait.h"
#include "pool/thread.h"
#include "process/exit.h"
#include "process/family.h"
#include "process/task.h"
#include "service/call.h"
#include "service/requests.h"
#include "service/threads.h"

static void last_dropped(struct intent *intent, uint64_t offset);
static void forked(void);

const struct object_type service_object_type = {.name = "an object of a class",
                                                .links = 1,
                                                .links_at = offsetof(struct service_object, service),
                                                .call = object_call_served,
                                                .runs_on = true,
                                                .last_dropped = last_dropped,
                                                .forked = forked};
const struct object_type service_type = {.name = "what a process has for its objects"};

/*
 * `shared` is set under the mutex, once. `mutex` guards the table: an index without an object is in the list that
 * begins with `free`, by the index and 1 of the next one in `next_free`.
 */
static struct {
    plat_mutex mutex;
    _Atomic(struct service *) shared;
    struct local_object **objects;
    uint32_t *next_free;
    uint32_t room;
    uint32_t free;
    struct local_object *ended; /* at the exit: their memory stays, as somebody may just have found one */
    struct pool_thread thread;
    _Atomic bool serves;
} own;

/* ---- the arena's side ----------------------------------------------------------------------------------- */

/* In any process, also in recovery. */
static void last_dropped(struct intent *intent, uint64_t offset)
{
    struct service_object *object = (struct service_object *)arena_at(offset);
    uint64_t at = atomic_load(&object->service);
    struct service *service = (struct service *)arena_at(at);
    uint32_t word = object->index / SERVICE_BITS;

    (void)intent;
    if (!at) return; /* it did not come to be known */
    atomic_store(&object->gone, 1);
    atomic_fetch_or(&service->gone[word], (uint64_t)1 << object->index % SERVICE_BITS);
    atomic_fetch_or(&service->any[word / SERVICE_BITS], (uint64_t)1 << word % SERVICE_BITS);
    service_ring(service);
}

/* What lies there is that object as long as it is there: its mark is looked at in between. */
static bool is_gone(const struct local_object *object)
{
    const struct service_object *there = (const struct service_object *)arena_at(object->ref.offset);

    return !object_there(&object->ref) || atomic_load(&there->gone) || !object_there(&object->ref);
}

/* ---- the table ------------------------------------------------------------------------------------------ */

static mproc_status grow(void)
{
    uint32_t room = own.room > 0 ? 2 * own.room : SERVICE_BITS;
    struct local_object **objects;
    uint32_t *next_free;

    if (own.room == SERVICE_OBJECTS)
        return mproc_error(MPROC_LIMIT, "this process has %d objects of classes, and cannot have more",
                           SERVICE_OBJECTS);
    if ((objects = realloc(own.objects, room * sizeof(struct local_object *)))) own.objects = objects;
    if ((next_free = realloc(own.next_free, room * sizeof *next_free))) own.next_free = next_free;
    if (!objects || !next_free)
        return mproc_error(MPROC_NO_MEMORY, "no memory for %lu objects of classes", (unsigned long)room);
    for (uint32_t i = own.room; i < room; i++) {
        objects[i] = NULL;
        next_free[i] = i + 1 < room ? i + 2 : 0;
    }
    own.free = own.room + 1;
    own.room = room;
    return MPROC_OK;
}

mproc_status service_add(struct local_object *object)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&own.mutex);
    if (own.free == 0) status = grow();
    if (status == MPROC_OK) {
        object->index = own.free - 1;
        own.free = own.next_free[object->index];
        own.objects[object->index] = object;
    }
    plat_mutex_unlock(&own.mutex);
    return status;
}

/* Under the mutex. */
static void take_out(uint32_t index)
{
    own.objects[index] = NULL;
    own.next_free[index] = own.free;
    own.free = index + 1;
}

void service_remove(const struct local_object *object)
{
    plat_mutex_lock(&own.mutex);
    take_out(object->index);
    plat_mutex_unlock(&own.mutex);
}

uint64_t service_offset(void)
{
    return arena_offset(atomic_load(&own.shared));
}

struct local_object *service_find(const struct service_object *object)
{
    struct local_object *found = NULL;

    plat_mutex_lock(&own.mutex);
    if (atomic_load(&own.shared) && service_offset() == atomic_load(&object->service) && object->index < own.room)
        found = own.objects[object->index];
    plat_mutex_unlock(&own.mutex);
    return found;
}

/* ---- the end of objects --------------------------------------------------------------------------------- */

void service_drop(struct local_object *object)
{
    if (atomic_fetch_sub(&object->holds, 1) > 1) return;
    object_end(object);
    mproc_lock_free(object->turn);
    free(object->class_);
    free(object);
}

void service_collect(uint32_t index)
{
    struct local_object *object;

    plat_mutex_lock(&own.mutex);
    object = index < own.room ? own.objects[index] : NULL;
    if (object && atomic_load(&object->known) && is_gone(object)) take_out(index);
    else object = NULL;
    plat_mutex_unlock(&own.mutex);
    if (object) service_drop(object);
}

static uint32_t take_bit(uint64_t *bits)
{
    uint32_t bit = 0;

    while (!(*bits >> bit & 1)) bit++;
    *bits &= *bits - 1;
    return bit;
}

void service_collect_all(struct service *service)
{
    for (uint32_t i = 0; i < sizeof service->any / sizeof service->any[0]; i++) {
        uint64_t words = atomic_load(&service->any[i]) ? atomic_exchange(&service->any[i], 0) : 0;
        while (words) {
            uint32_t word = i * SERVICE_BITS + take_bit(&words);
            uint64_t bits = atomic_exchange(&service->gone[word], 0);
            while (bits) service_collect(word * SERVICE_BITS + take_bit(&bits));
        }
    }
}

void service_ring(struct service *service)
{
    atomic_fetch_add(&service->bell, 1);
    park_wake(&service->bell, INT_MAX);
}

/* In the library's thread. A function that has run may have left locks held. */
static void serve(void *context)
{
    struct service *service = context;
    struct task task;

    thread_self.requests_alone = true; /* interrupts are for those who wait */
    task_enter(&task);
    for (;;) {
        uint32_t seen = atomic_load(&service->bell);
        service_collect_all(service);
        service_threads_look(service);
        (void)task_returned(&task, MPROC_OK);
        (void)wait_on(&service->bell, seen, PLAT_FOREVER);
    }
}

/* The process exits. What runs a method stays as it is. */
static void end_all(void)
{
    struct service *service = atomic_load(&own.shared);

    if (!service || family_enter() != MPROC_OK) return;
    service_collect_all(service);
    for (uint32_t i = 0;; i++) {
        struct local_object *object = NULL;
        plat_mutex_lock(&own.mutex);
        if (i < own.room) object = own.objects[i];
        if (object && atomic_load(&object->holds) == 1) {
            take_out(i);
            object->ended_before = own.ended;
            own.ended = object;
        } else {
            object = NULL;
        }
        plat_mutex_unlock(&own.mutex);
        if (i >= own.room) return;
        if (object) object_end(object);
    }
}

/* ---- the beginning -------------------------------------------------------------------------------------- */

/* Under the mutex. */
static mproc_status create_locked(void)
{
    _Atomic uint64_t *owned;
    mproc_status status;

    if ((status = resource_take(sizeof(struct service), sizeof(struct service), &owned)) != MPROC_OK) return status;
    object_publish(owned, OBJECT_SERVICE);
    if ((status = requests_create((struct service *)arena_at(atomic_load(owned)))) != MPROC_OK) {
        resource_release(owned);
        return status;
    }
    atomic_store(&own.shared, (struct service *)arena_at(atomic_load(owned)));
    exit_set_last(end_all);
    return MPROC_OK;
}

mproc_status service_create(void)
{
    mproc_status status = MPROC_OK;

    if (atomic_load(&own.shared)) return MPROC_OK;
    plat_mutex_lock(&own.mutex);
    if (!atomic_load(&own.shared)) status = create_locked();
    plat_mutex_unlock(&own.mutex);
    return status;
}

mproc_status service_begin(void)
{
    struct service *service;
    mproc_status status = service_create();

    if (status != MPROC_OK) return status;
    service = atomic_load(&own.shared);
    status = pool_thread_start(&own.thread, serve, service, "the thread of a process' objects");
    if (status != MPROC_OK || atomic_load(&own.serves) || atomic_exchange(&own.serves, true)) return status;
    if ((status = service_thread_start(service)) != MPROC_OK) atomic_store(&own.serves, false);
    return status;
}

/* A copy has none of its origin's objects. */
static void forked(void)
{
    memset(&own, 0, sizeof own);
    requests_forked();
    service_threads_forked();
}
