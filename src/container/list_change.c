/* Lists: what changes more than one element, or moves others. */

#include "container/list.h"

/* ---- slices --------------------------------------------------------------------------------------------- */

mproc_status list_slice_check(const int64_t *at)
{
    return at[2] != 0 ? MPROC_OK : mproc_error(MPROC_INVALID, "a slice of a list with a step of 0 never ends");
}

static int64_t bound(int64_t index, int64_t open, int64_t count, int64_t least, int64_t most)
{
    if (index == MPROC_LIST_OPEN) return open;
    if (index < 0) index += count;
    return index < least ? least : index > most ? most : index;
}

/* As Python's slice.indices(). Elements are counted from the first on, in whichever order they are meant. */
struct list_slice list_slice(const int64_t *at, uint64_t count)
{
    bool backwards = at[2] < 0;
    int64_t length = (int64_t)count, least = backwards ? -1 : 0, most = backwards ? length - 1 : length;
    int64_t start = bound(at[0], backwards ? most : least, length, least, most);
    int64_t stop = bound(at[1], backwards ? least : most, length, least, most);
    uint64_t step = backwards ? 0 - (uint64_t)at[2] : (uint64_t)at[2];
    uint64_t distance = (uint64_t)(backwards ? start - stop : stop - start);
    struct list_slice slice = {.start = (uint64_t)start, .step = step, .backwards = backwards};

    if (backwards ? start > stop : stop > start) slice.count = (distance - 1) / step + 1;
    if (backwards && slice.count > 0) slice.start -= (slice.count - 1) * step;
    if (backwards && slice.count == 0) slice.start = 0;
    return slice;
}

/* ---- what is to be done, by what the list has ------------------------------------------------------------ */

/* Under the lock: the first of so many elements that equals the value. */
static bool find(const struct items *items, uint64_t start, uint64_t stop, const mproc_value *value, uint64_t *index)
{
    for (; start < stop; start++) {
        struct cell cell = item_cell(items_at(items, start));
        if (!mproc_value_equal(container_view(&cell), *value)) continue;
        *index = start;
        return true;
    }
    return false;
}

static enum items_outcome plan_slice(struct list_change *change, uint64_t count, struct splice *splice)
{
    struct list_slice slice = list_slice(change->at, count);

    change->matched = slice.count;
    *splice = (struct splice){.start = slice.start,
                              .step = slice.step,
                              .removed = slice.count,
                              .added = change->body ? items_count(change->body) : 0,
                              .body = change->body,
                              .backwards = slice.backwards};
    if (!change->body || change->at[2] == 1 || splice->added == splice->removed) return ITEMS_DONE;
    return ITEMS_INVALID;
}

static enum items_outcome plan(struct list_change *change, const struct items *items, struct splice *splice)
{
    struct cell cell;

    change->count = items_count(items);
    *splice = (struct splice){.start = change->count, .step = 1};
    switch (change->method) {
    case MPROC_LIST_INSERT:
        splice->start = (uint64_t)bound(*change->at, 0, (int64_t)change->count, 0, (int64_t)change->count);
        splice->added = 1;
        splice->cell = change->cell;
        return ITEMS_DONE;
    case MPROC_LIST_EXTEND:
        splice->added = items_count(change->body);
        splice->body = change->body;
        return ITEMS_DONE;
    case MPROC_LIST_REMOVE:
        splice->removed = 1;
        return find(items, 0, change->count, change->value, &splice->start) ? ITEMS_DONE : ITEMS_ABSENT;
    case MPROC_LIST_SET_SLICE:
    case MPROC_LIST_DELETE_SLICE:
        return plan_slice(change, change->count, splice);
    default:
        splice->removed = 1;
        if (!list_index(*change->at, change->count, &splice->start)) return ITEMS_ABSENT;
        cell = item_cell(items_at(items, splice->start));
        return change->from && !cell_same(change->from, &cell) ? ITEMS_CHANGED : ITEMS_DONE;
    }
}

/* What a change needs is made without the lock; then it is planned again. */
mproc_status list_change(const mproc_list *list, struct list_change *change, enum items_outcome *outcome)
{
    struct container *container = list_container(list);
    struct intent *intent = work_intent();
    mproc_status status = MPROC_OK;

    do {
        struct splice splice;
        uint64_t room = 0;
        container_lock(container);
        *outcome = plan(change, items_of(container), &splice);
        if (*outcome == ITEMS_DONE) *outcome = items_splice(intent, container, &splice);
        if (*outcome == ITEMS_NEEDS_BODY) room = items_splice_room(items_of(container), &splice);
        container_unlock(intent, container);
        object_drop(intent, &intent->stages[STAGE_OTHER]);
        if (*outcome == ITEMS_NEEDS_BODY) status = items_create(intent, room, &intent->stages[STAGE_OTHER]);
        else if (*outcome == ITEMS_NEEDS_SEGMENTS) status = items_provide(container, splice.added);
        else break;
    } while (status == MPROC_OK);
    return status;
}

