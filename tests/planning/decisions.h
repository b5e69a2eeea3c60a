/* What the tests of planning share: devices as their drivers would describe them, problems, and what planning decides.
   A helper that cannot give its answer fails the test with the library's reason. */
#ifndef CLSOFTMAX_TEST_DECISIONS_H
#define CLSOFTMAX_TEST_DECISIONS_H

#include "core/interface.h"
#include "plan/plan.h"
#include "problem.h"

extern const cls_limits gpu, opencl_cpu, native;

/* Makes a problem of f32 in dense arrays. */
clsoftmax_problem shape(uint64_t outer, uint64_t classes, uint64_t inner, clsoftmax_strategy strategy);

/* Returns the problem as the library completes it. */
clsoftmax_problem check(const clsoftmax_problem *problem);

/* Returns what planning decides for a problem that is not checked yet. */
cls_decision decide(const cls_limits *limits, const clsoftmax_problem *problem);

/* Returns what planning decides for dense rows: by any strategy, or by the named one. */
cls_decision decide_rows(const cls_limits *limits, uint64_t rows, uint64_t classes);
cls_decision decide_by(const cls_limits *limits, clsoftmax_strategy strategy, uint64_t rows, uint64_t classes);

#endif
