/* The formulas of device "reference": what formulas.h declares. */
#include "formulas.h"

#include <float.h>
#include <math.h>

/* The operations that have no results. */
#define WITHOUT_RESULTS(name)                                                                                          \
    static double formula_##name(formula_of of)                                                                        \
    {                                                                                                                  \
        (void)of;                                                                                                      \
        return NAN;                                                                                                    \
    }
WITHOUT_RESULTS(NONE)
WITHOUT_RESULTS(CROSS_ENTROPY)
WITHOUT_RESULTS(DISTILLATION)
WITHOUT_RESULTS(REVERSE_DISTILLATION)
WITHOUT_RESULTS(JENSEN_SHANNON)
WITHOUT_RESULTS(CROSS_ENTROPY_OF_TARGETS)
WITHOUT_RESULTS(SMOOTHED_CROSS_ENTROPY)
WITHOUT_RESULTS(SOFTMAX_TEMPERATURE_GRADIENT)
WITHOUT_RESULTS(LOG_SOFTMAX_TEMPERATURE_GRADIENT)
#undef WITHOUT_RESULTS

static double formula_SOFTMAX(formula_of of)
{
    return exp(of.z) / (1 + of.rest);
}

static double formula_LOG_SOFTMAX(formula_of of)
{
    return of.z - log1p(of.rest);
}

static double formula_CROSS_ENTROPY_GRADIENT(formula_of of)
{
    const double p = exp(of.z) / (1 + of.rest), penalty = of.z_loss > 0 ? 2 * of.z_loss * of.log_sum_exp : 0;
    const double others = of.is_maximum ? of.rest : 1 + of.rest - exp(of.z); /* 1 - p times the sum */
    const double step = of.is_label ? penalty * p - of.weight * (others / (1 + of.rest)) : (of.weight + penalty) * p;
    return step == 0 ? 0 : step * of.scale / of.temperature;
}

/* Returns what has the temperature below it. At T = 0 a softmax is a step, whose derivative is 0. */
static double derivative(formula_of of, double numerator)
{
    return of.temperature == 0 || numerator == 0 ? 0 : numerator / of.temperature;
}

static double formula_SOFTMAX_BACKWARD(formula_of of)
{
    return derivative(of, exp(of.z) / (1 + of.rest) * (of.operand - of.mean_operand));
}

static double formula_LOG_SOFTMAX_BACKWARD(formula_of of)
{
    return derivative(of, of.operand - exp(of.z) / (1 + of.rest) * of.sum_operand);
}

static double formula_SENSITIVITY(formula_of of)
{
    const double p = exp(of.z) / (1 + of.rest);
    return p == 0 ? 0 : derivative(of, p * (of.mean_z - of.z));
}

static double formula_DISTILLATION_GRADIENT(formula_of of)
{
    const double difference = exp(of.z) / (1 + of.rest) - of.teacher;
    const double step = of.is_squared ? of.temperature : 1 / of.temperature;
    return difference == 0 || of.weight == 0 ? 0 : difference * of.weight * of.scale * step;
}

static double formula_REVERSE_DISTILLATION_GRADIENT(formula_of of)
{
    const double p = exp(of.z) / (1 + of.rest), step = of.is_squared ? of.temperature : 1 / of.temperature;
    if (of.weight == 0 || step == 0)
        return 0;
    if (of.divergence > (double)FLT_MAX && p > 0)
        return (of.log_difference >= 0x1p127 ? INFINITY : -INFINITY) * of.scale;
    const double difference = p == 0 ? 0 : p * (of.log_difference - of.divergence);
    return difference == 0 ? 0 : difference * of.weight * of.scale * step;
}

double cls_difference_of(double p, double q, double d)
{
    return fabs(d) < 1 ? q * expm1(d) : p - q;
}

double cls_log_beside(double own, double mixture, double difference)
{
    return fabs(difference) < mixture / 2 ? log1p(difference / mixture) : log(own / mixture);
}

static double formula_JENSEN_SHANNON_GRADIENT(formula_of of)
{
    const double p = exp(of.z) / (1 + of.rest), step = of.is_squared ? of.temperature : 1 / of.temperature;
    const double share = of.teacher_share, mixture = share * of.teacher + (1 - share) * p;
    if (of.weight == 0 || step == 0 || p == 0 || of.temperature == 0)
        return 0;
    const double logarithm = cls_log_beside(p, mixture, share * cls_difference_of(p, of.teacher, of.log_difference));
    const double difference = (1 - share) * p * (logarithm - of.student_divergence);
    return difference == 0 ? 0 : difference * of.weight * of.scale * step;
}

static double formula_CROSS_ENTROPY_OF_TARGETS_GRADIENT(formula_of of)
{
    const double p = exp(of.z) / (1 + of.rest), penalty = of.z_loss > 0 ? 2 * of.z_loss * of.log_sum_exp : 0;
    const double step = of.weight * (p * of.sum_operand - of.operand) + penalty * p;
    return step == 0 ? 0 : step * of.scale / of.temperature;
}

static double formula_SMOOTHED_CROSS_ENTROPY_GRADIENT(formula_of of)
{
    const double spread = of.unmasked > 0 ? of.smoothing : 0, each = of.is_masked ? 0 : spread / of.unmasked;
    const double p = exp(of.z) / (1 + of.rest), penalty = of.z_loss > 0 ? 2 * of.z_loss * of.log_sum_exp : 0;
    const double others = of.is_maximum ? of.rest : 1 + of.rest - exp(of.z); /* 1 - p times the sum */
    const double label = of.is_label ? -others / (1 + of.rest) : p;          /* as without smoothing */
    const double step = of.weight * ((1 - of.smoothing) * label + spread * p - each) + penalty * p;
    return step == 0 || of.is_without_label ? 0 : step * of.scale / of.temperature;
}

double cls_formula(clsoftmax_operation operation, formula_of of)
{
    switch (operation) {
#define REFERENCE_FORMULA(name, text, meaning)                                                                         \
    case CLSOFTMAX_OPERATION_##name:                                                                                   \
        return formula_##name(of);
        CLSOFTMAX_OPERATION_LIST(REFERENCE_FORMULA)
#undef REFERENCE_FORMULA
    case CLSOFTMAX_OPERATION_COUNT:
        break;
    }
    return NAN;
}
