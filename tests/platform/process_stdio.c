/* platform.h, process.c: where the standard streams of a new process lead. */
#include "platform_fixture.h"

#include <stdio.h>

static int helper_speaks(const char *text)
{
    (void)text;
    CHECK(printf("said to output\n") > 0);
    CHECK(fprintf(stderr, "said to error\n") > 0);
    CHECK_EQ(fflush(stdout), 0);
    CHECK_EQ(fflush(stderr), 0);
    return 0;
}

static int helper_reads(const char *text)
{
    char line[64] = "";
    plat_handle handles[4];
    const char *expected = platform_handles(text, handles);

    if (fgets(line, sizeof line, stdin) == NULL) line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    CHECK_STRING(line, expected);
    return 0;
}

/* Starts the helper with output and errors of these kinds, both to `file` where it is a handle. */
static void run_speaker(const char *helper, plat_stream_kind output, plat_stream_kind error, plat_handle file)
{
    platform_call call;
    plat_process process;

    platform_call_init(&call, helper, "");
    call.start.stdio[1] = (plat_stream){output, file};
    call.start.stdio[2] = (plat_stream){error, file};
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
}

typedef struct output_file {
    char directory[1024];
    char path[1100];
    plat_handle file;
    char text[256];
} output_file;

static void output_open(output_file *output)
{
    os_make_directory(output->directory, sizeof output->directory);
    snprintf(output->path, sizeof output->path, "%s/output", output->directory);
    output->file = os_open_output(output->path);
}

static void output_close(output_file *output)
{
    CHECK(os_handle_is_open(output->file));
    CHECK(!os_handle_is_inheritable(output->file));
    plat_handle_close(output->file);
    os_read_file(output->path, output->text, sizeof output->text);
    os_remove_directory(output->directory);
}

static void case_null_input_is_at_its_end(void)
{
    plat_process process;

    platform_start("process_stdio.reads", "", PLAT_NO_HANDLE, &process);
    CHECK_EXITS(&process, 0);
}

static void case_null_output_takes_everything(void)
{
    run_speaker("process_stdio.speaks", PLAT_STREAM_NULL, PLAT_STREAM_NULL, PLAT_NO_HANDLE);
}

static void case_output_goes_to_a_handle(void)
{
    output_file output;

    output_open(&output);
    run_speaker("process_stdio.speaks", PLAT_STREAM_HANDLE, PLAT_STREAM_NULL, output.file);
    output_close(&output);
    CHECK_CONTAINS(output.text, "said to output");
    CHECK(strstr(output.text, "said to error") == NULL);
}

static void case_errors_go_to_a_handle(void)
{
    output_file output;

    output_open(&output);
    run_speaker("process_stdio.speaks", PLAT_STREAM_NULL, PLAT_STREAM_HANDLE, output.file);
    output_close(&output);
    CHECK_CONTAINS(output.text, "said to error");
    CHECK(strstr(output.text, "said to output") == NULL);
}

static void case_both_go_to_one_handle(void)
{
    output_file output;

    output_open(&output);
    run_speaker("process_stdio.speaks", PLAT_STREAM_HANDLE, PLAT_STREAM_HANDLE, output.file);
    output_close(&output);
    CHECK_CONTAINS(output.text, "said to output");
    CHECK_CONTAINS(output.text, "said to error");
}

static int helper_starts_a_speaker(const char *text)
{
    (void)text;
    run_speaker("process_stdio.speaks", PLAT_STREAM_INHERIT, PLAT_STREAM_INHERIT, PLAT_NO_HANDLE);
    return 0;
}

static void case_inherited_streams_lead_where_the_parents_do(void)
{
    output_file output;

    output_open(&output);
    run_speaker("process_stdio.starts_a_speaker", PLAT_STREAM_HANDLE, PLAT_STREAM_HANDLE, output.file);
    output_close(&output);
    CHECK_CONTAINS(output.text, "said to output");
    CHECK_CONTAINS(output.text, "said to error");
}

static void case_input_comes_from_a_handle(void)
{
    char directory[1024];
    char path[1100];
    platform_call call;
    plat_process process;
    plat_handle file;

    os_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/input", directory);
    os_write_program(path, "a line\n");
    file = os_open_input(path);
    platform_call_init(&call, "process_stdio.reads", "a line");
    call.start.stdio[0] = (plat_stream){PLAT_STREAM_HANDLE, file};
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
    plat_handle_close(file);
    os_remove_directory(directory);
}

/* Speaks, and sets the event that it was given. */
static int helper_speaks_and_sets(const char *text)
{
    plat_handle handles[4];

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    plat_event_set(handles[0]);
    return helper_speaks("");
}

static void case_streams_and_handles_do_not_mix(void)
{
    output_file output;
    plat_handle event;
    platform_call call;
    plat_process process;
    int ready = -1;

    output_open(&output);
    CHECK_OK(plat_event_create(&event));
    platform_call_init(&call, "process_stdio.speaks_and_sets", "");
    call.start.stdio[1] = (plat_stream){PLAT_STREAM_HANDLE, output.file};
    call.start.stdio[2] = (plat_stream){PLAT_STREAM_NULL, 0};
    call.start.handles[0] = event;
    CHECK_OK(plat_process_start(&call.start, &process));
    CHECK_EXITS(&process, 0);
    CHECK_OK(plat_handle_wait(&event, 1, 0, &ready));
    plat_handle_close(event);
    output_close(&output);
    CHECK_CONTAINS(output.text, "said to output");
}

CHECK_SUITE(process_stdio,
    CASE(null_input_is_at_its_end),
    CASE(null_output_takes_everything),
    CASE(output_goes_to_a_handle),
    CASE(errors_go_to_a_handle),
    CASE(both_go_to_one_handle),
    CASE(inherited_streams_lead_where_the_parents_do),
    CASE(input_comes_from_a_handle),
    CASE(streams_and_handles_do_not_mix),
    HELPER(speaks),
    HELPER(reads),
    HELPER(starts_a_speaker),
    HELPER(speaks_and_sets),
);
