#include "machine.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <elf.h>

void machine_read(pid_t pid, machine_registers *registers)
{
    struct user_regs_struct all;
    struct iovec place = {&all, sizeof all};

    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &place) != 0) {
        perror("kill tool: cannot read the victim's registers");
        exit(2);
    }
    registers->pc = (uintptr_t)all.rip;
    registers->sp = (uintptr_t)all.rsp;
    registers->link = 0;
}

uintptr_t machine_return_address(pid_t pid, const machine_registers *at_entry)
{
    return (uintptr_t)ptrace(PTRACE_PEEKDATA, pid, at_entry->sp, 0);
}

bool machine_has_returned(const machine_registers *at_entry, const machine_registers *now)
{
    return now->sp == at_entry->sp + 8;
}

static void poke(pid_t pid, int number, uintptr_t value)
{
    size_t place = offsetof(struct user, u_debugreg) + (size_t)number * sizeof(long);

    if (ptrace(PTRACE_POKEUSER, pid, place, value) != 0) {
        perror("kill tool: the system grants no hardware breakpoints (debug registers)");
        exit(2);
    }
}

/* DR7 has two enable bits for each breakpoint; length and kind 0 mean: execution. */
void machine_break(pid_t pid, int index, uintptr_t address)
{
    size_t place = offsetof(struct user, u_debugreg) + 7 * sizeof(long);
    uintptr_t enabled = (uintptr_t)ptrace(PTRACE_PEEKUSER, pid, place, 0);
    uintptr_t bit = (uintptr_t)1 << (2 * index);

    poke(pid, 7, enabled & ~bit);
    if (address == 0) return;
    poke(pid, index, address);
    poke(pid, 7, enabled | bit);
}

int machine_atomic_ends(pid_t pid, uintptr_t pc, uintptr_t ends[2])
{
    (void)pid;
    (void)pc;
    (void)ends;
    return 0;
}
