/* Problems that planning refuses before it decides anything: layouts that overlap, and strides that lead nowhere. The
   expected statuses are written out. */
#include "decisions.h"

#include <criterion/criterion.h>
#include <string.h>

/* Checks that strides are refused with which two results would share a place, and allowed for logits. */
Test(plan, layouts_that_overlap_are_refused)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.outer = 4;
    problem.classes = 10;
    problem.results_layout = (clsoftmax_layout){0, 9, 1, 1};
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_INVALID_SHAPE);
    problem.operation = CLSOFTMAX_OPERATION_NONE;
    problem.statistics = 1;
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK, "there are no results to lay out");
    problem.operation = CLSOFTMAX_OPERATION_SOFTMAX;
    problem.results_layout.outer_stride = 10;
    problem.logits_layout = (clsoftmax_layout){0, 0, 1, 1};
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK, "one row of logits for all is read only");
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
    problem.logits_layout.outer_stride = UINT64_MAX / 3;
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_INVALID_SHAPE);
}

/* Plans layouts with strides that are negative, as unsigned integers: an error that says so, except where no row or no
   second element has the stride. */
Test(plan, negative_strides)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.outer = 4;
    problem.classes = 10;
    problem.logits_layout = (clsoftmax_layout){30, (uint64_t)-10, 1, 1};
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_INVALID_SHAPE);
    cr_expect(strstr(clsoftmax_last_error(), "logits_layout.outer_stride is -10") != NULL, "%s",
              clsoftmax_last_error());
    problem.outer = 1;
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK, "one row: %s", clsoftmax_last_error());
    problem.outer = 0;
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK, "no rows: %s", clsoftmax_last_error());
    problem.outer = 4;
    problem.results_layout = problem.logits_layout;
    problem.logits_layout = (clsoftmax_layout){0, 0, 0, 0};
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_INVALID_SHAPE);
    problem.operation = CLSOFTMAX_OPERATION_NONE;
    problem.statistics = 1;
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK, "no results: %s", clsoftmax_last_error());
}
