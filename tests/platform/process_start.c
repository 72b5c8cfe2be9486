/* platform.h, process.c: what a new process is given, and what makes a start fail. */
#include "platform_fixture.h"

#include <stdio.h>

/* The system's first daemon costs what the process then keeps (Windows: a job object). */
static void warm_up(void)
{
    platform_call call;
    plat_process process;

    platform_call_init(&call, "process_start.returns", "0");
    call.start.daemon = true;
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
}

static int helper_returns(const char *text)
{
    plat_handle handles[4];

    return atoi(platform_handles(text, handles));
}

static void case_runs_this_program(void)
{
    plat_process process;

    platform_start("process_start.returns", "33", PLAT_NO_HANDLE, &process);
    CHECK(process.handle != PLAT_NO_HANDLE);
    CHECK(process.pid > 0);
    CHECK(process.pid != plat_process_id());
    CHECK(!os_handle_is_inheritable(process.handle));
    CHECK_EXITS(&process, 33);
}

static int helper_compares_its_arguments(const char *text)
{
    (void)text;
    CHECK_EQ(check_argument_count, 3);
    CHECK_STRING(check_arguments[1], "--case");
    CHECK_STRING(check_arguments[2], "process_start.gives_the_same_command_line");
    return 0;
}

static void case_gives_the_same_command_line(void)
{
    plat_process process;

    platform_start("process_start.compares_its_arguments", "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 0);
}

/* ---- the token and the handles --------------------------------------------------------------- */

static void case_asks_for_the_token_once(void)
{
    platform_call call;
    plat_process process;

    platform_call_init(&call, "process_start.returns", "0");
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EQ(call.written, 1);
    CHECK_EXITS(&process, 0);
}

/* Sets all but the second of its four handles. */
static int helper_sets_its_events(const char *text)
{
    plat_handle handles[4];
    int i;

    platform_handles(text, handles);
    for (i = 0; i < 4; i++) {
        if (i == 1) continue;
        CHECK_OK(plat_handle_adopt(handles[i]));
        plat_event_set(handles[i]);
        plat_handle_close(handles[i]);
    }
    return 0;
}

static void case_hands_over_what_is_named(void)
{
    plat_handle events[4];
    platform_call call;
    plat_process process;
    int ready = -1;
    int i;

    for (i = 0; i < 4; i++) CHECK_OK(plat_event_create(&events[i]));
    platform_call_init(&call, "process_start.sets_its_events", "");
    for (i = 0; i < 4; i++) call.start.handles[i] = i == 1 ? PLAT_NO_HANDLE : events[i];
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
    for (i = 0; i < 4; i++) {
        CHECK_STATUS(plat_handle_wait(&events[i], 1, 0, &ready), i == 1 ? MPROC_TIMEOUT : MPROC_OK);
        CHECK(!os_handle_is_inheritable(events[i]));
        plat_handle_close(events[i]);
    }
}

static int helper_counts_its_handles(const char *text)
{
    plat_handle handles[4];
    int place = atoi(platform_handles(text, handles));
    platform_board *board = platform_board_open(handles[0]);
    int ready = -1;

    CHECK_OK(plat_handle_adopt(handles[1]));
    atomic_store(&board->values[place], plat_handle_count());
    atomic_fetch_add(&board->step, 1);
    CHECK_OK(plat_handle_wait(&handles[1], 1, platform_limit_ns(), &ready));
    return 0;
}

/* While all of them live, each new one would inherit the leaks of more siblings. */
static void case_children_inherit_nothing_of_each_other(void)
{
    enum { CHILDREN = 6 };
    plat_handle memory;
    plat_handle go;
    platform_board *board = platform_board_create(&memory);
    plat_process processes[CHILDREN];
    char text[8];
    int i;

    if (plat_handle_count() < 0) CHECK_SKIP("this system does not tell how many handles are open");
    CHECK_OK(plat_event_create(&go));
    for (i = 0; i < CHILDREN; i++) {
        platform_call call;
        snprintf(text, sizeof text, "%d", i);
        platform_call_init(&call, "process_start.counts_its_handles", text);
        call.start.handles[0] = memory;
        call.start.handles[1] = go;
        CHECK_OK(plat_process_start(&call.start, &processes[i]));
        platform_await_step(board, (uint32_t)i + 1);
    }
    plat_event_set(go);
    for (i = 0; i < CHILDREN; i++) CHECK_EXITS(&processes[i], 0);
    CHECK(atomic_load(&board->values[0]) > 0);
    for (i = 1; i < CHILDREN; i++) CHECK_EQ(atomic_load(&board->values[i]), atomic_load(&board->values[0]));
    plat_handle_close(go);
    platform_board_drop(board, memory);
}

/* The text is a number that must not be open. */
static int helper_looks_for_a_handle(const char *text)
{
    plat_handle handles[4];

    return os_handle_is_open((plat_handle)strtoll(platform_handles(text, handles), NULL, 10)) ? 1 : 0;
}

/* Numbers far above those that a new process uses itself. */
static void case_careless_handles_of_the_host_are_not_inherited(void)
{
    enum { OPENED = 200 };
    plat_handle opened[OPENED];
    plat_process process;
    char text[24];
    int i;

    for (i = 0; i < OPENED; i++) {
        opened[i] = os_open_inheritable();
        CHECK(os_handle_is_inheritable(opened[i]));
    }
    snprintf(text, sizeof text, "%lld", (long long)opened[OPENED - 1]);
    platform_start("process_start.looks_for_a_handle", text, PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 0);
    for (i = 0; i < OPENED; i++) plat_handle_close(opened[i]);
}

typedef struct start_batch {
    int first;
    _Atomic int right;
} start_batch;

enum { BATCH = 8, BATCHES = 4 };

static void run_batch(void *context)
{
    start_batch *batch = context;
    plat_process processes[BATCH];
    char text[8];
    int i;

    for (i = 0; i < BATCH; i++) {
        snprintf(text, sizeof text, "%d", batch->first + i);
        platform_start("process_start.returns", text, PLAT_NO_HANDLE, &processes[i]);
    }
    for (i = 0; i < BATCH; i++) CHECK_EXITS(&processes[i], batch->first + i);
    atomic_store(&batch->right, 1);
}

static void case_many_threads_start_at_once(void)
{
    start_batch batches[BATCHES] = {{0}};
    plat_thread *threads[BATCHES];
    int i;

    for (i = 0; i < BATCHES; i++) {
        batches[i].first = 1 + i * BATCH;
        CHECK_OK(plat_thread_start(run_batch, &batches[i], &threads[i]));
    }
    for (i = 0; i < BATCHES; i++) plat_thread_join(threads[i]);
    for (i = 0; i < BATCHES; i++) CHECK_EQ(atomic_load(&batches[i].right), 1);
}

/* ---- environment ------------------------------------------------------------------------------ */

/*
 * The text names what must hold: letters are variables PLATFORM_A and so on, "A1" has the value 1, "A-" is not set.
 */
static int helper_checks_variables(const char *text)
{
    plat_handle handles[4];
    const char *at;

    for (at = platform_handles(text, handles); *at != '\0'; at += 2) {
        char name[] = "PLATFORM_?";
        char value[8] = "-";
        name[sizeof name - 2] = at[0];
        plat_system_environment(name, value, sizeof value);
        CHECK_EQ(value[0], at[1]);
    }
    return 0;
}

static void check_environment(const char *const *environment, bool only, const char *expected)
{
    platform_call call;
    plat_process process;

    platform_call_init(&call, "process_start.checks_variables", expected);
    call.start.environment = environment;
    call.start.environment_only = only;
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
}

static void case_environment_is_passed_on_and_changed(void)
{
    static const char *const nothing[] = {NULL};
    static const char *const changes[] = {"PLATFORM_A=2", "PLATFORM_B", "PLATFORM_C=3", "PLATFORM_NOT_SET", NULL};
    char value[8];

    os_set_variable("PLATFORM_A", "1");
    os_set_variable("PLATFORM_B", "1");
    os_set_variable("PLATFORM_D", "4");
    check_environment(NULL, false, "A1B1C-D4");
    check_environment(nothing, false, "A1B1C-D4");
    check_environment(changes, false, "A2B-C3D4");
    CHECK(plat_system_environment("PLATFORM_A", value, sizeof value));
    CHECK_STRING(value, "1");
    CHECK(plat_system_environment("PLATFORM_B", value, sizeof value));
    CHECK(!plat_system_environment("PLATFORM_C", value, sizeof value));
    CHECK(!plat_system_environment(CHECK_HELPER_VARIABLE, value, sizeof value));
}

static void case_environment_only_leaves_out_the_rest(void)
{
    static const char *const only[] = {"PLATFORM_C=3", NULL};

    os_set_variable("PLATFORM_A", "1");
    check_environment(only, true, "A-C3");
    check_environment(NULL, true, "A-C-");
}

/* ---- the working directory -------------------------------------------------------------------- */

static int helper_tells_its_directory(const char *text)
{
    plat_handle handles[4];
    platform_board *board;

    platform_handles(text, handles);
    board = platform_board_open(handles[0]);
    os_current_directory((char *)board->bytes, sizeof board->bytes);
    return 0;
}

static void check_directory(const char *directory, const char *expected)
{
    plat_handle memory;
    platform_board *board = platform_board_create(&memory);
    platform_call call;
    plat_process process;

    platform_call_init(&call, "process_start.tells_its_directory", "");
    call.start.handles[0] = memory;
    call.start.working_directory = directory;
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
    CHECK_STRING((const char *)board->bytes, expected);
    platform_board_drop(board, memory);
}

static void case_starts_in_the_working_directory(void)
{
    char directory[1024];
    char mine[1024];
    char still_mine[1024];

    os_current_directory(mine, sizeof mine);
    check_directory(NULL, mine);
    os_make_directory(directory, sizeof directory);
    check_directory(directory, directory);
    os_current_directory(still_mine, sizeof still_mine);
    CHECK_STRING(still_mine, mine);
    os_remove_directory(directory);
}

/* ---- refusals --------------------------------------------------------------------------------- */

/* The runner sees to it that there is no process and no handle left. */
static void check_start_refused(const plat_start *start, mproc_status expected, const char *part)
{
    plat_process process = {PLAT_NO_HANDLE, -5};

    CHECK_STATUS(plat_process_start(start, &process), expected);
    CHECK_CONTAINS(mproc_last_error_text(), part);
    CHECK_EQ(process.handle, PLAT_NO_HANDLE);
    CHECK_EQ(process.pid, -5);
}

static void case_missing_working_directory_is_refused(void)
{
    platform_call call;

    platform_call_init(&call, "process_start.returns", "0");
    call.start.working_directory = "no-such-directory";
    check_start_refused(&call.start, MPROC_NOT_FOUND, "no-such-directory");
    call.start.working_directory = "";
    check_start_refused(&call.start, MPROC_NOT_FOUND, "directory ''");
}

static void case_missing_executable_is_refused(void)
{
    platform_call call;

    platform_call_init(&call, "process_start.returns", "0");
    call.start.executable = "no-such-program";
    check_start_refused(&call.start, MPROC_NOT_FOUND, "no-such-program");
}

/* To Linux and Windows it may not be executed; to Wine it is no program. */
static void case_directory_as_executable_is_refused(void)
{
    plat_process process = {PLAT_NO_HANDLE, -5};
    char directory[1024];
    platform_call call;
    mproc_status status;

    os_make_directory(directory, sizeof directory);
    platform_call_init(&call, "process_start.returns", "0");
    call.start.executable = directory;
    status = plat_process_start(&call.start, &process);
    CHECK(status == MPROC_PERMISSION || status == MPROC_INVALID);
    CHECK_EQ(process.handle, PLAT_NO_HANDLE);
    CHECK_EQ(process.pid, -5);
    os_remove_directory(directory);
}

static void case_file_that_is_no_program_is_refused(void)
{
    char directory[1024];
    char path[1100];
    platform_call call;

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/program.exe", directory);
    os_write_program(path, "neither a program nor a script\n");
    platform_call_init(&call, "process_start.returns", "0");
    call.start.executable = path;
    check_start_refused(&call.start, MPROC_INVALID, "program.exe");
    os_remove_directory(directory);
}

static void case_closed_stdio_handle_is_refused(void)
{
    plat_handle event;
    platform_call call;
    int i;

    CHECK_OK(plat_event_create(&event));
    plat_handle_close(event);
    for (i = 0; i < 3; i++) {
        platform_call_init(&call, "process_start.returns", "0");
        call.start.stdio[i].kind = PLAT_STREAM_HANDLE;
        call.start.stdio[i].handle = event;
        check_start_refused(&call.start, MPROC_INVALID, "");
        CHECK(mproc_last_error_text()[0] != '\0');
    }
}

/* ---- other executables ------------------------------------------------------------------------ */

static void case_executable_may_have_any_name(void)
{
    static const char *const names[] = {"plain.exe", "with  blanks.exe", "a'b%PATH%^&;$HOME`.exe",
                                        "\xC3\xA4\xE2\x98\x83\xF0\x9F\x8D\x80.exe"};
    char directory[1024];
    char path[1100];
    platform_call call;
    plat_process process;
    size_t i;

    os_make_directory(directory, sizeof directory);
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        os_copy_program(path);
        platform_call_init(&call, "process_start.returns", "12");
        call.start.executable = path;
        CHECK_OK(plat_process_start(&call.start, &process));
        CHECK_EXITS(&process, 12);
    }
    os_remove_directory(directory);
}

CHECK_SUITE_SETUP(process_start, warm_up,
    CASE(runs_this_program),
    CASE(gives_the_same_command_line),
    CASE(asks_for_the_token_once),
    CASE(hands_over_what_is_named),
    CASE(children_inherit_nothing_of_each_other),
    CASE(careless_handles_of_the_host_are_not_inherited),
    CASE(many_threads_start_at_once),
    CASE(environment_is_passed_on_and_changed),
    CASE(environment_only_leaves_out_the_rest),
    CASE(starts_in_the_working_directory),
    CASE(missing_working_directory_is_refused),
    CASE(missing_executable_is_refused),
    CASE(directory_as_executable_is_refused),
    CASE(file_that_is_no_program_is_refused),
    CASE(closed_stdio_handle_is_refused),
    CASE(executable_may_have_any_name),
    HELPER(returns),
    HELPER(compares_its_arguments),
    HELPER(sets_its_events),
    HELPER(counts_its_handles),
    HELPER(looks_for_a_handle),
    HELPER(checks_variables),
    HELPER(tells_its_directory),
);
