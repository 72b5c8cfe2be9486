/*
 * What the kill tool has to know about a processor: registers, calls and hardware breakpoints of a
 * stopped process under ptrace. One file for each processor.
 */
#ifndef KILL_MACHINE_H
#define KILL_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MACHINE_BREAKPOINTS 3

typedef struct machine_registers {
    uintptr_t pc;
    uintptr_t sp;
    uintptr_t link; /* arm64: the return address */
} machine_registers;

void machine_read(pid_t pid, machine_registers *registers);

/* Where the function returns to whose first instruction comes next. */
uintptr_t machine_return_address(pid_t pid, const machine_registers *at_entry);

/* Whether, at that address, the function has returned, and not one that it called in turn. */
bool machine_has_returned(const machine_registers *at_entry, const machine_registers *now);

/*
 * Sets breakpoint `index` of this one thread, address 0 for none. They are the processor's own: other
 * threads do not run into them, and the text stays as it is.
 */
void machine_break(pid_t pid, int index, uintptr_t address);

/*
 * An exclusive load and store (arm64 without LSE) never succeed when stepped: each stop clears the monitor. If one
 * begins at `pc`, writes up to two addresses to run to instead, and returns their number.
 */
int machine_atomic_ends(pid_t pid, uintptr_t pc, uintptr_t ends[2]);

#endif
