/*
 * Device "reference": all operations in double precision, straight from their formulas (formulas.c). It shares nothing
 * with the numeric core, because `verify` and the tests compare the other devices with it.
 *
 * Its results are within 1 ULP of f32 for ordinary input: exp and division are good to about 1e-16, and a sum of 2^20
 * terms to 1e-10.
 */
#include "context.h"
#include "float_environment.h"
#include "formulas.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------- Elements */

/* How IEEE 754 packs a number: the bits of its fraction and of its exponent, and the exponents e of normal numbers (2^e
   <= |x| < 2^(e + 1)), from `smallest` to `largest`. A dtype without a format here does not compile. */
typedef struct format {
    int fraction, exponent, smallest, largest;
} format;

#define FORMAT_F32                                                                                                     \
    {                                                                                                                  \
        23, 8, -126, 127                                                                                               \
    }
#define FORMAT_F16                                                                                                     \
    {                                                                                                                  \
        10, 5, -14, 15                                                                                                 \
    }
#define FORMAT_BF16                                                                                                    \
    {                                                                                                                  \
        7, 8, -126, 127                                                                                                \
    }
static const format formats[CLSOFTMAX_DTYPE_COUNT] = {
#define REFERENCE_FORMAT(name, text, bytes) [CLSOFTMAX_##name] = FORMAT_##name,
    CLSOFTMAX_DTYPE_LIST(REFERENCE_FORMAT)
#undef REFERENCE_FORMAT
};

/* Returns the number that these bits stand for. Every f32, f16 and bf16 is exact in double. */
static double decode(uint32_t bits, format f)
{
    uint32_t magnitude = bits & ((1u << (f.fraction + f.exponent)) - 1);
    int exponent = (int)(magnitude >> f.fraction);
    double fraction = magnitude & ((1u << f.fraction) - 1), one = 1u << f.fraction;
    double value = exponent == 0                   ? ldexp(fraction, f.smallest - f.fraction)
                   : exponent == f.largest * 2 + 1 ? (fraction != 0 ? NAN : INFINITY)
                                                   : ldexp(one + fraction, exponent - f.largest - f.fraction);
    return magnitude == bits ? value : -value;
}

/* Returns the bits of the value, rounded to the nearest, ties to even. A NaN becomes the canonical one. */
static uint32_t encode(double value, format f)
{
    uint32_t infinity = ((1u << f.exponent) - 1) << f.fraction,
             sign = signbit(value) ? 1u << (f.exponent + f.fraction) : 0;
    if (isnan(value))
        return infinity | 1u << (f.fraction - 1);
    int exponent;
    frexp(value, &exponent); /* |value| is in [2^(exponent - 1), 2^exponent) */
    if (isinf(value) || exponent - 1 > f.largest)
        return sign | infinity;
    if (value == 0 || exponent - 1 < f.smallest)
        exponent = f.smallest + 1;
    double units = nearbyint(ldexp(fabs(value), f.fraction - (exponent - 1)));
    /* The leading bit of a normal number carries into the exponent; so does a value that rounds up to a power of
       two. */
    return sign | (((uint32_t)(exponent - 1 - f.smallest) << f.fraction) + (uint32_t)units);
}

static double read_element(const void *array, clsoftmax_dtype dtype, uint64_t at)
{
    uint32_t wide;
    uint16_t narrow;
    if (clsoftmax_dtype_size(dtype) == sizeof wide) {
        memcpy(&wide, (const char *)array + at * sizeof wide, sizeof wide);
        return decode(wide, formats[dtype]);
    }
    memcpy(&narrow, (const char *)array + at * sizeof narrow, sizeof narrow);
    return decode(narrow, formats[dtype]);
}

static void write_element(void *array, clsoftmax_dtype dtype, uint64_t at, double value)
{
    uint32_t wide = encode(value, formats[dtype]);
    uint16_t narrow = (uint16_t)wide;
    if (clsoftmax_dtype_size(dtype) == sizeof wide)
        memcpy((char *)array + at * sizeof wide, &wide, sizeof wide);
    else
        memcpy((char *)array + at * sizeof narrow, &narrow, sizeof narrow);
}

/* ---------------------------------------------------------------- A row */

