#include "platform_fixture.h"

#include <stdio.h>

int64_t platform_limit_ns(void)
{
    return plat_clock_now_ns() + check_limit_ms() * 1000000;
}

int64_t platform_in_ms(int ms)
{
    return plat_clock_now_ns() + (int64_t)ms * 1000000;
}

/* ---- children --------------------------------------------------------------------------------- */

static void write_token(void *context, const plat_handle *numbers, char *text)
{
    platform_call *call = context;

    call->written++;
    memcpy(call->numbers, numbers, sizeof call->numbers);
    snprintf(text, 128, "%s %lld,%lld,%lld,%lld,%s", call->helper, (long long)numbers[0], (long long)numbers[1],
             (long long)numbers[2], (long long)numbers[3], call->text);
}

void platform_call_init(platform_call *call, const char *helper, const char *text)
{
    int i;

    memset(call, 0, sizeof *call);
    call->helper = helper;
    call->text = text;
    call->start.stdio[0].kind = PLAT_STREAM_NULL;
    call->start.stdio[1].kind = PLAT_STREAM_INHERIT;
    call->start.stdio[2].kind = PLAT_STREAM_INHERIT;
    for (i = 0; i < 4; i++) call->start.handles[i] = PLAT_NO_HANDLE;
    call->start.token_name = CHECK_HELPER_VARIABLE;
    call->start.token_write = write_token;
    call->start.context = call;
}

void platform_start(const char *helper, const char *text, plat_handle handle, plat_process *process)
{
    platform_call call;

    platform_call_init(&call, helper, text);
    call.start.handles[0] = handle;
    CHECK_OK(plat_process_start(&call.start, process));
}

const char *platform_handles(const char *text, plat_handle *handles)
{
    int i;

    for (i = 0; i < 4; i++) {
        char *end;
        handles[i] = (plat_handle)strtoll(text, &end, 10);
        CHECK(*end == ',');
        text = end + 1;
    }
    return text;
}

plat_end platform_end(plat_process *process)
{
    plat_end status;
    int ready = -1;

    CHECK_OK(plat_handle_wait(&process->handle, 1, platform_limit_ns(), &ready));
    CHECK_EQ(ready, 0);
    status = plat_process_collect(process);
    plat_handle_close(process->handle);
    process->handle = PLAT_NO_HANDLE;
    return status;
}

void platform_check_end(plat_process *process, plat_end_kind kind, int number, const char *file, int line)
{
    plat_end status = platform_end(process);
    int found = status.kind == PLAT_END_SIGNALLED ? status.signal : status.code;

    if (status.kind == kind && found == number) return;
    check_fail(file, line, "the process ended with {kind %d, code %d, signal %d}, expected kind %d, number %d",
               (int)status.kind, status.code, status.signal, (int)kind, number);
}

/* ---- the board -------------------------------------------------------------------------------- */

static size_t board_size(void)
{
    size_t page = plat_memory_page();

    return (sizeof(platform_board) + page - 1) / page * page;
}

platform_board *platform_board_create(plat_handle *memory)
{
    void *base = NULL;

    CHECK_OK(plat_memory_create(PLATFORM_RESERVE, memory));
    CHECK_OK(plat_memory_map(*memory, PLATFORM_RESERVE, &base));
    CHECK_OK(plat_memory_commit(*memory, base, 0, board_size()));
    return base;
}

platform_board *platform_board_open(plat_handle memory)
{
    void *base = NULL;

    CHECK_OK(plat_handle_adopt(memory));
    CHECK_OK(plat_memory_map(memory, PLATFORM_RESERVE, &base));
    return base;
}

void platform_board_drop(platform_board *board, plat_handle memory)
{
    plat_memory_unmap(board, PLATFORM_RESERVE);
    plat_handle_close(memory);
}

typedef struct step_wait {
    platform_board *board;
    uint32_t step;
} step_wait;

static bool step_is_reached(void *context)
{
    step_wait *wait = context;

    return atomic_load(&wait->board->step) >= wait->step;
}

void platform_await_step(platform_board *board, uint32_t step)
{
    step_wait wait = {board, step};

    CHECK_WAIT_UNTIL(step_is_reached, &wait);
}
