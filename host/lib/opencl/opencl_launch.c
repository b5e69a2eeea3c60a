/* One kernel launch: its arguments in the order of ROW_ARGUMENTS (kernels/row.h), and its size. */
#include "opencl_backend.h"

static cl_ulong4 layout_argument(const clsoftmax_layout *layout)
{
    cl_ulong4 argument = {{layout->offset, layout->outer_stride, layout->class_stride, layout->inner_stride}};
    return argument;
}

static clsoftmax_status set_arguments(const clsoftmax_problem *problem, cl_kernel kernel,
                                      const cls_opencl_arrays *arrays, float temperature, uint64_t outer)
{
    const cl_ulong4 logits_layout = layout_argument(&problem->logits_layout);
    const cl_ulong4 results_layout = layout_argument(&problem->results_layout);
    const cl_ulong4 first = {{arrays->first_temperature, arrays->first_label, arrays->first_statistics, 0}};
    const cl_ulong rows = outer * problem->inner, inner = problem->inner, classes = problem->classes;
    const cl_uint policies = cls_problem_policies(problem);
    const struct {
        size_t size;
        const void *value;
    } arguments[] = {
        {sizeof(cl_mem), &arrays->logits},
        {sizeof logits_layout, &logits_layout},
        {sizeof(cl_mem), &arrays->results},
        {sizeof results_layout, &results_layout},
        {sizeof rows, &rows},
        {sizeof inner, &inner},
        {sizeof classes, &classes},
        {sizeof policies, &policies},
        {sizeof temperature, &temperature},
        {sizeof(cl_mem), &arrays->temperatures},
        {sizeof(cl_mem), &arrays->labels},
        {sizeof(cl_mem), &arrays->statistics},
        {sizeof first, &first},
        {sizeof(cl_mem), &arrays->invalid_rows},
    };
    for (cl_uint i = 0; i < sizeof arguments / sizeof *arguments; i++)
        OPENCL_CHECK(cls_opencl.clSetKernelArg(kernel, i, arguments[i].size, arguments[i].value), "clSetKernelArg");
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_opencl_launch(const clsoftmax_problem *problem, const cls_variant *variant, cl_kernel kernel,
                                   cl_command_queue queue, const cls_opencl_arrays *arrays, float temperature,
                                   uint64_t outer, cl_uint wait_count, const cl_event *wait, cl_event *event)
{
    CLS_FORWARD(set_arguments(problem, kernel, arrays, temperature, outer));
    size_t global = (size_t)cls_global_size(problem, variant, outer), local = variant->work_group_size;
    OPENCL_CHECK(cls_opencl.clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &global, &local, wait_count, wait, event),
                 "clEnqueueNDRangeKernel");
    return CLSOFTMAX_OK;
}
