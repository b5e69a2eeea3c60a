/* What a job of `loss` or `distill` has beside that of `run`: see run_loss.h. */
#include "run/run_loss.h"

#include "run/ranks.h"
#include "support/messages.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* ---------------------------------------------------------------- Weights */

int run_read_weights(const run *run, uint64_t row, uint64_t rows, double *numbers, float *weights)
{
    const uint64_t first = run->first_row + row;
    FORWARD(source_read(&run->weights, first, rows, numbers));
    for (uint64_t i = 0; i < rows; i++) {
        COMPLAIN_IF(!(numbers[i] >= 0 && numbers[i] <= (double)FLT_MAX), EXIT_WRONG,
                    "%s: --weights: %g, the weight of row %llu, is not a finite number from 0 on", run->options.weights,
                    numbers[i], (unsigned long long)(first + i));
        weights[i] = (float)numbers[i];
    }
    return EXIT_DONE;
}

/* Adds the rows that count to a sum: their number, and their weights if they have any. labels: NULL if all count. */
static void add_counted(loss_sums *sums, const int64_t *labels, const float *weights, uint64_t rows)
{
    for (uint64_t i = 0; i < rows; i++) {
        const int counts = !labels || labels[i] >= 0;
        sums->counted += counts ? 1 : 0;
        if (counts && weights)
            clsoftmax_total_add(&sums->weights, &weights[i], 1);
    }
    sums->rows += rows;
}

/* Returns the weights of the rows that count: 1 for each, unless the job has weights. */
static double weights_of(const run *run, const loss_sums *sums)
{
    return run->options.weights ? clsoftmax_total_value(&sums->weights) : (double)sums->counted;
}

/* ---------------------------------------------------------------- Scale */

/* Adds up the weights of all rows of the job that count, whichever process computes them. */
static int add_up_weights(const run *run, loss_sums *sums)
{
    enum { AT_A_TIME = 4096 };
    double numbers[AT_A_TIME];
    int64_t labels[AT_A_TIME];
    float weights[AT_A_TIME];
    for (uint64_t row = 0; row < run->rows; row += AT_A_TIME) {
        const uint64_t left = run->rows - row, rows = left < AT_A_TIME ? left : AT_A_TIME;
        if (run->options.labels)
            FORWARD(run_read_labels(run, row, rows, numbers, labels));
        if (run->options.weights)
            FORWARD(run_read_weights(run, row, rows, numbers, weights));
        add_counted(sums, run->options.labels ? labels : NULL, run->options.weights ? weights : NULL, rows);
    }
    return EXIT_DONE;
}

int run_choose_scale(run *run)
{
    loss_sums sums = {.counted = 0};
    run->scale = 1;
    if (run->options.is_sum || !run->has_results_file)
        return EXIT_DONE;
    FORWARD(add_up_weights(run, &sums));
    const double weights = weights_of(run, &sums);
    run->scale = weights > 0 ? (float)(1 / weights) : 1; /* without weights, all of the gradient is 0 */
    COMPLAIN_IF(isinf(run->scale), EXIT_WRONG, "--weights: their sum, %g, is too small to divide a gradient by",
                weights);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Sums */

int run_write_losses(run *run, const slab *slab, const slab_buffers *buffers)
{
    loss_sums sums = {.counted = 0};
    clsoftmax_total_add(&sums.losses, buffers->losses, slab->rows);
    add_counted(&sums, buffers->labels, buffers->weights, slab->rows);
    pthread_mutex_lock(&run->lock);
    clsoftmax_total_merge(&run->loss.losses, &sums.losses);
    clsoftmax_total_merge(&run->loss.weights, &sums.weights);
    run->loss.counted += sums.counted;
    run->loss.rows += sums.rows;
    pthread_mutex_unlock(&run->lock);
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
    double counts[] = {(double)run->loss.counted, (double)run->loss.rows};
    add_up_total(&run->loss.losses);
    add_up_total(&run->loss.weights);
    ranks_sum(counts, sizeof counts / sizeof *counts);
    run->loss.counted = (uint64_t)counts[0];
    run->loss.rows = (uint64_t)counts[1];
}

void run_print_losses(const run *run)
{
    const loss_sums *sums = &run->loss;
    const double losses = clsoftmax_total_value(&sums->losses), weights = weights_of(run, sums);
    printf("mean %.12g\nsum %.12g\n", weights > 0 ? losses / weights : (double)NAN, losses);
    if (run->options.weights)
        printf("weights %.12g\n", weights);
    if (run->options.labels)
        printf("labelled %llu\n", (unsigned long long)sums->counted);
    printf("rows %llu\n", (unsigned long long)sums->rows);
}
