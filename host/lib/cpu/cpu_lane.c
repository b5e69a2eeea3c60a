/*
 * lane and column on the CPU: CPU_LANES rows side by side, class by class.
 *
 * Everything about a row is an array of lanes, so that what is done once a row is vectorised, too; that is most of the work
 * of a row of ten classes. Rows of neighbouring columns stand side by side in memory already; rows of neighbouring classes
 * are transposed, a tile of rows at a time, in and out.
 */
#include "../problem.h"
#include "cpu_dtype.h"
#include "cpu_transpose.h"

#define LANES CPU_LANES
#define FOR_LANES _Pragma("omp simd") for (size_t l = 0; l < LANES; l++)
#define INLINE static inline __attribute__((always_inline))

/* The integer sums of each lane: 32 bits, and what those are flushed into. */
typedef struct lane_sums {
    uint32_t high[LANES], low[LANES], lowest[LANES];
} lane_sums;

typedef struct lane_totals {
    int64_t high[LANES], low[LANES], lowest[LANES];
} lane_totals;

/* LANES rows. Lanes beyond `count` are idle: masks throughout. */
typedef struct __attribute__((aligned(64))) tile {
    float temperature[LANES];
    float prepared_scale[LANES], prepared_high[LANES], prepared_low[LANES], prepared_span[LANES];
    uint32_t key[LANES], second_key[LANES];
    int64_t index[LANES];
    int32_t kind[LANES];
    float maximum[LANES], ties_at[LANES];
    float scale[LANES], base[LANES], reciprocal_high[LANES], reciprocal_low[LANES], lowest[LANES], magic[LANES];
    lane_totals total, weighted;
    float sum_high[LANES], sum_low[LANES]; /* 1 / sum, or ln(sum) */

    const cpu_call *call;
    uint64_t row;             /* the first */
    size_t count;             /* of rows */
    uint64_t logits, results; /* where the first row begins; the others lane_stride further each */
    uint64_t logits_lane_stride, results_lane_stride;
    int transposed; /* classes are neighbours, not lanes */
    size_t packed;  /* rows that are transposed as one */
    int keep;       /* the whole tile is in the scratch memory, as classes x lanes */
    int levels;
    int ties; /* a lane is a row of ties */
    float *high, *low;
} tile;

/* ---------------------------------------------------------------- Tiles that are transposed */

/* The most classes of one; and what reads and writes of whole vectors touch behind it. */
#define MOST_CLASSES 64
#define ROWS_BUFFER (LANES * MOST_CLASSES + VECTOR)

/* Rows of neighbouring classes -> t->high, as classes x lanes. */
static void load_transposed(const tile *t)
{
    const clsoftmax_problem *p = t->call->problem;
    float rows[ROWS_BUFFER];
    size_t classes = (size_t)p->classes;
    if (t->logits_lane_stride == classes)
        cpu_load(p->logits_dtype, t->call->arguments->logits, t->logits, 1, t->count * classes, rows);
    else
        for (size_t r = 0; r < t->count; r++)
            cpu_load(p->logits_dtype, t->call->arguments->logits, t->logits + r * t->logits_lane_stride, 1, classes,
                     rows + r * classes);
    for (size_t i = t->count * classes; i < LANES * classes + VECTOR; i++)
        rows[i] = -CORE_INFINITY;
    rows_to_lanes(rows, classes, t->high);
}

/* t->high as classes x lanes -> rows of neighbouring classes. */
static void store_transposed(const tile *t)
{
    const clsoftmax_problem *p = t->call->problem;
    float rows[ROWS_BUFFER];
    size_t classes = (size_t)p->classes;
    lanes_to_rows(t->high, classes, rows);
    int contiguous = t->results_lane_stride == classes;
    size_t run = contiguous ? t->count * classes : classes;
    for (size_t r = 0; r < (contiguous ? 1 : t->count); r++)
        for (size_t i = 0; i < run; i += CPU_BLOCK)
            cpu_store(p->results_dtype, t->call->arguments->results, t->results + r * t->results_lane_stride + i, 1,
                      run - i < CPU_BLOCK ? run - i : CPU_BLOCK, contiguous && t->call->stream, rows + r * classes + i);
}

