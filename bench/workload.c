#include "workload.h"

#include "support/library.h"
#include "support/messages.h"
#include "truth.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---------------------------------------------------------------- Logits */

/* As a network gives them: normal with a deviation of 3, and in each row a few that stand out. All are drawn from a table, so
   that millions are soon there. */
enum { USUAL_VALUES = 1 << 16, LARGE_VALUES = 1 << 8, TABLE_VALUES = USUAL_VALUES + LARGE_VALUES, LARGE_A_ROW = 3 };

/* splitmix64 (Steele, Lea, Flood 2014). */
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

/* The nearest value of a 16-bit dtype, for values between 2^-14 and 2^15 in magnitude; smaller ones become 0. */
static uint16_t encode16(clsoftmax_dtype dtype, double value)
{
    int fraction_bits = dtype == CLSOFTMAX_F16 ? 10 : 7, bias = dtype == CLSOFTMAX_F16 ? 15 : 127;
    double magnitude = fabs(value);
    if (magnitude < 0x1p-14)
        return 0;
    int exponent = ilogb(magnitude);
    unsigned fraction = (unsigned)nearbyint(ldexp(magnitude, fraction_bits - exponent)); /* with its leading one */
    unsigned bits = ((unsigned)(exponent + bias - 1) << fraction_bits) + fraction;
    return (uint16_t)(bits | (value < 0 ? 0x8000u : 0));
}

static void fill_table(clsoftmax_dtype dtype, void *table)
{
    uint64_t state = 1;
    for (int i = 0; i < TABLE_VALUES; i++) {
        double value = 3 * next_normal(&state) + (i < USUAL_VALUES ? 0 : 15);
        if (dtype == CLSOFTMAX_F32)
            ((float *)table)[i] = (float)value;
        else
            ((uint16_t *)table)[i] = encode16(dtype, value);
    }
}

static int fill_logits(const workload *workload)
{
    const clsoftmax_problem *problem = &workload->problem;
    size_t size = clsoftmax_dtype_size(problem->logits_dtype);
    char *table = malloc(TABLE_VALUES * size), *logits = workload_logits(workload, 0);
    if (!table)
        return complain(EXIT_FAILED, "no memory for logits");
    fill_table(problem->logits_dtype, table);
    uint64_t state = 2, elements = workload->rows * problem->classes;
    for (uint64_t i = 0; i < elements; i++)
        memcpy(logits + i * size, table + (next_random(&state) % USUAL_VALUES) * size, size);
    for (uint64_t large = 0; problem->classes > 16 && large < workload->rows * LARGE_A_ROW; large++) {
        uint64_t row = large / LARGE_A_ROW, c = next_random(&state) % problem->classes;
        uint64_t at = (row / problem->inner * problem->classes + c) * problem->inner + row % problem->inner;
        memcpy(logits + at * size, table + (USUAL_VALUES + next_random(&state) % LARGE_VALUES) * size, size);
    }
    free(table);
    for (unsigned pair = 1; pair < workload->pairs; pair++)
        memcpy(workload_logits(workload, pair), logits, workload->logits_bytes);
    for (unsigned pair = 0; pair < workload->pairs; pair++) /* so that every page is there */
        memset(workload_results(workload, pair), 0xFF, workload->results_bytes);
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

/* Enough pairs for twice the cache, within a quarter of the memory. */
static unsigned choose_pairs(const workload *workload, size_t cache)
{
    enum { MOST_PAIRS = 1024 };
    size_t wanted = cache > 0 ? (2 * cache + workload->pair_bytes - 1) / workload->pair_bytes + 1 : 1;
    size_t affordable = physical_memory() / 4 / workload->pair_bytes;
    size_t pairs = wanted < affordable ? wanted : affordable;
    return pairs < 1 ? 1 : pairs > MOST_PAIRS ? MOST_PAIRS : (unsigned)pairs;
}

/* A round moves at least so much, so that it lasts longer than reading the clock and waking a peer. */
static unsigned choose_passes(const workload *workload)
{
    enum { LEAST_BYTES = 32 << 20, MOST_PASSES = 1000 };
    size_t passes = LEAST_BYTES / (workload->logits_bytes + workload->results_bytes);
    return passes < 1 ? 1 : passes > MOST_PASSES ? MOST_PASSES : (unsigned)passes;
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + 4095) / 4096 * 4096;
}

