/* Opening the devices under test, and running problems on them. Where a helper cannot do its work, it fails the test
   with the library's reason. */
#ifndef CLSOFTMAX_TEST_DEVICE_H
#define CLSOFTMAX_TEST_DEVICE_H

#include "clsoftmax/clsoftmax.h"

/* Opens a device by its selector. */
clsoftmax_context *test_open(const char *selector);

/* Opens the OpenCL device of the tests: the one that CLSOFTMAX_TEST_DEVICE names, else the first. Where there is none
   it skips the test, or fails it if CLSOFTMAX_REQUIRE_DEVICE is set. */
clsoftmax_context *test_open_opencl(void);

/* Makes a plan for the problem. */
clsoftmax_plan *test_plan(clsoftmax_context *context, const clsoftmax_problem *problem);

/* Plans the problem and runs it once with these arguments. */
void test_call(clsoftmax_context *context, const clsoftmax_problem *problem, const clsoftmax_arguments *arguments);

/* Does the same for f32 logits and results and one temperature. */
void test_run(clsoftmax_context *context, const clsoftmax_problem *problem, const float *logits, float temperature,
              float *probabilities);

/* Returns 1 where CLSOFTMAX_TEST_LONG is set: then tests run everything instead of a sample. */
int test_is_long(void);

#endif
