/* What the scenarios of dicts share. */
#include "steps_dict.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 2048

mproc_dict *test_dict;
mproc_dict *test_dict_mine;

/* What the dict has when the victim begins, and when it is done. */
static char before[TEXT_BYTES], after[TEXT_BYTES];

const char test_dict_text[] = "a text that is longer than what a value itself has room for";
const char test_dict_other[] = "another text that is longer than what a value has room for, and longer than that one";

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

void test_dict_set(mproc_dict *to, mproc_value key, mproc_value value)
{
    must(mproc_dict_set(to, key, value));
}

void test_dict_delete_keys(mproc_dict *from, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) must(mproc_dict_delete(from, mproc_int(i)));
}

void test_dict_set_keys(mproc_dict *to, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) test_dict_set(to, mproc_int(i), mproc_int(10 * i));
}

/* ---- what all do ---------------------------------------------------------------------------------------- */

static void print(const mproc_dict *from, char *into)
{
    mproc_value copy;

    must(mproc_dict_copy(from, &copy));
    if (mproc_value_print(copy, into, TEXT_BYTES) >= TEXT_BYTES) abort();
    mproc_value_clear(&copy);
}

static void open_mine(void)
{
    struct reference *reference;

    must(reference_open(&((const struct reference *)(const void *)test_dict)->ref, &reference));
    test_dict_mine = (mproc_dict *)(void *)reference;
}

void test_dict_enter(void *state)
{
    test_family_enter_victim(state);
    open_mine();
}

void test_dict_say(void *state)
{
    atomic_store(&((struct test_family *)state)->victim_said, 1);
}

static mproc_dict *make_empty(enum object_kind kind)
{
    struct reference *reference;

    must(dict_make(kind, &reference));
    return (mproc_dict *)(void *)reference;
}

void test_dict_begin_as(void *state, enum object_kind kind)
{
    test_family_pass_objects();
    test_family_begin(state);
    test_dict = make_empty(kind);
}

void test_dict_begin(void *state)
{
    test_dict_begin_as(state, OBJECT_DICT);
}

/* The change is tried with another dict that has the same, to know what comes of it. */
void test_dict_expect(void (*make)(void), void (*change)(void *state))
{
    mproc_dict *real = test_dict;
    struct test_family nobody;

    test_dict = make_empty((enum object_kind)real->reference.ref.kind);
    make();
    test_dict_mine = test_dict;
    change(&nobody);
    print(test_dict, after);
    reference_free(&test_dict->reference);
    test_dict = real;
    make();
    print(test_dict, before);
}

void test_dict_recover(void *state)
{
    test_family_recover(state);
    if (test_dict) container_unlock(container_lock(dict_container(test_dict)), dict_container(test_dict));
}

const char *test_dict_check_sound(void)
{
    const char *wrong = table_sound(test_dict);

    return wrong ? step_says("%s", wrong) : NULL;
}

/* Others go on with it: keys come and go, also so many that it grows. */
static const char *check_use(void)
{
    mproc_value copy;
    const char *wrong;

    for (int64_t i = 1000; i < 1040; i++)
        test_dict_set(test_dict, mproc_int(i), i % 2 ? KEY(test_dict_text) : mproc_int(i));
    if ((wrong = test_dict_check_sound()) != NULL) return wrong;
    must(mproc_dict_copy(test_dict, &copy));
    mproc_value_clear(&copy);
    test_dict_delete_keys(test_dict, 1000, 1040);
    return test_dict_check_sound();
}

const char *test_dict_check_end(void *state, bool completed)
{
    const char *wrong = check_use();

    if (wrong) return wrong;
    test_family_disband(state);
    reference_free(&test_dict->reference);
    return test_family_check(state, completed);
}

const char *test_dict_check(void *state, bool completed)
{
    bool done = completed || atomic_load(&((struct test_family *)state)->victim_said);
    static char now[TEXT_BYTES];
    const char *wrong = test_dict_check_sound();

    if (wrong) return wrong;
    print(test_dict, now);
    if (strcmp(now, after) != 0 && (done || strcmp(now, before) != 0)) return step_says("the dict is %s", now);
    return test_dict_check_end(state, completed);
}
