/* What the scenarios of small blocks and of extents share. */
#ifndef KILL_STEPS_BLOCK_H
#define KILL_STEPS_BLOCK_H

#include <stdint.h>

/* An owned slot of the process itself: where its spawn data hangs, which is given back when its slot is freed. */
_Atomic uint64_t *block_steps_slot(void);

/* Takes a clear block by the intent of the test family, or ends the program. */
void block_steps_take(uint64_t size, _Atomic uint64_t *owned);

/* Gives back what is in the process' own owned slot. */
void block_steps_give(void *state);

/* Another takes one, finds it clear, and gives it back. Returns what is wrong, or NULL. */
const char *block_steps_check(uint64_t size);

#endif
