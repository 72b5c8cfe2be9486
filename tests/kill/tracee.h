/*
 * A child under ptrace that is stepped through the text of this program.
 */
#ifndef KILL_TRACEE_H
#define KILL_TRACEE_H

#include "machine.h"

typedef enum tracee_event {
    TRACEE_STEPPED, /* it stands at the next instruction, or at the first of a call out of the text */
    TRACEE_ASLEEP,  /* it sleeps in a call that it made */
    TRACEE_DONE,    /* it stands at the end of the operation */
    TRACEE_CRASHED  /* it was stopped by a fault, or has ended; `status` says how */
} tracee_event;

typedef struct step_tracee {
    pid_t pid;
    bool may_sleep;   /* look whether it sleeps */
    bool running;     /* it was seen asleep, and was not stopped since */
    bool outside;     /* it stands at the first instruction of a call out of the text */
    int status;       /* as of waitpid() */
    bool lost;        /* it has ended, and somebody else has collected its status */
    int signal;       /* to be delivered when it goes on */
    uintptr_t resume; /* where the call that is run over returns to */
    machine_registers now;
} step_tracee;

/* The child's side: lets the parent trace it, and stops. */
void tracee_offer(void);

/* The end of the operation, where it stops; in a process that nobody traces, nothing. */
void tracee_end(void);

/*
 * Takes over a child that has called tracee_offer(), or will, and runs it to `begin`. Returns false if it ended
 * before.
 */
bool tracee_begin(step_tracee *tracee, pid_t pid, uintptr_t begin);

/* One step. */
tracee_event tracee_step(step_tracee *tracee);

/*
 * Runs until it stands at `address` for the `occurrence`th time (from 1 on). There is a trap in the text meanwhile: a
 * second thread that comes by ends the process, see tracee_fell(). TRACEE_ASLEEP: it sleeps before that, having taken
 * another way than the one that is known; it can only be killed.
 */
tracee_event tracee_run_to(step_tracee *tracee, uintptr_t address, long occurrence);

/* Whether it has ended because one of its threads ran into a trap that was meant for another. */
bool tracee_fell(const step_tracee *tracee);

/* Kills it and waits for its end. Its status is collected unless `keep_status`. */
void tracee_kill(step_tracee *tracee, bool keep_status);

/* Whether the address lies in the text of this program. */
bool tracee_in_text(uintptr_t address);

/* The state letter of /proc, 'R', 'S', ..., or 0. */
char tracee_process_state(int64_t pid);

#endif
