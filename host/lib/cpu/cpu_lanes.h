/*
 * What is known of LANES rows, or of one row at LANES temperatures, between the phases: arrays with a lane for each, so
 * that loops over them are vectorised. There are CPU_LANES for cpu_lane.c (a panel) and cpu_sweep.c (one row at many
 * temperatures). cpu_item.c (a bundle) and cpu_parts.c (one row) need a vector of them, and say so before they include
 * this file. The ends of two phases are here: of top (set_lane_rows), and of finish (set_lane_ends,
 * compute_lane_records).
 */
#ifndef CLSOFTMAX_CPU_LANES_H
#define CLSOFTMAX_CPU_LANES_H

#include "cpu_rows.h"

#ifndef LANES
#define LANES CPU_LANES
#endif
#define FOR_LANES _Pragma("omp simd") for (size_t l = 0; l < LANES; l++)

/* The temperature of each lane, and what core_temperature makes of it. */
typedef struct __attribute__((aligned(64))) lane_temperatures {
    float temperature[LANES];
    float scale[LANES], reciprocal_high[LANES], reciprocal_low[LANES], halving[LANES];
} lane_temperatures;

INLINE void set_lane_temperature(lane_temperatures *t, size_t l, float temperature, core_temperature_t prepared)
{
    t->temperature[l] = temperature;
    t->scale[l] = prepared.scale;
    t->reciprocal_high[l] = prepared.reciprocal.high;
    t->reciprocal_low[l] = prepared.reciprocal.low;
    t->halving[l] = prepared.halving;
}

/* Sets all lanes to one temperature. */
static inline void set_one_temperature(lane_temperatures *t, float temperature)
{
    core_temperature_t prepared = core_temperature(temperature);
    for (size_t l = 0; l < LANES; l++)
        set_lane_temperature(t, l, temperature, prepared);
}

INLINE core_temperature_t lane_temperature(const lane_temperatures *t, size_t l)
{
    return (core_temperature_t){t->scale[l], {t->reciprocal_high[l], t->reciprocal_low[l]}, t->halving[l]};
}

/* ---------------------------------------------------------------- Rows */

/* The maximum of each lane's row, and what it and the temperature make of the row: see core_setting_t. */
typedef struct __attribute__((aligned(64))) lane_rows {
    uint32_t key[LANES], second_key[LANES]; /* the second only where terms need it */
    int32_t kind[LANES];
    float maximum[LANES], ties_at[LANES];
    float scale[LANES], base[LANES], reciprocal_high[LANES], reciprocal_low[LANES], lowest[LANES], magic[LANES];
    float rest_limit[LANES], rest_power[LANES];        /* see core_rest_t; set by set_lane_rests */
    uint32_t operand_key[LANES];                       /* only where rows have an operand */
    float operand_first[LANES], operand_second[LANES]; /* see core_operand_t; set by set_lane_operands */
} lane_rows;

INLINE core_row_t lane_row(const lane_rows *rows, size_t l)
{
    return (core_row_t){rows->scale[l],          rows->base[l],   rows->reciprocal_high[l],
                        rows->reciprocal_low[l], rows->lowest[l], rows->magic[l]};
}

/* Writes what is known of the row on a lane. */
INLINE void set_lane(lane_rows *rows, size_t l, int32_t kind, float maximum, float ties_at, core_row_t row)
{
    rows->kind[l] = kind;
    rows->maximum[l] = maximum;
    rows->ties_at[l] = ties_at;
    rows->scale[l] = row.scale;
    rows->base[l] = row.base;
    rows->reciprocal_high[l] = row.reciprocal_high;
    rows->reciprocal_low[l] = row.reciprocal_low;
    rows->lowest[l] = row.lowest;
    rows->magic[l] = row.magic;
}

INLINE void set_lane_row(lane_rows *rows, size_t l, float temperature, core_temperature_t prepared, uint32_t policies)
{
    core_setting_t set = core_setting(rows->key[l], temperature, prepared, policies);
    set_lane(rows, l, set.kind, set.maximum, set.ties_at, set.row);
}

/* Sets the rows of the first `count` lanes, a constant, if all their maxima are near 0, as they most often are. The
   rows are ordinary then, and take a third of the operations. Returns 0 if a maximum is not near 0: then the rows are
   not set. All have the same temperature, which scales no logits. */
