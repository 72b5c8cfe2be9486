/* Handles: the object's count and the owned slot change together, by the intent. */
#include "object/object.h"

#include <limits.h>

#include "arena/lock.h"
#include "arena/liveness.h"
#include "arena/park.h"

static struct object *object_at(uint64_t offset)
{
    return (struct object *)arena_at(offset);
}

void object_publish(const _Atomic uint64_t *owned, enum object_kind kind)
{
    uint64_t object = atomic_load_explicit(owned, memory_order_relaxed);
    uint32_t generation = object_generation(object);

    atomic_store_explicit(&object_at(object)->handles, 1, memory_order_relaxed);
    atomic_store_explicit(&object_at(object)->next, 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&block_header_of(object)->kind, (uint32_t)kind | generation << 8, memory_order_release);
}

static void begin(struct intent *intent, uint64_t object, const arena_lock *lock)
{
    uint32_t kind = atomic_load_explicit(&block_header_of(object)->kind, memory_order_relaxed);

    intent_begin(intent, lock, object, kind);
}

void object_lock(struct intent *intent, uint64_t object, arena_lock *lock)
{
    uint32_t expected = 0;

    begin(intent, object, lock);
    if (!atomic_compare_exchange_strong(&lock->word, &expected, thread_self.owner_id))
        lock_acquire_slow(lock, NULL, 0);
}

/* Under the object's lock: the count changes together with the owned slot that is counted. */
static void set_handles(struct intent *intent, const struct object *object, uint32_t handles,
                        const _Atomic uint64_t *owned, uint64_t content)
{
    intent_store_half(intent, &object->handles, handles);
    intent_store(intent, owned, content);
    intent_commit(intent);
}

void object_refer(struct intent *intent, uint64_t object, _Atomic uint64_t *owned, uint32_t given)
{
    struct object *object_ = object_at(object);
    uint32_t handles;

    assert(atomic_load(owned) == 0 && object_kind(object) != OBJECT_NONE);
    object_lock(intent, object, &object_->lock);
    handles = atomic_load_explicit(&object_->handles, memory_order_relaxed);
    set_handles(intent, object_, (handles + 1) | given, owned, object);
    lock_release(intent, &object_->lock);
}

/*
 * As lock_acquire(), while the owned slot has the object. In recovery the lock's owner may be another recoverer that
 * died over this very owned slot. What is done for that one while we wait here empties the owned slot, and then
 * others may free the object: it is not ours to lock. Returns false, with no lock in the intent, if so.
 */
static bool acquire_while(struct intent *intent, uint64_t object, const _Atomic uint64_t *owned)
{
    arena_lock *lock = &object_at(object)->lock;
    uint32_t expected = 0;

    begin(intent, object, lock);
    if (atomic_compare_exchange_strong(&lock->word, &expected, thread_self.owner_id)) return true;
    if (lock_acquire_slow(lock, owned, object)) return true;
    intent_end(intent);
    return false;
}

/*
 * Under the object's lock, with one handle less: who has the others may sleep until that is so. We may be killed as
 * soon as it is, so the first word stands in the intent before; those who sleep on others look themselves after a
 * while.
 */
static void leave_others(struct intent *intent, uint64_t object, uint32_t handles, _Atomic uint64_t *owned)
{
    const struct object_type *type = object_type(object);
    _Atomic uint32_t *word;

    intent_will_wake(intent, type->left(object, 0));
    set_handles(intent, object_at(object), handles, owned, 0);
    for (uint32_t i = 0; (word = type->left(object, i)) != NULL; i++) {
        atomic_fetch_add(word, 1);
        park_wake(word, INT_MAX);
    }
    intent_has_woken(intent);
}

/* Returns false, with nothing changed, if this is the last handle. */
static bool drop_one(struct intent *intent, uint64_t object, _Atomic uint64_t *owned)
{
    struct object *object_ = object_at(object);
    bool last = false;

    if (acquire_while(intent, object, owned)) {
        uint32_t handles = atomic_load_explicit(&object_->handles, memory_order_relaxed);
        last = object_handles(object_) == 1;
        if (!last && object_type(object)->left) leave_others(intent, object, handles - 1, owned);
        else if (!last) set_handles(intent, object_, handles - 1, owned, 0);
        lock_release(intent, &object_->lock);
    }
    return !last;
}

