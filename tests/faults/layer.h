/* What every OpenCL layer (OPENCL_LAYERS) of the tests needs: all calls go to the driver, except those that
   change_dispatch replaces. cl_target has the functions of the driver. A layer includes this once, and defines
   change_dispatch. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_icd.h>
#include <CL/cl_layer.h>

#include <string.h>

static struct _cl_icd_dispatch dispatch;
static const struct _cl_icd_dispatch *cl_target;

static void change_dispatch(struct _cl_icd_dispatch *dispatch);

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
    cl_target = target;
    memcpy(&dispatch, target, sizeof dispatch);
    change_dispatch(&dispatch);
    *layer_out = &dispatch;
    *entries_out = (cl_uint)(sizeof dispatch / sizeof(void *));
    return CL_SUCCESS;
}
