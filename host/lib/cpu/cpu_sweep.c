/*
 * Sweeps with strategy `item` on the CPU: a row at up to CPU_LANES temperatures from one read of its logits.
 * cpu_backend.c calls cls_cpu_sweep for each share of rows. (Sweeps with `lane` are in cpu_lane.c.)
 *
 * A row goes through the four phases of every strategy: top once for every CPU_LANES temperatures, which are the lanes
 * of what is known of the row, and the others once for each temperature:
 *
 *     top      find_top                         reads the row into the room, and finds its largest logit
 *     sums     add_segment                      computes the exponentials, and adds them up
 *     finish   finish_sums, write_statistics    prepares what results need; writes the statistics, all at once
 *     emit     write_results, fill_results      writes the results
 *
 * A row that does not fit the room passes through it in segments, as many classes at a time as fit: once for top, once
 * for sums and once for emit, each at up to CPU_LANES temperatures.
 *
 * The loops over a block are in cpu_tops.h, cpu_block.h and cpu_results.h, the steps of the exponential in cpu_steps.h,
 * what is known of the row at each temperature in cpu_lanes.h, and loading and storing elements in cpu_dtype.h.
 */
#include "../problem.h"
#include "cpu_block.h"
#include "cpu_dtype.h"
#include "cpu_lanes.h"

/* A row on its way, at the temperatures that are taken together. */
typedef struct __attribute__((aligned(64))) sweep {
    const cpu_call *call;
    cpu_stream *stream; /* of the results; NULL: through the caches */
    int levels;
    size_t count; /* of temperatures, from `first` on; the other lanes have 1 */
    uint64_t first;
    lane_temperatures temperatures;

    float *x, *high, *low; /* a segment of the row, and its exponentials at one temperature */
    size_t segment;        /* classes of a segment at most */
    int whole;             /* 1: the row is one segment */

    uint64_t row, logits, results; /* the row, and its first elements */
    core_top_t top;
    lane_rows rows; /* the row at each temperature */
    lane_totals totals[CPU_PLACES];
    lane_inputs inputs; /* what is read of the row for its loss, the same on all lanes */
    lane_ends ends;
} sweep;

/* ---------------------------------------------------------------- Segments */

/* Returns the number of classes of the segment that begins at class `begin`. */
static size_t segment_length(const sweep *s, uint64_t begin)
{
    uint64_t left = s->call->problem->classes - begin;
    return left < s->segment ? (size_t)left : s->segment;
}

/* Reads the segment. is_known: the maximum is known, so a row of ties becomes an ordinary one. */
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

/* ---------------------------------------------------------------- Phase top */

/* Finds the top of the row, and sets what it and each temperature make of the row. */
static void find_top(sweep *s)
{
    const clsoftmax_problem *p = s->call->problem;
    top_search search;
    begin_search(&search, p);
    for (uint64_t begin = 0; begin < p->classes; begin += s->segment) {
        size_t length = segment_length(s, begin);
        load(s, begin, 0);
        search_block(&search, s->x, length, begin);
    }
    s->top = top_of_search(&search);
    const uint32_t operand_key = cpu_has_operand(p) ? cpu_operand_key(s->call, s->row, 0, p->classes) : 0;
    for (size_t k = 0; k < LANES; k++) {
        s->rows.key[k] = s->top.key;
        s->rows.second_key[k] = s->top.second_key;
        s->rows.operand_key[k] = operand_key;
    }
    set_lane_rows(&s->rows, &s->temperatures, 0, s->call->policies, LANES);
    set_lane_rests(&s->rows, LANES);
    if (cpu_has_teacher(p))
        set_lane_teachers(&s->rows, &s->temperatures, s->call->policies, LANES);
    else if (cpu_has_operand(p))
        set_lane_operands(&s->rows, LANES);
    if (s->whole && s->rows.kind[0] == CORE_ROW_TIES)
        load(s, 0, 1);
}

