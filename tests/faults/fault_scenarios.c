/* The scenarios of opencl_faults: what fault_scenarios.h declares. */
#include "fault_scenarios.h"

#include "fault_layer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const scenario scenarios[] = {
    {"copied", "copy", "0:0", CLSOFTMAX_STRATEGY_AUTO, SCENARIO_ROWS, 33, 2, 0, 0, 0},
    {"shared", "share", "0:0", CLSOFTMAX_STRATEGY_AUTO, SCENARIO_ROWS, 33, 2, 0, 0, 0},
    {"auto", "", "auto", CLSOFTMAX_STRATEGY_AUTO, SCENARIO_ROWS, 300, 0, 0, 0, 0},
    {"rows-copied", "copy", "0:0", CLSOFTMAX_STRATEGY_ITEM, SCENARIO_ROWS, 40, 3, 1, 1, 0},
    {"rows-shared", "share", "0:0", CLSOFTMAX_STRATEGY_ITEM, SCENARIO_ROWS, 40, 3, 1, 1, 0},
    {"group", "share", "0:0", CLSOFTMAX_STRATEGY_GROUP, SCENARIO_ROWS, 300, 0, 0, 0, 0},
    {"split", "copy", "0:0", CLSOFTMAX_STRATEGY_SPLIT, SCENARIO_ROWS, 3000, 3, 1, 0, 0},
    {"buffers", "", NULL, CLSOFTMAX_STRATEGY_AUTO, SCENARIO_ROWS, 33, 0, 1, 1, 0},
    {"buffers-split", "", NULL, CLSOFTMAX_STRATEGY_SPLIT, SCENARIO_ROWS, 3000, 0, 0, 0, 0},
    {"buffers-empty", "", NULL, CLSOFTMAX_STRATEGY_AUTO, 0, 33, 0, 0, 0, 0},
    {"cpu", "", "cpu", CLSOFTMAX_STRATEGY_AUTO, SCENARIO_ROWS, 33, 0, 1, 1, 0},
    {"list", "", "0:0", CLSOFTMAX_STRATEGY_AUTO, SCENARIO_ROWS, 33, 0, 0, 0, 1},
};
const size_t scenario_count = sizeof scenarios / sizeof *scenarios;

/* ---------------------------------------------------------------- The caller */

enum { LOGITS, RESULTS, TEMPERATURES, LABELS, STATISTICS, INVALID_ROWS, BUFFERS };

static struct {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue; /* out of order, so that only events order the library's commands */
    cl_mem buffers[BUFFERS];
    cl_event gate; /* complete */
} caller;

static float logits[SCENARIO_MOST_ELEMENTS];
static const float temperatures[SCENARIO_ROWS] = {0.7f, -1.0f, 1.0f, 0.0f, 3.0f};
static const int64_t labels[SCENARIO_ROWS] = {3, -1, 0, 32, 7};
static answer blank; /* what arrays hold before a call */

int scenario_prepare(void)
{
    cl_platform_id platform;
    if (clGetPlatformIDs(1, &platform, NULL) != CL_SUCCESS ||
        clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &caller.device, NULL) != CL_SUCCESS)
        return 0;
    for (int i = 0; i < SCENARIO_MOST_ELEMENTS; i++)
        logits[i] = (float)((i * 37) % 101) * 0.1f;
    memset(&blank, 0xA5, sizeof blank);
    blank.invalid_rows = 0;
    cl_int error;
    caller.context = clCreateContext(NULL, 1, &caller.device, NULL, NULL, &error);
    caller.queue = clCreateCommandQueue(caller.context, caller.device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &error);
    const struct {
        size_t bytes;
        const void *data;
    } arrays[BUFFERS] = {{sizeof logits, logits},
                         {sizeof blank.results, blank.results},
                         {sizeof temperatures, temperatures},
                         {sizeof labels, labels},
                         {sizeof blank.statistics, blank.statistics},
                         {sizeof blank.invalid_rows, &blank.invalid_rows}};
    for (int i = 0; i < BUFFERS; i++)
        caller.buffers[i] = clCreateBuffer(caller.context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, arrays[i].bytes,
                                           (void *)(uintptr_t)arrays[i].data, &error);
    caller.gate = clCreateUserEvent(caller.context, &error);
    clSetUserEventStatus(caller.gate, CL_COMPLETE);
    return 1;
}

