/* Processes that hold leases, and end. */
#ifndef HOLDERS_H
#define HOLDERS_H

#include "queue/queues.h"

/* What a peer's `extra` says: how it ends, how many items it gets before, and how many of these it does. */
static inline int64_t orders(int how, int gets, int does)
{
    return how | gets << 8 | does << 16;
}

static inline void get_and_do(const peer *self)
{
    int gets = (int)(self->extra >> 8 & 0xFF), does = (int)(self->extra >> 16);

    for (int i = 0; i < gets; i++) {
        mproc_value value;
        CHECK_OK(mproc_queue_get(self->object, &value, check_limit_ms()));
        mproc_value_clear(&value);
    }
    for (int i = 0; i < does; i++) CHECK_OK(mproc_queue_task_done(self->object));
}

static inline void holds_some(peer *self)
{
    peer ends = *self;

    get_and_do(self);
    ends.extra &= 0xFF;
    peer_end(&ends);
}

/* Starts a process that gets so many, and waits until it has them. */
static inline void hold(peer_crowd *crowd, mproc_queue *queue, int how, int gets, int does)
{
    uint32_t ready = atomic_load(&crowd->board->ready) + 1;

    crowd->extra = orders(how, gets, does);
    crowd_add(crowd, 1, holds_some, queue);
    board_await(&crowd->board->ready, ready);
}

/* Lets all end that are there, as they were told. */
static inline void let_end(peer_crowd *crowd, int how)
{
    for (int i = 0; i < crowd->members && how == PEER_IS_KILLED; i++) crowd_kill(crowd, i);
    atomic_store(&crowd->board->go, 1);
    crowd_join(crowd);
    atomic_store(&crowd->board->go, 0);
}

static inline void put_numbers(mproc_queue *queue, int first, int last)
{
    for (int i = first; i <= last; i++) queues_put_int(queue, i);
}

/* The next item is this one, and was given so often before. It is done. */
static inline void check_next(mproc_queue *queue, int64_t number, int64_t before)
{
    CHECK_EQ(queues_get_int(queue), number);
    CHECK_EQ(mproc_queue_redelivered(queue), before);
    CHECK_OK(mproc_queue_task_done(queue));
}

#endif
