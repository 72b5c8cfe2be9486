/* Decides whether a new process is a child, and of whom. */
#include "process/descent.h"

#include "arena/slot.h"

#define PUBLISH_LOOK_NS ((int64_t)50000)

/*
 * A handle that tells nothing (whoever started the program in between has closed it) must not count as the end, for
 * the parent may live and write in a moment; nor as its life for ever. So the system is asked by the parent's id.
 */
static bool parent_ended(const struct spawn_token *token)
{
    int ready;
    mproc_status status = plat_handle_wait(&token->child_end, 1, 0, &ready);

    if (status == MPROC_OK || status == MPROC_TIMEOUT) return status == MPROC_OK;
    return token->parent && !plat_process_alive(token->parent, token->parent_born_before_ns);
}

/*
 * Whether the slot has been freed since the token was written, and now names a later child. Then this
 * process may well be the child whose parent did not live to name it: to create a family of its own, and so
 * to run the program once more, would be the worse mistake.
 */
static bool slot_reused(const struct spawn_token *token, mproc_status attached)
{
    return attached == MPROC_OK && token->process < arena_header->processes_max &&
           atomic_load(&process_slot_at(token->process)->generation) != token->generation;
}

/*
 * Waits until the parent has written whose the token is; it does so right after the system has
 * started the child. Returns that process id, or 0 if the parent ended before, or has done with the child.
 */
static int64_t awaited_pid(const struct spawn_token *token, mproc_status attached)
{
    _Atomic int64_t *pid = (_Atomic int64_t *)arena_at(token->pid_offset);

    while (atomic_load(pid) == 0) {
        if (parent_ended(token) || slot_reused(token, attached)) return atomic_load(pid);
        plat_clock_sleep_until(plat_clock_now_ns() + PUBLISH_LOOK_NS);
    }
    return atomic_load(pid);
}

static enum descent parent_has_ended(mproc_status *status)
{
    arena_detach();
    *status = mproc_error(MPROC_BAD_STATE, "the parent of this process ended while it was started");
    return DESCENT_REFUSED;
}

/*
 * Another process than the one that was started. Who has seen the token go through a process with the library was
 * started by that one, before its own first call, and is no child. Nobody else starts programs with a token: a
 * launcher did that should have become the program, or the program forked before its guard.
 */
static enum descent stranger(struct spawn_token *token, mproc_status *status)
{
    arena_detach();
    token->depth++;
    if (token->seen) return DESCENT_NONE;
    *status = mproc_error(MPROC_BAD_STATE,
                          "process %lld descends from a process that was started as a child, but is another one, and "
                          "is not let in: the executable of children must become their program (exec), not start it, "
                          "and daemon() or fork() come after mproc_main_guard()",
                          (long long)plat_process_id());
    return DESCENT_REFUSED;
}

/*
 * It cannot map the arena: something between the parent and this program has closed the handle, or limited its
 * memory. A token whose author is dead says nothing: it was kept in somebody's environment.
 */
static enum descent without_arena(struct spawn_token *token, mproc_status *status)
{
    bool own = token->parent == plat_process_parent_id();

    token->depth++;
    if (!own && (token->seen || !plat_process_alive(token->parent, token->parent_born_before_ns)))
        return DESCENT_NONE;
    *status = mproc_error(*status == MPROC_OK ? MPROC_BAD_STATE : *status,
                          "this process was started by process %lld of a family whose memory it cannot have: %s",
                          (long long)token->parent, mproc_last_error_text());
    return DESCENT_REFUSED;
}

/* The child, with another copy or version of the library. Whoever joins it reads why. */
static enum descent refused(const struct spawn_token *token, mproc_status status)
{
    _Atomic uint32_t *word = (_Atomic uint32_t *)arena_at(token->pid_offset + sizeof(int64_t));

    atomic_store(word, (uint32_t)status);
    arena_detach();
    return DESCENT_REFUSED;
}

static enum descent by_token(struct spawn_token *token, const function_ref *copy, mproc_status *status)
{
    int64_t pid;

    *status = arena_attach(token->memory, token->reserve, copy);
    if (*status != MPROC_OK && *status != MPROC_MISMATCH) return without_arena(token, status);
    /* Also that of another version: who the child is stands where the token says. */
    pid = awaited_pid(token, *status);
    if (pid == plat_process_id() && *status == MPROC_OK) return DESCENT_CHILD;
    if (pid == plat_process_id()) return refused(token, *status);
    if (pid == 0 || slot_reused(token, *status)) return parent_has_ended(status);
    return stranger(token, status);
}

/* Whether a slot is that of a child which this process' parent is starting right now: it may still be named. */
static bool is_pending(const struct process_slot *slot)
{
    uint32_t parent = process_slot_parent(slot);

    return process_slot_state(slot) == PROCESS_STARTING && atomic_load(&slot->pid) == 0 && parent != SLOT_NONE &&
           atomic_load(&process_slot_at(parent)->pid) == plat_process_parent_id();
}

/* The slot of a child with this process' id, which its parent may be about to write. SLOT_NONE: there is none. */
static uint32_t find_own_slot(const struct spawn_token *token)
{
    for (;;) {
        uint32_t high = atomic_load(&arena_header->processes_high);
        bool pending = false;
        for (uint32_t i = 0; i < high; i++) {
            const struct process_slot *slot = process_slot_at(i);
            if (process_slot_state(slot) == PROCESS_STARTING && atomic_load(&slot->pid) == plat_process_id())
                return i;
            pending = pending || is_pending(slot);
        }
        if (!pending || parent_ended(token)) return SLOT_NONE;
        plat_clock_sleep_until(plat_clock_now_ns() + PUBLISH_LOOK_NS);
    }
}

/* The environment was taken away on the way here (`env -i`), but the handles are there. */
static enum descent by_handles(struct spawn_token *token, const function_ref *copy, mproc_status *status)
{
    uint32_t index;

    *token = (struct spawn_token){.seen = false};
    if (!plat_birth_handles(&token->memory, &token->child_end, &token->door)) return DESCENT_NONE;
    if ((token->reserve = arena_reserve(token->memory)) == 0) return DESCENT_NONE;
    *status = arena_attach(token->memory, token->reserve, copy);
    if (*status == MPROC_MISMATCH) return stranger(token, status);
    if (*status != MPROC_OK) return DESCENT_REFUSED;
    if ((index = find_own_slot(token)) == SLOT_NONE) return stranger(token, status);
    token->process = index;
    token->generation = atomic_load(&process_slot_at(index)->generation);
    return DESCENT_CHILD;
}

enum descent descent_find(const function_ref *copy, struct spawn_token *token, mproc_status *status)
{
    const char *text = plat_birth_token();

    plat_system_environment_remove(PLAT_TOKEN_NAME);
    if (text && token_parse(text, token)) return by_token(token, copy, status);
    return by_handles(token, copy, status);
}
