/* Messages: encoded and checked. */
#include "manager/message.h"

#include <stdlib.h>

/* As deep as a value may be. */
static bool has_function(const mproc_value *value)
{
    uint64_t count = value->type == MPROC_TYPE_MAP ? 2 * (uint64_t)value->count : value->count;

    if (value->type == MPROC_TYPE_FUNCTION) return true;
    if (value->type != MPROC_TYPE_LIST && value->type != MPROC_TYPE_MAP) return false;
    for (uint64_t i = 0; i < count; i++) {
        mproc_value element = value_element(value, i);
        if (has_function(&element)) return true;
    }
    return false;
}

mproc_status message_check(const mproc_value *value)
{
    if (!has_function(value)) return MPROC_OK;
    return mproc_error(
        MPROC_NOT_SUPPORTED,
        "a function in a value means nothing in another program: it goes to no manager, and comes from "
        "none");
}

mproc_status message_write(struct message *message, const mproc_value *items, size_t count, size_t max)
{
    const mproc_value list = mproc_list_from(items, count);
    mproc_status status;
    size_t size;

    message->bytes = (unsigned char *)message->small;
    if ((status = encoding_measure(&list, &size)) != MPROC_OK) return status;
    if ((status = message_check(&list)) != MPROC_OK) return status;
    if (size > max)
        return mproc_error(MPROC_TOO_LONG, "a message of %zu bytes: the manager allows %zu (message_bytes_max)", size,
                           max);
    if (size > sizeof message->small && !(message->bytes = malloc(size))) {
        message->bytes = (unsigned char *)message->small;
        return mproc_error(MPROC_NO_MEMORY, "no memory for a message of %zu bytes", size);
    }
    status = encoding_write(&list, message->bytes, size, &message->size, &message->objects);
    if (status != MPROC_OK) message_clear(message);
    return status;
}

void message_visit(const struct message *message, value_visitor *visit, void *context)
{
    mproc_value list = encoding_view(message->bytes);

    if (message->objects > 0) value_visit_objects(&list, visit, context);
}

void message_clear(struct message *message)
{
    if (message->bytes != (unsigned char *)message->small) free(message->bytes);
    message->bytes = (unsigned char *)message->small;
}

mproc_status message_read(const mproc_value *bytes, size_t head, mproc_value *list)
{
    /*
     * What is received as bytes lies behind an encoding's header and cell; a few bytes are in the cell: no message.
     */
    const void *data = mproc_value_bytes(*bytes);
    size_t size = mproc_value_size(*bytes);
    mproc_value found;
    mproc_status status;

    if (size < ENCODING_PAYLOAD) return mproc_error(MPROC_INVALID, "%zu bytes are no message of a manager", size);
    if ((status = encoding_check(data, size, ENCODING_OBJECTS)) != MPROC_OK) return status;
    found = encoding_view(data);
    if (mproc_value_count(found) < head || found.type != MPROC_TYPE_LIST)
        return mproc_error(MPROC_INVALID, "a message of a manager is a list of %zu values or more", head);
    if (mproc_value_at(found, 0).type != MPROC_TYPE_INT64)
        return mproc_error(MPROC_INVALID, "a message of a manager begins with its number");
    *list = found;
    return MPROC_OK;
}
