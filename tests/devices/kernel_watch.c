/* kernel_watch [--sample | --all] [--exact] [--from=RUN] [STRATEGY...], or kernel_watch --strategies, which lists them:
   runs the kernel variants of an OpenCL device on small matrices, each array between guard zones. The oracle is cpu:
   every byte of every array must be as it leaves it.

   By default each shape is run with one combination of wishes (support/wishes.h), which take turns; with --sample with
   each of a sample of them; with --all or CLSOFTMAX_TEST_LONG with every combination. --from skips the runs before RUN.
   With --exact, buffers end where arrays end, so that a tool that watches the device (Oclgrind: oclgrind.sh) sees an
   access beyond them. cli/watch.bats plants faults into the kernels for it.

   It is linked with a library of its own, in which a third level of sums begins at 321 classes
   (CORE_TWO_LEVEL_CLASSES). Exit status: 0 no difference, 1 some, 2 wrong use, 77 there is no device. */
#include "array.h"
#include "clsoftmax/clsoftmax_cl.h"
#include "opencl/opencl_backend.h"
#include "support/watched_arrays.h"
#include "support/watched_shapes.h"
#include "support/wishes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_BYTES = 256 }; /* before and behind an array: a multiple of every alignment */

static struct {
    clsoftmax_context *device, *cpu;
    cl_command_queue queue;
    int is_exact;            /* keeps buffers: Oclgrind 21.10 confuses the sizes of a new one and a released one */
    unsigned runs, found;    /* how many were run, and in how many something was wrong */
    unsigned left_out, from; /* how many were left out so far: those before number `from` */
} watch;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "kernel_watch: %s: %s\n", what, why);
    exit(2);
}

static void need(cl_int error, const char *what)
{
    if (error != CL_SUCCESS)
        die(what, cls_opencl_error_name(error));
}

/* ---------------------------------------------------------------- Running */

/* Lets cpu compute what the arrays must hold afterwards. */
static void expect(const clsoftmax_problem *problem, watched_array *arrays, int in_place)
{
    uint64_t invalid_rows = 0;
    const clsoftmax_arguments arguments = watched_arrays_in_memory(arrays, in_place, &invalid_rows);
    clsoftmax_problem by_cpu = *problem;
    by_cpu.strategy = CLSOFTMAX_STRATEGY_AUTO;
    clsoftmax_plan *plan = NULL;
    if (clsoftmax_plan_create(watch.cpu, &by_cpu, &plan) != CLSOFTMAX_OK ||
        clsoftmax_plan_run(plan, &arguments) != CLSOFTMAX_OK)
        die("cpu", clsoftmax_last_error());
    clsoftmax_plan_release(plan);
    watched_arrays_count_invalid(arrays, invalid_rows);
}

/* Makes the buffers, and enqueues the plan on them. */
static void enqueue(clsoftmax_plan *plan, watched_array *arrays, int in_place)
{
    const cls_opencl_context *opencl = watch.device->state;
    cl_int error;
    CLS_FOR_ARRAYS(name) {
        arrays[name].buffer = cls_opencl.clCreateBuffer(opencl->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                                        arrays[name].bytes, arrays[name].before, &error);
        need(error, "clCreateBuffer");
    }
    const clsoftmax_cl_arguments arguments = watched_arrays_in_buffers(arrays, in_place);
    if (clsoftmax_cl_enqueue(plan, watch.queue, &arguments, 0, NULL, NULL) != CLSOFTMAX_OK)
        die(clsoftmax_plan_description(plan), clsoftmax_last_error());
}

/* Reads an array back, and releases its buffer. Returns 1 if all bytes are as expected; else prints where the first
   wrong one is. */
static int check_array(const char *label, int in_place, cls_array name, const watched_array *array)
{
    size_t at;
    int is_guard;
    unsigned char *now = malloc(array->bytes);
    need(now ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY, "malloc");
    need(cls_opencl.clEnqueueReadBuffer(watch.queue, array->buffer, CL_TRUE, 0, array->bytes, now, 0, NULL, NULL),
         "clEnqueueReadBuffer");
    if (!watch.is_exact)
        cls_opencl.clReleaseMemObject(array->buffer);
    const int is_right = watched_array_is_right(array, now, &at, &is_guard);
    if (!is_right)
        printf("%s%s: %s from %zu to %zu: byte %zu is %02x, not %02x: %s\n", label, in_place ? ", in place" : "",
               cls_array_name(name), array->begin, array->end, at, now[at], array->expected[at],
               is_guard ? "a guard zone was written" : "unlike cpu");
    free(now);
    return is_right;
}

