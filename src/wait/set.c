/* Sets of things that are kept from wait to wait. */
#include <stdlib.h>

#include "process/family.h"
#include "wait/wait.h"

#define NONE UINT32_MAX
#define ROOM_FIRST 16
/* So many that are ready come from the system at a time, if not more are asked for. */
#define TOKENS_FEW 64

/*
 * A thing in the set, or a free place. `life` is counted up when it becomes free: so what the system still tells of
 * the thing that was here is known. `looked`: one looks at it at each wait, as it is of the arena, was closed, or is
 * ready all the time; otherwise the system has it, by `handle`.
 */
struct entry {
    mproc_waitable thing;
    const struct waitable *row; /* NULL: the place is free */
    plat_handle handle;
    uint32_t life;
    uint32_t next;  /* in its bucket, or of those that are free */
    uint32_t place; /* in `looked` */
    bool looked;
    bool always;
};

/*
 * `mutex` guards all but what the poller guards itself. `buckets` are as many as there are entries, a power of two:
 * the first entry of each, by the hash of its key. `turn` says who is reported first where there is not room for all.
 */
struct mproc_wait_set {
    struct waiter waiter;
    uint32_t arena;
    plat_mutex mutex;
    plat_poller *poller;
    struct entry *entries;
    uint32_t *buckets;
    uint32_t *looked;
    uint32_t room;
    _Atomic uint32_t count;
    _Atomic uint32_t looked_count;
    uint32_t free;
    _Atomic uint32_t turn;
    _Atomic(const _Atomic uint32_t *) apart; /* of the one kind that has it, or NULL */
};

/* ---- entries: under the mutex ------------------------------------------------------------------------ */

