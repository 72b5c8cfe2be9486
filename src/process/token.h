/*
 * The spawn token: the one environment variable by which a new process learns that it is a child, and of
 * whom. It names handles and places; everything else stands in the spawn data.
 */
#ifndef MPROC_PROCESS_TOKEN_H
#define MPROC_PROCESS_TOKEN_H

#include "platform.h"

/*
 * `pid_offset` is where in the arena the parent writes the child's process id. It stands here, and
 * not only in the slot's layout, so that another version of the library can tell for whom the token is. `parent`
 * and its birth tell where the arena cannot be had.
 *
 * `depth` is the number of families around the child's: each was created by a process that another one started.
 * `seen` is set when a process that has the library is loaded with the token: a process that then inherits it from
 * there was started by a program that knows better than to run itself again. A token that arrives unseen at another
 * process than the one it is for came through a launcher, or through fork().
 */
struct spawn_token {
    plat_handle memory;
    plat_handle child_end;
    plat_handle door; /* to the first process of the family: see deposit.h */
    uint64_t reserve;
    uint64_t pid_offset;
    uint32_t process;
    uint32_t generation;
    int64_t parent; /* process id */
    int64_t parent_born_before_ns;
    uint32_t depth;
    bool seen;
};

void token_print(const struct spawn_token *token, char text[PLAT_TOKEN_BYTES]);

/* False: the text is no token. */
bool token_parse(const char *text, struct spawn_token *token);

#endif
