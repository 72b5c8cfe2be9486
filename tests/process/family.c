/* mproc/process.h: what children have from their parents: names, keys, being a daemon, CPUs; and theirs from them. */
#include "process_fixture.h"

#include <stdlib.h>

#include "platform/platform_fixture.h"

/* ---- names ------------------------------------------------------------------------------------ */

static mproc_status names_its_children(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    mproc_process *first = fixture_create(fixture_does_nothing, NULL, 0, NULL);
    mproc_process *second = fixture_create(fixture_does_nothing, NULL, 0, NULL);

    snprintf(board->text, sizeof board->text, "%s %s %s", mproc_process_name(mproc_current_process()),
             mproc_process_name(first), mproc_process_name(second));
    mproc_process_free(first);
    mproc_process_free(second);
    return MPROC_OK;
}

/* The setup has had Process-1. */
static void case_names_count_the_children_of_each_process(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *second = fixture_create(names_its_children, board, 0, NULL);
    mproc_process *third = fixture_create(names_its_children, board, 0, &(mproc_process_options){.name = "own"});
    mproc_process *fourth = fixture_create(names_its_children, board, 0, NULL);

    CHECK_STRING(mproc_process_name(second), "Process-2");
    CHECK_STRING(mproc_process_name(fourth), "Process-4");
    CHECK_OK(mproc_process_start(second));
    CHECK_EXITED(second, 0);
    CHECK_STRING(board->text, "Process-2 Process-2:1 Process-2:2");
    CHECK_OK(mproc_process_start(third));
    CHECK_EXITED(third, 0);
    CHECK_STRING(board->text, "own Process-3:1 Process-3:2");
    mproc_process_free(fourth);
    fixture_board_free(board);
}

static void case_name_can_be_changed(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_create(names_its_children, board, 0, NULL);

    CHECK_OK(mproc_process_set_name(process, "gr\xC3\xBCn"));
    CHECK_STRING(mproc_process_name(process), "gr\xC3\xBCn");
    CHECK_OK(mproc_process_start(process));
    CHECK_OK(mproc_process_set_name(process, "afterwards"));
    CHECK_STRING(mproc_process_name(process), "afterwards");
    CHECK_EXITED(process, 0);
    CHECK_CONTAINS(board->text, "gr\xC3\xBCn Process-2:1");
    fixture_board_free(board);
}

/* Names are not one for all: a change here is none there. */
static void case_options_are_copied(void)
{
    char name[] = "copied";
    char key[] = "the key";
    mproc_process_options options = {.name = name, .authkey = key, .authkey_size = sizeof key};
    mproc_process *first = fixture_create(fixture_does_nothing, NULL, 0, &options);
    mproc_process *second = fixture_create(fixture_does_nothing, NULL, 0, &options);

    name[0] = key[0] = 'X';
    CHECK_OK(mproc_process_set_name(first, "other"));
    CHECK_OK(mproc_process_set_authkey(first, "x", 1));
    CHECK_STRING(mproc_process_name(second), "copied");
    CHECK_STRING(mproc_process_authkey(second, NULL), "the key");
    mproc_process_free(first);
    mproc_process_free(second);
}

/* ---- keys and daemons ------------------------------------------------------------------------- */

static mproc_status passes_on(mproc_call *call)
{
    int64_t depth = 0;
    fixture_board *board = fixture_unpack(call, &depth);
    size_t size = 0;
    const char *key = mproc_process_authkey(mproc_current_process(), &size);

    CHECK_EQ(size, 4);
    CHECK(memcmp(key, "key!", 4) == 0);
    atomic_store(&board->values[depth], mproc_process_daemon(mproc_current_process()));
    if (depth > 0) CHECK_EXITED(fixture_start(passes_on, board, depth - 1, NULL), 0);
    return MPROC_OK;
}

