/* Small problems of any kind: cpu and the OpenCL device give the same bits. CLSOFTMAX_FUZZ_DEVICE: another one than 0:0. */
#include "fuzz.h"

#include <clsoftmax/clsoftmax.h>

enum { MOST_ELEMENTS = 4096 };

typedef struct outcome {
    clsoftmax_status status;
    uint64_t invalid_rows;
    float results[MOST_ELEMENTS];
    clsoftmax_statistics statistics[MOST_ELEMENTS];
} outcome;

static clsoftmax_problem read_problem(fuzz_bytes *bytes)
{
    static const uint8_t few[] = {1, 1, 2, 3, 5, 17, 64, 65};
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = few[fuzz_number(bytes, 1) % 8];
    problem.classes = 1 + fuzz_number(bytes, 2) % 300;
    problem.inner = few[fuzz_number(bytes, 1) % 4];
    while (problem.outer * problem.classes * problem.inner > MOST_ELEMENTS)
        problem.outer > 1 ? problem.outer-- : problem.classes--;
    uint64_t choices = fuzz_number(bytes, 2);
    problem.operation = (clsoftmax_operation)(choices % 3);
    problem.logits_dtype = (clsoftmax_dtype)(choices / 3 % 3);
    problem.results_dtype = (clsoftmax_dtype)(choices / 9 % 3);
    problem.statistics = choices / 27 % 2;
    problem.temperature_per_row = choices / 54 % 2;
    problem.neg_inf_rows = (clsoftmax_neg_inf_rows)(choices / 108 % 3);
    problem.pos_inf = (clsoftmax_pos_inf)(choices / 324 % 2);
    return problem;
}

static void run(clsoftmax_context *context, const clsoftmax_problem *problem, clsoftmax_arguments arguments,
                outcome *out)
{
    clsoftmax_plan *plan = NULL;
    memset(out, 0, sizeof *out);
    arguments.results = problem->operation == CLSOFTMAX_OPERATION_NONE ? NULL : out->results;
    arguments.statistics = problem->statistics ? out->statistics : NULL;
    arguments.invalid_rows = &out->invalid_rows;
    out->status = clsoftmax_plan_create(context, problem, &plan);
    if (out->status == CLSOFTMAX_OK)
        out->status = clsoftmax_plan_run(plan, &arguments);
    clsoftmax_plan_release(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static clsoftmax_context *cpu, *other;
    static outcome a, b;
    static float logits[MOST_ELEMENTS], temperatures[MOST_ELEMENTS];
    const char *name = getenv("CLSOFTMAX_FUZZ_DEVICE");
    if (!cpu)
        FUZZ_CHECK(clsoftmax_context_create("cpu", &cpu) == CLSOFTMAX_OK &&
                   clsoftmax_context_create(name ? name : "0:0", &other) == CLSOFTMAX_OK);
    fuzz_bytes bytes = {data, data + size};
    clsoftmax_problem problem = read_problem(&bytes);
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    uint32_t temperature = (uint32_t)fuzz_number(&bytes, 4);
    memcpy(&arguments.temperature, &temperature, sizeof temperature);
    uint64_t rows = problem.outer * problem.inner, elements = rows * problem.classes;
    for (uint64_t i = 0; i < rows && problem.temperature_per_row; i++) {
        temperature = (uint32_t)fuzz_number(&bytes, 4);
        memcpy(&temperatures[i], &temperature, sizeof temperature);
    }
    for (uint64_t i = 0; i < elements; i++) {
        uint32_t bits = (uint32_t)fuzz_number(&bytes, 4);
        memcpy(&logits[i], &bits, sizeof bits);
    }
    arguments.logits = logits;
    arguments.temperatures = problem.temperature_per_row ? temperatures : NULL;
    run(cpu, &problem, arguments, &a);
    run(other, &problem, arguments, &b);
    FUZZ_CHECK(memcmp(&a, &b, sizeof a) == 0);
    return 0;
}
