/* Queues in queues: one that came to lie in itself would keep itself for ever. */
#include "queue/nesting.h"

#include "object/resource_owner.h"

/* Many ways lead through few queues. A search that takes longer finds nothing. */
#define LOOKS_MAX 4096

/* `found` is `wanted`, or the queue that comes after `skip` others, or 0. */
struct look {
    uint64_t wanted;
    uint32_t skip;
    uint64_t found;
};

static struct queue *queue_there(uint64_t offset)
{
    return (struct queue *)arena_at(offset);
}

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void look_into_parcel(struct look *look, const struct parcel *parcel)
{
    for (uint32_t i = 1; i < parcel->links; i++) {
        uint64_t object = atomic_load(&parcel->next + i);
        if (!object || object_kind(object) != OBJECT_QUEUE) continue;
        if (object == look->wanted) look->found = object;
        else if (!look->found && look->skip > 0) look->skip--;
        else if (!look->found) look->found = object;
    }
}

/* Under the get end's lock, so that all items stay. */
static void look_into(struct look *look, const struct queue *queue)
{
    struct queue_ends *ends = queue_ends(queue);
    uint64_t at = get(&ends->get.at), place = queue_place(at);
    uint32_t count = queue_count(atomic_load(&ends->put.at)) - queue_count(at) - (uint32_t)get(&queue->back);

    for (uint64_t parcel = get(&queue->returned); parcel; parcel = get(&parcel_at(parcel)->next))
        look_into_parcel(look, parcel_at(parcel));
    if (place == 0) place = get(&queue->begin);
    while (count > 0 && look->found != look->wanted) {
        const struct queue_record *record = queue_record_at(place);
        if (queue_kind_of(record) == QUEUE_LINK) {
            place = record->form_link;
            continue;
        }
        if (queue_kind_of(record) == QUEUE_PARCEL) look_into_parcel(look, parcel_at(get(&record->parcel)));
        place += queue_units_of(record);
        count--;
    }
}

/* The queue that is found stays, by a handle in the empty owned slot. */
static uint64_t find(const struct queue *queue, uint64_t wanted, uint32_t skip, _Atomic uint64_t *owned)
{
    struct look look = {wanted, skip, 0};
    struct queue_end *end = &queue_ends(queue)->get;
    struct intent *intent = work_intent();

    queue_lock(intent, queue, end);
    look_into(&look, queue);
    if (look.found && look.found != wanted)
        object_refer(&thread_self.slot->intents[INTENT_NESTED], look.found, owned, 0);
    lock_release(intent, &end->lock);
    return look.found;
}

/*
 * `ways` has the queues on the way from the first to the one that is looked into now, of which each is held by the
 * owned slot that is its place, and how many in it were looked into.
 */
static mproc_status search(const struct queue *queue, uint64_t wanted, _Atomic uint64_t **owned)
{
    const struct queue *way[NESTING_DEPTH] = {queue};
    uint32_t seen[NESTING_DEPTH] = {0}, depth = 0, looks = 0;

    for (;;) {
        bool deep = depth + 1 == NESTING_DEPTH || ++looks > LOOKS_MAX;
        uint64_t found =
            deep || !atomic_load(&way[depth]->nests) ? 0 : find(way[depth], wanted, seen[depth], owned[depth + 1]);
        if (found == wanted) return MPROC_INVALID;
        if (found) {
            way[++depth] = queue_there(found);
            seen[depth] = 0;
        } else {
            if (depth == 0) return MPROC_OK;
            object_drop(work_intent(), owned[depth--]);
            seen[depth]++;
        }
    }
}

/* Whether `wanted` lies in the queue. */
static mproc_status check(const struct queue *queue, uint64_t wanted)
{
    _Atomic uint64_t *owned[NESTING_DEPTH] = {NULL};
    mproc_status status = MPROC_OK;

    for (int i = 1; i < NESTING_DEPTH && status == MPROC_OK; i++) status = resource_slot_take(&owned[i]);
    if (status == MPROC_OK) status = search(queue, wanted, owned);
    for (int i = 1; i < NESTING_DEPTH; i++) resource_release(owned[i]);
    return status;
}

mproc_status nesting_check(struct queue *queue, const struct parcel *parcel)
{
    uint64_t wanted = arena_offset(queue);
    mproc_status status = MPROC_OK;

    for (uint32_t i = 1; i < parcel->links && status == MPROC_OK; i++) {
        uint64_t object = get(&parcel->next + i);
        if (object_kind(object) != OBJECT_QUEUE) continue;
        atomic_store(&queue->nests, 1);
        if (object == wanted) status = MPROC_INVALID;
        else if (atomic_load(&queue_there(object)->nests)) status = check(queue_there(object), wanted);
    }
    if (status != MPROC_INVALID) return status;
    return mproc_error(MPROC_INVALID, "a queue is no item of itself, nor of one that lies in it: it would never end");
}