static uint32_t *bucket_of(const mproc_wait_set *set, const void *key)
{
    uint64_t hash = (uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u;

    return &set->buckets[(hash >> 32) & (set->room - 1)];
}

static struct entry *find(const mproc_wait_set *set, const void *key, bool handle)
{
    uint32_t at = set->room > 0 ? *bucket_of(set, key) : NONE;

    for (; at != NONE; at = set->entries[at].next) {
        const mproc_waitable *thing = &set->entries[at].thing;
        if (wait_key(thing) == key && (thing->kind == MPROC_WAITABLE_HANDLE) == handle) return &set->entries[at];
    }
    return NULL;
}

static void put_into_bucket(const mproc_wait_set *set, uint32_t index)
{
    uint32_t *bucket = bucket_of(set, wait_key(&set->entries[index].thing));

    set->entries[index].next = *bucket;
    *bucket = index;
}

/* Twice as many places, all of which are full. */
static mproc_status grow(mproc_wait_set *set)
{
    uint32_t room = set->room > 0 ? 2 * set->room : ROOM_FIRST;
    struct entry *entries = realloc(set->entries, room * sizeof *entries);
    uint32_t *buckets, *looked;

    if (entries) set->entries = entries;
    if ((buckets = realloc(set->buckets, room * sizeof *buckets))) set->buckets = buckets;
    if ((looked = realloc(set->looked, room * sizeof *looked))) set->looked = looked;
    if (!entries || !buckets || !looked || room > INT32_MAX)
        return mproc_error(MPROC_NO_MEMORY, "no memory to wait for %lu things", (unsigned long)room);
    for (uint32_t i = set->room; i < room; i++) entries[i] = (struct entry){.next = i + 1 < room ? i + 1 : NONE};
    set->free = set->room;
    set->room = room;
    for (uint32_t i = 0; i < room; i++) buckets[i] = NONE;
    for (uint32_t i = 0; i < set->free; i++) put_into_bucket(set, i);
    return MPROC_OK;
}

static void look_from_now_on(mproc_wait_set *set, struct entry *entry)
{
    entry->looked = true;
    entry->place = set->looked_count;
    set->looked[entry->place] = (uint32_t)(entry - set->entries);
    set->looked_count++;
}

static uint64_t token_of(const mproc_wait_set *set, const struct entry *entry)
{
    return (uint64_t)entry->life << 32 | (uint32_t)(entry - set->entries);
}

/* Gives its handle back to whoever is about to close it. */
static void leave_system(mproc_wait_set *set, const struct entry *entry)
{
    if (!entry->looked) plat_poller_remove(set->poller, entry->handle, token_of(set, entry));
}

static void take_out(mproc_wait_set *set, struct entry *entry)
{
    uint32_t index = (uint32_t)(entry - set->entries), *at = bucket_of(set, wait_key(&entry->thing));

    leave_system(set, entry);
    while (*at != index) at = &set->entries[*at].next;
    *at = entry->next;
    if (entry->looked) {
        uint32_t last = set->looked[--set->looked_count];
        set->looked[entry->place] = last;
        set->entries[last].place = entry->place;
    }
    *entry = (struct entry){.life = entry->life + 1, .next = set->free};
    set->free = index;
    set->count--;
}

/* ---- things that end --------------------------------------------------------------------------------- */

/* What is closed is ready from now on. Nobody uses a thing without the mutex. */
static bool leave(struct waiter *waiter, const void *thing, bool freed)
{
    mproc_wait_set *set = (mproc_wait_set *)waiter;
    struct entry *entry;

    plat_mutex_lock(&set->mutex);
    entry = find(set, thing, false);
    if (entry && freed) {
        take_out(set, entry);
    } else if (entry) {
        leave_system(set, entry);
        if (!entry->looked) look_from_now_on(set, entry);
        entry->always = true;
    }
    plat_mutex_unlock(&set->mutex);
    if (entry && !freed) wait_look_again();
    return true;
}

/* ---- the set ----------------------------------------------------------------------------------------- */

mproc_status mproc_wait_set_create(mproc_wait_set **out)
{
    mproc_wait_set *set;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "a set was to be created, and out is NULL");
    if ((status = family_enter()) != MPROC_OK) return status;
    if (!(set = calloc(1, sizeof *set))) return mproc_error(MPROC_NO_MEMORY, "no memory for a set of things");
    set->waiter.leave = leave;
    set->arena = arena_generation;
    set->free = NONE;
    if ((status = plat_poller_create(&set->poller)) == MPROC_OK) {
        waiter_enter(&set->waiter);
        *out = set;
    } else {
        free(set);
    }
    return status;
}

/* In a fork() copy the list is another. */
void mproc_wait_set_free(mproc_wait_set *set)
{
    if (!set) return;
    if (family_enter_with(set->arena) == MPROC_OK) waiter_leave(&set->waiter);
    plat_poller_free(set->poller);
    free(set->entries);
    free(set->buckets);
    free(set->looked);
    free(set);
}

/* `*told`: the system wakes those who wait, if it is ready. */
static mproc_status add_locked(mproc_wait_set *set, const mproc_waitable *thing, const struct waitable *row,
                               plat_handle handle, bool *told)
{
    bool looked = handle == PLAT_NO_HANDLE;
    struct entry *entry;
    mproc_status status = MPROC_OK;

    if (find(set, wait_key(thing), thing->kind == MPROC_WAITABLE_HANDLE))
        return mproc_error(MPROC_EXISTS, "%s is in the set already", row->name);
    if (set->free == NONE && (status = grow(set)) != MPROC_OK) return status;
    entry = &set->entries[set->free];
    if (!looked) status = plat_poller_add(set->poller, handle, row->kind, token_of(set, entry));
    if (status != MPROC_OK && status != MPROC_END) return status;
    set->free = entry->next;
    entry->thing = *thing;
    entry->row = row;
    entry->handle = handle;
    entry->always = status == MPROC_END;
    if (looked || entry->always) look_from_now_on(set, entry);
    *told = !entry->looked;
    put_into_bucket(set, (uint32_t)(entry - set->entries));
    set->count++;
    if (row->apart) atomic_store(&set->apart, row->apart);
    return MPROC_OK;
}