typedef struct reference_row {
    const clsoftmax_problem *problem;
    const clsoftmax_arguments *arguments;
    uint64_t index, logits, operand, results; /* index of the row, and of its first elements */
    uint64_t record;                          /* index of its statistics */
    double temperature;
    double maximum; /* NaN if a logit is NaN */
    double second;  /* -inf in a row of one class */
    uint64_t argmax;
    double rest; /* the sum of exp(z) over the row without the first maximum */
    double fill; /* every probability of the row; -1: they are computed */
    /* sums over the row: of exp(z) times the operand, of the operand, and of exp(z) times z; of the operand times -z,
       and of exp(z) times that */
    double weighted_operand, sum_operand, weighted_z, distant_operand, weighted_distant_operand;
    int is_far; /* 1: a class with an operand has a distance -z that is infinite, or beyond f32 */
    /* of the teacher's row: its largest logit, and what `rest` is */
    double teacher_maximum, teacher_rest;
    double divergence, student_divergence; /* of both rows; of the student's from a mixture */
} reference_row;

static double logit(const reference_row *row, uint64_t c)
{
    return read_element(row->arguments->logits, row->problem->logits_dtype,
                        row->logits + c * row->problem->logits_layout.class_stride);
}

/* Returns the operand of a class; 0 for an operation that has none. For label smoothing it is 1, or 0 for a class that
   is masked. */
static double operand(const reference_row *row, uint64_t c)
{
    if (cls_operand_is_logits(row->problem))
        return logit(row, c) == -INFINITY ? 0 : 1;
    return !cls_has_operand(row->problem) ? 0
                                          : read_element(row->arguments->operand, row->problem->operand_dtype,
                                                         row->operand + c * row->problem->operand_layout.class_stride);
}

/* Finds the largest and second largest logit. The first NaN ends the search and is the maximum (as in NumPy). */
static void find_maximum(reference_row *row)
{
    row->maximum = row->second = -INFINITY;
    row->argmax = 0;
    for (uint64_t c = 0; c < row->problem->classes && !isnan(row->maximum); c++) {
        double x = logit(row, c);
        if (x > row->maximum || isnan(x)) {
            row->second = row->maximum;
            row->maximum = x;
            row->argmax = c;
        } else if (x > row->second) {
            row->second = x;
        }
    }
}

/* Returns (x - maximum) / temperature, with its limits: 0 for the maximum itself; else -inf for a mask, and wherever
   all mass is on the largest logits. */
static double exponent_from(double maximum, double temperature, double x)
{
    if (x == maximum)
        return 0;
    if (isinf(maximum) || isinf(x) || temperature == 0)
        return -INFINITY;
    return (x - maximum) / temperature;
}

static double exponent(const reference_row *row, double x)
{
    return exponent_from(row->maximum, row->temperature, x);
}

static int has_teacher(const reference_row *row)
{
    return clsoftmax_operation_has_teacher(row->problem->operation);
}

/* Returns 1 if the operand is target probabilities. */
static int has_targets(const reference_row *row)
{
    return clsoftmax_operation_has_targets(row->problem->operation);
}

/* Returns the exponent of a class in the teacher's row. */
static double teacher_exponent(const reference_row *row, uint64_t c)
{
    return exponent_from(row->teacher_maximum, row->temperature, operand(row, c));
}

/* Finds the teacher's largest logit, which is NaN if one of them is, and adds up its row. The rest leaves out the first
   of the largest. */
static void find_teacher(reference_row *row)
{
    uint64_t largest = 0;
    row->teacher_maximum = -INFINITY;
    row->teacher_rest = 0;
    for (uint64_t c = 0; has_teacher(row) && c < row->problem->classes; c++) {
        const double y = operand(row, c);
        if (isnan(y) || y > row->teacher_maximum) {
            row->teacher_maximum = y;
            largest = c;
        }
    }
    for (uint64_t c = 0; has_teacher(row) && c < row->problem->classes; c++)
        row->teacher_rest += c == largest ? 0 : exp(teacher_exponent(row, c));
}

/* Returns the fill of the teacher's row as fill_of does; it has no classes to share its mass if all logits are -inf. */
static double teacher_fill(const reference_row *row)
{
    const clsoftmax_problem *problem = row->problem;
    if (isnan(row->teacher_maximum) ||
        (row->teacher_maximum == INFINITY && problem->pos_inf == CLSOFTMAX_POS_INF_NAN) ||
        (problem->temperature_squared && row->temperature >= 0x1p64))
        return NAN;
    if (row->teacher_maximum == -INFINITY)
        return problem->neg_inf_rows == CLSOFTMAX_NEG_INF_ROWS_ZERO ? 0 : NAN;
    return -1;
}