/* ---------------------------------------------------------------- A class of all lanes */

/* The logits of class c as they are. */
static void load_class(const tile *t, uint64_t c, float *x)
{
    const clsoftmax_problem *p = t->call->problem;
    uint64_t first = t->logits + c * p->logits_layout.class_stride;
    if (p->logits_dtype == CLSOFTMAX_F32 && t->count == LANES && t->logits_lane_stride == 1) {
        memcpy(x, (const float *)t->call->arguments->logits + first, LANES * sizeof *x);
        return;
    }
    for (size_t l = t->count; l < LANES; l++)
        x[l] = -CORE_INFINITY;
    cpu_load(p->logits_dtype, t->call->arguments->logits, first, t->logits_lane_stride, t->count, x);
}

/* Classes that stand far apart are on pages of their own, where no processor reads ahead by itself. */
#define AHEAD 16

static void prefetch_class(const tile *t, uint64_t c)
{
    const clsoftmax_problem *p = t->call->problem;
    if (c >= p->classes || t->logits_lane_stride != 1)
        return;
    size_t size = cpu_element_size(p->logits_dtype);
    const char *first =
        (const char *)t->call->arguments->logits + (t->logits + c * p->logits_layout.class_stride) * size;
    for (size_t i = 0; i < t->count * size; i += 64)
        __builtin_prefetch(first + i);
}

/* The same as ordinary rows have them: in the scratch memory, or in `buffer`. */
static const float *ordinary_class(const tile *t, uint64_t c, float *buffer)
{
    if (t->keep)
        return t->high + c * LANES;
    load_class(t, c, buffer);
    if (t->ties)
        FOR_LANES buffer[l] = t->kind[l] == CORE_ROW_TIES ? core_tie(buffer[l], t->ties_at[l]) : buffer[l];
    return buffer;
}

static void store_class(const tile *t, uint64_t c, const float *p)
{
    const clsoftmax_problem *problem = t->call->problem;
    uint64_t first = t->results + c * problem->results_layout.class_stride;
    float *f32 = (float *)((char *)t->call->arguments->results + first * cpu_element_size(problem->results_dtype));
    int whole = problem->results_dtype == CLSOFTMAX_F32 && t->count == LANES && t->results_lane_stride == 1;
    if (whole && t->call->stream && (uintptr_t)f32 % 64 == 0)
        cpu_stream(f32, p, LANES * sizeof *p);
    else if (whole)
        memcpy(f32, p, LANES * sizeof *p);
    else
        cpu_store(problem->results_dtype, t->call->arguments->results, first, t->results_lane_stride, t->count, 0, p);
}

INLINE core_temperature_t lane_temperature(const tile *t, size_t l)
{
    core_temperature_t temperature = {
        t->prepared_scale[l], {t->prepared_high[l], t->prepared_low[l]}, t->prepared_span[l]};
    return temperature;
}

INLINE core_row_t lane_row(const tile *t, size_t l)
{
    core_row_t row = {t->scale[l], t->base[l], t->reciprocal_high[l], t->reciprocal_low[l], t->lowest[l], t->magic[l]};
    return row;
}

/* ---------------------------------------------------------------- Maximum */

static void find_tops(tile *t)
{
    float buffer[LANES];
    memset(t->key, 0, sizeof t->key); /* CORE_KEY_NEGATIVE_INFINITY */
    memset(t->second_key, 0, sizeof t->second_key);
    memset(t->index, 0, sizeof t->index);
    if (t->transposed)
        load_transposed(t);
    for (uint64_t c = 0; c < t->call->problem->classes; c++) {
        float *x = t->keep ? t->high + c * LANES : buffer;
        if (!t->transposed) {
            prefetch_class(t, c + AHEAD);
            load_class(t, c, x);
        }
        if (t->call->problem->statistics) {
            FOR_LANES
            {
                uint32_t key = core_top_key(x[l]), smaller = CORE_SMALLER(key, t->key[l]);
                t->second_key[l] = CORE_LARGER(smaller, t->second_key[l]);
                t->index[l] = key > t->key[l] ? (int64_t)c : t->index[l];
                t->key[l] = CORE_LARGER(key, t->key[l]);
            }
        } else {
            FOR_LANES
            {
                uint32_t key = core_key(x[l]);
                t->key[l] = CORE_LARGER(key, t->key[l]);
            }
        }
    }
}

