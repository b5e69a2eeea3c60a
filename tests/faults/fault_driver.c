/* The driver behind the fault layer: what fault_driver.h declares, and what makes devices nasty. */
#include "fault_driver.h"
#include "fault_programs.h"

#include <string.h>

static const struct _cl_icd_dispatch *target;
static fault_device device;
static long objects[FAULT_OBJECT_COUNT];

/* ---------------------------------------------------------------- Objects */

long fault_balance(fault_object kind)
{
    return objects[kind];
}

static void *count_object(fault_object kind, void *object)
{
    objects[kind] += object != NULL;
    return object;
}

static cl_int count_change(fault_object kind, int change, cl_int error)
{
    objects[kind] += error == CL_SUCCESS ? change : 0;
    return error;
}

#define COUNTED_CHANGE(name, type, kind, change)                                                                       \
    static cl_int CL_API_CALL counted_##name(type object)                                                              \
    {                                                                                                                  \
        return count_change(kind, change, target->name(object));                                                       \
    }
#define COUNTED_CHANGES(X)                                                                                             \
    X(clRetainContext, cl_context, FAULT_CONTEXTS, 1)                                                                  \
    X(clReleaseContext, cl_context, FAULT_CONTEXTS, -1)                                                                \
    X(clReleaseCommandQueue, cl_command_queue, FAULT_QUEUES, -1)                                                       \
    X(clRetainMemObject, cl_mem, FAULT_BUFFERS, 1)                                                                     \
    X(clReleaseMemObject, cl_mem, FAULT_BUFFERS, -1)                                                                   \
    X(clReleaseProgram, cl_program, FAULT_PROGRAMS, -1)                                                                \
    X(clReleaseKernel, cl_kernel, FAULT_KERNELS, -1)
COUNTED_CHANGES(COUNTED_CHANGE)

static cl_context CL_API_CALL create_context(const cl_context_properties *properties, cl_uint count,
                                             const cl_device_id *devices,
                                             void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *),
                                             void *data, cl_int *error)
{
    return count_object(FAULT_CONTEXTS, target->clCreateContext(properties, count, devices, notify, data, error));
}

static cl_command_queue CL_API_CALL create_queue(cl_context context, cl_device_id id,
                                                 cl_command_queue_properties properties, cl_int *error)
{
    return count_object(FAULT_QUEUES, target->clCreateCommandQueue(context, id, properties, error));
}

static cl_program CL_API_CALL create_program(cl_context context, cl_uint count, const char **texts,
                                             const size_t *lengths, cl_int *error)
{
    int is_plain = count == 1 && !lengths;
    return count_object(FAULT_PROGRAMS, is_plain
                                            ? fault_programs_create(target, context, texts[0], error)
                                            : target->clCreateProgramWithSource(context, count, texts, lengths, error));
}

static cl_kernel CL_API_CALL create_kernel(cl_program program, const char *name, cl_int *error)
{
    return count_object(FAULT_KERNELS, target->clCreateKernel(program, name, error));
}

/* ---------------------------------------------------------------- Memory */

enum { TINY_BYTES = 1024 };

static int memory_is_missing; /* LATE_ALLOCATION: the next command fails */

static cl_mem CL_API_CALL create_buffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error)
{
    if (device == FAULT_DEVICE_TINY_BUFFERS && size > TINY_BYTES) {
        if (error)
            *error = CL_INVALID_BUFFER_SIZE;
        return NULL;
    }
    memory_is_missing = device == FAULT_DEVICE_LATE_ALLOCATION;
    return count_object(FAULT_BUFFERS, target->clCreateBuffer(context, flags, size, host, error));
}

/* ---------------------------------------------------------------- Commands that fail in the queue */

enum { MOST_LOST = 64 };

typedef struct lost_command {
    cl_event event;
    cl_int error;
    int references; /* those of the program; the driver has its own */
} lost_command;

static lost_command lost[MOST_LOST];
static cl_int next_is_lost;

void fault_driver_lose_next(cl_int error)
{
    next_is_lost = error;
}

/* Finds the lost command of an event, or NULL if it is not lost. For the event NULL it finds a free place. */
static lost_command *find_lost(cl_event event)
{
    for (int i = 0; i < MOST_LOST; i++)
        if (lost[i].event == event)
            return &lost[i];
    return NULL;
}

static cl_int lost_error(cl_event event)
{
    const lost_command *command = event ? find_lost(event) : NULL;
    return command ? command->error : CL_SUCCESS;
}

static cl_int change_references(cl_event event, int change, cl_int error)
{
    lost_command *command = find_lost(event);
    if (command && error == CL_SUCCESS && (command->references += change) == 0)
        command->event = NULL;
    return count_change(FAULT_EVENTS, change, error);
}

