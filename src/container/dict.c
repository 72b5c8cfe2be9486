/* Dicts: made, changed and asked, one key at a time. */
#include "container/dict.h"

#include "base/options.h"
#include "process/methods.h"

/* Without the lock a reader looks so often, before he takes it. */
#define LOOKS 50

/* A table that is empty keeps so many units, or fewer. */
#define UNITS_KEPT 512

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result);

const struct object_type dict_type = {.name = "a dict",
                                      .links = 1,
                                      .links_at = offsetof(struct container, body),
                                      .call = call_served,
                                      .moments = MPROC_DICT_CLEAR,
                                      .never_waits = true};

static const struct method methods[] = {{MPROC_DICT_SET, false, "kv"},       {MPROC_DICT_GET, true, "k"},
                                        {MPROC_DICT_DELETE, false, "k"},     {MPROC_DICT_POP, true, "k"},
                                        {MPROC_DICT_INCREMENT, true, "ki"},  {MPROC_DICT_HAS, false, "k"},
                                        {MPROC_DICT_SETDEFAULT, true, "kv"}, {MPROC_DICT_CLEAR, false, ""},
                                        {MPROC_DICT_COPY, true, ""},         {MPROC_DICT_KEYS, true, ""},
                                        {MPROC_DICT_VALUES, true, ""},       {MPROC_DICT_ITEMS, true, ""},
                                        {MPROC_DICT_POP_ITEM, true, ""},     {MPROC_DICT_MERGE, false, "v"},
                                        {MPROC_DICT_COUNT, true, ""},        {0, false, NULL}};

static_assert(sizeof(struct container) <= ARENA_LINE - sizeof(struct block_header), "readers take one cache line");

/* ---- what the calls consist of -------------------------------------------------------------------------- */

mproc_status dict_not_found(const mproc_dict *dict, const mproc_value *key)
{
    uint32_t kind = dict->reference.ref.kind;
    const char *what = kind == OBJECT_SET ? "element" : kind == OBJECT_NAMESPACE ? "name" : "key";
    char text[64];

    mproc_value_print(*key, text, sizeof text);
    return mproc_error(MPROC_NOT_FOUND, "the %s has no %s %s", dict_noun(dict), what, text);
}

/* TABLE_CHANGED: it could not be had without the lock, or is a parcel, which has to be held. */
static enum table_outcome look_unlocked(const struct container *container, const struct table_key *key,
                                        struct cell *cell)
{
    for (int i = 0; i < LOOKS; i++) {
        uint64_t version = container_version(container);
        struct table_spot spot;
        enum table_outcome outcome;
        if (version % 2 == 1) {
            plat_thread_pause();
            continue;
        }
        outcome = table_find(container, version, key, &spot);
        if (outcome == TABLE_DONE) *cell = table_cell(spot.record);
        if (outcome == TABLE_CHANGED || container_changed(container, version)) continue;
        return outcome == TABLE_DONE && cell_is_parcel(cell) ? TABLE_CHANGED : outcome;
    }
    return TABLE_CHANGED;
}

bool dict_look(const mproc_dict *dict, const struct table_key *key, struct cell *cell, _Atomic uint64_t *owned)
{
    struct container *container = dict_container(dict);
    enum table_outcome outcome = look_unlocked(container, key, cell);
    struct table_spot spot;
    struct intent *intent;

    if (outcome != TABLE_CHANGED) return outcome == TABLE_DONE;
    intent = container_lock(container);
    outcome = table_find(container, container_version(container), key, &spot);
    if (outcome == TABLE_DONE) {
        *cell = table_cell(spot.record);
        if (owned) container_hold(cell, owned);
    }
    container_unlock(intent, container);
    return outcome == TABLE_DONE;
}

static enum table_outcome change_locked(struct intent *intent, const struct container *container,
                                        const struct dict_change *change, struct table_need *need)
{
    struct table_spot spot;
    struct cell cell;

    if (table_find(container, container_version(container), change->key, &spot) == TABLE_ABSENT)
        return change->to && !change->from ? table_insert(intent, container, change->key, change->to, need)
                                           : TABLE_ABSENT;
    cell = table_cell(spot.record);
    if (change->fresh || (change->from && !cell_same(change->from, &cell))) return TABLE_CHANGED;
    if (change->last && spot.place != high(word_get(&table_of(container)->order))) return TABLE_CHANGED;
    if (change->to) table_replace(intent, container, spot.record, change->to);
    else table_remove(intent, container, &spot);
    return TABLE_DONE;
}

