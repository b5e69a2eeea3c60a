/*
 * The phases of a row in OpenCL C. Every strategy takes its rows through them in this order, by these functions:
 *
 *     top       row_top_add        finds the largest logit, as a key; for some terms also the second, and where it is
 *     sums      row_state_of       computes what turns logits into exponentials at a temperature
 *               row_sums_add       adds the terms of a class, as integers of 32 bits (row_sums_add_pair, if its
 *                                  exponential is known)
 *               row_flush          returns the sums, as integers of 64 bits
 *               row_go_later       begins a second phase sums, for terms that need the sums of the others
 *     finish    row_inputs_of      reads what the row has beside its logits, such as its label
 *               row_end_of         makes of the sums what results need, such as 1 / sum, and the loss
 *               row_finish         writes the row's statistics and its loss, and counts an invalid temperature
 *     emit      row_result         computes the result of a class
 *               row_store_labels   writes the result of the label's class, where it is one of its own
 *
 * plain.cl shows them in their simplest use. A value that belongs to a row, such as a row_state, is one row's; with
 * CORE_ROW_PER_LANE it is a vector with a row on each lane. What a device computes on as one element is a core_float: a
 * float where CORE_WIDTH is 1, else a vector.
 */
#ifndef CLSOFTMAX_PHASES_H
#define CLSOFTMAX_PHASES_H

#include "strategies/elements.h"

/* ---------------------------------------------------------------- Top */

/* The largest logits that each lane has seen: their keys, and the step at which the largest came first; and the largest
   key of the operand. */
typedef struct {
    core_uint key;
    core_uint second_key;
    core_uint step;
    core_uint operand_key;
} row_top;

/* Returns the top before the first logit. */
static row_top row_top_of_nothing(void)
{
    row_top nothing = {(core_uint)(CORE_KEY_NEGATIVE_INFINITY), (core_uint)(CORE_KEY_NEGATIVE_INFINITY), (core_uint)(0),
                       (core_uint)(0)};
    return nothing;
}

/* Adds a logit for each lane. `step` is its class, or the number of its vector in the row (row_top_of_lanes). Only the
   largest key is kept if the row's terms need no more. */
static row_top row_top_add(row_top top, core_float x, uint step)
{
    const core_uint key = ROW_NEEDS_SECOND ? core_top_key(x) : core_key(x);
    if (ROW_NEEDS_SECOND) {
        const core_uint smaller = CORE_SMALLER(key, top.key);
        top.second_key = CORE_LARGER(smaller, top.second_key);
        top.step = key > top.key ? (core_uint)(step) : top.step;
    }
    top.key = CORE_LARGER(key, top.key);
    return top;
}

/* Adds the operand of a class for each lane. */
static row_top row_top_add_operand(row_top top, core_float g)
{
    const core_uint key = core_operand_key(g, OPERAND_KIND);
    if (HAS_OPERAND)
        top.operand_key = CORE_LARGER(key, top.operand_key);
    return top;
}

#if CORE_WIDTH == 1 || defined(CORE_ROW_PER_LANE)
/* Returns the top of a row, or of the row on each lane, whose classes were the steps. */
static core_top_t row_top_of_steps(row_top seen)
{
    const core_top_t top = {seen.key, seen.second_key, core_long_of_uint(seen.step), seen.operand_key};
    return top;
}
#endif

/* Returns the top of one row whose neighbouring classes are on the lanes of a vector: step s has class s * CORE_WIDTH
   on its first lane. */
static core_one_top row_top_of_lanes(row_top seen)
{
    uint keys[CORE_WIDTH], second_keys[CORE_WIDTH], steps[CORE_WIDTH], operand_keys[CORE_WIDTH];
    row_vstore(seen.key, keys);
    row_vstore(seen.second_key, second_keys);
    row_vstore(seen.step, steps);
    row_vstore(seen.operand_key, operand_keys);
    core_one_top top = {keys[0], second_keys[0], (long)steps[0] * CORE_WIDTH, operand_keys[0], 0};
    for (uint lane = 0; HAS_OPERAND && lane < CORE_WIDTH; lane++)
        top.operand_key = CORE_LARGER(top.operand_key, operand_keys[lane]);
    if (!ROW_NEEDS_SECOND) {
        for (uint lane = 0; lane < CORE_WIDTH; lane++)
            top.key = CORE_LARGER(top.key, keys[lane]);
        return top;
    }
    for (uint lane = 1; lane < CORE_WIDTH; lane++) {
        const core_one_top other = {keys[lane], second_keys[lane], (long)steps[lane] * CORE_WIDTH + lane, 0, 0};
        top = core_top_merge(top, other);
    }
    return top;
}

