/* The log: whom lines go to, and those that are owed. */
#include "base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/thread_local.h"
#include "platform.h"

#define LINE_BYTES 4096 /* what goes into a pipe in one piece */
#define NAME_BYTES 128  /* of a process */
#define LEVEL_BYTES 24
#define OWED_LINES 32
#define OWED_BYTES 512
/* How often who takes a handler away looks whether others are in it. */
#define LEAVE_NS ((int64_t)200000)

static_assert(MPROC_LOG_TEXT_MAX + NAME_BYTES + LEVEL_BYTES + 8 <= LINE_BYTES, "a line has room for what is around");

_Atomic int log_threshold = MPROC_LOG_OFF;
_Atomic uint32_t log_owed;

struct owed_line {
    int level;
    char name[NAME_BYTES];
    char text[OWED_BYTES];
};

/* All is guarded by `mutex`, under which nothing else is locked; `log_threshold` and `log_owed` change under it. */
static struct {
    plat_mutex mutex;
    mproc_log_handler *handler;
    void *context;
    bool to_stderr;
    int level;
    bool own_level, own_place; /* the program has set them in this process */
    uint32_t handlers;         /* how many were set: calls of one are counted by its last bit */
    char name[NAME_BYTES];
    struct owed_line owed[OWED_LINES];
    uint32_t first;
    uint32_t lost; /* for want of room in the ring */
    bool speaks;   /* some thread says what is owed */
} state = {.level = MPROC_LOG_OFF, .name = "MainProcess"};

/* Threads that are in a handler. */
static _Atomic uint32_t calls[2];

/* `inside`: it is in a handler, 1 and 2 by its bit; 0: it is not. */
static THREAD_LOCAL struct {
    const char *name;
    uint32_t inside;
} self;

static const struct {
    int level;
    const char *name;
} levels[] = {{MPROC_LOG_SUBDEBUG, "SUBDEBUG"},     {MPROC_LOG_DEBUG, "DEBUG"},     {MPROC_LOG_INFO, "INFO"},
              {MPROC_LOG_SUBWARNING, "SUBWARNING"}, {MPROC_LOG_WARNING, "WARNING"}, {MPROC_LOG_ERROR, "ERROR"}};

static void write_level_name(int level, char name[LEVEL_BYTES])
{
    size_t i = 0;

    while (i < sizeof levels / sizeof levels[0] && levels[i].level != level) i++;
    if (i < sizeof levels / sizeof levels[0]) snprintf(name, LEVEL_BYTES, "%s", levels[i].name);
    else snprintf(name, LEVEL_BYTES, "Level %d", level);
}

/* Formats into `size` bytes; what does not fit is cut at a character, with a mark. Returns the text's bytes. */
static size_t format_text(char *text, size_t size, const char *format, va_list arguments)
{
    int wanted = vsnprintf(text, size, format, arguments);

    if (wanted < 0) text[0] = 0;
    if (wanted < 0 || (size_t)wanted < size) return strlen(text);
    text[size - 4] = 0;
    text_trim(text);
    memcpy(text + strlen(text), "...", 4);
    return strlen(text);
}

/* ---- saying a line -------------------------------------------------------------------------------- */

/* The name in a line of the calling thread. */
static void copy_name(char name[NAME_BYTES])
{
    if (self.name) {
        snprintf(name, NAME_BYTES, "%s", self.name);
        return;
    }
    plat_mutex_lock(&state.mutex);
    memcpy(name, state.name, NAME_BYTES);
    plat_mutex_unlock(&state.mutex);
}

/* Whom the next line is for. A handler counts as called from here on. */
static mproc_log_handler *enter_handler(void **context, bool *to_stderr, uint32_t *bit)
{
    mproc_log_handler *handler;

    plat_mutex_lock(&state.mutex);
    handler = state.handler;
    *context = state.context;
    *to_stderr = state.to_stderr;
    *bit = state.handlers & 1;
    if (handler) atomic_fetch_add(&calls[*bit], 1);
    plat_mutex_unlock(&state.mutex);
    return handler;
}

