/*
 * Sweeps on the CPU: a row at many temperatures, from one read of its logits.
 *
 * A row is read into the scratch memory, as f32 and as neighbours, whatever its dtype and stride. What depends on it alone is found
 * once: its two largest logits. Then its exponentials are summed, and its results written, at one temperature after the other;
 * statistics are left to the end of the row, where loops over the temperatures are vectorised. A row that the scratch memory does
 * not hold passes through it in segments, for the maximum, the sums and the results, each at all temperatures.
 */
#include "../problem.h"
#include "cpu_block.h"
#include "cpu_dtype.h"
#include "cpu_lanes.h"

typedef struct __attribute__((aligned(64))) sweep {
    const cpu_call *call;
    cpu_stream *stream; /* of the results, or NULL */
    int levels;
    size_t count; /* of temperatures, from `first` on; those beyond are 1, to fill vectors */
    uint64_t first;
    lane_temperatures temperatures;

    float *x, *high, *low; /* a segment of the row, and its exponentials at one temperature */
    size_t segment;        /* classes at most */
    int whole;             /* it is the row */

    uint64_t row, logits, results; /* the row, and where it begins */
    core_top_t top;
    lane_rows rows; /* the same one, at each temperature */
    lane_totals total, weighted;
    core_two_float scales[LANES]; /* 1 / sum, or ln(sum) */
} sweep;

/* ---------------------------------------------------------------- Segments */

/* Classes of the segment from `begin` on. */
static size_t segment_length(const sweep *s, uint64_t begin)
{
    uint64_t left = s->call->problem->classes - begin;
    return left < s->segment ? (size_t)left : s->segment;
}

/* Reads the segment, as an ordinary row has it if the maximum is known. */
static void load(sweep *s, uint64_t begin, int is_known)
{
    const clsoftmax_problem *p = s->call->problem;
    size_t length = segment_length(s, begin);
    cpu_load(p->logits_dtype, s->call->arguments->logits, s->logits + begin * p->logits_layout.class_stride,
             p->logits_layout.class_stride, length, s->x);
    if (is_known && s->rows.kind[0] == CORE_ROW_TIES)
        for (size_t i = 0; i < length; i++)
            s->x[i] = core_tie(s->x[i], s->rows.ties_at[0]);
}

/* ---------------------------------------------------------------- Maximum */

static void find_top(sweep *s)
{
    const clsoftmax_problem *p = s->call->problem;
    lane_tops lanes;
    memset(&lanes, 0, sizeof lanes); /* CORE_KEY_NEGATIVE_INFINITY */
    s->top = (core_top_t){CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0};
    for (uint64_t begin = 0; begin < p->classes; begin += s->segment) {
        size_t length = segment_length(s, begin);
        load(s, begin, 0);
        if (p->statistics)
            add_lane_tops(s->x, length, (uint32_t)(begin / CPU_VECTOR), &lanes);
        else
            add_lane_keys(s->x, length, lanes.key);
    }
    if (p->statistics)
        s->top = top_of_lanes(&lanes);
    else
        s->top.key = largest_of_lanes(lanes.key);
    for (size_t k = 0; k < LANES; k++)
        s->rows.key[k] = s->top.key;
    set_lane_rows(&s->rows, &s->temperatures, 0, s->call->policies, LANES);
    if (s->whole && s->rows.kind[0] == CORE_ROW_TIES)
        load(s, 0, 1);
}

/* ---------------------------------------------------------------- Sums */

/* Adds the segment's exponentials at a temperature, which are left in the scratch memory if that is what results are made of. levels:
   a constant, for the loops' sake. */
