#include "run/sweep_table.h"

#include "support/process.h"

#include <stdio.h>

static int has_statistics(const run *run)
{
    return run->options.statistics && !run->has_statistics_file;
}

void sweep_print_names(FILE *file, const run *run)
{
    fputs("temperature row ", file);
    if (has_statistics(run)) {
        statistics_print_names(file, run->options.labels != NULL);
        return;
    }
    for (uint64_t c = 0; c < run->problem.classes; c++)
        fprintf(file, "class_%llu%c", (unsigned long long)c, c + 1 < run->problem.classes ? ' ' : '\n');
}

static void begin_line(FILE *file, const run *run, const tile *tile, uint64_t row, uint64_t k)
{
    if (tile->row == run->tiling.begin && row == 0 && k == 0)
        sweep_print_names(file, run);
    char temperature[TEMPERATURE_BYTES];
    fprintf(file, "%s %llu ", temperature_text(run->options.sweep.values[k], temperature),
            (unsigned long long)(run->first_row + tile->row + row));
}

/* The row of a tile of (outer, classes, inner) at temperature k. */
static void print_row(FILE *file, const run *run, const tile *tile, const void *results, uint64_t row, uint64_t k)
{
    const clsoftmax_problem *p = &run->problem;
    uint64_t first = (k * tile->outer + row / tile->inner) * p->classes * tile->inner + row % tile->inner;
    for (uint64_t c = 0; c < p->classes; c++)
        fprintf(file, "%.9g%c", (double)array_float(results, p->results_dtype, first + c * tile->inner),
                c + 1 < p->classes ? ' ' : '\n');
}

int sweep_print_results(FILE *file, const run *run, const tile *tile, const void *results)
{
    for (uint64_t row = 0; row < tile->rows && !ferror(file); row++)
        for (uint64_t k = 0; k < run->problem.sweep && !ferror(file); k++) {
            begin_line(file, run, tile, row, k);
            print_row(file, run, tile, results, row, k);
        }
    return finish_output(file);
}

int sweep_print_statistics(FILE *file, const run *run, const tile *tile, const clsoftmax_statistics *statistics)
{
    for (uint64_t row = 0; row < tile->rows && !ferror(file); row++)
        for (uint64_t k = 0; k < run->problem.sweep && !ferror(file); k++) {
            begin_line(file, run, tile, row, k);
            statistics_print(file, &statistics[k * tile->rows + row], 1, run->options.labels != NULL);
        }
    return finish_output(file);
}
