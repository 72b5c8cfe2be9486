/* Lists that grow and shrink: against a model, and what they take of the family's memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/lists.h"

/* ---- a model -------------------------------------------------------------------------------------------- */

enum { MOST = 4000, TEXT_BYTES = 200 };

/* What the list should have: what each element is made of. */
struct model {
    uint32_t made_of[MOST];
    size_t count;
};

static mproc_value value_of(uint32_t made_of, char *text)
{
    if (made_of % 3 == 0) return mproc_int(made_of);
    memset(text, 'A' + (int)(made_of % 7), TEXT_BYTES);
    snprintf(text, 16, "%07u", made_of);
    return mproc_string_from(text, made_of % 3 == 1 ? 7 : 8 + made_of % (TEXT_BYTES - 8));
}

/* So many elements from `at` on go, and `made_of` comes there, unless it is 0. */
static void splice(struct model *model, size_t at, size_t removed, uint32_t made_of)
{
    size_t added = made_of != 0, rest = model->count - at - removed;

    memmove(&model->made_of[at + added], &model->made_of[at + removed], rest * sizeof model->made_of[0]);
    if (added) model->made_of[at] = made_of;
    model->count += added - removed;
}

/* The ends more often than the middle. */
static size_t any_place(const struct model *model, uint32_t *seed)
{
    uint32_t which = any_number(seed) % 4;

    return which == 0 ? 0 : which == 1 ? any_number(seed) % model->count : model->count - 1;
}

static void grow(mproc_list *list, struct model *model, uint32_t *seed)
{
    uint32_t made_of = 1 + any_number(seed) % 1000000, how = any_number(seed) % 16;
    size_t at = how < 12 || model->count == 0 ? model->count : any_place(model, seed);
    char text[TEXT_BYTES], other[TEXT_BYTES];

    if (model->count + 2 > MOST) return;
    if (how < 8) {
        CHECK_OK(mproc_list_append(list, value_of(made_of, text)));
        at = model->count;
    } else if (how < 10) {
        mproc_value both[] = {value_of(made_of, text), value_of(made_of + 1, other)};
        CHECK_OK(mproc_list_extend(list, mproc_list_from(both, 2)));
        splice(model, model->count, 0, made_of);
        at = model->count;
        made_of++;
    } else {
        CHECK_OK(mproc_list_insert(list, (int64_t)at, value_of(made_of, text)));
    }
    splice(model, at, 0, made_of);
}

static void shrink(mproc_list *list, struct model *model, uint32_t *seed)
{
    uint32_t how = any_number(seed) % 8;
    mproc_value value = mproc_nil();
    char text[TEXT_BYTES];
    size_t at, removed = 1;

    if (model->count == 0) return;
    at = any_place(model, seed);
    if (how < 4) {
        CHECK_OK(mproc_list_pop(list, (int64_t)at, &value));
        CHECK(mproc_value_equal(value, value_of(model->made_of[at], text)));
        mproc_value_clear(&value);
    } else if (how < 7) {
        CHECK_OK(mproc_list_delete(list, (int64_t)at - (int64_t)model->count));
    } else {
        if (at + 3 <= model->count) removed = 3;
        CHECK_OK(mproc_list_delete_slice(list, (int64_t)at, (int64_t)(at + removed), 1));
    }
    splice(model, at, removed, 0);
}

static void change_one(mproc_list *list, struct model *model, uint32_t *seed)
{
    uint32_t made_of = 1 + any_number(seed) % 1000000;
    char text[TEXT_BYTES];
    size_t at;

    if (model->count == 0) return;
    at = any_place(model, seed);
    CHECK_OK(mproc_list_set(list, (int64_t)at, value_of(made_of, text)));
    model->made_of[at] = made_of;
}

static void check_model(const mproc_list *list, const struct model *model)
{
    mproc_value copy = mproc_nil();
    char text[TEXT_BYTES];

    CHECK_EQ(mproc_list_count(list), model->count);
    CHECK_OK(mproc_list_copy(list, &copy));
    CHECK_EQ(mproc_value_count(copy), model->count);
    for (size_t i = 0; i < model->count; i++) {
        CHECK(mproc_value_equal(mproc_value_at(copy, i), value_of(model->made_of[i], text)));
        CHECK(lists_has(list, (int64_t)i, value_of(model->made_of[i], text)));
    }
    mproc_value_clear(&copy);
    lists_check_sound(list);
}

