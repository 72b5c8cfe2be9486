/*
 * Waiting for an end of a queue to move. Whoever moves it takes the registrations of as many sleepers as may go on.
 */
#ifndef MPROC_QUEUE_TURN_H
#define MPROC_QUEUE_TURN_H

#include "object/wait.h"
#include "queue/queue.h"

/* A thread's own, on its stack, from its first failed try on. */
struct turn {
    struct wait wait;
    struct queue *queue;
    uint64_t size;  /* of the item that has no room */
    bool for_items; /* or for room */
    bool begun;
    bool registered; /* among the sleepers, unless `wakes` has changed */
    uint32_t wakes;
};

/* Nothing more is set before it comes to wait: that costs more than a part of the usual path. */
static inline void turn_init(struct turn *turn, struct queue *queue, uint64_t size, bool for_items)
{
    turn->queue = queue;
    turn->size = size;
    turn->for_items = for_items;
    turn->begun = false;
}

/*
 * After a try that found no item, or no room: waits until another is worth while. MPROC_TIMEOUT, MPROC_CLOSED,
 * MPROC_INTERRUPTED; MPROC_PEER_DIED: there is no item, and nobody else who could put one; MPROC_LIMIT: the numbers
 * of items end here. With their texts.
 */
mproc_status turn_wait(struct turn *turn, struct reference *reference, int64_t timeout_ms);

/* Whether of several processes only this one is left, and has never done what the bit (enum queue_noted) says. */
bool turn_is_alone(const struct reference *reference, uint32_t bit);

void turn_end_slow(struct turn *turn, bool unused);

/*
 * After the last try, whether it came to wait or not. `unused`: what it has waited for may be there, and it leaves it
 * to another.
 */
static inline void turn_end(struct turn *turn, bool unused)
{
    if (turn->begun) turn_end_slow(turn, unused);
}

#define TURN_WATCHED ((uint64_t)1 << 63)

static inline uint32_t turn_sleepers(uint64_t turn)
{
    return (uint32_t)((turn & ~TURN_WATCHED) >> 32);
}

/* Every system that the library knows stores the lower half first. */
static inline _Atomic uint32_t *turn_wakes(struct queue_end *end)
{
    return (_Atomic uint32_t *)(void *)&end->turn;
}

/* Whoever sleeps until the end moves looks again at what there is. The registrations stay: we may be killed here. */
void turn_end_sleep(struct queue_end *end);

void turn_wake_slow(struct queue_end *end, uint32_t count);

/* After the end was moved and its lock released, which is a fence: up to `count` sleepers go on. */
static inline void turn_wake(struct queue_end *end, uint32_t count)
{
    if (atomic_load(&end->turn) >> 32) turn_wake_slow(end, count);
}

#endif
