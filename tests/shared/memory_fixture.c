#include "memory_fixture.h"

#include <stdio.h>

const char *memory_name(const char *suffix)
{
    static char names[8][MPROC_SHARED_NAME_MAX + 1];
    static unsigned next;
    char *name = names[next++ % 8];

    snprintf(name, sizeof names[0], "test.%lld.%s", (long long)mproc_getpid(), suffix);
    return name;
}

mproc_shared_memory *memory_create(size_t size, const char *name)
{
    mproc_shared_memory *memory = NULL;

    CHECK_OK(mproc_shared_memory_create(size, &(mproc_shared_memory_options){.name = name}, &memory));
    return memory;
}

mproc_shared_memory *memory_attach(const char *name)
{
    mproc_shared_memory *memory = NULL;

    CHECK_OK(mproc_shared_memory_attach(name, &memory));
    return memory;
}

bool memory_is_free(const char *name)
{
    mproc_shared_memory *memory = NULL;
    mproc_status status = mproc_shared_memory_attach(name, &memory);

    mproc_shared_memory_free(memory);
    CHECK(status == MPROC_OK || status == MPROC_NOT_FOUND || status == MPROC_MISMATCH);
    return status == MPROC_NOT_FOUND;
}

mproc_process *memory_start(mproc_function *function, mproc_value arguments)
{
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(function, arguments, NULL, &process));
    CHECK_OK(mproc_process_start(process));
    return process;
}

void memory_run(mproc_function *function, mproc_value arguments)
{
    CHECK_EXITED(memory_start(function, arguments), 0);
}

_Atomic uint32_t *memory_word(const mproc_shared_memory *memory)
{
    return (_Atomic uint32_t *)mproc_shared_memory_data(memory);
}

void memory_await(const mproc_shared_memory *memory, uint32_t least)
{
    CHECK_AWAIT(memory_word(memory), least);
}
