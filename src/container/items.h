/*
 * Items: values in a row, each found by its index. The body of a list.
 *
 * The first cells lie in the body itself, those that come later in segments, which a directory finds: so no append
 * takes long because the list is large. In use is a part of the cells, the span, which begins anywhere: so what is
 * taken out in front, or comes there, moves no others.
 *
 * What moves many cells - an insertion in the middle, a sort - makes another body. That is filled under the lock,
 * where nobody looks, and then takes the old one's place, by one list. Cells go from one body to the other with the
 * parcels that they hold, uncounted: each body says which of its cells are its own, and drops no others when it ends.
 */
#ifndef MPROC_CONTAINER_ITEMS_H
#define MPROC_CONTAINER_ITEMS_H

#include "container/container.h"

extern const struct object_type items_type;

struct item {
    _Atomic uint64_t head;
    _Atomic uint64_t word;
};

/* What finds segments. It is replaced by a larger one. */
struct items_directory {
    uint64_t room;
    _Atomic uint64_t segments[];
};

/*
 * All changes under the container's lock, once the body is the container's; by the list, but for `span` when one
 * comes to it or a number goes at its ends, which is one store. A cell that is in the span no longer stays as it was
 * until another comes there: who reads it meanwhile has read what was there before (container_reuses()).
 *
 *   directory  a link, or 0
 *   span       the place of the first cell in use | how many are << 32
 *   owns       the index of the first of its own cells | how many << 32; or ITEMS_ALL: all in the span
 *   step       how far they are from each other
 *   parcels    whether a cell ever was a parcel: set before that is published
 *   room       how many cells are in the body
 */
struct items {
    struct object object;
    _Atomic uint64_t directory;
    _Atomic uint64_t span;
    _Atomic uint64_t owns;
    _Atomic uint64_t step;
    _Atomic uint64_t parcels;
    _Atomic uint64_t room;
    struct item cells[];
};

#define ITEMS_ALL UINT64_MAX

/* Places have 32 bits, and the last is none. */
#define ITEMS_MAX ((uint64_t)UINT32_MAX - 1)

static inline uint64_t items_first(const struct items *items)
{
    return low(word_get(&items->span));
}

static inline uint64_t items_count(const struct items *items)
{
    return high(word_get(&items->span));
}

/* The place behind the last. */
static inline uint64_t items_end(const struct items *items)
{
    uint64_t span = word_get(&items->span);

    return (uint64_t)low(span) + high(span);
}

/* Under the lock, or where nobody else looks. */
static inline struct items *items_of(const struct container *container)
{
    return (struct items *)arena_at(word_get(&container->body));
}

/* The segment that has the cell so many behind those of the body, and what is in front of it. They grow at first. */
static inline uint64_t items_segment(uint64_t behind, uint64_t *first)
{
    if (behind >= 4096) return *first = behind & ~(uint64_t)4095, 2 + (behind >> 12);
    if (behind >= 512) return *first = 512, 2;
    return *first = behind < 64 ? 0 : 64, behind >= 64;
}

static inline uint64_t items_segment_cells(uint64_t segment)
{
    static const uint64_t first[] = {0, 64, 512, 4096};

    return segment < 3 ? first[segment + 1] - first[segment] : 4096;
}

/*
 * Under the lock: the cell at this place, and how many there are in a row from it on. NULL: its segment is missing.
 */
static inline struct item *items_run(const struct items *items, uint64_t place, uint64_t *run)
{
    uint64_t room = word_get(&items->room), directory = word_get(&items->directory), first, segment, at;
    const struct items_directory *all;

    if (place < room) return *run = room - place, (struct item *)&items->cells[place];
    segment = items_segment(place - room, &first);
    all = directory ? arena_at(directory) : NULL;
    if (!all || segment >= all->room || !(at = word_get(&all->segments[segment]))) return *run = 0, NULL;
    *run = first + items_segment_cells(segment) - (place - room);
    return (struct item *)arena_at(at) + (place - room - first);
}