static void case_any_changes_leave_what_they_should(void)
{
    struct model *model = calloc(1, sizeof *model);
    mproc_list *list = lists_create(mproc_nil());
    uint64_t blocks = peers_blocks();
    uint32_t seed = 1;

    CHECK(model != NULL);
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < check_many(4000, 700); j++) {
            uint32_t how = any_number(&seed) % 8;
            if (how == 0) change_one(list, model, &seed);
            else if (i % 2 == 0 ? how < 6 : how < 3) grow(list, model, &seed);
            else shrink(list, model, &seed);
        }
        check_model(list, model);
    }
    CHECK_OK(mproc_list_clear(list));
    CHECK_EQ(peers_blocks(), blocks);
    mproc_list_free(list);
    free(model);
}

/* ---- many elements --------------------------------------------------------------------------------------- */

static void case_many_elements_come_and_go(void)
{
    int64_t many = check_many(300000, 30000);
    mproc_list *list = lists_create(mproc_nil());
    uint64_t blocks = peers_blocks();

    for (int64_t i = 0; i < many; i++) CHECK_OK(mproc_list_append(list, mproc_int(i)));
    lists_check_sound(list);
    for (int64_t i = 0; i < many; i++) CHECK_EQ(lists_int(list, i), i);
    CHECK_OK(mproc_list_insert(list, many / 2, mproc_int(-1)));
    CHECK_EQ(lists_int(list, many / 2), -1);
    CHECK_EQ(lists_int(list, -1), many - 1);
    CHECK_OK(mproc_list_delete(list, many / 2));
    for (int64_t i = 0; i < many; i++) {
        mproc_value value = mproc_nil();
        CHECK_OK(mproc_list_pop(list, i % 2 ? 0 : -1, &value));
        CHECK_EQ(mproc_value_int(value), i % 2 ? i / 2 : many - 1 - i / 2);
    }
    CHECK_EQ(mproc_list_count(list), 0);
    CHECK_EQ(peers_blocks(), blocks);
    mproc_list_free(list);
}

/* What goes in front is used again, so a list may be a queue for ever. */
static void case_elements_that_pass_through_take_no_memory(void)
{
    mproc_list *list = lists_create(mproc_nil());
    uint64_t blocks;

    for (int64_t i = 0; i < 1000; i++) CHECK_OK(mproc_list_append(list, mproc_int(i)));
    blocks = peers_blocks();
    for (int64_t i = 0; i < check_many(100000, 10000); i++) {
        mproc_value value = mproc_nil();
        CHECK_OK(mproc_list_append(list, mproc_int(i + 1000)));
        CHECK_OK(mproc_list_pop(list, 0, &value));
        CHECK_EQ(mproc_value_int(value), i);
    }
    CHECK(peers_blocks() <= blocks + 4);
    for (int64_t i = 0; i < check_many(100000, 10000); i++) {
        CHECK_OK(mproc_list_insert(list, 0, mproc_int(i)));
        CHECK_OK(mproc_list_delete(list, -1));
    }
    CHECK(peers_blocks() <= blocks + 4);
    lists_check_sound(list);
    mproc_list_free(list);
}

static void case_an_element_takes_less_than_20_bytes(void)
{
    int64_t many = 200000;
    mproc_list *list = lists_create(mproc_nil());
    struct block_census before = block_count(), after;

    for (int64_t i = 0; i < many; i++) CHECK_OK(mproc_list_append(list, mproc_int(i)));
    after = block_count();
    CHECK((int64_t)(after.bytes_used - before.bytes_used) < 20 * many);
    mproc_list_free(list);
    CHECK(block_count().bytes_used < before.bytes_used);
}

CHECK_SUITE_SETUP(list_growth, peers_of_threads,
    CASE(any_changes_leave_what_they_should),
    CASE(many_elements_come_and_go),
    CASE(elements_that_pass_through_take_no_memory),
    CASE(an_element_takes_less_than_20_bytes)
);
