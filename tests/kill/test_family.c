#include "test_family.h"

#include "object/resource_owner.h"
#include "arena/lock.h"
#include "object/parcel.h"
#include "object/recovery.h"
#include "object/reference.h"
#include "process/family.h"
#include "tracee.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct test_family_objects *test_family_objects;
uint32_t test_family_root;

static void must(mproc_status status, const char *what)
{
    if (status == MPROC_OK) return;
    fprintf(stderr, "kill tool: %s failed: %s\n", what, mproc_last_error_text());
    exit(2);
}

struct intent *test_family_intent(void)
{
    return work_intent();
}

static void attach_to(struct test_family_member *member, uint32_t parent)
{
    struct process_slot *slot;

    must(slot_process_take(parent, &member->slot), "taking a process slot");
    slot = process_slot_at(member->slot);
    atomic_store(&slot->pid, plat_process_id());
    atomic_store(&slot->born_before_ns, plat_clock_birth_ns());
    atomic_store(&slot->state, process_state_word(PROCESS_ATTACHED, atomic_load(&slot->state)));
    must(slot_thread_enter(member->slot), "taking a thread slot");
    family.process = member->slot; /* where waits look for interrupts */
    atomic_store(&member->pid, plat_process_id());
}

void test_family_attach(struct test_family_member *member, uint32_t parent)
{
    resource_owner_forget();
    memset(&thread_self, 0, sizeof thread_self);
    attach_to(member, parent);
}

/* What these scenarios change lies at the begin of each part; to look at more would only cost time at each step. */
#define WATCHED_BYTES_MAX ((size_t)16 * 1024)

static size_t committed_bytes(int part)
{
    const struct arena_range *range = &arena_header->ranges[part];

    return (size_t)(atomic_load(&range->committed) - range->start);
}

static unsigned char *part_begin(int part)
{
    return (unsigned char *)arena_header + arena_header->ranges[part].start;
}

/* What was committed once stays so, also where a scenario pretends that it is not. */
static void keep(void)
{
    static size_t kept[ARENA_PARTS];
    int part;

    step_keep(ARENA_PARTS, arena_header, (size_t)arena_offset(near_slots() + 1));
    for (part = 0; part < ARENA_PARTS; part++) {
        if (committed_bytes(part) > kept[part]) kept[part] = committed_bytes(part);
        step_keep(part, part_begin(part), kept[part]);
    }
}

void test_family_watch(void)
{
    static size_t sizes[ARENA_PARTS];
    int part;

    keep();
    step_watch(ARENA_PARTS, arena_header, (size_t)arena_offset(near_slots() + 1));
    for (part = 0; part < ARENA_PARTS; part++) {
        size_t size = committed_bytes(part);
        if (size > WATCHED_BYTES_MAX) size = WATCHED_BYTES_MAX;
        if (size > sizes[part]) sizes[part] = size;
        step_watch(part, part_begin(part), sizes[part]);
    }
}

static bool is_alone(void *state)
{
    return ((struct test_family *)state)->peers_count == 0;
}

/* No process has this id. */
#define NOBODY ((int64_t)0x7FFFFFFF)

static void seem_gone(void *state, bool recoverer)
{
    struct test_family *tested = state;
    struct test_family_member *member = recoverer ? &tested->recoverer : &tested->victim;

    if (atomic_load(&member->pid) != 0) atomic_store(&process_slot_at(member->slot)->pid, NOBODY);
}

static const step_world test_family_world = {is_alone, seem_gone, keep};

void test_family_found(void)
{
    struct test_family_member root;
    function_ref copy;
    _Atomic uint64_t *owned;

    memset(&copy, 0, sizeof copy);
    memset(&root, 0, sizeof root);
    must(arena_create(&copy), "creating the arena");
    attach_to(&root, SLOT_NONE);
    test_family_root = root.slot;
    step_world_is(&test_family_world);
    must(resource_take(sizeof *test_family_objects, sizeof *test_family_objects, &owned), "taking a block");
    test_family_objects = arena_at(atomic_load(owned));
}

void test_family_begin(void *state)
{
    struct test_family *tested = state;
    struct block_census census = block_count();

    test_family_watch();
    tested->blocks_used = census.cut - census.free;
    atomic_store(&arena_header->processes_hint, 1); /* any value will do; the same makes for the same path */
    atomic_store(&arena_header->threads_hint, 2);
    memset(test_family_objects, 0, sizeof *test_family_objects);
}