/* Returns the probability that the student's row gets throughout, by the policies of the problem; -1 if the row is
   computed. */
static double own_fill(const reference_row *row)
{
    const clsoftmax_problem *problem = row->problem;
    if (isnan(row->maximum) || !(row->temperature >= 0))
        return NAN;
    for (uint64_t c = 0; c < problem->classes && !has_teacher(row); c++)
        if (!isfinite(operand(row, c)) || (has_targets(row) && operand(row, c) < 0))
            return NAN;
    if (row->maximum == INFINITY && problem->pos_inf == CLSOFTMAX_POS_INF_NAN)
        return NAN;
    if (row->maximum == -INFINITY && problem->neg_inf_rows != CLSOFTMAX_NEG_INF_ROWS_UNIFORM)
        return problem->neg_inf_rows == CLSOFTMAX_NEG_INF_ROWS_ZERO ? 0 : NAN;
    return -1;
}

/* Returns the same for the row and its teacher's together: NaN if one is, or else 0 if one is. */
static double fill_of(const reference_row *row)
{
    const double own = own_fill(row), teacher = has_teacher(row) ? teacher_fill(row) : -1;
    return isnan(own) || isnan(teacher) ? NAN : own == 0 || teacher == 0 ? 0 : -1;
}

/* Returns the label of the row; -1 if it has none. */
static int64_t label_of(const reference_row *row)
{
    const int64_t label = row->arguments->labels ? row->arguments->labels[row->index] : -1;
    return label >= 0 && (uint64_t)label < row->problem->classes ? label : -1;
}

/* Returns ln of the sum of exp(x / T) of a row that is computed. */
static double log_sum_exp(const reference_row *row)
{
    const double origin = row->maximum == 0 ? 0 : row->maximum / row->temperature;
    return isinf(row->maximum) ? row->maximum : origin + log1p(row->rest);
}

/* Returns ln p - ln q of a class. */
static double log_difference(const reference_row *row, uint64_t c)
{
    return exponent(row, logit(row, c)) - teacher_exponent(row, c) - (log1p(row->rest) - log1p(row->teacher_rest));
}

/* Returns what the result of a class is computed from. A row without a label has a weight of 0. */
static formula_of inputs_of(const reference_row *row, uint64_t c)
{
    const clsoftmax_arguments *arguments = row->arguments;
    const int64_t label = label_of(row);
    const double weight = arguments->weights ? (double)arguments->weights[row->index] : 1;
    return (formula_of){.z = exponent(row, logit(row, c)),
                        .rest = row->rest,
                        .is_maximum = logit(row, c) == row->maximum,
                        .is_label = label >= 0 && (uint64_t)label == c,
                        .is_without_label = label < 0,
                        .smoothing = (double)arguments->label_smoothing,
                        .unmasked = row->sum_operand,
                        .is_masked = operand(row, c) == 0,
                        .weight = label >= 0 || !cls_has_labels(row->problem) ? weight : 0,
                        .scale = (double)arguments->scale,
                        .z_loss = label >= 0 || !cls_has_labels(row->problem) ? (double)arguments->z_loss : 0,
                        .log_sum_exp = log_sum_exp(row),
                        .temperature = row->temperature,
                        .operand = operand(row, c),
                        .mean_operand = row->weighted_operand / (1 + row->rest),
                        .sum_operand = row->sum_operand,
                        .mean_z = row->weighted_z / (1 + row->rest),
                        .teacher = has_teacher(row) ? exp(teacher_exponent(row, c)) / (1 + row->teacher_rest) : 0,
                        .log_difference = has_teacher(row) ? log_difference(row, c) : 0,
                        .divergence = row->divergence,
                        .student_divergence = row->student_divergence,
                        .teacher_share = (double)arguments->teacher_share,
                        .is_squared = row->problem->temperature_squared};
}

