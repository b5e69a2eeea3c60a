/*
 * What every row strategy shares in OpenCL C: where rows are, reading and writing of each dtype, the scans of a run of
 * classes, the record of statistics.
 *
 * Knobs, defined before this file by the host (host/lib/plan.h, cls_variant); the defaults let it compile alone.
 */
#define DTYPE_F32 0
#define DTYPE_F16 1
#define DTYPE_BF16 2
#define OPERATION_NONE 0 /* statistics only */
#define OPERATION_SOFTMAX 1
#define OPERATION_LOG_SOFTMAX 2

#ifndef WORK_GROUP_SIZE
#define WORK_GROUP_SIZE 64 /* work-items per work-group, a power of two */
#endif
#ifndef SUM_LEVELS
#define SUM_LEVELS 2 /* 3 for rows of more than CORE_TWO_LEVEL_CLASSES */
#endif
#ifndef OPERATION
#define OPERATION OPERATION_SOFTMAX
#endif
#ifndef LOGITS_DTYPE
#define LOGITS_DTYPE DTYPE_F32
#endif
#ifndef RESULTS_DTYPE
#define RESULTS_DTYPE DTYPE_F32
#endif
#ifndef TEMPERATURE_PER_ROW
#define TEMPERATURE_PER_ROW 0
#endif
#ifndef STATISTICS
#define STATISTICS 0 /* 1: a record for each row */
#endif
#ifndef TIES
#define TIES 0 /* 1: a policy may make rows of ties (CORE_ROW_TIES) */
#endif

/* ---------------------------------------------------------------- Arguments */

#if LOGITS_DTYPE == DTYPE_F32
typedef float logit_t;
#elif LOGITS_DTYPE == DTYPE_F16
typedef half logit_t;
#else
typedef ushort logit_t;
#endif

#if RESULTS_DTYPE == DTYPE_F32
typedef float result_t;
#elif RESULTS_DTYPE == DTYPE_F16
typedef half result_t;
#else
typedef ushort result_t;
#endif

/* Layouts are (offset, outer stride, class stride, inner stride) in elements; row r stands at outer r / inner, inner
   r % inner. The arrays of one element a row begin at first.s0 (temperatures), .s1 (labels), .s2 (statistics). What a
   variant does not use is NULL. */
#define ROW_ARGUMENTS                                                                                                  \
    __global const logit_t *logits, ulong4 logits_layout, __global result_t *results, ulong4 results_layout,           \
        ulong rows, ulong inner, ulong classes, uint policies, float one_temperature,                                  \
        __global const float *temperatures, __global const long *labels, __global core_statistics_t *statistics,       \
        ulong4 first, __global uint *invalid_rows

#define CLASS_STRIDE s2

static ulong row_offset(ulong4 layout, ulong row, ulong inner)
{
    const ulong outer_index = inner == 1 ? row : row / inner;
    return layout.s0 + outer_index * layout.s1 + (row - outer_index * inner) * layout.s3;
}

static float row_temperature(float one_temperature, __global const float *temperatures, ulong row)
{
    return TEMPERATURE_PER_ROW ? temperatures[row] : one_temperature;
}

/* ---------------------------------------------------------------- Reading and writing */

#if CORE_WIDTH == 1
#define row_vload(address) (*(address))
#define row_vstore(value, address) (*(address) = (value))
#define row_convert_uint(value) convert_uint(value)
#define row_convert_ushort(value) convert_ushort(value)
#define row_vload_half(address) vload_half(0, address)
#define row_vstore_half(value, address) vstore_half_rte(value, 0, address)
#else
#define row_vload(address) CORE_VECTOR(vload)(0, (address))
#define row_vstore(value, address) CORE_VECTOR(vstore)((value), 0, (address))
#define row_convert_uint(value) CORE_VECTOR(convert_uint)(value)
#define row_convert_ushort(value) CORE_VECTOR(convert_ushort)(value)
#define row_vload_half(address) CORE_VECTOR(vload_half)(0, address)
#define row_vstore_half(value, address) CORE_JOIN(CORE_VECTOR(vstore_half), _rte)(value, 0, address)
#endif

