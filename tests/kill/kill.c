/*
 * The kill tool's program: steps through the library's operations.
 *
 *     kill_steps --list              prints the scenarios' names
 *     kill_steps --expect name ...   fails if they are others
 *     kill_steps [--pairs|--all-pairs|--alone] name ...
 *
 * A name that ends in '.' stands for all that begin so; none for all. The default is --pairs, see step.h.
 */
#include "clan.h"
#include "steps.h"

#include <stdio.h>
#include <string.h>

static const steps_table *const tables[] = {&steps_lock, &steps_park, &steps_block, &steps_slot};

#define TABLES (sizeof tables / sizeof tables[0])

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

static int list(void)
{
    size_t i, j;

    for (i = 0; i < TABLES; i++)
        for (j = 0; j < tables[i]->count; j++) printf("%s\n", tables[i]->scenarios[j].name);
    return 0;
}

static int expect(char **names)
{
    size_t i, j;

    for (i = 0; i < TABLES; i++) {
        for (j = 0; j < tables[i]->count; j++) {
            const char *name = tables[i]->scenarios[j].name;
            if (*names != NULL && strcmp(*names, name) == 0) {
                names++;
                continue;
            }
            fprintf(stderr, "kill_steps: %s comes where %s was expected\n", name, *names ? *names : "nothing");
            return 1;
        }
    }
    if (*names != NULL) fprintf(stderr, "kill_steps: there is no %s\n", *names);
    return *names != NULL;
}

static int run(step_depth depth, char **wanted)
{
    int found = 0, failed = 0;
    step_report report;
    size_t i, j;

    for (i = 0; i < TABLES; i++) {
        for (j = 0; j < tables[i]->count; j++) {
            const step_scenario *scenario = &tables[i]->scenarios[j];
            if (!is_meant(scenario->name, wanted)) continue;
            if (found++ == 0) clan_found();
            failed += !step_run(scenario, depth, &report);
            if (failed > 0) return 1;              /* the arena may be damaged: what comes after would prove nothing */
        }
    }
    if (found == 0) fprintf(stderr, "kill_steps: no scenario has this name; see --list\n");
    return found == 0 ? 2 : 0;
}

int main(int count, char **arguments)
{
    step_depth depth = STEP_PAIRS;
    char **wanted = arguments + (count > 0);

    if (*wanted != NULL && strcmp(*wanted, "--list") == 0) return list();
    if (*wanted != NULL && strcmp(*wanted, "--expect") == 0) return expect(wanted + 1);
    if (*wanted != NULL && strncmp(*wanted, "--", 2) == 0) {
        if (strcmp(*wanted, "--alone") == 0) depth = STEP_ALONE;
        else if (strcmp(*wanted, "--all-pairs") == 0) depth = STEP_ALL_PAIRS;
        else if (strcmp(*wanted, "--pairs") != 0) return run(depth, wanted);
        wanted++;
    }
    return run(depth, wanted);
}