/* ---- the end of objects ------------------------------------------------------------------------- */

/*
 * The last handle: nobody else can take one any more, as one must have a handle to give one. So the links are dropped
 * without the object's lock. An object that ends with its link is not ended there, but comes behind the object in a
 * list: the chain of what ends is as long as it likes, and needs no stack. Whoever is killed leaves the list in the
 * owned slot that was dropped: all in it still are objects with one handle, and recovery ends them in turn.
 */

/* Returns false, with nothing changed, if the link has no object: it is plain memory, or empty. */
static bool drop_linked(struct intent *intent, uint64_t holder, _Atomic uint64_t *link)
{
    uint64_t object = atomic_load_explicit(link, memory_order_relaxed);

    if (!object || object_kind(object) == OBJECT_NONE) return false;
    if (drop_one(intent, object, link) || !acquire_while(intent, object, link)) return true;
    intent_store(intent, &object_at(object)->next,
                 atomic_load_explicit(&object_at(holder)->next, memory_order_relaxed));
    intent_store(intent, &object_at(holder)->next, object);
    intent_store(intent, link, 0);
    intent_commit(intent);
    lock_release(intent, &object_at(object)->lock);
    return true;
}

void object_drop_link(struct intent *intent, uint64_t holder, _Atomic uint64_t *link)
{
    if (!drop_linked(intent, holder, link)) block_give(intent, link, 0);
}

/* The first of what it holds, and how many there are. */
static _Atomic uint64_t *links_of(uint64_t holder, uint32_t *count)
{
    const struct object_type *type = object_type(holder);

    *count = type->links_count_at ? *(const uint32_t *)arena_at(holder + type->links_count_at) : type->links;
    return (_Atomic uint64_t *)arena_at(holder + type->links_at);
}

void object_holder_died(struct intent *intent, uint64_t object)
{
    const struct object_type *type = object_type_there(object);

    if (type && type->holder_died) type->holder_died(intent, object);
}

/*
 * Plain memory has no list. So an object with others behind it first leaves the owned slot, in which the next one
 * takes its place: the object's lock is taken for that, as an intent has one. Returns the slot that it is in
 * afterwards.
 */
static _Atomic uint64_t *leave_to_next(struct intent *intent, uint64_t object, _Atomic uint64_t *owned)
{
    struct object *object_ = object_at(object);

    if (atomic_load_explicit(&object_->next, memory_order_relaxed) == 0) return owned;
    object_lock(intent, object, &object_->lock);
    intent_store(intent, owned, atomic_load_explicit(&object_->next, memory_order_relaxed));
    intent_store(intent, &intent->ending, object);
    intent_store(intent, &object_->next, 0);
    intent_commit(intent);
    lock_release(intent, &object_->lock);
    return &intent->ending;
}

/*
 * From here on the block is plain memory, and whoever knows the old generation finds nothing. Recovery may have found
 * the object just before, and be about to let go of a lock in it.
 */
static void unpublish(uint64_t object)
{
    uint32_t generation = (object_generation(object) + 1) & OBJECT_GENERATION_MASK;

    atomic_store(&block_header_of(object)->kind, OBJECT_NONE | generation << 8);
    if (atomic_load(&arena_header->recovery) != 0) liveness.pass();
}

void object_drop(struct intent *intent, _Atomic uint64_t *owned)
{
    _Atomic uint64_t *place, *links;
    uint64_t object;
    uint32_t count;

    while ((object = atomic_load_explicit(owned, memory_order_relaxed)) != 0) {
        place = owned;
        if (object_kind(object) != OBJECT_NONE) {
            if (drop_one(intent, object, owned)) continue;
            if (object_type(object)->last_dropped) object_type(object)->last_dropped(intent, object);
            links = links_of(object, &count);
            for (uint32_t i = 0; i < count; i++)
                if (!drop_linked(intent, object, &links[i])) block_give(intent, &links[i], 0);
            place = leave_to_next(intent, object, owned);
            unpublish(object);
        }
        block_give(intent, place, 0);
    }
}

bool object_there(const struct handle_ref *ref)
{
    return block_may_be(ref->offset) &&
           block_kind(ref->offset) == (ref->kind | (ref->generation ^ arena_header->salt) << 8);
}
