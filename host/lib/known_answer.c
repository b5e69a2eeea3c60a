/* A small problem whose bits are known: see known_answer.h. */
#include "known_answer.h"

#include "status.h"

#include <math.h>
#include <string.h>

enum { ROWS = 3, CLASSES = 5, COUNT = ROWS * CLASSES };

/* A row of ties, one with a mask and large logits, one with a subnormal and a zero of either sign. */
static const float logits[COUNT] = {1, -2.5f, 0.125f, 3, 3, -INFINITY, 100, 99.5f, -40, 88, 1e-40f, -7, 2, -0.0f, 6.5f};

/* Their probabilities at T = 0.7, as bits. Every device gives them, and tests/numbers/test_bits.c compares those of cpu
   with exact ones. */
static const float temperature = 0.7f;
static const uint32_t answer[COUNT] = {0x3CE2D20E, 0x39439F7C, 0x3C01F868, 0x3EF6D554, 0x3EF6D554,
                                       0x00000000, 0x3F2BDD6D, 0x3EA84525, 0x00000000, 0x32CEF60D,
                                       0x38C223C0, 0x31906848, 0x3AD344D9, 0x38C223C0, 0x3F7F8A3B};

static clsoftmax_status compute(clsoftmax_plan *plan, float *probabilities)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    uint64_t invalid_rows = 0;
    arguments.logits = logits;
    arguments.temperature = temperature;
    arguments.results = probabilities;
    CLS_FORWARD(cls_decide(&plan->problem, &plan->context->limits, &plan->decision));
    clsoftmax_status status = plan->context->backend->plan_prepare(plan);
    if (status == CLSOFTMAX_OK)
        status = plan->context->backend->plan_run(plan, &arguments, &invalid_rows);
    plan->context->backend->plan_release(plan);
    return status;
}

clsoftmax_status cls_check_known_answer(clsoftmax_context *context, clsoftmax_strategy strategy)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    clsoftmax_plan plan = {.context = context};
    float probabilities[COUNT] = {0};
    problem.outer = ROWS;
    problem.classes = CLASSES;
    problem.strategy = strategy;
    CLS_FORWARD(cls_problem_check(&problem, &plan.problem));
    CLS_FORWARD(compute(&plan, probabilities));
    CLS_FAIL_IF(memcmp(probabilities, answer, sizeof answer) != 0, CLSOFTMAX_DEVICE_UNUSABLE,
                "device \"%s\" gives wrong bits for a known answer; a compiler that may reorder arithmetic does that "
                "(-ffast-math, -funsafe-math-optimizations, -fassociative-math)",
                context->device.selector);
    return CLSOFTMAX_OK;
}