/* ---------------------------------------------------------------- Phase sums */

/* Returns the row at temperature k. */
static row_on_lane at_temperature(const sweep *s, size_t k)
{
    return (row_on_lane){&s->rows, &s->temperatures, &s->ends, k, s->call->policies};
}

/* Adds the terms of the segment that begins at class `begin`, at temperature k. The exponentials stay in the room if
   results are made of them and the segment is the row. levels: a constant, so that the loops are compiled for it. */
INLINE void add_sums(sweep *s, size_t k, uint64_t begin, size_t length, int levels)
{
    const row_on_lane on = at_temperature(s, k);
    const clsoftmax_problem *p = s->call->problem;
    size_t step = s->whole && cpu_made_of(p) == MADE_OF_EXPONENTIALS ? 1 : 0;
    core_total_t totals[CPU_PLACES] = {{0, 0, 0}};
    vector_sums sums[CPU_PLACES] = {{.added = 0}};
    const between_strips nothing_between = {.ahead = NULL};
    for (size_t i = 0; i < length; i += CPU_BLOCK) {
        size_t count = length - i < CPU_BLOCK ? length - i : CPU_BLOCK;
        const block_pairs pairs = {s->x + i, count, s->high + i * step, s->low + i * step, s->call, s->row, begin + i};
        add_terms(p, pairs, on, levels, sums, totals, 1, &nothing_between);
    }
    FOR_TERMS_IN(cpu_terms(p), t) {
        core_total_t *total = &totals[cpu_place(t)];
        lane_totals *all = &s->totals[cpu_place(t)];
        flush_sums(t, &sums[cpu_place(t)], levels, total);
        set_lane_total(all, k, core_term_merge(t, lane_total(all, k), *total));
    }
}

static void add_segment(sweep *s, size_t k, uint64_t begin, size_t length)
{
    if (s->levels == 2)
        add_sums(s, k, begin, length, 2);
    else
        add_sums(s, k, begin, length, 3);
}

/* Adds up, for a segment at temperature k, the terms that need the sums of the others. */
static void add_segment_later(sweep *s, size_t k, uint64_t begin, size_t length)
{
    const row_on_lane on = at_temperature(s, k);
    core_total_t totals[TERM_COUNT] = {{0, 0, 0}};
    later_sums sums = {.totals = {{0, 0, 0}}};
    FOR_TERMS_IN(cpu_terms(s->call->problem), t)
        totals[t] = lane_total(&s->totals[cpu_place(t)], k);
    const later_row later = later_row_of(s->call, on, totals, s->levels);
    for (size_t i = 0; i < length; i += CPU_BLOCK) {
        const size_t count = length - i < CPU_BLOCK ? length - i : CPU_BLOCK;
        const block_pairs block = {s->x + i, count, NULL, NULL, s->call, s->row, begin + i};
        add_later_terms(block, on, &later, s->levels, &sums);
    }
    flush_later_terms(&later, s->levels, &sums);
    FOR_TERMS_IN(later.terms, t)
        set_lane_total(&s->totals[cpu_place(t)], k, core_total_merge(totals[t], sums.totals[later_place(t)]));
}

/* ---------------------------------------------------------------- Phase finish */

/* Finishes the sums at temperature k: prepares what results need, and writes the loss. */
static void finish_sums(sweep *s, size_t k)
{
    const clsoftmax_problem *p = s->call->problem;
    const lane_sums_of of = {&s->rows, &s->temperatures, s->totals, &s->inputs, s->call->policies};
    float *losses = s->call->arguments->losses;
    if (p->statistics)
        complete_rest(&s->rows, s->totals, k);
    const int ending = operation_ending((int)p->operation);
    set_lane_end(ending, &s->ends, k, end_of_lane(ending, &of, s->levels, k));
    if (cpu_has_loss(p) && losses)
        losses[(s->first + k) * cls_problem_rows(p) + s->row] = s->ends.loss[k];
}

