/* platform.h, process.c: how a process ends, and how that is told. */
#include "platform_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static int helper_returns(const char *text)
{
    plat_handle handles[4];

    return atoi(platform_handles(text, handles));
}

/* Says that it is there, and stays. */
static int helper_stays(const char *text)
{
    plat_handle handles[4];

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    plat_event_set(handles[0]);
    for (;;) check_pause_ms(1000);
    return 0;
}

static void start_stayer(const char *helper, plat_process *process)
{
    plat_handle there;
    int ready = -1;

    CHECK_OK(plat_event_create(&there));
    platform_start(helper, "", there, process);
    CHECK_OK(plat_handle_wait(&there, 1, platform_limit_ns(), &ready));
    plat_handle_close(there);
}

static void await_end(const plat_process *process)
{
    int ready = -1;

    CHECK_OK(plat_handle_wait(&process->handle, 1, platform_limit_ns(), &ready));
}

/* ---- exit codes ------------------------------------------------------------------------------- */

static void case_exit_codes_are_told(void)
{
    static const int codes[] = {0, 1, 2, 3, 42, 127, 128, 143, 255};
    plat_process process;
    char text[8];
    size_t i;

    for (i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        snprintf(text, sizeof text, "%d", codes[i]);
        platform_start("process_end.returns", text, PLAT_NO_HANDLE, &process);
        CHECK_EXITS(&process, codes[i]);
    }
}

static void case_a_running_process_is_running(void)
{
    plat_process process;
    int ready = -1;

    start_stayer("process_end.stays", &process);
    CHECK_EQ(plat_process_collect(&process).kind, PLAT_END_RUNNING);
    CHECK_EQ(plat_process_collect(&process).kind, PLAT_END_RUNNING);
    CHECK_STATUS(plat_handle_wait(&process.handle, 1, 0, &ready), MPROC_TIMEOUT);
    CHECK(plat_process_alive(process.pid, plat_clock_birth_ns()));
    CHECK_OK(plat_process_kill(&process));
    CHECK_SIGNALLED(&process, 9);
}

static void case_handle_stays_ready_until_collected(void)
{
    plat_process process;
    int i;

    platform_start("process_end.returns", "4", PLAT_NO_HANDLE, &process);
    for (i = 0; i < 3; i++) await_end(&process);
    CHECK_EXITS(&process, 4);
}

/* ---- by force --------------------------------------------------------------------------------- */

static void case_terminate_ends_it(void)
{
    plat_process process;

    start_stayer("process_end.stays", &process);
    CHECK_OK(plat_process_terminate(&process));
    CHECK_SIGNALLED(&process, 15);
}

static void case_kill_ends_it(void)
{
    plat_process process;

    start_stayer("process_end.stays", &process);
    CHECK_OK(plat_process_kill(&process));
    CHECK_SIGNALLED(&process, 9);
}

/* It may not have come as far as main(). */
static void case_terminate_right_after_start(void)
{
    enum { CHILDREN = 20 };
    plat_process processes[CHILDREN];
    plat_handle unused;
    int i;

    CHECK_OK(plat_event_create(&unused));
    for (i = 0; i < CHILDREN; i++) {
        platform_start("process_end.stays", "", unused, &processes[i]);
        CHECK_OK(plat_process_terminate(&processes[i]));
    }
    for (i = 0; i < CHILDREN; i++) CHECK_SIGNALLED(&processes[i], 15);
    plat_handle_close(unused);
}

static void case_ending_what_has_ended_is_no_error(void)
{
    plat_process process;

    platform_start("process_end.returns", "5", PLAT_NO_HANDLE, &process);
    await_end(&process);
    CHECK_OK(plat_process_terminate(&process));
    CHECK_OK(plat_process_kill(&process));
    CHECK_OK(plat_process_interrupt(&process));
    CHECK_EQ(plat_process_collect(&process).code, 5);
    CHECK_OK(plat_process_terminate(&process));
    CHECK_OK(plat_process_kill(&process));
    CHECK_OK(plat_process_interrupt(&process));
    plat_handle_close(process.handle);
}

