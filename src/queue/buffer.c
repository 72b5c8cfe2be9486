/* Items that are written and read where they lie: parcels in an owned slot of the process. */
#include "process/family.h"
#include "queue/get.h"
#include "queue/put.h"

static struct parcel *parcel_of(const mproc_queue_buffer *buffer)
{
    return parcel_at(atomic_load((_Atomic uint64_t *)buffer->owned));
}

/* By a copy of it: the owned slot may be used for something else then. */
static bool is_given_up(const mproc_queue_buffer *buffer)
{
    uint64_t object = atomic_load((_Atomic uint64_t *)buffer->owned);

    return !object || object_kind(object) != OBJECT_PARCEL || parcel_data(parcel_at(object)) != buffer->data;
}

static mproc_queue_buffer buffer_of(_Atomic uint64_t *owned, bool reserved)
{
    const struct parcel *parcel = parcel_at(atomic_load(owned));

    return (mproc_queue_buffer){parcel_data(parcel), (size_t)parcel->size, owned, thread_self.arena, reserved};
}

mproc_status mproc_queue_reserve(mproc_queue *queue, size_t size, mproc_queue_buffer *buffer)
{
    _Atomic uint64_t *owned;
    mproc_status status;

    if (!buffer) return mproc_error(MPROC_INVALID, "memory for an item of %zu bytes is to go to NULL", size);
    if (size > MPROC_QUEUE_ITEM_MAX) return mproc_error(MPROC_INVALID, "an item of %zu bytes", size);
    if ((status = queue_begin(queue, 0)) != MPROC_OK) return status;
    if ((status = queue_check_size(queue, size)) != MPROC_OK) return status;
    if ((status = resource_slot_take(&owned)) != MPROC_OK) return status;
    if ((status = parcel_create(work_intent(), size, 0, owned)) != MPROC_OK) {
        resource_slot_put(owned);
        return status;
    }
    *buffer = buffer_of(owned, true);
    return MPROC_OK;
}

static mproc_status check(const mproc_queue_buffer *buffer)
{
    uint64_t size;

    if (!buffer || !buffer->owned || !buffer->reserved)
        return mproc_error(MPROC_INVALID, "a buffer is to be put that was not reserved: mproc_queue_reserve()");
    if (buffer->arena != thread_self.arena)
        return mproc_error(MPROC_FORKED, "a buffer of another family is to be put: of the process that this one is a "
                                         "fork() copy of");
    if (is_given_up(buffer))
        return mproc_error(MPROC_INVALID, "a buffer is to be put that is a copy of one that was put or released");
    size = parcel_of(buffer)->size;
    if (buffer->size <= size) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "%zu bytes of a buffer are to be put for which %llu were reserved",
                       buffer->size, (unsigned long long)size);
}

mproc_status mproc_queue_commit(mproc_queue *queue, mproc_queue_buffer *buffer, int64_t timeout_ms)
{
    struct queue_item item = {.count = 1, .form = QUEUE_OF_BYTES};
    mproc_status status;
    uint32_t done = 0;
    uint64_t reserved;

    if ((status = queue_begin(queue, timeout_ms)) != MPROC_OK) return status;
    if ((status = check(buffer)) != MPROC_OK) return status;
    if ((status = queue_check_size(queue, buffer->size)) != MPROC_OK) return status;
    reserved = parcel_of(buffer)->size;
    parcel_of(buffer)->size = item.size = buffer->size;
    item.owned = buffer->owned;
    if ((status = queue_put(queue, &item, &done, timeout_ms)) == MPROC_OK) {
        resource_slot_put(buffer->owned);
        *buffer = (mproc_queue_buffer){0};
    } else {
        parcel_of(buffer)->size = reserved;
    }
    return status;
}

/* Another item may have come meanwhile than the one that the parcel was made for. */
static mproc_status make_parcel(struct queue_wish *wish)
{
    struct parcel *parcel = wish->parcel;
    mproc_status status;

    object_drop(work_intent(), wish->owned);
    wish->bytes = NULL;
    if (parcel) return MPROC_OK;
    if ((status = parcel_create(work_intent(), wish->size, 0, wish->owned)) != MPROC_OK) return status;
    wish->bytes = parcel_data(parcel_at(atomic_load(wish->owned)));
    wish->room = wish->size;
    return MPROC_OK;
}

mproc_status mproc_queue_peek(mproc_queue *queue, mproc_queue_buffer *buffer, int64_t timeout_ms)
{
    struct queue_wish wish = {.want = QUEUE_WANT_BUFFER, .count = 1};
    enum queue_outcome outcome;
    mproc_status status;

    if (!buffer) return mproc_error(MPROC_INVALID, "an item of a queue is to go to NULL");
    if ((status = queue_begin(queue, timeout_ms)) != MPROC_OK) return status;
    if ((status = resource_slot_take(&wish.owned)) != MPROC_OK) return status;
    status = queue_get(queue, &wish, make_parcel, &outcome, timeout_ms);
    if (status != MPROC_OK) {
        resource_release(wish.owned);
        return status == MPROC_INVALID && outcome == QUEUE_OTHER ? queue_refuse(&wish, outcome) : status;
    }
    if (!wish.parcel) parcel_at(atomic_load(wish.owned))->size = wish.size;
    *buffer = buffer_of(wish.owned, false);
    return MPROC_OK;
}

void mproc_queue_release(mproc_queue_buffer *buffer)
{
    if (!buffer || !buffer->owned) return;
    if (family_enter_with(buffer->arena) == MPROC_OK && !is_given_up(buffer)) resource_release(buffer->owned);
    *buffer = (mproc_queue_buffer){0};
}
