/* Calls that the library must refuse, on cpu: they give the documented status, and write nothing. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Passes values that are wrong, alone or together. */
Test(contract, wrong_arguments)
{
    clsoftmax_context *context = test_open("cpu");
    float x[4] = {1, 2, 3, 4}, p[4] = {7, 7, 7, 7};
    cr_expect_eq(clsoftmax_run(context, 1, 4, x, -1, p), CLSOFTMAX_INVALID_TEMPERATURE);
    cr_expect_eq(clsoftmax_run(context, 1, 4, x, NAN, p), CLSOFTMAX_INVALID_TEMPERATURE);
    cr_expect(strstr(clsoftmax_last_error(), "nan") != NULL, "%s", clsoftmax_last_error());
    cr_expect_eq(clsoftmax_run(context, 1, 0, x, 1, p), CLSOFTMAX_INVALID_SHAPE);
    cr_expect_eq(clsoftmax_run(context, UINT64_MAX / 2, 3, x, 1, p), CLSOFTMAX_INVALID_SHAPE);
    cr_expect_eq(clsoftmax_run(context, 1, 4, NULL, 1, p), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_run(context, 1, 4, x, 1, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_run(NULL, 1, 4, x, 1, p), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_run(context, 1, 3, x, 1, x + 1), CLSOFTMAX_INVALID_ARGUMENT, "overlap");
    cr_expect_eq(clsoftmax_run(context, 0, 4, NULL, 1, NULL), CLSOFTMAX_OK, "no rows: nothing to do");
    clsoftmax_problem halves = CLSOFTMAX_PROBLEM_INIT;
    clsoftmax_plan *of_halves = NULL;
    const clsoftmax_arguments in_place = {
        .size = sizeof(clsoftmax_arguments), .logits = x, .results = x, .temperature = 1, .scale = 1};
    halves.outer = 1;
    halves.classes = 4;
    halves.results_dtype = CLSOFTMAX_F16;
    cr_assert_eq(clsoftmax_plan_create(context, &halves, &of_halves), CLSOFTMAX_OK);
    cr_expect_eq(clsoftmax_plan_run(of_halves, &in_place), CLSOFTMAX_INVALID_ARGUMENT, "in place, of another size");
    clsoftmax_plan_release(of_halves);
    clsoftmax_problem group = CLSOFTMAX_PROBLEM_INIT;
    group.outer = group.classes = 1;
    group.strategy = CLSOFTMAX_STRATEGY_GROUP;
    clsoftmax_plan *plan = (clsoftmax_plan *)x;
    cr_expect_eq(clsoftmax_plan_create(context, &group, &plan), CLSOFTMAX_UNSUPPORTED);
    cr_expect_null(plan);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(p[i], 7, "an error has written a result");
    clsoftmax_context_release(context);
}

/* Calls each function that takes a pointer without it. */
Test(contract, missing_arguments)
{
    clsoftmax_context *context = test_open("cpu");
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = problem.classes = 2;
    clsoftmax_plan *plan = NULL;
    clsoftmax_device *devices;
    const uint64_t shape[] = {2, 2};
    size_t count;
    cr_expect_eq(clsoftmax_context_create("cpu", NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_devices_list(NULL, &count), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_devices_list(&devices, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_plan_create(context, NULL, &plan), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_plan_create(context, &problem, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_problem_set_shape(NULL, 2, shape, 0), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 2, NULL, 0), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_null(clsoftmax_context_device(NULL));
    cr_expect_null(clsoftmax_context_notice(NULL));
    cr_expect_null(clsoftmax_context_notice(context));
    cr_expect_null(clsoftmax_plan_description(NULL));
    cr_expect_not(clsoftmax_strategy_supported(NULL, CLSOFTMAX_STRATEGY_ITEM));
    cr_expect_not(clsoftmax_strategy_supported(context, CLSOFTMAX_STRATEGY_SPLIT));
    cr_expect(clsoftmax_strategy_supported(context, CLSOFTMAX_STRATEGY_LANE));
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    float x[4] = {1, 2, 3, 4}, p[4];
    arguments.logits = x;
    arguments.results = p;
    cr_expect_eq(clsoftmax_plan_run(NULL, &arguments), CLSOFTMAX_INVALID_ARGUMENT);
    problem.temperature_per_row = 1;
    cr_assert_eq(clsoftmax_plan_create(context, &problem, &plan), CLSOFTMAX_OK);
    cr_expect_eq(clsoftmax_plan_run(plan, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_INVALID_ARGUMENT, "no temperatures");
    clsoftmax_plan_release(plan);
    problem.temperature_per_row = 0;
    problem.statistics = 1;
    cr_assert_eq(clsoftmax_plan_create(context, &problem, &plan), CLSOFTMAX_OK);
    cr_expect_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_INVALID_ARGUMENT, "no statistics");
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
}

/* Passes a number outside of each enumeration: it has no name, and a problem with it is refused. */
Test(contract, numbers_without_a_name)
{
    enum { NONE = 99 };
    clsoftmax_context *context = test_open("cpu");
    cr_expect_null(clsoftmax_dtype_name((clsoftmax_dtype)NONE));
    cr_expect_null(clsoftmax_accuracy_name((clsoftmax_accuracy)NONE));
    cr_expect_str_eq(clsoftmax_accuracy_name(CLSOFTMAX_ACCURACY_FAST), "fast");
    cr_expect_eq(clsoftmax_dtype_size((clsoftmax_dtype)NONE), 0u);
    cr_expect_null(clsoftmax_operation_name((clsoftmax_operation)NONE));
    cr_expect_null(clsoftmax_strategy_name((clsoftmax_strategy)NONE));
    cr_expect_null(clsoftmax_strategy_rule((clsoftmax_strategy)NONE));
    cr_expect_not(clsoftmax_strategy_supported(context, (clsoftmax_strategy)NONE));
    cr_expect_not(clsoftmax_strategy_supported(context, CLSOFTMAX_STRATEGY_COUNT));
    for (int which = 0; which < 6; which++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
        clsoftmax_plan *plan = NULL;
        problem.outer = problem.classes = 2;
        problem.operation = which == 0 ? (clsoftmax_operation)NONE : problem.operation;
        problem.logits_dtype = which == 1 ? (clsoftmax_dtype)NONE : problem.logits_dtype;
        problem.results_dtype = which == 2 ? (clsoftmax_dtype)NONE : problem.results_dtype;
        problem.strategy = which == 3 ? (clsoftmax_strategy)NONE : problem.strategy;
        problem.neg_inf_rows = which == 4 ? (clsoftmax_neg_inf_rows)NONE : problem.neg_inf_rows;
        problem.pos_inf = which == 5 ? (clsoftmax_pos_inf)NONE : problem.pos_inf;
        cr_expect_eq(clsoftmax_plan_create(context, &problem, &plan), CLSOFTMAX_INVALID_ARGUMENT, "%d", which);
        cr_expect_null(plan);
    }
    clsoftmax_context_release(context);
}

/* Passes sizes whose product overflows, before the axis and behind it, and an axis that does not exist. */
Test(contract, shapes_that_are_none)
{
    const uint64_t large = (uint64_t)1 << 40, shapes[][3] = {{large, large, 2}, {2, large, large}, {large, 2, large}};
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    const uint64_t many[65] = {0};
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, shapes[0], 2), CLSOFTMAX_INVALID_SHAPE);
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, shapes[1], 0), CLSOFTMAX_INVALID_SHAPE);
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, shapes[2], 1), CLSOFTMAX_INVALID_SHAPE);
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, shapes[0], 3), CLSOFTMAX_INVALID_SHAPE);
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, shapes[0], -4), CLSOFTMAX_INVALID_SHAPE);
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 65, many, 0), CLSOFTMAX_INVALID_SHAPE);
}

