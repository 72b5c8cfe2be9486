/* include/mproc/log.h, and what base/log.h owes: levels, handlers, texts, within one process. */
#include "base/log.h"

#include "logged.h"

static int evaluated;

static int evaluate(void)
{
    return ++evaluated;
}

static void case_nothing_is_said_by_default(void)
{
    CHECK_EQ(mproc_log_level(), MPROC_LOG_OFF);
    CHECK(!mproc_log_enabled(MPROC_LOG_ERROR));
    CHECK(!log_on(MPROC_LOG_ERROR));
    mproc_log(MPROC_LOG_ERROR, "%d", evaluate());
    mproc_log_write(MPROC_LOG_ERROR, NULL, 0, "%s", "nobody hears it");
    CHECK_EQ(evaluated, 0);
}

static void case_level_without_a_place_says_nothing(void)
{
    mproc_log_set_level(MPROC_LOG_DEBUG);
    CHECK_EQ(mproc_log_level(), MPROC_LOG_DEBUG);
    CHECK(!mproc_log_enabled(MPROC_LOG_ERROR));
}

static void case_lines_of_the_level_and_above_are_said(void)
{
    logged_begin(MPROC_LOG_SUBWARNING);
    CHECK(!mproc_log_enabled(MPROC_LOG_INFO) && mproc_log_enabled(MPROC_LOG_SUBWARNING));
    mproc_log(MPROC_LOG_INFO, "%d", evaluate());
    mproc_log(MPROC_LOG_SUBWARNING - 1, "%d", evaluate());
    CHECK_EQ(evaluated, 0);
    CHECK_STRING(logged.text, "");
    mproc_log(MPROC_LOG_SUBWARNING, "at %d", evaluate());
    mproc_log(MPROC_LOG_ERROR, "above %s", "it");
    CHECK_EQ(evaluated, 1);
    CHECK_STRING(logged.text, "[SUBWARNING/MainProcess] at 1\n[ERROR/MainProcess] above it\n");
    mproc_log_set_level(MPROC_LOG_OFF);
    mproc_log(MPROC_LOG_ERROR, "off");
    CHECK_EQ(logged.lines, 2);
}

static void case_levels_have_pythons_numbers_and_names(void)
{
    CHECK(MPROC_LOG_SUBDEBUG == 5 && MPROC_LOG_DEBUG == 10 && MPROC_LOG_INFO == 20);
    CHECK(MPROC_LOG_SUBWARNING == 25 && MPROC_LOG_WARNING == 30 && MPROC_LOG_ERROR == 40);
    logged_begin(-7);
    mproc_log(MPROC_LOG_SUBDEBUG, "1");
    mproc_log(MPROC_LOG_DEBUG, "2");
    mproc_log(MPROC_LOG_INFO, "3");
    mproc_log(MPROC_LOG_WARNING, "4");
    mproc_log(35, "5");
    mproc_log(-7, "6");
    CHECK_STRING(logged.text, "[SUBDEBUG/MainProcess] 1\n[DEBUG/MainProcess] 2\n[INFO/MainProcess] 3\n"
                              "[WARNING/MainProcess] 4\n[Level 35/MainProcess] 5\n[Level -7/MainProcess] 6\n");
}

/* ---- handlers ------------------------------------------------------------------------------------ */

static mproc_log_line seen;
static char seen_text[8];
static void *seen_context;

static void look(const mproc_log_line *line, void *context)
{
    seen = *line;
    seen_context = context;
    snprintf(seen_text, sizeof seen_text, "%s", line->text);
}

static void case_handler_gets_where_the_program_said_it(void)
{
    int here;

    mproc_log_set_handler(look, &here);
    mproc_log_set_level(MPROC_LOG_INFO);
    here = __LINE__ + 1;
    mproc_log(MPROC_LOG_WARNING, "a %s", "text");
    CHECK(seen_context == &here);
    CHECK_EQ(seen.level, MPROC_LOG_WARNING);
    CHECK_STRING(seen_text, "a text");
    CHECK_STRING(seen.file, __FILE__);
    CHECK_EQ(seen.line, here);
    log_owe(MPROC_LOG_INFO, "own");
    log_speak();
    CHECK_STRING(seen_text, "own");
    CHECK(seen.file == NULL);
}

static void log_again(const mproc_log_line *line, void *context)
{
    logged_keep(line, context);
    mproc_log(MPROC_LOG_ERROR, "said in the handler");
    log_owe(MPROC_LOG_ERROR, "owed in the handler");
    log_speak();
}

static void case_handler_that_logs_itself_is_not_called_for_that(void)
{
    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_log_set_handler(log_again, NULL);
    mproc_log(MPROC_LOG_INFO, "first");
    log_owe(MPROC_LOG_INFO, "second");
    mproc_log(MPROC_LOG_INFO, "third");
    CHECK_STRING(logged.text, "[INFO/MainProcess] first\n[INFO/MainProcess] second\n[INFO/MainProcess] third\n");
}