enum { CALLER_OBJECTS = 3 + BUFFERS };
static cl_uint references[CALLER_OBJECTS]; /* to the caller's objects, when they were counted */

static void get_references(cl_uint counts[CALLER_OBJECTS])
{
    clFinish(caller.queue);
    clGetContextInfo(caller.context, CL_CONTEXT_REFERENCE_COUNT, sizeof *counts, counts++, NULL);
    clGetCommandQueueInfo(caller.queue, CL_QUEUE_REFERENCE_COUNT, sizeof *counts, counts++, NULL);
    clGetEventInfo(caller.gate, CL_EVENT_REFERENCE_COUNT, sizeof *counts, counts++, NULL);
    for (int i = 0; i < BUFFERS; i++)
        clGetMemObjectInfo(caller.buffers[i], CL_MEM_REFERENCE_COUNT, sizeof *counts, counts++, NULL);
}

int scenario_references_return(int milliseconds)
{
    cl_uint now[CALLER_OBJECTS];
    for (; milliseconds > 0; milliseconds--) {
        get_references(now);
        if (memcmp(references, now, sizeof now) == 0)
            return 1;
        usleep(1000);
    }
    return 0;
}

void scenario_count_references(void)
{
    cl_uint before[CALLER_OBJECTS];
    get_references(references);
    for (int unchanged = 0; unchanged < 100; unchanged++) {
        usleep(1000);
        memcpy(before, references, sizeof before);
        get_references(references);
        if (memcmp(before, references, sizeof before) != 0)
            unchanged = 0;
    }
}

void scenario_hold_caller(void)
{
    clRetainMemObject(caller.buffers[LOGITS]);
}

/* ---------------------------------------------------------------- The problem */

static clsoftmax_problem problem_of(const scenario *scenario)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = scenario->rows;
    problem.classes = scenario->classes;
    problem.strategy = scenario->strategy;
    problem.tile_outer = scenario->tile_outer;
    problem.statistics = problem.temperature_per_row = scenario->has_row_arrays;
    if (scenario->is_strided)
        problem.logits_layout = problem.results_layout = (clsoftmax_layout){4, scenario->classes + 4, 1, 1};
    return problem;
}

static clsoftmax_status run_in_host_memory(attempt *attempt)
{
    answer *answer = &attempt->answer;
    int has_row_arrays = attempt->scenario->has_row_arrays;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    *answer = blank;
    arguments.logits = logits;
    arguments.results = answer->results;
    arguments.temperatures = has_row_arrays ? temperatures : NULL;
    arguments.labels = has_row_arrays ? labels : NULL;
    arguments.statistics = has_row_arrays ? answer->statistics : NULL;
    arguments.invalid_rows = &answer->invalid_rows;
    return clsoftmax_plan_run(attempt->plan, &arguments);
}

void scenario_expect(const scenario *scenario, answer *expected)
{
    struct scenario on_cpu = *scenario;
    on_cpu.strategy = CLSOFTMAX_STRATEGY_AUTO;
    attempt attempt = {.scenario = &on_cpu};
    clsoftmax_problem problem = problem_of(&on_cpu);
    setenv("CLSOFTMAX_HOST_MEMORY", scenario->host_memory, 1); /* it stays for the run */
    if (clsoftmax_context_create("cpu", &attempt.context) == CLSOFTMAX_OK &&
        clsoftmax_plan_create(attempt.context, &problem, &attempt.plan) == CLSOFTMAX_OK)
        run_in_host_memory(&attempt);
    *expected = attempt.answer;
    scenario_release(&attempt);
}

