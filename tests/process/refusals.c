/* mproc/process.h: what is refused, with which status, and what the text says. */
#include "process_fixture.h"

#include <stdlib.h>

#include "platform/platform_fixture.h"

#define NAME_127                                                             \
    "1234567890123456789012345678901234567890123456789012345678901234567890" \
    "123456789012345678901234567890123456789012345678901234567"

static mproc_status create_with(const mproc_process_options *options)
{
    mproc_process *process = (mproc_process *)&options;
    mproc_status status = mproc_process_create(fixture_does_nothing, mproc_no_args(), options, &process);

    if (status == MPROC_OK) mproc_process_free(process);
    else CHECK(process == (mproc_process *)&options);
    return status;
}

/* ---- creating --------------------------------------------------------------------------------- */

static void case_function_and_place_must_be_given(void)
{
    mproc_process *process = NULL;

    CHECK_SAYS(mproc_process_create(NULL, mproc_no_args(), NULL, &process), MPROC_INVALID, "needs a function");
    CHECK_SAYS(mproc_process_create(fixture_does_nothing, mproc_no_args(), NULL, NULL), MPROC_INVALID, "out is NULL");
    CHECK(process == NULL);
}

static void case_arguments_must_be_somewhere_and_of_sane_size(void)
{
    mproc_process *process = NULL;

    CHECK_SAYS(mproc_process_create(fixture_does_nothing, mproc_bytes(NULL, 5), NULL, &process), MPROC_INVALID,
               "5 argument bytes");
    CHECK_SAYS(mproc_process_create(fixture_does_nothing, mproc_bytes("x", ((size_t)1 << 30) + 1), NULL, &process),
               MPROC_INVALID, "at most 1 GiB");
    CHECK_SAYS(mproc_process_create(fixture_does_nothing, mproc_bytes("x", SIZE_MAX), NULL, &process), MPROC_INVALID,
               "at most 1 GiB");
    CHECK(process == NULL);
}

static void case_name_must_fit(void)
{
    mproc_process *process = NULL;

    CHECK_EQ(strlen(NAME_127), 127);
    CHECK_OK(mproc_process_create(fixture_does_nothing, mproc_no_args(), &(mproc_process_options){.name = NAME_127},
                                  &process));
    CHECK_STRING(mproc_process_name(process), NAME_127);
    CHECK_SAYS(create_with(&(mproc_process_options){.name = NAME_127 "8"}), MPROC_INVALID, "128 bytes");
    CHECK_CONTAINS(mproc_last_error_text(), "at most 127 fit");
    CHECK_SAYS(create_with(&(mproc_process_options){.name = ""}), MPROC_INVALID, "name");
    CHECK_SAYS(create_with(&(mproc_process_options){.name = "caf\xE9"}), MPROC_INVALID, "UTF-8");
    CHECK_SAYS(mproc_process_set_name(process, NULL), MPROC_INVALID, "name is NULL");
    CHECK_SAYS(mproc_process_set_name(process, ""), MPROC_INVALID, "name");
    CHECK_SAYS(mproc_process_set_name(process, "\xFF"), MPROC_INVALID, "UTF-8");
    CHECK_SAYS(mproc_process_set_name(process, NAME_127 "8"), MPROC_INVALID, "128 bytes");
    CHECK_STRING(mproc_process_name(process), NAME_127);
    mproc_process_free(process);
}

static void case_text_of_a_refused_name_is_utf8(void)
{
    /* The cut must not go through a character. */
    char name[200];
    size_t i;

    memset(name, 0, sizeof name);
    name[0] = 'x';
    for (i = 1; i + 2 < 190; i += 2) memcpy(name + i, "\xC3\xA4", 2);
    CHECK_STATUS(create_with(&(mproc_process_options){.name = name}), MPROC_INVALID);
    CHECK_CONTAINS(mproc_last_error_text(), "...");
    for (i = 0; mproc_last_error_text()[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)mproc_last_error_text()[i];
        if (byte == 0xC3) CHECK_EQ((unsigned char)mproc_last_error_text()[i + 1], 0xA4);
    }
}

