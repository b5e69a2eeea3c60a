/*
 * The statistics of a row, computed from its top and its sums; clsoftmax_statistics in the public header says what each
 * of them is. C11 and OpenCL C compile this header. The operations include it, and with them the CPU path and every
 * strategy.
 */
#ifndef CLSOFTMAX_CORE_STATISTICS_H
#define CLSOFTMAX_CORE_STATISTICS_H

#include "core/terms.h"

/* The top of one row: the keys of its two largest logits, the class of the first that is largest, and the largest key
   of its operand (core_operand_key). */
typedef struct {
    uint key;
    uint second_key;
    core_long index;
    uint operand_key;
    uint unused; /* so that a top is as large in memory as its fields */
} core_one_top;

/* The top of a row; where each lane is a row, the tops of them all. */
#ifdef CORE_ROW_PER_LANE
typedef struct {
    core_row_uint key;
    core_row_uint second_key;
    core_row_long index;
    core_row_uint operand_key;
} core_top_t;
#else
typedef core_one_top core_top_t;
#endif

/* Returns the key by which tops compare logits. It is that of x + 0, so that -0 and +0 tie; and it is the same for
   every NaN, so that the first NaN is found. */
CORE_FUNCTION core_uint core_top_key(core_float x)
{
    core_uint key = core_key(x + 0.0f), nan = (core_uint)(CORE_KEY_POSITIVE_INFINITY + 1u);
    return CORE_SMALLER(key, nan);
}

/* Returns the top of two parts of a row together. Parts merge in any order. */
CORE_FUNCTION core_one_top core_top_merge(core_one_top a, core_one_top b)
{
    uint smaller_first = CORE_SMALLER(a.key, b.key), larger_second = CORE_LARGER(a.second_key, b.second_key);
    /* without && and ||, of which PoCL 6.0 makes something that LLVM 18 ends the process at (pocl issue 1608) */
    int b_first = (b.key > a.key) | ((b.key == a.key) & (b.index < a.index));
    core_one_top merged = {CORE_LARGER(a.key, b.key), CORE_LARGER(smaller_first, larger_second),
                           b_first ? b.index : a.index, CORE_LARGER(a.operand_key, b.operand_key), 0};
    return merged;
}

/* The fields of a record, X(type for a row, type in memory, name). They are those of clsoftmax_statistics in the public
   header; host/lib/problem.c checks that both agree. */
#define STATISTICS_FIELDS(X)                                                                                           \
    X(core_row_float, float, maximum)                                                                                  \
    X(core_row_float, float, log_sum_exp)                                                                              \
    X(core_row_float, float, entropy)                                                                                  \
    X(core_row_float, float, largest_probability)                                                                      \
    X(core_row_float, float, margin)                                                                                   \
    X(core_row_float, float, negative_log_likelihood)                                                                  \
    X(core_row_long, core_long, argmax)

/* The statistics of a row; where each lane is a row, those of them all. */
#define STATISTICS_OF_ROWS(row_type, type, name) row_type name;
typedef struct {
    STATISTICS_FIELDS(STATISTICS_OF_ROWS)
} core_statistics_t;
#undef STATISTICS_OF_ROWS

/* The record of one row in memory. */
#define STATISTICS_IN_MEMORY(row_type, type, name) type name;
typedef struct {
    STATISTICS_FIELDS(STATISTICS_IN_MEMORY)
} core_statistics_record;
#undef STATISTICS_IN_MEMORY

/* What the statistics of a row are computed from. Their terms are the first ones. */
#define STATISTICS_TERMS (TERM_REST + 1)
typedef struct {
    core_top_t top;
    core_total_t totals[STATISTICS_TERMS];
    core_row_float label_logit; /* NaN where no label is given */
} core_row_sums_t;

/* The probability and the log-probability of a number that belongs to the row itself, such as its maximum. */
#define core_row_probability(e, reciprocal) core_row_of(core_probability(e, (reciprocal).high, (reciprocal).low))
#define core_row_log_probability(x, row, logarithm)                                                                    \
    core_row_of(core_log_probability((core_float)(x), (row), (logarithm)))

/* Returns the logit of the label as an ordinary row has it (see core_tie). A label that is not given stays NaN. */
CORE_FUNCTION core_row_float core_ordinary_label(core_row_float label, core_setting_t set)
{
    const core_row_float zero = CORE_ROW(0.0f), negative = CORE_ROW(-CORE_INFINITY);
    core_row_float tied = label == set.ties_at ? zero : core_is_nan(label) ? label : negative;
    return set.kind == (core_row_int)(CORE_ROW_TIES) ? tied : label;
}

