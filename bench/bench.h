/*
 * A small harness for comparisons that can be trusted on a shared machine.
 *
 * A comparison measures subjects, of which some are rivals, and puts them in relation. Each sample is
 * taken in a fresh process, so that no subject runs in the warm caches, the grown heap or the bound
 * threads of another; samples of all subjects are taken in turn, in random order; medians are
 * compared. Every rival is measured a second time under the name "control": how far it is from
 * itself says how far any other figure can be trusted, and if that is too far no ratio is given.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_SUBJECTS_MAX = 8, BENCH_VALUES_MAX = 2, BENCH_SAMPLES_MAX = 80 };

/* Which CPUs a sample, with all its threads and children, may use: the first, or the first two. */
typedef enum bench_placement { BENCH_ONE_CPU = 1, BENCH_TWO_CPUS = 2 } bench_placement;

/* What a subject is to measure. Fields that have no meaning for it are zero. */
typedef struct bench_setting {
    bench_placement placement;
    size_t items;
    size_t chunk_size;     /* 0: the subject's own default */
    size_t peer_items;     /* number of items for a peer that is too slow for `items` */
    size_t resident_bytes; /* memory that the measuring process has touched */
    size_t repeats;        /* how often a sample repeats its operation; it gives the median */
    const char *task;      /* what a program of its own is to do: public.c */
} bench_setting;

/*
 * Takes one sample: writes its values. Runs in a process of its own that is placed already. Returns
 * false, after it has told stderr why, if there is none.
 */
typedef bool bench_measure(const bench_setting *setting, double *values);

typedef struct bench_subject {
    const char *name;
    bool rival;
    bench_measure *measure;
    const char *(*missing)(void); /* NULL: never; otherwise returns NULL, or what is missing here */
} bench_subject;

/* What a value is: a duration in nanoseconds, which is printed in a fitting unit, or a plain number. */
typedef struct bench_value {
    const char *name;
    bool duration;
} bench_value;

typedef enum bench_goal_kind {
    BENCH_NO_GOAL = 0,
    BENCH_TIME_AT_MOST = 1,   /* subject / rival <= bound */
    BENCH_SPEED_AT_LEAST = 2, /* rival / subject >= bound */
    BENCH_VALUE_AT_MOST = 3,  /* median of the subject's value <= bound; there is no rival */
    BENCH_WORST_AT_MOST = 4   /* largest sample of the subject's value <= bound; there is no rival */
} bench_goal_kind;

typedef struct bench_goal {
    bench_goal_kind kind;
    int subject;
    int value;
    int rival;
    double bound;
} bench_goal;

typedef struct bench_comparison {
    const char *name;
    const char *title;
    bench_setting setting;
    const bench_value *values;            /* at most BENCH_VALUES_MAX, then one without a name */
    const bench_subject *const *subjects; /* at most BENCH_SUBJECTS_MAX, then NULL */
    const bench_goal *goals;              /* then one of kind BENCH_NO_GOAL */
} bench_comparison;

/* Samples of one subject, and what follows from them. */
typedef struct bench_series {
    size_t count;
    double samples[BENCH_VALUES_MAX][BENCH_SAMPLES_MAX];
    double median[BENCH_VALUES_MAX];
    double low[BENCH_VALUES_MAX];
    double high[BENCH_VALUES_MAX];
    bool failed;
    const char *missing;
} bench_series;

/* What came of a comparison. `controls` are those of the rivals, at the rivals' places. */
typedef struct bench_outcome {
    const bench_comparison *comparison;
    bench_series subjects[BENCH_SUBJECTS_MAX];
    bench_series controls[BENCH_SUBJECTS_MAX];
    int attempts;
    double others; /* share of the machine that other programs used meanwhile */
} bench_outcome;

typedef enum bench_verdict {
    BENCH_MET,
    BENCH_MISSED,
    BENCH_NOISY,      /* the control was off in every attempt: there is no figure */
    BENCH_UNMEASURED, /* a subject is missing here, or failed */
} bench_verdict;

typedef struct bench_options {
    const char *program; /* path of this executable */
    size_t samples;
    int attempts_max;
    bool quick;
    uint64_t seed;
} bench_options;

/* ---- comparisons.c ---------------------------------------------------------------------------- */

/* All comparisons; the array ends with one that has no name. */
extern const bench_comparison bench_comparisons[];

size_t bench_subject_count(const bench_comparison *comparison);

/* ---- bench.c ---------------------------------------------------------------------------------- */

/* Runs a comparison, again and with more samples while a control is off. */
void bench_run(const bench_comparison *comparison, const bench_options *options, bench_outcome *outcome);

/* Whether the rival's control agrees with it. */
bool bench_control_agrees(const bench_outcome *outcome, int rival);

/* Says whether a goal is met; `*figure` is the ratio or value, written unless it is noisy or unmeasured. */
bench_verdict bench_judge(const bench_outcome *outcome, const bench_goal *goal, double *figure);

/* ---- statistics.c ----------------------------------------------------------------------------- */

/* The median of `count` (at least 1) numbers, which it sorts. */
double bench_median(double *numbers, size_t count);

/* Fills in median, low and high from the samples. */
void bench_series_summarize(bench_series *series);

/* The next number of a sequence that `*state` determines. */
uint64_t bench_random(uint64_t *state);

/* ---- report.c --------------------------------------------------------------------------------- */

void bench_print_machine(void);
void bench_print_outcome(const bench_outcome *outcome);

/* What was wanted, and what came of it. */
void bench_print_goals(const bench_outcome *outcomes, size_t count);

/* Writes everything as JSON. False: the file cannot be written. */
bool bench_write_json(const char *path, const bench_options *options, const bench_outcome *outcomes, size_t count);

#endif
