/*
 * lane and column on the CPU: CPU_LANES rows side by side, class by class.
 *
 * Everything about a row is an array of lanes (cpu_panel.h), so that what is done once a row is vectorised, too; that is most of
 * the work of a row of ten classes.
 */
#include "cpu_panel.h"

/* ---------------------------------------------------------------- Maximum */

static void add_key(panel *t, const float *x)
{
    FOR_LANES
    {
        uint32_t key = core_key(x[l]);
        t->rows.key[l] = CORE_LARGER(key, t->rows.key[l]);
    }
}

static void add_top(panel *t, uint64_t c, const float *x)
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
static void add_keys(panel *t, const float *x, size_t count)
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

/* Of a whole panel of f32 that is not transposed: the same, where the classes stand. keep: a constant. */
INLINE void add_classes_keys(panel *t, int keep)
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

static void find_tops(panel *t)
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

/* Of the panel's rows where each has its own; returns how many are none. */
static uint64_t set_own_temperatures(panel *t)
{
    uint64_t invalid = 0;
    for (size_t l = 0; l < LANES; l++) {
        if (lane_to_row(t->packed, l) >= t->count)
            continue;
        float temperature = t->call->arguments->temperatures[t->row + lane_to_row(t->packed, l)];
        set_lane_temperature(&t->temperatures, l, temperature, core_temperature(temperature));
        invalid += temperature >= 0 ? 0 : 1;
    }
    return invalid;
}

/* What the maxima make of the rows. */
static void set_rows(panel *t)
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

/* Returns the panel's rows from a lane on, as a strip sees them. */
INLINE strip_rows rows_from(const panel *t, size_t first, int are_plain)
{
    return (strip_rows){.lanes = &t->rows, .temperatures = &t->temperatures, .first = first, .are_plain = are_plain};
}

INLINE strip_sums sums_from(lane_sums *sums, size_t first)
{
    return (strip_sums){sums->high + first, sums->low + first, sums->lowest + first};
}

/* Leaves the exponentials of `classes` x `lanes` elements of a panel, from lane `first` on, in the strip's high and low, and
   adds them to the sums. */
INLINE void add_strip(panel *t, size_t first, size_t lanes, size_t classes, int levels, int are_plain, strip s)
{
    const strip_rows rows = rows_from(t, first, are_plain);
    s.x += first;
    s.high += first;
    s.low += first;
    strip_exponentials(s, classes, lanes, &rows);
    strip_add_term(TERM_EXPONENTIAL, s, classes, lanes, &rows, levels, sums_from(&t->sums[TERM_EXPONENTIAL], first));
}

/* Adds the exponentials of `classes` from c on, a constant: one, or STRIP, of which a vector of lanes goes through all with
   its row and its sums in registers. */
INLINE void add_exponentials(panel *t, uint64_t c, size_t classes, int levels, int are_plain, strip s)
{
    const size_t vectors = LANES / CPU_VECTOR;
    if (classes == 1) {
        prefetch_next(t, c, 1);
        add_strip(t, 0, LANES, 1, levels, are_plain, s);
        return;
    }
    for (size_t v = 0; v < vectors; v++) {
        add_strip(t, v * CPU_VECTOR, CPU_VECTOR, STRIP, levels, are_plain, s);
        prefetch_next(t, c + v * (STRIP / vectors), STRIP / vectors);
    }
}

/* Adds what `count` classes add to the sums of the terms behind the first. */
static void add_other_terms(panel *t, strip s, size_t count)
{
    const strip_rows rows = rows_from(t, 0, 0);
    for (size_t i = 0; i < count; i++, s.x += LANES, s.high += LANES, s.low += LANES)
        strip_add_term(TERM_WEIGHTED, s, 1, LANES, &rows, t->levels, sums_from(&t->sums[TERM_WEIGHTED], 0));
}

