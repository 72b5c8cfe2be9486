/* mproc/shared_memory.h: names, and what becomes of them however processes end. */
#include "memory_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/platform_fixture.h"

/* ---- one process -------------------------------------------------------------------------------- */

static void case_memory_is_found_by_its_name(void)
{
    const char *name = memory_name("found");
    mproc_shared_memory *memory = memory_create(5001, name);
    mproc_shared_memory *other = memory_attach(name);

    CHECK_STRING(mproc_shared_memory_name(memory), name);
    CHECK_STRING(mproc_shared_memory_name(other), name);
    CHECK_EQ(mproc_shared_memory_size(other), 5001);
    CHECK_EQ((uintptr_t)mproc_shared_memory_data(other) % 64, 0);
    CHECK_EQ(((char *)mproc_shared_memory_data(other))[5000], 0);
    strcpy(mproc_shared_memory_data(memory), "written here");
    CHECK_STRING(mproc_shared_memory_data(other), "written here");
    mproc_shared_memory_free(memory);
    CHECK_STRING(mproc_shared_memory_data(other), "written here");
    mproc_shared_memory_free(other);
}

static void case_name_is_given_once(void)
{
    const mproc_shared_memory_options options = {.name = memory_name("once")};
    mproc_shared_memory *memory = memory_create(8, options.name);
    mproc_shared_memory *other = NULL;

    CHECK_SAYS(mproc_shared_memory_create(8, &options, &other), MPROC_EXISTS, options.name);
    CHECK_SAYS(mproc_shared_memory_create(8, &options, &other), MPROC_EXISTS, "attach to it");
    CHECK(other == NULL);
    mproc_shared_memory_free(memory);
}

static void case_missing_name_is_not_found(void)
{
    const char *name = memory_name("missing");
    mproc_shared_memory *memory = NULL;

    CHECK_SAYS(mproc_shared_memory_attach(name, &memory), MPROC_NOT_FOUND, name);
    CHECK(memory == NULL);
}

static void case_name_ends_with_the_last_reference(void)
{
    const char *name = memory_name("last");
    mproc_shared_memory *memory = memory_create(8, name);
    mproc_shared_memory *other = memory_attach(name);

    mproc_shared_memory_free(memory);
    CHECK(!memory_is_free(name));
    mproc_shared_memory_free(other);
    CHECK(memory_is_free(name));
    memory = memory_create(16, name);
    CHECK_EQ(mproc_shared_memory_size(memory), 16);
    mproc_shared_memory_free(memory);
}

static void case_unlinked_name_is_free_and_the_memory_stays(void)
{
    const char *name = memory_name("unlinked");
    mproc_shared_memory *old = memory_create(8, name);
    mproc_shared_memory *young;

    *memory_word(old) = 1;
    CHECK_OK(mproc_shared_memory_unlink(old));
    CHECK_SAYS(mproc_shared_memory_unlink(old), MPROC_NOT_FOUND, name);
    CHECK(memory_is_free(name));
    young = memory_create(8, name);
    CHECK_EQ(*memory_word(young), 0);
    CHECK_EQ(*memory_word(old), 1);
    CHECK_STATUS(mproc_shared_memory_unlink(old), MPROC_NOT_FOUND);
    CHECK(!memory_is_free(name));
    mproc_shared_memory_free(old);
    CHECK(!memory_is_free(name));
    CHECK_OK(mproc_shared_memory_unlink(young));
    mproc_shared_memory_free(young);
}

static void case_attached_memory_can_be_unlinked_too(void)
{
    const char *name = memory_name("by-another");
    mproc_shared_memory *memory = memory_create(8, name);
    mproc_shared_memory *other = memory_attach(name);

    CHECK_OK(mproc_shared_memory_unlink(other));
    CHECK_STATUS(mproc_shared_memory_unlink(memory), MPROC_NOT_FOUND);
    mproc_shared_memory_free(other);
    mproc_shared_memory_free(memory);
}

