#include "process_fixture.h"

#include <stdlib.h>

#include "object/resource_owner.h"
#include "process_fixture_os.h"
#include "platform/platform_fixture.h"

void fixture_setup(void)
{
    CHECK_EXITED(fixture_start(fixture_does_nothing, NULL, 0, &(mproc_process_options){.daemon = MPROC_YES}), 0);
}

void fixture_step(fixture_board *board)
{
    atomic_fetch_add(&board->step, 1);
}

void fixture_await_step(fixture_board *board, uint32_t step)
{
    CHECK_AWAIT(&board->step, step);
}

mproc_status fixture_take_block(uint64_t size, _Atomic uint64_t **owned)
{
    return resource_take(size, 0, owned);
}

uint64_t fixture_bytes_used(void)
{
    return block_count().bytes_used;
}

/* ---- starting --------------------------------------------------------------------------------- */

fixture_board *fixture_unpack(const mproc_call *call, int64_t *number)
{
    fixture_args args;

    CHECK_OK(mproc_unpack_bytes(call, &args, sizeof args));
    if (number != NULL) *number = args.number;
    return fixture_board_at(args.board);
}

mproc_process *fixture_create(mproc_function *function, fixture_board *board, int64_t number,
                              const mproc_process_options *options)
{
    fixture_args args = {fixture_board_offset(board), number};
    mproc_process *process = NULL;

    CHECK_OK(mproc_process_create(function, mproc_bytes(&args, sizeof args), options, &process));
    return process;
}

mproc_process *fixture_start(mproc_function *function, fixture_board *board, int64_t number,
                             const mproc_process_options *options)
{
    mproc_process *process = fixture_create(function, board, number, options);

    CHECK_OK(mproc_process_start(process));
    return process;
}

/* ---- tasks ------------------------------------------------------------------------------------ */

mproc_status fixture_does_nothing(mproc_call *call)
{
    (void)call;
    return MPROC_OK;
}

mproc_status fixture_exits(mproc_call *call)
{
    int64_t number = 0;

    fixture_unpack(call, &number);
    exit((int)number);
}

mproc_status fixture_returns(mproc_call *call)
{
    int64_t number = 0;

    fixture_unpack(call, &number);
    if (number == MPROC_OK) return MPROC_OK;
    return mproc_error((mproc_status)number, "the task returns %d", (int)number);
}

/* Ends by force alone; the runner's limit is the last resort. */
mproc_status fixture_waits(mproc_call *call)
{
    fixture_step(fixture_unpack(call, NULL));
    for (;;) CHECK_OK(mproc_sleep_ms(MPROC_FOREVER));
    return MPROC_OK;
}

/* ---- ends ------------------------------------------------------------------------------------- */

void fixture_check_end(mproc_process *process, mproc_exit_kind kind, int number, const char *file, int line)
{
    mproc_status joined = mproc_process_join(process, check_limit_ms());
    mproc_exit_status status = mproc_process_exit_status(process);
    int found = status.kind == MPROC_EXIT_SIGNALLED ? status.signal : status.code;

    if (joined != MPROC_OK || status.kind != kind || found != number) {
        check_fail(file, line,
                   "'%s' ended with {kind %d, code %d, signal %d}, joined with %s; expected kind %d, number %d",
                   mproc_process_name(process), (int)status.kind, status.code, status.signal,
                   mproc_status_name(joined), (int)kind, number);
    }
    mproc_process_free(process);
}

size_t fixture_active_count(void)
{
    size_t count = 0;

    CHECK_OK(mproc_active_children(NULL, 0, &count));
    return count;
}

bool fixture_is_active(mproc_process *process)
{
    mproc_process *children[64];
    size_t count = 0;
    size_t i;

    CHECK_OK(mproc_active_children(children, 64, &count));
    CHECK(count <= 64);
    for (i = 0; i < count; i++) {
        if (children[i] == process) return true;
    }
    return false;
}

bool fixture_is_gone(int64_t pid)
{
    return !plat_process_alive(pid, plat_clock_birth_ns());
}

static bool is_gone(void *pid)
{
    return fixture_is_gone(*(const int64_t *)pid);
}

void fixture_await_gone(int64_t pid)
{
    CHECK_WAIT_UNTIL(is_gone, &pid);
}

/* ---- programs of their own -------------------------------------------------------------------- */

static void write_token(void *context, const plat_handle *numbers, char *text)
{
    const fixture_run *run = context;

    (void)numbers;
    snprintf(text, 128, "%s%s%s", run->executable != NULL ? "" : run->helper, run->executable != NULL ? "" : " ",
             run->text != NULL ? run->text : "");
}

static void start_run(const fixture_run *run, plat_handle output, plat_process *process)
{
    plat_start start = {.executable = run->executable,
                        .working_directory = run->working_directory,
                        .environment = run->environment,
                        .token_name = run->executable != NULL ? "FIXTURE_TEXT" : CHECK_HELPER_VARIABLE,
                        .token_write = write_token,
                        .context = (void *)run};
    int i;

    for (i = 0; i < 4; i++) start.handles[i] = PLAT_NO_HANDLE;
    start.stdio[0].kind = PLAT_STREAM_NULL;
    for (i = 1; i < 3; i++) {
        start.stdio[i].kind = output != PLAT_NO_HANDLE ? PLAT_STREAM_HANDLE : PLAT_STREAM_INHERIT;
        start.stdio[i].handle = output;
    }
    CHECK_OK(plat_process_start(&start, process));
}

void fixture_run_start(const fixture_run *run, plat_process *process)
{
    start_run(run, PLAT_NO_HANDLE, process);
}

/* Where the system's lines end with two characters, one is left. */
static void trim_lines(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++) {
        if (*text != '\r') *to++ = *text;
    }
    *to = '\0';
}

/* A file for the output of a program. */
typedef struct output_file {
    char directory[1024];
    char path[1100];
    plat_handle handle;
} output_file;

static void output_create(output_file *output)
{
    os_make_directory(output->directory, sizeof output->directory);
    snprintf(output->path, sizeof output->path, "%s/output", output->directory);
    output->handle = os_open_output(output->path);
}

/* Waits for the end of the process that writes the output. Returns its exit code. */
static int output_read(output_file *output, plat_process *process, char *text, size_t size)
{
    plat_end status = platform_end(process);

    plat_handle_close(output->handle);
    os_read_file(output->path, text, size);
    trim_lines(text);
    os_remove_directory(output->directory);
    fputs(text, stdout);
    CHECK_EQ(status.kind, PLAT_END_EXITED);
    return status.code;
}

void fixture_run_to_end(fixture_run *run)
{
    output_file output;
    plat_process process;

    output_create(&output);
    start_run(run, output.handle, &process);
    run->code = output_read(&output, &process, run->output, sizeof run->output);
}

void fixture_exec_to_end(fixture_exec *exec)
{
    output_file output;
    plat_process process;

    output_create(&output);
    os_exec(exec, output.handle, &process);
    exec->code = output_read(&output, &process, exec->output, sizeof exec->output);
}

const char *fixture_beside(const char *name, char *path, size_t size)
{
    os_program_directory(path, size);
    snprintf(path + strlen(path), size - strlen(path), "%c%s", strchr(path, '\\') != NULL ? '\\' : '/', name);
    return path;
}

int fixture_count(const char *text, const char *part)
{
    int found = 0;

    for (text = strstr(text, part); text != NULL; text = strstr(text + 1, part)) found++;
    return found;
}
