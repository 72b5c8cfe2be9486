/* Items: values and bytes on their way into a queue and out of it. */
#include <stdlib.h>

#include "base/encoding.h"
#include "object/wait.h"
#include "process/family.h"
#include "queue/get.h"
#include "queue/nesting.h"
#include "queue/put.h"

/* A value whose encoding is not larger passes through the stack. */
#define BUFFER_BYTES 2048

/* ---- putting ------------------------------------------------------------------------------------ */

/* In a parcel, which is filled before the queue is locked. */
static mproc_status put_copy(mproc_queue *queue, const void *bytes, uint64_t size, enum queue_form form,
                             int64_t timeout_ms)
{
    struct intent *intent = work_intent();
    struct queue_item item = {NULL, size, 1, form, &intent->stages[0]};
    struct parcel *parcel;
    mproc_status status;
    uint32_t done = 0;

    if ((status = queue_check_size(queue, size)) != MPROC_OK) return status;
    if ((status = parcel_create(intent, size, 0, item.owned)) != MPROC_OK) return status;
    parcel = parcel_at(atomic_load(item.owned));
    parcel->form = (uint16_t)form;
    memcpy(parcel_data(parcel), bytes, (size_t)size);
    status = queue_put(queue, &item, &done, timeout_ms);
    object_drop(intent, item.owned);
    return status;
}

/*
 * One after the other, all within the one time limit. The reference is kept in between as well, and who closes or
 * frees it ends this.
 */
static mproc_status put_copies(mproc_queue *queue, const struct queue_item *items, uint32_t *done, int64_t timeout_ms)
{
    struct wait wait;
    mproc_status status = wait_begin(&wait, &queue->reference, timeout_ms);

    if (status != MPROC_OK) return status;
    while (*done < items->count && (status = queue_begin(queue, timeout_ms)) == MPROC_OK) {
        status = put_copy(queue, (const unsigned char *)items->bytes + *done * items->size, items->size,
                          QUEUE_OF_BYTES, timeout_ms);
        if (status != MPROC_OK) break;
        ++*done;
        timeout_ms = wait_left_ms(&wait);
    }
    wait_end(&wait);
    return status;
}

static bool needs_parcel(const mproc_queue *queue, uint64_t size)
{
    return size > QUEUE_INLINE_MAX || queue_of(queue)->joinable;
}

static mproc_status check_bytes(const void *data, size_t size)
{
    if (!data && size > 0) return mproc_error(MPROC_INVALID, "an item of %zu bytes at no address", size);
    if (size > MPROC_QUEUE_ITEM_MAX) return mproc_error(MPROC_INVALID, "an item of %zu bytes", size);
    return MPROC_OK;
}

mproc_status mproc_queue_put_bytes(mproc_queue *queue, const void *data, size_t size, int64_t timeout_ms)
{
    struct queue_item item = {data ? data : "", size, 1, QUEUE_OF_BYTES, NULL};
    uint32_t done = 0;
    mproc_status status;

    if ((status = check_bytes(data, size)) != MPROC_OK) return status;
    if ((status = queue_begin(queue, timeout_ms)) != MPROC_OK) return status;
    if (needs_parcel(queue, size)) return put_copy(queue, item.bytes, size, QUEUE_OF_BYTES, timeout_ms);
    if ((status = queue_check_size(queue, size)) != MPROC_OK) return status;
    return queue_put(queue, &item, &done, timeout_ms);
}

mproc_status mproc_queue_put_many(mproc_queue *queue, const void *items, size_t size, size_t count, size_t *put_,
                                  int64_t timeout_ms)
{
    struct queue_item item = {items ? items : "", size, 0, QUEUE_OF_BYTES, NULL};
    mproc_status status;
    uint32_t done = 0;

    if (put_) *put_ = 0;
    if ((status = check_bytes(items, size)) != MPROC_OK) return status;
    if (count > MPROC_QUEUE_MAX) return mproc_error(MPROC_INVALID, "%zu items at once", count);
    if ((status = queue_begin(queue, timeout_ms)) != MPROC_OK) return status;
    item.count = (uint32_t)count;
    if ((status = queue_check_size(queue, size)) != MPROC_OK) return status;
    if (needs_parcel(queue, size)) status = put_copies(queue, &item, &done, timeout_ms);
    else status = queue_put(queue, &item, &done, timeout_ms);
    if (put_) *put_ = done;
    return status;
}

