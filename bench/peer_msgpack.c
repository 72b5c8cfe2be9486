/*
 * The rival that encodes values: the time of building and reading one message. Its buffer and its memory for decoded
 * objects are kept from message to message, which is the fastest way it offers.
 */
#include "measure.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

enum { ZONE_BYTES = 8192 };

static const char *volatile name = MESSAGE_NAME;
static volatile int count = MESSAGE_COUNT;
static volatile double ratio = MESSAGE_RATIO;
static volatile bool ok = MESSAGE_OK;

static void pack_text(msgpack_packer *packer, const char *text)
{
    size_t size = strlen(text);

    msgpack_pack_str(packer, size);
    msgpack_pack_str_body(packer, text, size);
}

static void build(msgpack_sbuffer *buffer)
{
    msgpack_packer packer;

    msgpack_sbuffer_clear(buffer);
    msgpack_packer_init(&packer, buffer, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, 5);
    pack_text(&packer, "name");
    pack_text(&packer, name);
    pack_text(&packer, "count");
    msgpack_pack_int(&packer, count);
    pack_text(&packer, "ratio");
    msgpack_pack_double(&packer, ratio);
    pack_text(&packer, "ok");
    if (ok) msgpack_pack_true(&packer);
    else msgpack_pack_false(&packer);
    pack_text(&packer, "tags");
    msgpack_pack_array(&packer, 2);
    pack_text(&packer, MESSAGE_TAG);
    pack_text(&packer, MESSAGE_OTHER_TAG);
}

static bool is_text(const msgpack_object *object, const char *text)
{
    size_t size = strlen(text);

    return object->type == MSGPACK_OBJECT_STR && object->via.str.size == size &&
           memcmp(object->via.str.ptr, text, size) == 0;
}

static const msgpack_object *get(const msgpack_object *map, const char *key)
{
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (is_text(&map->via.map.ptr[i].key, key)) return &map->via.map.ptr[i].val;
    abort();
}

static bool read(const msgpack_object *message)
{
    const msgpack_object *tags = get(message, "tags");
    bool same = is_text(get(message, "name"), MESSAGE_NAME) && get(message, "count")->via.i64 == MESSAGE_COUNT &&
                get(message, "ratio")->via.f64 == MESSAGE_RATIO && get(message, "ok")->via.boolean == MESSAGE_OK;

    return same && tags->via.array.size == 2 && is_text(&tags->via.array.ptr[0], MESSAGE_TAG) &&
           is_text(&tags->via.array.ptr[1], MESSAGE_OTHER_TAG);
}

/* What is kept from message to message. */
struct kept {
    msgpack_sbuffer buffer;
    msgpack_zone zone;
};

static void pass_often(void *context, size_t repeats)
{
    struct kept *kept = context;

    for (size_t i = 0; i < repeats; i++) {
        msgpack_object message;
        size_t at = 0;
        build(&kept->buffer);
        msgpack_zone_clear(&kept->zone);
        if (msgpack_unpack(kept->buffer.data, kept->buffer.size, &at, &kept->zone, &message) !=
            MSGPACK_UNPACK_SUCCESS)
            abort();
        if (message.type != MSGPACK_OBJECT_MAP || !read(&message)) abort();
    }
}

static void measure(const struct order *order, double values[2])
{
    struct kept kept;

    msgpack_sbuffer_init(&kept.buffer);
    measure_require(msgpack_zone_init(&kept.zone, ZONE_BYTES), "there is a zone");
    values[0] = measure_mean(pass_often, &kept, order->repeats);
    msgpack_zone_destroy(&kept.zone);
    msgpack_sbuffer_destroy(&kept.buffer);
}

static const struct task tasks[] = {{"value", measure}, {NULL, NULL}};

int main(int argument_count, char **arguments)
{
    return measure_main(argument_count, arguments, tasks);
}
