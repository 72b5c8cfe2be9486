/* mproc/process.h: what a child is started with: program, directory, environment, standard streams, handles. */
#include "process_fixture.h"

#include <stdlib.h>

#include "platform/platform_fixture.h"

/* ---- the program ------------------------------------------------------------------------------ */

static void check_no_start(mproc_status status, const char *part)
{
    mproc_process *process =
        fixture_create(fixture_does_nothing, NULL, 0, &(mproc_process_options){.name = "unborn"});

    CHECK_SAYS(mproc_process_start(process), status, part);
    CHECK_CONTAINS(mproc_last_error_text(), "'unborn' cannot be started");
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_NOT_STARTED);
    CHECK_EQ(mproc_process_pid(process), 0);
    CHECK(!mproc_process_is_alive(process));
    CHECK_EQ(fixture_active_count(), 0);
    /* The next start may succeed: the process is as it was. */
    CHECK_OK(mproc_set_executable(NULL));
    CHECK_OK(mproc_process_start(process));
    CHECK_EXITED(process, 0);
}

static void case_missing_executable_is_an_error_of_start(void)
{
    CHECK_OK(mproc_set_executable("/no-such-directory/no-such-program"));
    check_no_start(MPROC_NOT_FOUND, "no-such-program");
}

static void case_directory_is_no_executable(void)
{
    char directory[1024];

    os_make_directory(directory, sizeof directory);
    CHECK_OK(mproc_set_executable(directory));
    check_no_start(MPROC_PERMISSION, directory);
    os_remove_directory(directory);
}

static void case_file_that_is_no_program_is_refused(void)
{
    char directory[1024];
    char path[1100];

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/noprog.exe", directory);
    os_write_program(path, "this is no program\n");
    CHECK_OK(mproc_set_executable(path));
    check_no_start(MPROC_INVALID, "noprog.exe");
    os_remove_directory(directory);
}

static void case_copy_of_the_program_serves_as_well(void)
{
    char directory[1024];
    char path[1100];

    os_make_directory(directory, sizeof directory);
    /* On Windows the name of the file may be all that tells builds apart. */
    snprintf(path, sizeof path, "%s/" FIXTURE_PROGRAM, directory);
    os_copy_program(path);
    CHECK_OK(mproc_set_executable(path));
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 23, NULL), 23);
    CHECK_OK(mproc_set_executable(NULL));
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 24, NULL), 24);
    os_remove_directory(directory);
}

/* ---- directory and environment ---------------------------------------------------------------- */

static mproc_status tells_its_directory(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    os_current_directory(board->text, sizeof board->text);
    return MPROC_OK;
}

static void case_child_starts_in_its_directory(void)
{
    fixture_board *board = fixture_board_create();
    char directory[1024];
    char own[1024];

    os_make_directory(directory, sizeof directory);
    os_current_directory(own, sizeof own);
    CHECK_EXITED(
        fixture_start(tells_its_directory, board, 0, &(mproc_process_options){.working_directory = directory}), 0);
    CHECK_STRING(board->text, directory);
    CHECK_EXITED(fixture_start(tells_its_directory, board, 0, NULL), 0);
    CHECK_STRING(board->text, own);
    os_current_directory(board->text, sizeof board->text);
    CHECK_STRING(board->text, own);
    os_remove_directory(directory);
    fixture_board_free(board);
}

static void case_missing_directory_is_an_error_of_start(void)
{
    mproc_process *process =
        fixture_create(fixture_does_nothing, NULL, 0,
                       &(mproc_process_options){.name = "unborn", .working_directory = "/no-such-directory"});

    CHECK_SAYS(mproc_process_start(process), MPROC_NOT_FOUND, "'/no-such-directory'");
    CHECK_CONTAINS(mproc_last_error_text(), "'unborn'");
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_NOT_STARTED);
    mproc_process_free(process);
}

static mproc_status tells_its_variables(mproc_call *call)
{
    static const char *const names[] = {"FIXTURE_KEPT",    "FIXTURE_SET", "FIXTURE_REMOVED",
                                        "FIXTURE_CHANGED", "MPROC_CHILD", "PATH"};
    fixture_board *board = fixture_unpack(call, NULL);
    size_t i;

    board->text[0] = '\0';
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (i == 5) value = value != NULL ? "yes" : NULL;
        snprintf(board->text + strlen(board->text), sizeof board->text - strlen(board->text), "%s=%s;", names[i],
                 value != NULL ? value : "(none)");
    }
    return MPROC_OK;
}

