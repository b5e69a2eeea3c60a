/*
 * Rows on the CPU: maximum, integer sums, results; the numeric core in loops over blocks, which the compiler
 * vectorises.
 *
 * CPU_ROWS_FUNCTION names the function after the instruction set that this compilation is for. Bits do not depend on
 * it: the core is exact operations only, and the reductions are of integers.
 */
#include "cpu_rows.h"
#include "../problem.h"
#include "dtype.h"
#include "numeric_core.h"
#include "row_statistics.h"

#define INLINE static inline __attribute__((always_inline))

/* ---------------------------------------------------------------- Blocks of logits and results */

/* A row of the call. Offsets and strides in elements. */
typedef struct cpu_row {
    const cpu_call *call;
    uint64_t classes;
    uint64_t logits, logits_stride;
    uint64_t results, results_stride;
    float temperature;
    core_temperature_t prepared;
    core_setting_t set; /* once the maximum is known */
} cpu_row;

static size_t block_length(const cpu_row *row, uint64_t begin)
{
    return row->classes - begin < CPU_BLOCK ? (size_t)(row->classes - begin) : CPU_BLOCK;
}

static void convert_logits(const cpu_row *row, uint64_t begin, size_t length, float *block)
{
    const void *logits = row->call->arguments->logits;
    uint64_t first = row->logits + begin * row->logits_stride, stride = row->logits_stride;
    const float *f32 = (const float *)logits + first;
    const uint16_t *bits = (const uint16_t *)logits + first;
    switch (row->call->problem->logits_dtype) {
    case CLSOFTMAX_F16:
        for (size_t i = 0; i < length; i++)
            block[i] = float_of_f16(bits[i * stride]);
        break;
    case CLSOFTMAX_BF16:
        for (size_t i = 0; i < length; i++)
            block[i] = float_of_bf16(bits[i * stride]);
        break;
    default:
        for (size_t i = 0; i < length; i++)
            block[i] = f32[i * stride];
    }
}

/* Logits from class `begin` on as f32 neighbours: where they stand if they are that, else in `block`. */
static const float *load_logits(const cpu_row *row, uint64_t begin, size_t length, float *block)
{
    if (row->call->problem->logits_dtype == CLSOFTMAX_F32 && row->logits_stride == 1)
        return (const float *)row->call->arguments->logits + row->logits + begin;
    convert_logits(row, begin, length, block);
    return block;
}

/* The same as an ordinary row has them. */
static const float *load_ordinary(const cpu_row *row, uint64_t begin, size_t length, float *block)
{
    const float *x = load_logits(row, begin, length, block);
    if (row->set.kind != CORE_ROW_TIES)
        return x;
    for (size_t i = 0; i < length; i++)
        block[i] = core_tie(x[i], row->set.ties_at);
    return block;
}

/* Where to compute results from class `begin` on: in their place if they are f32 neighbours, else in `block`. */
static float *place_results(const cpu_row *row, uint64_t begin, float *block)
{
    if (row->call->problem->results_dtype == CLSOFTMAX_F32 && row->results_stride == 1)
        return (float *)row->call->arguments->results + row->results + begin;
    return block;
}

/* Brings results that were computed elsewhere to their place. */
static void store_results(const cpu_row *row, uint64_t begin, size_t length, const float *p)
{
    void *results = row->call->arguments->results;
    uint64_t first = row->results + begin * row->results_stride, stride = row->results_stride;
    float *f32 = (float *)results + first;
    uint16_t *bits = (uint16_t *)results + first;
    if (p == f32)
        return;
    switch (row->call->problem->results_dtype) {
    case CLSOFTMAX_F16:
        for (size_t i = 0; i < length; i++)
            bits[i * stride] = f16_of_float(p[i]);
        break;
    case CLSOFTMAX_BF16:
        for (size_t i = 0; i < length; i++)
            bits[i * stride] = bf16_of_float(p[i]);
        break;
    default:
        for (size_t i = 0; i < length; i++)
            f32[i * stride] = p[i];
    }
}

/* ---------------------------------------------------------------- Maximum */

static uint32_t block_largest_key(const float *x, size_t length)
{
    uint32_t key = CORE_KEY_NEGATIVE_INFINITY;
#pragma omp simd reduction(max : key)
    for (size_t i = 0; i < length; i++) {
        uint32_t other = core_key(x[i]);
        key = CORE_LARGER(other, key);
    }
    return key;
}

