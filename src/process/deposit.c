/* Deposits: what the first process has of them, and what all others ask of it. */
#include "process/deposit.h"

#include <stdlib.h>

#include "base/log.h"
#include "object/interrupt.h"
#include "process/family.h"

/* A first process that does nothing for so long is stopped, or has ended in a way that nobody is told of. */
#define ANSWER_NS ((int64_t)10000000000)
/* How often one who waits looks whether he is interrupted. */
#define LOOK_NS ((int64_t)200000000)

#define KEY_OFFSET_BITS 40

/* What the first process has. */
struct kept {
    uint64_t key;
    plat_handle handle; /* PLAT_NO_HANDLE: it had no number for it */
};

static _Atomic plat_handle door = PLAT_NO_HANDLE;
static _Atomic plat_handle store = PLAT_NO_HANDLE; /* the first process' */

/* Guards what follows. Nothing is locked under it. */
static plat_mutex mutex;
static struct kept *all;
static size_t count, room;
static plat_thread *thread;
static _Atomic int threads;
static _Atomic bool ends;

/* A key is never used again while somebody may know of it, as generations of a block come again very late. */
static uint64_t key_of(uint64_t object)
{
    assert(object >> KEY_OFFSET_BITS == 0);
    return (uint64_t)object_generation(object) << KEY_OFFSET_BITS | object;
}

static struct deposited *deposited_at(uint64_t object)
{
    return (struct deposited *)arena_at(object);
}

/* ---- in the first process ----------------------------------------------------------------------- */

static void keep(uint64_t key, plat_handle handle)
{
    if (count == room) {
        size_t more = room == 0 ? 16 : 2 * room;
        struct kept *larger = realloc(all, more * sizeof *all);
        if (!larger) {
            plat_handle_close(handle); /* whoever asks for it learns that it is not there */
            return;
        }
        all = larger;
        room = more;
    }
    all[count++] = (struct kept){key, handle};
}

/* What came last is asked for first, mostly. */
static struct kept *find(uint64_t key)
{
    size_t at = count;

    while (at > 0 && all[at - 1].key != key) at--;
    return at > 0 ? &all[at - 1] : NULL;
}

static void give_up(struct kept *kept)
{
    plat_handle_close(kept->handle);
    *kept = all[--count];
}

/* No message has it any more. */
static void drop(struct kept *kept)
{
    if (log_on(MPROC_LOG_DEBUG)) log_owe(MPROC_LOG_DEBUG, "a handle that was kept for messages is dropped");
    give_up(kept);
}

/* Of objects that were dropped while there was no room to say so: the mark comes before they are gone. */
static void sweep(void)
{
    for (size_t i = count; i > 0; i--) {
        struct kept *kept = &all[i - 1];
        uint64_t object = kept->key & (((uint64_t)1 << KEY_OFFSET_BITS) - 1);
        bool there = block_may_be(object) && block_kind(object) >> 8 == kept->key >> KEY_OFFSET_BITS;
        if (!there || atomic_load(&deposited_at(object)->dropped)) drop(kept);
    }
}

static void serve_one(const plat_deposit_request *request)
{
    struct kept *kept = request->act == PLAT_DEPOSIT_PUT ? NULL : find(request->key);

    switch (request->act) {
    case PLAT_DEPOSIT_PUT:
        keep(request->key, request->handle);
        break;
    case PLAT_DEPOSIT_ASK:
        if (!kept) plat_deposit_answer(request, PLAT_NO_HANDLE, MPROC_CLOSED);
        else plat_deposit_answer(request, kept->handle, kept->handle == PLAT_NO_HANDLE ? MPROC_LIMIT : MPROC_OK);
        break;
    case PLAT_DEPOSIT_DROP:
        if (kept) drop(kept);
        break;
    }
}

static void serve_locked(void)
{
    plat_deposit_request request;

    if (store == PLAT_NO_HANDLE) return;
    while (plat_deposit_next(store, &request)) serve_one(&request);
    if (atomic_exchange(&arena_header->deposits_left, 0)) sweep();
}

void deposit_serve(void)
{
    plat_mutex_lock(&mutex);
    serve_locked();
    plat_mutex_unlock(&mutex);
}

static void serve(void *unused)
{
    const plat_handle asked = store;
    int ready;

    (void)unused;
    while (!atomic_load(&ends) && plat_handle_wait(&asked, 1, PLAT_FOREVER, &ready) == MPROC_OK) {
        deposit_serve();
        log_speak();
    }
    atomic_store(&threads, 0);
}

bool deposit_asked(void)
{
    bool begun;

    plat_mutex_lock(&mutex);
    if (!thread && plat_thread_start(serve, NULL, &thread) == MPROC_OK) atomic_store(&threads, 1);
    if (!(begun = thread != NULL)) serve_locked();
    plat_mutex_unlock(&mutex);
    return begun;
}

size_t deposit_count(void)
{
    size_t there;

    plat_mutex_lock(&mutex);
    serve_locked();
    there = count;
    plat_mutex_unlock(&mutex);
    return there;
}

int deposit_threads(void)
{
    return atomic_load(&threads);
}

/* To drop what never was wakes it. */
void deposit_end(void)
{
    if (!thread) return;
    atomic_store(&ends, true);
    plat_deposit_drop(door, 0, &(plat_deposit){.number = 0});
    plat_thread_join(thread);
    thread = NULL;
}

/* ---- in all processes ----------------------------------------------------------------------------- */

mproc_status deposit_door(plat_handle *handle)
{
    plat_handle made = PLAT_NO_HANDLE, inside = PLAT_NO_HANDLE;
    mproc_status status = MPROC_OK;

    plat_mutex_lock(&mutex);
    if (door == PLAT_NO_HANDLE && !family.child && (status = plat_deposit_create(&inside, &made)) == MPROC_OK) {
        atomic_store(&store, inside);
        atomic_store(&door, made);
    }
    plat_mutex_unlock(&mutex);
    *handle = door;
    return status;
}

