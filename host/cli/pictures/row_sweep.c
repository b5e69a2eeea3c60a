/* One row at many temperatures: see row_sweep.h. */
#include "pictures/row_sweep.h"

#include "pictures/gnuplot.h"
#include "run/relative_logits.h"
#include "support/library.h"
#include "support/messages.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Complains about memory under the name of the input, or of the output, since a page of examples has no input. */
static int complain_memory(const run *run, uint64_t classes, uint64_t count)
{
    return complain(EXIT_FAILED, "%s: no memory for a row of %llu classes at %llu temperatures",
                    run->options.input ? run->options.input : run->options.output, (unsigned long long)classes,
                    (unsigned long long)count);
}

/* ---------------------------------------------------------------- Which classes */

typedef struct candidate {
    double logit;
    uint64_t class;
} candidate;

/* Orders from the largest on, with NaN in front; of equal logits, the first class comes first. */
static int compare_candidates(const void *a, const void *b)
{
    const candidate *left = a, *right = b;
    int nan_order = (isnan(left->logit) ? 0 : 1) - (isnan(right->logit) ? 0 : 1);
    if (nan_order != 0)
        return nan_order;
    if (left->logit > right->logit || left->logit < right->logit)
        return left->logit > right->logit ? -1 : 1;
    return (left->class > right->class) - (left->class < right->class);
}

/* Sets classes and logits from candidates in their order. */
static void fill_items(const candidate *candidates, uint64_t classes, row_sweep *sweep)
{
    for (uint64_t i = 0; i < classes; i++)
        sweep->classes[i] = candidates[i].class;
    for (uint64_t i = 0; i < sweep->items; i++)
        sweep->logits[i] = row_sweep_is_rest(sweep, i) ? NAN : candidates[i].logit;
}

/* Sets items, classes, rest and logits. EXIT_DONE, or EXIT_FAILED after a complaint. */
static int choose_items(const run *run, const double *logits, uint64_t classes, const row_request *request,
                        row_sweep *sweep)
{
    uint64_t shown = classes > request->most ? request->top : classes;
    sweep->rest = classes - shown;
    sweep->items = shown + (sweep->rest > 0 ? 1 : 0);
    candidate *candidates = malloc((size_t)classes * sizeof *candidates);
    sweep->classes = calloc((size_t)classes, sizeof *sweep->classes);
    sweep->logits = calloc((size_t)sweep->items, sizeof *sweep->logits);
    int has_memory = candidates && sweep->classes && sweep->logits;
    if (has_memory) {
        for (uint64_t c = 0; c < classes; c++)
            candidates[c] = (candidate){logits[c], c};
        if (sweep->rest > 0 || request->is_ranked)
            qsort(candidates, (size_t)classes, sizeof *candidates, compare_candidates);
        fill_items(candidates, classes, sweep);
    }
    free(candidates);
    return has_memory ? EXIT_DONE : complain_memory(run, classes, 1);
}

/* Sets the probabilities of the items from those of all classes: the rest is a sum, all others are as they were
   computed. */
static void gather(const float *all, uint64_t classes, row_sweep *sweep)
{
    uint64_t shown = sweep->items - (sweep->rest > 0 ? 1 : 0);
    for (uint64_t k = 0; k < sweep->count; k++) {
        double *items = sweep->probabilities + k * sweep->items;
        const float *row = all + k * classes;
        for (uint64_t i = 0; i < shown; i++)
            items[i] = (double)row[sweep->classes[i]];
        for (uint64_t i = shown; i < classes; i++)
            items[shown] += (double)row[sweep->classes[i]];
    }
}

row_request row_sweep_request(const run *run, const float *temperatures, uint64_t count, uint64_t room,
                              const char *about)
{
    uint64_t classes = run->problem.classes, asked = smaller(run->options.top, classes);
    row_request request = {.row = run->options.row, .temperatures = temperatures, .count = count};
    request.most = request.top = run->options.top;
    if (asked < classes ? asked >= room : asked > room) {
        request.most = request.top = room - 1;
        notice("note: %s: a picture is at most %d pixels high, which is room for %llu of %llu classes beside \"rest\"",
               about, GNUPLOT_MOST_HEIGHT, (unsigned long long)room - 1, (unsigned long long)classes);
    }
    return request;
}

/* ---------------------------------------------------------------- Computing */

