/*
 * What the scenarios of dicts, sets and namespaces share: a dict of the root, of which the victim has a reference of
 * its own. A scenario that changes it says what is there before, and is tried once to know what is there after. A set
 * and a namespace begin with a dict, which is what is looked at.
 */
#ifndef KILL_STEPS_DICT_H
#define KILL_STEPS_DICT_H

#include "test_family.h"
#include "steps.h"
#include "table_sound.h"

#include "container/namespace.h"
#include "container/set.h"

#define KEY(x) MPROC_VALUE(x)

extern mproc_dict *test_dict;
extern mproc_dict *test_dict_mine; /* the process' own reference */

/* Longer than what a value itself has room for, and of two sizes. */
extern const char test_dict_text[], test_dict_other[];

/* For the set-up, by the root: `make` fills the dict, in which `change` is what the victim does. */
void test_dict_begin(void *state);
void test_dict_begin_as(void *state, enum object_kind kind);
void test_dict_expect(void (*make)(void), void (*change)(void *state));
void test_dict_set(mproc_dict *to, mproc_value key, mproc_value value);
void test_dict_set_keys(mproc_dict *to, int64_t first, int64_t end);
void test_dict_delete_keys(mproc_dict *from, int64_t first, int64_t end);

/* For victims. */
void test_dict_enter(void *state);
void test_dict_say(void *state);

/* The dead is recovered, and what it has begun and not finished is finished. */
void test_dict_recover(void *state);

/* All that is there is whole. */
const char *test_dict_check_sound(void);

/* It is what it was before, or after: that, if the change has returned. Then as the next. */
const char *test_dict_check(void *state, bool completed);

/* Others go on with the dict; then it is dropped, after which nothing of it is left. */
const char *test_dict_check_end(void *state, bool completed);

#define RECOVERED                                                                                            \
    .recover_enter = test_family_enter_recoverer, .recover = test_dict_recover, .teardown = test_family_end, \
    .sparse = true

#endif