/* What was closed before is ready: the row's look says so each time. */
mproc_status mproc_wait_set_add(mproc_wait_set *set, mproc_waitable thing)
{
    const struct waitable *row;
    plat_handle handle = PLAT_NO_HANDLE;
    bool told = false;
    mproc_status status, looked;

    assert(set);
    if ((status = family_enter_with(set->arena)) != MPROC_OK) return status;
    if ((status = wait_kind_of(&thing, &row)) != MPROC_OK) return status;
    plat_mutex_lock(&set->mutex);
    looked = status = row->look(wait_key(&thing), &handle);
    if (looked == MPROC_OK || looked == MPROC_TIMEOUT) status = add_locked(set, &thing, row, handle, &told);
    plat_mutex_unlock(&set->mutex);
    if (status == MPROC_OK && (looked == MPROC_OK || !told)) wait_look_again();
    return status;
}

mproc_status mproc_wait_set_remove(mproc_wait_set *set, mproc_waitable thing)
{
    struct entry *entry;
    mproc_status status;

    assert(set);
    if ((status = family_enter_with(set->arena)) != MPROC_OK) return status;
    plat_mutex_lock(&set->mutex);
    entry = find(set, wait_key(&thing), thing.kind == MPROC_WAITABLE_HANDLE);
    if (entry) take_out(set, entry);
    plat_mutex_unlock(&set->mutex);
    return entry ? MPROC_OK : mproc_error(MPROC_NOT_FOUND, "the thing is not in the set");
}

size_t mproc_wait_set_count(mproc_wait_set *set)
{
    assert(set);
    return atomic_load(&set->count);
}

/* ---- waiting ----------------------------------------------------------------------------------------- */

/* One wait: where what is ready goes. `apart`: some of it may be ready for the system as well. */
struct found {
    mproc_waitable *things;
    size_t room;
    size_t count;
    bool apart;
};

/* How many things are ready though the system does not tell. */
static uint32_t apart(const mproc_wait_set *set)
{
    const _Atomic uint32_t *count = atomic_load(&set->apart);

    return count ? atomic_load(count) : 0;
}

/* What is apart, or was closed since, may be there already. */
static void report(struct found *found, const struct entry *entry)
{
    for (size_t i = 0; i < found->count && (found->apart || entry->always); i++)
        if (wait_key(&found->things[i]) == wait_key(&entry->thing) && found->things[i].kind == entry->thing.kind)
            return;
    found->things[found->count] = entry->thing;
    found->things[found->count++].ready = true;
}

/* Under the mutex. `announce`: one is about to sleep, and watches what is not ready. */
static mproc_status look_at(const struct entry *entry, bool announce, struct found *found)
{
    void *key = wait_key(&entry->thing);
    plat_handle handle;
    mproc_status status = MPROC_OK;

    if (!entry->always && announce && entry->row->announce) status = entry->row->announce(key);
    if (!entry->always && status == MPROC_OK) status = entry->row->look(key, &handle);
    if (status == MPROC_OK) report(found, entry);
    if (status == MPROC_OK || status == MPROC_TIMEOUT) return MPROC_OK;
    return mproc_error(status, "%s in the set: %s", entry->row->name, mproc_last_error_text());
}

/* What the system does not tell of. */
static mproc_status look(mproc_wait_set *set, bool announce, struct found *found)
{
    uint32_t first = atomic_load(&set->turn) / 2; /* others who wait count on */
    mproc_status status = MPROC_OK;

    if (set->looked_count == 0 && apart(set) == 0) return MPROC_OK;
    plat_mutex_lock(&set->mutex);
    for (uint32_t i = 0; i < set->looked_count && found->count < found->room && status == MPROC_OK; i++)
        status = look_at(&set->entries[set->looked[(i + first) % set->looked_count]], announce, found);
    found->apart = found->apart || apart(set) > 0;
    for (uint32_t i = 0; apart(set) > 0 && i < set->room && found->count < found->room; i++)
        if (set->entries[i].row && !set->entries[i].looked && set->entries[i].row->apart)
            look_at(&set->entries[i], false, found);
    plat_mutex_unlock(&set->mutex);
    return status;
}

