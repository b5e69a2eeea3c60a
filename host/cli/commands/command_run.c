/* clsoftmax run, the main job, and clsoftmax sweep, the same at many temperatures. Options, devices and outputs are made ready here;
   run_input.c opens the input, run_tiles.c goes through the rows. */
#include "commands/commands.h"
#include "files/npy_header.h"
#include "files/output_path.h"
#include "pictures/picture.h"
#include "run/ranks.h"
#include "run/run.h"
#include "run/sweep_table.h"
#include "support/library.h"
#include "support/messages.h"
#include "support/process.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tiles are no larger than this: enough for a device to be busy, little enough that reading, computing and writing overlap. */
#define MOST_TILE_BYTES ((uint64_t)32 << 20)

/* To a device: one reads, one computes, one writes. */
#define WORKERS_PER_DEVICE 3

/* ---------------------------------------------------------------- Output */

/* Results go to standard output. */
static int prints_results(const run *run)
{
    return !run->has_results_file && run->problem.operation != CLSOFTMAX_OPERATION_NONE;
}

/* Something goes to standard output beside a summary. */
static int writes_text(const run *run)
{
    return prints_results(run) || (run->options.statistics && !run->has_statistics_file);
}

/* FNV-1a, over everything that the bytes of a result depend on: shards with other ones are of another file. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t shard_key(const run *run, const char *descr)
{
    const clsoftmax_problem *p = &run->problem;
    const uint64_t numbers[] = {p->outer,
                                p->classes,
                                p->inner,
                                p->operation,
                                p->logits_dtype,
                                p->results_dtype,
                                p->neg_inf_rows,
                                p->pos_inf,
                                (uint64_t)run->options.has_probabilities,
                                run->first_row,
                                run->options.shard_count};
    uint64_t hash = hash_bytes(0xcbf29ce484222325u, numbers, sizeof numbers);
    hash = hash_bytes(hash, &run->options.temperature, sizeof run->options.temperature);
    hash = hash_bytes(hash, run->options.sweep.values, run->options.sweep.count * sizeof(float));
    hash = hash_bytes(hash, &run->input.version, sizeof run->input.version);
    hash = hash_bytes(hash, &run->temperatures.version, sizeof run->temperatures.version);
    hash = hash_bytes(hash, &run->labels.version, sizeof run->labels.version);
    return hash_bytes(hash, descr, strlen(descr));
}

/* A result file, or this run's shard of it. */
static int open_output(const run *run, const char *path, const result_format *format, result_file *file)
{
    const output_shard shard = {
        .index = run->options.shard_index, .count = run->options.shard_count, .key = shard_key(run, format->descr)};
    return result_file_open(file, path, format, run->options.shard_count > 0 ? &shard : NULL);
}

/* Before either is opened, which would cut it. */
static int check_paths(const run *run)
{
    char results[PATH_MAX], statistics[PATH_MAX];
    struct stat found;
    int exists;
    if (!run->has_results_file || !run->has_statistics_file)
        return EXIT_DONE;
    int status = output_path_find(run->options.output, results, &found, &exists);
    if (status == EXIT_DONE)
        status = output_path_find(run->options.statistics, statistics, &found, &exists);
    if (status == EXIT_DONE && strcmp(results, statistics) == 0)
        status = complain(EXIT_WRONG, "%s: -o and --stats name the same file", run->options.output);
    return status;
}

/* Arrays of a sweep have its temperatures as their first dimension. */
static int open_outputs(run *run)
{
    const run_options *options = &run->options;
    const array *input = &run->input.array;
    clsoftmax_dtype dtype = run->problem.results_dtype;
    unsigned more = run->problem.sweep > 0 ? 1 : 0;
    uint64_t shape[ARRAY_MOST_DIMENSIONS + 1] = {run->problem.sweep}, rows[] = {run->problem.sweep, run->rows};
    memcpy(shape + more, input->shape, input->dimensions * sizeof *shape);
    const result_format results = {npy_descr(dtype), clsoftmax_dtype_size(dtype), input->dimensions + more, shape};
    const result_format statistics = {statistics_descr, sizeof(clsoftmax_statistics), 1 + more, rows + 1 - more};
    int status = EXIT_DONE;
    if (run->has_results_file)
        status = open_output(run, options->output, &results, &run->results);
    if (status == EXIT_DONE && run->has_statistics_file)
        status = open_output(run, options->statistics, &statistics, &run->statistics);
    return status;
}

static int is_pipe(int has_file, const result_file *file)
{
    return has_file && !result_file_is_seekable(file);
}

