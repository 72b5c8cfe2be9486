/*
 * A stress over one dict: each process has keys of its own in it, sets and deletes them, and counts with all others;
 * it is killed at random. What it has written down before and after each change is the model: after its death its
 * keys have what the model says, but for the one change that it was in the middle of. Others see whole values.
 */
#include "stress.h"

#include "check.h"
#include "kill/table_sound.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <string.h>

#define PROCESSES 4
#define KEYS 24
#define TEXT_BYTES 80
#define PAIRS 1000000000

enum { CHANGE, LOOK, THREADS };

/* Of one life. A key's value is made of a number; 0: it is not there. `next` is what becomes of `at`. */
struct model {
    _Atomic uint32_t made_of[KEYS];
    _Atomic uint32_t at;
    _Atomic uint32_t next;
    _Atomic uint32_t busy;
    _Atomic uint32_t checked;
};

struct board {
    _Atomic uint64_t object;
    _Atomic uint32_t stop;
    _Atomic uint32_t left;
    struct stress_wrong wrong;
    _Atomic uint32_t counted[STRESS_LIVES_MAX];
    _Atomic uint32_t rounds[STRESS_LIVES_MAX][THREADS];
    struct model models[STRESS_LIVES_MAX];
};

static struct board *board;
static mproc_dict *dict;
static uint32_t life_number;
static struct stress stress;

static bool stopped(void)
{
    return atomic_load(&board->stop) != 0;
}

/* ---- keys and values ------------------------------------------------------------------------------------ */

/* Numbers and texts, by turns. */
static mproc_value key_of(uint32_t life, uint32_t number, char *text)
{
    if (number % 2) return mproc_int((int64_t)life * KEYS + number);
    snprintf(text, TEXT_BYTES, "life %lu, key %lu", (unsigned long)life, (unsigned long)number);
    return MPROC_VALUE((const char *)text);
}

/* A number, or text of up to so many bytes, of which all are the same. */
static mproc_value value_of(uint32_t made_of, char *text)
{
    if (made_of % 3 == 0) return mproc_int(made_of);
    memset(text, (int)('a' + made_of % 26), TEXT_BYTES);
    return mproc_string_from(text, 1 + made_of % (TEXT_BYTES - 1));
}

static bool is_made_of(uint32_t life, uint32_t number, uint32_t made_of)
{
    char key_text[TEXT_BYTES], text[TEXT_BYTES];
    mproc_value value = mproc_nil();
    mproc_status status = mproc_dict_get(dict, key_of(life, number, key_text), &value);
    bool same = status == MPROC_OK ? made_of && mproc_value_equal(value, value_of(made_of, text)) : made_of == 0;

    mproc_value_clear(&value);
    return same;
}

/* ---- what a life does ----------------------------------------------------------------------------------- */

/* What becomes of the key: `to` is what its value is made of then, or 0. */
static void change(struct model *model, uint32_t number, uint32_t to, uint32_t how)
{
    char key_text[TEXT_BYTES], text[TEXT_BYTES];
    mproc_value key = key_of(life_number, number, key_text), value = mproc_nil();

    atomic_store(&model->at, number);
    atomic_store(&model->next, to);
    atomic_store(&model->busy, 1);
    if (to) {
        EXPECT(mproc_dict_set(dict, key, value_of(to, text)) == MPROC_OK);
    } else if (how % 2) {
        EXPECT(mproc_dict_delete(dict, key) == MPROC_OK);
    } else {
        EXPECT(mproc_dict_pop(dict, key, &value) == MPROC_OK);
        EXPECT(mproc_value_equal(value, value_of(atomic_load(&model->made_of[number]), text)));
        mproc_value_clear(&value);
    }
    atomic_store(&model->made_of[number], to);
    atomic_store(&model->busy, 0);
}

/* Two keys of a life whose values are the same at any time, one behind the other. */
static mproc_value pair_key(uint32_t life, uint32_t number)
{
    return mproc_int(PAIRS + 2 * (int64_t)life + number);
}

static void set_pair(uint32_t made_of)
{
    char text[TEXT_BYTES];
    mproc_value value = value_of(made_of, text);

    EXPECT(mproc_dict_update(dict, MPROC_LIST(MPROC_LIST(pair_key(life_number, 0), value),
                                              MPROC_LIST(pair_key(life_number, 1), value))) == MPROC_OK);
}

static mproc_status adds(mproc_call *call)
{
    int64_t number, more;

    MPROC_TRY(mproc_unpack(call, &number, &more));
    return mproc_call_return(call, mproc_int(number + more));
}

static void count_up(uint32_t how)
{
    if (how % 2) EXPECT(mproc_dict_increment(dict, MPROC_VALUE("count"), 1, NULL) == MPROC_OK);
    else EXPECT(mproc_dict_update_with(dict, MPROC_VALUE("count"), adds, MPROC_ARGS(1)) == MPROC_OK);
    atomic_fetch_add(&board->counted[life_number], 1);
}

static void change_all(void)
{
    struct model *model = &board->models[life_number];
    uint32_t seed = life_number * THREADS + CHANGE;

    while (!stopped()) {
        uint32_t random = stress_random(&seed), number = random % KEYS, how = random / KEYS;
        uint32_t made_of = atomic_load(&model->made_of[number]);
        if (how % 64 == 0) stress_pause(&seed, 1, 100);
        if (how % 4 == 0) count_up(how / 4);
        else if (how % 8 == 2) set_pair(how);
        else change(model, number, made_of && how % 4 == 1 ? 0 : 1 + how % 100000, how / 4);
        EXPECT(is_made_of(life_number, number, atomic_load(&model->made_of[number])));
        atomic_fetch_add(&board->rounds[life_number][CHANGE], 1);
    }
}

