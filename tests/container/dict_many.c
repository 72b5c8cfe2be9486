/* A dict with as many keys as a machine has room for, which takes some seconds: for ci/soak. */
#include "container/dicts.h"

#include <stdio.h>

enum { MANY = 10000000 };

static void set_all(mproc_dict *dict)
{
    char text[16];

    for (int64_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "key%lld", (long long)i);
        CHECK_OK(mproc_dict_set(dict, MPROC_VALUE((const char *)text), mproc_int(i)));
    }
}

static void delete_all(mproc_dict *dict)
{
    char text[16];

    for (int64_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "key%lld", (long long)i);
        CHECK_OK(mproc_dict_delete(dict, MPROC_VALUE((const char *)text)));
    }
}

/* Of what is given back the family keeps no more than it keeps of anything. */
static void case_ten_million_keys_come_and_leave_nothing(void)
{
    mproc_dict *dict = dicts_create(mproc_nil());
    struct block_census before = block_count(), after;

    for (int i = 0; i < 2; i++) {
        set_all(dict);
        CHECK_EQ(mproc_dict_count(dict), MANY);
        CHECK(block_count().bytes_used - before.bytes_used < (uint64_t)90 * MANY);
        delete_all(dict);
        CHECK_EQ(mproc_dict_count(dict), 0);
        after = block_count();
        CHECK(after.sound);
        CHECK(after.bytes_used <= before.bytes_used);
        CHECK(after.bytes_warm <= atomic_load(&arena_header->heap.warm_bytes_max));
    }
    mproc_dict_free(dict);
}

CHECK_SUITE_SETUP(dict_many, peers_of_threads,
    CASE_LIMIT(ten_million_keys_come_and_leave_nothing, 600),
);
