/* Lists: made, changed and asked, one element at a time. */
#include "container/list.h"

#include "process/methods.h"

/* Without the lock a reader looks so often, before he takes it. */
#define LOOKS 50

/* A list begins with so many cells, and an empty one keeps a body of at most so many. */
#define CELLS_FIRST 8
#define CELLS_KEPT 256

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);

const struct object_type list_type = {.name = "a shared list",
                                      .links = 1,
                                      .links_at = offsetof(struct container, body),
                                      .call = call_served,
                                      .moments = MPROC_LIST_INSERT,
                                      .never_waits = true};

static const struct method methods[] = {{MPROC_LIST_APPEND, false, "v"},
                                        {MPROC_LIST_GET, true, "n"},
                                        {MPROC_LIST_SET, false, "nv"},
                                        {MPROC_LIST_INCREMENT, true, "ni"},
                                        {MPROC_LIST_INSERT, false, "nv"},
                                        {MPROC_LIST_DELETE, false, "n"},
                                        {MPROC_LIST_POP, true, "n"},
                                        {MPROC_LIST_INDEX_OF, true, "vbb"},
                                        {MPROC_LIST_COUNT_OF, true, "v"},
                                        {MPROC_LIST_REMOVE, false, "v"},
                                        {MPROC_LIST_EXTEND, false, "v"},
                                        {MPROC_LIST_GET_SLICE, true, "bbn"},
                                        {MPROC_LIST_SET_SLICE, false, "bbnv"},
                                        {MPROC_LIST_DELETE_SLICE, false, "bbn"},
                                        {MPROC_LIST_CLEAR, false, ""},
                                        {MPROC_LIST_COPY, true, ""},
                                        {MPROC_LIST_REPEAT, false, "n"},
                                        {MPROC_LIST_REVERSE, false, ""},
                                        {MPROC_LIST_SORT, false, "f"},
                                        {MPROC_LIST_COUNT, true, ""},
                                        {0, false, NULL}};

/* ---- looking -------------------------------------------------------------------------------------------- */

mproc_status list_no_element(int64_t index, uint64_t count)
{
    return mproc_error(MPROC_NOT_FOUND, "the list has no element %lld: it has %llu", (long long)index,
                       (unsigned long long)count);
}

/* The cell at this place, which is used if nothing has changed; NULL: something has. */
static const struct item *item_at(const struct container *container, uint64_t version, const struct items *items,
                                  uint64_t place)
{
    uint64_t room = word_get(&items->room), directory = word_get(&items->directory), first, segment, at;

    if (container_changed(container, version)) return NULL;
    if (place < room) return &items->cells[place];
    segment = items_segment(place - room, &first);
    at = word_get(&((const struct items_directory *)arena_at(directory))->segments[segment]);
    if (container_changed(container, version)) return NULL;
    return (const struct item *)arena_at(at) + (place - room - first);
}

/* ITEMS_CHANGED: it could not be had without the lock, or is a parcel, which has to be held. */
static enum items_outcome look_unlocked(const struct container *container, int64_t index, struct cell *cell,
                                        uint64_t *count)
{
    for (int i = 0; i < LOOKS; i++) {
        uint64_t version = container_version(container), span, at;
        const struct items *items;
        const struct item *item;
        if (version % 2 == 1) {
            plat_thread_pause();
            continue;
        }
        items = items_of(container);
        if (container_changed(container, version)) continue;
        span = word_get(&items->span);
        if (container_changed(container, version)) continue;
        *count = high(span);
        if (!list_index(index, *count, &at)) return ITEMS_ABSENT;
        if (!(item = item_at(container, version, items, low(span) + at))) continue;
        *cell = item_cell(item);
        if (container_changed(container, version)) continue;
        return cell_is_parcel(cell) ? ITEMS_CHANGED : ITEMS_DONE;
    }
    return ITEMS_CHANGED;
}

bool list_look(const mproc_list *list, int64_t index, struct cell *cell, _Atomic uint64_t *owned, uint64_t *count)
{
    struct container *container = list_container(list);
    enum items_outcome outcome = look_unlocked(container, index, cell, count);
    const struct items *items;
    struct intent *intent;
    uint64_t at;
    bool there;

    if (outcome != ITEMS_CHANGED) return outcome == ITEMS_DONE;
    intent = container_lock(container);
    items = items_of(container);
    *count = items_count(items);
    if ((there = list_index(index, *count, &at)) == true) {
        *cell = item_cell(items_at(items, at));
        container_hold(cell, owned);
    }
    container_unlock(intent, container);
    return there;
}

size_t mproc_list_count(const mproc_list *list)
{
    const struct container *container = list_container(list);
    uint64_t version, count;

    if (!container) return method_count(&list->reference, methods, MPROC_LIST_COUNT);
    do {
        version = container_version(container);
        count = items_count(items_of(container));
    } while (container_changed(container, version));
    return (size_t)count;
}