static void set_temperature(tile *t, size_t l, float temperature, core_temperature_t prepared)
{
    t->temperature[l] = temperature;
    t->prepared_scale[l] = prepared.scale;
    t->prepared_high[l] = prepared.reciprocal.high;
    t->prepared_low[l] = prepared.reciprocal.low;
    t->prepared_span[l] = prepared.span;
}

/* Of the tile's rows where each has its own; returns how many are none. */
static uint64_t set_temperatures(tile *t)
{
    uint64_t invalid = 0;
    for (size_t l = 0; l < LANES; l++) {
        if (row_on_lane(t->packed, l) >= t->count)
            continue;
        float temperature = t->call->arguments->temperatures[t->row + row_on_lane(t->packed, l)];
        set_temperature(t, l, temperature, core_temperature(temperature));
        invalid += temperature >= 0 ? 0 : 1;
    }
    return invalid;
}

/* What the maxima make of the rows. */
static void set_rows(tile *t)
{
    int32_t ties = 0;
    uint32_t policies = t->call->policies;
#pragma omp simd reduction(| : ties)
    for (size_t l = 0; l < LANES; l++) {
        core_setting_t set = core_setting(t->key[l], t->temperature[l], lane_temperature(t, l), policies);
        t->kind[l] = set.kind;
        t->maximum[l] = set.maximum;
        t->ties_at[l] = set.ties_at;
        t->scale[l] = set.row.scale;
        t->base[l] = set.row.base;
        t->reciprocal_high[l] = set.row.reciprocal_high;
        t->reciprocal_low[l] = set.row.reciprocal_low;
        t->lowest[l] = set.row.lowest;
        t->magic[l] = set.row.magic;
        ties |= set.kind == CORE_ROW_TIES;
    }
    t->ties = ties;
    for (uint64_t c = 0; ties && t->keep && c < t->call->problem->classes; c++) {
        float *x = t->high + c * LANES;
        FOR_LANES x[l] = t->kind[l] == CORE_ROW_TIES ? core_tie(x[l], t->ties_at[l]) : x[l];
    }
}

/* ---------------------------------------------------------------- Sums */

static void flush(lane_sums *sums, uint32_t added, int levels, lane_totals *totals)
{
    FOR_LANES
    {
        core_lanes_total total =
            core_sum_flush((core_sum_t){sums->high[l], sums->low[l], sums->lowest[l]}, added, levels);
        totals->high[l] += total.high;
        totals->low[l] += total.low;
        totals->lowest[l] += total.lowest;
    }
    memset(sums, 0, sizeof *sums);
}

/* Adds the exponentials of a class; leaves them in high and low, which may be x and anything. */
INLINE void add_exponentials(const tile *t, const float *x, int levels, lane_sums *sums, float *high, float *low)
{
    FOR_LANES
    {
        core_pair e = core_exponential(x[l], lane_row(t, l));
        core_sum_t sum = {sums->high[l], sums->low[l], sums->lowest[l]};
        sum = core_sum_add(sum, e, levels);
        sums->high[l] = sum.high;
        sums->low[l] = sum.low;
        if (levels == 3)
            sums->lowest[l] = sum.lowest;
        high[l] = e.high;
        low[l] = e.low;
    }
}

