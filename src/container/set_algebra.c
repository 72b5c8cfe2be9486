/*
 * Sets: what is done with two of them. The other one's elements are first put into a set of this thread alone. To add
 * them or to take them out is to merge that one, see table_merge(). For all else one goes through both under the
 * lock, and what is wanted comes into a table that nobody else sees; to leave but what is in both is to put that in
 * the place of the one that there is, by one list.
 *
 * Under the lock no memory is taken: what the new table lacks is counted there and provided without the lock; then
 * all begins again.
 */
#include "container/set.h"

/* Which elements are wanted. */
enum { OURS = 1, COMMON = 2, THEIRS = 4 };

struct combination {
    struct container *ours;
    const struct container *theirs; /* NULL: the other is the set itself */
    struct container *made;         /* NULL: nothing is wanted but the counts */
    uint32_t wanted;
    bool changes;                   /* the set, which gets what is made */
    enum table_outcome outcome;     /* TABLE_NEEDS: no more comes into the new table, but is counted */
    uint32_t count, others, common; /* of the set's elements, of the other's, and of both */
    uint32_t units, keys;           /* that the new table is to have */
    struct table_need need;
};

static bool has(const struct container *container, const struct table_key *key)
{
    struct table_spot spot;

    return table_find(container, container_version(container), key, &spot) == TABLE_DONE;
}

/* Under the lock. */
static void want(struct combination *combination, struct intent *intent, const struct table_record *record,
                 const struct table_key *key)
{
    static const struct cell nothing = {MPROC_TYPE_NIL, 0, 0};

    combination->units += high(word_get(&record->before));
    combination->keys++;
    if (combination->outcome == TABLE_NEEDS) return;
    combination->outcome = table_insert(intent, combination->made, key, &nothing, &combination->need);
    if (combination->outcome == TABLE_DONE) intent_restart(intent);
}

/* Under the lock: those of the set, which are in the other one or not. */
static void want_ours(struct combination *combination, struct intent *intent)
{
    const struct table *table = table_of(combination->ours);

    for (uint32_t place = low(word_get(&table->order)); place;) {
        const struct table_record *record = table_at(table, place);
        struct table_key key;
        bool in;
        table_key_of(record, &key);
        in = !combination->theirs || has(combination->theirs, &key);
        if (combination->wanted & (in ? COMMON : OURS)) want(combination, intent, record, &key);
        place = high(word_get(&record->hash_next));
    }
}

/* Under the lock: those of the other one that the set has not. Returns how many it has. `wanted`: they are. */
static uint32_t look_at_theirs(struct combination *combination, struct intent *intent, bool wanted)
{
    const struct table *table = table_of(combination->theirs);
    uint32_t common = 0;

    for (uint32_t place = low(word_get(&table->order)); place;) {
        const struct table_record *record = table_at(table, place);
        struct table_key key;
        bool in;
        table_key_of(record, &key);
        in = has(combination->ours, &key);
        common += in;
        if (wanted && !in) want(combination, intent, record, &key);
        place = high(word_get(&record->hash_next));
    }
    return common;
}

/* The bodies of both change places, so that what was there goes with the container that this thread alone has. */
static void exchange(struct intent *intent, const struct container *container, const struct container *made)
{
    uint64_t body = word_get(&container->body);

    container_change(intent, container);
    intent_store(intent, &container->body, word_get(&made->body));
    intent_store(intent, &made->body, body);
    container_commit(intent, container);
}

static void attempt(struct combination *combination)
{
    struct intent *intent;

    combination->units = combination->keys = 0;
    combination->outcome = TABLE_DONE;
    if (combination->made) table_empty(table_of(combination->made));
    intent = container_lock(combination->ours);
    combination->count = table_count(table_of(combination->ours));
    combination->others = combination->theirs ? table_count(table_of(combination->theirs)) : combination->count;
    combination->common = combination->theirs ? look_at_theirs(combination, intent, false) : combination->count;
    if (combination->made && (!combination->changes || combination->common < combination->count)) {
        want_ours(combination, intent);
        if (combination->theirs && combination->wanted & THEIRS) (void)look_at_theirs(combination, intent, true);
        if (combination->changes && combination->outcome == TABLE_DONE)
            exchange(intent, combination->ours, combination->made);
    }
    container_unlock(intent, combination->ours);
}

