#include "member.h"

#include "object/cells.h"

#include <stdio.h>

void *member_shared(size_t size)
{
    _Atomic uint64_t *cell;
    uint64_t offset;

    if (mproc_current_process() == NULL) {
        fprintf(stderr, "bench: %s\n", mproc_last_error_text());
        exit(1);
    }
    mproc_check(cells_take(size + ARENA_LINE, size + ARENA_LINE, &cell));
    offset = atomic_load(cell);
    return arena_at((offset + ARENA_LINE - 1) / ARENA_LINE * ARENA_LINE);
}

mproc_process *member_start(mproc_function *function, const void *shared)
{
    uint64_t offset = arena_offset(shared);
    mproc_process *process;

    mproc_check(mproc_process_create(function, mproc_bytes(&offset, sizeof offset), NULL, &process));
    mproc_check(mproc_process_start(process));
    return process;
}

void *member_find(const mproc_call *call)
{
    uint64_t offset = 0;

    mproc_check(mproc_unpack_bytes(call, &offset, sizeof offset));
    return arena_at(offset);
}

bool member_join(mproc_process *process)
{
    mproc_exit_status status;

    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    status = mproc_process_exit_status(process);
    mproc_process_free(process);
    return status.kind == MPROC_EXIT_EXITED && status.code == 0;
}
