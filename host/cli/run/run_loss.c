/* What a job of `loss` or `distill` has beside that of `run`: see run_loss.h. */
#include "run/run_loss.h"

#include "run/ranks.h"
#include "support/messages.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* ---------------------------------------------------------------- Weights */

int run_read_weights(const run *run, uint64_t row, uint64_t rows, const int64_t *labels, double *numbers,
                     float *weights)
{
    const uint64_t first = run->first_row + row;
    const int has_classes = run->class_weights && labels;
    if (run->options.weights)
        FORWARD(source_read(&run->weights, first, rows, numbers));
    for (uint64_t i = 0; i < rows; i++) {
        const double of_class = has_classes && labels[i] >= 0 ? (double)run->class_weights[labels[i]] : 1;
        numbers[i] = run->options.weights ? numbers[i] : 1;
        COMPLAIN_IF(!(numbers[i] >= 0 && numbers[i] <= (double)FLT_MAX), EXIT_WRONG,
                    "%s: --weights: %g, the weight of row %llu, is not a finite number from 0 on", run->options.weights,
                    numbers[i], (unsigned long long)(first + i));
        weights[i] = (float)(numbers[i] * of_class);
    }
    return EXIT_DONE;
}

/* Adds the rows that count for a component to its sums: their number, and their weights if they have any. Without a
   label a row does not count for a cross-entropy. */
static void add_counted(const run_component *component, loss_sums *sums, const int64_t *labels, const float *weights,
                        uint64_t rows)
{
    const int needs_label = clsoftmax_operation_has_labels(component->operation);
    for (uint64_t i = 0; i < rows; i++) {
        const int counts = !needs_label || labels[i] >= 0;
        sums->counted += counts ? 1 : 0;
        if (counts && weights)
            clsoftmax_total_add(&sums->weights, &weights[i], 1);
    }
    sums->rows += rows;
}

/* Returns the weights of the rows that count: 1 for each, unless the job has weights. */
static double weights_of(const run *run, const loss_sums *sums)
{
    return run_has_weights(run) ? clsoftmax_total_value(&sums->weights) : (double)sums->counted;
}

/* ---------------------------------------------------------------- Scale */

/* Adds up the weights of all rows of the job that count for each component, whichever process computes them. */
static int add_up_weights(const run *run, loss_sums sums[RUN_MOST_COMPONENTS])
{
    enum { AT_A_TIME = 4096 };
    double numbers[AT_A_TIME];
    int64_t labels[AT_A_TIME];
    float weights[AT_A_TIME];
    for (uint64_t row = 0; row < run->rows; row += AT_A_TIME) {
        const uint64_t left = run->rows - row, rows = left < AT_A_TIME ? left : AT_A_TIME;
        if (run->options.labels)
            FORWARD(run_read_labels(run, row, rows, numbers, labels));
        if (run_has_weights(run))
            FORWARD(run_read_weights(run, row, rows, run->options.labels ? labels : NULL, numbers, weights));
        for (unsigned c = 0; c < run->component_count; c++)
            add_counted(&run->components[c], &sums[c], labels, run_has_weights(run) ? weights : NULL, rows);
    }
    return EXIT_DONE;
}

