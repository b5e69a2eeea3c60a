/* The exact results of the benchmark (bench/truth.h): device reference is within the promise of every operation, and
   what was computed from other numbers is not. */
#include "truth.h"

#include "support/messages.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char program_name[] = "test_truth";

/* Describes a workload of one slot, and fills its arrays. */
static workload make_workload(clsoftmax_operation operation, float temperature, int axis, int descriptor,
                              clsoftmax_context *context)
{
    const dtype_choice dtypes = {CLSOFTMAX_F32, CLSOFTMAX_F32};
    workload made = {.problem = workload_problem(operation, (shape){5, 40}, dtypes, axis),
                     .rows = 5,
                     .axis = axis,
                     .temperature = temperature,
                     .descriptor = descriptor};
    cr_assert(workload_prepare(&made, context, 0) == EXIT_DONE);
    return made;
}

/* Computes the results of slot 0. */
static void run(const workload *workload, clsoftmax_context *context)
{
    clsoftmax_plan *plan = NULL;
    const clsoftmax_arguments arguments = workload_arguments(workload, 0);
    cr_assert(clsoftmax_plan_create(context, &workload->problem, &plan) == CLSOFTMAX_OK);
    cr_assert(clsoftmax_plan_run(plan, &arguments) == CLSOFTMAX_OK);
    clsoftmax_plan_release(plan);
}

/* Returns the error of what is in slot 0, in errors that are promised. */
static double error_of(const workload *workload)
{
    truth truth;
    cr_assert(truth_compute(&truth, workload) == EXIT_DONE);
    const double error = truth_distance(&truth, workload, 0).ulp;
    truth_release(&truth);
    return error / truth_promised(workload, CLSOFTMAX_ACCURACY_FAITHFUL);
}

/* Exchanges the largest number of the first row with its neighbour, or takes the next class as its label. */
static void change(const workload *workload, call_array array)
{
    const uint64_t classes = workload->problem.classes;
    float *numbers = workload_array(workload, array, 0);
    int64_t *labels = workload_array(workload, CALL_LABELS, 0);
    uint64_t largest = 0;
    if (array == CALL_LABELS) {
        labels[0] = (labels[0] + 1) % (int64_t)classes;
        return;
    }
    for (uint64_t c = 1; c < classes; c++)
        if (numbers[workload_place(workload, 0, c)] > numbers[workload_place(workload, 0, largest)])
            largest = c;
    float *one = &numbers[workload_place(workload, 0, largest)];
    float *other = &numbers[workload_place(workload, 0, (largest + 1) % classes)], kept = *one;
    *one = *other;
    *other = kept;
}

/* Expects that results are right, and wrong as soon as one of the numbers that they are made of is another. */
static void check(clsoftmax_operation operation, float temperature, int axis, int descriptor,
                  clsoftmax_context *context)
{
    static const call_array inputs[] = {CALL_LOGITS, CALL_OPERAND, CALL_LABELS};
    const char *name = clsoftmax_operation_name(operation);
    for (size_t i = 0; i <= sizeof inputs / sizeof *inputs; i++) {
        const int is_changed = i < sizeof inputs / sizeof *inputs;
        workload workload = make_workload(operation, temperature, axis, descriptor, context);
        run(&workload, context);
        cr_expect(error_of(&workload) <= 1, "%s at T = %g: %g of what is promised", name, (double)temperature,
                  error_of(&workload));
        if (is_changed && workload.bytes[inputs[i]] > 0) {
            change(&workload, inputs[i]);
            cr_expect(error_of(&workload) > 1, "%s at T = %g: array %d is not looked at", name, (double)temperature,
                      inputs[i]);
        }
        workload.temperature *= 1 + 0x1p-12f;
        cr_expect(error_of(&workload) > 1, "%s: T is not looked at", name);
        workload_finish(&workload);
    }
}

Test(truth, results_are_right_and_depend_on_what_they_are_made_of)
{
    clsoftmax_context *context = NULL;
    int descriptor = 0, checked = 0;
    cr_assert(clsoftmax_context_create("reference", &context) == CLSOFTMAX_OK);
    cr_assert(workload_memory_open(&descriptor) == EXIT_DONE);
    for (int i = 0; i < CLSOFTMAX_OPERATION_COUNT; i++) {
        const clsoftmax_operation operation = (clsoftmax_operation)i;
        if (!truth_has(operation))
            continue;
        for (int axis = -1; axis <= 0; axis++) {
            check(operation, 1, axis, descriptor, context);
            check(operation, 0.25f, axis, descriptor, context);
            check(operation, 4, axis, descriptor, context);
        }
        checked++;
    }
    cr_expect(checked >= 7);
    close(descriptor);
    clsoftmax_context_release(context);
}

Test(truth, what_cannot_be_verified_has_no_truth)
{
    cr_expect(!truth_has(CLSOFTMAX_OPERATION_NONE));
    cr_expect(!truth_has(CLSOFTMAX_OPERATION_CROSS_ENTROPY));
    cr_expect(truth_has_at(CLSOFTMAX_OPERATION_SOFTMAX, 0) && truth_has_at(CLSOFTMAX_OPERATION_SOFTMAX, INFINITY));
    cr_expect(!truth_has_at(CLSOFTMAX_OPERATION_SENSITIVITY, 0));
    cr_expect(!truth_has_at(CLSOFTMAX_OPERATION_SENSITIVITY, INFINITY));
    cr_expect(truth_has_at(CLSOFTMAX_OPERATION_SENSITIVITY, 0.5f));
}
