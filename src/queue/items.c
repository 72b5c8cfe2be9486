/* Items: values and bytes on their way into a queue and out of it. */
#include <stdlib.h>

#include "base/encoding.h"
#include "process/family.h"
#include "queue/get.h"
#include "queue/put.h"
#include "queue/segment.h"
#include "queue/turn.h"

/* A value whose encoding is not larger passes through the stack. */
#define BUFFER_BYTES 2048

static struct queue *queue_of(const mproc_queue *queue)
{
    assert(queue && queue->reference.ref.kind == OBJECT_QUEUE);
    return (struct queue *)queue->reference.at;
}

/* What every call does first. */
static mproc_status begin(mproc_queue *queue, int64_t timeout_ms)
{
    mproc_status status = timeout_check(timeout_ms);

    if (status == MPROC_OK) status = family_enter_with(queue->reference.arena);
    if (status == MPROC_OK && atomic_load_explicit(&queue->reference.closed, memory_order_relaxed))
        status = mproc_error(MPROC_CLOSED, "this process has closed the queue");
    return status;
}

/* ---- putting ------------------------------------------------------------------------------------ */

static mproc_status check_size(const mproc_queue *queue, uint64_t size)
{
    uint64_t most = queue_of(queue)->most_bytes;

    if (most == 0 || size <= most) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "an item of %llu bytes for a queue of at most %llu bytes",
                       (unsigned long long)size, (unsigned long long)most);
}

/*
 * Puts all of the items, or fails; `*done` says how many are in. Whoever fails though there is room may have been
 * woken for that, so another is.
 */
static mproc_status put(mproc_queue *queue, struct queue_item *item, uint32_t *done, int64_t timeout_ms)
{
    struct queue *at = queue_of(queue);
    struct turn turn = {.queue = at, .size = item->size};
    enum queue_outcome outcome = QUEUE_DONE;
    mproc_status status = MPROC_OK;
    uint32_t count = item->count;
    const unsigned char *bytes = item->bytes;

    reference_note(&queue->reference);
    while (status == MPROC_OK && *done < count) {
        outcome = queue_try_put(at, item, done);
        if (outcome == QUEUE_NO_SEGMENT) status = segment_add(at, queue_item_units(item));
        else if (outcome == QUEUE_BLOCKED) status = turn_wait(&turn, &queue->reference, timeout_ms);
        if (bytes) item->bytes = bytes + *done * item->size;
        item->count = count - *done;
    }
    turn_end(&turn, status != MPROC_OK && outcome != QUEUE_BLOCKED);
    return status;
}

/* By a block, which is filled before the queue is locked. */
static mproc_status put_large(mproc_queue *queue, const void *bytes, size_t size, int64_t timeout_ms)
{
    struct intent *intent = work_intent();
    struct queue_item item = {NULL, size, 1, QUEUE_OF_BYTES, &intent->stages[0]};
    mproc_status status;
    uint32_t done = 0;

    if ((status = check_size(queue, size)) != MPROC_OK) return status;
    if ((status = block_take(intent, size, 0, item.owned)) != MPROC_OK) return status;
    memcpy(arena_at(atomic_load(item.owned)), bytes, size);
    status = put(queue, &item, &done, timeout_ms);
    block_give(intent, item.owned, 0);
    return status;
}

/*
 * One after the other, all within the one time limit. The reference is kept in between as well, and who closes or
 * frees it ends this.
 */
static mproc_status put_large_ones(mproc_queue *queue, const struct queue_item *items, uint32_t *done,
                                   int64_t timeout_ms)
{
    bool limited = timeout_ms != 0 && timeout_ms != MPROC_FOREVER;
    struct wait wait;
    int64_t left_ns;
    mproc_status status = wait_begin(&wait, &queue->reference, timeout_ms);

    if (status != MPROC_OK) return status;
    while (*done < items->count && (status = begin(queue, timeout_ms)) == MPROC_OK) {
        status = put_large(queue, (const unsigned char *)items->bytes + *done * items->size, items->size, timeout_ms);
        if (status != MPROC_OK) break;
        ++*done;
        if (!limited) continue;
        left_ns = wait.deadline_ns - plat_clock_now_ns();
        timeout_ms = left_ns > 0 ? (left_ns + 999999) / 1000000 : 0;
    }
    wait_end(&wait);
    return status;
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
    if ((status = begin(queue, timeout_ms)) != MPROC_OK) return status;
    if (size > QUEUE_INLINE_MAX) return put_large(queue, item.bytes, size, timeout_ms);
    if ((status = check_size(queue, size)) != MPROC_OK) return status;
    return put(queue, &item, &done, timeout_ms);
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
    if ((status = begin(queue, timeout_ms)) != MPROC_OK) return status;
    item.count = (uint32_t)count;
    if ((status = check_size(queue, size)) != MPROC_OK) return status;
    if (size <= QUEUE_INLINE_MAX) {
        status = put(queue, &item, &done, timeout_ms);
    } else {
        status = put_large_ones(queue, &item, &done, timeout_ms);
    }
    if (put_) *put_ = done;
    return status;
}

