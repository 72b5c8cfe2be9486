/* Updates: what a function of the program makes of a value. */
#include "container/update.h"

#include <stdlib.h>

mproc_status update_begin(struct update *update, const char *name, mproc_function *function, const mproc_args *args)
{
    mproc_status status;

    *update = (struct update){.function = function, .count = 1 + mproc_value_count(*args), .name = name};
    if (!function) return mproc_error(MPROC_INVALID, "%s has no function", name);
    if (args->type != MPROC_TYPE_LIST && args->type != MPROC_TYPE_NIL)
        return mproc_error(MPROC_INVALID, "the arguments of %s are %s: a single one is written MPROC_ARGS(x)", name,
                           mproc_type_name((mproc_type)args->type));
    if (args->count > 0 && !args->as.data)
        return mproc_error(MPROC_INVALID, "the arguments of %s are at no address", name);
    update->result.arena = thread_self.arena;
    if (!(update->items = malloc(update->count * sizeof *update->items)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for %zu arguments of %s", update->count, name);
    for (size_t i = 1; i < update->count; i++) update->items[i] = mproc_value_at(*args, i - 1);
    if ((status = resource_slot_take(&update->held)) != MPROC_OK) return status;
    return resource_slot_take(&update->result.owned);
}

void update_end(const struct update *update)
{
    if (update->held) resource_release(update->held);
    if (update->result.owned) resource_release(update->result.owned);
    free(update->items);
}

void update_again(struct update *update)
{
    object_drop(work_intent(), update->held);
    object_drop(work_intent(), update->result.owned);
    update->result.size = 0;
}

mproc_status update_make(struct update *update, const struct cell *from, mproc_value *value)
{
    struct mproc_call call = {.name = update->name, .scope = &update->scope, .result = &update->result};
    mproc_status status;
    uint64_t parcel;

    assert(update->items);
    update->items[0] = container_view(from);
    call.args = mproc_list_from(update->items, update->count);
    if ((status = update->function(&call)) != MPROC_OK) return status;
    parcel = word_get(update->result.owned);
    if (parcel) *value = encoding_view(parcel_data(parcel_at(parcel)));
    else *value = update->result.size > 0 ? encoding_view(update->result.bytes) : mproc_nil();
    return MPROC_OK;
}
