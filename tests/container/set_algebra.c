/* Sets, by one process: what Python's SetProxy can do with two of them. */
#include "container/sets.h"

#include <stdlib.h>
#include <string.h>

/* ---- each operation, with each kind of another -------------------------------------------------------------- */

typedef mproc_status changes_set(mproc_set *set, mproc_value other);
typedef mproc_status gives_list(const mproc_set *set, mproc_value other, mproc_value *result);

struct operation {
    changes_set *changes;
    gives_list *gives;
    const char *expected; /* of ['a', 1, 'c'] and ['c', 2, 'a'] */
};

static const struct operation operations[] = {
    {mproc_set_update, mproc_set_union, "['a', 1, 'c', 2]"},
    {mproc_set_intersection_update, mproc_set_intersection, "['a', 'c']"},
    {mproc_set_difference_update, mproc_set_difference, "[1]"},
    {mproc_set_symmetric_difference_update, mproc_set_symmetric_difference, "[1, 2]"},
};

enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static void check_operations(mproc_value other)
{
    for (int i = 0; i < OPERATIONS; i++) {
        mproc_set *set = sets_create(MPROC_LIST("a", 1, "c"));
        mproc_value result = mproc_nil();
        CHECK_OK(operations[i].gives(set, other, &result));
        got_prints(result, operations[i].expected);
        sets_check(set, "['a', 1, 'c']");
        CHECK_OK(operations[i].changes(set, other));
        sets_check(set, operations[i].expected);
        CHECK(sets_add(set, KEY("later")));
        dicts_check_sound(&set->dict);
        mproc_set_free(set);
    }
}

static void case_two_sets_are_combined(void)
{
    mproc_set *set = sets_create(MPROC_LIST("c", 2, "a"));
    mproc_dict *dict = dicts_create(MPROC_MAP("c", 1, 2, 2, "a", 3));

    check_operations(MPROC_LIST("c", 2, "a"));
    check_operations(MPROC_LIST("c", 2, "c", "a", 2, "c"));
    check_operations(MPROC_MAP("c", 1, 2, 2, "a", 3));
    check_operations(MPROC_VALUE(set));
    check_operations(MPROC_VALUE(dict));
    sets_check(set, "['c', 2, 'a']");
    mproc_dict_free(dict);
    mproc_set_free(set);
}

static void case_nothing_is_combined_with_something(void)
{
    mproc_set *set = sets_create(MPROC_LIST("a"));
    mproc_value result = mproc_nil();

    CHECK_OK(mproc_set_update(set, mproc_nil()));
    CHECK_OK(mproc_set_difference_update(set, mproc_nil()));
    CHECK_OK(mproc_set_symmetric_difference_update(set, mproc_nil()));
    sets_check(set, "['a']");
    CHECK_OK(mproc_set_intersection_update(set, mproc_nil()));
    sets_check(set, "[]");
    CHECK_OK(mproc_set_union(set, mproc_nil(), &result));
    CHECK_EQ(mproc_value_type(result), MPROC_TYPE_LIST);
    mproc_value_clear(&result);
    CHECK_OK(mproc_set_symmetric_difference_update(set, MPROC_LIST("b", "c")));
    sets_check(set, "['b', 'c']");
    mproc_set_free(set);
}

static void case_set_is_combined_with_itself(void)
{
    mproc_set *set = sets_create(MPROC_LIST("a", "b"));
    mproc_value result = mproc_nil();
    bool answer = false;

    CHECK_OK(mproc_set_update(set, MPROC_VALUE(set)));
    CHECK_OK(mproc_set_intersection_update(set, MPROC_VALUE(set)));
    sets_check(set, "['a', 'b']");
    CHECK_OK(mproc_set_equal(set, MPROC_VALUE(set), &answer));
    CHECK(answer);
    CHECK_OK(mproc_set_symmetric_difference(set, MPROC_VALUE(set), &result));
    CHECK_EQ(mproc_value_count(result), 0);
    mproc_value_clear(&result);
    CHECK_OK(mproc_set_difference_update(set, MPROC_VALUE(set)));
    sets_check(set, "[]");
    mproc_set_free(set);
}

/* ---- questions ---------------------------------------------------------------------------------------------- */

static void check_answers(const mproc_set *set, mproc_value other, const char *expected)
{
    bool disjoint = false, subset = false, superset = false, equal = false;
    char answers[5] = "----";

    CHECK_OK(mproc_set_is_disjoint(set, other, &disjoint));
    CHECK_OK(mproc_set_is_subset(set, other, &subset));
    CHECK_OK(mproc_set_is_superset(set, other, &superset));
    CHECK_OK(mproc_set_equal(set, other, &equal));
    if (disjoint) answers[0] = 'd';
    if (subset) answers[1] = '<';
    if (superset) answers[2] = '>';
    if (equal) answers[3] = '=';
    CHECK_STRING(answers, expected);
}

