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

void test_run(clsoftmax_context *context, const clsoftmax_problem *problem, const float *logits, float temperature,
              float *probabilities)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.temperature = temperature;
    arguments.results = probabilities;
    clsoftmax_plan *plan = NULL;
    clsoftmax_status status = clsoftmax_plan_create(context, problem, &plan);
    cr_assert_eq(status, CLSOFTMAX_OK, "plan: %s", clsoftmax_last_error());
    status = clsoftmax_plan_run(plan, &arguments);
    cr_assert_eq(status, CLSOFTMAX_OK, "run: %s", clsoftmax_last_error());
    clsoftmax_plan_release(plan);
}

int test_is_long(void)
{
    return getenv("CLSOFTMAX_TEST_LONG") != NULL;
}
