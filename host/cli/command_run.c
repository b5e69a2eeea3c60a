/* clsoftmax run: the main job. */
#include "array.h"
#include "cli.h"
#include "compare.h"
#include "progress.h"
#include "run_options.h"
#include "statistics_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The larger, the fewer launches; the smaller, the smoother the bar. */
#define PROGRESS_BLOCK_BYTES (64u << 20)

/* Everything that a run holds. */
typedef struct run {
    run_options options;
    clsoftmax_problem problem;
    clsoftmax_arguments arguments;
    uint64_t rows;
    array input, temperatures, labels;
    float *row_temperatures;
    int64_t *row_labels;
    void *results;
    clsoftmax_statistics *statistics;
    output_file output, statistics_output;
    clsoftmax_context *context;
} run;

/* ---------------------------------------------------------------- Input */

/* A file of one number for each row. */
static int read_row_numbers(const char *option, const char *path, array_content content, uint64_t rows, array *numbers)
{
    int status = array_read(path, content, 0, numbers);
    if (status == EXIT_DONE && numbers->elements != rows)
        status = complain(EXIT_WRONG, "%s: %s: %llu numbers for %llu rows", path, option,
                          (unsigned long long)numbers->elements, (unsigned long long)rows);
    return status;
}

/* Read as logits are: rounded to f32 once, and refused beyond it. */
static int read_temperatures(run *run)
{
    if (!run->options.temperatures)
        return EXIT_DONE;
    int status = read_row_numbers("-T", run->options.temperatures, ARRAY_LOGITS, run->rows, &run->temperatures);
    if (status != EXIT_DONE)
        return status;
    run->row_temperatures = malloc(run->rows * sizeof(float) + 1);
    if (!run->row_temperatures)
        return complain(EXIT_FAILED, "no memory for %llu temperatures", (unsigned long long)run->rows);
    for (uint64_t i = 0; i < run->rows; i++)
        run->row_temperatures[i] = array_float(run->temperatures.values, run->temperatures.dtype, i);
    run->problem.temperature_per_row = 1;
    run->arguments.temperatures = run->row_temperatures;
    return EXIT_DONE;
}

static int read_labels(run *run)
{
    if (!run->options.labels)
        return EXIT_DONE;
    int status = read_row_numbers("--labels", run->options.labels, ARRAY_NUMBERS, run->rows, &run->labels);
    if (status != EXIT_DONE)
        return status;
    run->row_labels = malloc(run->rows * sizeof(int64_t) + 1);
    if (!run->row_labels)
        return complain(EXIT_FAILED, "no memory for %llu labels", (unsigned long long)run->rows);
    const double *numbers = run->labels.values;
    for (uint64_t i = 0; i < run->rows; i++) {
        if (!(numbers[i] >= -1 && numbers[i] < (double)run->problem.classes && floor(numbers[i]) == numbers[i]))
            return complain(
                EXIT_WRONG, "%s: --labels: %g, the label of row %llu, is not a class from 0 to %llu, nor -1 for none",
                run->options.labels, numbers[i], (unsigned long long)i, (unsigned long long)run->problem.classes - 1);
        run->row_labels[i] = (int64_t)numbers[i];
    }
    run->arguments.labels = run->row_labels;
    return EXIT_DONE;
}

static int read_input(run *run)
{
    const run_options *options = &run->options;
    array *input = &run->input;
    int has_bf16 = options->has_input_dtype && options->input_dtype == CLSOFTMAX_BF16;
    int status =
        array_read(options->input, options->has_probabilities ? ARRAY_PROBABILITIES : ARRAY_LOGITS, has_bf16, input);
    if (status != EXIT_DONE)
        return status;
    if (options->has_input_dtype && !options->has_probabilities && input->dtype != options->input_dtype)
        return complain(EXIT_WRONG, "%s: --input-dtype %s, but the file holds %s", options->input,
                        clsoftmax_dtype_name(options->input_dtype), clsoftmax_dtype_name(input->dtype));
    clsoftmax_status set = clsoftmax_problem_set_shape(&run->problem, input->dimensions, input->shape, options->axis);
    if (set == CLSOFTMAX_OK && run->problem.classes == 0)
        return complain(EXIT_WRONG, "%s: rows of 0 classes", options->input);
    if (set != CLSOFTMAX_OK)
        return complain_library("--axis", set);
    run->rows = run->problem.outer * run->problem.inner;
    run->problem.logits_dtype = input->dtype;
    run->arguments.logits = input->values;
    run->arguments.temperature = options->temperature;
    status = read_temperatures(run);
    return status == EXIT_DONE ? read_labels(run) : status;
}

/* ---------------------------------------------------------------- Computing */