static void take_away(const mproc_log_line *line, void *context)
{
    logged_keep(line, context);
    mproc_log_set_handler(logged_keep, NULL);
}

static void case_handler_can_put_another_in_its_place(void)
{
    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_log_set_handler(take_away, NULL);
    mproc_log(MPROC_LOG_INFO, "first");
    mproc_log_set_handler(take_away, NULL);
    mproc_log_set_handler(take_away, NULL);
    mproc_log(MPROC_LOG_INFO, "second");
    mproc_log(MPROC_LOG_INFO, "third");
    CHECK_STRING(logged.text, "[INFO/MainProcess] first\n[INFO/MainProcess] second\n[INFO/MainProcess] third\n");
}

static void case_no_handler_hears_nothing(void)
{
    logged_begin(MPROC_LOG_INFO);
    log_owe(MPROC_LOG_INFO, "owed to the one before");
    mproc_log_set_handler(NULL, NULL);
    CHECK(!mproc_log_enabled(MPROC_LOG_ERROR));
    mproc_log(MPROC_LOG_ERROR, "lost");
    log_speak();
    CHECK_STRING(logged.text, "");
    CHECK_EQ(mproc_log_level(), MPROC_LOG_INFO);
    mproc_log_set_handler(logged_keep, NULL);
    mproc_log(MPROC_LOG_ERROR, "heard");
    CHECK_STRING(logged.text, "[ERROR/MainProcess] heard\n");
}

static void fail(const mproc_log_line *line, void *context)
{
    (void)line;
    (void)context;
    mproc_error(MPROC_LIMIT, "of the handler");
}

static void case_error_text_of_the_caller_stays(void)
{
    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_log_set_handler(fail, NULL);
    mproc_log(MPROC_LOG_INFO, "before there is a text");
    CHECK_STRING(mproc_last_error_text(), "");
    mproc_error(MPROC_INVALID, "of the caller");
    mproc_log(MPROC_LOG_INFO, "after it");
    CHECK_STRING(mproc_error_text(MPROC_INVALID), "of the caller");
}

static void case_what_a_process_sets_itself_is_not_inherited(void)
{
    const struct log_settings parents = {MPROC_LOG_INFO, true};

    mproc_log_set_level(MPROC_LOG_ERROR);
    mproc_log_set_handler(logged_keep, NULL);
    log_inherit(&parents);
    mproc_log(MPROC_LOG_ERROR, "to the handler");
    CHECK_EQ(mproc_log_level(), MPROC_LOG_ERROR);
    CHECK_STRING(logged.text, "[ERROR/MainProcess] to the handler\n");
}

static void case_what_a_process_has_not_set_is_inherited(void)
{
    const struct log_settings parents = {MPROC_LOG_INFO, true};

    log_inherit(&parents);
    CHECK_EQ(mproc_log_level(), MPROC_LOG_INFO);
    CHECK(mproc_log_enabled(MPROC_LOG_INFO) && !mproc_log_enabled(MPROC_LOG_DEBUG));
    CHECK(log_settings().to_stderr);
}

/* ---- two threads ---------------------------------------------------------------------------------- */

static _Atomic uint32_t inside, go_on, taken;

static void stay(const mproc_log_line *line, void *context)
{
    logged_keep(line, context);
    atomic_fetch_add(&inside, 1);
    CHECK_AWAIT(&go_on, 1);
}

static void log_in_a_thread(void *unused)
{
    (void)unused;
    mproc_log(MPROC_LOG_INFO, "from a thread");
}

static void take_it_away(void *unused)
{
    (void)unused;
    mproc_log_set_handler(NULL, NULL);
    atomic_store(&taken, 1);
}

static void case_two_threads_can_be_in_a_handler_at_once(void)
{
    plat_thread *threads[2];

    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_log_set_handler(stay, NULL);
    for (int i = 0; i < 2; i++) CHECK_OK(plat_thread_start(log_in_a_thread, NULL, &threads[i]));
    CHECK_AWAIT(&inside, 2);
    atomic_store(&go_on, 1);
    for (int i = 0; i < 2; i++) plat_thread_join(threads[i]);
    CHECK_STRING(logged.text, "[INFO/MainProcess] from a thread\n[INFO/MainProcess] from a thread\n");
}

static void case_who_takes_a_handler_away_waits_for_those_in_it(void)
{
    plat_thread *threads[2];

    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_log_set_handler(stay, NULL);
    CHECK_OK(plat_thread_start(log_in_a_thread, NULL, &threads[0]));
    CHECK_AWAIT(&inside, 1);
    CHECK_OK(plat_thread_start(take_it_away, NULL, &threads[1]));
    while (mproc_log_enabled(MPROC_LOG_ERROR)) check_pause_ms(1);
    CHECK_EQ(atomic_load(&taken), 0);
    atomic_store(&go_on, 1);
    for (int i = 0; i < 2; i++) plat_thread_join(threads[i]);
    CHECK_EQ(atomic_load(&taken), 1);
}

