/* Makes and frees birth letters. */
#include "process/letter.h"

mproc_status letter_create(struct process_slot *slot, size_t args_size, struct letter **letter)
{
    struct hand *hand = &thread_self.slot->hands[HAND_WORK];
    mproc_status status;

    status = block_take(hand, sizeof **letter + args_size, sizeof **letter, &slot->letter);
    if (status != MPROC_OK) return status;
    *letter = (struct letter *)arena_at(atomic_load(&slot->letter));
    (*letter)->args_size = args_size;
    return MPROC_OK;
}

void letter_free(struct process_slot *slot)
{
    object_drop(&thread_self.slot->hands[HAND_WORK], &slot->letter);
}
