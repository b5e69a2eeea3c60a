/*
 * The functions of clsoftmax_cl.h, for programs that have their own OpenCL context, queues and buffers. Everything
 * about a call is checked first, then its launches are enqueued.
 */
#include "clsoftmax/clsoftmax_cl.h"

#include "../api.h"
#include "../array.h"
#include "../float_environment.h"
#include "../growing.h"
#include "../process.h"
#include "opencl_backend.h"
#include "opencl_launch.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- Context */

/* Describes the device if it belongs to the caller's OpenCL context; otherwise DEVICE_NOT_FOUND. */
static clsoftmax_status find_device(cl_context cl, cl_device_id wanted, cls_opencl_device *found)
{
    cl_device_id ids[64];
    size_t bytes = 0;
    OPENCL_CHECK(cls_opencl.clGetContextInfo(cl, CL_CONTEXT_DEVICES, sizeof ids, ids, &bytes), "clGetContextInfo");
    size_t i = 0;
    while (i < bytes / sizeof *ids && ids[i] != wanted)
        i++;
    CLS_FAIL_IF(i == bytes / sizeof *ids, CLSOFTMAX_DEVICE_NOT_FOUND, "the device is not of this OpenCL context");
    cl_platform_id platform = NULL;
    OPENCL_CHECK(cls_opencl.clGetDeviceInfo(wanted, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL),
                 "clGetDeviceInfo");
    cls_opencl_device_describe(platform, wanted, found);
    return CLSOFTMAX_OK;
}

clsoftmax_status clsoftmax_cl_context_create(cl_context cl, cl_device_id device, clsoftmax_context **context)
{
    CLS_FAIL_IF(!cl || !device || !context, CLSOFTMAX_INVALID_ARGUMENT, "cl, device or context is NULL");
    CLS_IN_DEFAULT_ENVIRONMENT;
    *context = NULL;
    CLS_FORWARD(cls_opencl_load());
    cls_opencl_device found;
    CLS_FORWARD(find_device(cl, device, &found));
    clsoftmax_context *opened = calloc(1, sizeof *opened);
    CLS_FAIL_IF(!opened, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    opened->process = cls_process();
    clsoftmax_status status = cls_opencl_open(opened, &found, cl);
    if (status != CLSOFTMAX_OK) {
        free(opened);
        return status;
    }
    *context = opened;
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- Checks */

static clsoftmax_status check_queue(const cls_opencl_context *opencl, cl_command_queue queue)
{
    cl_context context = NULL;
    cl_device_id device = NULL;
    OPENCL_CHECK(cls_opencl.clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL),
                 "clGetCommandQueueInfo");
    OPENCL_CHECK(cls_opencl.clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL),
                 "clGetCommandQueueInfo");
    CLS_FAIL_IF(context != opencl->context, CLSOFTMAX_WRONG_CONTEXT,
                "the queue is of another OpenCL context than the plan");
    CLS_FAIL_IF(device != opencl->device, CLSOFTMAX_WRONG_DEVICE, "the queue is of another device than the plan");
    return CLSOFTMAX_OK;
}

/* Checks a buffer that must hold `elements` elements of `size` bytes. */
static clsoftmax_status check_buffer(const cls_opencl_context *opencl, cl_mem buffer, uint64_t elements, size_t size,
                                     const char *name)
{
    CLS_FAIL_IF(!buffer, CLSOFTMAX_INVALID_ARGUMENT, "%s is NULL, and the problem wants it", name);
    cl_context context = NULL;
    size_t bytes = 0;
    OPENCL_CHECK(cls_opencl.clGetMemObjectInfo(buffer, CL_MEM_CONTEXT, sizeof context, &context, NULL),
                 "clGetMemObjectInfo");
    OPENCL_CHECK(cls_opencl.clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof bytes, &bytes, NULL), "clGetMemObjectInfo");
    CLS_FAIL_IF(context != opencl->context, CLSOFTMAX_WRONG_CONTEXT, "%s is of another OpenCL context than the plan",
                name);
    CLS_FAIL_IF(elements > bytes / size, CLSOFTMAX_BUFFER_TOO_SMALL,
                "%s has %zu bytes, %llu elements of %zu are wanted", name, bytes, (unsigned long long)elements, size);
    return CLSOFTMAX_OK;
}

