/* The rows of a run: opened, sliced, and read. */
#include "run/run.h"
#include "support/library.h"
#include "support/messages.h"

#include <stdlib.h>
#include <string.h>

static int open_logits(run *run)
{
    const run_options *options = &run->options;
    source *input = &run->input;
    int has_bf16 = options->has_input_dtype && options->input_dtype == CLSOFTMAX_BF16;
    int status = source_open(options->input, options->has_probabilities ? ARRAY_PROBABILITIES : ARRAY_LOGITS, has_bf16,
                             options->memory, input);
    if (status != EXIT_DONE)
        return status;
    if (options->has_input_dtype && !options->has_probabilities && input->array.dtype != options->input_dtype)
        return complain(EXIT_WRONG, "%s: --input-dtype %s, but the file holds %s", options->input,
                        clsoftmax_dtype_name(options->input_dtype), clsoftmax_dtype_name(input->array.dtype));
    run->problem.logits_dtype = input->array.dtype;
    return EXIT_DONE;
}

/* Sets outer, classes and inner of the input as it is now. */
static int set_shape(run *run)
{
    const array *input = &run->input.array;
    clsoftmax_status set =
        clsoftmax_problem_set_shape(&run->problem, input->dimensions, input->shape, run->options.axis);
    if (set == CLSOFTMAX_OK && run->problem.classes == 0)
        return complain(EXIT_WRONG, "%s: rows of 0 classes", run->options.input);
    if (set != CLSOFTMAX_OK)
        return complain_library("--axis", set);
    run->rows = run->problem.outer * run->problem.inner;
    return EXIT_DONE;
}

/* A file of one number for each row. */
static int open_row_numbers(const run *run, const char *option, const char *path, array_content content,
                            source *numbers)
{
    if (!path)
        return EXIT_DONE;
    int status = source_open(path, content, 0, run->options.memory, numbers);
    if (status == EXIT_DONE && numbers->array.elements != run->rows)
        status = complain(EXIT_WRONG, "%s: %s: %llu numbers for %llu rows", path, option,
                          (unsigned long long)numbers->array.elements, (unsigned long long)run->rows);
    return status;
}

/* Leaves --rows of the input. Files of a number for each row are of all rows. */
static int slice(run *run)
{
    const run_options *options = &run->options;
    if (!options->has_rows)
        return EXIT_DONE;
    array *input = &run->input.array;
    uint64_t size = input->shape[0], all_rows = run->rows, begin = options->rows_begin, end = options->rows_end;
    end = end < size ? end : size;
    if (input->dimensions < 2 || options->axis == 0 || options->axis == -(int)input->dimensions)
        return complain(EXIT_WRONG, "--rows: the first axis of %s holds classes, not rows", options->input);
    if (begin > end)
        return complain(EXIT_WRONG, "--rows: begins at %llu, but %s has indices to %llu along its first axis",
                        (unsigned long long)begin, options->input, (unsigned long long)size);
    run->first_row = size > 0 ? all_rows / size * begin : 0;
    source_slice(&run->input, begin, end);
    return set_shape(run);
}

int run_open_input(run *run)
{
    const run_options *options = &run->options;
    int status = open_logits(run);
    if (status == EXIT_DONE)
        status = set_shape(run);
    if (status == EXIT_DONE)
        status = open_row_numbers(run, "-T", options->temperatures, ARRAY_LOGITS, &run->temperatures);
    if (status == EXIT_DONE)
        status = open_row_numbers(run, "--labels", options->labels, ARRAY_NUMBERS, &run->labels);
    run->problem.temperature_per_row = options->temperatures != NULL;
    return status == EXIT_DONE ? slice(run) : status;
}

int run_read_logits(const run *run, const tiling *tiling, const tile *tile, void *logits)
{
    size_t size = clsoftmax_dtype_size(run->problem.logits_dtype);
    tile_runs runs = tiling_runs(tiling, tile);
    int status = EXIT_DONE;
    for (uint64_t i = 0; i < runs.count && status == EXIT_DONE; i++)
        status = source_read(&run->input, runs.first + i * runs.stride, runs.length,
                             (char *)logits + i * runs.length * size);
    return status;
}

void run_begin(run *run)
{
    memset(run, 0, sizeof *run);
    run->input.file.descriptor = run->temperatures.file.descriptor = run->labels.file.descriptor = -1;
}

void run_end(run *run)
{
    result_file_abandon(&run->results); /* does nothing to a file that is committed */
    result_file_abandon(&run->statistics);
    devices_close(&run->devices);
    devices_close(&run->cpu);
    devices_close(&run->reference);
    source_close(&run->input);
    source_close(&run->temperatures);
    source_close(&run->labels);
    free(run->labelled);
    run_options_release(&run->options);
}