/* Both on the disk before either has its name. */
static int finish_files(run *run)
{
    int status = EXIT_DONE;
    if (run->has_results_file)
        status = result_file_sync(&run->results);
    if (status == EXIT_DONE && run->has_statistics_file)
        status = result_file_sync(&run->statistics);
    if (status == EXIT_DONE && run->has_results_file)
        status = result_file_commit(&run->results);
    if (status == EXIT_DONE && run->has_statistics_file)
        status = result_file_commit(&run->statistics);
    return status;
}

/* A line for each temperature. */
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

static int finish_outputs(run *run)
{
    if (run->rows == 0 && run->problem.sweep > 0 && writes_text(run))
        sweep_print_names(stdout, run);
    else if (run->rows == 0 && run->options.statistics && !run->has_statistics_file)
        statistics_print_names(stdout, run->options.labels != NULL);
    if (run->options.labels && ranks_index() == 0)
        print_label_summaries(run);
    int status = ranks_agree(finish_output(stdout));
    return status == EXIT_DONE ? finish_files(run) : status;
}

/* ---------------------------------------------------------------- Planning */

/* The rows that this process is to compute. */
static void choose_share(run *run)
{
    const run_options *options = &run->options;
    uint64_t index = options->shard_count > 0 ? options->shard_index : ranks_index();
    uint64_t count = options->shard_count > 0 ? options->shard_count : ranks_count();
    tiling_share(run->rows, index, count, &run->tiling.begin, &run->tiling.end);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Tiles as large as the memory allows to all workers, at most MOST_TILE_BYTES; of a row at least, whatever that takes of workers. */
static int choose_tiles(run *run)
{
    const clsoftmax_problem *p = &run->problem;
    tiling *tiling = &run->tiling;
    uint64_t row_bytes = run_row_bytes(run), held = run->input.held + run->temperatures.held + run->labels.held;
    uint64_t memory = run->options.memory > held ? run->options.memory - held : 0, fitting = memory / row_bytes;
    int is_matrix_text = prints_results(run) && p->sweep == 0; /* in the order of the elements: whole outer indices */
    uint64_t least = is_matrix_text ? larger(p->inner, 1) : 1;
    if (fitting < least && run->rows > 0)
        return complain(EXIT_WRONG, "--memory %llu: %llu row%s of %llu classes take%s %llu bytes",
                        (unsigned long long)memory, (unsigned long long)least, least == 1 ? "" : "s",
                        (unsigned long long)p->classes, least == 1 ? "s" : "", (unsigned long long)(least * row_bytes));
    uint64_t workers = larger(smaller(WORKERS_PER_DEVICE * run->devices.count, fitting / least), 1);
    tiling->classes = p->classes;
    tiling->inner = p->inner;
    tiling->tile_rows = larger(smaller(fitting / workers, MOST_TILE_BYTES / row_bytes), least);
    choose_share(run);
    run->workers = (unsigned)smaller(workers, (tiling->end - tiling->begin) / tiling->tile_rows + 1);
    return EXIT_DONE;
}

static int explain_device(run *run, device *device)
{
    clsoftmax_problem problem = run->problem;
    if (run->tiling.begin < run->tiling.end) {
        tile tile = tiling_tile(&run->tiling, run->tiling.begin);
        problem = run_tile_problem(run, &tile);
    }
    clsoftmax_plan *plan = NULL;
    clsoftmax_status status = clsoftmax_plan_create(device->context, &problem, &plan);
    if (status != CLSOFTMAX_OK)
        return complain_library(device_selector(device), status);
    printf("device %s: %s\n", device_selector(device), clsoftmax_plan_description(plan));
    clsoftmax_plan_release(plan);
    return EXIT_DONE;
}

/* "2.8 kB", into 16 bytes */
static const char *bytes_text(double bytes, char *text)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1000;
    snprintf(text, 16, "%.3g %s", bytes, units[unit]);
    return text;
}

