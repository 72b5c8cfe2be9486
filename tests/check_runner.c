/*
 * The outside of a test process: starts the program again for each case, waits for it within its limit, and
 * judges how it ended. What runs inside is check.c.
 */
#include "check_os.h"

#include <stdlib.h>

/* What a case has started may live this long after it, ended by the library or the system. */
enum { CHECK_ORPHAN_MS = 2000, CHECK_ORPHAN_FAILING_MS = 200 };

/* Of a case's output, at most this much is shown and searched: its beginning. */
enum { CHECK_OUTPUT_BYTES = 64 * 1024 };

typedef struct check_report {
    bool passed;
    bool skipped;
    char reason[200];
    char *output; /* CHECK_OUTPUT_BYTES + 1 */
    check_list left;
} check_report;

typedef struct check_run {
    const char *name; /* "suite" or "suite.case"; NULL: all */
    bool plain;
    bool list;
    int found;
    int failed;
    int skipped;
} check_run;

void check_each_case(void (*visit)(void *context, const check_suite *suite, const check_case *entry), void *context)
{
    size_t i;
    size_t k;

    for (i = 0; check_suites[i] != NULL; i++) {
        for (k = 0; k < check_suites[i]->count; k++) {
            if (check_suites[i]->cases[k].run != NULL) visit(context, check_suites[i], &check_suites[i]->cases[k]);
        }
    }
}

bool check_name_matches(const char *name, const check_suite *suite, const check_case *entry)
{
    size_t length = strlen(suite->name);

    if (strncmp(name, suite->name, length) != 0) return false;
    if (name[length] == '\0') return true;
    return name[length] == '.' && strcmp(name + length + 1, entry->name) == 0;
}

/* ---- one case --------------------------------------------------------------------------------- */

static void check_judge(check_report *report, const check_outcome *outcome, const check_case *entry, bool in_time)
{
    int limit_s = entry->limit_s ? entry->limit_s : CHECK_LIMIT_S;

    if (!in_time) {
        snprintf(report->reason, sizeof report->reason, "overran its limit of %d s", limit_s * check_slow());
    } else if (!outcome->exited) {
        snprintf(report->reason, sizeof report->reason, "%s", outcome->text);
    } else if (outcome->code == CHECK_PASSED && report->left.count == 0) {
        report->passed = true;
        report->reason[0] = '\0';
    } else if (outcome->code == CHECK_PASSED) {
        snprintf(report->reason, sizeof report->reason, "processes left: %d, the first %s", report->left.count,
                 report->left.names[0]);
    } else if (outcome->code == CHECK_SKIPPED) {
        report->skipped = true;
        snprintf(report->reason, sizeof report->reason, "not possible on this system");
    } else if (outcome->code == CHECK_FAILED) {
        snprintf(report->reason, sizeof report->reason, "failed");
    } else {
        snprintf(report->reason, sizeof report->reason, "ended early, with exit code %d", outcome->code);
    }
}

/* All processes of the case share the file's position, so their output is in the order of writing. */
static void check_read_output(FILE *output, char *text)
{
    size_t size;

    rewind(output);
    size = fread(text, 1, CHECK_OUTPUT_BYTES, output);
    text[size] = '\0';
}

static void check_execute(const check_suite *suite, const check_case *entry, check_report *report)
{
    char name[200];
    const char *arguments[] = {CHECK_CASE_ARGUMENT, name, NULL};
    int64_t limit_ms = (int64_t)(entry->limit_s ? entry->limit_s : CHECK_LIMIT_S) * 1000 * check_slow();
    check_outcome outcome = {0};
    FILE *output = check_os_output();
    check_process *process = NULL;
    int64_t orphan_ms;
    bool in_time;
    bool passed;

    snprintf(name, sizeof name, "%s.%s", suite->name, entry->name);
    snprintf(report->reason, sizeof report->reason, "could not be started");
    if (output == NULL) {
        perror("a file for the output");
        goto done;
    }
    process = check_os_start(arguments, CHECK_CASE_VARIABLE, "1", output);
    if (process == NULL) goto done;
    in_time = check_os_wait(process, limit_ms, &outcome);
    /* Only a case that passed so far is worth waiting for: a failed one leaves things behind anyway. */
    passed = in_time && outcome.exited && outcome.code == CHECK_PASSED;
    orphan_ms = entry->fails ? CHECK_ORPHAN_FAILING_MS : CHECK_ORPHAN_MS;
    check_os_finish(process, passed ? orphan_ms * check_slow() : 0, &report->left);
    check_judge(report, &outcome, entry, in_time);
    check_read_output(output, report->output);
done:
    if (output != NULL) fclose(output);
}