INLINE void add_sums(sweep *s, size_t k, size_t length, int levels)
{
    const core_distance_t distance = core_distance(lane_temperature(&s->temperatures, k), s->rows.maximum[k]);
    const core_row_t row = lane_row(&s->rows, k);
    size_t step = s->whole && s->call->problem->operation == CLSOFTMAX_OPERATION_SOFTMAX ? 1 : 0;
    core_total_t total = {0, 0, 0}, weighted = {0, 0, 0};
    vector_sums sums = {.added = 0}, weighted_sums = {.added = 0};
    for (size_t i = 0; i < length; i += CPU_BLOCK) {
        size_t count = length - i < CPU_BLOCK ? length - i : CPU_BLOCK;
        float *high = s->high + i * step, *low = s->low + i * step;
        add_exponentials(s->x + i, count, row, levels, high, low, &sums, &total, (const char *)s->x);
        if (s->call->problem->statistics)
            add_weighted(s->x + i, high, low, count, distance, levels, &weighted_sums, &weighted);
    }
    flush_sums(&sums, levels, &total);
    if (s->call->problem->statistics)
        flush_sums(&weighted_sums, levels, &weighted);
    s->total.high[k] += total.high;
    s->total.low[k] += total.low;
    s->total.lowest[k] += total.lowest;
    s->weighted.high[k] += weighted.high;
    s->weighted.low[k] += weighted.low;
    s->weighted.lowest[k] += weighted.lowest;
}

static void add_segment(sweep *s, size_t k, size_t length)
{
    if (s->levels == 2)
        add_sums(s, k, length, 2);
    else
        add_sums(s, k, length, 3);
}

