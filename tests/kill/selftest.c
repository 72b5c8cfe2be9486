/*
 * Proves that the kill tool catches what it is for, and nothing else. Needs no library.
 *
 * Each scenario here runs in a forked child, whose output is read: a scenario that is broken on purpose must be
 * reported, at the right place and with the right words.
 */
#include "step.h"
#include "tracee.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* An account in shared memory: the promise is that `first` and `second` are equal. */
struct account {
    _Atomic uint32_t first;
    _Atomic uint32_t second;
    _Atomic uint32_t chosen; /* which of the two places of `safe` counts */
    uint32_t safe[2][2];
    _Atomic uint32_t word;
    _Atomic uint32_t steps_of_recovery;
    _Atomic uint32_t intent;
    _Atomic uint32_t free; /* of `nodes`: the first on the free list, and the one that is in use; 0: none */
    _Atomic uint32_t used;
    uint32_t nodes[4]; /* of a free one: the next */
};

/* ---- the operations --------------------------------------------------------------------------- */

/* Two publishing stores: whoever dies between them leaves the account wrong. */
static void two_stores(void *state)
{
    struct account *account = state;

    atomic_store(&account->first, 7);
    atomic_store(&account->second, 7);
}

static const char *both_equal(void *state, bool completed)
{
    struct account *account = state;

    if (atomic_load(&account->first) != atomic_load(&account->second)) return step_says("first and second differ");
    if (completed && atomic_load(&account->first) != 7) return step_says("a completed operation left nothing");
    return NULL;
}

/* One publishing store: the other place is written first, then chosen. */
static void one_store(void *state)
{
    struct account *account = state;
    uint32_t next = 1 - atomic_load(&account->chosen);

    account->safe[next][0] = 7;
    account->safe[next][1] = 7;
    atomic_store(&account->chosen, next);
}

static const char *chosen_equal(void *state, bool completed)
{
    struct account *account = state;
    const uint32_t *pair = account->safe[atomic_load(&account->chosen)];

    if (pair[0] != pair[1]) return step_says("the chosen pair differs");
    return completed && pair[0] != 7 ? step_says("a completed operation left nothing") : NULL;
}

/* Thousands of instructions in libc, two dozen here. */
static void calls(void *state)
{
    struct account *account = state;
    char *text = malloc(10000);
    unsigned long number;

    if (text == NULL) abort();
    memset(text, '1', 9000);
    snprintf(text + 9000, 1000, "%d %s %f", 17, "words", 3.5);
    number = strtoul(text + 9000, NULL, 10);
    free(text);
    atomic_store(&account->first, (uint32_t)number);
}

static const char *seventeen(void *state, bool completed)
{
    uint32_t value = atomic_load(&((struct account *)state)->first);

    return value == 17 || (value == 0 && !completed) ? NULL : step_says("first is %u", value);
}

/* A loop: the short cuts must not lose their count. */
static void loop(void *state)
{
    struct account *account = state;
    int i;

    for (i = 0; i < 100; i++) atomic_fetch_add(&account->first, 1);
}

/* Each point of death leaves the count of the whole rounds before it, so all of 0 to 100 must be seen. */
static uint32_t seen_last;
static uint32_t seen_different;

static const char *count_grows(void *state, bool completed)
{
    uint32_t value = atomic_load(&((struct account *)state)->first);

    if (completed) return value == 100 ? NULL : step_says("%u rounds", value);
    if (value < seen_last || value > seen_last + 1) return step_says("%u rounds after %u", value, seen_last);
    seen_different += value != seen_last;
    seen_last = value;
    return NULL;
}

static void crash(void *state)
{
    struct account *account = state;

    atomic_store(&account->first, 1);
    raise(SIGSEGV);
}

/* Sleeps until `word` is no longer 0. */
static void sleeper(void *state)
{
    struct account *account = state;

    while (atomic_load(&account->word) == 0) syscall(SYS_futex, &account->word, FUTEX_WAIT, 0, NULL, NULL, 0);
    atomic_store(&account->first, 1);
}