/* Returns the statistics of a row as if it were computed; core_statistics_of_kind corrects them for the others. It
   reads only what the setting has from the temperature and the maximum, not the kind of the row. `second` and `label`
   are logits as an ordinary row has them. */
CORE_FUNCTION core_statistics_t core_computed_statistics(core_row_sums_t sums, core_setting_t set,
                                                         core_row_float second, core_row_float label, core_rest_t rest,
                                                         int levels)
{
    core_log_row_t log_row = core_log_row(set.prepared, set.maximum), origin = log_row;
    origin.maximum = CORE_ROW(0.0f);
    core_largest_t largest = core_largest(set, levels);
    core_two_float value = core_total_value(sums.totals[TERM_EXPONENTIAL]), reciprocal = core_reciprocal(value);
    core_two_float of_sum = core_sum_reciprocal(value);
    core_two_float log_sum = core_logarithm_of_one_plus(core_relative_rest(set, sums.totals[TERM_REST], rest, levels));
    core_two_float negative_log_sum = {-log_sum.high, -log_sum.low};

    core_statistics_t result;
    result.maximum = set.maximum;
    result.argmax = sums.top.index;

    /* max / T + ln(sum): `origin` has its maximum at 0, so z is max / T, and the logarithm enters with
       its sign turned. */
    result.log_sum_exp = core_row_log_probability(set.maximum, origin, negative_log_sum);

    core_pair first_e = {(core_float)(largest.value.high), (core_float)(largest.value.low)};
    result.largest_probability = core_row_probability(first_e, of_sum);

    core_pair second_e = core_exponential((core_float)(second), set.row), gap;
    gap.high = first_e.high - second_e.high; /* what it rounds off is below the last place of the largest */
    gap.low = ((first_e.high - gap.high) - second_e.high) + (first_e.low - second_e.low);
    result.margin = core_row_probability(gap, of_sum);

    /* ln(sum) + (sum of e |z|) / sum. Neither term is negative, so nothing cancels. */
    core_two_float mean = core_two_product(core_total_value(sums.totals[TERM_WEIGHTED]), reciprocal);
    mean = core_two_product(mean, core_distance(set.prepared, set.maximum).factor);
    result.entropy = log_sum.high + (mean.high + (mean.low + log_sum.low));

    core_row_float log_probability = core_row_log_probability(label, log_row, log_sum);
    result.negative_log_likelihood =
        core_is_nan(label) ? core_row_float_of_bits((core_row_uint)(CORE_NAN_BITS)) : 0.0f - log_probability;
    return result;
}

/* Returns the statistics of a row of any kind, given what core_computed_statistics returned. In a row of zeros,
   entropy, largest probability and margin are 0, and the negative log-likelihood of a label is inf. In a row of
   NaN, all but maximum and argmax are NaN; log_sum_exp is the maximum where that is infinite and the
   temperature is valid. */
CORE_FUNCTION core_statistics_t core_statistics_of_kind(core_row_sums_t sums, core_setting_t set,
                                                        core_statistics_t computed)
{
    const core_row_float zero = CORE_ROW(0.0f), infinity = CORE_ROW(CORE_INFINITY);
    const core_row_float nan = core_row_float_of_bits((core_row_uint)(CORE_NAN_BITS));
    core_row_float maximum = core_value_of_key(sums.top.key), label = sums.label_logit;
    core_row_int infinite = (maximum == infinity) | (maximum == -infinity);
    core_row_int is_zero = set.kind == (core_row_int)(CORE_ROW_ZERO);
    core_row_int is_computed = core_row_is_computed(set.kind);

    core_row_float nothing = is_zero ? zero : nan;
    core_row_float beyond = set.temperature >= zero ? maximum : nan;
    core_statistics_t result;
    result.maximum = maximum;
    result.log_sum_exp = infinite ? beyond : is_computed ? computed.log_sum_exp : nan;
    result.entropy = is_computed ? computed.entropy : nothing;
    result.largest_probability = is_computed ? computed.largest_probability : nothing;
    result.margin = is_computed ? computed.margin : nothing;
    result.negative_log_likelihood = is_computed                             ? computed.negative_log_likelihood
                                     : (is_zero & (core_is_nan(label) == 0)) ? infinity
                                                                             : nan;
    result.argmax = sums.top.index;
    return result;
}

/* Returns the statistics of a row of any kind, whose sums have `levels` levels. */
CORE_FUNCTION core_statistics_t core_statistics(core_row_sums_t sums, core_setting_t set, int levels)
{
    core_row_float second = core_ordinary_second(sums.top.key, sums.top.second_key, set);
    core_row_float label = core_ordinary_label(sums.label_logit, set);
    core_rest_t rest = core_rest(set, second);
    return core_statistics_of_kind(sums, set, core_computed_statistics(sums, set, second, label, rest, levels));
}

#endif
