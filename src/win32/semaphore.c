/*
 * A semaphore is an auto-reset event of the owner's process. Its shared struct names the event: the owner (pid and
 * birth), the handle's value inside it, and a serial that is odd while the semaphore is open. The serial
 * changes before the names do and before the event is closed, so names that were read between two
 * looks at the same odd serial belong together, and named an open event then.
 *
 * A poster takes a handle of the event out of the owner once and keeps it. What it keeps is found by all that was
 * read: address, serial, owner and handle.
 */
#include "semaphore.h"

#include "clock.h"
#include "error.h"
#include "handle.h"
#include "platform.h"
#include "windows_api.h"

/* What the shared struct said at one moment. */
typedef struct event_name {
    const plat_semaphore *semaphore;
    int64_t owner;
    int64_t handle;
    uint32_t serial;
} event_name;

typedef struct kept_event {
    event_name name;
    HANDLE event; /* NULL: the place is free */
} kept_event;

enum { KEPT_SETS = 256, KEPT_WAYS = 4 };

/*
 * `lock` is held shared to use an event, and exclusively to change the table or to close an event: handles
 * are numbers that the system gives again, and a late SetEvent() would set somebody else's event.
 */
static struct {
    SRWLOCK lock;
    kept_event table[KEPT_SETS][KEPT_WAYS];
    unsigned next_victim;
} posters = {.lock = SRWLOCK_INIT};

/* The pid in the low half; above it bits of the birth, because the system gives pids again. */
static int64_t owner_name(uint32_t pid, int64_t birth_ns)
{
    uint64_t birth = (uint64_t)(birth_ns / 100) & 0x7fffffff;
    return (int64_t)(birth << 32 | pid);
}

static int64_t owner_self(void)
{
    static _Atomic int64_t known;
    int64_t owner = atomic_load_explicit(&known, memory_order_relaxed);
    int64_t birth_ns = 0;

    if (owner == 0) {
        win32_birth(GetCurrentProcess(), &birth_ns);
        owner = owner_name(GetCurrentProcessId(), birth_ns);
        atomic_store_explicit(&known, owner, memory_order_relaxed);
    }
    return owner;
}

/* The serial may be odd: then an owner was killed and the place is taken over. */
mproc_status plat_semaphore_open(plat_semaphore *semaphore)
{
    uint32_t closed = (atomic_load(&semaphore->serial) + 1) & ~(uint32_t)1;
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);

    if (!event) return win32_error(GetLastError(), "cannot create the event that wakes this thread");
    atomic_store(&semaphore->serial, closed);
    atomic_store(&semaphore->pid, owner_self());
    atomic_store(&semaphore->handle, (int64_t)(intptr_t)event);
    atomic_store(&semaphore->serial, closed + 1);
    return MPROC_OK;
}

/* Recovery closes those of an ended process: its event is gone, and its handle's number is another's of ours. */
void plat_semaphore_close(plat_semaphore *semaphore)
{
    HANDLE event;
    bool own;

    if ((atomic_load(&semaphore->serial) & 1) == 0) return;
    AcquireSRWLockExclusive(&posters.lock);
    event = (HANDLE)(intptr_t)atomic_load(&semaphore->handle);
    own = atomic_load(&semaphore->pid) == owner_self();
    atomic_fetch_add(&semaphore->serial, 1);
    ReleaseSRWLockExclusive(&posters.lock);
    if (own) CloseHandle(event);
}

mproc_status plat_semaphore_wait(plat_semaphore *semaphore, int64_t deadline_ns)
{
    HANDLE event = (HANDLE)(intptr_t)atomic_load(&semaphore->handle);
    DWORD answer = win32_wait(&event, 1, deadline_ns);

    if (answer == WAIT_OBJECT_0) return MPROC_OK;
    if (answer == WAIT_TIMEOUT) return MPROC_TIMEOUT;
    return win32_error(GetLastError(), "cannot wait for the event that wakes this thread");
}

/* False: it is not open. */
static bool name_read(const plat_semaphore *semaphore, event_name *name)
{
    name->semaphore = semaphore;
    do {
        name->serial = atomic_load(&semaphore->serial);
        if ((name->serial & 1) == 0) return false;
        name->owner = atomic_load(&semaphore->pid);
        name->handle = atomic_load(&semaphore->handle);
    } while (atomic_load(&semaphore->serial) != name->serial);
    return true;
}