INLINE int set_near_rows(lane_rows *rows, core_temperature_t prepared, size_t count)
{
    int32_t are_near = 1;
#pragma omp simd reduction(& : are_near)
    for (size_t l = 0; l < count; l++) {
        rows->maximum[l] = core_value_of_key(rows->key[l]);
        are_near &= core_is_near(rows->maximum[l] * prepared.reciprocal.high);
    }
    if (!are_near)
        return 0;
#pragma omp simd
    for (size_t l = 0; l < count; l++) {
        const float maximum = rows->maximum[l];
        set_lane(rows, l, CORE_ROW_ORDINARY, maximum, maximum,
                 core_near_row(prepared, maximum * prepared.reciprocal.high));
    }
    return 1;
}

/* Sets the rows of the first `count` lanes, a constant, from their keys and temperatures. is_one: all lanes have the
   same temperature. If that scales no logits, most of what is done once a row is the same for all, and is done once:
   the loop then takes the constant 1 for the temperature, which has been checked and does not matter beside what is
   prepared. (A condition on it would keep gcc from vectorising; docs/experiments.md, "cpu: lane".) */
INLINE void set_lane_rows(lane_rows *rows, const lane_temperatures *t, int is_one, uint32_t policies, size_t count)
{
    core_temperature_t prepared = lane_temperature(t, 0);
    if (is_one && prepared.scale == 1.0f) {
        prepared.scale = 1.0f; /* as a constant */
        if (set_near_rows(rows, prepared, count))
            return;
#pragma omp simd
        for (size_t l = 0; l < count; l++)
            set_lane_row(rows, l, 1.0f, prepared, policies);
        return;
    }
#pragma omp simd
    for (size_t l = 0; l < count; l++)
        set_lane_row(rows, l, t->temperature[l], lane_temperature(t, l), policies);
}

INLINE core_rest_t lane_rest(const lane_rows *rows, size_t l)
{
    return (core_rest_t){rows->rest_limit[l], rows->rest_power[l]};
}

/* Sets how the rests of rows that are set are added up, from their second keys: those of the first `count` lanes, a
   constant. */
INLINE void set_lane_rests(lane_rows *rows, size_t count)
{
#pragma omp simd
    for (size_t l = 0; l < count; l++) {
        const core_setting_t set = {.kind = rows->kind[l], .maximum = rows->maximum[l], .row = lane_row(rows, l)};
        const core_rest_t rest = core_rest(set, core_ordinary_second(rows->key[l], rows->second_key[l], set));
        rows->rest_limit[l] = rest.limit;
        rows->rest_power[l] = rest.power;
    }
}

/* Sets what a teacher's row makes of the kinds of rows that are set, from its largest keys. */
OUTLINE void set_lane_teachers(lane_rows *rows, const lane_temperatures *t, uint32_t policies, size_t count)
{
    for (size_t l = 0; l < count; l++)
        rows->kind[l] = core_kind_with_teacher(rows->kind[l], rows->operand_key[l], t->temperature[l], policies);
}

/* Sets what the operand makes of rows that are set, from its largest keys: those of the first `count` lanes, a
   constant. */
INLINE void set_lane_operands(lane_rows *rows, size_t count)
{
#pragma omp simd
    for (size_t l = 0; l < count; l++) {
        const core_operand_t operand = core_operand(rows->operand_key[l]);
        rows->kind[l] = core_kind_with_operand(rows->kind[l], rows->operand_key[l]);
        rows->operand_first[l] = operand.first;
        rows->operand_second[l] = operand.second;
    }
}

/* The end of each lane's row: see core_end_t. All but the factor is set only where ends have more (ending_is_factor).
 */
typedef struct __attribute__((aligned(64))) lane_ends {
    float high[LANES], low[LANES], before[LANES], after[LANES], at_label[LANES], loss[LANES];
    float operand_high[LANES], operand_low[LANES], share[LANES], ratio[LANES], divergence[LANES];
} lane_ends;

INLINE core_end_t lane_end(const lane_ends *ends, size_t l)
{
    return (core_end_t){.factor = {ends->high[l], ends->low[l]},
                        .before = ends->before[l],
                        .after = ends->after[l],
                        .at_label = ends->at_label[l],
                        .loss = ends->loss[l],
                        .operand = {ends->operand_high[l], ends->operand_low[l]},
                        .mixed = {ends->share[l], ends->ratio[l], ends->divergence[l]}};
}

