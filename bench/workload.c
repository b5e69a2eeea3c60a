/* Workloads: the memory of all contenders, what is in it, and the results that are expected. See workload.h. */
#include "workload.h"

#include "support/library.h"
#include "support/messages.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

clsoftmax_problem workload_problem(clsoftmax_operation operation, shape shape, dtype_choice dtypes, int axis)
{
    const uint64_t rows_first[2] = {shape.rows, shape.classes}, classes_first[2] = {shape.classes, shape.rows};
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    clsoftmax_problem_set_shape(&problem, 2, axis == 0 ? classes_first : rows_first, axis);
    problem.operation = operation;
    problem.logits_dtype = problem.operand_dtype = dtypes.logits;
    problem.results_dtype = dtypes.results;
    return problem;
}

/* ---------------------------------------------------------------- Logits, operands and labels */

/* Logits as a network gives them: normal with a standard deviation of 3, and a few in each row that stand out. They are
   drawn from a table of values, so that millions are made quickly. */
enum { USUAL_VALUES = 1 << 16, LARGE_VALUES = 1 << 8, TABLE_VALUES = USUAL_VALUES + LARGE_VALUES, LARGE_A_ROW = 3 };
#define LARGE_OFFSET 15            /* how far large logits lie above the usual ones */
enum { LEAST_LARGE_CLASSES = 17 }; /* rows of fewer classes have no large logits */

/* Returns the next number of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static double next_normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(((double)(next_random(state) >> 11) + 0.5) * 0x1p-53));
    return radius * cos(6.283185307179586 * (double)(next_random(state) >> 11) * 0x1p-53);
}

/* Returns the bits of the nearest number with so many bits of fraction and this bias of the exponent, in 16 bits, for a
   value whose magnitude is below 2^15. Magnitudes below 2^-14 become 0. */
static uint16_t encode16(int fraction_bits, int bias, double value)
{
    double magnitude = fabs(value);
    if (magnitude < 0x1p-14)
        return 0;
    int exponent = ilogb(magnitude);
    unsigned fraction = (unsigned)nearbyint(ldexp(magnitude, fraction_bits - exponent)); /* with its leading one */
    unsigned bits = ((unsigned)(exponent + bias - 1) << fraction_bits) + fraction;
    return (uint16_t)(bits | (value < 0 ? 0x8000u : 0));
}

static void encode(clsoftmax_dtype dtype, double value, void *table, int at)
{
    switch (dtype) {
    case CLSOFTMAX_F32:
        ((float *)table)[at] = (float)value;
        break;
    case CLSOFTMAX_F16:
        ((uint16_t *)table)[at] = encode16(10, 15, value);
        break;
    case CLSOFTMAX_BF16:
        ((uint16_t *)table)[at] = encode16(7, 127, value);
        break;
    case CLSOFTMAX_DTYPE_COUNT:
        break;
    }
}

/* Fills the table: the usual values, then the large ones. */
static void fill_table(clsoftmax_dtype dtype, void *table)
{
    uint64_t state = 1;
    for (int i = 0; i < TABLE_VALUES; i++) {
        double value = 3 * next_normal(&state) + (i < USUAL_VALUES ? 0 : LARGE_OFFSET);
        encode(dtype, value, table, i);
    }
}

/* Draws `matrix` from a table of values of `size` bytes: usual values, and with `has_large` a few large ones in each
   row. `state` is that of the random numbers. */
static void draw_matrix(const workload *workload, char *matrix, const char *table, size_t size, int has_large,
                        uint64_t state)
{
    const uint64_t classes = workload->problem.classes;
    for (uint64_t i = 0; i < workload->rows * classes; i++)
        memcpy(matrix + i * size, table + (next_random(&state) % USUAL_VALUES) * size, size);
    for (uint64_t i = 0; has_large && classes >= LEAST_LARGE_CLASSES && i < workload->rows * LARGE_A_ROW; i++) {
        uint64_t at = workload_place(workload, i / LARGE_A_ROW, next_random(&state) % classes);
        memcpy(matrix + at * size, table + (USUAL_VALUES + next_random(&state) % LARGE_VALUES) * size, size);
    }
}

static void draw_labels(const workload *workload)
{
    int64_t *labels = workload_array(workload, CALL_LABELS, 0);
    uint64_t state = 4;
    for (uint64_t row = 0; labels && row < workload->rows; row++)
        labels[row] = (int64_t)(next_random(&state) % workload->problem.classes);
}

/* Draws what calls read from slot 0. A teacher has logits as the student has; a gradient from above has usual values
   alone. */
static int draw_arrays(const workload *workload)
{
    const clsoftmax_problem *problem = &workload->problem;
    size_t size = clsoftmax_dtype_size(problem->logits_dtype);
    char *table = malloc(TABLE_VALUES * size);
    COMPLAIN_IF(!table, EXIT_FAILED, "no memory for logits");
    fill_table(problem->logits_dtype, table);
    draw_matrix(workload, workload_array(workload, CALL_LOGITS, 0), table, size, 1, 2);
    if (workload->bytes[CALL_OPERAND] > 0)
        draw_matrix(workload, workload_array(workload, CALL_OPERAND, 0), table, size,
                    clsoftmax_operation_has_teacher(problem->operation), 3);
    free(table);
    draw_labels(workload);
    return EXIT_DONE;
}

