/* Values and arrays: items in the arena, with a lock. */
#include <mproc/shared.h>

#include <string.h>

#include "base/options.h"
#include "object/reference.h"
#include "sync/lock_impl.h"
#include "process/family.h"
#include "shared/types.h"

/* All of it is set at creation. `lock` is a link; the items begin at the next cache line behind this. */
struct items {
    struct object object;
    _Atomic uint64_t lock;
    uint64_t item_size;
    uint64_t count;
};

const struct object_type value_type = {
    .name = "a shared value", .links = 1, .links_at = offsetof(struct items, lock)};
const struct object_type array_type = {
    .name = "a shared array", .links = 1, .links_at = offsetof(struct items, lock)};

struct mproc_shared_value {
    struct reference reference;
};

struct mproc_shared_array {
    struct reference reference;
};

static_assert(offsetof(mproc_shared_options, rlock) + sizeof(mproc_rlock *) == sizeof(mproc_shared_options),
              "no padding at the end: see options_read()");

/* A reference of another kind under this type is a programming error. */
static struct reference *checked(const void *object, enum object_kind kind)
{
    struct reference *reference = (struct reference *)object;

    assert(reference && reference->ref.kind == (uint32_t)kind);
    (void)kind;
    return reference;
}

static struct items *items_of(const struct reference *reference)
{
    return (struct items *)reference->at;
}

static unsigned char *memory_of(const struct reference *reference)
{
    uintptr_t after = (uintptr_t)(items_of(reference) + 1);
    return (unsigned char *)((after + ARENA_LINE - 1) & ~(uintptr_t)(ARENA_LINE - 1));
}

/* ---- creation --------------------------------------------------------------------------------- */

static mproc_status check(size_t item_size, size_t count, const mproc_shared_options *options)
{
    if (item_size == 0) return mproc_error(MPROC_INVALID, "shared items of 0 bytes: pass the size of their type");
    if (count > (SIZE_MAX / 2) / item_size)
        return mproc_error(MPROC_NO_MEMORY, "%zu shared items of %zu bytes are more than memory can hold", count,
                           item_size);
    if (!!options->lock + !!options->rlock + options->raw > 1)
        return mproc_error(MPROC_INVALID, "shared items have one lock or none: give one of lock, rlock and raw");
    return MPROC_OK;
}

/* The program's references begin with a struct reference. */
static const struct reference *given_lock(const mproc_shared_options *options)
{
    return options->lock ? (const void *)options->lock : (const void *)options->rlock;
}

static mproc_status create(enum object_kind kind, size_t item_size, size_t count, const void *initial,
                           const mproc_shared_options *options, size_t options_size, void **out)
{
    mproc_shared_options all;
    struct reference *reference;
    struct items *items;
    mproc_status status;

    if (!out) return mproc_error(MPROC_INVALID, "shared items were to be created, and out is NULL");
    options_read(&all, sizeof all, options, options_size);
    if ((status = check(item_size, count, &all)) != MPROC_OK) return status;
    if ((status = family_enter()) != MPROC_OK) return status;
    status = reference_create(kind, sizeof *items + ARENA_LINE + item_size * count, &reference);
    if (status != MPROC_OK) return status;
    items = items_of(reference);
    items->item_size = item_size;
    items->count = count;
    if (initial && count > 0) memcpy(memory_of(reference), initial, item_size * count);
    reference_publish(reference);
    if (!all.raw) status = robust_lock_link(given_lock(&all), &items->lock);
    if (status == MPROC_OK) *out = reference;
    else reference_free(reference);
    return status;
}

/* ---- both ------------------------------------------------------------------------------------- */

static mproc_status no_lock(const struct reference *reference)
{
    mproc_status status = family_enter_with(reference->arena);

    if (status != MPROC_OK) return status;
    return mproc_error(MPROC_NOT_SUPPORTED, "these shared items are raw: they have no lock");
}

static mproc_status acquire(struct reference *reference, int64_t timeout_ms, bool recover)
{
    uint64_t lock = atomic_load(&items_of(reference)->lock);

    return lock ? robust_lock_acquire(lock, reference, timeout_ms, recover) : no_lock(reference);
}

static mproc_status release(struct reference *reference)
{
    uint64_t lock = atomic_load(&items_of(reference)->lock);

    return lock ? robust_lock_release(lock, reference) : no_lock(reference);
}

