/* Waiting until all items are done. */
#ifndef MPROC_QUEUE_JOIN_H
#define MPROC_QUEUE_JOIN_H

#include "queue/queue.h"

/* Those who wait look again. */
void join_end_sleep(struct queue *queue);

#endif
