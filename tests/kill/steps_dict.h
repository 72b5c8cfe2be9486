/*
 * What the scenarios of dicts, sets and namespaces share: the latter begin with a dict, which is what is looked at.
 */
#ifndef KILL_STEPS_DICT_H
#define KILL_STEPS_DICT_H

#include "container/dict.h"
#include "steps_container.h"

mproc_status test_dict_copy(const void *dict, mproc_value *copy);
const char *test_dict_sound(const void *dict);
mproc_status test_dict_use(void *dict);
mproc_status test_dict_use_less(void *dict);

/* A struct container_kind. */
#define DICT_KIND(object_)                                                                     \
    {                                                                                          \
        object_, dict_make, test_dict_copy, test_dict_sound, test_dict_use, test_dict_use_less \
    }

void test_dict_set_keys(void *dict, int64_t first, int64_t end);
void test_dict_delete_keys(void *dict, int64_t first, int64_t end);

#endif
