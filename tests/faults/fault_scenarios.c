/* The scenarios of opencl_faults: what fault_scenarios.h declares. */
#include "fault_scenarios.h"

#include "fault_layer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ELEMENTS = SCENARIO_MOST_BYTES / sizeof(float) };

#define AUTO CLSOFTMAX_STRATEGY_AUTO
#define ITEM CLSOFTMAX_STRATEGY_ITEM
#define GROUP CLSOFTMAX_STRATEGY_GROUP
#define SPLIT CLSOFTMAX_STRATEGY_SPLIT
#define SOFTMAX CLSOFTMAX_OPERATION_SOFTMAX
#define FAITHFUL CLSOFTMAX_ACCURACY_FAITHFUL
#define FAST CLSOFTMAX_ACCURACY_FAST

/* What is done with every operation: all of its arrays, in host memory and in buffers. */
#define WITH_OPERATION(name, text, meaning)                                                                            \
    {"rows-" text, "copy", "0:0", ITEM, CLSOFTMAX_OPERATION_##name, SCENARIO_ROWS, 40, 3, 1, 1, 0, FAST},              \
        {"buffers-" text, "", NULL, AUTO, CLSOFTMAX_OPERATION_##name, SCENARIO_ROWS, 33, 0, 1, 1, 0, FAITHFUL},

const scenario scenarios[] = {{"copied", "copy", "0:0", AUTO, SOFTMAX, SCENARIO_ROWS, 33, 2, 0, 0, 0, FAITHFUL},
                              {"shared", "share", "0:0", AUTO, SOFTMAX, SCENARIO_ROWS, 33, 2, 0, 0, 0, FAST},
                              {"auto", "", "auto", AUTO, SOFTMAX, SCENARIO_ROWS, 300, 0, 0, 0, 0, FAITHFUL},
                              {"rows-shared", "share", "0:0", ITEM, SOFTMAX, SCENARIO_ROWS, 40, 3, 1, 1, 0, FAST},
                              {"group", "share", "0:0", GROUP, SOFTMAX, SCENARIO_ROWS, 300, 0, 0, 0, 0, FAST},
                              {"split", "copy", "0:0", SPLIT, SOFTMAX, SCENARIO_ROWS, 3000, 3, 1, 0, 0, FAST},
                              {"buffers-split", "", NULL, SPLIT, SOFTMAX, SCENARIO_ROWS, 3000, 0, 0, 0, 0, FAITHFUL},
                              {"buffers-empty", "", NULL, AUTO, SOFTMAX, 0, 33, 0, 0, 0, 0, FAITHFUL},
                              {"cpu", "", "cpu", AUTO, SOFTMAX, SCENARIO_ROWS, 33, 0, 1, 1, 0, FAITHFUL},
                              {"list", "", "0:0", AUTO, SOFTMAX, SCENARIO_ROWS, 33, 0, 0, 0, 1, FAITHFUL},
                              CLSOFTMAX_OPERATION_LIST(WITH_OPERATION)};
const size_t scenario_count = sizeof scenarios / sizeof *scenarios;

/* ---------------------------------------------------------------- The caller */

static struct {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue; /* out of order, so that only events order the library's commands */
    cl_mem buffers[CLS_ARRAYS];
    cl_event gate; /* complete */
} caller;

static answer blank; /* what arrays hold before a call */

/* Fills the inputs, and the outputs with canaries. Matrices that are read have f32 elements. */
static void fill_blank(void)
{
    static const float temperatures[SCENARIO_ROWS] = {0.7f, -1.0f, 1.0f, 0.0f, 3.0f};
    static const int64_t labels[SCENARIO_ROWS] = {3, -1, 0, 32, 7};
    static const float weights[SCENARIO_ROWS] = {1, 2, 0.5f, 0.25f, 3};
    const clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    memset(&blank, 0xA5, sizeof blank);
    CLS_FOR_ARRAYS(array) {
        float *elements = (float *)(void *)blank.of[array];
        for (int i = 0; cls_array_is_read(array) && cls_array_layout(&problem, array) && i < MOST_ELEMENTS; i++)
            elements[i] = (float)((i * 37) % 101) * 0.1f;
    }
    memcpy(blank.of[CLS_TEMPERATURES], temperatures, sizeof temperatures);
    memcpy(blank.of[CLS_LABELS], labels, sizeof labels);
    memcpy(blank.of[CLS_WEIGHTS], weights, sizeof weights);
    memset(blank.of[CLS_INVALID_ROWS], 0, sizeof(uint64_t));
}

int scenario_prepare(void)
{
    cl_platform_id platform;
    if (clGetPlatformIDs(1, &platform, NULL) != CL_SUCCESS ||
        clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &caller.device, NULL) != CL_SUCCESS)
        return 0;
    fill_blank();
    cl_int error;
    caller.context = clCreateContext(NULL, 1, &caller.device, NULL, NULL, &error);
    caller.queue = clCreateCommandQueue(caller.context, caller.device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &error);
    CLS_FOR_ARRAYS(array)
        caller.buffers[array] = clCreateBuffer(caller.context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                               SCENARIO_MOST_BYTES, blank.of[array], &error);
    caller.gate = clCreateUserEvent(caller.context, &error);
    clSetUserEventStatus(caller.gate, CL_COMPLETE);
    return 1;
}

enum { CALLER_OBJECTS = 3 + CLS_ARRAYS };
static cl_uint references[CALLER_OBJECTS]; /* to the caller's objects, when they were counted */

static void get_references(cl_uint counts[CALLER_OBJECTS])
{
    clFinish(caller.queue);
    clGetContextInfo(caller.context, CL_CONTEXT_REFERENCE_COUNT, sizeof *counts, counts++, NULL);
    clGetCommandQueueInfo(caller.queue, CL_QUEUE_REFERENCE_COUNT, sizeof *counts, counts++, NULL);
    clGetEventInfo(caller.gate, CL_EVENT_REFERENCE_COUNT, sizeof *counts, counts++, NULL);
    CLS_FOR_ARRAYS(array)
        clGetMemObjectInfo(caller.buffers[array], CL_MEM_REFERENCE_COUNT, sizeof *counts, counts++, NULL);
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
    clRetainMemObject(caller.buffers[CLS_LOGITS]);
}

/* ---------------------------------------------------------------- The problem */

static clsoftmax_problem problem_of(const scenario *scenario)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = scenario->rows;
    problem.classes = scenario->classes;
    problem.strategy = scenario->strategy;
    problem.operation = scenario->operation;
    problem.accuracy = scenario->accuracy;
    problem.tile_outer = scenario->tile_outer;
    problem.temperature_per_row = scenario->has_row_arrays;
    problem.statistics = scenario->has_row_arrays || scenario->operation == CLSOFTMAX_OPERATION_NONE;
    if (scenario->is_strided)
        problem.logits_layout = problem.results_layout = (clsoftmax_layout){4, scenario->classes + 4, 1, 1};
    return problem;
}

