/*
 * Waiting for others, who may die: no sleep is longer than two seconds. Whoever has not been woken in time looks for
 * the ends of orphans, of which nobody is told.
 */
#ifndef MPROC_OBJECT_WAIT_H
#define MPROC_OBJECT_WAIT_H

#include "arena/park.h"

#define WAIT_SLEEP_MAX_NS ((int64_t)2000000000)

/* As park_wait(): sleeps while `*word` is `expected`. May return MPROC_OK for no reason. MPROC_TIMEOUT. */
mproc_status wait_on(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns);

#endif
