/*
 * The public functions of clsoftmax.h that make, run and release contexts and plans. Each checks its arguments, lets
 * planning decide, and hands over to the backend of the context's device (context.h). Programs call them.
 */
#include "api.h"
#include "growing.h"
#include "plan/strategy.h"
#include "process.h"
#include "select.h"
#include "status.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- Context */

clsoftmax_status clsoftmax_context_create(const char *selector, clsoftmax_context **context)
{
    CLS_FAIL_IF(!context, CLSOFTMAX_INVALID_ARGUMENT, "context is NULL");
    *context = NULL;
    clsoftmax_context *opened = calloc(1, sizeof *opened);
    CLS_FAIL_IF(!opened, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    opened->process = cls_process();
    clsoftmax_status status = cls_select(selector, opened);
    if (status != CLSOFTMAX_OK) {
        free(opened);
        return status;
    }
    *context = opened;
    return CLSOFTMAX_OK;
}

void clsoftmax_context_release(clsoftmax_context *context)
{
    if (!context)
        return;
    context->backend->context_release(context);
    free(context);
}

const clsoftmax_device *clsoftmax_context_device(const clsoftmax_context *context)
{
    return context ? &context->device : NULL;
}

const char *clsoftmax_context_notice(const clsoftmax_context *context)
{
    return context && context->notice[0] ? context->notice : NULL;
}

int clsoftmax_strategy_supported(const clsoftmax_context *context, clsoftmax_strategy strategy)
{
    return context && cls_strategy_supported(context->device.type, strategy);
}

/* ---------------------------------------------------------------- Plan */

/* Sizes of the structs in the first version of the library that had them: up to the end of the last field of then. A
   caller's struct is never smaller. */
#define FIRST_PROBLEM_SIZE (offsetof(clsoftmax_problem, sweep_stride) + sizeof(uint64_t))
#define FIRST_ARGUMENTS_SIZE (offsetof(clsoftmax_arguments, invalid_rows) + sizeof(uint64_t *))

clsoftmax_status cls_check_process(const clsoftmax_context *context)
{
    CLS_FAIL_IF(context->process != cls_process(), CLSOFTMAX_FORKED,
                "this context was made before fork(); its threads and device are the parent's. Make a \"cpu\" one in "
                "the child");
    return CLSOFTMAX_OK;
}

void clsoftmax_problem_init(clsoftmax_problem *problem, size_t size)
{
    const clsoftmax_problem defaults = CLSOFTMAX_PROBLEM_INIT;
    cls_init_growing(problem, size, &defaults, sizeof defaults);
}

/* Checks the caller's problem, decides how to compute it, and lets the backend prepare the plan. Writes the plan's
   description. After a failure the plan is in a state that clsoftmax_plan_release accepts. */
static clsoftmax_status prepare(clsoftmax_plan *plan, const clsoftmax_problem *theirs)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    CLS_FORWARD(cls_read_growing(theirs, &problem, sizeof problem, FIRST_PROBLEM_SIZE, "clsoftmax_problem"));
    CLS_FORWARD(cls_problem_check(&problem, &plan->problem));
    CLS_FORWARD(cls_decide(&plan->problem, &plan->context->limits, &plan->decision));
    if (cls_problem_rows(&plan->problem) > 0)
        CLS_FORWARD(plan->context->backend->plan_prepare(plan));
    char label[200], tiles[240] = "";
    cls_variant_label(&plan->decision.variant, label, sizeof label);
    if (plan->decision.cut_rows > 0)
        snprintf(tiles, sizeof tiles, "; %llu row%s in %u parts, which all threads compute together",
                 (unsigned long long)plan->decision.cut_rows, plan->decision.cut_rows > 1 ? "s" : "",
                 plan->decision.parts);
    else if (!cls_is_native(plan->context->device.type))
        cls_describe_tiles(&plan->problem, &plan->decision, tiles, sizeof tiles);
    snprintf(plan->description, sizeof plan->description, "%s (%s)%s", label, plan->decision.reason, tiles);
    return CLSOFTMAX_OK;
}