/* ---------------------------------------------------------------- Buffers of the caller */

static void move(int is_read, int buffer, void *data, size_t bytes)
{
    if (is_read)
        clEnqueueReadBuffer(caller.queue, caller.buffers[buffer], CL_TRUE, 0, bytes, data, 0, NULL, NULL);
    else
        clEnqueueWriteBuffer(caller.queue, caller.buffers[buffer], CL_TRUE, 0, bytes, data, 0, NULL, NULL);
}

static void move_answer(int is_read, answer *answer)
{
    cl_uint invalid_rows = (cl_uint)answer->invalid_rows;
    move(is_read, RESULTS, answer->results, sizeof answer->results);
    move(is_read, STATISTICS, answer->statistics, sizeof answer->statistics);
    move(is_read, INVALID_ROWS, &invalid_rows, sizeof invalid_rows);
    answer->invalid_rows = invalid_rows;
}

static clsoftmax_status enqueue(attempt *attempt, cl_event *done)
{
    int has_row_arrays = attempt->scenario->has_row_arrays;
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = caller.buffers[LOGITS];
    arguments.results = caller.buffers[RESULTS];
    arguments.invalid_rows = caller.buffers[INVALID_ROWS];
    if (has_row_arrays) {
        arguments.temperatures = caller.buffers[TEMPERATURES];
        arguments.labels = caller.buffers[LABELS];
        arguments.statistics = caller.buffers[STATISTICS];
    }
    return clsoftmax_cl_enqueue(attempt->plan, caller.queue, &arguments, 1, &caller.gate, done);
}

/* Runs the plan on the caller's buffers. Only the call of the library itself can fail, and its commands in the
   queue. */
static clsoftmax_status run_in_buffers(attempt *attempt)
{
    fault_pause(1);
    attempt->answer = blank;
    attempt->failed_in_queue = 0;
    move_answer(0, &attempt->answer);
    cl_event done = NULL;
    fault_pause(0);
    clsoftmax_status status = enqueue(attempt, &done);
    fault_pause(1);
    if (status == CLSOFTMAX_OK) {
        cl_int end = CL_COMPLETE;
        clWaitForEvents(1, &done);
        clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof end, &end, NULL);
        attempt->failed_in_queue = end != CL_COMPLETE;
        clReleaseEvent(done);
    }
    clFinish(caller.queue);
    move_answer(1, &attempt->answer);
    fault_pause(0);
    return attempt->failed_in_queue ? CLSOFTMAX_DEVICE_FAILED : status;
}

/* ---------------------------------------------------------------- Steps */

static clsoftmax_status list_devices(void)
{
    clsoftmax_device *devices = NULL;
    size_t count = 0;
    clsoftmax_status status = clsoftmax_devices_list(&devices, &count);
    clsoftmax_devices_release(devices);
    return status;
}

static clsoftmax_status open_step(attempt *attempt)
{
    const scenario *scenario = attempt->scenario;
    clsoftmax_status status = scenario->lists_devices ? list_devices() : CLSOFTMAX_OK;
    if (status != CLSOFTMAX_OK)
        return status;
    return scenario->selector ? clsoftmax_context_create(scenario->selector, &attempt->context)
                              : clsoftmax_cl_context_create(caller.context, caller.device, &attempt->context);
}

static clsoftmax_status plan_step(attempt *attempt)
{
    clsoftmax_problem problem = problem_of(attempt->scenario);
    return clsoftmax_plan_create(attempt->context, &problem, &attempt->plan);
}

static clsoftmax_status run_step(attempt *attempt)
{
    return attempt->scenario->selector ? run_in_host_memory(attempt) : run_in_buffers(attempt);
}

scenario_step *const scenario_steps[] = {open_step, plan_step, run_step};

void scenario_release(attempt *attempt)
{
    clsoftmax_plan_release(attempt->plan);
    clsoftmax_context_release(attempt->context);
}
