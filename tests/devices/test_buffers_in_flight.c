/* Device-buffer calls under way together: kernels of `split` that share scratch memory, and threads that share a
   context. The oracle is cpu, bit for bit; a wrong order would mix the calls' very different logits. */
#include "buffers.h"
#include "support/device.h"
#include "support/driver.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- split: kernels that share scratch memory */

static clsoftmax_plan *make_split_plan(clsoftmax_context *context)
{
    clsoftmax_problem problem = strided_problem();
    problem.strategy = CLSOFTMAX_STRATEGY_SPLIT;
    problem.work_group_size = 2; /* many parts */
    return test_plan(context, &problem);
}

/* Enqueues calls with different logits on one plan, none of which waits for another: to two queues, one of them out of
   order, behind a gate. */
Test(buffers, split_calls_do_not_disturb_each_other)
{
    enum { CALLS = 12 };
    clsoftmax_context *context = open_context();
    clsoftmax_plan *plan = make_split_plan(context);
    cl_int error;
    cl_command_queue queues[2] = {caller.queue, clCreateCommandQueue(caller.context, caller.device,
                                                                     CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &error)};
    if (error != CL_SUCCESS) {
        fprintf(stderr, "split: no queue is out of order here\n");
        queues[1] = clCreateCommandQueue(caller.context, caller.device, 0, &error);
    }
    cl_event gate = clCreateUserEvent(caller.context, &error), done[CALLS];
    cl_mem results[CALLS];
    float shifted[SPAN], p[SPAN];
    for (int call = 0; call < CALLS; call++) {
        clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
        for (int i = 0; i < SPAN; i++)
            shifted[i] = call % 2 ? caller.logits[i]
                                  : caller.logits[i] * 1024; /* so that the sums of another call would be wrong */
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
            cr_expect(
                memcmp(p + OFFSET + row * LEADING, caller.expected + OFFSET + row * LEADING, CLASSES * sizeof *p) == 0,
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

/* Lets the driver fail to say whether the last user of the scratch memory is done: the library must then take the
   memory to be in use. */
Test(buffers, split_waits_where_the_driver_does_not_answer)
{
    clsoftmax_context *context = open_context();
    clsoftmax_plan *plan = make_split_plan(context);
    cl_int error;
    cl_command_queue other = clCreateCommandQueue(caller.context, caller.device, 0, &error);
    cl_event gate = clCreateUserEvent(caller.context, &error), done[2];
    cl_mem logits = buffer_of(caller.logits, sizeof caller.logits),
           results[2] = {buffer_of(caller.logits, sizeof caller.logits),
                         buffer_of(caller.logits, sizeof caller.logits)};
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.results = results[0];
    driver_observe();
    cr_assert_eq(clsoftmax_cl_enqueue(plan, caller.queue, &arguments, 1, &gate, &done[0]), CLSOFTMAX_OK);
    arguments.results = results[1];
    driver_fail("clGetEventInfo", 1);
    cr_assert_eq(clsoftmax_cl_enqueue(plan, other, &arguments, 0, NULL, &done[1]), CLSOFTMAX_OK);
    cr_expect(driver_has_failed());
    cl_int execution = CL_QUEUED;
    for (int i = 0; i < 100 && execution != CL_COMPLETE; i++) {
        usleep(2000); /* enough time for a call that does not wait */
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

/* ---------------------------------------------------------------- Threads */

static void *run_many(void *context)
{
    clsoftmax_problem problem = strided_problem();
    clsoftmax_plan *plan = NULL;
    float p[SPAN];
    intptr_t wrong = clsoftmax_plan_create(context, &problem, &plan) != CLSOFTMAX_OK;
    for (int i = 0; i < 20 && !wrong; i++) {
        clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
        memcpy(p, caller.logits, sizeof p);
        arguments.logits = caller.logits;
        arguments.results = p;
        arguments.temperature = 0.7f;
        wrong = clsoftmax_plan_run(plan, &arguments) != CLSOFTMAX_OK || memcmp(p, caller.expected, sizeof p) != 0;
    }
    clsoftmax_plan_release(plan);
    return (void *)wrong;
}

/* Runs two plans from two threads on one context, of OpenCL and of the CPU. */
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
