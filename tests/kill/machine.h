/*
 * What the kill tool has to know about a processor: registers, calls and traps of a stopped process under
 * ptrace. One file for each processor.
 *
 * Hardware breakpoints are not used: some virtual machines accept them and never report one.
 */
#ifndef KILL_MACHINE_H
#define KILL_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct machine_registers {
    uintptr_t pc;
    uintptr_t sp;
} machine_registers;

/* False, of these three: the process has ended although it was stopped, as it does when one of its threads dies. */
bool machine_read(pid_t pid, machine_registers *registers);

/* Lets the process go on there. */
bool machine_jump(pid_t pid, uintptr_t pc);

/* Functions whose first instruction is a trap. */
void machine_trap_end(void);
void machine_trap_return(void);

/* How far a trap that was run into has moved the pc. */
extern const uintptr_t machine_trap_advance;

/* The eight bytes of text with a trap in place of their first instruction. */
uint64_t machine_with_trap(uint64_t text);

/*
 * Has the function whose first instruction comes next return to `address`, and gives where it would have returned to.
 * This concerns one call of one thread; breakpoints in the text would stop them all.
 */
bool machine_divert_return(pid_t pid, uintptr_t address, uintptr_t *original);

/*
 * An exclusive load and store (arm64 without LSE) never succeed when stepped: each stop clears the monitor. If one
 * begins at `pc`, writes up to two addresses to run to instead, and returns their number.
 */
int machine_atomic_ends(pid_t pid, uintptr_t pc, uintptr_t ends[2]);

#endif
