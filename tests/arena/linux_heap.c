/* What the system has of the arena's memory, as Linux tells. */
#include "arena/block.h"

#include <sys/stat.h>

#include "check.h"
#include "process/process_fixture.h"

#include <mproc/shared.h>

#define MIB ((uint64_t)1 << 20)

static uint64_t taken_from_the_system(void)
{
    struct stat status;

    CHECK_EQ(fstat((int)arena_memory(), &status), 0);
    return (uint64_t)status.st_blocks * 512;
}

static void case_a_large_array_gives_its_memory_back(void)
{
    mproc_shared_array *array = NULL;
    uint64_t before;

    CHECK_OK(mproc_shared_array_create(1, 16, NULL, NULL, &array));
    mproc_shared_array_free(array);
    before = taken_from_the_system();
    CHECK_OK(mproc_shared_array_create(1, 200 * MIB, NULL, NULL, &array));
    CHECK(taken_from_the_system() >= before + 200 * MIB);
    mproc_shared_array_free(array);
    CHECK(taken_from_the_system() <= before + MIB);
}

/* One at a time, each larger than the one before: no more than what is kept warm stays. */
static void case_arrays_that_grow_leave_little_behind(void)
{
    uint64_t before = taken_from_the_system(), size = MIB;
    mproc_shared_array *array = NULL;

    for (; size < 150 * MIB; size += size / 3) {
        CHECK_OK(mproc_shared_array_create(1, (size_t)size, NULL, NULL, &array));
        mproc_shared_array_free(array);
    }
    CHECK(taken_from_the_system() <= before + 66 * MIB);
    CHECK(block_count().sound);
}

static mproc_status has_an_array_until_killed(mproc_call *call)
{
    mproc_shared_array *array = NULL;

    CHECK_OK(mproc_shared_array_create(1, 200 * MIB, NULL, NULL, &array));
    return fixture_waits(call);
}

static void case_memory_of_the_killed_goes_back(void)
{
    fixture_board *board = fixture_board_create();
    uint64_t before = taken_from_the_system();
    mproc_process *process = fixture_start(has_an_array_until_killed, board, 0, NULL);

    fixture_await_step(board, 1);
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    CHECK(taken_from_the_system() <= before + 2 * MIB);
    fixture_board_free(board);
}

CHECK_SUITE_SETUP(arena_linux_heap, fixture_setup,
    CASE(a_large_array_gives_its_memory_back),
    CASE(arrays_that_grow_leave_little_behind),
    CASE(memory_of_the_killed_goes_back),
);