clsoftmax_status clsoftmax_plan_create(clsoftmax_context *context, const clsoftmax_problem *problem,
                                       clsoftmax_plan **plan)
{
    CLS_FAIL_IF(!context || !problem || !plan, CLSOFTMAX_INVALID_ARGUMENT, "context, problem or plan is NULL");
    *plan = NULL;
    CLS_FORWARD(cls_check_process(context));
    clsoftmax_plan *made = calloc(1, sizeof *made);
    CLS_FAIL_IF(!made, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a plan");
    made->context = context;
    clsoftmax_status status = prepare(made, problem);
    if (status != CLSOFTMAX_OK) {
        clsoftmax_plan_release(made);
        return status;
    }
    *plan = made;
    return CLSOFTMAX_OK;
}

void clsoftmax_plan_release(clsoftmax_plan *plan)
{
    if (!plan)
        return;
    plan->context->backend->plan_release(plan);
    free(plan);
}

const char *clsoftmax_plan_description(const clsoftmax_plan *plan)
{
    return plan ? plan->description : NULL;
}

/* ---------------------------------------------------------------- Run */

void clsoftmax_arguments_init(clsoftmax_arguments *arguments, size_t size)
{
    const clsoftmax_arguments defaults = CLSOFTMAX_ARGUMENTS_INIT;
    cls_init_growing(arguments, size, &defaults, sizeof defaults);
}

clsoftmax_status clsoftmax_plan_run(clsoftmax_plan *plan, const clsoftmax_arguments *theirs)
{
    CLS_FAIL_IF(!plan || !theirs, CLSOFTMAX_INVALID_ARGUMENT, "plan or arguments is NULL");
    CLS_FORWARD(cls_check_process(plan->context));
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    CLS_FORWARD(cls_read_growing(theirs, &arguments, sizeof arguments, FIRST_ARGUMENTS_SIZE, "clsoftmax_arguments"));
    if (cls_operand_is_logits(&plan->problem))
        arguments.operand = arguments.logits;
    CLS_FORWARD(cls_arguments_check(&plan->problem, &arguments));
    uint64_t invalid_rows = 0;
    if (cls_problem_rows(&plan->problem) > 0)
        CLS_FORWARD(plan->context->backend->plan_run(plan, &arguments, &invalid_rows));
    if (arguments.invalid_rows)
        *arguments.invalid_rows = invalid_rows;
    return CLSOFTMAX_OK;
}

/* Makes a plan, runs it once, and releases it. */
static clsoftmax_status run_once(clsoftmax_context *context, const clsoftmax_problem *problem,
                                 const clsoftmax_arguments *arguments)
{
    clsoftmax_plan *plan = NULL;
    CLS_FORWARD(clsoftmax_plan_create(context, problem, &plan));
    clsoftmax_status status = clsoftmax_plan_run(plan, arguments);
    clsoftmax_plan_release(plan);
    return status;
}

clsoftmax_status clsoftmax_run(clsoftmax_context *context, uint64_t rows, uint64_t classes, const float *logits,
                               float temperature, float *probabilities)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = rows;
    problem.classes = classes;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.temperature = temperature;
    arguments.results = probabilities;
    return run_once(context, &problem, &arguments);
}

clsoftmax_status clsoftmax_sweep(clsoftmax_context *context, uint64_t rows, uint64_t classes, const float *logits,
                                 uint64_t count, const float *temperatures, float *probabilities,
                                 clsoftmax_statistics *statistics)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = count > 0 ? rows : 0;
    problem.classes = classes;
    problem.sweep = count;
    problem.operation = probabilities ? CLSOFTMAX_OPERATION_SOFTMAX : CLSOFTMAX_OPERATION_NONE;
    problem.statistics = statistics != NULL;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.temperatures = temperatures;
    arguments.results = probabilities;
    arguments.statistics = statistics;
    return run_once(context, &problem, &arguments);
}

/* Writes the mean loss of `labelled` rows; the losses of the others are 0. */
static void write_mean(const float *losses, uint64_t rows, uint64_t labelled, double *mean)
{
    clsoftmax_total total = CLSOFTMAX_TOTAL_INIT;
    clsoftmax_total_add(&total, losses, rows);
    *mean = labelled > 0 ? clsoftmax_total_value(&total) / (double)labelled : NAN;
}

/* Runs a problem whose losses go to `losses`, or to memory of its own where that is NULL; and writes the mean of them
   over `counted` rows. */
static clsoftmax_status run_for_mean(clsoftmax_context *context, const clsoftmax_problem *problem,
                                     clsoftmax_arguments *arguments, float *losses, uint64_t counted, double *mean)
{
    const uint64_t rows = problem->outer;
    float *own = losses || rows == 0 ? NULL : malloc((size_t)rows * sizeof *own);
    CLS_FAIL_IF(!losses && rows > 0 && !own, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for %llu losses",
                (unsigned long long)rows);
    arguments->losses = losses ? losses : own;
    arguments->scale = counted > 0 ? 1.0f / (float)counted : 1.0f;
    const clsoftmax_status status = run_once(context, problem, arguments);
    if (status == CLSOFTMAX_OK && mean)
        write_mean(arguments->losses, rows, counted, mean);
    free(own);
    return status;
}

clsoftmax_status clsoftmax_loss(clsoftmax_context *context, uint64_t rows, uint64_t classes, const float *logits,
                                float temperature, const int64_t *labels, float *gradient, float *losses, double *mean)
{
    CLS_FAIL_IF(!labels && rows > 0, CLSOFTMAX_INVALID_ARGUMENT, "labels is NULL");
    uint64_t labelled = 0;
    for (uint64_t r = 0; r < rows; r++)
        labelled += (uint64_t)labels[r] < classes;
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = rows;
    problem.classes = classes;
    problem.operation = gradient ? CLSOFTMAX_OPERATION_CROSS_ENTROPY_GRADIENT : CLSOFTMAX_OPERATION_CROSS_ENTROPY;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.temperature = temperature;
    arguments.labels = labels;
    arguments.results = gradient;
    return run_for_mean(context, &problem, &arguments, losses, labelled, mean);
}

clsoftmax_status clsoftmax_loss_of_targets(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                           const float *logits, float temperature, const float *targets,
                                           float *gradient, float *losses, double *mean)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = rows;
    problem.classes = classes;
    problem.operation =
        gradient ? CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS_GRADIENT : CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.operand = targets;
    arguments.temperature = temperature;
    arguments.results = gradient;
    return run_for_mean(context, &problem, &arguments, losses, rows, mean);
}

clsoftmax_status clsoftmax_distill(clsoftmax_context *context, uint64_t rows, uint64_t classes, const float *student,
                                   const float *teacher, float temperature, float *gradient, float *losses,
                                   double *mean)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = rows;
    problem.classes = classes;
    problem.operation = gradient ? CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT : CLSOFTMAX_OPERATION_DISTILLATION;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = student;
    arguments.operand = teacher;
    arguments.temperature = temperature;
    arguments.results = gradient;
    return run_for_mean(context, &problem, &arguments, losses, rows, mean);
}
