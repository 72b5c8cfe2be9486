/* Items: what changes them. Each change is one list, or one store, so it is whole or not there. */
#include "container/items.h"

/* So many cells may be free in front, and more if more are in use. */
#define ITEMS_FRONT 512

/* ---- one cell ----------------------------------------------------------------------------------------- */

/* The span with a cell more, which is written. */
static void come(struct intent *intent, struct items *items, const struct cell *cell, uint64_t first, uint64_t count)
{
    if (!cell_is_parcel(cell)) {
        items_publish(items, first, count);
        return;
    }
    word_set(&items->parcels, 1);
    intent_store(intent, &items->span, both(first, count));
    intent_store(intent, &intent->stages[STAGE_VALUE], 0);
    intent_commit(intent);
}

bool items_append(struct intent *intent, struct container *container, const struct cell *cell)
{
    struct items *items = items_of(container);
    uint64_t first = items_first(items), count = items_count(items), run;
    struct item *item = items_run(items, first + count, &run);

    if (!item || first + count >= ITEMS_MAX) return false;
    container_reuses(container);
    items_write(item, cell);
    come(intent, items, cell, first, count + 1);
    return true;
}

/* A number for a number of the same type is one store. */
void items_set(struct intent *intent, const struct container *container, struct item *item, const struct cell *cell)
{
    struct cell old = item_cell(item);
    bool parcels = cell_is_parcel(&old) || cell_is_parcel(cell);

    if (!parcels && cell_head(&old) == cell_head(cell)) {
        atomic_store_explicit(&item->word, cell->word, memory_order_release);
        return;
    }
    if (cell_is_parcel(cell)) word_set(&items_of(container)->parcels, 1);
    container_change(intent, container);
    intent_store(intent, &item->head, cell_head(cell));
    intent_store(intent, &item->word, cell->word);
    if (parcels) intent_store(intent, &intent->stages[STAGE_VALUE], cell_is_parcel(&old) ? old.word : 0);
    container_commit(intent, container);
}

/* The first or the last goes. */
static void take_end(struct intent *intent, const struct container *container, struct items *items, uint64_t index)
{
    uint64_t count = items_count(items), first = items_first(items) + (index + 1 < count);
    struct cell cell = item_cell(items_at(items, index));

    if (!cell_is_parcel(&cell)) {
        items_publish(items, first, count - 1);
        return;
    }
    container_change(intent, container);
    intent_store(intent, &items->span, both(first, count - 1));
    intent_store(intent, &intent->stages[STAGE_OTHER], cell.word);
    container_commit(intent, container);
}

/* ---- another body ------------------------------------------------------------------------------------- */

/* Copies so many cells, from an index on, to where they lie in a row. Returns what is behind them. */
static struct item *copy_cells(const struct items *from, uint64_t index, uint64_t count, struct item *to)
{
    uint64_t place = items_first(from) + index, run;

    for (; count > 0; count -= run) {
        const struct item *item = items_run(from, place, &run);
        assert(item);
        if (run > count) run = count;
        memcpy((void *)to, (const void *)item, (size_t)run * sizeof *item);
        to += run;
        place += run;
    }
    return to;
}

static struct item *copy_added(const struct splice *splice, struct item *to)
{
    if (splice->body) return copy_cells(splice->body, 0, splice->added, to);
    if (splice->added > 0) items_write(to++, splice->cell);
    return to;
}

/* Cell by cell: each has another in its place, or none. */
static struct item *copy_stepped(const struct items *old, const struct splice *splice, struct item *to)
{
    uint64_t next = 0;

    for (uint64_t i = 0; i < splice->removed; i++) {
        uint64_t index = splice->start + i * splice->step;
        to = copy_cells(old, next, index - next, to);
        if (splice->added > 0) to = copy_cells(splice->body, splice->backwards ? splice->removed - 1 - i : i, 1, to);
        next = index + 1;
    }
    return copy_cells(old, next, items_count(old) - next, to);
}

static uint64_t count_after(const struct items *items, const struct splice *splice)
{
    return items_count(items) - splice->removed + splice->added;
}

static bool adds_parcels(const struct splice *splice)
{
    return splice->body ? word_get(&splice->body->parcels) != 0 : splice->added > 0 && cell_is_parcel(splice->cell);
}