/* Returns q (exp(d) - 1 - d), where q exp(d) is p. */
static double divergence_term(double p, double q, double d)
{
    if (fabs(d) < 1e-4)
        return q * (d * d * (0.5 + d * (1.0 / 6 + d / 24)));
    return d < 1 ? q * (expm1(d) - d) : p - q - q * d;
}

/* Returns 1 if (max - x) times the power of two below 1 / T, or 1 / T itself, is 2^128 or more: devices take such a
   distance for infinite. */
static int is_far(const reference_row *row, double z)
{
    int exponent;
    if (row->temperature == 0 || isinf(row->temperature))
        return z == -INFINITY;
    frexp(1 / row->temperature, &exponent);
    return ldexp(-z * row->temperature, exponent - 1) >= 0x1p128;
}

/* Returns the divergence of the row from its teacher's, or the reverse one. Each term is made of d = ln p - ln q, so
   that those of rows that are nearly equal do not cancel. A class that one row excludes adds the probability of the
   other, or makes the divergence infinite. */
static double divergence(const reference_row *row)
{
    const int is_reversed = row->problem->operation == CLSOFTMAX_OPERATION_REVERSE_DISTILLATION ||
                            row->problem->operation == CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT;
    double sum = 0;
    for (uint64_t c = 0; c < row->problem->classes; c++) {
        const double student = exponent(row, logit(row, c)), teacher = teacher_exponent(row, c);
        const double p = exp(student) / (1 + row->rest), q = exp(teacher) / (1 + row->teacher_rest);
        const double d = log_difference(row, c), from = is_reversed ? student : teacher;
        const double to = is_reversed ? teacher : student;
        if (exp(from) > 0x1p-150 && is_far(row, to))
            sum = INFINITY;
        else if (student == -INFINITY || teacher == -INFINITY)
            sum += from > -INFINITY ? INFINITY : student > teacher ? p : teacher > student ? q : 0;
        else
            sum += is_reversed ? divergence_term(q, p, -d) : divergence_term(p, q, d);
    }
    return sum;
}

/* Returns own ln(own / mixture) - own + mixture, which is not negative; difference: own - mixture. */
static double term_beside(double own, double mixture, double difference)
{
    const double beside = mixture > 0 ? difference / mixture : 0;
    if (fabs(beside) < 1e-4)
        return mixture * (beside * beside * (0.5 - beside * (1.0 / 6 - beside / 12)));
    return own > 0 ? own * cls_log_beside(own, mixture, difference) - difference : mixture;
}

/* Finds the divergence of both rows from their mixture, and the student's part of it. */
static void find_mixture(reference_row *row)
{
    const double share = (double)row->arguments->teacher_share;
    double of_teacher = 0, of_student = 0;
    for (uint64_t c = 0; c < row->problem->classes; c++) {
        const double p = exp(exponent(row, logit(row, c))) / (1 + row->rest);
        const double q = exp(teacher_exponent(row, c)) / (1 + row->teacher_rest);
        const double mixture = share * q + (1 - share) * p,
                     difference = cls_difference_of(p, q, log_difference(row, c));
        of_teacher += term_beside(q, mixture, -(1 - share) * difference);
        of_student += term_beside(p, mixture, share * difference);
    }
    row->student_divergence = of_student;
    row->divergence = share * of_teacher + (1 - share) * of_student;
}

/* Writes the loss of a row with a teacher. */
static void write_distillation(const reference_row *row)
{
    const formula_of of = inputs_of(row, 0);
    const double squared = of.is_squared ? of.temperature * of.temperature : 1;
    double loss = of.weight == 0 || squared == 0 ? 0 : of.weight * squared * of.divergence;
    if (row->fill != -1)
        loss = row->fill;
    row->arguments->losses[row->record] = (float)loss;
}

/* Returns the sum of targets times -ln p. */
static double likelihood_of_targets(const reference_row *row)
{
    return row->is_far ? INFINITY : row->sum_operand * log1p(row->rest) + row->distant_operand;
}

/* Returns -ln p of the label, or the mean of it and that of all classes that are not masked, for label smoothing. */
static double likelihood_of_label(const reference_row *row, formula_of of)
{
    const double own = log1p(of.rest) - of.z;
    if (!cls_operand_is_logits(row->problem))
        return own;
    const double kept = of.smoothing < 1 ? (1 - of.smoothing) * own : 0;
    return kept + (of.smoothing > 0 && of.unmasked > 0 ? of.smoothing * likelihood_of_targets(row) / of.unmasked : 0);
}