static int open_outputs(run *run)
{
    const run_options *options = &run->options;
    int status = options->output ? output_file_open(&run->output, options->output) : EXIT_DONE;
    if (status == EXIT_DONE && options->statistics && *options->statistics)
        status = output_file_open(&run->statistics_output, options->statistics);
    if (status == EXIT_DONE && run->output.file && strcmp(run->output.path, run->statistics_output.path) == 0)
        status = complain(EXIT_WRONG, "%s: -o and --stats name the same file", options->output);
    return status;
}

/* Results take the place of the logits where they fit and nobody needs those again. */
static int make_results(run *run)
{
    uint64_t bytes = run->input.elements * clsoftmax_dtype_size(run->problem.results_dtype);
    int in_place = run->problem.results_dtype == run->input.dtype && !run->options.verify;
    if (run->problem.operation != CLSOFTMAX_OPERATION_NONE)
        run->results = in_place ? run->input.values : malloc(bytes + 1);
    if (run->problem.statistics)
        run->statistics = malloc(run->rows * sizeof *run->statistics + 1);
    if ((run->problem.operation != CLSOFTMAX_OPERATION_NONE && !run->results) ||
        (run->problem.statistics && !run->statistics))
        return complain(EXIT_FAILED, "no memory for the results of %llu rows", (unsigned long long)run->rows);
    run->arguments.results = run->results;
    run->arguments.statistics = run->statistics;
    return EXIT_DONE;
}

