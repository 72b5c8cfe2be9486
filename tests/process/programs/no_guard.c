/*
 * A program without a guard that starts a process. FIXTURE_TEXT, if it is not empty, is the executable for its child,
 * which may be this one: then main() runs again. The test reads what is printed.
 */
#include <mproc/process.h>
#include <stdio.h>
#include <stdlib.h>

static mproc_status task(mproc_call *call)
{
    (void)call;
    printf("the task runs\n");
    return MPROC_OK;
}

int main(void)
{
    mproc_process *process = NULL;
    mproc_status status;
    const char *executable = getenv("FIXTURE_TEXT");

    setvbuf(stdout, NULL, _IONBF, 0);
    printf("main runs\n");
    if (executable != NULL && *executable != '\0') mproc_check(mproc_set_executable(executable));
    mproc_check(mproc_process_create(task, mproc_no_args(), NULL, &process));
    status = mproc_process_start(process);
    printf("start of %s: %s: %s\n", mproc_process_name(process), mproc_status_name(status), mproc_last_error_text());
    if (status == MPROC_OK) {
        status = mproc_process_join(process, MPROC_FOREVER);
        printf("join: %s: %s\n", mproc_status_name(status), mproc_last_error_text());
    }
    mproc_process_free(process);
    return status == MPROC_NO_GUARD ? 3 : 4;
}
