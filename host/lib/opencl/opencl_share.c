/*
 * Tiles in memory that host and device share: see opencl_share.h. Buffers are made over the caller's arrays, and a
 * mapping makes the results visible to the host.
 */
#include "opencl_share.h"

#include "opencl_commands.h"
#include "opencl_launch.h"

/* A tile under way. */
typedef struct sharing {
    clsoftmax_problem problem; /* of the tile: the caller's layouts, from the tile's first elements on */
    void *memory[CLS_ARRAYS];
    cl_mem buffers[CLS_ARRAYS];
    void *mapped[CLS_ARRAYS];
    cl_uint invalid_rows;
} sharing;

/* Returns the array whose buffer holds this one. Arrays in the same place have one buffer, that of the first of them,
   since two buffers over the same memory may disagree. */
static cls_array buffer_of(const sharing *sharing, cls_array array)
{
    cls_array first = 0;
    if (!cls_array_layout(&sharing->problem, array))
        return array;
    while (first < array &&
           !(cls_array_layout(&sharing->problem, first) && sharing->memory[first] == sharing->memory[array] &&
             cls_array_bytes(&sharing->problem, first) == cls_array_bytes(&sharing->problem, array)))
        first++;
    return first;
}

/* Returns 1 if a kernel writes to the array's buffer. */
static int is_written(const sharing *sharing, cls_array array)
{
    int found = 0;
    CLS_FOR_ARRAYS(other)
        found |= cls_array_is_written(other) && sharing->memory[other] && buffer_of(sharing, other) == array;
    return found;
}

/* Makes a buffer over each of the caller's arrays. */
static clsoftmax_status create_buffers(cl_context context, sharing *sharing)
{
    CLS_FOR_ARRAYS(array) {
        uint64_t bytes = cls_array_bytes(&sharing->problem, array);
        if (bytes == 0 || !sharing->memory[array] || buffer_of(sharing, array) != array)
            continue;
        cl_mem_flags access = is_written(sharing, array) ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY;
        cl_int error;
        sharing->buffers[array] = cls_opencl.clCreateBuffer(context, access | CL_MEM_USE_HOST_PTR, (size_t)bytes,
                                                            sharing->memory[array], &error);
        OPENCL_CHECK(error, "clCreateBuffer over host memory");
    }
    return CLSOFTMAX_OK;
}

/* Enqueues the launch of a tile, and the mapping of what it writes. */
static clsoftmax_status enqueue(const clsoftmax_plan *plan, cl_command_queue queue, cls_opencl_numbers numbers,
                                sharing *sharing, cls_opencl_commands *commands)
{
    cls_opencl_arrays arrays = {.rows_stride = cls_problem_rows(&sharing->problem)};
    CLS_FOR_ARRAYS(array)
        arrays.of[array] = sharing->buffers[buffer_of(sharing, array)];
    const cls_opencl_order order = {queue, 0, NULL, cls_opencl_next_event(commands)};
    CLS_FORWARD(cls_opencl_launch(&sharing->problem, &plan->decision, plan->state, &arrays, numbers, order));
    CLS_FORWARD(cls_opencl_enqueued(commands, CL_SUCCESS, "the kernel"));
    CLS_FOR_ARRAYS(array) {
        if (!arrays.of[array] || !cls_array_is_written(array))
            continue;
        cl_int error;
        sharing->mapped[array] = cls_opencl.clEnqueueMapBuffer(queue, arrays.of[array], CL_FALSE, CL_MAP_READ, 0,
                                                               (size_t)cls_array_bytes(&sharing->problem, array), 0,
                                                               NULL, cls_opencl_next_event(commands), &error);
        CLS_FORWARD(cls_opencl_enqueued(commands, error, cls_array_transfer(array)));
    }
    return CLSOFTMAX_OK;
}

/* Releases the tile. Afterwards nothing of the caller's memory is in use, whatever happened before. */
static void release(cl_command_queue queue, sharing *sharing)
{
    CLS_FOR_ARRAYS(array)
        if (sharing->mapped[array])
            cls_opencl.clEnqueueUnmapMemObject(queue, sharing->buffers[buffer_of(sharing, array)],
                                               sharing->mapped[array], 0, NULL, NULL);
    cls_opencl.clFinish(queue);
    CLS_FOR_ARRAYS(array)
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
    sharing.problem.logits_layout.offset = sharing.problem.operand_layout.offset =
        sharing.problem.results_layout.offset = 0;
    CLS_FOR_ARRAYS(array)
        sharing.memory[array] = cls_array_of_tile(&plan->problem, arguments, tile, array);
    sharing.memory[CLS_INVALID_ROWS] = &sharing.invalid_rows; /* the device counts in 32 bits */
    cls_opencl_commands commands = {.count = 0};
    clsoftmax_status status = create_buffers(opencl->context, &sharing);
    if (status == CLSOFTMAX_OK)
        status = enqueue(plan, queue, cls_opencl_numbers_of(&plan->problem, arguments), &sharing, &commands);
    if (status == CLSOFTMAX_OK)
        status = cls_opencl_commands_wait(&commands);
    release(queue, &sharing);
    cls_opencl_commands_forget(&commands);
    *invalid_rows += sharing.invalid_rows;
    return status;
}
