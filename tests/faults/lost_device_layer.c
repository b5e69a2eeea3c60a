/* An OpenCL layer whose device is lost in the middle of the work: after LOST_AFTER launches every further one fails. */
#include "layer.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_long launches;

static cl_int CL_API_CALL launch(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                 const size_t *global, const size_t *local, cl_uint wait_count, const cl_event *wait,
                                 cl_event *event)
{
    const char *after = getenv("LOST_AFTER");
    if (atomic_fetch_add(&launches, 1) >= (after ? atol(after) : 0))
        return CL_OUT_OF_RESOURCES;
    return cl_target->clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, wait_count, wait, event);
}

static void change_dispatch(struct _cl_icd_dispatch *changed)
{
    changed->clEnqueueNDRangeKernel = launch;
}