/* Checks the address of a buffer over the caller's own memory, which must be aligned for the accesses of the kernels.
   Other buffers, and sub-buffers, begin where the device needs them. */
static clsoftmax_status check_alignment(cl_mem buffer, size_t access_bytes, const char *name)
{
    void *host = NULL;
    OPENCL_CHECK(cls_opencl.clGetMemObjectInfo(buffer, CL_MEM_HOST_PTR, sizeof host, &host, NULL),
                 "clGetMemObjectInfo");
    CLS_FAIL_IF((uintptr_t)host % access_bytes != 0, CLSOFTMAX_INVALID_ARGUMENT,
                "%s is host memory at %p, no multiple of the %zu bytes that this plan accesses", name, host,
                access_bytes);
    return CLSOFTMAX_OK;
}

/* Where clsoftmax_cl_arguments has each array, and the number of its first element. An array with a layout begins where
   that says, and the counter of invalid temperatures where its buffer begins. */
typedef struct buffer_place {
    size_t buffer, first;
    int has_first;
} buffer_place;

#define WITHOUT_FIRST(member)                                                                                          \
    {                                                                                                                  \
        offsetof(clsoftmax_cl_arguments, member), 0, 0                                                                 \
    }
#define FROM_FIRST(member)                                                                                             \
    {                                                                                                                  \
        offsetof(clsoftmax_cl_arguments, member), offsetof(clsoftmax_cl_arguments, member##_first), 1                  \
    }
static const buffer_place places[CLS_ARRAYS] = {[CLS_LOGITS] = WITHOUT_FIRST(logits),
                                                [CLS_OPERAND] = WITHOUT_FIRST(operand),
                                                [CLS_TEMPERATURES] = FROM_FIRST(temperatures),
                                                [CLS_LABELS] = FROM_FIRST(labels),
                                                [CLS_INVALID_ROWS] = WITHOUT_FIRST(invalid_rows),
                                                [CLS_STATISTICS] = FROM_FIRST(statistics),
                                                [CLS_WEIGHTS] = FROM_FIRST(weights),
                                                [CLS_LOSSES] = FROM_FIRST(losses),
                                                [CLS_RESULTS] = WITHOUT_FIRST(results)};

static cl_mem buffer_of(const clsoftmax_cl_arguments *a, cls_array array)
{
    cl_mem buffer;
    memcpy(&buffer, (const char *)a + places[array].buffer, sizeof buffer);
    return buffer;
}

static uint64_t first_of(const clsoftmax_cl_arguments *a, cls_array array)
{
    size_t first = 0;
    if (places[array].has_first)
        memcpy(&first, (const char *)a + places[array].first, sizeof first);
    return first;
}

/* Returns 1 if the call has the array. A call may have a counter of invalid temperatures for any problem. */
static int has_array(const clsoftmax_problem *problem, const clsoftmax_cl_arguments *a, cls_array array)
{
    return cls_array_is_optional(problem, array)
               ? buffer_of(a, array) && (cls_array_is_wanted(problem, array) || array == CLS_INVALID_ROWS)
               : cls_array_is_wanted(problem, array);
}

/* Checks the buffer of an array that the call has. */
static clsoftmax_status check_array(const clsoftmax_plan *plan, const cls_opencl_context *opencl,
                                    const clsoftmax_cl_arguments *a, cls_array array)
{
    const clsoftmax_problem *p = &plan->problem;
    size_t size = cls_array_element_bytes(p, array);
    uint64_t first = first_of(a, array), span = cls_array_span(p, array);
    if (!has_array(p, a, array))
        return CLSOFTMAX_OK;
    CLS_FORWARD(check_buffer(opencl, buffer_of(a, array), first > UINT64_MAX - span ? UINT64_MAX : first + span, size,
                             cls_array_name(array)));
    if (!cls_array_layout(p, array))
        return CLSOFTMAX_OK;
    return check_alignment(buffer_of(a, array), plan->decision.variant.access_width * size, cls_array_name(array));
}

/* Checks that results are apart from what is read in one buffer with them, or are the same array. */
static clsoftmax_status check_overlap(const clsoftmax_problem *p, const clsoftmax_cl_arguments *a)
{
    clsoftmax_arguments as_pointers = CLSOFTMAX_ARGUMENTS_INIT;
    void *const results = (void *)(uintptr_t)4096; /* any address; an array in another buffer is behind all of them */
    void *const elsewhere = (void *)(UINTPTR_MAX / 2);
    as_pointers.results = results;
    as_pointers.logits = a->logits == a->results ? results : elsewhere;
    as_pointers.operand = a->operand == a->results ? results : elsewhere;
    CLS_FAIL_IF(cls_has_results(p) && cls_arguments_overlap(p, &as_pointers), CLSOFTMAX_INVALID_ARGUMENT,
                "results overlap what is read in their buffer without being the same array");
    return CLSOFTMAX_OK;
}

/* Checks the arguments of a call on device buffers. */
static clsoftmax_status check_arguments(const clsoftmax_plan *plan, const cls_opencl_context *opencl,
                                        const clsoftmax_cl_arguments *a)
{
    const clsoftmax_problem *p = &plan->problem;
    CLS_FORWARD(cls_temperature_check(p, a->temperature));
    CLS_FORWARD(cls_loss_check(p, a->scale, a->z_loss, cls_loss_share(p, a->label_smoothing, a->teacher_share)));
    if (cls_problem_rows(p) == 0)
        return CLSOFTMAX_OK;
    CLS_FOR_ARRAYS(array)
        CLS_FORWARD(check_array(plan, opencl, a, array));
    return check_overlap(p, a);
}

/* ---------------------------------------------------------------- Enqueue */

/* One launch of a call: its problem, whose layouts begin at its first outer index and temperature, and its arrays. */
typedef struct launch_of_call {
    clsoftmax_problem problem;
    cls_opencl_arrays arrays;
} launch_of_call;

/* Returns the launch over the outer indices and temperatures of a tile, which has all columns and classes. */
static launch_of_call launch_of(const clsoftmax_plan *plan, const clsoftmax_cl_arguments *a, const cls_tile *tile)
{
    const clsoftmax_problem *problem = &plan->problem;
    launch_of_call launch = {.problem = *problem, .arrays = {.rows_stride = cls_problem_rows(problem)}};
    CLS_FOR_ARRAYS(array) {
        uint64_t first = cls_array_first(problem, array, tile);
        launch.arrays.of[array] = has_array(problem, a, array) ? buffer_of(a, array) : NULL;
        launch.arrays.first[array] = first_of(a, array) + first;
    }
    launch.problem.outer = tile->outer;
    launch.problem.sweep = problem->sweep > 0 ? tile->temperatures : 0;
    launch.problem.logits_layout.offset = launch.arrays.first[CLS_LOGITS];
    launch.problem.operand_layout.offset = launch.arrays.first[CLS_OPERAND];
    launch.problem.results_layout.offset = launch.arrays.first[CLS_RESULTS];
    return launch;
}

/* Enqueues launches of at most launch_outer outer indices and launch_temperatures temperatures. Each waits for the one
   before, so that the last event stands for all. */
static clsoftmax_status enqueue_launches(clsoftmax_plan *plan, const clsoftmax_cl_arguments *a, cls_opencl_order order)
{
    const clsoftmax_problem *problem = &plan->problem;
    const cls_decision *decision = &plan->decision;
    const uint64_t temperatures = cls_problem_temperatures(problem);
    const uint64_t turns = cls_quotient_up(temperatures, decision->launch_temperatures),
                   count = cls_quotient_up(problem->outer, decision->launch_outer) * turns;
    cl_event before = NULL, *last = order.event;
    clsoftmax_status status = CLSOFTMAX_OK;
    for (uint64_t number = 0; number < count && status == CLSOFTMAX_OK; number++) {
        cls_tile tile = {.first_outer = number / turns * decision->launch_outer,
                         .first_temperature = number % turns * decision->launch_temperatures};
        tile.outer = cls_smaller(problem->outer - tile.first_outer, decision->launch_outer);
        tile.temperatures = cls_smaller(temperatures - tile.first_temperature, decision->launch_temperatures);
        const launch_of_call launch = launch_of(plan, a, &tile);
        cl_event after = NULL;
        if (before) {
            order.wait_count = 1;
            order.wait = &before;
        }
        order.event = number + 1 == count ? last : &after;
        status = cls_opencl_launch(
            &launch.problem, decision, plan->state, &launch.arrays,
            (cls_opencl_numbers){a->temperature, a->scale, a->z_loss,
                                 cls_loss_share(&plan->problem, a->label_smoothing, a->teacher_share)},
            order);
        if (before)
            cls_opencl.clReleaseEvent(before);
        before = after; /* NULL for the last one, and for one that failed */
    }
    return status;
}

/* Size of the arguments in the first version of the library that had them. */
#define FIRST_ARGUMENTS_SIZE (offsetof(clsoftmax_cl_arguments, invalid_rows) + sizeof(cl_mem))

void clsoftmax_cl_arguments_init(clsoftmax_cl_arguments *arguments, size_t size)
{
    const clsoftmax_cl_arguments defaults = CLSOFTMAX_CL_ARGUMENTS_INIT;
    cls_init_growing(arguments, size, &defaults, sizeof defaults);
}

clsoftmax_status clsoftmax_cl_enqueue(clsoftmax_plan *plan, cl_command_queue queue,
                                      const clsoftmax_cl_arguments *theirs, cl_uint wait_count, const cl_event *wait,
                                      cl_event *event)
{
    CLS_FAIL_IF(!plan || !queue || !theirs, CLSOFTMAX_INVALID_ARGUMENT, "plan, queue or arguments is NULL");
    CLS_FAIL_IF((wait_count == 0) != (wait == NULL), CLSOFTMAX_INVALID_ARGUMENT, "a wait list of %u events at %s",
                wait_count, wait ? "an address" : "NULL");
    CLS_FORWARD(cls_check_process(plan->context));
    CLS_IN_DEFAULT_ENVIRONMENT;
    clsoftmax_device_type type = plan->context->device.type;
    CLS_FAIL_IF(cls_is_native(type), CLSOFTMAX_WRONG_DEVICE,
                "the plan is for device \"%s\", which has no OpenCL buffers", plan->context->device.selector);
    const cls_opencl_context *opencl = plan->context->state;
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    CLS_FORWARD(cls_read_growing(theirs, &arguments, sizeof arguments, FIRST_ARGUMENTS_SIZE, "clsoftmax_cl_arguments"));
    CLS_FORWARD(check_queue(opencl, queue));
    CLS_FORWARD(check_arguments(plan, opencl, &arguments));
    if (cls_problem_rows(&plan->problem) > 0)
        return enqueue_launches(plan, &arguments, (cls_opencl_order){queue, wait_count, wait, event});
    OPENCL_CHECK(cls_opencl.clEnqueueMarkerWithWaitList(queue, wait_count, wait, event), "clEnqueueMarkerWithWaitList");
    return CLSOFTMAX_OK;
}
