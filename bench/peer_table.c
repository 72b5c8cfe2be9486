/*
 * What dict.c measures, by a plain table in shared memory under one pthread mutex: chains of entries of one size,
 * found by FNV-1a, with keys of at most 12 bytes and numbers as values. It has as many heads as it needs from the
 * beginning, so it never grows, and it keeps no order. And what list.c measures, by a plain array. Whoever is killed
 * here leaves the others waiting for ever.
 */
#define _GNU_SOURCE
#include "keys.h"
#include "meeting.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* `next` is the number of an entry, or 0. */
struct entry {
    uint64_t hash;
    int64_t value;
    uint32_t next;
    struct key key;
};

struct table {
    pthread_mutex_t mutex;
    uint32_t mask;
    uint32_t free;
    struct entry *entries;
    uint32_t heads[];
};

static uint64_t hash_of(const struct key *key)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (uint32_t i = 0; i < key->size; i++) hash = (hash ^ (unsigned char)key->text[i]) * 0x100000001B3u;
    return hash;
}

/* The link that has the key's entry, or that which is to have it. */
static uint32_t *find(struct table *table, const struct key *key, uint64_t hash)
{
    uint32_t *link = &table->heads[hash & table->mask];

    while (*link) {
        struct entry *entry = &table->entries[*link];
        if (entry->hash == hash && entry->key.size == key->size && memcmp(entry->key.text, key->text, key->size) == 0)
            break;
        link = &entry->next;
    }
    return link;
}

static struct entry *find_or_add(struct table *table, const struct key *key)
{
    uint64_t hash = hash_of(key);
    uint32_t *link = find(table, key, hash);
    struct entry *entry;

    if (*link) return &table->entries[*link];
    measure_require(table->free != 0, "there is room for the key");
    *link = table->free;
    entry = &table->entries[*link];
    table->free = entry->next;
    *entry = (struct entry){.hash = hash, .key = *key};
    return entry;
}

static void take_out(struct table *table, const struct key *key)
{
    uint32_t *link = find(table, key, hash_of(key)), number = *link;

    measure_require(number != 0, "the key is there");
    *link = table->entries[number].next;
    table->entries[number].next = table->free;
    table->free = number;
}

/* ---- the passes ------------------------------------------------------------------------------------- */

struct part {
    struct table *table;
    const struct key *keys;
    size_t count;
    uint32_t state;
    int64_t sum;
};

static const struct key *any(struct part *part)
{
    return keys_any(part->keys, part->count, &part->state);
}

static void set(void *context, size_t repeats)
{
    struct part *part = context;

    for (size_t i = 0; i < repeats; i++) {
        const struct key *key = any(part);
        pthread_mutex_lock(&part->table->mutex);
        find_or_add(part->table, key)->value = (int64_t)i;
        pthread_mutex_unlock(&part->table->mutex);
    }
}

static void get(void *context, size_t repeats)
{
    struct part *part = context;

    for (size_t i = 0; i < repeats; i++) {
        const struct key *key = any(part);
        uint32_t number;
        pthread_mutex_lock(&part->table->mutex);
        number = *find(part->table, key, hash_of(key));
        if (number == 0) abort();
        part->sum += part->table->entries[number].value;
        pthread_mutex_unlock(&part->table->mutex);
    }
}

static void increment(void *context, size_t repeats)
{
    struct part *part = context;

    for (size_t i = 0; i < repeats; i++) {
        const struct key *key = any(part);
        pthread_mutex_lock(&part->table->mutex);
        find_or_add(part->table, key)->value++;
        pthread_mutex_unlock(&part->table->mutex);
    }
}

static void replace(void *context, size_t repeats)
{
    struct part *part = context;

    for (size_t i = 0; i < repeats; i++) {
        const struct key *key = any(part);
        pthread_mutex_lock(&part->table->mutex);
        take_out(part->table, key);
        pthread_mutex_unlock(&part->table->mutex);
        pthread_mutex_lock(&part->table->mutex);
        find_or_add(part->table, key)->value = (int64_t)i;
        pthread_mutex_unlock(&part->table->mutex);
    }
}

