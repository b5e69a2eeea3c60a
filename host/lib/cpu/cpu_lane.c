/*
 * Strategies `lane` and `column` on the CPU: panels of CPU_LANES rows side by side, class by class. cpu_backend.c calls
 * cls_cpu_lane for each share of rows.
 *
 * Everything about a row is on a lane (cpu_panel.h), so that what is done once a row is vectorised, too: for a row of
 * ten classes that is most of the work. A panel goes through the four phases of every strategy; in a sweep, through
 * set_rows and the last three once for each temperature:
 *
 *     top      find_tops, set_rows                  reads the logits, and finds the largest one of each row
 *     sums     sum_exponentials                     computes the exponentials, keeps them if they fit, and adds them up
 *     finish   finish_sums, write_statistics        prepares what results need of the sums
 *     emit     write_results                        writes the results
 *
 * Reading and writing the classes of a panel are in cpu_panel.h, the steps of the exponential in cpu_steps.h, what is
 * done once a row in cpu_lanes.h, and loading and storing elements in cpu_dtype.h.
 */
#include "cpu_panel.h"

/* ---------------------------------------------------------------- Phase top */

/* Adds a key to the largest that a lane has seen, and if `two`, a constant, to the second largest. */
INLINE void add_to_keys(int two, uint32_t key, uint32_t *largest, uint32_t *second)
{
    if (two) {
        const uint32_t passed = CORE_SMALLER(key, *largest);
        *second = CORE_LARGER(passed, *second);
    }
    *largest = CORE_LARGER(key, *largest);
}

/* Adds a class to the largest keys that the lanes have seen. */
INLINE void add_key(panel *panel, int two, const float *x)
{
    FOR_LANES add_to_keys(two, core_key(x[l]), &panel->rows.key[l], &panel->rows.second_key[l]);
}

/* Adds class c to the tops of the lanes: their two largest keys, and where the largest came first. */
static void add_top(panel *panel, uint64_t c, const float *x)
{
    FOR_LANES
    {
        uint32_t key = core_top_key(x[l]), smaller = CORE_SMALLER(key, panel->rows.key[l]);
        panel->rows.second_key[l] = CORE_LARGER(smaller, panel->rows.second_key[l]);
        panel->index[l] = key > panel->rows.key[l] ? (int64_t)c : panel->index[l];
        panel->rows.key[l] = CORE_LARGER(key, panel->rows.key[l]);
    }
}

/* Adds `count` classes to the largest keys. Each vector of lanes goes through all classes with its keys in a
   register. */
INLINE void add_keys(panel *panel, int two, const float *x, size_t count)
{
    for (size_t first = 0; first < LANES; first += CPU_VECTOR) {
        uint32_t largest[CPU_VECTOR], second[CPU_VECTOR];
        memcpy(largest, panel->rows.key + first, sizeof largest);
        memcpy(second, panel->rows.second_key + first, sizeof second);
        for (size_t c = 0; c < count; c++) {
#pragma omp simd
            for (size_t i = 0; i < CPU_VECTOR; i++)
                add_to_keys(two, core_key(x[c * LANES + first + i]), &largest[i], &second[i]);
        }
        memcpy(panel->rows.key + first, largest, sizeof largest);
        memcpy(panel->rows.second_key + first, second, sizeof second);
    }
}

/* Adds all classes of a whole panel of f32 that is not transposed, where they stand. keep: a constant; 1 copies the
   logits into the room meanwhile. */
INLINE void add_classes_keys(panel *panel, int two, int keep)
{
    const clsoftmax_problem *p = panel->call->problem;
    const uint64_t stride = p->logits_layout.class_stride;
    const float *x = (const float *)panel->call->arguments->logits + panel->logits;
    uint32_t largest[LANES], second[LANES];
    memcpy(largest, panel->rows.key, sizeof largest);
    memcpy(second, panel->rows.second_key, sizeof second);
    for (uint64_t c = 0; c < p->classes; c++, x += stride) {
        float *kept = panel->logits_kept + c * LANES;
        if (c + AHEAD < p->classes)
            cpu_prefetch_far(x + AHEAD * stride, LANES * sizeof *x);
        FOR_LANES
        {
            add_to_keys(two, core_key(x[l]), &largest[l], &second[l]);
            if (keep)
                kept[l] = x[l];
        }
    }
    memcpy(panel->rows.key, largest, sizeof largest);
    memcpy(panel->rows.second_key, second, sizeof second);
}