static int map_memory(workload *workload, size_t cache)
{
    workload->results_offset = whole_pages(workload->logits_bytes);
    workload->pair_bytes = workload->results_offset + whole_pages(workload->results_bytes);
    workload->pairs = choose_pairs(workload, cache);
    workload->passes = choose_passes(workload);
    size_t bytes = workload->pairs * workload->pair_bytes;
    if (bytes > physical_memory() / 2)
        return complain(EXIT_FAILED, "%s: two arrays of together %zu bytes are more than half of the memory",
                        workload_label(workload), bytes);
    if (ftruncate(workload->descriptor, 0) != 0 || ftruncate(workload->descriptor, (off_t)bytes) != 0)
        return complain(EXIT_FAILED, "%s: shared memory of %zu bytes: %s", workload_label(workload), bytes,
                        strerror(errno));
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, workload->descriptor, 0);
    if (memory == MAP_FAILED)
        return complain(EXIT_FAILED, "%s: shared memory of %zu bytes: %s", workload_label(workload), bytes,
                        strerror(errno));
    madvise(memory, bytes, MADV_HUGEPAGE); /* as large arrays of malloc have; without is well too */
    workload->memory = memory;
    return EXIT_DONE;
}

/* The results of device cpu, which those of every other device of ours must equal. */
static int compute_expected(workload *workload, clsoftmax_context *cpu)
{
    clsoftmax_plan *plan = NULL;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    workload->expected = malloc(workload->results_bytes);
    if (!workload->expected)
        return complain(EXIT_FAILED, "%s: no memory for the expected results", workload_label(workload));
    arguments.logits = workload_logits(workload, 0);
    arguments.results = workload->expected;
    arguments.temperature = workload->temperature;
    clsoftmax_status status = clsoftmax_plan_create(cpu, &workload->problem, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(plan, &arguments);
    clsoftmax_plan_release(plan);
    return status == CLSOFTMAX_OK ? EXIT_DONE : complain_library(workload_label(workload), status);
}

int workload_prepare(workload *workload, clsoftmax_context *cpu, size_t cache)
{
    uint64_t elements = workload->rows * workload->problem.classes;
    workload->logits_bytes = (size_t)elements * clsoftmax_dtype_size(workload->problem.logits_dtype);
    workload->results_bytes = (size_t)elements * clsoftmax_dtype_size(workload->problem.results_dtype);
    int status = map_memory(workload, cache);
    if (status == EXIT_DONE)
        status = fill_logits(workload);
    if (status == EXIT_DONE)
        status = compute_expected(workload, cpu);
    if (status == EXIT_DONE && !(workload->truth = truth_create(workload)))
        status = complain(EXIT_FAILED, "%s: no memory for exact probabilities", workload_label(workload));
    return status;
}

void workload_finish(workload *workload)
{
    truth_release(workload->truth);
    free(workload->expected);
    if (workload->memory)
        munmap(workload->memory, workload->pairs * workload->pair_bytes);
    workload->truth = NULL;
    workload->expected = NULL;
    workload->memory = NULL;
}

void *workload_logits(const workload *workload, unsigned pair)
{
    return workload->memory + pair * workload->pair_bytes;
}

void *workload_results(const workload *workload, unsigned pair)
{
    return workload->memory + pair * workload->pair_bytes + workload->results_offset;
}

int workload_is_expected(const workload *workload, unsigned pair)
{
    return memcmp(workload_results(workload, pair), workload->expected, workload->results_bytes) == 0;
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
