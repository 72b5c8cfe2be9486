/* mproc_wait(). */
#include "wait/wait.h"

#include <stdlib.h>

#include "process/family.h"

/*
 * One call, in one piece of memory with what it needs for each thing. `marks` says which things are ready; others
 * write there as well, when a thing ends: then `leaves` is set. `polled` are the things of the system, by their
 * index.
 */
struct call {
    struct waiter waiter;
    const mproc_waitable *things;
    size_t count;
    size_t polled_count;
    bool arena;                    /* there are things of the arena */
    const _Atomic uint32_t *apart; /* of the one kind that has it, or NULL */
    _Atomic bool leaves;
    plat_polled *polled;
    _Atomic bool *marks;
};

static bool leave(struct waiter *waiter, const void *thing, bool freed)
{
    struct call *call = (struct call *)waiter;
    bool used = false;

    (void)freed;
    for (size_t i = 0; i < call->count; i++) {
        if (call->things[i].object != thing || call->things[i].kind == MPROC_WAITABLE_HANDLE) continue;
        atomic_store(&call->marks[i], true);
        used = true;
    }
    if (!used) return true;
    atomic_store(&call->leaves, true);
    wait_look_again();
    return false;
}

static mproc_status call_create(const mproc_waitable *things, size_t count, struct call **out)
{
    struct call *call = NULL;

    if (count < UINT32_MAX) call = malloc(sizeof *call + count * (sizeof *call->polled + sizeof *call->marks));
    *out = call;
    if (!call) return mproc_error(MPROC_NO_MEMORY, "no memory to wait for %zu things", count);
    *call = (struct call){.things = things, .count = count};
    call->waiter.leave = leave;
    call->waiter.owner = thread_self.owner_id;
    call->polled = (plat_polled *)(call + 1);
    call->marks = (_Atomic bool *)(call->polled + count);
    for (size_t i = 0; i < count; i++) atomic_init(&call->marks[i], false);
    return MPROC_OK;
}

static mproc_status refused(size_t index, mproc_status status)
{
    return mproc_error(status, "thing %zu of those to wait for: %s", index, mproc_last_error_text());
}

/* Looks at each thing, and collects those of the system. MPROC_TIMEOUT: none is ready. */
static mproc_status look_first(struct call *call)
{
    mproc_status all = MPROC_TIMEOUT, status;
    const struct waitable *row;
    plat_handle handle = PLAT_NO_HANDLE;

    for (size_t i = 0; i < call->count; i++) {
        const mproc_waitable *thing = &call->things[i];
        if ((status = wait_kind_of(thing, &row)) == MPROC_OK) status = row->look(wait_key(thing), &handle);
        if (status == MPROC_OK) {
            atomic_store_explicit(&call->marks[i], true, memory_order_relaxed);
            all = MPROC_OK;
        } else if (status != MPROC_TIMEOUT) {
            return refused(i, status);
        } else if (handle == PLAT_NO_HANDLE) {
            call->arena = true;
        } else {
            call->polled[call->polled_count++] =
                (plat_polled){.handle = handle, .index = (uint32_t)i, .kind = (uint16_t)row->kind};
            if (row->apart) call->apart = row->apart;
        }
    }
    return all;
}

/*
 * Looks again, at what this process alone can tell; of the arena it is watched from now on. MPROC_TIMEOUT: none is
 * ready.
 */
static mproc_status look_again(struct call *call)
{
    mproc_status all = atomic_load(&call->leaves) ? MPROC_OK : MPROC_TIMEOUT, status;
    const struct waitable *row;
    plat_handle handle;

    if (!call->arena && (!call->apart || atomic_load(call->apart) == 0)) return all;
    for (size_t i = 0; i < call->count && !atomic_load_explicit(&call->leaves, memory_order_relaxed); i++) {
        void *key = wait_key(&call->things[i]);
        wait_kind_of(&call->things[i], &row);
        if (!row->announce && !(row->apart && atomic_load(row->apart) > 0)) continue;
        if (row->announce && (status = row->announce(key)) != MPROC_OK) return refused(i, status);
        if ((status = row->look(key, &handle)) == MPROC_TIMEOUT) continue;
        if (status != MPROC_OK) return refused(i, status);
        atomic_store_explicit(&call->marks[i], true, memory_order_relaxed);
        all = MPROC_OK;
    }
    return all;
}