static void set_variables(void)
{
    os_set_variable("FIXTURE_KEPT", "kept");
    os_set_variable("FIXTURE_REMOVED", "still here");
    os_set_variable("FIXTURE_CHANGED", "old");
}

static const char *const changes[] = {"FIXTURE_SET=a = \xC3\xA4", "FIXTURE_REMOVED", "FIXTURE_CHANGED=new", NULL};

static void case_environment_is_changed_as_asked(void)
{
    fixture_board *board = fixture_board_create();

    set_variables();
    CHECK_EXITED(fixture_start(tells_its_variables, board, 0, NULL), 0);
    CHECK_CONTAINS(board->text,
                   "FIXTURE_KEPT=kept;FIXTURE_SET=(none);FIXTURE_REMOVED=still here;FIXTURE_CHANGED=old;");
    CHECK_CONTAINS(board->text, "MPROC_CHILD=(none);");
    CHECK_EXITED(fixture_start(tells_its_variables, board, 0, &(mproc_process_options){.environment = changes}), 0);
    CHECK_CONTAINS(board->text, "FIXTURE_KEPT=kept;FIXTURE_SET=a = ");
    CHECK_CONTAINS(board->text, ";FIXTURE_REMOVED=(none);FIXTURE_CHANGED=new;MPROC_CHILD=(none);PATH=yes;");
    CHECK(plat_system_environment("FIXTURE_CHANGED", board->text, sizeof board->text));
    CHECK_STRING(board->text, "old");
    CHECK(!plat_system_environment("FIXTURE_SET", board->text, sizeof board->text));
    fixture_board_free(board);
}

static void case_environment_can_be_the_given_one_alone(void)
{
    fixture_board *board = fixture_board_create();

    set_variables();
    CHECK_EXITED(fixture_start(tells_its_variables, board, 0,
                               &(mproc_process_options){.environment = changes, .environment_only = true}),
                 0);
    CHECK_CONTAINS(board->text, "FIXTURE_KEPT=(none);FIXTURE_SET=a = ");
    CHECK_CONTAINS(board->text, ";FIXTURE_REMOVED=(none);FIXTURE_CHANGED=new;MPROC_CHILD=(none);");
    fixture_board_free(board);
}

/* ---- standard streams ------------------------------------------------------------------------- */

static mproc_status echoes(mproc_call *call)
{
    char line[100] = "nothing";

    (void)call;
    if (fgets(line, sizeof line, stdin) == NULL) snprintf(line, sizeof line, "end of file");
    line[strcspn(line, "\r\n")] = '\0';
    fprintf(stdout, "out: %s\n", line);
    fprintf(stderr, "err: %s\n", line);
    return MPROC_OK;
}

/* Runs the echo with its output and errors in files, and reads them. */
static void run_echo(mproc_stdio input, char *output, char *errors, size_t size)
{
    char directory[1024];
    char paths[2][1100];
    mproc_process_options options = {.standard_input = input};
    mproc_stdio *streams[2] = {&options.standard_output, &options.standard_error};
    int i;

    os_make_directory(directory, sizeof directory);
    for (i = 0; i < 2; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%d", directory, i);
        *streams[i] = (mproc_stdio){MPROC_STDIO_HANDLE, os_open_output(paths[i])};
    }
    CHECK_EXITED(fixture_start(echoes, NULL, 0, &options), 0);
    for (i = 0; i < 2; i++) {
        CHECK(os_handle_is_open(streams[i]->handle));
        plat_handle_close(streams[i]->handle);
    }
    os_read_file(paths[0], output, size);
    os_read_file(paths[1], errors, size);
    os_remove_directory(directory);
}

static void case_input_is_empty_by_default_and_streams_can_be_given(void)
{
    char output[200];
    char errors[200];

    run_echo((mproc_stdio){MPROC_STDIO_DEFAULT, 0}, output, errors, sizeof output);
    CHECK_CONTAINS(output, "out: end of file");
    CHECK_CONTAINS(errors, "err: end of file");
    run_echo((mproc_stdio){MPROC_STDIO_NULL, 0}, output, errors, sizeof output);
    CHECK_CONTAINS(output, "out: end of file");
}

