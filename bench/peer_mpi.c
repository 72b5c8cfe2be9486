/*
 * Open MPI's shared memory. The program runs itself by mpirun.
 *     queue REPEATS            items of 64 bytes, one process sends and another receives
 *     tasks REPEATS ITEMS NS   a master and two workers: each gets a task, works for so long and answers, and gets
 *                              the next; the median time for one task
 * Where there are fewer CPUs than processes, Open MPI is told to let others run while it waits.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mpi.h>

#include "measure.h"

enum { RECEIVER, SENDER };

struct message {
    uint64_t number;
    char rest[56];
};

static void put(size_t repeats)
{
    struct message item = {0, "item"};

    for (item.number = 0; item.number < repeats; item.number++)
        MPI_Send(&item, sizeof item, MPI_BYTE, RECEIVER, 0, MPI_COMM_WORLD);
}

static void get(size_t repeats)
{
    struct message item;

    for (uint64_t i = 0; i < repeats; i++) {
        MPI_Recv(&item, sizeof item, MPI_BYTE, SENDER, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (item.number != i) abort();
    }
}

static void pass(int rank, size_t repeats)
{
    int64_t begin;

    measure_bind(rank);
    (rank == SENDER ? put : get)(repeats / 10 + 1);
    MPI_Barrier(MPI_COMM_WORLD);
    begin = measure_now_ns();
    (rank == SENDER ? put : get)(repeats);
    if (rank == RECEIVER) printf("%.17g\n", (double)(measure_now_ns() - begin) / (double)repeats);
}

/* ---- a master and its workers -------------------------------------------------------------------- */

enum { MASTER, WORKERS = 2, WARM_UPS = 2 };

struct tasks {
    size_t count;
    int64_t duration_ns;
};

static void send_number(int64_t number, int to)
{
    MPI_Send(&number, 1, MPI_INT64_T, to, 0, MPI_COMM_WORLD);
}

/* Gives each worker that has answered the next task. */
static void run_tasks(void *context)
{
    const struct tasks *tasks = context;
    size_t given = 0;

    for (int worker = 1; worker <= WORKERS && given < tasks->count; worker++, given++)
        send_number(tasks->duration_ns, worker);
    for (size_t done = 0; done < tasks->count; done++) {
        int64_t answer;
        MPI_Status status;
        MPI_Recv(&answer, 1, MPI_INT64_T, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &status);
        if (answer != tasks->duration_ns) abort();
        if (given++ < tasks->count) send_number(tasks->duration_ns, status.MPI_SOURCE);
    }
}

static void work_on(void)
{
    int64_t duration_ns;

    for (;;) {
        MPI_Recv(&duration_ns, 1, MPI_INT64_T, MASTER, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (duration_ns < 0) return;
        measure_work(duration_ns);
        send_number(duration_ns, MASTER);
    }
}

static void master_and_workers(int rank, size_t repeats, struct tasks tasks)
{
    if (rank != MASTER) {
        work_on();
        return;
    }
    for (int i = 0; i < WARM_UPS; i++) run_tasks(&tasks);
    printf("%.17g\n", measure_median(run_tasks, &tasks, repeats) / (double)tasks.count);
    for (int worker = 1; worker <= WORKERS; worker++) send_number(-1, worker);
}

/* ---- both ---------------------------------------------------------------------------------------- */

static size_t number(int count, char **arguments, int index)
{
    return index < count ? (size_t)strtoull(arguments[index], NULL, 10) : 0;
}

/* Errors end the program: this is MPI's default. */
static int take_part(int count, char **arguments)
{
    size_t repeats = number(count, arguments, 2);
    struct tasks tasks = {number(count, arguments, 3), (int64_t)number(count, arguments, 4)};
    int rank;

    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (tasks.count) master_and_workers(rank, repeats, tasks);
    else pass(rank, repeats);
    MPI_Finalize();
    return 0;
}

int main(int count, char **arguments)
{
    char *command[] = {"mpirun",
                       "--allow-run-as-root",
                       "--oversubscribe",
                       "--bind-to",
                       "none",
                       "--mca",
                       "btl",
                       "self,vader",
                       "--mca",
                       "mpi_yield_when_idle",
                       "0",
                       "-n",
                       "2",
                       arguments[0],
                       NULL,
                       NULL,
                       NULL,
                       NULL,
                       NULL};
    enum { YIELD = 10, PROCESSES = 12, OWN = 14 };
    cpu_set_t cpus;

    if (count < 3) return 2;
    if (getenv("OMPI_COMM_WORLD_SIZE")) return take_part(count, arguments);
    if (count > 3) command[PROCESSES] = "3";
    sched_getaffinity(0, sizeof cpus, &cpus);
    if (CPU_COUNT(&cpus) < (count > 3 ? 1 + WORKERS : 2)) command[YIELD] = "1";
    for (int i = 1; i < count && i <= 4; i++) command[OWN + i - 1] = arguments[i];
    execvp(command[0], command);
    measure_require(0, "there is mpirun");
    return 1;
}
