/* The device-buffer API: offsets, wait lists, events, errors before anything is enqueued, the caller's objects untouched. */
#include "clsoftmax/clsoftmax_cl.h"
#include "support/device.h"
#include "support/driver.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 5, CLASSES = 130, LEADING = 140, OFFSET = 7, SPAN = OFFSET + (ROWS - 1) * LEADING + CLASSES };

/* The caller's side. */
static cl_platform_id platform;
static cl_device_id device;
static cl_context cl;
static cl_command_queue queue;
static float x[SPAN], expected[SPAN];

static cl_mem buffer_of(const void *data, size_t bytes)
{
    cl_int error;
    cl_mem buffer =
        clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, bytes, (void *)(uintptr_t)data, &error);
    cr_assert_eq(error, CL_SUCCESS);
    return buffer;
}

static void read_back(cl_mem buffer, void *data, size_t bytes)
{
    cr_assert_eq(clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, bytes, data, 0, NULL, NULL), CL_SUCCESS);
}

static clsoftmax_problem strided_problem(void)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = ROWS;
    problem.classes = CLASSES;
    problem.logits_layout = problem.results_layout = (clsoftmax_layout){OFFSET, LEADING, 1, 1};
    return problem;
}

static void setup(void)
{
    clsoftmax_context_release(test_open_opencl()); /* skips where there is no device */
    cl_int error;
    cr_assert_eq(clGetPlatformIDs(1, &platform, NULL), CL_SUCCESS);
    cr_assert_eq(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL), CL_SUCCESS);
    cl = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
    cr_assert_eq(error, CL_SUCCESS);
    queue = clCreateCommandQueue(cl, device, 0, &error);
    cr_assert_eq(error, CL_SUCCESS);
    for (int i = 0; i < SPAN; i++)
        x[i] = expected[i] = (float)((i * 37) % 101) * 0.1f;
    clsoftmax_context *cpu = test_open("cpu");
    clsoftmax_problem problem = strided_problem();
    test_run(cpu, &problem, x, 0.7f, expected);
    clsoftmax_context_release(cpu);
}

static void teardown(void)
{
    clReleaseCommandQueue(queue);
    clReleaseContext(cl);
}

TestSuite(buffers, .init = setup, .fini = teardown, .timeout = 300);

static clsoftmax_context *open_context(void)
{
    clsoftmax_context *context = NULL;
    cr_assert_eq(clsoftmax_cl_context_create(cl, device, &context), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    return context;
}

static clsoftmax_plan *make_plan(clsoftmax_context *context, const clsoftmax_problem *problem)
{
    clsoftmax_plan *plan = NULL;
    cr_assert_eq(clsoftmax_plan_create(context, problem, &plan), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    return plan;
}

static cl_uint references(cl_mem buffer)
{
    cl_uint count = 0;
    cr_assert_eq(clGetMemObjectInfo(buffer, CL_MEM_REFERENCE_COUNT, sizeof count, &count, NULL), CL_SUCCESS);
    return count;
}

/* Offsets and leading dimensions; what stands between the rows stays; twice with one plan, the second time in place. */
Test(buffers, offsets_and_leading_dimensions)
{
    clsoftmax_context *context = open_context();
    clsoftmax_problem problem = strided_problem();
    clsoftmax_plan *plan = make_plan(context, &problem);
    cl_mem logits = buffer_of(x, sizeof x), results = buffer_of(x, sizeof x);
    float p[SPAN];
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.results = results;
    arguments.temperature = 0.7f;
    cl_event done = NULL;
    cr_assert_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, &done), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    cr_assert_eq(clWaitForEvents(1, &done), CL_SUCCESS);
    clReleaseEvent(done);
    read_back(results, p, sizeof p);
    cr_expect(memcmp(p, expected, sizeof p) == 0);
    arguments.results = logits;
    cr_assert_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, NULL), CLSOFTMAX_OK);
    read_back(logits, p, sizeof p);
    cr_expect(memcmp(p, expected, sizeof p) == 0, "in place");
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
    cr_expect_eq(references(logits), 1u, "the caller's buffer is held");
    cr_expect_eq(references(results), 1u);
    clReleaseMemObject(logits);
    clReleaseMemObject(results);
}

