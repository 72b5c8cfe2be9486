#include "path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A short cut costs about three steps each time that it comes by: over the place, the trap, the way back to it. */
#define HIT_COST 3

/*
 * A call may change what lies outside shared memory. One in a loop, over the bytes of a text say, would be tried over
 * and over: of the returns to one place that change no shared memory, this many count.
 */
#define RETURNS_MAX 2

void path_clear(step_path *path)
{
    path->count = 0;
    path->slept = false;
}

void path_add(step_path *path, uintptr_t pc, bool in_text, bool asleep, bool change, bool returned)
{
    path_point *point;

    if (path->count == path->capacity) {
        path->capacity = path->capacity == 0 ? 1024 : 2 * path->capacity;
        path->points = realloc(path->points, (size_t)path->capacity * sizeof *path->points);
        if (path->points == NULL) {
            fprintf(stderr, "kill tool: no memory for a path of %ld points\n", path->capacity);
            exit(2);
        }
    }
    point = &path->points[path->count++];
    memset(point, 0, sizeof *point);
    point->pc = pc;
    point->in_text = in_text;
    point->asleep = asleep;
    point->change = change;
    point->returned = returned;
}

static int by_pc_then_place(const void *left, const void *right)
{
    const path_point *a = *(path_point *const *)left;
    const path_point *b = *(path_point *const *)right;

    if (a->pc != b->pc) return a->pc < b->pc ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void count_occurrences(step_path *path)
{
    path_point **sorted = malloc((size_t)path->count * sizeof *sorted);
    long i;

    if (sorted == NULL) return; /* every occurrence stays 0, and there are no short cuts */
    for (i = 0; i < path->count; i++) sorted[i] = &path->points[i];
    qsort(sorted, (size_t)path->count, sizeof *sorted, by_pc_then_place);
    for (i = 0; i < path->count; i++) {
        bool again = i > 0 && sorted[i]->pc == sorted[i - 1]->pc;
        sorted[i]->occurrence = again ? sorted[i - 1]->occurrence + 1 : 1;
    }
    free(sorted);
}

/* Beyond a sleep there are no anchors: somebody has to end it on the way. */
void path_plan(step_path *path)
{
    long best = 0, i;

    if (path->count == 0) return;
    count_occurrences(path);
    for (i = 1; i < path->count; i++) {
        path_point *point = &path->points[i];
        long cost = HIT_COST * point->occurrence - i;
        long best_cost = best == 0 ? 0 : HIT_COST * path->points[best].occurrence - best;
        if (point->returned && point->occurrence <= RETURNS_MAX) point->change = true;
        if (point->asleep) path->slept = point->change = true; /* others go on meanwhile, or would have to wake it */
        if (!path->slept && point->in_text && point->occurrence > 0 && cost < best_cost) best = i;
        path->points[i].anchor = best;
    }
}

void path_free(step_path *path)
{
    free(path->points);
    memset(path, 0, sizeof *path);
}
