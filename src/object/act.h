/*
 * Functions of the program that run for an object, as a barrier's action does: they may do anything, also end their
 * thread. So the thread says in its slot what it does for whom; its end, or its death, is then told to the object's
 * type, as that of one who waits for it. Such functions may lead to others: all of them are told.
 */
#ifndef MPROC_OBJECT_ACT_H
#define MPROC_OBJECT_ACT_H

#include "arena/slot.h"

/* `number` is for the object's type. Returns false, with nothing changed, if too many run inside each other. */
bool act_begin(uint64_t object, uint32_t number);

/* Of the innermost. */
void act_end(void);

#endif
