/*
 * lane and column on the CPU: CPU_LANES rows side by side, class by class.
 *
 * Everything about a row is an array of lanes (cpu_tile.h), so that what is done once a row is vectorised, too; that is most of
 * the work of a row of ten classes.
 */
#include "cpu_tile.h"

/* ---------------------------------------------------------------- Maximum */

static void add_key(tile *t, const float *x)
{
    FOR_LANES
    {
        uint32_t key = core_key(x[l]);
        t->rows.key[l] = CORE_LARGER(key, t->rows.key[l]);
    }
}

static void add_top(tile *t, uint64_t c, const float *x)
{
    FOR_LANES
    {
        uint32_t key = core_top_key(x[l]), smaller = CORE_SMALLER(key, t->rows.key[l]);
        t->second_key[l] = CORE_LARGER(smaller, t->second_key[l]);
        t->index[l] = key > t->rows.key[l] ? (int64_t)c : t->index[l];
        t->rows.key[l] = CORE_LARGER(key, t->rows.key[l]);
    }
}

/* Of `count` classes, which a vector of lanes goes through with its keys in a register. */
static void add_keys(tile *t, const float *x, size_t count)
{
    for (size_t first = 0; first < LANES; first += CPU_VECTOR) {
        uint32_t largest[CPU_VECTOR];
        memcpy(largest, t->rows.key + first, sizeof largest);
        for (size_t c = 0; c < count; c++) {
#pragma omp simd
            for (size_t i = 0; i < CPU_VECTOR; i++) {
                uint32_t key = core_key(x[c * LANES + first + i]);
                largest[i] = CORE_LARGER(key, largest[i]);
            }
        }
        memcpy(t->rows.key + first, largest, sizeof largest);
    }
}

/* Of a whole tile of f32 that is not transposed: the same, where the classes stand. keep: a constant. */
INLINE void add_classes_keys(tile *t, int keep)
{
    const clsoftmax_problem *p = t->call->problem;
    const uint64_t stride = p->logits_layout.class_stride;
    const float *x = (const float *)t->call->arguments->logits + t->logits;
    uint32_t largest[LANES];
    memcpy(largest, t->rows.key, sizeof largest);
    for (uint64_t c = 0; c < p->classes; c++, x += stride) {
        float *kept = t->logits_kept + c * LANES;
        if (c + AHEAD < p->classes)
            cpu_prefetch_far(x + AHEAD * stride, LANES * sizeof *x);
        FOR_LANES
        {
            uint32_t key = core_key(x[l]);
            largest[l] = CORE_LARGER(key, largest[l]);
            if (keep)
                kept[l] = x[l];
        }
    }
    memcpy(t->rows.key, largest, sizeof largest);
}

static void find_tops(tile *t)
{
    float buffer[LANES];
    int statistics = t->call->problem->statistics;
    memset(t->rows.key, 0, sizeof t->rows.key); /* CORE_KEY_NEGATIVE_INFINITY */
    if (statistics) {
        memset(t->second_key, 0, sizeof t->second_key);
        memset(t->index, 0, sizeof t->index);
    }
    if (t->transposed)
        load_transposed(t);
    if (t->transposed && !statistics)
        add_keys(t, t->logits_kept, (size_t)t->call->problem->classes);
    else if (!statistics && is_whole_f32(t) && t->keep)
        add_classes_keys(t, 1);
    else if (!statistics && is_whole_f32(t))
        add_classes_keys(t, 0);
    else
        for (uint64_t c = 0; c < t->call->problem->classes; c++) {
            float *x = t->keep ? t->logits_kept + c * LANES : buffer;
            if (!t->transposed) {
                prefetch_class(t, c + AHEAD);
                load_class(t, c, x);
            }
            if (statistics)
                add_top(t, c, x);
            else
                add_key(t, x);
        }
}

