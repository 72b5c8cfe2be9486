/*
 * A dict under stress: keys are set, deleted and popped, and some of each life always have the same value, one behind
 * the other.
 */
#include "stress_container.h"

#include "check.h"
#include "kill/table_sound.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <string.h>

#define TEXT_BYTES 80
#define ALIKE 8 /* the first so many things, which change by one step */
#define ALIKE_FROM 1000000000

static void *create(void)
{
    mproc_dict *dict = NULL;

    CHECK_OK(mproc_dict_create(MPROC_MAP("count", 0), &dict));
    return dict;
}

/* ---- keys and values ------------------------------------------------------------------------------------ */

/* Numbers and texts, by turns. */
static mproc_value key_of(uint32_t life, uint32_t thing, char *text)
{
    if (thing < ALIKE) return mproc_int(ALIKE_FROM + ALIKE * (int64_t)life + thing);
    if (thing % 2) return mproc_int((int64_t)life * STRESS_THINGS + thing);
    snprintf(text, TEXT_BYTES, "life %lu, key %lu", (unsigned long)life, (unsigned long)thing);
    return MPROC_VALUE((const char *)text);
}

/* A number, or text of up to so many bytes, of which all are the same. */
static mproc_value value_of(uint32_t made_of, char *text)
{
    if (made_of % 3 == 0) return mproc_int(made_of);
    memset(text, (int)('a' + made_of % 26), TEXT_BYTES);
    return mproc_string_from(text, 1 + made_of % (TEXT_BYTES - 1));
}

static bool is(void *dict, uint32_t life, uint32_t thing, uint32_t made_of)
{
    char key_text[TEXT_BYTES], text[TEXT_BYTES];
    mproc_value value = mproc_nil();
    mproc_status status = mproc_dict_get(dict, key_of(life, thing, key_text), &value);
    bool same = status == MPROC_OK ? made_of && mproc_value_equal(value, value_of(made_of, text)) : made_of == 0;

    mproc_value_clear(&value);
    return same;
}

/* Of those that are alike the first goes first: then nobody looks for the others. */
static void take_out(void *dict, uint32_t life)
{
    char text[TEXT_BYTES];

    for (uint32_t i = 0; i < STRESS_THINGS; i++) (void)!mproc_dict_delete(dict, key_of(life, i, text));
}

/* ---- changes -------------------------------------------------------------------------------------------- */

static void plan(uint32_t random, uint32_t *next)
{
    uint32_t thing = random % STRESS_THINGS, how = random / STRESS_THINGS, made_of = 1 + how % 100000;

    if (thing >= ALIKE) next[thing] = next[thing] && how % 2 ? 0 : made_of;
    for (uint32_t i = 0; i < ALIKE && thing < ALIKE; i++) next[i] = made_of;
}

static mproc_status set_alike(mproc_dict *dict, uint32_t life, uint32_t made_of)
{
    char text[TEXT_BYTES];
    mproc_value pairs[2 * ALIKE];

    for (uint32_t i = 0; i < ALIKE; i++) {
        pairs[2 * i] = key_of(life, i, NULL);
        pairs[2 * i + 1] = value_of(made_of, text);
    }
    return mproc_dict_update(dict, mproc_map_from(pairs, ALIKE));
}

static mproc_status pop(mproc_dict *dict, mproc_value key, uint32_t made_of)
{
    mproc_value value = mproc_nil();
    char text[TEXT_BYTES];
    mproc_status status = mproc_dict_pop(dict, key, &value);

    if (status == MPROC_OK && !mproc_value_equal(value, value_of(made_of, text))) status = MPROC_BROKEN;
    mproc_value_clear(&value);
    return status;
}

static mproc_status set_default(mproc_dict *dict, mproc_value key, mproc_value value)
{
    mproc_value now = mproc_nil();
    mproc_status status = mproc_dict_setdefault(dict, key, value, &now);

    if (status == MPROC_OK && !mproc_value_equal(now, value)) status = MPROC_BROKEN;
    mproc_value_clear(&now);
    return status;
}

static mproc_status change(void *dict, uint32_t life, uint32_t random, const uint32_t *now, const uint32_t *next)
{
    uint32_t thing = random % STRESS_THINGS, how = random / STRESS_THINGS / 2;
    char key_text[TEXT_BYTES], text[TEXT_BYTES];
    mproc_value key = key_of(life, thing, key_text);

    if (thing < ALIKE) return set_alike(dict, life, next[0]);
    if (next[thing] && (now[thing] || how % 2)) return mproc_dict_set(dict, key, value_of(next[thing], text));
    if (next[thing]) return set_default(dict, key, value_of(next[thing], text));
    return how % 2 ? mproc_dict_delete(dict, key) : pop(dict, key, now[thing]);
}

static mproc_status adds(mproc_call *call)
{
    int64_t number, more;

    MPROC_TRY(mproc_unpack(call, &number, &more));
    return mproc_call_return(call, mproc_int(number + more));
}

static mproc_status count_up(void *dict, uint32_t random)
{
    if (random % 2) return mproc_dict_increment(dict, MPROC_VALUE("count"), 1, NULL);
    return mproc_dict_update_with(dict, MPROC_VALUE("count"), adds, MPROC_ARGS(1));
}

/* ---- looks ---------------------------------------------------------------------------------------------- */

static bool is_whole(mproc_value copy, size_t at)
{
    mproc_value value = mproc_value_at(copy, at);
    const char *text = mproc_value_string(value);
    int64_t key = mproc_value_int(mproc_value_key(copy, at));

    for (size_t i = 1; text && i < mproc_value_size(value); i++)
        if (text[i] != text[0]) return false;
    if (key < ALIKE_FROM || key % ALIKE != 0) return true;
    for (size_t i = 1; i < ALIKE; i++)
        if (mproc_value_int(mproc_value_key(copy, at + i)) != key + (int64_t)i ||
            !mproc_value_equal(mproc_value_at(copy, at + i), value))
            return false;
    return true;
}

static bool look(void *dict)
{
    mproc_value copy = mproc_nil();
    bool whole = mproc_dict_copy(dict, &copy) == MPROC_OK;

    for (size_t i = 0; i < mproc_value_count(copy); i++) whole = whole && is_whole(copy, i);
    mproc_value_clear(&copy);
    return whole;
}

static uint64_t counted(void *dict)
{
    mproc_value value = mproc_nil();

    return mproc_dict_get(dict, MPROC_VALUE("count"), &value) == MPROC_OK ? (uint64_t)mproc_value_int(value) : 0;
}

static size_t count(void *dict)
{
    return mproc_dict_count(dict);
}

static const char *sound(void *dict)
{
    return table_sound(dict);
}

static const struct stress_container container = {
    .name = "a dict",
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

void stress_dict(int seconds)
{
    stress_container(&container, live, seconds);
}
