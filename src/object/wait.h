/*
 * The one wait: what every call does that has a time limit. It makes a deadline of the limit, keeps the reference
 * alive meanwhile, and says why it ended: time, interrupt, or the object was freed. A caller looks at what it waits
 * for, announces itself there, and sleeps on the word that changes:
 *
 *     while (!ready(&seen)) {
 *         if (!announced(&seen)) continue;
 *         if ((status = wait_sleep(&wait, word, seen)) != MPROC_OK) break;
 *     }
 */
#ifndef MPROC_OBJECT_WAIT_H
#define MPROC_OBJECT_WAIT_H

#include "arena/park.h"
#include "object/reference.h"

/*
 * Whoever has not been woken for so long looks for the ends of orphans, of which nobody is told. Those who wait for a
 * lock for which others wait as well sleep up to twice as long.
 */
#define WAIT_SLEEP_MAX_NS ((int64_t)2000000000)

/*
 * As park_wait(): sleeps while `*word` is `expected`. May return MPROC_OK for no reason. MPROC_TIMEOUT, without a
 * text. For waits of the library itself, which nothing ends.
 */
mproc_status wait_on(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns);

/* A thread's own, on its stack. `ask_ns` is for who waits for an owner: how long it sleeps before it asks. */
struct wait {
    struct reference *reference; /* by which it waits, or NULL */
    int64_t timeout_ms;
    int64_t deadline_ns;
    int64_t ask_ns;
    bool stays; /* interrupts do not end it */
};

/* MPROC_INVALID with its text: a time limit below 0. */
mproc_status timeout_refuse(int64_t timeout_ms);

/* Checks a time limit of the public headers; done for every call, whether it comes to wait or not. */
static inline mproc_status timeout_check(int64_t timeout_ms)
{
    return timeout_ms < 0 ? timeout_refuse(timeout_ms) : MPROC_OK;
}

/* Makes a deadline of a time limit: PLAT_FOREVER without one, 0 for a try. MPROC_INVALID: it is below 0. */
mproc_status deadline_from_timeout(int64_t timeout_ms, int64_t *deadline_ns);

/* Begins a wait by the reference, which stays until wait_end(). MPROC_INVALID: nothing is to be ended. */
mproc_status wait_begin(struct wait *wait, struct reference *reference, int64_t timeout_ms);
void wait_end(const struct wait *wait);

/* How many waits by the reference this thread is in: in a function of the program that a wait calls. */
uint32_t wait_own(const struct reference *reference);

/* The calling thread ends, perhaps in the middle of waits: they keep no reference any longer. */
void wait_thread_ends(void);

/* Why a wait that goes on should end: MPROC_CLOSED, MPROC_INTERRUPTED, or MPROC_OK. */
mproc_status wait_why(const struct wait *wait);

/* What is left of its time limit, in whole milliseconds: for a wait that follows. */
int64_t wait_left_ms(const struct wait *wait);

/* MPROC_TIMEOUT with its text: `what`, such as "the event was not set", within the time limit. */
mproc_status wait_timed_out(const struct wait *wait, const char *what);

/*
 * The same for a call with a time limit of 0 that has found nothing, with the text `what`. Who only ever tries looks
 * for the ends of orphans here, as those who sleep do when they wake.
 */
mproc_status wait_tried(const char *what);

/*
 * Sleeps while `*word` is `expected`. MPROC_OK, also for no reason: look again; otherwise why the wait ended, of
 * which MPROC_TIMEOUT is without a text.
 */
mproc_status wait_sleep(const struct wait *wait, _Atomic uint32_t *word, uint32_t expected);

/*
 * The same, on what the thread with the owner id `owner` has: asks from time to time whether that lives, and recovers
 * it if not, which changes the word. `*asked_ns` is when somebody asked last: of all who wait one asks for the
 * others.
 */
mproc_status wait_sleep_for(struct wait *wait, _Atomic uint32_t *word, uint32_t expected, uint32_t owner,
                            _Atomic int64_t *asked_ns);

/* After a try that failed: asks at the same rate. True: it has, so another look is worth while. */
bool wait_ask(uint32_t owner, _Atomic int64_t *asked_ns);

#endif