/* ending: a constant, here and below. */
INLINE void set_lane_end(int ending, lane_ends *ends, size_t l, core_end_t end)
{
    ends->high[l] = end.factor.high;
    ends->low[l] = end.factor.low;
    if (ending_is_factor(ending))
        return;
    ends->before[l] = end.before;
    ends->operand_high[l] = end.operand.high;
    ends->operand_low[l] = end.operand.low;
    ends->after[l] = end.after;
    ends->at_label[l] = end.at_label;
    ends->loss[l] = end.loss;
    ends->share[l] = end.mixed.share;
    ends->ratio[l] = end.mixed.ratio;
    ends->divergence[l] = end.mixed.divergence;
}

/* The row on a lane, from which each phase takes what it needs. */
typedef struct row_on_lane {
    const lane_rows *rows;
    const lane_temperatures *temperatures;
    const lane_ends *ends; /* known from the phase finish on */
    size_t lane;
    uint32_t policies; /* for a teacher's row */
} row_on_lane;

INLINE core_row_t row_of(row_on_lane on)
{
    return lane_row(on.rows, on.lane);
}

/* Returns what the terms need to know about the row on a lane. */
INLINE core_term_row_t lane_term_row(const lane_rows *rows, const lane_temperatures *t, size_t l)
{
    return (core_term_row_t){.distance = core_distance(lane_temperature(t, l), rows->maximum[l]),
                             .rest = lane_rest(rows, l),
                             .operand = {rows->operand_first[l], rows->operand_second[l]}};
}

INLINE core_term_row_t term_row_of(row_on_lane on)
{
    return lane_term_row(on.rows, on.temperatures, on.lane);
}

/* Returns what the row on a lane and its teacher's are compared by. */
INLINE core_match_t match_of(row_on_lane on)
{
    const core_setting_t student = {.temperature = on.temperatures->temperature[on.lane],
                                    .prepared = lane_temperature(on.temperatures, on.lane),
                                    .kind = on.rows->kind[on.lane],
                                    .maximum = on.rows->maximum[on.lane],
                                    .ties_at = on.rows->ties_at[on.lane],
                                    .row = row_of(on)};
    return core_match(student, on.rows->operand_key[on.lane], on.policies);
}

/* Returns the row and its end, as an operation takes them. What it does not use costs nothing once this is inlined. */
INLINE operation_row operation_row_of(row_on_lane on)
{
    return (operation_row){.row = row_of(on),
                           .log_row =
                               core_log_row(lane_temperature(on.temperatures, on.lane), on.rows->maximum[on.lane]),
                           .terms = term_row_of(on),
                           .end = lane_end(on.ends, on.lane)};
}

/* ---------------------------------------------------------------- Sums */

/* The totals of one term, for each lane. */
typedef struct __attribute__((aligned(64))) lane_totals {
    int64_t high[LANES], low[LANES], lowest[LANES];
} lane_totals;

INLINE void set_lane_total(lane_totals *totals, size_t l, core_total_t total)
{
    totals->high[l] = total.high;
    totals->low[l] = total.low;
    totals->lowest[l] = total.lowest;
}

INLINE core_total_t lane_total(const lane_totals *totals, size_t l)
{
    return (core_total_t){totals->high[l], totals->low[l], totals->lowest[l]};
}

/* Completes the totals of rows that have both the sum of their exponentials and the rest, which is that sum unless the
   largest exponential stands alone. Only for rows in which it does, has the rest been added up. */
static inline void complete_rest(const lane_rows *rows, lane_totals *totals, size_t l)
{
    if (!core_is_alone(lane_rest(rows, l)))
        set_lane_total(&totals[TERM_REST], l, lane_total(&totals[TERM_EXPONENTIAL], l));
}

static inline void complete_rests(const lane_rows *rows, lane_totals *totals, size_t count)
{
    for (size_t l = 0; l < count; l++)
        complete_rest(rows, totals, l);
}

/* What is read of each lane's row for its loss: see core_loss_inputs_t. Lanes have also what is the same for all rows,
   since gcc does not vectorise loops with conditions on that. */
typedef struct __attribute__((aligned(64))) lane_inputs {
    float label_logit[LANES], weight[LANES], scale[LANES], z_loss[LANES], is_squared[LANES], share[LANES];
} lane_inputs;

/* Makes a lane one without a label, so that its numbers are valid. */
INLINE void clear_lane_input(lane_inputs *inputs, size_t l)
{
    inputs->label_logit[l] = core_float_of_bits(CORE_NAN_BITS);
    inputs->weight[l] = CORE_NO_LABEL;
    inputs->scale[l] = 1.0f;
    inputs->z_loss[l] = 0.0f;
    inputs->is_squared[l] = 0.0f;
    inputs->share[l] = 0.0f;
}