static clsoftmax_status run_problem(clsoftmax_context *context, const clsoftmax_problem *problem,
                                    const clsoftmax_arguments *arguments)
{
    clsoftmax_plan *plan = NULL;
    clsoftmax_status status = clsoftmax_plan_create(context, problem, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(plan, arguments);
    clsoftmax_plan_release(plan);
    return status;
}

/* Outer indices between two drawings of the bar; all of them for no bar. */
static uint64_t progress_block(const run *run)
{
    uint64_t outer = run->problem.outer, outer_bytes = run->problem.classes * run->problem.inner * sizeof(float);
    if (run->options.progress == 0 || (run->options.progress == -1 && !isatty(STDERR_FILENO)))
        return outer;
    uint64_t block = outer_bytes > 0 ? PROGRESS_BLOCK_BYTES / outer_bytes : outer;
    if (run->options.progress == 1 && block > outer / 16)
        block = outer / 16; /* asked for: then there is to be something to see */
    return block > 0 ? block : 1;
}

/* The arguments moved on by `outer` outer indices. */
static clsoftmax_arguments arguments_from(const run *run, uint64_t outer)
{
    clsoftmax_arguments from = run->arguments;
    uint64_t rows = outer * run->problem.inner, elements = rows * run->problem.classes;
    from.logits = (const char *)from.logits + elements * clsoftmax_dtype_size(run->problem.logits_dtype);
    if (from.results)
        from.results = (char *)from.results + elements * clsoftmax_dtype_size(run->problem.results_dtype);
    from.temperatures = from.temperatures ? from.temperatures + rows : NULL;
    from.labels = from.labels ? from.labels + rows : NULL;
    from.statistics = from.statistics ? from.statistics + rows : NULL;
    return from;
}

/* In one call, or in blocks with a bar between them; the bits are the same. */
static clsoftmax_status compute(run *run, uint64_t *invalid_rows)
{
    uint64_t outer = run->problem.outer, block = progress_block(run);
    clsoftmax_status status = CLSOFTMAX_OK;
    *invalid_rows = 0;
    for (uint64_t begin = 0; begin < outer && status == CLSOFTMAX_OK; begin += block) {
        if (block < outer)
            progress_draw(begin * run->problem.inner, run->rows, "rows");
        clsoftmax_problem problem = run->problem;
        problem.outer = outer - begin < block ? outer - begin : block;
        clsoftmax_arguments arguments = arguments_from(run, begin);
        uint64_t invalid = 0;
        arguments.invalid_rows = &invalid;
        status = run_problem(run->context, &problem, &arguments);
        *invalid_rows += invalid;
    }
    if (block < outer)
        progress_draw(run->rows, run->rows, "rows");
    return status;
}

/* ---------------------------------------------------------------- Verifying */

/* Recomputes on the device `selector` and compares. */
static int compare_with(const char *selector, const run *run, comparison *result)
{
    clsoftmax_problem problem = run->problem;
    problem.strategy = CLSOFTMAX_STRATEGY_AUTO;
    clsoftmax_arguments arguments = run->arguments;
    size_t bytes = clsoftmax_dtype_size(problem.results_dtype);
    arguments.results = malloc(run->input.elements * bytes + 1);
    arguments.statistics = malloc(run->rows * sizeof(clsoftmax_statistics) + 1);
    clsoftmax_context *context = NULL;
    int status = EXIT_FAILED;
    if (!arguments.results || !arguments.statistics) {
        complain(EXIT_FAILED, "--verify: no memory for the results of %llu rows", (unsigned long long)run->rows);
    } else {
        clsoftmax_status computed = clsoftmax_context_create(selector, &context);
        if (computed == CLSOFTMAX_OK)
            computed = run_problem(context, &problem, &arguments);
        status = computed == CLSOFTMAX_OK ? EXIT_DONE : complain_library("--verify", computed);
    }
    if (status == EXIT_DONE && run->results)
        compare(result, problem.results_dtype, run->results, arguments.results, run->input.elements,
                allowed_difference(problem.operation, problem.classes));
    if (status == EXIT_DONE && run->statistics)
        compare_statistics(result, run->statistics, arguments.statistics, run->rows, problem.classes);
    clsoftmax_context_release(context);
    free(arguments.results);
    free(arguments.statistics);
    return status;
}

static int verify(const run *run)
{
    const char *device = clsoftmax_context_device(run->context)->selector;
    comparison bits = {0}, ulp = {0};
    if (compare_with("cpu", run, &bits) != EXIT_DONE || compare_with("reference", run, &ulp) != EXIT_DONE)
        return EXIT_FAILED;
    int is_reference = strcmp(device, "reference") == 0;
    int passed = ulp.worst_ulp <= 1 && ulp.beyond == 0 && (bits.different == 0 || is_reference);
    char statistics[100] = "";
    if (run->statistics)
        snprintf(statistics, sizeof statistics, ", statistics of %llu rows beyond their bounds",
                 (unsigned long long)ulp.beyond);
    notice("verify: %s: %llu of %llu values differ from cpu in bits, at most %llu ULP from reference%s: %s", device,
           (unsigned long long)bits.different, (unsigned long long)bits.values, (unsigned long long)ulp.worst_ulp,
           statistics, passed ? "passed" : "FAILED");
    return passed ? EXIT_DONE : EXIT_FAILED;
}

/* ---------------------------------------------------------------- Output */

static int write_outputs(run *run)
{
    const run_options *options = &run->options;
    clsoftmax_dtype dtype = run->problem.results_dtype;
    if (options->output) {
        uint64_t bytes = run->input.elements * clsoftmax_dtype_size(dtype);
        if (!npy_write(run->output.file, npy_descr(dtype), run->input.dimensions, run->input.shape, run->results,
                       bytes))
            return output_file_fail(&run->output);
        if (output_file_commit(&run->output) != EXIT_DONE)
            return EXIT_FAILED;
    } else if (run->problem.operation != CLSOFTMAX_OPERATION_NONE) {
        uint64_t line = run->input.shape[run->input.dimensions - 1];
        int status = array_write_text(stdout, run->results, dtype, run->input.elements, line);
        if (status != EXIT_DONE)
            return status;
    }
    if (run->statistics_output.file) {
        if (!statistics_write_npy(run->statistics_output.file, run->statistics, run->rows))
            return output_file_fail(&run->statistics_output);
        if (output_file_commit(&run->statistics_output) != EXIT_DONE)
            return EXIT_FAILED;
    } else if (options->statistics) {
        statistics_print(stdout, run->statistics, run->rows, run->row_labels != NULL);
    }
    if (run->row_labels)
        statistics_print_summary(stdout, run->statistics, run->row_labels, run->rows);
    return finish_output(stdout);
}

static int run_all(run *run)
{
    run->problem = run->options.problem;
    int status = read_input(run);
    if (status == EXIT_DONE)
        status = open_device(run->options.device, &run->context);
    if (status == EXIT_DONE)
        status = open_outputs(run);
    if (status == EXIT_DONE)
        status = make_results(run);
    if (status != EXIT_DONE)
        return status;
    uint64_t invalid_rows;
    clsoftmax_status computed = compute(run, &invalid_rows);
    if (computed != CLSOFTMAX_OK)
        return complain_library(clsoftmax_context_device(run->context)->selector, computed);
    if (invalid_rows > 0)
        notice("note: %llu of %llu rows are NaN: their temperature is negative or NaN",
               (unsigned long long)invalid_rows, (unsigned long long)run->rows);
    if (run->options.verify && verify(run) != EXIT_DONE)
        return EXIT_FAILED;
    return write_outputs(run);
}

int command_run(int argc, char **argv)
{
    run run;
    memset(&run, 0, sizeof run);
    const clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    run.arguments = arguments;
    int status = run_options_parse(argc, argv, &run.options);
    if (status != EXIT_DONE)
        return status == -1 ? EXIT_DONE : status;
    status = run_all(&run);
    output_file_abandon(&run.output); /* does nothing to a file that is committed */
    output_file_abandon(&run.statistics_output);
    clsoftmax_context_release(run.context);
    if (run.results != run.input.values)
        free(run.results);
    free(run.statistics);
    free(run.row_temperatures);
    free(run.row_labels);
    array_release(&run.input);
    array_release(&run.temperatures);
    array_release(&run.labels);
    return status;
}