/* ---- what is measured ------------------------------------------------------------------------------- */

static void init_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    measure_require(pthread_mutex_init(mutex, &attributes) == 0, "there is a mutex");
}

/* Two heads or more for each key. Entry 0 is none. */
static struct table *create(const struct key *keys, size_t count)
{
    struct table *table;
    size_t heads = 1;

    while (heads < 2 * count) heads *= 2;
    table = measure_shared(sizeof *table + heads * sizeof table->heads[0] + (count + 3) * sizeof(struct entry));
    table->mask = (uint32_t)heads - 1;
    table->entries = (struct entry *)(void *)((char *)table +
                                              ((sizeof *table + heads * sizeof table->heads[0] + 63) & ~(size_t)63));
    table->free = 1;
    for (uint32_t i = 1; i < count; i++) table->entries[i].next = i + 1;
    init_mutex(&table->mutex);
    for (size_t i = 0; i < count; i++) find_or_add(table, &keys[i])->value = (int64_t)i;
    return table;
}

static double measure_processes(struct part all, measure_pass *pass, const struct order *order)
{
    struct meeting *meeting = measure_shared(sizeof *meeting);
    size_t count = order->chunk;
    double time;

    for (size_t i = 0; i < count; i++) {
        struct part part = {all.table, all.keys + i * (all.count / count), all.count / count, (uint32_t)i, 0};
        if (fork() > 0) continue;
        meeting_pass(meeting, count, i, pass, &part, order->repeats);
        _exit(0);
    }
    time = meeting_time(meeting, count);
    for (size_t i = 0; i < count; i++) {
        int status = -1;
        wait(&status);
        measure_require(status == 0, "each process ends with 0");
    }
    return time / (double)(count * order->repeats);
}

static void measure(const struct order *order, measure_pass *first, measure_pass *second, double values[2])
{
    struct part part = {.keys = keys_create(order->items), .count = order->items};
    measure_pass *passes[] = {first, second};

    part.table = create(part.keys, part.count);
    for (size_t i = 0; i < 2; i++)
        values[i] = order->chunk > 1 ? measure_processes(part, passes[i], order)
                                     : measure_mean(passes[i], &part, order->repeats);
}

static void look(const struct order *order, double values[2])
{
    measure(order, set, get, values);
}

static void change(const struct order *order, double values[2])
{
    measure(order, increment, replace, values);
}

/* ---- a plain array ---------------------------------------------------------------------------------- */

struct array {
    pthread_mutex_t mutex;
    size_t count;
    uint32_t state;
    int64_t sum;
    int64_t numbers[];
};

static void append(void *context, size_t repeats)
{
    struct array *array = context;

    for (size_t i = 0; i < repeats; i++) {
        pthread_mutex_lock(&array->mutex);
        array->numbers[array->count++] = (int64_t)i;
        pthread_mutex_unlock(&array->mutex);
        pthread_mutex_lock(&array->mutex);
        array->sum += array->numbers[--array->count];
        pthread_mutex_unlock(&array->mutex);
    }
}

static void get_element(void *context, size_t repeats)
{
    struct array *array = context;

    for (size_t i = 0; i < repeats; i++) {
        array->state = array->state * 1664525u + 1013904223u;
        pthread_mutex_lock(&array->mutex);
        array->sum += array->numbers[((uint64_t)array->state * array->count) >> 32];
        pthread_mutex_unlock(&array->mutex);
    }
}

static void list_use(const struct order *order, double values[2])
{
    struct array *array = measure_shared(sizeof *array + (order->items + 1) * sizeof array->numbers[0]);

    init_mutex(&array->mutex);
    for (size_t i = 0; i < order->items; i++) array->numbers[array->count++] = (int64_t)i;
    values[0] = measure_mean(append, array, order->repeats);
    values[1] = measure_mean(get_element, array, order->repeats);
}

static const struct task tasks[] = {
    {"dict-look", look}, {"dict-change", change}, {"list-use", list_use}, {NULL, NULL}};

int main(int count, char **arguments)
{
    return measure_main(count, arguments, tasks);
}
