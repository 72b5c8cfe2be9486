/*
 * A table of what this process has by a number: found, added and taken out in the same time however many there are.
 * Whoever has the table sees to it that one thread at a time uses it.
 */
#ifndef MPROC_BASE_KEY_TABLE_H
#define MPROC_BASE_KEY_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Stands in what is in a table. `key` is set before that; several may have the same. */
struct keyed {
    uint64_t key;
    struct keyed *next;
};

/* Zeroed memory is an empty table. There are `mask` + 1 lists; the only one there is at first is `list`. */
struct key_table {
    struct keyed **lists;
    struct keyed *list;
    size_t mask;
    size_t count;
};

/* Never fails: without memory for more lists they become longer. */
void key_table_add(struct key_table *table, struct keyed *keyed);

/* One with this key, or NULL. */
struct keyed *key_table_find(const struct key_table *table, uint64_t key);

/* Takes out one that is there. */
void key_table_take(struct key_table *table, struct keyed *keyed);

/* The one behind `keyed`, in no order; NULL: the first one, and behind the last. */
struct keyed *key_table_next(const struct key_table *table, const struct keyed *keyed);

/* Forgets all that is in it. */
void key_table_clear(struct key_table *table);

#endif