static bool name_same(const event_name *a, const event_name *b)
{
    return a->semaphore == b->semaphore && a->owner == b->owner && a->handle == b->handle && a->serial == b->serial;
}

static kept_event *kept_set(const plat_semaphore *semaphore)
{
    uint64_t hash = (uint64_t)(uintptr_t)semaphore * UINT64_C(0x9e3779b97f4a7c15);
    return posters.table[hash >> 56];
}

/* Posts by what is at hand: our own event, or one that was kept. False: it must be fetched. */
static bool post_known(const event_name *name)
{
    HANDLE event = NULL;

    AcquireSRWLockShared(&posters.lock);
    if (name->owner == owner_self()) {
        event = (HANDLE)(intptr_t)name->handle;
        if (atomic_load(&name->semaphore->serial) == name->serial) SetEvent(event);
    } else {
        kept_event *set = kept_set(name->semaphore);
        for (int i = 0; i < KEPT_WAYS && !event; i++) {
            if (name_same(&set[i].name, name)) event = set[i].event;
        }
        if (event) SetEvent(event);
    }
    ReleaseSRWLockShared(&posters.lock);
    return event;
}

/* NULL: the owner has ended, or its pid is another's now, or may not be opened by us. */
static HANDLE owner_open(const event_name *name)
{
    DWORD pid = (DWORD)name->owner;
    HANDLE owner = OpenProcess(PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
    int64_t birth_ns;

    if (!owner) return NULL;
    if (win32_birth(owner, &birth_ns) && owner_name(pid, birth_ns) == name->owner) return owner;
    CloseHandle(owner);
    return NULL;
}

/* Takes the event out of its owner. NULL: the owner has ended, or has closed the semaphore meanwhile. */
static HANDLE event_fetch(const event_name *name, HANDLE owner)
{
    HANDLE event = NULL;

    if (!DuplicateHandle(owner, (HANDLE)(intptr_t)name->handle, GetCurrentProcess(), &event, EVENT_MODIFY_STATE,
                         FALSE, 0))
        return NULL;
    if (atomic_load(&name->semaphore->serial) == name->serial) return event;
    CloseHandle(event);
    return NULL;
}

/* The place for a new event: that of an older one of the same semaphore, a free one, or each in its turn. */
static kept_event *kept_place(const plat_semaphore *semaphore)
{
    kept_event *set = kept_set(semaphore);
    kept_event *place = NULL;

    for (int i = 0; i < KEPT_WAYS; i++) {
        if (!set[i].event) {
            place = &set[i];
        } else if (set[i].name.semaphore == semaphore) {
            return &set[i];
        }
    }
    return place ? place : &set[posters.next_victim++ % KEPT_WAYS];
}

static void kept_close(kept_event *kept)
{
    if (kept->event) CloseHandle(kept->event);
    kept->event = NULL;
}

/* What is kept of an owner that has ended already would not be forgotten any more. */
static void keep(const event_name *name, HANDLE owner, HANDLE event)
{
    kept_event *place;

    AcquireSRWLockExclusive(&posters.lock);
    place = kept_place(name->semaphore);
    kept_close(place);
    place->name = *name;
    place->event = event;
    if (WaitForSingleObject(owner, 0) == WAIT_OBJECT_0) kept_close(place);
    ReleaseSRWLockExclusive(&posters.lock);
}

static void post_fetched(const event_name *name)
{
    HANDLE owner = owner_open(name);
    HANDLE event = owner ? event_fetch(name, owner) : NULL;

    if (event) {
        SetEvent(event);
        keep(name, owner, event);
    }
    if (owner) CloseHandle(owner);
}

void plat_semaphore_post(plat_semaphore *semaphore)
{
    event_name name;

    if (!name_read(semaphore, &name)) return;
    if (!post_known(&name)) post_fetched(&name);
}

void win32_semaphore_forget(int64_t pid)
{
    AcquireSRWLockExclusive(&posters.lock);
    for (int set = 0; set < KEPT_SETS; set++) {
        for (int way = 0; way < KEPT_WAYS; way++) {
            kept_event *kept = &posters.table[set][way];
            if ((int64_t)(uint32_t)kept->name.owner == pid) kept_close(kept);
        }
    }
    ReleaseSRWLockExclusive(&posters.lock);
}
