/* Arguments of processes that are values: how they arrive, and what is said of those that do not fit. */
#include <stdio.h>
#include <stdlib.h>

#include <mproc/mproc.h>

#include "check.h"
#include "process/process_fixture.h"

/* Runs the function with the arguments in a child named 'f1', and in this process. */
static void check_runs(mproc_function *function, mproc_args args)
{
    mproc_process *process;

    CHECK_OK(mproc_process_create(function, args, &(mproc_process_options){.name = "f1"}, &process));
    CHECK_OK(mproc_process_run(process));
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
}

static mproc_status takes_each_type(mproc_call *call)
{
    const char *text = NULL;
    bool yes = false;
    unsigned char byte = 0;
    int64_t most = 0;
    uint64_t beyond = 0;
    double half = 0;
    mproc_function *function = NULL;
    mproc_value list = mproc_nil();

    CHECK_EQ(mproc_call_count(call), 8);
    MPROC_TRY(mproc_unpack(call, &text, &yes, &byte, &most, &beyond, &half, &function, &list));
    CHECK_STRING(text, "a text of some length");
    CHECK(yes && byte == 255 && most == INT64_MAX && beyond == UINT64_MAX && half == 0.5);
    CHECK(function == takes_each_type);
    CHECK_EQ(mproc_value_count(list), 3);
    CHECK_STRING(mproc_value_string(mproc_value_get(mproc_value_at(list, 2), "key")), "value");
    return MPROC_OK;
}

static void case_arguments_of_each_type_arrive(void)
{
    bool yes = true;

    check_runs(takes_each_type, MPROC_ARGS("a text of some length", yes, 255, INT64_MAX, UINT64_MAX, 0.5,
                                           takes_each_type, MPROC_LIST(1, 2, MPROC_MAP("key", "value"))));
}

static mproc_status takes_names(mproc_call *call)
{
    mproc_value args = mproc_call_value(call), value;
    int exponent = 1;

    CHECK_EQ(mproc_value_type(args), MPROC_TYPE_MAP);
    CHECK_EQ(mproc_call_count(call), 2);
    CHECK_EQ(mproc_value_int(mproc_value_get(args, "base")), 2);
    CHECK(!mproc_value_find(args, mproc_string("missing"), &value));
    MPROC_TRY(mproc_value_to(mproc_value_get(args, "exponent"), &exponent));
    CHECK_EQ(exponent, 10);
    CHECK_SAYS(mproc_unpack(call, &exponent), MPROC_INVALID, "'f1' was given arguments by name");
    return MPROC_OK;
}

static void case_arguments_have_names_if_they_are_a_map(void)
{
    check_runs(takes_names, MPROC_MAP("base", 2, "exponent", 10));
}

static mproc_status takes_nothing(mproc_call *call)
{
    int number = 5;

    CHECK_EQ(mproc_call_count(call), 0);
    CHECK(mproc_call_bytes(call, NULL) == NULL);
    CHECK_SAYS(mproc_unpack(call, &number), MPROC_INVALID, "'f1' was given 0 arguments, its function wants 1");
    CHECK_EQ(number, 5);
    return MPROC_OK;
}

static void case_no_arguments_are_none_of_any_kind(void)
{
    check_runs(takes_nothing, mproc_no_args());
    check_runs(takes_nothing, mproc_nil());
    check_runs(takes_nothing, mproc_bytes(NULL, 0));
    check_runs(takes_nothing, mproc_map_from(NULL, 0));
}

static mproc_status takes_bytes_wrongly(mproc_call *call)
{
    int number = 5;

    CHECK_SAYS(mproc_unpack(call, &number), MPROC_INVALID, "'f1' was given bytes, which are read with");
    CHECK_EQ(mproc_call_count(call), 1);
    CHECK_OK(mproc_unpack_bytes(call, &number, sizeof number));
    CHECK_EQ(number, 7);
    return MPROC_OK;
}

