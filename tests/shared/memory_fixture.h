/* What the tests of shared memory share: names of the running case's own, and a memory that is a board, too. */
#ifndef MEMORY_FIXTURE_H
#define MEMORY_FIXTURE_H

#include <mproc/mproc.h>

#include "check.h"
#include "process/process_fixture.h"

/* A name that no other test uses at the same time, with `suffix` in it. The text is good for the next seven calls. */
const char *memory_name(const char *suffix);

mproc_shared_memory *memory_create(size_t size, const char *name);
mproc_shared_memory *memory_attach(const char *name);

/* Whether the name stands for nothing. */
bool memory_is_free(const char *name);

/* Starts a child with these arguments; joins it, and checks that it ended well. */
mproc_process *memory_start(mproc_function *function, mproc_value arguments);
void memory_run(mproc_function *function, mproc_value arguments);

/* The first word of a memory, by which its users wait for each other. */
_Atomic uint32_t *memory_word(const mproc_shared_memory *memory);
void memory_await(const mproc_shared_memory *memory, uint32_t least);

#endif