int run_choose_scales(run *run)
{
    loss_sums sums[RUN_MOST_COMPONENTS] = {{.counted = 0}};
    const int is_mean = !run->options.is_sum && run->has_results_file;
    if (is_mean)
        FORWARD(add_up_weights(run, sums));
    for (unsigned c = 0; c < run->component_count; c++) {
        const double weights = is_mean ? weights_of(run, &sums[c]) : 1;
        const float scale = weights > 0 ? (float)(1 / weights) : 1; /* without weights, all of the gradient is 0 */
        COMPLAIN_IF(isinf(scale), EXIT_WRONG, "--weights: their sum, %g, is too small to divide a gradient by",
                    weights);
        run->components[c].scale = scale;
    }
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Sums */

/* Adds a slab's losses of a component to those of the job. */
static void add_losses(run *run, unsigned c, const slab *slab, const slab_buffers *buffers)
{
    run_component *component = &run->components[c];
    loss_sums sums = {.counted = 0}, *all = &component->loss;
    clsoftmax_total_add(&sums.losses, buffers->component_losses[c], slab->rows);
    add_counted(component, &sums, buffers->labels, buffers->weights, slab->rows);
    pthread_mutex_lock(&run->lock);
    clsoftmax_total_merge(&all->losses, &sums.losses);
    clsoftmax_total_merge(&all->weights, &sums.weights);
    all->counted += sums.counted;
    all->rows += sums.rows;
    pthread_mutex_unlock(&run->lock);
}

int run_write_losses(run *run, const slab *slab, const slab_buffers *buffers)
{
    for (unsigned c = 0; c < run->component_count; c++)
        add_losses(run, c, slab, buffers);
    return run->has_losses_file ? result_file_write(&run->losses, slab->row, slab->rows, buffers->losses) : EXIT_DONE;
}

/* Adds up a total of all ranks. Its digits are below 2^32, so that doubles hold the sums of all processes exactly. */
static void add_up_total(clsoftmax_total *total)
{
    double sums[CLSOFTMAX_TOTAL_DIGITS + 3];
    for (int i = 0; i < CLSOFTMAX_TOTAL_DIGITS; i++)
        sums[i] = (double)total->digits[i];
    sums[CLSOFTMAX_TOTAL_DIGITS] = (double)total->nan;
    sums[CLSOFTMAX_TOTAL_DIGITS + 1] = (double)total->positive_infinity;
    sums[CLSOFTMAX_TOTAL_DIGITS + 2] = (double)total->negative_infinity;
    ranks_sum(sums, sizeof sums / sizeof *sums);
    for (int i = 0; i < CLSOFTMAX_TOTAL_DIGITS; i++)
        total->digits[i] = (int64_t)sums[i];
    total->nan = (int64_t)sums[CLSOFTMAX_TOTAL_DIGITS];
    total->positive_infinity = (int64_t)sums[CLSOFTMAX_TOTAL_DIGITS + 1];
    total->negative_infinity = (int64_t)sums[CLSOFTMAX_TOTAL_DIGITS + 2];
}

void run_add_up_losses(run *run)
{
    for (unsigned c = 0; c < run->component_count; c++) {
        loss_sums *sums = &run->components[c].loss;
        double counts[] = {(double)sums->counted, (double)sums->rows};
        add_up_total(&sums->losses);
        add_up_total(&sums->weights);
        ranks_sum(counts, sizeof counts / sizeof *counts);
        sums->counted = (uint64_t)counts[0];
        sums->rows = (uint64_t)counts[1];
    }
}

/* The sum of the losses of a component or of a mix, and their mean, which is NaN without rows that count. */
typedef struct loss_figures {
    double mean, sum;
} loss_figures;

static loss_figures figures_of(const run *run, const run_component *component)
{
    const double sum = clsoftmax_total_value(&component->loss.losses), weights = weights_of(run, &component->loss);
    return (loss_figures){weights > 0 ? sum / weights : (double)NAN, sum};
}

/* Returns the figures of a mix. What has no share does not matter, even if it is infinite; and a mean of no labels has
   none, unless there is nothing else. */
static loss_figures mix_figures(double alpha, loss_figures of_labels, int has_labels, loss_figures of_teacher)
{
    if (alpha == 0 || alpha == 1)
        return alpha == 0 ? of_teacher : of_labels;
    const double mean = has_labels ? of_labels.mean : 0;
    return (loss_figures){alpha * mean + (1 - alpha) * of_teacher.mean,
                          alpha * of_labels.sum + (1 - alpha) * of_teacher.sum};
}

void run_print_losses(const run *run)
{
    const run_component *first = &run->components[0], *last = &run->components[run->component_count - 1];
    const loss_figures of_first = figures_of(run, first), of_last = figures_of(run, last);
    const loss_figures figures =
        run_is_mix(run) ? mix_figures((double)run->options.alpha, of_first, first->loss.counted > 0, of_last) : of_last;
    printf("mean %.12g\nsum %.12g\n", figures.mean, figures.sum);
    if (run_is_mix(run))
        printf("cross-entropy %.12g\ndivergence %.12g\n", of_first.mean, of_last.mean);
    if (run_has_weights(run))
        printf("weights %.12g\n", weights_of(run, &last->loss));
    if (run->options.labels)
        printf("labelled %llu\n", (unsigned long long)first->loss.counted);
    printf("rows %llu\n", (unsigned long long)last->loss.rows);
}
