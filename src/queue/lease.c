/* Leases: taken, done, and come back. */
#include "queue/lease.h"

#include "base/log.h"
#include "queue/turn.h"

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void add(struct intent *intent, const _Atomic uint64_t *word, uint64_t by)
{
    intent_store(intent, word, get(word) + by);
}

/* The word that gets what is put at the end of a list. */
static const _Atomic uint64_t *end_of(const _Atomic uint64_t *first, const _Atomic uint64_t *last)
{
    return get(first) ? &parcel_at(get(last))->next : first;
}

void lease_take(struct intent *intent, const struct queue *queue, const struct leases *leases, struct parcel *parcel)
{
    uint64_t offset = arena_offset(parcel);

    atomic_store_explicit(&parcel->holder, thread_self.owner_id, memory_order_relaxed);
    atomic_store_explicit(&parcel->in_use, 1, memory_order_relaxed);
    if (get(&queue->returned) == offset) {
        intent_store(intent, &queue->returned, get(&parcel->next));
        intent_store(intent, &parcel->next, 0);
        add(intent, &queue->back, (uint64_t)-1);
    }
    intent_store_half(intent, &parcel->given, atomic_load_explicit(&parcel->given, memory_order_relaxed) + 1);
    intent_store(intent, end_of(&leases->first, &leases->last), offset);
    intent_store(intent, &leases->last, offset);
    add(intent, &leases->count, 1);
    add(intent, &leases->bytes, parcel->size);
}

struct parcel *lease_last(const struct leases *leases)
{
    struct parcel *last = NULL;

    for (uint64_t at = get(&leases->first); at; at = get(&parcel_at(at)->next))
        if (atomic_load(&parcel_at(at)->holder) == thread_self.owner_id) last = parcel_at(at);
    return last;
}

/* ---- done -------------------------------------------------------------------------------------- */

/* Its holder may have ended in the middle of its call. */
static bool is_read(const struct parcel *parcel)
{
    return atomic_load(&parcel->in_use) && slot_thread_present(atomic_load(&parcel->holder));
}

/*
 * The word that refers to the parcel that is done next: the calling thread's first, or the first that nobody reads.
 * `*before` is the parcel before it, or 0.
 */
static const _Atomic uint64_t *next_done(const struct leases *leases, uint64_t *before)
{
    const _Atomic uint64_t *link = &leases->first, *other = NULL;
    uint64_t previous = 0, at;

    *before = 0;
    for (; (at = get(link)) != 0; previous = at, link = &parcel_at(at)->next) {
        const struct parcel *parcel = parcel_at(at);
        bool mine = atomic_load(&parcel->holder) == thread_self.owner_id;
        if (!mine && (other || is_read(parcel))) continue;
        *before = previous;
        if (mine) return link;
        other = link;
    }
    return other;
}

bool lease_finish(struct intent *intent, struct queue *queue, struct leases *leases, const _Atomic uint64_t *owned,
                  bool *finished)
{
    uint64_t before, at;
    const _Atomic uint64_t *link = next_done(leases, &before);

    if (!link) return false;
    at = get(link);
    intent_store(intent, link, get(&parcel_at(at)->next));
    intent_store(intent, &parcel_at(at)->next, 0);
    if (get(&leases->last) == at) intent_store(intent, &leases->last, before);
    add(intent, &leases->count, (uint64_t)-1);
    add(intent, &leases->bytes, (uint64_t)0 - parcel_at(at)->size);
    add(intent, &queue->done, 1);
    intent_store(intent, owned, at);
    *finished = queue_unfinished(queue) == 1;
    if (*finished) intent_will_wake(intent, &queue->finished);
    intent_commit(intent);
    return true;
}

/* ---- come back ----------------------------------------------------------------------------------- */

/* Under the get end's lock. Who sleeps until there is an item is announced. Returns how many came back. */
static uint32_t return_all(struct intent *intent, struct queue *queue, struct leases *leases)
{
    struct queue_ends *ends = queue_ends(queue);
    uint64_t first = get(&leases->first), count = get(&leases->count), bytes = get(&leases->bytes);
    uint64_t at = get(&ends->get.at);

    if (!first) return 0;
    queue_settle(&ends->get, at);
    intent_store(intent, end_of(&queue->returned, &queue->last), first);
    intent_store(intent, &queue->last, get(&leases->last));
    add(intent, &queue->back, count);
    intent_store(intent, &leases->first, 0);
    intent_store(intent, &leases->count, 0);
    intent_store(intent, &leases->bytes, 0);
    add(intent, &queue->redelivered, count);
    add(intent, &ends->get.total.items, 0 - count);
    add(intent, &ends->get.total.bytes, 0 - bytes);
    if (queue->most_bytes) add(intent, &ends->got_bytes, 0 - bytes);
    intent_store(intent, &ends->get.at, at - (count << 32));
    intent_will_wake(intent, turn_wakes(&ends->put));
    intent_commit(intent);
    return (uint32_t)count;
}

/* A process that dies gives back what it has before anything else waits for it; so does the end of a reference. */
static void give_back(struct intent *intent, uint64_t object)
{
    struct leases *leases = (struct leases *)arena_at(object);
    struct queue *queue;
    struct queue_end *end;
    uint32_t count;

    /* Without a lease it may have no queue yet. */
    if (get(&leases->first) == 0) return;
    queue = (struct queue *)arena_at(get(&leases->queue));
    end = &queue_ends(queue)->get;
    queue_lock(intent, queue, end);
    count = return_all(intent, queue, leases);
    lock_release(intent, &end->lock);
    if (count > 0) turn_wake(&queue_ends(queue)->put, count);
    intent_has_woken(intent);
    if (count > 0 && log_on(MPROC_LOG_INFO))
        log_owe(MPROC_LOG_INFO, "%lu items come back to a joinable queue: who got them has not done them",
                (unsigned long)count);
}

const struct object_type leases_type = {.name = "leases",
                                        .links = 2,
                                        .links_at = offsetof(struct leases, queue),
                                        .holder_died = give_back,
                                        .last_dropped = give_back};
