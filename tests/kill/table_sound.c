#include "table_sound.h"

#include <stdlib.h>

/* One mark for each unit that was ever in use. */
struct marks {
    unsigned char *used;
    uint32_t end;
};

static bool mark(const struct marks *marks, uint32_t place, uint32_t units)
{
    for (uint32_t i = place; i < place + units; i++) {
        if (i >= marks->end || marks->used[i]) return false;
        marks->used[i] = 1;
    }
    return true;
}

static bool is_found(const struct container *container, const struct table_record *record)
{
    mproc_value view = table_key_view(record);
    struct table_spot spot = {NULL, NULL, 0};
    struct table_key key;

    return table_key_set(&key, &view) == MPROC_OK && key.hash == low(word_get(&record->hash_next)) &&
           table_find(container, container_version(container), &key, &spot) == TABLE_DONE && spot.record == record;
}

static const char *check_records(const struct container *container, const struct marks *marks)
{
    const struct table *table = table_of(container);
    uint64_t order = word_get(&table->order);
    uint32_t count = 0, before = 0;

    for (uint32_t place = low(order); place;) {
        const struct table_record *record = table_at(table, place);
        struct cell cell = table_cell(record);
        if (low(word_get(&record->before)) != before) return "a record does not know the one before it";
        if (!mark(marks, place, high(word_get(&record->before)))) return "a record overlaps something";
        if (!is_found(container, record)) return "a key is not found";
        if (cell_is_parcel(&cell) && object_kind(cell.word) != OBJECT_PARCEL) return "a value is no parcel";
        before = place;
        count++;
        place = high(word_get(&record->hash_next));
    }
    if (before != high(order)) return "the last record is another";
    return count == table_count(table) ? NULL : "the count is wrong";
}

static const char *check_buckets(const struct table *table, const struct marks *marks)
{
    uint64_t buckets = word_get(&table->buckets);
    uint32_t count = 0, link;

    for (uint32_t i = 0; i < low(buckets); i++)
        for (const struct table_bucket *at = table_bucket_at(table, i); at;
             at = link ? table_at(table, link) : NULL) {
            for (int j = 0; j < TABLE_SLOTS; j++) {
                uint64_t slot = word_get(&at->slots[j]);
                if (low(slot) && table_bucket_of(high(slot), buckets) == i) count++;
            }
            link = low(word_get(&at->link));
            if (link && !mark(marks, link, sizeof *at / TABLE_UNIT)) return "a bucket overlaps something";
        }
    return count == table_count(table) ? NULL : "there are more or fewer slots than keys";
}

static const char *check_free(const struct table *table, const struct marks *marks)
{
    for (uint32_t i = 0; i < TABLE_LISTS; i++)
        for (uint32_t place = low(word_get(&table->free[i])); place;) {
            const struct table_record *record = table_at(table, place);
            if (!mark(marks, place, high(word_get(&record->before)))) return "a free record overlaps something";
            place = low(word_get(&record->before));
        }
    return NULL;
}

const char *table_sound(const mproc_dict *dict)
{
    const struct container *container = dict_container(dict);
    const struct table *table = table_of(container);
    struct marks marks = {NULL, low(word_get(&table->used))};
    const char *wrong;

    if (container_version(container) % 2 == 1) return "the version is odd";
    if (lock_owner(&container->lock)) return "the lock is not free";
    if (!(marks.used = calloc(marks.end, 1))) return "no memory to look at the table";
    wrong = check_records(container, &marks);
    if (!wrong) wrong = check_buckets(table, &marks);
    if (!wrong) wrong = check_free(table, &marks);
    free(marks.used);
    return wrong;
}
