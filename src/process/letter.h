/*
 * The birth letter: what a parent tells its child, as a block of the arena that hangs on the child's
 * process slot and lives as long as the child.
 */
#ifndef MPROC_PROCESS_LETTER_H
#define MPROC_PROCESS_LETTER_H

#include "object/object.h"

#define LETTER_NAME_BYTES 128
#define LETTER_KEY_BYTES 256
#define LETTER_IDENTITY_BYTES 128
#define LETTER_TEXT_BYTES 512

/*
 * An object that holds the arguments. Written by the parent before the child exists, then only read; but `returned`
 * and `text`, which the child writes when its task has returned, the text first: what it returned, and why.
 */
struct letter {
    struct object object;
    _Atomic uint64_t args; /* a link: the child's arguments, or nothing */
    function_ref function;
    char name[LETTER_NAME_BYTES];
    char parent_name[LETTER_NAME_BYTES];
    char identity[LETTER_IDENTITY_BYTES]; /* "1:2": the second child of the first child */
    int64_t parent_pid;
    uint32_t authkey_size;
    _Atomic uint32_t returned; /* the status + 1 */
    char text[LETTER_TEXT_BYTES];
    uint8_t authkey[LETTER_KEY_BYTES];
};

extern const struct object_type letter_type;

/* Puts a letter that is empty but for its arguments (0: none) into the slot. MPROC_NO_MEMORY. */
mproc_status letter_create(struct process_slot *slot, uint64_t args, struct letter **letter);

/* In the child: what its task returned, with a text that is cut if it is longer than its place. */
void letter_return(struct letter *letter, mproc_status status, const char *text);

/* Takes the letter out of the slot, if there is one. */
void letter_free(struct process_slot *slot);

#endif
