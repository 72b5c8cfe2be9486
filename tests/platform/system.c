/* platform.h, system.c. */
#include "platform_fixture.h"

#include <stdio.h>

static void case_there_is_a_cpu(void)
{
    CHECK(plat_system_cpu_count() >= 1);
    CHECK(plat_system_cpu_count() < 8192);
}

static int helper_counts_bound_cpus(const char *text)
{
    int before = plat_system_cpu_count();

    (void)text;
    CHECK(before <= os_bind_to_one_cpu());
    return plat_system_cpu_count();
}

static void case_cpu_count_honours_affinity(void)
{
    plat_process process;

    platform_start("system.counts_bound_cpus", "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 1);
}

/* ---- random ----------------------------------------------------------------------------------- */

static void case_random_fills_all_bytes(void)
{
    unsigned char seen[33] = {0};
    unsigned char bytes[33];
    size_t i;
    int turn;

    /* A byte that is left out stays 0; one that is filled is 0 in 64 turns with probability 2^-512. */
    for (turn = 0; turn < 64; turn++) {
        memset(bytes, 0, sizeof bytes);
        CHECK_OK(plat_system_random(bytes, sizeof bytes));
        for (i = 0; i < sizeof bytes; i++) seen[i] |= bytes[i];
    }
    for (i = 0; i < sizeof seen; i++) CHECK(seen[i] != 0);
}

static void case_random_differs(void)
{
    unsigned char first[32];
    unsigned char second[32];

    CHECK_OK(plat_system_random(first, sizeof first));
    CHECK_OK(plat_system_random(second, sizeof second));
    CHECK(memcmp(first, second, sizeof first) != 0);
}

static void case_random_keeps_its_bounds(void)
{
    unsigned char bytes[10];

    memset(bytes, 0x5A, sizeof bytes);
    CHECK_OK(plat_system_random(bytes + 1, 0));
    CHECK_EQ(bytes[1], 0x5A);
    CHECK_OK(plat_system_random(bytes + 1, 8));
    CHECK_EQ(bytes[0], 0x5A);
    CHECK_EQ(bytes[9], 0x5A);
}

static void case_random_fills_much(void)
{
    static unsigned char bytes[1 << 20];
    size_t zeros = 0;
    size_t i;

    CHECK_OK(plat_system_random(bytes, sizeof bytes));
    for (i = 0; i < sizeof bytes; i++) zeros += bytes[i] == 0;
    CHECK(zeros > 2048);
    CHECK(zeros < 8192);
}

static int helper_writes_random(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    CHECK_OK(plat_system_random(board->bytes, 32));
    return 0;
}

static void case_random_differs_in_a_child(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    unsigned char mine[32];
    plat_process process;

    CHECK_OK(plat_system_random(mine, sizeof mine));
    platform_start("system.writes_random", "", memory, &process);
    CHECK_EXITS(&process, 0);
    CHECK(memcmp(mine, board->bytes, sizeof mine) != 0);
    platform_board_drop(board, memory);
}

/* Windows keeps handles of its generator for the rest of the process. */
static void warm_up(void)
{
    unsigned char byte;

    CHECK_OK(plat_system_random(&byte, 1));
}

/* ---- environment ------------------------------------------------------------------------------ */

static void case_variable_that_is_not_set_is_not_found(void)
{
    char value[16] = "kept";

    CHECK(!plat_system_environment("PLATFORM_NOT_SET", value, sizeof value));
    CHECK_STRING(value, "kept");
}

static void case_variable_is_read(void)
{
    char value[64];

    os_set_variable("PLATFORM_VARIABLE", "a value = with signs");
    CHECK(plat_system_environment("PLATFORM_VARIABLE", value, sizeof value));
    CHECK_STRING(value, "a value = with signs");
    /* A name is compared whole. */
    CHECK(!plat_system_environment("PLATFORM_VARIABL", value, sizeof value));
}

static void case_variable_that_fits_exactly_is_read(void)
{
    char value[8];

    os_set_variable("PLATFORM_VARIABLE", "1234567");
    CHECK(plat_system_environment("PLATFORM_VARIABLE", value, sizeof value));
    CHECK_STRING(value, "1234567");
}

static void case_variable_that_is_too_long_is_not_found(void)
{
    char value[8] = "kept";

    os_set_variable("PLATFORM_VARIABLE", "12345678");
    CHECK(!plat_system_environment("PLATFORM_VARIABLE", value, sizeof value));
    CHECK_STRING(value, "kept");
}

static void case_removed_variable_is_gone(void)
{
    char value[8];

    os_set_variable("PLATFORM_VARIABLE", "1");
    os_set_variable("PLATFORM_OTHER", "2");
    plat_system_environment_remove("PLATFORM_VARIABLE");
    CHECK(!plat_system_environment("PLATFORM_VARIABLE", value, sizeof value));
    CHECK(getenv("PLATFORM_VARIABLE") == NULL);
    CHECK(plat_system_environment("PLATFORM_OTHER", value, sizeof value));
    plat_system_environment_remove("PLATFORM_VARIABLE");
    plat_system_environment_remove("PLATFORM_NOT_SET");
}

static int helper_has_no_variable(const char *text)
{
    char value[8];

    (void)text;
    return plat_system_environment("PLATFORM_VARIABLE", value, sizeof value) ? 1 : 0;
}

static void case_removed_variable_is_not_passed_on(void)
{
    plat_process process;

    os_set_variable("PLATFORM_VARIABLE", "1");
    platform_start("system.has_no_variable", "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 1);
    plat_system_environment_remove("PLATFORM_VARIABLE");
    platform_start("system.has_no_variable", "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 0);
}

CHECK_SUITE_SETUP(system, warm_up,
    CASE(there_is_a_cpu),
    CASE(cpu_count_honours_affinity),
    CASE(random_fills_all_bytes),
    CASE(random_differs),
    CASE(random_keeps_its_bounds),
    CASE(random_fills_much),
    CASE(random_differs_in_a_child),
    CASE(variable_that_is_not_set_is_not_found),
    CASE(variable_is_read),
    CASE(variable_that_fits_exactly_is_read),
    CASE(variable_that_is_too_long_is_not_found),
    CASE(removed_variable_is_gone),
    CASE(removed_variable_is_not_passed_on),
    HELPER(counts_bound_cpus),
    HELPER(writes_random),
    HELPER(has_no_variable),
);