/* Returns what becomes of a command: CL_SUCCESS, or how its event ends. A command that waits for a failed one fails
   too. */
static cl_int fate_of(cl_uint wait_count, const cl_event *wait)
{
    cl_int fate = next_is_lost;
    next_is_lost = CL_SUCCESS;
    for (cl_uint i = 0; i < wait_count; i++)
        if (fate == CL_SUCCESS && lost_error(wait[i]) != CL_SUCCESS)
            fate = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
    return fate;
}

/* Counts the event of a command, and notes how it is to end. */
static cl_int count_command(cl_int error, cl_int fate, cl_event *event)
{
    if (error != CL_SUCCESS || !event)
        return error;
    objects[FAULT_EVENTS]++;
    lost_command *place = fate != CL_SUCCESS ? find_lost(NULL) : NULL;
    if (place)
        *place = (lost_command){*event, fate, 1};
    return CL_SUCCESS;
}

#define COMMAND(name, parameters, arguments)                                                                           \
    static cl_int CL_API_CALL command_##name parameters                                                                \
    {                                                                                                                  \
        if (memory_is_missing) {                                                                                       \
            memory_is_missing = 0;                                                                                     \
            return CL_MEM_OBJECT_ALLOCATION_FAILURE;                                                                   \
        }                                                                                                              \
        cl_int fate = fate_of(wait_count, wait);                                                                       \
        cl_int error = fate ? target->clEnqueueMarkerWithWaitList(queue, 0, NULL, event) : target->name arguments;     \
        return count_command(error, fate, event);                                                                      \
    }
FAULT_COMMANDS(COMMAND)

static cl_int CL_API_CALL launch(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                 const size_t *global, const size_t *local, cl_uint wait_count, const cl_event *wait,
                                 cl_event *event)
{
    int is_limited = device == FAULT_DEVICE_WORK_GROUP_1 || device == FAULT_DEVICE_KERNEL_WORK_GROUP_1;
    if (is_limited && (!local || local[0] != 1))
        return CL_INVALID_WORK_GROUP_SIZE;
    return command_clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, wait_count, wait, event);
}

static void *CL_API_CALL map_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, cl_map_flags flags,
                                    size_t offset, size_t size, cl_uint wait_count, const cl_event *wait,
                                    cl_event *event, cl_int *error)
{
    cl_int fate = fate_of(wait_count, wait), real = fate;
    int is_refused = fate != CL_SUCCESS && blocking; /* a blocking call waits itself, and returns the error */
    void *mapped = is_refused ? NULL
                              : target->clEnqueueMapBuffer(queue, buffer, blocking, flags, offset, size,
                                                           fate ? 0 : wait_count, fate ? NULL : wait, event, &real);
    if (error)
        *error = real;
    count_command(real, fate, event);
    return mapped;
}

static cl_int CL_API_CALL wait_for_events(cl_uint count, const cl_event *events)
{
    cl_int error = target->clWaitForEvents(count, events);
    for (cl_uint i = 0; i < count; i++)
        if (lost_error(events[i]) != CL_SUCCESS)
            return CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
    return error;
}

static cl_int CL_API_CALL event_info(cl_event event, cl_event_info name, size_t size, void *value, size_t *size_out)
{
    cl_int error = target->clGetEventInfo(event, name, size, value, size_out);
    cl_int lost = lost_error(event);
    if (error == CL_SUCCESS && lost != CL_SUCCESS && name == CL_EVENT_COMMAND_EXECUTION_STATUS && value)
        memcpy(value, &lost, sizeof lost);
    return error;
}

static cl_int CL_API_CALL retain_event(cl_event event)
{
    return change_references(event, 1, target->clRetainEvent(event));
}

static cl_int CL_API_CALL release_event(cl_event event)
{
    return change_references(event, -1, target->clReleaseEvent(event));
}

/* ---------------------------------------------------------------- What the device says of itself */

void fault_driver_become(fault_device wanted)
{
    device = wanted;
    memory_is_missing = 0;
    next_is_lost = CL_SUCCESS;
}

static int is_text(cl_device_info name)
{
    return name == CL_DEVICE_NAME || name == CL_DRIVER_VERSION || name == CL_DEVICE_PROFILE;
}

