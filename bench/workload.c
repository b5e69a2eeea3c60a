/* Workloads: the memory of all contenders, the logits in it, and the results that are expected. See workload.h. */
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

clsoftmax_problem workload_problem(shape shape, dtype_choice dtypes, int axis)
{
    const uint64_t rows_first[2] = {shape.rows, shape.classes}, classes_first[2] = {shape.classes, shape.rows};
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    clsoftmax_problem_set_shape(&problem, 2, axis == 0 ? classes_first : rows_first, axis);
    problem.logits_dtype = dtypes.logits;
    problem.results_dtype = dtypes.results;
    return problem;
}

/* ---------------------------------------------------------------- Logits */

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

/* Draws the logits of slot 0 from a table of values of `size` bytes. */
static void draw_logits(const workload *workload, const char *table, size_t size)
{
    const uint64_t classes = workload->problem.classes;
    char *logits = workload_logits(workload, 0);
    uint64_t state = 2;
    for (uint64_t i = 0; i < workload->rows * classes; i++)
        memcpy(logits + i * size, table + (next_random(&state) % USUAL_VALUES) * size, size);
    for (uint64_t i = 0; classes >= LEAST_LARGE_CLASSES && i < workload->rows * LARGE_A_ROW; i++) {
        uint64_t at = workload_place(workload, i / LARGE_A_ROW, next_random(&state) % classes);
        memcpy(logits + at * size, table + (USUAL_VALUES + next_random(&state) % LARGE_VALUES) * size, size);
    }
}

/* Fills all slots, and touches every page of their results. */
static int fill_slots(const workload *workload)
{
    size_t size = clsoftmax_dtype_size(workload->problem.logits_dtype);
    char *table = malloc(TABLE_VALUES * size);
    COMPLAIN_IF(!table, EXIT_FAILED, "no memory for logits");
    fill_table(workload->problem.logits_dtype, table);
    draw_logits(workload, table, size);
    free(table);
    for (unsigned slot = 1; slot < workload->slots; slot++)
        memcpy(workload_logits(workload, slot), workload_logits(workload, 0), workload->logits_bytes);
    for (unsigned slot = 0; slot < workload->slots; slot++)
        memset(workload_results(workload, slot), 0xFF, workload->results_bytes);
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
    size_t passes = LEAST_BYTES / (workload->logits_bytes + workload->results_bytes);
    return passes < 1 || workload->is_single ? 1 : passes > MOST_PASSES ? MOST_PASSES : (unsigned)passes;
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + 4095) / 4096 * 4096;
}

static int map_memory(workload *workload, size_t cache)
{
    workload->results_offset = whole_pages(workload->logits_bytes);
    workload->slot_bytes = workload->results_offset + whole_pages(workload->results_bytes);
    workload->slots = choose_slots(workload, cache);
    workload->passes = choose_passes(workload);
    size_t bytes = workload->slots * workload->slot_bytes;
    COMPLAIN_IF(bytes > physical_memory() / 2, EXIT_FAILED,
                "%s: two arrays of together %zu bytes are more than half of the memory", workload_label(workload),
                bytes);
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

static int compute_expected(workload *workload, clsoftmax_context *cpu, clsoftmax_accuracy accuracy)
{
    clsoftmax_plan *plan = NULL;
    clsoftmax_problem problem = workload->problem;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    problem.accuracy = accuracy;
    workload->expected[accuracy] = malloc(workload->results_bytes);
    COMPLAIN_IF(!workload->expected[accuracy], EXIT_FAILED, "%s: no memory for the expected results",
                workload_label(workload));
    arguments.logits = workload_logits(workload, 0);
    arguments.results = workload->expected[accuracy];
    arguments.temperature = workload->temperature;
    clsoftmax_status status = clsoftmax_plan_create(cpu, &problem, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(plan, &arguments);
    clsoftmax_plan_release(plan);
    return status == CLSOFTMAX_OK ? EXIT_DONE : complain_library(workload_label(workload), status);
}

int workload_is_expected(const workload *workload, unsigned slot, clsoftmax_accuracy accuracy)
{
    return memcmp(workload_results(workload, slot), workload->expected[accuracy], workload->results_bytes) == 0;
}

/* ---------------------------------------------------------------- A workload's life */

int workload_prepare(workload *workload, clsoftmax_context *cpu, size_t cache)
{
    uint64_t elements = workload->rows * workload->problem.classes;
    workload->logits_bytes = (size_t)elements * clsoftmax_dtype_size(workload->problem.logits_dtype);
    workload->results_bytes = (size_t)elements * clsoftmax_dtype_size(workload->problem.results_dtype);
    FORWARD(map_memory(workload, cache));
    FORWARD(fill_slots(workload));
    for (int accuracy = 0; accuracy < CLSOFTMAX_ACCURACY_COUNT; accuracy++)
        FORWARD(compute_expected(workload, cpu, (clsoftmax_accuracy)accuracy));
    return EXIT_DONE;
}

void workload_finish(workload *workload)
{
    for (int accuracy = 0; accuracy < CLSOFTMAX_ACCURACY_COUNT; accuracy++) {
        free(workload->expected[accuracy]);
        workload->expected[accuracy] = NULL;
    }
    if (workload->memory)
        munmap(workload->memory, workload->slots * workload->slot_bytes);
    workload->memory = NULL;
}

/* ---------------------------------------------------------------- Places and names */

void *workload_logits(const workload *workload, unsigned slot)
{
    return workload->memory + slot * workload->slot_bytes;
}

void *workload_results(const workload *workload, unsigned slot)
{
    return workload->memory + slot * workload->slot_bytes + workload->results_offset;
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
    snprintf(text, sizeof text, "%llux%llu%s %s T=%g", (unsigned long long)workload->rows,
             (unsigned long long)workload->problem.classes, workload->axis == 0 ? " axis 0" : "",
             workload_dtypes(workload), (double)workload->temperature);
    return text;
}