/* ---------------------------------------------------------------- Phase emit */

/* Returns the place of the results of a block at temperature k, from class `first` on. */
static result_block result_block_at(const sweep *s, size_t k, uint64_t first, size_t length)
{
    const clsoftmax_problem *p = s->call->problem;
    const uint64_t stride = p->results_layout.class_stride;
    return (result_block){s->call, s->stream, s->results + (s->first + k) * p->sweep_stride + first * stride,
                          stride,  length,    label_in_block(s->call, s->row, first, length),
                          s->row,  first};
}

/* Writes the results of the segment that begins at class `begin`, at temperature k. */
static void write_results(const sweep *s, size_t k, uint64_t begin)
{
    const int pairs = s->whole && cpu_made_of(s->call->problem) == MADE_OF_EXPONENTIALS;
    const row_on_lane on = at_temperature(s, k);
    size_t length = segment_length(s, begin);
    for (size_t i = 0; i < length; i += CPU_BLOCK) {
        size_t count = length - i < CPU_BLOCK ? length - i : CPU_BLOCK;
        store_results(result_block_at(s, k, begin + i, count), s->x + i, pairs ? s->high + i : NULL,
                      pairs ? s->low + i : NULL, on);
    }
}

/* Writes the fill throughout a row that is not computed, at temperature k. */
static void fill_results(const sweep *s, size_t k)
{
    const uint64_t classes = s->call->problem->classes;
    for (uint64_t i = 0; i < classes; i += CPU_BLOCK)
        store_fill(result_block_at(s, k, i, classes - i < CPU_BLOCK ? (size_t)(classes - i) : CPU_BLOCK),
                   s->rows.kind[k]);
}

/* ---------------------------------------------------------------- Phase finish: statistics */

/* Writes the statistics of the row at all temperatures, which are the lanes. */
static void write_statistics(const sweep *s)
{
    const clsoftmax_problem *p = s->call->problem;
    const clsoftmax_arguments *arguments = s->call->arguments;
    core_row_sums_t read[LANES];
    clsoftmax_statistics records[LANES];
    const core_row_sums_t row = {.top = s->top, .label_logit = cpu_label_logit(s->call, s->row, s->logits)};
    for (size_t k = 0; k < LANES; k++)
        read[k] = row;
    compute_lane_records(&s->rows, &s->temperatures, read, s->totals, s->levels, padded(s->count), records);
    for (size_t k = 0; k < s->count; k++)
        arguments->statistics[(s->first + k) * cls_problem_rows(p) + s->row] = records[k];
}

/* ---------------------------------------------------------------- Rows */

/* Computes a row whose logits stay in the room, one temperature after another. */
static void compute_whole(sweep *s)
{
    size_t length = segment_length(s, 0);
    for (size_t k = 0; k < s->count; k++) {
        add_segment(s, k, 0, length);
        if (TERMS_LATER(cpu_terms(s->call->problem)))
            add_segment_later(s, k, 0, length);
        finish_sums(s, k);
        if (cpu_made_of(s->call->problem) != MADE_OF_NOTHING)
            write_results(s, k, 0);
    }
}

/* Computes a row that passes through the room in segments, each at all temperatures. */
static void compute_segments(sweep *s)
{
    const clsoftmax_problem *p = s->call->problem;
    for (uint64_t begin = 0; begin < p->classes; begin += s->segment) {
        load(s, begin, 1);
        for (size_t k = 0; k < s->count; k++)
            add_segment(s, k, begin, segment_length(s, begin));
    }
    for (uint64_t begin = 0; TERMS_LATER(cpu_terms(p)) && begin < p->classes; begin += s->segment) {
        load(s, begin, 1);
        for (size_t k = 0; k < s->count; k++)
            add_segment_later(s, k, begin, segment_length(s, begin));
    }
    for (size_t k = 0; k < s->count; k++)
        finish_sums(s, k);
    if (cpu_made_of(p) == MADE_OF_NOTHING)
        return;
    for (uint64_t begin = 0; begin < p->classes; begin += s->segment) {
        load(s, begin, 1);
        for (size_t k = 0; k < s->count; k++)
            write_results(s, k, begin);
    }
}