/* Computes the probabilities of all classes, [count][classes], and the statistics, on the job's first device. */
static int compute(run *run, const float *logits, uint64_t classes, const row_request *request, row_sweep *sweep,
                   float *all)
{
    clsoftmax_problem problem = run->problem;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    device *device = &run->devices.of[0];
    problem.outer = problem.inner = 1;
    problem.classes = classes;
    problem.operation = CLSOFTMAX_OPERATION_SOFTMAX;
    problem.logits_dtype = problem.results_dtype = CLSOFTMAX_F32;
    problem.statistics = 1;
    problem.sweep = request->count;
    arguments.logits = logits;
    arguments.results = all;
    arguments.temperatures = request->temperatures;
    arguments.statistics = sweep->statistics;
    clsoftmax_status computed = device_run(device, 0, &problem, &arguments);
    return computed == CLSOFTMAX_OK ? EXIT_DONE : complain_library(device_selector(device), computed);
}

/* Computes the numbers of items that have been chosen. */
static int compute_items(run *run, const double *logits, uint64_t classes, const row_request *request, row_sweep *sweep)
{
    double shift;
    float *all = calloc((size_t)(request->count * classes), sizeof *all);
    float *rounded = calloc((size_t)classes, sizeof *rounded);
    sweep->probabilities = calloc((size_t)(request->count * sweep->items), sizeof *sweep->probabilities);
    sweep->statistics = calloc((size_t)request->count, sizeof *sweep->statistics);
    int has_memory = all && rounded && sweep->probabilities && sweep->statistics;
    if (has_memory)
        relative_logits(logits, 1, classes, 1, rounded, &shift);
    int status = has_memory ? compute(run, rounded, classes, request, sweep, all)
                            : complain_memory(run, classes, request->count);
    if (status == EXIT_DONE) {
        gather(all, classes, sweep);
        for (uint64_t k = 0; k < request->count; k++)
            shift_statistics(shift, request->temperatures[k], &sweep->statistics[k]);
    }
    free(all);
    free(rounded);
    return status;
}

static int choose_and_compute(run *run, const double *logits, uint64_t classes, const row_request *request,
                              row_sweep *sweep)
{
    FORWARD(choose_items(run, logits, classes, request, sweep));
    return compute_items(run, logits, classes, request, sweep);
}

int row_sweep_compute(run *run, const double *logits, uint64_t classes, const row_request *request, row_sweep *sweep)
{
    memset(sweep, 0, sizeof *sweep);
    sweep->count = request->count;
    int status = choose_and_compute(run, logits, classes, request, sweep);
    if (status != EXIT_DONE)
        row_sweep_release(sweep);
    return status;
}

/* Reads the row's logits as doubles, which hold each of the types exactly. */
static int read_row(run *run, uint64_t row, double *logits)
{
    const clsoftmax_problem *p = &run->problem;
    const slabs one = {p->classes, p->inner, row, row + 1, 1};
    slab slab = slabs_next(&one, row);
    FORWARD(run_read_rows(&run->input, &one, &slab, logits));
    for (uint64_t i = run->input.array.is_double ? 0 : p->classes; i > 0;
         i--) /* from the last on: they grow in place */
        logits[i - 1] = (double)array_float(logits, p->logits_dtype, i - 1);
    return EXIT_DONE;
}

static int read_and_compute(run *run, const row_request *request, double *logits, row_sweep *sweep)
{
    FORWARD(read_row(run, request->row - run->first_row, logits));
    return row_sweep_compute(run, logits, run->problem.classes, request, sweep);
}

int row_sweep_read(run *run, const row_request *request, row_sweep *sweep)
{
    uint64_t classes = run->problem.classes, row = request->row;
    memset(sweep, 0, sizeof *sweep);
    COMPLAIN_IF(row < run->first_row || row - run->first_row >= run->rows, EXIT_WRONG,
                "--row %llu: %s has rows from %llu to %lld", (unsigned long long)row, run->options.input,
                (unsigned long long)run->first_row, (long long)(run->first_row + run->rows) - 1);
    double *logits = malloc((size_t)classes * sizeof *logits);
    if (!logits)
        return complain_memory(run, classes, 1);
    int status = read_and_compute(run, request, logits, sweep);
    free(logits);
    return status;
}

void row_sweep_release(row_sweep *sweep)
{
    free(sweep->classes);
    free(sweep->logits);
    free(sweep->probabilities);
    free(sweep->statistics);
    memset(sweep, 0, sizeof *sweep);
}

int row_sweep_is_rest(const row_sweep *sweep, uint64_t item)
{
    return sweep->rest > 0 && item + 1 == sweep->items;
}

const char *row_sweep_name(const row_sweep *sweep, const class_names *names, uint64_t item, char *text)
{
    if (!row_sweep_is_rest(sweep, item))
        return class_names_text(names, sweep->classes[item], text);
    snprintf(text, ITEM_NAME_BYTES, "rest (%llu)", (unsigned long long)sweep->rest);
    return text;
}