/* Finds the tops of the panel's rows, class by class. find: a constant. */
INLINE void add_tops_of_classes(panel *panel, cpu_top find)
{
    float buffer[LANES];
    for (uint64_t c = 0; c < panel->call->problem->classes; c++) {
        float *x = panel->keep ? panel->logits_kept + c * LANES : buffer;
        if (!panel->transposed) {
            prefetch_class(panel, c + AHEAD);
            load_class(panel, c, x);
        }
        if (find == CPU_TOP_WHOLE)
            add_top(panel, c, x);
        else
            add_key(panel, find == CPU_TOP_TWO, x);
    }
}

/* Finds the largest logit of each row, or if `two`, a constant, the two largest. */
INLINE void find_keys(panel *panel, int two)
{
    if (panel->transposed)
        add_keys(panel, two, panel->logits_kept, (size_t)panel->call->problem->classes);
    else if (is_whole_f32(panel) && panel->keep)
        add_classes_keys(panel, two, 1);
    else if (is_whole_f32(panel))
        add_classes_keys(panel, two, 0);
    else
        add_tops_of_classes(panel, two ? CPU_TOP_TWO : CPU_TOP_LARGEST);
}

/* Reads all classes, and finds what is needed of the top of each row. */
static void find_tops(panel *panel)
{
    const cpu_top find = cpu_top_of(panel->call->problem);
    memset(panel->rows.key, 0, sizeof panel->rows.key); /* CORE_KEY_NEGATIVE_INFINITY */
    memset(panel->rows.second_key, 0, sizeof panel->rows.second_key);
    if (panel->transposed)
        load_transposed(panel);
    switch (find) {
    case CPU_TOP_LARGEST:
        find_keys(panel, 0);
        break;
    case CPU_TOP_TWO:
        find_keys(panel, 1);
        break;
    case CPU_TOP_WHOLE:
        memset(panel->index, 0, sizeof panel->index);
        add_tops_of_classes(panel, CPU_TOP_WHOLE);
        break;
    }
}

/* Prepares the temperatures of the panel's rows, where each has its own. Returns the number of invalid ones. */
static uint64_t set_own_temperatures(panel *panel)
{
    uint64_t invalid = 0;
    for (size_t l = 0; l < LANES; l++) {
        if (lane_to_row(panel->packed, l) >= panel->count)
            continue;
        float temperature = panel->call->arguments->temperatures[panel->row + lane_to_row(panel->packed, l)];
        set_lane_temperature(&panel->temperatures, l, temperature, core_temperature(temperature));
        invalid += temperature >= 0 ? 0 : 1;
    }
    return invalid;
}

/* Sets what the top and the temperature make of each row, and makes the kept logits of rows of ties ordinary. */
static void set_rows(panel *panel)
{
    set_lane_rows(&panel->rows, &panel->temperatures, !panel->call->problem->temperature_per_row, panel->call->policies,
                  LANES);
    panel->any_alone = 0;
    if (cpu_top_of(panel->call->problem) != CPU_TOP_LARGEST) {
        set_lane_rests(&panel->rows, LANES);
        for (size_t l = 0; l < LANES; l++)
            panel->any_alone |= core_is_alone(lane_rest(&panel->rows, l));
    }
    /* If lane 0 is unscaled, the temperature is 1. Of what core_row_is_unscaled asks, rows then differ only in their
       bases. */
    int32_t ties = 0,
            unscaled = !panel->call->problem->temperature_per_row && core_row_is_unscaled(lane_row(&panel->rows, 0));
#pragma omp simd reduction(| : ties) reduction(& : unscaled)
    for (size_t l = 0; l < LANES; l++) {
        ties |= panel->rows.kind[l] == CORE_ROW_TIES;
        unscaled &= panel->rows.base[l] == 0;
    }
    panel->are_unscaled = unscaled;
    int are_ordinary = panel->ties; /* 1: an earlier temperature of the sweep has made the kept logits ordinary */
    panel->ties = ties;
    for (uint64_t c = 0; ties && !are_ordinary && panel->keep && c < panel->call->problem->classes; c++)
        make_ordinary(panel, panel->logits_kept + c * LANES);
}

/* ---------------------------------------------------------------- Phase sums */

/* Takes the sums of 32 bits, to which `added` classes were added, into the totals. */
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

