/* Containers in fork() copies, which are not of the family. */
#include <stdlib.h>

#include "container/lists.h"
#include "container/sets.h"
#include "process/process_fixture_os.h"

typedef struct all_containers {
    mproc_dict *dict;
    mproc_list *list;
    mproc_set *set;
    mproc_namespace *space;
} all_containers;

static void check_dict(mproc_dict *dict)
{
    mproc_value value = mproc_int(7);
    int64_t result = 7;

    CHECK_SAYS(mproc_dict_set(dict, KEY("n"), KEY("a text that is long")), MPROC_FORKED, "fork() copy");
    CHECK_STATUS(mproc_dict_get(dict, KEY("n"), &value), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_pop(dict, KEY("n"), &value), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_pop_item(dict, &value), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_setdefault(dict, KEY("n"), KEY(1), &value), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_increment(dict, KEY("n"), 1, &result), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_update_with(dict, KEY("n"), adds, MPROC_ARGS(1)), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_update(dict, MPROC_MAP("n", 2)), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_delete(dict, KEY("n")), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_clear(dict), MPROC_FORKED);
    CHECK_STATUS(mproc_dict_copy(dict, &value), MPROC_FORKED);
    CHECK(!mproc_dict_has(dict, KEY("n")));
    CHECK(mproc_value_int(value) == 7 && result == 7);
    mproc_dict_free(dict);
}

static void check_list(mproc_list *list)
{
    mproc_value value = mproc_int(7);
    int64_t result = 7;

    CHECK_SAYS(mproc_list_append(list, TEXT("a text that is long")), MPROC_FORKED, "fork() copy");
    CHECK_STATUS(mproc_list_get(list, 0, &value), MPROC_FORKED);
    CHECK_STATUS(mproc_list_pop(list, 0, &value), MPROC_FORKED);
    CHECK_STATUS(mproc_list_increment(list, 0, 1, &result), MPROC_FORKED);
    CHECK_STATUS(mproc_list_update_with(list, 0, adds, MPROC_ARGS(1)), MPROC_FORKED);
    CHECK_STATUS(mproc_list_index_of(list, KEY(1), OPEN, OPEN, &result), MPROC_FORKED);
    CHECK_STATUS(mproc_list_extend(list, MPROC_LIST(1)), MPROC_FORKED);
    CHECK_STATUS(mproc_list_delete_slice(list, 0, OPEN, 1), MPROC_FORKED);
    CHECK_STATUS(mproc_list_sort(list, NULL, false), MPROC_FORKED);
    CHECK_STATUS(mproc_list_clear(list), MPROC_FORKED);
    CHECK_STATUS(mproc_list_copy(list, &value), MPROC_FORKED);
    CHECK(mproc_value_int(value) == 7 && result == 7);
    mproc_list_free(list);
}

static void check_set(mproc_set *set)
{
    mproc_value value = mproc_int(7);
    bool answer = true;

    CHECK_SAYS(mproc_set_add(set, KEY("b"), &answer), MPROC_FORKED, "fork() copy");
    CHECK_STATUS(mproc_set_remove(set, KEY("a")), MPROC_FORKED);
    CHECK_STATUS(mproc_set_pop(set, &value), MPROC_FORKED);
    CHECK_STATUS(mproc_set_update(set, MPROC_LIST("b")), MPROC_FORKED);
    CHECK_STATUS(mproc_set_intersection_update(set, mproc_nil()), MPROC_FORKED);
    CHECK_STATUS(mproc_set_equal(set, mproc_nil(), &answer), MPROC_FORKED);
    CHECK_STATUS(mproc_set_text(set, &value), MPROC_FORKED);
    CHECK(!mproc_set_has(set, KEY("a")));
    CHECK_EQ(mproc_set_count(set), 0);
    CHECK(mproc_value_int(value) == 7 && answer);
    mproc_set_free(set);
}

static void check_namespace(mproc_namespace *space)
{
    mproc_value value = mproc_int(7);

    CHECK_SAYS(mproc_namespace_set(space, "x", KEY(2)), MPROC_FORKED, "fork() copy");
    CHECK_STATUS(mproc_namespace_get(space, "x", &value), MPROC_FORKED);
    CHECK_STATUS(mproc_namespace_delete(space, "x"), MPROC_FORKED);
    CHECK_STATUS(mproc_namespace_text(space, &value), MPROC_FORKED);
    CHECK(!mproc_namespace_has(space, "x"));
    CHECK_EQ(mproc_namespace_count(space), 0);
    CHECK_EQ(mproc_value_int(value), 7);
    mproc_namespace_free(space);
}

/* What the copy has taken from them is only that. */
static void in_the_copy(void *context)
{
    const all_containers *all = context;

    check_dict(all->dict);
    check_list(all->list);
    check_set(all->set);
    check_namespace(all->space);
}

static void case_copy_has_no_containers(void)
{
    all_containers all = {dicts_create(MPROC_MAP("n", 1)), lists_create(MPROC_LIST(1, 2)),
                          sets_create(MPROC_LIST("a")), NULL};
    mproc_value text = mproc_nil();

    CHECK_OK(mproc_namespace_create(MPROC_MAP("x", 1), &all.space));
    CHECK_EQ(fixture_in_a_copy(in_the_copy, &all, exit), 5);
    dicts_check_prints(all.dict, "{'n': 1}");
    lists_check_prints(all.list, "[1, 2]");
    sets_check(all.set, "['a']");
    CHECK_OK(mproc_namespace_text(all.space, &text));
    got_text(text, "Namespace(x=1)");
    mproc_dict_free(all.dict);
    mproc_list_free(all.list);
    mproc_set_free(all.set);
    mproc_namespace_free(all.space);
}

CHECK_SUITE_SETUP(posix_containers, peers_of_threads,
    CASE(copy_has_no_containers)
);