/* ---- the calls ------------------------------------------------------------------------------------------ */

mproc_status list_insert(const mproc_list *list, const int64_t *index, const mproc_value *value)
{
    _Atomic uint64_t *stage = &work_intent()->stages[STAGE_VALUE];
    struct cell cell;
    struct list_change change = {.method = MPROC_LIST_INSERT, .at = index, .cell = &cell};
    enum items_outcome outcome;
    mproc_status status = container_stage(&list->reference, value, &cell, stage);

    if (status != MPROC_OK) return status;
    status = list_change(list, &change, &outcome);
    object_drop(work_intent(), stage);
    return status;
}

static mproc_status no_such_value(const mproc_value *value)
{
    char text[64];

    mproc_value_print(*value, text, sizeof text);
    return mproc_error(MPROC_NOT_FOUND, "the list has no element that equals %s", text);
}

/*
 * What is looked for is a copy: two functions in encodings are compared by what they refer to, and no module is
 * opened under the lock.
 */
mproc_status list_take_out(const mproc_list *list, enum mproc_list_method method, const int64_t *at,
                           const mproc_value *value)
{
    mproc_value copy = mproc_nil();
    struct list_change change = {.method = method, .at = at, .value = &copy};
    enum items_outcome outcome = ITEMS_DONE;
    mproc_status status = value ? mproc_value_copy(*value, &copy) : MPROC_OK;

    if (method == MPROC_LIST_DELETE_SLICE) status = list_slice_check(at);
    if (status == MPROC_OK) status = list_change(list, &change, &outcome);
    mproc_value_clear(&copy);
    if (status != MPROC_OK) return status;
    if (outcome == ITEMS_ABSENT) return value ? no_such_value(value) : list_no_element(*at, change.count);
    list_trim(list);
    return MPROC_OK;
}

/* What comes is made before, by itself, so that it comes at once. */
mproc_status list_replace(const mproc_list *list, enum mproc_list_method method, const int64_t *at,
                          const mproc_value *items)
{
    struct list_change change = {.method = method, .at = at};
    enum items_outcome outcome = ITEMS_DONE;
    _Atomic uint64_t *owned = NULL;
    uint64_t count = mproc_value_count(*items);
    mproc_status status = method == MPROC_LIST_SET_SLICE ? list_slice_check(at) : MPROC_OK;

    if (status != MPROC_OK) return status;
    if (items->type != MPROC_TYPE_LIST)
        return mproc_error(MPROC_INVALID, "what comes to a list is %s: several elements are a list of values",
                           mproc_type_name((mproc_type)items->type));
    if (count > 0 && !items->as.data)
        return mproc_error(MPROC_INVALID, "%llu elements at no address", (unsigned long long)count);
    if ((status = resource_slot_take(&owned)) != MPROC_OK) return status;
    status = items_make(&list->reference, items, 0, owned);
    if (status == MPROC_OK) {
        change.body = arena_at(word_get(owned));
        status = list_change(list, &change, &outcome);
    }
    resource_release(owned);
    if (status == MPROC_OK && outcome == ITEMS_INVALID)
        return mproc_error(MPROC_INVALID,
                           "%llu elements for a slice of %llu: with a step other than 1 these are as many",
                           (unsigned long long)count, (unsigned long long)change.matched);
    if (status == MPROC_OK && method == MPROC_LIST_SET_SLICE) list_trim(list);
    return status;
}

/* What is looked for is a copy here, too. */
mproc_status list_find(const mproc_list *list, const int64_t *at, const mproc_value *value, mproc_value *result)
{
    struct container *container = list_container(list);
    struct intent *intent;
    const struct items *items;
    uint64_t index, found = 0;
    mproc_value copy = mproc_nil();
    mproc_status status;

    if (!result) return mproc_error(MPROC_INVALID, "the number of elements is to go to NULL");
    if ((status = mproc_value_copy(*value, &copy)) != MPROC_OK) return status;
    intent = container_lock(container);
    items = items_of(container);
    if (at) {
        struct list_slice slice = list_slice((const int64_t[]){at[0], at[1], 1}, items_count(items));
        found = find(items, slice.start, slice.start + slice.count, &copy, &index);
    } else {
        for (index = 0; find(items, index, items_count(items), &copy, &index); index++) found++;
    }
    container_unlock(intent, container);
    mproc_value_clear(&copy);
    if (at && !found) return no_such_value(value);
    *result = mproc_int((int64_t)(at ? index : found));
    return MPROC_OK;
}