/* Returns the rows of the panel from lane `first` on, for a strip. */
INLINE strip_rows rows_from(const panel *panel, size_t first, int are_unscaled)
{
    return (strip_rows){
        .lanes = &panel->rows, .temperatures = &panel->temperatures, .first = first, .are_unscaled = are_unscaled};
}

/* Returns the sums from lane `first` on, for a strip. */
INLINE strip_sums sums_from(lane_sums *sums, size_t first)
{
    return (strip_sums){sums->high + first, sums->low + first, sums->lowest + first};
}

/* Computes the exponentials of `classes` x `lanes` elements of a panel, from lane `first` on, into the strip's high and
   low, and adds them to the sum of a term, as the formula of another has it: both constants, here and below. */
INLINE void add_strip(panel *panel, int term, int formula, size_t first, size_t lanes, size_t classes, int levels,
                      int are_unscaled, strip s)
{
    const strip_rows rows = rows_from(panel, first, are_unscaled);
    s.x += first;
    s.high += first;
    s.low += first;
    strip_exponentials(s, classes, lanes, &rows);
    strip_add_term(formula, s, classes, lanes, &rows, levels, sums_from(&panel->sums[term], first));
}

/* Adds the exponentials of `classes` classes from c on, a constant: 1, or STRIP. Each vector of lanes goes through all
   STRIP classes with its rows and its sums in registers. */
INLINE void add_exponentials(panel *panel, int term, int formula, uint64_t c, size_t classes, int levels,
                             int are_unscaled, strip s)
{
    const size_t vectors = LANES / CPU_VECTOR;
    if (classes == 1) {
        prefetch_next(panel, c, 1);
        add_strip(panel, term, formula, 0, LANES, 1, levels, are_unscaled, s);
        return;
    }
    for (size_t v = 0; v < vectors; v++) {
        add_strip(panel, term, formula, v * CPU_VECTOR, CPU_VECTOR, STRIP, levels, are_unscaled, s);
        prefetch_next(panel, c + v * (STRIP / vectors), STRIP / vectors);
    }
}

/* Adds `count` classes to the sums of a term of which the exponentials are known. term: a constant. */
INLINE void add_term(panel *panel, int term, strip s, size_t count)
{
    const strip_rows rows = rows_from(panel, 0, 0);
    for (size_t i = 0; i < count; i++, s.x += LANES, s.high += LANES, s.low += LANES)
        strip_add_term(term, s, 1, LANES, &rows, panel->levels, sums_from(&panel->sums[term], 0));
}

/* Adds `count` classes to the sums of the terms that statistics have beside the first: to that of the rest only if it
   is not the sum of the exponentials on all lanes (complete_rests). */
static void add_other_terms(panel *panel, strip s, size_t count)
{
    add_term(panel, TERM_WEIGHTED, s, count);
    if (panel->any_alone)
        add_term(panel, TERM_REST, s, count);
}

/* Adds the exponentials of `count` classes from c on, a constant, to the sum of their first term. */
INLINE void add_first_term(panel *panel, int term, int formula, uint64_t c, size_t count, strip s)
{
    if (panel->levels == 3)
        add_exponentials(panel, term, formula, c, count, 3, 0, s);
    else if (panel->are_unscaled)
        add_exponentials(panel, term, formula, c, count, 2, 1, s);
    else
        add_exponentials(panel, term, formula, c, count, 2, 0, s);
}

/* Adds `count` classes from c on, a constant, to the sums of all terms. */
INLINE void sum_classes(panel *panel, uint64_t c, size_t count)
{
    const clsoftmax_problem *p = panel->call->problem;
    int pairs = panel->keep && cpu_made_of(p) != MADE_OF_LOGITS;
    _Alignas(64) float buffer[STRIP * LANES], high[STRIP * LANES], low[STRIP * LANES];
    const float *x = ordinary_classes(panel, c, count, buffer);
    const strip s = {x, pairs ? panel->high + c * LANES : high, pairs ? panel->low + c * LANES : low, LANES, NULL};
    const uint terms = cpu_terms(p);
    if (TERM_IS_IN(terms, TERM_EXPONENTIAL))
        add_first_term(panel, TERM_EXPONENTIAL, TERM_EXPONENTIAL, c, count, s);
    else if (panel->any_alone)
        add_first_term(panel, TERM_REST, TERM_REST, c, count, s);
    else
        add_first_term(panel, TERM_REST, TERM_EXPONENTIAL, c, count, s);
    if (TERM_IS_IN(terms, TERM_WEIGHTED))
        add_other_terms(panel, s, count);
    uint32_t added = (uint32_t)(c % CORE_FLUSH_AFTER + count);
    if (!panel->short_sums && (added == CORE_FLUSH_AFTER || c + count == p->classes))
        FOR_TERMS_IN(panel->any_alone || !p->statistics ? terms : terms & ~TERM_SET(TERM_REST), term)
            flush(&panel->sums[term], added, panel->levels, &panel->totals[term]);
}

