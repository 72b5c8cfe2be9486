/*
 * Extents. Each change is one redo list under the heap's lock, so that all links and the owned slot change at once.
 * In the table, what stands before an entry is a block's header: an owned slot may have an entry's offset as that of
 * a block.
 */
#include "arena/extent.h"

#include "arena/block.h"
#include "arena/lock.h"
#include "arena/size_class.h"

/* So many warm extents, and cold ones of the size that may fit, are looked at. */
#define LOOKS 16

enum extent_state { EXTENT_SPARE, EXTENT_RAW, EXTENT_USED, EXTENT_WARM, EXTENT_COLD };

#define STATE_MASK ((uint64_t)7)

/*
 * `span` is its bytes, whole pages, | its state. `below` and `above` are its neighbours, 0 at the ends. `previous`
 * and `next` are those in the list of its state, if that has one; the warm ones' list begins with the newest.
 * All change under the heap's lock, but for the state of an extent in an owned slot: the owned slot's owner changes
 * it between raw and used.
 */
struct extent {
    _Atomic uint64_t span;
    _Atomic uint64_t start;
    _Atomic uint64_t below;
    _Atomic uint64_t above;
    _Atomic uint64_t previous;
    _Atomic uint64_t next;
};

#define ENTRY_BYTES (sizeof(struct block_header) + sizeof(struct extent))

static_assert(ENTRY_BYTES == ARENA_LINE, "an extent is one cache line");

/* Each function here asks for it: so without the check of arena_at(). */
static struct extent *at(uint64_t extent)
{
    return (struct extent *)(void *)((unsigned char *)arena_header + extent);
}

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static enum extent_state state_of(uint64_t extent)
{
    return (enum extent_state)(get(&at(extent)->span) & STATE_MASK);
}

static bool is_cold(uint64_t extent)
{
    return extent && state_of(extent) == EXTENT_COLD;
}

uint64_t extent_start(uint64_t extent)
{
    return get(&at(extent)->start);
}

uint64_t extent_bytes(uint64_t extent)
{
    return get(&at(extent)->span) & ~STATE_MASK;
}

/* By the owner of the owned slot that it is in. */
static void set_state(uint64_t extent, enum extent_state state)
{
    atomic_store_explicit(&at(extent)->span, extent_bytes(extent) | (uint64_t)state, memory_order_release);
}

/* ---- parts of a change: they fill in the list, and change nothing ---------------------------------------- */

static _Atomic uint64_t *bin_of(uint64_t bytes)
{
    return &arena_header->heap.bins[size_class_below(bytes) - size_class_below(arena_header->page)];
}

static void list_add(struct intent *intent, _Atomic uint64_t *first, uint64_t extent)
{
    intent_store(intent, &at(extent)->previous, 0);
    intent_store(intent, &at(extent)->next, get(first));
    if (get(first)) intent_store(intent, &at(get(first))->previous, extent);
    intent_store(intent, first, extent);
}

static void list_remove(struct intent *intent, const _Atomic uint64_t *first, uint64_t extent)
{
    uint64_t previous = get(&at(extent)->previous), next = get(&at(extent)->next);

    intent_store(intent, previous ? &at(previous)->next : first, next);
    if (next) intent_store(intent, &at(next)->previous, previous);
}

/* The cold extent gets another size, and moves to the list of that size if it is another. */
static void resize_cold(struct intent *intent, uint64_t extent, uint64_t bytes)
{
    _Atomic uint64_t *from = bin_of(extent_bytes(extent)), *to = bin_of(bytes);

    if (from != to) {
        list_remove(intent, from, extent);
        list_add(intent, to, extent);
    }
    intent_store(intent, &at(extent)->span, bytes | EXTENT_COLD);
}

/* The entry is not in use any more. */
static void put_spare(struct intent *intent, uint64_t extent)
{
    intent_store(intent, &at(extent)->span, EXTENT_SPARE);
    intent_store(intent, &at(extent)->next, get(&arena_header->heap.spares));
    intent_store(intent, &arena_header->heap.spares, extent);
}

