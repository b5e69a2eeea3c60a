/* The device-buffer API with two devices in one context: arguments that are refused before anything is enqueued,
   statistics without results, and a launch that fails in the middle of a call. */
#include "clsoftmax/clsoftmax_cl.h"
#include "support/device.h"
#include "support/driver.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, CLASSES = 10, COUNT = ROWS * CLASSES };

static cl_device_id devices[2];
static cl_context cl, other_cl;
static cl_command_queue queue;
static clsoftmax_context *context;
static clsoftmax_problem problem;
static cl_mem array;

/* Opens two devices of PoCL, which makes one for each word. Another driver may have only one; then the tests are
   skipped. */
static void setup(void)
{
    setenv("POCL_DEVICES", "pthread basic", 1);
    cl_platform_id platform;
    cl_uint found = 0;
    cl_int error;
    clsoftmax_context_release(test_open_opencl());
    cr_assert_eq(clGetPlatformIDs(1, &platform, NULL), CL_SUCCESS);
    cr_assert_eq(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 2, devices, &found), CL_SUCCESS);
    if (found < 2)
        cr_skip_test("one device only");
    cl = clCreateContext(NULL, 2, devices, NULL, NULL, &error);
    other_cl = clCreateContext(NULL, 1, devices, NULL, NULL, &error);
    queue = clCreateCommandQueue(cl, devices[0], 0, &error);
    array = clCreateBuffer(cl, CL_MEM_READ_WRITE, sizeof(float) * COUNT, NULL, &error);
    cr_assert_eq(clsoftmax_cl_context_create(cl, devices[0], &context), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    problem = (clsoftmax_problem)CLSOFTMAX_PROBLEM_INIT;
    problem.outer = ROWS;
    problem.classes = CLASSES;
}

static void teardown(void)
{
    if (!cl)
        return;
    clsoftmax_context_release(context);
    clReleaseMemObject(array);
    clReleaseCommandQueue(queue);
    clReleaseContext(cl);
    clReleaseContext(other_cl);
}

TestSuite(buffer_arguments, .init = setup, .fini = teardown, .timeout = 300);

static clsoftmax_plan *make_plan(clsoftmax_context *of)
{
    clsoftmax_plan *plan = NULL;
    cr_assert_eq(clsoftmax_plan_create(of, &problem, &plan), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    return plan;
}

/* Returns arguments with one buffer for logits and results. */
static clsoftmax_cl_arguments in_place(void)
{
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = arguments.results = array;
    return arguments;
}

/* Calls without a device, a context, a plan or arguments. */
Test(buffer_arguments, missing)
{
    clsoftmax_context *none = NULL;
    clsoftmax_plan *plan = make_plan(context);
    const clsoftmax_cl_arguments good = in_place();
    const cl_event *somewhere = (const cl_event *)&good;
    cr_expect_eq(clsoftmax_cl_context_create(cl, NULL, &none), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_cl_context_create(cl, devices[0], NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_cl_enqueue(NULL, queue, &good, 0, NULL, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, NULL, 0, NULL, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &good, 0, somewhere, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    clsoftmax_cl_arguments wrong = good;
    wrong.size = 1;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &wrong, 0, NULL, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    clsoftmax_plan_release(plan);
}

/* Gives buffers that the problem does not ask for: they are not looked at. */
Test(buffer_arguments, not_wanted)
{
    clsoftmax_plan *plan = make_plan(context);
    clsoftmax_cl_arguments arguments = in_place();
    arguments.labels = arguments.statistics = arguments.temperatures = (cl_mem)&arguments;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, NULL), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    cr_expect_eq(clFinish(queue), CL_SUCCESS);
    clsoftmax_plan_release(plan);
}

/* Enqueues to a queue of another device in the same context, and with a plan of the reference, which has no device. */
Test(buffer_arguments, wrong_device)
{
    const clsoftmax_cl_arguments good = in_place();
    cl_int error;
    cl_command_queue of_other = clCreateCommandQueue(cl, devices[1], 0, &error);
    clsoftmax_plan *plan = make_plan(context);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, of_other, &good, 0, NULL, NULL), CLSOFTMAX_WRONG_DEVICE);
    clsoftmax_plan_release(plan);
    clsoftmax_context *reference = test_open("reference");
    plan = make_plan(reference);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &good, 0, NULL, NULL), CLSOFTMAX_WRONG_DEVICE);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(reference);
    clReleaseCommandQueue(of_other);
}

