/* Opening devices and running problems for tests: what device.h declares. */
#include "device.h"

#include <criterion/criterion.h>
#include <stdlib.h>

clsoftmax_context *test_open(const char *selector)
{
    clsoftmax_context *context = NULL;
    clsoftmax_status status = clsoftmax_context_create(selector, &context);
    cr_assert_eq(status, CLSOFTMAX_OK, "%s: %s", selector, clsoftmax_last_error());
    return context;
}

clsoftmax_context *test_open_opencl(void)
{
    const char *named = getenv("CLSOFTMAX_TEST_DEVICE");
    clsoftmax_context *context = NULL;
    clsoftmax_status status = clsoftmax_context_create(named ? named : "0:0", &context);
    if (status != CLSOFTMAX_OK && !getenv("CLSOFTMAX_REQUIRE_DEVICE"))
        cr_skip_test("no OpenCL device: %s", clsoftmax_last_error());
    cr_assert_eq(status, CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    return context;
}

clsoftmax_plan *test_plan(clsoftmax_context *context, const clsoftmax_problem *problem)
{
    clsoftmax_plan *plan = NULL;
    cr_assert_eq(clsoftmax_plan_create(context, problem, &plan), CLSOFTMAX_OK, "plan: %s", clsoftmax_last_error());
    return plan;
}

void test_call(clsoftmax_context *context, const clsoftmax_problem *problem, const clsoftmax_arguments *arguments)
{
    clsoftmax_plan *plan = test_plan(context, problem);
    cr_assert_eq(clsoftmax_plan_run(plan, arguments), CLSOFTMAX_OK, "%s: %s", clsoftmax_plan_description(plan),
                 clsoftmax_last_error());
    clsoftmax_plan_release(plan);
}

void test_run(clsoftmax_context *context, const clsoftmax_problem *problem, const float *logits, float temperature,
              float *probabilities)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.temperature = temperature;
    arguments.results = probabilities;
    test_call(context, problem, &arguments);
}

int test_is_long(void)
{
    return getenv("CLSOFTMAX_TEST_LONG") != NULL;
}
