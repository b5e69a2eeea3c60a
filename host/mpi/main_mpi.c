/* clsoftmax-mpi: clsoftmax run, loss or distill by as many processes as mpirun starts, on one machine or many, into one
 * file. */
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

static const char help[] =
    "usage: mpirun -n N clsoftmax-mpi INPUT -o OUT.npy [OPTION...]\n"
    "       mpirun -n N clsoftmax-mpi loss LOGITS LABELS [OPTION...]\n"
    "       mpirun -n N clsoftmax-mpi distill STUDENT TEACHER -T T [OPTION...]\n"
    "\n"
    "Does the job of clsoftmax run, loss or distill with N processes, on one machine or on many that share a file\n"
    "system. Each computes a shard of the rows, and all write into one file, whose bytes do not depend on N.\n"
    "The options are those of the command except --shard; results and statistics go to files. Without --device,\n"
    "the processes of a machine take its GPUs in turn.\n"
    "\n"
    "examples:\n"
    "  mpirun -n 8 clsoftmax-mpi logits.npy -T 0.7 -o probabilities.npy\n"
    "  mpirun -n 8 clsoftmax-mpi logits.npy -T 0.7 --stats=statistics.npy -o probabilities.npy\n"
    "  mpirun -n 8 clsoftmax-mpi loss logits.npy labels.npy -T 2 --gradient gradient.npy\n";

static int print_help(void)
{
    fputs(help, stdout);
    return finish_output(stdout);
}

static int is_help(int argc, char **argv)
{
    return argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

/* Returns how many of this machine's processes come before this one. */
static int local_rank(void)
{
    MPI_Comm machine;
    int rank = 0;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_rank(machine, &rank);
    MPI_Comm_free(&machine);
    return rank;
}

static int is_good_gpu(const clsoftmax_device *device)
{
    return device->type == CLSOFTMAX_DEVICE_GPU && device->usable && device->exact;
}

/* Lets the processes of a machine take its GPUs in turn, unless CLSOFTMAX_DEVICE says something else. */
static void choose_gpu(int rank)
{
    clsoftmax_device *devices;
    size_t count;
    int gpus = 0;
    const char *said = getenv("CLSOFTMAX_DEVICE");
    if ((said && *said) || clsoftmax_devices_list(&devices, &count) != CLSOFTMAX_OK)
        return;
    for (size_t i = 0; i < count; i++)
        gpus += is_good_gpu(&devices[i]);
    for (size_t i = 0, gpu = 0; i < count && gpus > 0; i++)
        if (is_good_gpu(&devices[i]) && gpu++ == (size_t)(rank % gpus))
            setenv("CLSOFTMAX_DEVICE", devices[i].selector, 1);
    clsoftmax_devices_release(devices);
}

static int run_rank(int argc, char **argv, int provided)
{
    if (is_help(argc, argv))
        return ranks_index() == 0 ? print_help() : EXIT_DONE;
    COMPLAIN_IF(provided < MPI_THREAD_SERIALIZED, EXIT_FAILED, "this MPI cannot be called by several threads in turn");
    if (argc > 1 && strcmp(argv[1], "loss") == 0)
        return command_loss(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "distill") == 0)
        return command_distill(argc - 1, argv + 1);
    return command_run(argc, argv);
}

/* Ends rank 0 with the job's status, and all other ranks with 0: mpirun prints a page about every process that ends
   with another. */
int main(int argc, char **argv)
{
    int provided;
    begin_process();
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    choose_gpu(local_rank());
    int is_first = ranks_index() == 0;
    if (!is_first)
        notices_are_quiet = 1; /* they would say the same */
    argv[0] = (char *)(uintptr_t)program_name;
    int status = run_rank(argc, argv, provided);
    status = ranks_agree(status == EXIT_ANSWERED ? EXIT_DONE : status);
    MPI_Finalize();
    return is_first ? status : EXIT_DONE;
}
