/* The one wait. */
#include "object/wait.h"

#include "arena/liveness.h"
#include "object/interrupt.h"

#define MS_NS ((int64_t)1000000)
/* Waits lead to others only by functions of the program: the action of a barrier, the predicate of a condition. */
#define WAITS_NOTED 8
/*
 * How long one sleeps before it asks whether the owner lives: at first, while it is the one who asks, and while
 * another asks. Deaths are normally recovered long before. Thousands may wait for one lock, so the others sleep long.
 */
#define ASK_FIRST_NS (5 * MS_NS)
#define ASK_NS (100 * MS_NS)
#define ASK_OTHERS_NS (2 * WAIT_SLEEP_MAX_NS)

mproc_status wait_on(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    int64_t poll_ns = plat_clock_now_ns() + WAIT_SLEEP_MAX_NS;
    bool last = deadline_ns <= poll_ns;

    if (park_wait(word, expected, last ? deadline_ns : poll_ns) != MPROC_TIMEOUT) return MPROC_OK;
    liveness.poll();
    return last ? MPROC_TIMEOUT : MPROC_OK;
}

mproc_status timeout_refuse(int64_t timeout_ms)
{
    return mproc_error(MPROC_INVALID,
                       "a time limit of %lld ms: MPROC_FOREVER waits without a limit, and 0 tries without waiting",
                       (long long)timeout_ms);
}

mproc_status deadline_from_timeout(int64_t timeout_ms, int64_t *deadline_ns)
{
    int64_t now_ns;

    if (timeout_ms < 0) return timeout_refuse(timeout_ms);
    *deadline_ns = timeout_ms == MPROC_FOREVER ? PLAT_FOREVER : 0;
    if (timeout_ms == MPROC_FOREVER || timeout_ms == 0) return MPROC_OK;
    now_ns = plat_clock_now_ns();
    *deadline_ns = timeout_ms > (PLAT_FOREVER - now_ns) / MS_NS ? PLAT_FOREVER : now_ns + timeout_ms * MS_NS;
    return MPROC_OK;
}

/* This thread's waits, one inside the other: the innermost last. Without a place they are only counted. */
static THREAD_LOCAL struct {
    uint32_t count;
    struct reference *references[WAITS_NOTED];
} waits;

static void enter(struct reference *reference)
{
    atomic_fetch_add(&reference->sleepers, 1);
    if (waits.count < WAITS_NOTED) waits.references[waits.count] = reference;
    waits.count++;
}

static void leave(struct reference *reference)
{
    waits.count--;
    atomic_fetch_sub(&reference->sleepers, 1);
}

mproc_status wait_begin(struct wait *wait, struct reference *reference, int64_t timeout_ms)
{
    mproc_status status;

    *wait = (struct wait){.reference = reference, .timeout_ms = timeout_ms, .ask_ns = ASK_FIRST_NS};
    if ((status = deadline_from_timeout(timeout_ms, &wait->deadline_ns)) != MPROC_OK) return status;
    if (reference) enter(reference);
    return MPROC_OK;
}

void wait_end(const struct wait *wait)
{
    if (wait->reference) leave(wait->reference);
}

uint32_t wait_own(const struct reference *reference)
{
    uint32_t own = 0;

    for (uint32_t i = 0; i < waits.count && i < WAITS_NOTED; i++) own += waits.references[i] == reference;
    return own;
}

void wait_thread_ends(void)
{
    if (waits.count > WAITS_NOTED) waits.count = WAITS_NOTED;
    while (waits.count > 0) leave(waits.references[waits.count - 1]);
}

mproc_status wait_why(const struct wait *wait)
{
    if (wait->reference && atomic_load(&wait->reference->closed))
        return mproc_error(MPROC_CLOSED,
                           "this process has closed or freed the object, and nobody waits for it any more");
    return !wait->stays && interrupt_take() ? interrupt_status() : MPROC_OK;
}

int64_t wait_left_ms(const struct wait *wait)
{
    int64_t now_ns;

    if (wait->deadline_ns == PLAT_FOREVER || wait->deadline_ns == 0) return wait->timeout_ms;
    now_ns = plat_clock_now_ns();
    return now_ns < wait->deadline_ns ? (wait->deadline_ns - now_ns + MS_NS - 1) / MS_NS : 0;
}

mproc_status wait_timed_out(const struct wait *wait, const char *what)
{
    return mproc_error(MPROC_TIMEOUT, "%s within %lld ms", what, (long long)wait->timeout_ms);
}

mproc_status wait_tried(const char *what)
{
    liveness.poll();
    return mproc_error(MPROC_TIMEOUT, "%s", what);
}

mproc_status wait_sleep(const struct wait *wait, _Atomic uint32_t *word, uint32_t expected)
{
    mproc_status status = wait_why(wait);

    return status == MPROC_OK ? wait_on(word, expected, wait->deadline_ns) : status;
}

/* A time that is too far ahead is that of a process with another clock. */
bool wait_ask(uint32_t owner, _Atomic int64_t *asked_ns)
{
    int64_t now_ns = plat_clock_now_ns(), seen = atomic_load_explicit(asked_ns, memory_order_relaxed);

    if (seen != 0 && now_ns >= seen && now_ns - seen < ASK_NS) return false;
    if (!atomic_compare_exchange_strong(asked_ns, &seen, now_ns)) return false;
    liveness.owner(owner);
    return true;
}

mproc_status wait_sleep_for(struct wait *wait, _Atomic uint32_t *word, uint32_t expected, uint32_t owner,
                            _Atomic int64_t *asked_ns)
{
    int64_t until_ns = plat_clock_now_ns() + wait->ask_ns;
    bool last = wait->deadline_ns <= until_ns, asked;
    mproc_status status = wait_why(wait);

    if (status != MPROC_OK) return status;
    if (park_wait(word, expected, last ? wait->deadline_ns : until_ns) != MPROC_TIMEOUT) return MPROC_OK;
    liveness.poll();
    asked = wait_ask(owner, asked_ns);
    if (!asked) wait->ask_ns = ASK_OTHERS_NS;
    else wait->ask_ns = wait->ask_ns < ASK_NS / 2 ? 2 * wait->ask_ns : ASK_NS;
    return last && !asked ? MPROC_TIMEOUT : MPROC_OK;
}
