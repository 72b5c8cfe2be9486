/* A program without a guard that starts a process: its child runs main() again. The test reads what both print. */
#include <mproc/process.h>
#include <stdio.h>

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

    setvbuf(stdout, NULL, _IONBF, 0);
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
