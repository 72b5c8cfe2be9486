#include "sync/peers.h"

#include <stdlib.h>

#include "object/resource_owner.h"
#include "object/reference.h"

static bool of_threads;

/* ---- setups ------------------------------------------------------------------------------------- */

static void makes_a_call(void *unused)
{
    (void)unused;
    CHECK(mproc_current_process() != NULL);
}

static void setup(bool threads)
{
    plat_thread *thread = NULL;

    of_threads = threads;
    fixture_setup();
    CHECK_OK(plat_thread_start(makes_a_call, NULL, &thread));
    plat_thread_join(thread);
}

void peers_of_processes(void)
{
    setup(false);
}

void peers_of_threads(void)
{
    setup(true);
}

bool peers_are_threads(void)
{
    return of_threads;
}

/* ---- the board -------------------------------------------------------------------------------- */

void board_await(_Atomic uint32_t *word, uint32_t least)
{
    CHECK_AWAIT(word, least);
}

/* ---- a peer that is a process ------------------------------------------------------------------- */

/* What a child is told: where things are in the arena, and what to do with them. */
typedef struct orders {
    uint64_t board;
    uint64_t object;
    uint64_t other;
    int64_t extra;
    int32_t number;
    int32_t threads;
    function_ref body;
} orders;

void *peers_open(uint64_t object)
{
    struct reference *reference = NULL;
    struct handle_ref ref;

    if (object == 0) return NULL;
    ref = object_ref(object);
    CHECK_OK(reference_open(&ref, &reference));
    return reference;
}

static void run_thread(void *argument)
{
    peer_member *member = argument;

    member->body(&member->self);
}

/* A body that has given back its object says so by NULL. */
static void run_threads(const orders *told, peer *first, peer_body *body)
{
    peer_member members[PEERS_MAX];
    int i;

    for (i = 0; i < told->threads; i++) {
        members[i] = (peer_member){.self = *first, .body = body};
        members[i].self.number += i;
        if (i > 0) CHECK_OK(plat_thread_start(run_thread, &members[i], &members[i].thread));
    }
    run_thread(&members[0]);
    for (i = 1; i < told->threads; i++) plat_thread_join(members[i].thread);
    first->object = members[0].self.object;
}

static mproc_status run_peer(mproc_call *call)
{
    function_pointer body;
    orders told;
    peer self;

    CHECK_OK(mproc_unpack_bytes(call, &told, sizeof told));
    CHECK_OK(function_decode(&told.body, &body));
    self = (peer){.board = arena_at(told.board), .number = told.number, .extra = told.extra};
    self.object = peers_open(told.object);
    self.other = peers_open(told.other);
    run_threads(&told, &self, (peer_body *)body);
    reference_free(self.object);
    reference_free(self.other);
    return MPROC_OK;
}

static uint64_t offset_of(void *object)
{
    return object != NULL ? ((struct reference *)object)->ref.offset : 0;
}

void *peers_second(void *object)
{
    return peers_open(offset_of(object));
}

static void start_process(peer_crowd *crowd, peer_member *member)
{
    orders told = {.board = arena_offset(crowd->board),
                   .object = offset_of(member->self.object),
                   .other = offset_of(member->self.other),
                   .extra = member->self.extra,
                   .number = member->self.number,
                   .threads = crowd->threads};

    CHECK_OK(function_encode((function_pointer)member->body, &told.body));
    CHECK_OK(mproc_process_create(run_peer, mproc_bytes(&told, sizeof told),
                                  &(mproc_process_options){.daemon = MPROC_YES}, &member->process));
    CHECK_OK(mproc_process_start(member->process));
}

/* ---- crowds ------------------------------------------------------------------------------------- */

void crowd_init(peer_crowd *crowd)
{
    memset(crowd, 0, sizeof *crowd);
    crowd->threads = 1;
    crowd->board = fixture_board_create();
}

static void add_member(peer_crowd *crowd, peer_body *body, void *object)
{
    peer_member *member = &crowd->all[crowd->members++];

    CHECK(crowd->members <= PEERS_MAX);
    *member = (peer_member){.body = body};
    member->self = (peer){crowd->board, object, crowd->other, crowd->peers, crowd->extra};
    crowd->peers += of_threads ? 1 : crowd->threads;
    if (of_threads) CHECK_OK(plat_thread_start(run_thread, member, &member->thread));
    else start_process(crowd, member);
}

void crowd_add(peer_crowd *crowd, int members, peer_body *body, void *object)
{
    int i, count = of_threads ? members * crowd->threads : members;

    for (i = 0; i < count; i++) add_member(crowd, body, object);
}

void crowd_tell_many(peer_crowd *crowd, void *const *objects, int count)
{
    int i;

    CHECK(count <= BOARD_MANY);
    crowd->extra = count;
    for (i = 0; i < count; i++)
        crowd->board->many[i] = of_threads ? (uint64_t)(uintptr_t)objects[i] : offset_of(objects[i]);
}

/* Only the case's own process has peers that are threads of it, and knows so. */
void peer_open_many(peer *self, void **objects)
{
    int i;

    for (i = 0; i < self->extra; i++) {
        uint64_t told = self->board->many[i];
        objects[i] = of_threads ? (void *)(uintptr_t)told : peers_open(told);
    }
}

void peer_drop_many(peer *self, void **objects)
{
    int i;

    for (i = 0; i < self->extra && !of_threads; i++) reference_free(objects[i]);
}