static void case_names_have_any_characters(void)
{
    static const char *const endings[] = {"a",   "A",  "a:b", "a/b", "a\\b", "a\nb",
                                          "a.b", "..", "a b", "%41", "%",    "\xC3\xA4"};
    enum { COUNT = sizeof endings / sizeof endings[0] };
    mproc_shared_memory *memories[COUNT];
    uint32_t i;

    for (i = 0; i < COUNT; i++) {
        memories[i] = memory_create(8, memory_name(endings[i]));
        *memory_word(memories[i]) = i;
    }
    for (i = 0; i < COUNT; i++) {
        mproc_shared_memory *again = memory_attach(memory_name(endings[i]));
        CHECK_EQ(*memory_word(again), i);
        mproc_shared_memory_free(again);
        mproc_shared_memory_free(memories[i]);
    }
}

/* The longest, all of characters that need more room elsewhere. */
static void case_longest_name_is_found(void)
{
    char name[MPROC_SHARED_NAME_MAX + 1];
    mproc_shared_memory *memory, *other;

    snprintf(name, sizeof name, "%lld", (long long)mproc_getpid());
    memset(name + strlen(name), ':', sizeof name - 1 - strlen(name));
    name[MPROC_SHARED_NAME_MAX] = 0;
    memory = memory_create(8, name);
    other = memory_attach(name);
    mproc_shared_memory_free(memory);
    mproc_shared_memory_free(other);
}

static void case_large_memory_has_a_name_too(void)
{
    enum { LARGE = 5 << 20 };
    const char *name = memory_name("large");
    mproc_shared_memory *memory = memory_create(LARGE, name), *other = memory_attach(name);

    ((char *)mproc_shared_memory_data(memory))[LARGE - 1] = 7;
    CHECK_EQ(((const char *)mproc_shared_memory_data(other))[LARGE - 1], 7);
    CHECK_EQ(((const char *)mproc_shared_memory_data(other))[LARGE / 2], 0);
    mproc_shared_memory_free(memory);
    mproc_shared_memory_free(other);
}

/* ---- other processes ---------------------------------------------------------------------------- */

static mproc_status finds_it_and_adds(mproc_call *call)
{
    mproc_shared_memory *memory;
    const char *name;

    MPROC_TRY(mproc_unpack(call, &name));
    memory = memory_attach(name);
    CHECK_EQ(mproc_shared_memory_size(memory), 100);
    atomic_fetch_add(memory_word(memory), 1);
    mproc_shared_memory_free(memory);
    return MPROC_OK;
}

static mproc_status is_given_it_and_adds(mproc_call *call)
{
    mproc_shared_memory *memory;
    const char *name;

    MPROC_TRY(mproc_unpack(call, &memory, &name));
    CHECK_STRING(mproc_shared_memory_name(memory), name);
    CHECK_EQ(mproc_shared_memory_size(memory), 100);
    atomic_fetch_add(memory_word(memory), 1);
    return MPROC_OK;
}

static void case_children_find_it_or_are_given_it(void)
{
    const char *name = memory_name("children");
    mproc_shared_memory *memory = memory_create(100, name);

    for (uint32_t i = 0; i < 4; i += 2) {
        memory_run(finds_it_and_adds, MPROC_ARGS(name));
        memory_run(is_given_it_and_adds, MPROC_ARGS(memory, name));
        CHECK_EQ(*memory_word(memory), i + 2);
    }
    CHECK(!memory_is_free(name));
    mproc_shared_memory_free(memory);
    CHECK(memory_is_free(name));
}

static mproc_status is_given_a_five(mproc_call *call)
{
    mproc_shared_memory *memory;

    MPROC_TRY(mproc_unpack(call, &memory));
    CHECK_EQ(*memory_word(memory), 5);
    return MPROC_OK;
}