/* Adds what `count` classes from c on, a constant, add to the sums of all terms. */
INLINE void sum_classes(panel *t, uint64_t c, size_t count)
{
    const clsoftmax_problem *p = t->call->problem;
    int pairs = t->keep && cpu_made_of(p) != MADE_OF_LOGITS;
    _Alignas(64) float buffer[STRIP * LANES], high[STRIP * LANES], low[STRIP * LANES];
    const float *x = ordinary_classes(t, c, count, buffer);
    const strip s = {x, pairs ? t->high + c * LANES : high, pairs ? t->low + c * LANES : low, LANES};
    if (t->levels == 3)
        add_exponentials(t, c, count, 3, 0, s);
    else if (t->are_plain)
        add_exponentials(t, c, count, 2, 1, s);
    else
        add_exponentials(t, c, count, 2, 0, s);
    if (cpu_terms(p) > TERM_WEIGHTED)
        add_other_terms(t, s, count);
    uint32_t added = (uint32_t)(c % CORE_FLUSH_AFTER + count);
    if (!t->short_sums && (added == CORE_FLUSH_AFTER || c + count == p->classes))
        for (int term = 0; term < cpu_terms(p); term++)
            flush(&t->sums[term], added, t->levels, &t->totals[term]);
}

static void sum_exponentials(panel *t)
{
    uint64_t c = 0, classes = t->call->problem->classes;
    memset(&t->sums[TERM_EXPONENTIAL], 0, sizeof t->sums[TERM_EXPONENTIAL]);
    if (!t->short_sums) {
        memset(t->sums, 0, sizeof t->sums);
        memset(t->totals, 0, sizeof t->totals);
    }
    for (; classes >= 2 * STRIP && c + STRIP <= classes; c += STRIP) /* of fewer, too many are left over */
        sum_classes(t, c, STRIP);
    for (; c < classes; c++)
        sum_classes(t, c, 1);
}

/* Finds the ends of rows from sums of 32 bits. operation: a constant. */
INLINE void finish_short_sums(panel *t, int operation)
{
    const uint32_t added = (uint32_t)t->call->problem->classes;
    const lane_sums *sums = &t->sums[TERM_EXPONENTIAL];
    FOR_LANES
    {
        core_two_float sum = core_short_total_value(sums->high[l], sums->low[l], added);
        set_lane_end(&t->ends, l, operation_end(operation, (operation_sums){.sum = sum}));
    }
}

