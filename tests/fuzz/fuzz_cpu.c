/* Small problems of any kind on cpu, without OpenCL: every instruction set and strategy must give the same bits, in
   place too. The oracle is the reference, with the bounds of the public header. */
#include "results/compare.h"
#include "fuzz_problem.h"

#include <math.h>

const char program_name[] = "fuzz";

enum { MOST_CONTEXTS = 3 };

/* Opens cpu once for each instruction set that this processor has. Returns how many there are. */
static uint64_t open_contexts(clsoftmax_context **contexts)
{
    static const char *const isas[MOST_CONTEXTS] = {"baseline", "avx2", "avx512"};
    uint64_t count = 0;
    setenv("CLSOFTMAX_THREADS", "1", 1);
    for (int i = 0; i < MOST_CONTEXTS; i++) {
        setenv("CLSOFTMAX_CPU_ISA", isas[i], 1);
        count += clsoftmax_context_create("cpu", &contexts[count]) == CLSOFTMAX_OK;
    }
    FUZZ_CHECK(count > 0);
    return count;
}

static fuzz_outcome run(clsoftmax_context *context, const fuzz_case *read, clsoftmax_strategy strategy, int in_place)
{
    clsoftmax_problem problem = read->problem;
    problem.strategy = strategy;
    return fuzz_run(fuzz_find_plan(context, &problem), read, in_place);
}

static int may_be_in_place(const clsoftmax_problem *p)
{
    return p->operation != CLSOFTMAX_OPERATION_NONE && p->sweep == 0 && p->logits_dtype == p->results_dtype &&
           memcmp(&p->logits_layout, &p->results_layout, sizeof p->logits_layout) == 0;
}

/* Runs the case in place, and compares the results with those out of place. */
static void check_place(clsoftmax_context *context, const fuzz_case *read, const fuzz_outcome *expected)
{
    fuzz_outcome outcome = run(context, read, CLSOFTMAX_STRATEGY_AUTO, 1);
    FUZZ_CHECK(outcome.status == expected->status);
    const clsoftmax_problem *p = &read->problem;
    const clsoftmax_layout dense = {0, p->classes * p->inner, p->inner, 1};
    const clsoftmax_layout *layout = p->results_layout.class_stride > 0 ? &p->results_layout : &dense;
    size_t size = clsoftmax_dtype_size(p->results_dtype);
    for (uint64_t row = 0; row < read->rows && expected->status == CLSOFTMAX_OK; row++)
        for (uint64_t c = 0; c < p->classes; c++) { /* the gaps keep what the logits have there */
            uint64_t at = layout->offset + row / p->inner * layout->outer_stride + c * layout->class_stride +
                          row % p->inner * layout->inner_stride;
            FUZZ_CHECK(memcmp((char *)outcome.results + at * size, (char *)expected->results + at * size, size) == 0);
        }
    fuzz_outcome_release(&outcome);
}

/* Compares results and statistics with those of the reference. */
static void check_reference(const fuzz_case *read, const fuzz_outcome *cpu, const fuzz_outcome *reference)
{
    const clsoftmax_problem *p = &read->problem;
    comparison values = {0}, records = {0};
    FUZZ_CHECK(cpu->status == reference->status && cpu->invalid_rows == reference->invalid_rows);
    compare(&values, p->results_dtype, cpu->results, reference->results,
            read->results_bytes / clsoftmax_dtype_size(p->results_dtype), allowed_error(p, 1, 0));
    FUZZ_CHECK(values.worst_ulp <= allowed_ulp(p));
    if (cpu->status == CLSOFTMAX_OK && p->statistics)
        compare_statistics(&records, p, cpu->statistics, reference->statistics,
                           read->statistics_bytes / sizeof(clsoftmax_statistics));
    FUZZ_CHECK(records.beyond == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static clsoftmax_context *contexts[MOST_CONTEXTS], *reference;
    static uint64_t count;
    static clsoftmax_strategy strategies[CLSOFTMAX_STRATEGY_COUNT];
    static unsigned strategy_count;
    if (!reference) {
        count = open_contexts(contexts);
        FUZZ_CHECK(clsoftmax_context_create("reference", &reference) == CLSOFTMAX_OK);
        for (int s = CLSOFTMAX_STRATEGY_COUNT; --s > CLSOFTMAX_STRATEGY_AUTO;)
            if (clsoftmax_strategy_supported(contexts[0], (clsoftmax_strategy)s))
                strategies[strategy_count++] = (clsoftmax_strategy)s;
    }
    fuzz_bytes bytes = {data, data + size};
    uint64_t choice = fuzz_number(&bytes, 1);
    clsoftmax_context *one = contexts[choice % count], *other = contexts[choice / 3 % count];
    fuzz_case read;
    clsoftmax_problem problem = fuzz_problem_read(&bytes);
    fuzz_case_read(&bytes, &problem, &read);
    fuzz_outcome expected = run(reference, &read, CLSOFTMAX_STRATEGY_AUTO, 0);
    fuzz_outcome first = run(one, &read, CLSOFTMAX_STRATEGY_AUTO, 0);
    fuzz_outcome second = run(other, &read, strategies[choice / 9 % strategy_count], 0);
    check_reference(&read, &first, &expected);
    fuzz_check_equal(&read, &first, &second);
    if (may_be_in_place(&problem))
        check_place(other, &read, &first);
    fuzz_outcome_release(&expected);
    fuzz_outcome_release(&first);
    fuzz_outcome_release(&second);
    fuzz_case_release(&read);
    return 0;
}