/* Writes the cross-entropy of a row. */
static void write_loss(const reference_row *row)
{
    const formula_of of = inputs_of(row, label_of(row) >= 0 ? (uint64_t)label_of(row) : 0);
    const int has_label = label_of(row) >= 0 || has_targets(row);
    const double likelihood =
        of.weight > 0 ? of.weight * (has_targets(row) ? likelihood_of_targets(row) : likelihood_of_label(row, of)) : 0;
    const double penalty = of.z_loss > 0 ? of.z_loss * of.log_sum_exp * of.log_sum_exp : 0;
    double loss = likelihood + penalty;
    if (row->fill != -1)
        loss = isnan(row->fill) ? NAN : of.weight > 0 ? INFINITY : 0;
    row->arguments->losses[row->record] = has_label ? (float)loss : 0;
}

/* Returns 1 if the row has a derivative by T in place of a loss. */
static int has_temperature_gradient(const reference_row *row)
{
    return row->problem->operation == CLSOFTMAX_OPERATION_SOFTMAX_TEMPERATURE_GRADIENT ||
           row->problem->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX_TEMPERATURE_GRADIENT;
}

/* Writes it. At T = 0, where a softmax is a step, it is 0; so it is in a row of zeros. */
static void write_temperature_gradient(const reference_row *row)
{
    const formula_of of = inputs_of(row, 0);
    const int is_softmax = row->problem->operation == CLSOFTMAX_OPERATION_SOFTMAX_TEMPERATURE_GRADIENT;
    const double both = is_softmax ? row->weighted_distant_operand / (1 + row->rest) : row->distant_operand;
    const double sum = is_softmax ? of.mean_operand : of.sum_operand;
    double value = of.temperature == 0 || of.weight == 0 ? 0 : (both + sum * of.mean_z) / of.temperature * of.weight;
    if (row->fill != -1)
        value = row->fill;
    if (!is_softmax && row->is_far && row->fill == -1 && value != 0)
        value = copysign(INFINITY, value);
    row->arguments->losses[row->record] = (float)value + 0.0f;
}

/* Writes the results of the row: its fill, or the formula for each class. */
static void write_results(const reference_row *row)
{
    const clsoftmax_problem *problem = row->problem;
    for (uint64_t c = 0; c < problem->classes; c++) {
        double result = NAN;
        if (row->fill == 0) /* the result of a probability of 0 */
            result = cls_formula(problem->operation, (formula_of){.z = -INFINITY, .temperature = 1});
        if (row->fill == -1)
            result = cls_formula(problem->operation, inputs_of(row, c));
        double rounded = (double)(float)result; /* rounded to f32 first, as the contract says */
        write_element(row->arguments->results, problem->results_dtype,
                      row->results + c * problem->results_layout.class_stride, rounded + 0.0);
    }
}

/* Writes the statistics of the row, from their definitions. */
static void write_statistics(const reference_row *row)
{
    const clsoftmax_problem *problem = row->problem;
    const int64_t *labels = row->arguments->labels;
    int64_t label = labels ? labels[row->index] : -1;
    int labelled = label >= 0 && (uint64_t)label < problem->classes;
    double log_sum = log1p(row->rest), sum = 1 + row->rest;
    float maximum = (float)(row->maximum + 0.0); /* turns -0 into +0 */
    clsoftmax_statistics s = {maximum, isinf(maximum) ? maximum : NAN, NAN, NAN, NAN, NAN, (int64_t)row->argmax};
    if (row->fill == 0) {
        s.entropy = s.largest_probability = s.margin = 0;
        s.negative_log_likelihood = labelled ? INFINITY : NAN;
    }
    if (!(row->temperature >= 0))
        s.log_sum_exp = NAN;
    if (row->fill == -1) {
        s.log_sum_exp = (float)log_sum_exp(row);
        s.largest_probability = (float)(1 / sum);
        s.margin = (float)(-expm1(exponent(row, row->second)) / sum);
        s.entropy = (float)(log_sum - row->weighted_z / sum);
        s.negative_log_likelihood = labelled ? (float)(log_sum - exponent(row, logit(row, (uint64_t)label))) : NAN;
    }
    row->arguments->statistics[row->record] = s;
}

