/*
 * Objects that have a handle of the system in each process that uses them. A process gets it from the one that starts
 * it, with the arguments that refer to the object, or by a deposit, from one that has sent it a message with it.
 */
#ifndef MPROC_PROCESS_CARRIED_H
#define MPROC_PROCESS_CARRIED_H

#include "process/deposit.h"
#include "process/spawn_data.h"

/*
 * What all references of this process to such an object share, and each has in `own`; what follows is the type's.
 * `handle` and `ref` are set before it is listed; the rest is guarded by the mutex of carried.c.
 */
struct carried {
    struct handle_ref ref;
    plat_handle handle;
    uint32_t references;
    struct carried *next;
};

/* Lists it, with one reference. */
void carried_add(struct carried *carried);

/* What this process has of the object, with one reference more, or NULL. */
struct carried *carried_find(const struct handle_ref *ref);

/* One reference less. True: it was the last one, and it is listed no more. NULL is fine. */
bool carried_drop(struct carried *carried);

/* Makes a duplicate of the handle that this process has for the object. MPROC_CLOSED: it has none. MPROC_LIMIT. */
mproc_status carried_copy(const struct handle_ref *ref, plat_handle *copy);

/* The `stand_in` of such types: what goes in the object's place in a message, with its handle. */
mproc_status carried_stand_in(struct intent *intent, const struct handle_ref *ref, _Atomic uint64_t *owned);

/*
 * Takes the handle that this process was started with for the object; or, if that stands in a message by the object
 * `by`, a duplicate of what is deposited. MPROC_CLOSED: there is none. And as deposit_take().
 */
mproc_status carried_obtain(const struct handle_ref *ref, uint64_t by, plat_handle *handle);

/* How many handles go to the child whose arguments these references keep. */
size_t carried_count(const struct reference_scope *kept);

/* Writes them, with the number that each has here, which the child's takes the place of. */
void carried_list(const struct reference_scope *kept, struct spawn_given *into);

/* The child has them. */
void carried_gave(const struct reference_scope *kept);

/* In a child: takes charge of all that it was started with. MPROC_INVALID, MPROC_NO_MEMORY. */
mproc_status carried_adopt(const struct spawn_data *spawn_data);

void carried_fork_begins(void);
void carried_fork_ends(void);
void carried_forked(void);

#endif
