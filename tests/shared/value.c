/* mproc/shared.h: one item: what it is at first, who sees its changes, and what is refused. */
#include "sync/peers.h"

typedef struct point {
    double x;
    int32_t number;
    char letter;
} point;

typedef union item {
    int32_t int32;
    double number;
    int16_t int16;
    int64_t int64;
    char letter;
    point point;
} item;

/* What Python's test has, and a struct: an item of each type before and after. */
static const struct type {
    size_t size;
    item before, after;
} types[] = {
    {sizeof(int32_t), {.int32 = 4343}, {.int32 = 24234}},
    {sizeof(double), {.number = 3.625}, {.number = -4.25}},
    {sizeof(int16_t), {.int16 = -232}, {.int16 = 234}},
    {sizeof(int64_t), {.int64 = (int64_t)1 << 33}, {.int64 = -((int64_t)1 << 34)}},
    {sizeof(char), {.letter = 'x'}, {.letter = 'y'}},
    {sizeof(point), {.point = {0.5, 7, 'p'}}, {.point = {-0.5, 8, 'q'}}},
};

enum { TYPES = sizeof types / sizeof types[0] };

static mproc_shared_options raw = {.raw = true};

/* ---- at first ----------------------------------------------------------------------------------- */

static void create_all(mproc_shared_value **values, const mproc_shared_options *options)
{
    int i;

    for (i = 0; i < TYPES; i++)
        CHECK_OK(mproc_shared_value_create(types[i].size, &types[i].before, options, &values[i]));
}

static void free_all(mproc_shared_value **values)
{
    int i;

    for (i = 0; i < TYPES; i++) mproc_shared_value_free(values[i]);
}

static void check_item(mproc_shared_value *value, const item *expected, size_t size)
{
    item found;

    CHECK_EQ(mproc_shared_value_size(value), size);
    CHECK_EQ((uintptr_t)mproc_shared_value_data(value) % _Alignof(max_align_t), 0);
    CHECK(memcmp(mproc_shared_value_data(value), expected, size) == 0);
    CHECK_OK(mproc_shared_value_get(value, &found, size));
    CHECK(memcmp(&found, expected, size) == 0);
}

static void check_initial(const mproc_shared_options *options)
{
    mproc_shared_value *values[TYPES];
    int i;

    create_all(values, options);
    for (i = 0; i < TYPES; i++) check_item(values[i], &types[i].before, types[i].size);
    free_all(values);
}

static void case_value_is_at_first_what_it_is_given(void)
{
    check_initial(NULL);
    check_initial(&raw);
}

static void check_zeros(mproc_shared_value *value)
{
    const unsigned char *bytes = mproc_shared_value_data(value);
    size_t i;

    for (i = 0; i < mproc_shared_value_size(value); i++) CHECK_EQ(bytes[i], 0);
}

static void case_value_without_a_beginning_is_zero_though_memory_is_reused(void)
{
    const size_t sizes[] = {1, 8, 100, 5000};
    mproc_shared_value *value = NULL;
    int i;

    for (i = 0; i < 12; i++) {
        CHECK_OK(mproc_shared_value_create(sizes[i % 4], NULL, i % 2 ? &raw : NULL, &value));
        check_zeros(value);
        memset(mproc_shared_value_data(value), 0xAA, sizes[i % 4]);
        mproc_shared_value_free(value);
    }
}

/* ---- others ------------------------------------------------------------------------------------- */

/* Finds each item as it was made, and changes it: one by a copy, the next in place. */
static void changes_all(peer *self)
{
    mproc_shared_value *values[TYPES];
    int i;

    peer_open_many(self, (void **)values);
    for (i = 0; i < TYPES; i++) {
        check_item(values[i], &types[i].before, types[i].size);
        if (i % 2) memcpy(mproc_shared_value_data(values[i]), &types[i].after, types[i].size);
        else CHECK_OK(mproc_shared_value_set(values[i], &types[i].after, types[i].size));
    }
    peer_drop_many(self, (void **)values);
}

static void check_changes(const mproc_shared_options *options)
{
    mproc_shared_value *values[TYPES];
    peer_crowd crowd;
    int i;

    crowd_init(&crowd);
    create_all(values, options);
    crowd_tell_many(&crowd, (void *const *)values, TYPES);
    crowd_add(&crowd, 1, changes_all, NULL);
    crowd_join(&crowd);
    for (i = 0; i < TYPES; i++) check_item(values[i], &types[i].after, types[i].size);
    free_all(values);
    crowd_fini(&crowd);
}

static void case_changes_are_seen_by_all(void)
{
    check_changes(NULL);
    check_changes(&raw);
}

/* One answers the other, in one word that both change. */
static void adds_to_odd_numbers(peer *self)
{
    _Atomic uint32_t *word = mproc_shared_value_data(self->object);
    uint32_t i;

    for (i = 1; i < 200; i += 2) {
        board_await(word, i);
        atomic_fetch_add(word, 1);
    }
}

