/* Whether the table of a container is whole: what only the library's own tests can see. */
#ifndef KILL_TABLE_SOUND_H
#define KILL_TABLE_SOUND_H

#include "container/dict.h"

/*
 * Looks at all that is reachable, and at what is free, while nobody changes the dict: each key is found, and in
 * order; counts are right; no two of records, buckets and free records overlap. Returns NULL, or what is wrong.
 */
const char *table_sound(const mproc_dict *dict);

#endif
