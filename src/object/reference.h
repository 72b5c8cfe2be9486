/*
 * This process' references to objects: what the pointers that a program has to locks, events and so on point to.
 * Each has a handle of its object; the object lives until the last process has dropped its last one.
 */
#ifndef MPROC_OBJECT_REFERENCE_H
#define MPROC_OBJECT_REFERENCE_H

#include <mproc/call.h>

#include "base/key_table.h"
#include "object/parcel.h"
#include "object/resource_owner.h"

/*
 * All but the atomics is set before anybody else knows it. `sleepers` counts the threads that wait by it; `closed`
 * sends them away.
 */
struct reference {
    struct handle_ref ref; /* first: so values find it */
    void *at;              /* the object */
    uint32_t arena;        /* the generation of the arena in which that is, or REFERENCE_REMOTE */
    _Atomic uint32_t closed;
    _Atomic uint32_t sleepers;
    _Atomic uint32_t noted; /* of its type: what this process has done by it, as bits */
    _Atomic uint64_t *owned;
    _Atomic(void *) own;           /* what the functions of its type keep for this process, or NULL */
    struct reference_scope *scope; /* whose it is; NULL: the program's */
    struct keyed keyed;            /* there */
};

/*
 * Instead of an arena: the object is in another program, and `at` is NULL. All that is done by it is done by the row
 * of OBJECT_REMOTE.
 */
#define REFERENCE_REMOTE UINT32_MAX

/*
 * The references that a task gets from values: one of each object, however often it asks. They are the task's, which
 * may free them, and are dropped with it. Zeroed memory is an empty scope; any thread of the task uses it.
 */
struct reference_scope {
    plat_mutex mutex;
    struct key_table references;
};

void reference_scope_clear(struct reference_scope *scope);

/* The reference behind this one, in no order; NULL: the first one, and behind the last. */
struct reference *reference_scope_next(const struct reference_scope *scope, const struct reference *reference);

/* Keeps the objects in another program that a value refers to; as a parcel_keeper, of which it begins as one. */
struct remote_keeper {
    struct parcel_keeper head;
    struct reference_scope scope;
};

/*
 * Opens what the arguments refer to and what has a part outside of the arena, which handles do not keep alive. As
 * reference_open().
 */
mproc_status reference_scope_keep(struct reference_scope *scope, const mproc_args *args);

/*
 * What the calling thread opens from now on is of this scope; NULL: is the caller's of whatever opens it. Returns the
 * scope until now.
 */
struct reference_scope *reference_scope_enter(struct reference_scope *scope);

static inline void reference_note(struct reference *reference, uint32_t bit)
{
    if (!(atomic_load_explicit(&reference->noted, memory_order_relaxed) & bit))
        atomic_fetch_or(&reference->noted, bit);
}

/* Makes an object of `size` bytes, all zero, that reference_publish() makes known. MPROC_NO_MEMORY. */
mproc_status reference_create(enum object_kind kind, size_t size, struct reference **out);
void reference_publish(const struct reference *reference);

/*
 * Refers to an object that lives meanwhile. MPROC_NO_MEMORY; MPROC_CLOSED: what is there is not that object any more;
 * and what `opened` of its type returns.
 */
mproc_status reference_open(const struct handle_ref *ref, struct reference **out);

/* The same for a value that is read: the reference is of the scope that this thread has entered, if any. */
mproc_status reference_open_here(const struct handle_ref *ref, struct reference **out);

/*
 * The account of the reference, which the first call makes: an object of the kind that only this process has, and
 * whose first link, behind its struct object, refers to the reference's object. It is kept in `own`; the type's
 * closing() releases it. MPROC_NO_MEMORY.
 */
mproc_status reference_account(struct reference *reference, enum object_kind kind, size_t size, void **account);

/*
 * Sends away who waits by it in this process, waits until they have left, and drops the handle. NULL is fine. Of what
 * a fork() copy has from another process nothing but the memory is given back.
 */
void reference_free(struct reference *reference);

#endif
