/*
 * What every row strategy shares in OpenCL C: reading and writing logits, and the sum of a run of exponentials.
 *
 * Knobs, defined before this file by the host (host/lib/plan.h, cls_variant); the defaults let it compile alone.
 */
#ifndef WORK_GROUP_SIZE
#define WORK_GROUP_SIZE 64 /* work-items per work-group, a power of two */
#endif
#ifndef SUM_LEVELS
#define SUM_LEVELS 2 /* 3 for rows of more than CORE_TWO_LEVEL_CLASSES */
#endif

/* The arguments of every kernel. Matrices are row-major; the temperature comes prepared by core_temperature. */
#define ROW_ARGUMENTS                                                                                                  \
    __global const float *logits, __global float *probabilities, ulong rows, ulong classes, float scale,               \
        float reciprocal_high, float reciprocal_low

#define ROW_TEMPERATURE                                                                                                \
    {                                                                                                                  \
        scale,                                                                                                         \
        {                                                                                                              \
            reciprocal_high, reciprocal_low                                                                            \
        }                                                                                                              \
    }

#if CORE_WIDTH == 1
#define row_load(address) (*(address))
#define row_store(value, address) (*(address) = (value))
#else
#define row_load(address) CORE_VECTOR(vload)(0, (address))
#define row_store(value, address) CORE_VECTOR(vstore)((value), 0, (address))
#endif

/* The last 1 to CORE_WIDTH - 1 logits of a row; the lanes beyond are masked, which adds nothing to any statistic. */
static core_float row_load_tail(__global const float *address, uint count)
{
    float lanes[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        lanes[i] = i < count ? address[i] : -CORE_INFINITY;
    return row_load(lanes);
}

static void row_store_tail(core_float value, __global float *address, uint count)
{
    float lanes[CORE_WIDTH];
    row_store(value, lanes);
    for (uint i = 0; i < count; i++)
        address[i] = lanes[i];
}

/* The maximum of one work-item: a key per lane. */
typedef struct {
    core_int key;
    core_int has_nan;
} row_lanes_maximum;

static row_lanes_maximum row_maximum_of_nothing(void)
{
    row_lanes_maximum nothing = {(core_int)(core_maximum_of_nothing().key), (core_int)(0)};
    return nothing;
}

static row_lanes_maximum row_maximum_add(row_lanes_maximum maximum, core_float x)
{
    core_int key = core_key(x);
    maximum.key = CORE_LARGER(key, maximum.key);
    maximum.has_nan |= core_is_nan(x);
    return maximum;
}

static core_maximum_t row_maximum_of_lanes(row_lanes_maximum lanes)
{
    int keys[CORE_WIDTH], has_nan[CORE_WIDTH];
    row_store(lanes.key, keys);
    row_store(lanes.has_nan, has_nan);
    core_maximum_t maximum = core_maximum_of_nothing();
    for (uint i = 0; i < CORE_WIDTH; i++) {
        core_maximum_t lane = {keys[i], has_nan[i]};
        maximum = core_maximum_merge(maximum, lane);
    }
    return maximum;
}

/* The sum of one work-item: lanes of 32 bits, flushed into the total before they can overflow. */
typedef struct {
    core_sum_t lanes;
    uint added; /* to each lane since the last flush */
    core_total_t total;
} row_sum;

static row_sum row_sum_of_nothing(void)
{
    row_sum nothing = {{(core_uint)(0), (core_uint)(0), (core_uint)(0)}, 0, {0, 0, 0}};
    return nothing;
}

static row_sum row_sum_flush(row_sum sum)
{
    uint high[CORE_WIDTH], low[CORE_WIDTH], lowest[CORE_WIDTH];
    row_store(sum.lanes.high, high);
    row_store(sum.lanes.low, low);
    row_store(sum.lanes.lowest, lowest);
    row_sum flushed = row_sum_of_nothing();
    flushed.total = sum.total;
    for (uint i = 0; i < CORE_WIDTH; i++)
        flushed.total =
            core_total_merge(flushed.total, core_sum_lane(high[i], low[i], lowest[i], sum.added, SUM_LEVELS));
    return flushed;
}

static row_sum row_sum_add(row_sum sum, core_exponential_t e)
{
    sum.lanes = core_sum_add(sum.lanes, e, SUM_LEVELS);
    sum.added++;
    if (sum.added == CORE_FLUSH_AFTER)
        sum = row_sum_flush(sum);
    return sum;
}
