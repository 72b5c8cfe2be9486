/* The same where programs become others, and fork; and what lies under the numbers of a child's handles. */
#include "process_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process_fixture_os.h"
#include "platform/platform_fixture.h"
#include "process/token.h"

/* Runs `origin launch` with a script that has this line, in which $0 is the program. */
static void run_script(const char *line, fixture_exec *exec)
{
    char directory[1024];
    char path[1100];
    char program[1200];
    char script[2600];

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/script", directory);
    fixture_beside(FIXTURE_ORIGIN, program, sizeof program);
    snprintf(script, sizeof script, "#!/bin/sh\nprogram='%s'\n%s\n", program, line);
    os_write_program(path, script);
    exec->file = program;
    exec->arguments = (const char *[]){"launch", path, NULL};
    fixture_exec_to_end(exec);
    os_remove_directory(directory);
    CHECK_EQ(exec->code, 0);
    CHECK_EQ(fixture_count(exec->output, "main runs"), 1);
}

static void case_child_is_let_in_through_a_wrapper_without_environment(void)
{
    fixture_exec exec = {.code = 0};

    run_script("exec env -i \"$program\" \"$@\"", &exec);
    CHECK_STRING(exec.output, "main runs\nthe task has read nothing\nthe child: MPROC_OK, code 0: \n");
}

static void case_program_behind_a_launcher_without_environment_is_refused(void)
{
    fixture_exec exec = {.code = 0};

    run_script("env -i \"$program\" \"$@\"\nexit 5", &exec);
    CHECK_CONTAINS(exec.output, "must become their program (exec), not start it");
    CHECK_CONTAINS(exec.output, "the child: MPROC_NO_GUARD, code 5: ");
}

static void case_copy_that_comes_to_the_guard_in_place_of_the_child_is_refused(void)
{
    fixture_exec exec = {.code = 0};
    char program[1200];

    exec.file = fixture_beside(FIXTURE_ORIGIN, program, sizeof program);
    exec.arguments = (const char *[]){"fork", NULL};
    fixture_exec_to_end(&exec);
    CHECK_EQ(fixture_count(exec.output, "main runs"), 1);
    CHECK_CONTAINS(exec.output, "daemon() or fork() come after mproc_main_guard()");
    CHECK_CONTAINS(exec.output, "the child: MPROC_NO_GUARD, code 0: ");
}

/* In the first process the copy goes on, with a family of its own; in its child a copy would be another first one. */
static void case_copy_of_a_child_that_has_made_its_first_call_is_refused_at_the_guard(void)
{
    fixture_exec exec = {.code = 0};
    char program[1200];

    exec.file = fixture_beside(FIXTURE_ORIGIN, program, sizeof program);
    exec.arguments = (const char *[]){"late", NULL};
    fixture_exec_to_end(&exec);
    CHECK_EQ(fixture_count(exec.output, "main runs"), 1);
    CHECK_CONTAINS(exec.output, "a child that has not passed its main guard");
    CHECK_CONTAINS(exec.output, "the child: MPROC_NO_GUARD, code 0: ");
}

/* ---- the program's own descriptors ------------------------------------------------------------ */

/* In a new process: `file` is number 3, and a token that somebody kept says that there is an arena. */
static void become_with_third(const char *file, const char *helper)
{
    static char executable[4096];
    char *arguments[] = {executable, NULL};
    int opened = open(file, O_RDWR | O_CREAT, 0600);

    if (readlink("/proc/self/exe", executable, sizeof executable - 1) < 0 || dup2(opened, 3) != 3) _exit(1);
    setenv(PLAT_TOKEN_NAME, "3 4 68719476736 65680 1 0 0 0 0 0", 1);
    setenv(CHECK_HELPER_VARIABLE, helper, 1);
    execv(executable, arguments);
    _exit(2);
}

/* The guard has been passed, and with it all that looks at the handles of a child. */
static int helper_has_a_third(const char *text)
{
    (void)text;
    CHECK_OK(mproc_sleep_ms(0));
    CHECK(mproc_parent_process() == NULL);
    CHECK(fcntl(3, F_GETFD) >= 0);
    CHECK_EXITED(fixture_start(fixture_exits, NULL, 3, NULL), 3);
    CHECK(fcntl(3, F_GETFD) >= 0);
    return 0;
}

static void case_stale_token_leaves_the_programs_descriptors_alone(void)
{
    char directory[1024];
    char path[1100];
    const char *files[] = {path, "/dev/zero"};
    int status = 0;

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/empty", directory);
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0) become_with_third(files[i], "posix_origin.has_a_third");
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), 0);
    }
    os_remove_directory(directory);
}

CHECK_SUITE_SETUP(posix_origin, fixture_setup,
    CASE(child_is_let_in_through_a_wrapper_without_environment),
    CASE(program_behind_a_launcher_without_environment_is_refused),
    CASE(copy_that_comes_to_the_guard_in_place_of_the_child_is_refused),
    CASE(copy_of_a_child_that_has_made_its_first_call_is_refused_at_the_guard),
    CASE(stale_token_leaves_the_programs_descriptors_alone),
    HELPER(has_a_third),
);