/* `bytes` have the text of the line, from `at` on, and room for its end. */
static void say(const mproc_log_line *line, char *bytes, size_t at, size_t size)
{
    struct error_text kept;
    void *context;
    bool to_stderr;
    uint32_t bit;
    mproc_log_handler *handler = enter_handler(&context, &to_stderr, &bit);

    if (handler) {
        error_text_keep(&kept);
        self.inside = bit + 1;
        handler(line, context);
        self.inside = 0;
        error_text_restore(&kept);
        atomic_fetch_sub(&calls[bit], 1);
    } else if (to_stderr) {
        bytes[at + size] = '\n';
        plat_system_print_error(bytes, at + size + 1);
    }
}

/* Begins a line in `bytes`; its text follows there. Returns where. */
static size_t begin_line(mproc_log_line *line, char bytes[LINE_BYTES], char level_name[LEVEL_BYTES])
{
    int size;

    write_level_name(line->level, level_name);
    line->level_name = level_name;
    size = snprintf(bytes, LINE_BYTES - MPROC_LOG_TEXT_MAX - 2, "[%s/%s] ", level_name, line->name);
    line->text = bytes + size;
    return (size_t)size;
}

void mproc_log_write(int level, const char *file, int number, const char *format, ...)
{
    char bytes[LINE_BYTES], name[NAME_BYTES], level_name[LEVEL_BYTES];
    mproc_log_line line = {.level = level, .name = name, .file = file, .line = number};
    va_list arguments;
    size_t at, size;

    if (!log_on(level) || self.inside) return;
    log_speak();
    copy_name(name);
    at = begin_line(&line, bytes, level_name);
    va_start(arguments, format);
    size = format_text(bytes + at, MPROC_LOG_TEXT_MAX + 1, format, arguments);
    va_end(arguments);
    say(&line, bytes, at, size);
}

bool mproc_log_enabled(int level)
{
    return log_on(level);
}

/* ---- lines that are owed ----------------------------------------------------------------------------- */

void log_owe(int level, const char *format, ...)
{
    char text[OWED_BYTES];
    struct owed_line *line;
    va_list arguments;
    uint32_t count;

    if (self.inside) return;
    va_start(arguments, format);
    format_text(text, sizeof text, format, arguments);
    va_end(arguments);
    plat_mutex_lock(&state.mutex);
    if ((count = atomic_load(&log_owed)) == OWED_LINES) {
        state.lost++;
    } else {
        line = &state.owed[(state.first + count) % OWED_LINES];
        line->level = level;
        snprintf(line->name, sizeof line->name, "%s", self.name ? self.name : state.name);
        memcpy(line->text, text, sizeof text);
        atomic_store(&log_owed, count + 1);
    }
    plat_mutex_unlock(&state.mutex);
}

/* Who has become the one who speaks. */
static bool begin_to_speak(void)
{
    bool mine;

    plat_mutex_lock(&state.mutex);
    mine = !state.speaks;
    state.speaks = true;
    plat_mutex_unlock(&state.mutex);
    return mine;
}

/*
 * Takes the next line out, and behind the last one what was lost. False: there is none, and nobody speaks any more.
 */
static bool take_owed(struct owed_line *line)
{
    uint32_t count, lost;

    plat_mutex_lock(&state.mutex);
    count = atomic_load(&log_owed);
    lost = state.lost;
    if (count > 0) {
        *line = state.owed[state.first];
        state.first = (state.first + 1) % OWED_LINES;
        atomic_store(&log_owed, count - 1);
    } else if (lost > 0) {
        line->level = MPROC_LOG_WARNING;
        memcpy(line->name, state.name, sizeof line->name);
        snprintf(line->text, sizeof line->text, "%lu more lines were lost, as nobody could say them in time",
                 (unsigned long)lost);
        state.lost = 0;
    } else {
        state.speaks = false;
    }
    plat_mutex_unlock(&state.mutex);
    return count > 0 || lost > 0;
}

