/*
 * Dicts: a container whose body is a table. A set is a dict whose values are nil, and a namespace one whose keys are
 * names: both begin with a dict, of another kind (set.h, namespace.h), and these functions are for all three.
 */
#ifndef MPROC_CONTAINER_DICT_H
#define MPROC_CONTAINER_DICT_H

#include <mproc/dict.h>

#include "container/table.h"
#include "process/family.h"

extern const struct object_type dict_type;

struct mproc_dict {
    struct reference reference;
};

static inline bool is_kind_of_dict(uint32_t kind)
{
    return kind == OBJECT_DICT || kind == OBJECT_SET || kind == OBJECT_NAMESPACE;
}

static inline struct container *dict_container(const mproc_dict *dict)
{
    assert(dict && is_kind_of_dict(dict->reference.ref.kind));
    return container_of(&dict->reference);
}

/* What it is, without an article: "dict". */
static inline const char *dict_noun(const mproc_dict *dict)
{
    return handle_name(dict->reference.ref.kind) + strlen("a ");
}

/* Makes an empty one of this kind. MPROC_NO_MEMORY, MPROC_FORKED. */
mproc_status dict_make(enum object_kind kind, struct reference **out);

/*
 * Sets the pairs of a map, or of a list of lists of two. `owner` is whom they are for: nothing of it may be in
 * itself. As mproc_dict_set(); some may have been set.
 */
mproc_status dict_fill(const mproc_dict *dict, const struct reference *owner, mproc_value items);

/*
 * Looks for a key. If its value is a parcel, the empty owned slot gets a handle of it; NULL: none is wanted. Returns
 * whether the key is there.
 */
bool dict_look(const mproc_dict *dict, const struct table_key *key, struct cell *cell, _Atomic uint64_t *owned);

/* MPROC_NOT_FOUND with its text. */
mproc_status dict_not_found(const mproc_dict *dict, const mproc_value *key);

/*
 * What is to become of a key: `to` is its new value, whose parcel is in the stage, or NULL: it goes. Only if the
 * value is `from`, whose parcel the caller holds; NULL: whatever it is. `fresh`: only if it is not there; `last`:
 * only if it is the last one.
 */
struct dict_change {
    const struct table_key *key;
    const struct cell *to;
    const struct cell *from;
    bool fresh;
    bool last;
};

/*
 * Does it, in one step; the stage is empty afterwards. `*outcome` is TABLE_DONE; TABLE_ABSENT: what should change or
 * go is not there; or TABLE_CHANGED: it is otherwise. MPROC_NO_MEMORY.
 */
mproc_status dict_change(const mproc_dict *dict, const struct dict_change *change, enum table_outcome *outcome);

/* After keys went otherwise: gives memory back, if none is left. */
void dict_trim(const mproc_dict *dict);

/* The calls; see <mproc/dict.h>. The dict is of this family, and `key` can be one. */
mproc_status dict_increment(const mproc_dict *dict, const struct table_key *key, int64_t by, mproc_value *result);
mproc_status dict_update(const mproc_dict *dict, const struct table_key *key, const mproc_value *name,
                         mproc_function *function, const mproc_args *args);
mproc_status dict_pop_item(const mproc_dict *dict, mproc_value *pair);
mproc_status dict_copy(const mproc_dict *dict, enum mproc_dict_method what, mproc_value *copy);

#endif
