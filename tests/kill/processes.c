/*
 * Steps through the birth of processes and the work of pools, in processes that are started as users start them.
 * The command line is that of steps.h.
 */
#include "born.h"
#include "steps.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Is set for all that the tool starts. */
#define RUNS "KILL_TOOL_RUNS"

static const steps_table *const tables[] = {&steps_start, &steps_pool, NULL};

/* The first call founds the family, before the tool binds this process to one CPU. */
static void found(void)
{
    if (mproc_current_process() == NULL) abort();
    setenv(RUNS, "1", 1);
}

/* A child that does not know that it is one would run main() as a whole: the begin of a fork bomb. */
static int report_stray(void)
{
    printf("a child took itself for a first process\n");
    return 1;
}

int main(int count, char **arguments)
{
    born_offer();
    mproc_main_guard();
    if (count == 2 && strcmp(arguments[1], BORN_PARENT) == 0) return born_parent();
    if (count == 2 && strcmp(arguments[1], BORN_PARENT_OF_OTHER) == 0) return born_parent_of_other();
    if (count == 2 && strcmp(arguments[1], BORN_MAPPER) == 0) return born_mapper();
    if (getenv(RUNS) != NULL) return report_stray();
    return steps_main(arguments + (count > 0), tables, found);
}
