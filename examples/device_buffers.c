/* Introduces clsoftmax_cl_enqueue, which works on the caller's own OpenCL buffers, queue and events. The program calls
   OpenCL itself, so link it with -lOpenCL as well (Debian, Ubuntu: package ocl-icd-opencl-dev), or, without that
   package, with -l:libOpenCL.so.1. */
#include <clsoftmax/clsoftmax_cl.h>
#include <stdio.h>

int main(void)
{
    float matrix[2][4] = {{10, 20, 30, -1}, {3, 1, 3, -1}}; /* rows of 3 classes, which begin 4 apart */
    cl_platform_id platform;
    cl_device_id device;
    if (clGetPlatformIDs(1, &platform, NULL) != CL_SUCCESS ||
        clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL) != CL_SUCCESS) {
        fprintf(stderr, "there is no OpenCL device\n");
        return 2;
    }
    cl_int error;
    cl_context cl = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
    cl_command_queue queue = clCreateCommandQueue(cl, device, 0, &error);
    cl_mem buffer = clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof matrix, matrix, &error);

    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 2;
    problem.classes = 3;
    problem.logits_layout.outer_stride = 4;
    problem.logits_layout.class_stride = problem.logits_layout.inner_stride = 1;
    problem.results_layout = problem.logits_layout;

    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = buffer;
    arguments.results = buffer; /* in place */
    arguments.temperature = 10;

    clsoftmax_context *context = NULL;
    clsoftmax_plan *plan = NULL;
    cl_event done = NULL;
    clsoftmax_status status = clsoftmax_cl_context_create(cl, device, &context);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_create(context, &problem, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, &done);
    if (status == CLSOFTMAX_OK) {
        clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, sizeof matrix, matrix, 1, &done, NULL);
        clReleaseEvent(done);
        printf("%.9g %.9g %.9g | %g\n", matrix[0][0], matrix[0][1], matrix[0][2], matrix[0][3]);
    } else {
        fprintf(stderr, "%s\n", clsoftmax_last_error());
    }
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
    clReleaseMemObject(buffer);
    clReleaseCommandQueue(queue);
    clReleaseContext(cl);
    return status != CLSOFTMAX_OK;
}