static void case_bytes_are_no_values(void)
{
    int number = 7;

    check_runs(takes_bytes_wrongly, mproc_bytes(&number, sizeof number));
}

static mproc_status takes_wrongly(mproc_call *call)
{
    const char *text = "unchanged";
    int64_t number = 5;
    int8_t small = 5;

    CHECK_SAYS(mproc_unpack(call, &text, &text), MPROC_INVALID,
               "argument 2 of 'f1' is an int64, the function wants a string");
    CHECK_SAYS(mproc_unpack(call, &number, &number), MPROC_INVALID,
               "argument 1 of 'f1' is a string, the function wants an int64_t");
    CHECK_SAYS(mproc_unpack(call, &text, &small), MPROC_INVALID,
               "argument 2 of 'f1' is 200, which does not fit: the function wants an int8_t");
    CHECK_SAYS(mproc_unpack(call, &text), MPROC_INVALID, "was given 2 arguments, its function wants 1");
    CHECK_SAYS(mproc_unpack(call, &text, &number, &small), MPROC_INVALID,
               "was given 2 arguments, its function wants 3");
    CHECK_SAYS(mproc_unpack(call, &text, (int *)NULL), MPROC_INVALID,
               "argument 2 of 'f1' is to be put into a variable at NULL");
    CHECK_SAYS(mproc_unpack_bytes(call, &number, sizeof number), MPROC_INVALID, "was given values");
    CHECK_STRING(text, "unchanged");
    CHECK(number == 5 && small == 5);
    return MPROC_OK;
}

static void case_wrong_types_counts_and_ranges_are_named(void)
{
    check_runs(takes_wrongly, MPROC_ARGS("first", 200));
}

static void case_arguments_that_cannot_be_are_refused_by_number(void)
{
    mproc_process_options options = {.name = "f1"};
    mproc_process *process = NULL;
    void *pointer = &options;

    CHECK_SAYS(mproc_process_create(fixture_does_nothing, MPROC_ARGS(1, "caf\xE9"), &options, &process),
               MPROC_INVALID, "argument 2 of 'f1': a string is not UTF-8 at its byte 3");
    CHECK_SAYS(mproc_process_create(fixture_does_nothing, MPROC_ARGS(pointer), &options, &process), MPROC_INVALID,
               "argument 1 of 'f1': a value is a void pointer");
    CHECK_SAYS(mproc_process_create(fixture_does_nothing, MPROC_MAP("a", 1, "a", 2), &options, &process),
               MPROC_INVALID, "the arguments of 'f1': a map has the key 'a' twice");
    CHECK_SAYS(mproc_process_create(fixture_does_nothing, MPROC_MAP("a"), &options, &process), MPROC_INVALID,
               "an odd number");
    CHECK_SAYS(mproc_process_create(fixture_does_nothing, mproc_int(5), &options, &process), MPROC_INVALID,
               "the arguments of 'f1' are an int64: a single one is written MPROC_ARGS(x)");
    CHECK(process == NULL);
}

/* The caller's are free to change as soon as the process is created. */
static mproc_status takes_a_text(mproc_call *call)
{
    const char *text;

    MPROC_TRY(mproc_unpack(call, &text));
    CHECK_STRING(text, "before");
    return MPROC_OK;
}

static void case_arguments_are_copied_at_creation(void)
{
    char text[] = "before";
    mproc_process *process;

    CHECK_OK(mproc_process_create(takes_a_text, MPROC_ARGS(text), NULL, &process));
    memcpy(text, "after!", sizeof text);
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
}

CHECK_SUITE_SETUP(process_arguments, fixture_setup,
    CASE(arguments_of_each_type_arrive),
    CASE(arguments_have_names_if_they_are_a_map),
    CASE(no_arguments_are_none_of_any_kind),
    CASE(bytes_are_no_values),
    CASE(wrong_types_counts_and_ranges_are_named),
    CASE(arguments_that_cannot_be_are_refused_by_number),
    CASE(arguments_are_copied_at_creation),
);
