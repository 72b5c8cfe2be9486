#include "shelf.h"

#include <stdio.h>

const char *shelf_name(const char *suffix)
{
    static char names[8][MPROC_SHARED_NAME_MAX + 1];
    static unsigned next;
    char *name = names[next++ % 8];

    snprintf(name, sizeof names[0], "test.%lld.%s", (long long)mproc_getpid(), suffix);
    return name;
}

mproc_shared_memory *shelf_create(size_t size, const char *name)
{
    mproc_shared_memory *memory = NULL;

    CHECK_OK(mproc_shared_memory_create(size, &(mproc_shared_memory_options){.name = name}, &memory));
    return memory;
}

mproc_shared_memory *shelf_attach(const char *name)
{
    mproc_shared_memory *memory = NULL;

    CHECK_OK(mproc_shared_memory_attach(name, &memory));
    return memory;
}

bool shelf_is_free(const char *name)
{
    mproc_shared_memory *memory = NULL;
    mproc_status status = mproc_shared_memory_attach(name, &memory);

    mproc_shared_memory_free(memory);
    CHECK(status == MPROC_OK || status == MPROC_NOT_FOUND || status == MPROC_MISMATCH);
    return status == MPROC_NOT_FOUND;
}

mproc_process *shelf_start(mproc_function *function, mproc_value arguments)
{
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(function, arguments, NULL, &process));
    CHECK_OK(mproc_process_start(process));
    return process;
}

void shelf_run(mproc_function *function, mproc_value arguments)
{
    CHECK_EXITED(shelf_start(function, arguments), 0);
}

_Atomic uint32_t *shelf_word(const mproc_shared_memory *memory)
{
    return (_Atomic uint32_t *)mproc_shared_memory_data(memory);
}

void shelf_await(const mproc_shared_memory *memory, uint32_t least)
{
    CHECK_AWAIT(shelf_word(memory), least);
}