static void case_raw_value_may_be_an_atomic(void)
{
    mproc_shared_value *value = NULL;
    _Atomic uint32_t *word;
    peer_crowd crowd;
    uint32_t i;

    crowd_init(&crowd);
    CHECK_OK(mproc_shared_value_create(sizeof *word, NULL, &raw, &value));
    word = mproc_shared_value_data(value);
    crowd_add(&crowd, 1, adds_to_odd_numbers, value);
    for (i = 0; i < 200; i += 2) {
        board_await(word, i);
        atomic_fetch_add(word, 1);
    }
    crowd_join(&crowd);
    CHECK_EQ(atomic_load(word), 200);
    mproc_shared_value_free(value);
    crowd_fini(&crowd);
}

/* ---- refused ------------------------------------------------------------------------------------ */

static void case_size_is_the_items_and_the_address_is_somewhere(void)
{
    int32_t before = 5, found = 0;
    mproc_shared_value *value = NULL;
    int64_t other = 7;

    CHECK_OK(mproc_shared_value_create(sizeof before, &before, NULL, &value));
    CHECK_SAYS(mproc_shared_value_get(value, &other, sizeof other), MPROC_INVALID, "has 4 bytes, not 8");
    CHECK_SAYS(mproc_shared_value_set(value, &other, sizeof other), MPROC_INVALID, "has 4 bytes, not 8");
    CHECK_STATUS(mproc_shared_value_get(value, &other, 0), MPROC_INVALID);
    CHECK_STATUS(mproc_shared_value_set(value, &other, SIZE_MAX), MPROC_INVALID);
    CHECK_SAYS(mproc_shared_value_get(value, NULL, sizeof before), MPROC_INVALID, "no address");
    CHECK_SAYS(mproc_shared_value_set(value, NULL, sizeof before), MPROC_INVALID, "no address");
    CHECK_OK(mproc_shared_value_get(value, &found, sizeof found));
    CHECK(found == before && other == 7);
    CHECK_OK(mproc_shared_value_acquire(value, 0)); /* none of these has kept the lock */
    CHECK_OK(mproc_shared_value_release(value));
    CHECK_STATUS(mproc_shared_value_release(value), MPROC_NOT_OWNER);
    mproc_shared_value_free(value);
}

static void case_create_needs_a_size_and_a_place(void)
{
    mproc_shared_value *value = NULL;

    CHECK_SAYS(mproc_shared_value_create(4, NULL, NULL, NULL), MPROC_INVALID, "out is NULL");
    CHECK_SAYS(mproc_shared_value_create(0, NULL, NULL, &value), MPROC_INVALID, "0 bytes");
    CHECK_STATUS(mproc_shared_value_create(0, "x", &raw, &value), MPROC_INVALID);
    CHECK(value == NULL);
    mproc_shared_value_free(NULL);
}

static void case_sizes_that_no_memory_has_are_refused(void)
{
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 64, SIZE_MAX / 2 + 1, SIZE_MAX / 2, SIZE_MAX / 4, SIZE_MAX / 4096};
    mproc_shared_value *value = NULL;
    uint64_t blocks = peers_blocks();
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        CHECK_SAYS(mproc_shared_value_create(sizes[i], NULL, i % 2 ? &raw : NULL, &value), MPROC_NO_MEMORY, " bytes");
        CHECK_STATUS(mproc_shared_value_create(sizes[i], "no so long", NULL, &value), MPROC_NO_MEMORY);
    }
    CHECK(value == NULL);
    CHECK_EQ(peers_blocks(), blocks);
}

/* As a program of an older version: what its options do not have counts as zero. */
static void case_options_of_an_older_program_are_shorter(void)
{
    mproc_shared_value *value = NULL;

    CHECK_OK(mproc_shared_value_create_sized(4, NULL, &raw, offsetof(mproc_shared_options, raw), &value));
    CHECK_OK(mproc_shared_value_acquire(value, 0));
    CHECK_OK(mproc_shared_value_release(value));
    mproc_shared_value_free(value);
    CHECK_OK(mproc_shared_value_create_sized(4, NULL, &raw, sizeof raw + 8, &value));
    CHECK_STATUS(mproc_shared_value_acquire(value, 0), MPROC_NOT_SUPPORTED);
    mproc_shared_value_free(value);
}

CHECK_TWINS(shared_value, peers_of_processes, shared_value_threads, peers_of_threads,
    CASE(value_is_at_first_what_it_is_given),
    CASE(value_without_a_beginning_is_zero_though_memory_is_reused),
    CASE(changes_are_seen_by_all),
    CASE(raw_value_may_be_an_atomic),
    CASE(size_is_the_items_and_the_address_is_somewhere),
    CASE(create_needs_a_size_and_a_place),
    CASE(sizes_that_no_memory_has_are_refused),
    CASE(options_of_an_older_program_are_shorter),
);