static void case_key_must_fit(void)
{
    static const char key[257] = "key";
    mproc_process *process = NULL;
    size_t size = 0;

    CHECK_OK(mproc_process_create(fixture_does_nothing, mproc_no_args(),
                                  &(mproc_process_options){.authkey = key, .authkey_size = 256}, &process));
    CHECK(memcmp(mproc_process_authkey(process, &size), key, 256) == 0);
    CHECK_EQ(size, 256);
    CHECK_SAYS(create_with(&(mproc_process_options){.authkey = key, .authkey_size = 257}), MPROC_INVALID,
               "257 bytes");
    CHECK_SAYS(create_with(&(mproc_process_options){.authkey_size = 3}), MPROC_INVALID, "no address");
    CHECK_SAYS(mproc_process_set_authkey(process, key, 257), MPROC_INVALID, "at most 256");
    CHECK_SAYS(mproc_process_set_authkey(process, NULL, 1), MPROC_INVALID, "no address");
    mproc_process_authkey(process, &size);
    CHECK_EQ(size, 256);
    CHECK_OK(mproc_process_set_authkey(process, NULL, 0));
    mproc_process_authkey(process, &size);
    CHECK_EQ(size, 0);
    mproc_process_free(process);
}

static void case_choices_must_be_choices(void)
{
    CHECK_SAYS(create_with(&(mproc_process_options){.daemon = (mproc_choice)3}), MPROC_INVALID, "daemon is 3");
    CHECK_SAYS(create_with(&(mproc_process_options){.daemon = (mproc_choice)-1}), MPROC_INVALID, "daemon is -1");
    CHECK_SAYS(create_with(&(mproc_process_options){.standard_input = {(mproc_stdio_kind)4, 0}}), MPROC_INVALID,
               "standard_input");
    CHECK_SAYS(create_with(&(mproc_process_options){.standard_output = {(mproc_stdio_kind)-1, 0}}), MPROC_INVALID,
               "standard_output");
    CHECK_SAYS(create_with(&(mproc_process_options){.standard_error = {(mproc_stdio_kind)77, 0}}), MPROC_INVALID,
               "standard_error has the unknown kind 77");
}

static void case_environment_must_have_names(void)
{
    CHECK_SAYS(create_with(&(mproc_process_options){.environment = (const char *[]){"A=1", "=2", NULL}}),
               MPROC_INVALID, "'=2'");
    CHECK_SAYS(create_with(&(mproc_process_options){.environment = (const char *[]){"", NULL}}), MPROC_INVALID,
               "no name");
    CHECK_SAYS(create_with(&(mproc_process_options){.environment_only = true}), MPROC_INVALID, "environment");
    CHECK_OK(create_with(&(mproc_process_options){.environment = (const char *[]){NULL}, .environment_only = true}));
}

/* A program that was compiled with fewer options, and one with more. */
static void case_options_may_be_of_another_version(void)
{
    struct {
        mproc_process_options options;
        char more[64];
    } newer;
    mproc_process *process = NULL;

    memset(&newer, 0, sizeof newer);
    newer.options.name = "older";
    newer.options.daemon = MPROC_YES;
    CHECK_OK(mproc_process_create_sized(fixture_does_nothing, mproc_no_args(), &newer.options,
                                        offsetof(mproc_process_options, daemon), &process));
    CHECK_STRING(mproc_process_name(process), "older");
    CHECK(!mproc_process_daemon(process));
    mproc_process_free(process);
    CHECK_OK(
        mproc_process_create_sized(fixture_does_nothing, mproc_no_args(), &newer.options, sizeof newer, &process));
    CHECK(mproc_process_daemon(process));
    mproc_process_free(process);
}

/* ---- functions that are none ------------------------------------------------------------------ */

static mproc_function *forced(const void *address)
{
    mproc_function *function;

    memcpy(&function, &address, sizeof function);
    return function;
}

static void case_function_that_no_other_process_finds_is_refused(void)
{
    static int data = 1;
    int local = 1;
    void *block = malloc(16);
    void *code = os_generate_code();
    const void *addresses[5];
    mproc_process *process = NULL;
    int i;

    addresses[0] = &local;
    addresses[1] = block;
    addresses[2] = &data;
    addresses[3] = code;
    addresses[4] = (const void *)1;
    for (i = 0; i < 5; i++) {
        CHECK_SAYS(mproc_process_create(forced(addresses[i]), mproc_no_args(), NULL, &process), MPROC_BAD_FUNCTION,
                   "no module of this process");
        CHECK_CONTAINS(mproc_last_error_text(), "pass a function of the executable or of a shared library");
    }
    CHECK(process == NULL);
    os_free_code(code);
    free(block);
}

/* ---- the order of calls ----------------------------------------------------------------------- */