/* Asks the system, and marks what is ready. */
static mproc_status poll(struct call *call, plat_handle wake, int64_t deadline_ns)
{
    uint32_t bad = 0;
    mproc_status status;

    if (call->polled_count == 0 && wake == PLAT_NO_HANDLE) return MPROC_TIMEOUT;
    status = plat_poll(call->polled, call->polled_count, wake, deadline_ns, &bad);
    if (status == MPROC_INVALID) return refused(bad, status);
    for (size_t i = 0; i < call->polled_count && status == MPROC_OK; i++)
        if (call->polled[i].ready)
            atomic_store_explicit(&call->marks[call->polled[i].index], true, memory_order_relaxed);
    return status;
}

/* In the arena alone; or in the system, by the alarm. MPROC_INTERRUPTED, without a text: look again. */
static mproc_status sleep(struct call *call, const struct wait *wait, struct alarm *alarm, uint32_t alarms)
{
    mproc_status status;

    if (call->polled_count > 0) {
        assert(alarm);
        status = poll(call, alarm->event, wait->deadline_ns);
        if (status == MPROC_INTERRUPTED) alarm_clear(alarm);
        return status;
    }
    status = wait_on(&family_slot()->alarms, alarms, wait->deadline_ns);
    return status == MPROC_OK ? MPROC_INTERRUPTED : status;
}

/* When something of the one kind is ready, all of the other kind that is counts as well. */
static mproc_status wait_until_ready(struct call *call, const struct wait *wait)
{
    struct alarm *alarm = NULL;
    mproc_status status = MPROC_INTERRUPTED;

    if (call->polled_count > 0 && (status = alarm_take(&alarm_of_watchers, &alarm)) != MPROC_OK) return status;
    do {
        uint32_t alarms = atomic_load(&family_slot()->alarms);
        if ((status = look_again(call)) == MPROC_OK) {
            if (!atomic_load(&call->leaves)) poll(call, PLAT_NO_HANDLE, 0);
            break;
        }
        if (status == MPROC_TIMEOUT && (status = wait_why(wait)) == MPROC_OK) {
            status = sleep(call, wait, alarm, alarms);
            if (status == MPROC_OK && call->arena) look_again(call);
        } else {
            break;
        }
    } while (status == MPROC_INTERRUPTED);
    if (alarm) alarm_give(alarm);
    return status;
}

/* A look that does not wait costs the system less than half of one that may: what is ready mostly is so already. */
static mproc_status run(struct call *call, int64_t timeout_ms)
{
    struct wait wait;
    mproc_status status, looked;

    if ((looked = look_first(call)) != MPROC_OK && looked != MPROC_TIMEOUT) return looked;
    if ((status = wait_begin(&wait, NULL, timeout_ms)) != MPROC_OK) return status;
    if (looked == MPROC_OK || timeout_ms == 0) {
        status = poll(call, PLAT_NO_HANDLE, 0);
        if (status == MPROC_TIMEOUT) status = looked;
    } else if ((status = poll(call, PLAT_NO_HANDLE, 0)) == MPROC_TIMEOUT) {
        status = wait_until_ready(call, &wait);
    }
    wait_end(&wait);
    return status == MPROC_TIMEOUT ? wait_none_ready(&wait) : status;
}

mproc_status mproc_wait(mproc_waitable *things, size_t count, int64_t timeout_ms, size_t *ready)
{
    struct call *call;
    size_t found = 0;
    mproc_status status;

    if (!things && count > 0) return mproc_error(MPROC_INVALID, "%zu things to wait for at no address", count);
    if ((status = timeout_check(timeout_ms)) != MPROC_OK || (status = family_enter()) != MPROC_OK) return status;
    if ((status = call_create(things, count, &call)) != MPROC_OK) return status;
    assert(call);
    waiter_enter(&call->waiter);
    status = run(call, timeout_ms);
    waiter_leave(&call->waiter);
    for (size_t i = 0; i < count; i++) {
        things[i].ready = status == MPROC_OK && atomic_load_explicit(&call->marks[i], memory_order_relaxed);
        found += things[i].ready;
    }
    if (status == MPROC_OK && ready) *ready = found;
    free(call);
    return status;
}
