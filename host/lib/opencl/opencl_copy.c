/*
 * Tiles that are copied to the device and back: see opencl_copy.h. Three tiles are under way at a time, each in a slot
 * of its own: while one is computed, the next is uploaded and the one before downloaded, on three queues. On the device
 * every array is dense.
 */
#include "opencl_copy.h"

#include "opencl_commands.h"
#include "opencl_launch.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 3

/* An array of a slot, on the device and in host memory that the device reaches by itself. Its elements are packed
   there, dense, before an upload, and unpacked after a download: transfers from pageable memory block the caller on
   some drivers, and nothing would overlap. */
typedef struct staged {
    cl_mem device, pinned;
    char *host;
} staged;

typedef struct slot {
    staged arrays[CLS_ARRAYS];
    cls_tile tile;
    cls_opencl_commands commands; /* under way for the tile */
} slot;

struct cls_opencl_copies {
    cl_command_queue upload, download;
    slot slots[SLOTS];
};

/* ---------------------------------------------------------------- Packing */

/* Copies a tile between the caller's layout and a dense one, in runs of elements that are neighbours in both: whole
   rows, the columns of a class, or single elements. */
static void copy_tile(const cls_tile *tile, size_t size, char *dense, char *strided, const clsoftmax_layout *layout,
                      int to_dense)
{
    int whole_rows = tile->inner == 1 && layout->class_stride == 1;
    uint64_t classes = whole_rows ? tile->classes : 1;
    uint64_t columns = tile->inner == 1 || layout->inner_stride == 1 ? tile->inner : 1;
    size_t run_bytes = (size_t)(classes * columns) * size;
    for (uint64_t o = 0; o < tile->outer; o++)
        for (uint64_t c = 0; c < tile->classes; c += classes)
            for (uint64_t i = 0; i < tile->inner; i += columns) {
                char *there =
                    strided + (o * layout->outer_stride + c * layout->class_stride + i * layout->inner_stride) * size;
                char *here = dense + ((o * tile->classes + c) * tile->inner + i) * size;
                memcpy(to_dense ? here : there, to_dense ? there : here, run_bytes);
            }
}

/* Returns the problem of a tile as the device has it, with dense layouts. */
static clsoftmax_problem dense_problem(const clsoftmax_problem *problem, const cls_tile *tile)
{
    clsoftmax_problem dense = *problem;
    dense.outer = tile->outer;
    dense.inner = tile->inner;
    dense.classes = tile->classes;
    dense.logits_layout = dense.operand_layout = dense.results_layout = cls_dense_layout(&dense);
    dense.sweep = problem->sweep > 0 ? tile->temperatures : 0;
    dense.sweep_stride = tile->outer * tile->classes * tile->inner;
    return dense;
}

/* Copies the tile's elements of an array between the caller's memory and the slot's, at each of its temperatures. */
static void copy_array(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments, const slot *slot,
                       cls_array array, int to_dense)
{
    const clsoftmax_problem dense = dense_problem(problem, &slot->tile);
    const clsoftmax_layout *layout = cls_array_layout(problem, array);
    const cls_extent extent = cls_array_extent(problem, array);
    const size_t size = cls_array_element_bytes(problem, array);
    char *theirs = cls_array_of_tile(problem, arguments, &slot->tile, array), *ours = slot->arrays[array].host;
    const size_t row_bytes = (size_t)(extent.rows ? cls_problem_rows(&dense) : 1) * size;
    for (uint64_t k = 0; k < (extent.temperatures ? slot->tile.temperatures : 1); k++) {
        if (layout)
            copy_tile(&slot->tile, size, ours, theirs, layout, to_dense);
        else
            memcpy(to_dense ? ours : theirs, to_dense ? theirs : ours, row_bytes);
        ours += cls_array_temperature_stride(&dense, array) * size;
        theirs += cls_array_temperature_stride(problem, array) * size;
    }
}

/* ---------------------------------------------------------------- Buffers */

static clsoftmax_status create_staged(cl_context context, cl_command_queue queue, uint64_t bytes, staged *staged)
{
    cl_int error;
    staged->device = cls_opencl.clCreateBuffer(context, CL_MEM_READ_WRITE, (size_t)bytes, NULL, &error);
    OPENCL_CHECK(error, "clCreateBuffer for a tile");
    staged->pinned =
        cls_opencl.clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, (size_t)bytes, NULL, &error);
    OPENCL_CHECK(error, "clCreateBuffer for a tile in host memory");
    staged->host = cls_opencl.clEnqueueMapBuffer(queue, staged->pinned, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                                 (size_t)bytes, 0, NULL, NULL, &error);
    OPENCL_CHECK(error, "clEnqueueMapBuffer for a tile in host memory");
    return CLSOFTMAX_OK;
}

