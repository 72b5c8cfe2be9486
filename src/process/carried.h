/*
 * Objects that have a handle of the system in each process that uses them. A process gets it from the one that starts
 * it, with the arguments that refer to the object, or by a deposit, from one that has sent it a message with it.
 */
#ifndef MPROC_PROCESS_CARRIED_H
#define MPROC_PROCESS_CARRIED_H

#include "base/key_table.h"
#include "process/deposit.h"
#include "process/spawn_data.h"

/*
 * What all references of this process to such an object share, and each has in `own`; what follows is the type's.
 * `handle`, `ref` - zero: there is no object - and `end`, which closes and frees what nobody refers to any more, are
 * set before it is listed. The rest is guarded by the mutex of carried.c.
 */
struct carried {
    struct keyed keyed;
    struct handle_ref ref;
    plat_handle handle;
    void (*end)(struct carried *carried);
    uint32_t references;
};

/* Lists it, with one reference. */
void carried_add(struct carried *carried);

/* One reference less, and with the last one its end. NULL is fine. */
void carried_drop(struct carried *carried);

/*
 * Makes what this process has of an object out of its handle, which is closed if that fails. `ref` is set later; the
 * mutex of carried.c may be held.
 */
typedef mproc_status carried_make(const struct reference *reference, plat_handle handle, struct carried **out);

/*
 * The `opened` of such types: what this process has already; or what is made of the handle that it was started with,
 * or, if the object stands in a message by the object `by`, of a duplicate of what is deposited. MPROC_CLOSED: there
 * is none. As deposit_take(), and as `make`.
 */
mproc_status carried_open(struct reference *reference, uint64_t by, carried_make *make);

/* The `closing` of such types. */
void carried_close(struct reference *reference);

/* The `stand_in` of such types: what goes in the object's place in a message, with its handle. As deposit_put(). */
mproc_status carried_stand_in(struct intent *intent, const struct handle_ref *ref, _Atomic uint64_t *owned,
                              const struct wait *wait);

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