/* What comes in front will be followed by more, as a rule: half of what is left free is there. */
static void build(struct items *fresh, const struct items *old, const struct splice *splice)
{
    uint64_t after = count_after(old, splice), spare = word_get(&fresh->room) - after;
    uint64_t first = splice->added > 0 && splice->start == 0 ? spare / 2 : 0;
    struct item *to = &fresh->cells[first];

    items_begin(fresh, old);
    if (adds_parcels(splice)) word_set(&fresh->parcels, 1);
    if (splice->step == 1 && !splice->backwards) {
        uint64_t end = splice->start + splice->removed;
        to = copy_cells(old, 0, splice->start, to);
        to = copy_added(splice, to);
        copy_cells(old, end, items_count(old) - end, to);
    } else {
        copy_stepped(old, splice, to);
    }
    items_publish(fresh, first, after);
}

/* Adds to the list what changes with it. */
static void exchange(struct intent *intent, const struct container *container, uint64_t left)
{
    struct items *old = items_of(container), *fresh = arena_at(word_get(&intent->stages[STAGE_OTHER]));

    container_change(intent, container);
    intent_store(intent, &container->body, arena_offset(fresh));
    intent_store(intent, &intent->stages[STAGE_OTHER], arena_offset(old));
    intent_store(intent, &fresh->owns, ITEMS_ALL);
    intent_store(intent, &old->owns, left);
}

void items_exchange(struct intent *intent, const struct container *container, uint64_t left)
{
    exchange(intent, container, left);
    container_commit(intent, container);
}

/* ---- splices ------------------------------------------------------------------------------------------ */

/* What comes behind the last, all at once. */
static enum items_outcome extend(struct intent *intent, struct container *container, const struct splice *splice)
{
    struct items *items = items_of(container);
    uint64_t first = items_first(items), count = items_count(items), run;

    if (!splice->body) return items_append(intent, container, splice->cell) ? ITEMS_DONE : ITEMS_NEEDS_SEGMENTS;
    if (items_is_missing(items, splice->added, &run)) return ITEMS_NEEDS_SEGMENTS;
    container_reuses(container);
    for (uint64_t i = 0; i < splice->added; i += run) {
        struct item *item = items_run(items, first + count + i, &run);
        if (run > splice->added - i) run = splice->added - i;
        copy_cells(splice->body, i, run, item);
    }
    if (adds_parcels(splice)) word_set(&items->parcels, 1);
    intent_store(intent, &items->span, both(first, count + splice->added));
    intent_store(intent, &splice->body->owns, 0);
    intent_commit(intent);
    return ITEMS_DONE;
}

/* What is no more than one store, or one list. ITEMS_NEEDS_BODY: it is more. */
static enum items_outcome in_place(struct intent *intent, struct container *container, const struct splice *splice)
{
    struct items *items = items_of(container);
    uint64_t first = items_first(items), count = items_count(items), start = splice->start, run;

    if (splice->removed == 0) {
        if (splice->added == 0) return ITEMS_DONE;
        if (start == count) return extend(intent, container, splice);
        if (start > 0 || splice->body || first == 0) return ITEMS_NEEDS_BODY;
        container_reuses(container);
        items_write(items_run(items, first - 1, &run), splice->cell);
        come(intent, items, splice->cell, first - 1, count + 1);
        return ITEMS_DONE;
    }
    if (splice->removed > 1 || splice->added > 0) return ITEMS_NEEDS_BODY;
    if (start + 1 < count && (start > 0 || (first >= ITEMS_FRONT && first >= count))) return ITEMS_NEEDS_BODY;
    take_end(intent, container, items, start);
    return ITEMS_DONE;
}

enum items_outcome items_splice(struct intent *intent, struct container *container, const struct splice *splice)
{
    struct items *old = items_of(container), *fresh;
    uint64_t stage = word_get(&intent->stages[STAGE_OTHER]);

    if (!stage) return in_place(intent, container, splice);
    fresh = arena_at(stage);
    if (word_get(&fresh->room) < count_after(old, splice)) return ITEMS_NEEDS_BODY;
    build(fresh, old, splice);
    word_set(&old->step, splice->step); /* until the list is done all are its own, so it counts for nothing */
    exchange(intent, container, both(splice->start, splice->removed));
    if (splice->body) intent_store(intent, &splice->body->owns, 0);
    else if (adds_parcels(splice)) intent_store(intent, &intent->stages[STAGE_VALUE], 0);
    container_commit(intent, container);
    return ITEMS_DONE;
}

uint64_t items_splice_room(const struct items *items, const struct splice *splice)
{
    uint64_t after = count_after(items, splice);

    return after + (splice->added > 0 && splice->start == 0 ? after / 2 + 16 : after / 8 + 8);
}