static void add_weighted(const tile *t, const float *x, lane_sums *sums)
{
    FOR_LANES
    {
        core_log_row_t distance = core_distance_row(lane_temperature(t, l), t->maximum[l]);
        core_pair weighted = core_weighted(core_exponential(x[l], lane_row(t, l)), x[l], distance);
        core_sum_t sum = {sums->high[l], sums->low[l], sums->lowest[l]};
        sum = core_sum_add(sum, weighted, t->levels);
        sums->high[l] = sum.high;
        sums->low[l] = sum.low;
        sums->lowest[l] = sum.lowest;
    }
}

/* Exponentials take the place of the logits in the scratch memory, unless those are needed for logarithms. */
static void sum_exponentials(tile *t)
{
    const clsoftmax_problem *p = t->call->problem;
    int pairs = t->keep && p->operation != CLSOFTMAX_OPERATION_LOG_SOFTMAX;
    _Alignas(64) float buffer[LANES], high[LANES], low[LANES];
    _Alignas(64) lane_sums sums = {{0}, {0}, {0}}, weighted = sums;
    memset(&t->total, 0, sizeof t->total);
    memset(&t->weighted, 0, sizeof t->weighted);
    for (uint64_t c = 0; c < p->classes; c++) {
        const float *x = ordinary_class(t, c, buffer);
        if (p->statistics)
            add_weighted(t, x, &weighted);
        float *e_high = pairs ? t->high + c * LANES : high, *e_low = pairs ? t->low + c * LANES : low;
        if (t->levels == 2)
            add_exponentials(t, x, 2, &sums, e_high, e_low);
        else
            add_exponentials(t, x, 3, &sums, e_high, e_low);
        uint32_t added = (uint32_t)(c % CORE_FLUSH_AFTER) + 1;
        if (added == CORE_FLUSH_AFTER || c + 1 == p->classes) {
            flush(&sums, added, t->levels, &t->total);
            if (p->statistics)
                flush(&weighted, added, t->levels, &t->weighted);
        }
    }
}

INLINE core_total_t lane_total(const lane_totals *totals, size_t l)
{
    core_total_t total = {totals->high[l], totals->low[l], totals->lowest[l]};
    return total;
}

static core_setting_t lane_setting(const tile *t, size_t l)
{
    return core_setting(t->key[l], t->temperature[l], lane_temperature(t, l), t->call->policies);
}

