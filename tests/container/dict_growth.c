/* Dicts that grow and shrink: against a model, and what they take of the family's memory. */
#include "container/dicts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a model -------------------------------------------------------------------------------------------- */

enum { NUMBERS = 3000, TEXT_BYTES = 700 };

/* What the dict should have: for each number of a key 0, or what its value is made of. */
struct model {
    uint32_t made_of[NUMBERS];
    size_t count;
};

/* Integers, short and longer text, and text that needs room of other sizes. */
static mproc_value key_of(uint32_t number, char *text)
{
    size_t size = number % 4 == 1 ? number % 8 : number % 4 == 2 ? number % 50 : number % TEXT_BYTES;

    if (number % 4 == 0) return mproc_int(number);
    memset(text, 'a' + (int)(number % 7), TEXT_BYTES);
    snprintf(text, 16, "%07u", number);
    return mproc_string_from(text, size < 7 ? 7 : size);
}

static mproc_value value_of(uint32_t made_of, char *text)
{
    if (made_of % 3 == 0) return mproc_int(made_of);
    memset(text, 'A' + (int)(made_of % 7), TEXT_BYTES);
    snprintf(text, 16, "%07u", made_of);
    return mproc_string_from(text, made_of % 3 == 1 ? 7 : made_of % TEXT_BYTES);
}

static void change(mproc_dict *dict, struct model *model, uint32_t *seed, bool grows)
{
    char key_text[TEXT_BYTES], value_text[TEXT_BYTES];
    uint32_t number = any_number(seed) % NUMBERS, made_of = 1 + any_number(seed) % 1000000;
    mproc_value key = key_of(number, key_text);

    if (any_number(seed) % 8 < (grows ? 6 : 2)) {
        CHECK_OK(mproc_dict_set(dict, key, value_of(made_of, value_text)));
        model->count += model->made_of[number] == 0;
        model->made_of[number] = made_of;
    } else {
        CHECK_STATUS(mproc_dict_delete(dict, key), model->made_of[number] ? MPROC_OK : MPROC_NOT_FOUND);
        model->count -= model->made_of[number] != 0;
        model->made_of[number] = 0;
    }
}

static void check_model(const mproc_dict *dict, const struct model *model)
{
    char key_text[TEXT_BYTES], value_text[TEXT_BYTES];

    CHECK_EQ(mproc_dict_count(dict), model->count);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        mproc_value key = key_of(i, key_text);
        if (model->made_of[i]) CHECK(dicts_has(dict, key, value_of(model->made_of[i], value_text)));
        else CHECK(!mproc_dict_has(dict, key));
    }
    dicts_check_sound(dict);
}

static void case_any_changes_leave_what_they_should(void)
{
    struct model *model = calloc(1, sizeof *model);
    mproc_dict *dict = dicts_create(mproc_nil());
    uint64_t blocks = peers_blocks();
    uint32_t seed = 1;

    CHECK(model != NULL);
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < check_many(6000, 1000); j++) change(dict, model, &seed, i % 2 == 0);
        check_model(dict, model);
    }
    CHECK_OK(mproc_dict_clear(dict));
    CHECK_EQ(peers_blocks(), blocks);
    mproc_dict_free(dict);
    free(model);
}

/* ---- many keys ------------------------------------------------------------------------------------------ */

static void case_many_keys_come_and_go(void)
{
    int64_t many = check_many(300000, 40000);
    mproc_dict *dict = dicts_create(mproc_nil());
    mproc_value keys = mproc_nil();
    uint64_t blocks = peers_blocks();

    for (int64_t i = 0; i < many; i++) CHECK_OK(mproc_dict_set(dict, mproc_int(i * 7919), mproc_int(i)));
    CHECK_EQ(mproc_dict_count(dict), many);
    dicts_check_sound(dict);
    CHECK_OK(mproc_dict_keys(dict, &keys));
    for (int64_t i = 0; i < many; i++) CHECK_EQ(mproc_value_int(mproc_value_at(keys, (size_t)i)), i * 7919);
    mproc_value_clear(&keys);
    for (int64_t i = 0; i < many; i++) CHECK_EQ(dicts_int(dict, mproc_int(i * 7919)), i);
    for (int64_t i = 0; i < many; i++) CHECK_OK(mproc_dict_delete(dict, mproc_int(i * 7919)));
    CHECK_EQ(mproc_dict_count(dict), 0);
    dicts_check_sound(dict);
    CHECK_EQ(peers_blocks(), blocks);
    mproc_dict_free(dict);
}

/* Names with a number, long names, and numbers whose lower, or upper, bits are the same. */
static mproc_value alike(int kind, int64_t number, char *text, size_t size)
{
    if (kind < 2) snprintf(text, size, kind ? "user:%08lld:name" : "key%lld", (long long)number);
    if (kind < 2) return MPROC_VALUE((const char *)text);
    return mproc_int(kind == 2 ? number : kind == 3 ? number * 4096 : (int64_t)((uint64_t)number << 40));
}

