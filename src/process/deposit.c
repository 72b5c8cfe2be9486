/* Deposits: what the first process has of them, and what all others ask of it. */
#include "process/deposit.h"

#include <stdlib.h>

#include "base/key_table.h"
#include "base/log.h"
#include "process/family.h"

/* A call without a time limit takes a first process for stopped that does nothing for so long. */
#define ANSWER_MS 10000
/* How often one who waits looks why he should not. */
#define LOOK_NS ((int64_t)200000000)

#define KEY_OFFSET_BITS 40

/* What the first process has. */
struct kept {
    struct keyed keyed;
    plat_handle handle; /* PLAT_NO_HANDLE: it had no number for it */
};

static _Atomic plat_handle door = PLAT_NO_HANDLE;
static _Atomic plat_handle store = PLAT_NO_HANDLE; /* the first process' */

/* Guards what follows. Nothing is locked under it. */
static plat_mutex mutex;
static struct key_table all;
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

/* Without memory for it whoever asks learns that it is not there. */
static mproc_status keep(uint64_t key, plat_handle handle)
{
    struct kept *kept = malloc(sizeof *kept);

    if (!kept) {
        plat_handle_close(handle);
        return mproc_error(MPROC_NO_MEMORY, "no memory to keep a handle that is in a message");
    }
    kept->keyed.key = key;
    kept->handle = handle;
    key_table_add(&all, &kept->keyed);
    return MPROC_OK;
}

static void give_up(struct keyed *keyed)
{
    struct kept *kept = (struct kept *)keyed;

    key_table_take(&all, keyed);
    plat_handle_close(kept->handle);
    free(kept);
}

/* Of objects that were dropped while there was no room to say so: the mark comes before they are gone. */
static void sweep(void)
{
    for (struct keyed *at = key_table_next(&all, NULL), *next; at; at = next) {
        uint64_t object = at->key & (((uint64_t)1 << KEY_OFFSET_BITS) - 1);
        bool there = block_may_be(object) && block_kind(object) >> 8 == at->key >> KEY_OFFSET_BITS;
        next = key_table_next(&all, at);
        if (!there || atomic_load(&deposited_at(object)->dropped)) give_up(at);
    }
}

