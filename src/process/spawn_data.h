/*
 * Spawn data: what a parent tells its child, as a block of the arena that hangs on the child's
 * process slot and lives as long as the child.
 */
#ifndef MPROC_PROCESS_SPAWN_DATA_H
#define MPROC_PROCESS_SPAWN_DATA_H

#include "base/log.h"
#include "object/object.h"

#define SPAWN_NAME_BYTES 128
#define SPAWN_KEY_BYTES 256
#define SPAWN_IDENTITY_BYTES 128
#define SPAWN_TEXT_BYTES 512

/* A handle that the child gets: of which object it is, and its number in the child. */
struct spawn_given {
    struct handle_ref ref;
    int64_t number;
};

/*
 * An object that holds the arguments. Written by the parent before the child exists, then only read; but `returned`
 * and `text`, which the child writes when its task has returned, the text first: what it returned, and why.
 */
struct spawn_data {
    struct object object;
    _Atomic uint64_t args; /* a link: the child's arguments, or nothing */
    function_ref function;
    char name[SPAWN_NAME_BYTES];
    char parent_name[SPAWN_NAME_BYTES];
    char identity[SPAWN_IDENTITY_BYTES]; /* "1:2": the second child of the first child */
    int64_t parent_pid;
    struct log_settings log;
    uint32_t authkey_size;
    _Atomic uint32_t returned; /* the status + 1 */
    char text[SPAWN_TEXT_BYTES];
    uint8_t authkey[SPAWN_KEY_BYTES];
    uint64_t given_count;
    struct spawn_given given[];
};

extern const struct object_type spawn_data_type;

/* Puts spawn data, empty but for the arguments (0: none), for so many handles into the slot. MPROC_NO_MEMORY. */
mproc_status spawn_data_create(struct process_slot *slot, uint64_t args, size_t given,
                               struct spawn_data **spawn_data);

/* In the child: what its task returned, with a text that is cut if it is longer than its place. */
void spawn_data_return(struct spawn_data *spawn_data, mproc_status status, const char *text);

/* Takes the spawn data out of the slot, if there is one. */
void spawn_data_free(struct process_slot *slot);

#endif