/*
 * A new extent with these neighbours goes to the owned slot. Its entry is a spare one, or the next beyond the table's
 * end: entries there are nobody's, so the header may be written before the entry is in use. What only the extent has
 * is written at once, too: nobody looks at it before the list is published. But not `next`, the link of the spare
 * ones.
 */
static void add(struct intent *intent, uint64_t start, uint64_t bytes, uint64_t below, uint64_t above,
                const _Atomic uint64_t *owned)
{
    uint64_t extent = get(&arena_header->heap.spares), end = get(&arena_header->heap.table_end);
    struct extent *extent_;

    if (extent) {
        intent_store(intent, &arena_header->heap.spares, get(&at(extent)->next));
    } else {
        extent = end + sizeof(struct block_header);
        block_header_write(extent, BLOCK_CLASS_EXTENT, 0);
        intent_store(intent, &arena_header->heap.table_end, end + ENTRY_BYTES);
    }
    extent_ = at(extent);
    atomic_store_explicit(&extent_->start, start, memory_order_relaxed);
    atomic_store_explicit(&extent_->below, below, memory_order_relaxed);
    atomic_store_explicit(&extent_->above, above, memory_order_relaxed);
    intent_store(intent, &extent_->span, bytes | EXTENT_RAW);
    intent_store(intent, below ? &at(below)->above : &arena_header->heap.lowest, extent);
    if (above) intent_store(intent, &at(above)->below, extent);
    intent_store(intent, owned, extent);
}

/* Whoever was above the extent is now above `below`, or the lowest. */
static void leave_neighbours(struct intent *intent, uint64_t extent, uint64_t below)
{
    uint64_t above = get(&at(extent)->above);

    intent_store(intent, below ? &at(below)->above : &arena_header->heap.lowest, above);
    if (above) intent_store(intent, &at(above)->below, below);
}

/* ---- take --------------------------------------------------------------------------------------------------- */

static bool take_warm(struct intent *intent, uint64_t bytes, _Atomic uint64_t *owned)
{
    uint64_t extent;

    if (get(&arena_header->heap.newest) == 0) return false;
    lock_acquire(intent, &arena_header->heap.lock);
    extent = get(&arena_header->heap.newest);
    for (int looks = 0; extent; extent = ++looks < LOOKS ? get(&at(extent)->next) : 0)
        if (extent_bytes(extent) >= bytes && extent_bytes(extent) - bytes <= bytes / 4) break;
    if (extent) {
        list_remove(intent, &arena_header->heap.newest, extent);
        if (get(&arena_header->heap.oldest) == extent)
            intent_store(intent, &arena_header->heap.oldest, get(&at(extent)->previous));
        intent_store(intent, &arena_header->heap.warm_bytes,
                     get(&arena_header->heap.warm_bytes) - extent_bytes(extent));
        intent_store(intent, &at(extent)->span, extent_bytes(extent) | EXTENT_USED);
        intent_store(intent, owned, extent);
        intent_commit(intent);
    }
    lock_release(intent, &arena_header->heap.lock);
    return extent != 0;
}

static uint64_t first_fit(uint64_t bytes, int looks)
{
    uint64_t extent = get(bin_of(bytes));

    while (extent && looks-- > 0 && extent_bytes(extent) < bytes) extent = get(&at(extent)->next);
    return extent && extent_bytes(extent) >= bytes ? extent : 0;
}

/* One of the lists of larger ones has none that is too small. */
static uint64_t find_cold(uint64_t bytes)
{
    uint64_t extent = first_fit(bytes, LOOKS);

    for (const _Atomic uint64_t *bin = bin_of(bytes) + 1; !extent && bin < arena_header->heap.bins + HEAP_BINS; bin++)
        extent = get(bin);
    return extent;
}