static void set_crowd(bool taken)
{
    uint32_t i;

    for (i = 1; i < SLOT_NEAR_PROCESSES; i++)
        atomic_store(&process_slot_at(i)->state, taken ? PROCESS_RECOVERED | test_family_root << 3 : PROCESS_FREE);
    for (i = 2; i < SLOT_NEAR_THREADS; i++) atomic_store(&thread_slot_at(i)->owner, taken ? test_family_root + 1 : 0);
}

void test_family_crowd(struct test_family *tested)
{
    struct arena_header *header = arena_header;
    struct arena_range *ranges = header->ranges;

    set_crowd(true);
    tested->crowded = true;
    atomic_store(&header->processes_high, SLOT_NEAR_PROCESSES);
    atomic_store(&header->threads_high, SLOT_NEAR_THREADS);
    atomic_store(&ranges[ARENA_PROCESSES].committed, ranges[ARENA_PROCESSES].start);
    atomic_store(&ranges[ARENA_THREADS].committed, ranges[ARENA_THREADS].start);
}

void test_family_enter_victim(void *state)
{
    struct test_family *tested = state;

    test_family_attach(&tested->victim, test_family_root);
    tested->owner_ids[0] = thread_self.owner_id;
}

void test_family_enter_recoverer(void *state)
{
    test_family_attach(&((struct test_family *)state)->recoverer, test_family_root);
}

/* ---- objects in values ------------------------------------------------------------------------ */

static mproc_status open_object(const struct handle_ref *ref, void **object)
{
    struct reference *reference = NULL;
    mproc_status status = reference_open_here(ref, &reference);

    *object = reference;
    return status;
}

static void drop_object(void *object)
{
    reference_free(object);
}

static void release_kept(void *memory)
{
    struct parcel_keeper *keeper = memory;

    resource_release(keeper->owned);
    free(keeper);
}

void test_family_pass_objects(void)
{
    static const struct handle_functions functions = {open_object, drop_object, release_kept};
    static bool installed;

    if (!installed) handle_install(&functions);
    installed = true;
}

/* ---- recovery --------------------------------------------------------------------------------- */

static bool recover_member(struct test_family_member *member)
{
    int64_t pid = atomic_load(&member->pid);

    return pid == 0 || recovery_process(member->slot);
}

void test_family_bury(struct test_family_member *member)
{
    struct process_slot *slot = process_slot_at(member->slot);

    if (atomic_load(&member->pid) == 0) return;
    if (!recovery_process(member->slot)) return; /* test_family_check() finds the slot that is not free */
    block_give(recovery_intent(), &slot->spawn_data, 0);
    slot_process_release(member->slot);
    atomic_store(&member->pid, 0);
}

/* The root takes the two dead in either order in turn: it cannot know who died first. */
void test_family_recover(void *state)
{
    struct test_family *tested = state;
    bool recoverer_first = step_turn() % 2 == 0;

    if (thread_self.process != test_family_root) {
        recover_member(&tested->victim);
        return;
    }
    if (recoverer_first) test_family_bury(&tested->recoverer);
    test_family_bury(&tested->victim);
    test_family_bury(&tested->recoverer);
}

/* ---- peers ------------------------------------------------------------------------------------ */

struct peer_task {
    struct test_family *tested;
    int number;
    void (*body)(struct test_family *tested, int number);
};

static void peer_main(void *argument)
{
    struct peer_task *task = argument;

    test_family_attach(&task->tested->peers[task->number], test_family_root);
    if (!step_wait_for(&task->tested->go[task->number], 1)) return;
    task->body(task->tested, task->number);
    for (;;) pause(); /* alive, so that nobody recovers it, and not asleep in the body */
}

int test_family_peer(struct test_family *tested, void (*body)(struct test_family *tested, int number))
{
    struct peer_task task = {tested, tested->peers_count++, body};
    struct test_family_member *peer = &tested->peers[task.number];
    int64_t pid = step_fork(peer_main, &task);

    while (atomic_load(&peer->pid) != pid) plat_thread_yield();
    return task.number;
}

bool test_family_peer_asleep(struct test_family *tested, int peer)
{
    atomic_store(&tested->go[peer], 1);
    while (atomic_load(&tested->begun[peer]) == 0) plat_thread_yield();
    return step_wait_asleep(atomic_load(&tested->peers[peer].pid));
}