static void case_key_and_daemon_are_inherited_down_the_tree(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process;

    CHECK_OK(mproc_process_set_authkey(mproc_current_process(), "key!", 4));
    CHECK_EXITED(fixture_start(passes_on, board, 2, &(mproc_process_options){.daemon = MPROC_YES}), 0);
    CHECK_EQ(atomic_load(&board->values[2]), true);
    CHECK_EQ(atomic_load(&board->values[1]), true);
    CHECK_EQ(atomic_load(&board->values[0]), true);
    CHECK_EXITED(fixture_start(passes_on, board, 1, &(mproc_process_options){.daemon = MPROC_NO}), 0);
    CHECK_EQ(atomic_load(&board->values[1]), false);
    CHECK_EQ(atomic_load(&board->values[0]), false);
    process = fixture_create(passes_on, board, 0, NULL);
    CHECK(!mproc_process_daemon(process));
    mproc_process_free(process);
    fixture_board_free(board);
}

static mproc_status has_its_own_key(mproc_call *call)
{
    size_t size = 0;
    const char *key = mproc_process_authkey(mproc_current_process(), &size);

    (void)call;
    CHECK_EQ(size, 256);
    for (; size > 0; size--) CHECK_EQ(key[size - 1], (char)(size - 1));
    return MPROC_OK;
}

static void case_key_can_be_given(void)
{
    char key[256];
    size_t i;

    for (i = 0; i < sizeof key; i++) key[i] = (char)i;
    CHECK_EXITED(
        fixture_start(has_its_own_key, NULL, 0, &(mproc_process_options){.authkey = key, .authkey_size = sizeof key}),
        0);
}

static int helper_prints_its_key(const char *text)
{
    size_t size = 0;
    const unsigned char *key = mproc_process_authkey(mproc_current_process(), &size);
    size_t i;

    (void)text;
    for (i = 0; i < size; i++) printf("%02x", key[i]);
    return 0;
}

static void case_each_family_has_its_own_random_key(void)
{
    fixture_run first = {.helper = "process_family.prints_its_key"};
    fixture_run second = {.helper = "process_family.prints_its_key"};

    fixture_run_to_end(&first);
    fixture_run_to_end(&second);
    CHECK_EQ(strlen(first.output), 64);
    CHECK_EQ(strlen(second.output), 64);
    CHECK(strcmp(first.output, second.output) != 0);
    CHECK(strspn(first.output, "0") < 16);
}

/* ---- trees ------------------------------------------------------------------------------------ */

/* Writes its own path, such as "[0,1]", and starts two children of the next level, one after the other. */
static mproc_status recurses(mproc_call *call)
{
    int64_t path = 0;
    fixture_board *board = fixture_unpack(call, &path);
    size_t length = strlen(board->text);
    int child;

    /* Decimal digits from 1 on stand for the steps, most significant first. */
    snprintf(board->text + length, sizeof board->text - length, "[%lld]", (long long)path);
    for (child = 1; child <= 2 && path < 10; child++)
        CHECK_EXITED(fixture_start(recurses, board, path * 10 + child, NULL), 0);
    return MPROC_OK;
}

static void case_children_start_children(void)
{
    fixture_board *board = fixture_board_create();

    CHECK_EXITED(fixture_start(recurses, board, 0, NULL), 0);
    CHECK_STRING(board->text, "[0][1][11][12][2][21][22]");
    fixture_board_free(board);
}

static mproc_status goes_deeper(mproc_call *call)
{
    int64_t depth = 0;
    fixture_board *board = fixture_unpack(call, &depth);

    atomic_fetch_add(&board->values[0], 1);
    atomic_store(&board->values[1], (int64_t)atomic_load(&arena_header->processes_high));
    if (depth > 0) CHECK_EXITED(fixture_start(goes_deeper, board, depth - 1, NULL), (int)depth - 1);
    exit((int)depth);
}

