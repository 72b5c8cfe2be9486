#include "step.h"

#include "path.h"
#include "symbol.h"
#include "trials.h"
#include "walk.h"

#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Pairs that one scenario tries at most: spread evenly, at other places in each run of the long kind. */
#define PAIRS_MAX 150
#define PAIRS_VICTIMS_MAX 15
#define SPARSE_PAIRS_MAX 20
#define SPARSE_VICTIMS_MAX 5
#define DIVERGED_PART 4    /* a scenario is sparse where one in so many kills had to be tried again on foot */
#define ALL_PAIRS_MAX 1000 /* others each time, as the soak has no end */
#define WALKED_MAX 10      /* real kills, and pairs of them, where the victim has walked */
#define WALKED_VICTIMS_MAX 2
#define SAMPLE_MAX 50 /* instructions without a change, of those that are tried where not all are */

static struct {
    const void *base;
    size_t size;
} watched[STEP_WATCHED];

static step_trials *current;

const void *step_about(void)
{
    return current->scenario->about;
}

static long turn;

long step_turn(void)
{
    return turn;
}

void step_turn_next(void)
{
    turn++;
}

void step_watch(int place, const void *base, size_t size)
{
    watched[place].base = base;
    watched[place].size = size;
}

static size_t shadow_bytes(void)
{
    size_t bytes = STEP_STATE_BYTES;
    int i;

    for (i = 0; i < STEP_WATCHED; i++) bytes += watched[i].size;
    return bytes;
}

/* ---- noticing changes ------------------------------------------------------------------------- */

static bool differs(unsigned char *shadow, const void *memory, size_t size)
{
    if (size == 0 || memcmp(shadow, memory, size) == 0) return false;
    memcpy(shadow, memory, size);
    return true;
}

/* All places are compared, so that all shadows are up to date. */
bool trials_changed(step_trials *run)
{
    unsigned char *shadow = run->shadow + STEP_STATE_BYTES;
    bool changed = differs(run->shadow, run->state, STEP_STATE_BYTES);
    int i;

    for (i = 0; i < STEP_WATCHED; i++) {
        changed = differs(shadow, watched[i].base, watched[i].size) || changed;
        shadow += watched[i].size;
    }
    return changed;
}

/* ---- going to the point of death --------------------------------------------------------------- */

static void release(step_trials *run, const step_tracee *tracee)
{
    if (tracee->may_sleep) run->scenario->release(run->state);
}

/* The watched places may have grown since the last path. */
void trials_renew_shadow(step_trials *run)
{
    free(run->shadow);
    run->shadow = calloc(1, shadow_bytes());
    if (run->shadow != NULL) return;
    perror("kill tool: no memory");
    exit(2);
}

/* Steps to the end and notes the path. */
static tracee_event record(step_trials *run, step_tracee *tracee, step_path *path)
{
    tracee_event event = TRACEE_STEPPED;

    path_clear(path);
    trials_renew_shadow(run);
    trials_changed(run);
    path_add(path, tracee->now.pc, true, false, true, false);
    for (;;) {
        bool call = tracee->outside;
        event = tracee_step(tracee);
        if (event == TRACEE_DONE || event == TRACEE_CRASHED) break;
        path_add(path, tracee->now.pc, !tracee->outside, event == TRACEE_ASLEEP, trials_changed(run), call);
        if (event == TRACEE_ASLEEP) release(run, tracee);
    }
    path_plan(path);
    return event;
}

/*
 * Steps to point `k`, if `path` is given by its short cuts. Returns TRACEE_STEPPED or _ASLEEP at the
 * point, TRACEE_DONE if the end came before it.
 */
static tracee_event advance(step_trials *run, step_tracee *tracee, const step_path *path, long k)
{
    tracee_event event = TRACEE_STEPPED;
    long i = 0;

    if (path != NULL && k < path->count && path->points[k].anchor > 0) {
        const path_point *anchor = &path->points[i = path->points[k].anchor];
        event = tracee_run_to(tracee, anchor->pc, anchor->occurrence);
        if (event != TRACEE_STEPPED) return event;
    }
    for (; i < k; i++) {
        if (event == TRACEE_ASLEEP) release(run, tracee);
        event = tracee_step(tracee);
        if (event == TRACEE_DONE || event == TRACEE_CRASHED) break;
    }
    return event;
}

