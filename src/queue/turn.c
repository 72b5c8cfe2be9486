/* Waiting for an end of a queue to move: spin, yield, sleep. */
#include "queue/turn.h"

#include <limits.h>

#include "arena/park.h"
#include "process/arguments.h"
#include "process/family.h"
#include "queue/segment.h"

/* At most so many pauses, of which the number between two looks doubles up to the second. */
#define PAUSES_MAX 200u
#define PAUSES_MIN 8u
#define STEP_MIN 4u
#define STEP_MAX 64u
#define YIELDS 10

/* The end that has to move, and the one that waits for it. */
static struct queue_end *mover(const struct turn *turn)
{
    struct queue_ends *ends = queue_ends(turn->queue);

    return turn->for_items ? &ends->put : &ends->get;
}

static struct queue_end *waiter(const struct turn *turn)
{
    struct queue_ends *ends = queue_ends(turn->queue);

    return turn->for_items ? &ends->get : &ends->put;
}

/* How many items there are to get, or places to put one. */
static uint32_t ready(const struct turn *turn)
{
    const struct queue *queue = turn->queue;
    struct queue_ends *ends = queue_ends(queue);
    uint32_t size = queue_size(queue);
    uint64_t bytes;

    if (turn->for_items) return size;
    if (queue->most_bytes) {
        bytes = atomic_load(&ends->got_bytes);
        bytes = atomic_load(&ends->put_bytes) - bytes;
        if (bytes + turn->size > queue->most_bytes) return 0;
    }
    return size < queue->most ? queue->most - size : 0;
}

/*
 * Each look takes the line of the other end from whoever moves it. So a look that finds several items waits longer
 * the next time; one that finds one waits shorter.
 */
static void adapt_step(struct queue_end *end, uint32_t step, uint32_t found)
{
    if (found > 1 && step < STEP_MAX) step *= 2;
    else if (found == 1 && step > STEP_MIN) step /= 2;
    atomic_store_explicit(&end->step, step, memory_order_relaxed);
}

static bool pause_until_ready(const struct turn *turn, uint32_t pauses)
{
    struct queue_end *end = waiter(turn);
    uint32_t step = atomic_load_explicit(&end->step, memory_order_relaxed), now, found;

    if (step < STEP_MIN) step = STEP_MIN;
    now = step;
    for (uint32_t paused = 0; paused < pauses; paused += now) {
        for (uint32_t i = 0; i < now; i++) plat_thread_pause();
        if ((found = ready(turn)) > 0) {
            adapt_step(end, step, found);
            return true;
        }
        if (now < STEP_MAX / 2) now *= 2;
    }
    return false;
}

/* Pauses that help become more, up to a limit, and those that do not fewer: two on one CPU only lose time by them. */
static bool spin(const struct turn *turn)
{
    struct queue_end *end = waiter(turn);
    uint32_t fewer = atomic_load_explicit(&end->fewer, memory_order_relaxed);
    uint32_t pauses = PAUSES_MAX - fewer;

    if (arena_header->cpus > 1 && pause_until_ready(turn, pauses)) {
        if (fewer > 0) atomic_store_explicit(&end->fewer, fewer - fewer / 8 - 1, memory_order_relaxed);
        return true;
    }
    if (pauses > PAUSES_MIN) atomic_store_explicit(&end->fewer, fewer + pauses / 8, memory_order_relaxed);
    for (int i = 0; i < YIELDS; i++) {
        plat_thread_yield();
        if (ready(turn) > 0) return true;
    }
    return false;
}

/*
 * Takes up to `count` registrations and wakes as many, and those who watch. Returns whether there were more
 * registrations than sleepers.
 */
static bool wake_some(struct queue_end *end, uint32_t count)
{
    uint64_t seen = atomic_load(&end->turn), next;
    uint32_t sleepers, taken;
    int woken;

    do {
        if (seen >> 32 == 0) return false;
        sleepers = turn_sleepers(seen);
        taken = sleepers < count ? sleepers : count;
        next = (uint64_t)(sleepers - taken) << 32 | ((uint32_t)seen + 1);
    } while (!atomic_compare_exchange_weak(&end->turn, &seen, next));
    woken = park_wake(turn_wakes(end), taken > INT32_MAX ? INT32_MAX : (int)taken);
    return woken < INT32_MAX && (uint32_t)woken < taken && sleepers > taken;
}

/*
 * Those who have given up may have left their registrations. Where fewer slept than were registered, nobody does any
 * more, and all are taken: whoever has registered meanwhile sees that `wakes` has changed, and registers again.
 */
void turn_wake_slow(struct queue_end *end, uint32_t count)
{
    if (wake_some(end, count)) wake_some(end, UINT32_MAX);
}

void turn_end_sleep(struct queue_end *end)
{
    atomic_fetch_add(turn_wakes(end), 1);
    park_wake(turn_wakes(end), INT_MAX);
}

/*
 * What others wait for may come to us by a registration that is taken from us; until we have used it, the word stands
 * in an intent of our slot that nothing else uses meanwhile: if we end, recovery wakes the others.
 */
