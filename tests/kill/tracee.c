#include "tracee.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Breakpoints: the return address, the operation's end, and one that tracee_run_to() and atomics share. */
#define BREAK_RETURN 0
#define BREAK_DONE 1
#define BREAK_PLACE 2

/* It runs on our CPU, so most stops come as soon as we let it run. */
#define YIELDS 30

static void give_up(const char *what)
{
    perror(what);
    exit(2);
}

/* The program is linked at fixed addresses, so that its headers give the text of every process that runs it. */
bool tracee_in_text(uintptr_t address)
{
    static uintptr_t begin, end;

    if (end == 0) {
        const ElfW(Phdr) *header = (const ElfW(Phdr) *)(uintptr_t)getauxval(AT_PHDR);
        unsigned long count = getauxval(AT_PHNUM);
        for (; count > 0 && !(header->p_type == PT_LOAD && (header->p_flags & PF_X)); count--) header++;
        if (count == 0) give_up("kill tool: this program has no text");
        begin = (uintptr_t)header->p_vaddr;
        end = begin + (uintptr_t)header->p_memsz;
        if ((uintptr_t)tracee_in_text < begin || (uintptr_t)tracee_in_text >= end) {
            give_up("kill tool: must be linked without -pie");
        }
    }
    return address >= begin && address < end;
}

char tracee_process_state(int64_t pid)
{
    char path[64], text[512];
    const char *close;
    size_t size;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    if ((file = fopen(path, "r")) == NULL) return 0;
    size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    close = strrchr(text, ')'); /* the program's name stands in parentheses, and may hold some */
    return close != NULL && close[1] == ' ' ? close[2] : 0;
}

/*
 * Waits for the next stop. A call that sleeps for a moment (a lock inside libc) must not be taken for one
 * that waits for a peer: it has to be seen asleep several times in a row.
 */
static bool wait_or_sleep(step_tracee *tracee)
{
    const struct timespec pause = {0, 200 * 1000};
    int yields = 0, seen = 0;

    while (seen < 4) {
        pid_t got = waitpid(tracee->pid, &tracee->status, WNOHANG);
        if (got == tracee->pid) return true;
        if (got < 0) give_up("kill tool: waitpid");
        if (yields++ < YIELDS) {
            sched_yield();
            continue;
        }
        nanosleep(&pause, NULL);
        seen = tracee_process_state(tracee->pid) == 'S' ? seen + 1 : 0;
    }
    return false;
}

static void wait_stop(step_tracee *tracee)
{
    while (waitpid(tracee->pid, &tracee->status, 0) != tracee->pid) {
        if (errno != EINTR) give_up("kill tool: waitpid");
    }
}

static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGABRT;
}

/* Sorts out the stop that was waited for. True: a step or breakpoint was reached; false: let it go on. */
static bool arrived(step_tracee *tracee)
{
    tracee->signal = 0;
    if (!WIFSTOPPED(tracee->status)) return true;
    machine_read(tracee->pid, &tracee->now);
    if (WSTOPSIG(tracee->status) == SIGTRAP || is_fault(WSTOPSIG(tracee->status))) return true;
    tracee->signal = WSTOPSIG(tracee->status);
    return false;
}

static bool crashed(const step_tracee *tracee)
{
    return !WIFSTOPPED(tracee->status) || is_fault(WSTOPSIG(tracee->status));
}

static void go(step_tracee *tracee, int how)
{
    if (ptrace(how, tracee->pid, 0, tracee->signal) != 0 && errno != ESRCH) give_up("kill tool: ptrace");
    tracee->signal = 0;
}

/* Continues until a breakpoint. Returns false if it sleeps. */
static bool run(step_tracee *tracee)
{
    do {
        if (!tracee->running) go(tracee, PTRACE_CONT);
        tracee->running = false;
        if (!tracee->may_sleep) {
            wait_stop(tracee);
        } else if (!wait_or_sleep(tracee)) {
            tracee->running = true;
            return false;
        }
    } while (!arrived(tracee));
    return true;
}

/* Where nobody would end a sleep: what looks like one is a pause. */
static void run_on(step_tracee *tracee)
{
    while (!run(tracee)) {
    }
}

static void single_step(step_tracee *tracee)
{
    do {
        go(tracee, PTRACE_SINGLESTEP);
        wait_stop(tracee);
    } while (!arrived(tracee));
}