/* ---- by its own fault ------------------------------------------------------------------------- */

static int helper_faults(const char *text)
{
    volatile uintptr_t nowhere = 16;

    (void)text;
    os_fault_as_usual();
    *(volatile int *)nowhere = 1;
    return 0;
}

static int helper_aborts(const char *text)
{
    (void)text;
    os_fault_as_usual();
    os_abort();
    return 0;
}

static int helper_calculates_badly(const char *text)
{
    (void)text;
    os_fault_as_usual();
    os_arithmetic_fault();
    return 0;
}

static int helper_runs_nonsense(const char *text)
{
    (void)text;
    os_fault_as_usual();
    os_illegal_instruction();
    return 0;
}

static void check_fault(const char *helper, int signal)
{
    plat_process process;

    platform_start(helper, "", PLAT_NO_HANDLE, &process);
    CHECK_SIGNALLED(&process, signal);
}

static void case_access_violation_is_signal_11(void)
{
    check_fault("process_end.faults", 11);
}

static void case_abort_is_signal_6(void)
{
    check_fault("process_end.aborts", 6);
}

static void case_arithmetic_fault_is_signal_8(void)
{
    check_fault("process_end.calculates_badly", 8);
}

static void case_illegal_instruction_is_signal_4(void)
{
    check_fault("process_end.runs_nonsense", 4);
}

/* ---- interrupts ------------------------------------------------------------------------------- */

static int helper_ignores_interrupts(const char *text)
{
    plat_handle handles[4];
    int ready = -1;

    platform_handles(text, handles);
    CHECK_OK(plat_handle_adopt(handles[0]));
    CHECK_OK(plat_handle_adopt(handles[1]));
    plat_process_ignore_interrupts();
    plat_event_set(handles[0]);
    CHECK_OK(plat_handle_wait(&handles[1], 1, platform_limit_ns(), &ready));
    return 8;
}

/* It is interrupted once `without_interrupts` at its birth, and once more when it ignores interrupts. */
static void check_ignores_interrupts(bool without_interrupts)
{
    platform_call call;
    plat_process process;
    plat_handle there;
    plat_handle go;
    int ready = -1;

    CHECK_OK(plat_event_create(&there));
    CHECK_OK(plat_event_create(&go));
    platform_call_init(&call, "process_end.ignores_interrupts", "");
    call.start.handles[0] = there;
    call.start.handles[1] = go;
    call.start.without_interrupts = without_interrupts;
    CHECK_OK(plat_process_start(&call.start, &process));
    if (without_interrupts) CHECK_OK(plat_process_interrupt(&process));
    CHECK_OK(plat_handle_wait(&there, 1, platform_limit_ns(), &ready));
    CHECK_OK(plat_process_interrupt(&process));
    CHECK_STATUS(plat_handle_wait(&process.handle, 1, platform_in_ms(30), &ready), MPROC_TIMEOUT);
    plat_event_set(go);
    CHECK_EXITS(&process, 8);
    plat_handle_close(there);
    plat_handle_close(go);
}

static void case_ignored_interrupt_does_nothing(void)
{
    check_ignores_interrupts(false);
}

static void case_interrupt_at_birth_does_nothing_to_one_born_without(void)
{
    check_ignores_interrupts(true);
}

CHECK_SUITE(process_end,
    CASE(exit_codes_are_told),
    CASE(a_running_process_is_running),
    CASE(handle_stays_ready_until_collected),
    CASE(terminate_ends_it),
    CASE(kill_ends_it),
    CASE(terminate_right_after_start),
    CASE(ending_what_has_ended_is_no_error),
    CASE(access_violation_is_signal_11),
    CASE(abort_is_signal_6),
    CASE(arithmetic_fault_is_signal_8),
    CASE(illegal_instruction_is_signal_4),
    CASE(ignored_interrupt_does_nothing),
    CASE(interrupt_at_birth_does_nothing_to_one_born_without),
    HELPER(returns),
    HELPER(stays),
    HELPER(faults),
    HELPER(aborts),
    HELPER(calculates_badly),
    HELPER(runs_nonsense),
    HELPER(ignores_interrupts),
);
