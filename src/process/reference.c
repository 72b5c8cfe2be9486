/* References: made, opened, and freed while others may wait. */
#include "process/reference.h"

#include <stdlib.h>

#include "process/interrupt.h"

/* How often a freer wakes those who are on their way to sleep. */
#define LOOK_NS ((int64_t)1000000)

static mproc_status make(struct reference **out)
{
    if ((*out = calloc(1, sizeof **out)) != NULL) return MPROC_OK;
    return mproc_error(MPROC_NO_MEMORY, "no memory for a reference to a shared object");
}

/* The block is found in the cell; where it lies does not change. */
static void fill(struct reference *reference, enum object_kind kind, _Atomic uint64_t *cell)
{
    reference->kind = kind;
    reference->cell = cell;
    reference->object = atomic_load(cell);
    reference->at = arena_at(reference->object);
}

mproc_status reference_create(enum object_kind kind, size_t size, struct reference **out)
{
    struct reference *reference;
    _Atomic uint64_t *cell;
    mproc_status status;

    if ((status = make(&reference)) != MPROC_OK) return status;
    if ((status = cells_take(size, size, &cell)) != MPROC_OK) {
        free(reference);
        return status;
    }
    fill(reference, kind, cell);
    *out = reference;
    return MPROC_OK;
}

void reference_publish(const struct reference *reference)
{
    object_publish(reference->cell, reference->kind);
}

mproc_status reference_open(uint64_t object, struct reference **out)
{
    struct reference *reference;
    _Atomic uint64_t *cell;
    mproc_status status;

    if ((status = make(&reference)) != MPROC_OK) return status;
    if ((status = cells_refer(object, &cell)) != MPROC_OK) {
        free(reference);
        return status;
    }
    fill(reference, object_kind(object), cell);
    *out = reference;
    return MPROC_OK;
}

void reference_free(struct reference *reference)
{
    if (!reference) return;
    if (family_enter() != MPROC_OK) return; /* a fork() copy: it has none of this */
    atomic_store(&reference->closed, 1);
    while (atomic_load(&reference->sleepers) > 0) {
        interrupt_wake(family.process);
        plat_clock_sleep_until(plat_clock_now_ns() + LOOK_NS);
    }
    cells_give(reference->account);
    cells_give(reference->cell);
    free(reference);
}

mproc_status reference_open_still(struct reference *reference)
{
    if (!atomic_load(&reference->closed)) return MPROC_OK;
    return mproc_error(MPROC_CLOSED, "the object was freed while it was waited for");
}

mproc_status reference_reason(struct reference *reference)
{
    mproc_status status = reference_open_still(reference);

    if (status != MPROC_OK) return status;
    return interrupt_take() ? interrupt_status() : MPROC_OK;
}
