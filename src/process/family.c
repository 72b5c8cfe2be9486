/* Founds the family, or joins it. */
#include "process/family.h"

#include <stdio.h>

#include "object/held.h"
#include "process/children.h"
#include "process/marker.h"

#define NAMING_LOOK_NS ((int64_t)50000)

struct family family = {.watched = PLAT_NO_HANDLE};
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
    held_abandon(&thread_slot_at(index)->intents[INTENT_WORK], thread_slot_at(index), thread_self.tag);
    plat_semaphore_close(&thread_slot_at(index)->semaphore);
    slot_thread_release(index);
    thread_self.slot = NULL; /* a later exit hook of the program may still call the library */
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

static const struct handle_functions object_functions = {open_object, drop_object};

static void forked(void)
{
    children_forked();
    atomic_store(&family.state, FAMILY_FORKED);
    thread_self.slot = NULL;
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
    if ((status = plat_thread_exit_hook(thread_ended)) != MPROC_OK) return status;
    if ((status = plat_process_at_fork(children_fork_begins, children_fork_ends, forked)) != MPROC_OK) return status;
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

static mproc_status found(const function_ref *copy)
{
    struct process_slot *slot;
    mproc_status status;

    if ((status = arena_create(copy)) != MPROC_OK) return status;
    if ((status = slot_process_take(SLOT_NONE, &family.process)) != MPROC_OK) goto done;
    slot = family_slot();
    atomic_store(&slot->born_before_ns, plat_clock_birth_ns());
    atomic_store(&slot->pid, plat_process_id());
    atomic_store(&slot->state, process_state_word(PROCESS_ATTACHED, atomic_load(&slot->state)));
    status = become_member();
done:
    if (status != MPROC_OK) arena_detach();
    return status;
}

static bool parent_gone(const struct marker *marker)
{
    int ready;
    return plat_handle_wait(&marker->watched, 1, 0, &ready) == MPROC_OK;
}

/*
 * Whether the slot has been freed since the marker was written, and now names a later child. Then this
 * process may well be the first one, whose parent did not live to name it: to found a family of its own, and so
 * to run the program once more, would be the worse mistake.
 */
static bool slot_reused(const struct marker *marker, mproc_status attached)
{
    return attached == MPROC_OK && marker->process < arena_header()->processes_max &&
           atomic_load(&process_slot_at(marker->process)->generation) != marker->generation;
}

/*
 * Waits until the parent has written whose the marker is; it does so right after the system has
 * started the child. Returns that process id, or 0 if the parent ended before, or has done with the child.
 */
static int64_t named_pid(const struct marker *marker, mproc_status attached)
{
    _Atomic int64_t *pid = (_Atomic int64_t *)arena_at(marker->pid_offset);

    while (atomic_load(pid) == 0) {
        if (parent_gone(marker) || slot_reused(marker, attached)) return atomic_load(pid);
        plat_clock_sleep_until(plat_clock_now_ns() + NAMING_LOOK_NS);
    }
    return atomic_load(pid);
}

/* From here on the process is this child, whatever goes wrong: it must not take itself for a first process. */
static mproc_status join_family(const struct marker *marker)
{
    struct process_slot *slot = process_slot_at(marker->process);
    uint32_t state = atomic_load(&slot->state);
    mproc_status status;

    if (atomic_load(&slot->generation) != marker->generation || (state & 7u) != PROCESS_STARTING ||
        !atomic_compare_exchange_strong(&slot->state, &state, process_state_word(PROCESS_ATTACHED, state)))
        return mproc_error(MPROC_BAD_STATE, "the parent of this process ended while it was started");
    if ((status = plat_handle_adopt(marker->memory)) != MPROC_OK) return status;
    if ((status = plat_handle_adopt(marker->watched)) != MPROC_OK) return status;
    family.watched = marker->watched;
    if ((atomic_load(&slot->flags) & PROCESS_DAEMON) && (status = plat_sentinel_arm(marker->watched)) != MPROC_OK)
        return status;
    family.process = marker->process;
    family.letter = (const struct letter *)arena_at(atomic_load(&slot->letter));
    plat_process_show_name();
    return become_member();
}

/*
 * It cannot map the arena: something between the parent and this program has closed the handle, or limited its
 * memory. Or it is a grandchild, which has not inherited the handle; then its parent is another.
 */
static bool is_child_without_arena(const struct marker *marker, mproc_status status)
{
    if (marker->parent != plat_process_parent_id()) return false;
    mproc_error(status, "this process was started by process %lld of a family whose memory it cannot have: %s",
                (long long)marker->parent, mproc_last_error_text());
    return true;
}

/*
 * Decides whether this process is the child that the marker speaks of. A program that the child
 * itself starts before its first call inherits marker and handles, but has another process id.
 */
static bool is_meant(const struct marker *marker, const function_ref *copy, mproc_status *status)
{
    int64_t pid;

    *status = arena_attach(marker->memory, marker->reserve, copy);
    if (*status != MPROC_OK && *status != MPROC_MISMATCH) return is_child_without_arena(marker, *status);
    pid = named_pid(marker, *status);
    if (pid == plat_process_id()) return true;
    if (pid == 0 || slot_reused(marker, *status)) {
        *status = mproc_error(MPROC_BAD_STATE, "the parent of this process ended while it was started");
        return true;
    }
    arena_detach();
    return false;
}

static mproc_status found_or_join(void)
{
    char text[MARKER_BYTES];
    struct marker marker;
    function_ref copy;
    mproc_status status;
    bool marked = plat_system_environment(MARKER_NAME, text, sizeof text);

    if ((status = own_copy(&copy)) != MPROC_OK) return status;
    if (marked) plat_system_environment_remove(MARKER_NAME);
    if (!marked || !marker_parse(text, &marker) || !is_meant(&marker, &copy, &status)) return found(&copy);

    family.child = true;
    if (status == MPROC_OK) status = join_family(&marker);
    if (status != MPROC_OK) {
        refused_status = status;
        snprintf(refused_text, sizeof refused_text, "%s", mproc_last_error_text());
        atomic_store(&family.state, FAMILY_REFUSED);
    }
    return status;
}

mproc_status family_enter_slow(void)
{
    mproc_status status = MPROC_OK;

    if (atomic_load(&family.state) == FAMILY_FORKED)
        return mproc_error(MPROC_FORKED,
                           "process %lld is a fork() copy of a member of the family: only processes "
                           "started by mproc_process_start() are members",
                           (long long)plat_process_id());
    plat_mutex_lock(&family_mutex);
    switch (atomic_load(&family.state)) {
    case FAMILY_NONE:
        status = found_or_join();
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
