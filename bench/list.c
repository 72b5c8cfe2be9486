#include "mproc.h"

#include <mproc/mproc.h>

/* A list that has so many elements at the least. */
struct use {
    mproc_list *list;
    size_t count;
    uint32_t state;
};

/* What is appended is popped, so that the list stays as long as it is. */
static void append(void *context, size_t repeats)
{
    struct use *use = context;
    mproc_value value;

    for (size_t i = 0; i < repeats; i++) {
        mproc_check(mproc_list_append(use->list, mproc_int((int64_t)i)));
        mproc_check(mproc_list_pop(use->list, -1, &value));
    }
}

static void get(void *context, size_t repeats)
{
    struct use *use = context;
    mproc_value value;

    for (size_t i = 0; i < repeats; i++) {
        use->state = use->state * 1664525u + 1013904223u;
        mproc_check(mproc_list_get(use->list, (int64_t)(((uint64_t)use->state * use->count) >> 32), &value));
        if (mproc_value_type(value) != MPROC_TYPE_INT64) abort();
    }
}

void list_use(const struct order *order, double values[2])
{
    struct use use = {.count = order->items};

    mproc_check(mproc_list_create(mproc_nil(), &use.list));
    for (size_t i = 0; i < use.count; i++) mproc_check(mproc_list_append(use.list, mproc_int((int64_t)i)));
    values[0] = measure_mean(append, &use, order->repeats);
    values[1] = measure_mean(get, &use, order->repeats);
}
