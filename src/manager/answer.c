/* Answers: read, and their objects made proxies. */
#include "manager/answer.h"

#include <stdlib.h>

#include "object/parcel.h"

mproc_status answer_read(const mproc_value *bytes, struct answer *answer)
{
    mproc_value list, status, text;
    mproc_status read = message_read(bytes, MESSAGE_HEAD_ANSWER, &list);

    if (read != MPROC_OK) return read;
    status = mproc_value_at(list, 1);
    text = mproc_value_at(list, 2);
    if (status.type != MPROC_TYPE_INT64 || status.as.int64 < 0 || status.as.int64 > INT32_MAX ||
        (text.type != MPROC_TYPE_STRING && text.type != MPROC_TYPE_NIL))
        return mproc_error(MPROC_INVALID, "an answer of a manager has a status and a text");
    answer->number = mproc_value_int(mproc_value_at(list, 0));
    answer->status = (mproc_status)status.as.int64;
    answer->text = text.type == MPROC_TYPE_STRING ? mproc_value_string(text) : "";
    answer->result = mproc_value_at(list, 3);
    answer->holds = mproc_value_bool(mproc_value_at(list, MESSAGE_HEAD_ANSWER));
    answer->objects = value_count_objects(&answer->result);
    return MPROC_OK;
}

struct receiving {
    struct client *client;
    mproc_status status;
    uint32_t received;
};

/* In the bytes that came, which nobody else has. */
static void receive_object(void *context, const struct handle_ref *ref)
{
    struct receiving *receiving = context;
    struct client *client = receiving->client;
    uint64_t number = ref->offset;
    uint32_t life = 0;

    if (receiving->status != MPROC_OK) return;
    if (ref->generation != 0 || number >= MESSAGE_OBJECTS_MAX)
        receiving->status = mproc_error(MPROC_BROKEN, "the manager has given an object a number that none has");
    else receiving->status = proxies_receive(&client->proxies, ref->kind, (uint32_t)number, &life);
    if (receiving->status != MPROC_OK) return;
    receiving->received++;
    *(struct handle_ref *)(uintptr_t)ref =
        (struct handle_ref){ref->kind, life, HANDLE_REMOTE | (uint64_t)client->slot * MESSAGE_OBJECTS_MAX | number};
}

/* Those that came, in the same order, and that nobody holds. */
static void forget_object(void *context, const struct handle_ref *ref)
{
    struct receiving *receiving = context;

    if (receiving->received == 0) return;
    receiving->received--;
    proxies_forget(&receiving->client->proxies, proxy_number(ref));
}

/* A copy of a value with objects, which have been received, that keeps them. */
static mproc_status keep(const mproc_value *view, mproc_value *result)
{
    struct remote_keeper *keeper;
    uint32_t objects;
    size_t size;
    mproc_status status;

    if ((status = encoding_measure(view, &size)) != MPROC_OK) return status;
    if (!(keeper = calloc(1, sizeof *keeper + size)))
        return mproc_error(MPROC_NO_MEMORY, "no memory for a value of %zu bytes", size);
    keeper->head.arena = REFERENCE_REMOTE;
    if ((status = encoding_write(view, keeper + 1, size, &size, &objects)) == MPROC_OK)
        status = reference_scope_keep(&keeper->scope, view);
    if (status != MPROC_OK) {
        reference_scope_clear(&keeper->scope);
        free(keeper);
        return status;
    }
    ((struct encoding_header *)(void *)(keeper + 1))->before = sizeof *keeper;
    *result = encoding_owned(keeper + 1);
    return MPROC_OK;
}

mproc_status answer_take(struct client *client, const struct answer *answer, mproc_value *result)
{
    struct receiving receiving = {client, MPROC_OK, 0};
    mproc_status status;

    if (answer->status != MPROC_OK) {
        answer_discard(client, answer);
        return mproc_error(answer->status, "%s", answer->text);
    }
    if (answer->objects == 0) return result ? mproc_value_copy(answer->result, result) : MPROC_OK;
    value_visit_objects(&answer->result, receive_object, &receiving);
    status = receiving.status;
    if (status == MPROC_OK && result) status = keep(&answer->result, result);
    if (status != MPROC_OK || !result) value_visit_objects(&answer->result, forget_object, &receiving);
    return status;
}

void answer_discard(struct client *client, const struct answer *answer)
{
    struct receiving receiving = {client, MPROC_OK, 0};

    value_visit_objects(&answer->result, receive_object, &receiving);
    value_visit_objects(&answer->result, forget_object, &receiving);
}
