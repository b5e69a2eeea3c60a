/* The ranks of clsoftmax-mpi: those of MPI. See host/cli/run/ranks.h. */
#include "run/ranks.h"

#include <mpi.h>

unsigned ranks_index(void)
{
    int index = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &index);
    return (unsigned)index;
}

unsigned ranks_count(void)
{
    int count = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    return (unsigned)count;
}

int ranks_agree(int status)
{
    int worst = status;
    MPI_Allreduce(&status, &worst, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return worst;
}

void ranks_sum(double *numbers, size_t count)
{
    MPI_Allreduce(MPI_IN_PLACE, numbers, (int)count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}
