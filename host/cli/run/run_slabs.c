/*
 * Rows in tiles: each worker takes the next tile, reads it, has it computed, writes it, and takes another. A device computes for one
 * worker at a time, and has several, so that while one of them computes another reads and a third one writes; and a device that
 * is faster takes more tiles. Workers of a device that fails go on with another one.
 */
#include "files/array_text.h"
#include "run/run.h"
#include "run/sweep_table.h"
#include "support/library.h"
#include "support/messages.h"
#include "support/process.h"
#include "support/progress.h"

#include <stdlib.h>
#include <string.h>

/* What workers share. */
typedef struct team {
    run *run;
    pthread_mutex_t lock; /* of all that follows, and of what the rows have come to */
    pthread_cond_t turned;
    uint64_t next_row;
    uint64_t taken, turn; /* tiles handed out; tiles written, where they are in order */
    uint64_t rows_done;
    int status; /* of the first failure: everybody stops */
    progress progress;
} team;

/* A worker, and its memory for a tile. */
typedef struct worker {
    team *team;
    device *device;
    char *memory;
    void *logits, *results, *other_results;
    float *temperatures;
    double *numbers; /* of labels, as the file has them */
    int64_t *labels;
    clsoftmax_statistics *statistics, *other_statistics;
    pthread_t thread;
} worker;

/* ---------------------------------------------------------------- Memory */

/* Each part of a worker's memory begins at a multiple of this: a cache line, and what devices want of shared memory. */
#define ALIGNMENT 4096

typedef struct part {
    void **place;
    uint64_t row_bytes; /* 0: not needed */
} part;

enum { PARTS = 8 };

static void list_parts(const run *run, worker *w, part *parts)
{
    const clsoftmax_problem *p = &run->problem;
    uint64_t temperatures = run_temperatures(run);
    uint64_t results = p->operation == CLSOFTMAX_OPERATION_NONE
                           ? 0
                           : temperatures * p->classes * clsoftmax_dtype_size(p->results_dtype);
    uint64_t statistics = p->statistics ? temperatures * sizeof(clsoftmax_statistics) : 0;
    int verify = run->options.verify;
    const part all[PARTS] = {
        {&w->logits, p->classes * clsoftmax_dtype_size(p->logits_dtype)},
        {&w->results, run->in_place ? 0 : results},
        {&w->other_results, verify ? results : 0},
        {(void **)&w->temperatures, p->temperature_per_row ? sizeof(float) : 0},
        {(void **)&w->numbers, run->options.labels ? sizeof(double) : 0},
        {(void **)&w->labels, run->options.labels ? sizeof(int64_t) : 0},
        {(void **)&w->statistics, statistics},
        {(void **)&w->other_statistics, verify ? statistics : 0},
    };
    memcpy(parts, all, sizeof all);
}

uint64_t run_row_bytes(const run *run)
{
    worker unused;
    part parts[PARTS];
    uint64_t bytes = 0;
    list_parts(run, &unused, parts);
    for (int i = 0; i < PARTS; i++)
        bytes += parts[i].row_bytes;
    return bytes;
}

