/*
 * The path that an operation took in a first run, and short cuts along it.
 *
 * Point 0 is its first instruction, point i what came after i steps. A short cut runs to a point that
 * a trap in the text finds, and only steps from there on.
 */
#ifndef KILL_PATH_H
#define KILL_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct path_point {
    uintptr_t pc;
    bool in_text;
    bool asleep;     /* it slept here */
    bool returned;   /* from a call */
    bool change;     /* shared memory had changed, or a call had returned */
    long occurrence; /* how many points up to this one have its pc */
    long anchor;     /* the best point to run to on the way here, or 0 */
} path_point;

typedef struct step_path {
    path_point *points;
    long count;
    long capacity;
    bool slept;
} step_path;

void path_clear(step_path *path);

/* Adds a point; it lies in the text or is the first instruction of a call. `returned`: a call just has. */
void path_add(step_path *path, uintptr_t pc, bool in_text, bool asleep, bool change, bool returned);

/* When all points are there: finds the short cuts, and which returns count as changes. */
void path_plan(step_path *path);

void path_free(step_path *path);

#endif
