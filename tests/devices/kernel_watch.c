/* kernel_watch [--sample | --all] [--exact] [--from=RUN] [STRATEGY...]: runs the kernel variants of an OpenCL device on
   small matrices, each array between guard zones. The oracle is cpu: every byte of every array must be as it leaves it.

   By default each shape is run with one combination of wishes (support/wishes.h), which take turns; with --sample with
   each of a sample of them; with --all or CLSOFTMAX_TEST_LONG with every combination. --from skips the runs before RUN.
   With --exact, buffers end where arrays end, so that a tool that watches the device (Oclgrind: oclgrind.sh) sees an
   access beyond them. cli/watch.bats plants faults into the kernels for it.

   It is linked with a library of its own, in which a third level of sums begins at 321 classes
   (CORE_TWO_LEVEL_CLASSES). Exit status: 0 no difference, 1 some, 2 wrong use, 77 there is no device. */
#include "array.h"
#include "clsoftmax/clsoftmax_cl.h"
#include "opencl/opencl_backend.h"
#include "support/watched_shapes.h"
#include "support/wishes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The canaries before and behind an array are so many bytes: a multiple of every alignment. */
enum { CANARY = 0x5A, GUARD_BYTES = 256 };

static struct {
    clsoftmax_context *device, *cpu;
    cl_command_queue queue;
    int is_exact; /* keeps buffers: Oclgrind 21.10 confuses the sizes of a new one and a released one */
    unsigned runs, found, left_out, from; /* runs; those before `from` are left out */
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

/* ---------------------------------------------------------------- Arrays */

typedef enum array_name { LOGITS, TEMPERATURES, LABELS, STATISTICS, INVALID_ROWS, RESULTS, ARRAYS } array_name;
static const char *const array_names[ARRAYS] = {"logits",     "temperatures", "labels",
                                                "statistics", "invalid rows", "results"};

/* An array between its guards: what it holds before the call, what it must hold afterwards, and its buffer. */
typedef struct array {
    size_t begin, end, bytes; /* the array stands from begin to end */
    unsigned char *before, *expected;
    cl_mem buffer;
} array;

static array make_array(size_t begin, size_t end)
{
    array made = {begin, end, end + (watch.is_exact ? 0 : GUARD_BYTES), NULL, NULL, NULL};
    made.before = malloc(made.bytes);
    made.expected = malloc(made.bytes);
    if (!made.before || !made.expected)
        die("malloc", "no memory");
    memset(made.before, CANARY, made.bytes);
    return made;
}

/* Makes an array of one element for each row. */
static array make_row_array(uint64_t rows, size_t element_bytes)
{
    const size_t begin = watch.is_exact ? 0 : GUARD_BYTES;
    return make_array(begin, begin + rows * element_bytes);
}

/* Makes an array that spans so many elements, of which the first ones lie before the matrix. */
static array make_matrix(uint64_t first, uint64_t span, clsoftmax_dtype dtype)
{
    const size_t bytes = clsoftmax_dtype_size(dtype);
    return make_array(first * bytes, span * bytes);
}

/* Returns the number of elements in the array of temperatures. */
static uint64_t temperatures_of(const clsoftmax_problem *p)
{
    return p->sweep > 0 ? p->sweep : cls_problem_rows(p);
}

/* Writes a small number that every dtype holds, an infinity or a NaN. */
static void put_logit(void *at, clsoftmax_dtype dtype, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t magnitude = bits & 0x7FFFFFFFu, sign = bits >> 16 & 0x8000u;
    uint16_t narrow = (uint16_t)(bits >> 16);
    if (dtype == CLSOFTMAX_F16)
        narrow = (uint16_t)(sign | (magnitude == 0            ? 0
                                    : magnitude == 0x7F800000 ? 0x7C00u
                                    : magnitude > 0x7F800000  ? 0x7E00u
                                                              : (magnitude >> 13) - ((127 - 15) << 10)));
    memcpy(at, dtype == CLSOFTMAX_F32 ? (const void *)&bits : &narrow, clsoftmax_dtype_size(dtype));
}

/* Returns a logit of one of the kinds of rows that kernels tell apart. */
static float logit_of(uint64_t row, uint64_t class)
{
    const float usual = (float)((row * 37 + class * 29) % 63) * 0.25f - 8;
    switch (row % 7) {
    case 1:
        return class % 3 == 1 ? -INFINITY : usual;
    case 2:
        return -INFINITY;
    case 3:
        return class % 4 == 2 ? INFINITY : usual;
    case 4:
        return class == 1 ? NAN : usual;
    case 5:
        return 1.5f;
    default:
        return usual;
    }
}

static void fill_arrays(const clsoftmax_problem *p, array *arrays)
{
    static const float temperatures[] = {0.7f, 3, INFINITY, 1, 0, 1e-3f, 100, -1, NAN};
    enum { TEMPERATURES_HERE = sizeof temperatures / sizeof *temperatures, VALID = TEMPERATURES_HERE - 2 };
    const uint64_t rows = p->outer * p->inner;
    for (uint64_t i = 0; i < temperatures_of(p); i++)
        memcpy(arrays[TEMPERATURES].before + arrays[TEMPERATURES].begin + i * sizeof(float),
               &temperatures[i % (p->sweep > 0 ? VALID : TEMPERATURES_HERE)], sizeof(float));
    const size_t bytes = clsoftmax_dtype_size(p->logits_dtype);
    for (uint64_t row = 0; row < rows; row++) {
        const int64_t label =
            row % 4 == 3 ? -1 : (int64_t)(row % 4 == 2 ? p->classes : p->classes - 1 - row % p->classes);
        memcpy(arrays[LABELS].before + arrays[LABELS].begin + row * sizeof label, &label, sizeof label);
        for (uint64_t class = 0; class < p->classes; class ++) {
            const clsoftmax_layout *l = &p->logits_layout;
            const uint64_t place = l->offset + row / p->inner * l->outer_stride + class * l->class_stride +
                                   row % p->inner * l->inner_stride;
            put_logit(arrays[LOGITS].before + place * bytes, p->logits_dtype, logit_of(row, class));
        }
    }
}

static void make_arrays(const clsoftmax_problem *p, array *arrays)
{
    const uint64_t rows = p->outer * p->inner;
    arrays[LOGITS] = make_matrix(p->logits_layout.offset, cls_array_span(p, CLS_LOGITS), p->logits_dtype);
    arrays[TEMPERATURES] = make_row_array(temperatures_of(p), sizeof(float));
    arrays[LABELS] = make_row_array(rows, sizeof(int64_t));
    arrays[STATISTICS] = make_row_array(rows * cls_problem_temperatures(p), sizeof(clsoftmax_statistics));
    arrays[INVALID_ROWS] = make_array(0, sizeof(cl_uint)); /* a call takes no first element of it */
    arrays[RESULTS] = make_matrix(p->results_layout.offset, cls_array_span(p, CLS_RESULTS), p->results_dtype);
    fill_arrays(p, arrays);
}

static void release_arrays(array *arrays)
{
    for (int i = 0; i < ARRAYS; i++) {
        free(arrays[i].before);
        free(arrays[i].expected);
    }
}

/* ---------------------------------------------------------------- Running */

/* Returns the array that gets the results. */
static array_name place_of_results(int in_place)
{
    return in_place ? LOGITS : RESULTS;
}

/* Lets cpu compute what the arrays must hold afterwards. */
static void expect(const clsoftmax_problem *problem, array *arrays, int in_place)
{
    for (int i = 0; i < ARRAYS; i++)
        memcpy(arrays[i].expected, arrays[i].before, arrays[i].bytes);
    clsoftmax_problem by_cpu = *problem;
    by_cpu.strategy = CLSOFTMAX_STRATEGY_AUTO;
    uint64_t invalid_rows = 0;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = arrays[LOGITS].expected;
    arguments.results = arrays[place_of_results(in_place)].expected;
    arguments.temperature = 0.7f;
    arguments.temperatures = (const float *)(const void *)(arrays[TEMPERATURES].expected + arrays[TEMPERATURES].begin);
    arguments.labels = (const int64_t *)(const void *)(arrays[LABELS].expected + arrays[LABELS].begin);
    arguments.statistics = (clsoftmax_statistics *)(void *)(arrays[STATISTICS].expected + arrays[STATISTICS].begin);
    arguments.invalid_rows = &invalid_rows;
    clsoftmax_plan *plan = NULL;
    if (clsoftmax_plan_create(watch.cpu, &by_cpu, &plan) != CLSOFTMAX_OK ||
        clsoftmax_plan_run(plan, &arguments) != CLSOFTMAX_OK)
        die("cpu", clsoftmax_last_error());
    clsoftmax_plan_release(plan);
    cl_uint counted;
    memcpy(&counted, arrays[INVALID_ROWS].before, sizeof counted);
    counted += (cl_uint)invalid_rows;
    memcpy(arrays[INVALID_ROWS].expected, &counted, sizeof counted);
}

static void enqueue(clsoftmax_plan *plan, array *arrays, int in_place)
{
    const cls_opencl_context *opencl = watch.device->state;
    cl_int error;
    for (int i = 0; i < ARRAYS; i++) {
        arrays[i].buffer = cls_opencl.clCreateBuffer(opencl->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                                     arrays[i].bytes, arrays[i].before, &error);
        need(error, "clCreateBuffer");
    }
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = arrays[LOGITS].buffer;
    arguments.results = arrays[place_of_results(in_place)].buffer;
    arguments.temperature = 0.7f;
    arguments.temperatures = arrays[TEMPERATURES].buffer;
    arguments.temperatures_first = arrays[TEMPERATURES].begin / sizeof(cl_float);
    arguments.labels = arrays[LABELS].buffer;
    arguments.labels_first = arrays[LABELS].begin / sizeof(cl_long);
    arguments.statistics = arrays[STATISTICS].buffer;
    arguments.statistics_first = arrays[STATISTICS].begin / sizeof(clsoftmax_statistics);
    arguments.invalid_rows = arrays[INVALID_ROWS].buffer;
    if (clsoftmax_cl_enqueue(plan, watch.queue, &arguments, 0, NULL, NULL) != CLSOFTMAX_OK)
        die(clsoftmax_plan_description(plan), clsoftmax_last_error());
}

/* Returns the place of the first byte from `begin` to `end` that is not as expected, or `end`. */
static size_t first_difference(const array *a, const unsigned char *now, size_t begin, size_t end)
{
    while (begin < end && now[begin] == a->expected[begin])
        begin++;
    return begin;
}

/* Reads an array back, and releases its buffer. Returns 1 if all bytes are as expected; else prints where the first
   wrong one is, guards before all others. */
static int check_array(const char *label, int in_place, array_name name, array *a)
{
    unsigned char *now = malloc(a->bytes);
    need(now ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY, "malloc");
    need(cls_opencl.clEnqueueReadBuffer(watch.queue, a->buffer, CL_TRUE, 0, a->bytes, now, 0, NULL, NULL),
         "clEnqueueReadBuffer");
    if (!watch.is_exact)
        cls_opencl.clReleaseMemObject(a->buffer);
    size_t at = first_difference(a, now, 0, a->begin);
    if (at == a->begin)
        at = first_difference(a, now, a->end, a->bytes);
    const int guards_are_whole = at == a->bytes;
    if (guards_are_whole)
        at = first_difference(a, now, a->begin, a->end);
    const int is_right = guards_are_whole && at == a->end;
    if (!is_right)
        printf("%s%s: %s from %zu to %zu: byte %zu is %02x, not %02x: %s\n", label, in_place ? ", in place" : "",
               array_names[name], a->begin, a->end, at, now[at], a->expected[at],
               guards_are_whole ? "unlike cpu" : "a guard zone was written");
    free(now);
    return is_right;
}

static void run_plan(clsoftmax_plan *plan, int in_place)
{
    array arrays[ARRAYS];
    char label[256];
    int is_right = 1;
    cls_variant_label(&plan->decision.variant, label, sizeof label);
    make_arrays(&plan->problem, arrays);
    expect(&plan->problem, arrays, in_place);
    enqueue(plan, arrays, in_place);
    for (array_name i = 0; i < ARRAYS; i++)
        is_right &= check_array(label, in_place, i, &arrays[i]);
    release_arrays(arrays);
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
   there are 32. */
static const char *wanted_label(const watched_shape *shape, const clsoftmax_problem *problem)
{
    int is_of_16 = strcmp(shape->reaches, "16 x 1 kept") == 0;
    return problem->sweep > 0 && is_of_16 ? "32 x 1 kept" : shape->reaches;
}

static void watch_shape(const watched_shape *shape, unsigned wishes)
{
    clsoftmax_problem problem = watched_problem(shape, wishes, watch.is_exact ? 0 : GUARD_BYTES);
    const int is_in_place_too = problem.operation != CLSOFTMAX_OPERATION_NONE &&
                                problem.logits_dtype == problem.results_dtype && problem.sweep == 0;
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
    watch.device->limits.compute_units = 4;
    watch.device->limits.alignment_bytes = 128;
    return 0;
}

/* ---------------------------------------------------------------- Which */

typedef enum extent { IN_TURN, SAMPLE, ALL } extent;

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
        else
            die("usage", "kernel_watch [--sample | --all] [--from=RUN] [--exact] [STRATEGY...]");
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
