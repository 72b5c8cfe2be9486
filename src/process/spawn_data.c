/* Makes and frees spawn data. */
#include "process/spawn_data.h"

#include <string.h>

#include "base/text.h"

/* What the dead was given keeps nothing alive any more, though its parent has not asked about it yet. */
static void holder_died(struct intent *intent, uint64_t object)
{
    object_drop(intent, &((struct spawn_data *)arena_at(object))->args);
}

const struct object_type spawn_data_type = {
    .name = "a spawn data", .links = 1, .links_at = offsetof(struct spawn_data, args), .holder_died = holder_died};

mproc_status spawn_data_create(struct process_slot *slot, uint64_t args, size_t given, struct spawn_data **spawn_data)
{
    struct intent *intent = work_intent();
    uint64_t size = sizeof **spawn_data + given * sizeof(struct spawn_given);
    mproc_status status;

    if ((status = block_take(intent, size, size, &slot->spawn_data)) != MPROC_OK) return status;
    *spawn_data = (struct spawn_data *)arena_at(atomic_load(&slot->spawn_data));
    (*spawn_data)->given_count = given;
    object_publish(&slot->spawn_data, OBJECT_SPAWN_DATA);
    if (args) object_refer(intent, args, &(*spawn_data)->args, OBJECT_GIVEN);
    return MPROC_OK;
}

void spawn_data_return(struct spawn_data *spawn_data, mproc_status status, const char *text)
{
    size_t size = strlen(text);

    if (size >= sizeof spawn_data->text) size = text_utf8_bytes(text, sizeof spawn_data->text - 1);
    memcpy(spawn_data->text, text, size);
    spawn_data->text[size] = 0;
    atomic_store(&spawn_data->returned, (uint32_t)status + 1);
}

void spawn_data_free(struct process_slot *slot)
{
    object_drop(work_intent(), &slot->spawn_data);
}
