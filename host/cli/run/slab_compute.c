/* A slab is computed on a device, and, for --verify, again on others. */
#include "run/slab_steps.h"
#include "support/library.h"
#include "support/messages.h"

static clsoftmax_arguments arguments_of(const run *run, const slab_buffers *buffers, unsigned component)
{
    const run_options *options = &run->options;
    const clsoftmax_operation operation = run->components[component].operation;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = buffers->logits;
    arguments.operand = clsoftmax_operation_has_operand(operation) ? buffers->operand : NULL;
    arguments.results = buffers->component_results[component];
    if (!run_is_of_labels(run, component)) {
        arguments.temperature = options->temperature;
        arguments.temperatures = options->sweep.count > 0 ? options->sweep.values : buffers->temperatures;
    }
    arguments.labels = buffers->labels;
    arguments.statistics = buffers->statistics;
    arguments.weights = clsoftmax_operation_has_teacher(operation) && buffers->teacher_weights
                            ? buffers->teacher_weights
                            : buffers->weights;
    arguments.losses = buffers->component_losses[component];
    arguments.scale = run->components[component].scale;
    arguments.z_loss = options->z_loss;
    arguments.label_smoothing = options->label_smoothing;
    if (options->teacher_share > 0)
        arguments.teacher_share = options->teacher_share;
    return arguments;
}

/* Finds another device in place of one that has failed, and says so, once for each device that fails. Returns NULL if
   there is none. */
static device *next_device(run *run, device *failed, clsoftmax_status failure)
{
    device *other = is_request_wrong(failure) ? NULL : devices_alive(&run->devices);
    if (!device_report_once(failed))
        return other;
    if (other)
        notice("note: %s failed: %s; its rows go to %s", device_selector(failed), clsoftmax_last_error(),
               device_selector(other));
    else
        complain_library(device_selector(failed), failure);
    return other;
}

/* Runs the components of a slab on a device, one after another. The last one counts the invalid rows. */
static clsoftmax_status run_components(const run *run, const slab *slab, const slab_buffers *buffers, device *device,
                                       uint64_t *invalid_rows)
{
    clsoftmax_status computed = CLSOFTMAX_OK;
    for (unsigned c = 0; c < run->component_count && computed == CLSOFTMAX_OK; c++) {
        const clsoftmax_problem problem = run_slab_problem(run, slab, c);
        clsoftmax_arguments arguments = arguments_of(run, buffers, c);
        arguments.invalid_rows = invalid_rows;
        computed = device_run(device, c, &problem, &arguments);
    }
    return computed;
}

/* Mixes what the components have computed. */
static int mix(const run *run, const slab *slab, const slab_buffers *buffers)
{
    void *const *results = buffers->component_results;
    float *const *losses = buffers->component_losses;
    const float alpha = run->options.alpha;
    clsoftmax_status mixed = clsoftmax_mix(alpha, slab->rows, losses[0], losses[1], CLSOFTMAX_F32, buffers->losses);
    if (mixed == CLSOFTMAX_OK && buffers->results)
        mixed = clsoftmax_mix(alpha, slab->rows * run->problem.classes, results[0], results[1],
                              run->problem.results_dtype, buffers->results);
    return mixed == CLSOFTMAX_OK ? EXIT_DONE : complain_library("--alpha", mixed);
}

/* Rows are read again for another device, since results may have taken the place of logits. */
int slab_compute(run *run, const slab *slab, slab_buffers *buffers, device **on)
{
    uint64_t invalid_rows = 0;
    for (clsoftmax_status computed;
         (computed = run_components(run, slab, buffers, *on, &invalid_rows)) != CLSOFTMAX_OK;) {
        device *other = next_device(run, *on, computed);
        if (!other)
            return is_request_wrong(computed) ? EXIT_WRONG : EXIT_FAILED;
        *on = other;
        FORWARD(slab_read_logits(run, slab, buffers));
    }
    pthread_mutex_lock(&run->lock);
    run->invalid_rows += invalid_rows;
    pthread_mutex_unlock(&run->lock);
    return run_is_mix(run) ? mix(run, slab, buffers) : EXIT_DONE;
}

/* The errors that the contract allows a slab, at any of its temperatures: of results and of losses. */
typedef struct slab_allowances {
    allowance results, losses;
} slab_allowances;

static slab_allowances allowed_in_slab(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments,
                                       uint64_t rows)
{
    const double one = (double)arguments->temperature, largest = largest_loss(arguments->losses, rows);
    slab_allowances allowed = {allowed_error(problem, one, largest), allowed_loss_error(problem, one, 0)};
    for (uint64_t i = 0; problem->temperature_per_row && i < rows; i++) {
        const double own = (double)arguments->temperatures[i];
        if (!(own >= 0))
            continue;
        allowed.results = allowance_larger(allowed.results, allowed_error(problem, own, largest));
        allowed.losses = allowance_larger(allowed.losses, allowed_loss_error(problem, own, 0));
    }
    return allowed;
}

/* Computes a component of a slab again, and adds what differs to a comparison. */
static int compare_component(run *run, const slab *slab, const slab_buffers *buffers, unsigned component,
                             device *verifier, comparison *sum)
{
    clsoftmax_problem problem = run_slab_problem(run, slab, component);
    problem.strategy = CLSOFTMAX_STRATEGY_AUTO;
    clsoftmax_arguments arguments = arguments_of(run, buffers, component);
    const void *results = arguments.results;
    const float *losses = arguments.losses;
    arguments.results = buffers->other_results;
    arguments.statistics = buffers->other_statistics;
    arguments.losses = buffers->other_losses;
    clsoftmax_status computed = device_run(verifier, component, &problem, &arguments);
    if (computed != CLSOFTMAX_OK)
        return complain_library("--verify", computed);
    uint64_t rows = run_temperatures(run) * slab->rows;
    const slab_allowances allowed = allowed_in_slab(&problem, &arguments, slab->rows);
    pthread_mutex_lock(&run->lock);
    if (results)
        compare(sum, problem.results_dtype, results, buffers->other_results, rows * problem.classes, allowed.results);
    if (losses)
        compare(sum, CLSOFTMAX_F32, losses, buffers->other_losses, rows, allowed.losses);
    if (buffers->statistics)
        compare_statistics(sum, &problem, buffers->statistics, buffers->other_statistics, rows);
    pthread_mutex_unlock(&run->lock);
    return EXIT_DONE;
}

int slab_verify(run *run, const slab *slab, const slab_buffers *buffers)
{
    for (unsigned c = 0; c < run->component_count; c++) {
        FORWARD(compare_component(run, slab, buffers, c, run->cpu.of, &run->bits));
        FORWARD(compare_component(run, slab, buffers, c, run->reference.of, &run->ulp));
    }
    return EXIT_DONE;
}
