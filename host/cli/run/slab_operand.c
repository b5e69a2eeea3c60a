/* The operand of a slab is read: a teacher's logits, or targets. */
#include "run/relative_logits.h"
#include "run/slab_steps.h"
#include "support/messages.h"

#include <float.h>
#include <math.h>

/* Reads the teacher's logits, as f32 relative to the largest of each row if they have double precision. */
static int read_teacher(const run *run, const slab *slab, slab_buffers *buffers)
{
    if (!buffers->exact_operand)
        return run_read_rows(&run->operand, &run->slabs, slab, buffers->operand);
    FORWARD(run_read_rows(&run->operand, &run->slabs, slab, buffers->exact_operand));
    relative_logits(buffers->exact_operand, slab->outer, run->problem.classes, slab->inner, buffers->operand,
                    buffers->operand_shifts);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Targets */

/* The targets of a row add up to 1 if they are not further from it than this. Those that bf16 rounds are within 2^-9.
 */
#define MOST_DEVIATION 0.01

/* Returns where the target of a class stands in a dense slab. */
static uint64_t place_of(const run *run, const slab *slab, uint64_t row, uint64_t class)
{
    const uint64_t inner = slab->inner;
    return (row / inner * run->problem.classes + class) * inner + row % inner;
}

/* Adds up the targets of a row, which have to be finite numbers from 0 on. */
static int add_up_targets(const run *run, const slab *slab, const void *targets, uint64_t row, double *sum)
{
    *sum = 0;
    for (uint64_t c = 0; c < run->problem.classes; c++) {
        const double target = (double)array_float(targets, run->operand.array.dtype, place_of(run, slab, row, c));
        COMPLAIN_IF(!(target >= 0 && target <= (double)FLT_MAX), EXIT_WRONG,
                    "%s: --targets: %g, of class %llu of row %llu, is not a finite number from 0 on",
                    run->options.targets, target, (unsigned long long)c,
                    (unsigned long long)(run->first_row + slab->row + row));
        *sum += target;
    }
    return EXIT_DONE;
}

/* Checks the targets of a slab, and counts the rows in which they do not add up to 1. */
static int check_targets(run *run, const slab *slab, const void *targets)
{
    uint64_t deviating = 0;
    double largest = 0;
    for (uint64_t row = 0; row < slab->rows; row++) {
        double sum;
        FORWARD(add_up_targets(run, slab, targets, row, &sum));
        const double deviation = fabs(sum - 1);
        deviating += deviation > MOST_DEVIATION;
        largest = deviation > largest ? deviation : largest;
    }
    pthread_mutex_lock(&run->lock);
    run->deviating += deviating;
    run->largest_deviation = (float)largest > run->largest_deviation ? (float)largest : run->largest_deviation;
    pthread_mutex_unlock(&run->lock);
    return EXIT_DONE;
}

/* Multiplies each target by the weight of its class, as f32. */
static void weigh_targets(const run *run, const slab *slab, float *targets)
{
    const uint64_t classes = run->problem.classes, inner = slab->inner;
    for (uint64_t i = slab->rows * classes; i > 0; i--) /* from the last on: those of 16 bits grow in place */
        targets[i - 1] =
            array_float(targets, run->operand.array.dtype, i - 1) * run->class_weights[(i - 1) / inner % classes];
}

static int read_targets(run *run, const slab *slab, slab_buffers *buffers)
{
    FORWARD(run_read_rows(&run->operand, &run->slabs, slab, buffers->operand));
    FORWARD(check_targets(run, slab, buffers->operand));
    if (run->class_weights)
        weigh_targets(run, slab, buffers->operand);
    return EXIT_DONE;
}

int slab_read_operand(run *run, const slab *slab, slab_buffers *buffers)
{
    return run->options.targets ? read_targets(run, slab, buffers) : read_teacher(run, slab, buffers);
}
