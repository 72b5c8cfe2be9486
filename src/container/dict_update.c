/* Dicts: what becomes of a value by what it was, in one step. */
#include "container/dict.h"
#include "container/update.h"

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

/*
 * The function runs without any lock, so it may do what it likes, and be killed. If somebody has changed the value
 * meanwhile, what it has made is of no use, and it is asked again.
 */
mproc_status dict_update(const mproc_dict *dict, const struct table_key *key, const mproc_value *name,
                         mproc_function *function, const mproc_args *args)
{
    enum table_outcome outcome = TABLE_CHANGED;
    bool names = dict->reference.ref.kind == OBJECT_NAMESPACE;
    struct update update;
    struct cell from, to;
    struct dict_change change = {.key = key, .from = &from, .to = &to};
    mproc_value value;
    mproc_status status =
        update_begin(&update, names ? "an update of a namespace" : "an update of a dict", function, args);

    while (status == MPROC_OK && outcome != TABLE_DONE) {
        update_again(&update);
        if (!dict_look(dict, key, &from, update.held)) {
            status = dict_not_found(dict, name);
            break;
        }
        status = update_make(&update, &from, &value);
        reference_scope_clear(&update.scope);
        if (status == MPROC_OK)
            status = container_stage(&dict->reference, &value, &to, &work_intent()->stages[STAGE_VALUE]);
        if (status == MPROC_OK) status = dict_change(dict, &change, &outcome);
    }
    update_end(&update);
    return status;
}