static void finish_sums(tile *t)
{
    if (t->call->problem->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
        for (size_t l = 0; l < LANES; l++) {
            core_two_float logarithm = core_log_sum(lane_setting(t, l), lane_total(&t->total, l), t->levels);
            t->sum_high[l] = logarithm.high;
            t->sum_low[l] = logarithm.low;
        }
    else
        FOR_LANES
        {
            core_two_float reciprocal = core_reciprocal(core_total_value(lane_total(&t->total, l)));
            t->sum_high[l] = reciprocal.high;
            t->sum_low[l] = reciprocal.low;
        }
}

static void write_statistics(const tile *t)
{
    const clsoftmax_problem *p = t->call->problem;
    const clsoftmax_arguments *arguments = t->call->arguments;
    for (size_t l = 0; l < LANES; l++) {
        size_t row = row_on_lane(t->packed, l);
        if (row >= t->count)
            continue;
        int64_t label = arguments->labels ? arguments->labels[t->row + row] : -1;
        core_row_sums_t sums = {{t->key[l], t->second_key[l], t->index[l]},
                                lane_total(&t->total, l),
                                lane_total(&t->weighted, l),
                                core_float_of_bits(CORE_NAN_BITS)};
        if (label >= 0 && (uint64_t)label < p->classes)
            cpu_load(p->logits_dtype, arguments->logits,
                     t->logits + row * t->logits_lane_stride + (uint64_t)label * p->logits_layout.class_stride, 1, 1,
                     &sums.label_logit);
        arguments->statistics[t->row + row] = cpu_statistics(t->call, lane_setting(t, l), sums);
    }
}

/* ---------------------------------------------------------------- Results */

/* x may be p. */
static void log_probabilities(const tile *t, const float *x, float *p)
{
    FOR_LANES
    {
        core_log_row_t row = core_log_row(lane_temperature(t, l), t->maximum[l]);
        core_two_float logarithm = {t->sum_high[l], t->sum_low[l]};
        p[l] = core_log_probability(x[l], row, logarithm);
    }
}

static void probabilities_of_pairs(const tile *t, float *high, const float *low)
{
    FOR_LANES
    {
        core_pair e = {high[l], low[l]};
        high[l] = core_probability(e, t->sum_high[l], t->sum_low[l]);
    }
}

static void probabilities(const tile *t, const float *x, float *p)
{
    FOR_LANES p[l] = core_probability(core_exponential(x[l], lane_row(t, l)), t->sum_high[l], t->sum_low[l]);
}

static void write_results(const tile *t)
{
    const clsoftmax_problem *problem = t->call->problem;
    float buffer[LANES], fill[LANES];
    int all_computed = 1;
    for (size_t l = 0; l < LANES; l++) {
        fill[l] = cpu_fill_value(problem, t->kind[l]);
        all_computed &= core_row_is_computed(t->kind[l]);
    }
    for (uint64_t c = 0; c < problem->classes; c++) {
        float *p = t->keep ? t->high + c * LANES : buffer;
        if (problem->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
            log_probabilities(t, ordinary_class(t, c, buffer), p);
        else if (t->keep)
            probabilities_of_pairs(t, p, t->low + c * LANES);
        else
            probabilities(t, ordinary_class(t, c, buffer), p);
        if (!all_computed)
            FOR_LANES p[l] = core_row_is_computed(t->kind[l]) ? p[l] : fill[l];
        if (!t->transposed)
            store_class(t, c, p);
    }
    if (t->transposed)
        store_transposed(t);
}

/* ---------------------------------------------------------------- Tiles */

/* As many rows from `row` on as stand one lane stride apart, below `end`. */
static void begin_tile(tile *t, uint64_t row, uint64_t end)
{
    const clsoftmax_problem *p = t->call->problem;
    uint64_t left = end - row, column = row % p->inner;
    if (p->inner > 1 && left > p->inner - column)
        left = p->inner - column;
    t->row = row;
    t->count = left < LANES ? (size_t)left : LANES;
    t->logits = cls_layout_row(p, &p->logits_layout, row);
    t->results = cls_layout_row(p, &p->results_layout, row);
}

uint64_t CPU_FUNCTION(cls_cpu_lane)(const cpu_call *call, uint64_t begin, uint64_t end, const cpu_scratch *scratch)
{
    const clsoftmax_problem *p = call->problem;
    const clsoftmax_layout *x = &p->logits_layout, *y = &p->results_layout;
    tile t = {.call = call, .high = scratch->high, .low = scratch->low, .levels = cpu_sum_levels(p)};
    t.logits_lane_stride = p->inner > 1 ? x->inner_stride : x->outer_stride;
    t.results_lane_stride = p->inner > 1 ? y->inner_stride : y->outer_stride;
    t.transposed = p->inner == 1 && x->class_stride == 1 && y->class_stride == 1 && p->classes <= MOST_CLASSES;
    t.packed = t.transposed ? packed_rows((size_t)p->classes) : 1;
    t.keep = p->classes <= scratch->pairs / LANES;
    for (size_t l = 0; l < LANES; l++)
        set_temperature(&t, l, call->arguments->temperature, core_temperature(call->arguments->temperature));
    uint64_t invalid = 0;
    for (uint64_t row = begin; row < end; row += t.count) {
        begin_tile(&t, row, end);
        find_tops(&t);
        if (p->temperature_per_row)
            invalid += set_temperatures(&t);
        set_rows(&t);
        sum_exponentials(&t);
        finish_sums(&t);
        if (p->statistics) /* before the results, which may take the place of the label's logit */
            write_statistics(&t);
        if (p->operation != CLSOFTMAX_OPERATION_NONE)
            write_results(&t);
    }
    if (call->stream)
        cpu_stream_end();
    return invalid;
}
