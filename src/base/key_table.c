/* Tables by number: lists of those whose keys, mixed, are alike in some bits. */
#include "base/key_table.h"

#include <stdlib.h>

#define MASK_FIRST 63
/* So many need no table. */
#define FEW 8

static struct keyed *const *lists_of(const struct key_table *table)
{
    return table->lists ? table->lists : &table->list;
}

/* The middle bits of the product depend on most bits of the key, which is a multiple of something, mostly. */
static size_t number_of(const struct key_table *table, uint64_t key)
{
    return (size_t)(key * 0x9E3779B97F4A7C15u >> 32) & table->mask;
}

static struct keyed **list_of(struct key_table *table, uint64_t key)
{
    return table->lists ? &table->lists[number_of(table, key)] : &table->list;
}

static void put(struct key_table *table, struct keyed *keyed)
{
    struct keyed **list = list_of(table, keyed->key);

    keyed->next = *list;
    *list = keyed;
}

static void grow(struct key_table *table)
{
    struct key_table larger = {.mask = table->mask ? 4 * table->mask + 3 : MASK_FIRST, .count = table->count};

    if (!(larger.lists = calloc(larger.mask + 1, sizeof(struct keyed *)))) return;
    for (size_t i = 0; i <= table->mask; i++) {
        struct keyed *at = lists_of(table)[i], *next;
        for (; at; at = next) {
            next = at->next;
            put(&larger, at);
        }
    }
    free(table->lists);
    *table = larger;
}

void key_table_add(struct key_table *table, struct keyed *keyed)
{
    if (table->count++ >= FEW + 2 * table->mask) grow(table);
    put(table, keyed);
}

struct keyed *key_table_find(const struct key_table *table, uint64_t key)
{
    struct keyed *at = lists_of(table)[number_of(table, key)];

    while (at && at->key != key) at = at->next;
    return at;
}

void key_table_take(struct key_table *table, struct keyed *keyed)
{
    struct keyed **at = list_of(table, keyed->key);

    while (*at != keyed) at = &(*at)->next;
    *at = keyed->next;
    table->count--;
}

struct keyed *key_table_next(const struct key_table *table, const struct keyed *keyed)
{
    size_t number = keyed ? number_of(table, keyed->key) + 1 : 0;

    if (keyed && keyed->next) return keyed->next;
    while (number <= table->mask && !lists_of(table)[number]) number++;
    return number <= table->mask ? lists_of(table)[number] : NULL;
}

void key_table_clear(struct key_table *table)
{
    free(table->lists);
    *table = (struct key_table){.mask = 0};
}
