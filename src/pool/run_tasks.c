/* Tasks, as a worker sees them. */
#include "pool/run_tasks.h"

#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "base/text.h"
#include "object/parcel.h"
#include "pool/bell.h"
#include "process/arguments.h"

/* Of a task that has failed. */
#define TEXT_BYTES 1024

/* Tasks that take less are reserved in ranges, and one by one if they take more. */
#define SHORT_NS ((int64_t)3000)
#define LONG_NS ((int64_t)20000)
/* After so many ranges of short tasks the worker looks whether another is stuck. */
#define LOOK_RANGES 16
/* So many short tasks are left to the workers that are awake. */
#define BACKLOG 64

/* A task in hand. */
struct hand {
    struct task_segment *segment;
    struct task_slot *slot;
    uint64_t position;
};

/* ---- looking ------------------------------------------------------------------------------------ */

/* False: nothing of that position is there, or nothing any more. */
static bool find(const struct pool_stream *stream, uint64_t position, struct hand *hand)
{
    hand->segment = stream_segment_at(stream, position / TASK_SEGMENT);
    if (!hand->segment) return false;
    hand->slot = &hand->segment->slots[position % TASK_SEGMENT];
    hand->position = position;
    return true;
}

static enum task_state state_at(const struct pool_stream *stream, uint64_t position)
{
    struct hand hand;

    if (!find(stream, position, &hand)) return TASK_EMPTY;
    return task_state_of(atomic_load_explicit(&hand.slot->word, memory_order_acquire), position);
}

static bool is_ready(const struct pool_stream *stream, uint64_t position)
{
    return state_at(stream, position) == TASK_READY;
}

/*
 * At the head no task waits to be begun: true if it was moved on, over one that is begun or over, or a segment that
 * was left out, or if somebody else has moved it. A worker that is killed before it moves the head over its range
 * leaves it at tasks that others take out of the range.
 */
static bool pass_over(struct pool_stream *stream, uint64_t *head)
{
    uint64_t number = *head / TASK_SEGMENT, now = atomic_load(&stream->head), next;

    if (now == *head) {
        if (state_at(stream, *head) > TASK_READY) next = *head + 1;
        else if (atomic_load(&stream_entry_at(stream, number)->skipped) > number) next = (number + 1) * TASK_SEGMENT;
        else return false;
        if (atomic_compare_exchange_strong(&stream->head, &now, next)) now = next;
    }
    *head = now;
    return true;
}

/* How many tasks are ready from this position on, as far as they are looked for. */
static uint32_t ready_from(const struct pool_stream *stream, uint64_t position, uint32_t most)
{
    if (!is_ready(stream, position)) return 0;
    if (most > 1 && !is_ready(stream, position + 1)) return 1;
    while (most > 1 && !is_ready(stream, position + most - 1)) most /= 2;
    return most;
}

/* A task that the worker has reserved, of this place, and that nobody has begun: the last of them. */
static bool find_reserved(const struct pool_worker *part, uint32_t place, const struct pool_stream *stream,
                          uint64_t *position)
{
    uint64_t from, to;

    if (atomic_load(&part->range_job) != place + 1) return false;
    from = atomic_load(&part->range_from);
    to = atomic_load(&part->range_to);
    if (to < from || to - from > TASK_RANGE) return false; /* it was just written */
    for (*position = to; *position > from;)
        if (is_ready(stream, --*position)) return true;
    return false;
}

static bool find_reserved_by_any(const struct task_runner *runner, uint32_t place, const struct pool_stream *stream,
                                 uint64_t *position)
{
    struct pool_shared *shared = runner->worker->shared;

    for (uint32_t i = 0; i < shared->workers; i++)
        if (find_reserved(pool_worker_at(shared, (runner->worker->index + i) % shared->workers), place, stream,
                          position))
            return true;
    return false;
}

bool is_task_ready(const struct pool_job *job)
{
    return is_ready(&job->stream, atomic_load_explicit(&job->stream.head, memory_order_relaxed));
}

bool has_tasks(const struct task_runner *runner, uint32_t place, struct pool_job *job)
{
    uint64_t position = atomic_load(&job->stream.head);

    while (!is_ready(&job->stream, position))
        if (!pass_over(&job->stream, &position)) return find_reserved_by_any(runner, place, &job->stream, &position);
    return true;
}