/* Under the lock: the element at an index that there is. */
static inline struct item *items_at(const struct items *items, uint64_t index)
{
    uint64_t run;

    return items_run(items, items_first(items) + index, &run);
}

static inline struct cell item_cell(const struct item *item)
{
    struct cell cell;

    cell_set(&cell, word_get(&item->head), word_get(&item->word));
    return cell;
}

/* Where nobody looks. */
static inline void items_write(struct item *item, const struct cell *cell)
{
    word_set(&item->head, cell_head(cell));
    word_set(&item->word, cell->word);
}

/*
 * Cells of the old body are about to come to an empty one, which owns none of them. Who still reads what was in its
 * memory before has to see that this went.
 */
static inline void items_begin(struct items *fresh, const struct items *old)
{
    atomic_thread_fence(memory_order_release);
    word_set(&fresh->owns, 0);
    word_set(&fresh->parcels, word_get(&old->parcels));
}

/* ---- bodies ------------------------------------------------------------------------------------------- */

/* Makes an empty body with at least so many cells in the empty owned slot. MPROC_NO_MEMORY. */
mproc_status items_create(struct intent *intent, uint64_t room, _Atomic uint64_t *owned);

/*
 * The same, with copies of the elements of a list, for the container that is referred to. What container_stage()
 * returns, with the owned slot empty.
 */
mproc_status items_make(const struct reference *reference, const mproc_value *list, uint64_t room,
                        _Atomic uint64_t *owned);

/* Without the lock: sees to it that so many cells behind the last have segments. MPROC_NO_MEMORY. */
mproc_status items_provide(struct container *container, uint64_t count);

/*
 * Under the lock: whether one of the so many cells behind the last has no segment, and the place of the first such.
 */
bool items_is_missing(const struct items *items, uint64_t count, uint64_t *place);

/* ---- changes, under the lock -------------------------------------------------------------------------- */

/* The span, by one store: what comes into it is written before. */
static inline void items_publish(struct items *items, uint64_t first, uint64_t count)
{
    atomic_store_explicit(&items->span, both(first, count), memory_order_release);
}

/* Puts a value, whose parcel is in the first stage, behind the last one. False: a segment is missing. */
bool items_append(struct intent *intent, struct container *container, const struct cell *cell);

/* Takes out the element at this index, which is this cell, if it is the last, and a number. */
static inline bool items_drop_last_number(struct items *items, uint64_t index, const struct cell *cell)
{
    uint64_t count = items_count(items);

    if (index + 1 < count || !cell_is_number(cell)) return false;
    items_publish(items, items_first(items), count - 1);
    return true;
}

/* Another value for an element, whose parcel is in the first stage; that of the old one comes there. */
void items_set(struct intent *intent, const struct container *container, struct item *item, const struct cell *cell);

/*
 * What is taken out and what comes in its place: `removed` elements from `start` on, each `step`th. If `step` is 1,
 * `added` cells come to `start`; else as many as are removed, each in the place of one, or none. They are in `body`,
 * which is not the container's, and go from there; or `cell` is the only one, whose parcel is in the first stage.
 * `backwards`: the last of the slice gets the first.
 */
struct splice {
    uint64_t start, step, removed, added;
    struct items *body;
    const struct cell *cell;
    bool backwards;
};

enum items_outcome { ITEMS_DONE, ITEMS_NEEDS_BODY, ITEMS_NEEDS_SEGMENTS, ITEMS_ABSENT, ITEMS_CHANGED, ITEMS_INVALID };

/*
 * Does that: in its place, if only an end of the list is concerned, else with the empty body in the second stage if
 * that has room. What goes out comes to the second stage.
 */
enum items_outcome items_splice(struct intent *intent, struct container *container, const struct splice *splice);

/* How large the body is best for that: with room for some more, also in front if something comes there. */
uint64_t items_splice_room(const struct items *items, const struct splice *splice);

/*
 * The body in the second stage takes the place of the old one, which comes there. `left` is which cells are the old
 * one's own from then on, as `owns` says it: all, or 0.
 */
void items_exchange(struct intent *intent, const struct container *container, uint64_t left);

#endif