static void run_plan(clsoftmax_plan *plan, int in_place)
{
    watched_array arrays[CLS_ARRAYS];
    char label[256];
    int is_right = 1;
    cls_variant_label(&plan->decision.variant, label, sizeof label);
    if (!watched_arrays_make(&plan->problem, watch.is_exact ? 0 : GUARD_BYTES, arrays))
        die(label, "no memory");
    expect(&plan->problem, arrays, in_place);
    enqueue(plan, arrays, in_place);
    CLS_FOR_ARRAYS(name)
        is_right &= check_array(label, in_place, name, &arrays[name]);
    watched_arrays_release(arrays);
    watch.runs++;
    watch.found += !is_right;
}

/* ---------------------------------------------------------------- Variants */

static struct {
    cls_variant *of;
    size_t count;
} seen;

static void remember(const cls_variant *variant)
{
    for (size_t i = 0; i < seen.count; i++)
        if (memcmp(&seen.of[i], variant, sizeof *variant) == 0)
            return;
    seen.of = realloc(seen.of, (seen.count + 1) * sizeof *seen.of);
    if (!seen.of)
        die("realloc", "no memory");
    seen.of[seen.count++] = *variant;
}

/* Returns what the label of the shape's variant must hold. In a sweep no row is kept as 16 elements to a work-item:
   there are 32. With an operand no more than 8 are kept by a work-item of a group. */
static const char *wanted_label(const watched_shape *shape, const clsoftmax_problem *problem)
{
    const int has_more = shape->classes > 8 * shape->work_group_size && strstr(shape->reaches, " kept");
    if (shape->strategy == CLSOFTMAX_STRATEGY_GROUP && cls_has_operand(problem) && has_more)
        return " at a time";
    int is_of_16 = strcmp(shape->reaches, "16 x 1 kept") == 0;
    return problem->sweep > 0 && is_of_16 ? "32 x 1 kept" : shape->reaches;
}

static void watch_shape(const watched_shape *shape, unsigned wishes)
{
    clsoftmax_problem problem = watched_problem(shape, wishes, watch.is_exact ? 0 : GUARD_BYTES);
    const int is_in_place_too =
        cls_has_results(&problem) && problem.logits_dtype == problem.results_dtype && problem.sweep == 0;
    clsoftmax_plan *plan = NULL;
    char label[256];
    if (watch.left_out < watch.from) {
        watch.left_out += is_in_place_too ? 2 : 1;
        return;
    }
    watch.device->limits.vector_width = shape->vector_width;
    if (clsoftmax_plan_create(watch.device, &problem, &plan) != CLSOFTMAX_OK)
        die(clsoftmax_strategy_name(shape->strategy), clsoftmax_last_error());
    cls_variant_label(&plan->decision.variant, label, sizeof label);
    if (!strstr(label, wanted_label(shape, &problem)))
        die(label, wanted_label(shape, &problem));
    remember(&plan->decision.variant);
    run_plan(plan, 0);
    if (is_in_place_too)
        run_plan(plan, 1);
    if (!watch.is_exact)
        clsoftmax_plan_release(plan);
}

/* Opens the device, and lets planning take it for a GPU of a few compute units, with room for several work-groups to a
   row. */
static int open_device(void)
{
    const char *named = getenv("CLSOFTMAX_TEST_DEVICE");
    cl_int error;
    if (clsoftmax_context_create(named ? named : "0:0", &watch.device) != CLSOFTMAX_OK) {
        fprintf(stderr, "kernel_watch: %s\n", clsoftmax_last_error());
        return getenv("CLSOFTMAX_REQUIRE_DEVICE") ? 1 : 77;
    }
    if (clsoftmax_context_create("cpu", &watch.cpu) != CLSOFTMAX_OK)
        die("cpu", clsoftmax_last_error());
    const cls_opencl_context *opencl = watch.device->state;
    watch.queue = cls_opencl.clCreateCommandQueue(opencl->context, opencl->device, 0, &error);
    need(error, "clCreateCommandQueue");
    watch.device->limits.type = CLSOFTMAX_DEVICE_GPU;
    watch.device->limits.tuning = NULL; /* the numbers for GPUs */
    watch.device->limits.compute_units = 4;
    watch.device->limits.alignment_bytes = 128;
    return 0;
}

