/* Allowed errors: see allowance.h. Each comes from the bound that the public header states for the operation. */
#include "results/allowance.h"

#include <math.h>

/* Returns how many times as large an error of accuracy "fast" may be. */
static double times_of(const clsoftmax_problem *problem)
{
    return problem->accuracy == CLSOFTMAX_ACCURACY_FAST ? 4 : 1;
}

/* Returns 1 / T, by which a derivative is multiplied; 0 at T = 0, where it is a limit without an error. */
static double step_of(double temperature)
{
    return temperature > 0 ? 1 / temperature : 0;
}

/* Returns the same for a gradient of distillation, whose losses may be multiplied by T^2. */
static double distillation_step(const clsoftmax_problem *problem, double temperature)
{
    return problem->temperature_squared ? temperature : step_of(temperature);
}

/* p (d - loss): the distance d of the logarithms is as uncertain as the loss, which is a mean of them. */
static allowance error_of_reverse_gradient(const clsoftmax_problem *problem, double temperature, double largest)
{
    const double classes = (double)problem->classes, step = distillation_step(problem, temperature);
    const double loss = problem->temperature_squared ? largest / temperature : largest * step;
    return (allowance){times_of(problem) * 16 * 0x1p-24,
                       times_of(problem) * (16 * 0x1p-24 + classes * 0x1p-41) * (step + loss)};
}

/* (1 - s) p (ln p - ln m - KL(p || m)): p |ln p - ln m| is below 1, or ln p - ln m below -ln s, and its mean is KL. */
static allowance error_of_mixture_gradient(const clsoftmax_problem *problem, double temperature)
{
    const double classes = (double)problem->classes, step = distillation_step(problem, temperature);
    return (allowance){times_of(problem) * 16 * 0x1p-24, times_of(problem) * (16 * 0x1p-24 + classes * 0x1p-37) * step};
}

allowance allowed_error(const clsoftmax_problem *problem, double temperature, double largest)
{
    const double classes = (double)problem->classes, times = times_of(problem), step = step_of(temperature);
    switch (problem->operation) {
    case CLSOFTMAX_OPERATION_SOFTMAX:
        return (allowance){0, 0};
    case CLSOFTMAX_OPERATION_SENSITIVITY: /* no d * p is above 1 / e, and E[d] is below ln C + 1 */
        return (allowance){0, times * (6 * 0x1p-24 * (2 + log(classes)) + classes * 0x1p-43) * step};
    case CLSOFTMAX_OPERATION_SOFTMAX_BACKWARD:
        return (allowance){0, times * (8 * 0x1p-24 + classes * 0x1p-43) * largest * step};
    case CLSOFTMAX_OPERATION_LOG_SOFTMAX_BACKWARD: /* the sum of the operand is up to so many times as large */
        return (allowance){0, times * (8 * 0x1p-24 + classes * 0x1p-43) * largest * classes * step};
    case CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS_GRADIENT: /* the targets of a row add up to 1 */
    case CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY_GRADIENT:
        return (allowance){0, times * (4 * 0x1p-24 + classes * 0x1p-41) * step};
    case CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT: /* where p is nearly 1, a difference is as uncertain as it is */
        return (allowance){0, times * (4 * 0x1p-24 + classes * 0x1p-43) * distillation_step(problem, temperature)};
    case CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT:
        return error_of_reverse_gradient(problem, temperature, largest);
    case CLSOFTMAX_OPERATION_JENSEN_SHANNON_GRADIENT:
        return error_of_mixture_gradient(problem, temperature);
    default: /* made of logarithms, or of 1 - p; or there are no results */
        return (allowance){classes * 0x1p-44, 0};
    }
}

/* Returns the error of a derivative by T, times its row's weight of 1. Mean distances are at most ln C. Where the
   operand of a log-softmax is not negative, no larger number than the derivative and these is added up. */
static allowance error_of_temperature_gradient(const clsoftmax_problem *problem, double temperature, double terms,
                                               double largest)
{
    const double classes = (double)problem->classes, of_means = terms * largest * (1 + log(classes));
    const double absolute = (16 * 0x1p-24 + classes * 0x1p-41) * of_means * step_of(temperature);
    return (allowance){times_of(problem) * 0x1p-19, temperature > 0 ? times_of(problem) * absolute + 0x1p-148 : 0};
}

/* Returns the error of a divergence: no term is larger than the divergence and 1 together. */
static allowance error_of_divergence(const clsoftmax_problem *problem, double temperature)
{
    const double part = times_of(problem) * (double)problem->classes * 0x1p-41;
    if (!problem->temperature_squared)
        return (allowance){part, part};
    /* there, logarithms of probabilities may be beyond f32 */
    const double squared = temperature < 0x1p-100 ? INFINITY : temperature * temperature;
    return (allowance){part, part * squared};
}

allowance allowed_loss_error(const clsoftmax_problem *problem, double temperature, double largest)
{
    const double classes = (double)problem->classes;
    switch (problem->operation) {
    case CLSOFTMAX_OPERATION_SOFTMAX_TEMPERATURE_GRADIENT:
        return error_of_temperature_gradient(problem, temperature, 1, largest);
    case CLSOFTMAX_OPERATION_LOG_SOFTMAX_TEMPERATURE_GRADIENT:
        return error_of_temperature_gradient(problem, temperature, classes, largest);
    case CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS:
    case CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS_GRADIENT:
    case CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY:
    case CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY_GRADIENT:
        return (allowance){times_of(problem) * (0x1p-21 + classes * 0x1p-41), 0};
    case CLSOFTMAX_OPERATION_DISTILLATION:
    case CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT:
    case CLSOFTMAX_OPERATION_REVERSE_DISTILLATION:
    case CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT:
    case CLSOFTMAX_OPERATION_JENSEN_SHANNON:
    case CLSOFTMAX_OPERATION_JENSEN_SHANNON_GRADIENT:
        return error_of_divergence(problem, temperature);
    default:
        return (allowance){classes * 0x1p-44, 0};
    }
}

uint64_t allowed_ulp(const clsoftmax_problem *problem)
{
    const uint64_t times = problem->operation == CLSOFTMAX_OPERATION_CROSS_ENTROPY_GRADIENT ? 2
                           : clsoftmax_operation_has_teacher(problem->operation)            ? 4
                                                                                            : 1;
    return times * (problem->accuracy == CLSOFTMAX_ACCURACY_FAST && problem->results_dtype == CLSOFTMAX_F32 ? 4 : 1);
}

allowance allowance_larger(allowance a, allowance b)
{
    return (allowance){a.relative > b.relative ? a.relative : b.relative,
                       a.absolute > b.absolute ? a.absolute : b.absolute};
}

double largest_loss(const float *losses, uint64_t rows)
{
    double largest = 0;
    for (uint64_t row = 0; losses && row < rows; row++)
        if (isfinite(losses[row]) && (double)losses[row] > largest)
            largest = (double)losses[row];
    return largest;
}