/* Under the lock, with an entry to spare: of a cold extent, or its upper end. False: there is no such run. */
static bool take_addresses(struct intent *intent, uint64_t bytes, _Atomic uint64_t *owned)
{
    uint64_t bottom = get(&arena_header->heap.bottom), extent = find_cold(bytes), left;

    if (!extent && bottom < atomic_load(&arena_header->ranges[ARENA_HEAP].committed) + bytes)
        if ((extent = first_fit(bytes, INT32_MAX)) == 0) return false;
    left = extent ? extent_bytes(extent) - bytes : 0;
    if (left > 0) {
        add(intent, extent_start(extent) + left, bytes, extent, get(&at(extent)->above), owned);
        resize_cold(intent, extent, left);
    } else if (extent) {
        list_remove(intent, bin_of(bytes), extent);
        intent_store(intent, &at(extent)->span, bytes | EXTENT_RAW);
        intent_store(intent, owned, extent);
    } else {
        intent_store(intent, &arena_header->heap.bottom, bottom - bytes);
        add(intent, bottom - bytes, bytes, 0, get(&arena_header->heap.lowest), owned);
    }
    intent_commit(intent);
    return true;
}

/* Memory for one more entry is committed before the lock is taken; others may have used it up until then. */
static mproc_status take_cold(struct intent *intent, uint64_t bytes, _Atomic uint64_t *owned)
{
    const struct arena_range *table = &arena_header->ranges[ARENA_EXTENTS];
    mproc_status status = MPROC_OK;

    while (status == MPROC_OK && get(owned) == 0) {
        if (get(&arena_header->heap.spares) == 0 &&
            (status = arena_commit(ARENA_EXTENTS, get(&arena_header->heap.table_end) + ENTRY_BYTES)) != MPROC_OK)
            return status;
        lock_acquire(intent, &arena_header->heap.lock);
        if (get(&arena_header->heap.spares) != 0 ||
            get(&arena_header->heap.table_end) + ENTRY_BYTES <= atomic_load(&table->committed))
            status = take_addresses(intent, bytes, owned) ? MPROC_OK : MPROC_NO_MEMORY;
        lock_release(intent, &arena_header->heap.lock);
    }
    if (status != MPROC_OK)
        return mproc_error(
            MPROC_NO_MEMORY,
            "no room for %llu bytes in one piece: all that the family can share is %llu MiB. A limit on the "
            "address space of its first process (ulimit -v) may be why: raise that, or free some",
            (unsigned long long)bytes, (unsigned long long)(arena_header->reserve >> 20));
    return MPROC_OK;
}

/* By the owner of the owned slot. */
static mproc_status commit(uint64_t extent)
{
    mproc_status status =
        plat_memory_commit(arena_memory(), arena_header, (size_t)extent_start(extent), (size_t)extent_bytes(extent));

    if (status == MPROC_OK) set_state(extent, EXTENT_USED);
    return status;
}

/* ---- give --------------------------------------------------------------------------------------------------- */

/*
 * In recovery the lock's last owner may have been another recoverer that died over this very owned slot: so what the
 * owned slot has is looked at under the lock.
 */
static void put_warm(struct intent *intent, _Atomic uint64_t *owned, uint64_t extent)
{
    lock_acquire(intent, &arena_header->heap.lock);
    if (get(owned) == extent) {
        list_add(intent, &arena_header->heap.newest, extent);
        if (get(&arena_header->heap.oldest) == 0) intent_store(intent, &arena_header->heap.oldest, extent);
        intent_store(intent, &arena_header->heap.warm_bytes,
                     get(&arena_header->heap.warm_bytes) + extent_bytes(extent));
        intent_store(intent, &at(extent)->span, extent_bytes(extent) | EXTENT_WARM);
        intent_store(intent, owned, 0);
        intent_commit(intent);
    }
    lock_release(intent, &arena_header->heap.lock);
}

/* If more than `most` bytes are warm: the oldest goes to the stage, to become cold. */
static bool take_oldest(struct intent *intent, uint64_t most)
{
    uint64_t extent;

    assert(get(&intent->heap) == 0);
    if (get(&arena_header->heap.warm_bytes) <= most) return false;
    lock_acquire(intent, &arena_header->heap.lock);
    extent = get(&arena_header->heap.oldest);
    if (extent && get(&arena_header->heap.warm_bytes) > most) {
        list_remove(intent, &arena_header->heap.newest, extent);
        intent_store(intent, &arena_header->heap.oldest, get(&at(extent)->previous));
        intent_store(intent, &arena_header->heap.warm_bytes,
                     get(&arena_header->heap.warm_bytes) - extent_bytes(extent));
        intent_store(intent, &at(extent)->span, extent_bytes(extent) | EXTENT_RAW);
        intent_store(intent, &intent->heap, extent);
        intent_commit(intent);
    }
    lock_release(intent, &arena_header->heap.lock);
    return get(&intent->heap) != 0;
}

