/* A slab is read: logits, and the numbers of each row. */
#include "run/relative_logits.h"
#include "run/run_loss.h"
#include "run/slab_steps.h"
#include "support/messages.h"

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

/* Reads labels, and counts those that are neither a class nor -1, the usual number for none. */
static int read_labels(run *run, const slab *slab, slab_buffers *buffers)
{
    uint64_t foreign = 0;
    FORWARD(run_read_labels(run, slab->row, slab->rows, buffers->label_numbers, buffers->labels));
    for (uint64_t i = 0; i < slab->rows; i++)
        foreign += buffers->labels[i] < 0 && buffers->label_numbers[i] != -1;
    pthread_mutex_lock(&run->lock);
    run->foreign_labels += foreign;
    pthread_mutex_unlock(&run->lock);
    return EXIT_DONE;
}

int slab_read_logits(const run *run, const slab *slab, slab_buffers *buffers)
{
    if (!buffers->exact_logits)
        return run_read_rows(&run->input, &run->slabs, slab, buffers->logits);
    FORWARD(run_read_rows(&run->input, &run->slabs, slab, buffers->exact_logits));
    relative_logits(buffers->exact_logits, slab->outer, run->problem.classes, slab->inner, buffers->logits,
                    buffers->shifts);
    for (uint64_t i = 0; i < slab->rows && run->options.z_loss > 0; i++)
        COMPLAIN_IF(buffers->shifts[i] != 0, EXIT_WRONG,
                    "%s: --z-loss: row %llu is computed relative to its largest logit, since f32 does not hold its "
                    "logits; it then has no log-sum-exp",
                    run->options.input, (unsigned long long)(run->first_row + slab->row + i));
    return EXIT_DONE;
}

int slab_read(run *run, const slab *slab, slab_buffers *buffers)
{
    FORWARD(slab_read_logits(run, slab, buffers));
    if (buffers->temperatures)
        FORWARD(read_temperatures(run, slab, buffers));
    if (buffers->labels)
        FORWARD(read_labels(run, slab, buffers));
    if (buffers->weights)
        FORWARD(
            run_read_weights(run, slab->row, slab->rows, buffers->labels, buffers->label_numbers, buffers->weights));
    return buffers->operand ? slab_read_operand(run, slab, buffers) : EXIT_DONE; /* last: it may need the others */
}