/* ---------------------------------------------------------------- Which */

typedef enum extent { IN_TURN, SAMPLE, ALL } extent;

/* Returns the number of shapes of the strategy. */
static unsigned shapes_of(clsoftmax_strategy strategy)
{
    unsigned count = 0;
    for (unsigned i = 0; i < watched_shape_count; i++)
        count += watched_shapes[i].strategy == strategy;
    return count;
}

/* Prints the strategies that have shapes, and ends the program. */
static void list_strategies(void)
{
    for (int s = CLSOFTMAX_STRATEGY_AUTO + 1; s < CLSOFTMAX_STRATEGY_COUNT; s++)
        if (shapes_of((clsoftmax_strategy)s) > 0)
            puts(clsoftmax_strategy_name((clsoftmax_strategy)s));
    exit(0);
}

/* Ends the program if the device has a strategy that no shape is for. */
static void need_shapes(void)
{
    for (int s = CLSOFTMAX_STRATEGY_AUTO + 1; s < CLSOFTMAX_STRATEGY_COUNT; s++)
        if (clsoftmax_strategy_supported(watch.device, (clsoftmax_strategy)s) && shapes_of((clsoftmax_strategy)s) == 0)
            die(clsoftmax_strategy_name((clsoftmax_strategy)s), "there is no shape for it in watched_shapes.c");
}

static extent read_options(int argc, char **argv, int *first)
{
    extent extent = getenv("CLSOFTMAX_TEST_LONG") ? ALL : IN_TURN;
    for (*first = 1; *first < argc && argv[*first][0] == '-'; ++*first) {
        const char *option = argv[*first];
        if (strcmp(option, "--exact") == 0)
            watch.is_exact = 1;
        else if (strcmp(option, "--sample") == 0)
            extent = SAMPLE;
        else if (strcmp(option, "--all") == 0)
            extent = ALL;
        else if (strncmp(option, "--from=", 7) == 0)
            watch.from = (unsigned)strtoul(option + 7, NULL, 10);
        else if (strcmp(option, "--strategies") == 0)
            list_strategies();
        else
            die("usage", "kernel_watch [--sample | --all] [--from=RUN] [--exact] [STRATEGY...] | --strategies");
    }
    return extent;
}

/* Returns 1 if the strategy is among those that are named, or if none is named. */
static int is_wanted(clsoftmax_strategy strategy, char **names)
{
    char **name = names;
    while (*name && strcmp(*name, clsoftmax_strategy_name(strategy)) != 0)
        name++;
    return *name || !*names;
}

static void watch_combinations(unsigned number, extent extent)
{
    unsigned sampled = 0, all_sampled = 0;
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    for (unsigned wishes = 0; wishes < wishes_count(); wishes++)
        all_sampled += wishes_apply(wishes, &problem) && wishes_are_sampled(wishes);
    for (unsigned wishes = 0; wishes < wishes_count(); wishes++) {
        if (!wishes_apply(wishes, &problem))
            continue;
        const int is_its_turn = wishes_are_sampled(wishes) && sampled++ == number % all_sampled;
        if (extent == ALL || is_its_turn || (extent == SAMPLE && wishes_are_sampled(wishes)))
            watch_shape(&watched_shapes[number], wishes);
    }
}

int main(int argc, char **argv)
{
    int first;
    const extent extent = read_options(argc, argv, &first);
    const int status = open_device();
    if (status != 0)
        return status;
    need_shapes();
    for (unsigned i = 0; i < watched_shape_count; i++)
        if (is_wanted(watched_shapes[i].strategy, argv + first))
            watch_combinations(i, extent);
    printf("kernel_watch: %zu variants in %u runs: %u found wanting\n", seen.count, watch.runs, watch.found);
    free(seen.of);
    if (!watch.is_exact) {
        cls_opencl.clReleaseCommandQueue(watch.queue);
        clsoftmax_context_release(watch.device);
    }
    clsoftmax_context_release(watch.cpu);
    return watch.found > 0;
}
