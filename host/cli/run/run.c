/* Begins and ends the job of `run` and `sweep`, and tells what is known of it: see run.h. */
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

void run_begin(run *run)
{
    memset(run, 0, sizeof *run);
    run->input.file.descriptor = run->temperatures.file.descriptor = run->labels.file.descriptor = -1;
    run->operand.file.descriptor = run->teacher_classes.file.descriptor = run->weights.file.descriptor = -1;
    pthread_mutex_init(&run->lock, NULL);
}

void run_end(run *run)
{
    result_file_abandon(&run->results); /* does nothing to a file that is committed */
    result_file_abandon(&run->statistics);
    result_file_abandon(&run->losses);
    devices_close(&run->devices);
    devices_close(&run->cpu);
    devices_close(&run->reference);
    source_close(&run->input);
    source_close(&run->operand);
    source_close(&run->teacher_classes);
    source_close(&run->temperatures);
    source_close(&run->labels);
    source_close(&run->weights);
    free(run->class_weights);
    free(run->labelled);
    pthread_mutex_destroy(&run->lock);
    run_options_release(&run->options);
}

uint64_t run_temperatures(const run *run)
{
    return run->problem.sweep > 0 ? run->problem.sweep : 1;
}

int run_prints_results(const run *run)
{
    return !run->has_results_file && clsoftmax_operation_has_results(run->problem.operation);
}

int run_prints_statistics(const run *run)
{
    return run->options.statistics && !run->has_statistics_file;
}

int run_prints_rows(const run *run)
{
    return run_prints_results(run) || run_prints_statistics(run);
}

int run_has_weights(const run *run)
{
    return run->options.weights || (run->class_weights && run->options.labels);
}

const char *run_operand_path(const run *run)
{
    return run->options.teacher ? run->options.teacher : run->options.targets;
}

uint64_t run_teacher_top(const run *run)
{
    const array *teacher = &run->operand.array;
    return run->options.teacher_classes ? teacher->shape[teacher->dimensions - 1] : 0;
}

int run_is_mix(const run *run)
{
    return run->component_count > 1;
}

int run_is_of_labels(const run *run, unsigned component)
{
    return run_is_mix(run) && clsoftmax_operation_has_labels(run->components[component].operation);
}

clsoftmax_problem run_component_problem(const run *run, unsigned component)
{
    clsoftmax_problem problem = run->problem;
    if (!run_is_mix(run))
        return problem;
    problem.operation = run->components[component].operation;
    problem.results_dtype = CLSOFTMAX_F32;
    problem.temperature_per_row = problem.temperature_per_row && !run_is_of_labels(run, component);
    return problem;
}

clsoftmax_problem run_slab_problem(const run *run, const slab *slab, unsigned component)
{
    clsoftmax_problem problem = run_component_problem(run, component);
    problem.outer = slab->outer;
    problem.inner = slab->inner;
    return problem;
}