/* The owned slot's extent takes in the cold one above it. */
static void take_in_above(struct intent *intent, uint64_t extent)
{
    uint64_t above = get(&at(extent)->above);

    list_remove(intent, bin_of(extent_bytes(above)), above);
    leave_neighbours(intent, above, extent);
    intent_store(intent, &at(extent)->span, (extent_bytes(extent) + extent_bytes(above)) | EXTENT_RAW);
    put_spare(intent, above);
}

/* The owned slot's extent is no more: it becomes part of `below`, or of what is free below the lowest. */
static void dissolve(struct intent *intent, uint64_t extent, uint64_t below, const _Atomic uint64_t *owned)
{
    leave_neighbours(intent, extent, below);
    put_spare(intent, extent);
    intent_store(intent, owned, 0);
}

/*
 * The owned slot's extent, which is raw, becomes cold: parts of it may have memory. In recovery the lock's last owner
 * may have been another recoverer that died over this very owned slot, so what it has is looked at under the lock.
 */
static void give_raw(struct intent *intent, _Atomic uint64_t *owned)
{
    uint64_t extent = get(owned), below, bytes;

    plat_memory_release(arena_memory(), arena_header, (size_t)extent_start(extent), (size_t)extent_bytes(extent));
    while (get(owned) != 0) {
        lock_acquire(intent, &arena_header->heap.lock);
        if (get(owned) == extent) {
            below = get(&at(extent)->below);
            bytes = extent_bytes(extent);
            if (is_cold(get(&at(extent)->above))) {
                take_in_above(intent, extent);
            } else if (!below) {
                dissolve(intent, extent, 0, owned);
                intent_store(intent, &arena_header->heap.bottom, get(&arena_header->heap.bottom) + bytes);
            } else if (is_cold(below)) {
                dissolve(intent, extent, below, owned);
                resize_cold(intent, below, extent_bytes(below) + bytes);
            } else {
                list_add(intent, bin_of(bytes), extent);
                intent_store(intent, &at(extent)->span, bytes | EXTENT_COLD);
                intent_store(intent, owned, 0);
            }
            intent_commit(intent);
        }
        lock_release(intent, &arena_header->heap.lock);
    }
}

void extent_cool(struct intent *intent)
{
    while (take_oldest(intent, get(&arena_header->heap.warm_bytes_max))) give_raw(intent, &intent->heap);
}

/* To give gigabytes back takes long, so recovery, for which others wait, leaves that for the time after it. */
void extent_give(struct intent *intent, _Atomic uint64_t *owned)
{
    uint64_t extent = get(owned),
             most = intent == recovery_intent() ? UINT64_MAX : get(&arena_header->heap.warm_bytes_max);

    if (state_of(extent) == EXTENT_USED && extent_bytes(extent) > most) set_state(extent, EXTENT_RAW);
    if (state_of(extent) == EXTENT_RAW) give_raw(intent, owned);
    else put_warm(intent, owned, extent);
    while (take_oldest(intent, most)) give_raw(intent, &intent->heap);
}

/* Where the system has no more memory, or we no more addresses, what is kept warm may help. */
mproc_status extent_take(struct intent *intent, uint64_t bytes, _Atomic uint64_t *owned, bool *zero)
{
    uint64_t page = arena_header->page;
    mproc_status status;

    bytes = (bytes + page - 1) & ~(page - 1);
    for (;;) {
        *zero = false;
        if (take_warm(intent, bytes, owned)) return MPROC_OK;
        *zero = true;
        status = take_cold(intent, bytes, owned);
        if (status == MPROC_OK && (status = commit(get(owned))) != MPROC_OK) give_raw(intent, owned);
        if (status == MPROC_OK || !take_oldest(intent, 0)) return status;
        give_raw(intent, &intent->heap);
    }
}

/* ---- census -------------------------------------------------------------------------------------------------- */