static core_top_t block_top(core_top_t top, const float *x, size_t length, uint64_t begin)
{
    for (size_t i = 0; i < length; i++) {
        core_top_t one = {core_top_key(x[i]), CORE_KEY_NEGATIVE_INFINITY, (core_long)(begin + i)};
        top = core_top_merge(top, one);
    }
    return top;
}

/* Without statistics only the key is found. */
static core_top_t row_top(const cpu_row *row, cpu_scratch *scratch)
{
    core_top_t top = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0};
    for (uint64_t i = 0; i < row->classes; i += CPU_BLOCK) {
        size_t length = block_length(row, i);
        const float *x = load_logits(row, i, length, scratch->logits);
        if (row->call->problem->statistics) {
            top = block_top(top, x, length, i);
        } else {
            uint32_t key = block_largest_key(x, length);
            top.key = CORE_LARGER(key, top.key);
        }
    }
    return top;
}

/* ---------------------------------------------------------------- Sums */

typedef struct cpu_totals {
    core_total_t exponentials, weighted;
} cpu_totals;

INLINE core_total_t block_total(uint32_t high, uint32_t low, uint32_t lowest, size_t length, int levels)
{
    core_lanes_total lane = core_sum_flush((core_sum_t){high, low, lowest}, (uint32_t)length, levels);
    return (core_total_t){lane.high, lane.low, lane.lowest};
}

/* The sum of at most CPU_BLOCK exponentials, which are left in high and low. */
INLINE core_total_t block_sum(const float *restrict x, size_t length, core_row_t row, int levels, float *restrict high,
                              float *restrict low)
{
    uint32_t sum_high = 0, sum_low = 0, sum_lowest = 0;
#pragma omp simd reduction(+ : sum_high, sum_low, sum_lowest)
    for (size_t i = 0; i < length; i++) {
        core_pair e = core_exponential(x[i], row);
        high[i] = e.high;
        low[i] = e.low;
        core_sum_t sum = {0, 0, 0};
        sum = core_sum_add(sum, e, levels);
        sum_high += sum.high;
        sum_low += sum.low;
        sum_lowest += sum.lowest;
    }
    return block_total(sum_high, sum_low, sum_lowest, length, levels);
}

/* The sum of exponentials times |z|, for an entropy. */
static core_total_t block_weighted_sum(const float *x, size_t length, core_row_t row, core_log_row_t distance,
                                       int levels)
{
    uint32_t sum_high = 0, sum_low = 0, sum_lowest = 0;
#pragma omp simd reduction(+ : sum_high, sum_low, sum_lowest)
    for (size_t i = 0; i < length; i++) {
        core_sum_t sum = {0, 0, 0};
        sum = core_sum_add(sum, core_weighted(core_exponential(x[i], row), x[i], distance), levels);
        sum_high += sum.high;
        sum_low += sum.low;
        sum_lowest += sum.lowest;
    }
    return block_total(sum_high, sum_low, sum_lowest, length, levels);
}

static int sum_levels(const cpu_row *row)
{
    return row->classes > CORE_TWO_LEVEL_CLASSES ? 3 : 2;
}

/* keep: the exponentials of the whole row go to scratch, else each block's over the last one's. */
static cpu_totals row_sums(const cpu_row *row, int keep, cpu_scratch *scratch)
{
    cpu_totals totals = {{0, 0, 0}, {0, 0, 0}};
    int levels = sum_levels(row);
    core_row_t core = row->set.row;
    core_log_row_t distance = core_distance_row(row->prepared, row->set.maximum);
    for (uint64_t i = 0; i < row->classes; i += CPU_BLOCK) {
        size_t length = block_length(row, i);
        const float *x = load_ordinary(row, i, length, scratch->logits);
        float *high = scratch->high + (keep ? i : 0), *low = scratch->low + (keep ? i : 0);
        core_total_t sum =
            levels == 2 ? block_sum(x, length, core, 2, high, low) : block_sum(x, length, core, 3, high, low);
        totals.exponentials = core_total_merge(totals.exponentials, sum);
        if (row->call->problem->statistics)
            totals.weighted = core_total_merge(totals.weighted, block_weighted_sum(x, length, core, distance, levels));
    }
    return totals;
}

/* ---------------------------------------------------------------- Results */

static void block_fill(size_t length, float value, float *p)
{
    for (size_t i = 0; i < length; i++)
        p[i] = value;
}

static void block_from_scratch(const float *restrict high, const float *restrict low, size_t length,
                               core_two_float reciprocal, float *restrict p)
{
#pragma omp simd
    for (size_t i = 0; i < length; i++) {
        core_pair e = {high[i], low[i]};
        p[i] = core_probability(e, reciprocal.high, reciprocal.low);
    }
}

