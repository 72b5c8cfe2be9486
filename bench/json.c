#include "bench.h"

#include "host.h"

#include <mproc/version.h>
#include <stdio.h>

static void write_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', file);
        if ((unsigned char)*text >= ' ') fputc(*text, file);
    }
    fputc('"', file);
}

static void write_machine(FILE *file, const bench_options *options)
{
    host_machine machine;

    host_describe(&machine);
    fprintf(file, "  \"machine\": {\"cpu\": ");
    write_string(file, machine.cpu);
    fprintf(file, ", \"cpus\": %d, \"kernel\": ", machine.cpu_count);
    write_string(file, machine.kernel);
    fprintf(file, ", \"compiler\": ");
    write_string(file, machine.compiler);
    fprintf(file, "},\n  \"date\": ");
    write_string(file, machine.date);
    fprintf(file, ",\n  \"mproc\": \"%s\",\n  \"seed\": %llu,\n  \"quick\": %s,\n", MPROC_VERSION,
            (unsigned long long)options->seed, options->quick ? "true" : "false");
}

static void write_series(FILE *file, const bench_comparison *comparison, const bench_series *series)
{
    if (series->missing != NULL) {
        fprintf(file, "{\"missing\": ");
        write_string(file, series->missing);
        fprintf(file, "}");
        return;
    }
    if (series->failed) {
        fprintf(file, "{\"failed\": true}");
        return;
    }
    fprintf(file, "{");
    for (int value = 0; comparison->values[value].name != NULL; value++) {
        fprintf(file, "%s", value > 0 ? ", " : "");
        write_string(file, comparison->values[value].name);
        fprintf(file, ": {\"median\": %.17g, \"samples\": [", series->median[value]);
        for (size_t i = 0; i < series->count; i++) {
            fprintf(file, "%s%.17g", i > 0 ? ", " : "", series->samples[value][i]);
        }
        fprintf(file, "]}");
    }
    fprintf(file, "}");
}

static void write_goal(FILE *file, const bench_outcome *outcome, const bench_goal *goal)
{
    static const char *const KINDS[] = {"", "time at most", "speed at least", "value at most", "worst at most"};
    static const char *const VERDICTS[] = {"met", "missed", "noisy", "not measured"};
    bool has_rival = goal->kind == BENCH_TIME_AT_MOST || goal->kind == BENCH_SPEED_AT_LEAST;
    double figure = 0;
    bench_verdict verdict = bench_judge(outcome, goal, &figure);

    fprintf(file, "{\"subject\": ");
    write_string(file, outcome->comparison->subjects[goal->subject]->name);
    fprintf(file, ", \"value\": ");
    write_string(file, outcome->comparison->values[goal->value].name);
    fprintf(file, ", \"kind\": \"%s\"", KINDS[goal->kind]);
    if (has_rival) {
        fprintf(file, ", \"rival\": ");
        write_string(file, outcome->comparison->subjects[goal->rival]->name);
    }
    fprintf(file, ", \"bound\": %.17g, \"verdict\": \"%s\"", goal->bound, VERDICTS[verdict]);
    if (verdict == BENCH_MET || verdict == BENCH_MISSED) fprintf(file, ", \"figure\": %.17g", figure);
    fprintf(file, "}");
}

static void write_outcome(FILE *file, const bench_outcome *outcome)
{
    const bench_comparison *comparison = outcome->comparison;

    fprintf(file, "    {\"name\": ");
    write_string(file, comparison->name);
    fprintf(file, ", \"title\": ");
    write_string(file, comparison->title);
    fprintf(file, ", \"cpus\": %d, \"attempts\": %d, \"others\": %.3f,\n     \"subjects\": [",
            (int)comparison->setting.placement, outcome->attempts, outcome->others);
    for (size_t i = 0; i < bench_subject_count(comparison); i++) {
        fprintf(file, "%s\n       {\"name\": ", i > 0 ? "," : "");
        write_string(file, comparison->subjects[i]->name);
        fprintf(file, ", \"measured\": ");
        write_series(file, comparison, &outcome->subjects[i]);
        if (comparison->subjects[i]->rival) {
            fprintf(file, ", \"control\": ");
            write_series(file, comparison, &outcome->controls[i]);
        }
        fprintf(file, "}");
    }
    fprintf(file, "],\n     \"goals\": [");
    for (int i = 0; comparison->goals[i].kind != BENCH_NO_GOAL; i++) {
        fprintf(file, "%s\n       ", i > 0 ? "," : "");
        write_goal(file, outcome, &comparison->goals[i]);
    }
    fprintf(file, "]}");
}

bool bench_write_json(const char *path, const bench_options *options, const bench_outcome *outcomes, size_t count)
{
    FILE *file = fopen(path, "w");
    bool written;

    if (file == NULL) {
        fprintf(stderr, "bench: '%s' cannot be written\n", path);
        return false;
    }
    fprintf(file, "{\n");
    write_machine(file, options);
    fprintf(file, "  \"comparisons\": [\n");
    for (size_t i = 0; i < count; i++) {
        write_outcome(file, &outcomes[i]);
        fprintf(file, "%s\n", i + 1 < count ? "," : "");
    }
    fprintf(file, "  ]\n}\n");
    written = !ferror(file);
    written = fclose(file) == 0 && written;
    if (!written) fprintf(stderr, "bench: '%s' could not be written in full\n", path);
    return written;
}