/* Of the tile's rows where each has its own; returns how many are none. */
static uint64_t set_own_temperatures(tile *t)
{
    uint64_t invalid = 0;
    for (size_t l = 0; l < LANES; l++) {
        if (row_on_lane(t->packed, l) >= t->count)
            continue;
        float temperature = t->call->arguments->temperatures[t->row + row_on_lane(t->packed, l)];
        set_lane_temperature(&t->temperatures, l, temperature, core_temperature(temperature));
        invalid += temperature >= 0 ? 0 : 1;
    }
    return invalid;
}

/* What the maxima make of the rows. */
static void set_rows(tile *t)
{
    set_lane_rows(&t->rows, &t->temperatures, !t->call->problem->temperature_per_row, t->call->policies, LANES);
    /* Rows of the same temperature differ in their base alone. */
    int32_t ties = 0, plain = !t->call->problem->temperature_per_row && core_row_is_plain(lane_row(&t->rows, 0));
#pragma omp simd reduction(| : ties) reduction(& : plain)
    for (size_t l = 0; l < LANES; l++) {
        ties |= t->rows.kind[l] == CORE_ROW_TIES;
        plain &= t->rows.base[l] == 0;
    }
    t->are_plain = plain;
    int have_been = t->ties; /* at another temperature, which changes nothing of them */
    t->ties = ties;
    for (uint64_t c = 0; ties && !have_been && t->keep && c < t->call->problem->classes; c++)
        make_ordinary(t, t->logits_kept + c * LANES);
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

/* Adds the exponentials of `lanes` x `classes`, the lanes from `first` on; leaves them in high and low. x, high and low: where those begin
   in classes x LANES; high may be x, low anything. The numbers are constants; CPU_STRIP elements at most go step by step. */
INLINE void add_block(const tile *t, size_t first, size_t lanes, size_t classes, int levels, int are_plain,
                      const float *x, lane_sums *sums, float *high, float *low)
{
    _Alignas(64) float r[CPU_STRIP], r_low[CPU_STRIP], rounded[CPU_STRIP], q[CPU_STRIP];
#pragma GCC unroll 8
    for (size_t c = 0; c < classes; c++)
#pragma omp simd
        for (size_t l = 0; l < lanes; l++) {
            const core_row_t row = lane_row(&t->rows, first + l);
            core_reduced reduced =
                are_plain ? core_reduce_plain(x[c * LANES + l], row) : core_reduce(x[c * LANES + l], row);
            r[c * lanes + l] = reduced.r;
            r_low[c * lanes + l] = reduced.r_low;
            rounded[c * lanes + l] = reduced.rounded;
        }
#pragma omp simd
    for (size_t i = 0; i < classes * lanes; i++)
        q[i] = core_polynomial(r[i]);
#pragma GCC unroll 8
    for (size_t c = 0; c < classes; c++)
#pragma omp simd
        for (size_t l = 0; l < lanes; l++) {
            size_t i = c * lanes + l;
            core_pair e = core_reconstruct((core_reduced){r[i], r_low[i], rounded[i]}, q[i]);
            high[c * LANES + l] = e.high;
            low[c * LANES + l] = e.low;
        }
#pragma omp simd
    for (size_t l = 0; l < lanes; l++) {
        core_sum_t sum = {sums->high[first + l], sums->low[first + l], sums->lowest[first + l]};
#pragma GCC unroll 8
        for (size_t c = 0; c < classes; c++)
            sum = core_sum_add(sum, (core_pair){high[c * LANES + l], low[c * LANES + l]}, levels);
        sums->high[first + l] = sum.high;
        sums->low[first + l] = sum.low;
        if (levels == 3)
            sums->lowest[first + l] = sum.lowest;
    }
}

/* Of `classes` from c on, a constant: one, or STRIP, of which a vector of lanes goes through all with its row and its sums in registers. */
INLINE void add_exponentials(const tile *t, uint64_t c, size_t classes, int levels, int are_plain, const float *x,
                             lane_sums *sums, float *high, float *low)
{
    const size_t vectors = LANES / CPU_VECTOR;
    if (classes == 1) {
        prefetch_next(t, c, 1);
        add_block(t, 0, LANES, 1, levels, are_plain, x, sums, high, low);
        return;
    }
    for (size_t v = 0; v < vectors; v++) {
        size_t first = v * CPU_VECTOR;
        add_block(t, first, CPU_VECTOR, STRIP, levels, are_plain, x + first, sums, high + first, low + first);
        prefetch_next(t, c + v * (STRIP / vectors), STRIP / vectors);
    }
}

/* Adds what an entropy sums, of logits and their exponentials. */
static void add_weighted(const tile *t, const float *x, const float *high, const float *low, lane_sums *sums)
{
    FOR_LANES
    {
        core_distance_t distance = core_distance(lane_temperature(&t->temperatures, l), t->rows.maximum[l]);
        core_pair e = {high[l], low[l]};
        core_sum_t sum = {sums->high[l], sums->low[l], sums->lowest[l]};
        sum = core_sum_add(sum, core_weighted(e, x[l], distance), t->levels);
        sums->high[l] = sum.high;
        sums->low[l] = sum.low;
        sums->lowest[l] = sum.lowest;
    }
}

/* What `count` classes from c on, a constant, add to the sums. */
INLINE void sum_classes(tile *t, uint64_t c, size_t count)
{
    const clsoftmax_problem *p = t->call->problem;
    int pairs = t->keep && p->operation != CLSOFTMAX_OPERATION_LOG_SOFTMAX;
    _Alignas(64) float buffer[STRIP * LANES], high[STRIP * LANES], low[STRIP * LANES];
    const float *x = ordinary_classes(t, c, count, buffer);
    float *e_high = pairs ? t->high + c * LANES : high, *e_low = pairs ? t->low + c * LANES : low;
    if (t->levels == 3)
        add_exponentials(t, c, count, 3, 0, x, &t->sums, e_high, e_low);
    else if (t->are_plain)
        add_exponentials(t, c, count, 2, 1, x, &t->sums, e_high, e_low);
    else
        add_exponentials(t, c, count, 2, 0, x, &t->sums, e_high, e_low);
    for (size_t i = 0; p->statistics && i < count * LANES; i += LANES)
        add_weighted(t, x + i, e_high + i, e_low + i, &t->weighted_sums);
    uint32_t added = (uint32_t)(c % CORE_FLUSH_AFTER + count);
    if (!t->short_sums && (added == CORE_FLUSH_AFTER || c + count == p->classes)) {
        flush(&t->sums, added, t->levels, &t->total);
        if (p->statistics)
            flush(&t->weighted_sums, added, t->levels, &t->weighted);
    }
}

static void sum_exponentials(tile *t)
{
    uint64_t c = 0, classes = t->call->problem->classes;
    memset(&t->sums, 0, sizeof t->sums);
    if (!t->short_sums) {
        memset(&t->weighted_sums, 0, sizeof t->weighted_sums);
        memset(&t->total, 0, sizeof t->total);
        memset(&t->weighted, 0, sizeof t->weighted);
    }
    for (; classes >= 2 * STRIP && c + STRIP <= classes; c += STRIP) /* of fewer, too many are left over */
        sum_classes(t, c, STRIP);
    for (; c < classes; c++)
        sum_classes(t, c, 1);
}

static void finish_short_sums(tile *t)
{
    uint32_t added = (uint32_t)t->call->problem->classes;
    FOR_LANES
    {
        core_two_float sum = core_short_total_value(t->sums.high[l], t->sums.low[l], added);
        set_lane_scale(&t->scales, l, core_reciprocal(sum));
    }
}

static void finish_sums(tile *t)
{
    if (t->short_sums)
        finish_short_sums(t);
    else if (t->call->problem->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
        set_lane_logarithms(&t->scales, &t->rows, &t->total, t->levels, LANES);
    else
        set_lane_reciprocals(&t->scales, &t->total, LANES);
}

/* The row's top and the label's logit. */
static core_row_sums_t row_of_lane(const tile *t, size_t l)
{
    size_t row = row_on_lane(t->packed, l);
    core_row_sums_t sums = {.top = {t->rows.key[l], t->second_key[l], t->index[l]},
                            .label_logit = core_float_of_bits(CORE_NAN_BITS)};
    if (row < t->count)
        sums.label_logit = cpu_label_logit(t->call, t->row + row, t->logits + row * t->logits_lane_stride);
    return sums;
}

/* In turn k. */
static void write_statistics(const tile *t, uint64_t k)
{
    core_row_sums_t read[LANES];
    clsoftmax_statistics records[LANES];
    clsoftmax_statistics *out = t->call->arguments->statistics + k * cls_problem_rows(t->call->problem) + t->row;
    for (size_t l = 0; l < LANES; l++)
        read[l] = row_of_lane(t, l);
    compute_lane_records(&t->rows, &t->temperatures, read, &t->total, &t->weighted, t->levels, LANES, records);
    for (size_t l = 0; l < LANES; l++)
        if (row_on_lane(t->packed, l) < t->count)
            out[row_on_lane(t->packed, l)] = records[l];
}

/* ---------------------------------------------------------------- Results */

/* x may be p. */
static void log_probabilities(const tile *t, const float *x, float *p)
{
    FOR_LANES
    {
        core_log_row_t row = core_log_row(lane_temperature(&t->temperatures, l), t->rows.maximum[l]);
        p[l] = core_log_probability(x[l], row, lane_scale(&t->scales, l));
    }
}

static void probabilities_of_pairs(const tile *t, float *high, const float *low)
{
    FOR_LANES
    {
        core_pair e = {high[l], low[l]};
        high[l] = core_probability(e, t->scales.high[l], t->scales.low[l]);
    }
}

static void probabilities(const tile *t, const float *x, float *p)
{
    FOR_LANES p[l] =
        core_probability(core_exponential(x[l], lane_row(&t->rows, l)), t->scales.high[l], t->scales.low[l]);
}

/* 1 if results are made of pairs, and can be where they belong: past the caches, those of each class are lines. */
static int is_written_at_once(const tile *t)
{
    const clsoftmax_problem *p = t->call->problem;
    if (p->operation != CLSOFTMAX_OPERATION_SOFTMAX || !t->keep || t->transposed || !has_whole_f32_results(t))
        return 0;
    const float *results = (const float *)t->call->arguments->results + t->results;
    int lines = (uintptr_t)results % CPU_LINE == 0 && p->results_layout.class_stride % CPU_VECTOR == 0;
    return lines || !t->stream;
}

static void write_at_once(const tile *t)
{
    const clsoftmax_problem *problem = t->call->problem;
    const uint64_t stride = problem->results_layout.class_stride;
    cpu_stream *stream = t->stream;
    float *p = (float *)t->call->arguments->results + t->results;
    for (uint64_t c = 0; c < problem->classes; c++, p += stride) {
        const float *high = t->high + c * LANES, *low = t->low + c * LANES;
        for (size_t first = 0; first < LANES; first += CPU_VECTOR) {
            _Alignas(CPU_LINE) float vector[CPU_VECTOR];
#pragma omp simd
            for (size_t l = 0; l < CPU_VECTOR; l++) {
                core_pair e = {high[first + l], low[first + l]};
                vector[l] = core_probability(e, t->scales.high[first + l], t->scales.low[first + l]);
            }
            cpu_write_line(stream, p + first, vector);
        }
    }
}

static void write_results(const tile *t)
{
    const clsoftmax_problem *problem = t->call->problem;
    float buffer[LANES], fill[LANES];
    int all_computed = 1;
    for (size_t l = 0; l < LANES; l++) {
        fill[l] = cpu_fill_value(problem, t->rows.kind[l]);
        all_computed &= core_row_is_computed(t->rows.kind[l]);
    }
    if (all_computed && is_written_at_once(t)) {
        write_at_once(t);
        return;
    }
    for (uint64_t c = 0; c < problem->classes; c++) {
        float *p = t->keep ? t->high + c * LANES : buffer;
        if (problem->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
            log_probabilities(t, ordinary_classes(t, c, 1, buffer), p);
        else if (t->keep)
            probabilities_of_pairs(t, p, t->low + c * LANES);
        else
            probabilities(t, ordinary_classes(t, c, 1, buffer), p);
        if (!all_computed)
            FOR_LANES p[l] = core_row_is_computed(t->rows.kind[l]) ? p[l] : fill[l];
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
    t->ties = 0;
    t->count = left < LANES ? (size_t)left : LANES;
    t->logits = cls_layout_row(p, &p->logits_layout, row);
    t->next = row + t->count < end ? cls_layout_row(p, &p->logits_layout, row + t->count) : NOWHERE;
    t->results = cls_layout_row(p, &p->results_layout, row);
}

/* The tile at its temperatures, in turn k. */
static void compute_tile(tile *t, uint64_t k)
{
    const clsoftmax_problem *p = t->call->problem;
    set_rows(t);
    sum_exponentials(t);
    finish_sums(t);
    if (p->statistics) /* before the results, which may take the place of the label's logit */
        write_statistics(t, k);
    if (p->operation != CLSOFTMAX_OPERATION_NONE)
        write_results(t);
}

/* What all tiles of a call have in common. */
static tile plan_tile(const cpu_call *call, const cpu_scratch *scratch)
{
    const clsoftmax_problem *p = call->problem;
    const clsoftmax_layout *x = &p->logits_layout, *y = &p->results_layout;
    int needs_logits = p->sweep > 0 || p->statistics;
    size_t classes = (size_t)p->classes, arrays = needs_logits ? 3 : 2;
    tile t = {.call = call, .levels = cpu_sum_levels(p)};
    t.logits_lane_stride = p->inner > 1 ? x->inner_stride : x->outer_stride;
    t.results_lane_stride = p->inner > 1 ? y->inner_stride : y->outer_stride;
    t.transposed = p->inner == 1 && x->class_stride == 1 && y->class_stride == 1 && p->classes <= MOST_CLASSES;
    t.packed = t.transposed ? packed_rows(classes) : 1;
    t.keep = p->classes <= scratch->floats / arrays / LANES;
    size_t kept = t.keep ? classes * LANES : 0;
    t.logits_kept = scratch->room;
    t.high = needs_logits ? t.logits_kept + kept : t.logits_kept;
    t.low = t.high + kept;
    t.short_sums = p->classes <= CORE_FLUSH_AFTER && p->operation == CLSOFTMAX_OPERATION_SOFTMAX && !p->statistics;
    return t;
}

uint64_t CPU_FUNCTION(cls_cpu_lane)(const cpu_call *call, uint64_t begin, uint64_t end, const cpu_scratch *scratch)
{
    const clsoftmax_problem *p = call->problem;
    tile t = plan_tile(call, scratch);
    cpu_stream stream = {.line = NULL};
    t.stream = call->stream ? &stream : NULL;
    set_one_temperature(&t.temperatures, call->arguments->temperature);
    uint64_t invalid = 0;
    for (uint64_t row = begin; row < end; row += t.count) {
        begin_tile(&t, row, end);
        find_tops(&t);
        if (p->temperature_per_row)
            invalid += set_own_temperatures(&t);
        if (p->sweep == 0)
            compute_tile(&t, 0);
        for (uint64_t k = 0; k < p->sweep; k++, t.results += p->sweep_stride) {
            set_one_temperature(&t.temperatures, call->arguments->temperatures[k]);
            compute_tile(&t, k);
        }
    }
    if (t.stream)
        cpu_stream_end(&stream);
    return invalid;
}