/* CORE_WIDTH neighbouring logits. */
static core_float row_load(__global const logit_t *address)
{
#if LOGITS_DTYPE == DTYPE_F32
    return row_vload(address);
#elif LOGITS_DTYPE == DTYPE_F16
    return row_vload_half(address);
#else
    return core_as_float(row_convert_uint(row_vload(address)) << 16);
#endif
}

static float row_load_one(__global const logit_t *address)
{
#if LOGITS_DTYPE == DTYPE_F32
    return *address;
#elif LOGITS_DTYPE == DTYPE_F16
    return vload_half(0, address);
#else
    return as_float((uint)*address << 16);
#endif
}

/* Rounds to the nearest, ties to even, once. A NaN is the canonical one; its upper half is bf16's. */
#define row_bf16_of_bits(bits) (((bits) + 0x7FFFu + (((bits) >> 16) & 1u)) >> 16)

static void row_store(core_float value, __global result_t *address)
{
#if RESULTS_DTYPE == DTYPE_F32
    row_vstore(value, address);
#elif RESULTS_DTYPE == DTYPE_F16
    row_vstore_half(value, address);
#else
    row_vstore(row_convert_ushort(row_bf16_of_bits(core_as_uint(value))), address);
#endif
}

/* Canonical in each dtype, also where a driver's conversion of NaN is its own. */
static void row_store_one(float value, __global result_t *address)
{
#if RESULTS_DTYPE == DTYPE_F32
    *address = value;
#elif RESULTS_DTYPE == DTYPE_F16
    if (core_is_nan(value))
        *(__global ushort *)address = (ushort)0x7E00;
    else
        vstore_half_rte(value, 0, address);
#else
    *address = (ushort)row_bf16_of_bits(as_uint(value));
#endif
}

