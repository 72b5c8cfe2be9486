/* Whether the items of a list are whole: what only the library's own tests can see. */
#ifndef KILL_ITEMS_SOUND_H
#define KILL_ITEMS_SOUND_H

#include "container/list.h"

/*
 * Looks at all that is reachable while nobody changes the list: each element has a cell, which is what it can be, and
 * the body drops them all when it ends. Returns NULL, or what is wrong.
 */
const char *items_sound(const mproc_list *list);

#endif
