/*
 * clsoftmax-bench: measures softmax and other operations on devices, with strategies and in other libraries, side by
 * side.
 *
 * The run as a story, from the end of this file upwards: peers are started, devices are opened, and a report begins.
 * Then come the workloads, one for each shape, choice of dtypes, temperature and operation. Each is prepared, its
 * contenders are verified and timed (measurement.h), and what came of it is added to the report. The report ends with
 * the break-even of each device.
 */
#include "break_even.h"
#include "explain.h"
#include "files/output_file.h"
#include "plot.h"
#include "report.h"
#include "support/library.h"
#include "support/lists.h"
#include "support/messages.h"
#include "support/process.h"
#include "support/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char program_name[] = "clsoftmax-bench";

typedef struct bench {
    bench_options options;
    testbed testbed;
    contender_list contenders;
    break_even break_even;
    plot plot;
    output_file out;
    int has_wrong; /* a result of this library was wrong */
} bench;

/* ---------------------------------------------------------------- Devices and contenders */

/* Sets what libraries and drivers read before they start their threads. Caches of kernels are turned off, so that
   building is measured, unless the user has set them. */
static void set_environment(const bench_options *options)
{
    char threads[16];
    snprintf(threads, sizeof threads, "%u", options->threads);
    setenv("CLSOFTMAX_THREADS", threads, 1);
    setenv("POCL_MAX_PTHREAD_COUNT", threads, 1);
    setenv("POCL_KERNEL_CACHE", "0", 0);
    setenv("CUDA_CACHE_DISABLE", "1", 0);
}

static int add_device(const char *selector, void *context)
{
    bench *bench = context;
    COMPLAIN_IF(bench->testbed.device_count == MOST_BENCH_DEVICES, EXIT_WRONG, "--device: at most %d devices",
                MOST_BENCH_DEVICES);
    FORWARD(bench_device_open(&bench->testbed.devices[bench->testbed.device_count], selector));
    bench->testbed.device_count++;
    return EXIT_DONE;
}

/* Adds all usable devices but the reference. */
static int add_usable_devices(bench *bench)
{
    clsoftmax_device *devices = NULL;
    size_t count = 0;
    clsoftmax_status found = clsoftmax_devices_list(&devices, &count);
    if (found != CLSOFTMAX_OK)
        return complain_library("--device", found);
    int status = EXIT_DONE;
    for (size_t i = 0; i < count && status == EXIT_DONE; i++)
        if (devices[i].usable && devices[i].type != CLSOFTMAX_DEVICE_REFERENCE)
            status = add_device(devices[i].selector, bench);
    clsoftmax_devices_release(devices);
    return status;
}

static int open_bench_devices(bench *bench)
{
    const bench_options *options = &bench->options;
    FORWARD(options->devices ? for_each_item("--device", options->devices, add_device, bench)
                             : add_usable_devices(bench));
    return open_context("cpu", &bench->testbed.cpu);
}

/* Starts the peers. This comes before devices are opened: peers are forked, and the threads of drivers do not survive
   a fork. */
static int start_peers(bench *bench)
{
    FORWARD(workload_memory_open(&bench->testbed.memory));
    return add_peers(&bench->contenders, bench->options.peers, bench->options.threads, bench->testbed.memory);
}