/* Returns 1 for questions that planning needs the answers of. */
static int is_limit(cl_device_info name)
{
    static const cl_device_info limits[] = {CL_DEVICE_MAX_COMPUTE_UNITS,   CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT,
                                            CL_DEVICE_GLOBAL_MEM_SIZE,     CL_DEVICE_LOCAL_MEM_SIZE,
                                            CL_DEVICE_MAX_MEM_ALLOC_SIZE,  CL_DEVICE_GLOBAL_MEM_CACHE_SIZE,
                                            CL_DEVICE_MEM_BASE_ADDR_ALIGN, CL_DEVICE_MAX_WORK_GROUP_SIZE};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i] == name)
            return 1;
    return 0;
}

/* Returns 1 if the device answers a question with CL_SUCCESS and no bytes. */
static int is_empty(cl_device_info name)
{
    return device == FAULT_DEVICE_EMPTY_ANSWERS || (device == FAULT_DEVICE_EMPTY_TEXTS && is_text(name)) ||
           (device == FAULT_DEVICE_EMPTY_NUMBERS && is_limit(name));
}

static cl_int answer_empty(size_t *size_out)
{
    if (size_out)
        *size_out = 0;
    return CL_SUCCESS;
}

/* Writes a text without a terminator: names fill all the room, the profile is as long as it is. */
static cl_int answer_unterminated(cl_device_id id, cl_device_info name, size_t size, char *text)
{
    char whole[1024] = "";
    cl_int error = target->clGetDeviceInfo(id, name, sizeof whole, whole, NULL);
    if (error != CL_SUCCESS)
        return error;
    if (name == CL_DEVICE_PROFILE)
        memcpy(text, whole, strlen(whole) < size ? strlen(whole) : size);
    else
        memset(text, 'x', size);
    return CL_SUCCESS;
}

int fault_is_gpu;

/* Writes what the device says falsely about this over the truth. */
static void lie(cl_device_info name, void *value)
{
    const size_t none = 0, one = 1;
    const cl_ulong tiny = TINY_BYTES;
    const cl_device_type gpu = CL_DEVICE_TYPE_GPU;
    const cl_bool no = CL_FALSE;
    if (device == FAULT_DEVICE_WORK_GROUP_1 && name == CL_DEVICE_MAX_WORK_GROUP_SIZE)
        memcpy(value, &one, sizeof one);
    if (device == FAULT_DEVICE_WORK_GROUP_0 && name == CL_DEVICE_MAX_WORK_GROUP_SIZE)
        memcpy(value, &none, sizeof none);
    if (device == FAULT_DEVICE_TINY_BUFFERS && name == CL_DEVICE_MAX_MEM_ALLOC_SIZE)
        memcpy(value, &tiny, sizeof tiny);
    if ((device == FAULT_DEVICE_GPU || fault_is_gpu) && name == CL_DEVICE_TYPE)
        memcpy(value, &gpu, sizeof gpu);
    if ((device == FAULT_DEVICE_NO_COMPILER && name == CL_DEVICE_COMPILER_AVAILABLE) ||
        (device == FAULT_DEVICE_UNAVAILABLE && name == CL_DEVICE_AVAILABLE))
        memcpy(value, &no, sizeof no);
    if (device == FAULT_DEVICE_EMBEDDED && name == CL_DEVICE_PROFILE)
        strcpy(value, "EMBEDDED_PROFILE"); /* FULL_PROFILE is shorter, but the library's room is larger than both */
    const cl_device_fp_config lacking = device == FAULT_DEVICE_NO_SUBNORMALS   ? CL_FP_DENORM
                                        : device == FAULT_DEVICE_NO_ROUNDING   ? CL_FP_ROUND_TO_NEAREST
                                        : device == FAULT_DEVICE_NO_INFINITIES ? CL_FP_INF_NAN
                                                                               : 0;
    if (name == CL_DEVICE_SINGLE_FP_CONFIG)
        *(cl_device_fp_config *)value &= ~lacking;
}

static cl_int CL_API_CALL device_info(cl_device_id id, cl_device_info name, size_t size, void *value, size_t *size_out)
{
    if (is_empty(name))
        return answer_empty(size_out);
    if (device == FAULT_DEVICE_UNTERMINATED_TEXTS && is_text(name) && value)
        return answer_unterminated(id, name, size, value);
    cl_int error = target->clGetDeviceInfo(id, name, size, value, size_out);
    if (error == CL_SUCCESS && value)
        lie(name, value);
    return error;
}

static cl_int CL_API_CALL platform_info(cl_platform_id id, cl_platform_info name, size_t size, void *value,
                                        size_t *size_out)
{
    if (device == FAULT_DEVICE_EMPTY_TEXTS || device == FAULT_DEVICE_EMPTY_ANSWERS)
        return answer_empty(size_out);
    cl_int error = target->clGetPlatformInfo(id, name, size, value, size_out);
    if (error == CL_SUCCESS && value && device == FAULT_DEVICE_UNTERMINATED_TEXTS)
        memset(value, 'x', size);
    return error;
}

