/* The driver as the library calls it: what driver.h declares. */
#include "driver.h"

#include "leave.h"

#include <string.h>

static cls_opencl_api real;
static driver_seen seen;

static struct {
    const char *function;
    unsigned left;
    int has_come;
} fault;

static struct {
    cl_event events[4096];
    unsigned count;
} commands;

/* Returns 1 if this call of the function is the one that is to fail. */
static int fails(const char *function)
{
    if (!fault.function || strcmp(fault.function, function) != 0 || fault.left == 0 || --fault.left > 0)
        return 0;
    fault.has_come = 1;
    return 1;
}

/* Notes the event of a command that was enqueued, and retains it. */
static cl_int note(cl_int error, const cl_event *event)
{
    if (error == CL_SUCCESS && event) {
        seen.events++;
        real.clRetainEvent(*event);
        if (commands.count < sizeof commands.events / sizeof *commands.events)
            commands.events[commands.count++] = *event;
    }
    return error;
}

unsigned driver_running(void)
{
    unsigned running = 0;
    for (unsigned i = 0; i < commands.count; i++) {
        cl_int status = CL_COMPLETE;
        real.clGetEventInfo(commands.events[i], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);
        running += status > CL_COMPLETE;
        real.clReleaseEvent(commands.events[i]);
    }
    commands.count = 0;
    return running;
}

void driver_fail(const char *function, unsigned number)
{
    fault.function = function;
    fault.left = number;
    fault.has_come = 0;
}

int driver_has_failed(void)
{
    return fault.has_come;
}

driver_seen driver_since_last(void)
{
    const driver_seen since = seen;
    memset(&seen, 0, sizeof seen);
    seen.events = since.events;
    seen.objects = since.objects;
    return since;
}

static int forbidden_status;

static void end(void)
{
    leave(forbidden_status);
}

void driver_forbid(int status)
{
    forbidden_status = status; /* end() has another type than the functions, but it never returns */
#define FORBID(function) cls_opencl.function = (__typeof__(cls_opencl.function))(void *)end;
    OPENCL_FUNCTIONS(FORBID)
}

/* ---------------------------------------------------------------- Objects */

static cl_mem CL_API_CALL create_buffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error)
{
    seen.buffers++;
    if (fails("clCreateBuffer")) {
        *error = CL_MEM_OBJECT_ALLOCATION_FAILURE;
        return NULL;
    }
    cl_mem made = real.clCreateBuffer(context, flags, size, host, error);
    seen.objects += made != NULL;
    return made;
}

static cl_int CL_API_CALL release_buffer(cl_mem buffer)
{
    seen.objects--;
    return real.clReleaseMemObject(buffer);
}

static cl_command_queue CL_API_CALL create_queue(cl_context context, cl_device_id device,
                                                 cl_command_queue_properties properties, cl_int *error)
{
    if (fails("clCreateCommandQueue")) {
        *error = CL_OUT_OF_RESOURCES;
        return NULL;
    }
    cl_command_queue made = real.clCreateCommandQueue(context, device, properties, error);
    seen.objects += made != NULL;
    return made;
}

static cl_int CL_API_CALL release_queue(cl_command_queue queue)
{
    seen.objects--;
    return real.clReleaseCommandQueue(queue);
}

static cl_int CL_API_CALL retain_event(cl_event event)
{
    if (fails("clRetainEvent"))
        return CL_OUT_OF_RESOURCES;
    seen.events++;
    return real.clRetainEvent(event);
}

static cl_int CL_API_CALL release_event(cl_event event)
{
    seen.events--;
    return real.clReleaseEvent(event);
}

/* ---------------------------------------------------------------- Commands */

static cl_int CL_API_CALL write_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset,
                                       size_t size, const void *from, cl_uint wait_count, const cl_event *wait,
                                       cl_event *event)
{
    seen.uploads++;
    if (fails("clEnqueueWriteBuffer"))
        return CL_OUT_OF_RESOURCES;
    return note(real.clEnqueueWriteBuffer(queue, buffer, blocking, offset, size, from, wait_count, wait, event), event);
}

static cl_int CL_API_CALL read_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset,
                                      size_t size, void *to, cl_uint wait_count, const cl_event *wait, cl_event *event)
{
    seen.downloads++;
    if (fails("clEnqueueReadBuffer"))
        return CL_OUT_OF_RESOURCES;
    return note(real.clEnqueueReadBuffer(queue, buffer, blocking, offset, size, to, wait_count, wait, event), event);
}

static cl_int CL_API_CALL run_kernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint wait_count,
                                     const cl_event *wait, cl_event *event)
{
    seen.kernels++;
    seen.kernels_before_wait += seen.waits == 0;
    if (fails("clEnqueueNDRangeKernel"))
        return CL_OUT_OF_RESOURCES;
    return note(real.clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, wait_count, wait, event),
                event);
}

static void *CL_API_CALL map_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, cl_map_flags flags,
                                    size_t offset, size_t size, cl_uint wait_count, const cl_event *wait,
                                    cl_event *event, cl_int *error)
{
    seen.maps++;
    if (fails("clEnqueueMapBuffer")) {
        *error = CL_MAP_FAILURE;
        return NULL;
    }
    void *mapped =
        real.clEnqueueMapBuffer(queue, buffer, blocking, flags, offset, size, wait_count, wait, event, error);
    note(*error, event);
    return mapped;
}

/* ---------------------------------------------------------------- Waiting */

static cl_int CL_API_CALL wait_for_events(cl_uint count, const cl_event *events)
{
    seen.waits++;
    return fails("clWaitForEvents") ? CL_OUT_OF_RESOURCES : real.clWaitForEvents(count, events);
}

static cl_int CL_API_CALL flush(cl_command_queue queue)
{
    return fails("clFlush") ? CL_OUT_OF_RESOURCES : real.clFlush(queue);
}

static cl_int CL_API_CALL event_info(cl_event event, cl_event_info name, size_t size, void *value, size_t *needed)
{
    if (fails("clGetEventInfo"))
        return CL_OUT_OF_RESOURCES;
    cl_int error = real.clGetEventInfo(event, name, size, value, needed);
    if (name == CL_EVENT_COMMAND_EXECUTION_STATUS && fails("status"))
        *(cl_int *)value = CL_OUT_OF_RESOURCES;
    return error;
}

static cl_int CL_API_CALL set_argument(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    return fails("clSetKernelArg") ? CL_OUT_OF_RESOURCES : real.clSetKernelArg(kernel, index, size, value);
}

void driver_observe(void)
{
    real = cls_opencl;
    cls_opencl.clCreateBuffer = create_buffer;
    cls_opencl.clReleaseMemObject = release_buffer;
    cls_opencl.clCreateCommandQueue = create_queue;
    cls_opencl.clReleaseCommandQueue = release_queue;
    cls_opencl.clRetainEvent = retain_event;
    cls_opencl.clReleaseEvent = release_event;
    cls_opencl.clEnqueueWriteBuffer = write_buffer;
    cls_opencl.clEnqueueReadBuffer = read_buffer;
    cls_opencl.clEnqueueNDRangeKernel = run_kernel;
    cls_opencl.clEnqueueMapBuffer = map_buffer;
    cls_opencl.clWaitForEvents = wait_for_events;
    cls_opencl.clFlush = flush;
    cls_opencl.clGetEventInfo = event_info;
    cls_opencl.clSetKernelArg = set_argument;
}
