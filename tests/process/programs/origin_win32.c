#include "origin.h"

#include <stdlib.h>
#include <windows.h>

void origin_clear(void)
{
    SetEnvironmentVariableW(L"MPROC_CHILD", NULL);
}

void origin_set(const char *name, const char *value)
{
    _putenv_s(name, value);
}

/* There is no fork(). */
void origin_fork(void)
{
}