/* An encoding that does not fit the stack. */
static mproc_status put_from_heap(mproc_queue *queue, const mproc_value *value, size_t size, int64_t timeout_ms)
{
    void *heap = malloc(size);
    struct queue_item item = {heap, size, 1, QUEUE_OF_ENCODING, NULL};
    uint32_t done = 0, objects;
    mproc_status status;

    if (!heap) return mproc_error(MPROC_NO_MEMORY, "no memory for an item of %zu bytes", size);
    status = encoding_write(value, heap, size, &size, &objects);
    if (status == MPROC_OK) status = queue_check_size(queue, size);
    if (status == MPROC_OK) status = queue_put(queue, &item, &done, timeout_ms);
    free(heap);
    return status;
}

/* What it takes of the time limit is not left for the put. */
static mproc_status hold(mproc_queue *queue, struct parcel *parcel, int64_t *timeout_ms)
{
    struct wait wait;
    mproc_status status = wait_begin(&wait, &queue->reference, *timeout_ms);

    if (status != MPROC_OK) return status;
    status = parcel_hold(work_intent(), parcel, false, &wait);
    *timeout_ms = wait_left_ms(&wait);
    wait_end(&wait);
    return status;
}

/* A value with objects, or one of which there is no room in the queue itself. */
static mproc_status put_parcel(mproc_queue *queue, const mproc_value *value, size_t size, uint32_t objects,
                               int64_t timeout_ms)
{
    struct intent *intent = work_intent();
    struct queue_item item = {NULL, 0, 1, QUEUE_OF_ENCODING, &intent->stages[0]};
    struct parcel *parcel;
    mproc_status status;
    uint32_t done = 0;

    if ((status = queue_check_size(queue, size)) != MPROC_OK) return status;
    if ((status = parcel_create(intent, size, objects, item.owned)) != MPROC_OK) return status;
    item.size = size;
    parcel = parcel_at(atomic_load(item.owned));
    parcel->form = QUEUE_OF_ENCODING;
    status = encoding_write(value, parcel_data(parcel), size, &size, &objects);
    if (status == MPROC_OK && objects > 0) status = hold(queue, parcel, &timeout_ms);
    if (status == MPROC_OK && objects > 0) status = nesting_check(queue_of(queue), parcel);
    if (status == MPROC_OK) status = queue_put(queue, &item, &done, timeout_ms);
    object_drop(intent, item.owned);
    return status;
}

mproc_status mproc_queue_put(mproc_queue *queue, mproc_value value, int64_t timeout_ms)
{
    uint64_t buffer[BUFFER_BYTES / sizeof(uint64_t)];
    struct queue_item item = {&value, sizeof value, 1, QUEUE_OF_PLAIN, NULL};
    uint32_t done = 0, objects;
    mproc_status status;
    size_t size;

    if ((status = queue_begin(queue, timeout_ms)) != MPROC_OK) return status;
    if (value.type >= MPROC_TYPE_STRING) {
        if (encoding_write(&value, buffer, sizeof buffer, &size, &objects) != MPROC_OK || objects > 0) {
            if ((status = encoding_measure(&value, &size)) != MPROC_OK) return status;
            objects = value_count_objects(&value);
            if (objects > 0 || needs_parcel(queue, size)) return put_parcel(queue, &value, size, objects, timeout_ms);
            return put_from_heap(queue, &value, size, timeout_ms);
        }
        item = (struct queue_item){buffer, size, 1, QUEUE_OF_ENCODING, NULL};
    }
    if (queue_of(queue)->joinable) return put_copy(queue, item.bytes, item.size, item.form, timeout_ms);
    if ((status = queue_check_size(queue, item.size)) != MPROC_OK) return status;
    return queue_put(queue, &item, &done, timeout_ms);
}

/* ---- getting ------------------------------------------------------------------------------------ */

/* Of a wish for a value: nothing came into what was made ready for it. */
static void forget(struct queue_wish *wish)
{
    if (wish->keeper && wish->keeper->owned) resource_slot_put(wish->keeper->owned);
    free(wish->heap);
    wish->heap = wish->bytes = NULL;
    wish->keeper = NULL;
    wish->owned = &work_intent()->stages[0];
}

