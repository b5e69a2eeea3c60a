/* The devices under test. */
#ifndef CLSOFTMAX_TEST_DEVICE_H
#define CLSOFTMAX_TEST_DEVICE_H

#include "clsoftmax/clsoftmax.h"

/* Opens a device, or fails the test with the library's reason. */
clsoftmax_context *test_open(const char *selector);

/* Opens the OpenCL device of the tests: what CLSOFTMAX_TEST_DEVICE names, else the first. Skips the test where there is
   none, unless CLSOFTMAX_REQUIRE_DEVICE is set: then that is a failure. */
clsoftmax_context *test_open_opencl(void);

/* Plans and runs; fails the test with the library's reason. */
void test_run(clsoftmax_context *context, const clsoftmax_problem *problem, const float *logits, float temperature,
              float *probabilities);

/* 1 where CLSOFTMAX_TEST_LONG is set: everything instead of a sample. */
int test_is_long(void);

#endif