static mproc_status run(struct combination *combination)
{
    mproc_status status = MPROC_OK;

    for (;;) {
        attempt(combination);
        if (combination->outcome == TABLE_DONE) return MPROC_OK;
        status = table_provide(combination->made, &combination->need);
        if (status == MPROC_OK) status = table_reserve(combination->made, combination->units, combination->keys);
        if (status != MPROC_OK) return status;
    }
}

/* What a call gives: the elements, or whether it is so. */
static mproc_status give(const struct combination *combination, enum mproc_set_method method, const mproc_set *made,
                         mproc_value *result)
{
    bool all_ours = combination->common == combination->count,
         all_theirs = combination->common == combination->others;

    switch (method) {
    case MPROC_SET_IS_DISJOINT:
        *result = mproc_bool(combination->common == 0);
        return MPROC_OK;
    case MPROC_SET_IS_SUBSET:
        *result = mproc_bool(all_ours);
        return MPROC_OK;
    case MPROC_SET_IS_SUPERSET:
        *result = mproc_bool(all_theirs);
        return MPROC_OK;
    case MPROC_SET_EQUAL:
        *result = mproc_bool(all_ours && all_theirs);
        return MPROC_OK;
    default:
        return made && !combination->changes ? dict_copy(&made->dict, MPROC_DICT_KEYS, result) : MPROC_OK;
    }
}

/* Of UNION, INTERSECTION, DIFFERENCE, SYMMETRIC_DIFFERENCE. */
static const uint32_t wanted_by[] = {OURS | COMMON | THEIRS, COMMON, OURS, OURS | THEIRS};

static bool is_itself(const mproc_set *set, const mproc_value *other)
{
    return other->type == MPROC_TYPE_HANDLE &&
           memcmp(value_handle(other), &set->dict.reference.ref, sizeof set->dict.reference.ref) == 0;
}

mproc_status set_combine(const mproc_set *set, enum mproc_set_method method, const mproc_value *other,
                         mproc_value *result)
{
    struct combination combination = {.ours = dict_container(&set->dict),
                                      .changes = method == MPROC_SET_INTERSECTION_UPDATE};
    mproc_set *theirs = NULL, *made = NULL;
    mproc_status status = MPROC_OK;

    if (!result && !combination.changes)
        return mproc_error(MPROC_INVALID, "what two sets have, or have not, is to go to NULL");
    if (!is_itself(set, other) && (status = mproc_set_create(*other, &theirs)) != MPROC_OK) return status;
    if (method < MPROC_SET_IS_DISJOINT) {
        combination.wanted = wanted_by[method & 3];
        status = mproc_set_create(mproc_nil(), &made);
    }
    if (status == MPROC_OK) {
        if (theirs) combination.theirs = dict_container(&theirs->dict);
        if (made) combination.made = dict_container(&made->dict);
        status = run(&combination);
    }
    if (status == MPROC_OK) status = give(&combination, method, made, result);
    mproc_set_free(made);
    mproc_set_free(theirs);
    return status;
}

mproc_status set_merge(const mproc_set *set, enum table_merging how, const mproc_value *other)
{
    mproc_set *theirs;
    mproc_status status;

    if (is_itself(set, other))
        return how == TABLE_MERGE ? MPROC_OK : mproc_dict_call(&set->dict, MPROC_DICT_CLEAR, NULL, NULL, NULL, NULL);
    if ((status = mproc_set_create(*other, &theirs)) != MPROC_OK) return status;
    status = table_merge(dict_container(&set->dict), dict_container(&theirs->dict), how);
    mproc_set_free(theirs);
    if (status == MPROC_OK && mproc_dict_count(&set->dict) == 0) dict_trim(&set->dict);
    return status;
}
