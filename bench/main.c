/* clsoftmax-bench: devices, strategies and peers, side by side. */
#include "support/library.h"
#include "support/messages.h"
#include "support/process.h"
#include "environment.h"
#include "explain.h"
#include "support/lists.h"
#include "files/output_file.h"
#include "plot.h"
#include "support/progress.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char program_name[] = "clsoftmax-bench";

enum { MOST_BENCH_DEVICES = 16 };

typedef struct bench {
    bench_options options;
    bench_device devices[MOST_BENCH_DEVICES];
    size_t device_count;
    clsoftmax_context *cpu; /* what the bits are compared with */
    int memory;             /* of all workloads, by its descriptor */
    contender_list contenders;
    plot plot;
    output_file out;
    int has_wrong; /* a result of ours was wrong */
} bench;

/* ---------------------------------------------------------------- Devices and contenders */

/* Before any library starts its threads. What a user has set himself stays. */
static void set_environment(const bench_options *options)
{
    char threads[16];
    snprintf(threads, sizeof threads, "%u", options->threads);
    setenv("CLSOFTMAX_THREADS", threads, 1);
    setenv("POCL_MAX_PTHREAD_COUNT", threads, 1);
    setenv("POCL_KERNEL_CACHE", "0", 0); /* so that building is seen */
    setenv("CUDA_CACHE_DISABLE", "1", 0);
}

static int add_device(const char *selector, void *context)
{
    bench *bench = context;
    if (bench->device_count == MOST_BENCH_DEVICES)
        return complain(EXIT_WRONG, "--device: at most %d devices", MOST_BENCH_DEVICES);
    int status = bench_device_open(&bench->devices[bench->device_count], selector);
    bench->device_count += status == EXIT_DONE;
    return status;
}

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

static int open_devices(bench *bench)
{
    const bench_options *options = &bench->options;
    return options->devices ? for_each_item("--device", options->devices, add_device, bench)
                            : add_usable_devices(bench);
}

/* Peers first: they are made by fork, which the threads of drivers do not survive. */
static int gather_peers(bench *bench)
{
    int status = workload_memory_open(&bench->memory);
    return status == EXIT_DONE
               ? add_peers(&bench->contenders, bench->options.peers, bench->options.threads, bench->memory)
               : status;
}

static int gather_contenders(bench *bench)
{
    const bench_options *options = &bench->options;
    int status = add_host_copies(&bench->contenders, options->threads);
    for (size_t i = 0; i < bench->device_count && status == EXIT_DONE; i++) {
        if (bench->devices[i].cl)
            status = add_device_copies(&bench->contenders, &bench->devices[i]);
        if (status == EXIT_DONE)
            status = add_library(&bench->contenders, &bench->devices[i], options->strategies);
    }
    return status;
}

/* ---------------------------------------------------------------- Workloads */

static workload describe(const bench *bench, shape shape, dtype_pair dtypes, float temperature)
{
    workload workload = {
        .rows = shape.rows, .axis = bench->options.axis, .temperature = temperature, .descriptor = bench->memory};
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    uint64_t rows_first[2] = {shape.rows, shape.classes}, classes_first[2] = {shape.classes, shape.rows};
    workload.problem = initial;
    clsoftmax_problem_set_shape(&workload.problem, 2, workload.axis == 0 ? classes_first : rows_first, workload.axis);
    workload.problem.logits_dtype = dtypes.logits;
    workload.problem.results_dtype = dtypes.results;
    return workload;
}

/* The largest last cache of all that take part; 0 to stay in it. */
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

static int measure_prepared(bench *bench, const workload *workload, int is_first)
{
    session session = {&bench->options, bench->devices, bench->device_count, &bench->contenders};
    for (size_t i = 0; i < bench->device_count; i++) {
        const char *failed = bench_device_prepare(&bench->devices[i], workload);
        if (failed)
            return complain(EXIT_FAILED, "device %s: %s: %s", bench->devices[i].info.selector, workload_label(workload),
                            failed);
    }
    if (!rounds_run(&bench->contenders, workload, &bench->options.limits))
        bench->has_wrong = 1;
    report_of(bench->options.output)->add(bench->out.file, &session, workload, is_first);
    fflush(bench->out.file); /* what is measured is seen; an error is found at the end */
    return bench->options.plot ? plot_add(&bench->plot, &session, workload) : EXIT_DONE;
}

static int measure(bench *bench, workload *workload, int is_first)
{
    int status = workload_prepare(workload, bench->cpu, cache_to_leave(bench));
    if (status == EXIT_DONE)
        status = measure_prepared(bench, workload, is_first);
    rounds_finish(&bench->contenders);
    for (size_t i = 0; i < bench->device_count; i++)
        bench_device_finish(&bench->devices[i]);
    workload_finish(workload);
    return status;
}

static int measure_all(bench *bench)
{
    const bench_options *options = &bench->options;
    int status = EXIT_DONE;
    size_t variants = options->dtype_count * options->temperature_count, total = options->shapes.count * variants;
    progress progress;
    progress_begin(&progress, options->progress, total, "workloads", 0);
    for (size_t i = 0; i < total && status == EXIT_DONE; i++) {
        dtype_pair dtypes = options->dtypes[i % variants / options->temperature_count];
        float temperature = options->temperatures[i % options->temperature_count];
        workload workload = describe(bench, options->shapes.items[i / variants], dtypes, temperature);
        progress_draw(&progress, i);
        status = measure(bench, &workload, i == 0);
    }
    progress_end(&progress);
    return status;
}

/* ---------------------------------------------------------------- The run */

static int report_all(bench *bench)
{
    session session = {&bench->options, bench->devices, bench->device_count, &bench->contenders};
    if (bench->options.explain)
        return explain(bench->out.file, &session);
    int status = gather_contenders(bench);
    if (status != EXIT_DONE)
        return status;
    report_of(bench->options.output)->begin(bench->out.file, &session);
    status = measure_all(bench);
    if (status == EXIT_DONE)
        report_of(bench->options.output)->end(bench->out.file);
    if (status == EXIT_DONE && bench->options.plot)
        status = plot_write(&bench->plot, bench->options.plot);
    return status;
}

/* Standard output, or a file that appears when it is complete. */
static int report_to_output(bench *bench)
{
    const char *path = bench->options.file;
    bench->out.file = stdout;
    int status = path ? output_file_open(&bench->out, path) : EXIT_DONE;
    if (status != EXIT_DONE)
        return status;
    status = report_all(bench);
    if (!path)
        return finish_output(stdout) == EXIT_DONE ? status : EXIT_FAILED;
    if (status == EXIT_DONE)
        return output_file_commit(&bench->out);
    output_file_abandon(&bench->out);
    return status;
}

static int run(bench *bench)
{
    set_environment(&bench->options);
    int status = bench->options.plot ? plot_check() : EXIT_DONE;
    if (status == EXIT_DONE && !bench->options.explain)
        status = gather_peers(bench);
    if (status == EXIT_DONE)
        status = open_devices(bench);
    if (status == EXIT_DONE)
        status = open_context("cpu", &bench->cpu);
    if (status == EXIT_DONE)
        status = report_to_output(bench);
    if (status == EXIT_DONE && bench->has_wrong)
        status = complain(EXIT_FAILED, "verification: results are wrong; see the notes");
    return status;
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
    argv[0] = name; /* what messages call it */
    int status = bench_options_parse(argc, argv, &bench.options);
    if (status == EXIT_DONE)
        status = run(&bench);
    release(&bench);
    return status < 0 ? EXIT_DONE : status;
}
