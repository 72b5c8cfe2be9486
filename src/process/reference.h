/*
 * This process' references to objects: what the pointers that a program has to locks, events and so on point to.
 * Each has a handle of its object; the object lives until the last process has dropped its last one.
 */
#ifndef MPROC_PROCESS_REFERENCE_H
#define MPROC_PROCESS_REFERENCE_H

#include "arena/cells.h"
#include "process/family.h"

/*
 * All but the atomics is set before anybody else knows it. `sleepers` counts the threads that wait by it; `closed`
 * sends them away.
 */
struct reference {
    enum object_kind kind;
    _Atomic uint32_t closed;
    _Atomic uint32_t sleepers;
    uint64_t object;
    void *at; /* the object */
    _Atomic uint64_t *cell;
    _Atomic uint64_t *account; /* a semaphore's: the cell of its struct permits, or NULL */
    struct reference *next;    /* of the same call */
};

/* Makes an object of `size` bytes, all zero, that reference_publish() makes known. MPROC_NO_MEMORY. */
mproc_status reference_create(enum object_kind kind, size_t size, struct reference **out);
void reference_publish(const struct reference *reference);

/* Refers to an object that lives meanwhile. MPROC_NO_MEMORY. */
mproc_status reference_open(uint64_t object, struct reference **out);

/* Sends away who waits by it in this process, waits until they have left, and drops the handle. NULL is fine. */
void reference_free(struct reference *reference);

/*
 * Around a wait: between the two the reference stays. MPROC_CLOSED: it is being freed.
 */
static inline void reference_waits(struct reference *reference)
{
    atomic_fetch_add(&reference->sleepers, 1);
}

static inline void reference_waited(struct reference *reference)
{
    atomic_fetch_sub(&reference->sleepers, 1);
}

/* Why a wait that goes on should end: MPROC_CLOSED, MPROC_INTERRUPTED, or MPROC_OK. */
mproc_status reference_reason(struct reference *reference);

/* The same, of those that stay when they are interrupted: MPROC_CLOSED or MPROC_OK. */
mproc_status reference_open_still(struct reference *reference);

#endif
