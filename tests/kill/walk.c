#include "walk.h"

#include "symbol.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of a scenario where a sample is tried: pairs, and victims at whose points a recoverer walks; of a sparse one. */
#define PAIRS_MAX 200
#define VICTIMS_MAX 10
#define SPARSE_PAIRS_MAX 100
#define SPARSE_VICTIMS_MAX 5
#define ALL_PAIRS_MAX 20000
/* Where a recoverer takes many steps, fewer of them walk: this many steps in all, but some victims in any case. */
#define STEPS_MAX 60000
#define VICTIMS_MIN 3
#define TEXT_BYTES 1024
#define PAGE 4096

static const step_world *world;

static struct {
    unsigned char *base;
    size_t size;
} kept[STEP_WATCHED];

/* What was kept when it was made: `sizes` of it, in `room` bytes. */
struct copy {
    unsigned char *bytes;
    size_t room;
    size_t sizes[STEP_WATCHED];
};

/* The walk that is under way. */
static struct {
    struct copy copies[2]; /* of the memory at the victim's point, and at the recoverer's */
    char *text;            /* what an observer found violated; shared with it */
    long changes;          /* of the victim */
    long victims_max, victims_stride, victims_seen;
    long pairs_stride, pairs_seen, pairs_max;
    long steps_max; /* of all recoverers */
} walk;

void step_world_is(const step_world *is)
{
    world = is;
}

void step_keep(int place, void *base, size_t size)
{
    kept[place].base = base;
    kept[place].size = size;
}

bool walk_serves(const step_trials *run)
{
    const step_scenario *scenario = run->scenario;

    return world != NULL && !scenario->release && !scenario->start && !scenario->keep_status && !scenario->unsteady &&
           !scenario->outside;
}

/* ---- memory ----------------------------------------------------------------------------------- */

static void *shared_bytes(size_t size)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (bytes != MAP_FAILED) return bytes;
    perror("kill tool: no memory");
    exit(2);
}

static void walk_begin(void)
{
    memset(walk.copies, 0, sizeof walk.copies);
    walk.text = shared_bytes(TEXT_BYTES);
}

static void walk_end(void)
{
    int i;

    for (i = 0; i < 2; i++)
        if (walk.copies[i].room > 0) munmap(walk.copies[i].bytes, walk.copies[i].room);
    munmap(walk.text, TEXT_BYTES);
}

static void make_room(struct copy *copy)
{
    size_t bytes = STEP_STATE_BYTES;
    int i;

    for (i = 0; i < STEP_WATCHED; i++) bytes += copy->sizes[i] = kept[i].size;
    if (bytes <= copy->room) return;
    if (copy->room > 0) munmap(copy->bytes, copy->room);
    copy->bytes = shared_bytes(bytes);
    copy->room = bytes;
}

/* There may be more than at the last point. */
static void keep_memory(const step_trials *run, struct copy *copy)
{
    unsigned char *at;
    int i;

    if (world->keep) world->keep();
    make_room(copy);
    memcpy(copy->bytes, run->state, STEP_STATE_BYTES);
    at = copy->bytes + STEP_STATE_BYTES;
    for (i = 0; i < STEP_WATCHED; i++) {
        if (copy->sizes[i] != 0) memcpy(at, kept[i].base, copy->sizes[i]);
        at += copy->sizes[i];
    }
}

/* Only what differs is written: most pages do not. */
static void put_back(unsigned char *memory, const unsigned char *copy, size_t size)
{
    size_t at, part;

    for (at = 0; at < size; at += part) {
        part = size - at < PAGE ? size - at : PAGE;
        if (memcmp(memory + at, copy + at, part) != 0) memcpy(memory + at, copy + at, part);
    }
}

static void put_memory_back(const step_trials *run, const struct copy *copy)
{
    const unsigned char *at = copy->bytes + STEP_STATE_BYTES;
    int i;

    put_back(run->state, copy->bytes, STEP_STATE_BYTES);
    for (i = 0; i < STEP_WATCHED; i++) {
        put_back(kept[i].base, at, copy->sizes[i]);
        at += copy->sizes[i];
    }
}

/* ---- one death that does not happen ----------------------------------------------------------- */

/* In a copy of this process, whose own memory may change as it likes. */
static void observer(step_trials *run, bool pair)
{
    const step_scenario *scenario = run->scenario;
    const char *wrong = NULL;

    signal(SIGALRM, SIG_DFL);
    alarm(TRIAL_SECONDS_MAX);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    world->gone(run->state, false);
    if (pair) world->gone(run->state, true);
    if (scenario->recover != NULL) scenario->recover(run->state);
    if (scenario->check != NULL) wrong = scenario->check(run->state, run->completed);
    if (wrong != NULL) snprintf(walk.text, TEXT_BYTES, "%s", wrong);
    _exit(wrong != NULL);
}

/* Recovers and checks as if the victim, or both, had died here, and puts the memory back. */
static const char *observe(step_trials *run, bool pair, const struct copy *copy)
{
    int status = 0;
    pid_t pid;

    step_turn_next();
    walk.text[0] = 0;
    fflush(stdout);
    if ((pid = fork()) < 0) {
        perror("kill tool: fork");
        exit(2);
    }
    if (pid == 0) observer(run, pair);
    waitpid(pid, &status, 0);
    put_memory_back(run, copy);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return step_says("the recovery or the check hangs");
    if (WIFSIGNALED(status)) return step_says("the recovery or the check crashed with signal %d", WTERMSIG(status));
    if (walk.text[0] != 0) return step_says("%s", walk.text);
    return WEXITSTATUS(status) == 0 ? NULL : step_says("the recovery or the check ended by itself");
}

