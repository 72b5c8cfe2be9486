/*
 * Streams of tasks, as workers and the pool's owner share them.
 *
 * Each task has a position, and a slot in the segment of TASK_SEGMENT slots to which its position belongs. The owner
 * writes what is to be done, and then the word, which publishes. A worker reserves up to TASK_RANGE tasks by moving
 * the stream's head, and claims each of them by one compare-and-swap on its word when it begins it: so a task always
 * names who has it, a worker that ends costs one task at most, and others can take what one has reserved and not
 * begun.
 */
#ifndef MPROC_POOL_STREAM_H
#define MPROC_POOL_STREAM_H

#include "object/object.h"
#include "pool/layout.h"

#define TASK_SEGMENT 512
#define TASK_RANGE 16
#define TASK_INLINE 48
/* Segments that a stream has at most at a time. */
#define STREAM_SEGMENTS 8192

/*
 * A slot's word: lap << 32 | worker's index << 16 | bell << 8 | state. The lap is that of the position; a segment is
 * used again and again, and an older lap in a word means that nothing is there yet. The bell is the one on which
 * somebody sleeps who waits for the task, or 0.
 *
 * EMPTY -> READY (the owner) -> TAKEN (a worker) -> DONE or FAILED (that worker). READY -> ENDED by the owner: it is
 * cancelled, or the pool is terminated; TAKEN -> ENDED by the owner, after the worker's death, or READY once more, if
 * that is wanted: then it is among what the dead worker has reserved. What is ENDED the owner has taken out already.
 * TAKEN -> LEFT by the owner, for which the task is over: its time is up; the worker, which is to be killed, makes it
 * FAILED if it comes so far, and begins nothing else.
 */
enum task_state { TASK_EMPTY, TASK_READY, TASK_TAKEN, TASK_LEFT, TASK_DONE, TASK_FAILED, TASK_ENDED };

#define TASK_STATE_MASK 0x7Fu
/* The task has a time limit: its worker writes down when it has begun it. */
#define TASK_TIMED 0x80u
#define TASK_BELL_SHIFT 8
#define TASK_BELL_MASK ((uint64_t)0xFF << TASK_BELL_SHIFT)
#define TASK_WORKER_SHIFT 16
#define TASK_LAP_SHIFT 32

/*
 * Where the arguments are, and later what the task has returned: in the slot, as the cells of an encoding, or in a
 * parcel to which the segment has a link.
 */
enum task_form { TASK_NOTHING, TASK_CELLS, TASK_PARCEL };

struct task_slot {
    _Atomic uint64_t word;
    uint32_t function; /* the index of the function; of a task that failed its status */
    uint8_t form;
    uint8_t wanted; /* somebody wants to know what it returns */
    uint8_t size;   /* of the cells */
    uint8_t lost;   /* so many workers were lost with it */
    unsigned char data[TASK_INLINE];
};

static_assert(sizeof(struct task_slot) == ARENA_LINE, "a slot is a cache line");

/*
 * An object of the pool's owner. A link in `arguments` is the owner's, one in `results` that of the worker which has
 * claimed the slot, until the word says that the task is finished; then the owner's.
 */
struct task_segment {
    struct object object;
    uint64_t unused[3];
    struct task_slot slots[TASK_SEGMENT];
    _Atomic uint64_t arguments[TASK_SEGMENT];
    _Atomic uint64_t results[TASK_SEGMENT];
};

extern const struct object_type task_segment_type;

/*
 * Where the segment lies whose number in the stream is `index` modulo STREAM_SEGMENTS: its offset, and its lap
 * in the directory above. `skipped` is the number + 1 of the last segment that was left out, as another has the place
 * for long.
 */
struct stream_entry {
    _Atomic uint64_t segment;
    _Atomic uint64_t skipped;
};

#define ENTRY_LAP_SHIFT 44

static inline uint64_t stream_entry_word(uint64_t number, uint64_t segment)
{
    return (number / STREAM_SEGMENTS + 1) << ENTRY_LAP_SHIFT | segment;
}

static inline struct stream_entry *stream_entry_at(const struct pool_stream *stream, uint64_t number)
{
    uint64_t directory = atomic_load_explicit(&stream->directory, memory_order_relaxed);

    return (struct stream_entry *)arena_at(directory) + number % STREAM_SEGMENTS;
}

/* The segment of this number, or NULL: it is not there yet, or not any more. */
static inline struct task_segment *stream_segment_at(const struct pool_stream *stream, uint64_t number)
{
    uint64_t word = atomic_load_explicit(&stream_entry_at(stream, number)->segment, memory_order_acquire);
    uint64_t segment = word & (((uint64_t)1 << ENTRY_LAP_SHIFT) - 1);

    if (word >> ENTRY_LAP_SHIFT != ((number / STREAM_SEGMENTS + 1) & 0xFFFFFu) || !segment) return NULL;
    return (struct task_segment *)arena_at(segment);
}

static inline uint32_t task_lap(uint64_t position)
{
    return (uint32_t)(position / TASK_SEGMENT) + 1;
}

static inline uint64_t task_word(uint64_t position, uint32_t worker, enum task_state state)
{
    return (uint64_t)task_lap(position) << TASK_LAP_SHIFT | (uint64_t)worker << TASK_WORKER_SHIFT | (uint64_t)state;
}

/* EMPTY: what is in the slot is another task's. */
static inline enum task_state task_state_of(uint64_t word, uint64_t position)
{
    if (word >> TASK_LAP_SHIFT != task_lap(position)) return TASK_EMPTY;
    return (enum task_state)(word & TASK_STATE_MASK);
}

static inline uint32_t task_worker(uint64_t word)
{
    return (uint32_t)(word >> TASK_WORKER_SHIFT) & 0xFFFFu;
}

static inline uint32_t task_bell(uint64_t word)
{
    return (uint32_t)((word & TASK_BELL_MASK) >> TASK_BELL_SHIFT);
}

#endif