/* ---- running ------------------------------------------------------------------------------------ */

static mproc_status find_function(struct task_runner *runner, uint32_t index, function_pointer *function)
{
    struct pool_shared *shared = runner->worker->shared;
    const struct pool_function *at;
    mproc_status status = MPROC_OK;

    if (runner->known[index % FUNCTIONS_KNOWN].index == index + 1) {
        *function = runner->known[index % FUNCTIONS_KNOWN].function;
        return MPROC_OK;
    }
    at = (const struct pool_function *)arena_at(atomic_load(&shared->functions[index]));
    if (shared->threads) *function = (function_pointer)(uintptr_t)atomic_load(&at->address);
    else status = function_decode(&at->ref, function);
    if (status != MPROC_OK) return status;
    runner->known[index % FUNCTIONS_KNOWN].index = index + 1;
    runner->known[index % FUNCTIONS_KNOWN].function = *function;
    return MPROC_OK;
}

static mproc_value arguments_of(const struct hand *hand)
{
    if (hand->slot->form == TASK_CELLS) return cell_view((const struct cell *)hand->slot->data);
    if (hand->slot->form == TASK_NOTHING) return mproc_no_args();
    return arguments_view(atomic_load(&hand->segment->arguments[hand->position % TASK_SEGMENT]));
}

/* The worker's own handle of the parcel becomes the segment's. */
static void put_parcel(struct task_runner *runner, const struct hand *hand)
{
    _Atomic uint64_t *owned = runner->result.owned;
    _Atomic uint64_t *link = &hand->segment->results[hand->position % TASK_SEGMENT];

    object_refer(work_intent(), atomic_load(owned), link, OBJECT_GIVEN);
    object_drop(work_intent(), owned);
    hand->slot->form = TASK_PARCEL;
}

/* What has been returned, in the place of the arguments. */
static void put_result(struct task_runner *runner, const struct hand *hand)
{
    const struct call_result *result = &runner->result;

    hand->slot->form = TASK_NOTHING;
    if (!hand->slot->wanted) {
        object_drop(work_intent(), result->owned);
    } else if (atomic_load_explicit(result->owned, memory_order_relaxed)) {
        put_parcel(runner, hand);
    } else if (result->size > 0) {
        hand->slot->form = TASK_CELLS;
        hand->slot->size = (uint8_t)(result->size - ENCODING_ROOT);
        memcpy(hand->slot->data, (const unsigned char *)result->bytes + ENCODING_ROOT, TASK_INLINE);
    }
}

/* Who says it, and what. If there is no memory for a long text, the status alone tells. */
static void put_failure(struct task_runner *runner, const struct hand *hand, mproc_status status)
{
    char text[TEXT_BYTES];
    size_t size;

    snprintf(text, sizeof text, "%s (pid %lld): %s", runner->worker->call.name, (long long)plat_process_id(),
             mproc_error_text(status));
    size = strlen(text) + 1;
    object_drop(work_intent(), runner->result.owned);
    hand->slot->form = TASK_NOTHING;
    hand->slot->function = (uint32_t)status;
    if (!hand->slot->wanted) return;
    if (parcel_create(work_intent(), size, 0, runner->result.owned) != MPROC_OK) return;
    memcpy(parcel_data(parcel_at(atomic_load(runner->result.owned))), text, size);
    put_parcel(runner, hand);
}

static mproc_status call_task(struct task_runner *runner, const struct hand *hand)
{
    struct worker *worker = runner->worker;
    function_pointer function;
    mproc_status status = find_function(runner, hand->slot->function, &function);

    if (status != MPROC_OK) return status;
    error_text_clear(); /* what an earlier task has left is not this one's */
    worker->call.args = arguments_of(hand);
    worker->call.result = &runner->result;
    worker->call.lost = hand->slot->lost;
    status = task_returned(&worker->task, ((mproc_function *)function)(&worker->call));
    worker->call.result = NULL;
    return status;
}

