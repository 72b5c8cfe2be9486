/*
 * This process' membership in its family: created by the first process' first call, joined by each
 * child's first call.
 */
#ifndef MPROC_PROCESS_FAMILY_H
#define MPROC_PROCESS_FAMILY_H

#include "arena/slot.h"
#include "object/reference.h"
#include "process/spawn_data.h"

enum family_state {
    FAMILY_NONE, /* no call has been made */
    FAMILY_MEMBER,
    FAMILY_REFUSED, /* a child that cannot join; the reason is kept */
    FAMILY_FORKED   /* a fork() copy of a member, which has made nothing of its own yet */
};

/*
 * Set by the first call under family_mutex, then read by all. The main guard sets `main_thread`; that, `entered`,
 * `leaving` and `executable` change later.
 */
struct family {
    _Atomic int state;
    bool child;                          /* started by a member, as opposed to the first process */
    _Atomic bool entered;                /* has passed its main guard */
    _Atomic(const char *) leaving;       /* why it starts nothing any more, or NULL; see children_close() */
    uint32_t process;                    /* its slot */
    uint32_t main_thread;                /* the slot of the thread that has called the main guard, or 0 */
    uint32_t depth;                      /* of families that were created by processes which others started */
    plat_handle child_end;               /* a child's end of its sentinel */
    const struct spawn_data *spawn_data; /* a child's */
    char *executable;                    /* mproc_set_executable(), guarded by family_mutex */
};

extern struct family family;
extern plat_mutex family_mutex;

mproc_status family_enter_slow(void);

/* What every public call does first: makes the process a member, and gives the thread its slot. */
static inline mproc_status family_enter(void)
{
    return thread_self.slot ? MPROC_OK : family_enter_slow();
}

mproc_status family_enter_with_slow(uint32_t arena);

/*
 * The same for a call on an object, which was made in the arena of this generation, or is REFERENCE_REMOTE.
 * MPROC_FORKED: it is of the family of another process, of which this one is a fork() copy.
 */
static inline mproc_status family_enter_with(uint32_t arena)
{
    return thread_self.arena == arena ? MPROC_OK : family_enter_with_slow(arena);
}

/* Frees a reference of the program. NULL is fine. A fork() copy drops no handles: they are its origin's. */
static inline void family_free(struct reference *reference)
{
    if (reference && family_enter_with(reference->arena) == MPROC_OK) reference_free(reference);
}

static inline struct process_slot *family_slot(void)
{
    return process_slot_at(family.process);
}

#endif
