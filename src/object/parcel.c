/* Parcels: their way into the arena. */
#include "object/parcel.h"

#include <stdlib.h>
#include <string.h>

#include "arena/slot.h"
#include "base/encoding.h"

const struct object_type parcel_type = {
    .name = "a parcel", .links_at = offsetof(struct parcel, next), .links_count_at = offsetof(struct parcel, links)};

/* From the moment that it is an object, what it holds is dropped with it. */
mproc_status parcel_create(struct intent *intent, uint64_t size, uint32_t objects, _Atomic uint64_t *owned)
{
    uint32_t links = 1 + objects;
    struct parcel *parcel;
    mproc_status status;

    if ((status = block_take(intent, parcel_head(links) + size, parcel_head(links), owned)) != MPROC_OK)
        return status;
    parcel = parcel_at(atomic_load_explicit(owned, memory_order_relaxed));
    parcel->links = links;
    parcel->size = size;
    object_publish(owned, OBJECT_PARCEL);
    return MPROC_OK;
}

/* One walk through the objects: the next link, and whether all were still there. */
struct holding {
    struct intent *intent;
    _Atomic uint64_t *next;
    bool at_start;
    const struct wait *wait;
    mproc_status status;
};

/*
 * Whoever gave the value has references of his own, so that what is there stays. What the link has, the encoding
 * refers to.
 */
static void hold_object(void *context, const struct handle_ref *ref)
{
    struct holding *holding = context;
    const struct object_type *type = object_types[ref->kind];
    struct handle_ref *in_parcel = (struct handle_ref *)(uintptr_t)ref;
    _Atomic uint64_t *link = holding->next++;
    uint64_t object = ref->offset, original;

    if (holding->status != MPROC_OK) return;
    if (handle_is_remote(ref)) {
        holding->status = mproc_error(MPROC_NOT_SUPPORTED,
                                      "%s of another program's manager is this process' own: another one connects to "
                                      "that manager by itself",
                                      handle_name(ref->kind));
        return;
    }
    if (!object_there(ref)) {
        holding->status = mproc_error(MPROC_CLOSED, "%s that is passed on has been freed", handle_name(ref->kind));
        return;
    }
    original = type->stands_for ? type->stands_for(object) : 0;
    if (original && holding->at_start) object = original;
    if (type->stand_in && !original && !holding->at_start)
        holding->status = type->stand_in(holding->intent, ref, link, holding->wait);
    else object_refer(holding->intent, object, link, OBJECT_GIVEN);
    if (holding->status == MPROC_OK) *in_parcel = object_ref(atomic_load(link));
}

mproc_status parcel_hold(struct intent *intent, struct parcel *parcel, bool at_start, const struct wait *wait)
{
    struct holding holding = {intent, &parcel->next + 1, at_start, wait, MPROC_OK};
    mproc_value value = encoding_view(parcel_data(parcel));

    value_visit_objects(&value, hold_object, &holding);
    return holding.status;
}

mproc_status parcel_keep(_Atomic uint64_t *owned, struct encoding_header **encoding)
{
    const struct parcel *parcel = parcel_at(atomic_load(owned));
    struct parcel_keeper *keeper = malloc(sizeof *keeper + (size_t)parcel->size);

    if (!keeper)
        return mproc_error(MPROC_NO_MEMORY, "no memory for a value of %llu bytes", (unsigned long long)parcel->size);
    *keeper = (struct parcel_keeper){.owned = owned, .arena = thread_self.arena};
    memcpy(keeper + 1, parcel_data(parcel), (size_t)parcel->size);
    *encoding = (struct encoding_header *)(void *)(keeper + 1);
    (*encoding)->before = sizeof *keeper;
    return MPROC_OK;
}

mproc_status parcel_copy(const struct parcel *parcel, struct encoding_header **encoding)
{
    void *copy = malloc((size_t)parcel->size);

    if (!copy)
        return mproc_error(MPROC_NO_MEMORY, "no memory for a value of %llu bytes", (unsigned long long)parcel->size);
    memcpy(copy, parcel_data(parcel), (size_t)parcel->size);
    *encoding = copy;
    return MPROC_OK;
}

uint32_t parcel_count(const struct parcel *parcel, uint64_t object)
{
    uint32_t count = 0;

    for (uint32_t i = 1; i < parcel->links; i++) count += atomic_load(&parcel->next + i) == object;
    return count;
}
