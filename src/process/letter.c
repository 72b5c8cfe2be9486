/* Makes and frees birth letters. */
#include "process/letter.h"

#include <string.h>

#include "base/text.h"

const struct object_type letter_type = {
    .name = "a birth letter", .links = 1, .links_at = offsetof(struct letter, args)};

mproc_status letter_create(struct process_slot *slot, uint64_t args, struct letter **letter)
{
    struct intent *intent = work_intent();
    mproc_status status;

    if ((status = block_take(intent, sizeof **letter, sizeof **letter, &slot->letter)) != MPROC_OK) return status;
    *letter = (struct letter *)arena_at(atomic_load(&slot->letter));
    object_publish(&slot->letter, OBJECT_LETTER);
    if (args) object_refer(intent, args, &(*letter)->args);
    return MPROC_OK;
}

void letter_return(struct letter *letter, mproc_status status, const char *text)
{
    size_t size = strlen(text);

    if (size >= sizeof letter->text) size = text_utf8_bytes(text, sizeof letter->text - 1);
    memcpy(letter->text, text, size);
    letter->text[size] = 0;
    atomic_store(&letter->returned, (uint32_t)status + 1);
}

void letter_free(struct process_slot *slot)
{
    object_drop(work_intent(), &slot->letter);
}
