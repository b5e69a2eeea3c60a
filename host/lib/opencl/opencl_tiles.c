/* Calls on host memory: tiles of outer indices, each uploaded, computed and downloaded. On the device every array is
 * dense. */
#include "opencl_backend.h"

#include <stdlib.h>
#include <string.h>

typedef struct cls_opencl_tiles {
    cl_command_queue queue;
    clsoftmax_problem dense; /* the problem as the device has it; outer is that of a whole tile */
    cls_opencl_arrays arrays;
    void *staging; /* a tile of logits or results, where the caller's layout is not dense; else NULL */
} cls_opencl_tiles;

/* ---------------------------------------------------------------- Packing */

/* Copies `outer` outer indices between a layout and the dense one, in runs of elements that are neighbours in both: whole
   rows, the columns of a class, or single elements. */
static void copy_layout(const clsoftmax_problem *p, uint64_t outer, size_t size, char *dense, char *strided,
                        const clsoftmax_layout *layout, int to_dense)
{
    int whole_rows = p->inner == 1 && layout->class_stride == 1;
    uint64_t classes = whole_rows ? p->classes : 1;
    uint64_t columns = p->inner == 1 || layout->inner_stride == 1 ? p->inner : 1;
    size_t run_bytes = (size_t)(classes * columns) * size;
    for (uint64_t o = 0; o < outer; o++)
        for (uint64_t c = 0; c < p->classes; c += classes)
            for (uint64_t i = 0; i < p->inner; i += columns) {
                char *there =
                    strided + (o * layout->outer_stride + c * layout->class_stride + i * layout->inner_stride) * size;
                char *here = dense + ((o * p->classes + c) * p->inner + i) * size;
                memcpy(to_dense ? here : there, to_dense ? there : here, run_bytes);
            }
}

/* ---------------------------------------------------------------- Buffers */

static clsoftmax_status create_buffer(cl_context context, uint64_t bytes, const char *what, cl_mem *buffer)
{
    cl_int error;
    *buffer = cls_opencl.clCreateBuffer(context, CL_MEM_READ_WRITE, (size_t)bytes, NULL, &error);
    OPENCL_CHECK(error, what);
    return CLSOFTMAX_OK;
}

static clsoftmax_status create_buffers(const clsoftmax_problem *problem, cl_context context, cls_opencl_tiles *tiles)
{
    const clsoftmax_problem *dense = &tiles->dense;
    uint64_t rows = cls_problem_rows(dense), elements = rows * dense->classes;
    size_t x_size = clsoftmax_dtype_size(dense->logits_dtype), p_size = clsoftmax_dtype_size(dense->results_dtype);
    cls_opencl_arrays *arrays = &tiles->arrays;
    CLS_FORWARD(create_buffer(context, elements * x_size, "clCreateBuffer for the logits", &arrays->logits));
    if (dense->operation != CLSOFTMAX_OPERATION_NONE)
        CLS_FORWARD(create_buffer(context, elements * p_size, "clCreateBuffer for the results", &arrays->results));
    if (dense->temperature_per_row) {
        CLS_FORWARD(
            create_buffer(context, rows * sizeof(float), "clCreateBuffer for the temperatures", &arrays->temperatures));
        CLS_FORWARD(create_buffer(context, sizeof(cl_uint), "clCreateBuffer for a counter", &arrays->invalid_rows));
    }
    if (dense->statistics) {
        CLS_FORWARD(create_buffer(context, rows * sizeof(int64_t), "clCreateBuffer for the labels", &arrays->labels));
        CLS_FORWARD(create_buffer(context, rows * sizeof(clsoftmax_statistics), "clCreateBuffer for the statistics",
                                  &arrays->statistics));
    }
    size_t larger = x_size > p_size ? x_size : p_size;
    if (!cls_layout_is_dense(problem, &problem->logits_layout) ||
        !cls_layout_is_dense(problem, &problem->results_layout)) {
        tiles->staging = malloc((size_t)elements * larger);
        CLS_FAIL_IF(!tiles->staging, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a tile of %llu elements",
                    (unsigned long long)elements);
    }
    return CLSOFTMAX_OK;
}

void cls_opencl_tiles_release(struct cls_opencl_tiles *tiles)
{
    if (!tiles)
        return;
    cl_mem buffers[] = {tiles->arrays.logits, tiles->arrays.results,    tiles->arrays.temperatures,
                        tiles->arrays.labels, tiles->arrays.statistics, tiles->arrays.invalid_rows};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (buffers[i])
            cls_opencl.clReleaseMemObject(buffers[i]);
    if (tiles->queue)
        cls_opencl.clReleaseCommandQueue(tiles->queue);
    free(tiles->staging);
    free(tiles);
}

