/* The process object, as the files of this layer see it. */
#ifndef MPROC_PROCESS_PROCESS_H
#define MPROC_PROCESS_PROCESS_H

#include <mproc/process.h>

#include "process/spawn_data.h"
#include "object/reference.h"
#include "object/waitable.h"

enum process_role { PROCESS_CHILD, PROCESS_SELF, PROCESS_PARENT };
enum process_phase { PROCESS_CREATED, PROCESS_STARTED, PROCESS_ENDED };

/* Called once, by whichever thread collects the process, when it has ended and nobody holds a lock. */
typedef void process_ended(void *context, mproc_process *process);

/*
 * Created, then started, then ended; closed at any time but in between. Everything up to `authkey`
 * is set at creation, or by a setter before start. `phase` and all below it is guarded by `mutex`,
 * `references` and `next` by the mutex of children.c.
 *
 * Lock order: a process' mutex, then reaper_mutex, family_mutex, the one of children.c.
 */
struct mproc_process {
    enum process_role role;
    uint32_t arena; /* the generation of its family's arena, see family_enter_with() */
    function_ref function_ref;
    mproc_function *function;
    _Atomic uint64_t *args;      /* the owned slot of its arguments until it is started, or NULL */
    struct reference_scope kept; /* what they refer to by a name */
    char **environment;
    bool environment_only;
    bool inherit_signals;
    char *working_directory;
    plat_stream stdio[3];
    bool daemon;
    bool worker;    /* of a pool: ended without a grace time, and not listed */
    bool stoppable; /* a manager: Ctrl-C is not for it, and when it is interrupted it ends in good order */
    process_ended *ended;
    void *ended_context;
    char name[SPAWN_NAME_BYTES];
    char identity[SPAWN_IDENTITY_BYTES];
    uint8_t authkey[SPAWN_KEY_BYTES];
    size_t authkey_size;

    plat_mutex mutex;
    enum process_phase phase;
    bool closed;
    bool asked;           /* to end, or to stop, by this process */
    bool unguarded;       /* it ended without having passed its main guard */
    mproc_status refused; /* why it could not become a member, if it could not */
    bool slot_kept;       /* ended, but its slot is not recovered yet */
    int runs;             /* threads that run its function here */
    int joiners;          /* threads that wait on the handle */
    uint32_t slot;
    plat_process os;
    plat_handle parent_end; /* this side's end of its sentinel */
    mproc_exit_status exit;
    bool returned; /* its task has, before it ended */
    mproc_status task_status;
    char task_text[SPAWN_TEXT_BYTES];

    _Atomic bool freed; /* by its creator: it lives on while it runs */
    int references;     /* the creator's, the list's, and those of threads that use it */
    uint64_t token;
    mproc_process *next;
};

extern const struct waitable process_waitable;

/* Gives up this side's end of its sentinel. */
void process_close_parent_end(mproc_process *process);

/* Under the mutex, when nobody waits on it any more: closes the system's handle of it. */
void process_release_handle(mproc_process *process);

/* Under its mutex: this process' own handle of the arguments is not needed any more. */
void process_give_arguments(mproc_process *process);

void process_destroy(mproc_process *process);

#endif
