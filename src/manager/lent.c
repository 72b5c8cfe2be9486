/* What clients have of the family's objects. */
#include "manager/lent.h"

#include <stdlib.h>

#define ROOM_FIRST 8

static uint32_t *bucket_of(const struct lent *lent, const struct handle_ref *ref)
{
    uint64_t hash = ref->offset * 0x9E3779B97F4A7C15u;

    return &lent->buckets[(hash >> 32) & (lent->room - 1)];
}

/* Of the same object, which lives: so an offset tells it. Index and 1, or 0. */
static uint32_t find(const struct lent *lent, const struct handle_ref *ref)
{
    uint32_t at = lent->room > 0 ? *bucket_of(lent, ref) : 0;

    while (at && lent->objects[at - 1].reference->ref.offset != ref->offset) at = lent->objects[at - 1].next;
    return at;
}

static void put_into_bucket(const struct lent *lent, uint32_t at)
{
    uint32_t *bucket = bucket_of(lent, &lent->objects[at - 1].reference->ref);

    lent->objects[at - 1].next = *bucket;
    *bucket = at;
}

/* All places are in use. */
static mproc_status grow(struct lent *lent)
{
    uint32_t before = lent->room, room = before > 0 ? 2 * before : ROOM_FIRST;
    struct lent_object *objects = realloc(lent->objects, room * sizeof *objects);
    uint32_t *buckets;

    if (objects) lent->objects = objects;
    if ((buckets = realloc(lent->buckets, room * sizeof *buckets))) lent->buckets = buckets;
    if (!objects || !buckets)
        return mproc_error(MPROC_NO_MEMORY, "no memory for %lu objects of a client", (unsigned long)room);
    for (uint32_t i = before; i < room; i++) objects[i] = (struct lent_object){.next = i + 1 < room ? i + 2 : 0};
    memset(buckets, 0, room * sizeof *buckets);
    lent->free = before + 1;
    lent->room = room;
    for (uint32_t at = 1; at <= before; at++) put_into_bucket(lent, at);
    return MPROC_OK;
}

/* ---- given ---------------------------------------------------------------------------------------------- */

static mproc_status add(struct lent *lent, const struct handle_ref *ref, uint32_t max, uint32_t *at)
{
    struct reference *reference;
    mproc_status status;

    if (!object_types[ref->kind]->call)
        return mproc_error(MPROC_NOT_SUPPORTED, "%s is not served to other programs", handle_name(ref->kind));
    if (lent->count >= max)
        return mproc_error(MPROC_LIMIT,
                           "a client of the manager has %lu objects, and cannot have more (objects_per_client_max)",
                           (unsigned long)lent->count);
    if (!lent->free && (status = grow(lent)) != MPROC_OK) return status;
    if ((status = reference_open(ref, &reference)) != MPROC_OK) return status;
    *at = lent->free;
    lent->free = lent->objects[*at - 1].next;
    lent->objects[*at - 1].reference = reference;
    put_into_bucket(lent, *at);
    lent->count++;
    return MPROC_OK;
}

/* Takes it out if nobody has or uses it. What is returned is to be freed without the mutex, as that takes longer. */
static struct reference *take_out(struct lent *lent, uint32_t at)
{
    struct lent_object *object = &lent->objects[at - 1];
    struct reference *reference = object->reference;
    uint32_t *bucket;

    if (object->given > 0 || object->used > 0) return NULL;
    bucket = bucket_of(lent, &reference->ref);
    while (*bucket != at) bucket = &lent->objects[*bucket - 1].next;
    *bucket = object->next;
    *object = (struct lent_object){.next = lent->free};
    lent->free = at;
    lent->count--;
    return reference;
}

struct lending {
    struct lent *lent;
    uint32_t max;
    mproc_status status;
    uint32_t given;
};

static void give(void *context, const struct handle_ref *ref)
{
    struct lending *lending = context;
    struct lent *lent = lending->lent;
    uint32_t at;

    if (lending->status != MPROC_OK) return;
    if (!(at = find(lent, ref)) && (lending->status = add(lent, ref, lending->max, &at)) != MPROC_OK) return;
    if (lent->objects[at - 1].given == UINT32_MAX) {
        lending->status =
            mproc_error(MPROC_LIMIT, "a client of the manager has %s too often", handle_name(ref->kind));
        return;
    }
    lent->objects[at - 1].given++;
    lending->given++;
    *(struct handle_ref *)(uintptr_t)ref = (struct handle_ref){ref->kind, 0, at};
}

/* Those that were given, in the same order. */
static void take_again(void *context, const struct handle_ref *ref)
{
    struct lending *lending = context;

    if (lending->given == 0) return;
    lending->given--;
    (void)lent_back(lending->lent, ref->offset, 1);
}