/* Adds copies and this library to the peers. */
static int gather_contenders(bench *bench)
{
    const bench_options *options = &bench->options;
    FORWARD(add_host_copies(&bench->contenders, options->threads));
    for (size_t i = 0; i < bench->testbed.device_count; i++) {
        if (bench->testbed.devices[i].cl)
            FORWARD(add_device_copies(&bench->contenders, &bench->testbed.devices[i]));
        for (int accuracy = 0; accuracy < CLSOFTMAX_ACCURACY_COUNT; accuracy++)
            if (options->accuracies >> accuracy & 1)
                FORWARD(add_library(&bench->contenders, &bench->testbed.devices[i], options->strategies,
                                    (clsoftmax_accuracy)accuracy));
    }
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Workloads */

static session session_of(const bench *bench, const workload *workload, int is_first)
{
    return (session){&bench->options, bench->testbed.devices, bench->testbed.device_count, &bench->contenders, workload,
                     is_first};
}

/* Adds the workload of a measurement to the report and to the plot. */
static int report_workload(bench *bench, const measurement *measurement, int is_first)
{
    const session session = session_of(bench, &measurement->workload, is_first);
    bench->options.report->add(bench->out.file, &session);
    fflush(bench->out.file); /* shows what is measured so far; an error is found at the end */
    return bench->options.plot ? plot_add(&bench->plot, &session) : EXIT_DONE;
}

/* Returns the next digit of a number whose digits are below `count`, from the last digit on. */
static size_t take_digit(size_t *number, size_t count)
{
    const size_t digit = *number % count;
    *number /= count;
    return digit;
}

/* Describes a workload by its number: operations change fastest, then temperatures, then dtypes, then shapes. */
static workload workload_of(const bench *bench, size_t number)
{
    const bench_options *options = &bench->options;
    const clsoftmax_operation operation = options->operations[take_digit(&number, options->operation_count)];
    const float temperature = options->temperatures[take_digit(&number, options->temperature_count)];
    const dtype_choice dtypes = options->dtypes[take_digit(&number, options->dtype_count)];
    const shape shape = options->shapes.items[number];
    return (workload){.problem = workload_problem(operation, shape, dtypes, options->axis),
                      .rows = shape.rows,
                      .axis = options->axis,
                      .temperature = temperature,
                      .descriptor = bench->testbed.memory};
}

static int measure_workload(bench *bench, size_t number)
{
    measurement measurement = {
        .contenders = &bench->contenders, .limits = &bench->options.limits, .workload = workload_of(bench, number)};
    int status = measurement_run(&bench->testbed, &measurement);
    if (status == EXIT_DONE)
        status = report_workload(bench, &measurement, number == 0);
    bench->has_wrong |= measurement.is_wrong;
    measurement_finish(&bench->testbed, &measurement);
    return status;
}

static int measure_all(bench *bench)
{
    const bench_options *options = &bench->options;
    const size_t total =
        options->shapes.count * options->dtype_count * options->temperature_count * options->operation_count;
    int status = EXIT_DONE;
    progress progress;
    progress_begin(&progress, options->progress, total, "workloads", 0);
    for (size_t i = 0; i < total && status == EXIT_DONE; i++) {
        progress_draw(&progress, i);
        status = measure_workload(bench, i);
    }
    progress_end(&progress);
    return status;
}

/* ---------------------------------------------------------------- The run */

/* Ends the report with the break-even, if it is a report that shows it. */
static int end_report(bench *bench)
{
    const bench_options *options = &bench->options;
    if (!options->report->end)
        return EXIT_DONE;
    FORWARD(break_even_measure(&bench->break_even, &bench->testbed, options));
    bench->has_wrong |= bench->break_even.is_wrong;
    options->report->end(bench->out.file, &bench->break_even);
    return EXIT_DONE;
}

static int report_all(bench *bench)
{
    const bench_options *options = &bench->options;
    if (options->explain) {
        const session session = session_of(bench, NULL, 0);
        return explain(bench->out.file, &session);
    }
    FORWARD(gather_contenders(bench));
    const session session = session_of(bench, NULL, 0);
    options->report->begin(bench->out.file, &session);
    FORWARD(measure_all(bench));
    FORWARD(end_report(bench));
    return options->plot ? plot_write(&bench->plot, options) : EXIT_DONE;
}

/* Reports to standard output, or to a file that appears under its name when it is complete. */
static int report_to_output(bench *bench)
{
    const char *path = bench->options.file;
    bench->out.file = stdout;
    if (path)
        FORWARD(output_file_open(&bench->out, path));
    int status = report_all(bench);
    if (!path)
        return finish_output(stdout) == EXIT_DONE ? status : EXIT_FAILED;
    if (status == EXIT_DONE)
        return output_file_commit(&bench->out);
    output_file_abandon(&bench->out);
    return status;
}

static int run(bench *bench, int argc, char **argv)
{
    FORWARD(bench_options_parse(argc, argv, &bench->options));
    set_environment(&bench->options);
    bench->testbed.is_warm = bench->options.warm;
    if (bench->options.plot)
        FORWARD(plot_check());
    if (!bench->options.explain)
        FORWARD(start_peers(bench));
    FORWARD(open_bench_devices(bench));
    FORWARD(report_to_output(bench));
    COMPLAIN_IF(bench->has_wrong, EXIT_FAILED, "verification: results are wrong; see the notes");
    return EXIT_DONE;
}

static void release(bench *bench)
{
    plot_release(&bench->plot);
    contender_list_release(&bench->contenders);
    clsoftmax_context_release(bench->testbed.cpu);
    for (size_t i = 0; i < bench->testbed.device_count; i++)
        bench_device_close(&bench->testbed.devices[i]);
    if (bench->testbed.memory > 0)
        close(bench->testbed.memory);
    bench_options_release(&bench->options);
}

int main(int argc, char **argv)
{
    static bench bench;
    static char name[] = "clsoftmax-bench";
    begin_process();
    argv[0] = name; /* as messages call it, wherever it is installed */
    int status = run(&bench, argc, argv);
    release(&bench);
    return status == EXIT_ANSWERED ? EXIT_DONE : status;
}