/* One row whose classes are on the lanes of vectors: its logits and its operand. Strides are from a class to the next:
   1 if CORE_WIDTH is more than 1. */
typedef struct {
    __global const logit_t *x;
    ulong stride;
    ulong classes;
    __global const operand_t *g;
    ulong operand_stride;
} row_vectors;

/* Returns the row with this number. */
static row_vectors row_vectors_of(const row_call *call, ulong row)
{
    const row_vectors vectors = {row_logits(call, row), CORE_WIDTH == 1 ? call->logits_layout.LAYOUT_CLASS_STRIDE : 1,
                                 call->classes, row_operand(call, row),
                                 CORE_WIDTH == 1 ? call->operand_layout.LAYOUT_CLASS_STRIDE : 1};
    return vectors;
}

/* Returns the operands of a vector from class c on. */
static core_float row_vectors_operand(const row_vectors *v, long c)
{
    return row_load_operand(v->g, v->operand_stride, c, v->classes);
}

/* Returns the top of such a row. */
static core_one_top row_top_of_classes(const row_vectors *v)
{
    row_top seen = row_top_of_nothing();
    uint step = 0;
    ulong c = 0;
    for (; c + CORE_WIDTH <= v->classes; c += CORE_WIDTH)
        seen = row_top_add(seen, row_load(v->x + c * v->stride), step++);
    if (c < v->classes)
        seen = row_top_add(seen, row_load_tail(v->x + c * v->stride, (uint)(v->classes - c), -CORE_INFINITY), step);
    for (c = 0; HAS_OPERAND && c < v->classes; c += CORE_WIDTH)
        seen = row_top_add_operand(seen, row_vectors_operand(v, (long)c));
    return row_top_of_lanes(seen);
}

/* ---------------------------------------------------------------- Sums */

/* The integer sums of a row, one for each of its terms. */
typedef struct {
    core_total_t of[TERMS_IN(ROW_TERMS)];
} row_totals;

/* Returns sums to which nothing has been added. */
static row_totals row_totals_of_nothing(void)
{
    const core_row_long zero = (core_row_long)(0);
    const core_total_t none = {zero, zero, zero};
    row_totals nothing;
    FOR_TERMS nothing.of[ROW_PLACE(t)] = none;
    return nothing;
}

/* Returns the sums of two parts of a row together. */
static row_totals row_totals_merge(row_totals a, row_totals b)
{
    FOR_TERMS a.of[ROW_PLACE(t)] = core_term_merge(t, a.of[ROW_PLACE(t)], b.of[ROW_PLACE(t)]);
    return a;
}

/* The same sums while they grow, in integers of 32 bits on each lane. They are flushed into integers of 64 bits before
   they can overflow. */
typedef struct {
    core_sum_t of[TERMS_IN(ROW_TERMS)];
    uint added; /* how many classes each lane has added since the last flush */
    row_totals flushed;
    int is_later; /* 1: only what is added up later than the rest grows; 0: only the rest does */
} row_sums;

/* Returns sums to which nothing has been added. */
static row_sums row_sums_of_nothing(int is_later)
{
    const core_sum_t none = {(core_uint)(0), (core_uint)(0), (core_uint)(0)};
    row_sums nothing;
    FOR_TERMS nothing.of[ROW_PLACE(t)] = none;
    nothing.added = 0;
    nothing.is_later = is_later;
    nothing.flushed = row_totals_of_nothing();
    return nothing;
}

/* Returns what a row has of the integers of its lanes: their sum, or the largest of them, if the lanes are classes of
   one row, and the integers themselves if each lane is a row. */
static core_row_long row_of_lanes(core_lanes_long lanes, int is_largest)
{
#if defined(CORE_ROW_PER_LANE) || CORE_WIDTH == 1
    return lanes;
#else
    long one[CORE_WIDTH], all = 0;
    row_vstore(lanes, one);
    for (uint i = 0; i < CORE_WIDTH; i++)
        all = is_largest ? CORE_LARGER(all, one[i]) : all + one[i];
    return all;
#endif
}

