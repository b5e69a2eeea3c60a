/* Contenders that are this library: a strategy on a device, from host memory and on the device's own buffers. Part of
   contender.h. */
#include "contender.h"
#include "opencl/opencl_api.h"
#include "support/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct library_state {
    clsoftmax_context *own_context; /* made for each workload, so that its kernels are built anew, or kept */
    clsoftmax_plan *plan;
} library_state;

static int make_plan(contender *contender, clsoftmax_context *context)
{
    library_state *state = contender->state;
    clsoftmax_problem problem = contender->workload->problem;
    problem.strategy = contender->strategy;
    problem.accuracy = contender->accuracy;
    if (clsoftmax_plan_create(context, &problem, &state->plan) != CLSOFTMAX_OK)
        return contender_fail_library(contender);
    snprintf(contender->detail, sizeof contender->detail, "%s", clsoftmax_plan_description(state->plan));
    return 1;
}

static void library_finish(contender *contender)
{
    library_state *state = contender->state;
    clsoftmax_plan_release(state->plan);
    state->plan = NULL;
    if (contender->keeps_kernels)
        return;
    clsoftmax_context_release(state->own_context);
    state->own_context = NULL;
}

static void library_release(contender *contender)
{
    library_state *state = contender->state;
    if (state)
        clsoftmax_context_release(state->own_context);
    free(state);
}

/* ---------------------------------------------------------------- From host memory */

static int host_prepare(contender *contender)
{
    return make_plan(contender, contender->device->context);
}

static int host_run(contender *contender, unsigned first, unsigned passes, double *seconds)
{
    const workload *workload = contender->workload;
    const library_state *state = contender->state;
    double start = now();
    for (unsigned pass = first; pass < first + passes; pass++) {
        const clsoftmax_arguments arguments = workload_arguments(workload, pass % workload->slots);
        if (clsoftmax_plan_run(state->plan, &arguments) != CLSOFTMAX_OK)
            return contender_fail_library(contender);
    }
    *seconds = now() - start;
    return 1;
}

/* ---------------------------------------------------------------- On the buffers of a device */

static int buffers_run(contender *contender, unsigned first, unsigned passes, double *seconds)
{
    const bench_device *device = contender->device;
    const library_state *state = contender->state;
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.temperature = contender->workload->temperature;
    double start = now();
    for (unsigned pass = first; pass < first + passes; pass++) {
        const unsigned slot = pass % device->slots;
        arguments.logits = bench_device_buffer(device, CALL_LOGITS, slot);
        arguments.results = bench_device_buffer(device, CALL_RESULTS, slot);
        arguments.operand = bench_device_buffer(device, CALL_OPERAND, slot);
        arguments.labels = bench_device_buffer(device, CALL_LABELS, slot);
        arguments.losses = bench_device_buffer(device, CALL_LOSSES, slot);
        if (clsoftmax_cl_enqueue(state->plan, device->queue, &arguments, 0, NULL, NULL) != CLSOFTMAX_OK)
            return contender_fail_library(contender);
    }
    cl_int error = cls_opencl.clFinish(device->queue);
    *seconds = now() - start;
    return error == CL_SUCCESS || contender_fail(contender, "clFinish: OpenCL error %d", error);
}

/* Makes a plan and measures how long building takes. Drivers build when the program is made, or when a kernel first
   runs, so that is the time of the plan and the first run, less the time of a second run. */
static int buffers_prepare(contender *contender)
{
    library_state *state = contender->state;
    const bench_device *device = contender->device;
    if (!state->own_context && clsoftmax_cl_context_create(device->cl, device->id, &state->own_context) != CLSOFTMAX_OK)
        return contender_fail_library(contender);
    double start = now(), first_run, second_run;
    if (!make_plan(contender, state->own_context))
        return 0;
    contender->build_seconds = now() - start;
    if (!buffers_run(contender, 0, 1, &first_run) || !buffers_run(contender, 0, 1, &second_run))
        return 0;
    contender->build_seconds += first_run > second_run ? first_run - second_run : 0;
    return 1;
}

static int buffers_fetch(contender *contender, unsigned slot)
{
    cl_int error = bench_device_read(contender->device, contender->workload, slot);
    return error == CL_SUCCESS || contender_fail(contender, "clEnqueueReadBuffer: OpenCL error %d", error);
}

/* ---------------------------------------------------------------- The strategies of a device */

static int add_strategy(contender_list *list, contender_kind kind, const contender_functions *functions,
                        bench_device *device, clsoftmax_strategy strategy, clsoftmax_accuracy accuracy)
{
    contender *added = contender_list_add(list, kind, functions);
    if (!added)
        return EXIT_FAILED;
    added->device = device;
    added->strategy = strategy;
    added->accuracy = accuracy;
    snprintf(added->name, sizeof added->name, "%s%s", clsoftmax_strategy_name(strategy),
             accuracy == CLSOFTMAX_ACCURACY_FAST ? " fast" : "");
    added->state = calloc(1, sizeof(library_state));
    COMPLAIN_IF(!added->state, EXIT_FAILED, "no memory for contenders");
    return EXIT_DONE;
}

int add_library(contender_list *list, bench_device *device, unsigned strategies, clsoftmax_accuracy accuracy)
{
    static const contender_functions from_host = {
        .prepare = host_prepare, .run = host_run, .finish = library_finish, .release = library_release};
    static const contender_functions on_buffers = {.prepare = buffers_prepare,
                                                   .run = buffers_run,
                                                   .fetch = buffers_fetch,
                                                   .finish = library_finish,
                                                   .release = library_release};
    for (int i = 0; i < CLSOFTMAX_STRATEGY_COUNT; i++) {
        const clsoftmax_strategy strategy = (clsoftmax_strategy)i;
        if (!(strategies >> i & 1) || !clsoftmax_strategy_supported(device->context, strategy))
            continue;
        FORWARD(
            add_strategy(list, CONTENDER_LIBRARY, device->cl ? &on_buffers : &from_host, device, strategy, accuracy));
        if (device->cl)
            FORWARD(add_strategy(list, CONTENDER_END_TO_END, &from_host, device, strategy, accuracy));
    }
    return EXIT_DONE;
}