/* A signal of its own making, not a breakpoint: it goes nowhere else. */
void tracee_offer(void)
{
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) give_up("kill tool: the system refuses ptrace");
    raise(SIGSTOP);
}

bool tracee_begin(step_tracee *tracee, pid_t pid, uintptr_t begin, uintptr_t done)
{
    bool may_sleep = tracee->may_sleep;

    memset(tracee, 0, sizeof *tracee);
    tracee->pid = pid;
    tracee->done = done;
    wait_stop(tracee);
    if (!WIFSTOPPED(tracee->status)) return false;
    if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL) != 0) give_up("kill tool: ptrace options");

    machine_break(pid, BREAK_DONE, done);
    if (tracee_run_to(tracee, begin, 1) != TRACEE_STEPPED) return false;
    tracee->may_sleep = may_sleep;
    return true;
}

/* Runs over a call: until it has returned to the text, on its own level of the stack. */
static tracee_event run_over(step_tracee *tracee)
{
    if (!tracee->running) {
        tracee->at_entry = tracee->now;
        tracee->resume = machine_return_address(tracee->pid, &tracee->now);
        machine_break(tracee->pid, BREAK_RETURN, tracee->resume);
    }
    for (;;) {
        if (!run(tracee)) return TRACEE_ASLEEP;
        if (crashed(tracee)) return TRACEE_CRASHED;
        if (tracee->now.pc == tracee->done) return TRACEE_DONE;
        if (tracee->now.pc == tracee->resume && machine_has_returned(&tracee->at_entry, &tracee->now)) break;

        machine_break(tracee->pid, BREAK_RETURN, 0); /* a deeper call came by: past it */
        single_step(tracee);
        if (crashed(tracee)) return TRACEE_CRASHED;
        machine_break(tracee->pid, BREAK_RETURN, tracee->resume);
    }
    machine_break(tracee->pid, BREAK_RETURN, 0);
    tracee->outside = false;
    return TRACEE_STEPPED;
}

static tracee_event run_atomic(step_tracee *tracee, const uintptr_t ends[2], int count)
{
    machine_break(tracee->pid, BREAK_PLACE, ends[0]);
    if (count > 1) machine_break(tracee->pid, BREAK_RETURN, ends[1]);
    run_on(tracee);
    machine_break(tracee->pid, BREAK_PLACE, 0);
    if (count > 1) machine_break(tracee->pid, BREAK_RETURN, 0);
    return crashed(tracee) ? TRACEE_CRASHED : TRACEE_STEPPED;
}

tracee_event tracee_step(step_tracee *tracee)
{
    uintptr_t ends[2] = {0, 0};
    int count;

    if (tracee->outside) return run_over(tracee);
    if ((count = machine_atomic_ends(tracee->pid, tracee->now.pc, ends)) != 0) return run_atomic(tracee, ends, count);

    single_step(tracee);
    if (crashed(tracee)) return TRACEE_CRASHED;
    if (tracee->now.pc == tracee->done) return TRACEE_DONE;
    tracee->outside = !tracee_in_text(tracee->now.pc);
    return TRACEE_STEPPED;
}

tracee_event tracee_run_to(step_tracee *tracee, uintptr_t address, long occurrence)
{
    if (tracee->now.pc == address) occurrence--;
    while (occurrence > 0) {
        if (tracee->now.pc == address) single_step(tracee); /* off the place, or it stops right here */
        machine_break(tracee->pid, BREAK_PLACE, address);
        if (tracee->now.pc != address) run_on(tracee);
        machine_break(tracee->pid, BREAK_PLACE, 0);
        if (crashed(tracee)) return TRACEE_CRASHED;
        if (tracee->now.pc == tracee->done) return TRACEE_DONE;
        occurrence--;
    }
    tracee->outside = false;
    return TRACEE_STEPPED;
}

void tracee_kill(step_tracee *tracee, bool keep_status)
{
    siginfo_t information;

    kill(tracee->pid, SIGKILL);
    for (;;) {
        int flags = WEXITED | (keep_status ? WNOWAIT : 0);
        if (waitid(P_PID, (id_t)tracee->pid, &information, flags) == 0) return;
        if (errno == ECHILD) return; /* collected by somebody else */
        if (errno != EINTR) give_up("kill tool: waitid");
    }
}
