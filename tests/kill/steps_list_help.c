/* What the scenarios of lists share. */
#include "steps_list.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 4096

mproc_list *test_list;
mproc_list *test_list_mine;

/* What the list has when the victim begins, and when it is done. */
static char before[TEXT_BYTES], after[TEXT_BYTES];

const char test_list_text[] = "a text that is longer than what a value itself has room for";
const char test_list_other[] = "another text that is longer than what a value has room for, and longer than that one";

static void must(mproc_status status)
{
    if (status != MPROC_OK) abort();
}

void test_list_append(mproc_value value)
{
    must(mproc_list_append(test_list, value));
}

void test_list_append_numbers(int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) test_list_append(mproc_int(i));
}

/* ---- what all do ---------------------------------------------------------------------------------------- */

static void print(const mproc_list *from, char *into)
{
    mproc_value copy;

    must(mproc_list_copy(from, &copy));
    if (mproc_value_print(copy, into, TEXT_BYTES) >= TEXT_BYTES) abort();
    mproc_value_clear(&copy);
}

static void open_mine(void)
{
    struct reference *reference;

    must(reference_open(&((const struct reference *)(const void *)test_list)->ref, &reference));
    test_list_mine = (mproc_list *)(void *)reference;
}

void test_list_enter(void *state)
{
    test_family_enter_victim(state);
    open_mine();
}

void test_list_say(void *state)
{
    atomic_store(&((struct test_family *)state)->victim_said, 1);
}

void test_list_begin(void *state)
{
    test_family_pass_objects();
    test_family_begin(state);
    must(mproc_list_create(mproc_nil(), &test_list));
}

/* The change is tried with another list that has the same, to know what comes of it. */
void test_list_expect(void (*make)(void), void (*change)(void *state))
{
    mproc_list *real = test_list;
    struct test_family nobody;

    must(mproc_list_create(mproc_nil(), &test_list));
    make();
    test_list_mine = test_list;
    change(&nobody);
    print(test_list, after);
    mproc_list_free(test_list);
    test_list = real;
    make();
    print(test_list, before);
}

const char *test_list_check_sound(void)
{
    const char *wrong = items_sound(test_list);

    return wrong ? step_says("%s", wrong) : NULL;
}

/* Others go on with it: elements come and go, everywhere, also so many that it grows. */
static const char *check_use(void)
{
    size_t count = mproc_list_count(test_list);
    const char *wrong;
    mproc_value copy;

    for (int64_t i = 0; i < 24; i++) test_list_append(i % 2 ? TEXT(test_list_text) : mproc_int(i));
    must(mproc_list_insert(test_list, 0, TEXT(test_list_other)));
    must(mproc_list_insert(test_list, 5, TEXT(test_list_other)));
    if ((wrong = test_list_check_sound()) != NULL) return wrong;
    must(mproc_list_copy(test_list, &copy));
    mproc_value_clear(&copy);
    must(mproc_list_delete_slice(test_list, 2, 26, 1));
    must(mproc_list_delete(test_list, -1));
    must(mproc_list_delete(test_list, 0));
    if (mproc_list_count(test_list) != count) return step_says("the list has %zu elements", count);
    return test_list_check_sound();
}

const char *test_list_check_end(void *state, bool completed)
{
    const char *wrong = check_use();

    if (wrong) return wrong;
    test_family_disband(state);
    mproc_list_free(test_list);
    return test_family_check(state, completed);
}

const char *test_list_check(void *state, bool completed)
{
    bool done = completed || atomic_load(&((struct test_family *)state)->victim_said);
    static char now[TEXT_BYTES];
    const char *wrong = test_list_check_sound();

    if (wrong) return wrong;
    print(test_list, now);
    if (strcmp(now, after) != 0 && (done || strcmp(now, before) != 0)) return step_says("the list is %s", now);
    return test_list_check_end(state, completed);
}
