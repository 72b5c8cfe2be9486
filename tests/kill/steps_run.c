/*
 * The command line of the kill tool's programs. See steps.h.
 */
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_meant(const char *name, char **wanted)
{
    if (*wanted == NULL) return true;
    for (; *wanted != NULL; wanted++) {
        size_t length = strlen(*wanted);
        if (strcmp(*wanted, name) == 0) return true;
        if (length > 0 && (*wanted)[length - 1] == '.' && strncmp(*wanted, name, length) == 0) return true;
    }
    return false;
}

static int list(const steps_table *const *tables)
{
    size_t i;

    for (; *tables != NULL; tables++)
        for (i = 0; i < (*tables)->count; i++) printf("%s\n", (*tables)->scenarios[i].name);
    return 0;
}

static int expect(const steps_table *const *tables, char **names)
{
    size_t i;

    for (; *tables != NULL; tables++) {
        for (i = 0; i < (*tables)->count; i++) {
            const char *name = (*tables)->scenarios[i].name;
            if (*names != NULL && strcmp(*names, name) == 0) {
                names++;
                continue;
            }
            fprintf(stderr, "%s comes where %s was expected\n", name, *names ? *names : "nothing");
            return 1;
        }
    }
    if (*names != NULL) fprintf(stderr, "there is no %s\n", *names);
    return *names != NULL;
}

static int run(const steps_table *const *tables, void (*found)(void), step_depth depth, char **wanted)
{
    step_report report;
    bool any = false;
    size_t i;

    for (; *tables != NULL; tables++) {
        for (i = 0; i < (*tables)->count; i++) {
            const step_scenario *scenario = &(*tables)->scenarios[i];
            if (!is_meant(scenario->name, wanted)) continue;
            if (!any) found();
            any = true;
            /* After a failure the arena may be damaged: what came next would prove nothing. */
            if (!step_run(scenario, depth, &report)) return 1;
        }
    }
    if (!any) fprintf(stderr, "no scenario has this name; see --list\n");
    return any ? 0 : 2;
}

int steps_main(char **arguments, const steps_table *const *tables, void (*found)(void))
{
    const char *first = arguments[0] == NULL ? "" : arguments[0];

    if (strcmp(first, "--list") == 0) return list(tables);
    if (strcmp(first, "--expect") == 0) return expect(tables, arguments + 1);
    if (strcmp(first, "--alone") == 0) return run(tables, found, STEP_ALONE, arguments + 1);
    if (strcmp(first, "--pairs") == 0) return run(tables, found, STEP_PAIRS, arguments + 1);
    if (strcmp(first, "--more-pairs") == 0) return run(tables, found, STEP_MORE_PAIRS, arguments + 1);
    if (strcmp(first, "--all-pairs") == 0) return run(tables, found, STEP_ALL_PAIRS, arguments + 1);
    return run(tables, found, getenv("MPROC_TEST_ALL") ? STEP_PAIRS : STEP_SAMPLE, arguments);
}