/* The call returns while what it waits for has not happened: it only enqueues. */
Test(buffers, waits_for_the_wait_list_without_blocking)
{
    clsoftmax_context *context = open_context();
    clsoftmax_problem problem = strided_problem();
    clsoftmax_plan *plan = make_plan(context, &problem);
    cl_mem logits = buffer_of(x, sizeof x), results = buffer_of(x, sizeof x);
    cl_int error;
    cl_event gate = clCreateUserEvent(cl, &error), done = NULL;
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.results = results;
    arguments.temperature = 0.7f;
    cr_assert_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 1, &gate, &done), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    cl_int execution = CL_COMPLETE;
    clFlush(queue);
    clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof execution, &execution, NULL);
    cr_expect_neq(execution, CL_COMPLETE, "it ran before its wait list");
    clSetUserEventStatus(gate, CL_COMPLETE);
    float p[SPAN];
    read_back(results, p, sizeof p);
    cr_expect(memcmp(p, expected, sizeof p) == 0);
    clReleaseEvent(gate);
    clReleaseEvent(done);
    clReleaseMemObject(logits);
    clReleaseMemObject(results);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
}

/* Temperatures, labels and statistics from and to buffers, at first elements other than 0. */
Test(buffers, arrays_of_rows)
{
    clsoftmax_context *context = open_context(), *cpu = test_open("cpu");
    clsoftmax_problem problem = strided_problem();
    problem.temperature_per_row = problem.statistics = 1;
    problem.operation = CLSOFTMAX_OPERATION_LOG_SOFTMAX;
    const float temperatures[ROWS] = {1, -1, 0.5f, INFINITY, NAN};
    const int64_t labels[ROWS] = {0, 1, -1, 129, 130};
    clsoftmax_statistics statistics[ROWS + 3], wanted[ROWS];
    memset(statistics, 0, sizeof statistics);
    float shifted_temperatures[ROWS + 1], p[SPAN], log_expected[SPAN];
    int64_t shifted_labels[ROWS + 2];
    memcpy(shifted_temperatures + 1, temperatures, sizeof temperatures);
    memcpy(shifted_labels + 2, labels, sizeof labels);
    memcpy(log_expected, x, sizeof x);
    uint64_t invalid = 0;
    clsoftmax_arguments host = {x, log_expected, 1, temperatures, labels, wanted, &invalid};
    clsoftmax_plan *plan = make_plan(cpu, &problem);
    cr_assert_eq(clsoftmax_plan_run(plan, &host), CLSOFTMAX_OK);
    clsoftmax_plan_release(plan);
    cr_assert_eq(invalid, 2u);

    cl_uint ten = 10;
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = buffer_of(x, sizeof x);
    arguments.results = buffer_of(x, sizeof x);
    arguments.temperatures = buffer_of(shifted_temperatures, sizeof shifted_temperatures);
    arguments.temperatures_first = 1;
    arguments.labels = buffer_of(shifted_labels, sizeof shifted_labels);
    arguments.labels_first = 2;
    arguments.statistics = buffer_of(statistics, sizeof statistics);
    arguments.statistics_first = 3;
    arguments.invalid_rows = buffer_of(&ten, sizeof ten);
    plan = make_plan(context, &problem);
    cr_assert_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, NULL), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    read_back(arguments.results, p, sizeof p);
    read_back(arguments.statistics, statistics, sizeof statistics);
    read_back(arguments.invalid_rows, &ten, sizeof ten);
    cr_expect(memcmp(p, log_expected, sizeof p) == 0, "results");
    cr_expect(memcmp(statistics + 3, wanted, sizeof wanted) == 0, "statistics");
    cr_expect_eq(ten, 12u, "the counter is increased, not set: %u", ten);
    clsoftmax_plan_release(plan);
    cl_mem all[] = {arguments.logits, arguments.results,    arguments.temperatures,
                    arguments.labels, arguments.statistics, arguments.invalid_rows};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        clReleaseMemObject(all[i]);
    clsoftmax_context_release(context);
    clsoftmax_context_release(cpu);
}

/* A sweep of a plan into buffers, and what came of it. */
enum { SWEEP = 70 };
static float sweep_temperatures[SWEEP + 1], sweep_results[SWEEP * SPAN];
static clsoftmax_statistics sweep_records[SWEEP * ROWS + 3];