static void end_process(const peer_member *member)
{
    if (member->killed) CHECK_ENDED_BY(member->process, 9);
    else CHECK_EXITED(member->process, 0);
}

void crowd_kill(peer_crowd *crowd, int member)
{
    CHECK(!of_threads && member < crowd->members);
    CHECK_OK(mproc_process_kill(crowd->all[member].process));
    CHECK_OK(mproc_process_join(crowd->all[member].process, check_limit_ms()));
    crowd->all[member].killed = true;
}

void crowd_join(peer_crowd *crowd)
{
    int i;

    for (i = 0; i < crowd->members; i++) {
        if (of_threads) plat_thread_join(crowd->all[i].thread);
        else end_process(&crowd->all[i]);
    }
    crowd->members = 0;
}

void crowd_fini(peer_crowd *crowd)
{
    crowd_join(crowd);
    fixture_board_free(crowd->board);
}

/* ---- a child of a child ---------------------------------------------------------------------------- */

typedef struct order {
    uint64_t board;
    uint64_t object;
    function_ref holding;
} order;

static mproc_status holds(mproc_call *call)
{
    function_pointer body;
    board *its_board;
    order told;

    MPROC_TRY(mproc_unpack_bytes(call, &told, sizeof told));
    MPROC_TRY(function_decode(&told.holding, &body));
    its_board = (board *)arena_at(told.board);
    its_board->plain = mproc_getpid();
    ((peer_holding *)body)(peers_open(told.object), its_board);
    return MPROC_OK;
}

static mproc_status has_a_child(mproc_call *call)
{
    mproc_process_options options = {.daemon = MPROC_NO};
    mproc_process *child = NULL;
    order told;

    MPROC_TRY(mproc_unpack_bytes(call, &told, sizeof told));
    MPROC_TRY(mproc_process_create(holds, mproc_bytes(&told, sizeof told), &options, &child));
    MPROC_TRY(mproc_process_start(child));
    return mproc_process_join(child, MPROC_FOREVER);
}

mproc_process *crowd_start_grandchild(peer_crowd *crowd, peer_holding *body, void *object)
{
    order told = {arena_offset(crowd->board), offset_of(object), {0}};
    mproc_process *parent = NULL;

    CHECK_OK(function_encode((function_pointer)body, &told.holding));
    CHECK_OK(mproc_process_create(has_a_child, mproc_bytes(&told, sizeof told), NULL, &parent));
    CHECK_OK(mproc_process_start(parent));
    board_await(&crowd->board->ready, 1);
    return parent;
}

void peer_waits_for_ever(void)
{
    for (;;) CHECK_OK(mproc_sleep_ms(MPROC_FOREVER));
}

/* ---- owners that end ------------------------------------------------------------------------------ */

int peers_ends(void)
{
    return of_threads ? PEER_EXITS : PEER_ENDS;
}

void peer_end(const peer *self)
{
    atomic_fetch_add(&self->board->ready, 1);
    board_await(&self->board->go, 1);
    if (self->extra == PEER_EXITS) exit(0);
}

void crowd_let_end(peer_crowd *crowd)
{
    board_await(&crowd->board->ready, 1);
    if (crowd->extra == PEER_IS_KILLED) crowd_kill(crowd, 0);
    atomic_store(&crowd->board->go, 1);
    crowd_join(crowd);
}

/* ---- what is asked from the arena ----------------------------------------------------------------- */

typedef struct sleepers_wait {
    const struct reference *object;
    int count;
} sleepers_wait;

/* The object itself, or, of shared items that have one, their lock. */
static uint64_t slept_over(const struct reference *object)
{
    uint64_t lock;

    if (object->ref.kind != OBJECT_VALUE && object->ref.kind != OBJECT_ARRAY) return object->ref.offset;
    lock = atomic_load(
        (const _Atomic uint64_t *)arena_at(object->ref.offset + object_types[object->ref.kind]->links_at));
    return lock != 0 ? lock : object->ref.offset;
}

/* By the object's words, or told by name; see arena/waiting.h. */
static bool sleeps_over(const struct thread_slot *slot, uint64_t object)
{
    uint64_t parked = atomic_load(&slot->parked);

    if (atomic_load(&slot->owner) == 0) return false;
    if (parked >= object && parked < object + block_size(object)) return true;
    return (atomic_load(&slot->wait) & 7) == 1 && atomic_load(&slot->wait_object) == object;
}

static bool sleepers_have_come(void *context)
{
    const sleepers_wait *wait = context;
    uint64_t object = slept_over(wait->object);
    uint32_t high = atomic_load(&arena_header->threads_high);
    int count = 0;
    uint32_t i;

    for (i = 1; i < high; i++) count += sleeps_over(thread_slot_at(i), object);
    return count == wait->count;
}

void peers_await_sleepers(void *object, int count)
{
    sleepers_wait wait = {object, count};

    CHECK_WAIT_UNTIL(sleepers_have_come, &wait);
}

uint64_t peers_blocks(void)
{
    struct block_census census = block_count();

    return census.cut - census.free;
}

static bool blocks_are(void *count)
{
    return peers_blocks() == *(const uint64_t *)count;
}

void peers_await_blocks(uint64_t count)
{
    CHECK_WAIT_UNTIL(blocks_are, &count);
    CHECK(block_count().sound);
}

uint64_t peers_committed(void)
{
    return atomic_load(&arena_header->ranges[ARENA_HEAP].committed);
}