static void case_two_sets_are_compared(void)
{
    mproc_set *set = sets_create(MPROC_LIST(1, 2, 3)), *other = sets_create(MPROC_LIST(3, 2, 1)),
              *empty = sets_create(mproc_nil());

    check_answers(set, MPROC_LIST(1, 2), "-->-");
    check_answers(set, MPROC_LIST(1, 2, 3, 4), "-<--");
    check_answers(set, MPROC_LIST(3, 1, 2, 1), "-<>=");
    check_answers(set, MPROC_VALUE(other), "-<>=");
    check_answers(set, MPROC_LIST(1, 2, 4), "----");
    check_answers(set, MPROC_LIST(4, "1", mproc_bool(true)), "d---");
    check_answers(set, mproc_nil(), "d->-");
    check_answers(set, MPROC_VALUE(empty), "d->-");
    check_answers(empty, MPROC_VALUE(set), "d<--");
    check_answers(empty, mproc_nil(), "d<>=");
    check_answers(empty, MPROC_VALUE(empty), "d<>=");
    sets_check(set, "[1, 2, 3]");
    mproc_set_free(empty);
    mproc_set_free(other);
    mproc_set_free(set);
}

static void case_what_is_no_other_set_changes_nothing(void)
{
    mproc_set *set = sets_create(MPROC_LIST(1, 2)), *gone = sets_create(MPROC_LIST(1));
    mproc_value result = mproc_int(7), copy = mproc_nil();
    bool answer = true;

    for (int i = 0; i < OPERATIONS; i++) {
        CHECK_SAYS(operations[i].changes(set, MPROC_LIST(1, 0.5)), MPROC_INVALID, "a key is a double");
        CHECK_SAYS(operations[i].changes(set, mproc_int(1)), MPROC_INVALID, "and not in an int64");
        CHECK_SAYS(operations[i].gives(set, MPROC_VALUE("12"), &result), MPROC_INVALID, "and not in a string");
        CHECK_SAYS(operations[i].gives(set, mproc_nil(), NULL), MPROC_INVALID, "NULL");
    }
    CHECK_STATUS(mproc_set_equal(set, mproc_int(1), &answer), MPROC_INVALID);
    CHECK_OK(mproc_value_copy(MPROC_VALUE(gone), &copy));
    mproc_set_free(gone);
    CHECK_STATUS(mproc_set_update(set, copy), MPROC_CLOSED);
    mproc_value_clear(&copy);
    CHECK_EQ(mproc_value_int(result), 7);
    CHECK(answer);
    sets_check(set, "[1, 2]");
    mproc_set_free(set);
}

/* ---- against a model ---------------------------------------------------------------------------------------- */

enum { NUMBERS = 2000, TEXT_BYTES = 300 };

/* Integers, and text of any size. */
static mproc_value element_of(uint32_t number, char *text)
{
    if (number % 2) return mproc_int(number);
    memset(text, (int)('a' + number % 26), TEXT_BYTES);
    memcpy(text,
           &(char[]){(char)('0' + number / 1000), (char)('0' + number / 100 % 10), (char)('0' + number / 10 % 10),
                     (char)('0' + number % 10)},
           4);
    return mproc_string_from(text, 4 + number % (TEXT_BYTES - 4));
}

/* Any of them, as the other of a change. */
static void take_any(bool *any, mproc_value *items, size_t *count, uint32_t *seed)
{
    static char texts[NUMBERS][TEXT_BYTES];
    uint32_t share = 1 + (*seed >> 9) % 7;

    *count = 0;
    for (uint32_t i = 0; i < NUMBERS; i++) {
        any[i] = any_number(seed) % 8 < share;
        if (any[i]) items[(*count)++] = element_of(i, texts[i]);
    }
}

static bool remains(int operation, bool ours, bool theirs)
{
    if (operation == 0) return ours || theirs;
    if (operation == 1) return ours && theirs;
    return operation == 2 ? ours && !theirs : ours != theirs;
}