static cl_uint run_sweep(clsoftmax_plan *plan, cl_mem logits)
{
    cl_uint invalid = 0;
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    memset(sweep_results, 0, sizeof sweep_results);
    arguments.logits = logits;
    arguments.temperatures_first = 1;
    arguments.statistics_first = 3;
    arguments.temperatures = buffer_of(sweep_temperatures, sizeof sweep_temperatures);
    arguments.results = buffer_of(sweep_results, sizeof sweep_results);
    arguments.statistics = buffer_of(sweep_records, sizeof sweep_records);
    arguments.invalid_rows = buffer_of(&invalid, sizeof invalid);
    cr_assert_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, NULL), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    read_back(arguments.results, sweep_results, sizeof sweep_results);
    read_back(arguments.statistics, sweep_records, sizeof sweep_records);
    read_back(arguments.invalid_rows, &invalid, sizeof invalid);
    const cl_mem made[] = {arguments.temperatures, arguments.results, arguments.statistics, arguments.invalid_rows};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        clReleaseMemObject(made[i]);
    return invalid;
}

/* In several launches (split takes 32 temperatures a launch), from first elements other than 0; a temperature that is none makes its
   results NaN and is counted. */
Test(buffers, sweeps)
{
    static float wanted[SWEEP * SPAN];
    static clsoftmax_statistics wanted_records[SWEEP * ROWS];
    clsoftmax_context *context = open_context(), *cpu = test_open("cpu");
    clsoftmax_problem problem = strided_problem();
    problem.sweep = SWEEP;
    problem.sweep_stride = SPAN;
    problem.statistics = 1;
    for (int k = 0; k < SWEEP; k++)
        sweep_temperatures[k + 1] = k == 1 ? 0.0f : k == 2 ? INFINITY : 0.1f * (float)k;
    const clsoftmax_arguments host = {x, wanted, 1, sweep_temperatures + 1, NULL, wanted_records, NULL};
    clsoftmax_plan *plan = make_plan(cpu, &problem);
    cr_assert_eq(clsoftmax_plan_run(plan, &host), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    clsoftmax_plan_release(plan);
    cl_mem logits = buffer_of(x, sizeof x);
    for (clsoftmax_strategy s = CLSOFTMAX_STRATEGY_AUTO; s < CLSOFTMAX_STRATEGY_COUNT; s++) {
        problem.strategy = s;
        plan = make_plan(context, &problem);
        const char *how = clsoftmax_plan_description(plan);
        sweep_temperatures[5] = 0.4f;
        cr_expect_eq(run_sweep(plan, logits), 0u);
        cr_expect(memcmp(sweep_results, wanted, sizeof wanted) == 0, "%s", how);
        cr_expect(memcmp(sweep_records + 3, wanted_records, sizeof wanted_records) == 0, "statistics of %s", how);
        sweep_temperatures[5] = -1;
        cr_expect_eq(run_sweep(plan, logits), (cl_uint)ROWS, "%s", how);
        cr_expect(isnan(sweep_results[4 * SPAN + OFFSET]), "%s", how);
        clsoftmax_plan_release(plan);
    }
    clReleaseMemObject(logits);
    clsoftmax_context_release(context);
    clsoftmax_context_release(cpu);
}

Test(buffers, errors_before_anything_is_enqueued)
{
    clsoftmax_context *context = open_context(), *cpu = test_open("cpu");
    clsoftmax_problem problem = strided_problem();
    clsoftmax_plan *plan = make_plan(context, &problem), *cpu_plan = make_plan(cpu, &problem);
    cl_int error;
    cl_context other = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
    cl_command_queue other_queue = clCreateCommandQueue(other, device, 0, &error);
    cl_mem logits = buffer_of(x, sizeof x), results = buffer_of(x, sizeof x), small = buffer_of(x, sizeof x - 4);
    cl_mem foreign = clCreateBuffer(other, CL_MEM_READ_WRITE, sizeof x, NULL, &error);
    clsoftmax_cl_arguments good = CLSOFTMAX_CL_ARGUMENTS_INIT;
    good.logits = logits;
    good.results = results;
    clsoftmax_cl_arguments bad = good;
    cl_event event = NULL;

    cr_expect_eq(clsoftmax_cl_enqueue(cpu_plan, queue, &good, 0, NULL, &event), CLSOFTMAX_WRONG_DEVICE);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, other_queue, &good, 0, NULL, &event), CLSOFTMAX_WRONG_CONTEXT);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, NULL, &good, 0, NULL, &event), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &good, 1, NULL, &event), CLSOFTMAX_INVALID_ARGUMENT);
    bad.results = small;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &bad, 0, NULL, &event), CLSOFTMAX_BUFFER_TOO_SMALL);
    bad.results = foreign;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &bad, 0, NULL, &event), CLSOFTMAX_WRONG_CONTEXT);
    bad.results = NULL;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &bad, 0, NULL, &event), CLSOFTMAX_INVALID_ARGUMENT);
    bad = good;
    bad.logits = small;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &bad, 0, NULL, &event), CLSOFTMAX_BUFFER_TOO_SMALL);
    bad = good;
    bad.temperature = NAN;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &bad, 0, NULL, &event), CLSOFTMAX_INVALID_TEMPERATURE);
    cr_expect_null(event, "an event from a call that failed");

    clsoftmax_problem shifted = problem;
    shifted.results_layout.offset = 0;
    clsoftmax_plan *shifted_plan = make_plan(context, &shifted);
    bad = good;
    bad.results = logits;
    cr_expect_eq(clsoftmax_cl_enqueue(shifted_plan, queue, &bad, 0, NULL, &event), CLSOFTMAX_INVALID_ARGUMENT,
                 "overlap");
    clsoftmax_context *nothing = NULL;
    cr_expect_eq(clsoftmax_cl_context_create(NULL, device, &nothing), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_cl_context_create(cl, (cl_device_id)cl, &nothing), CLSOFTMAX_DEVICE_NOT_FOUND);

    float p[SPAN];
    read_back(results, p, sizeof p);
    cr_expect(memcmp(p, x, sizeof p) == 0, "a call that failed has written");
    clsoftmax_plan_release(shifted_plan);
    clsoftmax_plan_release(plan);
    clsoftmax_plan_release(cpu_plan);
    clsoftmax_context_release(context);
    clsoftmax_context_release(cpu);
    cl_mem all[] = {logits, results, small, foreign};
    for (size_t i = 0; i < 4; i++)
        clReleaseMemObject(all[i]);
    clReleaseCommandQueue(other_queue);
    clReleaseContext(other);
}