/* What the family keeps of its members does not grow with the number of those that were. */
static void case_deep_and_long_lived_families_do_not_grow(void)
{
    fixture_board *board = fixture_board_create();
    int64_t high;
    int i;

    CHECK_EXITED(fixture_start(goes_deeper, board, 5, NULL), 5);
    CHECK_EQ(atomic_load(&board->values[0]), 6);
    high = atomic_load(&board->values[1]);
    for (i = 0; i < 5; i++) CHECK_EXITED(fixture_start(goes_deeper, board, 5, NULL), 5);
    CHECK_EQ(atomic_load(&board->values[1]), high);
    fixture_board_free(board);
}

/* An object made by one process is used by its child's child. */
static mproc_status passes_its_board_on(mproc_call *call)
{
    int64_t number = 0;
    fixture_board *board = fixture_unpack(call, &number);

    atomic_store(&board->values[number], 100 + number);
    if (number == 0) CHECK_EXITED(fixture_start(passes_its_board_on, board, 1, NULL), 0);
    return MPROC_OK;
}

static void case_shared_memory_can_be_passed_on(void)
{
    fixture_board *board = fixture_board_create();

    CHECK_EXITED(fixture_start(passes_its_board_on, board, 0, NULL), 0);
    CHECK_EQ(atomic_load(&board->values[0]), 100);
    CHECK_EQ(atomic_load(&board->values[1]), 101);
    fixture_board_free(board);
}

/* ---- CPUs ------------------------------------------------------------------------------------- */

static mproc_status counts_its_cpus(mproc_call *call)
{
    int64_t number = 0;
    fixture_board *board = fixture_unpack(call, &number);

    atomic_store(&board->values[number], mproc_cpu_count());
    return MPROC_OK;
}

static void case_cpu_count_honours_affinity(void)
{
    fixture_board *board = fixture_board_create();
    int before = mproc_cpu_count();

    CHECK(before >= 1);
    CHECK_EXITED(fixture_start(counts_its_cpus, board, 0, NULL), 0);
    CHECK_EQ(atomic_load(&board->values[0]), before);
    CHECK(os_bind_to_one_cpu() >= before);
    CHECK_EQ(mproc_cpu_count(), 1);
    CHECK_EXITED(fixture_start(counts_its_cpus, board, 1, NULL), 0);
    CHECK_EQ(atomic_load(&board->values[1]), 1);
    fixture_board_free(board);
}

/* ---- arguments of the program ----------------------------------------------------------------- */

static mproc_status compares_its_arguments(mproc_call *call)
{
    size_t size = 0;
    const char *expected = mproc_call_bytes(call, &size);
    char own[2048];

    fixture_command_line(own, sizeof own);
    CHECK_STRING(own, expected);
    return MPROC_OK;
}

static mproc_status starts_one_that_compares(mproc_call *call)
{
    size_t size = 0;
    const char *expected = mproc_call_bytes(call, &size);
    mproc_process *process = NULL;

    CHECK_OK(compares_its_arguments(call));
    CHECK_OK(mproc_process_create(compares_its_arguments, mproc_bytes(expected, size), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
    return MPROC_OK;
}

static void case_grandchildren_have_the_programs_arguments(void)
{
    char own[2048];
    mproc_process *process = NULL;

    fixture_command_line(own, sizeof own);
    CHECK_CONTAINS(own, "--case");
    CHECK_OK(mproc_process_create(starts_one_that_compares, mproc_bytes(own, strlen(own) + 1), NULL, &process));
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
}

CHECK_SUITE_SETUP(process_family, fixture_setup,
    CASE(names_count_the_children_of_each_process),
    CASE(name_can_be_changed),
    CASE(options_are_copied),
    CASE(key_and_daemon_are_inherited_down_the_tree),
    CASE(key_can_be_given),
    CASE(each_family_has_its_own_random_key),
    CASE(children_start_children),
    CASE(deep_and_long_lived_families_do_not_grow),
    CASE(shared_memory_can_be_passed_on),
    CASE(cpu_count_honours_affinity),
    CASE(grandchildren_have_the_programs_arguments),
    HELPER(prints_its_key),
);