/* The last logits of a run, fewer than CORE_WIDTH; the lanes beyond are `padding`, -inf where a mask is to add nothing. */
static core_float row_load_tail(__global const logit_t *address, uint count, float padding)
{
    float lanes[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        lanes[i] = i < count ? row_load_one(address + i) : padding;
    return row_vload(lanes);
}

static void row_store_tail(core_float value, __global result_t *address, uint count)
{
    float lanes[CORE_WIDTH];
    row_vstore(value, lanes);
    for (uint i = 0; i < count; i++)
        row_store_one(lanes[i], address + i);
}

/* ---------------------------------------------------------------- Statistics of a work-item */

/* The largest logits that each lane has seen: keys, and at which step of the scan the largest came first. */
typedef struct {
    core_uint key;
    core_uint second_key;
    core_uint step;
} row_top;

static row_top row_top_of_nothing(void)
{
    row_top nothing = {(core_uint)(CORE_KEY_NEGATIVE_INFINITY), (core_uint)(CORE_KEY_NEGATIVE_INFINITY),
                       (core_uint)(0)};
    return nothing;
}

static row_top row_top_add(row_top top, core_float x, uint step)
{
    const core_uint key = STATISTICS ? core_top_key(x) : core_key(x);
    if (STATISTICS) {
        const core_uint smaller = CORE_SMALLER(key, top.key);
        top.second_key = CORE_LARGER(smaller, top.second_key);
        top.step = key > top.key ? (core_uint)(step) : top.step;
    }
    top.key = CORE_LARGER(key, top.key);
    return top;
}

/* The sums that each lane has seen: 32 bits a lane, flushed into totals before they can overflow. */
typedef struct {
    core_sum_t exponentials;
    core_sum_t weighted;
    uint added; /* to each lane since the last flush */
} row_lanes_sum;

static row_lanes_sum row_sum_of_nothing(void)
{
    row_lanes_sum nothing;
    nothing.exponentials.high = nothing.exponentials.low = nothing.exponentials.lowest = (core_uint)(0);
    nothing.weighted = nothing.exponentials;
    nothing.added = 0;
    return nothing;
}

/* Adds exp((x - max) / T) and, for an entropy, that times |z|. */
static row_lanes_sum row_sum_add(row_lanes_sum sum, core_float x, core_row_t row)
{
    const core_pair z = core_clamp(core_quotient(x, row));
    const core_pair e = core_exponential_of(z);
    sum.exponentials = core_sum_add(sum.exponentials, e, SUM_LEVELS);
    if (STATISTICS)
        sum.weighted = core_sum_add(sum.weighted, core_weighted(e, z), SUM_LEVELS);
    sum.added++;
    return sum;
}

typedef struct {
    core_total_t exponentials;
    core_total_t weighted;
} row_totals;

static row_totals row_totals_of_nothing(void)
{
    row_totals nothing = {{0, 0, 0}, {0, 0, 0}};
    return nothing;
}

static row_totals row_totals_merge(row_totals a, row_totals b)
{
    a.exponentials = core_total_merge(a.exponentials, b.exponentials);
    if (STATISTICS)
        a.weighted = core_total_merge(a.weighted, b.weighted);
    return a;
}

/* Adds each lane of the sum to totals[lane * step]: step 1 where lanes are rows, 0 where they are classes of one row.
 */
static void row_flush(row_lanes_sum sum, row_totals *totals, uint step)
{
    core_sum_t sums[2] = {sum.exponentials, sum.weighted};
    for (uint k = 0; k < 1 + STATISTICS; k++) {
        uint high[CORE_WIDTH], low[CORE_WIDTH], lowest[CORE_WIDTH];
        row_vstore(sums[k].high, high);
        row_vstore(sums[k].low, low);
        row_vstore(sums[k].lowest, lowest);
        for (uint i = 0; i < CORE_WIDTH; i++) {
            const core_total_t lane = core_sum_lane(high[i], low[i], lowest[i], sum.added, SUM_LEVELS);
            row_totals *total = totals + i * step;
            if (k == 0)
                total->exponentials = core_total_merge(total->exponentials, lane);
            else
                total->weighted = core_total_merge(total->weighted, lane);
        }
    }
}

/* ---------------------------------------------------------------- Rows */

/* What is known of a row once its maximum is. */
typedef struct {
    float temperature;
    int kind;
    float maximum; /* as an ordinary row: 0 for a row of ties */
    float ties_at; /* the logit that ties, for a row of ties */
    core_one_row_t for_exponentials;
    core_one_row_t for_results; /* the same, but for logarithms */
} row_setting;

static row_setting row_set(uint maximum_key, float temperature, uint policies)
{
    row_setting set;
    set.temperature = temperature;
    set.kind = core_row_kind(maximum_key, temperature, policies);
    set.ties_at = core_value_of_key(maximum_key);
    set.maximum = set.kind == CORE_ROW_ORDINARY ? set.ties_at : 0.0f;
    const core_temperature_t prepared = core_temperature(temperature);
    set.for_exponentials = core_row(prepared, set.maximum);
    set.for_results = OPERATION == OPERATION_LOG_SOFTMAX ? core_log_row(prepared, set.maximum) : set.for_exponentials;
    return set;
}

/* What all results of a row that is not computed are. */
static float row_fill_value(int kind)
{
    const float zero = OPERATION == OPERATION_LOG_SOFTMAX ? -CORE_INFINITY : 0.0f;
    return kind == CORE_ROW_ZERO ? zero : core_float_of_bits(CORE_NAN_BITS);
}

/* The record of a row, and its part in the count of rows whose temperature is not one. By one work-item. */
static void row_finish(row_setting set, core_top_t top, row_totals totals, ulong row, __global const logit_t *x,
                       ulong class_stride, ulong classes, __global const long *labels,
                       __global core_statistics_t *statistics, ulong4 first, __global uint *invalid_rows)
{
    if (TEMPERATURE_PER_ROW && invalid_rows && !(set.temperature >= 0.0f))
        atomic_inc(invalid_rows);
    if (STATISTICS) {
        const long label = labels ? labels[first.s1 + row] : -1;
        core_row_sums_t sums;
        sums.temperature = set.temperature;
        sums.top = top;
        sums.total = totals.exponentials;
        sums.weighted = totals.weighted;
        sums.label_logit = label >= 0 && (ulong)label < classes ? row_load_one(x + (ulong)label * class_stride)
                                                                : core_float_of_bits(CORE_NAN_BITS);
        statistics[first.s2 + row] = core_statistics(sums, set.kind);
    }
}
