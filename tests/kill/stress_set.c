/*
 * A set under stress: elements come and go one by one and by other sets. The two elements of a pair come and go by
 * one step, as all can see.
 */
#include "stress_container.h"

#include "check.h"
#include "container/set.h"
#include "kill/table_sound.h"

#include <mproc/mproc.h>

#include <stdio.h>

#define PAIRED 16 /* the first so many, which are numbers; the others are text */
#define TEXT_BYTES 80

static void *create(void)
{
    mproc_set *set = NULL;

    CHECK_OK(mproc_set_create(mproc_nil(), &set));
    return set;
}

/* ---- elements ------------------------------------------------------------------------------------------- */

static mproc_value element_of(uint32_t life, uint32_t thing, char *text)
{
    if (thing < PAIRED) return mproc_int((int64_t)life * PAIRED + thing);
    snprintf(text, TEXT_BYTES, "life %lu, element %lu", (unsigned long)life, (unsigned long)thing);
    return MPROC_VALUE((const char *)text);
}

static bool is(void *set, uint32_t life, uint32_t thing, uint32_t there)
{
    char text[TEXT_BYTES];

    return mproc_set_has(set, element_of(life, thing, text)) == (there != 0);
}

static void take_out(void *set, uint32_t life)
{
    char texts[STRESS_THINGS][TEXT_BYTES];
    mproc_value items[STRESS_THINGS];

    for (uint32_t i = 0; i < STRESS_THINGS; i++) items[i] = element_of(life, i, texts[i]);
    CHECK_OK(mproc_set_difference_update(set, mproc_list_from(items, STRESS_THINGS)));
}

/* ---- changes -------------------------------------------------------------------------------------------- */

enum { ADD, TAKE, EXCHANGE, WAYS };

static bool is_of_many(uint32_t random)
{
    return random % 4 == 0;
}

static uint32_t way_of(uint32_t random)
{
    return random / 4 % WAYS;
}

/* Whether the thing is one of the many: of a pair both or none. */
static bool is_meant(uint32_t random, uint32_t thing)
{
    return stress_random(&random) >> (thing < PAIRED ? thing & ~1u : thing) & 1;
}

static uint32_t single(uint32_t random)
{
    return PAIRED + random / 4 % (STRESS_THINGS - PAIRED);
}

static void plan(uint32_t random, uint32_t *next)
{
    uint32_t way = way_of(random);

    if (!is_of_many(random)) next[single(random)] ^= 1;
    for (uint32_t i = 0; i < STRESS_THINGS && is_of_many(random); i++)
        if (is_meant(random, i)) next[i] = way == ADD || (way == EXCHANGE && !next[i]);
}

static mproc_status change_many(mproc_set *set, uint32_t life, uint32_t random)
{
    char texts[STRESS_THINGS][TEXT_BYTES];
    mproc_value items[STRESS_THINGS], other;
    uint32_t count = 0;

    for (uint32_t i = 0; i < STRESS_THINGS; i++)
        if (is_meant(random, i)) items[count++] = element_of(life, i, texts[i]);
    other = mproc_list_from(items, count);
    if (way_of(random) == ADD) return mproc_set_update(set, other);
    if (way_of(random) == TAKE) return mproc_set_difference_update(set, other);
    return mproc_set_symmetric_difference_update(set, other);
}

static mproc_status add(mproc_set *set, mproc_value element)
{
    bool is_new = false;

    MPROC_TRY(mproc_set_add(set, element, &is_new));
    return is_new ? MPROC_OK : MPROC_BROKEN;
}

static mproc_status change(void *set, uint32_t life, uint32_t random, const uint32_t *now, const uint32_t *next)
{
    char text[TEXT_BYTES];
    mproc_value element = element_of(life, single(random), text);

    (void)now;
    if (is_of_many(random)) return change_many(set, life, random);
    if (next[single(random)]) return add(set, element);
    return random % 2 ? mproc_set_discard(set, element) : mproc_set_remove(set, element);
}

/* ---- looks ---------------------------------------------------------------------------------------------- */

/* The two of a pair came one behind the other. */
static bool look(void *set)
{
    mproc_value copy = mproc_nil();
    bool whole = mproc_set_copy(set, &copy) == MPROC_OK;
    int64_t first = -1;

    for (size_t i = 0; i < mproc_value_count(copy); i++) {
        mproc_value element = mproc_value_at(copy, i);
        int64_t number = mproc_value_int(element);
        if (mproc_value_type(element) != MPROC_TYPE_INT64) continue;
        whole = whole && (first < 0 ? number % 2 == 0 : number == first + 1);
        first = first < 0 ? number : -1;
    }
    mproc_value_clear(&copy);
    return whole && first < 0;
}

static size_t count(void *set)
{
    return mproc_set_count(set);
}

static const char *sound(void *set)
{
    return table_sound(set);
}

static const struct stress_container container = {
    .name = "a set",
    .create = create,
    .plan = plan,
    .change = change,
    .is = is,
    .take_out = take_out,
    .look = look,
    .count = count,
    .sound = sound,
};

static mproc_status live(mproc_call *call)
{
    return stress_container_live(&container, call);
}

void stress_set(int seconds)
{
    stress_container(&container, live, seconds);
}