static uint64_t part_bytes(const part *part, uint64_t rows)
{
    return (rows * part->row_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int take_memory(worker *w)
{
    const run *run = w->team->run;
    uint64_t rows = run->tiling.tile_rows, left = run->tiling.end - run->tiling.begin, bytes = 0;
    part parts[PARTS];
    rows = rows < left ? rows : left;
    list_parts(run, w, parts);
    for (int i = 0; i < PARTS; i++)
        bytes += part_bytes(&parts[i], rows);
    w->memory = aligned_alloc(ALIGNMENT, bytes > 0 ? (size_t)bytes : ALIGNMENT);
    if (!w->memory)
        return complain(EXIT_FAILED, "%s: no memory for %llu rows at a time (%llu bytes); --memory makes it fewer",
                        run->options.input, (unsigned long long)rows, (unsigned long long)bytes);
    char *place = w->memory;
    for (int i = 0; i < PARTS; i++) {
        *parts[i].place = parts[i].row_bytes > 0 ? place : NULL;
        place += part_bytes(&parts[i], rows);
    }
    if (run->in_place)
        w->results = w->logits;
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Reading */

/* Read as logits are: rounded to f32 once, and refused beyond it. */
static int read_temperatures(worker *w, const tile *tile)
{
    const run *run = w->team->run;
    clsoftmax_dtype dtype = run->temperatures.array.dtype;
    int status = source_read(&run->temperatures, run->first_row + tile->row, tile->rows, w->temperatures);
    for (uint64_t i = tile->rows; i > 0 && dtype != CLSOFTMAX_F32; i--) /* from behind: they grow in place */
        w->temperatures[i - 1] = array_float(w->temperatures, dtype, i - 1);
    return status;
}

static int read_labels(worker *w, const tile *tile)
{
    const run *run = w->team->run;
    uint64_t first = run->first_row + tile->row, classes = run->problem.classes;
    int status = source_read(&run->labels, first, tile->rows, w->numbers);
    for (uint64_t i = 0; i < tile->rows && status == EXIT_DONE; i++) {
        double number = w->numbers[i];
        if (number >= -1 && number < (double)classes && number == (double)(int64_t)number)
            w->labels[i] = (int64_t)number;
        else
            status = complain(
                EXIT_WRONG, "%s: --labels: %g, the label of row %llu, is not a class from 0 to %llu, nor -1 for none",
                run->options.labels, number, (unsigned long long)(first + i), (unsigned long long)classes - 1);
    }
    return status;
}

static int read_tile(worker *w, const tile *tile)
{
    int status = run_read_logits(w->team->run, &w->team->run->tiling, tile, w->logits);
    if (status == EXIT_DONE && w->temperatures)
        status = read_temperatures(w, tile);
    if (status == EXIT_DONE && w->labels)
        status = read_labels(w, tile);
    return status;
}

/* ---------------------------------------------------------------- Computing */

uint64_t run_temperatures(const run *run)
{
    return run->problem.sweep > 0 ? run->problem.sweep : 1;
}

clsoftmax_problem run_tile_problem(const run *run, const tile *tile)
{
    clsoftmax_problem problem = run->problem;
    problem.outer = tile->outer;
    problem.inner = tile->inner;
    return problem;
}

static clsoftmax_arguments tile_arguments(const worker *w)
{
    const run_options *options = &w->team->run->options;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = w->logits;
    arguments.results = w->results;
    arguments.temperature = options->temperature;
    arguments.temperatures = options->sweep.count > 0 ? options->sweep.values : w->temperatures;
    arguments.labels = w->labels;
    arguments.statistics = w->statistics;
    return arguments;
}

/* Another device, once the worker's own has failed; NULL if there is none. */
static device *next_device(worker *w, clsoftmax_status failure)
{
    device *other = failure >= CLSOFTMAX_OUT_OF_HOST_MEMORY ? devices_alive(&w->team->run->devices) : NULL;
    if (!device_report_once(w->device))
        return other;
    if (other)
        notice("note: %s failed: %s; its rows go to %s", device_selector(w->device), clsoftmax_last_error(),
               device_selector(other));
    else
        complain_library(device_selector(w->device), failure);
    return other;
}

static int compute_tile(worker *w, const tile *tile)
{
    run *run = w->team->run;
    clsoftmax_problem problem = run_tile_problem(run, tile);
    clsoftmax_arguments arguments = tile_arguments(w);
    uint64_t invalid_rows = 0;
    arguments.invalid_rows = &invalid_rows;
    for (clsoftmax_status computed; (computed = device_run(w->device, &problem, &arguments)) != CLSOFTMAX_OK;) {
        device *other = next_device(w, computed);
        if (!other)
            return computed < CLSOFTMAX_OUT_OF_HOST_MEMORY ? EXIT_WRONG : EXIT_FAILED;
        w->device = other;
        int status = run_read_logits(run, &run->tiling, tile, w->logits); /* the results may have taken their place */
        if (status != EXIT_DONE)
            return status;
    }
    pthread_mutex_lock(&w->team->lock);
    run->invalid_rows += invalid_rows;
    pthread_mutex_unlock(&w->team->lock);
    return EXIT_DONE;
}

/* Recomputes on another device and compares. */
static int compare_tile(worker *w, const tile *tile, device *verifier, comparison *sum)
{
    run *run = w->team->run;
    clsoftmax_problem problem = run_tile_problem(run, tile);
    problem.strategy = CLSOFTMAX_STRATEGY_AUTO;
    clsoftmax_arguments arguments = tile_arguments(w);
    arguments.results = w->other_results;
    arguments.statistics = w->other_statistics;
    clsoftmax_status computed = device_run(verifier, &problem, &arguments);
    if (computed != CLSOFTMAX_OK)
        return complain_library("--verify", computed);
    uint64_t rows = run_temperatures(run) * tile->rows;
    pthread_mutex_lock(&w->team->lock);
    if (w->results)
        compare(sum, problem.results_dtype, w->results, w->other_results, rows * problem.classes,
                allowed_difference(problem.operation, problem.classes));
    if (w->statistics)
        compare_statistics(sum, w->statistics, w->other_statistics, rows, problem.classes);
    pthread_mutex_unlock(&w->team->lock);
    return EXIT_DONE;
}

static int verify_tile(worker *w, const tile *tile)
{
    run *run = w->team->run;
    int status = compare_tile(w, tile, run->cpu.of, &run->bits);
    return status == EXIT_DONE ? compare_tile(w, tile, run->reference.of, &run->ulp) : status;
}

/* ---------------------------------------------------------------- Writing */

/* The part of the results at temperature k. */
static int write_results_at(worker *w, const tile *tile, uint64_t k)
{
    run *run = w->team->run;
    const clsoftmax_problem *p = &run->problem;
    size_t size = clsoftmax_dtype_size(p->results_dtype);
    const char *results = (const char *)w->results + k * tile->rows * p->classes * size;
    tile_runs runs = tiling_runs(&run->tiling, tile);
    uint64_t first = k * run->rows * p->classes + runs.first;
    int status = EXIT_DONE;
    for (uint64_t i = 0; i < runs.count && status == EXIT_DONE; i++)
        status =
            result_file_write(&run->results, first + i * runs.stride, runs.length, results + i * runs.length * size);
    return status;
}

static int write_results(worker *w, const tile *tile)
{
    run *run = w->team->run;
    const clsoftmax_problem *p = &run->problem;
    const array *input = &run->input.array;
    if (run->has_results_file) {
        int status = EXIT_DONE;
        for (uint64_t k = 0; k < run_temperatures(run) && status == EXIT_DONE; k++)
            status = write_results_at(w, tile, k);
        return status;
    }
    if (p->sweep > 0)
        return sweep_print_results(stdout, run, tile, w->results);
    return array_write_text(stdout, w->results, p->results_dtype, tile->rows * p->classes,
                            input->shape[input->dimensions - 1]);
}

static int write_statistics(worker *w, const tile *tile)
{
    run *run = w->team->run;
    int status = EXIT_DONE;
    for (uint64_t k = 0; k < run_temperatures(run) && status == EXIT_DONE; k++) {
        const clsoftmax_statistics *statistics = w->statistics + k * tile->rows;
        if (w->labels)
            label_summary_add(&run->labelled[k], statistics, w->labels, tile->rows);
        if (run->has_statistics_file)
            status = result_file_write(&run->statistics, k * run->rows + tile->row, tile->rows, statistics);
    }
    if (run->has_statistics_file || !run->options.statistics)
        return status;
    if (run->problem.sweep > 0)
        return sweep_print_statistics(stdout, run, tile, w->statistics);
    if (tile->row == run->tiling.begin)
        statistics_print_names(stdout, w->labels != NULL);
    statistics_print(stdout, w->statistics, tile->rows, w->labels != NULL);
    return finish_output(stdout);
}

static int write_tile(worker *w, const tile *tile)
{
    int status = w->results ? write_results(w, tile) : EXIT_DONE;
    return status == EXIT_DONE && w->statistics ? write_statistics(w, tile) : status;
}

/* Waits until all tiles before this one are written; 0 if somebody failed. */
static int wait_for_turn(team *team, uint64_t number)
{
    pthread_mutex_lock(&team->lock);
    while (team->run->in_order && team->turn != number && team->status == EXIT_DONE)
        pthread_cond_wait(&team->turned, &team->lock);
    int goes_on = team->status == EXIT_DONE;
    pthread_mutex_unlock(&team->lock);
    return goes_on;
}

/* ---------------------------------------------------------------- Workers */

/* The next tile and its number; 0 if there is none, or somebody failed. */
static int take_tile(team *team, tile *tile, uint64_t *number)
{
    const tiling *tiling = &team->run->tiling;
    pthread_mutex_lock(&team->lock);
    int is_left = team->status == EXIT_DONE && team->next_row < tiling->end;
    if (is_left) {
        *tile = tiling_tile(tiling, team->next_row);
        *number = team->taken++;
        team->next_row += tile->rows;
    }
    pthread_mutex_unlock(&team->lock);
    return is_left;
}

static void finish_tile(team *team, const tile *tile, int status)
{
    pthread_mutex_lock(&team->lock);
    team->turn++;
    team->rows_done += tile->rows;
    if (team->status == EXIT_DONE)
        team->status = status;
    progress_draw(&team->progress, team->rows_done);
    pthread_cond_broadcast(&team->turned);
    pthread_mutex_unlock(&team->lock);
}

static void *work(void *worker_)
{
    worker *w = worker_;
    tile tile;
    uint64_t number;
    while (take_tile(w->team, &tile, &number)) {
        int status = read_tile(w, &tile);
        if (status == EXIT_DONE)
            status = compute_tile(w, &tile);
        if (status == EXIT_DONE && w->team->run->options.verify)
            status = verify_tile(w, &tile);
        if (status == EXIT_DONE && wait_for_turn(w->team, number))
            status = write_tile(w, &tile);
        finish_tile(w->team, &tile, status);
    }
    return NULL;
}

/* As many workers as the system grants; this thread is the first. */
static void run_workers(worker *workers, unsigned count)
{
    unsigned started = 1;
    while (started < count && pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    work(&workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
}

int run_tiles(run *run)
{
    team team = {.run = run, .next_row = run->tiling.begin};
    worker *workers = calloc(run->workers, sizeof *workers);
    if (!workers)
        return complain(EXIT_FAILED, "%s: no memory for %u workers", run->options.input, run->workers);
    pthread_mutex_init(&team.lock, NULL);
    pthread_cond_init(&team.turned, NULL);
    for (unsigned i = 0; i < run->workers && team.status == EXIT_DONE; i++) {
        workers[i].team = &team;
        workers[i].device = &run->devices.of[i % run->devices.count];
        team.status = take_memory(&workers[i]);
    }
    if (team.status == EXIT_DONE) {
        complain_once(1); /* threads that fail together say the same */
        progress_begin(&team.progress, run->options.progress, run->tiling.end - run->tiling.begin, "rows",
                       run->problem.classes *
                           (clsoftmax_dtype_size(run->problem.logits_dtype) +
                            run_temperatures(run) * clsoftmax_dtype_size(run->problem.results_dtype)));
        run_workers(workers, run->workers);
        progress_end(&team.progress);
        complain_once(0);
    }
    for (unsigned i = 0; i < run->workers; i++)
        free(workers[i].memory);
    free(workers);
    pthread_cond_destroy(&team.turned);
    pthread_mutex_destroy(&team.lock);
    return team.status;
}