/* Returns a row's total of a term, to which each lane has added `added` classes. */
static core_total_t row_total_of(int term, core_sum_t sum, uint added)
{
    const core_lanes_total lanes = core_term_flush(term, sum, added, SUM_LEVELS);
    const int is_largest = TERM_IS_LARGEST(term);
    core_total_t total = {row_of_lanes(lanes.high, is_largest), row_of_lanes(lanes.low, is_largest),
                          row_of_lanes(lanes.lowest, is_largest)};
    return total;
}

/* Returns all that was added so far, whether flushed or not. */
static row_totals row_flush(row_sums sums)
{
    row_totals lanes = row_totals_of_nothing();
    FOR_TERMS_OF(sums.is_later) lanes.of[ROW_PLACE(t)] = row_total_of(t, sums.of[ROW_PLACE(t)], sums.added);
    return row_totals_merge(sums.flushed, lanes);
}

/* ---------------------------------------------------------------- A row at its temperature */

/* What turns the logits of a row into exponentials and results at one temperature. */
typedef struct {
    core_setting_t set;
    core_term_row_t terms;
    core_match_t match;           /* with a teacher */
    core_divergence_t divergence; /* in the second phase sums */
    operation_row operation;      /* for results; its `end` is set once the sums are known */
    int is_later;                 /* 1: it is in the second phase sums, see row_go_later */
} row_state;

/* Returns the state of a row with this top at a temperature. */
static row_state row_state_of(core_top_t top, core_row_float temperature, uint policies)
{
    row_state row;
    core_temperature_t prepared = core_temperature(temperature);
#if defined(CORE_ROW_PER_LANE) && CORE_WIDTH > 1 &&                                                                    \
    (TEMPERATURES == TEMPERATURES_ONE || TEMPERATURES == TEMPERATURES_SWEEP)
    /* All lanes have one temperature, and nearly always it needs no scale. Much of the work for a row of few classes is
       about that scale, so it becomes a constant here. So does the temperature, of which core_setting only asks whether
       it is valid, as it is here. */
    if (temperature.s0 >= 0x1p-62f && temperature.s0 < 0x1p62f) {
        prepared.scale = CORE_ROW(1.0f);
        row.set = core_setting(top.key, CORE_ROW(1.0f), prepared, policies);
        row.set.temperature = temperature;
    } else
#endif
        row.set = core_setting(top.key, temperature, prepared, policies);
    if (HAS_TEACHER) {
        row.set.kind = core_kind_with_teacher(row.set.kind, top.operand_key, temperature, policies);
        row.match = core_match(row.set, top.operand_key, policies);
    } else if (HAS_OPERAND) {
        row.set.kind = core_kind_with_operand(row.set.kind, top.operand_key);
        row.terms.operand = core_operand(top.operand_key);
    }
    if (TERMS_NEED_DISTANCE(ROW_TERMS))
        row.terms.distance = core_distance(row.set.prepared, row.set.maximum);
    if (TERM_IS_IN(ROW_TERMS, TERM_REST))
        row.terms.rest = core_rest(row.set, core_ordinary_second(top.key, top.second_key, row.set));
    row.operation.row = row.set.row;
    row.operation.log_row = core_log_row(row.set.prepared, row.set.maximum);
    row.operation.terms = row.terms;
    if (HAS_TEACHER)
        row.operation.match = row.match;
    const core_two_float nothing = {CORE_ROW(0.0f), CORE_ROW(0.0f)};
    row.operation.end = end_factor(nothing);
    row.is_later = 0;
    return row;
}

/* Prepares the state for the second phase sums, in which the terms are added up that need the sums of the others. */
static void row_go_later(const row_call *call, row_state *row, row_totals totals)
{
    if (!HAS_LATER_TERMS)
        return;
    row->is_later = 1;
    if (HAS_TEACHER)
        row->divergence =
            core_divergence(row->set, row->match, totals.of[ROW_PLACE(TERM_EXPONENTIAL)],
                            totals.of[ROW_PLACE(TERM_TEACHER)], totals.of[ROW_PLACE(TERM_BOUNDS)],
                            DIVERGENCE_KIND == DIVERGENCE_MIXED ? call->loss.LOSS_SHARE : 0.0f, SUM_LEVELS);
    else
        row->terms.reach = core_reach_power(totals.of[ROW_PLACE(TERM_REACH)]);
}

/* Returns a logit as an ordinary row has it. That is the logit itself, but in a row of ties 0 for a logit that ties and
   -inf for all others (core_tie). */
