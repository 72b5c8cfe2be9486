/*
 * The inside of a test process: the checks, the counting before and after a case, and check_main(). What
 * starts and judges such processes is check_runner.c.
 */
#include "check_os.h"

#include <stdarg.h>
#include <stdlib.h>

/*
 * After a case, things may take this long to reach their old number: threads end and close what they hold. Not so
 * where the case is declared to fail.
 */
enum { CHECK_SETTLE_MS = 2000, CHECK_SETTLE_FAILING_MS = 50 };

enum { CHECK_KINDS = 4 };

static const struct {
    check_kind kind;
    const char *name;
} check_kinds[CHECK_KINDS] = {
    {CHECK_HANDLES, "handles"},
    {CHECK_CHILDREN, "children"},
    {CHECK_SHARED, "shared objects"},
    {CHECK_THREADS, "threads"},
};

int check_argument_count;
char **check_arguments;

static check_list check_before[CHECK_KINDS];
static check_list check_after;

/* ---- checks ----------------------------------------------------------------------------------- */

const char *check_short_path(const char *path)
{
    const char *result = path;
    const char *at;

    for (at = path; *at != '\0'; at++) {
        if (strncmp(at, "tests/", 6) == 0 || strncmp(at, "tests\\", 6) == 0) result = at;
    }
    return result;
}

/* _Exit(): exit handlers would wait for children that a failed case leaves. */
static void check_end(int code)
{
    fflush(NULL);
    _Exit(code);
}

void check_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: check failed: ", check_short_path(file), line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    check_end(CHECK_FAILED);
}

void check_that(bool holds, const char *text, const char *file, int line)
{
    if (!holds) check_fail(file, line, "%s", text);
}

void check_equal(intmax_t value, intmax_t expected, const char *value_text, const char *expected_text,
                 const char *file, int line)
{
    if (value == expected) return;
    check_fail(file, line, "%s is %lld, expected %s = %lld", value_text, (long long)value, expected_text,
               (long long)expected);
}

void check_string(const char *value, const char *expected, const char *text, const char *file, int line)
{
    if (value != NULL && strcmp(value, expected) == 0) return;
    check_fail(file, line, "%s is \"%s\", expected \"%s\"", text, value ? value : "(NULL)", expected);
}

void check_contains(const char *value, const char *part, const char *text, const char *file, int line)
{
    if (value != NULL && strstr(value, part) != NULL) return;
    check_fail(file, line, "%s is \"%s\", which does not contain \"%s\"", text, value ? value : "(NULL)", part);
}

void check_wait_until(bool (*predicate)(void *), void *context, const char *text, const char *file, int line)
{
    int64_t deadline_ms = check_os_now_ms() + check_limit_ms();

    while (!predicate(context)) {
        if (check_os_now_ms() > deadline_ms) {
            check_fail(file, line, "%s did not come true within %lld ms", text, (long long)check_limit_ms());
        }
        check_os_pause_ms(1);
    }
}

void check_skip(const char *reason)
{
    printf("skipped: %s\n", reason);
    check_end(CHECK_SKIPPED);
}

typedef struct word_wait {
    _Atomic uint32_t *word;
    uint32_t least;
} word_wait;

static bool word_has_come(void *context)
{
    const word_wait *wait = context;

    return atomic_load(wait->word) >= wait->least;
}

void check_await(_Atomic uint32_t *word, uint32_t least, const char *text, const char *file, int line)
{
    word_wait wait = {word, least};

    check_wait_until(word_has_come, &wait, text, file, line);
}

int check_slow(void)
{
    const char *text = getenv("MPROC_TEST_SLOW");
    int slow = text ? atoi(text) : 1;

    if (slow < 1) slow = 1;
    return slow > 100 ? 100 : slow;
}

int check_many(int many, int few)
{
    return check_slow() > 1 ? few : many;
}

int64_t check_limit_ms(void)
{
    return (int64_t)(CHECK_LIMIT_S - 5) * 1000 * check_slow();
}

int64_t check_now_ms(void)
{
    return check_os_now_ms();
}

void check_pause_ms(int ms)
{
    check_os_pause_ms(ms);
}

/* ---- counting --------------------------------------------------------------------------------- */

void check_list_add(check_list *list, const char *format, ...)
{
    va_list arguments;

    if (list->count < CHECK_LIST_MAX) {
        va_start(arguments, format);
        vsnprintf(list->names[list->count], CHECK_NAME_BYTES, format, arguments);
        va_end(arguments);
    }
    list->count++;
}

void check_baseline(void)
{
    int i;

    for (i = 0; i < CHECK_KINDS; i++) check_os_list(check_kinds[i].kind, &check_before[i]);
}

static bool check_list_has(const check_list *list, const char *name)
{
    int i;

    for (i = 0; i < list->count && i < CHECK_LIST_MAX; i++) {
        if (strcmp(list->names[i], name) == 0) return true;
    }
    return false;
}