/* Sets variables of the environment that cpu cannot follow. */
Test(contract, environment_of_cpu)
{
    static const char *const wrong[] = {"0", "-1", "2x", "1025", "x"};
    clsoftmax_context *context = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("CLSOFTMAX_THREADS", wrong[i], 1);
        cr_expect_eq(clsoftmax_context_create("cpu", &context), CLSOFTMAX_INVALID_ARGUMENT, "%s", wrong[i]);
    }
    setenv("CLSOFTMAX_THREADS", "", 1);
    setenv("CLSOFTMAX_CPU_ISA", "mmx", 1);
    cr_expect_eq(clsoftmax_context_create("cpu", &context), CLSOFTMAX_DEVICE_UNUSABLE);
    cr_expect(strstr(clsoftmax_last_error(), "mmx"), "%s", clsoftmax_last_error());
    cr_expect(strstr(clsoftmax_last_error(), "baseline"), "%s", clsoftmax_last_error());
    setenv("CLSOFTMAX_CPU_ISA", "", 1);
    cr_assert_eq(clsoftmax_context_create("cpu", &context), CLSOFTMAX_OK);
    clsoftmax_context_release(context);
}

/* Passes structs of other sizes than this library's: an older program's is shorter, a newer one's longer. */
Test(contract, structs_that_grow)
{
    struct {
        clsoftmax_problem problem;
        char beyond[8];
    } newer = {CLSOFTMAX_PROBLEM_INIT, {0}};
    clsoftmax_context *context = test_open("cpu");
    clsoftmax_plan *plan = NULL;
    newer.problem.outer = newer.problem.classes = 1;
    newer.problem.size = sizeof newer;
    cr_assert_eq(clsoftmax_plan_create(context, &newer.problem, &plan), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    clsoftmax_plan_release(plan);
    newer.beyond[3] = 1;
    cr_expect_eq(clsoftmax_plan_create(context, &newer.problem, &plan), CLSOFTMAX_UNSUPPORTED);
    const size_t first = offsetof(clsoftmax_problem, accuracy); /* of programs from before that field */
    const size_t wrong[] = {0, sizeof(size_t), first - 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        newer.problem.size = wrong[i];
        cr_expect_eq(clsoftmax_plan_create(context, &newer.problem, &plan), CLSOFTMAX_INVALID_ARGUMENT);
        cr_expect(strstr(clsoftmax_last_error(), "size") != NULL, "%s", clsoftmax_last_error());
    }
    newer.problem.accuracy = CLSOFTMAX_ACCURACY_COUNT;
    newer.problem.size = first;
    cr_expect_eq(clsoftmax_plan_create(context, &newer.problem, &plan), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    clsoftmax_plan_release(plan);
    newer.problem.size = sizeof newer.problem;
    cr_expect_eq(clsoftmax_plan_create(context, &newer.problem, &plan), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect(strstr(clsoftmax_last_error(), "accuracy") != NULL, "%s", clsoftmax_last_error());
    newer.problem.accuracy = CLSOFTMAX_ACCURACY_FAST;
    cr_assert_eq(clsoftmax_plan_create(context, &newer.problem, &plan), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.size = 1;
    cr_expect_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_INVALID_ARGUMENT);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
}

/* Sets structs by the functions, which must do what the macros do, whatever the structs held. */
Test(contract, structs_set_by_functions)
{
    clsoftmax_problem problem, wanted = CLSOFTMAX_PROBLEM_INIT;
    memset(&problem, 0xA5, sizeof problem);
    clsoftmax_problem_init(&problem, sizeof problem);
    cr_expect_eq(problem.size, wanted.size);
    cr_expect_eq(problem.inner, 1);
    cr_expect_eq(problem.operation, CLSOFTMAX_OPERATION_SOFTMAX);
    cr_expect_eq(problem.sweep_stride, 0);
    clsoftmax_arguments arguments;
    memset(&arguments, 0xA5, sizeof arguments);
    clsoftmax_arguments_init(&arguments, sizeof arguments);
    cr_expect(arguments.size == sizeof arguments && arguments.temperature == 1 && !arguments.logits &&
              !arguments.invalid_rows);
    struct {
        clsoftmax_arguments arguments;
        char beyond[8];
    } newer;
    memset(&newer, 0xA5, sizeof newer);
    clsoftmax_arguments_init(&newer.arguments, sizeof newer);
    cr_expect(newer.arguments.size == sizeof newer && newer.beyond[0] == 0 && newer.beyond[7] == 0);
    problem.classes = 77;
    clsoftmax_problem_init(&problem, sizeof problem.size - 1); /* too small for its own size */
    cr_expect_eq(problem.classes, 77);
    clsoftmax_problem_init(NULL, sizeof problem);
}

/* Asks for tuning numbers until there are no more, and for none of nothing. */
Test(contract, tuning_numbers)
{
    clsoftmax_context *context = test_open("cpu");
    const clsoftmax_device *device = clsoftmax_context_device(context);
    clsoftmax_tuning number;
    size_t count = 0;
    while (clsoftmax_device_tuning(device, count, &number)) {
        cr_expect(*number.name && *number.meaning);
        count++;
    }
    cr_expect_gt(count, 20);
    cr_expect_not(clsoftmax_device_tuning(device, SIZE_MAX, &number));
    cr_expect_not(clsoftmax_device_tuning(NULL, 0, &number));
    cr_expect_not(clsoftmax_device_tuning(device, 0, NULL));
    clsoftmax_context_release(context);
}