bool test_family_went_on(struct test_family *tested, int peer)
{
    const struct timespec pause = {0, 50 * 1000};
    int64_t pid = atomic_load(&tested->peers[peer].pid);
    int i;

    for (i = 0; i < 400000; i++) {
        bool asleep = tracee_process_state(pid) == 'S';
        if (atomic_load(&tested->went_on[peer])) return true;
        if (asleep) return false;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* Each pass in which one has gone on may have let another go. */
int test_family_left_asleep(struct test_family *tested)
{
    bool progress = true;
    int left = -1, i;

    while (progress) {
        progress = false;
        left = -1;
        for (i = 0; i < tested->peers_count; i++) {
            if (atomic_load(&tested->go[i]) == 0 || atomic_load(&tested->went_on[i])) continue;
            if (test_family_went_on(tested, i)) progress = true;
            else left = i;
        }
    }
    return left;
}

void test_family_disband(struct test_family *tested)
{
    int i;

    for (i = 0; i < tested->peers_count; i++) {
        step_kill(atomic_load(&tested->peers[i].pid));
        test_family_bury(&tested->peers[i]);
    }
    tested->peers_count = 0;
}

void test_family_end(void *state)
{
    struct test_family *tested = state;

    test_family_disband(tested);
    if (tested->crowded) set_crowd(false);
    tested->crowded = false;
}

/* ---- promises --------------------------------------------------------------------------------- */

static const char *check_slots(const struct test_family *tested)
{
    const struct arena_header *header = arena_header;
    uint32_t processes = 0, threads = 0, expected = 1 + (uint32_t)tested->peers_count, i;

    for (i = 0; i < atomic_load(&header->processes_high); i++)
        processes += process_slot_state(process_slot_at(i)) != PROCESS_FREE;
    for (i = 1; i < atomic_load(&header->threads_high); i++) threads += atomic_load(&thread_slot_at(i)->owner) != 0;
    if (tested->crowded) processes -= SLOT_NEAR_PROCESSES - 1;
    if (tested->crowded) threads -= SLOT_NEAR_THREADS - 2;
    if (processes != expected) return step_says("%u process slots are taken, not %u", processes, expected);
    if (threads != expected) return step_says("%u thread slots are taken, not %u", threads, expected);
    return NULL;
}

/* A compare-and-swap that was meant for the dead must fail, whoever has its slot now. */
static const char *check_owner_ids(const struct test_family *tested)
{
    int i;

    for (i = 0; i < 2; i++) {
        const struct thread_slot *slot = thread_slot_at(tested->owner_ids[i] & SLOT_INDEX_MAX);
        uint32_t generation = atomic_load(&slot->generation) & SLOT_GENERATION_MASK;
        if (tested->owner_ids[i] != 0 && generation == tested->owner_ids[i] >> 20)
            return step_says("the dead thread's owner id 0x%x may be given out again", tested->owner_ids[i]);
    }
    return NULL;
}

static const char *check_intents(void)
{
    uint32_t i;
    int j;

    for (i = 1; i < atomic_load(&arena_header->threads_high); i++) {
        const struct thread_slot *slot = thread_slot_at(i);
        if (atomic_load(&slot->owner) != 0) continue;
        if (atomic_load(&slot->parked) != 0) return step_says("the free thread slot %u is parked", i);
        for (j = 0; j < INTENTS; j++) {
            const struct intent *intent = &slot->intents[j];
            if (atomic_load(&intent->lock) || atomic_load(&intent->wake) || atomic_load(&intent->stages[0]) ||
                atomic_load(&intent->heap))
                return step_says("the free thread slot %u has something in its intent %d", i, j);
        }
    }
    return NULL;
}

static const char *check_heap(const struct test_family *tested)
{
    const struct heap *heap = &arena_header->heap;
    struct block_census census = block_count();
    int i;

    if (!census.sound) return step_says("the heap is not sound");
    if (census.cut - census.free != tested->blocks_used)
        return step_says("%llu blocks are in use, before it were %llu",
                         (unsigned long long)(census.cut - census.free), (unsigned long long)tested->blocks_used);
    if (atomic_load(&heap->lock.word)) return step_says("the heap is locked");
    for (i = 0; i < HEAP_BANKS; i++)
        if (atomic_load(&heap->banks[i].lock.word)) return step_says("bank %d is locked", i);
    return NULL;
}

const char *test_family_check(void *state, bool completed)
{
    const char *wrong;

    (void)completed;
    if (atomic_load(&arena_header->recovery)) return step_says("the recovery lock is held");
    if ((wrong = check_slots(state)) != NULL) return wrong;
    if ((wrong = check_owner_ids(state)) != NULL) return wrong;
    if ((wrong = check_intents()) != NULL) return wrong;
    return check_heap(state);
}