static mproc_status get(const mproc_list *list, int64_t index, mproc_value *value)
{
    struct intent *intent = work_intent();
    struct cell cell;
    uint64_t count;
    mproc_status status;

    if (!value) return mproc_error(MPROC_INVALID, "an element of a list is to go to NULL");
    if (!list_look(list, index, &cell, &intent->stages[STAGE_VALUE], &count)) return list_no_element(index, count);
    status = container_value(&cell, value);
    if (cell_is_parcel(&cell)) object_drop(intent, &intent->stages[STAGE_VALUE]);
    return status;
}

/* ---- changing one --------------------------------------------------------------------------------------- */

static mproc_status append(const mproc_list *list, const mproc_value *value)
{
    struct container *container = list_container(list);
    struct intent *intent = work_intent();
    struct cell cell;
    bool done = false;
    mproc_status status = container_stage(&list->reference, value, &cell, &intent->stages[STAGE_VALUE]);

    if (status != MPROC_OK) return status;
    for (;;) {
        container_lock(container);
        done = items_append(intent, container, &cell);
        container_unlock(intent, container);
        if (done) return MPROC_OK;
        if ((status = items_provide(container, 1)) != MPROC_OK) break;
    }
    object_drop(intent, &intent->stages[STAGE_VALUE]);
    return status;
}

enum items_outcome list_set(const mproc_list *list, int64_t index, const struct cell *to, const struct cell *from,
                            uint64_t *count)
{
    struct container *container = list_container(list);
    struct intent *intent = container_lock(container);
    struct items *items = items_of(container);
    enum items_outcome outcome = ITEMS_ABSENT;
    uint64_t at;

    *count = items_count(items);
    if (list_index(index, *count, &at)) {
        struct item *item = items_at(items, at);
        struct cell cell = item_cell(item);
        outcome = from && !cell_same(from, &cell) ? ITEMS_CHANGED : ITEMS_DONE;
        if (outcome == ITEMS_DONE) items_set(intent, container, item, to);
    }
    container_unlock(intent, container);
    object_drop(intent, &intent->stages[STAGE_VALUE]);
    return outcome;
}

static mproc_status set(const mproc_list *list, int64_t index, const mproc_value *value)
{
    struct cell cell;
    uint64_t count;
    mproc_status status = container_stage(&list->reference, value, &cell, &work_intent()->stages[STAGE_VALUE]);

    if (status != MPROC_OK) return status;
    return list_set(list, index, &cell, NULL, &count) == ITEMS_DONE ? MPROC_OK : list_no_element(index, count);
}

/* ITEMS_DONE: a number, which was the last, is taken out. ITEMS_CHANGED: the element is still there, and held. */
static enum items_outcome take_or_hold(const mproc_list *list, int64_t index, struct cell *cell,
                                       _Atomic uint64_t *owned, uint64_t *count)
{
    struct container *container = list_container(list);
    struct intent *intent = container_lock(container);
    struct items *items = items_of(container);
    enum items_outcome outcome = ITEMS_ABSENT;
    uint64_t at;

    *count = items_count(items);
    if (list_index(index, *count, &at)) {
        *cell = item_cell(items_at(items, at));
        outcome = items_drop_last_number(items, at, cell) ? ITEMS_DONE : ITEMS_CHANGED;
        if (outcome == ITEMS_CHANGED) container_hold(cell, owned);
    }
    container_unlock(intent, container);
    return outcome;
}

/* The copy is made before the element goes, so that without memory for it the element stays. */
static mproc_status pop(const mproc_list *list, const int64_t *index, mproc_value *value)
{
    struct intent *intent = work_intent();
    _Atomic uint64_t *held = &intent->stages[STAGE_VALUE];
    struct cell cell;
    struct list_change change = {.method = MPROC_LIST_POP, .at = index, .from = &cell};
    enum items_outcome outcome = ITEMS_CHANGED;
    mproc_value copy = mproc_nil();
    mproc_status status = MPROC_OK;

    if (!value) return mproc_error(MPROC_INVALID, "an element of a list is to go to NULL");
    while (status == MPROC_OK && outcome != ITEMS_DONE) {
        outcome = take_or_hold(list, *index, &cell, held, &change.count);
        if (outcome == ITEMS_ABSENT) return list_no_element(*index, change.count);
        status = container_value(&cell, &copy);
        if (outcome != ITEMS_DONE && status == MPROC_OK) status = list_change(list, &change, &outcome);
        if (cell_is_parcel(&cell)) object_drop(intent, held);
        if (outcome != ITEMS_DONE) mproc_value_clear(&copy);
    }
    if (status != MPROC_OK) return status;
    list_trim(list);
    *value = copy;
    return MPROC_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------ */

/* With an empty body in the place of the one that there is; `emptied`: only if that is empty, too. */
mproc_status list_clear(const mproc_list *list, bool emptied)
{
    struct container *container = list_container(list);
    struct intent *intent = work_intent();
    mproc_status status = items_create(intent, CELLS_FIRST, &intent->stages[STAGE_OTHER]);

    if (status != MPROC_OK) return status;
    container_lock(container);
    if (!emptied || items_count(items_of(container)) == 0) items_exchange(intent, container, ITEMS_ALL);
    container_unlock(intent, container);
    object_drop(intent, &intent->stages[STAGE_OTHER]);
    return MPROC_OK;
}

/* Without memory for an empty body the large one stays. */
void list_trim(const mproc_list *list)
{
    struct container *container = list_container(list);
    struct intent *intent;
    bool large;

    if (mproc_list_count(list) > 0) return;
    intent = container_lock(container);
    large = items_count(items_of(container)) == 0 &&
            (word_get(&items_of(container)->room) > CELLS_KEPT || word_get(&items_of(container)->directory));
    container_unlock(intent, container);
    if (large) (void)list_clear(list, true);
}

/* ---- all calls ------------------------------------------------------------------------------------------ */

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    int64_t numbers[METHOD_NUMBERS_MAX];
    struct method_given given;
    mproc_status status = method_read(reference, methods, method, values, count, numbers, &given);

    if (status != MPROC_OK) return status;
    return mproc_list_call((const mproc_list *)reference, (enum mproc_list_method)method, given.at, given.value, NULL,
                           result);
}

