/*
 * bench [--list] [--quick] [--filter TEXT] [--samples N] [--attempts N] [--seed N] [--json FILE]
 *
 * Takes samples in copies of itself, which it starts as `bench --measure COMPARISON SUBJECT full|quick`.
 */
#include "bench.h"
#include "host.h"

#include <mproc/mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 7, SAMPLES_QUICK = 3, ATTEMPTS = 3 };

typedef struct command {
    bench_options options;
    const char *filter;
    const char *json;
    bool list;
} command;

static const bench_comparison *find_comparison(const char *name)
{
    for (const bench_comparison *each = bench_comparisons; each->name != NULL; each++) {
        if (strcmp(each->name, name) == 0) return each;
    }
    return NULL;
}

/* A quick sample is a small one: it shows that everything works, not how fast. */
static void make_quick(bench_setting *setting)
{
    if (setting->repeats > 10) setting->repeats /= 10;
    if (setting->repeats > 1000) setting->repeats /= 10;
}

/* Takes the one sample that this process was started for. */
static int measure(char **arguments)
{
    const bench_comparison *comparison = find_comparison(arguments[0]);
    size_t subject = (size_t)strtoul(arguments[1], NULL, 10);
    double values[BENCH_VALUES_MAX] = {0};
    bench_setting setting;

    if (comparison == NULL || subject >= bench_subject_count(comparison)) {
        fprintf(stderr, "bench: there is no subject %s of '%s'\n", arguments[1], arguments[0]);
        return 2;
    }
    setting = comparison->setting;
    if (strcmp(arguments[2], "quick") == 0) make_quick(&setting);
    if (!host_use_cpus((int)setting.placement)) return 1;
    if (!comparison->subjects[subject]->measure(&setting, values)) return 1;
    for (int value = 0; value < BENCH_VALUES_MAX; value++) printf("%.17g ", values[value]);
    printf("\n");
    return 0;
}

static void refuse(void)
{
    fprintf(stderr, "usage: bench [--list] [--quick] [--filter TEXT] [--samples N] [--attempts N] [--seed N] "
                    "[--json FILE]\n");
    exit(2);
}

/* The number after an option: from 1 to `most`. */
static long read_number(const char *option, const char *text, long most)
{
    char *end = NULL;
    long number = strtol(text, &end, 10);

    if (*end == '\0' && number >= 1 && number <= most) return number;
    fprintf(stderr, "bench: %s needs a number from 1 to %ld, not '%s'\n", option, most, text);
    exit(2);
}

/* An option with a value. */
static void read_option(const char *name, const char *value, command *out)
{
    if (strcmp(name, "--filter") == 0) {
        out->filter = value;
    } else if (strcmp(name, "--json") == 0) {
        out->json = value;
    } else if (strcmp(name, "--samples") == 0) {
        out->options.samples = (size_t)read_number(name, value, BENCH_SAMPLES_MAX);
    } else if (strcmp(name, "--attempts") == 0) {
        out->options.attempts_max = (int)read_number(name, value, 100);
    } else if (strcmp(name, "--seed") == 0) {
        out->options.seed = (uint64_t)read_number(name, value, INT32_MAX);
    } else {
        refuse();
    }
}

static void read_command(int argument_count, char **arguments, command *out)
{
    *out = (command){.options = {.program = host_program(), .attempts_max = ATTEMPTS}, .filter = ""};
    out->options.seed = (uint64_t)host_now_ns() % INT32_MAX + 1;
    for (int i = 1; i < argument_count; i++) {
        if (strcmp(arguments[i], "--list") == 0) {
            out->list = true;
        } else if (strcmp(arguments[i], "--quick") == 0) {
            out->options.quick = true;
        } else if (i + 1 < argument_count) {
            read_option(arguments[i], arguments[i + 1], out);
            i++;
        } else {
            refuse();
        }
    }
    if (out->options.samples == 0) out->options.samples = out->options.quick ? SAMPLES_QUICK : SAMPLES;
}

/* Whether every subject that is not missing could be measured. */
static bool is_complete(const bench_outcome *outcome)
{
    for (size_t i = 0; i < bench_subject_count(outcome->comparison); i++) {
        if (outcome->subjects[i].failed || outcome->controls[i].failed) return false;
    }
    return true;
}

/* Returns the exit code: 0 when everything ran, whatever the figures say. */
static int run_all(const command *what, bench_outcome *outcomes)
{
    size_t count = 0;
    bool complete = true;

    bench_print_machine();
    printf("Seed %llu, %zu samples of each subject%s.\n", (unsigned long long)what->options.seed,
           what->options.samples, what->options.quick ? ", quick: figures mean little" : "");
    for (const bench_comparison *each = bench_comparisons; each->name != NULL; each++) {
        if (strstr(each->name, what->filter) == NULL) continue;
        bench_run(each, &what->options, &outcomes[count]);
        bench_print_outcome(&outcomes[count]);
        complete = is_complete(&outcomes[count]) && complete;
        count++;
    }
    bench_print_goals(outcomes, count);
    if (count == 0) fprintf(stderr, "bench: no comparison's name contains '%s'; see --list\n", what->filter);
    if (what->json != NULL && !bench_write_json(what->json, &what->options, outcomes, count)) return 1;
    return complete && count > 0 ? 0 : 1;
}

static size_t count_comparisons(void)
{
    size_t count = 0;

    while (bench_comparisons[count].name != NULL) count++;
    return count;
}

static void print_list(void)
{
    for (const bench_comparison *each = bench_comparisons; each->name != NULL; each++) {
        printf("%-30s %s\n", each->name, each->title);
    }
}

int main(int argument_count, char **arguments)
{
    command what;
    bench_outcome *outcomes;
    int code;

    /* The program that does nothing: what a process start costs without the library. */
    if (argument_count == 2 && strcmp(arguments[1], "--nothing") == 0) return 0;
    mproc_main_guard();

    if (argument_count == 5 && strcmp(arguments[1], "--measure") == 0) return measure(arguments + 2);
    read_command(argument_count, arguments, &what);
    if (what.list) {
        print_list();
        return 0;
    }
    outcomes = calloc(count_comparisons(), sizeof outcomes[0]);
    if (outcomes == NULL) {
        fprintf(stderr, "bench: there is no memory for the results\n");
        return 1;
    }
    code = run_all(&what, outcomes);
    free(outcomes);
    return code;
}
