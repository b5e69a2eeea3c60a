/* The public calls: check, decide, hand to the device. */
#include "context.h"
#include "select.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---------------------------------------------------------------- Context */

clsoftmax_status clsoftmax_context_create(const char *selector, clsoftmax_context **context)
{
    CLS_FAIL_IF(!context, CLSOFTMAX_INVALID_ARGUMENT, "context is NULL");
    *context = NULL;
    clsoftmax_context *opened = calloc(1, sizeof *opened);
    CLS_FAIL_IF(!opened, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    opened->process = getpid();
    clsoftmax_status status = cls_select(selector, opened);
    if (status != CLSOFTMAX_OK) {
        free(opened);
        return status;
    }
    *context = opened;
    return CLSOFTMAX_OK;
}

void clsoftmax_context_release(clsoftmax_context *context)
{
    if (!context)
        return;
    context->backend->context_release(context);
    free(context);
}

const clsoftmax_device *clsoftmax_context_device(const clsoftmax_context *context)
{
    return context ? &context->device : NULL;
}

const char *clsoftmax_context_notice(const clsoftmax_context *context)
{
    return context && context->notice[0] ? context->notice : NULL;
}

int clsoftmax_strategy_supported(const clsoftmax_context *context, clsoftmax_strategy strategy)
{
    return context && cls_strategy_supported(context->device.type, strategy);
}

/* ---------------------------------------------------------------- Plan */

static clsoftmax_status check_process(const clsoftmax_context *context)
{
    CLS_FAIL_IF(context->process != getpid(), CLSOFTMAX_FORKED,
                "this context was made before fork(); its threads and device are the parent's. Make one in the child");
    return CLSOFTMAX_OK;
}

static clsoftmax_status prepare(clsoftmax_plan *plan)
{
    CLS_FORWARD(cls_decide(&plan->problem, &plan->context->limits, &plan->decision));
    if (plan->problem.rows > 0)
        CLS_FORWARD(plan->context->backend->plan_prepare(plan));
    char label[160];
    cls_variant_print(&plan->decision.variant, CLS_VARIANT_LABEL, label, sizeof label);
    snprintf(plan->description, sizeof plan->description, "%s (%s)", label, plan->decision.reason);
    return CLSOFTMAX_OK;
}

clsoftmax_status clsoftmax_plan_create(clsoftmax_context *context, const clsoftmax_problem *problem,
                                       clsoftmax_plan **plan)
{
    CLS_FAIL_IF(!context || !problem || !plan, CLSOFTMAX_INVALID_ARGUMENT, "context, problem or plan is NULL");
    *plan = NULL;
    CLS_FORWARD(check_process(context));
    clsoftmax_plan *made = calloc(1, sizeof *made);
    CLS_FAIL_IF(!made, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a plan");
    made->context = context;
    made->problem = *problem;
    clsoftmax_status status = prepare(made);
    if (status != CLSOFTMAX_OK) {
        clsoftmax_plan_release(made);
        return status;
    }
    *plan = made;
    return CLSOFTMAX_OK;
}

void clsoftmax_plan_release(clsoftmax_plan *plan)
{
    if (!plan)
        return;
    plan->context->backend->plan_release(plan);
    free(plan);
}

const char *clsoftmax_plan_description(const clsoftmax_plan *plan)
{
    return plan ? plan->description : NULL;
}

/* ---------------------------------------------------------------- Run */

/* Equal is in place; anything else that shares a byte would be read after it was written. */
static int overlaps(const float *logits, const float *probabilities, uint64_t elements)
{
    uintptr_t a = (uintptr_t)logits, b = (uintptr_t)probabilities, bytes = elements * sizeof(float);
    return a != b && a < b + bytes && b < a + bytes;
}

clsoftmax_status clsoftmax_plan_run(clsoftmax_plan *plan, const float *logits, float temperature, float *probabilities)
{
    CLS_FAIL_IF(!plan, CLSOFTMAX_INVALID_ARGUMENT, "plan is NULL");
    CLS_FORWARD(check_process(plan->context));
    CLS_FAIL_IF(!(temperature >= 0), CLSOFTMAX_INVALID_TEMPERATURE, "temperature %g; it takes a number from 0 to inf",
                (double)temperature);
    if (plan->problem.rows == 0)
        return CLSOFTMAX_OK;
    CLS_FAIL_IF(!logits || !probabilities, CLSOFTMAX_INVALID_ARGUMENT, "logits or probabilities is NULL");
    CLS_FAIL_IF(overlaps(logits, probabilities, plan->problem.rows * plan->problem.classes), CLSOFTMAX_INVALID_ARGUMENT,
                "logits and probabilities overlap without being the same memory");
    return plan->context->backend->plan_run(plan, logits, temperature, probabilities);
}

clsoftmax_status clsoftmax_run(clsoftmax_context *context, uint64_t rows, uint64_t classes, const float *logits,
                               float temperature, float *probabilities)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.rows = rows;
    problem.classes = classes;
    clsoftmax_plan *plan = NULL;
    CLS_FORWARD(clsoftmax_plan_create(context, &problem, &plan));
    clsoftmax_status status = clsoftmax_plan_run(plan, logits, temperature, probabilities);
    clsoftmax_plan_release(plan);
    return status;
}
