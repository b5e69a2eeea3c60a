/* An OpenCL layer whose device is listed, but cannot be compiled for, as happens where the driver's compiler does not
   know the processor. */
#include "layer.h"

static cl_int CL_API_CALL refuse_to_build(cl_program program, cl_uint count, const cl_device_id *devices,
                                          const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                                          void *data)
{
    (void)program, (void)count, (void)devices, (void)options, (void)notify, (void)data;
    return CL_BUILD_PROGRAM_FAILURE;
}

static void change_dispatch(struct _cl_icd_dispatch *changed)
{
    changed->clBuildProgram = refuse_to_build;
}
