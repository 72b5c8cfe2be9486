/* Handles: each critical section has one publishing store, the object's count; see hand_pair_repair(). */
#include "arena/object.h"

#include "arena/lock.h"
#include "arena/semaphore.h"

static struct object *object_at(uint64_t offset)
{
    return (struct object *)arena_at(offset);
}

void object_publish(const _Atomic uint64_t *cell, enum object_kind kind)
{
    uint64_t object = atomic_load_explicit(cell, memory_order_relaxed);
    uint32_t generation = object_generation(object);

    atomic_store_explicit(&object_at(object)->handles, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&block_header_of(object)->kind, (uint32_t)kind | generation << 8, memory_order_release);
}

void object_refer(struct hand *hand, uint64_t object, _Atomic uint64_t *cell)
{
    struct object *object_ = object_at(object);
    uint32_t handles;

    assert(atomic_load(cell) == 0 && object_kind(object) != OBJECT_NONE);
    hand_begin(hand, HAND_PAIR, cell);
    lock_acquire(hand, &object_->lock);
    handles = atomic_load_explicit(&object_->handles, memory_order_relaxed);
    hand_pair(hand, &object_->handles, handles + 1, cell, object);
    lock_release(hand, &object_->lock);
    hand_end(hand);
}

/*
 * As lock_acquire(), while the cell has the object. In recovery the lock's owner may be another recoverer that died
 * over this very cell. What is done for that one while we wait here empties the cell, and then others may free the
 * object: it is not ours to lock. Returns false, with no lock in the hand, if so.
 */
static bool acquire_while(struct hand *hand, uint64_t object, const _Atomic uint64_t *cell)
{
    arena_lock *lock = &object_at(object)->lock;
    uint32_t expected = 0;
    int64_t look_ns = 0;

    atomic_store_explicit(&hand->lock, arena_offset(lock), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_compare_exchange_strong(&lock->word, &expected, thread_self.tag)) return true;
    while (lock_try_wait(lock, PLAT_FOREVER, &look_ns) != LOCK_TAKEN) {
        if (atomic_load(cell) == object) continue;
        lock_wake(lock); /* a wake-up may have come to us */
        atomic_store_explicit(&hand->lock, 0, memory_order_relaxed);
        return false;
    }
    return true;
}

/* Returns false, with nothing changed, if this is the last handle. */
static bool drop_one(struct hand *hand, uint64_t object, _Atomic uint64_t *cell)
{
    struct object *object_ = object_at(object);
    bool last = false;

    hand_begin(hand, HAND_PAIR, cell);
    if (acquire_while(hand, object, cell)) {
        uint32_t handles = atomic_load_explicit(&object_->handles, memory_order_relaxed);
        last = handles == 1;
        if (!last) hand_pair(hand, &object_->handles, handles - 1, cell, 0);
        lock_release(hand, &object_->lock);
    }
    hand_end(hand);
    return !last;
}

/* From here on the block is plain memory, and whoever knows the old generation finds nothing. */
static void unpublish(uint64_t object)
{
    uint32_t generation = (object_generation(object) + 1) & OBJECT_GENERATION_MASK;

    atomic_store_explicit(&block_header_of(object)->kind, OBJECT_NONE | generation << 8, memory_order_release);
}

/*
 * The last handle: nobody else can take one any more, as one must have a handle to give one. So the inner cells
 * are dropped without the lock, one by one; if we end in between, recovery finds the object in our cell again.
 * Inner objects hold none themselves, or few: the recursion is as deep as objects are nested.
 */
void object_drop(struct hand *hand, _Atomic uint64_t *cell)
{
    uint64_t object = atomic_load_explicit(cell, memory_order_relaxed);

    if (!object) return;
    if (object_kind(object) != OBJECT_NONE) {
        struct object *object_ = object_at(object);
        if (drop_one(hand, object, cell)) return;
        if (object_kind(object) == OBJECT_PERMITS) permits_return(hand, (struct permits *)arena_at(object));
        for (uint32_t i = 0; i < object_->inner; i++)
            object_drop(hand, (_Atomic uint64_t *)arena_at(object + object_->inner_at) + i);
        unpublish(object);
    }
    block_give(hand, cell);
}

bool object_is(uint64_t object, enum object_kind kind, uint32_t generation)
{
    return atomic_load(&block_header_of(object)->kind) == ((uint32_t)kind | generation << 8);
}