/* --explain: what would be done. */
static int explain(run *run)
{
    const clsoftmax_problem *p = &run->problem;
    uint64_t rows = run->tiling.end - run->tiling.begin, tile_rows = run->tiling.tile_rows;
    tile_rows = tile_rows < rows ? tile_rows : rows;
    double in = (double)rows * (double)p->classes * (double)clsoftmax_dtype_size(p->logits_dtype);
    double out = (double)run_temperatures(run) * (double)rows * (double)p->classes *
                 (double)clsoftmax_dtype_size(p->results_dtype);
    out = p->operation == CLSOFTMAX_OPERATION_NONE ? 0 : out;
    printf("rows: %llu of %llu classes, %s to %s, %s", (unsigned long long)rows, (unsigned long long)p->classes,
           clsoftmax_dtype_name(p->logits_dtype), clsoftmax_dtype_name(p->results_dtype),
           clsoftmax_operation_name(p->operation));
    if (p->sweep > 0)
        printf(" at %llu temperatures", (unsigned long long)p->sweep);
    printf("\n");
    char first[16], second[16];
    printf("bytes: %s are read once, %s written once; no less can be moved\n", bytes_text(in, first),
           bytes_text(out, second));
    printf("tiles: of %llu rows, %u in memory at a time, %s together, of --memory %s\n", (unsigned long long)tile_rows,
           run->workers, bytes_text((double)tile_rows * (double)run_row_bytes(run) * run->workers, first),
           bytes_text((double)run->options.memory, second));
    int status = EXIT_DONE;
    for (size_t i = 0; i < run->devices.count && status == EXIT_DONE; i++)
        status = explain_device(run, &run->devices.of[i]);
    return status == EXIT_DONE ? finish_output(stdout) : status;
}

/* ---------------------------------------------------------------- The run */

/* cpu for the bits, reference for the values. */
static int open_verifiers(run *run)
{
    int status = devices_open("cpu", &run->cpu);
    return status == EXIT_DONE ? devices_open("reference", &run->reference) : status;
}

static int verdict(const run *run)
{
    const comparison *bits = &run->bits, *ulp = &run->ulp;
    const char *device = device_selector(&run->devices.of[0]);
    int is_reference = strcmp(device, "reference") == 0;
    int passed = ulp->worst_ulp <= 1 && ulp->beyond == 0 && (bits->different == 0 || is_reference);
    char statistics[100] = "";
    if (run->problem.statistics)
        snprintf(statistics, sizeof statistics, ", statistics of %llu rows beyond their bounds",
                 (unsigned long long)ulp->beyond);
    notice("verify: %s: %llu of %llu values differ from cpu in bits, at most %llu ULP from reference%s: %s",
           run->devices.count > 1 ? run->options.device : device, (unsigned long long)bits->different,
           (unsigned long long)bits->values, (unsigned long long)ulp->worst_ulp, statistics,
           passed ? "passed" : "FAILED");
    return passed ? EXIT_DONE : EXIT_FAILED;
}

static void sum_labels_over_ranks(label_summary *labelled)
{
    double sums[] = {labelled->negative_log_likelihood, (double)labelled->labelled, (double)labelled->right,
                     (double)labelled->rows};
    ranks_sum(sums, sizeof sums / sizeof *sums);
    labelled->negative_log_likelihood = sums[0];
    labelled->labelled = (uint64_t)sums[1];
    labelled->right = (uint64_t)sums[2];
    labelled->rows = (uint64_t)sums[3];
}

/* What the ranks found of their own rows becomes what was found of all. */
static void sum_over_ranks(run *run)
{
    double sums[] = {(double)(run->tiling.end - run->tiling.begin), (double)run->invalid_rows, (double)run->bits.values,
                     (double)run->bits.different, (double)run->ulp.beyond};
    ranks_sum(sums, sizeof sums / sizeof *sums);
    run->rows_computed = (uint64_t)sums[0];
    run->invalid_rows = (uint64_t)sums[1];
    run->bits.values = (uint64_t)sums[2];
    run->bits.different = (uint64_t)sums[3];
    run->ulp.beyond = (uint64_t)sums[4];
    run->ulp.worst_ulp = (uint64_t)ranks_agree(run->ulp.worst_ulp < INT_MAX ? (int)run->ulp.worst_ulp : INT_MAX);
    for (uint64_t k = 0; k < run_temperatures(run); k++)
        sum_labels_over_ranks(&run->labelled[k]);
}