/* Adds up the row, if it is computed. */
static void add_up(reference_row *row)
{
    row->rest = row->weighted_operand = row->sum_operand = row->weighted_z = 0;
    row->distant_operand = row->weighted_distant_operand = 0;
    row->is_far = 0;
    for (uint64_t c = 0; row->fill == -1 && c < row->problem->classes; c++) {
        const double z = exponent(row, logit(row, c)), e = exp(z), g = operand(row, c);
        row->rest += c == row->argmax ? 0 : e;
        row->weighted_operand += e * g;
        row->sum_operand += g;
        row->weighted_z += e == 0 ? 0 : e * z;
        row->distant_operand += g == 0 ? 0 : g * (has_temperature_gradient(row) ? fmin(-z, 0x1p200) : -z);
        row->is_far |= g != 0 && is_far(row, z);
        row->weighted_distant_operand += e == 0 ? 0 : e * g * -z;
    }
}

static void compute_row(reference_row *row)
{
    find_maximum(row);
    find_teacher(row);
    row->fill = fill_of(row);
    add_up(row);
    row->divergence = row->student_divergence = 0;
    if (has_teacher(row) && row->fill == -1 && cls_has_mixture(row->problem))
        find_mixture(row);
    else if (has_teacher(row) && row->fill == -1)
        row->divergence = divergence(row);
    if (row->problem->statistics)
        write_statistics(row);
    if (has_teacher(row) && row->arguments->losses)
        write_distillation(row);
    else if (has_temperature_gradient(row))
        write_temperature_gradient(row);
    else if (cls_has_loss(row->problem) && row->arguments->losses)
        write_loss(row);
    if (cls_has_results(row->problem))
        write_results(row);
}

/* ---------------------------------------------------------------- Backend */

/* Computes all rows at temperature k of a sweep, or at their own temperatures. Returns the number of rows with an
   invalid temperature. */
static uint64_t compute_rows(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments, uint64_t k)
{
    uint64_t rows = cls_problem_rows(problem), invalid = 0;
    reference_row row = {.problem = problem, .arguments = arguments};
    for (row.index = 0; row.index < rows; row.index++) {
        row.record = k * rows + row.index;
        row.logits = cls_layout_row(problem, &problem->logits_layout, row.index);
        row.operand = cls_layout_row(problem, &problem->operand_layout, row.index);
        row.results = cls_layout_row(problem, &problem->results_layout, row.index) + k * problem->sweep_stride;
        float temperature = problem->sweep > 0             ? arguments->temperatures[k]
                            : problem->temperature_per_row ? arguments->temperatures[row.index]
                                                           : arguments->temperature;
        row.temperature = (double)temperature + 0.0; /* turns -0 into +0 */
        invalid += row.temperature >= 0 ? 0 : 1;
        compute_row(&row);
    }
    return invalid;
}

static clsoftmax_status reference_plan_run(clsoftmax_plan *plan, const clsoftmax_arguments *arguments,
                                           uint64_t *invalid_rows)
{
    const clsoftmax_problem *problem = &plan->problem;
    CLS_IN_DEFAULT_ENVIRONMENT;
    for (uint64_t k = 0; k < cls_problem_temperatures(problem); k++)
        *invalid_rows += compute_rows(problem, arguments, k);
    return CLSOFTMAX_OK;
}

static clsoftmax_status reference_plan_prepare(clsoftmax_plan *plan)
{
    (void)plan;
    return CLSOFTMAX_OK;
}

static void reference_plan_release(clsoftmax_plan *plan)
{
    (void)plan;
}

static void reference_context_release(clsoftmax_context *context)
{
    (void)context;
}

clsoftmax_status cls_reference_open(clsoftmax_context *context)
{
    static const cls_backend backend = {reference_plan_prepare, reference_plan_run, reference_plan_release,
                                        reference_context_release};
    context->backend = &backend;
    clsoftmax_device *device = &context->device;
    device->type = CLSOFTMAX_DEVICE_REFERENCE;
    strcpy(device->selector, "reference");
    strcpy(device->name, "double precision, one thread");
    strcpy(device->reason, "for verification only");
    device->compute_units = 1;
    device->usable = 1;
    context->limits.type = CLSOFTMAX_DEVICE_REFERENCE;
    return CLSOFTMAX_OK;
}