/* Returns 1 if the call gets the array: if the problem has it, and the counter of invalid rows in any case. */
static int has_array(const clsoftmax_problem *problem, cls_array array)
{
    return cls_array_is_wanted(problem, array) || array == CLS_INVALID_ROWS;
}

static clsoftmax_status run_in_host_memory(attempt *attempt)
{
    const clsoftmax_problem problem = problem_of(attempt->scenario);
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    attempt->answer = blank;
#define IN_MEMORY(name, member, ...)                                                                                   \
    if (has_array(&problem, CLS_##name))                                                                               \
        arguments.member = (void *)attempt->answer.of[CLS_##name];
    CLS_ARRAY_LIST(IN_MEMORY)
    return clsoftmax_plan_run(attempt->plan, &arguments);
}

void scenario_expect(const scenario *scenario, answer *expected)
{
    struct scenario on_cpu = *scenario;
    on_cpu.strategy = CLSOFTMAX_STRATEGY_AUTO;
    attempt attempt = {.scenario = &on_cpu};
    clsoftmax_problem problem = problem_of(&on_cpu);
    setenv("CLSOFTMAX_HOST_MEMORY", scenario->host_memory, 1); /* it stays for the run */
    fault_is_gpu = scenario->selector && strcmp(scenario->selector, "auto") == 0;
    if (clsoftmax_context_create("cpu", &attempt.context) == CLSOFTMAX_OK &&
        clsoftmax_plan_create(attempt.context, &problem, &attempt.plan) == CLSOFTMAX_OK)
        run_in_host_memory(&attempt);
    *expected = attempt.answer;
    scenario_release(&attempt);
}

/* ---------------------------------------------------------------- Buffers of the caller */

static void move(int is_read, cls_array array, void *data, size_t bytes)
{
    if (is_read)
        clEnqueueReadBuffer(caller.queue, caller.buffers[array], CL_TRUE, 0, bytes, data, 0, NULL, NULL);
    else
        clEnqueueWriteBuffer(caller.queue, caller.buffers[array], CL_TRUE, 0, bytes, data, 0, NULL, NULL);
}

/* Moves the arrays that a call may write from or to the buffers. The counter of invalid rows is wider in host
   memory. */
static void move_answer(int is_read, answer *answer)
{
    uint64_t invalid_rows;
    memcpy(&invalid_rows, answer->of[CLS_INVALID_ROWS], sizeof invalid_rows);
    cl_uint counter = (cl_uint)invalid_rows;
    CLS_FOR_ARRAYS(array)
        if (array == CLS_INVALID_ROWS)
            move(is_read, array, &counter, sizeof counter);
        else if (cls_array_is_written(array))
            move(is_read, array, answer->of[array], sizeof answer->of[array]);
    invalid_rows = counter;
    memcpy(answer->of[CLS_INVALID_ROWS], &invalid_rows, sizeof invalid_rows);
}

static clsoftmax_status enqueue(attempt *attempt, cl_event *done)
{
    const clsoftmax_problem problem = problem_of(attempt->scenario);
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
#define IN_BUFFERS(name, member, ...)                                                                                  \
    if (has_array(&problem, CLS_##name))                                                                               \
        arguments.member = caller.buffers[CLS_##name];
    CLS_ARRAY_LIST(IN_BUFFERS)
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
