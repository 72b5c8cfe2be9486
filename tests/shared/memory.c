/* mproc/shared_memory.h without names, and what is refused with or without them. */
#include "memory_fixture.h"

#include <stdlib.h>

static bool all_are(const unsigned char *bytes, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value) return false;
    return true;
}

static void case_memory_is_zero_and_has_the_size_asked_for(void)
{
    static const size_t sizes[] = {1, 63, 64, 4095, 4096, 4097, 1000003};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        mproc_shared_memory *memory = NULL;
        CHECK_OK(mproc_shared_memory_create(sizes[i], NULL, &memory));
        CHECK_EQ(mproc_shared_memory_size(memory), sizes[i]);
        CHECK(mproc_shared_memory_name(memory) == NULL);
        CHECK_EQ((uintptr_t)mproc_shared_memory_data(memory) % 64, 0);
        CHECK(all_are(mproc_shared_memory_data(memory), sizes[i], 0));
        memset(mproc_shared_memory_data(memory), 0xA5, sizes[i]);
        mproc_shared_memory_free(memory);
    }
}

static void case_memory_used_again_is_zero(void)
{
    for (int round = 0; round < 3; round++) {
        mproc_shared_memory *memory = memory_create(10000, NULL);
        CHECK(all_are(mproc_shared_memory_data(memory), 10000, 0));
        memset(mproc_shared_memory_data(memory), 1, 10000);
        mproc_shared_memory_free(memory);
    }
}

/* Answers what it finds by what it writes. */
static mproc_status doubles(mproc_call *call)
{
    mproc_shared_memory *memory;
    int64_t *numbers;

    MPROC_TRY(mproc_unpack(call, &memory));
    numbers = mproc_shared_memory_data(memory);
    for (size_t i = 0; i < mproc_shared_memory_size(memory) / sizeof *numbers; i++) numbers[i] *= 2;
    return MPROC_OK;
}

static void case_child_and_parent_see_each_others_writes(void)
{
    mproc_shared_memory *memory = memory_create(1000 * sizeof(int64_t), NULL);
    int64_t *numbers = mproc_shared_memory_data(memory);

    for (int i = 0; i < 1000; i++) numbers[i] = i;
    memory_run(doubles, MPROC_ARGS(memory));
    for (int i = 0; i < 1000; i++) CHECK_EQ(numbers[i], 2 * i);
    mproc_shared_memory_free(memory);
}

static mproc_status passes_on(mproc_call *call)
{
    mproc_shared_memory *memory;

    MPROC_TRY(mproc_unpack(call, &memory));
    memory_run(doubles, MPROC_ARGS(memory));
    return MPROC_OK;
}

static void case_grandchild_has_the_memory_too(void)
{
    mproc_shared_memory *memory = memory_create(sizeof(int64_t), NULL);
    int64_t *number = mproc_shared_memory_data(memory);

    *number = 21;
    memory_run(passes_on, MPROC_ARGS(memory));
    CHECK_EQ(*number, 42);
    mproc_shared_memory_free(memory);
}

static mproc_status asks_for_an_array(mproc_call *call)
{
    mproc_shared_array *array;

    CHECK_STATUS(mproc_unpack(call, &array), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), "shared memory");
    return MPROC_OK;
}

static void case_memory_is_no_array(void)
{
    mproc_shared_memory *memory = memory_create(8, NULL);

    memory_run(asks_for_an_array, MPROC_ARGS(memory));
    mproc_shared_memory_free(memory);
}

static mproc_status waits_with_the_memory(mproc_call *call)
{
    mproc_shared_memory *memory;

    MPROC_TRY(mproc_unpack(call, &memory));
    atomic_store(memory_word(memory), 1);
    for (;;) mproc_sleep_ms(MPROC_FOREVER);
    return MPROC_OK;
}

static void case_killed_process_does_not_keep_the_memory(void)
{
    uint64_t before = fixture_bytes_used();
    mproc_shared_memory *memory = memory_create(100000, NULL);
    mproc_process *process = memory_start(waits_with_the_memory, MPROC_ARGS(memory));

    memory_await(memory, 1);
    CHECK_OK(mproc_process_kill(process));
    CHECK_ENDED_BY(process, 9);
    mproc_shared_memory_free(memory);
    CHECK(fixture_bytes_used() <= before + 10000);
}

static void refuses(const char *name, const char *part)
{
    mproc_shared_memory_options options = {.name = name};
    mproc_shared_memory *memory = NULL;

    CHECK_SAYS(mproc_shared_memory_create(8, &options, &memory), MPROC_INVALID, part);
    CHECK_SAYS(mproc_shared_memory_attach(name, &memory), MPROC_INVALID, part);
    CHECK(memory == NULL);
}

static void case_what_cannot_be_a_name_is_refused(void)
{
    char longest[MPROC_SHARED_NAME_MAX + 2];
    mproc_shared_memory *memory = NULL;

    refuses("", "0 bytes");
    refuses("\xFF", "UTF-8");
    memset(longest, 'x', sizeof longest);
    longest[MPROC_SHARED_NAME_MAX + 1] = 0;
    refuses(longest, "65 bytes: 1 to 64");
    CHECK_SAYS(mproc_shared_memory_attach(NULL, &memory), MPROC_INVALID, "NULL");
}

static void case_sizes_that_cannot_be_are_refused(void)
{
    const mproc_shared_memory_options options = {.name = memory_name("large")};
    mproc_shared_memory *memory = NULL;

    CHECK_SAYS(mproc_shared_memory_create(0, NULL, &memory), MPROC_INVALID, "0 bytes");
    CHECK_SAYS(mproc_shared_memory_create(0, &options, &memory), MPROC_INVALID, "0 bytes");
    CHECK_STATUS(mproc_shared_memory_create((size_t)-1, NULL, &memory), MPROC_NO_MEMORY);
    CHECK_STATUS(mproc_shared_memory_create((size_t)1 << 50, NULL, &memory), MPROC_NO_MEMORY);
    CHECK_STATUS(mproc_shared_memory_create((size_t)-1, &options, &memory), MPROC_NO_MEMORY);
    CHECK_SAYS(mproc_shared_memory_create((size_t)1 << 50, &options, &memory), MPROC_NO_MEMORY, options.name);
    CHECK(memory == NULL);
    CHECK(memory_is_free(options.name));
    CHECK_SAYS(mproc_shared_memory_create(8, NULL, NULL), MPROC_INVALID, "NULL");
    CHECK_SAYS(mproc_shared_memory_attach(options.name, NULL), MPROC_INVALID, "NULL");
}

static void case_memory_without_a_name_cannot_be_unlinked(void)
{
    mproc_shared_memory *memory = memory_create(8, NULL);

    CHECK_SAYS(mproc_shared_memory_unlink(memory), MPROC_NOT_SUPPORTED, "no name");
    mproc_shared_memory_free(memory);
    mproc_shared_memory_free(NULL);
}

CHECK_SUITE_SETUP(shared_memory, fixture_setup,
    CASE(memory_is_zero_and_has_the_size_asked_for),
    CASE(memory_used_again_is_zero),
    CASE(child_and_parent_see_each_others_writes),
    CASE(grandchild_has_the_memory_too),
    CASE(memory_is_no_array),
    CASE(killed_process_does_not_keep_the_memory),
    CASE(what_cannot_be_a_name_is_refused),
    CASE(sizes_that_cannot_be_are_refused),
    CASE(memory_without_a_name_cannot_be_unlinked),
);
