/* base/function.h: references to functions. What crosses to another process is tested in tests/process. */
#include "base/function.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "platform.h"

static void touch_text(void)
{
    CHECK(mproc_last_error_text() != NULL);
}

static int answers(void)
{
    return 42;
}

static void case_reference_leads_back_to_its_function(void)
{
    function_ref ref;
    function_pointer found = NULL;

    CHECK_OK(function_encode((function_pointer)answers, &ref));
    CHECK(ref.main);
    CHECK_OK(function_decode(&ref, &found));
    CHECK(found == (function_pointer)answers);
    CHECK_EQ(((int (*)(void))found)(), 42);
}

static void case_reference_to_a_librarys_function_leads_back(void)
{
    function_ref ref;
    function_pointer found = NULL;

    CHECK_OK(function_encode((function_pointer)qsort, &ref));
    CHECK_OK(function_decode(&ref, &found));
    CHECK(found != NULL);
}

static void case_references_are_the_same_for_the_same_function(void)
{
    function_ref left;
    function_ref right;

    CHECK_OK(function_encode((function_pointer)answers, &left));
    CHECK_OK(function_encode((function_pointer)answers, &right));
    CHECK(function_same(&left, &right));
    CHECK_OK(function_encode((function_pointer)check_main, &right));
    CHECK(!function_same(&left, &right));
    right = left;
    right.module[19] ^= 1;
    CHECK(!function_same(&left, &right));
}

/* ---- what is no function ---------------------------------------------------------------------- */

static int data_of_the_program = 1;

/* From an address of the stack, the heap or data no C program gets a function pointer but by force. */
static function_pointer forced(const void *address)
{
    function_pointer function;

    memcpy(&function, &address, sizeof function);
    return function;
}

static void check_refused(const void *address)
{
    function_ref ref;
    char number[32];

    memset(&ref, 0x55, sizeof ref);
    CHECK_STATUS(function_encode(forced(address), &ref), MPROC_BAD_FUNCTION);
    CHECK_CONTAINS(mproc_last_error_text(), "no module of this process");
    CHECK_CONTAINS(mproc_last_error_text(), "pass a function of the executable or of a shared library");
    snprintf(number, sizeof number, "%p", (void *)(uintptr_t)address);
    CHECK_CONTAINS(mproc_last_error_text(), number);
    CHECK_EQ(ref.offset, 0x5555555555555555);
}

static void case_what_is_no_code_of_a_module_is_refused(void)
{
    int local = 0;
    void *block = malloc(64);

    check_refused(&local);
    check_refused(block);
    check_refused(&data_of_the_program);
    check_refused((const void *)1);
    free(block);
}

/* Two copies of a file are two modules of one build, and no distance within the one holds in the other. */
static void case_function_of_another_copy_of_its_module_is_not_beside(void)
{
    function_pointer here = (function_pointer)answers, there = (function_pointer)((uintptr_t)answers + 0x10000000);
    function_ref ref;

    CHECK_OK(function_encode(here, &ref));
    CHECK(function_is_beside(here, &ref, (function_pointer)touch_text));
    CHECK(!function_is_beside(there, &ref, (function_pointer)touch_text));
}

/* ---- references that lead nowhere ------------------------------------------------------------- */

static void case_damaged_offset_is_refused(void)
{
    function_ref ref;
    function_pointer found = (function_pointer)answers;

    CHECK_OK(function_encode((function_pointer)answers, &ref));
    ref.offset = 0;
    CHECK_STATUS(function_decode(&ref, &found), MPROC_BAD_FUNCTION);
    CHECK_CONTAINS(mproc_last_error_text(), "no code at offset 0");
    ref.offset = UINT64_MAX;
    CHECK_STATUS(function_decode(&ref, &found), MPROC_BAD_FUNCTION);
    ref.offset = (uint64_t)1 << 40;
    CHECK_STATUS(function_decode(&ref, &found), MPROC_BAD_FUNCTION);
    CHECK(found == (function_pointer)answers);
}

static void case_module_of_another_executable_is_refused(void)
{
    function_ref ref;
    function_pointer found = NULL;

    CHECK_OK(function_encode((function_pointer)answers, &ref));
    ref.module[0] ^= 1;
    snprintf(ref.path, sizeof ref.path, "/somewhere/another-program");
    CHECK_STATUS(function_decode(&ref, &found), MPROC_BAD_FUNCTION);
    CHECK_CONTAINS(mproc_last_error_text(), "'/somewhere/another-program'");
    CHECK_CONTAINS(mproc_last_error_text(), "put it into a shared library");
    CHECK(found == NULL);
}

static void case_module_that_is_gone_is_refused(void)
{
    function_ref ref;
    function_pointer found = NULL;

    CHECK_OK(function_encode((function_pointer)answers, &ref));
    ref.module[0] ^= 1;
    ref.main = false;
    snprintf(ref.path, sizeof ref.path, "/no-such-directory/no-such-library");
    CHECK_STATUS(function_decode(&ref, &found), MPROC_BAD_FUNCTION);
    CHECK_CONTAINS(mproc_last_error_text(), "'/no-such-directory/no-such-library'");
    CHECK_CONTAINS(mproc_last_error_text(), "cannot be opened");
    CHECK(!strstr(strstr(mproc_last_error_text(), "/no-such-directory") + 1, "/no-such-directory"));
    CHECK(found == NULL);
}

CHECK_SUITE_SETUP(base_function, touch_text,
    CASE(reference_leads_back_to_its_function),
    CASE(reference_to_a_librarys_function_leads_back),
    CASE(references_are_the_same_for_the_same_function),
    CASE(what_is_no_code_of_a_module_is_refused),
    CASE(function_of_another_copy_of_its_module_is_not_beside),
    CASE(damaged_offset_is_refused),
    CASE(module_of_another_executable_is_refused),
    CASE(module_that_is_gone_is_refused),
);