/* Shared libraries lie elsewhere in a program that is started anew. */
static bool stands_at(const step_tracee *tracee, const path_point *point)
{
    return point->in_text ? tracee->now.pc == point->pc : tracee->outside;
}

/*
 * Runs a stopped child to its point of death: `k`, or the end, which records the path. Returns false if that was not
 * the point which the path has there.
 */
static bool lead(step_trials *run, step_tracee *tracee, const step_way *way, bool *ended)
{
    tracee_event event;

    if (way->k == TO_THE_END) event = record(run, tracee, way->path);
    else event = advance(run, tracee, way->direct ? way->path : NULL, way->k);

    *ended = event == TRACEE_DONE;
    if (event == TRACEE_CRASHED || way->k == TO_THE_END || !way->steady) return true;
    if (event == TRACEE_ASLEEP && !way->path->points[way->k].asleep) return false;
    return !*ended && stands_at(tracee, &way->path->points[way->k]);
}

/* ---- victims ---------------------------------------------------------------------------------- */

static volatile int marks;

static void begin_here(void)
{
    marks = 1;
}

/* Called through a pointer that the compiler must read, so that this place keeps an address of its own. */
static void (*volatile const call_begin)(void) = begin_here;

void step_victim_begin(void)
{
    tracee_offer();
    call_begin();
}

void step_victim_end(void)
{
    tracee_end();
}