mproc_status lent_write(struct lent *lent, const struct message *message, uint32_t max)
{
    struct lending lending = {lent, max, MPROC_OK, 0};

    plat_mutex_lock(&lent->mutex);
    message_visit(message, give, &lending);
    plat_mutex_unlock(&lent->mutex);
    if (lending.status != MPROC_OK) message_visit(message, take_again, &lending);
    return lending.status;
}

/* ---- named by the client -------------------------------------------------------------------------------- */

static struct lent_object *find_number(const struct lent *lent, uint64_t number)
{
    return number > 0 && number <= lent->room && lent->objects[number - 1].reference ? &lent->objects[number - 1]
                                                                                     : NULL;
}

struct reference *lent_use(struct lent *lent, uint64_t number)
{
    struct reference *reference = NULL;
    struct lent_object *object;

    plat_mutex_lock(&lent->mutex);
    if ((object = find_number(lent, number))) {
        object->used++;
        reference = object->reference;
    }
    plat_mutex_unlock(&lent->mutex);
    return reference;
}

void lent_use_done(struct lent *lent, uint64_t number)
{
    struct reference *gone;

    plat_mutex_lock(&lent->mutex);
    lent->objects[number - 1].used--;
    gone = take_out(lent, (uint32_t)number);
    plat_mutex_unlock(&lent->mutex);
    reference_free(gone);
}

uint32_t lent_kind(struct lent *lent, uint64_t number)
{
    const struct lent_object *object;
    uint32_t kind;

    plat_mutex_lock(&lent->mutex);
    object = find_number(lent, number);
    kind = object ? object->reference->ref.kind : OBJECT_NONE;
    plat_mutex_unlock(&lent->mutex);
    return kind;
}

struct reading {
    struct lent *lent;
    mproc_status status;
    uint32_t used;
};

/* In the bytes that came, which nobody else has. */
static void read_object(void *context, const struct handle_ref *ref)
{
    struct reading *reading = context;
    struct lent_object *object = find_number(reading->lent, ref->offset);

    if (reading->status != MPROC_OK) return;
    if (object && object->reference->ref.kind == ref->kind && ref->generation == 0) {
        *(struct handle_ref *)(uintptr_t)ref = object->reference->ref;
        object->used++;
        reading->used++;
    } else {
        reading->status = mproc_error(MPROC_INVALID, "the client has no object %llu that is %s",
                                      (unsigned long long)ref->offset, handle_name(ref->kind));
    }
}

/* Those that are used, in the same order. */
static void object_done(void *context, const struct handle_ref *ref)
{
    struct reading *reading = context;
    uint32_t at;

    if (reading->used == 0) return;
    reading->used--;
    plat_mutex_lock(&reading->lent->mutex);
    at = find(reading->lent, ref);
    plat_mutex_unlock(&reading->lent->mutex);
    lent_use_done(reading->lent, at);
}

mproc_status lent_read(struct lent *lent, const mproc_value *value)
{
    struct reading reading = {lent, MPROC_OK, 0};

    plat_mutex_lock(&lent->mutex);
    value_visit_objects(value, read_object, &reading);
    plat_mutex_unlock(&lent->mutex);
    if (reading.status != MPROC_OK) value_visit_objects(value, object_done, &reading);
    return reading.status;
}

void lent_read_done(struct lent *lent, const mproc_value *value)
{
    struct reading reading = {lent, MPROC_OK, UINT32_MAX};

    value_visit_objects(value, object_done, &reading);
}

/* ---- back ----------------------------------------------------------------------------------------------- */

bool lent_back(struct lent *lent, uint64_t number, uint64_t count)
{
    struct reference *gone = NULL;
    struct lent_object *object;
    bool had;

    plat_mutex_lock(&lent->mutex);
    object = find_number(lent, number);
    if ((had = object && count <= object->given)) {
        object->given -= (uint32_t)count;
        gone = take_out(lent, (uint32_t)number);
    }
    plat_mutex_unlock(&lent->mutex);
    reference_free(gone);
    return had;
}

size_t lent_count_more(struct lent *lent, uint32_t *counted)
{
    size_t more;

    plat_mutex_lock(&lent->mutex);
    more = (size_t)lent->count - *counted;
    *counted = lent->count;
    plat_mutex_unlock(&lent->mutex);
    return more;
}

void lent_clear(struct lent *lent)
{
    for (uint32_t at = 1; at <= lent->room; at++)
        if (lent->objects[at - 1].reference) reference_free(lent->objects[at - 1].reference);
    free(lent->objects);
    free(lent->buckets);
    *lent = (struct lent){.objects = NULL};
}