/*
 * Whether the table is empty, and has more memory than one that is empty keeps. Asked without the lock, so it may be
 * so no more.
 */
static inline bool is_large(const mproc_dict *dict)
{
    uint64_t used = word_get(&table_of(dict_container(dict))->used);

    return high(used) == 0 && low(used) > UNITS_KEPT;
}

/* With an empty table in the place of the one that there is; `emptied`: only if that is empty, too. */
static mproc_status clear(struct container *container, bool emptied)
{
    struct intent *intent = work_intent();
    mproc_status status = table_create(intent, &intent->stages[STAGE_OTHER]);

    if (status != MPROC_OK) return status;
    container_lock(container);
    if (!emptied || table_count(table_of(container)) == 0) {
        uint64_t old = word_get(&container->body);
        container_change(intent, container);
        intent_store(intent, &container->body, word_get(&intent->stages[STAGE_OTHER]));
        intent_store(intent, &intent->stages[STAGE_OTHER], old);
        container_commit(intent, container);
    }
    container_unlock(intent, container);
    object_drop(intent, &intent->stages[STAGE_OTHER]);
    return MPROC_OK;
}

void dict_trim(const mproc_dict *dict)
{
    if (is_large(dict)) (void)clear(dict_container(dict), true);
}

mproc_status dict_change(const mproc_dict *dict, const struct dict_change *change, enum table_outcome *outcome)
{
    struct container *container = dict_container(dict);
    struct intent *intent = work_intent();
    mproc_status status = MPROC_OK;

    do {
        struct table_need need;
        container_lock(container);
        *outcome = change_locked(intent, container, change, &need);
        container_unlock(intent, container);
        if (*outcome == TABLE_NEEDS) status = table_provide(container, &need);
    } while (status == MPROC_OK && *outcome == TABLE_NEEDS);
    if (word_get(&intent->stages[STAGE_VALUE])) object_drop(intent, &intent->stages[STAGE_VALUE]);
    return status;
}

/* ---- one key -------------------------------------------------------------------------------------------- */

static mproc_status set(const mproc_dict *dict, const struct table_key *key, const mproc_value *value)
{
    struct cell cell;
    struct dict_change change = {.key = key, .to = &cell};
    enum table_outcome outcome;
    mproc_status status;

    if (!cell_write_small(&cell, value) &&
        (status = container_stage(&dict->reference, value, &cell, &work_intent()->stages[STAGE_VALUE])) != MPROC_OK)
        return status;
    return dict_change(dict, &change, &outcome);
}

static mproc_status get(const mproc_dict *dict, const struct table_key *key, const mproc_value *name,
                        mproc_value *value)
{
    struct intent *intent = work_intent();
    struct cell cell;
    mproc_status status;

    if (!value) return mproc_error(MPROC_INVALID, "a value of a %s is to go to NULL", dict_noun(dict));
    if (!dict_look(dict, key, &cell, &intent->stages[STAGE_VALUE])) return dict_not_found(dict, name);
    if (cell_is_number(&cell)) {
        memcpy(value, &cell, sizeof *value);
        return MPROC_OK;
    }
    status = container_value(&cell, value);
    if (cell_is_parcel(&cell)) object_drop(intent, &intent->stages[STAGE_VALUE]);
    return status;
}

static mproc_status take_out(const mproc_dict *dict, const struct table_key *key, const mproc_value *name)
{
    struct dict_change change = {.key = key};
    enum table_outcome outcome;
    mproc_status status = dict_change(dict, &change, &outcome);

    if (status == MPROC_OK && outcome == TABLE_ABSENT) status = dict_not_found(dict, name);
    if (is_large(dict)) (void)clear(dict_container(dict), true); /* without memory for an empty one it stays */
    return status;
}