static void count_object(void *context, const struct handle_ref *ref)
{
    (void)ref;
    ++*(uint32_t *)context;
}

static mproc_status check_value(const mproc_value *value)
{
    uint32_t objects = 0;
    size_t size;
    mproc_status status = encoding_measure(value, &size);

    if (status != MPROC_OK) return status;
    value_visit_objects(value, count_object, &objects);
    if (objects == 0) return MPROC_OK;
    return mproc_error(MPROC_NOT_SUPPORTED, "an object cannot be an item of a queue: pass it as an argument");
}

static bool may_have_objects(const mproc_value *value)
{
    return value->type >= MPROC_TYPE_LIST && value->type != MPROC_TYPE_FUNCTION;
}

/* An encoding that does not fit the stack. */
static mproc_status put_encoding(mproc_queue *queue, const mproc_value *value, int64_t timeout_ms)
{
    struct intent *intent = work_intent();
    struct queue_item item = {NULL, 0, 1, QUEUE_OF_ENCODING, NULL};
    void *heap = NULL;
    mproc_status status;
    uint32_t done = 0;
    size_t size;

    if ((status = encoding_measure(value, &size)) != MPROC_OK) return status;
    if (size > QUEUE_INLINE_MAX) item.owned = &intent->stages[0];
    else if (!(heap = malloc(size))) return mproc_error(MPROC_NO_MEMORY, "no memory for an item of %zu bytes", size);
    if (item.owned && (status = block_take(intent, size, 0, item.owned)) != MPROC_OK) return status;
    status = encoding_write(value, heap ? heap : arena_at(atomic_load(item.owned)), size, &size);
    item.bytes = heap;
    item.size = size;
    if (status == MPROC_OK) status = check_size(queue, size);
    if (status == MPROC_OK) status = put(queue, &item, &done, timeout_ms);
    if (item.owned) block_give(intent, item.owned, 0);
    free(heap);
    return status;
}

mproc_status mproc_queue_put(mproc_queue *queue, mproc_value value, int64_t timeout_ms)
{
    uint64_t buffer[BUFFER_BYTES / sizeof(uint64_t)];
    struct queue_item item = {&value, sizeof value, 1, QUEUE_OF_PLAIN, NULL};
    uint32_t done = 0;
    mproc_status status;
    size_t size;

    if ((status = begin(queue, timeout_ms)) != MPROC_OK) return status;
    if (may_have_objects(&value) && (status = check_value(&value)) != MPROC_OK) return status;
    if (value.type >= MPROC_TYPE_STRING) {
        if (encoding_write(&value, buffer, sizeof buffer, &size) != MPROC_OK)
            return put_encoding(queue, &value, timeout_ms);
        item = (struct queue_item){buffer, size, 1, QUEUE_OF_ENCODING, NULL};
    }
    if ((status = check_size(queue, item.size)) != MPROC_OK) return status;
    return put(queue, &item, &done, timeout_ms);
}

/* ---- getting ------------------------------------------------------------------------------------ */

/* Makes room for the value that the wish was too small for, before it is taken: the item stays if there is none. */
static mproc_status grow(struct queue_wish *wish)
{
    bool of_bytes = wish->form == QUEUE_OF_BYTES;
    uint64_t bytes = of_bytes ? ENCODING_PAYLOAD + encoding_padded(wish->size) : wish->size;

    free(wish->heap);
    wish->bytes = wish->heap = bytes <= MPROC_VALUE_BYTES_MAX ? malloc((size_t)bytes) : NULL;
    if (!wish->heap)
        return mproc_error(MPROC_NO_MEMORY, "no memory for an item of %llu bytes as a value",
                           (unsigned long long)wish->size);
    if (of_bytes) wish->bytes = (unsigned char *)wish->heap + ENCODING_PAYLOAD;
    wish->room = wish->size;
    wish->ready = wish->form;
    return MPROC_OK;
}

/*
 * Gets what the wish says, or why not: QUEUE_TOO_LARGE and QUEUE_OTHER are MPROC_INVALID, without a text. Whoever
 * leaves an item there may have been woken for it, so another is.
 */