static core_float row_ordinary(core_float x, const row_state *row)
{
    if (!TIES)
        return x;
    const core_int is_ties =
        (core_int)(row->set.kind == (core_row_int)(CORE_ROW_TIES) ? (core_row_int)(-1) : (core_row_int)(0));
    return is_ties < 0 ? core_tie(x, row->set.ties_at) : x;
}

/* Returns an operand as an ordinary row has it, which makes a difference where it is a teacher's logit. */
static core_float row_ordinary_operand(core_float g, const row_state *row)
{
    if (!(TIES && HAS_TEACHER))
        return g;
    const core_int is_ties =
        (core_int)(row->match.teacher.kind == (core_row_int)(CORE_ROW_TIES) ? (core_row_int)(-1) : (core_row_int)(0));
    return is_ties < 0 ? core_tie(g, row->match.teacher.ties_at) : g;
}

/* Adds the terms of a class with exponential e, logit x, as an ordinary row has it, and operand g. After
   CORE_FLUSH_AFTER calls at most, row_sums_settle or row_flush must follow. */
static row_sums row_sums_add_pair(row_sums sums, core_pair e, core_float x, core_float g, const row_state *row)
{
    core_pair of_teacher = e;
    if (HAS_TEACHER) {
        g = row_ordinary_operand(g, row);
        of_teacher = core_exponential(g, row->match.teacher.row);
    }
    FOR_TERMS_OF(sums.is_later)
    {
        const core_pair of_class = TERM_IS_OF_TEACHER(t) ? core_teacher_term(t, e, of_teacher, x, g, row->match,
                                                                             row->divergence, DIVERGENCE_KIND)
                                                         : core_term(t, e, x, g, row->terms);
        sums.of[ROW_PLACE(t)] = core_term_add(t, sums.of[ROW_PLACE(t)], of_class, SUM_LEVELS);
    }
    sums.added++;
    return sums;
}

/* Flushes sums whose integers of 32 bits are full. */
static row_sums row_sums_settle(row_sums sums)
{
    if (sums.added == CORE_FLUSH_AFTER) {
        const row_totals all = row_flush(sums);
        sums = row_sums_of_nothing(sums.is_later);
        sums.flushed = all;
    }
    return sums;
}

/* Adds the terms of a class with logit x, as an ordinary row has it, and operand g. It may be called any number of
 * times. */
static row_sums row_sums_add(row_sums sums, core_float x, core_float g, const row_state *row)
{
    return row_sums_settle(row_sums_add_pair(sums, core_exponential(x, row->set.row), x, g, row));
}

/* ---------------------------------------------------------------- Results */

/* Returns the result of a class from its exponential and its operand g, if results are made of exponentials. */
static core_float row_result_of_pair(core_pair e, core_float g, const row_state *row)
{
    return operation_result(OPERATION, e, e.high, row_ordinary_operand(g, row), row->operation);
}

/* Returns the result of a class from its logit x, as an ordinary row has it, and its operand g. */
static core_float row_result(core_float x, core_float g, const row_state *row)
{
    core_pair e = {x, x};
    if (MADE_OF_PAIRS)
        e = core_exponential(x, row->set.row);
    return operation_result(OPERATION, e, x, row_ordinary_operand(g, row), row->operation);
}

/* Returns 1 if the condition holds for the row, or for the rows on all lanes. PoCL's all() looks at one lane after
   another; compilers make a reduction of this loop once it is unrolled. */
static int row_all(core_row_int condition)
{
#if defined(CORE_ROW_PER_LANE) && CORE_WIDTH > 1
    int lanes[CORE_WIDTH], all_lanes = -1;
    row_vstore(condition, lanes);
#pragma unroll
    for (uint i = 0; i < CORE_WIDTH; i++)
        all_lanes &= lanes[i];
    return all_lanes < 0;
#else
    return condition;
#endif
}

/* Returns the fill of a row of this kind, which is not computed. */
static core_row_float row_fill_value(core_row_int kind)
{
    return kind == (core_row_int)(CORE_ROW_ZERO) ? CORE_ROW(operation_fill(OPERATION, 1))
                                                 : CORE_ROW(operation_fill(OPERATION, 0));
}

/* ---------------------------------------------------------------- Arrays with one element for each row */

/* How many rows a value that belongs to a row has, and how such values are read from an array of so
   many and written. */
#ifdef CORE_ROW_PER_LANE
#define ROW_LANES CORE_WIDTH
#define row_from_lanes(array) row_vload(array)
#define row_to_lanes(value, array) row_vstore(value, array)
#else
#define ROW_LANES 1
#define row_from_lanes(array) (*(array))
#define row_to_lanes(value, array) (*(array) = (value))
#endif