/* x may be p. */
static void block_probabilities(const float *x, size_t length, core_row_t row, core_two_float reciprocal, float *p)
{
#pragma omp simd
    for (size_t i = 0; i < length; i++)
        p[i] = core_probability(core_exponential(x[i], row), reciprocal.high, reciprocal.low);
}

static void block_log_probabilities(const float *x, size_t length, core_log_row_t row, core_two_float logarithm,
                                    float *p)
{
#pragma omp simd
    for (size_t i = 0; i < length; i++)
        p[i] = core_log_probability(x[i], row, logarithm);
}

static void row_results(const cpu_row *row, core_total_t total, int kept, cpu_scratch *scratch)
{
    int is_log = row->call->problem->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX;
    int is_fill = !core_row_is_computed(row->set.kind);
    float zero = is_log ? -CORE_INFINITY : 0.0f;
    float fill = row->set.kind == CORE_ROW_ZERO ? zero : core_float_of_bits(CORE_NAN_BITS);
    core_two_float scale =
        is_log ? core_log_sum(row->set, total, sum_levels(row)) : core_reciprocal(core_total_value(total));
    core_log_row_t log_row = core_log_row(row->prepared, row->set.maximum);
    for (uint64_t i = 0; i < row->classes; i += CPU_BLOCK) {
        size_t length = block_length(row, i);
        float *p = place_results(row, i, scratch->results);
        if (is_fill)
            block_fill(length, fill, p);
        else if (kept && !is_log)
            block_from_scratch(scratch->high + i, scratch->low + i, length, scale, p);
        else if (!is_log)
            block_probabilities(load_ordinary(row, i, length, scratch->logits), length, row->set.row, scale, p);
        else
            block_log_probabilities(load_ordinary(row, i, length, scratch->logits), length, log_row, scale, p);
        store_results(row, i, length, p);
    }
}

/* ---------------------------------------------------------------- Rows */

static void write_statistics(const cpu_row *row, uint64_t index, core_top_t top, const cpu_totals *totals)
{
    const clsoftmax_arguments *arguments = row->call->arguments;
    int64_t label = arguments->labels ? arguments->labels[index] : -1;
    core_row_sums_t sums = {top, totals->exponentials, totals->weighted, core_float_of_bits(CORE_NAN_BITS)};
    if (label >= 0 && (uint64_t)label < row->classes)
        convert_logits(row, (uint64_t)label, 1, &sums.label_logit);
    core_statistics_t s = core_statistics(sums, row->set, sum_levels(row));
    clsoftmax_statistics statistics = {
        s.maximum, s.log_sum_exp, s.entropy, s.largest_probability, s.margin, s.negative_log_likelihood, s.argmax};
    arguments->statistics[index] = statistics;
}

static void compute_row(cpu_row *row, uint64_t index, cpu_scratch *scratch)
{
    const clsoftmax_problem *problem = row->call->problem;
    core_top_t top = row_top(row, scratch);
    row->set = core_setting(top.key, row->temperature, row->prepared, row->call->policies);
    int keep = row->classes <= CPU_SCRATCH_CLASSES;
    cpu_totals totals = {{0, 0, 0}, {0, 0, 0}};
    if (core_row_is_computed(row->set.kind))
        totals = row_sums(row, keep, scratch);
    if (problem->statistics) /* before the results, which may take the place of the label's logit */
        write_statistics(row, index, top, &totals);
    if (problem->operation != CLSOFTMAX_OPERATION_NONE)
        row_results(row, totals.exponentials, keep, scratch);
}

uint64_t CPU_ROWS_FUNCTION(const cpu_call *call, uint64_t begin, uint64_t end, cpu_scratch *scratch)
{
    const clsoftmax_problem *problem = call->problem;
    const float *temperatures = problem->temperature_per_row ? call->arguments->temperatures : NULL;
    cpu_row row = {.call = call,
                   .classes = problem->classes,
                   .logits_stride = problem->logits_layout.class_stride,
                   .results_stride = problem->results_layout.class_stride,
                   .temperature = call->arguments->temperature,
                   .prepared = core_temperature(call->arguments->temperature)};
    uint64_t invalid = 0;
    for (uint64_t index = begin; index < end; index++) {
        if (temperatures) {
            row.temperature = temperatures[index];
            row.prepared = core_temperature(row.temperature);
            invalid += row.temperature >= 0 ? 0 : 1;
        }
        row.logits = cls_layout_row(problem, &problem->logits_layout, index);
        row.results = cls_layout_row(problem, &problem->results_layout, index);
        compute_row(&row, index, scratch);
    }
    return invalid;
}
