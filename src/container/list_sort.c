/* Lists: sorting. A copy is sorted, without the lock, and then takes the place of what it was made of. */
#include <stdlib.h>

#include "container/list_snapshot.h"

/* So often a sort begins again before it keeps all others from the list. */
#define SORTS_DISTURBED 3

/* ---- the order of values --------------------------------------------------------------------------------- */

static int order_of(uint64_t left, uint64_t right)
{
    return left < right ? -1 : left > right;
}

static bool is_number(const mproc_value *value)
{
    return value->type >= MPROC_TYPE_BOOL && value->type <= MPROC_TYPE_DOUBLE;
}

static bool is_negative(const mproc_value *value)
{
    return value->type == MPROC_TYPE_INT64 && value->as.int64 < 0;
}

/* How an integer compares to a double. Of those that are above all integers, or below, or none, only that counts. */
static int order_to_double(const mproc_value *integer, double number)
{
    const double limit = 18446744073709551616.0; /* 2 ^ 64 */
    uint64_t size = is_negative(integer) ? 0 - integer->as.uint64 : integer->as.uint64, whole;
    bool negative = number < 0;
    double amount = negative ? -number : number;
    int order;

    if (number != number) return 0;
    if (is_negative(integer) != negative && (size > 0 || negative)) return is_negative(integer) ? -1 : 1;
    if (amount >= limit) return negative ? 1 : -1;
    whole = (uint64_t)amount;
    order = order_of(size, whole);
    if (order == 0 && amount > (double)whole) order = -1;
    return negative ? -order : order;
}

static int order_numbers(const mproc_value *left, const mproc_value *right)
{
    bool real = left->type == MPROC_TYPE_DOUBLE;

    if (real && right->type == MPROC_TYPE_DOUBLE)
        return left->as.number < right->as.number ? -1 : left->as.number > right->as.number;
    if (real) return -order_to_double(right, left->as.number);
    if (right->type == MPROC_TYPE_DOUBLE) return order_to_double(left, right->as.number);
    if (is_negative(left) != is_negative(right)) return is_negative(left) ? -1 : 1;
    return order_of(left->as.uint64, right->as.uint64);
}

static int order_bytes(const mproc_value *left, const mproc_value *right)
{
    uint32_t common = left->count < right->count ? left->count : right->count;
    int order = common > 0 ? memcmp(left->as.data, right->as.data, common) : 0;

    return order != 0 ? order : order_of(left->count, right->count);
}

/* False: they have no order. */
static bool compare_values(const mproc_value *left, const mproc_value *right, int *order);

static bool compare_lists(const mproc_value *left, const mproc_value *right, int *order)
{
    for (uint32_t i = 0; i < left->count && i < right->count; i++) {
        mproc_value one = value_element(left, i), other = value_element(right, i);
        if (one.type == MPROC_TYPE_NIL && other.type == MPROC_TYPE_NIL) continue;
        if (!compare_values(&one, &other, order)) return false;
        if (*order != 0) return true;
    }
    *order = order_of(left->count, right->count);
    return true;
}

static bool compare_values(const mproc_value *left, const mproc_value *right, int *order)
{
    if (is_number(left) && is_number(right)) return *order = order_numbers(left, right), true;
    if (left->type != right->type) return false;
    if (left->type == MPROC_TYPE_LIST) return compare_lists(left, right, order);
    if (left->type != MPROC_TYPE_STRING && left->type != MPROC_TYPE_BYTES) return false;
    *order = order_bytes(left, right);
    return true;
}

/* ---- sorting --------------------------------------------------------------------------------------------- */

/* What is sorted: the numbers of the values, in `order`; `spare` has room for as many. */
struct sorting {
    const mproc_value *values;
    mproc_list_compare *compare;
    bool reverse;
    uint32_t *order, *spare;
    mproc_status status;
};

/* Whether the value of the second number comes before that of the first; of the same ones none does. */
static bool is_before(struct sorting *sorting, uint32_t first, uint32_t second)
{
    const mproc_value *left = &sorting->values[first], *right = &sorting->values[second];
    int order = 0;

    if (sorting->compare) {
        order = sorting->compare(*left, *right);
    } else if (sorting->status == MPROC_OK && !compare_values(left, right, &order)) {
        sorting->status =
            mproc_error(MPROC_INVALID, "elements of a list that is sorted have no order: %s and %s",
                        mproc_type_name((mproc_type)left->type), mproc_type_name((mproc_type)right->type));
    }
    return sorting->reverse ? order < 0 : order > 0;
}

