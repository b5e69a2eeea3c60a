/* The ranks of clsoftmax: one. See ranks.h. */
#include "run/ranks.h"

unsigned ranks_index(void)
{
    return 0;
}

unsigned ranks_count(void)
{
    return 1;
}

int ranks_agree(int status)
{
    return status;
}

void ranks_sum(double *numbers, size_t count)
{
    (void)numbers, (void)count;
}