static void serve_one(const plat_deposit_request *request)
{
    struct kept *kept = (struct kept *)key_table_find(&all, request->key);

    switch (request->act) {
    case PLAT_DEPOSIT_PUT:
        keep(request->key, request->handle);
        break;
    case PLAT_DEPOSIT_ASK:
        if (!kept) plat_deposit_answer(request, PLAT_NO_HANDLE, MPROC_CLOSED);
        else plat_deposit_answer(request, kept->handle, kept->handle == PLAT_NO_HANDLE ? MPROC_LIMIT : MPROC_OK);
        break;
    case PLAT_DEPOSIT_DROP:
        if (kept) give_up(&kept->keyed);
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
    while (!atomic_load(&ends) && plat_handle_wait(&asked, 1, PLAT_FOREVER, &ready) == MPROC_OK) deposit_serve();
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
    there = all.count;
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

static mproc_status find_door(plat_handle *handle)
{
    mproc_status status = deposit_door(handle);

    if (status == MPROC_OK && *handle == PLAT_NO_HANDLE)
        status =
            mproc_error(MPROC_INVALID, "the program has closed the handle by which this process passes on others");
    return status;
}

static mproc_status failed(mproc_status status)
{
    if (status == MPROC_PEER_DIED)
        return mproc_error(status, "the first process of the family has ended, which kept the handles of connections "
                                   "and files that are in messages");
    if (status == MPROC_CLOSED)
        return mproc_error(status, "the handle of a connection or file that a value refers to is not there: whoever "
                                   "passed it on was killed, or there was no memory for it");
    return status;
}

/* Whether one who waits goes on; `*until_ns` is when he looks again. */
static mproc_status goes_on(const struct wait *wait, int64_t *until_ns)
{
    int64_t now_ns = plat_clock_now_ns();
    mproc_status status = wait_why(wait);

    *until_ns = now_ns + LOOK_NS < wait->deadline_ns ? now_ns + LOOK_NS : wait->deadline_ns;
    if (status != MPROC_OK || now_ns < wait->deadline_ns) return status;
    return wait_timed_out(wait, "the first process of the family, which keeps the handles that are in messages, has "
                                "not answered (is it stopped?)");
}

static mproc_status await_room(plat_handle at, const struct wait *wait)
{
    int64_t until_ns;
    mproc_status status = goes_on(wait, &until_ns);

    if (status == MPROC_OK) (void)!plat_deposit_await_room(at, until_ns);
    return status;
}

/* The first process asks nobody, and does first what others have asked before. The handle is kept, or closed. */
static mproc_status put_here(plat_deposit *deposit, uint64_t key, plat_handle handle)
{
    mproc_status status;

    plat_mutex_lock(&mutex);
    serve_locked();
    atomic_store(&deposit->number, 1);
    status = keep(key, handle);
    plat_mutex_unlock(&mutex);
    return status;
}

static mproc_status take_here(uint64_t key, plat_handle *handle)
{
    const struct kept *kept;
    mproc_status status;

    plat_mutex_lock(&mutex);
    serve_locked();
    kept = (const struct kept *)key_table_find(&all, key);
    if (!kept) status = failed(MPROC_CLOSED);
    else if (kept->handle != PLAT_NO_HANDLE) status = plat_handle_copy(kept->handle, handle);
    else
        status = mproc_error(MPROC_LIMIT, "too many files were open here when a handle in a message came: raise the "
                                          "limit (ulimit -n)");
    plat_mutex_unlock(&mutex);
    return status;
}

static void drop_here(uint64_t key)
{
    struct keyed *keyed;

    plat_mutex_lock(&mutex);
    serve_locked();
    if ((keyed = key_table_find(&all, key))) give_up(keyed);
    plat_mutex_unlock(&mutex);
}

/* The handle is kept, or closed. */
static mproc_status put(uint64_t object, plat_handle handle, const struct wait *wait)
{
    plat_deposit *deposit = &deposited_at(object)->deposit;
    uint64_t key = key_of(object);
    plat_handle at;
    mproc_status status = find_door(&at);

    if (status == MPROC_OK && store != PLAT_NO_HANDLE) return put_here(deposit, key, handle);
    while (status == MPROC_OK && (status = plat_deposit_put(at, key, handle, deposit)) == MPROC_TIMEOUT)
        status = await_room(at, wait);
    plat_handle_close(handle);
    return status == MPROC_PEER_DIED ? failed(status) : status;
}

mproc_status deposit_put(struct intent *intent, const struct handle_ref *ref, plat_handle handle,
                         _Atomic uint64_t *owned, const struct wait *wait)
{
    struct wait some_seconds;
    uint64_t object;
    mproc_status status = block_take(intent, sizeof(struct deposited), sizeof(struct deposited), owned);

    if (status != MPROC_OK) {
        plat_handle_close(handle);
        return status;
    }
    object = atomic_load(owned);
    deposited_at(object)->links = 1;
    object_publish(owned, (enum object_kind)ref->kind);
    object_refer(intent, ref->offset, &deposited_at(object)->of, OBJECT_GIVEN);
    if (!wait) wait_begin(&some_seconds, NULL, ANSWER_MS);
    return put(object, handle, wait ? wait : &some_seconds);
}

mproc_status deposit_take(uint64_t object, plat_handle *handle)
{
    const plat_deposit *deposit = &deposited_at(object)->deposit;
    uint64_t key = key_of(object);
    plat_handle at, answer = PLAT_NO_HANDLE;
    int64_t until_ns = 0;
    struct wait wait;
    mproc_status status;

    wait_begin(&wait, NULL, ANSWER_MS);
    if ((status = find_door(&at)) != MPROC_OK) return status;
    if (store != PLAT_NO_HANDLE) return take_here(key, handle);
    while (status == MPROC_OK && (status = plat_deposit_ask(at, key, deposit, &answer)) == MPROC_TIMEOUT)
        status = await_room(at, &wait);
    if (status != MPROC_OK) return failed(status);
    while (status == MPROC_OK && (status = plat_deposit_take(at, &answer, until_ns, handle)) == MPROC_TIMEOUT)
        status = goes_on(&wait, &until_ns);
    plat_handle_close(answer);
    return failed(status);
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
    if (log_on(MPROC_LOG_DEBUG)) log_owe(MPROC_LOG_DEBUG, "a handle that was kept for a message is given up");
    if (store != PLAT_NO_HANDLE) {
        drop_here(key);
    } else if (!plat_deposit_drop(door, key, &deposited->deposit)) {
        atomic_store(&deposited->dropped, 1);
        atomic_store(&arena_header->deposits_left, 1);
        (void)!plat_deposit_drop(door, key, &deposited->deposit);
    }
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
    for (struct keyed *at = key_table_next(&all, NULL), *next; at; at = next) {
        next = key_table_next(&all, at);
        give_up(at);
    }
    key_table_clear(&all);
    plat_handle_close(store);
    plat_handle_close(door);
    store = door = PLAT_NO_HANDLE;
    thread = NULL;
    atomic_store(&threads, 0);
    atomic_store(&ends, false);
    plat_mutex_unlock(&mutex);
}