/* ---- walking ---------------------------------------------------------------------------------- */

typedef const char *visit_point(step_trials *run);

/* Steps a new victim or recoverer from its begin to its end, and visits each point at which something had changed. */
static const char *walk_through(step_trials *run, bool recoverer, visit_point *visit)
{
    const step_scenario *scenario = run->scenario;
    void (*operation)(void *) = recoverer ? scenario->recover : scenario->operation;
    step_way *way = recoverer ? &run->recoverer : &run->victim;
    unsigned char *shadow = run->shadow;
    tracee_event event = TRACEE_STEPPED;
    const char *wrong = NULL;
    step_tracee tracee;
    pid_t pid;

    memset(&tracee, 0, sizeof tracee);
    pid = trials_fork(run, recoverer ? scenario->recover_enter : scenario->enter, operation);
    if (!tracee_begin(&tracee, pid, (uintptr_t)operation)) wrong = trials_crash(&tracee);
    run->shadow = NULL;
    trials_renew_shadow(run);
    trials_changed(run);
    for (way->k = 0; wrong == NULL && event != TRACEE_DONE;) {
        bool changed = way->k == 0;
        if (way->k > 0 && (event = tracee_step(&tracee)) == TRACEE_CRASHED) wrong = trials_crash(&tracee);
        else changed = trials_changed(run) || changed;
        if (!recoverer) run->completed = event == TRACEE_DONE;
        if (wrong == NULL && (changed || event == TRACEE_DONE)) wrong = visit(run);
        if (wrong == NULL) way->k++;
    }
    if (wrong != NULL)
        symbol_write(tracee.now.pc, recoverer ? run->recoverer_at : run->victim_at, sizeof run->victim_at);
    tracee_kill(&tracee, false);
    free(run->shadow);
    run->shadow = shadow;
    return wrong;
}

/* As many points as are wanted, at other places for each victim. */
static const char *visit_recoverer(step_trials *run)
{
    if ((walk.victims_seen + walk.pairs_seen++) % walk.pairs_stride != 0) return NULL;
    run->report->walked_pairs++;
    keep_memory(run, &walk.copies[1]);
    return observe(run, true, &walk.copies[1]);
}

static const char *count_recoverer(step_trials *run)
{
    (void)run;
    walk.pairs_seen++;
    return NULL;
}

static void choose_victims(long victims)
{
    if (victims < VICTIMS_MIN) victims = VICTIMS_MIN;
    if (victims < walk.victims_max) walk.victims_max = victims;
    walk.victims_stride = walk.changes / walk.victims_max + 1;
}

/* The first recoverer only shows how many points there are. */
static const char *visit_pairs(step_trials *run)
{
    bool first = walk.pairs_stride == 0;
    const char *wrong;

    walk.pairs_seen = 0;
    run->pair = true;
    world->gone(run->state, false);
    wrong = walk_through(run, true, first ? count_recoverer : visit_recoverer);
    put_memory_back(run, &walk.copies[0]);
    if (wrong != NULL) return wrong;
    run->pair = false;
    if (!first) return NULL;
    choose_victims(walk.steps_max / (run->recoverer.k + 1));
    walk.pairs_stride = (walk.changes / walk.victims_stride + 1) * walk.pairs_seen / walk.pairs_max + 1;
    return visit_pairs(run);
}

static const char *visit_victim(step_trials *run)
{
    const char *wrong;

    run->report->walked++;
    keep_memory(run, &walk.copies[0]);
    wrong = observe(run, false, &walk.copies[0]);
    if (wrong != NULL || run->scenario->recover_enter == NULL) return wrong;
    if (walk.victims_seen++ % walk.victims_stride != 0) return NULL;
    return visit_pairs(run);
}

static void plan(const step_trials *run, step_depth depth)
{
    long i;

    walk.changes = 0;
    for (i = 0; i < run->victim_path.count; i++) walk.changes += run->victim_path.points[i].change;
    walk.victims_max = run->sparse ? SPARSE_VICTIMS_MAX : VICTIMS_MAX;
    if (depth > STEP_SAMPLE) walk.victims_max = walk.changes + 1;
    walk.steps_max = depth > STEP_SAMPLE ? LONG_MAX : STEPS_MAX;
    walk.pairs_max = run->sparse ? SPARSE_PAIRS_MAX : PAIRS_MAX;
    if (depth > STEP_SAMPLE) walk.pairs_max = ALL_PAIRS_MAX;
    choose_victims(walk.victims_max);
    walk.victims_seen = walk.pairs_stride = 0;
}

bool walk_run(step_trials *run, step_depth depth, bool *walked)
{
    const step_scenario *scenario = run->scenario;
    const char *wrong = NULL;

    memset(run->state, 0, STEP_STATE_BYTES);
    run->pair = run->completed = false;
    alarm(TRIAL_SECONDS_MAX);
    if (scenario->setup != NULL) scenario->setup(run->state);
    *walked = world->alone(run->state);
    if (*walked) {
        plan(run, depth);
        walk_begin();
        alarm(0); /* a walk may be long; whoever observes has a limit */
        wrong = walk_through(run, false, visit_victim);
        walk_end();
        if (wrong == NULL && scenario->recover != NULL) scenario->recover(run->state);
        if (wrong == NULL && scenario->check != NULL) wrong = scenario->check(run->state, true);
    }
    if (wrong != NULL) trials_say_failure(run, run->pair, wrong);
    if (scenario->teardown != NULL) scenario->teardown(run->state);
    alarm(0);
    run->pair = false;
    if (wrong != NULL) run->report->failures++;
    return wrong == NULL;
}
