/* arena/slot.h and arena/recovery.h: who has a slot, and what becomes of it. */
#include "arena/slot.h"

#include "object/recovery.h"
#include "check.h"
#include "process/process_fixture.h"

static void case_process_slot_is_taken_and_freed(void)
{
    uint32_t first = 0;
    uint32_t second = 0;
    uint32_t generation;

    CHECK_OK(slot_process_take(thread_self.process, &first));
    CHECK_OK(slot_process_take(thread_self.process, &second));
    CHECK(first != second && first != thread_self.process && second != thread_self.process);
    CHECK_EQ(process_slot_state(process_slot_at(first)), PROCESS_STARTING);
    CHECK_EQ(process_slot_parent(process_slot_at(first)), thread_self.process);
    CHECK_EQ(atomic_load(&process_slot_at(first)->pid), 0);
    CHECK(!slot_process_dead(first));
    generation = atomic_load(&process_slot_at(first)->generation);
    slot_process_release(first);
    slot_process_release(second);
    CHECK_EQ(process_slot_state(process_slot_at(first)), PROCESS_FREE);
    CHECK_EQ(atomic_load(&process_slot_at(first)->generation), generation + 1);
}

static void case_own_slots_are_alive(void)
{
    CHECK(thread_self.slot != NULL);
    CHECK(thread_self.owner_id != 0);
    CHECK_EQ(thread_self.owner_id & LOCK_WAITERS, 0);
    CHECK(!slot_process_dead(thread_self.process));
    CHECK(!slot_thread_dead(thread_self.owner_id));
    CHECK(slot_thread_present(thread_self.owner_id));
    CHECK(slot_thread_present(thread_self.owner_id | LOCK_WAITERS));
}

static void note_owner_id(void *owner_id)
{
    CHECK(mproc_current_process() != NULL);
    *(uint32_t *)owner_id = thread_self.owner_id;
}

static bool thread_is_gone(void *owner_id)
{
    return !slot_thread_present(*(uint32_t *)owner_id);
}

static void case_each_thread_has_an_owner_id_that_ends_with_it(void)
{
    uint32_t owner_ids[20];
    plat_thread *thread = NULL;
    int i;
    int k;

    for (i = 0; i < 20; i++) {
        CHECK_OK(plat_thread_start(note_owner_id, &owner_ids[i], &thread));
        plat_thread_join(thread);
        CHECK_WAIT_UNTIL(thread_is_gone, &owner_ids[i]);
        CHECK(slot_thread_dead(owner_ids[i]));
        CHECK(owner_ids[i] != thread_self.owner_id);
        /* The slot is used again; the owner id is another. */
        for (k = 0; k < i; k++) CHECK(owner_ids[k] != owner_ids[i]);
    }
    CHECK(slot_thread_present(thread_self.owner_id));
}

/* Values: slot of the process, owner id of its thread. */
static mproc_status tells_its_slots(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    atomic_store(&board->values[0], thread_self.process);
    atomic_store(&board->values[1], thread_self.owner_id);
    return fixture_waits(call);
}

static bool slot_is_free(void *index)
{
    return process_slot_state(process_slot_at(*(uint32_t *)index)) == PROCESS_FREE;
}

static void case_slots_of_a_killed_child_are_freed(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_start(tells_its_slots, board, 0, NULL);
    uint32_t index;
    uint32_t owner_id;

    fixture_await_step(board, 1);
    index = (uint32_t)atomic_load(&board->values[0]);
    owner_id = (uint32_t)atomic_load(&board->values[1]);
    CHECK_EQ(process_slot_state(process_slot_at(index)), PROCESS_ATTACHED);
    CHECK_EQ(process_slot_parent(process_slot_at(index)), thread_self.process);
    CHECK(!slot_process_dead(index));
    CHECK(slot_thread_present(owner_id));
    CHECK_OK(mproc_process_kill(process));
    CHECK_WAIT_UNTIL(slot_is_free, &index);
    CHECK(slot_process_dead(index));
    CHECK(!slot_thread_present(owner_id));
    CHECK_ENDED_BY(process, 9);
    fixture_board_free(board);
}

/* ---- adoption --------------------------------------------------------------------------------- */

/* Values 2: pid of the orphan-to-be, which tells its slots itself. */
static mproc_status has_a_child(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    mproc_process *process = fixture_start(tells_its_slots, board, 0, NULL);

    atomic_store(&board->values[2], mproc_process_pid(process));
    return fixture_waits(call);
}

static bool process_is_dead(void *index)
{
    return slot_process_dead(*(uint32_t *)index);
}

static void case_slot_of_an_orphan_is_adopted_when_it_has_ended(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_a_child, board, 0, NULL);
    uint32_t index;

    fixture_await_step(board, 2);
    index = (uint32_t)atomic_load(&board->values[0]);
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, 9);
    recovery_adopt();
    CHECK_EQ(process_slot_state(process_slot_at(index)), PROCESS_ATTACHED);
    fixture_kill(atomic_load(&board->values[2]));
    CHECK_WAIT_UNTIL(process_is_dead, &index);
    recovery_adopt();
    CHECK_EQ(process_slot_state(process_slot_at(index)), PROCESS_FREE);
    recovery_adopt();
    fixture_board_free(board);
}

/* Two orphans, both asleep: no sleep is longer than two seconds, after which the one takes over for the other. */
static void case_sleeping_orphan_takes_over_for_another(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *first = fixture_start(has_a_child, board, 0, NULL);
    mproc_process *second;
    uint32_t index;
    int64_t pid;
    int64_t survivor;

    fixture_await_step(board, 2);
    index = (uint32_t)atomic_load(&board->values[0]);
    pid = atomic_load(&board->values[2]);
    second = fixture_start(has_a_child, board, 0, NULL);
    fixture_await_step(board, 4);
    survivor = atomic_load(&board->values[2]);
    CHECK_OK(mproc_process_kill(first));
    CHECK_OK(mproc_process_kill(second));
    CHECK_ENDED_BY(first, 9);
    CHECK_ENDED_BY(second, 9);
    fixture_kill(pid);
    CHECK_WAIT_UNTIL(slot_is_free, &index);
    fixture_kill(survivor);
    fixture_board_free(board);
}

CHECK_SUITE_SETUP(arena_slot, fixture_setup,
    CASE(process_slot_is_taken_and_freed),
    CASE(own_slots_are_alive),
    CASE(each_thread_has_an_owner_id_that_ends_with_it),
    CASE(slots_of_a_killed_child_are_freed),
    CASE(slot_of_an_orphan_is_adopted_when_it_has_ended),
    CASE(sleeping_orphan_takes_over_for_another),
);
