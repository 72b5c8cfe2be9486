/*
 * What the scenarios of queues share: a queue of the root, of which the victim and the peers have references of their
 * own, and items that say who has put them.
 */
#ifndef KILL_STEPS_QUEUE_H
#define KILL_STEPS_QUEUE_H

#include "test_family.h"
#include "steps.h"

#include "queue/queue.h"

/* Items that the root has put before count from here, those of the victim from there. */
#define ROOTS 1000
#define VICTIMS 500
/* What the root and the peers put later. */
#define LATER 700
#define PEERS 600

#define SMALL 64
#define MIDDLE 500
#define BIG 4000 /* has no room in the first segments */
#define LARGE (QUEUE_INLINE_MAX + 8)
#define BATCH 6

struct test_queue_item {
    uint64_t number;
    unsigned char filled[LARGE - sizeof(uint64_t)];
};

extern mproc_queue *test_queue;
extern mproc_queue *test_queue_mine; /* the process' own reference */
extern struct test_queue_item test_queue_buffer;

/* The root has put so many items before the victim began, and has got so many of them. */
extern uint64_t test_queue_had, test_queue_taken;

/* Of this number, or whose number is returned; 0: what was got is not what was put. */
void test_queue_put(mproc_queue *to, uint64_t number, size_t size);
uint64_t test_queue_get(mproc_queue *from, size_t *size);

/* For the set-up, by the root. */
void test_queue_begin(void *state, const mproc_queue_options *options);
void test_queue_begin_empty(void *state);
void test_queue_put_before(size_t size);
void test_queue_get_before(void);

/* For victims and peers. */
void test_queue_open(void);
void test_queue_enter(void *state);
void test_queue_say(void *state, uint32_t what);
void test_queue_put_one(void *state);
void test_queue_put_batch(void *state);
void test_queue_get_one(void *state);
void test_queue_commit_one(void *state);
void test_queue_peek_one(void *state);
void test_queue_free_mine(void *state);

/* The number of items, and their bytes, as the counters say. */
int64_t test_queue_counted(int64_t *bytes);
const char *test_queue_check_counted(int64_t items, int64_t bytes);

/* Drops the queue, after which nothing of it is left. */
const char *test_queue_check_end(void *state, bool completed);

#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .sparse = true

#endif
