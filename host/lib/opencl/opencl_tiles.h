/* Calls on host memory: what shared and copied tiles have in common. */
#ifndef CLSOFTMAX_OPENCL_TILES_H
#define CLSOFTMAX_OPENCL_TILES_H

#include "opencl_backend.h"

/* ---------------------------------------------------------------- Commands */

/* Commands under way, to be asked one by one once they are finished: drivers are known whose clFinish succeeds although a command
   failed. Of zeros: none. */
typedef struct cls_opencl_commands {
    cl_event events[8]; /* of a tile: four uploads, the kernel, three downloads */
    const char *names[8];
    cl_uint count;
} cls_opencl_commands;

/* Notes the result of an enqueue, which has put its event at cls_opencl_next_event. */
cl_event *cls_opencl_next_event(cls_opencl_commands *commands);
clsoftmax_status cls_opencl_enqueued(cls_opencl_commands *commands, cl_int error, const char *name);

/* Waits for all commands, one at least, and forgets them. Behind a failure, the first among them, they may still run, and are not forgotten. */
clsoftmax_status cls_opencl_commands_wait(cls_opencl_commands *commands);

/* Forgets all commands, whatever became of them. */
void cls_opencl_commands_forget(cls_opencl_commands *commands);

/* ---------------------------------------------------------------- Arrays */

typedef enum cls_array {
    CLS_LOGITS,
    CLS_TEMPERATURES,
    CLS_LABELS,
    CLS_INVALID_ROWS, /* from here on also downloaded; this one of one element a tile */
    CLS_STATISTICS,
    CLS_RESULTS,
    CLS_ARRAYS
} cls_array;

/* For people. */
const char *cls_array_name(cls_array array);

/* Bytes of an array of a problem without offsets, as the device sees it; 0 if the problem has none. */
uint64_t cls_array_bytes(const clsoftmax_problem *problem, cls_array array);

/* Where the caller has the first element of an array's part in a tile; NULL if there is none, and for CLS_INVALID_ROWS, which is the
   library's own. */
char *cls_array_of_caller(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments, const cls_tile *tile,
                          cls_array array);

/* The buffers of a problem as a launch takes them. */
cls_opencl_arrays cls_arrays_of_launch(const clsoftmax_problem *problem, const cl_mem *buffers);

/* ---------------------------------------------------------------- The two ways */

/* Kernels work on the caller's memory. */
clsoftmax_status cls_opencl_share_tile(clsoftmax_plan *plan, cl_command_queue queue,
                                       const clsoftmax_arguments *arguments, const cls_tile *tile,
                                       uint64_t *invalid_rows);

/* Tiles are copied to buffers of the device and back, several at a time. */
typedef struct cls_opencl_copies cls_opencl_copies;
clsoftmax_status cls_opencl_copies_create(const clsoftmax_plan *plan, cls_opencl_copies **copies);
clsoftmax_status cls_opencl_copy_tiles(clsoftmax_plan *plan, cls_opencl_copies *copies, cl_command_queue compute,
                                       const clsoftmax_arguments *arguments, uint64_t *invalid_rows);
void cls_opencl_copies_release(cls_opencl_copies *copies); /* NULL is allowed */

#endif
