/*
 * clsoftmax-bench: measures softmax on devices, with strategies and in other libraries, side by side.
 *
 * The run as a story, from the end of this file upwards: peers are started, devices are opened, and a report begins.
 * Then come the workloads, one for each shape, choice of dtypes and temperature. Each is prepared, its contenders are
 * verified and timed (rounds.h), and what came of it is added to the report.
 */
#include "environment.h"
#include "explain.h"
#include "files/output_file.h"
#include "plot.h"
#include "report.h"
#include "support/library.h"
#include "support/lists.h"
#include "support/messages.h"
#include "support/process.h"
#include "support/progress.h"
#include "truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char program_name[] = "clsoftmax-bench";

enum { MOST_BENCH_DEVICES = 16 };

typedef struct bench {
    bench_options options;
    bench_device devices[MOST_BENCH_DEVICES];
    size_t device_count;
    clsoftmax_context *cpu; /* whose bits are expected of all devices */
    int memory;             /* descriptor of the memory of all workloads */
    contender_list contenders;
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
    COMPLAIN_IF(bench->device_count == MOST_BENCH_DEVICES, EXIT_WRONG, "--device: at most %d devices",
                MOST_BENCH_DEVICES);
    FORWARD(bench_device_open(&bench->devices[bench->device_count], selector));
    bench->device_count++;
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
    return open_context("cpu", &bench->cpu);
}

/* Starts the peers. This comes before devices are opened: peers are forked, and the threads of drivers do not survive
   a fork. */
static int start_peers(bench *bench)
{
    FORWARD(workload_memory_open(&bench->memory));
    return add_peers(&bench->contenders, bench->options.peers, bench->options.threads, bench->memory);
}

/* Adds copies and this library to the peers. */
static int gather_contenders(bench *bench)
{
    const bench_options *options = &bench->options;
    FORWARD(add_host_copies(&bench->contenders, options->threads));
    for (size_t i = 0; i < bench->device_count; i++) {
        if (bench->devices[i].cl)
            FORWARD(add_device_copies(&bench->contenders, &bench->devices[i]));
        FORWARD(add_library(&bench->contenders, &bench->devices[i], options->strategies));
    }
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Workloads */

static session session_of(const bench *bench, const workload *workload, int is_first)
{
    return (session){&bench->options, bench->devices, bench->device_count, &bench->contenders, workload, is_first};
}

/* Returns the size of the largest last cache among the host's and the devices', which calls are to leave; 0 with
   --warm. */
static size_t cache_to_leave(const bench *bench)
{
    environment environment;
    environment_read(&environment);
    size_t cache = environment.last_cache;
    for (size_t i = 0; i < bench->device_count; i++)
        if (bench->devices[i].cache > cache)
            cache = bench->devices[i].cache;
    return bench->options.warm ? 0 : cache;
}

static int prepare_devices(bench *bench, const workload *workload)
{
    for (size_t i = 0; i < bench->device_count; i++) {
        const char *failed = bench_device_prepare(&bench->devices[i], workload);
        COMPLAIN_IF(failed, EXIT_FAILED, "device %s: %s: %s", bench->devices[i].info.selector, workload_label(workload),
                    failed);
    }
    return EXIT_DONE;
}

/* Prepares a workload, measures it and reports it. measure_workload releases what this leaves. */
static int measure_prepared(bench *bench, workload *workload, truth *truth, int is_first)
{
    const session session = session_of(bench, workload, is_first);
    FORWARD(workload_prepare(workload, bench->cpu, cache_to_leave(bench)));
    FORWARD(truth_compute(truth, workload));
    FORWARD(prepare_devices(bench, workload));
    if (!rounds_run(&bench->contenders, workload, truth, &bench->options.limits))
        bench->has_wrong = 1;
    bench->options.report->add(bench->out.file, &session);
    fflush(bench->out.file); /* shows what is measured so far; an error is found at the end */
    return bench->options.plot ? plot_add(&bench->plot, &session) : EXIT_DONE;
}

static int measure_workload(bench *bench, workload *workload, int is_first)
{
    truth truth = {0, NULL};
    int status = measure_prepared(bench, workload, &truth, is_first);
    rounds_finish(&bench->contenders);
    for (size_t i = 0; i < bench->device_count; i++)
        bench_device_finish(&bench->devices[i]);
    truth_release(&truth);
    workload_finish(workload);
    return status;
}

/* Describes a workload by its number: temperatures change fastest, then dtypes, then shapes. */
static workload workload_of(const bench *bench, size_t number)
{
    const bench_options *options = &bench->options;
    const shape shape = options->shapes.items[number / options->temperature_count / options->dtype_count];
    const dtype_choice dtypes = options->dtypes[number / options->temperature_count % options->dtype_count];
    return (workload){.problem = workload_problem(shape, dtypes, options->axis),
                      .rows = shape.rows,
                      .axis = options->axis,
                      .temperature = options->temperatures[number % options->temperature_count],
                      .descriptor = bench->memory};
}

static int measure_all(bench *bench)
{
    const bench_options *options = &bench->options;
    const size_t total = options->shapes.count * options->dtype_count * options->temperature_count;
    int status = EXIT_DONE;
    progress progress;
    progress_begin(&progress, options->progress, total, "workloads", 0);
    for (size_t i = 0; i < total && status == EXIT_DONE; i++) {
        workload workload = workload_of(bench, i);
        progress_draw(&progress, i);
        status = measure_workload(bench, &workload, i == 0);
    }
    progress_end(&progress);
    return status;
}

/* ---------------------------------------------------------------- The run */

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
    if (options->report->end)
        options->report->end(bench->out.file);
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
    clsoftmax_context_release(bench->cpu);
    for (size_t i = 0; i < bench->device_count; i++)
        bench_device_close(&bench->devices[i]);
    if (bench->memory > 0)
        close(bench->memory);
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
