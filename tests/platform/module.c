/* platform.h, module.c: where a function lies, told so that another process finds it. */
#include "platform_fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* PLATFORM_LIBRARY is the file name of the library in module_library.c; it lies beside this program. */
static const char no_function[] = "constant data";
static int variable_data = 1;
static int zeroed_data;

static void case_finds_the_executable(void)
{
    plat_module module;

    memset(&module, 0, sizeof module);
    CHECK_OK(plat_module_find((uintptr_t)case_finds_the_executable, &module));
    CHECK(module.main);
    CHECK(module.base != 0);
    CHECK(module.base <= (uintptr_t)case_finds_the_executable);
}

static void case_all_functions_of_a_module_have_one_base_and_id(void)
{
    plat_module first;
    plat_module second;

    CHECK_OK(plat_module_find((uintptr_t)case_finds_the_executable, &first));
    CHECK_OK(plat_module_find((uintptr_t)check_main, &second));
    CHECK_EQ(first.base, second.base);
    CHECK(memcmp(first.id, second.id, sizeof first.id) == 0);
}

static void case_finds_the_systems_library(void)
{
    plat_module module;
    plat_module main_module;

    CHECK_OK(plat_module_find(os_system_function(), &module));
    CHECK_OK(plat_module_find((uintptr_t)check_main, &main_module));
    CHECK(!module.main);
    CHECK(module.path[0] != '\0');
    CHECK(module.base != main_module.base);
    CHECK(memcmp(module.id, main_module.id, sizeof module.id) != 0);
}

/* ---- what is no function ---------------------------------------------------------------------- */

static void check_no_function(uintptr_t address)
{
    plat_module module;

    CHECK_REFUSED(plat_module_find(address, &module), MPROC_NOT_FOUND);
}

static void case_refuses_the_stack_and_the_heap(void)
{
    int local = 1;
    void *block = malloc(64);

    CHECK(block != NULL);
    check_no_function((uintptr_t)&local);
    check_no_function((uintptr_t)block);
    free(block);
}

static void case_refuses_data_of_a_module(void)
{
    check_no_function((uintptr_t)no_function);
    check_no_function((uintptr_t)&variable_data);
    check_no_function((uintptr_t)&zeroed_data);
}

static void case_refuses_addresses_of_nothing(void)
{
    check_no_function(0);
    check_no_function(1);
    check_no_function(UINTPTR_MAX);
    check_no_function(UINTPTR_MAX / 2);
}

static void case_refuses_generated_code(void)
{
    void *code = os_generate_code();

    check_no_function((uintptr_t)code);
    os_free_code(code);
}

/* ---- by id ------------------------------------------------------------------------------------ */

static void case_lookup_finds_what_find_named(void)
{
    plat_module found;
    plat_module again;

    CHECK_OK(plat_module_find((uintptr_t)check_main, &found));
    CHECK_OK(plat_module_lookup(found.id, &again));
    CHECK_EQ(again.base, found.base);
    CHECK(again.main);
    CHECK_OK(plat_module_find(os_system_function(), &found));
    CHECK_OK(plat_module_lookup(found.id, &again));
    CHECK_EQ(again.base, found.base);
    CHECK(!again.main);
}

static void case_lookup_of_an_unknown_id_is_refused(void)
{
    uint8_t id[20];
    plat_module module;

    memset(id, 0xA7, sizeof id);
    CHECK_REFUSED(plat_module_lookup(id, &module), MPROC_NOT_FOUND);
    memset(id, 0, sizeof id);
    CHECK_REFUSED(plat_module_lookup(id, &module), MPROC_NOT_FOUND);
}

/* The board: bytes 0 to 19 hold the id, values[0] the offset of the function below. */
static int function_to_find(int number)
{
    return number * 3;
}

static int helper_finds_by_id(const char *text)
{
    plat_handle handles[4];
    plat_module module;
    platform_board *board;
    uintptr_t address;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    CHECK_OK(plat_module_lookup(board->bytes, &module));
    address = module.base + (uintptr_t)atomic_load(&board->values[0]);
    CHECK(address == (uintptr_t)function_to_find);
    return ((int (*)(int))address)(5);
}