/* Makes room for the value that the wish was too small for: the item stays if there is none. */
static mproc_status grow(struct queue_wish *wish)
{
    bool of_bytes = wish->form == QUEUE_OF_BYTES;
    uint64_t before = wish->objects ? sizeof(struct parcel_keeper) : of_bytes ? ENCODING_PAYLOAD : 0;
    uint64_t bytes = before + (of_bytes ? encoding_padded(wish->size) : wish->size);
    mproc_status status;

    forget(wish);
    wish->heap = bytes <= MPROC_VALUE_BYTES_MAX ? malloc((size_t)bytes) : NULL;
    if (!wish->heap)
        return mproc_error(MPROC_NO_MEMORY, "no memory for an item of %llu bytes as a value",
                           (unsigned long long)wish->size);
    if (wish->objects) {
        wish->keeper = wish->heap;
        *wish->keeper = (struct parcel_keeper){.arena = thread_self.arena};
        if ((status = resource_slot_take(&wish->keeper->owned)) != MPROC_OK) return status;
        wish->owned = wish->keeper->owned;
    }
    wish->bytes = (unsigned char *)wish->heap + before;
    wish->room = wish->size;
    wish->ready = wish->form;
    return MPROC_OK;
}

mproc_status mproc_queue_get_bytes(mproc_queue *queue, void *data, size_t capacity, size_t *size, int64_t timeout_ms)
{
    struct queue_wish wish;
    enum queue_outcome outcome;
    mproc_status status;

    if (!data && capacity > 0) return mproc_error(MPROC_INVALID, "an item is to go to %zu bytes at NULL", capacity);
    if ((status = queue_begin(queue, timeout_ms)) != MPROC_OK) return status;
    queue_wish_init(&wish, QUEUE_WANT_BYTES, 1, data, capacity);
    status = queue_get(queue, &wish, NULL, &outcome, timeout_ms);
    if (size && (outcome == QUEUE_DONE || outcome == QUEUE_TOO_LARGE)) *size = wish.size;
    return status == MPROC_INVALID && outcome != QUEUE_BLOCKED ? queue_refuse(&wish, outcome) : status;
}

mproc_status mproc_queue_get_many(mproc_queue *queue, void *items, size_t size, size_t count, size_t *got,
                                  int64_t timeout_ms)
{
    uint32_t most = count < MPROC_QUEUE_MAX ? (uint32_t)count : MPROC_QUEUE_MAX;
    struct queue_wish wish;
    enum queue_outcome outcome;
    mproc_status status;

    if (!got || count == 0 || (!items && size > 0))
        return mproc_error(MPROC_INVALID, "%zu items of %zu bytes are to go to %p, and their number to %p", count,
                           size, items, (void *)got);
    if ((status = queue_begin(queue, timeout_ms)) != MPROC_OK) return status;
    queue_wish_init(&wish, QUEUE_WANT_BYTES, most, items, size);
    wish.exact = true;
    status = queue_get(queue, &wish, NULL, &outcome, timeout_ms);
    if (outcome == QUEUE_DONE) *got = wish.got;
    return status == MPROC_INVALID && outcome != QUEUE_BLOCKED ? queue_refuse(&wish, outcome) : status;
}

/*
 * What is in the wish's memory becomes the value's. A keeper stays in it even if another item came than the one that
 * it was made for, and it keeps nothing.
 */
static mproc_value value_from(struct queue_wish *wish)
{
    struct encoding_header *header = wish->bytes;

    if (wish->form == QUEUE_OF_PLAIN) {
        forget(wish);
        return wish->plain;
    }
    if (wish->form == QUEUE_OF_BYTES) {
        encoding_write_bytes(wish->heap, wish->size);
        return encoding_owned(wish->heap);
    }
    if (wish->keeper) header->before = sizeof *wish->keeper;
    if (wish->keeper && !wish->objects) {
        resource_slot_put(wish->keeper->owned);
        wish->keeper->owned = NULL;
    }
    return encoding_owned(header);
}

mproc_status mproc_queue_get(mproc_queue *queue, mproc_value *value, int64_t timeout_ms)
{
    struct queue_wish wish;
    enum queue_outcome outcome;
    mproc_status status;

    if (!value) return mproc_error(MPROC_INVALID, "an item of a queue is to go to NULL");
    if ((status = queue_begin(queue, timeout_ms)) != MPROC_OK) return status;
    queue_wish_init(&wish, QUEUE_WANT_VALUE, 1, NULL, 0);
    if ((status = queue_get(queue, &wish, grow, &outcome, timeout_ms)) != MPROC_OK) {
        forget(&wish);
        return status;
    }
    *value = value_from(&wish);
    return MPROC_OK;
}
