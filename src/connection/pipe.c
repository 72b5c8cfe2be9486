/* Pipes: two connections that are each other's other end. */
#include <stdlib.h>

#include "base/options.h"
#include "connection/connection.h"
#include "process/family.h"

/* The object of an end. `*end` is the reference's then. */
static mproc_status create(bool reads, bool writes, const plat_channel *channel, struct end **end,
                           struct reference **out)
{
    struct reference *reference;
    struct connection *connection;
    mproc_status status;

    if ((status = reference_create(OBJECT_CONNECTION, sizeof(struct connection), &reference)) != MPROC_OK)
        return status;
    connection = (struct connection *)reference->at;
    connection->reads = reads;
    connection->writes = writes;
    reference_publish(reference);
    (*end)->channel = *channel;
    (*end)->carried.handle = channel->handle;
    (*end)->carried.ref = reference->ref;
    carried_add(&(*end)->carried);
    atomic_store(&reference->own, (void *)*end);
    *end = NULL;
    *out = reference;
    return MPROC_OK;
}

mproc_status mproc_pipe_sized(const mproc_pipe_options *options, size_t options_size, mproc_connection **first,
                              mproc_connection **second)
{
    mproc_pipe_options all;
    struct reference *references[2] = {NULL, NULL};
    struct end *ends[2] = {NULL, NULL};
    plat_channel channels[2];
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    if (!first || !second) return mproc_error(MPROC_INVALID, "a pipe was to be made, and first or second is NULL");
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = end_create(&ends[0])) != MPROC_OK || (status = end_create(&ends[1])) != MPROC_OK) goto done;
    if ((status = plat_channel_pair(all.one_way, &channels[0], &channels[1])) != MPROC_OK) goto done;
    status = create(true, !all.one_way, &channels[0], &ends[0], &references[0]);
    if (status == MPROC_OK) status = create(!all.one_way, true, &channels[1], &ends[1], &references[1]);
    if (status == MPROC_OK) {
        *first = (mproc_connection *)references[0];
        *second = (mproc_connection *)references[1];
    } else {
        reference_free(references[0]);
        if (ends[0]) plat_channel_close(&channels[0]);
        plat_channel_close(&channels[1]);
    }
done:
    free(ends[0]);
    free(ends[1]);
    return status;
}