static void case_a_child_finds_the_same_function(void)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    plat_module module;
    plat_process process;

    CHECK_OK(plat_module_find((uintptr_t)function_to_find, &module));
    memcpy(board->bytes, module.id, sizeof module.id);
    atomic_store(&board->values[0], (int64_t)((uintptr_t)function_to_find - module.base));
    platform_start("module.finds_by_id", "", memory, &process);
    CHECK_EXITS(&process, 15);
    platform_board_drop(board, memory);
}

/* ---- opening ---------------------------------------------------------------------------------- */

static void library_path(char *path, size_t size)
{
    os_program_directory(path, size);
    snprintf(path + strlen(path), size - strlen(path), "/%s", PLATFORM_LIBRARY);
}

static void case_opens_a_library_for_good(void)
{
    char path[1024];
    plat_module module;
    uintptr_t address;

    library_path(path, sizeof path);
    CHECK_OK(plat_module_open(path));
    CHECK_BASELINE();
    CHECK_OK(plat_module_open(path));
    address = os_library_symbol(path, "module_library_answer");
    CHECK(address != 0);
    CHECK_OK(plat_module_find(address, &module));
    CHECK(!module.main);
    CHECK_CONTAINS(module.path, PLATFORM_LIBRARY);
}

static int helper_opens_by_path(const char *text)
{
    plat_handle handles[4];
    plat_module module;
    platform_board *board;
    uintptr_t address;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    CHECK_STATUS(plat_module_lookup(board->bytes, &module), MPROC_NOT_FOUND);
    CHECK_OK(plat_module_open((const char *)board->bytes + 20));
    CHECK_OK(plat_module_lookup(board->bytes, &module));
    address = module.base + (uintptr_t)atomic_load(&board->values[0]);
    return ((int (*)(int))address)(1);
}

static void case_a_child_opens_what_its_parent_opened(void)
{
    plat_handle memory;
    platform_board *board;
    char path[1024];
    plat_module module;
    plat_process process;
    uintptr_t address;

    library_path(path, sizeof path);
    CHECK_OK(plat_module_open(path));
    CHECK_BASELINE();
    board = platform_board_create(&memory);
    address = os_library_symbol(path, "module_library_answer");
    CHECK_OK(plat_module_find(address, &module));
    CHECK(strlen(module.path) < sizeof board->bytes - 20);
    memcpy(board->bytes, module.id, sizeof module.id);
    memcpy(board->bytes + 20, module.path, strlen(module.path) + 1);
    atomic_store(&board->values[0], (int64_t)(address - module.base));
    platform_start("module.opens_by_path", "", memory, &process);
    CHECK_EXITS(&process, 42);
    platform_board_drop(board, memory);
}

static void case_opening_a_missing_library_is_refused(void)
{
    CHECK_REFUSED(plat_module_open("no-such-directory/no-such-library.so"), MPROC_NOT_FOUND);
    CHECK_CONTAINS(mproc_last_error_text(), "no-such-library.so");
    CHECK_REFUSED(plat_module_open("no-such-\xC3\xA4.so"), MPROC_NOT_FOUND);
}

static void case_opening_what_is_no_library_is_refused(void)
{
    char directory[1024];
    char path[1100];

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/library.dll", directory);
    os_write_program(path, "this is no library\n");
    CHECK_REFUSED(plat_module_open(path), MPROC_NOT_FOUND);
    os_remove_directory(directory);
}

CHECK_SUITE(module,
    CASE(finds_the_executable),
    CASE(all_functions_of_a_module_have_one_base_and_id),
    CASE(finds_the_systems_library),
    CASE(refuses_the_stack_and_the_heap),
    CASE(refuses_data_of_a_module),
    CASE(refuses_addresses_of_nothing),
    CASE(refuses_generated_code),
    CASE(lookup_finds_what_find_named),
    CASE(lookup_of_an_unknown_id_is_refused),
    CASE(a_child_finds_the_same_function),
    CASE(opens_a_library_for_good),
    CASE(a_child_opens_what_its_parent_opened),
    CASE(opening_a_missing_library_is_refused),
    CASE(opening_what_is_no_library_is_refused),
    HELPER(finds_by_id),
    HELPER(opens_by_path),
);
