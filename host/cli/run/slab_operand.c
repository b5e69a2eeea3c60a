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

/* ---------------------------------------------------------------- A teacher that lists some classes */

/* Reads `count` of the classes that the teacher lists, from `first` on. */
static int read_listed(const run *run, uint64_t first, uint64_t count, slab_buffers *buffers)
{
    const double *numbers = buffers->listed_numbers, classes = (double)run->problem.classes;
    FORWARD(source_read(&run->teacher_classes, first, count, buffers->listed_numbers));
    for (uint64_t i = 0; i < count; i++) {
        COMPLAIN_IF(!(numbers[i] == floor(numbers[i]) && numbers[i] >= -1 && numbers[i] < classes), EXIT_WRONG,
                    "%s: --teacher-classes: %g is no class from 0 to %llu, and not -1 for none",
                    run->options.teacher_classes, numbers[i], (unsigned long long)run->problem.classes - 1);
        buffers->listed[i] = (int64_t)numbers[i];
    }
    return EXIT_DONE;
}

/* Returns the logits of a slab as f32. */
static const float *student_logits(const run *run, const slab *slab, const slab_buffers *buffers)
{
    if (!buffers->student)
        return buffers->logits;
    for (uint64_t i = 0; i < slab->rows * run->problem.classes; i++)
        buffers->student[i] = array_float(buffers->logits, run->problem.logits_dtype, i);
    return buffers->student;
}

/* Reads what the teacher lists, and makes its logits of it, and the weights of the rows. */
static int read_top_teacher(const run *run, const slab *slab, slab_buffers *buffers)
{
    const run_options *options = &run->options;
    const uint64_t top = run_teacher_top(run), first = slab->row * top, count = slab->rows * top;
    float *logarithms = buffers->log_probabilities, *weights = buffers->teacher_weights;
    FORWARD(read_listed(run, first, count, buffers));
    FORWARD(source_read(&run->operand, first, count, logarithms));
    for (uint64_t i = count; i > 0; i--) /* from the last on: those of 16 bits grow in place */
        logarithms[i - 1] = array_float(logarithms, run->operand.array.dtype, i - 1);
    const clsoftmax_status made = clsoftmax_top_teacher(
        slab->rows, run->problem.classes, top, buffers->listed, logarithms, options->temperature, buffers->temperatures,
        options->tail, student_logits(run, slab, buffers), buffers->operand, weights);
    COMPLAIN_IF(made != CLSOFTMAX_OK, EXIT_WRONG, "%s: counted from row %llu on: %s", options->teacher,
                (unsigned long long)(run->first_row + slab->row), clsoftmax_last_error());
    for (uint64_t i = 0; buffers->weights && i < slab->rows; i++)
        weights[i] *= buffers->weights[i];
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
    if (run->options.targets)
        return read_targets(run, slab, buffers);
    return run_teacher_top(run) > 0 ? read_top_teacher(run, slab, buffers) : read_teacher(run, slab, buffers);
}
