/* The caller's side of the device-buffer API: what buffers.h declares. */
#include "buffers.h"

#include "support/device.h"

#include <criterion/criterion.h>

struct caller caller;

cl_mem buffer_of(const void *data, size_t bytes)
{
    cl_int error;
    cl_mem buffer = clCreateBuffer(caller.context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, bytes,
                                   (void *)(uintptr_t)data, &error);
    cr_assert_eq(error, CL_SUCCESS);
    return buffer;
}

void read_back(cl_mem buffer, void *data, size_t bytes)
{
    cr_assert_eq(clEnqueueReadBuffer(caller.queue, buffer, CL_TRUE, 0, bytes, data, 0, NULL, NULL), CL_SUCCESS);
}

clsoftmax_problem strided_problem(void)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = ROWS;
    problem.classes = CLASSES;
    problem.logits_layout = problem.results_layout = (clsoftmax_layout){OFFSET, LEADING, 1, 1};
    return problem;
}

clsoftmax_context *open_context(void)
{
    clsoftmax_context *context = NULL;
    cr_assert_eq(clsoftmax_cl_context_create(caller.context, caller.device, &context), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    return context;
}

static void setup(void)
{
    clsoftmax_context_release(test_open_opencl()); /* skips where there is no device */
    cl_platform_id platform;
    cl_int error;
    cr_assert_eq(clGetPlatformIDs(1, &platform, NULL), CL_SUCCESS);
    cr_assert_eq(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &caller.device, NULL), CL_SUCCESS);
    caller.context = clCreateContext(NULL, 1, &caller.device, NULL, NULL, &error);
    cr_assert_eq(error, CL_SUCCESS);
    caller.queue = clCreateCommandQueue(caller.context, caller.device, 0, &error);
    cr_assert_eq(error, CL_SUCCESS);
    for (int i = 0; i < SPAN; i++)
        caller.logits[i] = caller.expected[i] = (float)((i * 37) % 101) * 0.1f;
    clsoftmax_context *cpu = test_open("cpu");
    clsoftmax_problem problem = strided_problem();
    test_run(cpu, &problem, caller.logits, 0.7f, caller.expected);
    clsoftmax_context_release(cpu);
}

static void teardown(void)
{
    clReleaseCommandQueue(caller.queue);
    clReleaseContext(caller.context);
}

TestSuite(buffers, .init = setup, .fini = teardown, .timeout = 300);
