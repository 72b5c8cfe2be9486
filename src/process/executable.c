/* The program that children are started from. */
#include <stdlib.h>
#include <string.h>

#include <mproc/process.h>

#include "process/family.h"

mproc_status mproc_set_executable(const char *path)
{
    char *copy = NULL;
    mproc_status status;

    if ((status = family_enter()) != MPROC_OK) return status;
    if (path && !(copy = malloc(strlen(path) + 1)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for the path of an executable");
    if (copy) memcpy(copy, path, strlen(path) + 1);
    plat_mutex_lock(&family_mutex);
    free(family.executable);
    family.executable = copy;
    plat_mutex_unlock(&family_mutex);
    return MPROC_OK;
}