static void sum_exponentials(panel *panel)
{
    uint64_t c = 0, classes = panel->call->problem->classes;
    memset(&panel->sums[TERM_EXPONENTIAL], 0, sizeof panel->sums[TERM_EXPONENTIAL]);
    if (!panel->short_sums) {
        memset(panel->sums, 0, sizeof panel->sums);
        memset(panel->totals, 0, sizeof panel->totals);
    }
    for (; classes >= 2 * STRIP && c + STRIP <= classes; c += STRIP) /* of fewer classes, too many are left over */
        sum_classes(panel, c, STRIP);
    for (; c < classes; c++)
        sum_classes(panel, c, 1);
    if (panel->call->problem->statistics)
        complete_rests(&panel->rows, panel->totals, LANES);
}

/* ---------------------------------------------------------------- Phase finish */

/* Prepares what results need, from sums that never left their 32 bits. ending: a constant. */
INLINE void finish_short_sums(panel *panel, int ending)
{
    const uint32_t added = (uint32_t)panel->call->problem->classes;
    const lane_sums *sums = &panel->sums[TERM_EXPONENTIAL];
    FOR_LANES
    {
        core_two_float sum = core_short_total_value(sums->high[l], sums->low[l], added);
        set_lane_end(ending, &panel->ends, l, end_of_row(ending, (ending_sums){.sum = sum}));
    }
}

