/* A slab is read: logits, and the numbers of each row. */
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

static int read_labels(const run *run, const slab *slab, slab_buffers *buffers)
{
    uint64_t first = run->first_row + slab->row, classes = run->problem.classes;
    FORWARD(source_read(&run->labels, first, slab->rows, buffers->label_numbers));
    for (uint64_t i = 0; i < slab->rows; i++) {
        double number = buffers->label_numbers[i];
        int is_label = number >= -1 && number < (double)classes && number == (double)(int64_t)number;
        COMPLAIN_IF(!is_label, EXIT_WRONG,
                    "%s: --labels: %g, the label of row %llu, is not a class from 0 to %llu, nor -1 for none",
                    run->options.labels, number, (unsigned long long)(first + i), (unsigned long long)classes - 1);
        buffers->labels[i] = (int64_t)number;
    }
    return EXIT_DONE;
}

int slab_read(const run *run, const slab *slab, slab_buffers *buffers)
{
    FORWARD(run_read_logits(run, &run->slabs, slab, buffers->logits));
    if (buffers->temperatures)
        FORWARD(read_temperatures(run, slab, buffers));
    return buffers->labels ? read_labels(run, slab, buffers) : EXIT_DONE;
}
