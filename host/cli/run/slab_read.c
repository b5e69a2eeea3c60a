/* A slab is read: logits, and the numbers of each row. */
#include "run/relative_logits.h"
#include "run/slab_steps.h"
#include "support/messages.h"

#include <math.h>

/* Temperatures are read as logits are: rounded to f32 once, and refused beyond it. */
static int read_temperatures(const run *run, const slab *slab, slab_buffers *buffers)
{
    clsoftmax_dtype dtype = run->temperatures.array.dtype;
    float *temperatures = buffers->temperatures;
    FORWARD(source_read(&run->temperatures, run->first_row + slab->row, slab->rows, temperatures));
    for (uint64_t i = slab->rows; i > 0 && dtype != CLSOFTMAX_F32; i--) /* from the last on: they grow in place */
        temperatures[i - 1] = array_float(temperatures, dtype, i - 1);
    return EXIT_DONE;
}

/* Reads labels. Whole numbers that are no class are no label, and -1 is the usual one; the others are counted. */
static int read_labels(run *run, const slab *slab, slab_buffers *buffers)
{
    uint64_t first = run->first_row + slab->row, classes = run->problem.classes, foreign = 0;
    FORWARD(source_read(&run->labels, first, slab->rows, buffers->label_numbers));
    for (uint64_t i = 0; i < slab->rows; i++) {
        double number = buffers->label_numbers[i];
        int is_class = number >= 0 && number < (double)classes;
        COMPLAIN_IF(
            !(number == floor(number)), EXIT_WRONG,
            "%s: --labels: %g, the label of row %llu, is not a whole number: a class from 0 to %llu, or another "
            "number for none",
            run->options.labels, number, (unsigned long long)(first + i), (unsigned long long)classes - 1);
        buffers->labels[i] = is_class ? (int64_t)number : -1;
        foreign += !is_class && number != -1;
    }
    pthread_mutex_lock(&run->lock);
    run->foreign_labels += foreign;
    pthread_mutex_unlock(&run->lock);
    return EXIT_DONE;
}

int slab_read_logits(const run *run, const slab *slab, slab_buffers *buffers)
{
    if (!buffers->exact_logits)
        return run_read_logits(run, &run->slabs, slab, buffers->logits);
    FORWARD(run_read_logits(run, &run->slabs, slab, buffers->exact_logits));
    relative_logits(buffers->exact_logits, slab->outer, run->problem.classes, slab->inner, buffers->logits,
                    buffers->shifts);
    return EXIT_DONE;
}

int slab_read(run *run, const slab *slab, slab_buffers *buffers)
{
    FORWARD(slab_read_logits(run, slab, buffers));
    if (buffers->temperatures)
        FORWARD(read_temperatures(run, slab, buffers));
    return buffers->labels ? read_labels(run, slab, buffers) : EXIT_DONE;
}