static void say_owed(const struct owed_line *owed)
{
    char bytes[LINE_BYTES], level_name[LEVEL_BYTES];
    mproc_log_line line = {.level = owed->level, .name = owed->name};
    size_t at = begin_line(&line, bytes, level_name), size = strlen(owed->text);

    memcpy(bytes + at, owed->text, size + 1);
    if (log_on(owed->level)) say(&line, bytes, at, size);
}

void log_speak_slow(void)
{
    struct owed_line line;

    assert(!plat_mutex_held());
    if (self.inside || !begin_to_speak()) return;
    while (take_owed(&line)) say_owed(&line);
}

/* ---- settings ------------------------------------------------------------------------------------------ */

/* Under the mutex. */
static void settings_changed(void)
{
    atomic_store(&log_threshold, state.handler || state.to_stderr ? state.level : MPROC_LOG_OFF);
}

void mproc_log_set_level(int level)
{
    plat_mutex_lock(&state.mutex);
    state.level = level;
    state.own_level = true;
    settings_changed();
    plat_mutex_unlock(&state.mutex);
}

int mproc_log_level(void)
{
    int level;

    plat_mutex_lock(&state.mutex);
    level = state.level;
    plat_mutex_unlock(&state.mutex);
    return level;
}

/* Until no other thread is in the handler that was there before. */
static void await_calls(uint32_t bit)
{
    uint32_t own = self.inside == bit + 1;

    while (atomic_load(&calls[bit]) > own) plat_clock_sleep_until(plat_clock_now_ns() + LEAVE_NS);
}

static void set_place(mproc_log_handler *handler, void *context, const int *stderr_level)
{
    uint32_t before;

    plat_mutex_lock(&state.mutex);
    before = state.handlers++ & 1;
    state.handler = handler;
    state.context = context;
    state.to_stderr = stderr_level != NULL;
    state.own_place = true;
    if (stderr_level) {
        state.level = *stderr_level;
        state.own_level = true;
    }
    settings_changed();
    plat_mutex_unlock(&state.mutex);
    await_calls(before);
}

void mproc_log_to_stderr(int level)
{
    set_place(NULL, NULL, &level);
}

void mproc_log_set_handler(mproc_log_handler *handler, void *context)
{
    set_place(handler, context, NULL);
}

struct log_settings log_settings(void)
{
    struct log_settings settings;

    plat_mutex_lock(&state.mutex);
    settings = (struct log_settings){state.level, state.to_stderr};
    plat_mutex_unlock(&state.mutex);
    return settings;
}

void log_inherit(const struct log_settings *settings)
{
    plat_mutex_lock(&state.mutex);
    if (!state.own_level) state.level = settings->level;
    if (!state.own_place) state.to_stderr = settings->to_stderr != 0;
    settings_changed();
    plat_mutex_unlock(&state.mutex);
}

void log_set_name(const char *name)
{
    plat_mutex_lock(&state.mutex);
    snprintf(state.name, sizeof state.name, "%s", name);
    plat_mutex_unlock(&state.mutex);
}

void log_set_thread_name(const char *name)
{
    self.name = name;
}

/* ---- fork() copies --------------------------------------------------------------------------------------- */

void log_fork_begins(void)
{
    plat_mutex_lock(&state.mutex);
}

void log_fork_ends(void)
{
    plat_mutex_unlock(&state.mutex);
}

/* Of its threads it has the one that has called fork(), perhaps in a handler. */
void log_forked(void)
{
    atomic_store(&log_owed, 0);
    state.first = state.lost = 0;
    state.speaks = false;
    atomic_store(&calls[0], self.inside == 1);
    atomic_store(&calls[1], self.inside == 2);
    self.name = NULL;
    plat_mutex_unlock(&state.mutex);
}
