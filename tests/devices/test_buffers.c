/* The device-buffer API: offsets, wait lists, events, sweeps, and what is refused before anything is enqueued. The
   oracle is cpu, bit for bit; references to the caller's objects are counted. */
#include "buffers.h"
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static cl_uint references(cl_mem buffer)
{
    cl_uint count = 0;
    cr_assert_eq(clGetMemObjectInfo(buffer, CL_MEM_REFERENCE_COUNT, sizeof count, &count, NULL), CL_SUCCESS);
    return count;
}

/* Runs a plan twice, the second time in place: with an offset and leading dimensions, elements between the rows
   stay. */
Test(buffers, offsets_and_leading_dimensions)
{
    clsoftmax_context *context = open_context();
    clsoftmax_problem problem = strided_problem();
    clsoftmax_plan *plan = test_plan(context, &problem);
    cl_mem logits = buffer_of(caller.logits, sizeof caller.logits),
           results = buffer_of(caller.logits, sizeof caller.logits);
    float p[SPAN];
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.results = results;
    arguments.temperature = 0.7f;
    cl_event done = NULL;
    cr_assert_eq(clsoftmax_cl_enqueue(plan, caller.queue, &arguments, 0, NULL, &done), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    cr_assert_eq(clWaitForEvents(1, &done), CL_SUCCESS);
    clReleaseEvent(done);
    read_back(results, p, sizeof p);
    cr_expect(memcmp(p, caller.expected, sizeof p) == 0);
    arguments.results = logits;
    cr_assert_eq(clsoftmax_cl_enqueue(plan, caller.queue, &arguments, 0, NULL, NULL), CLSOFTMAX_OK);
    read_back(logits, p, sizeof p);
    cr_expect(memcmp(p, caller.expected, sizeof p) == 0, "in place");
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
    cr_expect_eq(references(logits), 1u, "the caller's buffer is held");
    cr_expect_eq(references(results), 1u);
    clReleaseMemObject(logits);
    clReleaseMemObject(results);
}

/* Enqueues behind an event that has not happened: the call must return before it, and the kernels must wait for it. */
Test(buffers, waits_for_the_wait_list_without_blocking)
{
    clsoftmax_context *context = open_context();
    clsoftmax_problem problem = strided_problem();
    clsoftmax_plan *plan = test_plan(context, &problem);
    cl_mem logits = buffer_of(caller.logits, sizeof caller.logits),
           results = buffer_of(caller.logits, sizeof caller.logits);
    cl_int error;
    cl_event gate = clCreateUserEvent(caller.context, &error), done = NULL;
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.results = results;
    arguments.temperature = 0.7f;
    cr_assert_eq(clsoftmax_cl_enqueue(plan, caller.queue, &arguments, 1, &gate, &done), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    cl_int execution = CL_COMPLETE;
    clFlush(caller.queue);
    clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof execution, &execution, NULL);
    cr_expect_neq(execution, CL_COMPLETE, "it ran before its wait list");
    clSetUserEventStatus(gate, CL_COMPLETE);
    float p[SPAN];
    read_back(results, p, sizeof p);
    cr_expect(memcmp(p, caller.expected, sizeof p) == 0);
    clReleaseEvent(gate);
    clReleaseEvent(done);
    clReleaseMemObject(logits);
    clReleaseMemObject(results);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
}

/* Reads temperatures and labels from buffers, and writes statistics, at first elements other than 0. */
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
    memcpy(log_expected, caller.logits, sizeof caller.logits);
    uint64_t invalid = 0;
    clsoftmax_arguments host = {.size = sizeof(clsoftmax_arguments),
                                .logits = caller.logits,
                                .results = log_expected,
                                .temperature = 1,
                                .temperatures = temperatures,
                                .labels = labels,
                                .statistics = wanted,
                                .invalid_rows = &invalid,
                                .scale = 1};
    clsoftmax_plan *plan = test_plan(cpu, &problem);
    cr_assert_eq(clsoftmax_plan_run(plan, &host), CLSOFTMAX_OK);
    clsoftmax_plan_release(plan);
    cr_assert_eq(invalid, 2u);

    cl_uint ten = 10;
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = buffer_of(caller.logits, sizeof caller.logits);
    arguments.results = buffer_of(caller.logits, sizeof caller.logits);
    arguments.temperatures = buffer_of(shifted_temperatures, sizeof shifted_temperatures);
    arguments.temperatures_first = 1;
    arguments.labels = buffer_of(shifted_labels, sizeof shifted_labels);
    arguments.labels_first = 2;
    arguments.statistics = buffer_of(statistics, sizeof statistics);
    arguments.statistics_first = 3;
    arguments.invalid_rows = buffer_of(&ten, sizeof ten);
    plan = test_plan(context, &problem);
    cr_assert_eq(clsoftmax_cl_enqueue(plan, caller.queue, &arguments, 0, NULL, NULL), CLSOFTMAX_OK, "%s",
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

/* The arrays of a sweep. */
enum { SWEEP = 70 };
static float sweep_temperatures[SWEEP + 1], sweep_results[SWEEP * SPAN];
static clsoftmax_statistics sweep_records[SWEEP * ROWS + 3];

/* Sweeps into sweep_results and sweep_records. Returns the number of invalid rows. */
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
    cr_assert_eq(clsoftmax_cl_enqueue(plan, caller.queue, &arguments, 0, NULL, NULL), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    read_back(arguments.results, sweep_results, sizeof sweep_results);
    read_back(arguments.statistics, sweep_records, sizeof sweep_records);
    read_back(arguments.invalid_rows, &invalid, sizeof invalid);
    const cl_mem made[] = {arguments.temperatures, arguments.results, arguments.statistics, arguments.invalid_rows};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        clReleaseMemObject(made[i]);
    return invalid;
}

/* Sweeps in several launches (split takes 32 temperatures in each), from first elements other than 0. An invalid
   temperature makes its results NaN, and its rows are counted. */
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
    const clsoftmax_arguments host = {.size = sizeof(clsoftmax_arguments),
                                      .logits = caller.logits,
                                      .results = wanted,
                                      .temperature = 1,
                                      .temperatures = sweep_temperatures + 1,
                                      .statistics = wanted_records,
                                      .scale = 1};
    clsoftmax_plan *plan = test_plan(cpu, &problem);
    cr_assert_eq(clsoftmax_plan_run(plan, &host), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    clsoftmax_plan_release(plan);
    cl_mem logits = buffer_of(caller.logits, sizeof caller.logits);
    for (clsoftmax_strategy s = CLSOFTMAX_STRATEGY_AUTO; s < CLSOFTMAX_STRATEGY_COUNT; s++) {
        problem.strategy = s;
        plan = test_plan(context, &problem);
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
    clsoftmax_plan *plan = test_plan(context, &problem), *cpu_plan = test_plan(cpu, &problem);
    cl_int error;
    cl_context other = clCreateContext(NULL, 1, &caller.device, NULL, NULL, &error);
    cl_command_queue other_queue = clCreateCommandQueue(other, caller.device, 0, &error);
    cl_mem logits = buffer_of(caller.logits, sizeof caller.logits),
           results = buffer_of(caller.logits, sizeof caller.logits),
           small = buffer_of(caller.logits, sizeof caller.logits - 4);
    cl_mem foreign = clCreateBuffer(other, CL_MEM_READ_WRITE, sizeof caller.logits, NULL, &error);
    clsoftmax_cl_arguments good = CLSOFTMAX_CL_ARGUMENTS_INIT;
    good.logits = logits;
    good.results = results;
    clsoftmax_cl_arguments bad = good;
    cl_event event = NULL;

    cr_expect_eq(clsoftmax_cl_enqueue(cpu_plan, caller.queue, &good, 0, NULL, &event), CLSOFTMAX_WRONG_DEVICE);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, other_queue, &good, 0, NULL, &event), CLSOFTMAX_WRONG_CONTEXT);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, NULL, &good, 0, NULL, &event), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_cl_enqueue(plan, caller.queue, &good, 1, NULL, &event), CLSOFTMAX_INVALID_ARGUMENT);
    bad.results = small;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, caller.queue, &bad, 0, NULL, &event), CLSOFTMAX_BUFFER_TOO_SMALL);
    bad.results = foreign;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, caller.queue, &bad, 0, NULL, &event), CLSOFTMAX_WRONG_CONTEXT);
    bad.results = NULL;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, caller.queue, &bad, 0, NULL, &event), CLSOFTMAX_INVALID_ARGUMENT);
    bad = good;
    bad.logits = small;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, caller.queue, &bad, 0, NULL, &event), CLSOFTMAX_BUFFER_TOO_SMALL);
    bad = good;
    bad.temperature = NAN;
    cr_expect_eq(clsoftmax_cl_enqueue(plan, caller.queue, &bad, 0, NULL, &event), CLSOFTMAX_INVALID_TEMPERATURE);
    cr_expect_null(event, "an event from a call that failed");

    clsoftmax_problem shifted = problem;
    shifted.results_layout.offset = 0;
    clsoftmax_plan *shifted_plan = test_plan(context, &shifted);
    bad = good;
    bad.results = logits;
    cr_expect_eq(clsoftmax_cl_enqueue(shifted_plan, caller.queue, &bad, 0, NULL, &event), CLSOFTMAX_INVALID_ARGUMENT,
                 "overlap");
    clsoftmax_context *nothing = NULL;
    cr_expect_eq(clsoftmax_cl_context_create(NULL, caller.device, &nothing), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_cl_context_create(caller.context, (cl_device_id)caller.context, &nothing),
                 CLSOFTMAX_DEVICE_NOT_FOUND);

    float p[SPAN];
    read_back(results, p, sizeof p);
    cr_expect(memcmp(p, caller.logits, sizeof p) == 0, "a call that failed has written");
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