void deposit_join(plat_handle handle)
{
    atomic_store(&door, handle);
}

plat_handle deposit_store(void)
{
    return store;
}

static mproc_status deposit_failed(mproc_status status)
{
    switch (status) {
    case MPROC_PEER_DIED:
        return mproc_error(status, "the first process of the family has ended, which kept the handles of connections "
                                   "and files that are in messages");
    case MPROC_TIMEOUT:
        return mproc_error(status,
                           "the first process of the family, which keeps the handles that are in messages, has "
                           "not answered for %d seconds: is it stopped?",
                           (int)(ANSWER_NS / 1000000000));
    case MPROC_CLOSED:
        return mproc_error(status, "the handle of a connection or file that a value refers to is not there: whoever "
                                   "passed it on was killed, or there was no memory for it");
    default:
        return status;
    }
}

static mproc_status find_door(plat_handle *handle)
{
    mproc_status status = deposit_door(handle);

    if (status == MPROC_OK && *handle == PLAT_NO_HANDLE)
        status =
            mproc_error(MPROC_INVALID, "the program has closed the handle by which this process passes on others");
    return status;
}

/* Whether one who waits goes on; `*until_ns` is when he looks again. */
static mproc_status goes_on(int64_t deadline_ns, int64_t *until_ns)
{
    int64_t now_ns = plat_clock_now_ns();

    if (interrupt_take()) return interrupt_status();
    if (now_ns >= deadline_ns) return MPROC_TIMEOUT;
    *until_ns = now_ns + LOOK_NS;
    return MPROC_OK;
}

/* Puts with a handle, asks without one. */
static mproc_status ask(uint64_t object, plat_handle handle, plat_handle *answer, int64_t deadline_ns)
{
    struct deposited *deposited = deposited_at(object);
    uint64_t key = key_of(object);
    plat_handle at;
    int64_t until_ns = 0;
    mproc_status status, goes = MPROC_OK;

    if ((status = find_door(&at)) != MPROC_OK) return status;
    do {
        if (handle != PLAT_NO_HANDLE) status = plat_deposit_put(at, key, handle, &deposited->deposit);
        else status = plat_deposit_ask(at, key, &deposited->deposit, answer);
        if (store != PLAT_NO_HANDLE) deposit_serve();
        if (status != MPROC_TIMEOUT || (goes = goes_on(deadline_ns, &until_ns)) != MPROC_OK) break;
        (void)!plat_deposit_await_room(at, until_ns);
    } while (true);
    return goes != MPROC_OK ? goes : status;
}

mproc_status deposit_put(struct intent *intent, const struct handle_ref *ref, plat_handle handle,
                         _Atomic uint64_t *owned)
{
    uint64_t object;
    mproc_status status;

    if ((status = block_take(intent, sizeof(struct deposited), sizeof(struct deposited), owned)) != MPROC_OK)
        return status;
    object = atomic_load(owned);
    deposited_at(object)->links = 1;
    object_publish(owned, (enum object_kind)ref->kind);
    object_refer(intent, ref->offset, &deposited_at(object)->of, OBJECT_GIVEN);
    return deposit_failed(ask(object, handle, NULL, plat_clock_now_ns() + ANSWER_NS));
}

mproc_status deposit_take(uint64_t object, plat_handle *handle)
{
    int64_t deadline_ns = plat_clock_now_ns() + ANSWER_NS, until_ns = 0;
    plat_handle answer = PLAT_NO_HANDLE;
    mproc_status status = ask(object, PLAT_NO_HANDLE, &answer, deadline_ns), goes = MPROC_OK;

    if (status != MPROC_OK) return deposit_failed(status);
    while ((status = plat_deposit_take(door, &answer, until_ns, handle)) == MPROC_TIMEOUT &&
           (goes = goes_on(deadline_ns, &until_ns)) == MPROC_OK) {
    }
    plat_handle_close(answer);
    return deposit_failed(goes != MPROC_OK ? goes : status);
}

uint64_t deposit_stands_for(uint64_t object)
{
    return atomic_load(&deposited_at(object)->of);
}

/*
 * By whoever drops it last, or recovery in its place, which may do it again. Where there is no room to ask, it is
 * marked, and then the header, before it is asked once more: who makes room serves what is marked, too.
 */
void deposit_last_dropped(struct intent *intent, uint64_t object)
{
    struct deposited *deposited = deposited_at(object);
    uint64_t key = key_of(object);

    (void)intent;
    if (atomic_load(&deposited->deposit.number) == 0 || door == PLAT_NO_HANDLE) return;
    if (!plat_deposit_drop(door, key, &deposited->deposit)) {
        atomic_store(&deposited->dropped, 1);
        atomic_store(&arena_header->deposits_left, 1);
        (void)!plat_deposit_drop(door, key, &deposited->deposit);
    }
    if (store != PLAT_NO_HANDLE) deposit_serve();
}

/* ---- fork() copies ------------------------------------------------------------------------------ */

void deposit_fork_begins(void)
{
    plat_mutex_lock(&mutex);
}

void deposit_fork_ends(void)
{
    plat_mutex_unlock(&mutex);
}

/* A copy that kept them open would keep the other ends from learning that the process has ended. */
void deposit_forked(void)
{
    while (count > 0) give_up(&all[count - 1]);
    plat_handle_close(store);
    plat_handle_close(door);
    store = door = PLAT_NO_HANDLE;
    thread = NULL;
    atomic_store(&threads, 0);
    atomic_store(&ends, false);
    plat_mutex_unlock(&mutex);
}