static void release_staged(cl_command_queue queue, staged *staged)
{
    if (staged->host) {
        cls_opencl.clEnqueueUnmapMemObject(queue, staged->pinned, staged->host, 0, NULL, NULL);
        cls_opencl.clFinish(queue);
    }
    if (staged->pinned)
        cls_opencl.clReleaseMemObject(staged->pinned);
    if (staged->device)
        cls_opencl.clReleaseMemObject(staged->device);
}

/* Makes the queues, and buffers for as many slots as there are tiles, three at most. */
static clsoftmax_status create_all(const clsoftmax_plan *plan, cls_opencl_copies *copies)
{
    const cls_opencl_context *opencl = plan->context->state;
    const cls_tiles *tiles = &plan->decision.copied;
    cls_tile first = cls_tile_at(&plan->problem, tiles, 0); /* no tile is larger */
    const clsoftmax_problem dense = dense_problem(&plan->problem, &first);
    cl_int error;
    copies->upload = cls_opencl.clCreateCommandQueue(opencl->context, opencl->device, 0, &error);
    OPENCL_CHECK(error, "clCreateCommandQueue");
    copies->download = cls_opencl.clCreateCommandQueue(opencl->context, opencl->device, 0, &error);
    OPENCL_CHECK(error, "clCreateCommandQueue");
    uint64_t count = cls_tile_count(&plan->problem, tiles);
    for (uint64_t i = 0; i < SLOTS && i < count; i++)
        CLS_FOR_ARRAYS(array)
            if (cls_array_bytes(&dense, array) > 0)
                CLS_FORWARD(create_staged(opencl->context, copies->upload, cls_array_bytes(&dense, array),
                                          &copies->slots[i].arrays[array]));
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_opencl_copies_create(const clsoftmax_plan *plan, cls_opencl_copies **out)
{
    cls_opencl_copies *copies = calloc(1, sizeof *copies);
    CLS_FAIL_IF(!copies, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for tiles");
    clsoftmax_status status = create_all(plan, copies);
    if (status != CLSOFTMAX_OK) {
        cls_opencl_copies_release(copies);
        return status;
    }
    *out = copies;
    return CLSOFTMAX_OK;
}

void cls_opencl_copies_release(cls_opencl_copies *copies)
{
    if (!copies)
        return;
    for (int i = 0; i < SLOTS; i++)
        CLS_FOR_ARRAYS(array)
            release_staged(copies->upload, &copies->slots[i].arrays[array]);
    if (copies->upload)
        cls_opencl.clReleaseCommandQueue(copies->upload);
    if (copies->download)
        cls_opencl.clReleaseCommandQueue(copies->download);
    free(copies);
}

/* ---------------------------------------------------------------- A tile */

/* Puts the arrays that the tile reads into the upload queue. *arrays becomes the buffers that the launch is to use. */
static clsoftmax_status upload(const clsoftmax_plan *plan, const cls_opencl_copies *copies,
                               const clsoftmax_arguments *arguments, slot *slot, cls_opencl_arrays *arrays)
{
    const clsoftmax_problem dense = dense_problem(&plan->problem, &slot->tile);
    CLS_FOR_ARRAYS(array) {
        const staged *staged = &slot->arrays[array];
        int is_ours = array == CLS_INVALID_ROWS; /* the device counts in 32 bits */
        arrays->of[array] = is_ours || cls_array_of(arguments, array) ? staged->device : NULL;
        if (!arrays->of[array] || !cls_array_is_read(array))
            continue;
        if (is_ours)
            memset(staged->host, 0, sizeof(cl_uint));
        else
            copy_array(&plan->problem, arguments, slot, array, 1);
        cl_int error = cls_opencl.clEnqueueWriteBuffer(copies->upload, staged->device, CL_FALSE, 0,
                                                       (size_t)cls_array_bytes(&dense, array), staged->host, 0, NULL,
                                                       cls_opencl_next_event(&slot->commands));
        CLS_FORWARD(cls_opencl_enqueued(&slot->commands, error, cls_array_transfer(array)));
    }
    return CLSOFTMAX_OK;
}

/* Returns 1 if the tile leaves something to download in the array: its results, or what is known of rows that end with
   this tile. */
static int is_downloaded(const clsoftmax_problem *problem, const slot *slot, cls_array array)
{
    int is_complete = cls_array_extent(problem, array).classes ? slot->tile.gives_results : slot->tile.is_end_of_rows;
    return slot->arrays[array].device && cls_array_is_written(array) && is_complete;
}

/* Puts the arrays that the tile has written into the download queue, behind the kernel. */
static clsoftmax_status download(const clsoftmax_plan *plan, const cls_opencl_copies *copies, slot *slot)
{
    const clsoftmax_problem dense = dense_problem(&plan->problem, &slot->tile);
    const cl_event computed = slot->commands.events[slot->commands.count - 1];
    CLS_FOR_ARRAYS(array) {
        const staged *staged = &slot->arrays[array];
        if (!is_downloaded(&plan->problem, slot, array))
            continue;
        cl_int error = cls_opencl.clEnqueueReadBuffer(copies->download, staged->device, CL_FALSE, 0,
                                                      (size_t)cls_array_bytes(&dense, array), staged->host, 1,
                                                      &computed, cls_opencl_next_event(&slot->commands));
        CLS_FORWARD(cls_opencl_enqueued(&slot->commands, error, cls_array_transfer(array)));
    }
    return CLSOFTMAX_OK;
}

/* Puts everything that a tile needs into the queues. Its slot must be free. */
static clsoftmax_status start(const clsoftmax_plan *plan, const cls_opencl_copies *copies, cl_command_queue compute,
                              const clsoftmax_arguments *arguments, const cls_tile *tile, slot *slot)
{
    slot->tile = *tile;
    const clsoftmax_problem dense = dense_problem(&plan->problem, tile);
    cls_opencl_arrays arrays = {.rows_stride = cls_problem_rows(&dense)};
    CLS_FORWARD(upload(plan, copies, arguments, slot, &arrays));
    OPENCL_CHECK(cls_opencl.clFlush(copies->upload), "clFlush");
    const cl_event uploaded = slot->commands.events[slot->commands.count - 1];
    const cl_uint pieces = (cl_uint)cls_tile_pieces(&plan->problem, &plan->decision.copied);
    if (pieces > 1)
        arrays.piece =
            (cls_opencl_piece){pieces, (cl_uint)slot->tile.piece, (cl_uint)slot->tile.first_class, slot->tile.pass};
    const cls_opencl_order order = {compute, 1, &uploaded, cls_opencl_next_event(&slot->commands)};
    CLS_FORWARD(cls_opencl_launch(&dense, &plan->decision, plan->state, &arrays,
                                  cls_opencl_numbers_of(&dense, arguments), order));
    CLS_FORWARD(cls_opencl_enqueued(&slot->commands, CL_SUCCESS, "the kernel"));
    OPENCL_CHECK(cls_opencl.clFlush(compute), "clFlush");
    CLS_FORWARD(download(plan, copies, slot));
    OPENCL_CHECK(cls_opencl.clFlush(copies->download), "clFlush");
    return CLSOFTMAX_OK;
}

/* Waits for the slot's tile, if it has one, and copies what it wrote to the caller's memory. */
static clsoftmax_status finish(const clsoftmax_plan *plan, const clsoftmax_arguments *arguments, slot *slot,
                               uint64_t *invalid_rows)
{
    if (slot->commands.count == 0)
        return CLSOFTMAX_OK;
    CLS_FORWARD(cls_opencl_commands_wait(&slot->commands));
    CLS_FOR_ARRAYS(array)
        if (is_downloaded(&plan->problem, slot, array) && array != CLS_INVALID_ROWS)
            copy_array(&plan->problem, arguments, slot, array, 0);
    cl_uint found = 0;
    if (is_downloaded(&plan->problem, slot, CLS_INVALID_ROWS))
        memcpy(&found, slot->arrays[CLS_INVALID_ROWS].host, sizeof found);
    *invalid_rows += found;
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_opencl_copy_tiles(clsoftmax_plan *plan, cls_opencl_copies *copies, cl_command_queue compute,
                                       const clsoftmax_arguments *arguments, uint64_t *invalid_rows)
{
    const cls_tiles *tiles = &plan->decision.copied;
    uint64_t count = cls_tile_count(&plan->problem, tiles);
    clsoftmax_status status = CLSOFTMAX_OK;
    for (uint64_t number = 0; number < count + SLOTS && status == CLSOFTMAX_OK; number++) {
        slot *slot = &copies->slots[number % SLOTS];
        status = finish(plan, arguments, slot, invalid_rows);
        if (status != CLSOFTMAX_OK || number >= count)
            continue;
        cls_tile tile = cls_tile_at(&plan->problem, tiles, number);
        status = start(plan, copies, compute, arguments, &tile, slot);
    }
    if (status == CLSOFTMAX_OK)
        return CLSOFTMAX_OK;
    const cl_command_queue queues[] = {copies->upload, compute, copies->download};
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        cls_opencl.clFinish(queues[i]);
    for (int i = 0; i < SLOTS; i++)
        cls_opencl_commands_forget(&copies->slots[i].commands);
    return status;
}
