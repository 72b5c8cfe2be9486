/* A program that reads its arguments and makes an object before the guard, as every process of it does. */
#include <mproc/process.h>
#include <stdio.h>
#include <string.h>

static int number;
static const char *word = "";
static mproc_process *made_early;

static void read_arguments(int argc, char **argv)
{
    int i;

    for (i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "-n") == 0) number = atoi(argv[i + 1]);
        if (strcmp(argv[i], "-w") == 0) word = argv[i + 1];
    }
}

static mproc_status task(mproc_call *call)
{
    (void)call;
    printf("%s in %s has read %d and '%s'\n", mproc_process_name(mproc_current_process()),
           mproc_parent_process() != NULL ? "a child" : "the first process", number, word);
    exit(number);
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    mproc_check(mproc_process_create(task, mproc_no_args(), &(mproc_process_options){.name = "early"}, &made_early));
    mproc_main_guard();

    mproc_check(mproc_process_start(made_early));
    mproc_check(mproc_process_join(made_early, MPROC_FOREVER));
    printf("exit code %d\n", mproc_process_exit_status(made_early).code);
    mproc_process_free(made_early);
    return 0;
}