pid_t trials_fork(step_trials *run, void (*enter)(void *), void (*operation)(void *))
{
    pid_t pid;

    fflush(stdout);
    if ((pid = fork()) < 0) {
        perror("kill tool: fork");
        exit(2);
    }
    if (pid > 0) return pid;
    alarm(0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (enter != NULL) enter(run->state);
    tracee_offer();
    operation(run->state);
    step_victim_end();
    _exit(0);
}

const char *trials_crash(const step_tracee *tracee)
{
    char place[160];

    symbol_write(tracee->now.pc, place, sizeof place);
    if (WIFSTOPPED(tracee->status))
        return step_says("it crashed with signal %d at %s", WSTOPSIG(tracee->status), place);
    return step_says("it ended by itself (wait status 0x%x), last seen at %s", tracee->status, place);
}

/*
 * Starts a victim or a recoverer, runs it to its point of death and kills it there. `*astray`: that was
 * another point than the path's. Returns NULL, or what went wrong.
 */
static const char *kill_at(step_trials *run, bool recoverer, const step_way *way, bool *astray, bool *ended)
{
    const step_scenario *scenario = run->scenario;
    void (*operation)(void *) = recoverer ? scenario->recover : scenario->operation;
    bool started = !recoverer && scenario->start != NULL;
    const char *wrong = NULL;
    step_tracee tracee;
    pid_t pid;

    memset(&tracee, 0, sizeof tracee);
    tracee.may_sleep = !recoverer && scenario->release != NULL;
    if (started) pid = (pid_t)scenario->start(run->state);
    else pid = trials_fork(run, recoverer ? scenario->recover_enter : scenario->enter, operation);
    if (pid <= 0) return step_says("it was not started");

    if (!tracee_begin(&tracee, pid, started ? (uintptr_t)begin_here : (uintptr_t)operation)) {
        wrong = trials_crash(&tracee);
    } else {
        *astray = !lead(run, &tracee, way, ended);
        if (tracee_fell(&tracee) && way->direct) run->fell = *astray = true;
        else if (!WIFSTOPPED(tracee.status) || WSTOPSIG(tracee.status) != SIGTRAP) wrong = trials_crash(&tracee);
    }
    symbol_write(tracee.now.pc, recoverer ? run->recoverer_at : run->victim_at, sizeof run->victim_at);
    if (tracee.running) run->report->asleep++;
    tracee_kill(&tracee, !recoverer && scenario->keep_status);
    return wrong;
}

/* ---- trials ----------------------------------------------------------------------------------- */

static void say_point(const char *who, long point, const char *place)
{
    if (point == TO_THE_END) printf("  the %s was killed after its end\n", who);
    else printf("  the %s was killed after %ld instructions, at %s\n", who, point, place);
}

void trials_say_failure(const step_trials *run, bool pair, const char *wrong)
{
    printf("FAILED: %s\n", run->scenario->name);
    say_point("victim", run->victim.k, run->victim_at);
    if (pair) say_point("recoverer", run->recoverer.k, run->recoverer_at);
    printf("  violated: %s\n", wrong);
    fflush(stdout);
}

static void on_alarm(int signal)
{
    (void)signal;
    trials_say_failure(current, current->pair, "the trial hangs"); /* the process ends here: stdio is safe enough */
    _exit(3);
}

static const char *die_and_recover(step_trials *run, bool *astray)
{
    const step_scenario *scenario = run->scenario;
    const char *wrong;

    wrong = kill_at(run, false, &run->victim, astray, &run->completed);
    if (wrong == NULL && run->pair && !*astray) wrong = kill_at(run, true, &run->recoverer, astray, &run->recovered);
    if (wrong != NULL) return wrong;
    if (scenario->recover != NULL) scenario->recover(run->state);
    wrong = scenario->check == NULL ? NULL : scenario->check(run->state, run->completed);
    return run->fell ? NULL : wrong;
}

/* Where the victim has walked, any point of its way will do for a real kill. */
static bool counts(const step_trials *run, bool astray)
{
    return !astray || (run->walked && !run->fell);
}

/* One trial as run->victim, run->recoverer and run->pair say. A second time on foot if it went astray. */
static bool trial(step_trials *run)
{
    const step_scenario *scenario = run->scenario;
    const char *wrong = NULL;
    bool astray = false;
    int tries;

    for (tries = 0; tries < 2 && wrong == NULL && (tries == 0 || !counts(run, astray)); tries++) {
        astray = false;
        run->victim.direct = run->recoverer.direct = tries == 0;
        run->fell = run->completed = run->recovered = false;
        memset(run->state, 0, STEP_STATE_BYTES);
        step_turn_next();
        alarm(TRIAL_SECONDS_MAX);
        if (scenario->setup != NULL) scenario->setup(run->state);
        wrong = die_and_recover(run, &astray);
        if (wrong != NULL) trials_say_failure(run, run->pair, wrong);
        if (scenario->teardown != NULL) scenario->teardown(run->state);
        alarm(0);
        if (astray) run->report->diverged++;
    }
    if (wrong != NULL) run->report->failures++;
    return wrong == NULL;
}

/* The first trial warms up; the second shows the path. */
static bool rehearse(step_trials *run)
{
    run->pair = false;
    run->victim.k = TO_THE_END;
    return trial(run) && trial(run);
}

/* Which instructions of the victim are tried beside those that changed something: each of that many, or none (0). */
static long alone_stride(const step_trials *run, step_depth depth)
{
    if (depth >= STEP_MORE_PAIRS) return 1;
    if (run->walked) return run->victim_path.count / WALKED_MAX + 1;
    if (run->scenario->slow) return 0;
    return depth == STEP_SAMPLE ? run->victim_path.count / SAMPLE_MAX + 1 : 1;
}

/* Where the victim has walked, its changes need no real kills. */
static bool run_alone(step_trials *run, step_depth depth)
{
    long stride = alone_stride(run, depth);

    run->pair = false;
    for (run->victim.k = 0;; run->victim.k++) {
        long k = run->victim.k;
        bool all = k >= run->victim_path.count;
        bool change = !all && !run->walked && run->victim_path.points[k].change;
        if (all && (run->victim.steady || run->completed)) return true;
        if (!all && !change && (stride == 0 || k % stride != 0)) continue;
        if (!trial(run)) return false;
        run->report->points++;
    }
}

static long count_changes(const step_path *path, bool every)
{
    long count = 0, i;

    for (i = 0; i < path->count; i++) count += every || path->points[i].change;
    return count;
}

static long pairs_max(const step_trials *run, bool every)
{
    if (every) return ALL_PAIRS_MAX;
    if (run->walked) return WALKED_MAX;
    return run->sparse ? SPARSE_PAIRS_MAX : PAIRS_MAX;
}

/* The victim dies at run->victim.k; every `stride`th point of the recoverer is tried, `skip` are left out first. */
static bool run_recoverer(step_trials *run, bool every, long victims, long skip)
{
    long stride, i;

    run->recoverer.k = TO_THE_END;
    if (!trial(run)) return false;
    stride = victims * count_changes(&run->recoverer_path, every) / pairs_max(run, every) + 1;
    skip %= stride;
    for (i = 0; i < run->recoverer_path.count; i++) {
        if (!every && !run->recoverer_path.points[i].change) continue;
        if (skip-- > 0) continue;
        skip = stride - 1;
        run->recoverer.k = i;
        if (!trial(run)) return false;
        run->report->pairs++;
    }
    return true;
}

static bool run_pairs(step_trials *run, bool every)
{
    long victims = count_changes(&run->victim_path, every);
    long victims_max = run->walked ? WALKED_VICTIMS_MAX : run->sparse ? SPARSE_VICTIMS_MAX : PAIRS_VICTIMS_MAX;
    long stride = every ? 1 : victims / victims_max + 1;
    long i, number = every ? (long)time(NULL) : 0;

    run->pair = true;
    for (i = 0; i < run->victim_path.count; i++) {
        if (!every && !run->victim_path.points[i].change) continue;
        if (number++ % stride != 0) continue;
        run->victim.k = i;
        if (!run_recoverer(run, every, victims / stride, number)) return false;
    }
    return true;
}

/* ---- the run ---------------------------------------------------------------------------------- */

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Between two CPUs each step takes three times as long. */
static void stay_on_this_cpu(void)
{
    cpu_set_t set;
    int cpu = sched_getcpu();

    CPU_ZERO(&set);
    CPU_SET(cpu < 0 ? 0 : cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void run_init(step_trials *run, const step_scenario *scenario, step_report *report)
{
    memset(run, 0, sizeof *run);
    memset(report, 0, sizeof *report);
    run->scenario = scenario;
    run->report = report;
    run->victim.path = &run->victim_path;
    run->victim.steady = !scenario->unsteady;
    run->recoverer.path = &run->recoverer_path;
    run->recoverer.steady = true;
    run->state = mmap(NULL, STEP_STATE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run->state == MAP_FAILED) {
        perror("kill tool: no memory");
        exit(2);
    }
}

static void say_report(const step_trials *run)
{
    const step_report *report = run->report;

    printf("%s: killed at %ld of %ld points, %ld times asleep", run->scenario->name, report->points,
           run->victim_path.count, report->asleep);
    if (report->pairs > 0) printf("; with its recoverer at %ld pairs", report->pairs);
    if (report->walked > 0) printf("; walked over %ld changes, %ld pairs", report->walked, report->walked_pairs);
    if (report->diverged > 0) printf("; %ld went another way", report->diverged);
    printf("; %ld failures, %.1f s\n", report->failures, report->seconds);
    fflush(stdout);
}

bool step_run(const step_scenario *scenario, step_depth depth, step_report *report)
{
    double begin = seconds_now();
    bool kept;
    step_trials run;

    run_init(&run, scenario, report);
    stay_on_this_cpu();
    current = &run;
    signal(SIGALRM, on_alarm);

    run.sparse = scenario->sparse && depth < STEP_MORE_PAIRS;
    kept = rehearse(&run);
    if (kept && depth != STEP_ALONE && walk_serves(&run)) kept = walk_run(&run, depth, &run.walked);
    if (kept) kept = run_alone(&run, depth);
    if (depth == STEP_SAMPLE && report->diverged > report->points / DIVERGED_PART) run.sparse = true;
    if (kept && depth != STEP_ALONE && scenario->recover_enter != NULL)
        kept = run_pairs(&run, depth == STEP_ALL_PAIRS);

    report->seconds = seconds_now() - begin;
    say_report(&run);
    current = NULL;
    munmap(run.state, STEP_STATE_BYTES);
    free(run.shadow);
    path_free(&run.victim_path);
    path_free(&run.recoverer_path);
    return kept;
}