/* Finishes a row that is not computed, at any temperature. */
static void finish_other_row(sweep *s)
{
    for (size_t k = 0; k < s->count; k++) {
        finish_sums(s, k);
        if (cpu_made_of(s->call->problem) != MADE_OF_NOTHING)
            fill_results(s, k);
    }
}

/* Takes a row through its phases at all temperatures. */
static void compute_row(sweep *s, uint64_t row)
{
    const clsoftmax_problem *p = s->call->problem;
    s->row = row;
    s->logits = cls_layout_row(p, &p->logits_layout, row);
    s->results = cls_layout_row(p, &p->results_layout, row);
    memset(s->totals, 0, sizeof s->totals);
    find_top(s);
    for (size_t k = 0; k < LANES && cpu_has_loss(p); k++)
        set_lane_input(s->call, &s->inputs, k, row, cpu_label_logit(s->call, row, s->logits));
    if (!core_row_is_computed(s->rows.kind[0])) /* the same at all temperatures */
        finish_other_row(s);
    else if (s->whole)
        compute_whole(s);
    else
        compute_segments(s);
    if (p->statistics)
        write_statistics(s);
}

/* Prepares the temperatures from `first` on, of those before `end`, as many as there are lanes. */
static void begin_temperatures(sweep *s, uint64_t first, uint64_t end)
{
    uint64_t left = end - first;
    s->first = first;
    s->count = left < LANES ? (size_t)left : LANES;
    for (size_t k = 0; k < LANES; k++) {
        float temperature = k < s->count ? s->call->arguments->temperatures[first + k] : 1.0f;
        set_lane_temperature(&s->temperatures, k, temperature, core_temperature(temperature));
    }
}

/* Returns the first row whose range number `range` stands at `place`, or behind it, in the order of rows and ranges. */
static uint64_t row_of_range(const sweep *s, uint64_t range, uint64_t place)
{
    const uint64_t ranges = s->call->ranges;
    return place / ranges + (place % ranges > range ? 1 : 0);
}

/* Computes one range of temperatures of all rows that have it at places [begin, end) in the order of rows and ranges.
 */
static void compute_range(sweep *s, uint64_t range, uint64_t begin, uint64_t end)
{
    const cpu_call *call = s->call;
    const uint64_t from = row_of_range(s, range, begin), to = row_of_range(s, range, end);
    const uint64_t first = range * call->range_temperatures, left = call->problem->sweep - first;
    const uint64_t behind = first + (left < call->range_temperatures ? left : call->range_temperatures);
    for (uint64_t k = first; k < behind && from < to; k += LANES) {
        begin_temperatures(s, k, behind);
        for (uint64_t row = from; row < to; row++)
            compute_row(s, row);
    }
}

uint64_t CPU_FUNCTION(cls_cpu_sweep)(const cpu_call *call, cpu_shares *shares, const cpu_room *room)
{
    cpu_stream stream = {.line = NULL};
    size_t segment = room->count / (1 + CORE_EXPONENTIAL_FLOATS) / CPU_BLOCK * CPU_BLOCK;
    sweep s = {.call = call, .levels = CORE_SUM_LEVELS(call->problem->classes), .segment = segment};
    s.stream = call->stream ? &stream : NULL;
    s.whole = call->problem->classes <= segment;
    s.x = room->floats;
    s.high = s.x + segment;
    s.low = CORE_LEAN ? s.high : s.high + segment;
    for (cpu_share share = cpu_take_share(shares); share.begin < share.end; share = cpu_take_share(shares))
        for (uint64_t range = 0; range < call->ranges; range++)
            compute_range(&s, range, share.begin, share.end);
    if (s.stream)
        cpu_stream_end(&stream);
    return 0;
}
