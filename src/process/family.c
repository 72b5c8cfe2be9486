/* Creates the family, or joins it. */
#include "process/family.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "object/parcel.h"
#include "object/recovery.h"
#include "object/wait.h"
#include "process/alarm.h"
#include "process/carried.h"
#include "process/children.h"
#include "process/descent.h"
#include "process/reaper.h"
#include "process/self.h"
#include "process/task.h"

/* More than anybody nests on purpose. */
#define DEPTH_MAX 4

struct family family = {.child_end = PLAT_NO_HANDLE};
plat_mutex family_mutex;
static mproc_status refused_status;
static char refused_text[512];

/* The reference of a function of this copy of the library tells it from other copies in the process. */
static mproc_status own_copy(function_ref *copy)
{
    return function_encode((function_pointer)family_enter_slow, copy);
}

static void thread_ended(void *value)
{
    uint32_t index = (uint32_t)(uintptr_t)value;

    if (atomic_load(&family.state) != FAMILY_MEMBER) return;
    if (thread_self.index != index) return; /* the end of a fiber, in another thread than its own */
    recovery_thread_settles();
    wait_thread_ends(); /* before the task's end, which frees references that it may have waited by */
    task_thread_ends();
    for (int i = 0; i < OBJECT_KINDS; i++)
        if (object_types[i] && object_types[i]->thread_ends) object_types[i]->thread_ends();
    if (index == family.main_thread) reaper_main_thread_ends();
    recovery_thread_ends(); /* a later exit hook of the program may still call the library */
}

static mproc_status open_object(const struct handle_ref *ref, void **object)
{
    struct reference *reference = NULL;
    mproc_status status = family_enter();

    if (status == MPROC_OK) status = reference_open_here(ref, &reference);
    if (status == MPROC_OK) *object = reference;
    return status;
}

static void drop_object(void *object)
{
    struct reference *reference = object;

    if (!reference->scope) family_free(reference);
}

static void release_kept(void *memory)
{
    struct parcel_keeper *keeper = memory;

    if (keeper->arena == REFERENCE_REMOTE) reference_scope_clear(&((struct remote_keeper *)memory)->scope);
    else if (family_enter_with(keeper->arena) == MPROC_OK) resource_release(keeper->owned);
    free(keeper);
}

static const struct handle_functions object_functions = {open_object, drop_object, release_kept};

static void fork_begins(void)
{
    children_fork_begins();
    alarm_fork_begins();
    carried_fork_begins();
    deposit_fork_begins();
    log_fork_begins();
}

static void fork_ends(void)
{
    log_fork_ends();
    deposit_fork_ends();
    carried_fork_ends();
    alarm_fork_ends();
    children_fork_ends();
}

static void forked(void)
{
    log_forked();
    plat_birth_forked();
    deposit_forked();
    carried_forked();
    alarm_forked();
    waiters_forked();
    children_forked();
    task_forked();
    memset(&family_mutex, 0, sizeof family_mutex); /* another thread may have had it */
    for (int i = 0; i < OBJECT_KINDS; i++)
        if (object_types[i] && object_types[i]->forked) object_types[i]->forked();
    atomic_store(&family.state, FAMILY_FORKED);
    thread_self.slot = NULL;
    thread_self.arena = 0;
    thread_self.request = NULL;
}

static mproc_status enter_thread(void)
{
    mproc_status status = slot_thread_enter(family.process);

    if (status == MPROC_OK) plat_thread_exit_set((void *)(uintptr_t)thread_self.index);
    return status;
}

/* The hooks outlive an attempt that fails later, so they are set once. */
static mproc_status set_hooks(void)
{
    static bool set;
    mproc_status status;

    if (set) return MPROC_OK;
    plat_module_pin((uintptr_t)thread_ended); /* what the system calls later, and threads of ours run, stays */
    if ((status = plat_thread_exit_hook(thread_ended)) != MPROC_OK) return status;
    if ((status = plat_process_at_fork(fork_begins, fork_ends, forked)) != MPROC_OK) return status;
    set = true;
    return MPROC_OK;
}

static mproc_status become_member(void)
{
    mproc_status status;

    if ((status = set_hooks()) != MPROC_OK) return status;
    handle_install(&object_functions);
    if ((status = enter_thread()) != MPROC_OK) return status;
    thread_self.interrupts_seen = 0; /* what came before the first call counts, too */
    atomic_store(&family.state, FAMILY_MEMBER);
    return MPROC_OK;
}

static mproc_status create_family(const function_ref *copy)
{
    struct process_slot *slot;
    mproc_status status;

    if ((status = arena_create(copy)) != MPROC_OK) return status;
    if ((status = slot_process_take(SLOT_NONE, &family.process)) != MPROC_OK) goto done;
    slot = family_slot();
    atomic_store(&slot->born_before_ns, plat_process_born_before_ns(NULL));
    atomic_store(&slot->pid, plat_process_id());
    atomic_store(&slot->state, process_state_word(PROCESS_ATTACHED, atomic_load(&slot->state)));
    status = become_member();
done:
    if (status != MPROC_OK) arena_detach();
    return status;
}