/* Under the lock, if there is one. */
static mproc_status copy(struct reference *reference, size_t first, size_t count, void *out, const void *in)
{
    const struct items *items = items_of(reference);
    size_t size = (size_t)items->item_size;
    uint64_t lock = atomic_load(&items->lock);
    mproc_status status;

    if (first > items->count || count > items->count - first)
        return mproc_error(MPROC_INVALID, "%zu shared items from number %zu on: there are %llu", count, first,
                           (unsigned long long)items->count);
    if (!out && !in && count > 0) return mproc_error(MPROC_INVALID, "%zu shared items to or from no address", count);
    if (count == 0) return MPROC_OK;
    if (lock && (status = robust_lock_acquire(lock, reference, MPROC_FOREVER, false)) != MPROC_OK) return status;
    if (out) memcpy(out, memory_of(reference) + first * size, count * size);
    else if (in) memcpy(memory_of(reference) + first * size, in, count * size);
    if (lock) robust_lock_release(lock, reference);
    return MPROC_OK;
}

static mproc_status check_size(const struct reference *reference, size_t size)
{
    if (items_of(reference)->item_size == size) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "the shared value has %llu bytes, not %zu",
                       (unsigned long long)items_of(reference)->item_size, size);
}

/* ---- one item --------------------------------------------------------------------------------- */

mproc_status mproc_shared_value_create_sized(size_t size, const void *initial, const mproc_shared_options *options,
                                             size_t options_size, mproc_shared_value **out)
{
    return create(OBJECT_VALUE, size, 1, initial, options, options_size, (void **)out);
}

void mproc_shared_value_free(mproc_shared_value *value)
{
    if (value) family_free(checked(value, OBJECT_VALUE));
}

void *mproc_shared_value_data(const mproc_shared_value *value)
{
    return memory_of(checked(value, OBJECT_VALUE));
}

size_t mproc_shared_value_size(const mproc_shared_value *value)
{
    return (size_t)items_of(checked(value, OBJECT_VALUE))->item_size;
}

mproc_status mproc_shared_value_acquire(mproc_shared_value *value, int64_t timeout_ms)
{
    return acquire(checked(value, OBJECT_VALUE), timeout_ms, false);
}

mproc_status mproc_shared_value_release(mproc_shared_value *value)
{
    return release(checked(value, OBJECT_VALUE));
}

mproc_status mproc_shared_value_recover(mproc_shared_value *value, int64_t timeout_ms)
{
    return acquire(checked(value, OBJECT_VALUE), timeout_ms, true);
}

mproc_status mproc_shared_value_get(mproc_shared_value *value, void *out, size_t size)
{
    mproc_status status = check_size(checked(value, OBJECT_VALUE), size);
    return status == MPROC_OK ? copy(checked(value, OBJECT_VALUE), 0, 1, out, NULL) : status;
}

mproc_status mproc_shared_value_set(mproc_shared_value *value, const void *item, size_t size)
{
    mproc_status status = check_size(checked(value, OBJECT_VALUE), size);
    return status == MPROC_OK ? copy(checked(value, OBJECT_VALUE), 0, 1, NULL, item) : status;
}

/* ---- an array --------------------------------------------------------------------------------- */

mproc_status mproc_shared_array_create_sized(size_t item_size, size_t count, const void *initial,
                                             const mproc_shared_options *options, size_t options_size,
                                             mproc_shared_array **out)
{
    return create(OBJECT_ARRAY, item_size, count, initial, options, options_size, (void **)out);
}

void mproc_shared_array_free(mproc_shared_array *array)
{
    if (array) family_free(checked(array, OBJECT_ARRAY));
}

void *mproc_shared_array_data(const mproc_shared_array *array)
{
    return memory_of(checked(array, OBJECT_ARRAY));
}

size_t mproc_shared_array_count(const mproc_shared_array *array)
{
    return (size_t)items_of(checked(array, OBJECT_ARRAY))->count;
}

size_t mproc_shared_array_item_size(const mproc_shared_array *array)
{
    return (size_t)items_of(checked(array, OBJECT_ARRAY))->item_size;
}

mproc_status mproc_shared_array_acquire(mproc_shared_array *array, int64_t timeout_ms)
{
    return acquire(checked(array, OBJECT_ARRAY), timeout_ms, false);
}

mproc_status mproc_shared_array_release(mproc_shared_array *array)
{
    return release(checked(array, OBJECT_ARRAY));
}

mproc_status mproc_shared_array_recover(mproc_shared_array *array, int64_t timeout_ms)
{
    return acquire(checked(array, OBJECT_ARRAY), timeout_ms, true);
}

mproc_status mproc_shared_array_get(mproc_shared_array *array, size_t first, size_t count, void *out)
{
    return copy(checked(array, OBJECT_ARRAY), first, count, out, NULL);
}

mproc_status mproc_shared_array_set(mproc_shared_array *array, size_t first, size_t count, const void *items)
{
    return copy(checked(array, OBJECT_ARRAY), first, count, NULL, items);
}
