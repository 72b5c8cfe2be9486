/*
 * mproc/process.h in programs that end threads and processes in POSIX' own ways: descriptors closed wholesale,
 * cancellation, the main thread that ends first, exit() in a signal handler.
 */
#include "process_fixture.h"

#include "object/recovery.h"
#include "platform/platform_fixture.h"
#include "process/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* ---- a daemon that has closed all its descriptors --------------------------------------------- */

static mproc_status closes_all(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    int last = (int)sysconf(_SC_OPEN_MAX);

    if (last > 65536) last = 65536;
    for (int i = 3; i < last; i++) close(i);
    atomic_store(&board->values[0], mproc_getpid());
    return fixture_waits(call);
}

static mproc_status has_one_that_closes_all(mproc_call *call)
{
    fixture_start(closes_all, fixture_unpack(call, NULL), 0, &(mproc_process_options){.daemon = MPROC_YES});
    return fixture_waits(call);
}

static bool process_is_gone(void *pid)
{
    return fixture_is_gone(*(int64_t *)pid);
}

static void case_daemon_that_closes_all_descriptors_ends_with_its_parent(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *parent = fixture_start(has_one_that_closes_all, board, 0, NULL);
    int64_t pid;

    fixture_await_step(board, 2);
    pid = atomic_load(&board->values[0]);
    CHECK_OK(mproc_process_kill(parent));
    CHECK_ENDED_BY(parent, SIGKILL);
    CHECK_WAIT_UNTIL(process_is_gone, &pid);
    fixture_board_free(board);
}

/* ---- orphans of a process that the system gives them to ---------------------------------------- */

static mproc_status tells_its_pid(mproc_call *call)
{
    atomic_store(&fixture_unpack(call, NULL)->values[0], mproc_getpid());
    return fixture_waits(call);
}

static mproc_status leaves_an_orphan(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);

    fixture_start(tells_its_pid, board, 0, &(mproc_process_options){.daemon = MPROC_NO});
    fixture_await_step(board, 1);
    _exit(0);
}

static bool is_collected(void *pid)
{
    return kill((pid_t) * (int64_t *)pid, 0) != 0;
}

static void case_orphans_do_not_stay_zombies_of_a_subreaper(void)
{
    fixture_board *board = fixture_board_create();
    int64_t pid;

    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    CHECK_EXITED(fixture_start(leaves_an_orphan, board, 0, NULL), 0);
    pid = atomic_load(&board->values[0]);
    fixture_kill(pid);
    CHECK_WAIT_UNTIL(is_collected, &pid);
    fixture_board_free(board);
}

/* Its own child has left an orphan. It recovers that one itself, though the system has given it to its parent. */
static mproc_status recovers_an_orphan(mproc_call *call)
{
    fixture_board *board = fixture_unpack(call, NULL);
    int64_t pid;

    CHECK_EXITED(fixture_start(leaves_an_orphan, board, 0, NULL), 0);
    pid = atomic_load(&board->values[0]);
    fixture_kill(pid);
    while (plat_process_alive(pid, plat_clock_birth_ns())) check_pause_ms(1);
    recovery_adopt();
    fixture_step(board);
    return fixture_waits(call);
}

static void case_orphans_that_another_recovers_do_not_stay_zombies_of_a_subreaper(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *other;
    int64_t pid;

    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    other = fixture_start(recovers_an_orphan, board, 0, NULL);
    fixture_await_step(board, 3);
    pid = atomic_load(&board->values[0]);
    CHECK_WAIT_UNTIL(is_collected, &pid);
    CHECK_OK(mproc_process_kill(other));
    CHECK_ENDED_BY(other, SIGKILL);
    fixture_board_free(board);
}

/* ---- an interrupt while daemons have their second --------------------------------------------- */

static mproc_status bears_sigterm(mproc_call *call)
{
    signal(SIGTERM, SIG_IGN);
    return fixture_waits(call);
}

static void case_interrupt_ends_the_grace_of_daemons_and_is_told(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *daemon = fixture_start(bears_sigterm, board, 0, &(mproc_process_options){.daemon = MPROC_YES});

    fixture_await_step(board, 1);
    mproc_interrupt();
    CHECK_STATUS(mproc_shutdown(MPROC_FOREVER), MPROC_INTERRUPTED);
    CHECK_ENDED_BY(daemon, SIGKILL);
    fixture_board_free(board);
}

/* ---- shutdown without time -------------------------------------------------------------------- */

static _Atomic uint32_t reaper_stays; /* 1: it is there, 2: it may go */

static void keeps_the_reaper(void *context, mproc_process *process)
{
    (void)context;
    (void)process;
    atomic_store(&reaper_stays, 1);
    while (atomic_load(&reaper_stays) == 1) check_pause_ms(1);
}

static void waits_for_the_end(void *context, mproc_process *process)
{
    const mproc_process *other = context;
    int ready;

    (void)process;
    CHECK_OK(plat_handle_wait(&other->os.handle, 1, platform_limit_ns(), &ready));
}

static mproc_process *start_hooked(mproc_function *function, fixture_board *board, process_ended *ended,
                                   void *context)
{
    mproc_process_options options = {.daemon = MPROC_YES};
    mproc_process *process = fixture_create(function, board, 0, &options);

    process->ended = ended;
    process->ended_context = context;
    CHECK_OK(mproc_process_start(process));
    return process;
}

/*
 * The reaper is kept with one that has ended, so shutdown collects the others itself. The first still lives when it
 * is killed, and has ended when shutdown comes from the second, whose hook waits for that.
 */
static void case_shutdown_without_time_sees_what_has_ended_meanwhile(void)
{
    fixture_board *board = fixture_board_create();
    mproc_process *first = start_hooked(bears_sigterm, board, NULL, NULL);
    mproc_process *second = start_hooked(fixture_waits, board, waits_for_the_end, first);
    mproc_process *kept = start_hooked(fixture_does_nothing, NULL, keeps_the_reaper, NULL);
    int ready;

    fixture_await_step(board, 2);
    while (atomic_load(&reaper_stays) == 0) check_pause_ms(1);
    CHECK_OK(mproc_process_kill(second));
    CHECK_OK(plat_handle_wait(&second->os.handle, 1, platform_limit_ns(), &ready));
    CHECK_OK(mproc_shutdown(0));
    atomic_store(&reaper_stays, 2);
    CHECK_ENDED_BY(first, SIGKILL);
    CHECK_ENDED_BY(second, SIGKILL);
    CHECK_EXITED(kept, 0);
    fixture_board_free(board);
}

CHECK_SUITE_SETUP(process_ends, fixture_setup,
    CASE(daemon_that_closes_all_descriptors_ends_with_its_parent),
    CASE(orphans_do_not_stay_zombies_of_a_subreaper),
    CASE(orphans_that_another_recovers_do_not_stay_zombies_of_a_subreaper),
    CASE(interrupt_ends_the_grace_of_daemons_and_is_told),
    CASE(shutdown_without_time_sees_what_has_ended_meanwhile),
);
