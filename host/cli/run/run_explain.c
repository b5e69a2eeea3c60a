/* --explain: what a job would do. */
#include "run/run.h"
#include "run/slab_buffers.h"
#include "support/library.h"
#include "support/messages.h"
#include "support/process.h"

#include <stdio.h>

/* Writes a number of bytes as text, "2.8 kB", into 16 bytes. */
static const char *bytes_text(double bytes, char *text)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1000;
    snprintf(text, 16, "%.3g %s", bytes, units[unit]);
    return text;
}

static void print_rows(const run *run, uint64_t rows)
{
    const clsoftmax_problem *p = &run->problem;
    printf("rows: %llu of %llu classes, %s to %s", (unsigned long long)rows, (unsigned long long)p->classes,
           clsoftmax_dtype_name(p->logits_dtype), clsoftmax_dtype_name(p->results_dtype));
    for (unsigned c = 0; c < run->component_count; c++)
        printf("%s%s", c > 0 ? " and " : ", ", clsoftmax_operation_name(run->components[c].operation));
    if (p->sweep > 0)
        printf(" at %llu temperatures", (unsigned long long)p->sweep);
    printf("\n");
}

static void print_bytes(const run *run, uint64_t rows)
{
    const clsoftmax_problem *p = &run->problem;
    double elements = (double)rows * (double)p->classes, in = elements * (double)clsoftmax_dtype_size(p->logits_dtype);
    if (run_operand_path(run))
        in += elements * (double)clsoftmax_dtype_size(p->operand_dtype);
    double out = (double)run_temperatures(run) * elements * (double)clsoftmax_dtype_size(p->results_dtype);
    char first[16], second[16];
    out = clsoftmax_operation_has_results(p->operation) ? out : 0;
    printf("bytes: %s are read once, %s written once; no less can be moved\n", bytes_text(in, first),
           bytes_text(out, second));
}

static void print_slabs(const run *run, uint64_t rows)
{
    uint64_t slab_rows = run->slabs.most_rows < rows ? run->slabs.most_rows : rows;
    char first[16], second[16];
    printf("slabs: %llu rows each, %u in memory at a time, %s together, of --memory %s\n",
           (unsigned long long)slab_rows, run->workers,
           bytes_text((double)slab_rows * (double)slab_buffers_row_bytes(run) * run->workers, first),
           bytes_text((double)run->options.memory, second));
}

/* Prints what the library's plan for a component of a slab says. */
static int print_plan(const run *run, const device *device, unsigned component)
{
    clsoftmax_problem problem = run_component_problem(run, component);
    if (run->slabs.begin < run->slabs.end) {
        slab first = slabs_next(&run->slabs, run->slabs.begin);
        problem = run_slab_problem(run, &first, component);
    }
    clsoftmax_plan *plan = NULL;
    clsoftmax_status status = clsoftmax_plan_create(device->context, &problem, &plan);
    if (status != CLSOFTMAX_OK)
        return complain_library(device_selector(device), status);
    printf("device %s: %s\n", device_selector(device), clsoftmax_plan_description(plan));
    clsoftmax_plan_release(plan);
    return EXIT_DONE;
}

int run_explain(run *run)
{
    uint64_t rows = run->slabs.end - run->slabs.begin;
    print_rows(run, rows);
    print_bytes(run, rows);
    print_slabs(run, rows);
    for (size_t i = 0; i < run->devices.count; i++)
        for (unsigned c = 0; c < run->component_count; c++)
            FORWARD(print_plan(run, &run->devices.of[i], c));
    return finish_output(stdout);
}
