/*
 * The marker: the one environment variable by which a new process learns that it is a child, and of
 * whom. It names handles and places; everything else stands in the birth letter.
 */
#ifndef MPROC_PROCESS_MARKER_H
#define MPROC_PROCESS_MARKER_H

#include "platform.h"

#define MARKER_NAME "MPROC_CHILD"
#define MARKER_BYTES 128

/*
 * `pid_offset` is where in the arena the parent writes the child's process id. It stands here, and
 * not only in the slot's layout, so that another version of the library can tell for whom the marker is. `parent`
 * tells it where the arena cannot be had.
 */
struct marker {
    plat_handle memory;
    plat_handle watched;
    uint64_t reserve;
    uint64_t pid_offset;
    uint32_t process;
    uint32_t generation;
    int64_t parent; /* process id */
};

void marker_print(const struct marker *marker, char text[MARKER_BYTES]);

/* False: the text is no marker. */
bool marker_parse(const char *text, struct marker *marker);

#endif
