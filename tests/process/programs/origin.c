/*
 * A program that does, in each process of it, before the guard what programs do there:
 *
 *     origin clear             takes the library's variable out of the environment
 *     origin blank SECRET      reads the secret, and writes over it
 *     origin launch LAUNCHER   does nothing; its children are started from the launcher
 *     origin fork              goes on in a fork() copy of itself (POSIX)
 *     origin late              the same, after a call of the library (POSIX)
 *     origin circle            in a child, runs itself again as a program of its own
 *     origin plain             does nothing
 *
 * Then it runs one child and tells what became of it. One that runs away is stopped by the length of its output.
 */
#include <mproc/process.h>
#include <stdio.h>
#include <string.h>

#include "origin.h"

#define OUTPUT_MAX 6000

static char secret[100] = "nothing";

static mproc_status task(mproc_call *call)
{
    (void)call;
    printf("the task has read %s\n", secret);
    return MPROC_OK;
}

/* The other one has the token, too, but not for itself. */
static void run_again(const char *program)
{
    char command[1300];
    const char *again = getenv("ORIGIN_AGAIN");

    snprintf(command, sizeof command, "%s circle", program);
    if (again != NULL && *again == '1') {
        origin_set("ORIGIN_AGAIN", "0");
    } else if (getenv("MPROC_CHILD") != NULL) {
        origin_set("ORIGIN_AGAIN", "1");
        if (system(command) < 0) perror(command);
    }
}

static void begin(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "plain";

    if (strcmp(what, "clear") == 0) origin_clear();
    if (strcmp(what, "fork") == 0) origin_fork();
    if (strcmp(what, "late") == 0 && mproc_current_process() != NULL) origin_fork();
    if (strcmp(what, "circle") == 0) run_again(argv[0]);
    if (strcmp(what, "blank") == 0 && argc > 2) {
        snprintf(secret, sizeof secret, "%s", argv[2]);
        memset(argv[2], 'x', strlen(argv[2]));
    }
}

static void run_child(void)
{
    mproc_process *process = NULL;
    mproc_status status;

    mproc_check(mproc_process_create(task, mproc_no_args(), NULL, &process));
    status = mproc_process_start(process);
    if (status == MPROC_OK) status = mproc_process_join(process, MPROC_FOREVER);
    printf("the child: %s, code %d: %s\n", mproc_status_name(status), mproc_process_exit_status(process).code,
           mproc_last_error_text());
    mproc_process_free(process);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (fseek(stdout, 0, SEEK_END) == 0 && ftell(stdout) > OUTPUT_MAX) return 7;
    begin(argc, argv);
    mproc_main_guard();

    printf("main runs\n");
    if (argc > 2 && strcmp(argv[1], "launch") == 0) mproc_check(mproc_set_executable(argv[2]));
    run_child();
    return 0;
}