/* The process object keeps it until the child has it, and longer. */
static void case_argument_keeps_the_memory(void)
{
    const char *name = memory_name("given-away");
    mproc_shared_memory *memory = memory_create(8, name);
    mproc_process *process = NULL;

    *memory_word(memory) = 5;
    CHECK_OK(mproc_process_create(is_given_a_five, MPROC_ARGS(MPROC_LIST(memory), memory), NULL, &process));
    mproc_process_free(process);
    CHECK_OK(mproc_process_create(is_given_a_five, MPROC_ARGS(memory), NULL, &process));
    mproc_shared_memory_free(memory);
    CHECK(!memory_is_free(name));
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK(!memory_is_free(name));
    CHECK_EXITED(process, 0);
    CHECK(memory_is_free(name));
}

static mproc_status is_given_what_is_not_there(mproc_call *call)
{
    mproc_shared_memory *memory;

    CHECK_SAYS(mproc_unpack(call, &memory), MPROC_NOT_FOUND, "unlinked");
    return MPROC_OK;
}

static void case_unlinked_memory_cannot_be_passed_on(void)
{
    const char *name = memory_name("dead");
    mproc_shared_memory *memory = memory_create(8, name);
    mproc_shared_memory *other;
    mproc_process *processes[2], *late = NULL;

    for (int i = 0; i < 2; i++)
        CHECK_OK(mproc_process_create(is_given_what_is_not_there, MPROC_ARGS(memory), NULL, &processes[i]));
    CHECK_OK(mproc_shared_memory_unlink(memory));
    CHECK_OK(mproc_process_start(processes[0]));
    CHECK_EXITED(processes[0], 0);
    CHECK_SAYS(mproc_process_create(is_given_a_five, MPROC_ARGS(memory), NULL, &late), MPROC_NOT_FOUND, "unlinked");
    other = memory_create(8, name);
    CHECK_OK(mproc_process_start(processes[1]));
    CHECK_EXITED(processes[1], 0);
    CHECK_STATUS(mproc_process_create(is_given_a_five, MPROC_ARGS(memory), NULL, &late), MPROC_NOT_FOUND);
    mproc_shared_memory_free(other);
    mproc_shared_memory_free(memory);
}

/* ---- ends of processes -------------------------------------------------------------------------- */

/* What a process has when it ends: to free it is not necessary. */
static mproc_shared_memory *memory;

/* Creates memory of that name, or attaches to it, and ends, or waits, as it is told by `board`. */
static mproc_status has_it(mproc_call *call)
{
    mproc_shared_memory *board;
    const char *name;
    bool creates, ends;

    MPROC_TRY(mproc_unpack(call, &board, &name, &creates, &ends));
    memory = creates ? memory_create(1 << 20, name) : memory_attach(name);
    memset((char *)mproc_shared_memory_data(memory) + sizeof(uint32_t), 7, 1000);
    atomic_fetch_add(memory_word(board), 1);
    if (ends) return MPROC_OK;
    for (;;) mproc_sleep_ms(MPROC_FOREVER);
    return MPROC_OK;
}

static void case_name_of_a_killed_creator_is_free(void)
{
    const char *name = memory_name("killed");
    mproc_shared_memory *board = memory_create(8, NULL);

    for (uint32_t round = 1; round <= 3; round++) {
        mproc_process *process = memory_start(has_it, MPROC_ARGS(board, name, true, false));
        memory_await(board, round);
        CHECK(!memory_is_free(name));
        CHECK_OK(mproc_process_kill(process));
        CHECK_ENDED_BY(process, 9);
        CHECK(memory_is_free(name));
    }
    mproc_shared_memory_free(board);
}

static void case_name_of_a_creator_that_ends_is_free(void)
{
    const char *name = memory_name("ended");
    mproc_shared_memory *board = memory_create(8, NULL);

    memory_run(has_it, MPROC_ARGS(board, name, true, true));
    CHECK_EQ(*memory_word(board), 1);
    CHECK(memory_is_free(name));
    mproc_shared_memory_free(board);
}