/* MPROC_INTERRUPTED: the alarm rings. What is told of a thing that is in the set no more is left out. */
static mproc_status poll(mproc_wait_set *set, plat_handle wake, int64_t deadline_ns, struct found *found)
{
    uint64_t few[TOKENS_FEW];
    size_t room = found->room - found->count, all = mproc_wait_set_count(set), count = 0;
    uint64_t *tokens;
    mproc_status status;

    if (all < TOKENS_FEW) all = TOKENS_FEW;
    if (room > all) room = all; /* it may be any number */
    tokens = room <= TOKENS_FEW ? few : malloc(room * sizeof *tokens);
    if (!tokens) {
        tokens = few;
        room = TOKENS_FEW;
    }
    status = plat_poller_wait(set->poller, wake, deadline_ns, tokens, room, &count);
    if (status == MPROC_OK) {
        plat_mutex_lock(&set->mutex);
        for (size_t i = 0; i < count; i++) {
            const struct entry *entry = &set->entries[(uint32_t)tokens[i]];
            if (entry->row && entry->life == tokens[i] >> 32) report(found, entry);
        }
        plat_mutex_unlock(&set->mutex);
    }
    if (tokens != few) free(tokens);
    return status;
}

/* Both kinds; who is first has all the room, so they take turns. */
static mproc_status look_at_all(mproc_wait_set *set, struct found *found)
{
    bool system_first = atomic_fetch_add_explicit(&set->turn, 1, memory_order_relaxed) % 2 == 0;
    mproc_status status = MPROC_OK;

    if (!system_first) status = look(set, false, found);
    if (status == MPROC_OK && found->count < found->room) status = poll(set, PLAT_NO_HANDLE, 0, found);
    if (status == MPROC_TIMEOUT) status = MPROC_OK;
    if (system_first && status == MPROC_OK && found->count < found->room) status = look(set, false, found);
    return status;
}

static mproc_status wait_until_ready(mproc_wait_set *set, const struct wait *wait, struct found *found)
{
    struct alarm *alarm;
    mproc_status status;

    if ((status = alarm_take(&alarm_of_watchers, &alarm)) != MPROC_OK) return status;
    while (found->count == 0) {
        if ((status = look(set, true, found)) != MPROC_OK) break;
        if (found->count > 0) {
            if (found->count < found->room) poll(set, PLAT_NO_HANDLE, 0, found);
            break;
        }
        if ((status = wait_why(wait)) != MPROC_OK) break;
        status = poll(set, alarm->event, wait->deadline_ns, found);
        if (status == MPROC_INTERRUPTED) alarm_clear(alarm);
        else if (status == MPROC_OK) status = look(set, false, found);
        if (status != MPROC_OK && status != MPROC_INTERRUPTED) break;
    }
    alarm_give(alarm);
    return status;
}

mproc_status mproc_wait_set_wait(mproc_wait_set *set, mproc_waitable *things, size_t room, int64_t timeout_ms,
                                 size_t *count)
{
    struct found found = {.things = things, .room = room};
    struct wait wait;
    mproc_status status;

    assert(set);
    if (!things || room == 0 || !count)
        return mproc_error(MPROC_INVALID, "what is ready has nowhere to go: things or count is NULL, or room is 0");
    if ((status = family_enter_with(set->arena)) != MPROC_OK) return status;
    if ((status = wait_begin(&wait, NULL, timeout_ms)) != MPROC_OK) return status;
    status = look_at_all(set, &found);
    if (status == MPROC_OK && found.count == 0)
        status = timeout_ms == 0 ? MPROC_TIMEOUT : wait_until_ready(set, &wait, &found);
    wait_end(&wait);
    if (status == MPROC_TIMEOUT) return wait_none_ready(&wait);
    if (status == MPROC_OK) *count = found.count;
    return status;
}