static mproc_status call_remote(const mproc_list *list, enum mproc_list_method method, const int64_t *at,
                                const mproc_value *value, mproc_function *function, mproc_value *result)
{
    const struct method_given given = {.value = value, .at = at};

    if (method == MPROC_LIST_UPDATE)
        return mproc_error(MPROC_NOT_SUPPORTED,
                           "a list in another program has not the function that is to update it: "
                           "mproc_list_increment() is one step");
    if (method == MPROC_LIST_SORT && function)
        return mproc_error(MPROC_NOT_SUPPORTED,
                           "a list in another program has not the comparison by which it is to be sorted: without "
                           "one, NULL, it is sorted there; or a copy is sorted here, and set as a slice");
    return method_call(&list->reference, methods, method, &given, result);
}

mproc_status mproc_list_call(const mproc_list *list, enum mproc_list_method method, const int64_t *at,
                             const mproc_value *value, mproc_function *function, mproc_value *result)
{
    if (thread_self.arena != list->reference.arena) {
        mproc_status status = family_enter_with_slow(list->reference.arena);
        if (status != MPROC_OK) return status;
        if (list->reference.arena == REFERENCE_REMOTE) return call_remote(list, method, at, value, function, result);
    }
    switch (method) {
    case MPROC_LIST_APPEND:
        return append(list, value);
    case MPROC_LIST_GET:
        return get(list, *at, result);
    case MPROC_LIST_SET:
        return set(list, *at, value);
    case MPROC_LIST_INSERT:
        return list_insert(list, at, value);
    case MPROC_LIST_POP:
        return pop(list, at, result);
    case MPROC_LIST_INCREMENT:
        return list_increment(list, *at, value->as.int64, result);
    case MPROC_LIST_UPDATE:
        return list_update(list, *at, function, value);
    case MPROC_LIST_INDEX_OF:
    case MPROC_LIST_COUNT_OF:
        return list_find(list, at, value, result);
    case MPROC_LIST_DELETE:
    case MPROC_LIST_DELETE_SLICE:
    case MPROC_LIST_REMOVE:
        return list_take_out(list, method, at, value);
    case MPROC_LIST_EXTEND:
    case MPROC_LIST_SET_SLICE:
        return list_replace(list, method, at, value);
    case MPROC_LIST_CLEAR:
        return list_clear(list, false);
    case MPROC_LIST_REPEAT:
        return list_repeat(list, *at);
    case MPROC_LIST_REVERSE:
        return list_reverse(list);
    case MPROC_LIST_SORT:
        return list_sort(list, (mproc_list_compare *)(void (*)(void))function, *at != 0);
    case MPROC_LIST_COUNT:
        *result = mproc_uint(mproc_list_count(list));
        return MPROC_OK;
    default:
        return list_copy(list, at, result);
    }
}

/* ---- made and freed ------------------------------------------------------------------------------------- */

mproc_status mproc_list_create(mproc_value items, mproc_list **out)
{
    struct reference *reference;
    size_t count = mproc_value_count(items);
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a list was to be created, and out is NULL");
    if (items.type != MPROC_TYPE_NIL && items.type != MPROC_TYPE_LIST)
        return mproc_error(MPROC_INVALID, "a list is made of a list of values, or of nil, and not of %s",
                           mproc_type_name((mproc_type)items.type));
    if (count > 0 && !items.as.data) return mproc_error(MPROC_INVALID, "a list of %zu elements at no address", count);
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = reference_create(OBJECT_LIST, sizeof(struct container), &reference)) != MPROC_OK) return status;
    reference_publish(reference);
    status = items_make(reference, &items, CELLS_FIRST, &container_of(reference)->body);
    if (status == MPROC_OK) *out = (mproc_list *)reference;
    else reference_free(reference);
    return status;
}

void mproc_list_free(mproc_list *list)
{
    assert(!list || list->reference.ref.kind == OBJECT_LIST);
    if (list) family_free(&list->reference);
}