static void case_memory_outlives_its_killed_creator(void)
{
    const char *name = memory_name("outlives");
    mproc_shared_memory *board = memory_create(8, NULL);
    mproc_process *process = memory_start(has_it, MPROC_ARGS(board, name, true, false));

    memory_await(board, 1);
    memory = memory_attach(name);
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    CHECK_EQ(((char *)mproc_shared_memory_data(memory))[1000], 7);
    memory_run(has_it, MPROC_ARGS(board, name, false, true));
    CHECK(!memory_is_free(name));
    mproc_shared_memory_free(memory);
    CHECK(memory_is_free(name));
    mproc_shared_memory_free(board);
}

static void case_killed_user_does_not_take_the_name_along(void)
{
    const char *name = memory_name("stays");
    mproc_shared_memory *board = memory_create(8, NULL);
    mproc_process *process;

    memory = memory_create(1 << 20, name);
    process = memory_start(has_it, MPROC_ARGS(board, name, false, false));
    memory_await(board, 1);
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    CHECK(!memory_is_free(name));
    mproc_shared_memory_free(memory);
    CHECK(memory_is_free(name));
    mproc_shared_memory_free(board);
}

/* ---- other families ----------------------------------------------------------------------------- */

static int helper_adds(const char *name)
{
    memory = memory_attach(name);
    CHECK_EQ(mproc_shared_memory_size(memory), 12345);
    atomic_fetch_add(memory_word(memory), 1);
    return 0;
}

static void case_another_program_finds_it_and_leaves_it(void)
{
    const char *name = memory_name("foreign");
    fixture_run run = {.helper = "shared_memory_names.adds", .text = name};

    memory = memory_create(12345, name);
    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 0);
    CHECK_EQ(*memory_word(memory), 1);
    CHECK(!memory_is_free(name));
    mproc_shared_memory_free(memory);
}

/* Creates it, and tells by another that it has. */
static int helper_creates_and_waits(const char *name)
{
    char board[MPROC_SHARED_NAME_MAX + 1];

    snprintf(board, sizeof board, "%s-board", name);
    memory_create(1 << 20, name);
    atomic_store(memory_word(memory_attach(board)), 1);
    for (;;) mproc_sleep_ms(MPROC_FOREVER);
    return 0;
}

static void case_name_of_a_killed_family_is_free(void)
{
    char name[32];
    mproc_shared_memory *board;
    plat_process process;
    fixture_run run = {.helper = "shared_memory_names.creates_and_waits", .text = name};

    snprintf(name, sizeof name, "%s", memory_name("tested"));
    board = memory_create(8, memory_name("tested-board"));
    fixture_run_start(&run, &process);
    memory_await(board, 1);
    CHECK(!memory_is_free(name));
    CHECK_OK(plat_process_kill(&process));
    CHECK_SIGNALLED(&process, 9);
    CHECK(memory_is_free(name));
    memory = memory_create(8, name);
    mproc_shared_memory_free(memory);
    mproc_shared_memory_free(board);
}

CHECK_SUITE_SETUP(shared_memory_names, fixture_setup,
    CASE(memory_is_found_by_its_name),
    CASE(name_is_given_once),
    CASE(missing_name_is_not_found),
    CASE(name_ends_with_the_last_reference),
    CASE(unlinked_name_is_free_and_the_memory_stays),
    CASE(attached_memory_can_be_unlinked_too),
    CASE(names_have_any_characters),
    CASE(longest_name_is_found),
    CASE(large_memory_has_a_name_too),
    CASE(children_find_it_or_are_given_it),
    CASE(argument_keeps_the_memory),
    CASE(unlinked_memory_cannot_be_passed_on),
    CASE(name_of_a_killed_creator_is_free),
    CASE(name_of_a_creator_that_ends_is_free),
    CASE(memory_outlives_its_killed_creator),
    CASE(killed_user_does_not_take_the_name_along),
    CASE(another_program_finds_it_and_leaves_it),
    CASE(name_of_a_killed_family_is_free),
    HELPER(adds),
    HELPER(creates_and_waits),
);