static bool is_entry(uint64_t extent)
{
    uint64_t start = arena_header->ranges[ARENA_EXTENTS].start;

    return extent > start && extent < get(&arena_header->heap.table_end) &&
           (extent - start) % ENTRY_BYTES == sizeof(struct block_header);
}

bool extent_is_at(uint64_t extent, uint64_t start)
{
    return is_entry(extent) && state_of(extent) == EXTENT_USED && extent_start(extent) == start;
}

/* How many are in the list, all in that state; `*bytes` grows by theirs. A list longer than the table is a circle. */
static uint64_t count_list(uint64_t first, enum extent_state state, uint64_t *bytes, bool *sound)
{
    uint64_t count = 0,
             limit = (get(&arena_header->heap.table_end) - arena_header->ranges[ARENA_EXTENTS].start) / ENTRY_BYTES;
    uint64_t previous = 0;

    for (uint64_t extent = first; extent; previous = extent, extent = get(&at(extent)->next), count++) {
        *sound = *sound && count < limit && is_entry(extent) && state_of(extent) == state &&
                 (state == EXTENT_SPARE || get(&at(extent)->previous) == previous) &&
                 (state != EXTENT_COLD || bin_of(extent_bytes(extent)) == bin_of(extent_bytes(first)));
        if (!*sound) return count;
        *bytes += extent_bytes(extent);
    }
    return count;
}

struct walk {
    uint64_t counts[EXTENT_COLD + 1];
    uint64_t bytes[EXTENT_COLD + 1];
    uint64_t all;
    bool sound;
};

/* From the bottom to the heap's end: each begins where the one below it ends, and no two cold ones are neighbours. */
static struct walk walk_addresses(void)
{
    struct walk walk = {{0}, {0}, 0, true};
    uint64_t below = 0, start = get(&arena_header->heap.bottom), extent = get(&arena_header->heap.lowest);

    for (; extent && walk.sound; below = extent, extent = get(&at(extent)->above), walk.all++) {
        enum extent_state state = is_entry(extent) ? state_of(extent) : EXTENT_SPARE;
        walk.sound = state != EXTENT_SPARE && extent_start(extent) == start && get(&at(extent)->below) == below &&
                     !(state == EXTENT_COLD && (!below || is_cold(below)));
        if (!walk.sound) break;
        walk.counts[state]++;
        walk.bytes[state] += extent_bytes(extent);
        start += extent_bytes(extent);
    }
    walk.sound = walk.sound && start == arena_header->ranges[ARENA_HEAP].limit;
    return walk;
}

static bool lists_match(const struct walk *walk)
{
    uint64_t warm_bytes = 0, cold_bytes = 0, none = 0, warm, cold = 0, spares, last = get(&arena_header->heap.newest);
    uint64_t table = get(&arena_header->heap.table_end) - arena_header->ranges[ARENA_EXTENTS].start;
    bool sound = true;

    warm = count_list(last, EXTENT_WARM, &warm_bytes, &sound);
    for (int i = 0; i < HEAP_BINS; i++)
        cold += count_list(get(&arena_header->heap.bins[i]), EXTENT_COLD, &cold_bytes, &sound);
    spares = count_list(get(&arena_header->heap.spares), EXTENT_SPARE, &none, &sound);
    while (sound && last && get(&at(last)->next)) last = get(&at(last)->next);
    return sound && warm == walk->counts[EXTENT_WARM] && warm_bytes == walk->bytes[EXTENT_WARM] &&
           warm_bytes == get(&arena_header->heap.warm_bytes) && last == get(&arena_header->heap.oldest) &&
           cold == walk->counts[EXTENT_COLD] && cold_bytes == walk->bytes[EXTENT_COLD] &&
           walk->all + spares == table / ENTRY_BYTES;
}

struct extent_census extent_count(void)
{
    struct walk walk = walk_addresses();

    return (struct extent_census){walk.counts[EXTENT_USED] + walk.counts[EXTENT_RAW],
                                  walk.bytes[EXTENT_USED] + walk.bytes[EXTENT_RAW], walk.bytes[EXTENT_WARM],
                                  walk.sound && lists_match(&walk)};
}
