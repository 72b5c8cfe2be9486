/* Shared memory without a type: the public face of shared/named_memory.h. */
#include <mproc/shared_memory.h>

#include <string.h>

#include "base/options.h"
#include "shared/named_memory.h"
#include "process/family.h"
#include "shared/types.h"

static_assert(MPROC_SHARED_NAME_MAX == NAMED_BYTES_MAX, "a public constant says what the layer below allows");

struct mproc_shared_memory {
    struct reference reference;
};

const struct object_type memory_type = {.name = "shared memory",
                                        .opened = named_open,
                                        .closing = named_close,
                                        .holder_died = named_holder_died,
                                        .forked = named_forked};

static const struct reference *reference_of(const mproc_shared_memory *memory)
{
    assert(memory && memory->reference.ref.kind == OBJECT_MEMORY);
    return &memory->reference;
}

mproc_status mproc_shared_memory_create_sized(size_t size, const mproc_shared_memory_options *options,
                                              size_t options_size, mproc_shared_memory **out)
{
    mproc_shared_memory_options all;
    struct reference *reference;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "shared memory was to be created, and out is NULL");
    if (size == 0) return mproc_error(MPROC_INVALID, "shared memory of 0 bytes: 1 or more are possible");
    options_read(&all, sizeof all, options, options_size);
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = named_create(OBJECT_MEMORY, size, all.name, &reference)) != MPROC_OK) return status;
    named_publish(reference);
    *out = (mproc_shared_memory *)reference;
    return MPROC_OK;
}

mproc_status mproc_shared_memory_attach(const char *name, mproc_shared_memory **out)
{
    struct reference *reference;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "shared memory was to be attached, and out is NULL");
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = named_attach(OBJECT_MEMORY, 1, name, &reference)) != MPROC_OK) return status;
    *out = (mproc_shared_memory *)reference;
    return MPROC_OK;
}

void mproc_shared_memory_free(mproc_shared_memory *memory)
{
    assert(!memory || memory->reference.ref.kind == OBJECT_MEMORY);
    if (memory) family_free(&memory->reference);
}

void *mproc_shared_memory_data(const mproc_shared_memory *memory)
{
    return named_memory(reference_of(memory));
}

size_t mproc_shared_memory_size(const mproc_shared_memory *memory)
{
    return (size_t)named_object(reference_of(memory))->size;
}

const char *mproc_shared_memory_name(const mproc_shared_memory *memory)
{
    return reference_of(memory)->own ? named_object(reference_of(memory))->name : NULL;
}

mproc_status mproc_shared_memory_unlink(mproc_shared_memory *memory)
{
    mproc_status status = family_enter_with(memory->reference.arena);

    return status == MPROC_OK ? named_unlink(reference_of(memory)) : status;
}
