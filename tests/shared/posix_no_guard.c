/* A program without a guard: the name of its memory goes with it all the same. */
#include <mproc/mproc.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int end_with_a_name(void)
{
    static mproc_shared_memory *memory; /* no leak: it is still known at the end */

    mproc_check(mproc_shared_memory_create(8, &(mproc_shared_memory_options){.name = "no-guard"}, &memory));
    return EXIT_SUCCESS;
}

/* A file that is left over would be removed by whoever looks for the name: the file is looked for. */
int main(void)
{
    char path[64];
    int result = 0;
    pid_t child = fork();

    if (child == 0) return end_with_a_name();
    if (child < 0 || waitpid(child, &result, 0) != child || result != 0) return EXIT_FAILURE;
    snprintf(path, sizeof path, "/dev/shm/mproc-%lu/no-guard", (unsigned long)geteuid());
    if (access(path, F_OK) != 0) return EXIT_SUCCESS;
    printf("%s is left over\n", path);
    return EXIT_FAILURE;
}
