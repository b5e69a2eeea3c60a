/* An OpenCL layer whose device calls itself a GPU, but cannot be compiled for, as happens where the driver's compiler
   does not know the processor. */
#include "layer.h"

static cl_int CL_API_CALL call_it_gpu(cl_device_id device, cl_device_info name, size_t size, void *value,
                                      size_t *size_out)
{
    cl_int error = cl_target->clGetDeviceInfo(device, name, size, value, size_out);
    if (error == CL_SUCCESS && name == CL_DEVICE_TYPE && value)
        *(cl_device_type *)value = CL_DEVICE_TYPE_GPU;
    return error;
}

static cl_int CL_API_CALL refuse_to_build(cl_program program, cl_uint count, const cl_device_id *devices,
                                          const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                                          void *data)
{
    (void)program, (void)count, (void)devices, (void)options, (void)notify, (void)data;
    return CL_BUILD_PROGRAM_FAILURE;
}

static void change_dispatch(struct _cl_icd_dispatch *changed)
{
    changed->clGetDeviceInfo = call_it_gpu;
    changed->clBuildProgram = refuse_to_build;
}