/* Makes the task finished. Returns the word that was there: perhaps its time is up, and nobody wants it any more. */
static uint64_t finish(const struct hand *hand, uint32_t worker, enum task_state state)
{
    uint64_t seen = atomic_load_explicit(&hand->slot->word, memory_order_relaxed), word;

    do {
        if (task_state_of(seen, hand->position) == TASK_LEFT) state = TASK_FAILED;
        word = task_word(hand->position, worker, state);
    } while (!atomic_compare_exchange_weak(&hand->slot->word, &seen, word));
    return seen;
}

/* What the task has opened and printed is done with before anybody sees that it is finished. */
static void run_claimed(struct task_runner *runner, const struct hand *hand)
{
    struct worker *worker = runner->worker;
    mproc_status status;
    uint64_t word;

    runner->result.size = 0;
    if ((status = call_task(runner, hand)) == MPROC_OK) put_result(runner, hand);
    else put_failure(runner, hand, status);
    reference_scope_clear(worker->call.scope);
    if (!worker->shared->threads) task_flush();
    atomic_store_explicit(&worker->part->tasks, atomic_load_explicit(&worker->part->tasks, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    word = finish(hand, worker->index, status == MPROC_OK ? TASK_DONE : TASK_FAILED);
    if (task_bell(word)) bell_tell(worker->shared, task_bell(word));
    worker->tasks_left--;
    /* It is about to be killed, for this task alone. */
    if (task_state_of(word, hand->position) == TASK_LEFT && !worker->shared->threads) worker->tasks_left = 0;
}

/* `at` says what is about to be claimed: if the worker ends, there is no other task that it can have. */
static bool run_at(struct task_runner *runner, uint32_t place, const struct pool_stream *stream, uint64_t position)
{
    struct worker *worker = runner->worker;
    struct pool_worker *part = worker->part;
    struct hand hand;
    uint64_t word, taken;

    if (!find(stream, position, &hand)) return false;
    atomic_store_explicit(&part->request.at, at_work(place, position), memory_order_relaxed);
    word = atomic_load_explicit(&hand.slot->word, memory_order_relaxed);
    do {
        if (task_state_of(word, position) != TASK_READY) return false;
        if (word & TASK_TIMED) atomic_store_explicit(&part->since_ns, plat_clock_now_ns(), memory_order_relaxed);
        taken = task_word(position, worker->index, TASK_TAKEN) | (word & (TASK_BELL_MASK | TASK_TIMED));
    } while (!atomic_compare_exchange_weak(&hand.slot->word, &word, taken));
    run_claimed(runner, &hand);
    return true;
}

/* If the worker may not run all of them, its successor does. */
static void run_range(struct task_runner *runner, uint32_t place, const struct pool_stream *stream, uint64_t from,
                      uint64_t to)
{
    struct pool_worker *part = runner->worker->part;

    for (; from < to && runner->worker->tasks_left > 0; from++) run_at(runner, place, stream, from);
    if (from == to) atomic_store_explicit(&part->range_job, 0, memory_order_relaxed);
    atomic_store_explicit(&part->request.at, 0, memory_order_relaxed);
}

/* The range is written before the head moves over it: its tasks are always between the head and a range. */
static uint32_t reserve(struct task_runner *runner, uint32_t place, struct pool_stream *stream, uint64_t *from)
{
    struct pool_worker *part = runner->worker->part;
    uint32_t most = runner->worker->tasks_left < runner->most ? (uint32_t)runner->worker->tasks_left : runner->most;
    uint32_t count;

    *from = atomic_load(&stream->head);
    do {
        while ((count = ready_from(stream, *from, most)) == 0)
            if (!pass_over(stream, from)) return 0;
        atomic_store_explicit(&part->range_job, 0, memory_order_relaxed);
        atomic_store_explicit(&part->range_from, *from, memory_order_release);
        atomic_store_explicit(&part->range_to, *from + count, memory_order_relaxed);
        atomic_store_explicit(&part->range_job, place + 1, memory_order_release);
    } while (!atomic_compare_exchange_strong(&stream->head, from, *from + count));
    return count;
}

/*
 * A task that another worker has reserved, and seems not to come to: it is where it was when we looked last. It would
 * wait as long as there are others behind it.
 */
static bool find_stuck(struct task_runner *runner, uint32_t place, const struct pool_stream *stream,
                       uint64_t *position)
{
    struct pool_shared *shared = runner->worker->shared;
    uint64_t before = runner->watched_at, at;

    if (before == 0) runner->watched = (runner->watched + 1) % shared->workers;
    if (runner->watched == runner->worker->index) return false;
    at = atomic_load(&pool_worker_at(shared, runner->watched)->request.at);
    runner->watched_at = before == 0 ? at : 0;
    if (before == 0 || at != before) return false;
    if (!find_reserved(pool_worker_at(shared, runner->watched), place, stream, position)) return false;
    runner->watched_at = at; /* there may be more */
    return true;
}

/* How long the tasks take says how many are reserved at a time. */
static void judge(struct task_runner *runner, uint32_t count)
{
    int64_t now_ns = plat_clock_now_ns(), each_ns = (now_ns - runner->since_ns) / count;

    if (runner->since_ns == 0) each_ns = SHORT_NS;
    if (each_ns > LONG_NS) runner->most = 1;
    else if (each_ns < SHORT_NS && runner->most < TASK_RANGE) runner->most *= 2;
    runner->since_ns = now_ns;
}

/* When the next task begins, as nearly as is known without asking the clock. */
static void note_begin(const struct task_runner *runner)
{
    int64_t since_ns = runner->since_ns ? runner->since_ns : runner->worker->now_ns;

    atomic_store_explicit(&runner->worker->part->since_ns, since_ns, memory_order_relaxed);
}

static void run_one(struct task_runner *runner, uint32_t place, const struct pool_stream *stream, uint64_t position)
{
    bell_ring_one(runner->worker->shared, place);
    note_begin(runner);
    run_at(runner, place, stream, position);
    atomic_store_explicit(&runner->worker->part->request.at, 0, memory_order_relaxed);
}

/*
 * Whether more is there than this worker begins now: behind what it has reserved, or, if it comes from its sleep,
 * where others have reserved it: whoever was woken passes it on as long as there is more.
 */
static bool there_is_more(struct task_runner *runner, uint32_t place, const struct pool_stream *stream,
                          uint32_t count, uint64_t next)
{
    struct pool_shared *shared = runner->worker->shared;
    bool fresh = runner->fresh;
    uint64_t position;

    runner->fresh = false;
    if (count > 1 || is_ready(stream, next)) return true;
    for (uint32_t i = 0; fresh && i < shared->workers; i++)
        if (i != runner->worker->index && find_reserved(pool_worker_at(shared, i), place, stream, &position))
            return true;
    return false;
}

bool run_tasks(struct task_runner *runner, uint32_t place, struct pool_job *job)
{
    bool looks = runner->most == 1 || ++runner->ranges % LOOK_RANGES == 0;
    struct pool_stream *stream = &job->stream;
    uint64_t from;
    uint32_t count;

    if (looks && find_stuck(runner, place, stream, &from)) {
        run_one(runner, place, stream, from);
        return true;
    }
    if ((count = reserve(runner, place, stream, &from)) > 0) {
        if (there_is_more(runner, place, stream, count, from + count)) {
            if (is_ready(stream, from + count + BACKLOG)) bell_wake_one(runner->worker->shared);
            else bell_ring_one(runner->worker->shared, place);
        }
        note_begin(runner);
        run_range(runner, place, stream, from, from + count);
        judge(runner, count);
        return true;
    }
    runner->since_ns = 0;
    atomic_store_explicit(&runner->worker->part->range_job, 0, memory_order_relaxed);
    if (!find_reserved_by_any(runner, place, stream, &from)) return false;
    run_one(runner, place, stream, from);
    return true;
}

void run_left_tasks(struct task_runner *runner)
{
    struct pool_worker *part = runner->worker->part;
    uint32_t place = atomic_load(&part->range_job) - 1;
    uint64_t from = atomic_load(&part->range_from), to = atomic_load(&part->range_to);
    struct pool_job *job = place < POOL_JOBS ? pool_job_at(runner->worker->shared, place) : NULL;

    if (job && from < to && to - from <= TASK_RANGE) run_range(runner, place, &job->stream, from, to);
}
