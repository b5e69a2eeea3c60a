/* Adds up over all ranks what each found of its rows. */
#include "run/ranks.h"
#include "run/run_loss.h"

#include <limits.h>
#include <string.h>

static void add_up_labels(label_summary *labelled)
{
    double sums[] = {labelled->negative_log_likelihood, (double)labelled->labelled, (double)labelled->right,
                     (double)labelled->rows};
    ranks_sum(sums, sizeof sums / sizeof *sums);
    labelled->negative_log_likelihood = sums[0];
    labelled->labelled = (uint64_t)sums[1];
    labelled->right = (uint64_t)sums[2];
    labelled->rows = (uint64_t)sums[3];
}

/* Returns the largest of the numbers of all ranks, none of which is negative: then their bits have the order of the
   numbers. */
static float agree_on_largest(float number)
{
    int bits;
    memcpy(&bits, &number, sizeof bits);
    bits = ranks_agree(bits);
    memcpy(&number, &bits, sizeof bits);
    return number;
}

void run_add_up_ranks(run *run)
{
    double sums[] = {(double)(run->slabs.end - run->slabs.begin),
                     (double)run->invalid_rows,
                     (double)run->bits.values,
                     (double)run->bits.different,
                     (double)run->ulp.beyond,
                     (double)run->foreign_labels,
                     (double)run->deviating};
    ranks_sum(sums, sizeof sums / sizeof *sums);
    run->rows_computed = (uint64_t)sums[0];
    run->invalid_rows = (uint64_t)sums[1];
    run->bits.values = (uint64_t)sums[2];
    run->bits.different = (uint64_t)sums[3];
    run->ulp.beyond = (uint64_t)sums[4];
    run->foreign_labels = (uint64_t)sums[5];
    run->deviating = (uint64_t)sums[6];
    run->largest_deviation = agree_on_largest(run->largest_deviation);
    run->ulp.worst_ulp = (uint64_t)ranks_agree(run->ulp.worst_ulp < INT_MAX ? (int)run->ulp.worst_ulp : INT_MAX);
    for (uint64_t k = 0; k < run_temperatures(run); k++)
        add_up_labels(&run->labelled[k]);
    if (run_options_have_losses(&run->options))
        run_add_up_losses(run);
}