static cl_int CL_API_CALL kernel_info(cl_kernel kernel, cl_device_id id, cl_kernel_work_group_info name, size_t size,
                                      void *value, size_t *size_out)
{
    if (device == FAULT_DEVICE_EMPTY_ANSWERS || device == FAULT_DEVICE_EMPTY_NUMBERS)
        return answer_empty(size_out);
    cl_int error = target->clGetKernelWorkGroupInfo(kernel, id, name, size, value, size_out);
    int is_limited = device == FAULT_DEVICE_WORK_GROUP_1 || device == FAULT_DEVICE_KERNEL_WORK_GROUP_1;
    if (error == CL_SUCCESS && value && is_limited && name == CL_KERNEL_WORK_GROUP_SIZE)
        *(size_t *)value = 1;
    if (error == CL_SUCCESS && value && device == FAULT_DEVICE_KERNEL_WORK_GROUP_0 && name == CL_KERNEL_WORK_GROUP_SIZE)
        *(size_t *)value = 0;
    return error;
}

static cl_int CL_API_CALL platform_ids(cl_uint room, cl_platform_id *ids, cl_uint *count)
{
    if (device != FAULT_DEVICE_NO_PLATFORM)
        return target->clGetPlatformIDs(room, ids, count);
    if (count)
        *count = 0;
    return CL_SUCCESS;
}

static cl_int CL_API_CALL device_ids(cl_platform_id id, cl_device_type type, cl_uint room, cl_device_id *ids,
                                     cl_uint *count)
{
    if (device != FAULT_DEVICE_EMPTY_PLATFORM)
        return device == FAULT_DEVICE_NO_DEVICE ? CL_DEVICE_NOT_FOUND
                                                : target->clGetDeviceIDs(id, type, room, ids, count);
    if (count)
        *count = 0;
    return CL_SUCCESS;
}

/* ---------------------------------------------------------------- The compiler */

static int has_broken_compiler(void)
{
    return device == FAULT_DEVICE_SILENT_COMPILER || device == FAULT_DEVICE_CHATTY_COMPILER ||
           device == FAULT_DEVICE_MUTE_COMPILER;
}

static cl_int CL_API_CALL build_program(cl_program program, cl_uint count, const cl_device_id *ids, const char *options,
                                        void(CL_CALLBACK *notify)(cl_program, void *), void *data)
{
    if (has_broken_compiler())
        return CL_BUILD_PROGRAM_FAILURE;
    cl_int error = target->clBuildProgram(program, count, ids, options, notify, data);
    if (error == CL_SUCCESS)
        fault_programs_keep(target, program);
    return error;
}

static cl_int CL_API_CALL build_info(cl_program program, cl_device_id id, cl_program_build_info name, size_t size,
                                     void *value, size_t *size_out)
{
    if (!has_broken_compiler())
        return target->clGetProgramBuildInfo(program, id, name, size, value, size_out);
    if (size_out)
        *size_out = device == FAULT_DEVICE_SILENT_COMPILER ? 0 : (size_t)1 << 20;
    if (value)
        memset(value, 'x', size);
    return value && device == FAULT_DEVICE_MUTE_COMPILER ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS;
}

/* ---------------------------------------------------------------- The table */

void fault_driver_change(const struct _cl_icd_dispatch *driver, struct _cl_icd_dispatch *changed)
{
    target = driver;
#define USE_COUNTED(name, type, kind, change) changed->name = counted_##name;
    COUNTED_CHANGES(USE_COUNTED)
#define USE_COMMAND(name, parameters, arguments) changed->name = command_##name;
    FAULT_COMMANDS(USE_COMMAND)
    changed->clCreateContext = create_context;
    changed->clCreateCommandQueue = create_queue;
    changed->clCreateBuffer = create_buffer;
    changed->clCreateProgramWithSource = create_program;
    changed->clCreateKernel = create_kernel;
    changed->clEnqueueNDRangeKernel = launch;
    changed->clEnqueueMapBuffer = map_buffer;
    changed->clWaitForEvents = wait_for_events;
    changed->clGetEventInfo = event_info;
    changed->clRetainEvent = retain_event;
    changed->clReleaseEvent = release_event;
    changed->clGetPlatformIDs = platform_ids;
    changed->clGetPlatformInfo = platform_info;
    changed->clGetDeviceIDs = device_ids;
    changed->clGetDeviceInfo = device_info;
    changed->clGetKernelWorkGroupInfo = kernel_info;
    changed->clBuildProgram = build_program;
    changed->clGetProgramBuildInfo = build_info;
}