static void case_any_changes_by_sets_leave_what_they_should(void)
{
    bool *there = calloc(NUMBERS, sizeof *there), *any = calloc(NUMBERS, sizeof *any);
    mproc_value *items = calloc(NUMBERS, sizeof *items);
    mproc_set *set = sets_create(mproc_nil());
    uint64_t blocks = peers_blocks();
    uint32_t seed = 5;

    CHECK(there && any && items);
    for (int i = 0; i < check_many(48, 12); i++) {
        int operation = i % 3 == 0 ? 0 : i % 4;
        size_t count = 0, expected = 0;
        take_any(any, items, &count, &seed);
        CHECK_OK(operations[operation].changes(set, mproc_list_from(items, count)));
        for (uint32_t j = 0; j < NUMBERS; j++) {
            char text[TEXT_BYTES];
            there[j] = remains(operation, there[j], any[j]);
            CHECK_EQ(mproc_set_has(set, element_of(j, text)), there[j]);
            expected += there[j];
        }
        CHECK_EQ(mproc_set_count(set), expected);
        dicts_check_sound(&set->dict);
    }
    CHECK_OK(mproc_set_intersection_update(set, mproc_nil()));
    CHECK_EQ(peers_blocks(), blocks);
    mproc_set_free(set);
    free(items);
    free(any);
    free(there);
}

static void case_sets_that_others_empty_give_their_memory_back(void)
{
    mproc_set *set = sets_create(mproc_nil()), *other = sets_create(mproc_nil());
    uint64_t blocks = peers_blocks();

    for (int64_t i = 0; i < 5000; i++) CHECK(sets_add(other, mproc_int(i)));
    CHECK_OK(mproc_set_update(set, MPROC_VALUE(other)));
    CHECK_EQ(mproc_set_count(set), 5000);
    CHECK_OK(mproc_set_difference_update(set, MPROC_VALUE(other)));
    CHECK_EQ(mproc_set_count(set), 0);
    CHECK_OK(mproc_set_symmetric_difference_update(set, MPROC_VALUE(other)));
    dicts_check_sound(&set->dict);
    CHECK_OK(mproc_set_symmetric_difference_update(set, MPROC_VALUE(other)));
    CHECK_EQ(mproc_set_count(set), 0);
    CHECK_OK(mproc_set_clear(other));
    CHECK_EQ(peers_blocks(), blocks);
    mproc_set_free(other);
    mproc_set_free(set);
}

CHECK_SUITE_SETUP(set_algebra, peers_of_threads,
    CASE(two_sets_are_combined),
    CASE(nothing_is_combined_with_something),
    CASE(set_is_combined_with_itself),
    CASE(two_sets_are_compared),
    CASE(what_is_no_other_set_changes_nothing),
    CASE(any_changes_by_sets_leave_what_they_should),
    CASE(sets_that_others_empty_give_their_memory_back)
);

/* ---- in a manager --------------------------------------------------------------------------------------------- */

/* Of one that is not there it gets what that has; here, of one that is there, too. */
static void case_sets_of_two_programs_are_combined(void)
{
    mproc_set *there = sets_create(MPROC_LIST(1, 2, 3)), *here = NULL, *copied = NULL;
    mproc_dict *dict = dicts_create(MPROC_MAP(2, "two"));
    mproc_value result = mproc_nil();

    CHECK_OK(mproc_set_create(MPROC_LIST(3, 4), &here));
    CHECK_OK(mproc_set_union(there, MPROC_VALUE(here), &result));
    got_prints(result, "[1, 2, 3, 4]");
    CHECK_OK(mproc_set_difference_update(there, MPROC_VALUE(here)));
    sets_check(there, "[1, 2]");
    CHECK_OK(mproc_set_update(here, MPROC_VALUE(there)));
    CHECK_OK(mproc_set_difference_update(here, MPROC_VALUE(dict)));
    sets_check(here, "[3, 4, 1]");
    check_answers(here, MPROC_VALUE(there), "----");
    check_answers(there, MPROC_VALUE(here), "----");
    CHECK_OK(mproc_set_create(MPROC_VALUE(there), &copied));
    sets_check(copied, "[1, 2]");
    check_answers(there, MPROC_VALUE(copied), "-<>=");
    mproc_set_free(copied);
    mproc_set_free(here);
    mproc_set_free(there);
    mproc_dict_free(dict);
}

/* All but those that look at the memory. */
CHECK_SUITE_SETUP(set_algebra_served, containers_of_a_manager,
    CASE_SERVED(two_sets_are_combined),
    CASE_SERVED(nothing_is_combined_with_something),
    CASE_SERVED(set_is_combined_with_itself),
    CASE_SERVED(two_sets_are_compared),
    CASE_SERVED(what_is_no_other_set_changes_nothing),
    CASE_SERVED(sets_of_two_programs_are_combined)
);
