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

/* It runs on our CPU, so most stops come as soon as we let it run. */
#define YIELDS 30

static void give_up(const char *what)
{
    perror(what);
    exit(2);
}

static bool offered; /* this process is somebody's tracee */

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

/* It has ended, and nobody will say how. */
static void lose(step_tracee *tracee)
{
    tracee->lost = true;
    tracee->status = 0;
}

/*
 * Takes note if it has stopped or ended. An end is not collected: its status may be meant for somebody else, who
 * may also have been faster.
 */
static bool look(step_tracee *tracee, int flags)
{
    siginfo_t information = {.si_pid = 0};

    if (waitid(P_PID, (id_t)tracee->pid, &information, WEXITED | WSTOPPED | WNOWAIT | flags) != 0) {
        if (errno == EINTR) return false;
        if (errno != ECHILD) give_up("kill tool: waitid");
        lose(tracee);
        return true;
    }
    if (information.si_pid != tracee->pid) return false;
    if (information.si_code == CLD_EXITED) tracee->status = information.si_status << 8;
    else if (information.si_code == CLD_KILLED || information.si_code == CLD_DUMPED)
        tracee->status = information.si_status;
    else if (waitpid(tracee->pid, &tracee->status, __WALL) != tracee->pid) return false; /* killed meanwhile */
    return true;
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
        if (look(tracee, WNOHANG)) return true;
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
    while (!look(tracee, 0)) {
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
    if (!machine_read(tracee->pid, &tracee->now)) {
        lose(tracee);
        return true;
    }
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

/* It stands behind the trap that it ran into, and is to stand at it. */
static void step_back(step_tracee *tracee)
{
    if (crashed(tracee) || machine_trap_advance == 0) return;
    tracee->now.pc -= machine_trap_advance;
    if (!machine_jump(tracee->pid, tracee->now.pc)) lose(tracee);
}

/* Continues until a trap. Returns false if it sleeps. */
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
    step_back(tracee);
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
    offered = true;
    raise(SIGSTOP);
}

void tracee_end(void)
{
    if (offered) machine_trap_end();
}

bool tracee_begin(step_tracee *tracee, pid_t pid, uintptr_t begin)
{
    bool may_sleep = tracee->may_sleep;

    memset(tracee, 0, sizeof *tracee);
    tracee->pid = pid;
    wait_stop(tracee);
    if (!WIFSTOPPED(tracee->status)) return false;
    if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL) != 0) give_up("kill tool: ptrace options");

    if (tracee_run_to(tracee, begin, 1) != TRACEE_STEPPED) return false;
    tracee->may_sleep = may_sleep;
    return true;
}

static bool is_done(const step_tracee *tracee)
{
    return tracee->now.pc == (uintptr_t)machine_trap_end;
}

static bool poke(step_tracee *tracee, uintptr_t address, uint64_t text)
{
    if (ptrace(PTRACE_POKETEXT, tracee->pid, address, text) == 0) return true;
    if (errno != ESRCH) give_up("kill tool: no access to the victim's text");
    lose(tracee);
    return false;
}

/* Puts a trap into the text, and gives what was there; poke() puts that back. */
static bool set_trap(step_tracee *tracee, uintptr_t address, uint64_t *text)
{
    errno = 0;
    *text = (uint64_t)ptrace(PTRACE_PEEKTEXT, tracee->pid, address, 0);
    if (errno != 0 && errno != ESRCH) give_up("kill tool: no access to the victim's text");
    return poke(tracee, address, machine_with_trap(*text));
}

/* Runs over a call: until it has returned to the text. */
static tracee_event run_over(step_tracee *tracee)
{
    if (!tracee->running) {
        if (!machine_divert_return(tracee->pid, (uintptr_t)machine_trap_return, &tracee->resume)) {
            lose(tracee);
            return TRACEE_CRASHED;
        }
        if (!tracee_in_text(tracee->resume)) give_up("kill tool: a call that does not return to the text");
    }
    if (!run(tracee)) return TRACEE_ASLEEP;
    if (crashed(tracee)) return TRACEE_CRASHED;
    if (is_done(tracee)) return TRACEE_DONE;
    if (tracee->now.pc != (uintptr_t)machine_trap_return) give_up("kill tool: a trap that nobody has set");
    tracee->now.pc = tracee->resume;
    tracee->outside = false;
    if (machine_jump(tracee->pid, tracee->resume)) return TRACEE_STEPPED;
    lose(tracee);
    return TRACEE_CRASHED;
}

static tracee_event run_atomic(step_tracee *tracee, const uintptr_t ends[2], int count)
{
    uint64_t texts[2];

    for (int i = 0; i < count; i++)
        if (!set_trap(tracee, ends[i], &texts[i])) return TRACEE_CRASHED;
    run_on(tracee);
    for (int i = count - 1; i >= 0 && !crashed(tracee); i--) poke(tracee, ends[i], texts[i]);
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
    if (is_done(tracee)) return TRACEE_DONE;
    tracee->outside = !tracee_in_text(tracee->now.pc);
    return TRACEE_STEPPED;
}

tracee_event tracee_run_to(step_tracee *tracee, uintptr_t address, long occurrence)
{
    if (tracee->now.pc == address) occurrence--;
    while (occurrence > 0) {
        if (tracee->now.pc == address) single_step(tracee); /* off the place, or it stops right here */
        if (tracee->now.pc != address && !crashed(tracee)) {
            uint64_t text;
            if (!set_trap(tracee, address, &text)) return TRACEE_CRASHED;
            if (!run(tracee)) return TRACEE_ASLEEP;
            if (!crashed(tracee)) poke(tracee, address, text);
        }
        if (crashed(tracee)) return TRACEE_CRASHED;
        if (is_done(tracee)) return TRACEE_DONE;
        occurrence--;
    }
    tracee->outside = false;
    return TRACEE_STEPPED;
}

bool tracee_fell(const step_tracee *tracee)
{
    return tracee->lost || (WIFSIGNALED(tracee->status) && WTERMSIG(tracee->status) == SIGTRAP);
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
