/* What the tests of planning share: what decisions.h declares. */
#include "decisions.h"

#include <criterion/criterion.h>

const cls_limits gpu = {CLSOFTMAX_DEVICE_GPU, 80,  1,        1024, 49152, (uint64_t)1 << 30,
                        (uint64_t)4 << 30,    128, 32 << 20, 0,    NULL};
const cls_limits opencl_cpu = {CLSOFTMAX_DEVICE_OPENCL_CPU, 2,   16,       4096, 2 << 20, (uint64_t)1 << 30,
                               (uint64_t)4 << 30,           128, 32 << 20, 1,    NULL};
const cls_limits native = {CLSOFTMAX_DEVICE_CPU, 2, 1, 1, 0, 0, 0, 0, 0, 0, NULL};

clsoftmax_problem shape(uint64_t outer, uint64_t classes, uint64_t inner, clsoftmax_strategy strategy)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = outer;
    problem.classes = classes;
    problem.inner = inner;
    problem.strategy = strategy;
    return problem;
}

clsoftmax_problem check(const clsoftmax_problem *problem)
{
    clsoftmax_problem checked;
    cr_assert_eq(cls_problem_check(problem, &checked), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    return checked;
}

cls_decision decide(const cls_limits *limits, const clsoftmax_problem *problem)
{
    const clsoftmax_problem checked = check(problem);
    cls_decision decision;
    cr_assert_eq(cls_decide(&checked, limits, &decision), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    return decision;
}

cls_decision decide_by(const cls_limits *limits, clsoftmax_strategy strategy, uint64_t rows, uint64_t classes)
{
    const clsoftmax_problem problem = shape(rows, classes, 1, strategy);
    return decide(limits, &problem);
}

cls_decision decide_rows(const cls_limits *limits, uint64_t rows, uint64_t classes)
{
    return decide_by(limits, CLSOFTMAX_STRATEGY_AUTO, rows, classes);
}
