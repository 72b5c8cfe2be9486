/*
 * Open MPI's shared memory: items of 64 bytes, one process sends and another receives. The program runs itself twice
 * by mpirun; on one CPU Open MPI is told to let the other process run while it waits.
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

/* Errors end the program: this is MPI's default. */
static int pass(size_t repeats)
{
    int rank;
    int64_t begin;

    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    measure_bind(rank);
    (rank == SENDER ? put : get)(repeats / 10 + 1);
    MPI_Barrier(MPI_COMM_WORLD);
    begin = measure_now_ns();
    (rank == SENDER ? put : get)(repeats);
    if (rank == RECEIVER) printf("%.17g\n", (double)(measure_now_ns() - begin) / (double)repeats);
    MPI_Finalize();
    return 0;
}

int main(int count, char **arguments)
{
    cpu_set_t cpus;

    if (count < 3) return 2;
    if (getenv("OMPI_COMM_WORLD_SIZE")) return pass((size_t)strtoull(arguments[2], NULL, 10));
    sched_getaffinity(0, sizeof cpus, &cpus);
    execlp("mpirun", "mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "btl",
           "self,vader", "--mca", "mpi_yield_when_idle", CPU_COUNT(&cpus) == 1 ? "1" : "0", "-n", "2", arguments[0],
           arguments[1], arguments[2], (char *)NULL);
    measure_require(0, "there is mpirun");
    return 1;
}
