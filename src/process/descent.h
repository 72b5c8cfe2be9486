/*
 * Which family a new process is born into. A process that a member has started is let in as that child, or refused;
 * it never becomes the first of another family, which would run the program once more, and start again.
 */
#ifndef MPROC_PROCESS_DESCENT_H
#define MPROC_PROCESS_DESCENT_H

#include "base/function.h"
#include "process/token.h"

enum descent {
    DESCENT_NONE,   /* nobody that is a member has started it: it creates a family */
    DESCENT_CHILD,  /* the child that the token is for; the arena is attached */
    DESCENT_REFUSED /* it descends from a start, and cannot be let in */
};

/*
 * Finds out, by what the process was given at its birth. `*token` is what it was given; its `depth` counts for the
 * family of a DESCENT_NONE, too. DESCENT_REFUSED: `*status` with a text says why; the arena is not attached.
 */
enum descent descent_find(const function_ref *copy, struct spawn_token *token, mproc_status *status);

#endif