static int is_standard_input(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static int reads_standard_input(const run_options *options)
{
    return is_standard_input(options->input) || is_standard_input(options->temperatures) ||
           is_standard_input(options->labels);
}

/* What a sweep adds to the input: a dimension, and a sum of labels for each temperature. */
static int prepare_sweep(run *run)
{
    if (run->problem.sweep > 0 && run->input.array.dimensions == ARRAY_MOST_DIMENSIONS)
        return complain(EXIT_WRONG, "%s: %d dimensions, the most that an .npy file has; a sweep adds one",
                        run->options.input, ARRAY_MOST_DIMENSIONS);
    run->labelled = calloc((size_t)run_temperatures(run), sizeof *run->labelled);
    return run->labelled ? EXIT_DONE : complain(EXIT_FAILED, "-T: no memory for so many temperatures");
}

/* Everything that can go wrong before there is an output. */
static int prepare(run *run)
{
    run->problem = run->options.problem;
    run->has_results_file = run->options.output != NULL;
    run->has_statistics_file = run->options.statistics && *run->options.statistics;
    if (ranks_count() > 1 && (writes_text(run) || run->options.shard_count > 0))
        return complain(EXIT_WRONG, "several processes write files alone, -o FILE or --stats=FILE, and no --shard");
    if ((ranks_count() > 1 || run->options.shard_count > 0) && reads_standard_input(&run->options))
        return complain(EXIT_WRONG, "standard input goes to one process; several need a file");
    int status = check_paths(run);
    if (status == EXIT_DONE)
        status = run_open_input(run);
    if (status == EXIT_DONE)
        status = prepare_sweep(run);
    if (status == EXIT_DONE)
        status = devices_open(run->options.device, &run->devices);
    if (status == EXIT_DONE && (ranks_count() > 1 || run->options.shard_count > 0))
        status = devices_check_exact(&run->devices);
    if (status == EXIT_DONE && run->options.verify)
        status = open_verifiers(run);
    run->in_place = run->problem.operation != CLSOFTMAX_OPERATION_NONE && !run->options.verify &&
                    run->problem.results_dtype == run->problem.logits_dtype && run->problem.sweep == 0;
    return status == EXIT_DONE ? choose_tiles(run) : status;
}

/* A pipe takes an array from its first byte to its last, and tiles one after another: they must be parts of it in that order. */
static int check_pipes(const run *run, int has_pipe)
{
    const tiling *tiling = &run->tiling;
    uint64_t least = run->problem.sweep > 0 ? tiling->end - tiling->begin : tiling->inner;
    if (has_pipe && tiling->tile_rows < least)
        return complain(EXIT_WRONG, "a pipe needs %llu rows in memory at a time, which is more than --memory allows",
                        (unsigned long long)least);
    return EXIT_DONE;
}

static int compute(run *run)
{
    int status = open_outputs(run);
    if (status != EXIT_DONE)
        return status;
    int has_pipe = is_pipe(run->has_results_file, &run->results) || is_pipe(run->has_statistics_file, &run->statistics);
    run->in_order = writes_text(run) || run->options.labels || has_pipe;
    status = ranks_agree(check_pipes(run, has_pipe));
    if (status == EXIT_DONE)
        status = ranks_agree(run_tiles(run));
    if (status != EXIT_DONE)
        return status;
    sum_over_ranks(run);
    if (run->options.verify && verdict(run) != EXIT_DONE)
        return EXIT_FAILED;
    if (run->invalid_rows > 0)
        notice("note: %llu of %llu rows are NaN: their temperature is negative or NaN",
               (unsigned long long)run->invalid_rows, (unsigned long long)run->rows_computed);
    return finish_outputs(run);
}

/* A picture in place of the text of a sweep leaves nothing else to compute. */
static int has_rows_to_compute(const run *run)
{
    return run->problem.operation != CLSOFTMAX_OPERATION_NONE || run->problem.statistics;
}

static int compute_and_draw(run *run)
{
    int status = has_rows_to_compute(run) ? compute(run) : EXIT_DONE;
    return status == EXIT_DONE && run->options.picture ? picture_curves(run) : status;
}

static int parse_and_prepare(run_command command, int argc, char **argv, run *run)
{
    int status = run_options_parse(command, argc, argv, &run->options);
    if (status == EXIT_DONE && run->options.picture)
        status = picture_check(&run->options);
    return status == EXIT_DONE ? prepare(run) : status;
}

/* Rank 0 first: what is wrong for it is wrong for all, and is to be said once. EXIT_ANSWERED after --help. */
static int prepare_ranks(run_command command, int argc, char **argv, run *run)
{
    int is_first = ranks_index() == 0, status = is_first ? parse_and_prepare(command, argc, argv, run) : EXIT_DONE;
    int helped = ranks_agree(status == EXIT_ANSWERED);
    if (helped)
        return EXIT_ANSWERED;
    status = ranks_agree(status);
    if (status == EXIT_DONE && !is_first)
        status = parse_and_prepare(command, argc, argv, run);
    return ranks_agree(status);
}

static int run_command_line(run_command command, int argc, char **argv)
{
    run run;
    run_begin(&run);
    int status = prepare_ranks(command, argc, argv, &run);
    if (status == EXIT_DONE && run.options.explain)
        status = ranks_index() == 0 ? explain(&run) : EXIT_DONE;
    else if (status == EXIT_DONE)
        status = compute_and_draw(&run);
    run_end(&run);
    return status;
}

int command_run(int argc, char **argv)
{
    return run_command_line(RUN, argc, argv);
}

int command_sweep(int argc, char **argv)
{
    return run_command_line(SWEEP, argc, argv);
}
