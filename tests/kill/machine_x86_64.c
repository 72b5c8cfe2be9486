#include "machine.h"

#include <errno.h>
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

static bool transfer(int how, pid_t pid, struct user_regs_struct *all)
{
    struct iovec place = {all, sizeof *all};

    if (ptrace(how, pid, NT_PRSTATUS, &place) == 0) return true;
    if (errno == ESRCH) return false;
    perror("kill tool: no access to the victim's registers");
    exit(2);
}

bool machine_read(pid_t pid, machine_registers *registers)
{
    struct user_regs_struct all;

    if (!transfer(PTRACE_GETREGSET, pid, &all)) return false;
    registers->pc = (uintptr_t)all.rip;
    registers->sp = (uintptr_t)all.rsp;
    return true;
}

bool machine_jump(pid_t pid, uintptr_t pc)
{
    struct user_regs_struct all;

    if (!transfer(PTRACE_GETREGSET, pid, &all)) return false;
    all.rip = pc;
    return transfer(PTRACE_SETREGSET, pid, &all);
}

uint64_t machine_with_trap(uint64_t text)
{
    return (text & ~(uint64_t)0xff) | 0xcc;
}

/* The return address is what the call has just pushed. */
bool machine_divert_return(pid_t pid, uintptr_t address, uintptr_t *original)
{
    machine_registers registers;

    if (!machine_read(pid, &registers)) return false;
    errno = 0;
    *original = (uintptr_t)ptrace(PTRACE_PEEKDATA, pid, registers.sp, 0);
    if (errno == 0 && ptrace(PTRACE_POKEDATA, pid, registers.sp, address) == 0) return true;
    if (errno == ESRCH) return false;
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
