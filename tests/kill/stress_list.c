/*
 * A list under stress: values, of which no two are the same, come anywhere and go again; now and then all are
 * sorted. The first element counts.
 */
#include "stress_container.h"

#include "check.h"
#include "kill/items_sound.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 80

static void *create(void)
{
    mproc_list *list = NULL;

    CHECK_OK(mproc_list_create(MPROC_LIST(0), &list));
    return list;
}

/* ---- values --------------------------------------------------------------------------------------------- */

/* Numbers, and texts of many sizes, by turns. */
static mproc_value value_of(uint32_t life, uint32_t thing, char *text)
{
    if (thing % 2) return mproc_int(-(int64_t)(life * STRESS_THINGS + thing));
    memset(text, (int)('a' + thing), TEXT_BYTES - 1);
    snprintf(text, TEXT_BYTES, "life %lu, value %lu", (unsigned long)life, (unsigned long)thing);
    text[strlen(text)] = ' ';
    text[30 + thing] = 0;
    return MPROC_VALUE((const char *)text);
}

static bool is_whole(mproc_value value)
{
    const char *text = mproc_value_string(value), *number = text ? strstr(text, ", value ") : NULL;
    char whole[TEXT_BYTES];

    if (!text) return mproc_value_type(value) == MPROC_TYPE_INT64;
    if (strncmp(text, "life ", 5) != 0 || !number) return false;
    return mproc_value_equal(
        value, value_of((uint32_t)strtoul(text + 5, NULL, 10), (uint32_t)strtoul(number + 8, NULL, 10), whole));
}

static bool is(void *list, uint32_t life, uint32_t thing, uint32_t count)
{
    char text[TEXT_BYTES];
    int64_t counted = 0;

    return mproc_list_count_of(list, value_of(life, thing, text), &counted) == MPROC_OK && counted == count;
}

static void take_out(void *list, uint32_t life)
{
    char text[TEXT_BYTES];

    for (uint32_t i = 0; i < STRESS_THINGS; i++) (void)!mproc_list_remove(list, value_of(life, i, text));
}

/* ---- changes -------------------------------------------------------------------------------------------- */

static void plan(uint32_t random, uint32_t *next)
{
    uint32_t thing = random % STRESS_THINGS;

    next[thing] = !next[thing];
}

/* The first element counts, and stays the first. */
static mproc_status put(mproc_list *list, mproc_value value, uint32_t how)
{
    int64_t index = 1 + how / 4 % 20;

    if (how % 4 == 0) return mproc_list_append(list, value);
    if (how % 4 == 1) return mproc_list_insert(list, index, value);
    if (how % 4 == 2) return mproc_list_extend(list, mproc_list_from(&value, 1));
    return mproc_list_set_slice(list, index, index, 1, mproc_list_from(&value, 1));
}

/* All stay where they are, in another body. */
static int are_same(mproc_value left, mproc_value right)
{
    (void)left;
    (void)right;
    return 0;
}

static mproc_status change(void *list, uint32_t life, uint32_t random, const uint32_t *now, const uint32_t *next)
{
    uint32_t thing = random % STRESS_THINGS, how = random / STRESS_THINGS;
    char text[TEXT_BYTES];
    mproc_value value = value_of(life, thing, text);

    (void)now;
    if (how % 64 == 1) MPROC_TRY(mproc_list_sort(list, are_same, how % 128 == 1));
    return next[thing] ? put(list, value, how) : mproc_list_remove(list, value);
}

static mproc_status adds(mproc_call *call)
{
    int64_t number, more;

    MPROC_TRY(mproc_unpack(call, &number, &more));
    return mproc_call_return(call, mproc_int(number + more));
}

static mproc_status count_up(void *list, uint32_t random)
{
    if (random % 2) return mproc_list_increment(list, 0, 1, NULL);
    return mproc_list_update_with(list, 0, adds, MPROC_ARGS(1));
}

/* ---- looks ---------------------------------------------------------------------------------------------- */

/* In one piece, and one by one. */
static bool look(void *list)
{
    mproc_value copy = mproc_nil(), value = mproc_nil();
    bool whole = mproc_list_copy(list, &copy) == MPROC_OK;

    for (size_t i = 0; i < mproc_value_count(copy); i++) whole = whole && is_whole(mproc_value_at(copy, i));
    mproc_value_clear(&copy);
    for (int64_t i = 0; mproc_list_get(list, i, &value) == MPROC_OK; i++) {
        whole = whole && is_whole(value);
        mproc_value_clear(&value);
    }
    return whole;
}

static uint64_t counted(void *list)
{
    mproc_value value = mproc_nil();

    return mproc_list_get(list, 0, &value) == MPROC_OK ? (uint64_t)mproc_value_int(value) : 0;
}

static size_t count(void *list)
{
    return mproc_list_count(list);
}

static const char *sound(void *list)
{
    return items_sound(list);
}

static const struct stress_container container = {
    .name = "a list",
    .create = create,
    .plan = plan,
    .change = change,
    .is = is,
    .take_out = take_out,
    .look = look,
    .count_up = count_up,
    .counted = counted,
    .count = count,
    .sound = sound,
};

static mproc_status live(mproc_call *call)
{
    return stress_container_live(&container, call);
}

void stress_list(int seconds)
{
    stress_container(&container, live, seconds);
}