/* Prints what one list has and the other has not, unless `prefix` is NULL; returns how many. */
static int check_list_minus(const check_list *list, const check_list *other, const char *prefix)
{
    int differences = 0;
    int i;

    for (i = 0; i < list->count && i < CHECK_LIST_MAX; i++) {
        if (check_list_has(other, list->names[i])) continue;
        differences++;
        if (prefix != NULL) fprintf(stderr, "    %s %s\n", prefix, list->names[i]);
    }
    return differences;
}

static bool check_all_may_vanish(check_kind kind, const check_list *before, const check_list *after)
{
    int i;

    for (i = 0; i < before->count && i < CHECK_LIST_MAX; i++) {
        if (!check_list_has(after, before->names[i]) && !check_os_may_vanish(kind, before->names[i])) return false;
    }
    return true;
}

/*
 * Threads are compared by number: one that was replaced by another is no leak, and one that had just been joined may
 * have been listed still. Everything else has a name that stays, so that closing a stranger's handle does not make up
 * for leaking one's own.
 */
static bool check_same(check_kind kind, const check_list *before, const check_list *after)
{
    if (kind == CHECK_THREADS) return after->count <= before->count;
    if (after->count > CHECK_LIST_MAX) {
        return after->count == before->count || (after->count < before->count && check_os_may_vanish(kind, ""));
    }
    return check_list_minus(after, before, NULL) == 0 && check_all_may_vanish(kind, before, after);
}

/* Waits until there is as much of the kind as before; reports the difference if that does not come. */
static bool check_nothing_left(int index, int settle_ms)
{
    const check_list *before = &check_before[index];
    int64_t deadline_ms = check_os_now_ms() + (int64_t)settle_ms * check_slow();

    for (;;) {
        check_os_list(check_kinds[index].kind, &check_after);
        if (check_same(check_kinds[index].kind, before, &check_after)) return true;
        if (check_os_now_ms() > deadline_ms) break;
        check_os_pause_ms(1);
    }
    fprintf(stderr, "%s left: %d, before the case %d\n", check_kinds[index].name, check_after.count, before->count);
    check_list_minus(&check_after, before, "new: ");
    check_list_minus(before, &check_after, "gone:");
    return false;
}

/* ---- main ------------------------------------------------------------------------------------- */

static const check_case *check_find(const char *name, size_t length, const check_suite **suite)
{
    char full[200];
    size_t i;
    size_t k;

    for (i = 0; check_suites[i] != NULL; i++) {
        for (k = 0; k < check_suites[i]->count; k++) {
            snprintf(full, sizeof full, "%s.%s", check_suites[i]->name, check_suites[i]->cases[k].name);
            if (strlen(full) != length || strncmp(full, name, length) != 0) continue;
            *suite = check_suites[i];
            return &check_suites[i]->cases[k];
        }
    }
    return NULL;
}

/*
 * Runs one case in this process, which the runner has made for it. exit() and not _Exit(): what the library does
 * at the end of a process is part of the case, and must not hang or crash either.
 */
static int check_case_main(const char *name)
{
    const check_suite *suite = NULL;
    const check_case *entry = check_find(name, strlen(name), &suite);
    char runner[32];
    bool clean = true;
    int i;

    if (!check_os_take_variable(CHECK_CASE_VARIABLE, runner, sizeof runner)) {
        fprintf(stderr, "%s: a child of this case ran main() again instead of its own task\n", name);
        return CHECK_FAILED;
    }
    if (entry == NULL || entry->run == NULL) {
        fprintf(stderr, "%s: there is no such case\n", name);
        return CHECK_FAILED;
    }
    if (suite->setup != NULL) suite->setup();
    check_os_warm_up();
    check_baseline();
    entry->run();
    for (i = 0; i < CHECK_KINDS; i++) {
        if ((entry->leaves & (unsigned)check_kinds[i].kind) != 0) continue;
        clean &= check_nothing_left(i, entry->fails ? CHECK_SETTLE_FAILING_MS : CHECK_SETTLE_MS);
    }
    if (!clean) check_end(CHECK_FAILED);
    return CHECK_PASSED;
}

static int check_helper_main(const char *text)
{
    size_t length = strcspn(text, " ");
    const check_suite *suite = NULL;
    const check_case *entry = check_find(text, length, &suite);

    if (entry == NULL || entry->helper == NULL) {
        fprintf(stderr, "%s: there is no such helper\n", text);
        return CHECK_FAILED;
    }
    return entry->helper(text[length] == ' ' ? text + length + 1 : "");
}

int check_main(int argc, char **argv)
{
    char helper[256];

    check_argument_count = argc;
    check_arguments = argv;
    setvbuf(stdout, NULL, _IONBF, 0);
    check_os_quiet();
    if (check_os_take_variable(CHECK_HELPER_VARIABLE, helper, sizeof helper)) return check_helper_main(helper);
    if (argc == 3 && strcmp(argv[1], CHECK_CASE_ARGUMENT) == 0) return check_case_main(argv[2]);
    return check_runner_main(argc, argv);
}