/* Returns the temperatures of `count` rows from `row` on. In a sweep that is temperature k for all of them; where the
   temperatures are on lanes, it is `count` temperatures from k on. All further lanes get the first temperature. */
static core_row_float row_temperatures(const row_call *call, ulong row, uint count, uint k)
{
    float lanes[ROW_LANES];
    if (TEMPERATURES == TEMPERATURES_ONE)
        return CORE_ROW(call->one_temperature);
    if (TEMPERATURES == TEMPERATURES_SWEEP)
        return CORE_ROW(call->temperatures[call->first.FIRST_TEMPERATURE + k]);
    const ulong begin = call->first.FIRST_TEMPERATURE + (TEMPERATURES == TEMPERATURES_ON_LANES ? k : row);
    for (uint i = 0; i < ROW_LANES; i++)
        lanes[i] = call->temperatures[begin + (i < count ? i : 0)];
    return row_from_lanes(lanes);
}

/* The rows that are finished together: one row, or one on each lane, or one row at several temperatures with a
   temperature on each lane. */
typedef struct {
    ulong row; /* the first */
    uint count;
    __global const logit_t *logits;    /* of the first row */
    ulong lane_stride;                 /* from the logits of a row to those of the next, in elements */
    __global const operand_t *operand; /* of the first row; for strategies that have rows on lanes, as the next is */
    ulong operand_lane_stride;
} row_lot;

/* Returns the label of row i of a lot; -1 if it has none. */
static long row_label(const row_call *call, row_lot lot, uint i)
{
    const ulong at = TEMPERATURES == TEMPERATURES_ON_LANES ? lot.row : lot.row + i;
    const long label = call->labels && i < lot.count ? call->labels[call->first.FIRST_LABEL + at] : -1;
    return label >= 0 && (ulong)label < call->classes ? label : -1;
}

/* Returns the logits of the rows' labels; NaN where no label is given. */
static core_row_float row_label_logits(const row_call *call, row_lot lot)
{
    float at_label[ROW_LANES];
    for (uint i = 0; i < ROW_LANES; i++) {
        const long label = row_label(call, lot, i);
        at_label[i] = label >= 0 ? row_load_one(lot.logits + i * lot.lane_stride +
                                                (ulong)label * call->logits_layout.LAYOUT_CLASS_STRIDE)
                                 : core_float_of_bits(CORE_NAN_BITS);
    }
    return row_from_lanes(at_label);
}

/* Returns what rows have beside their logits, given the logits of their labels, and whether they have labels. */
static core_loss_inputs_t row_inputs_labelled(const row_call *call, row_lot lot, core_row_float label_logit,
                                              const int *are_labelled)
{
    core_loss_inputs_t inputs = {label_logit,
                                 CORE_ROW(1.0f),
                                 call->loss.LOSS_SCALE,
                                 call->loss.LOSS_Z,
                                 call->policies & CORE_TEMPERATURE_SQUARED ? 1.0f : 0.0f,
                                 call->loss.LOSS_SHARE};
    if (!HAS_LOSS)
        return inputs;
    float lanes[ROW_LANES];
    for (uint i = 0; i < ROW_LANES; i++) {
        const ulong at = TEMPERATURES == TEMPERATURES_ON_LANES ? lot.row : lot.row + (i < lot.count ? i : 0);
        const float weight = call->weights ? call->weights[call->first.FIRST_WEIGHT + at] : 1.0f;
        lanes[i] = are_labelled[i] || !HAS_LABELS ? weight : CORE_NO_LABEL;
    }
    inputs.weight = row_from_lanes(lanes);
    return inputs;
}

/* Returns what rows have beside their logits. It must be read before results take the place of logits. */
static core_loss_inputs_t row_inputs_of(const row_call *call, row_lot lot)
{
    core_row_float label_logit = CORE_ROW(0.0f);
    int are_labelled[ROW_LANES];
    if (STATISTICS || HAS_LABELS)
        label_logit = row_label_logits(call, lot);
    for (uint i = 0; i < ROW_LANES; i++)
        are_labelled[i] = HAS_LABELS && row_label(call, lot, i) >= 0;
    return row_inputs_labelled(call, lot, label_logit, are_labelled);
}

