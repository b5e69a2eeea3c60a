/* Keeps the commands of a tile until they have ended: see opencl_commands.h. */
#include "opencl_commands.h"

cl_event *cls_opencl_next_event(cls_opencl_commands *commands)
{
    return &commands->events[commands->count];
}

clsoftmax_status cls_opencl_enqueued(cls_opencl_commands *commands, cl_int error, const char *name)
{
    OPENCL_CHECK(error, name);
    commands->names[commands->count++] = name;
    return CLSOFTMAX_OK;
}

/* Returns the first failure among the commands. *unfinished becomes the name of a command that has not ended, if there
   is one. */
static clsoftmax_status check(const cls_opencl_commands *commands, const char **unfinished)
{
    for (cl_uint i = 0; i < commands->count; i++) {
        cl_int execution = CL_COMPLETE;
        OPENCL_CHECK(cls_opencl.clGetEventInfo(commands->events[i], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof execution,
                                               &execution, NULL),
                     "clGetEventInfo");
        OPENCL_CHECK(execution < 0 ? execution : CL_SUCCESS, commands->names[i]);
        if (execution != CL_COMPLETE)
            *unfinished = commands->names[i];
    }
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_opencl_commands_wait(cls_opencl_commands *commands)
{
    const char *unfinished = NULL;
    cl_int waited = cls_opencl.clWaitForEvents(commands->count, commands->events);
    CLS_FORWARD(check(commands, &unfinished)); /* says more than clWaitForEvents does */
    OPENCL_CHECK(waited, "clWaitForEvents");
    CLS_FAIL_IF(unfinished, CLSOFTMAX_DEVICE_FAILED, "%s has not finished after clWaitForEvents", unfinished);
    cls_opencl_commands_forget(commands);
    return CLSOFTMAX_OK;
}

void cls_opencl_commands_forget(cls_opencl_commands *commands)
{
    for (cl_uint i = 0; i < commands->count; i++)
        cls_opencl.clReleaseEvent(commands->events[i]);
    commands->count = 0;
}