/* ---- texts ----------------------------------------------------------------------------------------- */

static char long_text[2 * MPROC_LOG_TEXT_MAX];
static char heard_text[2 * MPROC_LOG_TEXT_MAX];

static void keep_whole(const mproc_log_line *line, void *context)
{
    (void)context;
    snprintf(heard_text, sizeof heard_text, "%s", line->text);
}

static const char *say_long(size_t size)
{
    memset(long_text, 'x', size);
    long_text[size] = 0;
    mproc_log(MPROC_LOG_INFO, "%s", long_text);
    return heard_text;
}

static void case_long_text_is_cut_with_a_mark(void)
{
    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_log_set_handler(keep_whole, NULL);
    CHECK_STRING(say_long(MPROC_LOG_TEXT_MAX), long_text);
    CHECK_EQ(strlen(say_long(MPROC_LOG_TEXT_MAX + 1)), MPROC_LOG_TEXT_MAX);
    CHECK_STRING(heard_text + MPROC_LOG_TEXT_MAX - 5, "xx...");
    mproc_log(MPROC_LOG_INFO, "%s", "");
    CHECK_STRING(heard_text, "");
}

/* The character with two bytes begins with the last byte that there is room for. */
static void case_long_text_is_cut_at_a_character(void)
{
    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_log_set_handler(keep_whole, NULL);
    memset(long_text, 'x', MPROC_LOG_TEXT_MAX + 1);
    memcpy(long_text + MPROC_LOG_TEXT_MAX - 4, "\xC3\xA9", 2);
    mproc_log(MPROC_LOG_INFO, "%s", long_text);
    CHECK_EQ(strlen(heard_text), MPROC_LOG_TEXT_MAX - 1);
    CHECK_STRING(heard_text + MPROC_LOG_TEXT_MAX - 5, "x...");
}

/* ---- what is owed ------------------------------------------------------------------------------------ */

static void case_lines_that_are_owed_come_before_later_ones(void)
{
    logged_begin(MPROC_LOG_INFO);
    log_owe(MPROC_LOG_INFO, "first");
    log_owe(MPROC_LOG_WARNING, "second");
    CHECK_STRING(logged.text, "");
    mproc_log(MPROC_LOG_INFO, "third");
    CHECK_STRING(logged.text, "[INFO/MainProcess] first\n[WARNING/MainProcess] second\n[INFO/MainProcess] third\n");
}

static void case_lines_that_nobody_says_in_time_are_counted(void)
{
    enum { ROOM = 32, MORE = 5 };

    logged_begin(MPROC_LOG_INFO);
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < ROOM + MORE; i++) log_owe(MPROC_LOG_INFO, "line %d", i);
        log_speak();
        CHECK_EQ(logged.lines, round * (ROOM + 1));
    }
    CHECK_CONTAINS(logged.text, "line 31\n[WARNING/MainProcess] 5 more lines were lost");
    CHECK(strstr(logged.text, "line 32") == NULL);
}

static void case_long_line_that_is_owed_is_cut(void)
{
    mproc_log_set_level(MPROC_LOG_INFO);
    mproc_log_set_handler(keep_whole, NULL);
    memset(long_text, 'x', 600);
    log_owe(MPROC_LOG_INFO, "%s", long_text);
    log_speak();
    CHECK_EQ(strlen(heard_text), 511);
    CHECK_STRING(heard_text + 506, "xx...");
}

CHECK_SUITE(base_log,
    CASE(nothing_is_said_by_default),
    CASE(level_without_a_place_says_nothing),
    CASE(lines_of_the_level_and_above_are_said),
    CASE(levels_have_pythons_numbers_and_names),
    CASE(handler_gets_where_the_program_said_it),
    CASE(handler_that_logs_itself_is_not_called_for_that),
    CASE(handler_can_put_another_in_its_place),
    CASE(no_handler_hears_nothing),
    CASE(error_text_of_the_caller_stays),
    CASE(what_a_process_sets_itself_is_not_inherited),
    CASE(what_a_process_has_not_set_is_inherited),
    CASE(two_threads_can_be_in_a_handler_at_once),
    CASE(who_takes_a_handler_away_waits_for_those_in_it),
    CASE(long_text_is_cut_with_a_mark),
    CASE(long_text_is_cut_at_a_character),
    CASE(lines_that_are_owed_come_before_later_ones),
    CASE(lines_that_nobody_says_in_time_are_counted),
    CASE(long_line_that_is_owed_is_cut),
);
