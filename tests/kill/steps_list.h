/*
 * What the scenarios of lists share: a list of the root, of which the victim has a reference of its own. A scenario
 * that changes it says what is there before, and is tried once to know what is there after.
 */
#ifndef KILL_STEPS_LIST_H
#define KILL_STEPS_LIST_H

#include "items_sound.h"
#include "steps.h"
#include "test_family.h"

#define TEXT(x) MPROC_VALUE(x)

extern mproc_list *test_list;
extern mproc_list *test_list_mine; /* the process' own reference */

/* Longer than what a value itself has room for, and of two sizes. */
extern const char test_list_text[], test_list_other[];

/* For the set-up, by the root: `make` fills the list, in which `change` is what the victim does. */
void test_list_begin(void *state);
void test_list_expect(void (*make)(void), void (*change)(void *state));
void test_list_append(mproc_value value);
void test_list_append_numbers(int64_t first, int64_t end);

/* For victims. */
void test_list_enter(void *state);
void test_list_say(void *state);

/* All that is there is whole. */
const char *test_list_check_sound(void);

/* It is what it was before, or after: that, if the change has returned. Then as the next. */
const char *test_list_check(void *state, bool completed);

/* Others go on with the list; then it is dropped, after which nothing of it is left. */
const char *test_list_check_end(void *state, bool completed);

#define RECOVERED                                                                                              \
    .recover_enter = test_family_enter_recoverer, .recover = test_family_recover, .teardown = test_family_end, \
    .sparse = true

#endif