static void case_input_can_be_a_file(void)
{
    char directory[1024];
    char path[1100];
    char output[200];
    char errors[200];
    plat_handle input;

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/input", directory);
    os_write_program(path, "the input\n");
    input = os_open_input(path);
    run_echo((mproc_stdio){MPROC_STDIO_HANDLE, input}, output, errors, sizeof output);
    CHECK_CONTAINS(output, "out: the input");
    CHECK_CONTAINS(errors, "err: the input");
    plat_handle_close(input);
    os_remove_directory(directory);
}

static int helper_starts_silent_ones(const char *text)
{
    const mproc_stdio null = {MPROC_STDIO_NULL, 0};

    (void)text;
    CHECK_EXITED(fixture_start(echoes, NULL, 0, &(mproc_process_options){.standard_output = null}), 0);
    CHECK_EXITED(fixture_start(echoes, NULL, 0, &(mproc_process_options){.standard_error = null}), 0);
    return 0;
}

static void case_output_is_inherited_or_nowhere(void)
{
    fixture_run run = {.helper = "process_birth.starts_silent_ones"};

    fixture_run_to_end(&run);
    CHECK_EQ(run.code, 0);
    CHECK_STRING(run.output, "err: end of file\nout: end of file\n");
}

static void case_closed_handle_is_refused(void)
{
    mproc_process *process =
        fixture_create(fixture_does_nothing, NULL, 0,
                       &(mproc_process_options){.name = "unborn", .standard_output = {MPROC_STDIO_HANDLE, 4444}});

    CHECK_SAYS(mproc_process_start(process), MPROC_INVALID, "4444");
    CHECK_CONTAINS(mproc_last_error_text(), "'unborn'");
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_NOT_STARTED);
    mproc_process_free(process);
}

/* ---- handles ---------------------------------------------------------------------------------- */

static mproc_status counts_its_handles(mproc_call *call)
{
    int64_t number = 0;
    fixture_board *board = fixture_unpack(call, &number);

    atomic_store(&board->values[number], plat_handle_count());
    fixture_step(board);
    fixture_await_step(board, 100);
    return MPROC_OK;
}

enum { SIBLINGS = 6 };

/* Neither siblings' handles nor what the program has open without protection reach a child. */
static void case_every_child_has_the_same_handles(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *processes[SIBLINGS];
    plat_handle inheritable = os_open_inheritable();
    int i;

    if (plat_handle_count() < 0) CHECK_SKIP("the system does not tell how many handles a process has");
    for (i = 0; i < SIBLINGS; i++) {
        processes[i] = fixture_start(counts_its_handles, board, i, NULL);
        fixture_await_step(board, (uint32_t)i + 1);
        CHECK_EQ(atomic_load(&board->values[i]), atomic_load(&board->values[0]));
    }
    atomic_store(&board->step, 100);
    for (i = 0; i < SIBLINGS; i++) CHECK_EXITED(processes[i], 0);
    CHECK(atomic_load(&board->values[0]) > 0);
    plat_handle_close(inheritable);
    fixture_board_free(board);
}

static mproc_status looks_for_a_handle(mproc_call *call)
{
    int64_t number = 0;

    fixture_unpack(call, &number);
    CHECK(!os_handle_is_open((plat_handle)number));
    return MPROC_OK;
}

static void case_open_handles_of_the_program_stay_with_it(void)
{
    plat_handle inheritable[40];
    int i;

    for (i = 0; i < 40; i++) inheritable[i] = os_open_inheritable();
    CHECK(os_handle_is_inheritable(inheritable[39]));
    /* High enough that a child has nothing of its own there. */
    CHECK_EXITED(fixture_start(looks_for_a_handle, NULL, inheritable[39], NULL), 0);
    for (i = 0; i < 40; i++) plat_handle_close(inheritable[i]);
}

CHECK_SUITE_SETUP(process_birth, fixture_setup,
    CASE(missing_executable_is_an_error_of_start),
    CASE(directory_is_no_executable),
    CASE(file_that_is_no_program_is_refused),
    CASE(copy_of_the_program_serves_as_well),
    CASE(child_starts_in_its_directory),
    CASE(missing_directory_is_an_error_of_start),
    CASE(environment_is_changed_as_asked),
    CASE(environment_can_be_the_given_one_alone),
    CASE(input_is_empty_by_default_and_streams_can_be_given),
    CASE(input_can_be_a_file),
    CASE(output_is_inherited_or_nowhere),
    CASE(closed_handle_is_refused),
    CASE(every_child_has_the_same_handles),
    CASE(open_handles_of_the_program_stay_with_it),
    HELPER(starts_silent_ones),
);