static clsoftmax_status create_tiles(clsoftmax_plan *plan, cls_opencl_tiles **out)
{
    cls_opencl_context *opencl = plan->context->state;
    cls_opencl_tiles *tiles = calloc(1, sizeof *tiles);
    CLS_FAIL_IF(!tiles, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a plan");
    cl_int error;
    tiles->queue = cls_opencl.clCreateCommandQueue(opencl->context, opencl->device, 0, &error);
    clsoftmax_problem dense = plan->problem;
    memset(&dense.logits_layout, 0, sizeof dense.logits_layout);
    memset(&dense.results_layout, 0, sizeof dense.results_layout);
    dense.outer = plan->decision.tile_outer;
    clsoftmax_status status = error == CL_SUCCESS ? CLSOFTMAX_OK : cls_opencl_fail(error, "clCreateCommandQueue");
    if (status == CLSOFTMAX_OK)
        status = cls_problem_check(&dense, &tiles->dense);
    if (status == CLSOFTMAX_OK)
        status = create_buffers(&plan->problem, opencl->context, tiles);
    if (status != CLSOFTMAX_OK) {
        cls_opencl_tiles_release(tiles);
        return status;
    }
    *out = tiles;
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- A tile */

/* The commands of a tile, whose own word is asked once all are finished: drivers are known whose clFinish succeeds
   although a command failed. */
typedef struct commands {
    cl_command_queue queue;
    cl_event events[8];
    const char *names[8];
    int count;
} commands;

static clsoftmax_status write_buffer(commands *commands, cl_mem buffer, const void *from, uint64_t bytes,
                                     const char *name)
{
    commands->names[commands->count] = name;
    OPENCL_CHECK(cls_opencl.clEnqueueWriteBuffer(commands->queue, buffer, CL_FALSE, 0, (size_t)bytes, from, 0, NULL,
                                                 &commands->events[commands->count]),
                 name);
    commands->count++;
    return CLSOFTMAX_OK;
}

static clsoftmax_status read_buffer(commands *commands, cl_mem buffer, void *to, uint64_t bytes, const char *name)
{
    commands->names[commands->count] = name;
    OPENCL_CHECK(cls_opencl.clEnqueueReadBuffer(commands->queue, buffer, CL_FALSE, 0, (size_t)bytes, to, 0, NULL,
                                                &commands->events[commands->count]),
                 name);
    commands->count++;
    return CLSOFTMAX_OK;
}

/* A tile: `outer` outer indices from `first` on. Pointers are to its own elements, dense. */
typedef struct tile {
    uint64_t first, outer, rows;
    const void *logits;
    void *results;
    cl_uint invalid_rows; /* zero before, counted by the kernel */
} tile;

static clsoftmax_status enqueue_tile(const clsoftmax_plan *plan, cls_opencl_tiles *tiles,
                                     const clsoftmax_arguments *arguments, tile *tile, commands *commands)
{
    const clsoftmax_problem *dense = &tiles->dense;
    cls_opencl_plan *state = plan->state;
    const cls_opencl_arrays *arrays = &tiles->arrays;
    uint64_t elements = tile->rows * dense->classes, row = tile->first * dense->inner;
    CLS_FORWARD(write_buffer(commands, arrays->logits, tile->logits,
                             elements * clsoftmax_dtype_size(dense->logits_dtype), "the upload of the logits"));
    if (arrays->temperatures) {
        CLS_FORWARD(write_buffer(commands, arrays->temperatures, arguments->temperatures + row,
                                 tile->rows * sizeof(float), "the upload of the temperatures"));
        CLS_FORWARD(write_buffer(commands, arrays->invalid_rows, &tile->invalid_rows, sizeof(cl_uint),
                                 "the upload of a counter"));
    }
    cls_opencl_arrays used = *arrays;
    if (arguments->labels && arrays->labels)
        CLS_FORWARD(write_buffer(commands, arrays->labels, arguments->labels + row, tile->rows * sizeof(int64_t),
                                 "the upload of the labels"));
    else
        used.labels = NULL;
    commands->names[commands->count] = "the kernel";
    CLS_FORWARD(cls_opencl_launch(dense, &plan->decision, state, commands->queue, &used, arguments->temperature,
                                  tile->outer, 0, NULL, &commands->events[commands->count]));
    commands->count++;
    if (arrays->results)
        CLS_FORWARD(read_buffer(commands, arrays->results, tile->results,
                                elements * clsoftmax_dtype_size(dense->results_dtype), "the download of the results"));
    if (arrays->statistics)
        CLS_FORWARD(read_buffer(commands, arrays->statistics, arguments->statistics + row,
                                tile->rows * sizeof(clsoftmax_statistics), "the download of the statistics"));
    if (arrays->invalid_rows)
        CLS_FORWARD(read_buffer(commands, arrays->invalid_rows, &tile->invalid_rows, sizeof(cl_uint),
                                "the download of a counter"));
    return CLSOFTMAX_OK;
}

static clsoftmax_status check_command(cl_event event, const char *name)
{
    cl_int execution = CL_COMPLETE;
    OPENCL_CHECK(
        cls_opencl.clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof execution, &execution, NULL),
        "clGetEventInfo");
    if (execution < 0)
        return cls_opencl_fail(execution, name);
    CLS_FAIL_IF(execution != CL_COMPLETE, CLSOFTMAX_DEVICE_FAILED, "%s has not finished after clFinish", name);
    return CLSOFTMAX_OK;
}

static clsoftmax_status compute_tile(const clsoftmax_plan *plan, cls_opencl_tiles *tiles,
                                     const clsoftmax_arguments *arguments, tile *tile)
{
    commands commands = {.queue = tiles->queue};
    clsoftmax_status status = enqueue_tile(plan, tiles, arguments, tile, &commands);
    /* Also after a failure: nothing of the caller's may still be read or written once this returns. */
    cl_int finished = cls_opencl.clFinish(tiles->queue);
    for (int i = 0; i < commands.count; i++) {
        if (status == CLSOFTMAX_OK)
            status = check_command(commands.events[i], commands.names[i]);
        cls_opencl.clReleaseEvent(commands.events[i]);
    }
    if (status == CLSOFTMAX_OK && finished != CL_SUCCESS)
        status = cls_opencl_fail(finished, "clFinish");
    return status;
}

/* Lends the tile the caller's memory where that is dense, else the staging memory, packed before and unpacked after. */
static clsoftmax_status run_tile(clsoftmax_plan *plan, cls_opencl_tiles *tiles, const clsoftmax_arguments *arguments,
                                 tile *tile)
{
    const clsoftmax_problem *p = &plan->problem;
    const clsoftmax_layout *x_layout = &p->logits_layout, *p_layout = &p->results_layout;
    size_t x_size = clsoftmax_dtype_size(p->logits_dtype), p_size = clsoftmax_dtype_size(p->results_dtype);
    /* not written through: copy_layout reads from it when it packs */
    char *logits =
        (char *)(uintptr_t)arguments->logits + (x_layout->offset + tile->first * x_layout->outer_stride) * x_size;
    tile->logits = logits;
    if (!cls_layout_is_dense(p, x_layout)) {
        copy_layout(p, tile->outer, x_size, tiles->staging, logits, x_layout, 1);
        tile->logits = tiles->staging;
    }
    if (p->operation == CLSOFTMAX_OPERATION_NONE)
        return compute_tile(plan, tiles, arguments, tile);
    char *results = (char *)arguments->results + (p_layout->offset + tile->first * p_layout->outer_stride) * p_size;
    int results_dense = cls_layout_is_dense(p, p_layout);
    tile->results = results_dense ? results : tiles->staging;
    CLS_FORWARD(compute_tile(plan, tiles, arguments, tile));
    if (!results_dense)
        copy_layout(p, tile->outer, p_size, tiles->staging, results, p_layout, 0);
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_opencl_run_tiles(clsoftmax_plan *plan, const clsoftmax_arguments *arguments,
                                      uint64_t *invalid_rows)
{
    cls_opencl_plan *state = plan->state;
    CLS_FAIL_IF(
        plan->decision.tile_outer == 0, CLSOFTMAX_OUT_OF_DEVICE_MEMORY,
        "%llu classes of %llu columns do not fit the device (%llu bytes at once); device \"cpu\" has no such limit",
        (unsigned long long)plan->problem.classes, (unsigned long long)plan->problem.inner,
        (unsigned long long)plan->context->limits.max_allocation_bytes);
    if (!state->tiles)
        CLS_FORWARD(create_tiles(plan, &state->tiles));
    uint64_t outer = plan->problem.outer, tile_outer = plan->decision.tile_outer;
    for (uint64_t first = 0; first < outer; first += tile_outer) {
        uint64_t count = outer - first < tile_outer ? outer - first : tile_outer;
        tile tile = {.first = first, .outer = count, .rows = count * plan->problem.inner};
        CLS_FORWARD(run_tile(plan, state->tiles, arguments, &tile));
        *invalid_rows += tile.invalid_rows;
    }
    return CLSOFTMAX_OK;
}