static mproc_status get(mproc_queue *queue, struct queue_wish *wish, enum queue_outcome *outcome, int64_t timeout_ms)
{
    struct queue *at = queue_of(queue);
    struct turn turn = {.queue = at, .for_items = true};
    mproc_status status = MPROC_OK;

    wish->owned = &work_intent()->stages[0];
    while (status == MPROC_OK && (*outcome = queue_try_get(at, wish)) != QUEUE_DONE) {
        if (*outcome == QUEUE_BLOCKED) status = turn_wait(&turn, &queue->reference, timeout_ms);
        else status = wish->any ? grow(wish) : MPROC_INVALID;
    }
    turn_end(&turn, status != MPROC_OK && *outcome != QUEUE_BLOCKED);
    return status;
}

/* A block that was got comes to where it was wanted. */
static void fetch(const struct queue_wish *wish)
{
    uint64_t block = atomic_load_explicit(wish->owned, memory_order_relaxed);

    if (!block) return;
    memcpy(wish->bytes, arena_at(block), wish->size);
    block_give(work_intent(), wish->owned, 0);
}

static mproc_status refuse(const struct queue_wish *wish, enum queue_outcome outcome)
{
    if (outcome == QUEUE_OTHER)
        return mproc_error(MPROC_INVALID, "the next item is a value, not bytes: mproc_queue_get() takes it");
    if (wish->count > 1)
        return mproc_error(MPROC_INVALID, "the next item has %llu bytes, and items of %llu are wanted",
                           (unsigned long long)wish->size, (unsigned long long)wish->room);
    return mproc_error(MPROC_INVALID, "the next item has %llu bytes, and there is room for %llu",
                       (unsigned long long)wish->size, (unsigned long long)wish->room);
}

mproc_status mproc_queue_get_bytes(mproc_queue *queue, void *data, size_t capacity, size_t *size, int64_t timeout_ms)
{
    struct queue_wish wish = {.bytes = data, .room = capacity, .count = 1};
    enum queue_outcome outcome;
    mproc_status status;

    if (!data && capacity > 0) return mproc_error(MPROC_INVALID, "an item is to go to %zu bytes at NULL", capacity);
    if ((status = begin(queue, timeout_ms)) != MPROC_OK) return status;
    status = get(queue, &wish, &outcome, timeout_ms);
    if (size && (outcome == QUEUE_DONE || outcome == QUEUE_TOO_LARGE)) *size = wish.size;
    if (outcome == QUEUE_DONE) fetch(&wish);
    return status == MPROC_INVALID && outcome != QUEUE_BLOCKED ? refuse(&wish, outcome) : status;
}

mproc_status mproc_queue_get_many(mproc_queue *queue, void *items, size_t size, size_t count, size_t *got,
                                  int64_t timeout_ms)
{
    struct queue_wish wish = {.bytes = items, .room = size, .exact = true};
    enum queue_outcome outcome;
    mproc_status status;

    if (!got || count == 0 || (!items && size > 0))
        return mproc_error(MPROC_INVALID, "%zu items of %zu bytes are to go to %p, and their number to %p", count,
                           size, items, (void *)got);
    if ((status = begin(queue, timeout_ms)) != MPROC_OK) return status;
    wish.count = count < MPROC_QUEUE_MAX ? (uint32_t)count : MPROC_QUEUE_MAX;
    status = get(queue, &wish, &outcome, timeout_ms);
    if (outcome == QUEUE_DONE) {
        fetch(&wish);
        *got = wish.got;
    }
    return status == MPROC_INVALID && outcome != QUEUE_BLOCKED ? refuse(&wish, outcome) : status;
}

static mproc_value value_from(struct queue_wish *wish)
{
    if (wish->form == QUEUE_OF_PLAIN) {
        free(wish->heap);
        return wish->plain;
    }
    if (wish->form == QUEUE_OF_BYTES) encoding_write_bytes(wish->heap, wish->size);
    return encoding_owned(wish->heap);
}

mproc_status mproc_queue_get(mproc_queue *queue, mproc_value *value, int64_t timeout_ms)
{
    struct queue_wish wish = {.count = 1, .any = true};
    enum queue_outcome outcome;
    mproc_status status;

    if (!value) return mproc_error(MPROC_INVALID, "an item of a queue is to go to NULL");
    if ((status = begin(queue, timeout_ms)) != MPROC_OK) return status;
    if ((status = get(queue, &wish, &outcome, timeout_ms)) != MPROC_OK) {
        free(wish.heap);
        return status;
    }
    fetch(&wish);
    *value = value_from(&wish);
    return MPROC_OK;
}