/* Two runs that follow each other become one, in `spare`. */
static void merge(struct sorting *sorting, uint64_t begin, uint64_t middle, uint64_t end)
{
    const uint32_t *order = sorting->order;
    uint64_t left = begin, right = middle, to = begin;
    bool sorted = middle == end || !is_before(sorting, order[middle - 1], order[middle]);

    while (!sorted && left < middle && right < end)
        sorting->spare[to++] = is_before(sorting, order[left], order[right]) ? order[right++] : order[left++];
    while (left < middle) sorting->spare[to++] = order[left++];
    while (right < end) sorting->spare[to++] = order[right++];
}

static void sort(struct sorting *sorting, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) sorting->order[i] = (uint32_t)i;
    for (uint64_t run = 1; run < count && sorting->status == MPROC_OK; run *= 2) {
        uint32_t *sorted = sorting->spare;
        for (uint64_t begin = 0; begin < count; begin += 2 * run) {
            uint64_t middle = begin + run < count ? begin + run : count;
            merge(sorting, begin, middle, middle + run < count ? middle + run : count);
        }
        sorting->spare = sorting->order;
        sorting->order = sorted;
    }
}

/* ---- its place ------------------------------------------------------------------------------------------- */

/* Under the lock: whether the list still has what was sorted; its parcels are held, so no others look like them. */
static bool is_same(const struct items *items, const struct list_snapshot *all)
{
    if (items_count(items) != all->count) return false;
    for (uint64_t i = 0; i < all->count; i++) {
        struct cell cell = item_cell(items_at(items, i));
        if (!cell_same(&cell, &all->cells[i])) return false;
    }
    return true;
}

/* Sorts what the list has now, under the lock, under which all of it stays. False: there is no room for it. */
static bool sort_now(const struct items *items, struct list_snapshot *all, struct sorting *sorting)
{
    if (items_count(items) > all->room) return false;
    all->count = items_count(items);
    for (uint64_t i = 0; i < all->count; i++) {
        all->cells[i] = item_cell(items_at(items, i));
        all->values[i] = container_view(&all->cells[i]);
    }
    sort(sorting, all->count);
    return true;
}

static mproc_status put(const mproc_list *list, struct list_snapshot *all, struct sorting *sorting, bool insists,
                        bool *done)
{
    struct container *container = list_container(list);
    struct intent *intent = work_intent();
    struct items *fresh;
    mproc_status status = items_create(intent, all->room, &intent->stages[STAGE_OTHER]);

    if (status != MPROC_OK) return status;
    fresh = arena_at(word_get(&intent->stages[STAGE_OTHER]));
    container_lock(container);
    *done = is_same(items_of(container), all) || (insists && sort_now(items_of(container), all, sorting));
    if (*done && sorting->status == MPROC_OK) {
        items_begin(fresh, items_of(container));
        for (uint64_t i = 0; i < all->count; i++) items_write(&fresh->cells[i], &all->cells[sorting->order[i]]);
        items_publish(fresh, 0, all->count);
        items_exchange(intent, container, 0);
    }
    container_unlock(intent, container);
    object_drop(intent, &intent->stages[STAGE_OTHER]);
    return sorting->status;
}

/* The library's own order needs no code of the program: so who was disturbed some times sorts under the lock. */
mproc_status list_sort(const mproc_list *list, mproc_list_compare *compare, bool reverse)
{
    bool done = false;
    mproc_status status = MPROC_OK;

    for (int i = 0; status == MPROC_OK && !done; i++) {
        struct sorting sorting = {.compare = compare, .reverse = reverse};
        struct list_snapshot all;
        uint32_t *numbers = NULL;
        status = list_snapshot(list, NULL, &all);
        if (status == MPROC_OK && !(numbers = malloc((size_t)all.room * 2 * sizeof *numbers)))
            status = mproc_error(MPROC_NO_MEMORY, "no memory to sort %llu elements", (unsigned long long)all.count);
        if (numbers) {
            sorting.values = all.values;
            sorting.order = numbers;
            sorting.spare = numbers + all.room;
            sort(&sorting, all.count);
            if ((status = sorting.status) == MPROC_OK)
                status = put(list, &all, &sorting, !compare && i >= SORTS_DISTURBED, &done);
        }
        free(numbers);
        list_snapshot_end(&all);
    }
    return status;
}
