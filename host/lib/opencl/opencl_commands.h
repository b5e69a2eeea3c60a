/* The commands of a tile until they have ended: for opencl_share.c and opencl_copy.c. */
#ifndef CLSOFTMAX_OPENCL_COMMANDS_H
#define CLSOFTMAX_OPENCL_COMMANDS_H

#include "../array.h"
#include "opencl_api.h"

/* Commands under way. Each is asked for its end, because some drivers let clFinish succeed although a command failed. A
   struct of zeros has no command. */
typedef struct cls_opencl_commands {
    cl_event events[2 * CLS_ARRAYS + 1]; /* of a tile: each array to the device, the kernel, each array back */
    const char *names[2 * CLS_ARRAYS + 1];
    cl_uint count;
} cls_opencl_commands;

/* Returns the place for the event of the next command, which an enqueue is given. */
cl_event *cls_opencl_next_event(cls_opencl_commands *commands);

/* Notes a command once it is enqueued, or fails with its error. The name must live as long as the library. */
clsoftmax_status cls_opencl_enqueued(cls_opencl_commands *commands, cl_int error, const char *name);

/* Waits for all commands, at least one, and forgets them. Returns the first failure among them; then they may still
   run, and are not forgotten. */
clsoftmax_status cls_opencl_commands_wait(cls_opencl_commands *commands);

/* Forgets all commands, whatever became of them. */
void cls_opencl_commands_forget(cls_opencl_commands *commands);

#endif
