/*
 * Calls on host memory: see opencl_tiles.h. It chooses between memory that the device shares (opencl_share.c) and
 * memory that is copied (opencl_copy.c).
 */
#include "opencl_tiles.h"

#include "../array.h"
#include "../float_environment.h"
#include "opencl_copy.h"
#include "opencl_share.h"

#include <stdlib.h>

/* What a plan needs for calls on host memory. */
struct cls_opencl_tiles {
    cl_command_queue queue;
    cls_opencl_copies *copies; /* NULL until a call needs them */
};

/* Returns 1 if the caller's arrays are aligned for the accesses of the kernels. */
static int is_aligned(const clsoftmax_plan *plan, const clsoftmax_arguments *arguments)
{
    const clsoftmax_problem *problem = &plan->problem;
    const cls_tile all = {.outer = problem->outer};
    size_t width = plan->decision.variant.access_width, misaligned = 0;
    CLS_FOR_ARRAYS(array)
        if (cls_array_layout(problem, array))
            misaligned |= (uintptr_t)cls_array_of_tile(problem, arguments, &all, array) %
                          (width * cls_array_element_bytes(problem, array));
    return misaligned == 0;
}

static clsoftmax_status share_tiles(clsoftmax_plan *plan, cl_command_queue queue, const clsoftmax_arguments *arguments,
                                    uint64_t *invalid_rows)
{
    uint64_t count = cls_tile_count(&plan->problem, &plan->decision.shared);
    for (uint64_t number = 0; number < count; number++) {
        cls_tile tile = cls_tile_at(&plan->problem, &plan->decision.shared, number);
        CLS_FORWARD(cls_opencl_share_tile(plan, queue, arguments, &tile, invalid_rows));
    }
    return CLSOFTMAX_OK;
}

static clsoftmax_status create_tiles(const clsoftmax_plan *plan, struct cls_opencl_tiles **out)
{
    const cls_opencl_context *opencl = plan->context->state;
    struct cls_opencl_tiles *tiles = calloc(1, sizeof *tiles);
    CLS_FAIL_IF(!tiles, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a plan");
    cl_int error;
    tiles->queue = cls_opencl.clCreateCommandQueue(opencl->context, opencl->device, 0, &error);
    if (error != CL_SUCCESS) {
        free(tiles);
        return cls_opencl_fail(error, "clCreateCommandQueue");
    }
    *out = tiles;
    return CLSOFTMAX_OK;
}

void cls_opencl_tiles_release(struct cls_opencl_tiles *tiles)
{
    if (!tiles)
        return;
    cls_opencl_copies_release(tiles->copies);
    cls_opencl.clReleaseCommandQueue(tiles->queue);
    free(tiles);
}

clsoftmax_status cls_opencl_run_tiles(clsoftmax_plan *plan, const clsoftmax_arguments *arguments,
                                      uint64_t *invalid_rows)
{
    CLS_IN_DEFAULT_ENVIRONMENT;
    cls_opencl_plan *state = plan->state;
    int is_shared = plan->decision.shared.outer > 0 && is_aligned(plan, arguments);
    CLS_FAIL_IF(!is_shared && plan->decision.copied.outer == 0, CLSOFTMAX_OUT_OF_DEVICE_MEMORY,
                "rows of %llu classes do not fit the device (%llu bytes at once) whole, as strategy \"%s\" wants them; "
                "\"split\" takes them in pieces",
                (unsigned long long)plan->problem.classes,
                (unsigned long long)plan->context->limits.max_allocation_bytes,
                clsoftmax_strategy_name(plan->decision.variant.strategy));
    if (!state->tiles)
        CLS_FORWARD(create_tiles(plan, &state->tiles));
    if (is_shared)
        return share_tiles(plan, state->tiles->queue, arguments, invalid_rows);
    if (!state->tiles->copies)
        CLS_FORWARD(cls_opencl_copies_create(plan, &state->tiles->copies));
    return cls_opencl_copy_tiles(plan, state->tiles->copies, state->tiles->queue, arguments, invalid_rows);
}
