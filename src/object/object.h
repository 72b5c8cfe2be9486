/*
 * Objects: blocks that several processes hold. An object counts its handles; a handle is an owned slot - a word that
 * only one thread changes, and after its death recovery - with the object's offset in it. The last handle that is
 * dropped frees the object, whether its holder gave it up or was killed.
 *
 * The block in an owned slot tells by its kind what the slot means: an object, of which it is one handle of several,
 * or plain memory, which is the slot's alone. So one call, object_drop(), gives up whatever an owned slot has, and
 * recovery knows nothing else of a process' owned slots.
 *
 * An object may hold others: their handles are owned slots inside it, its links, which are dropped before it is
 * freed. What more there is to a kind of objects stands in its type (type.h).
 */
#ifndef MPROC_OBJECT_OBJECT_H
#define MPROC_OBJECT_OBJECT_H

#include "arena/block.h"
#include "base/handle.h"
#include "object/type.h"

/* Those that values can refer to, and more. 0 is plain memory. */
enum object_kind {
    OBJECT_NONE = 0,
    OBJECT_LOCK = MPROC_KIND_LOCK,
    OBJECT_RLOCK = MPROC_KIND_RLOCK,
    OBJECT_SEMAPHORE = MPROC_KIND_SEMAPHORE,
    OBJECT_CONDITION = MPROC_KIND_CONDITION,
    OBJECT_EVENT = MPROC_KIND_EVENT,
    OBJECT_BARRIER = MPROC_KIND_BARRIER,
    OBJECT_VALUE = MPROC_KIND_SHARED_VALUE,
    OBJECT_ARRAY = MPROC_KIND_SHARED_ARRAY,
    OBJECT_MEMORY = MPROC_KIND_SHARED_MEMORY,
    OBJECT_SHAREABLE_LIST = MPROC_KIND_SHAREABLE_LIST,
    OBJECT_DICT = MPROC_KIND_DICT,
    OBJECT_SET = MPROC_KIND_SET,
    OBJECT_NAMESPACE = MPROC_KIND_NAMESPACE,
    OBJECT_LIST = MPROC_KIND_LIST,
    OBJECT_OBJECT = MPROC_KIND_OBJECT,
    OBJECT_QUEUE = MPROC_KIND_QUEUE,
    OBJECT_CONNECTION = MPROC_KIND_CONNECTION,
    OBJECT_OS_HANDLE = MPROC_KIND_OS_HANDLE,
    OBJECT_HOME = 53,       /* what a process alone has of that */
    OBJECT_SERVICE = 54,    /* what a process has for its objects of classes */
    OBJECT_STREAM = 58,     /* what goes with messages of a pipe */
    OBJECT_TASKS = 59,      /* a segment of the stream of a pool's tasks */
    OBJECT_ITEMS = 55,      /* values in a row: what a list has */
    OBJECT_TABLE = 56,      /* keys and values: what dicts and their kin have */
    OBJECT_REMOTE = 57,     /* no block has it: the row of all that is in another program */
    OBJECT_LEASES = 60,     /* what one process has got from a queue and not done */
    OBJECT_SPAWN_DATA = 61, /* what a child is born with */
    OBJECT_PARCEL = 62,     /* a value on its way */
    OBJECT_PERMITS = 63     /* what one process has of a semaphore whose permits come back when it dies */
};

#define OBJECT_GENERATION_MASK 0xFFFFFFu

/*
 * What each object begins with. `handles` is the number of handles, and OBJECT_GIVEN once there were several holders;
 * it changes under the lock alone, and the change is the publishing store of taking and dropping a handle. `next` is
 * for whoever drops the last one: see object_drop().
 */
#define OBJECT_GIVEN 0x80000000u

struct object {
    arena_lock lock;
    _Atomic uint32_t handles;
    _Atomic uint64_t next;
};

static inline uint32_t object_handles(const struct object *object)
{
    return atomic_load(&object->handles) & ~OBJECT_GIVEN;
}

/* Whether there were several holders, and so many handles are left. */
static inline bool object_is_left(const struct object *object, uint32_t handles)
{
    return atomic_load(&object->handles) == (OBJECT_GIVEN | handles);
}

/* Tells an object from those that lay at its place before. Valid while it is an object. */
static inline uint32_t object_generation(uint64_t object)
{
    return atomic_load_explicit(&block_header_of(object)->kind, memory_order_relaxed) >> 8;
}

static inline enum object_kind object_kind(uint64_t object)
{
    return (enum object_kind)(atomic_load_explicit(&block_header_of(object)->kind, memory_order_acquire) & 0xFFu);
}

/* The type of what is an object. */
static inline const struct object_type *object_type(uint64_t object)
{
    const struct object_type *type = object_types[object_kind(object)];

    assert(type);
    return type;
}

/*
 * The type of what is at an offset from a source that may be out of date: 0, or an object that is gone. NULL: there
 * is no object.
 */
static inline const struct object_type *object_type_there(uint64_t object)
{
    uint32_t kind = object ? block_kind(object) & 0xFFu : OBJECT_NONE;

    return kind < OBJECT_KINDS ? object_types[kind] : NULL;
}

/*
 * What refers to the object, while it is one. Its generation is salted: so what a fork() copy has of references to
 * objects of its origin's family refers to nothing in its own.
 */
static inline struct handle_ref object_ref(uint64_t object)
{
    uint32_t generation = object_generation(object) ^ arena_header->salt;

    return (struct handle_ref){(uint32_t)object_kind(object), generation, object};
}

/*
 * When nobody has the holder any more: gives up what its link has, as object_drop() does, but an object that ends
 * with it is put behind the holder, and ends after it. So what ends may hold others however deep, and needs no stack.
 */
void object_drop_link(struct intent *intent, uint64_t holder, _Atomic uint64_t *link);

/*
 * Makes the owned slot's block an object, of which the owned slot is the only handle. It begins with a struct object,
 * and its links are empty.
 */
void object_publish(const _Atomic uint64_t *owned, enum object_kind kind);

/*
 * Puts another handle of the object into the empty owned slot. The caller sees to it that the object lives meanwhile.
 * `given` is OBJECT_GIVEN, or 0 for a handle that goes with another of the same holder.
 */
void object_refer(struct intent *intent, uint64_t object, _Atomic uint64_t *owned, uint32_t given);

/*
 * Gives up what the owned slot has, a handle or plain memory, and empties it; an empty owned slot is fine. Objects
 * that end with it are freed one after the other, however long their chain is.
 */
void object_drop(struct intent *intent, _Atomic uint64_t *owned);

/*
 * Blocks until the calling thread has `lock`, which lies in the object; see lock_acquire(). Released by
 * lock_release().
 */
void object_lock(struct intent *intent, uint64_t object, arena_lock *lock);

/* The process that holds what is at this offset (0: nothing) has died: what others wait for comes back at once. */
void object_holder_died(struct intent *intent, uint64_t object);

/* Whether what a source refers to that may be out of date is still there. */
bool object_there(const struct handle_ref *ref);

#endif