/* Fills all slots, and touches every page of them. */
static int fill_slots(const workload *workload)
{
    FORWARD(draw_arrays(workload));
    for (unsigned slot = 1; slot < workload->slots; slot++)
        for (int array = 0; array < CALL_ARRAYS; array++)
            if (workload->bytes[array] > 0 && !call_writes((call_array)array))
                memcpy(workload_array(workload, (call_array)array, slot),
                       workload_array(workload, (call_array)array, 0), workload->bytes[array]);
    for (unsigned slot = 0; slot < workload->slots; slot++)
        workload_spoil(workload, slot);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Memory */

int workload_memory_open(int *descriptor)
{
    *descriptor = memfd_create("clsoftmax-bench", MFD_CLOEXEC);
    return *descriptor >= 0 ? EXIT_DONE : complain(EXIT_FAILED, "shared memory: %s", strerror(errno));
}

static size_t physical_memory(void)
{
    return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}

/* Returns how many slots are twice as large as the cache together, within a quarter of the memory. */
static unsigned choose_slots(const workload *workload, size_t cache)
{
    enum { MOST_SLOTS = 1024 };
    size_t wanted = cache > 0 ? (2 * cache + workload->slot_bytes - 1) / workload->slot_bytes + 1 : 1;
    size_t affordable = physical_memory() / 4 / workload->slot_bytes;
    size_t slots = wanted < affordable ? wanted : affordable;
    return slots < 1 ? 1 : slots > MOST_SLOTS ? MOST_SLOTS : (unsigned)slots;
}

/* Returns how many calls are timed together: as many as move so many bytes that reading the clock and waking a peer
   take little time beside them, or one. */
static unsigned choose_passes(const workload *workload)
{
    enum { LEAST_BYTES = 32 << 20, MOST_PASSES = 1000 };
    size_t passes = LEAST_BYTES / workload_moved(workload);
    return passes < 1 || workload->is_single ? 1 : passes > MOST_PASSES ? MOST_PASSES : (unsigned)passes;
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + 4095) / 4096 * 4096;
}

static int map_memory(workload *workload, size_t cache)
{
    workload->slot_bytes = 0;
    for (int array = 0; array < CALL_ARRAYS; array++) {
        workload->offsets[array] = workload->slot_bytes;
        workload->slot_bytes += whole_pages(workload->bytes[array]);
    }
    workload->slots = choose_slots(workload, cache);
    workload->passes = choose_passes(workload);
    size_t bytes = workload->slots * workload->slot_bytes;
    COMPLAIN_IF(bytes > physical_memory() / 2, EXIT_FAILED,
                "%s: arrays of together %zu bytes are more than half of the memory", workload_label(workload), bytes);
    if (ftruncate(workload->descriptor, 0) != 0 || ftruncate(workload->descriptor, (off_t)bytes) != 0)
        return complain(EXIT_FAILED, "%s: shared memory of %zu bytes: %s", workload_label(workload), bytes,
                        strerror(errno));
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, workload->descriptor, 0);
    COMPLAIN_IF(memory == MAP_FAILED, EXIT_FAILED, "%s: shared memory of %zu bytes: %s", workload_label(workload),
                bytes, strerror(errno));
    madvise(memory, bytes, MADV_HUGEPAGE); /* as large arrays of malloc have them; it works without, too */
    workload->memory = memory;
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Expected results */

/* Makes room for what calls write. */
static int make_expected(workload *workload, clsoftmax_accuracy accuracy)
{
    for (int array = 0; array < CALL_ARRAYS; array++) {
        if (workload->bytes[array] == 0 || !call_writes((call_array)array))
            continue;
        workload->expected[accuracy][array] = malloc(workload->bytes[array]);
        COMPLAIN_IF(!workload->expected[accuracy][array], EXIT_FAILED, "%s: no memory for the expected results",
                    workload_label(workload));
    }
    return EXIT_DONE;
}

