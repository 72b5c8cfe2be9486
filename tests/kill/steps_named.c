/*
 * Named memory and shareable lists. Promised: whoever is killed, a name that nobody has is free; who has the memory
 * keeps it, and its name unless that was taken away; an element of a list is the old one or the new.
 */
#include "test_family.h"
#include "steps.h"

#include "object/reference.h"

#include <mproc/shareable_list.h>
#include <mproc/shared_memory.h>

#include <stdio.h>
#include <stdlib.h>

#define SIZE 10000
#define TEXT "a text that is longer than one word"

static char name[64];
static mproc_shared_memory *memory;
static mproc_shareable_list *list;

static mproc_status create(mproc_shared_memory **out)
{
    return mproc_shared_memory_create(SIZE, &(mproc_shared_memory_options){.name = name}, out);
}

/* With a table of owned slots that is there already: to make it is a scenario of blocks. */
static void enter_with_table(void *state)
{
    _Atomic uint64_t *owned;

    test_family_enter_victim(state);
    if (resource_take(1, 0, &owned) != MPROC_OK) abort();
    resource_release(owned);
}

static void begin(void *state)
{
    snprintf(name, sizeof name, "kill.%lld", (long long)plat_process_id());
    test_family_begin(state);
}

/* Nobody has the name, and it can be used. */
static const char *check_free(void *state, bool completed)
{
    mproc_shared_memory *mine;

    if (mproc_shared_memory_attach(name, &mine) != MPROC_NOT_FOUND) return step_says("the name is not free");
    if (create(&mine) != MPROC_OK) return step_says("the name cannot be used: %s", mproc_last_error_text());
    if (*(uint32_t *)mproc_shared_memory_data(mine) != 0) return step_says("new memory is not zero");
    mproc_shared_memory_free(mine);
    return test_family_check(state, completed);
}

static void create_and_free(void *state)
{
    mproc_shared_memory *mine;

    (void)state;
    if (create(&mine) != MPROC_OK) abort();
    *(uint32_t *)mproc_shared_memory_data(mine) = 1;
    mproc_shared_memory_free(mine);
}

/* ---- memory of the root ------------------------------------------------------------------------- */

static void begin_memory(void *state)
{
    begin(state);
    if (create(&memory) != MPROC_OK) abort();
}

static const char *check_memory(void *state, bool completed)
{
    mproc_shared_memory *other;

    if (mproc_shared_memory_attach(name, &other) != MPROC_OK) return step_says("the name is lost");
    *(uint32_t *)mproc_shared_memory_data(memory) = 5;
    if (*(uint32_t *)mproc_shared_memory_data(other) != 5) return step_says("the name stands for other memory");
    mproc_shared_memory_free(other);
    mproc_shared_memory_free(memory);
    return check_free(state, completed);
}

static void attach_and_free(void *state)
{
    mproc_shared_memory *mine;

    (void)state;
    if (mproc_shared_memory_attach(name, &mine) != MPROC_OK) abort();
    mproc_shared_memory_free(mine);
}

static void attach_and_unlink(void *state)
{
    mproc_shared_memory *mine;

    (void)state;
    if (mproc_shared_memory_attach(name, &mine) != MPROC_OK) abort();
    if (mproc_shared_memory_unlink(mine) != MPROC_OK) abort();
    mproc_shared_memory_free(mine);
}

static const char *check_unlinked(void *state, bool completed)
{
    mproc_status status = mproc_shared_memory_unlink(memory);

    if (status != MPROC_NOT_FOUND && (completed || status != MPROC_OK))
        return step_says("unlink says %s", mproc_status_name(status));
    *(uint32_t *)mproc_shared_memory_data(memory) = 6;
    mproc_shared_memory_free(memory);
    return check_free(state, completed);
}

/* ---- a list of the root ------------------------------------------------------------------------- */

static void begin_list(void *state)
{
    test_family_begin(state);
    if (mproc_shareable_list_create(MPROC_LIST(1, TEXT, 2), NULL, &list) != MPROC_OK) abort();
}

/* From text to text, and to a number. The victim is a fork: it has the root's mapping, and needs no handle. */
static void replace_twice(void *state)
{
    (void)state;
    if (mproc_shareable_list_set(list, 1, mproc_string("shorter")) != MPROC_OK) abort();
    if (mproc_shareable_list_set(list, 1, mproc_int(5)) != MPROC_OK) abort();
}

static const char *check_list(void *state, bool completed)
{
    mproc_value items, last = MPROC_LIST(1, 5, 2);
    bool whole;

    if (mproc_shareable_list_items(list, &items) != MPROC_OK) return step_says("%s", mproc_last_error_text());
    whole = mproc_value_equal(items, last);
    if (!completed)
        whole = whole || mproc_value_equal(items, MPROC_LIST(1, TEXT, 2)) ||
                mproc_value_equal(items, MPROC_LIST(1, "shorter", 2));
    mproc_value_clear(&items);
    if (!whole) return step_says("the list is none of those that were written");
    mproc_shareable_list_free(list);
    return test_family_check(state, completed);
}

#define VICTIM .enter = enter_with_table
#define RECOVERED .recover_enter = test_family_enter_recoverer, .recover = test_family_recover
#define ENDED .teardown = test_family_end, .sparse = true

static const step_scenario scenarios[] = {
    {.name = "named.create",
     .outside = true,
     .slow = true,
     .setup = begin,
     VICTIM,
     .operation = create_and_free,
     RECOVERED,
     .check = check_free,
     ENDED},
    {.name = "named.attach",
     .outside = true,
     .slow = true,
     .setup = begin_memory,
     VICTIM,
     .operation = attach_and_free,
     RECOVERED,
     .check = check_memory,
     ENDED},
    {.name = "named.unlink",
     .outside = true,
     .slow = true,
     .setup = begin_memory,
     VICTIM,
     .operation = attach_and_unlink,
     RECOVERED,
     .check = check_unlinked,
     ENDED},
    {.name = "list.set",
     .setup = begin_list,
     .enter = test_family_enter_victim,
     .operation = replace_twice,
     RECOVERED,
     .check = check_list,
     ENDED},
};

const steps_table steps_named = STEPS_TABLE(scenarios);
