/* Dicts: what becomes of a value by what it was, in one step. */
#include <stdlib.h>

#include "container/dict.h"
#include "process/call.h"

/* ---- numbers -------------------------------------------------------------------------------------------- */

/* Under the lock, of a key that is there: one store. False: it is no int64, or none afterwards. */
static bool add(struct table_record *record, int64_t by, int64_t *result)
{
    struct cell cell = table_cell(record);
    int64_t number = (int64_t)cell.word;

    if (cell_head(&cell) != MPROC_TYPE_INT64) return false;
    if (by > 0 ? number > INT64_MAX - by : number < INT64_MIN - by) return false;
    *result = number + by;
    atomic_store_explicit(&record->word, (uint64_t)*result, memory_order_release);
    return true;
}

/* A key that is not there begins with 0. TABLE_CHANGED: it cannot be added to. */
static enum table_outcome try_add(struct container *container, const struct table_key *key, int64_t by,
                                  int64_t *result, struct table_need *need)
{
    struct intent *intent = container_lock(container);
    enum table_outcome outcome;
    struct table_spot spot;
    struct cell cell;

    outcome = table_find(container, container_version(container), key, &spot);
    if (outcome == TABLE_DONE) {
        if (!add(spot.record, by, result)) outcome = TABLE_CHANGED;
    } else {
        cell_set(&cell, MPROC_TYPE_INT64, (uint64_t)by);
        outcome = table_insert(intent, container, key, &cell, need);
        *result = by;
    }
    container_unlock(intent, container);
    return outcome;
}

mproc_status dict_increment(const mproc_dict *dict, const struct table_key *key, int64_t by, mproc_value *result)
{
    enum table_outcome outcome;
    struct table_need need;
    int64_t number = 0;
    mproc_status status;

    while ((outcome = try_add(dict_container(dict), key, by, &number, &need)) == TABLE_NEEDS)
        if ((status = table_provide(dict_container(dict), &need)) != MPROC_OK) return status;
    if (outcome == TABLE_CHANGED)
        return mproc_error(MPROC_INVALID, "%lld is added to a value that is no int64, or would be none afterwards",
                           (long long)by);
    *result = mproc_int(number);
    return MPROC_OK;
}

/* ---- any function --------------------------------------------------------------------------------------- */

/* One that runs. `items` are the function's arguments, of which the first is the value as it is. */
struct update {
    mproc_value *items;
    size_t count;
    struct call_result result;
    _Atomic uint64_t *held; /* that value, if it is a parcel */
};

static mproc_status update_begin(struct update *update, mproc_function *function, const mproc_args *args)
{
    mproc_status status;

    if (!function) return mproc_error(MPROC_INVALID, "a dict is to be updated with no function");
    if (args->type != MPROC_TYPE_LIST && args->type != MPROC_TYPE_NIL)
        return mproc_error(MPROC_INVALID, "the arguments of an update are %s: a single one is written MPROC_ARGS(x)",
                           mproc_type_name((mproc_type)args->type));
    if (args->count > 0 && !args->as.data)
        return mproc_error(MPROC_INVALID, "the arguments of an update are at no address");
    *update = (struct update){.count = 1 + mproc_value_count(*args)};
    update->result.arena = thread_self.arena;
    if (!(update->items = malloc(update->count * sizeof *update->items)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for %zu arguments of an update", update->count);
    for (size_t i = 1; i < update->count; i++) update->items[i] = mproc_value_at(*args, i - 1);
    if ((status = resource_slot_take(&update->held)) != MPROC_OK) return status;
    return resource_slot_take(&update->result.owned);
}

static void update_end(const struct update *update)
{
    if (update->held) resource_release(update->held);
    if (update->result.owned) resource_release(update->result.owned);
    free(update->items);
}

/* What the function has returned: nil if it kept nothing. */
static mproc_value returned(const struct update *update)
{
    uint64_t parcel = word_get(update->result.owned);

    if (parcel) return encoding_view(parcel_data(parcel_at(parcel)));
    return update->result.size > 0 ? encoding_view(update->result.bytes) : mproc_nil();
}

/*
 * The function runs without any lock, so it may do what it likes, and be killed. If somebody has changed the value
 * meanwhile, what it has made is of no use, and it is asked again.
 */
mproc_status dict_update(const mproc_dict *dict, const struct table_key *key, const mproc_value *name,
                         mproc_function *function, const mproc_args *args)
{
    enum table_outcome outcome = TABLE_CHANGED;
    struct update update = {0};
    struct reference_scope scope = {0};
    bool names = dict->reference.ref.kind == OBJECT_NAMESPACE;
    struct mproc_call call = {.name = names ? "an update of a namespace" : "an update of a dict",
                              .scope = &scope,
                              .result = &update.result};
    struct cell from, to;
    struct dict_change change = {.key = key, .from = &from, .to = &to};
    mproc_value value;
    mproc_status status = update_begin(&update, function, args);

    while (status == MPROC_OK && outcome != TABLE_DONE) {
        object_drop(work_intent(), update.held);
        object_drop(work_intent(), update.result.owned);
        update.result.size = 0;
        if (!dict_look(dict, key, &from, update.held)) {
            status = dict_not_found(dict, name);
            break;
        }
        assert(update.items);
        update.items[0] = container_view(&from);
        call.args = mproc_list_from(update.items, update.count);
        status = function(&call);
        reference_scope_clear(&scope);
        value = returned(&update);
        if (status == MPROC_OK) status = container_stage(&dict->reference, &value, &to);
        if (status == MPROC_OK) status = dict_change(dict, &change, &outcome);
    }
    update_end(&update);
    return status;
}