static void announce(struct intent *intent, const struct queue *queue, struct queue_end *end)
{
    uint64_t object = arena_offset(queue);

    atomic_store_explicit(&intent->object, object, memory_order_relaxed);
    atomic_store_explicit(&intent->kind, atomic_load(&block_header_of(object)->kind), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    intent_will_wake(intent, turn_wakes(end));
}

static void enter(struct turn *turn)
{
    struct queue_end *end = mover(turn);

    if (turn->registered && (uint32_t)atomic_load(&end->turn) == turn->wakes) return;
    announce(&thread_self.slot->intents[INTENT_NESTED], turn->queue, end);
    turn->wakes = (uint32_t)atomic_fetch_add(&end->turn, (uint64_t)1 << 32);
    turn->registered = true;
}

/* A registration that nobody has taken is ours to take back; of others it cannot be told whose it was. */
void turn_end_slow(struct turn *turn, bool unused)
{
    struct queue_end *end = mover(turn);
    uint64_t seen;

    if (unused) turn_wake(end, 1);
    seen = atomic_load(&end->turn);
    while (turn->registered && (uint32_t)seen == turn->wakes &&
           !atomic_compare_exchange_weak(&end->turn, &seen, seen - ((uint64_t)1 << 32))) {
    }
    intent_has_woken(&thread_self.slot->intents[INTENT_NESTED]);
    wait_end(&turn->wait);
}

/*
 * Whether only this process is left of several, which has never done by the reference what the bit says. It holds the
 * queue by the reference, by that one's account, and by the arguments that it was started with.
 */
bool turn_is_alone(const struct reference *reference, uint32_t bit)
{
    uint64_t arguments = family.spawn_data ? atomic_load(&family.spawn_data->args) : 0;
    uint32_t own = 1 + (atomic_load(&reference->own) != NULL);

    if (atomic_load(&reference->noted) & bit) return false;
    return object_is_left(reference->at, own + arguments_count(arguments, reference->ref.offset));
}

static mproc_status why(const struct turn *turn, const struct reference *reference, mproc_status status)
{
    const char *what = turn->for_items ? "the queue was empty" : "the queue was full";

    if (status == MPROC_TIMEOUT) return wait_timed_out(&turn->wait, what);
    if (status == MPROC_OK && turn->for_items && turn_is_alone(reference, QUEUE_HAS_PUT) && ready(turn) == 0)
        return mproc_error(MPROC_PEER_DIED, "the queue is empty, and all other processes that had it have ended or "
                                            "freed it: nobody is left who puts");
    return status;
}

/*
 * A wake-up has taken a registration; if it has come to us in another's place, as to a thread of a higher priority,
 * ours is that one's now. So we have none, whoever's it was. One that is too many goes with the next wake-up. Who has
 * only slept for long has kept it.
 */
static mproc_status sleep(struct turn *turn)
{
    struct wait wait = turn->wait;
    int64_t poll_ns = plat_clock_now_ns() + WAIT_SLEEP_MAX_NS;
    mproc_status status;

    if (wait.deadline_ns > poll_ns) wait.deadline_ns = poll_ns;
    status = wait_sleep(&wait, turn_wakes(mover(turn)), turn->wakes);
    if (status == MPROC_OK) turn->registered = false;
    return status == MPROC_TIMEOUT && wait.deadline_ns < turn->wait.deadline_ns ? MPROC_OK : status;
}

/* Of a queue without a limit nobody who gets wakes who puts. */
static mproc_status refuse_more(void)
{
    return mproc_error(MPROC_LIMIT,
                       "the queue has %lld items, the most that one without a limit can have: with a "
                       "maxsize, who puts waits until some were got",
                       (long long)QUEUE_UNBOUNDED);
}

mproc_status turn_wait(struct turn *turn, struct reference *reference, int64_t timeout_ms)
{
    mproc_status status;

    if (!turn->for_items && !queue_is_bounded(turn->queue)) return refuse_more();
    if (timeout_ms == 0 && turn->for_items) segment_rest(turn->queue);
    if (timeout_ms == 0) return wait_tried(turn->for_items ? "the queue is empty" : "the queue is full");
    if (!turn->begun) {
        if ((status = wait_begin(&turn->wait, reference, timeout_ms)) != MPROC_OK) return status;
        turn->begun = true;
        turn->registered = false;
    }
    if (spin(turn)) return MPROC_OK;
    if (turn->for_items) segment_rest(turn->queue);
    enter(turn);
    if (ready(turn) > 0) return MPROC_OK;
    if ((status = why(turn, reference, MPROC_OK)) != MPROC_OK) return status;
    return why(turn, reference, sleep(turn));
}

/* ---- together with other things ------------------------------------------------------------------ */

static mproc_status look(void *thing, plat_handle *handle)
{
    const mproc_queue *queue = thing;
    const struct reference *reference = &queue->reference;
    const struct queue *at = queue_of(queue);
    mproc_status status;

    if ((status = family_enter_with(reference->arena)) != MPROC_OK) return status;
    *handle = PLAT_NO_HANDLE;
    if (queue_size(at) > 0 || atomic_load(&reference->closed)) return MPROC_OK;
    return turn_is_alone(reference, QUEUE_HAS_PUT) ? MPROC_OK : MPROC_TIMEOUT;
}

/* Whoever puts takes the mark away. */
static mproc_status watch(void *thing)
{
    struct queue_end *end = &queue_ends(queue_of(thing))->put;

    park_watch(turn_wakes(end));
    if (!(atomic_load(&end->turn) & TURN_WATCHED)) atomic_fetch_or(&end->turn, TURN_WATCHED);
    return MPROC_OK;
}

const struct waitable queue_waitable = {.name = "a queue", .look = look, .announce = watch};
