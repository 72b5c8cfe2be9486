#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <elf.h>

__asm__(".text\n"
        ".globl machine_trap_end, machine_trap_return\n"
        ".type machine_trap_end, @function\n"
        ".type machine_trap_return, @function\n"
        "machine_trap_end: int3\n"
        "ret\n"
        "machine_trap_return: int3\n"
        "ud2\n");

const uintptr_t machine_trap_advance = 1;

static void transfer(int how, pid_t pid, struct user_regs_struct *all)
{
    struct iovec place = {all, sizeof *all};

    if (ptrace(how, pid, NT_PRSTATUS, &place) == 0) return;
    perror("kill tool: no access to the victim's registers");
    exit(2);
}

void machine_read(pid_t pid, machine_registers *registers)
{
    struct user_regs_struct all;

    transfer(PTRACE_GETREGSET, pid, &all);
    registers->pc = (uintptr_t)all.rip;
    registers->sp = (uintptr_t)all.rsp;
}

void machine_jump(pid_t pid, uintptr_t pc)
{
    struct user_regs_struct all;

    transfer(PTRACE_GETREGSET, pid, &all);
    all.rip = pc;
    transfer(PTRACE_SETREGSET, pid, &all);
}

uint64_t machine_with_trap(uint64_t text)
{
    return (text & ~(uint64_t)0xff) | 0xcc;
}

/* The return address is what the call has just pushed. */
uintptr_t machine_divert_return(pid_t pid, uintptr_t address)
{
    machine_registers registers;
    uintptr_t original;

    machine_read(pid, &registers);
    original = (uintptr_t)ptrace(PTRACE_PEEKDATA, pid, registers.sp, 0);
    if (ptrace(PTRACE_POKEDATA, pid, registers.sp, address) == 0) return original;
    perror("kill tool: no access to the victim's stack");
    exit(2);
}

int machine_atomic_ends(pid_t pid, uintptr_t pc, uintptr_t ends[2])
{
    (void)pid;
    (void)pc;
    (void)ends;
    return 0;
}
