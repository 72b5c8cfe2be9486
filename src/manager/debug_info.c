/* What clients have, as a text for people. */
#include <stdio.h>
#include <stdlib.h>

#include "manager/server.h"

#define LINE_BYTES 200

struct text {
    char *bytes;
    size_t size, room, most;
};

/* What there is no memory for, and what no message has room for, is left out. */
static void add(struct text *text, const char *line)
{
    size_t size = strlen(line);

    if (text->size + size > text->most) return;
    if (text->room - text->size <= size) {
        size_t room = 2 * text->room + LINE_BYTES;
        char *more = realloc(text->bytes, room);
        if (!more) return;
        text->bytes = more;
        text->room = room;
    }
    memcpy(text->bytes + text->size, line, size + 1);
    text->size += size;
}

static void add_object(struct text *text, uint32_t number, const struct lent_object *object)
{
    char line[LINE_BYTES];

    snprintf(line, sizeof line, "  object %lu: %s, %lu references%s\n", (unsigned long)number,
             handle_name(object->reference->ref.kind), (unsigned long)object->given,
             object->used > 0 ? ", in use" : "");
    add(text, line);
}

static void add_client(struct text *text, unsigned long number, struct session *session)
{
    struct lent *lent = &session->lent;
    char line[LINE_BYTES];

    plat_mutex_lock(&lent->mutex);
    snprintf(line, sizeof line, "client %lu: %lu connections, %lu objects\n", number, (unsigned long)session->lines,
             (unsigned long)lent->count);
    add(text, line);
    for (uint32_t at = 1; at <= lent->room; at++)
        if (lent->objects[at - 1].reference) add_object(text, at, &lent->objects[at - 1]);
    plat_mutex_unlock(&lent->mutex);
}

mproc_status server_debug_info(struct server *server, mproc_value *info)
{
    struct text text = {NULL, 0, 0, server->options.message_bytes_max / 2};
    unsigned long number = 0;
    mproc_status status;

    plat_mutex_lock(&server->mutex);
    for (struct session *session = server->sessions; session; session = session->next)
        add_client(&text, ++number, session);
    plat_mutex_unlock(&server->mutex);
    status = mproc_value_copy(mproc_string(text.bytes ? text.bytes : ""), info);
    free(text.bytes);
    return status;
}
