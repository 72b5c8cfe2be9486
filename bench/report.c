#include "bench.h"

#include "host.h"

#include <mproc/version.h>
#include <stdio.h>
#include <string.h>

enum { CELL_SIZE = 64 };

/* Writes a number with three significant digits, a duration in the unit that fits it. */
static const char *write_value(const bench_value *value, double number, char cell[CELL_SIZE])
{
    static const char *const UNITS[] = {"ns", "us", "ms", "s"};
    int unit = 0;

    if (!value->duration) {
        snprintf(cell, CELL_SIZE, "%.3g", number);
        return cell;
    }
    while (number >= 1000 && unit < 3) {
        number /= 1000;
        unit++;
    }
    snprintf(cell, CELL_SIZE, "%.*f %s", number < 10 ? 2 : number < 100 ? 1 : 0, number, UNITS[unit]);
    return cell;
}

void bench_print_machine(void)
{
    host_machine machine;

    host_describe(&machine);
    printf("%s, %d CPUs; %s; %s; mproc %s; %s\n", machine.cpu, machine.cpu_count, machine.kernel, machine.compiler,
           MPROC_VERSION, machine.date);
}

/* One row of the table: of every value its median and its span. */
static void print_row(const bench_comparison *comparison, const char *name, const bench_series *series)
{
    printf("| %s |", name);
    for (int value = 0; comparison->values[value].name != NULL; value++) {
        char median[CELL_SIZE];
        char low[CELL_SIZE];
        char high[CELL_SIZE];

        if (series->missing != NULL) {
            printf(" missing: %s | |", series->missing);
        } else if (series->failed || series->count == 0) {
            printf(" failed | |");
        } else {
            const bench_value *what = &comparison->values[value];

            printf(" %s | %s ... %s |", write_value(what, series->median[value], median),
                   write_value(what, series->low[value], low), write_value(what, series->high[value], high));
        }
    }
    printf("\n");
}

static void print_header(const bench_comparison *comparison)
{
    printf("\n### %s: %s\n\n", comparison->name, comparison->title);
    printf("| subject |");
    for (int value = 0; comparison->values[value].name != NULL; value++) {
        printf(" %s | lowest ... highest |", comparison->values[value].name);
    }
    printf("\n|---|");
    for (int value = 0; comparison->values[value].name != NULL; value++) {
        printf("---:|---|");
    }
    printf("\n");
}

static const char *verdict_text(bench_verdict verdict)
{
    switch (verdict) {
    case BENCH_MET:
        return "met";
    case BENCH_MISSED:
        return "MISSED";
    case BENCH_NOISY:
        return "noisy";
    default:
        return "not measured";
    }
}

/* The sentence that says what is wanted. */
static void write_goal(const bench_comparison *comparison, const bench_goal *goal, char *text, size_t size)
{
    const char *subject = comparison->subjects[goal->subject]->name;
    const char *rival = comparison->subjects[goal->rival]->name;
    const bench_value *value = &comparison->values[goal->value];
    char bound[CELL_SIZE];
    bool several = comparison->values[1].name != NULL;
    char which[CELL_SIZE] = "";

    if (several) snprintf(which, sizeof which, "%s: ", value->name);

    switch (goal->kind) {
    case BENCH_TIME_AT_MOST:
        snprintf(text, size, "%s%s takes at most %.2f x %s", which, subject, goal->bound, rival);
        break;
    case BENCH_SPEED_AT_LEAST:
        snprintf(text, size, "%s%s is at least %.2f x as fast as %s", which, subject, goal->bound, rival);
        break;
    default:
        snprintf(text, size, "%s: %s is at most %s%s", subject, value->name, write_value(value, goal->bound, bound),
                 goal->kind == BENCH_WORST_AT_MOST ? " in every sample" : "");
        break;
    }
}

/* Writes what came of a goal. */
static void write_figure(const bench_outcome *outcome, const bench_goal *goal, char cell[CELL_SIZE])
{
    double figure = 0;
    bench_verdict verdict = bench_judge(outcome, goal, &figure);

    if (verdict != BENCH_MET && verdict != BENCH_MISSED) {
        snprintf(cell, CELL_SIZE, "-");
    } else if (goal->kind == BENCH_TIME_AT_MOST || goal->kind == BENCH_SPEED_AT_LEAST) {
        snprintf(cell, CELL_SIZE, "%.2f x", figure);
    } else {
        write_value(&outcome->comparison->values[goal->value], figure, cell);
    }
}

static const char *write_verdict(const bench_outcome *outcome, const bench_goal *goal)
{
    double figure;

    return verdict_text(bench_judge(outcome, goal, &figure));
}

void bench_print_goals(const bench_outcome *outcomes, size_t count)
{
    char text[256];
    char cell[CELL_SIZE];

    printf("\n### All goals\n\n| comparison | goal | is | |\n|---|---|---:|---|\n");
    for (size_t i = 0; i < count; i++) {
        const bench_comparison *comparison = outcomes[i].comparison;

        for (const bench_goal *goal = comparison->goals; goal->kind != BENCH_NO_GOAL; goal++) {
            write_goal(comparison, goal, text, sizeof text);
            write_figure(&outcomes[i], goal, cell);
            printf("| %s | %s | %s | %s |\n", comparison->name, text, cell, write_verdict(&outcomes[i], goal));
        }
    }
    fflush(stdout);
}

/* What each subject is in terms of each rival whose control can be trusted: its time by the rival's. */
static void print_ratios(const bench_outcome *outcome)
{
    const bench_comparison *comparison = outcome->comparison;
    int count = (int)bench_subject_count(comparison);

    for (int rival = 0; rival < count; rival++) {
        const bench_series *base = &outcome->subjects[rival];

        if (!comparison->subjects[rival]->rival || base->count == 0 || base->failed) continue;
        printf("Time by that of %s: control %.2f", comparison->subjects[rival]->name,
               outcome->controls[rival].median[0] / base->median[0]);
        for (int i = 0; i < count && bench_control_agrees(outcome, rival); i++) {
            const bench_series *series = &outcome->subjects[i];

            if (i == rival || series->count == 0 || series->failed) continue;
            printf("; %s %.*f", comparison->subjects[i]->name, series->median[0] < base->median[0] / 10 ? 4 : 2,
                   series->median[0] / base->median[0]);
        }
        printf(bench_control_agrees(outcome, rival) ? ".\n" : ": noisy, no ratio is given.\n");
    }
}

static size_t count_samples(const bench_outcome *outcome)
{
    size_t most = 0;

    for (size_t i = 0; i < bench_subject_count(outcome->comparison); i++) {
        if (outcome->subjects[i].count > most) most = outcome->subjects[i].count;
    }
    return most;
}

void bench_print_outcome(const bench_outcome *outcome)
{
    const bench_comparison *comparison = outcome->comparison;

    print_header(comparison);
    for (int i = 0; i < (int)bench_subject_count(comparison); i++) {
        print_row(comparison, comparison->subjects[i]->name, &outcome->subjects[i]);
    }
    printf("\n%zu samples of each; %d %s; other programs used %.0f %% of the machine meanwhile.\n",
           count_samples(outcome), outcome->attempts,
           outcome->attempts == 1 ? "attempt" : "attempts, for controls that were off", outcome->others * 100);
    print_ratios(outcome);
    fflush(stdout);
}
