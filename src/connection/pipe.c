/* Pipes: two connections that are each other's other end. */
#include "base/options.h"
#include "connection/stream.h"

mproc_status mproc_pipe_sized(const mproc_pipe_options *options, size_t options_size, mproc_connection **first,
                              mproc_connection **second)
{
    mproc_pipe_options all;
    mproc_connection *made[2] = {NULL, NULL};
    plat_channel channels[2];
    mproc_status status;

    options_read(&all, sizeof all, options, options_size);
    if (!first || !second) return mproc_error(MPROC_INVALID, "a pipe was to be made, and first or second is NULL");
    if ((status = family_enter()) != MPROC_OK) return status;
    if ((status = plat_channel_pair(all.one_way, &channels[0], &channels[1])) != MPROC_OK) return status;
    status = connection_create(true, !all.one_way, &channels[0], &made[0]);
    if (status == MPROC_OK) status = connection_create(!all.one_way, true, &channels[1], &made[1]);
    else plat_channel_close(&channels[1]);
    if (status == MPROC_OK) status = stream_create(made[0]->reference.at, made[1]->reference.at);
    if (status == MPROC_OK) {
        *first = made[0];
        *second = made[1];
        return MPROC_OK;
    }
    for (int i = 0; i < 2; i++)
        if (made[i]) reference_free(&made[i]->reference);
    return status;
}