static void case_keys_that_are_alike_do_not_meet(void)
{
    int64_t many = 100000;
    char text[40];

    for (int kind = 0; kind < 5; kind++) {
        mproc_dict *dict = dicts_create(mproc_nil());
        const struct table *table = table_of(dict_container(dict));
        uint32_t longest = 0;
        for (int64_t i = 0; i < many; i++)
            CHECK_OK(mproc_dict_set(dict, alike(kind, i, text, sizeof text), mproc_int(i)));
        for (uint32_t i = 0; i < low(word_get(&table->buckets)); i++) {
            uint32_t length = 1, link = low(word_get(&table_bucket_at(table, i)->link));
            for (; link; length++) link = low(word_get(&((const struct table_bucket *)table_at(table, link))->link));
            if (length > longest) longest = length;
        }
        CHECK(longest <= 4);
        mproc_dict_free(dict);
    }
}

static void case_an_entry_takes_less_than_90_bytes(void)
{
    int64_t many = 200000;
    mproc_dict *dict = dicts_create(mproc_nil());
    struct block_census before = block_count(), after;
    char text[16];

    for (int64_t i = 0; i < many; i++) {
        snprintf(text, sizeof text, "key%lld", (long long)i);
        CHECK_OK(mproc_dict_set(dict, MPROC_VALUE((const char *)text), mproc_int(i)));
    }
    after = block_count();
    CHECK((int64_t)(after.bytes_used - before.bytes_used) < 90 * many);
    mproc_dict_free(dict);
    CHECK_EQ(block_count().bytes_used < before.bytes_used, true);
}

static void case_values_that_are_replaced_in_one_step_are_given_back(void)
{
    mproc_dict *dict = dicts_create(MPROC_MAP("a", 1, "b", 2));
    uint64_t blocks = peers_blocks();

    CHECK_OK(mproc_dict_update(dict, MPROC_MAP("a", "a text that is long", "b", MPROC_LIST(1, 2))));
    CHECK_EQ(peers_blocks(), blocks + 2);
    CHECK_OK(mproc_dict_update(dict, MPROC_MAP("b", 3, "a", 4)));
    CHECK_EQ(peers_blocks(), blocks);
    mproc_dict_free(dict);
}

/* Keys that are there, and new ones, many times what is there. */
static void case_many_keys_in_one_step_take_no_more_memory_than_one_by_one(void)
{
    size_t many = (size_t)check_many(60000, 6000);
    mproc_value *pairs = calloc(2 * many, sizeof *pairs);
    mproc_dict *dict = dicts_create(mproc_nil()), *other = dicts_create(mproc_nil());
    uint64_t before = block_count().bytes_used, one_by_one;

    CHECK(pairs != NULL);
    for (size_t i = 0; i < many; i++) {
        pairs[2 * i] = mproc_int((int64_t)i);
        pairs[2 * i + 1] = mproc_int((int64_t)(2 * i));
        CHECK_OK(mproc_dict_set(other, pairs[2 * i], pairs[2 * i + 1]));
    }
    one_by_one = block_count().bytes_used - before;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(mproc_dict_update(dict, mproc_map_from(pairs, i ? many : many / 20)));
        CHECK_EQ(mproc_dict_count(dict), i ? many : many / 20);
        dicts_check_sound(dict);
    }
    for (size_t i = 0; i < many; i++) CHECK_EQ(dicts_int(dict, mproc_int((int64_t)i)), 2 * i);
    CHECK(block_count().bytes_used - before < 2 * one_by_one + one_by_one / 2);
    free(pairs);
    mproc_dict_free(dict);
    mproc_dict_free(other);
}

/* Places of keys that went are used again. */
static void case_keys_that_come_and_go_take_no_memory(void)
{
    mproc_dict *dict = dicts_create(mproc_nil());
    uint64_t blocks;

    for (int64_t i = 0; i < 1000; i++) CHECK_OK(mproc_dict_set(dict, mproc_int(i), mproc_int(i)));
    blocks = peers_blocks();
    for (int64_t i = 0; i < check_many(300000, 20000); i++) {
        CHECK_OK(mproc_dict_delete(dict, mproc_int(i)));
        CHECK_OK(mproc_dict_set(dict, mproc_int(i + 1000), mproc_int(i)));
    }
    CHECK(peers_blocks() <= blocks + 2);
    dicts_check_sound(dict);
    mproc_dict_free(dict);
}

CHECK_SUITE_SETUP(dict_growth, peers_of_threads,
    CASE(any_changes_leave_what_they_should),
    CASE(many_keys_come_and_go),
    CASE(values_that_are_replaced_in_one_step_are_given_back),
    CASE(many_keys_in_one_step_take_no_more_memory_than_one_by_one),
    CASE(keys_that_are_alike_do_not_meet),
    CASE(an_entry_takes_less_than_90_bytes),
    CASE(keys_that_come_and_go_take_no_memory)
);
