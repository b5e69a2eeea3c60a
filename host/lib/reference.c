/*
 * The reference: softmax in double precision, from the formula, sharing nothing with the numeric core.
 *
 * Within 1 ULP of f32 for ordinary input: exp and division are good to about 1e-16, and a sum of 2^20 terms to 1e-10.
 */
#include "context.h"
#include "float_environment.h"

#include <math.h>
#include <string.h>

static int has_nan(const float *x, uint64_t classes)
{
    for (uint64_t i = 0; i < classes; i++)
        if (isnan(x[i]))
            return 1;
    return 0;
}

static float largest(const float *x, uint64_t classes)
{
    float maximum = x[0];
    for (uint64_t i = 1; i < classes; i++)
        if (x[i] > maximum)
            maximum = x[i];
    return maximum;
}

/* exp((x - maximum) / temperature) with the limits at T = 0 and T = inf. */
static double weight(float x, float maximum, float temperature)
{
    if (isinf(x))
        return 0; /* -inf: a mask */
    if (temperature == 0)
        return x == maximum;
    return exp(((double)x - (double)maximum) / (double)temperature);
}

static void softmax_row(const float *x, uint64_t classes, float temperature, float *p)
{
    float maximum = largest(x, classes);
    if (isinf(maximum) || has_nan(x, classes)) {
        for (uint64_t i = 0; i < classes; i++)
            p[i] = NAN;
        return;
    }
    double sum = 0;
    for (uint64_t i = 0; i < classes; i++)
        sum += weight(x[i], maximum, temperature);
    for (uint64_t i = 0; i < classes; i++)
        p[i] = (float)(weight(x[i], maximum, temperature) / sum);
}

static clsoftmax_status reference_plan_run(clsoftmax_plan *plan, const float *logits, float temperature,
                                           float *probabilities)
{
    fenv_t callers = float_environment_begin();
    uint64_t classes = plan->problem.classes;
    for (uint64_t row = 0; row < plan->problem.rows; row++)
        softmax_row(logits + row * classes, classes, temperature, probabilities + row * classes);
    float_environment_end(callers);
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
