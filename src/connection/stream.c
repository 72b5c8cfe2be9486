/* Streams: the parcels of messages that are on their way, and messages that name one. */
#include "connection/stream.h"

#include <string.h>

#include "base/encoding.h"
#include "arena/lock.h"
#include "object/parcel.h"

const struct object_type stream_type = {
    .name = "the objects in messages", .links = 2, .links_at = offsetof(struct stream, lists)};

/* No value's encoding begins so. */
static const unsigned char mark[8] = {0xFF, 'o', 'b', 'j', 'e', 'c', 't', 's'};

mproc_status stream_create(struct connection *first, struct connection *second)
{
    _Atomic uint64_t *owned;
    mproc_status status = resource_take(sizeof(struct stream), sizeof(struct stream), &owned);

    if (status != MPROC_OK) return status;
    object_publish(owned, OBJECT_STREAM);
    object_refer(work_intent(), atomic_load(owned), &first->stream, OBJECT_GIVEN);
    object_refer(work_intent(), atomic_load(owned), &second->stream, OBJECT_GIVEN);
    second->is_second = true;
    resource_release(owned);
    return MPROC_OK;
}

static struct stream *stream_at(uint64_t offset)
{
    return (struct stream *)arena_at(offset);
}

/* The parcel goes from the owned slot into the list. */
static void give(struct intent *intent, uint64_t stream, _Atomic uint64_t *list, _Atomic uint64_t *owned)
{
    uint64_t parcel = atomic_load(owned);

    object_lock(intent, stream, &stream_at(stream)->object.lock);
    intent_store(intent, &parcel_at(parcel)->next, atomic_load(list));
    intent_store(intent, list, parcel);
    intent_store(intent, owned, 0);
    intent_commit(intent);
    lock_release(intent, &stream_at(stream)->object.lock);
}

/* And back, into an empty owned slot. False: it is not there. */
static bool take(struct intent *intent, uint64_t stream, _Atomic uint64_t *list, const struct handle_ref *ref,
                 _Atomic uint64_t *owned)
{
    _Atomic uint64_t *at = list;
    uint64_t parcel;
    bool found;

    object_lock(intent, stream, &stream_at(stream)->object.lock);
    while ((parcel = atomic_load(at)) != 0 && parcel != ref->offset) at = &parcel_at(parcel)->next;
    if ((found = parcel != 0 && object_there(ref))) {
        intent_store(intent, at, atomic_load(&parcel_at(parcel)->next));
        intent_store(intent, &parcel_at(parcel)->next, 0);
        intent_store(intent, owned, parcel);
        intent_commit(intent);
    }
    lock_release(intent, &stream_at(stream)->object.lock);
    return found;
}

/* An end that lay in its own stream would keep that, and be kept by it, for ever. */
static mproc_status check_ends(const struct parcel *parcel, uint64_t stream)
{
    for (uint32_t i = 1; i < parcel->links; i++) {
        uint64_t object = atomic_load(&parcel->next + i);
        if (object_kind(object) != OBJECT_CONNECTION) continue;
        object = deposit_stands_for(object);
        if (atomic_load(&((const struct connection *)arena_at(object))->stream) == stream)
            return mproc_error(MPROC_INVALID,
                               "an end of a connection does not go by that connection itself: send it by another "
                               "one, or put it into a queue");
    }
    return MPROC_OK;
}

static mproc_status make_parcel(struct intent *intent, const mproc_value *value, uint64_t stream,
                                _Atomic uint64_t *owned, const struct wait *wait)
{
    uint32_t objects = value_count_objects(value);
    struct parcel *parcel;
    size_t size;
    mproc_status status = encoding_measure(value, &size);

    if (status == MPROC_OK) status = parcel_create(intent, size, objects, owned);
    if (status != MPROC_OK) return status;
    parcel = parcel_at(atomic_load(owned));
    status = encoding_write(value, parcel_data(parcel), size, &size, &objects);
    if (status == MPROC_OK) status = parcel_hold(intent, parcel, false, wait);
    return status == MPROC_OK ? check_ends(parcel, stream) : status;
}

mproc_status stream_send(mproc_connection *connection, const mproc_value *value, int64_t timeout_ms)
{
    const struct connection *object = connection_of(connection);
    struct intent *intent;
    _Atomic uint64_t *list, *owned;
    struct stream_message message;
    struct passage passage;
    uint64_t stream;
    mproc_status status;

    if ((status = passage_begin(&passage, connection, false, timeout_ms)) != MPROC_OK) return status;
    intent = work_intent();
    owned = &intent->stages[0];
    if (!(stream = atomic_load(&object->stream)))
        status = mproc_error(MPROC_NOT_SUPPORTED, "a value with objects in it cannot be sent by this connection, "
                                                  "whose other end may be in another family: put it into a queue");
    else status = make_parcel(intent, value, stream, owned, &passage.wait);
    if (status == MPROC_OK) {
        memcpy(message.mark, mark, sizeof mark);
        message.ref = object_ref(atomic_load(owned));
        list = &stream_at(stream)->lists[!object->is_second];
        give(intent, stream, list, owned);
        status = passage_send(&passage, &message, sizeof message);
        if (status != MPROC_OK) take(intent, stream, list, &message.ref, owned);
    }
    object_drop(intent, owned);
    passage_end(&passage);
    return status;
}

/* Whether the message names a parcel, in the list of what goes to this end. */
static bool names(const struct connection *object, const void *bytes, size_t size, struct handle_ref *ref)
{
    struct stream_message message;

    if (size != sizeof message || !atomic_load(&object->stream) || memcmp(bytes, mark, sizeof mark) != 0)
        return false;
    memcpy(&message, bytes, sizeof message);
    *ref = message.ref;
    return ref->kind == OBJECT_PARCEL;
}

mproc_status stream_receive(const mproc_connection *connection, const void *bytes, size_t size, mproc_value *value)
{
    const struct connection *object = connection_of(connection);
    uint64_t stream = atomic_load(&object->stream);
    struct intent *intent = work_intent();
    struct encoding_header *encoding;
    _Atomic uint64_t *owned, *list;
    struct handle_ref ref;
    mproc_status status;

    if (!names(object, bytes, size, &ref)) return MPROC_NOT_FOUND;
    if ((status = resource_slot_take(&owned)) != MPROC_OK) return status;
    list = &stream_at(stream)->lists[object->is_second];
    if (!take(intent, stream, list, &ref, owned)) status = MPROC_NOT_FOUND;
    else if ((status = parcel_keep(owned, &encoding)) != MPROC_OK) give(intent, stream, list, owned);
    if (status == MPROC_OK) *value = encoding_owned(encoding);
    else resource_slot_put(owned);
    return status;
}

void stream_drop(const mproc_connection *connection, const void *bytes, size_t size)
{
    const struct connection *object = connection_of(connection);
    uint64_t stream = atomic_load(&object->stream);
    struct intent *intent = work_intent();
    struct handle_ref ref;

    if (names(object, bytes, size, &ref) &&
        take(intent, stream, &stream_at(stream)->lists[object->is_second], &ref, &intent->stages[0]))
        object_drop(intent, &intent->stages[0]);
}