/* Passes first elements behind which the array would end outside of its buffer, or overflow. */
Test(buffer_arguments, first_element_out_of_bounds)
{
    problem.temperature_per_row = 1;
    clsoftmax_plan *plan = make_plan(context);
    clsoftmax_cl_arguments arguments = in_place();
    arguments.temperatures = array;
    const size_t beyond[] = {COUNT - ROWS + 1, SIZE_MAX - ROWS, SIZE_MAX};
    for (int i = 0; i < 3; i++) {
        arguments.temperatures_first = beyond[i];
        cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, NULL), CLSOFTMAX_BUFFER_TOO_SMALL);
    }
    clsoftmax_plan_release(plan);
}

/* Waits for an event of another context. A call without rows is a marker, which OpenCL itself then refuses. */
Test(buffer_arguments, foreign_event)
{
    problem.outer = 0;
    clsoftmax_plan *plan = make_plan(context);
    const clsoftmax_cl_arguments arguments = in_place();
    cl_int error;
    cl_event foreign = clCreateUserEvent(other_cl, &error);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 1, &foreign, NULL), CLSOFTMAX_DEVICE_FAILED);
    cr_expect_eq(clsoftmax_last_opencl_error(), CL_INVALID_CONTEXT, "%s", clsoftmax_last_error());
    clSetUserEventStatus(foreign, CL_COMPLETE);
    clReleaseEvent(foreign);
    clsoftmax_plan_release(plan);
}

/* Computes statistics alone, without a buffer for results. */
Test(buffer_arguments, statistics_alone)
{
    const float zeros[COUNT] = {0};
    clsoftmax_statistics records[ROWS];
    cl_int error;
    cl_mem logits = clCreateBuffer(cl, CL_MEM_COPY_HOST_PTR, sizeof zeros, (void *)(uintptr_t)zeros, &error);
    cl_mem statistics = clCreateBuffer(cl, CL_MEM_READ_WRITE, sizeof records, NULL, &error);
    problem.operation = CLSOFTMAX_OPERATION_NONE;
    problem.statistics = 1;
    clsoftmax_plan *plan = make_plan(context);
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.statistics = statistics;
    cr_assert_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, NULL), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    cr_assert_eq(clEnqueueReadBuffer(queue, statistics, CL_TRUE, 0, sizeof records, records, 0, NULL, NULL),
                 CL_SUCCESS);
    for (int row = 0; row < ROWS; row++)
        cr_expect(fabsf(records[row].entropy - logf(CLASSES)) < 1e-6f && isnan(records[row].negative_log_likelihood));
    clsoftmax_plan_release(plan);
    clReleaseMemObject(logits);
    clReleaseMemObject(statistics);
}

/* Sweeps so many temperatures that `split` launches its kernels twice, and lets each of the six launches fail once. */
Test(buffer_arguments, failure_of_a_later_launch)
{
    enum { TEMPERATURES = 40, KERNELS = 3 };
    const float ones[TEMPERATURES] = {1};
    cl_int error;
    cl_mem temperatures = clCreateBuffer(cl, CL_MEM_COPY_HOST_PTR, sizeof ones, (void *)(uintptr_t)ones, &error);
    cl_mem results = clCreateBuffer(cl, CL_MEM_READ_WRITE, sizeof(float) * COUNT * TEMPERATURES, NULL, &error);
    problem.strategy = CLSOFTMAX_STRATEGY_SPLIT;
    problem.sweep = TEMPERATURES;
    clsoftmax_plan *plan = make_plan(context);
    clsoftmax_cl_arguments arguments = in_place();
    arguments.results = results;
    arguments.temperatures = temperatures;
    driver_observe();
    for (unsigned number = 1; number <= 2 * KERNELS; number++) {
        cl_event event = NULL;
        driver_fail("clEnqueueNDRangeKernel", number);
        cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, &event), CLSOFTMAX_DEVICE_FAILED);
        cr_expect(driver_has_failed() && !event, "kernel %u", number);
        driver_fail(NULL, 0);
        cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, &event), CLSOFTMAX_OK, "kernel %u", number);
        cr_assert_eq(clWaitForEvents(1, &event), CL_SUCCESS);
        cls_opencl.clReleaseEvent(event);
    }
    clsoftmax_plan_release(plan);
    cr_expect_eq(driver_since_last().events, 0, "events that nobody has released");
    clReleaseMemObject(temperatures);
    clReleaseMemObject(results);
}
