/*
 * A stress over named memory: processes create, attach, unlink and drop memory of few names, and are killed
 * meanwhile. What they find under a name is whole, and at the end nobody has left a name behind.
 */
#include "stress.h"

#include "object/resource_owner.h"
#include "check.h"

#include <mproc/mproc.h>

#include <stdio.h>
#include <string.h>

#define PROCESSES 3
#define NAMES 3
#define BYTES_MAX 20000

struct board {
    int64_t root; /* in the names, so that no other test has the same */
    _Atomic uint32_t stop;
    _Atomic uint32_t spoiled;
    _Atomic uint32_t refused; /* with a status that cannot be */
    _Atomic uint32_t rounds[STRESS_LIVES_MAX];
};

/* What lies in the memory: written once by who created it, `size` last. */
struct content {
    uint64_t complement;
    _Atomic uint64_t size;
};

static struct board *board;

static void make_name(uint32_t number, char name[MPROC_SHARED_NAME_MAX])
{
    snprintf(name, MPROC_SHARED_NAME_MAX, "stress.%lld.%lu", (long long)board->root, (unsigned long)number);
}

static struct content *content_of(const mproc_shared_memory *memory)
{
    return (struct content *)mproc_shared_memory_data(memory);
}

/* New memory is all zero; then it says of itself how large it is. */
static void fill(const mproc_shared_memory *memory)
{
    struct content *content = content_of(memory);
    const unsigned char *bytes = (const unsigned char *)content;
    size_t size = mproc_shared_memory_size(memory), i;

    for (i = 0; i < size; i++)
        if (bytes[i] != 0) atomic_fetch_add(&board->spoiled, 1);
    content->complement = ~(uint64_t)size;
    atomic_store(&content->size, size);
}

/* Its creator may not have filled it yet, or have been killed before. */
static void look(const mproc_shared_memory *memory)
{
    const struct content *content = content_of(memory);
    uint64_t size = atomic_load(&content->size);

    if (size == 0) return;
    if (size != mproc_shared_memory_size(memory) || content->complement != ~size)
        atomic_fetch_add(&board->spoiled, 1);
}

static mproc_shared_memory *take(uint32_t number, uint32_t *seed)
{
    mproc_shared_memory *memory = NULL;
    char name[MPROC_SHARED_NAME_MAX];
    mproc_status status;

    make_name(number, name);
    status = mproc_shared_memory_attach(name, &memory);
    if (status == MPROC_OK) {
        look(memory);
    } else if (status == MPROC_NOT_FOUND) {
        size_t size = sizeof(struct content) + stress_random(seed) % BYTES_MAX;
        status = mproc_shared_memory_create(size, &(mproc_shared_memory_options){.name = name}, &memory);
        if (status == MPROC_OK) fill(memory);
    }
    if (status != MPROC_OK && status != MPROC_EXISTS) {
        printf("%s: %s\n", name, mproc_last_error_text());
        atomic_fetch_add(&board->refused, 1);
    }
    return memory;
}

static void unlink_it(mproc_shared_memory *memory)
{
    mproc_status status = mproc_shared_memory_unlink(memory);

    if (status != MPROC_OK && status != MPROC_NOT_FOUND) atomic_fetch_add(&board->refused, 1);
}

static mproc_status live(mproc_call *call)
{
    mproc_shared_memory *held[NAMES] = {NULL};
    struct stress_life life;
    uint32_t seed, i;

    if (mproc_unpack_bytes(call, &life, sizeof life) != MPROC_OK) return MPROC_INVALID;
    board = arena_at(life.board);
    seed = life.number;
    while (!atomic_load(&board->stop)) {
        uint32_t number = stress_random(&seed) % NAMES;
        if (held[number] == NULL) {
            held[number] = take(number, &seed);
        } else {
            if (stress_random(&seed) % 4 == 0) unlink_it(held[number]);
            mproc_shared_memory_free(held[number]);
            held[number] = NULL;
        }
        atomic_fetch_add(&board->rounds[life.number], 1);
    }
    for (i = 0; i < NAMES; i++) mproc_shared_memory_free(held[i]);
    return MPROC_OK;
}

static void put_back(void)
{
}

static uint32_t rounds(uint32_t life, uint32_t thread)
{
    (void)thread;
    return atomic_load(&board->rounds[life]);
}

/* Nobody has any of the names, and each can be used. */
static void judge(const struct stress *stress)
{
    mproc_shared_memory *memory = NULL;
    char name[MPROC_SHARED_NAME_MAX];
    uint64_t sum = 0;
    uint32_t i;

    for (i = 0; i < stress->lives; i++) sum += atomic_load(&board->rounds[i]);
    printf("names: %lu kills, %llu rounds\n", (unsigned long)stress->kills, (unsigned long long)sum);
    CHECK_EQ(atomic_load(&board->spoiled), 0);
    CHECK_EQ(atomic_load(&board->refused), 0);
    for (i = 0; i < NAMES; i++) {
        make_name(i, name);
        CHECK_STATUS(mproc_shared_memory_attach(name, &memory), MPROC_NOT_FOUND);
        CHECK_OK(mproc_shared_memory_create(8, &(mproc_shared_memory_options){.name = name}, &memory));
        mproc_shared_memory_free(memory);
    }
}

void stress_names(int seconds)
{
    struct stress stress = {.live = live,
                            .processes = PROCESSES,
                            .threads = 1,
                            .least = 200,
                            .most = 5000,
                            .put_back = put_back,
                            .rounds = rounds};

    board = stress_begin(&stress, "names", sizeof *board);
    board->root = mproc_getpid();
    stress_blow(&stress, seconds);
    stress_await_rounds(&stress);
    atomic_store(&board->stop, 1);
    stress_join(&stress);
    judge(&stress);
    stress_end(&stress);
}
