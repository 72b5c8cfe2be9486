/* Limits of tasks. */
#include "pool/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/parcel.h"
#include "pool/segments.h"

mproc_status limits_create(mproc_result *result)
{
    if (!result->limits && !(result->limits = calloc(1, sizeof *result->limits)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for the limits of a task");
    return MPROC_OK;
}

static int64_t shorter(int64_t left_ns, int64_t right_ns)
{
    if (left_ns == 0 || right_ns == 0) return left_ns + right_ns;
    return left_ns < right_ns ? left_ns : right_ns;
}

void limits_begin(mproc_result *result, const struct submission *submission)
{
    struct tasks *tasks = result->tasks;
    struct task_limits *limits = result->limits;
    int64_t shortest_ns = shorter(limits->soft_ns, limits->hard_ns);

    limits->kept.function = submission->function;
    limits->kept.form = (uint8_t)submission->form;
    limits->kept.size = (uint8_t)submission->size;
    if (submission->form == TASK_CELLS) memcpy(result->cells, submission->cells, submission->size);
    if (shortest_ns == 0) return;
    tasks->timed++;
    tasks->shortest_ns = shorter(tasks->shortest_ns, shortest_ns);
}

void limits_done(struct tasks *tasks, const struct task_limits *limits)
{
    if (!limits || shorter(limits->soft_ns, limits->hard_ns) == 0) return;
    if (--tasks->timed == 0) tasks->shortest_ns = 0;
}

int64_t limits_next(const struct tasks *tasks, int64_t now_ns)
{
    return tasks->timed > 0 ? now_ns + tasks->shortest_ns : PLAT_FOREVER;
}

/* The dead worker may have been about to say what the task has returned. The segment still has its parcel. */
bool limits_retry(struct owned_segment *segment, uint64_t position)
{
    uint32_t index = position % TASK_SEGMENT;
    struct task_slot *slot = &segment->shared->slots[index];
    mproc_result *result = segment->results[index];
    const struct task_limits *limits = result ? result->limits : NULL;
    uint64_t seen = atomic_load(&slot->word), word;

    if (!limits || limits->stops || result->begun >= limits->retries) return false;
    object_drop(work_intent(), &segment->shared->results[index]);
    slot->function = limits->kept.function;
    slot->form = limits->kept.form;
    slot->size = limits->kept.size;
    if (slot->form == TASK_CELLS) memcpy(slot->data, result->cells, slot->size);
    slot->lost = ++result->begun;
    do word = task_word(position, 0, TASK_READY) | (seen & (TASK_BELL_MASK | TASK_TIMED));
    while (!atomic_compare_exchange_weak(&slot->word, &seen, word));
    return true;
}

bool limits_find(struct tasks *tasks, uint32_t worker, uint64_t position, struct running_task *task)
{
    uint32_t index = position % TASK_SEGMENT;
    uint64_t word;

    *task = (struct running_task){.tasks = tasks, .position = position};
    if (!(task->segment = segment_at(tasks, position / TASK_SEGMENT))) return false;
    task->result = task->segment->results[index];
    if (!task->result || !task->result->limits) return false;
    word = atomic_load(&task->segment->shared->slots[index].word);
    return task_state_of(word, position) == TASK_TAKEN && task_worker(word) == worker;
}

/* When it is to have ended; PLAT_FOREVER: never. */
static int64_t end_of(const struct task_limits *limits, int64_t since_ns)
{
    int64_t end_ns = limits->hard_ns ? since_ns + limits->hard_ns : PLAT_FOREVER;

    return limits->stops && limits->stop_by_ns < end_ns ? limits->stop_by_ns : end_ns;
}

struct task_verdict limits_judge(const struct running_task *task, int64_t since_ns, int64_t now_ns)
{
    const struct task_limits *limits = task->result->limits;
    int64_t end_ns = end_of(limits, since_ns);
    int64_t ask_ns = limits->soft_ns ? since_ns + limits->soft_ns : end_ns;
    struct task_verdict verdict = {.next_ns = PLAT_FOREVER};

    verdict.ask = limits->stops || now_ns >= ask_ns || now_ns >= end_ns;
    verdict.end = now_ns >= end_ns;
    if (now_ns < ask_ns) verdict.next_ns = ask_ns;
    if (now_ns < end_ns && end_ns < verdict.next_ns) verdict.next_ns = end_ns;
    return verdict;
}

bool limits_end(const struct running_task *task, int64_t since_ns)
{
    const struct task_limits *limits = task->result->limits;
    char text[200];

    if (limits->stops && (!limits->hard_ns || limits->stop_by_ns < since_ns + limits->hard_ns))
        return tasks_leave(task->tasks, task->segment, task->position, MPROC_CANCELLED,
                           "the task was to stop, and did not in the time that it was given");
    snprintf(text, sizeof text, "the task was not finished within its time limit of %lld ms",
             (long long)(limits->hard_ns / 1000000));
    return tasks_leave(task->tasks, task->segment, task->position, MPROC_TIMEOUT, text);
}
