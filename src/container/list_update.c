/* Lists: what becomes of an element by what it was, in one step. */

#include "container/list.h"
#include "container/update.h"

/* Under the lock: one store. False: it is no int64, or none afterwards. */
static bool add(struct item *item, int64_t by, int64_t *sum)
{
    struct cell cell = item_cell(item);
    int64_t number = (int64_t)cell.word;

    if (cell_head(&cell) != MPROC_TYPE_INT64) return false;
    if (by > 0 ? number > INT64_MAX - by : number < INT64_MIN - by) return false;
    *sum = number + by;
    atomic_store_explicit(&item->word, (uint64_t)*sum, memory_order_release);
    return true;
}

mproc_status list_increment(const mproc_list *list, int64_t index, int64_t by, mproc_value *result)
{
    struct container *container = list_container(list);
    struct intent *intent = container_lock(container);
    const struct items *items = items_of(container);
    uint64_t count = items_count(items), at;
    int64_t sum = 0;
    bool there = list_index(index, count, &at), done = there && add(items_at(items, at), by, &sum);

    container_unlock(intent, container);
    if (!there) return list_no_element(index, count);
    if (!done)
        return mproc_error(MPROC_INVALID,
                           "%lld is added to element %lld, which is no int64, or would be none afterwards",
                           (long long)by, (long long)index);
    *result = mproc_int(sum);
    return MPROC_OK;
}

/* As with a dict: the function runs without any lock, and again if its work is of no use. */
mproc_status list_update(const mproc_list *list, int64_t index, mproc_function *function, const mproc_args *args)
{
    enum items_outcome outcome = ITEMS_CHANGED;
    struct update update;
    struct cell from, to;
    uint64_t count = 0;
    mproc_value value;
    mproc_status status = update_begin(&update, "an update of a list", function, args);

    while (status == MPROC_OK && outcome == ITEMS_CHANGED) {
        update_again(&update);
        if (!list_look(list, index, &from, update.held, &count)) {
            outcome = ITEMS_ABSENT;
            break;
        }
        status = update_make(&update, &from, &value);
        reference_scope_clear(&update.scope);
        if (status == MPROC_OK)
            status = container_stage(&list->reference, &value, &to, &work_intent()->stages[STAGE_VALUE]);
        if (status == MPROC_OK) outcome = list_set(list, index, &to, &from, &count);
    }
    update_end(&update);
    return status == MPROC_OK && outcome == ITEMS_ABSENT ? list_no_element(index, count) : status;
}