static void case_process_starts_once(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *process = fixture_create(fixture_waits, board, 0, &(mproc_process_options){.name = "once"});
    char pid[32];

    CHECK_OK(mproc_process_start(process));
    snprintf(pid, sizeof pid, "pid %lld", (long long)mproc_process_pid(process));
    CHECK_SAYS(mproc_process_start(process), MPROC_BAD_STATE, "'once' was already started");
    CHECK_CONTAINS(mproc_last_error_text(), pid);
    CHECK_OK(mproc_process_kill(process));
    CHECK_OK(mproc_process_join(process, check_limit_ms()));
    CHECK_SAYS(mproc_process_start(process), MPROC_BAD_STATE, "'once' was already started");
    CHECK_ENDED_BY(process, 9);
    fixture_board_free(board);
}

static void case_process_that_was_not_started_has_no_end(void)
{
    mproc_process *process = fixture_create(fixture_does_nothing, NULL, 0, &(mproc_process_options){.name = "idle"});

    CHECK_SAYS(mproc_process_join(process, 0), MPROC_BAD_STATE, "'idle' was not started: start it before joining it");
    CHECK_SAYS(mproc_process_join(process, MPROC_FOREVER), MPROC_BAD_STATE, "not started");
    CHECK_SAYS(mproc_process_terminate(process), MPROC_BAD_STATE, "'idle' was not started: it cannot be terminated");
    CHECK_SAYS(mproc_process_kill(process), MPROC_BAD_STATE, "cannot be killed");
    CHECK_SAYS(mproc_process_interrupt(process), MPROC_BAD_STATE, "cannot be interrupted");
    CHECK_EQ(mproc_process_exit_status(process).kind, MPROC_EXIT_NOT_STARTED);
    CHECK(!mproc_process_is_alive(process));
    mproc_process_free(process);
}

static void case_process_cannot_wait_for_itself(void)
{
    mproc_process *self = mproc_current_process();

    CHECK_SAYS(mproc_process_join(self, MPROC_FOREVER), MPROC_INVALID, "cannot wait for its own end");
    CHECK_CONTAINS(mproc_last_error_text(), "'MainProcess'");
    CHECK_SAYS(mproc_process_join(self, 0), MPROC_INVALID, "own end");
    CHECK_SAYS(mproc_process_start(self), MPROC_BAD_STATE, "'MainProcess' runs already");
    CHECK_STATUS(mproc_process_run(self), MPROC_BAD_STATE);
    CHECK_STATUS(mproc_process_terminate(self), MPROC_NOT_OWNER);
    CHECK_STATUS(mproc_process_kill(self), MPROC_NOT_OWNER);
    CHECK_STATUS(mproc_process_interrupt(self), MPROC_NOT_OWNER);
    CHECK_SAYS(mproc_process_set_daemon(self, true), MPROC_BAD_STATE, "'MainProcess'");
}

static void case_daemon_is_decided_before_the_start(void)
{
    mproc_process *process = fixture_create(fixture_does_nothing, NULL, 0, &(mproc_process_options){.name = "late"});

    CHECK_OK(mproc_process_set_daemon(process, true));
    CHECK(mproc_process_daemon(process));
    CHECK_OK(mproc_process_set_daemon(process, false));
    CHECK_OK(mproc_process_start(process));
    CHECK_SAYS(mproc_process_set_daemon(process, true), MPROC_BAD_STATE, "'late' was started");
    CHECK(!mproc_process_daemon(process));
    CHECK_EXITED(process, 0);
}

static void case_lists_need_room(void)
{
    size_t count = 77;

    CHECK_SAYS(mproc_active_children(NULL, 1, &count), MPROC_INVALID, "nowhere to write");
    CHECK_STATUS(mproc_active_children(NULL, 0, NULL), MPROC_INVALID);
    CHECK_EQ(count, 77);
    CHECK_OK(mproc_active_children(NULL, 0, &count));
    CHECK_EQ(count, 0);
}

CHECK_SUITE_SETUP(process_refusals, fixture_setup,
    CASE(function_and_place_must_be_given),
    CASE(arguments_must_be_somewhere_and_of_sane_size),
    CASE(name_must_fit),
    CASE(text_of_a_refused_name_is_utf8),
    CASE(key_must_fit),
    CASE(choices_must_be_choices),
    CASE(environment_must_have_names),
    CASE(options_may_be_of_another_version),
    CASE(function_that_no_other_process_finds_is_refused),
    CASE(process_starts_once),
    CASE(process_that_was_not_started_has_no_end),
    CASE(process_cannot_wait_for_itself),
    CASE(daemon_is_decided_before_the_start),
    CASE(lists_need_room),
);