/* Gives a plan of 16-byte accesses memory of the host that is aligned to floats alone, which it must refuse. */
Test(buffers, host_memory_that_is_not_aligned)
{
    static float memory[8 * 64 + 4] __attribute__((aligned(16)));
    clsoftmax_context *context = open_context();
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 8;
    problem.classes = 64;
    problem.strategy = CLSOFTMAX_STRATEGY_GROUP;
    clsoftmax_plan *plan = test_plan(context, &problem);
    for (int shift = 0; shift < 2; shift++) {
        cl_int error;
        cl_mem buffer = clCreateBuffer(caller.context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, 8 * 64 * sizeof(float),
                                       memory + shift, &error);
        cr_assert_eq(error, CL_SUCCESS);
        clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
        arguments.logits = arguments.results = buffer;
        cr_expect_eq(clsoftmax_cl_enqueue(plan, caller.queue, &arguments, 0, NULL, NULL),
                     shift ? CLSOFTMAX_INVALID_ARGUMENT : CLSOFTMAX_OK);
        cr_assert_eq(clFinish(caller.queue), CL_SUCCESS);
        clReleaseMemObject(buffer);
    }
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
}

/* Enqueues a call without rows, whose event must happen nevertheless. */
Test(buffers, no_rows)
{
    clsoftmax_context *context = open_context();
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.classes = 10;
    clsoftmax_plan *plan = test_plan(context, &problem);
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    cl_event done = NULL;
    cr_assert_eq(clsoftmax_cl_enqueue(plan, caller.queue, &arguments, 0, NULL, &done), CLSOFTMAX_OK, "%s",
                 clsoftmax_last_error());
    cr_assert_eq(clWaitForEvents(1, &done), CL_SUCCESS);
    clReleaseEvent(done);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
}
