/* The outputs of a job: result files are opened, and in the end get their names; the text that follows the rows is
   printed. */
#include "files/output_path.h"
#include "run/ranks.h"
#include "run/run_loss.h"
#include "run/shard_key.h"
#include "run/sweep_table.h"
#include "support/messages.h"
#include "support/process.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- Opening */

int run_check_paths(const run *run)
{
    char results[PATH_MAX], others[PATH_MAX];
    struct stat found;
    int exists;
    const char *other = run->has_losses_file ? run->options.losses : run->options.statistics;
    if (!run->has_results_file || !(run->has_statistics_file || run->has_losses_file))
        return EXIT_DONE;
    FORWARD(output_path_find(run->options.output, results, &found, &exists));
    FORWARD(output_path_find(other, others, &found, &exists));
    COMPLAIN_IF(strcmp(results, others) == 0, EXIT_WRONG, "%s: %s name the same file", run->options.output,
                run->has_losses_file ? "--gradient and --losses" : "-o and --stats");
    return EXIT_DONE;
}

/* Opens a result file, or this job's shard of it. */
static int open_output(const run *run, const char *path, const result_format *format, result_file *file)
{
    const output_shard shard = {
        .index = run->options.shard_index, .count = run->options.shard_count, .key = shard_key(run, format->descr)};
    return result_file_open(file, path, format, run->options.shard_count > 0 ? &shard : NULL);
}

/* Returns what the results are called in a file where arrays have names. */
static const char *results_name(const run *run)
{
    return run_options_have_losses(&run->options)                      ? "gradient"
           : run->problem.operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX ? "log_probabilities"
                                                                       : "probabilities";
}

/* Arrays of a sweep have its temperatures as their first dimension. */
int run_open_outputs(run *run)
{
    const run_options *options = &run->options;
    const array *input = &run->input.array;
    unsigned more = run->problem.sweep > 0 ? 1 : 0;
    uint64_t shape[ARRAY_MOST_DIMENSIONS + 1] = {run->problem.sweep}, rows[] = {run->problem.sweep, run->rows};
    memcpy(shape + more, input->shape, input->dimensions * sizeof *shape);
    if (run->has_results_file) {
        const result_format results = result_format_of(options->output, results_name(run), run->problem.results_dtype,
                                                       input->dimensions + more, shape);
        FORWARD(open_output(run, options->output, &results, &run->results));
    }
    const result_format statistics = {.descr = statistics_descr,
                                      .element_size = sizeof(clsoftmax_statistics),
                                      .dimensions = 1 + more,
                                      .shape = rows + 1 - more};
    if (run->has_statistics_file)
        FORWARD(open_output(run, options->statistics, &statistics, &run->statistics));
    if (run->has_losses_file) {
        const result_format losses = result_format_of(options->losses, "losses", CLSOFTMAX_F32, 1, &run->rows);
        FORWARD(open_output(run, options->losses, &losses, &run->losses));
    }
    return EXIT_DONE;
}

/* Lists the files that the job writes. Returns how many there are. */
enum { MOST_OUTPUTS = 3 };
static size_t list_outputs(run *run, result_file *files[MOST_OUTPUTS])
{
    size_t count = 0;
    if (run->has_results_file)
        files[count++] = &run->results;
    if (run->has_statistics_file)
        files[count++] = &run->statistics;
    if (run->has_losses_file)
        files[count++] = &run->losses;
    return count;
}

int run_has_pipe(run *run)
{
    result_file *files[MOST_OUTPUTS];
    int has_pipe = 0;
    for (size_t i = 0, count = list_outputs(run, files); i < count; i++)
        has_pipe |= !result_file_is_seekable(files[i]);
    return has_pipe;
}

/* ---------------------------------------------------------------- Ending */

/* Synchronises all files before any gets its name, and gives them their names. */
static int finish_files(run *run)
{
    result_file *files[MOST_OUTPUTS];
    const size_t count = list_outputs(run, files);
    for (size_t i = 0; i < count; i++)
        FORWARD(result_file_sync(files[i]));
    for (size_t i = 0; i < count; i++)
        FORWARD(result_file_commit(files[i]));
    return EXIT_DONE;
}

/* Prints the names of the columns of a table that has no rows. */
static void print_empty_table(const run *run)
{
    if (run->problem.sweep > 0 && run_prints_rows(run))
        sweep_print_names(stdout, run);
    else if (run_prints_statistics(run))
        statistics_print_names(stdout, run->options.labels != NULL);
}

/* Prints a line for each temperature. */
static void print_label_summaries(const run *run)
{
    for (uint64_t k = 0; k < run_temperatures(run); k++) {
        char temperature[TEMPERATURE_BYTES];
        if (run->problem.sweep > 0)
            printf("# temperature %s: ", temperature_text(run->options.sweep.values[k], temperature));
        else
            printf("# ");
        label_summary_print(stdout, &run->labelled[k]);
    }
}

int run_finish_outputs(run *run)
{
    if (run->rows == 0)
        print_empty_table(run);
    if (run_options_have_losses(&run->options) && ranks_index() == 0)
        run_print_losses(run);
    else if (run->options.labels && ranks_index() == 0)
        print_label_summaries(run);
    FORWARD(ranks_agree(finish_output(stdout)));
    return finish_files(run);
}
