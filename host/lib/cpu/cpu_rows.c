/*
 * Softmax of rows: maximum, integer sum, probabilities; the numeric core in loops that the compiler vectorises.
 *
 * CPU_ROWS_FUNCTION names the function after the instruction set that this compilation is for. Bits do not depend on
 * it: the core is exact operations only, and both reductions are of integers.
 */
#include "cpu_rows.h"
#include "numeric_core.h"

static core_maximum_t row_maximum(const float *x, size_t classes)
{
    core_maximum_t nothing = core_maximum_of_nothing();
    int32_t key = nothing.key, has_nan = 0;
#pragma omp simd reduction(max : key) reduction(| : has_nan)
    for (size_t i = 0; i < classes; i++) {
        int32_t other = core_key(x[i]);
        key = CORE_LARGER(other, key);
        has_nan |= core_is_nan(x[i]);
    }
    core_maximum_t maximum = {key, has_nan};
    return maximum;
}

/* The sum of at most CORE_FLUSH_AFTER exponentials, which are left in `scratch`. */
static inline __attribute__((always_inline)) core_total_t block_sum(const float *restrict x, size_t classes,
                                                                    core_row_t row, int levels, float *restrict high,
                                                                    float *restrict low)
{
    uint32_t sum_high = 0, sum_low = 0, sum_lowest = 0;
#pragma omp simd reduction(+ : sum_high, sum_low, sum_lowest)
    for (size_t i = 0; i < classes; i++) {
        core_exponential_t e = core_exponential(x[i], row);
        high[i] = e.high;
        low[i] = e.low;
        core_sum_t sum = {0, 0, 0};
        sum = core_sum_add(sum, e, levels);
        sum_high += sum.high;
        sum_low += sum.low;
        sum_lowest += sum.lowest;
    }
    uint32_t added = (uint32_t)classes;
    return core_sum_lane(sum_high, sum_low, sum_lowest, added, levels);
}

/* keep: the exponentials of the whole row go to scratch, else each block's over the last one's. */
static core_total_t row_sum(const float *x, size_t classes, core_row_t row, int keep, cpu_scratch *scratch)
{
    core_total_t total = {0, 0, 0};
    int levels = classes > CORE_TWO_LEVEL_CLASSES ? 3 : 2;
    for (size_t i = 0; i < classes; i += CORE_FLUSH_AFTER) {
        size_t length = classes - i < CORE_FLUSH_AFTER ? classes - i : CORE_FLUSH_AFTER;
        float *high = scratch->high + (keep ? i : 0), *low = scratch->low + (keep ? i : 0);
        core_total_t block =
            levels == 2 ? block_sum(x + i, length, row, 2, high, low) : block_sum(x + i, length, row, 3, high, low);
        total = core_total_merge(total, block);
    }
    return total;
}

static void probabilities_from_scratch(const cpu_scratch *restrict scratch, size_t classes, core_two_float reciprocal,
                                       float *restrict p)
{
#pragma omp simd
    for (size_t i = 0; i < classes; i++) {
        core_exponential_t e = {scratch->high[i], scratch->low[i]};
        p[i] = core_probability(e, reciprocal);
    }
}

/* x may be p. */
static void probabilities_recomputed(const float *x, size_t classes, core_row_t row, core_two_float reciprocal,
                                     float *p)
{
#pragma omp simd
    for (size_t i = 0; i < classes; i++)
        p[i] = core_probability(core_exponential(x[i], row), reciprocal);
}

static void softmax_row(const float *x, size_t classes, core_temperature_t temperature, cpu_scratch *scratch, float *p)
{
    core_maximum_t maximum = row_maximum(x, classes);
    if (!core_row_is_ordinary(maximum)) {
        for (size_t i = 0; i < classes; i++)
            p[i] = core_float_of_bits(CORE_NAN_BITS);
        return;
    }
    core_row_t row = core_row(temperature, core_maximum_value(maximum));
    int keep = classes <= CPU_SCRATCH_CLASSES;
    core_two_float reciprocal = core_total_reciprocal(row_sum(x, classes, row, keep, scratch));
    if (keep)
        probabilities_from_scratch(scratch, classes, reciprocal, p);
    else
        probabilities_recomputed(x, classes, row, reciprocal, p);
}

void CPU_ROWS_FUNCTION(const float *logits, float *probabilities, uint64_t begin, uint64_t end, uint64_t classes,
                       float temperature, cpu_scratch *scratch)
{
    core_temperature_t prepared = core_temperature(temperature);
    for (uint64_t row = begin; row < end; row++)
        softmax_row(logits + row * classes, classes, prepared, scratch, probabilities + row * classes);
}