/* Whatever is there is whole, and so is the whole. */
static void look_at_all(void)
{
    uint32_t seed = life_number * THREADS + LOOK;

    while (!stopped()) {
        mproc_value copy = mproc_nil();
        EXPECT(mproc_dict_copy(dict, &copy) == MPROC_OK);
        for (size_t i = 0; i < mproc_value_count(copy); i++) {
            mproc_value value = mproc_value_at(copy, i);
            const char *text = mproc_value_string(value);
            int64_t key = mproc_value_int(mproc_value_key(copy, i));
            for (size_t j = 1; text && j < mproc_value_size(value); j++) EXPECT(text[j] == text[0]);
            if (key < PAIRS || key % 2 == 1) continue;
            EXPECT(mproc_value_int(mproc_value_key(copy, i + 1)) == key + 1);
            EXPECT(mproc_value_equal(mproc_value_at(copy, i + 1), value));
        }
        mproc_value_clear(&copy);
        stress_pause(&seed, 1, 100);
        atomic_fetch_add(&board->rounds[life_number][LOOK], 1);
    }
}

static void look_thread(void *unused)
{
    (void)unused;
    look_at_all();
    atomic_fetch_add(&board->left, 1);
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    return atomic_load(&board->rounds[life][thread]);
}

static mproc_status live(mproc_call *call)
{
    struct stress_life life;
    struct reference *reference;
    plat_thread *thread;
    struct handle_ref ref;

    MPROC_TRY(mproc_unpack_bytes(call, &life, sizeof life));
    board = arena_at(life.board);
    life_number = life.number;
    ref = object_ref(atomic_load(&board->object));
    MPROC_TRY(reference_open(&ref, &reference));
    dict = (mproc_dict *)(void *)reference;
    MPROC_TRY(plat_thread_start(look_thread, NULL, &thread));
    change_all();
    plat_thread_join(thread);
    mproc_dict_free(dict);
    atomic_fetch_add(&board->left, 1);
    return MPROC_OK;
}

/* ---- judging -------------------------------------------------------------------------------------------- */

/* Of a life that has ended: takes its keys out, so that there are never many. */
static void check_life(uint32_t life)
{
    struct model *model = &board->models[life];
    bool busy = atomic_load(&model->busy);
    char text[TEXT_BYTES];

    for (uint32_t i = 0; i < KEYS; i++) {
        bool same = is_made_of(life, i, atomic_load(&model->made_of[i]));
        if (!same && busy && atomic_load(&model->at) == i) same = is_made_of(life, i, atomic_load(&model->next));
        if (!same) printf("life %lu, key %lu is not what it should be\n", (unsigned long)life, (unsigned long)i);
        CHECK(same);
        (void)!mproc_dict_delete(dict, key_of(life, i, text));
    }
    atomic_store(&model->checked, 1);
}

/* When all lives have ended: their pairs go. */
static void check_pairs(void)
{
    for (uint32_t life = 0; life < stress.lives; life++) {
        mproc_value first = mproc_nil(), second = mproc_nil();
        bool there = mproc_dict_has(dict, pair_key(life, 0));
        CHECK_EQ(mproc_dict_has(dict, pair_key(life, 1)), there);
        if (!there) continue;
        CHECK_OK(mproc_dict_pop(dict, pair_key(life, 0), &first));
        CHECK_OK(mproc_dict_pop(dict, pair_key(life, 1), &second));
        CHECK(mproc_value_equal(first, second));
        mproc_value_clear(&first);
        mproc_value_clear(&second);
    }
}

static void put_back(void)
{
    check_life(stress.dead);
}

static bool all_left(void *unused)
{
    (void)unused;
    return atomic_load(&board->left) == PROCESSES * THREADS;
}

static uint64_t count(void)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_dict_get(dict, MPROC_VALUE("count"), &value));
    return (uint64_t)mproc_value_int(value);
}

void stress_dict(int seconds)
{
    const char *wrong;

    stress = (struct stress){.live = live,
                             .processes = PROCESSES,
                             .threads = THREADS,
                             .least = 200,
                             .most = 4000,
                             .put_back = put_back,
                             .rounds = rounds};
    board = stress_begin(&stress, "a dict", sizeof *board);
    CHECK_OK(mproc_dict_create(MPROC_MAP("count", 0), &dict));
    atomic_store(&board->object, ((const struct reference *)(const void *)dict)->ref.offset);
    stress_blow(&stress, seconds);
    stress_await_rounds(&stress);
    atomic_store(&board->stop, 1);
    CHECK_WAIT_UNTIL(all_left, NULL);
    stress_join(&stress);
    stress_check_nothing_wrong(&board->wrong);
    for (uint32_t i = 0; i < stress.lives; i++)
        if (!atomic_load(&board->models[i].checked)) check_life(i);
    check_pairs();
    CHECK_EQ(mproc_dict_count(dict), 1);
    wrong = table_sound(dict);
    CHECK_STRING(wrong ? wrong : "", "");
    stress_judge_count(&stress, "a dict", count(), board->counted);
    mproc_dict_free(dict);
    stress_end(&stress);
}
