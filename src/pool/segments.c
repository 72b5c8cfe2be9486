/* Segments of a stream, on the owner's side. */
#include "pool/segments.h"

#include <stdlib.h>
#include <string.h>

const struct object_type task_segment_type = {
    .name = "a segment of tasks", .links = 2 * TASK_SEGMENT, .links_at = offsetof(struct task_segment, arguments)};

struct owned_segment *segment_at(const struct tasks *tasks, uint64_t number)
{
    struct owned_segment *segment = tasks->segments[number % STREAM_SEGMENTS];

    return segment && segment->number == number ? segment : NULL;
}

static bool is_passed(const struct tasks *tasks, const struct owned_segment *segment)
{
    return atomic_load(&tasks->stream->head) >= (segment->number + 1) * TASK_SEGMENT;
}

static void reuse(struct tasks *tasks, struct owned_segment *segment)
{
    tasks->segments[segment->number % STREAM_SEGMENTS] = NULL;
    tasks->segments_live--;
    segment->next = tasks->free;
    tasks->free = segment;
}

/* Those of which all tasks were ended before the head came there; it is behind some of them by now. */
static void reuse_passed(struct tasks *tasks)
{
    struct owned_segment **at = &tasks->emptied, *segment;

    while ((segment = *at) != NULL) {
        if (!is_passed(tasks, segment)) {
            at = &segment->next;
            continue;
        }
        *at = segment->next;
        reuse(tasks, segment);
    }
}

void segment_end(struct tasks *tasks, struct owned_segment *segment)
{
    if (is_passed(tasks, segment)) {
        reuse(tasks, segment);
    } else {
        segment->next = tasks->emptied;
        tasks->emptied = segment;
    }
}

/* The place of the next number may be taken by a segment in which a task still runs: then the number is left out. */
static void leave_out_numbers(struct tasks *tasks)
{
    uint64_t number = tasks->tail / TASK_SEGMENT;

    while (tasks->segments[number % STREAM_SEGMENTS]) {
        atomic_store(&stream_entry_at(tasks->stream, number)->skipped, number + 1);
        tasks->tail = ++number * TASK_SEGMENT;
    }
}

mproc_status segment_begin(struct tasks *tasks)
{
    struct owned_segment *segment;
    uint64_t number;
    mproc_status status;

    if (tasks->segments_live == STREAM_SEGMENTS) tasks_collect_next(tasks, true);
    reuse_passed(tasks);
    if (tasks->segments_live == STREAM_SEGMENTS)
        return mproc_error(MPROC_LIMIT, "%d tasks of the pool are not finished: it takes one more when some are",
                           STREAM_SEGMENTS * TASK_SEGMENT);
    if ((segment = tasks->free) != NULL) {
        tasks->free = segment->next;
    } else if (!(segment = calloc(1, sizeof *segment))) {
        return mproc_error(MPROC_NO_MEMORY, "no memory for %d more tasks of a pool", TASK_SEGMENT);
    } else if ((status = resource_take(sizeof *segment->shared, sizeof *segment->shared, &segment->owned)) !=
               MPROC_OK) {
        free(segment);
        return status;
    } else {
        object_publish(segment->owned, OBJECT_TASKS);
        segment->shared = (struct task_segment *)arena_at(atomic_load(segment->owned));
    }
    leave_out_numbers(tasks);
    number = tasks->tail / TASK_SEGMENT;
    segment->number = number;
    segment->left = TASK_SEGMENT;
    memset(segment->out, 0, sizeof segment->out);
    tasks->segments[number % STREAM_SEGMENTS] = segment;
    tasks->segments_live++;
    atomic_store_explicit(&stream_entry_at(tasks->stream, number)->segment,
                          stream_entry_word(number, arena_offset(segment->shared)), memory_order_release);
    return MPROC_OK;
}

void segments_free(struct tasks *tasks)
{
    struct owned_segment *segment;

    for (uint32_t i = 0; i < STREAM_SEGMENTS && tasks->segments; i++)
        if (tasks->segments[i]) reuse(tasks, tasks->segments[i]);
    while ((segment = tasks->free)) {
        tasks->free = segment->next;
        resource_release(segment->owned);
        free(segment);
    }
    free(tasks->segments);
    tasks->segments = NULL;
}
