/*
 * A program that starts a child, wherever it lies and however it was started. Before that, as its arguments say:
 *     -c DIRECTORY   changes its directory
 *     -d FILE        deletes the file
 *     -r FILE OTHER  renames OTHER to FILE
 */
#include <mproc/process.h>
#include <stdio.h>
#include <string.h>

#include "place.h"

static mproc_status task(mproc_call *call)
{
    int number = 0;

    MPROC_TRY(mproc_unpack_bytes(call, &number, sizeof number));
    exit(number);
}

static void obey(int argc, char **argv)
{
    int i;

    for (i = 1; i + 1 < argc; i += 2) {
        int failed = 0;
        if (strcmp(argv[i], "-c") == 0) failed = place_change_directory(argv[i + 1]);
        if (strcmp(argv[i], "-d") == 0) failed = remove(argv[i + 1]);
        if (strcmp(argv[i], "-r") == 0 && ++i + 1 < argc) failed = rename(argv[i + 1], argv[i]);
        if (failed) perror(argv[i + 1]);
    }
}

int main(int argc, char **argv)
{
    mproc_process *process = NULL;
    int number = 7;

    mproc_main_guard();
    obey(argc, argv);
    for (; number < 9; number++) {
        mproc_check(mproc_process_create(task, mproc_bytes(&number, sizeof number), NULL, &process));
        mproc_check(mproc_process_start(process));
        mproc_check(mproc_process_join(process, MPROC_FOREVER));
        printf("%s: %d\n", mproc_process_name(process), mproc_process_exit_status(process).code);
        mproc_process_free(process);
    }
    return 0;
}