/* ---------------------------------------------------------------- split: kernels that share scratch memory */

static clsoftmax_plan *make_split_plan(clsoftmax_context *context)
{
    clsoftmax_problem problem = strided_problem();
    problem.strategy = CLSOFTMAX_STRATEGY_SPLIT;
    problem.work_group_size = 2; /* many parts */
    return make_plan(context, &problem);
}

/* Different logits through one plan, none waiting for another: from two queues, one of them out of order, behind a gate. */
Test(buffers, split_calls_do_not_disturb_each_other)
{
    enum { CALLS = 12 };
    clsoftmax_context *context = open_context();
    clsoftmax_plan *plan = make_split_plan(context);
    cl_int error;
    cl_command_queue queues[2] = {queue,
                                  clCreateCommandQueue(cl, device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &error)};
    if (error != CL_SUCCESS) {
        fprintf(stderr, "split: no queue is out of order here\n");
        queues[1] = clCreateCommandQueue(cl, device, 0, &error);
    }
    cl_event gate = clCreateUserEvent(cl, &error), done[CALLS];
    cl_mem results[CALLS];
    float shifted[SPAN], p[SPAN];
    for (int call = 0; call < CALLS; call++) {
        clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
        for (int i = 0; i < SPAN; i++)
            shifted[i] = call % 2 ? x[i] : x[i] * 1024; /* a sum or maximum of another call's would be wrong */
        arguments.logits = arguments.results = results[call] = buffer_of(shifted, sizeof shifted);
        arguments.temperature = 0.7f;
        cr_assert_eq(clsoftmax_cl_enqueue(plan, queues[call / 3 % 2], &arguments, call == 0, call == 0 ? &gate : NULL,
                                          &done[call]),
                     CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    }
    clSetUserEventStatus(gate, CL_COMPLETE);
    cr_assert_eq(clWaitForEvents(CALLS, done), CL_SUCCESS);
    for (int call = 0; call < CALLS; call++) {
        read_back(results[call], p, sizeof p);
        for (int row = 0; row < ROWS && call % 2; row++)
            cr_expect(memcmp(p + OFFSET + row * LEADING, expected + OFFSET + row * LEADING, CLASSES * sizeof *p) == 0,
                      "call %d, row %d", call, row);
        cl_uint count = 0;
        clGetEventInfo(done[call], CL_EVENT_REFERENCE_COUNT, sizeof count, &count, NULL);
        cr_expect(count == 1 || call == CALLS - 1, "call %d: its event is held %u times", call, count);
        clReleaseEvent(done[call]);
        clReleaseMemObject(results[call]);
    }
    clsoftmax_plan_release(plan);
    clReleaseEvent(gate);
    clReleaseCommandQueue(queues[1]);
    clsoftmax_context_release(context);
}

/* A driver that does not say whether the scratch memory's last user is done: it is taken to be in use. */
Test(buffers, split_waits_where_the_driver_does_not_answer)
{
    clsoftmax_context *context = open_context();
    clsoftmax_plan *plan = make_split_plan(context);
    cl_int error;
    cl_command_queue other = clCreateCommandQueue(cl, device, 0, &error);
    cl_event gate = clCreateUserEvent(cl, &error), done[2];
    cl_mem logits = buffer_of(x, sizeof x), results[2] = {buffer_of(x, sizeof x), buffer_of(x, sizeof x)};
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.results = results[0];
    driver_observe();
    cr_assert_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 1, &gate, &done[0]), CLSOFTMAX_OK);
    arguments.results = results[1];
    driver_fail("clGetEventInfo", 1);
    cr_assert_eq(clsoftmax_cl_enqueue(plan, other, &arguments, 0, NULL, &done[1]), CLSOFTMAX_OK);
    cr_expect(driver_has_failed());
    cl_int execution = CL_QUEUED;
    for (int i = 0; i < 100 && execution != CL_COMPLETE; i++) {
        usleep(2000); /* time enough for one that does not wait */
        clGetEventInfo(done[1], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof execution, &execution, NULL);
    }
    cr_expect_neq(execution, CL_COMPLETE, "it ran while another call had the scratch memory");
    clSetUserEventStatus(gate, CL_COMPLETE);
    cr_expect_eq(clWaitForEvents(2, done), CL_SUCCESS);
    for (int i = 0; i < 2; i++) {
        clReleaseEvent(done[i]);
        clReleaseMemObject(results[i]);
    }
    clReleaseMemObject(logits);
    clsoftmax_plan_release(plan);
    clReleaseEvent(gate);
    clReleaseCommandQueue(other);
    clsoftmax_context_release(context);
}

