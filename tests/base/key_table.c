/* Tables by number: what was added is found until it is taken out, however many there are. */
#include <stdlib.h>

#include "base/key_table.h"
#include "check.h"

enum { MANY = 3000 };

static struct keyed all[MANY];

static uint64_t key_at(int i)
{
    return (uint64_t)i * 4096 + ((uint64_t)(i % 7) << 40);
}

static void add_all(struct key_table *table)
{
    for (int i = 0; i < MANY; i++) {
        all[i].key = key_at(i);
        key_table_add(table, &all[i]);
    }
}

static void case_empty_table_has_nothing(void)
{
    struct key_table table = {.mask = 0};

    CHECK(key_table_find(&table, 0) == NULL);
    key_table_clear(&table);
    CHECK(key_table_find(&table, 0) == NULL);
}

static void case_what_was_added_is_found_until_it_is_taken(void)
{
    struct key_table table = {.mask = 0};

    add_all(&table);
    CHECK_EQ(table.count, MANY);
    for (int i = 0; i < MANY; i += 2) key_table_take(&table, &all[i]);
    CHECK_EQ(table.count, MANY / 2);
    for (int i = 0; i < MANY; i++) CHECK(key_table_find(&table, key_at(i)) == (i % 2 ? &all[i] : NULL));
    CHECK(key_table_find(&table, key_at(MANY)) == NULL);
    key_table_clear(&table);
    CHECK_EQ(table.count, 0);
    CHECK(key_table_find(&table, key_at(1)) == NULL);
}

/* Then there would be one list for all. */
static void case_lists_stay_short(void)
{
    struct key_table table = {.mask = 0};
    int longest = 0;

    add_all(&table);
    for (size_t i = 0; i <= table.mask; i++) {
        int length = 0;
        for (const struct keyed *at = table.lists[i]; at; at = at->next) length++;
        if (length > longest) longest = length;
    }
    CHECK(longest <= 12);
    key_table_clear(&table);
}

static void case_several_may_have_the_same_key(void)
{
    struct key_table table = {.mask = 0};

    for (int i = 0; i < 3; i++) {
        all[i].key = 5;
        key_table_add(&table, &all[i]);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(key_table_find(&table, 5) != NULL);
        key_table_take(&table, &all[i]);
    }
    CHECK(key_table_find(&table, 5) == NULL);
}

static void case_each_is_visited_and_may_be_taken_out_then(void)
{
    struct key_table table = {.mask = 0};
    int visits = 0;

    CHECK(key_table_next(&table, NULL) == NULL);
    for (int i = 0; i < 3; i++) key_table_add(&table, &all[i]);
    for (struct keyed *at = NULL; (at = key_table_next(&table, at));) visits++;
    CHECK_EQ(visits, 3);
    key_table_clear(&table);
    add_all(&table);
    for (struct keyed *at = key_table_next(&table, NULL), *next; at; at = next, visits++) {
        next = key_table_next(&table, at);
        key_table_take(&table, at);
    }
    CHECK_EQ(visits, 3 + MANY);
    CHECK_EQ(table.count, 0);
    key_table_clear(&table);
}

CHECK_SUITE(base_key_table,
    CASE(empty_table_has_nothing),
    CASE(what_was_added_is_found_until_it_is_taken),
    CASE(lists_stay_short),
    CASE(several_may_have_the_same_key),
    CASE(each_is_visited_and_may_be_taken_out_then),
);
