#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <asm/ptrace.h>
#include <elf.h>

__asm__(".text\n"
        ".globl machine_trap_end, machine_trap_return\n"
        ".type machine_trap_end, %function\n"
        ".type machine_trap_return, %function\n"
        ".balign 4\n"
        "machine_trap_end: brk #0\n"
        "ret\n"
        "machine_trap_return: brk #0\n"
        "udf #0\n");

const uintptr_t machine_trap_advance = 0;

static bool transfer(int how, pid_t pid, struct user_pt_regs *all)
{
    struct iovec place = {all, sizeof *all};

    if (ptrace(how, pid, NT_PRSTATUS, &place) == 0) return true;
    if (errno == ESRCH) return false;
    perror("kill tool: no access to the victim's registers");
    exit(2);
}

bool machine_read(pid_t pid, machine_registers *registers)
{
    struct user_pt_regs all;

    if (!transfer(PTRACE_GETREGSET, pid, &all)) return false;
    registers->pc = (uintptr_t)all.pc;
    registers->sp = (uintptr_t)all.sp;
    return true;
}

bool machine_jump(pid_t pid, uintptr_t pc)
{
    struct user_pt_regs all;

    if (!transfer(PTRACE_GETREGSET, pid, &all)) return false;
    all.pc = pc;
    return transfer(PTRACE_SETREGSET, pid, &all);
}

uint64_t machine_with_trap(uint64_t text)
{
    return (text & ~(uint64_t)0xffffffff) | 0xd4200000u; /* brk #0 */
}

/* The return address is in the link register. */
bool machine_divert_return(pid_t pid, uintptr_t address, uintptr_t *original)
{
    struct user_pt_regs all;

    if (!transfer(PTRACE_GETREGSET, pid, &all)) return false;
    *original = (uintptr_t)all.regs[30];
    all.regs[30] = address;
    return transfer(PTRACE_SETREGSET, pid, &all);
}

static uint32_t instruction_at(pid_t pid, uintptr_t address)
{
    uintptr_t aligned = address & ~(uintptr_t)7;
    uint64_t both = (uint64_t)ptrace(PTRACE_PEEKTEXT, pid, aligned, 0);

    return (uint32_t)(address == aligned ? both : both >> 32);
}

/*
 * LDXR and STXR, their acquire and release forms and their pairs differ in bits that the mask leaves out. So
 * does CASP, whose size bit tells it from a pair, and which is one instruction like any other.
 */
static bool is_exclusive(uint32_t instruction, bool load)
{
    if ((instruction & 0x80200000u) == 0x00200000u) return false;
    return (instruction & 0x3f800000u) == 0x08000000u && ((instruction >> 22) & 1u) == (load ? 1u : 0u);
}

/* B.cond, CBZ and CBNZ hold their distance in the same 19 bits. */
static bool branch_target(uint32_t instruction, uintptr_t address, uintptr_t *target)
{
    int64_t distance;

    if ((instruction & 0xff000010u) != 0x54000000u && (instruction & 0x7e000000u) != 0x34000000u) return false;
    distance = (int64_t)((instruction >> 5) & 0x7ffffu);
    if (distance & 0x40000) distance -= 0x80000;
    *target = address + (uintptr_t)(distance * 4);
    return true;
}

int machine_atomic_ends(pid_t pid, uintptr_t pc, uintptr_t ends[2])
{
    uintptr_t address, target;
    int count = 0;

    if (!is_exclusive(instruction_at(pid, pc), true)) return 0;
    for (address = pc + 4; address < pc + 4 * 16; address += 4) {
        uint32_t instruction = instruction_at(pid, address);
        if (count == 0 && branch_target(instruction, address, &target)) ends[count++] = target;
        if (!is_exclusive(instruction, false)) continue;
        ends[count++] = address + 4;
        return count;
    }
    return 0;
}