/* A plan of 16-byte accesses on memory that the caller aligned to floats alone. */
Test(buffers, host_memory_that_is_not_aligned)
{
    static float memory[8 * 64 + 4] __attribute__((aligned(16)));
    clsoftmax_context *context = open_context();
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 8;
    problem.classes = 64;
    problem.strategy = CLSOFTMAX_STRATEGY_GROUP;
    clsoftmax_plan *plan = make_plan(context, &problem);
    for (int shift = 0; shift < 2; shift++) {
        cl_int error;
        cl_mem buffer =
            clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, 8 * 64 * sizeof(float), memory + shift, &error);
        cr_assert_eq(error, CL_SUCCESS);
        clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
        arguments.logits = arguments.results = buffer;
        cr_expect_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, NULL),
                     shift ? CLSOFTMAX_INVALID_ARGUMENT : CLSOFTMAX_OK);
        cr_assert_eq(clFinish(queue), CL_SUCCESS);
        clReleaseMemObject(buffer);
    }
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
}

/* No rows: nothing to do, but the event still stands for the wait list. */
Test(buffers, no_rows)
{
    clsoftmax_context *context = open_context();
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.classes = 10;
    clsoftmax_plan *plan = make_plan(context, &problem);
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    cl_event done = NULL;
    cr_assert_eq(clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, &done), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    cr_assert_eq(clWaitForEvents(1, &done), CL_SUCCESS);
    clReleaseEvent(done);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
}

/* ---------------------------------------------------------------- Threads */

static void *run_many(void *context)
{
    clsoftmax_problem problem = strided_problem();
    clsoftmax_plan *plan = NULL;
    float p[SPAN];
    intptr_t wrong = clsoftmax_plan_create(context, &problem, &plan) != CLSOFTMAX_OK;
    for (int i = 0; i < 20 && !wrong; i++) {
        clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
        memcpy(p, x, sizeof p);
        arguments.logits = x;
        arguments.results = p;
        arguments.temperature = 0.7f;
        wrong = clsoftmax_plan_run(plan, &arguments) != CLSOFTMAX_OK || memcmp(p, expected, sizeof p) != 0;
    }
    clsoftmax_plan_release(plan);
    return (void *)wrong;
}

/* Two plans from two threads on one context, of OpenCL and of the CPU. */
Test(buffers, two_threads_share_a_context)
{
    clsoftmax_context *contexts[2] = {open_context(), test_open("cpu")};
    for (int i = 0; i < 2; i++) {
        pthread_t threads[2];
        for (int k = 0; k < 2; k++)
            cr_assert_eq(pthread_create(&threads[k], NULL, run_many, contexts[i]), 0);
        for (int k = 0; k < 2; k++) {
            void *wrong;
            pthread_join(threads[k], &wrong);
            cr_expect_null(wrong, "context %d, thread %d", i, k);
        }
        clsoftmax_context_release(contexts[i]);
    }
}