static void finish_sums(panel *t)
{
    const clsoftmax_problem *p = t->call->problem;
    if (!t->short_sums) {
        set_lane_ends(p, &t->ends, &t->rows, &t->totals[TERM_EXPONENTIAL], LANES);
        return;
    }
    switch ((int)p->operation) {
#define FINISH_SHORT_SUMS(name, made_of, ends_with, zero)                                                              \
    case OPERATION_##name:                                                                                             \
        finish_short_sums(t, OPERATION_##name);                                                                        \
        break;
        OPERATION_LIST(FINISH_SHORT_SUMS)
#undef FINISH_SHORT_SUMS
    }
}

/* The row's top and the label's logit. */
static core_row_sums_t row_of_lane(const panel *t, size_t l)
{
    size_t row = lane_to_row(t->packed, l);
    core_row_sums_t sums = {.top = {t->rows.key[l], t->second_key[l], t->index[l]},
                            .label_logit = core_float_of_bits(CORE_NAN_BITS)};
    if (row < t->count)
        sums.label_logit = cpu_label_logit(t->call, t->row + row, t->logits + row * t->logits_lane_stride);
    return sums;
}

/* In turn k. */
static void write_statistics(const panel *t, uint64_t k)
{
    core_row_sums_t read[LANES];
    clsoftmax_statistics records[LANES];
    clsoftmax_statistics *out = t->call->arguments->statistics + k * cls_problem_rows(t->call->problem) + t->row;
    for (size_t l = 0; l < LANES; l++)
        read[l] = row_of_lane(t, l);
    compute_lane_records(&t->rows, &t->temperatures, read, t->totals, t->levels, LANES, records);
    for (size_t l = 0; l < LANES; l++)
        if (lane_to_row(t->packed, l) < t->count)
            out[lane_to_row(t->packed, l)] = records[l];
}

/* ---------------------------------------------------------------- Results */

/* Computes the results of `lanes` lanes of a class, from `first` on: from the strip's exponentials, or from its logits, which
   become exponentials first where results are made of those. The strip and p begin at the lane; x and high may be p.
   operation, lanes and from_pairs are constants. */
INLINE void results_of_class(const panel *t, int operation, size_t first, size_t lanes, int from_pairs, strip s,
                             float *p)
{
#pragma omp simd
    for (size_t l = 0; l < lanes; l++) {
        const size_t lane = first + l;
        const operation_row row = {core_log_row(lane_temperature(&t->temperatures, lane), t->rows.maximum[lane]),
                                   lane_end(&t->ends, lane)};
        core_pair e = {0, 0};
        if (from_pairs)
            e = (core_pair){s.high[l], s.low[l]};
        else if (operation_made_of(operation) == MADE_OF_EXPONENTIALS)
            e = core_exponential(s.x[l], lane_row(&t->rows, lane));
        p[l] = operation_result(operation, e, from_pairs ? 0 : s.x[l], row);
    }
}

/* Returns 1 if results are made of pairs, and can be made where they belong: past the caches, those of each class are
   lines. */
static int is_written_at_once(const panel *t)
{
    const clsoftmax_problem *p = t->call->problem;
    if (cpu_made_of(p) != MADE_OF_EXPONENTIALS || !t->keep || t->transposed || !has_whole_f32_results(t))
        return 0;
    const float *results = (const float *)t->call->arguments->results + t->results;
    int lines = (uintptr_t)results % CPU_LINE == 0 && p->results_layout.class_stride % CPU_VECTOR == 0;
    return lines || !t->stream;
}

INLINE void write_at_once(const panel *t, int operation)
{
    const clsoftmax_problem *problem = t->call->problem;
    const uint64_t stride = problem->results_layout.class_stride;
    cpu_stream *stream = t->stream;
    float *p = (float *)t->call->arguments->results + t->results;
    for (uint64_t c = 0; c < problem->classes; c++, p += stride) {
        for (size_t first = 0; first < LANES; first += CPU_VECTOR) {
            _Alignas(CPU_LINE) float vector[CPU_VECTOR];
            const strip s = {.high = t->high + c * LANES + first, .low = t->low + c * LANES + first};
            results_of_class(t, operation, first, CPU_VECTOR, 1, s, vector);
            cpu_write_line(stream, p + first, vector);
        }
    }
}

/* Leaves the results of a class in p, from what is kept of it or from its logits, of which buffer has room for a class. */
INLINE void write_class(const panel *t, int operation, uint64_t c, float *p, float *buffer)
{
    strip s = {.high = t->high + c * LANES, .low = t->low + c * LANES};
    if (operation_made_of(operation) == MADE_OF_EXPONENTIALS && t->keep) {
        results_of_class(t, operation, 0, LANES, 1, s, p);
        return;
    }
    s.x = ordinary_classes(t, c, 1, buffer);
    results_of_class(t, operation, 0, LANES, 0, s, p);
}

/* Fills the lanes whose rows are not computed. */
static void fill_lanes(const panel *t, const float *fill, float *p)
{
    FOR_LANES p[l] = core_row_is_computed(t->rows.kind[l]) ? p[l] : fill[l];
}

INLINE void write_results_of(const panel *t, int operation)
{
    const clsoftmax_problem *problem = t->call->problem;
    float buffer[LANES], fill[LANES];
    int all_computed = 1;
    for (size_t l = 0; l < LANES; l++) {
        fill[l] = cpu_fill_value(problem, t->rows.kind[l]);
        all_computed &= core_row_is_computed(t->rows.kind[l]);
    }
    if (all_computed && is_written_at_once(t)) {
        write_at_once(t, operation);
        return;
    }
    for (uint64_t c = 0; c < problem->classes; c++) {
        float *p = t->keep ? t->high + c * LANES : buffer;
        write_class(t, operation, c, p, buffer);
        if (!all_computed)
            fill_lanes(t, fill, p);
        if (!t->transposed)
            store_class(t, c, p);
    }
    if (t->transposed)
        store_transposed(t);
}

static void write_results(const panel *t)
{
    switch ((int)t->call->problem->operation) {
#define WRITE_RESULTS_OF(name, made_of, ends_with, zero)                                                               \
    case OPERATION_##name:                                                                                             \
        write_results_of(t, OPERATION_##name);                                                                         \
        break;
        OPERATION_LIST(WRITE_RESULTS_OF)
#undef WRITE_RESULTS_OF
    }
}

/* ---------------------------------------------------------------- Panels */

/* As many rows from `row` on as stand one lane stride apart, below `end`. */
static void begin_panel(panel *t, uint64_t row, uint64_t end)
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

/* The panel at its temperatures, in turn k. */
static void compute_panel(panel *t, uint64_t k)
{
    const clsoftmax_problem *p = t->call->problem;
    set_rows(t);
    sum_exponentials(t);
    finish_sums(t);
    if (p->statistics) /* before the results, which may take the place of the label's logit */
        write_statistics(t, k);
    if (cpu_made_of(p) != MADE_OF_NOTHING)
        write_results(t);
}

/* What all panels of a call have in common. */
static panel plan_panel(const cpu_call *call, const cpu_scratch *scratch)
{
    const clsoftmax_problem *p = call->problem;
    const clsoftmax_layout *x = &p->logits_layout, *y = &p->results_layout;
    int needs_logits = p->sweep > 0 || p->statistics;
    size_t classes = (size_t)p->classes, arrays = needs_logits ? 3 : 2;
    panel t = {.call = call, .levels = cpu_sum_levels(p)};
    t.logits_lane_stride = p->inner > 1 ? x->inner_stride : x->outer_stride;
    t.results_lane_stride = p->inner > 1 ? y->inner_stride : y->outer_stride;
    t.transposed = p->inner == 1 && x->class_stride == 1 && y->class_stride == 1 && p->classes <= MOST_CLASSES;
    t.packed = t.transposed ? packed_rows(classes) : 1;
    t.keep = p->classes <= scratch->floats / arrays / LANES;
    size_t kept = t.keep ? classes * LANES : 0;
    t.logits_kept = scratch->room;
    t.high = needs_logits ? t.logits_kept + kept : t.logits_kept;
    t.low = t.high + kept;
    t.short_sums = p->classes <= CORE_FLUSH_AFTER && cpu_made_of(p) != MADE_OF_NOTHING && !p->statistics &&
                   operation_ends_with((int)p->operation) == ENDS_WITH_SUM;
    return t;
}

uint64_t CPU_FUNCTION(cls_cpu_lane)(const cpu_call *call, uint64_t begin, uint64_t end, const cpu_scratch *scratch)
{
    const clsoftmax_problem *p = call->problem;
    panel t = plan_panel(call, scratch);
    cpu_stream stream = {.line = NULL};
    t.stream = call->stream ? &stream : NULL;
    set_one_temperature(&t.temperatures, call->arguments->temperature);
    uint64_t invalid = 0;
    for (uint64_t row = begin; row < end; row += t.count) {
        begin_panel(&t, row, end);
        find_tops(&t);
        if (p->temperature_per_row)
            invalid += set_own_temperatures(&t);
        if (p->sweep == 0)
            compute_panel(&t, 0);
        for (uint64_t k = 0; k < p->sweep; k++, t.results += p->sweep_stride) {
            set_one_temperature(&t.temperatures, call->arguments->temperatures[k]);
            compute_panel(&t, k);
        }
    }
    if (t.stream)
        cpu_stream_end(&stream);
    return invalid;
}
