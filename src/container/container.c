/* Values on their way into containers and out of them. */
#include "container/container.h"

#include <stdlib.h>

/* ---- in ----------------------------------------------------------------------------------------- */

struct search {
    uint64_t wanted;
    bool found;
};

static void look_for(void *context, const struct handle_ref *ref)
{
    struct search *search = context;

    if (ref->offset == search->wanted) search->found = true;
}

static mproc_status refuse_itself(const struct reference *reference, const mproc_value *value)
{
    struct search search = {reference->ref.offset, false};

    value_visit_objects(value, look_for, &search);
    if (!search.found) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "%s is no value in itself: it would never end",
                       handle_name(reference->ref.kind));
}

mproc_status container_stage(const struct reference *reference, const mproc_value *value, struct cell *cell,
                             _Atomic uint64_t *owned)
{
    bool text = value->type == MPROC_TYPE_STRING || value->type == MPROC_TYPE_BYTES;
    struct intent *intent = work_intent();
    struct parcel *parcel;
    uint32_t objects;
    mproc_status status;
    size_t size;

    if (cell_write_small(cell, value)) return MPROC_OK;
    if ((status = encoding_measure(value, &size)) != MPROC_OK) return status;
    if (text && value->count <= SHORT_BYTES_MAX) {
        cell_set(cell, value_head(value), short_word(value->as.data, value->count));
        return MPROC_OK;
    }
    objects = value_count_objects(value);
    if (objects > 0 && (status = refuse_itself(reference, value)) != MPROC_OK) return status;
    if ((status = parcel_create(intent, size, objects, owned)) != MPROC_OK) return status;
    parcel = parcel_at(word_get(owned));
    status = encoding_write(value, parcel_data(parcel), size, &size, &objects);
    if (status == MPROC_OK && objects > 0) status = parcel_hold(intent, parcel, false, NULL);
    if (status == MPROC_OK) cell_set(cell, CELL_PARCEL, arena_offset(parcel));
    else object_drop(intent, owned);
    return status;
}

/* ---- out ---------------------------------------------------------------------------------------- */

void container_hold(const struct cell *cell, _Atomic uint64_t *owned)
{
    if (cell_is_parcel(cell)) object_refer(container_nested(), cell->word, owned, OBJECT_GIVEN);
}

mproc_value container_view(const struct cell *cell)
{
    return cell_is_parcel(cell) ? encoding_view(parcel_data(parcel_at(cell->word))) : cell_view(cell);
}

static mproc_status no_memory(uint64_t bytes)
{
    return mproc_error(MPROC_NO_MEMORY, "no memory for a value of %llu bytes", (unsigned long long)bytes);
}

/* A number owns nothing; short text lies in the cell of an encoding without a payload. */
static mproc_status small_value(const struct cell *cell, mproc_value *value)
{
    mproc_value view = cell_view(cell);
    unsigned char *encoding;

    if (view.type < MPROC_TYPE_STRING) {
        view.form = VALUE_BORROWED;
        *value = view;
        return MPROC_OK;
    }
    if (!(encoding = malloc(ENCODING_PAYLOAD + sizeof cell->word))) return no_memory(ENCODING_PAYLOAD);
    memcpy(encoding + ENCODING_PAYLOAD, &cell->word, sizeof cell->word);
    encoding_write_bytes(encoding, cell->count);
    memcpy(encoding + ENCODING_ROOT, cell, sizeof *cell);
    *value = encoding_owned(encoding);
    return MPROC_OK;
}

mproc_status container_value(const struct cell *cell, mproc_value *value)
{
    struct encoding_header *encoding;
    _Atomic uint64_t *owned = NULL;
    const struct parcel *parcel;
    mproc_status status;

    if (!cell_is_parcel(cell)) return small_value(cell, value);
    parcel = parcel_at(cell->word);
    if (parcel->links == 1) {
        if ((status = parcel_copy(parcel, &encoding)) == MPROC_OK) *value = encoding_owned(encoding);
        return status;
    }
    if ((status = resource_slot_take(&owned)) != MPROC_OK) return status;
    object_refer(work_intent(), cell->word, owned, OBJECT_GIVEN);
    if ((status = parcel_keep(owned, &encoding)) == MPROC_OK) *value = encoding_owned(encoding);
    else resource_release(owned);
    return status;
}

mproc_status container_copy(const mproc_value *view, _Atomic uint64_t **owned, mproc_value *value)
{
    uint32_t objects = value_count_objects(view);
    size_t before = objects > 0 ? sizeof(struct parcel_keeper) : 0, size;
    struct encoding_header *encoding;
    unsigned char *heap;
    mproc_status status;

    if (view->type < MPROC_TYPE_STRING) {
        *value = *view;
        value->form = VALUE_BORROWED;
        return MPROC_OK;
    }
    if ((status = encoding_measure(view, &size)) != MPROC_OK) return status;
    if (!(heap = malloc(before + size))) return no_memory(size);
    encoding = (struct encoding_header *)(void *)(heap + before);
    if ((status = encoding_write(view, encoding, size, &size, &objects)) != MPROC_OK) {
        free(heap);
        return status;
    }
    if (before > 0) {
        *(struct parcel_keeper *)(void *)heap = (struct parcel_keeper){*owned, thread_self.arena, 0};
        encoding->before = (uint32_t)before;
        *owned = NULL;
    }
    *value = encoding_owned(encoding);
    return MPROC_OK;
}