/* From here on the process is this child, whatever goes wrong: it must not take itself for a first process. */
static mproc_status join_family(const struct spawn_token *token)
{
    struct process_slot *slot = process_slot_at(token->process);
    uint32_t state = atomic_load(&slot->state);
    mproc_status status;

    if (atomic_load(&slot->generation) != token->generation || (state & 7u) != PROCESS_STARTING ||
        !atomic_compare_exchange_strong(&slot->state, &state, process_state_word(PROCESS_ATTACHED, state)))
        return mproc_error(MPROC_BAD_STATE, "the parent of this process ended while it was started");
    if ((status = plat_handle_adopt(token->memory)) != MPROC_OK) return status;
    if ((status = plat_handle_adopt(token->child_end)) != MPROC_OK) return status;
    family.child_end = token->child_end;
    if ((atomic_load(&slot->flags) & PROCESS_DAEMON) && (status = plat_sentinel_arm(token->child_end)) != MPROC_OK)
        return status;
    family.process = token->process;
    family.spawn_data = (const struct spawn_data *)arena_at(atomic_load(&slot->spawn_data));
    log_inherit(&family.spawn_data->log);
    log_set_name(family.spawn_data->name);
    if (token->door != PLAT_NO_HANDLE && plat_handle_adopt(token->door) == MPROC_OK) deposit_join(token->door);
    if ((status = carried_adopt(family.spawn_data)) != MPROC_OK) return status;
    plat_birth_adopt_end();
    plat_process_show_name();
    return become_member();
}

static mproc_status refuse(mproc_status status)
{
    refused_status = status;
    snprintf(refused_text, sizeof refused_text, "%s", mproc_last_error_text());
    family.child = true;
    atomic_store(&family.state, FAMILY_REFUSED);
    return status;
}

/* The last fuse: whatever starts programs in a circle, each a family of its own, comes to an end. */
static mproc_status check_depth(uint32_t depth)
{
    if (depth <= DEPTH_MAX) return MPROC_OK;
    return refuse(mproc_error(MPROC_LIMIT,
                              "process %lld is %lu families deep in others: programs that start one another before "
                              "their main guards would never come to an end",
                              (long long)plat_process_id(), (unsigned long)depth));
}

static mproc_status create_or_join(void)
{
    struct spawn_token token = {.depth = 0};
    struct process_slot *slot;
    function_ref copy;
    mproc_status status;

    if ((status = own_copy(&copy)) != MPROC_OK) return status;
    switch (descent_find(&copy, &token, &status)) {
    case DESCENT_NONE:
        family.depth = token.depth;
        return (status = check_depth(token.depth)) == MPROC_OK ? create_family(&copy) : status;
    case DESCENT_CHILD:
        family.depth = token.depth;
        family.child = true;
        if ((status = join_family(&token)) == MPROC_OK) return MPROC_OK;
        slot = process_slot_at(token.process);
        if (atomic_load(&slot->pid) == plat_process_id()) atomic_store(&slot->refused, (uint32_t)status);
        return refuse(status);
    case DESCENT_REFUSED:
        break;
    }
    return refuse(status);
}

/* What the copy has of the family of its origin: it is no member of that, and has none of its children. */
static void leave_family(void)
{
    arena_forked();
    resource_owner_forget();
    reference_scope_enter(NULL);
    reaper_forked();
    self_forked();
    plat_handle_close(family.child_end);
    family.child_end = PLAT_NO_HANDLE;
    family.spawn_data = NULL;
    family.main_thread = 0;
    if (family.child) family.depth++;
    family.child = false;
    atomic_store(&family.leaving, NULL);
}

/*
 * A copy that makes something of its own creates a family for it: so daemon() and servers that fork workers have one.
 * But not where a child is expected at its guard: a copy that came there would run the program as a first process.
 */
static mproc_status create_after_fork(void)
{
    function_ref copy;
    mproc_status status;

    if (family.child && !atomic_load(&family.entered))
        return mproc_error(MPROC_FORKED,
                           "process %lld is a fork() copy of a child that has not passed its main guard: daemon() "
                           "and fork() come after mproc_main_guard()",
                           (long long)plat_process_id());
    if (arena_header) leave_family();
    if ((status = check_depth(family.depth)) != MPROC_OK || (status = own_copy(&copy)) != MPROC_OK) return status;
    status = create_family(&copy);
    if (status == MPROC_OK) family.main_thread = thread_self.index;
    return status;
}

mproc_status family_enter_slow(void)
{
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&family_mutex);
    switch (atomic_load(&family.state)) {
    case FAMILY_NONE:
        status = create_or_join();
        break;
    case FAMILY_FORKED:
        status = create_after_fork();
        break;
    case FAMILY_REFUSED:
        status = mproc_error(refused_status, "%s", refused_text);
        break;
    default:
        status = enter_thread();
        break;
    }
    plat_mutex_unlock(&family_mutex);
    return status;
}

mproc_status family_enter_with_slow(uint32_t arena)
{
    mproc_status status = MPROC_OK;

    if (atomic_load(&family.state) != FAMILY_FORKED && !thread_self.slot) status = family_enter_slow();
    if (status != MPROC_OK || thread_self.arena == arena || arena == REFERENCE_REMOTE) return status;
    return mproc_error(MPROC_FORKED,
                       "process %lld is a fork() copy, and was to use what it has from the process that it is a copy "
                       "of: that is of another family; a copy uses what it has made itself",
                       (long long)plat_process_id());
}