/* Sets what is read of the row on a lane. */
INLINE void set_lane_input(const cpu_call *call, lane_inputs *inputs, size_t l, uint64_t row, float label_logit)
{
    const clsoftmax_arguments *arguments = call->arguments;
    inputs->label_logit[l] = label_logit;
    const int is_labelled = !cpu_has_labels(call->problem) || (uint64_t)arguments->labels[row] < call->problem->classes;
    const float weight = arguments->weights ? arguments->weights[row] : 1.0f;
    inputs->weight[l] = is_labelled ? weight : CORE_NO_LABEL;
    inputs->scale[l] = arguments->scale;
    inputs->z_loss[l] = arguments->z_loss;
    inputs->is_squared[l] = call->policies & CORE_TEMPERATURE_SQUARED ? 1.0f : 0.0f;
    inputs->share[l] =
        operation_share((int)call->problem->operation, arguments->label_smoothing, arguments->teacher_share);
}

/* What the ends of rows are computed from: the totals of all terms, and for a loss what is read of each row. */
typedef struct lane_sums_of {
    const lane_rows *rows;
    const lane_temperatures *temperatures;
    const lane_totals *totals;
    const lane_inputs *inputs; /* NULL without a loss */
    uint32_t policies;
} lane_sums_of;

/* Returns the end of the row on a lane. (A loop over the terms would keep gcc from vectorising those over lanes.) */
#define LANE_TOTAL(term) [TERM_##term] = lane_total(&of->totals[TERM_##term], l)
#define SET_LANE_TOTAL(term)                                                                                           \
    if (TERM_IS_IN(terms, TERM_##term))                                                                                \
    sums.totals[TERM_##term] = lane_total(&of->totals[cpu_place(TERM_##term)], l)
INLINE core_end_t end_of_lane(int ending, const lane_sums_of *of, int levels, size_t l)
{
    const lane_rows *rows = of->rows;
    ending_sums sums = {.sum = core_total_value(lane_total(&of->totals[TERM_EXPONENTIAL], l)),
                        .totals = {LANE_TOTAL(EXPONENTIAL), LANE_TOTAL(WEIGHTED), LANE_TOTAL(REST)},
                        .terms = lane_term_row(rows, of->temperatures, l),
                        .set = {.temperature = of->temperatures->temperature[l],
                                .kind = rows->kind[l],
                                .prepared = lane_temperature(of->temperatures, l),
                                .maximum = rows->maximum[l],
                                .ties_at = rows->ties_at[l],
                                .row = lane_row(rows, l)},
                        .levels = levels};
    const uint terms = ending_terms(ending);
    SET_LANE_TOTAL(PRODUCT);
    SET_LANE_TOTAL(OPERAND);
    SET_LANE_TOTAL(PRODUCT_WEIGHTED);
    SET_LANE_TOTAL(REACH);
    SET_LANE_TOTAL(OPERAND_WEIGHTED);
    SET_LANE_TOTAL(TEACHER);
    SET_LANE_TOTAL(BOUNDS);
    SET_LANE_TOTAL(DIVERGENCE);
    SET_LANE_TOTAL(STUDENT_DIVERGENCE);
    if (TERMS_NEED_TEACHER(terms))
        sums.match = core_match(sums.set, rows->operand_key[l], of->policies);
    if (ending_loss(ending) != LOSS_NONE)
        sums.inputs = (core_loss_inputs_t){of->inputs->label_logit[l], of->inputs->weight[l],     of->inputs->scale[l],
                                           of->inputs->z_loss[l],      of->inputs->is_squared[l], of->inputs->share[l]};
    return end_of_row(ending, sums);
}
#undef LANE_TOTAL
#undef SET_LANE_TOTAL

/* Sets the ends of the first `count` lanes. All numbers are constants. */
INLINE void set_ends_of_lanes(int ending, lane_ends *ends, const lane_sums_of *of, int levels, size_t count)
{
#pragma omp simd
    for (size_t l = 0; l < count; l++)
        set_lane_end(ending, ends, l, end_of_lane(ending, of, levels, l));
}

/* Sets the ends of rows with later terms one after another: so much is done for each that gcc would take kilobytes of
   the stack to do it for all at once. */
OUTLINE void set_later_ends(int ending, lane_ends *ends, const lane_sums_of *of, int levels, size_t count)
{
    for (size_t l = 0; l < count; l++)
        set_lane_end(ending, ends, l, end_of_lane(ending, of, levels, l));
}

/* Sets the ends of the first `count` lanes. To an end that needs only the value of the sum, the number of levels means
   nothing. may_have_operand: 0 if rows never have one; a constant, as `count` is. */
INLINE void set_lane_ends(const clsoftmax_problem *problem, lane_ends *ends, const lane_sums_of *of, size_t count,
                          int may_have_operand)
{
    const int levels = CORE_SUM_LEVELS(problem->classes);
    switch (operation_ending((int)problem->operation)) {
#define SET_LANE_ENDS(name, terms, operand, loss)                                                                      \
    case ENDING_##name:                                                                                                \
        if (TERMS_NEED_OPERAND(terms) && !may_have_operand)                                                            \
            break;                                                                                                     \
        if (TERMS_LATER(terms))                                                                                        \
            set_later_ends(ENDING_##name, ends, of, levels, count);                                                    \
        else if (ENDS_WITH_SUM(terms) || levels == 2)                                                                  \
            set_ends_of_lanes(ENDING_##name, ends, of, 2, count);                                                      \
        else                                                                                                           \
            set_ends_of_lanes(ENDING_##name, ends, of, 3, count);                                                      \
        break;
        ENDING_LIST(SET_LANE_ENDS)
#undef SET_LANE_ENDS
    }
}

/* ---------------------------------------------------------------- Statistics */

/* The second largest logit and the label's, as an ordinary row has them, for each lane; and the statistics that follow
   from these, the row and the totals. */
typedef struct __attribute__((aligned(64))) lane_statistics {
    float second[LANES], label[LANES];
    float log_sum_exp[LANES], entropy[LANES], largest_probability[LANES], margin[LANES], negative_log_likelihood[LANES];
} lane_statistics;

/* Computes the statistics of the first `count` lanes, which are whole vectors, as if all rows were computed: gcc would
   not vectorise a loop that asks for their kinds. levels: a constant, so that the loop is compiled for it. */
INLINE void compute_lane_statistics(const lane_rows *rows, const lane_temperatures *t, const lane_totals *totals,
                                    int levels, size_t count, lane_statistics *s)
{
#pragma omp simd
    for (size_t l = 0; l < count; l++) {
        core_setting_t set = {
            .prepared = lane_temperature(t, l), .maximum = rows->maximum[l], .row = lane_row(rows, l)};
        /* A loop over the terms would keep gcc from vectorising this one. */
        const core_row_sums_t sums = {.totals = {[TERM_EXPONENTIAL] = lane_total(&totals[TERM_EXPONENTIAL], l),
                                                 [TERM_WEIGHTED] = lane_total(&totals[TERM_WEIGHTED], l),
                                                 [TERM_REST] = lane_total(&totals[TERM_REST], l)}};
        core_statistics_t found =
            core_computed_statistics(sums, set, s->second[l], s->label[l], lane_rest(rows, l), levels);
        s->log_sum_exp[l] = found.log_sum_exp;
        s->entropy[l] = found.entropy;
        s->largest_probability[l] = found.largest_probability;
        s->margin[l] = found.margin;
        s->negative_log_likelihood[l] = found.negative_log_likelihood;
    }
}

/* Computes the records of the first `count` lanes, which are whole vectors. `read` has for each lane its top and its
   label's logit as they were read, and `totals` those of all terms. */
INLINE void compute_lane_records(const lane_rows *rows, const lane_temperatures *t, const core_row_sums_t *read,
                                 const lane_totals *totals, int levels, size_t count, clsoftmax_statistics *records)
{
    lane_statistics s;
    for (size_t l = 0; l < count; l++) {
        const core_setting_t set = {.kind = rows->kind[l], .ties_at = rows->ties_at[l]};
        s.second[l] = core_ordinary_second(read[l].top.key, read[l].top.second_key, set);
        s.label[l] = core_ordinary_label(read[l].label_logit, set);
    }
    if (levels == 2)
        compute_lane_statistics(rows, t, totals, 2, count, &s);
    else
        compute_lane_statistics(rows, t, totals, 3, count, &s);
    for (size_t l = 0; l < count; l++) {
        core_statistics_t computed = {
            0, s.log_sum_exp[l], s.entropy[l], s.largest_probability[l], s.margin[l], s.negative_log_likelihood[l], 0};
        core_setting_t set = {.temperature = t->temperature[l], .kind = rows->kind[l]};
        records[l] = cpu_record(core_statistics_of_kind(read[l], set, computed));
    }
}

#endif
