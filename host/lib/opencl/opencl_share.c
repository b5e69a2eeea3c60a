/* Tiles in memory that host and device share: buffers over the caller's arrays, whose results a mapping makes visible. */
#include "opencl_tiles.h"

/* A tile under way. */
typedef struct sharing {
    clsoftmax_problem problem; /* the tile's: the caller's layouts, from its own first elements on */
    void *memory[CLS_ARRAYS];
    cl_mem buffers[CLS_ARRAYS];
    void *mapped[CLS_ARRAYS];
    cl_uint invalid_rows;
} sharing;

static clsoftmax_status create_buffers(cl_context context, sharing *sharing)
{
    for (cls_array array = 0; array < CLS_ARRAYS; array++) {
        uint64_t bytes = cls_array_bytes(&sharing->problem, array);
        if (bytes == 0 || !sharing->memory[array])
            continue;
        if (array == CLS_RESULTS && sharing->memory[array] == sharing->memory[CLS_LOGITS])
            continue; /* in place: one buffer, since two over the same memory may disagree */
        int is_in_place = array == CLS_LOGITS && sharing->memory[array] == sharing->memory[CLS_RESULTS];
        cl_mem_flags access = array < CLS_INVALID_ROWS && !is_in_place ? CL_MEM_READ_ONLY : CL_MEM_READ_WRITE;
        cl_int error;
        sharing->buffers[array] = cls_opencl.clCreateBuffer(context, access | CL_MEM_USE_HOST_PTR, (size_t)bytes,
                                                            sharing->memory[array], &error);
        OPENCL_CHECK(error, "clCreateBuffer over host memory");
    }
    return CLSOFTMAX_OK;
}

/* The buffer that has the array. */
static cl_mem buffer_of(const sharing *sharing, cls_array array)
{
    int is_in_place = array == CLS_RESULTS && sharing->memory[array] == sharing->memory[CLS_LOGITS];
    return sharing->buffers[is_in_place ? CLS_LOGITS : array];
}

static clsoftmax_status enqueue(const clsoftmax_plan *plan, cl_command_queue queue, float temperature, sharing *sharing,
                                cls_opencl_commands *commands)
{
    cl_mem buffers[CLS_ARRAYS];
    for (cls_array array = 0; array < CLS_ARRAYS; array++)
        buffers[array] = buffer_of(sharing, array);
    const cls_opencl_arrays arrays = cls_arrays_of_launch(&sharing->problem, buffers);
    CLS_FORWARD(cls_opencl_launch(&sharing->problem, &plan->decision, plan->state, queue, &arrays, temperature,
                                  sharing->problem.outer, 0, NULL, cls_opencl_next_event(commands)));
    CLS_FORWARD(cls_opencl_enqueued(commands, CL_SUCCESS, "the kernel"));
    for (cls_array array = CLS_INVALID_ROWS; array < CLS_ARRAYS; array++) {
        if (!buffers[array])
            continue;
        cl_int error;
        sharing->mapped[array] = cls_opencl.clEnqueueMapBuffer(queue, buffers[array], CL_FALSE, CL_MAP_READ, 0,
                                                               (size_t)cls_array_bytes(&sharing->problem, array), 0,
                                                               NULL, cls_opencl_next_event(commands), &error);
        CLS_FORWARD(cls_opencl_enqueued(commands, error, cls_array_name(array)));
    }
    return CLSOFTMAX_OK;
}

/* Nothing of the caller's is in use behind this, whatever happened before. */
static void release(cl_command_queue queue, sharing *sharing)
{
    for (cls_array array = 0; array < CLS_ARRAYS; array++)
        if (sharing->mapped[array])
            cls_opencl.clEnqueueUnmapMemObject(queue, buffer_of(sharing, array), sharing->mapped[array], 0, NULL, NULL);
    cls_opencl.clFinish(queue);
    for (cls_array array = 0; array < CLS_ARRAYS; array++)
        if (sharing->buffers[array])
            cls_opencl.clReleaseMemObject(sharing->buffers[array]);
}

clsoftmax_status cls_opencl_share_tile(clsoftmax_plan *plan, cl_command_queue queue,
                                       const clsoftmax_arguments *arguments, const cls_tile *tile,
                                       uint64_t *invalid_rows)
{
    const cls_opencl_context *opencl = plan->context->state;
    sharing sharing = {.problem = plan->problem};
    sharing.problem.outer = tile->outer;
    sharing.problem.sweep = plan->problem.sweep > 0 ? tile->temperatures : 0;
    sharing.problem.logits_layout.offset = sharing.problem.results_layout.offset = 0;
    for (cls_array array = 0; array < CLS_ARRAYS; array++)
        sharing.memory[array] = cls_array_of_caller(&plan->problem, arguments, tile, array);
    sharing.memory[CLS_INVALID_ROWS] = &sharing.invalid_rows;
    cls_opencl_commands commands = {.count = 0};
    clsoftmax_status status = create_buffers(opencl->context, &sharing);
    if (status == CLSOFTMAX_OK)
        status = enqueue(plan, queue, arguments->temperature, &sharing, &commands);
    if (status == CLSOFTMAX_OK)
        status = cls_opencl_commands_wait(&commands);
    release(queue, &sharing);
    cls_opencl_commands_forget(&commands);
    *invalid_rows += sharing.invalid_rows;
    return status;
}
