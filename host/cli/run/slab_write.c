/* A slab is written: results and statistics, to files or as text. */
#include "files/array_text.h"
#include "run/relative_logits.h"
#include "run/run_loss.h"
#include "run/slab_steps.h"
#include "run/sweep_table.h"
#include "support/messages.h"
#include "support/process.h"

#include <stdio.h>

/* Writes the results at temperature k into their file. */
static int write_results_at(run *run, const slab *slab, const slab_buffers *buffers, uint64_t k)
{
    const clsoftmax_problem *p = &run->problem;
    size_t size = clsoftmax_dtype_size(p->results_dtype);
    const char *results = (const char *)buffers->results + k * slab->rows * p->classes * size;
    slab_stretches stretches = slabs_stretches(&run->slabs, slab);
    uint64_t first = k * run->rows * p->classes + stretches.first;
    for (uint64_t i = 0; i < stretches.count; i++)
        FORWARD(result_file_write(&run->results, first + i * stretches.stride, stretches.length,
                                  results + i * stretches.length * size));
    return EXIT_DONE;
}

static int write_results(run *run, const slab *slab, const slab_buffers *buffers)
{
    const clsoftmax_problem *p = &run->problem;
    const array *input = &run->input.array;
    if (!run->has_results_file && p->sweep > 0)
        return sweep_print_results(stdout, run, slab, buffers->results);
    if (!run->has_results_file)
        return array_write_text(stdout, buffers->results, p->results_dtype, slab->rows * p->classes,
                                input->shape[input->dimensions - 1]);
    for (uint64_t k = 0; k < run_temperatures(run); k++)
        FORWARD(write_results_at(run, slab, buffers, k));
    return EXIT_DONE;
}

static int print_statistics(const run *run, const slab *slab, const slab_buffers *buffers)
{
    int has_labels = buffers->labels != NULL;
    if (run->problem.sweep > 0)
        return sweep_print_statistics(stdout, run, slab, buffers->statistics);
    if (slab->row == run->slabs.begin)
        statistics_print_names(stdout, has_labels);
    statistics_print(stdout, buffers->statistics, slab->rows, has_labels);
    return finish_output(stdout);
}

static int write_statistics(run *run, const slab *slab, const slab_buffers *buffers)
{
    for (uint64_t k = 0; k < run_temperatures(run); k++) {
        const clsoftmax_statistics *statistics = buffers->statistics + k * slab->rows;
        if (buffers->labels)
            label_summary_add(&run->labelled[k], statistics, buffers->labels, slab->rows);
        if (run->has_statistics_file)
            FORWARD(result_file_write(&run->statistics, k * run->rows + slab->row, slab->rows, statistics));
    }
    return run_prints_statistics(run) ? print_statistics(run, slab, buffers) : EXIT_DONE;
}

/* Makes statistics those of the logits as they were. */
static void shift_all_statistics(const run *run, const slab *slab, const slab_buffers *buffers)
{
    const run_options *options = &run->options;
    for (uint64_t k = 0; k < run_temperatures(run); k++)
        for (uint64_t i = 0; i < slab->rows; i++) {
            float temperature = options->sweep.count > 0 ? options->sweep.values[k]
                                : buffers->temperatures  ? buffers->temperatures[i]
                                                         : options->temperature;
            shift_statistics(buffers->shifts[i], temperature, &buffers->statistics[k * slab->rows + i]);
        }
}

int slab_write(run *run, const slab *slab, const slab_buffers *buffers)
{
    if (buffers->statistics && buffers->shifts)
        shift_all_statistics(run, slab, buffers);
    if (buffers->results)
        FORWARD(write_results(run, slab, buffers));
    if (buffers->losses)
        FORWARD(run_write_losses(run, slab, buffers));
    return buffers->statistics ? write_statistics(run, slab, buffers) : EXIT_DONE;
}
