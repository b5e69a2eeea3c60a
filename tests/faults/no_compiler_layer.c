/* An OpenCL layer (OPENCL_LAYERS): a driver that lists its device, but cannot compile for it, as happens where the
   driver's compiler does not know the processor. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_icd.h>
#include <CL/cl_layer.h>

#include <string.h>

static struct _cl_icd_dispatch dispatch;

static cl_int CL_API_CALL refuse_to_build(cl_program program, cl_uint count, const cl_device_id *devices,
                                          const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                                          void *data)
{
    (void)program, (void)count, (void)devices, (void)options, (void)notify, (void)data;
    return CL_BUILD_PROGRAM_FAILURE;
}

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info name, size_t size, void *value, size_t *size_out)
{
    const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    if (name != CL_LAYER_API_VERSION || (value && size < sizeof version))
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, &version, sizeof version);
    if (size_out)
        *size_out = sizeof version;
    return CL_SUCCESS;
}

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint entries, const struct _cl_icd_dispatch *target,
                                            cl_uint *entries_out, const struct _cl_icd_dispatch **layer_out)
{
    (void)entries;
    memcpy(&dispatch, target, sizeof dispatch);
    dispatch.clBuildProgram = refuse_to_build;
    *layer_out = &dispatch;
    *entries_out = (cl_uint)(sizeof dispatch / sizeof(void *));
    return CL_SUCCESS;
}
