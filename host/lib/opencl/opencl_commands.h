/* Commands under way for a tile: for opencl_share.c and opencl_copy.c. */
#ifndef CLSOFTMAX_OPENCL_COMMANDS_H
#define CLSOFTMAX_OPENCL_COMMANDS_H

#include "../array.h"
#include "opencl_api.h"

/* Commands that are asked one by one once they are finished, because drivers are known whose clFinish succeeds although a
   command failed. Zeros: no command. */
typedef struct cls_opencl_commands {
    cl_event events[2 * CLS_ARRAYS + 1]; /* of a tile: each array to the device, the kernel, each array back */
    const char *names[2 * CLS_ARRAYS + 1];
    cl_uint count;
} cls_opencl_commands;

/* Returns where an enqueue is to put its event. */
cl_event *cls_opencl_next_event(cls_opencl_commands *commands);

/* Notes the result of that enqueue. The name lives as long as the library. */
clsoftmax_status cls_opencl_enqueued(cls_opencl_commands *commands, cl_int error, const char *name);

/* Waits for all commands, one at least, and forgets them. After a failure, which is the first among theirs, they may still
   run, and are not forgotten. */
clsoftmax_status cls_opencl_commands_wait(cls_opencl_commands *commands);

/* Forgets all commands, whatever became of them. */
void cls_opencl_commands_forget(cls_opencl_commands *commands);

#endif
