/* A sweep as text: see sweep_table.h. */
#include "run/sweep_table.h"

#include "support/process.h"

#include <stdio.h>

void sweep_print_names(FILE *file, const run *run)
{
    fputs("temperature row ", file);
    if (run_prints_statistics(run)) {
        statistics_print_names(file, run->options.labels != NULL);
        return;
    }
    for (uint64_t c = 0; c < run->problem.classes; c++)
        fprintf(file, "class_%llu%c", (unsigned long long)c, c + 1 < run->problem.classes ? ' ' : '\n');
}

/* Prints the first two columns, and the names of all columns before the first line. */
static void begin_line(FILE *file, const run *run, const slab *slab, uint64_t row, uint64_t k)
{
    if (slab->row == run->slabs.begin && row == 0 && k == 0)
        sweep_print_names(file, run);
    char temperature[TEMPERATURE_BYTES];
    fprintf(file, "%s %llu ", temperature_text(run->options.sweep.values[k], temperature),
            (unsigned long long)(run->first_row + slab->row + row));
}

/* Prints a row of a slab of (outer, classes, inner) at temperature k. */
static void print_row(FILE *file, const run *run, const slab *slab, const void *results, uint64_t row, uint64_t k)
{
    const clsoftmax_problem *p = &run->problem;
    uint64_t first = (k * slab->outer + row / slab->inner) * p->classes * slab->inner + row % slab->inner;
    for (uint64_t c = 0; c < p->classes; c++)
        fprintf(file, "%.9g%c", (double)array_float(results, p->results_dtype, first + c * slab->inner),
                c + 1 < p->classes ? ' ' : '\n');
}

int sweep_print_results(FILE *file, const run *run, const slab *slab, const void *results)
{
    for (uint64_t row = 0; row < slab->rows && !ferror(file); row++)
        for (uint64_t k = 0; k < run->problem.sweep && !ferror(file); k++) {
            begin_line(file, run, slab, row, k);
            print_row(file, run, slab, results, row, k);
        }
    return finish_output(file);
}

int sweep_print_statistics(FILE *file, const run *run, const slab *slab, const clsoftmax_statistics *statistics)
{
    for (uint64_t row = 0; row < slab->rows && !ferror(file); row++)
        for (uint64_t k = 0; k < run->problem.sweep && !ferror(file); k++) {
            begin_line(file, run, slab, row, k);
            statistics_print(file, &statistics[k * slab->rows + row], 1, run->options.labels != NULL);
        }
    return finish_output(file);
}