/* Prepares what results need of the sums. */
static void finish_sums(panel *panel)
{
    const clsoftmax_problem *p = panel->call->problem;
    if (!panel->short_sums) {
        set_lane_ends(p, &panel->ends,
                      &(lane_sums_of){&panel->rows, &panel->temperatures, panel->totals, &panel->inputs, 0}, LANES, 0);
        return;
    }
    switch (operation_ending((int)p->operation)) {
#define FINISH_SHORT_SUMS(name, terms, operand, loss)                                                                  \
    case ENDING_##name:                                                                                                \
        if (ENDS_WITH_SUM(terms))                                                                                      \
            finish_short_sums(panel, ENDING_##name);                                                                   \
        break;
        ENDING_LIST(FINISH_SHORT_SUMS)
#undef FINISH_SHORT_SUMS
    }
}

/* Returns what was read of the row on a lane: its top, and its label's logit. */
static core_row_sums_t row_of_lane(const panel *panel, size_t l)
{
    size_t row = lane_to_row(panel->packed, l);
    core_row_sums_t sums = {.top = {panel->rows.key[l], panel->rows.second_key[l], panel->index[l]},
                            .label_logit = core_float_of_bits(CORE_NAN_BITS)};
    if (row < panel->count)
        sums.label_logit =
            cpu_label_logit(panel->call, panel->row + row, panel->logits + row * panel->logits_lane_stride);
    return sums;
}

/* Reads what the rows have for their losses. */
static void read_inputs(panel *panel)
{
    const clsoftmax_problem *p = panel->call->problem;
    for (size_t l = 0; l < LANES; l++) {
        const size_t row = lane_to_row(panel->packed, l);
        clear_lane_input(&panel->inputs, l);
        panel->label[l] = -1;
        if (row >= panel->count)
            continue;
        const float logit =
            cpu_label_logit(panel->call, panel->row + row, panel->logits + row * panel->logits_lane_stride);
        set_lane_input(panel->call, &panel->inputs, l, panel->row + row, logit);
        if ((uint64_t)panel->call->arguments->labels[panel->row + row] < p->classes)
            panel->label[l] = panel->call->arguments->labels[panel->row + row];
    }
}

/* Writes the losses of the rows at temperature k of the sweep. */
static void write_losses(const panel *panel, uint64_t k)
{
    float *out = panel->call->arguments->losses + k * cls_problem_rows(panel->call->problem) + panel->row;
    for (size_t l = 0; l < LANES; l++)
        if (lane_to_row(panel->packed, l) < panel->count)
            out[lane_to_row(panel->packed, l)] = panel->ends.loss[l];
}

/* Writes the statistics of the rows at temperature k of the sweep; k is 0 without one. */
static void write_statistics(const panel *panel, uint64_t k)
{
    core_row_sums_t read[LANES];
    clsoftmax_statistics records[LANES];
    clsoftmax_statistics *out =
        panel->call->arguments->statistics + k * cls_problem_rows(panel->call->problem) + panel->row;
    for (size_t l = 0; l < LANES; l++)
        read[l] = row_of_lane(panel, l);
    compute_lane_records(&panel->rows, &panel->temperatures, read, panel->totals, panel->levels, LANES, records);
    for (size_t l = 0; l < LANES; l++)
        if (lane_to_row(panel->packed, l) < panel->count)
            out[lane_to_row(panel->packed, l)] = records[l];
}

/* ---------------------------------------------------------------- Phase emit */

/* Computes the results of `lanes` lanes of class c, from `first` on, into p: from the exponentials of the strip, or
   from its logits, which become exponentials first if results are made of those. The strip and p begin at the lane; x
   and high may be p. operation, lanes and from_pairs are constants. */
INLINE void results_of_class(const panel *panel, int operation, uint64_t c, size_t first, size_t lanes, int from_pairs,
                             strip s, float *p)
{
#pragma omp simd
    for (size_t l = 0; l < lanes; l++) {
        const size_t lane = first + l;
        const operation_row row = {
            .row = lane_row(&panel->rows, lane),
            .log_row = core_log_row(lane_temperature(&panel->temperatures, lane), panel->rows.maximum[lane]),
            .terms = lane_term_row(&panel->rows, &panel->temperatures, lane),
            .end = lane_end(&panel->ends, lane)};
        core_pair e = {0, 0};
        if (from_pairs)
            e = kept_exponential(s.high, s.low, l);
        else if (operation_made_of(operation) == MADE_OF_EXPONENTIALS)
            e = core_exponential(s.x[l], lane_row(&panel->rows, lane));
        p[l] = operation_result(operation, e, from_pairs ? 0 : s.x[l], 0, row);
        if (operation_loss(operation) == LOSS_OF_LABEL)
            p[l] = panel->label[lane] == (int64_t)c ? row.end.at_label : p[l];
    }
}

/* Returns 1 if results are made of exponentials and can be computed directly to where they belong. Past the caches, the
   results of each class must be whole lines. */
static int is_written_at_once(const panel *panel)
{
    const clsoftmax_problem *p = panel->call->problem;
    if (cpu_made_of(p) != MADE_OF_EXPONENTIALS || !panel->keep || panel->transposed || !has_whole_f32_results(panel))
        return 0;
    const float *results = (const float *)panel->call->arguments->results + panel->results;
    int lines = (uintptr_t)results % CPU_LINE == 0 && p->results_layout.class_stride % CPU_VECTOR == 0;
    return lines || !panel->stream;
}

/* Computes all results to where they belong. */
INLINE void write_at_once(const panel *panel, int operation)
{
    const clsoftmax_problem *problem = panel->call->problem;
    const uint64_t stride = problem->results_layout.class_stride;
    cpu_stream *stream = panel->stream;
    float *p = (float *)panel->call->arguments->results + panel->results;
    for (uint64_t c = 0; c < problem->classes; c++, p += stride) {
        for (size_t first = 0; first < LANES; first += CPU_VECTOR) {
            _Alignas(CPU_LINE) float vector[CPU_VECTOR];
            const strip s = {.high = panel->high + c * LANES + first, .low = panel->low + c * LANES + first};
            results_of_class(panel, operation, c, first, CPU_VECTOR, 1, s, vector);
            cpu_write_line(stream, p + first, vector);
        }
    }
}

/* Computes the results of a class into p, from what is kept of it or from its logits. `buffer` has room for a class. */
INLINE void write_class(const panel *panel, int operation, uint64_t c, float *p, float *buffer)
{
    strip s = {.high = panel->high + c * LANES, .low = panel->low + c * LANES};
    if (operation_made_of(operation) == MADE_OF_EXPONENTIALS && panel->keep) {
        results_of_class(panel, operation, c, 0, LANES, 1, s, p);
        return;
    }
    s.x = ordinary_classes(panel, c, 1, buffer);
    results_of_class(panel, operation, c, 0, LANES, 0, s, p);
}

/* Writes the fill into the lanes whose rows are not computed. */
static void fill_lanes(const panel *panel, const float *fill, float *p)
{
    FOR_LANES p[l] = core_row_is_computed(panel->rows.kind[l]) ? p[l] : fill[l];
}

/* Writes the results of all rows. operation: a constant. */
INLINE void write_results_of(const panel *panel, int operation)
{
    const clsoftmax_problem *problem = panel->call->problem;
    float buffer[LANES], fill[LANES];
    int all_computed = 1;
    for (size_t l = 0; l < LANES; l++) {
        fill[l] = cpu_fill_value(problem, panel->rows.kind[l]);
        all_computed &= core_row_is_computed(panel->rows.kind[l]);
    }
    if (all_computed && is_written_at_once(panel)) {
        write_at_once(panel, operation);
        return;
    }
    for (uint64_t c = 0; c < problem->classes; c++) {
        float *p = panel->keep ? panel->high + c * LANES : buffer;
        write_class(panel, operation, c, p, buffer);
        if (!all_computed)
            fill_lanes(panel, fill, p);
        if (!panel->transposed)
            store_class(panel, c, p);
    }
    if (panel->transposed)
        store_transposed(panel);
}

/* Does so for any operation without an operand, since no panel has one: loops for the others would make the stack
   larger than the 128 KB that musl gives to threads. */
static void write_results(const panel *panel)
{
    switch ((int)panel->call->problem->operation) {
#define WRITE_RESULTS_OF(name, made_of, ending, zero)                                                                  \
    case OPERATION_##name:                                                                                             \
        if (!operation_has_operand(OPERATION_##name))                                                                  \
            write_results_of(panel, OPERATION_##name);                                                                 \
        break;
        OPERATION_LIST(WRITE_RESULTS_OF)
#undef WRITE_RESULTS_OF
    }
}

/* ---------------------------------------------------------------- Panels */

/* Takes the panel through the phases behind top, at temperature k of the sweep; k is 0 without one. */
static void compute_panel(panel *panel, uint64_t k)
{
    const clsoftmax_problem *p = panel->call->problem;
    set_rows(panel);
    sum_exponentials(panel);
    if (cpu_has_loss(p)) /* first, because results may overwrite the label's logit */
        read_inputs(panel);
    finish_sums(panel);
    if (p->statistics) /* first, too */
        write_statistics(panel, k);
    if (cpu_has_loss(p) && panel->call->arguments->losses)
        write_losses(panel, k);
    if (cpu_made_of(p) != MADE_OF_NOTHING)
        write_results(panel);
}

/* Computes a share of rows. Returns the number of invalid temperatures. */
static uint64_t compute_share(panel *panel, cpu_share share)
{
    const clsoftmax_problem *p = panel->call->problem;
    uint64_t invalid = 0;
    for (uint64_t row = share.begin; row < share.end; row += panel->count) {
        begin_panel(panel, row, share.end);
        find_tops(panel);
        if (p->temperature_per_row)
            invalid += set_own_temperatures(panel);
        if (p->sweep == 0)
            compute_panel(panel, 0);
        for (uint64_t k = 0; k < p->sweep; k++, panel->results += p->sweep_stride) {
            set_one_temperature(&panel->temperatures, panel->call->arguments->temperatures[k]);
            compute_panel(panel, k);
        }
    }
    return invalid;
}

uint64_t CPU_FUNCTION(cls_cpu_lane)(const cpu_call *call, cpu_shares *shares, const cpu_room *room)
{
    panel panel = plan_panel(call, room);
    float untransposed[LANES * MOST_CLASSES];
    panel.untransposed = untransposed;
    cpu_stream stream = {.line = NULL};
    panel.stream = call->stream ? &stream : NULL;
    set_one_temperature(&panel.temperatures, call->arguments->temperature);
    uint64_t invalid = 0;
    for (cpu_share share = cpu_take_share(shares); share.begin < share.end; share = cpu_take_share(shares))
        invalid += compute_share(&panel, share);
    if (panel.stream)
        cpu_stream_end(&stream);
    return invalid;
}
