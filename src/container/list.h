/* Lists: a container whose body is items. */
#ifndef MPROC_CONTAINER_LIST_H
#define MPROC_CONTAINER_LIST_H

#include <mproc/list.h>

#include "container/items.h"
#include "process/family.h"

extern const struct object_type list_type;

struct mproc_list {
    struct reference reference;
};

static inline struct container *list_container(const mproc_list *list)
{
    assert(list && list->reference.ref.kind == OBJECT_LIST);
    return container_of(&list->reference);
}

/* An index as the program has it, of a list of so many. False: there is no such element. */
static inline bool list_index(int64_t index, uint64_t count, uint64_t *at)
{
    *at = (uint64_t)(index < 0 ? index + (int64_t)count : index);
    return *at < count;
}

/* MPROC_NOT_FOUND with its text. */
mproc_status list_no_element(int64_t index, uint64_t count);

/*
 * Looks for an element. If it is a parcel, the empty owned slot gets a handle of it. Returns whether it is there, and
 * how many there are.
 */
bool list_look(const mproc_list *list, int64_t index, struct cell *cell, _Atomic uint64_t *owned, uint64_t *count);

/*
 * A slice of a list of so many: `count` elements from `start` on, each `step`th; `backwards`: the last comes first.
 */
struct list_slice {
    uint64_t start, count, step;
    bool backwards;
};

/* `at` is what the program says: start, stop and step. MPROC_INVALID: the step is 0. */
mproc_status list_slice_check(const int64_t *at);
struct list_slice list_slice(const int64_t *at, uint64_t count);

/*
 * What is to become of the list, as the method says: `at` is the program's; `cell`, whose parcel is in the first
 * stage, or `body`, which goes, is what comes. An element goes only if it is `from`, whose parcel the caller holds;
 * NULL: whatever it is. Afterwards `count` is how many elements there were, and `matched` how many the slice had.
 */
struct list_change {
    enum mproc_list_method method;
    const int64_t *at;
    const mproc_value *value;
    const struct cell *cell;
    const struct cell *from;
    struct items *body;
    uint64_t count, matched;
};

/*
 * Does it, in one step. `*outcome` is ITEMS_DONE; ITEMS_ABSENT: what should go is not there; ITEMS_CHANGED: it is
 * another; or ITEMS_INVALID: the slice has another size. MPROC_NO_MEMORY.
 */
mproc_status list_change(const mproc_list *list, struct list_change *change, enum items_outcome *outcome);

/*
 * Another value, whose parcel is in the first stage, for an element, if that is `from`, whose parcel the caller
 * holds; NULL: whatever it is. The stage is empty afterwards. ITEMS_DONE, ITEMS_ABSENT or ITEMS_CHANGED, and how many
 * there are.
 */
enum items_outcome list_set(const mproc_list *list, int64_t index, const struct cell *to, const struct cell *from,
                            uint64_t *count);

/* Without the last element, gives back what a large list has taken. */
void list_trim(const mproc_list *list);

/* The calls; see <mproc/list.h>. The list is of this family. */
mproc_status list_clear(const mproc_list *list, bool emptied);
mproc_status list_insert(const mproc_list *list, const int64_t *index, const mproc_value *value);
mproc_status list_take_out(const mproc_list *list, enum mproc_list_method method, const int64_t *at,
                           const mproc_value *value);
mproc_status list_replace(const mproc_list *list, enum mproc_list_method method, const int64_t *at,
                          const mproc_value *items);
mproc_status list_reverse(const mproc_list *list);
mproc_status list_repeat(const mproc_list *list, int64_t times);
mproc_status list_find(const mproc_list *list, const int64_t *at, const mproc_value *value, mproc_value *result);
mproc_status list_copy(const mproc_list *list, const int64_t *at, mproc_value *copy);
mproc_status list_sort(const mproc_list *list, mproc_list_compare *compare, bool reverse);
mproc_status list_increment(const mproc_list *list, int64_t index, int64_t by, mproc_value *result);
mproc_status list_update(const mproc_list *list, int64_t index, mproc_function *function, const mproc_args *args);

#endif
