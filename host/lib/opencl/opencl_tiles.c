/* Calls on host memory: shared with the device or copied, in tiles. */
#include "opencl_tiles.h"

#include <stdlib.h>

struct cls_opencl_tiles {
    cl_command_queue queue;
    cls_opencl_copies *copies; /* NULL until a call needs them */
};

/* ---------------------------------------------------------------- Arrays */

const char *cls_array_name(cls_array array)
{
    static const char *const names[CLS_ARRAYS] = {"the transfer of the logits",     "the transfer of the temperatures",
                                                  "the transfer of the labels",     "the transfer of a counter",
                                                  "the transfer of the statistics", "the transfer of the results"};
    return names[array];
}

uint64_t cls_array_bytes(const clsoftmax_problem *problem, cls_array array)
{
    uint64_t rows = cls_problem_rows(problem), temperatures = cls_problem_temperatures(problem);
    switch (array) {
    case CLS_LOGITS:
        return cls_layout_span(problem, &problem->logits_layout) * clsoftmax_dtype_size(problem->logits_dtype);
    case CLS_RESULTS:
        return problem->operation == CLSOFTMAX_OPERATION_NONE
                   ? 0
                   : cls_results_span(problem) * clsoftmax_dtype_size(problem->results_dtype);
    case CLS_TEMPERATURES:
        return problem->sweep > 0             ? problem->sweep * sizeof(float)
               : problem->temperature_per_row ? rows * sizeof(float)
                                              : 0;
    case CLS_INVALID_ROWS:
        return problem->temperature_per_row ? sizeof(cl_uint) : 0;
    case CLS_LABELS:
        return problem->statistics ? rows * sizeof(int64_t) : 0;
    case CLS_STATISTICS:
        return problem->statistics ? temperatures * rows * sizeof(clsoftmax_statistics) : 0;
    case CLS_ARRAYS:
        break;
    }
    return 0;
}

static char *first_element(const void *array, const clsoftmax_layout *layout, const cls_tile *tile, size_t size)
{
    uint64_t first = layout->offset + tile->first_outer * layout->outer_stride +
                     tile->first_class * layout->class_stride + tile->first_inner * layout->inner_stride;
    return (char *)(uintptr_t)array + first * size; /* what is const is read alone */
}

static char *first_row(const void *array, uint64_t row, size_t size)
{
    return array ? (char *)(uintptr_t)array + row * size : NULL;
}

char *cls_array_of_caller(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments, const cls_tile *tile,
                          cls_array array)
{
    uint64_t row = tile->first_outer * problem->inner + tile->first_inner, rows = cls_problem_rows(problem);
    if (cls_array_bytes(problem, array) == 0)
        return NULL;
    switch (array) {
    case CLS_LOGITS:
        return first_element(arguments->logits, &problem->logits_layout, tile,
                             clsoftmax_dtype_size(problem->logits_dtype));
    case CLS_RESULTS:
        return first_element(arguments->results, &problem->results_layout, tile,
                             clsoftmax_dtype_size(problem->results_dtype)) +
               tile->first_temperature * problem->sweep_stride * clsoftmax_dtype_size(problem->results_dtype);
    case CLS_TEMPERATURES:
        return first_row(arguments->temperatures, problem->sweep > 0 ? tile->first_temperature : row, sizeof(float));
    case CLS_LABELS:
        return first_row(arguments->labels, row, sizeof(int64_t));
    case CLS_STATISTICS:
        return first_row(arguments->statistics, tile->first_temperature * rows + row, sizeof(clsoftmax_statistics));
    case CLS_INVALID_ROWS:
    case CLS_ARRAYS:
        break;
    }
    return NULL;
}

cls_opencl_arrays cls_arrays_of_launch(const clsoftmax_problem *problem, const cl_mem *buffers)
{
    const cls_opencl_arrays arrays = {.logits = buffers[CLS_LOGITS],
                                      .results = buffers[CLS_RESULTS],
                                      .temperatures = buffers[CLS_TEMPERATURES],
                                      .labels = buffers[CLS_LABELS],
                                      .statistics = buffers[CLS_STATISTICS],
                                      .invalid_rows = buffers[CLS_INVALID_ROWS],
                                      .records_stride = cls_problem_rows(problem)};
    return arrays;
}

/* ---------------------------------------------------------------- Runs */

/* Whether the caller's arrays stand where kernels may access them. */
static int is_aligned(const clsoftmax_plan *plan, const clsoftmax_arguments *arguments)
{
    const clsoftmax_problem *problem = &plan->problem;
    const cls_tile all = {.outer = problem->outer};
    size_t width = plan->decision.variant.access_width > 0 ? plan->decision.variant.access_width : 1;
    uintptr_t x = (uintptr_t)cls_array_of_caller(problem, arguments, &all, CLS_LOGITS);
    uintptr_t p = (uintptr_t)cls_array_of_caller(problem, arguments, &all, CLS_RESULTS);
    return x % (width * clsoftmax_dtype_size(problem->logits_dtype)) == 0 &&
           p % (width * clsoftmax_dtype_size(problem->results_dtype)) == 0;
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
