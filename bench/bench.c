#include "bench.h"

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far a control may be from its rival. */
#define CONTROL_TOLERANCE 0.15

/* One line of a round: which subject, and whether as itself or as its own control. */
typedef struct turn {
    int subject;
    bool control;
} turn;

bool bench_control_agrees(const bench_outcome *outcome, int rival)
{
    double ratio = outcome->controls[rival].median[0] / outcome->subjects[rival].median[0];

    return ratio <= 1 + CONTROL_TOLERANCE && ratio >= 1 / (1 + CONTROL_TOLERANCE);
}

static bool is_measured(const bench_series *series)
{
    return series->missing == NULL && !series->failed && series->count > 0;
}

/* Runs this program again to take one sample. */
static bool take_sample(const bench_options *options, const bench_comparison *comparison, int subject, double *values)
{
    char number[16];
    char output[256];
    char *place = output;
    const char *arguments[] = {
        options->program, "--measure", comparison->name, number, options->quick ? "quick" : "full", NULL};

    snprintf(number, sizeof number, "%d", subject);
    if (!host_run(arguments, NULL, output, sizeof output)) return false;
    for (int value = 0; value < BENCH_VALUES_MAX; value++) values[value] = strtod(place, &place);
    return true;
}

static void add_sample(const bench_options *options, const bench_comparison *comparison, int subject,
                       bench_series *series)
{
    double values[BENCH_VALUES_MAX] = {0};

    if (series->missing != NULL || series->failed) return;
    if (!take_sample(options, comparison, subject, values)) {
        fprintf(stderr, "bench: %s: '%s' failed\n", comparison->name, comparison->subjects[subject]->name);
        series->failed = true;
        return;
    }
    for (int value = 0; value < BENCH_VALUES_MAX; value++) series->samples[value][series->count] = values[value];
    series->count++;
}

static void shuffle(turn *turns, size_t count, uint64_t *random)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)(bench_random(random) % i);
        turn kept = turns[i - 1];

        turns[i - 1] = turns[other];
        turns[other] = kept;
    }
}

/* Takes `samples` samples of every subject and control. */
static void run_rounds(const bench_options *options, size_t samples, uint64_t *random, bench_outcome *outcome)
{
    const bench_comparison *comparison = outcome->comparison;
    turn turns[2 * BENCH_SUBJECTS_MAX];
    size_t turn_count = 0;

    for (int i = 0; i < (int)bench_subject_count(comparison); i++) {
        turns[turn_count++] = (turn){i, false};
        if (comparison->subjects[i]->rival) turns[turn_count++] = (turn){i, true};
    }
    for (size_t round = 0; round < samples; round++) {
        shuffle(turns, turn_count, random);
        for (size_t i = 0; i < turn_count; i++) {
            bench_series *all = turns[i].control ? outcome->controls : outcome->subjects;

            add_sample(options, comparison, turns[i].subject, &all[turns[i].subject]);
        }
    }
}

/* As run_rounds(), and finds out what else the machine did: controls do not notice an even load. */
static void run_watched(const bench_options *options, size_t samples, uint64_t *random, bench_outcome *outcome)
{
    host_machine machine;
    int64_t begin = host_now_ns();
    int64_t others = host_own_ns() - host_busy_ns();

    run_rounds(options, samples, random, outcome);
    others += host_busy_ns() - host_own_ns();
    host_describe(&machine);
    outcome->others = (double)others / (double)(host_now_ns() - begin) / machine.cpu_count;
    if (outcome->others < 0) outcome->others = 0;
}

static void reset_series(const bench_subject *subject, bench_series *series)
{
    memset(series, 0, sizeof *series);
    if (subject->missing != NULL) series->missing = subject->missing();
}

/* Whether every rival that could be measured agrees with its control. */
static bool is_quiet(const bench_outcome *outcome)
{
    for (int i = 0; i < (int)bench_subject_count(outcome->comparison); i++) {
        if (!outcome->comparison->subjects[i]->rival || !is_measured(&outcome->subjects[i])) continue;
        if (!is_measured(&outcome->controls[i]) || !bench_control_agrees(outcome, i)) return false;
    }
    return true;
}

void bench_run(const bench_comparison *comparison, const bench_options *options, bench_outcome *outcome)
{
    size_t subject_count = bench_subject_count(comparison);
    uint64_t random = options->seed;
    size_t samples = options->samples;

    memset(outcome, 0, sizeof *outcome);
    outcome->comparison = comparison;
    do {
        for (size_t i = 0; i < subject_count; i++) {
            reset_series(comparison->subjects[i], &outcome->subjects[i]);
            reset_series(comparison->subjects[i], &outcome->controls[i]);
        }
        run_watched(options, samples, &random, outcome);
        for (size_t i = 0; i < subject_count; i++) {
            bench_series_summarize(&outcome->subjects[i]);
            bench_series_summarize(&outcome->controls[i]);
        }
        outcome->attempts++;
        samples = samples * 2 < BENCH_SAMPLES_MAX ? samples * 2 : BENCH_SAMPLES_MAX;
    } while (!is_quiet(outcome) && outcome->attempts < options->attempts_max);
}

bench_verdict bench_judge(const bench_outcome *outcome, const bench_goal *goal, double *figure)
{
    const bench_series *subject = &outcome->subjects[goal->subject];
    const bench_series *rival = &outcome->subjects[goal->rival];
    bool absolute = goal->kind == BENCH_VALUE_AT_MOST || goal->kind == BENCH_WORST_AT_MOST;

    if (!is_measured(subject)) return BENCH_UNMEASURED;
    if (absolute) {
        *figure = goal->kind == BENCH_VALUE_AT_MOST ? subject->median[goal->value] : subject->high[goal->value];
        return *figure <= goal->bound ? BENCH_MET : BENCH_MISSED;
    }
    if (!is_measured(rival) || !is_measured(&outcome->controls[goal->rival])) return BENCH_UNMEASURED;
    if (!bench_control_agrees(outcome, goal->rival)) return BENCH_NOISY;
    if (goal->kind == BENCH_SPEED_AT_LEAST) {
        *figure = rival->median[goal->value] / subject->median[goal->value];
        return *figure >= goal->bound ? BENCH_MET : BENCH_MISSED;
    }
    *figure = subject->median[goal->value] / rival->median[goal->value];
    return *figure <= goal->bound ? BENCH_MET : BENCH_MISSED;
}
