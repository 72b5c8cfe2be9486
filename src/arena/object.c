/* Handles: the object's count and the cell change together, by the intent. */
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

static void begin(struct intent *intent, uint64_t object, const arena_lock *lock)
{
    uint32_t kind = atomic_load_explicit(&block_header_of(object)->kind, memory_order_relaxed);

    intent_begin(intent, lock, object, kind);
}

void object_lock(struct intent *intent, uint64_t object, arena_lock *lock)
{
    uint32_t expected = 0;

    begin(intent, object, lock);
    if (!atomic_compare_exchange_strong(&lock->word, &expected, thread_self.tag)) lock_acquire_slow(lock);
}

/*
 * The lock may be gone with its object: the thread had released it, and others have dropped the last handle since.
 * What lies there now is somebody's data, in which the thread's tag is a small number like many.
 */
bool object_has_lock(const struct intent *intent)
{
    uint64_t object = atomic_load(&intent->object);

    if (atomic_load(&intent->lock) == 0) return false;
    return !object || atomic_load(&block_header_of(object)->kind) == atomic_load(&intent->kind);
}

/* Under the object's lock: the count changes together with the cell that is counted. */
static void set_handles(struct intent *intent, const struct object *object, uint32_t handles,
                        const _Atomic uint64_t *cell, uint64_t content)
{
    intent_store_half(intent, &object->handles, handles);
    intent_store(intent, cell, content);
    intent_commit(intent);
}

void object_refer(struct intent *intent, uint64_t object, _Atomic uint64_t *cell)
{
    struct object *object_ = object_at(object);
    uint32_t handles;

    assert(atomic_load(cell) == 0 && object_kind(object) != OBJECT_NONE);
    object_lock(intent, object, &object_->lock);
    handles = atomic_load_explicit(&object_->handles, memory_order_relaxed);
    set_handles(intent, object_, handles + 1, cell, object);
    lock_release(intent, &object_->lock);
}

/*
 * As lock_acquire(), while the cell has the object. In recovery the lock's owner may be another recoverer that died
 * over this very cell. What is done for that one while we wait here empties the cell, and then others may free the
 * object: it is not ours to lock. Returns false, with no lock in the intent, if so.
 */
static bool acquire_while(struct intent *intent, uint64_t object, const _Atomic uint64_t *cell)
{
    arena_lock *lock = &object_at(object)->lock;
    uint32_t expected = 0;
    int64_t look_ns = 0;

    begin(intent, object, lock);
    if (atomic_compare_exchange_strong(&lock->word, &expected, thread_self.tag)) return true;
    while (lock_try_wait(lock, PLAT_FOREVER, &look_ns) != LOCK_TAKEN) {
        if (atomic_load(cell) == object) continue;
        lock_wake(lock); /* a wake-up may have come to us */
        intent_end(intent);
        return false;
    }
    return true;
}

/* Returns false, with nothing changed, if this is the last handle. */
static bool drop_one(struct intent *intent, uint64_t object, _Atomic uint64_t *cell)
{
    struct object *object_ = object_at(object);
    bool last = false;

    if (acquire_while(intent, object, cell)) {
        uint32_t handles = atomic_load_explicit(&object_->handles, memory_order_relaxed);
        last = handles == 1;
        if (!last) set_handles(intent, object_, handles - 1, cell, 0);
        lock_release(intent, &object_->lock);
    }
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
void object_drop(struct intent *intent, _Atomic uint64_t *cell)
{
    uint64_t object = atomic_load_explicit(cell, memory_order_relaxed);

    if (!object) return;
    if (object_kind(object) != OBJECT_NONE) {
        struct object *object_ = object_at(object);
        if (drop_one(intent, object, cell)) return;
        if (object_kind(object) == OBJECT_PERMITS) permits_return(intent, (struct permits *)arena_at(object));
        for (uint32_t i = 0; i < object_->inner; i++)
            object_drop(intent, (_Atomic uint64_t *)arena_at(object + object_->inner_at) + i);
        unpublish(object);
    }
    block_give(intent, cell);
}

bool object_is(uint64_t object, enum object_kind kind, uint32_t generation)
{
    return atomic_load(&block_header_of(object)->kind) == ((uint32_t)kind | generation << 8);
}