static int compute_expected(workload *workload, clsoftmax_context *cpu, clsoftmax_accuracy accuracy)
{
    clsoftmax_plan *plan = NULL;
    clsoftmax_problem problem = workload->problem;
    problem.accuracy = accuracy;
    FORWARD(make_expected(workload, accuracy));
    clsoftmax_arguments arguments = workload_arguments(workload, 0);
    arguments.results = workload->expected[accuracy][CALL_RESULTS];
    arguments.losses = workload->expected[accuracy][CALL_LOSSES];
    clsoftmax_status status = clsoftmax_plan_create(cpu, &problem, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(plan, &arguments);
    clsoftmax_plan_release(plan);
    return status == CLSOFTMAX_OK ? EXIT_DONE : complain_library(workload_label(workload), status);
}

int workload_is_expected(const workload *workload, unsigned slot, clsoftmax_accuracy accuracy)
{
    for (int array = 0; array < CALL_ARRAYS; array++) {
        const void *expected = workload->expected[accuracy][array];
        if (expected &&
            memcmp(workload_array(workload, (call_array)array, slot), expected, workload->bytes[array]) != 0)
            return 0;
    }
    return 1;
}

/* ---------------------------------------------------------------- A workload's life */

/* Sets the bytes of the arrays that the operation has. */
static void choose_arrays(workload *workload)
{
    const clsoftmax_problem *problem = &workload->problem;
    const uint64_t elements = workload->rows * problem->classes;
    memset(workload->bytes, 0, sizeof workload->bytes);
    workload->bytes[CALL_LOGITS] = (size_t)elements * clsoftmax_dtype_size(problem->logits_dtype);
    workload->bytes[CALL_RESULTS] = (size_t)elements * clsoftmax_dtype_size(problem->results_dtype);
    if (clsoftmax_operation_has_operand(problem->operation))
        workload->bytes[CALL_OPERAND] = (size_t)elements * clsoftmax_dtype_size(problem->operand_dtype);
    if (clsoftmax_operation_has_labels(problem->operation))
        workload->bytes[CALL_LABELS] = (size_t)workload->rows * sizeof(int64_t);
    if (clsoftmax_operation_has_loss(problem->operation))
        workload->bytes[CALL_LOSSES] = (size_t)workload->rows * sizeof(float);
}

int workload_prepare(workload *workload, clsoftmax_context *cpu, size_t cache)
{
    choose_arrays(workload);
    FORWARD(map_memory(workload, cache));
    FORWARD(fill_slots(workload));
    for (int accuracy = 0; accuracy < CLSOFTMAX_ACCURACY_COUNT; accuracy++)
        FORWARD(compute_expected(workload, cpu, (clsoftmax_accuracy)accuracy));
    return EXIT_DONE;
}

void workload_finish(workload *workload)
{
    for (int accuracy = 0; accuracy < CLSOFTMAX_ACCURACY_COUNT; accuracy++)
        for (int array = 0; array < CALL_ARRAYS; array++) {
            free(workload->expected[accuracy][array]);
            workload->expected[accuracy][array] = NULL;
        }
    if (workload->memory)
        munmap(workload->memory, workload->slots * workload->slot_bytes);
    workload->memory = NULL;
}

/* ---------------------------------------------------------------- Places and names */

int call_writes(call_array array)
{
    return array == CALL_RESULTS || array == CALL_LOSSES;
}

void *workload_array(const workload *workload, call_array array, unsigned slot)
{
    return workload->bytes[array] > 0 ? workload->memory + slot * workload->slot_bytes + workload->offsets[array]
                                      : NULL;
}

clsoftmax_arguments workload_arguments(const workload *workload, unsigned slot)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = workload_array(workload, CALL_LOGITS, slot);
    arguments.results = workload_array(workload, CALL_RESULTS, slot);
    arguments.operand = workload_array(workload, CALL_OPERAND, slot);
    arguments.labels = workload_array(workload, CALL_LABELS, slot);
    arguments.losses = workload_array(workload, CALL_LOSSES, slot);
    arguments.temperature = workload->temperature;
    return arguments;
}

void workload_spoil(const workload *workload, unsigned slot)
{
    for (int array = 0; array < CALL_ARRAYS; array++)
        if (workload->bytes[array] > 0 && call_writes((call_array)array))
            memset(workload_array(workload, (call_array)array, slot), 0xFF, workload->bytes[array]);
}

size_t workload_moved(const workload *workload)
{
    return workload->bytes[CALL_LOGITS] + workload->bytes[CALL_OPERAND] + workload->bytes[CALL_RESULTS];
}

uint64_t workload_place(const workload *workload, uint64_t row, uint64_t class)
{
    const clsoftmax_problem *problem = &workload->problem;
    return (row / problem->inner * problem->classes + class) * problem->inner + row % problem->inner;
}

const char *workload_dtypes(const workload *workload)
{
    static char text[32];
    const char *from = clsoftmax_dtype_name(workload->problem.logits_dtype);
    const char *to = clsoftmax_dtype_name(workload->problem.results_dtype);
    snprintf(text, sizeof text, from == to ? "%s" : "%s:%s", from, to);
    return text;
}

const char *workload_label(const workload *workload)
{
    static char text[128];
    const clsoftmax_operation operation = workload->problem.operation;
    const int is_named = operation != CLSOFTMAX_OPERATION_SOFTMAX;
    snprintf(text, sizeof text, "%s%s%llux%llu%s %s T=%g", is_named ? clsoftmax_operation_name(operation) : "",
             is_named ? " " : "", (unsigned long long)workload->rows, (unsigned long long)workload->problem.classes,
             workload->axis == 0 ? " axis 0" : "", workload_dtypes(workload), (double)workload->temperature);
    return text;
}