/* Whether the report names the reason: in the judgement itself, or in what the case printed. */
static bool check_names(const check_report *report, const char *reason)
{
    return strstr(report->reason, reason) != NULL || strstr(report->output, reason) != NULL;
}

/* Turns the report round for a case that is declared to fail: it must, and for the reason declared. */
static void check_expect(check_report *report, const char *reason)
{
    bool failed = !report->passed && !report->skipped;
    char text[sizeof report->reason];

    snprintf(text, sizeof text, "%s", failed ? report->reason : "passed");
    report->skipped = false;
    report->passed = failed && check_names(report, reason);
    snprintf(report->reason, sizeof report->reason, "%.90s, %s \"%.60s\"", text,
             report->passed ? "as it must, with" : "but must fail with", reason);
}

static void check_print_lines(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        printf("    | %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void check_print(const check_suite *suite, const check_case *entry, const check_report *report, int64_t ms)
{
    const char *word = report->passed ? "ok  " : report->skipped ? "SKIP" : "FAIL";

    printf("%s %s.%s (%lld ms)%s%s\n", word, suite->name, entry->name, (long long)ms, report->reason[0] ? ": " : "",
           report->reason);
    if (!report->passed) check_print_lines(report->output);
}

/* ---- many ------------------------------------------------------------------------------------- */

static void check_run_case(void *context, const check_suite *suite, const check_case *entry)
{
    check_run *run = context;
    check_report *report;
    int64_t start_ms = check_os_now_ms();

    if (run->name != NULL && !check_name_matches(run->name, suite, entry)) return;
    run->found++;
    if (run->list) {
        printf("%s.%s\n", suite->name, entry->name);
        return;
    }
    report = calloc(1, sizeof *report);
    if (report == NULL || (report->output = calloc(1, CHECK_OUTPUT_BYTES + 1)) == NULL) {
        perror("calloc");
        exit(CHECK_FAILED);
    }
    check_execute(suite, entry, report);
    if (entry->fails != NULL && !run->plain) check_expect(report, entry->fails);
    check_print(suite, entry, report, check_os_now_ms() - start_ms);
    if (report->skipped) run->skipped++;
    else if (!report->passed) run->failed++;
    free(report->output);
    free(report);
}

static void check_count_case(void *context, const check_suite *suite, const check_case *entry)
{
    (void)suite;
    (void)entry;
    ++*(int *)context;
}

/* CMake reads the tables as text. If it sees another number than the compiler, cases would be left out silently. */
static bool check_registration(void)
{
    int count = 0;

    check_each_case(check_count_case, &count);
    if (count == check_cases_found) return true;
    fprintf(stderr, "this program has %d cases, but CMake found %d: write each CASE on a line of its own\n", count,
            check_cases_found);
    return false;
}

static void check_run_name(check_run *run, const char *name)
{
    int found = run->found;

    run->name = name;
    check_each_case(check_run_case, run);
    if (run->found != found) return;
    fprintf(stderr, "there is no case \"%s\": --list prints all\n", name ? name : "");
    run->failed++;
}

int check_runner_main(int argc, char **argv)
{
    check_run run = {0};
    int i = 1;

    if (!check_registration()) return 1;
    run.list = argc > 1 && strcmp(argv[1], "--list") == 0;
    run.plain = argc > 1 && strcmp(argv[1], "--plain") == 0;
    if (run.list || run.plain) i++;
    if (i == argc) check_run_name(&run, NULL);
    for (; i < argc; i++) check_run_name(&run, argv[i]);
    if (run.found > 1 && !run.list) {
        printf("%d cases, %d failed, %d skipped\n", run.found, run.failed, run.skipped);
    }
    if (run.failed > 0) return 1;
    return run.skipped > 0 && run.skipped == run.found ? CHECK_SKIPPED : 0;
}