static void wake(void *state)
{
    struct account *account = state;

    atomic_store(&account->word, 1);
    syscall(SYS_futex, &account->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static const char *woken(void *state, bool completed)
{
    struct account *account = state;

    if (completed && atomic_load(&account->first) != 1) return step_says("it did not go on");
    return !completed && atomic_load(&account->first) == 1 && atomic_load(&account->word) == 0
               ? step_says("it went on unreleased")
               : NULL;
}

/* ---- two levels ------------------------------------------------------------------------------- */

/* Says what it is about to do, so that a recoverer can do the rest. */
static void with_intent(void *state)
{
    struct account *account = state;

    atomic_store(&account->intent, 1);
    atomic_store(&account->first, 7);
    atomic_store(&account->second, 7);
    atomic_store(&account->intent, 0);
}

static void nothing(void *state)
{
    (void)state;
}

static void finish(void *state)
{
    struct account *account = state;

    if (atomic_load(&account->intent) == 0) return;
    atomic_store(&account->first, 7);
    atomic_store(&account->second, 7);
    atomic_store(&account->intent, 0);
}

/* Forgets the intent before all is done. That only shows when the recoverer itself is killed. */
static void finish_too_early(void *state)
{
    struct account *account = state;

    if (atomic_load(&account->intent) == 0) return;
    atomic_store(&account->intent, 0);
    atomic_store(&account->first, 7);
    atomic_store(&account->second, 7);
}

/* ---- faults that a walk has to find ------------------------------------------------------------- */

static bool be_alone(void *state)
{
    (void)state;
    return true;
}

/* Nothing here asks whether somebody lives. */
static void be_gone(void *state, bool recoverer)
{
    (void)state;
    (void)recoverer;
}

static const step_world world = {be_alone, be_gone, NULL};

/* Chosen before it is filled. */
static void wrong_order(void *state)
{
    struct account *account = state;
    uint32_t next = 1 - atomic_load(&account->chosen);

    atomic_store(&account->chosen, next);
    account->safe[next][0] = 7;
    account->safe[next][1] = 7;
}

/* A recovery that changes what is there already: only where that is put back can the next one find less than 100. */
static void add_some(void *state)
{
    struct account *account = state;

    if (atomic_load(&account->first) < 100) atomic_store(&account->first, 99);
}

static const char *chosen_filled(void *state, bool completed)
{
    struct account *account = state;
    const uint32_t *pair = account->safe[atomic_load(&account->chosen)];

    if (atomic_load(&account->chosen) != 0 && (pair[0] != 7 || pair[1] != 7))
        return step_says("the chosen pair is not filled");
    return completed && pair[0] != 7 ? step_says("a completed operation left nothing") : NULL;
}

/* What an observer finds in its own memory is gone with it, so this one counts nothing. */
static const char *count_is_possible(void *state, bool completed)
{
    uint32_t value = atomic_load(&((struct account *)state)->first);

    return value > 100 || (completed && value != 100) ? step_says("%u rounds", value) : NULL;
}

static void make_list(void *state)
{
    struct account *account = state;
    uint32_t i;

    for (i = 1; i < 3; i++) account->nodes[i] = i + 1;
    atomic_store(&account->free, 1);
}

/* Takes a node: the store of `used` says that it is taken, and the recoverer finishes by it. */
static void take_node(void *state)
{
    struct account *account = state;
    uint32_t node = atomic_load(&account->free);

    atomic_store(&account->used, node);
    atomic_store(&account->free, account->nodes[node]);
    account->nodes[node] = 99;
}

/* The link goes before the node is said to be taken: what is left of the list is lost. */
static void take_node_spoiling(void *state)
{
    struct account *account = state;
    uint32_t node = atomic_load(&account->free), next = account->nodes[node];

    account->nodes[node] = 99;
    atomic_store(&account->used, node);
    atomic_store(&account->free, next);
}

static void finish_taking(void *state)
{
    struct account *account = state;
    uint32_t node = atomic_load(&account->used);

    if (node != 0 && node == atomic_load(&account->free)) atomic_store(&account->free, account->nodes[node]);
}

/* Each node is on the list or in use: only who walks the list sees that its links hold. */
static const char *all_nodes(void *state, bool completed)
{
    struct account *account = state;
    uint32_t count = atomic_load(&account->used) != 0, node = atomic_load(&account->free), looks;

    for (looks = 0; node != 0; looks++) {
        if (node > 3 || looks > 3) return step_says("the free list leads to node %u", node);
        count++;
        node = account->nodes[node];
    }
    if (count != 3) return step_says("%u nodes are left", count);
    return completed && atomic_load(&account->used) == 0 ? step_says("no node was taken") : NULL;
}

/* ---- a victim that is not a fork ---------------------------------------------------------------- */

static const char *self_path;
static struct account *inherited;

static int64_t start_program(void *state)
{
    pid_t pid = fork();

    (void)state;
    if (pid != 0) return pid;
    execl(self_path, self_path, "victim", (char *)NULL);
    _exit(127);
}

static int victim_program(void)
{
    struct account own;

    memset(&own, 0, sizeof own);
    inherited = &own;
    step_victim_begin();
    one_store(inherited);
    calls(inherited);
    step_victim_end();
    return 0;
}

/* ---- the proofs -------------------------------------------------------------------------------- */

static const step_scenario scenarios[] = {
    {.name = "two stores", .operation = two_stores, .check = both_equal},
    {.name = "one store", .operation = one_store, .check = chosen_equal},
    {.name = "calls", .operation = calls, .check = seventeen},
    {.name = "loop", .operation = loop, .check = count_grows},
    {.name = "crash", .operation = crash},
    {.name = "sleeper", .operation = sleeper, .release = wake, .check = woken},
    {.name = "intent", .operation = with_intent, .recover_enter = nothing, .recover = finish, .check = both_equal},
    {.name = "early",
     .operation = with_intent,
     .recover_enter = nothing,
     .recover = finish_too_early,
     .check = both_equal},
    {.name = "program", .start = start_program},
    {.name = "wrong order", .operation = wrong_order, .check = chosen_filled},
    {.name = "rounds", .operation = loop, .recover = add_some, .check = count_is_possible},
    {.name = "list",
     .setup = make_list,
     .operation = take_node,
     .recover_enter = nothing,
     .recover = finish_taking,
     .check = all_nodes},
    {.name = "spoilt list",
     .setup = make_list,
     .operation = take_node_spoiling,
     .recover_enter = nothing,
     .recover = finish_taking,
     .check = all_nodes},
    {.name = "unsteady", .operation = one_store, .check = chosen_equal, .unsteady = true},
};

static int failures;

static void expect(bool holds, const char *what)
{
    if (holds) return;
    printf("self-test failed: %s\n", what);
    failures++;
}

/* Runs the scenario in a child. Returns whether it was kept, with its output and report. */
static bool run_apart(const char *name, step_depth depth, char *output, size_t size, step_report *report)
{
    int ends[2], place[2], status = 0;
    size_t got = 0, i;
    ssize_t more;
    pid_t pid;

    fflush(stdout);
    if (pipe(ends) != 0 || pipe(place) != 0 || (pid = fork()) < 0) {
        perror("self-test");
        exit(2);
    }
    for (i = 0; strcmp(scenarios[i].name, name) != 0;) i++;
    if (pid == 0) {
        bool kept;
        dup2(ends[1], STDOUT_FILENO);
        kept = step_run(&scenarios[i], depth, report);
        if (depth == STEP_ALONE && strcmp(name, "loop") == 0) kept = kept && seen_different == 100;
        if (write(place[1], report, sizeof *report) != sizeof *report) _exit(2);
        exit(kept ? 0 : 1);
    }
    close(ends[1]);
    close(place[1]);
    while ((more = read(ends[0], output + got, size - 1 - got)) > 0) got += (size_t)more;
    output[got] = 0;
    if (read(place[0], report, sizeof *report) != sizeof *report) memset(report, 0, sizeof *report);
    close(ends[0]);
    close(place[0]);
    waitpid(pid, &status, 0);
    fputs(output, stdout);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void prove_broken_is_caught(void)
{
    step_report report;
    char output[4096];

    expect(!run_apart("two stores", STEP_ALONE, output, sizeof output, &report),
           "two publishing stores were not caught");
    expect(strstr(output, "first and second differ") != NULL, "the violation is not named");
    expect(strstr(output, "two_stores+0x") != NULL, "the instruction's symbol is not named");
    expect(report.failures == 1, "the failure was not counted");

    expect(!run_apart("crash", STEP_ALONE, output, sizeof output, &report), "a crashing victim was not caught");
    expect(strstr(output, "signal 11") != NULL, "the signal is not named");

    expect(run_apart("early", STEP_ALONE, output, sizeof output, &report), "one level failed where only two can");
    expect(!run_apart("early", STEP_PAIRS, output, sizeof output, &report), "a broken recovery was not caught");
    expect(strstr(output, "recoverer was killed after") != NULL, "the recoverer's point is not named");
    expect(strstr(output, "finish_too_early+0x") != NULL, "the recoverer's symbol is not named");
}

static void prove_correct_passes(void)
{
    step_report report;
    char output[4096];

    expect(run_apart("one store", STEP_ALONE, output, sizeof output, &report), "one publishing store failed");
    expect(report.points >= 5 && report.points < 60, "the number of points of a small operation is not plausible");

    expect(run_apart("unsteady", STEP_ALONE, output, sizeof output, &report), "one store without short cuts failed");

    expect(run_apart("calls", STEP_ALONE, output, sizeof output, &report), "calls failed");
    expect(report.points >= 20 && report.points < 150, "calls into libc were not run over");

    expect(run_apart("loop", STEP_ALONE, output, sizeof output, &report),
           "a loop failed, or not each round was seen");
    expect(report.points >= 300 && report.points < 2500, "the number of points of a loop is not plausible");
    expect(report.diverged == 0, "a steady path was lost");

    expect(run_apart("sleeper", STEP_ALONE, output, sizeof output, &report), "a sleeping victim failed");
    expect(report.asleep >= 1, "no victim was killed asleep");

    expect(run_apart("program", STEP_ALONE, output, sizeof output, &report), "a program as victim failed");
    expect(report.points >= 30 && report.points < 250, "the number of points of a program is not plausible");
    expect(report.diverged == 0, "a program's steady path was lost");

    expect(run_apart("intent", STEP_PAIRS, output, sizeof output, &report), "a right recovery failed");
    expect(report.pairs >= 8, "too few pairs");
    expect(run_apart("intent", STEP_ALL_PAIRS, output, sizeof output, &report),
           "a right recovery failed on all pairs");
    expect(report.pairs >= 50, "too few of all pairs");
}

/* Found by the walk, which comes before the kills. */
static void expect_walk_finds(const char *name, const char *text)
{
    step_report report;
    char output[4096];

    expect(!run_apart(name, STEP_SAMPLE, output, sizeof output, &report), "a fault passed");
    expect(report.failures == 1 && report.walked > 0 && report.points == 0, "it was not the walk that found a fault");
    expect(strstr(output, text) != NULL, "the walk does not say what was violated");
}

static void prove_walks(void)
{
    step_report report;
    char output[4096];

    step_world_is(&world);
    expect_walk_finds("two stores", "two_stores+0x");
    expect_walk_finds("wrong order", "the chosen pair is not filled");
    expect_walk_finds("spoilt list", "the free list leads to node 99");
    expect_walk_finds("early", "finish_too_early+0x");

    expect(run_apart("one store", STEP_SAMPLE, output, sizeof output, &report), "one store failed, walked over");
    expect(report.walked >= 3, "a walk missed a change");
    expect(report.points > 0, "where the victim has walked nobody was killed for real");
    expect(run_apart("list", STEP_SAMPLE, output, sizeof output, &report), "a right list failed, walked over");
    expect(run_apart("intent", STEP_SAMPLE, output, sizeof output, &report), "a right recovery failed, walked over");
    expect(report.walked >= 4 && report.walked_pairs >= 8, "too few pairs were walked over");
    expect(run_apart("rounds", STEP_SAMPLE, output, sizeof output, &report), "memory was not put back after a death");
    expect(report.walked == 102, "not each round of a loop, and its end, was visited");
}

int main(int count, char **arguments)
{
    self_path = arguments[0];
    if (count > 1 && strcmp(arguments[1], "victim") == 0) return victim_program();
    prove_broken_is_caught();
    prove_correct_passes();
    prove_walks();
    printf("%s\n", failures == 0 ? "kill tool: all self-tests passed" : "kill tool: SELF-TESTS FAILED");
    return failures == 0 ? 0 : 1;
}