/* What is there when it has been set, whoever has. */
static mproc_status set_default(const mproc_dict *dict, const struct table_key *key, const mproc_value *value,
                                mproc_value *result)
{
    struct intent *intent = work_intent();
    struct cell cell, to;
    struct dict_change change = {.key = key, .to = &to, .fresh = true};
    enum table_outcome outcome;
    mproc_status status = MPROC_OK;

    if (!result) return mproc_error(MPROC_INVALID, "a value of a %s is to go to NULL", dict_noun(dict));
    while (status == MPROC_OK) {
        if (dict_look(dict, key, &cell, &intent->stages[STAGE_VALUE])) {
            status = container_value(&cell, result);
            object_drop(intent, &intent->stages[STAGE_VALUE]);
            break;
        }
        if ((status = container_stage(&dict->reference, value, &to, &intent->stages[STAGE_VALUE])) == MPROC_OK)
            status = dict_change(dict, &change, &outcome);
    }
    return status;
}

/* The copy is made before the key goes, so that without memory for it the key stays. */
static mproc_status pop(const mproc_dict *dict, const struct table_key *key, const mproc_value *name,
                        mproc_value *value)
{
    struct intent *intent = work_intent();
    _Atomic uint64_t *held = &intent->stages[STAGE_OTHER];
    struct cell cell;
    struct dict_change change = {.key = key, .from = &cell};
    enum table_outcome outcome = TABLE_CHANGED;
    mproc_value copy = mproc_nil();
    mproc_status status = MPROC_OK;

    if (!value) return mproc_error(MPROC_INVALID, "a value of a %s is to go to NULL", dict_noun(dict));
    while (status == MPROC_OK && outcome != TABLE_DONE) {
        if (!dict_look(dict, key, &cell, held)) return dict_not_found(dict, name);
        if ((status = container_value(&cell, &copy)) == MPROC_OK) status = dict_change(dict, &change, &outcome);
        object_drop(intent, held);
        if (outcome != TABLE_DONE) mproc_value_clear(&copy);
    }
    if (status != MPROC_OK) return status;
    if (is_large(dict)) (void)clear(dict_container(dict), true);
    *value = copy;
    return MPROC_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------ */

static mproc_status refuse_items(void)
{
    return mproc_error(MPROC_INVALID,
                       "a dict is made of a map, of a list of pairs, which are lists of two, or of nil");
}

mproc_status dict_fill(const mproc_dict *dict, const struct reference *owner, mproc_value items)
{
    size_t count = mproc_value_count(items);
    bool map = items.type == MPROC_TYPE_MAP;
    mproc_status status = MPROC_OK;

    if (items.type != MPROC_TYPE_NIL && !map && items.type != MPROC_TYPE_LIST) return refuse_items();
    if (count > 0 && !items.as.data)
        return mproc_error(MPROC_INVALID, "%zu pairs of a dict are at no address", count);
    for (size_t i = 0; i < count && status == MPROC_OK; i++) {
        mproc_value pair = mproc_value_at(items, i), name = map ? mproc_value_key(items, i) : mproc_value_at(pair, 0),
                    value = map ? pair : mproc_value_at(pair, 1);
        struct table_key key;
        struct cell cell;
        struct dict_change change = {.key = &key, .to = &cell};
        enum table_outcome outcome;
        if (!map && (pair.type != MPROC_TYPE_LIST || pair.count != 2)) return refuse_items();
        if ((status = table_key_set(&key, &name)) == MPROC_OK)
            status = container_stage(owner, &value, &cell, &work_intent()->stages[STAGE_VALUE]);
        if (status == MPROC_OK) status = dict_change(dict, &change, &outcome);
    }
    return status;
}

size_t mproc_dict_count(const mproc_dict *dict)
{
    const struct container *container = dict_container(dict);
    uint64_t version;
    uint32_t count;

    if (!container) return method_count(&dict->reference, methods, MPROC_DICT_COUNT);
    do {
        version = container_version(container);
        count = table_count(table_of(container));
    } while (container_changed(container, version));
    return count;
}

/* ---- all calls ------------------------------------------------------------------------------------------ */

static mproc_status call_served(const struct reference *reference, uint32_t method, const mproc_value *values,
                                size_t count, mproc_value *result)
{
    struct method_given given;
    mproc_status status = method_read(reference, methods, method, values, count, NULL, &given);

    if (status != MPROC_OK) return status;
    return mproc_dict_call((const mproc_dict *)reference, (enum mproc_dict_method)method, given.key, given.value,
                           NULL, result);
}

static mproc_status call_remote(const mproc_dict *dict, enum mproc_dict_method method, const mproc_value *key,
                                const mproc_value *value, mproc_value *result)
{
    const struct method_given given = {.key = key, .value = value};

    if (method == MPROC_DICT_UPDATE)
        return mproc_error(MPROC_NOT_SUPPORTED,
                           "a dict in another program has not the function that is to update it: "
                           "mproc_dict_increment() and mproc_dict_setdefault() are one step");
    return method_call(&dict->reference, methods, method, &given, result);
}

mproc_status mproc_dict_call(const mproc_dict *dict, enum mproc_dict_method method, const mproc_value *name,
                             const mproc_value *value, mproc_function *function, mproc_value *result)
{
    mproc_status status = MPROC_OK;
    struct reference *from;
    struct table_key key;
    struct cell cell;

    if (thread_self.arena != dict->reference.arena) {
        status = family_enter_with_slow(dict->reference.arena);
        if (status == MPROC_OK && dict->reference.arena == REFERENCE_REMOTE)
            return call_remote(dict, method, name, value, result);
    }
    if (status == MPROC_OK && method < MPROC_DICT_CLEAR) status = table_key_set(&key, name);
    if (status != MPROC_OK) return status;
    switch (method) {
    case MPROC_DICT_SET:
        return set(dict, &key, value);
    case MPROC_DICT_GET:
        return get(dict, &key, name, result);
    case MPROC_DICT_HAS:
        return dict_look(dict, &key, &cell, NULL) ? MPROC_OK : MPROC_NOT_FOUND;
    case MPROC_DICT_INCREMENT:
        return dict_increment(dict, &key, value->as.int64, result);
    case MPROC_DICT_UPDATE:
        return dict_update(dict, &key, name, function, value);
    case MPROC_DICT_SETDEFAULT:
        return set_default(dict, &key, value, result);
    case MPROC_DICT_POP:
        return pop(dict, &key, name, result);
    case MPROC_DICT_DELETE:
        return take_out(dict, &key, name);
    case MPROC_DICT_CLEAR:
        return clear(dict_container(dict), false);
    case MPROC_DICT_POP_ITEM:
        status = dict_pop_item(dict, result);
        if (is_large(dict)) (void)clear(dict_container(dict), true);
        return status;
    case MPROC_DICT_MERGE:
        if ((status = dict_make(OBJECT_DICT, &from)) != MPROC_OK) return status;
        status =
            dict_fill((mproc_dict *)from, &dict->reference, *value); /* all that can fail comes before the step */
        if (status == MPROC_OK) status = table_merge(dict_container(dict), container_of(from), TABLE_MERGE);
        reference_free(from);
        return status;
    case MPROC_DICT_COUNT:
        *result = mproc_uint(mproc_dict_count(dict));
        return MPROC_OK;
    default:
        return dict_copy(dict, method, result);
    }
}

/* ---- made and freed ------------------------------------------------------------------------------------- */

mproc_status dict_make(enum object_kind kind, struct reference **out)
{
    mproc_status status;

    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = reference_create(kind, sizeof(struct container), out)) != MPROC_OK) return status;
    reference_publish(*out);
    status = table_create(work_intent(), &container_of(*out)->body);
    if (status != MPROC_OK) reference_free(*out);
    return status;
}

mproc_status mproc_dict_create(mproc_value items, mproc_dict **out)
{
    struct reference *reference;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a dict was to be created, and out is NULL");
    if ((status = dict_make(OBJECT_DICT, &reference)) != MPROC_OK) return status;
    if ((status = dict_fill((mproc_dict *)reference, reference, items)) == MPROC_OK) *out = (mproc_dict *)reference;
    else reference_free(reference);
    return status;
}

void mproc_dict_free(mproc_dict *dict)
{
    assert(!dict || dict->reference.ref.kind == OBJECT_DICT);
    if (dict) family_free(&dict->reference);
}