/* Returns the end of rows, such as 1 / sum for a softmax. */
static core_end_t row_end_of(const row_state *row, row_totals totals, core_loss_inputs_t inputs)
{
    ending_sums sums = {.terms = row->terms, .set = row->set, .inputs = inputs, .levels = SUM_LEVELS};
    if (HAS_TEACHER)
        sums.match = row->match;
    if (TERM_IS_IN(ROW_TERMS, TERM_EXPONENTIAL))
        sums.sum = core_total_value(totals.of[ROW_PLACE(TERM_EXPONENTIAL)]);
    FOR_TERMS sums.totals[t] = totals.of[ROW_PLACE(t)];
    return end_of_row(operation_ending(OPERATION), sums);
}

/* Counts the rows whose temperature is invalid, if the caller wants to know. */
static void row_count_invalid(const row_call *call, const row_state *state, uint count)
{
    if (TEMPERATURES == TEMPERATURES_ONE || !call->invalid_rows)
        return;
    float lanes[ROW_LANES];
    row_to_lanes(state->set.temperature, lanes);
    for (uint i = 0; i < count; i++)
        if (!(lanes[i] >= 0.0f))
            atomic_inc(call->invalid_rows);
}

/* Writes the records of rows at temperature k of a sweep. */
static void row_write_records(const row_call *call, uint k, row_lot lot, const row_state *state, core_row_sums_t sums)
{
    const core_statistics_t all = core_statistics(sums, state->set, SUM_LEVELS);
    const ulong records_stride = call->first.FIRST_ROWS_STRIDE;
    __global core_statistics_record *records = call->statistics + call->first.FIRST_STATISTICS + lot.row;
    if (k > 0)
        records += k * records_stride;
#define LANES_OF_FIELD(row_type, type, name)                                                                           \
    type lanes_##name[ROW_LANES];                                                                                      \
    row_to_lanes(all.name, lanes_##name);
    STATISTICS_FIELDS(LANES_OF_FIELD)
#undef LANES_OF_FIELD
    for (uint i = 0; i < lot.count; i++) {
#define LANE_OF_FIELD(row_type, type, name) lanes_##name[i],
        const core_statistics_record record = {STATISTICS_FIELDS(LANE_OF_FIELD)};
#undef LANE_OF_FIELD
        records[i * (TEMPERATURES == TEMPERATURES_ON_LANES ? records_stride : 1)] = record;
    }
}

/* Writes the losses of rows at temperature k of a sweep. */
static void row_write_losses(const row_call *call, uint k, row_lot lot, const row_state *state)
{
    const ulong stride = call->first.FIRST_ROWS_STRIDE;
    __global float *losses = call->losses + call->first.FIRST_LOSS + lot.row;
    float lanes[ROW_LANES];
    if (k > 0)
        losses += k * stride;
    row_to_lanes(state->operation.end.loss, lanes);
    for (uint i = 0; i < lot.count; i++)
        losses[i * (TEMPERATURES == TEMPERATURES_ON_LANES ? stride : 1)] = lanes[i];
}

/* Finishes rows at temperature k of a sweep, whose end is known: counts those whose temperature is invalid, and writes
   their records and losses. Only one work-item may call it for a row. */
static void row_finish(const row_call *call, uint k, row_lot lot, const row_state *state, core_top_t top,
                       row_totals totals, core_loss_inputs_t inputs)
{
    row_count_invalid(call, state, lot.count);
    if (STATISTICS) {
        core_row_sums_t sums = {.top = top, .label_logit = inputs.label_logit};
        FOR_TERMS if (t < STATISTICS_TERMS) sums.totals[t] = totals.of[ROW_PLACE(t)];
        row_write_records(call, k, lot, state, sums);
    }
    if (HAS_LOSS && call->losses)
        row_write_losses(call, k, lot, state);
}

/* Writes the results of the labels' classes of rows that are computed, where the operation has such; p is where the
   results of the first row begin. The other results must have been written before, by the same work-item. */
static void row_store_labels(const row_call *call, row_lot lot, const row_state *state, __global result_t *p,
                             ulong lane_stride)
{
    if (!HAS_LABELS)
        return;
    float lanes[ROW_LANES];
    int kinds[ROW_LANES];
    row_to_lanes(state->operation.end.at_label, lanes);
    row_to_lanes(state->set.kind, kinds);
    for (uint i = 0; i < lot.count; i++) {
        const long label = row_label(call, lot, i);
        if (label >= 0 && core_row_is_computed(kinds[i]))
            row_store_one(lanes[i], p + i * lane_stride + (ulong)label * call->results_layout.LAYOUT_CLASS_STRIDE);
    }
}

#endif
