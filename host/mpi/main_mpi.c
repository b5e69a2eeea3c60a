/* clsoftmax-mpi: clsoftmax run by as many processes as mpirun starts, on one machine or many, into one file. */
#include "clsoftmax/clsoftmax.h"
#include "commands/commands.h"
#include "support/messages.h"
#include "support/process.h"
#include "run/ranks.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char program_name[] = "clsoftmax-mpi";

static const char help[] = "usage: mpirun -n N clsoftmax-mpi INPUT -o OUT.npy [OPTION...]\n"
                           "\n"
                           "clsoftmax run by N processes, on one machine or many that share a file system: each "
                           "computes its part of the rows, and all\n"
                           "write into one file, whose bytes do not depend on N. Options are those of clsoftmax run "
                           "but --shard; results and statistics\n"
                           "go to files. Without --device, the processes of a machine take its GPUs in turn.\n"
                           "\n"
                           "example:\n"
                           "  mpirun -n 8 clsoftmax-mpi logits.npy -T 0.7 -o probabilities.npy\n";

static int print_help(void)
{
    fputs(help, stdout);
    return finish_output(stdout);
}

static int is_help(int argc, char **argv)
{
    return argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

/* How many of this machine's processes come before this one. */
static int local_rank(void)
{
    MPI_Comm machine;
    int rank = 0;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_rank(machine, &rank);
    MPI_Comm_free(&machine);
    return rank;
}

/* Where nothing else is said, the processes of a machine take its GPUs in turn. */
static void choose_gpu(int rank)
{
    clsoftmax_device *devices;
    size_t count;
    int gpus = 0;
    const char *said = getenv("CLSOFTMAX_DEVICE");
    if ((said && *said) || clsoftmax_devices_list(&devices, &count) != CLSOFTMAX_OK)
        return;
    for (size_t i = 0; i < count; i++)
        gpus += devices[i].type == CLSOFTMAX_DEVICE_GPU && devices[i].usable && devices[i].exact;
    for (size_t i = 0, gpu = 0; i < count && gpus > 0; i++)
        if (devices[i].type == CLSOFTMAX_DEVICE_GPU && devices[i].usable && devices[i].exact &&
            gpu++ == (size_t)(rank % gpus))
            setenv("CLSOFTMAX_DEVICE", devices[i].selector, 1);
    clsoftmax_devices_release(devices);
}

int main(int argc, char **argv)
{
    int provided;
    begin_process();
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    choose_gpu(local_rank());
    if (ranks_index() > 0)
        notices_are_quiet = 1; /* they would say the same */
    argv[0] = (char *)(uintptr_t)program_name;
    int status;
    if (is_help(argc, argv))
        status = ranks_index() == 0 ? print_help() : EXIT_DONE;
    else if (provided < MPI_THREAD_SERIALIZED)
        status = complain(EXIT_FAILED, "this MPI cannot be called by several threads in turn");
    else
        status = command_run(argc, argv);
    /* the first process says how it went; the others' status would make mpirun print a page about each */
    status = ranks_agree(status == EXIT_ANSWERED ? EXIT_DONE : status);
    int is_first = ranks_index() == 0;
    MPI_Finalize();
    return is_first ? status : EXIT_DONE;
}
