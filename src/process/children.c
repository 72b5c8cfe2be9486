/* The list of children. */
#include "process/children.h"

#include "process/family.h"
#include "process/join.h"

/* Guarded by `mutex`, which is taken last of all. */
static plat_mutex mutex;
static mproc_process *first;
static uint64_t last_token;

void children_retain(mproc_process *process)
{
    plat_mutex_lock(&mutex);
    process->references++;
    plat_mutex_unlock(&mutex);
}

bool children_drop(mproc_process *process)
{
    bool unused;

    plat_mutex_lock(&mutex);
    unused = --process->references == 0;
    plat_mutex_unlock(&mutex);
    return unused;
}

void children_release(mproc_process *process)
{
    if (process && children_drop(process)) process_destroy(process);
}

mproc_process *children_next(mproc_process *previous)
{
    mproc_process *next = NULL;

    plat_mutex_lock(&mutex);
    /* `previous` may have left the list meanwhile; tokens only grow, and the list is sorted by them. */
    for (mproc_process *at = first; at; at = at->next)
        if ((!previous || at->token > previous->token) && (!next || at->token < next->token)) next = at;
    if (next) next->references++;
    plat_mutex_unlock(&mutex);
    children_release(previous);
    return next;
}

mproc_process *children_find(uint64_t token)
{
    mproc_process *at;

    plat_mutex_lock(&mutex);
    for (at = first; at && at->token != token; at = at->next) {
    }
    if (at) at->references++;
    plat_mutex_unlock(&mutex);
    return at;
}

mproc_status children_add(mproc_process *process, plat_handle *child_end)
{
    const char *leaving;
    mproc_status status;

    plat_mutex_lock(&mutex);
    leaving = atomic_load(&family.leaving);
    if (leaving) {
        status = mproc_error(MPROC_BAD_STATE, "%s", leaving);
    } else if ((status = plat_sentinel_create(&process->parent_end, child_end)) == MPROC_OK) {
        process->token = ++last_token;
        process->next = first;
        first = process;
        process->references++;
    }
    plat_mutex_unlock(&mutex);
    return status;
}

void children_close(const char *why)
{
    plat_mutex_lock(&mutex);
    if (!atomic_load(&family.leaving)) atomic_store(&family.leaving, why);
    plat_mutex_unlock(&mutex);
}

void children_remove(mproc_process *process)
{
    mproc_process **at;

    plat_mutex_lock(&mutex);
    for (at = &first; *at && *at != process; at = &(*at)->next) {
    }
    if (*at) {
        *at = process->next;
        process->references--;
        assert(process->references > 0);
    }
    plat_mutex_unlock(&mutex);
}

mproc_status mproc_active_children(mproc_process **children, size_t capacity, size_t *count)
{
    size_t found = 0;
    mproc_process *process = NULL;
    mproc_status status;

    if (!count || (!children && capacity > 0))
        return mproc_error(MPROC_INVALID, "mproc_active_children() has nowhere to write to");
    if ((status = family_enter()) != MPROC_OK) return status;
    while ((process = children_next(process))) {
        if (process->worker || atomic_load(&process->freed) || process_collect(process)) continue;
        if (found < capacity) children[found] = process;
        found++;
    }
    *count = found;
    return MPROC_OK;
}

void children_fork_begins(void)
{
    plat_mutex_lock(&mutex);
}

void children_fork_ends(void)
{
    plat_mutex_unlock(&mutex);
}

/* A copy that keeps a sentinel open would keep daemons alive after their parent's death. */
void children_forked(void)
{
    for (mproc_process *at = first; at; at = at->next) {
        plat_handle_close(at->parent_end);
        at->parent_end = PLAT_NO_HANDLE;
    }
    first = NULL;
    plat_mutex_unlock(&mutex);
}
