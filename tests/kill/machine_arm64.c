#include "machine.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <asm/ptrace.h>
#include <elf.h>

void machine_read(pid_t pid, machine_registers *registers)
{
    struct user_pt_regs all;
    struct iovec place = {&all, sizeof all};

    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &place) != 0) {
        perror("kill tool: cannot read the victim's registers");
        exit(2);
    }
    registers->pc = (uintptr_t)all.pc;
    registers->sp = (uintptr_t)all.sp;
    registers->link = (uintptr_t)all.regs[30];
}

uintptr_t machine_return_address(pid_t pid, const machine_registers *at_entry)
{
    (void)pid;
    return at_entry->link;
}

bool machine_has_returned(const machine_registers *at_entry, const machine_registers *now)
{
    return now->sp == at_entry->sp;
}

/* Control word: enabled, for EL0, all four bytes of the instruction. */
#define BREAK_CONTROL 0x1e5u

void machine_break(pid_t pid, int index, uintptr_t address)
{
    struct user_hwdebug_state state;
    struct iovec place = {&state, sizeof state};

    memset(&state, 0, sizeof state);
    if (ptrace(PTRACE_GETREGSET, pid, NT_ARM_HW_BREAK, &place) != 0) goto refused;
    state.dbg_regs[index].addr = address;
    state.dbg_regs[index].ctrl = address != 0 ? BREAK_CONTROL : 0;

    place.iov_len = offsetof(struct user_hwdebug_state, dbg_regs) + MACHINE_BREAKPOINTS * sizeof state.dbg_regs[0];
    if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_HW_BREAK, &place) == 0) return;
refused:
    perror("kill tool: the system grants no hardware breakpoints (NT_ARM_HW_BREAK)");
    exit(2);
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
