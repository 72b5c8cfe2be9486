/*
 * A program whose child starts another mproc program before its own first mproc call, so that this one inherits
 * its environment and perhaps its handles. FIXTURE_COMMAND is the other program's command line.
 */
#include <mproc/process.h>
#include <stdio.h>

static mproc_status task(mproc_call *call)
{
    (void)call;
    exit(19);
}

int main(void)
{
    mproc_process *process = NULL;

    setvbuf(stdout, NULL, _IONBF, 0);
    if (getenv("MPROC_CHILD") != NULL) printf("the other ended with %d\n", system(getenv("FIXTURE_COMMAND")));
    mproc_main_guard();

    mproc_check(mproc_process_create(task, mproc_no_args(), NULL, &process));
    mproc_check(mproc_process_start(process));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    printf("exit code %d\n", mproc_process_exit_status(process).code);
    mproc_process_free(process);
    return 0;
}