static void finish_sums(sweep *s, size_t k)
{
    if (s->call->problem->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
        s->scales[k] = lane_log_sum(&s->rows, &s->total, s->levels, k);
    else
        s->scales[k] = core_reciprocal(core_total_value(lane_total(&s->total, k)));
}

/* ---------------------------------------------------------------- Results */

static void write_results(const sweep *s, size_t k, uint64_t begin)
{
    const clsoftmax_problem *p = s->call->problem;
    const uint64_t stride = p->results_layout.class_stride;
    const int pairs = s->whole && p->operation == CLSOFTMAX_OPERATION_SOFTMAX;
    void *array = s->call->arguments->results;
    float results[CPU_BLOCK];
    size_t length = segment_length(s, begin);
    uint64_t first = s->results + (s->first + k) * p->sweep_stride + begin * stride;
    for (size_t i = 0; i < length; i += CPU_BLOCK) {
        size_t count = length - i < CPU_BLOCK ? length - i : CPU_BLOCK;
        if (pairs) {
            store_probabilities(p->results_dtype, array, first + i * stride, stride, count, s->stream, s->high + i,
                                s->low + i, s->scales[k]);
            continue;
        }
        if (p->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
            log_probabilities(s->x + i, count, core_log_row(lane_temperature(&s->temperatures, k), s->rows.maximum[k]),
                              s->scales[k], results);
        else
            probabilities(s->x + i, count, lane_row(&s->rows, k), s->scales[k], results);
        cpu_store(p->results_dtype, array, first + i * stride, stride, count, s->stream, results);
    }
}

/* Of a row that is not computed. */
static void fill_results(const sweep *s, size_t k)
{
    const clsoftmax_problem *p = s->call->problem;
    float fill[CPU_BLOCK];
    for (size_t i = 0; i < CPU_BLOCK; i++)
        fill[i] = cpu_fill_value(p, s->rows.kind[k]);
    uint64_t first = s->results + (s->first + k) * p->sweep_stride;
    for (uint64_t i = 0; i < p->classes; i += CPU_BLOCK)
        cpu_store(p->results_dtype, s->call->arguments->results, first + i * p->results_layout.class_stride,
                  p->results_layout.class_stride, p->classes - i < CPU_BLOCK ? (size_t)(p->classes - i) : CPU_BLOCK,
                  s->stream, fill);
}

/* ---------------------------------------------------------------- Statistics */

/* Of the row at all temperatures, which are the lanes. */
static void write_statistics(const sweep *s)
{
    const clsoftmax_problem *p = s->call->problem;
    const clsoftmax_arguments *arguments = s->call->arguments;
    core_row_sums_t read[LANES];
    clsoftmax_statistics records[LANES];
    const core_row_sums_t row = {.top = s->top, .label_logit = cpu_label_logit(s->call, s->row, s->logits)};
    for (size_t k = 0; k < LANES; k++)
        read[k] = row;
    compute_lane_records(&s->rows, &s->temperatures, read, &s->total, &s->weighted, s->levels, padded(s->count),
                         records);
    for (size_t k = 0; k < s->count; k++)
        arguments->statistics[(s->first + k) * cls_problem_rows(p) + s->row] = records[k];
}

/* ---------------------------------------------------------------- Rows */

/* A row whose logits stay in the scratch memory. */
static void compute_whole(sweep *s)
{
    size_t length = segment_length(s, 0);
    for (size_t k = 0; k < s->count; k++) {
        add_segment(s, k, length);
        if (s->call->problem->operation == CLSOFTMAX_OPERATION_NONE)
            continue;
        finish_sums(s, k);
        write_results(s, k, 0);
    }
}

static void compute_segments(sweep *s)
{
    const clsoftmax_problem *p = s->call->problem;
    for (uint64_t begin = 0; begin < p->classes; begin += s->segment) {
        load(s, begin, 1);
        for (size_t k = 0; k < s->count; k++)
            add_segment(s, k, segment_length(s, begin));
    }
    if (p->operation == CLSOFTMAX_OPERATION_NONE)
        return;
    for (size_t k = 0; k < s->count; k++)
        finish_sums(s, k);
    for (uint64_t begin = 0; begin < p->classes; begin += s->segment) {
        load(s, begin, 1);
        for (size_t k = 0; k < s->count; k++)
            write_results(s, k, begin);
    }
}

static void compute_row(sweep *s, uint64_t row)
{
    const clsoftmax_problem *p = s->call->problem;
    s->row = row;
    s->logits = cls_layout_row(p, &p->logits_layout, row);
    s->results = cls_layout_row(p, &p->results_layout, row);
    memset(&s->total, 0, sizeof s->total);
    memset(&s->weighted, 0, sizeof s->weighted);
    find_top(s);
    if (!core_row_is_computed(s->rows.kind[0])) /* which temperatures do not change */
        for (size_t k = 0; k < s->count && p->operation != CLSOFTMAX_OPERATION_NONE; k++)
            fill_results(s, k);
    else if (s->whole)
        compute_whole(s);
    else
        compute_segments(s);
    if (p->statistics)
        write_statistics(s);
}

static void begin_temperatures(sweep *s, uint64_t first)
{
    uint64_t left = s->call->problem->sweep - first;
    s->first = first;
    s->count = left < LANES ? (size_t)left : LANES;
    for (size_t k = 0; k < LANES; k++) {
        float temperature = k < s->count ? s->call->arguments->temperatures[first + k] : 1.0f;
        set_lane_temperature(&s->temperatures, k, temperature, core_temperature(temperature));
    }
}

uint64_t CPU_FUNCTION(cls_cpu_sweep)(const cpu_call *call, uint64_t begin, uint64_t end, const cpu_scratch *scratch)
{
    cpu_stream stream = {.line = NULL};
    size_t segment = scratch->floats / 3 / CPU_BLOCK * CPU_BLOCK;
    sweep s = {.call = call, .levels = cpu_sum_levels(call->problem), .segment = segment};
    s.stream = call->stream ? &stream : NULL;
    s.whole = call->problem->classes <= segment;
    s.x = scratch->room;
    s.high = s.x + segment;
    s.low = s.high + segment;
    for (uint64_t first = 0; first < call->problem->sweep; first += LANES) {
        begin_temperatures(&s, first);
        for (uint64_t row = begin; row < end; row++)
            compute_row(&s, row);
    }
    if (s.stream)
        cpu_stream_end(&stream);
    return 0;
}
