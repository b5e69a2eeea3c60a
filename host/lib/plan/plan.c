/* Decides how a problem is computed: its strategy, its variant by the strategy's row of the table, its launches, its
   tiles. See plan.h. */
#include "plan.h"

#include "../problem.h"
#include "../status.h"
#include "core/interface.h"
#include "strategy.h"

#include <string.h>

/* ---------------------------------------------------------------- Launches */

/* Most work-items of a launch: some runtimes reject larger ones. */
#define MOST_WORK_ITEMS ((uint64_t)1 << 31)

/* Most temperatures of a launch: kernels count them in 32 bits, and a launch of so many has more than enough to do. */
#define MOST_TEMPERATURES ((uint64_t)1 << 20)

uint64_t cls_global_size(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer)
{
    return cls_strategy_of(decision->variant.strategy)->global_size(problem, decision, outer);
}

/* Decides how many outer indices and temperatures one launch has at most. UNSUPPORTED if not even one outer index fits
   a launch. */
static clsoftmax_status choose_launch(const clsoftmax_problem *problem, const cls_limits *limits,
                                      cls_decision *decision)
{
    const cls_strategy *strategy = cls_strategy_of(decision->variant.strategy);
    uint64_t temperatures = cls_problem_temperatures(problem);
    uint64_t most = strategy->has_parts ? cls_limits_tuning(limits)->split_temperatures : MOST_TEMPERATURES;
    decision->launch_temperatures = temperatures < most ? temperatures : most;
    decision->launch_outer = 0;
    if (cls_problem_rows(problem) == 0)
        return CLSOFTMAX_OK;
    decision->launch_outer = MOST_WORK_ITEMS / cls_global_size(problem, decision, 1);
    CLS_FAIL_IF(decision->launch_outer == 0, CLSOFTMAX_UNSUPPORTED, "%llu columns are too many for one launch",
                (unsigned long long)problem->inner);
    if (!strategy->rows_in_flight)
        return CLSOFTMAX_OK;
    uint64_t in_flight = strategy->rows_in_flight(problem, limits) / problem->inner;
    if (in_flight < decision->launch_outer)
        decision->launch_outer = in_flight > 0 ? in_flight : 1;
    return CLSOFTMAX_OK;
}

uint64_t cls_scratch_bytes(const clsoftmax_problem *problem, const cls_decision *decision)
{
    if (!cls_strategy_of(decision->variant.strategy)->has_parts)
        return 0;
    uint64_t outer = problem->outer < decision->launch_outer ? problem->outer : decision->launch_outer;
    uint64_t rows = outer * problem->inner, pieces = cls_tile_pieces(problem, &decision->copied);
    return (rows > pieces ? rows : pieces) * decision->parts * decision->launch_temperatures * sizeof(split_part);
}

/* ---------------------------------------------------------------- Decision */

/* Clears the variant, and writes what follows from the problem alone; the strategy chooses the rest. */
static void describe_problem(const clsoftmax_problem *problem, cls_variant *variant)
{
    memset(variant, 0, sizeof *variant);
    variant->operation = problem->operation;
    variant->logits_dtype = problem->logits_dtype;
    variant->operand_dtype = cls_has_operand(problem) ? problem->operand_dtype : CLSOFTMAX_F32;
    variant->results_dtype = cls_has_results(problem) ? problem->results_dtype : CLSOFTMAX_F32;
    variant->temperatures = problem->sweep > 0             ? TEMPERATURES_SWEEP
                            : problem->temperature_per_row ? TEMPERATURES_PER_ROW
                                                           : TEMPERATURES_ONE;
    variant->statistics = problem->statistics != 0;
    variant->terms = operation_row_terms((int)problem->operation, problem->statistics);
    variant->lean = cls_problem_is_lean(problem) != 0;
    variant->ties =
        problem->neg_inf_rows == CLSOFTMAX_NEG_INF_ROWS_UNIFORM || problem->pos_inf == CLSOFTMAX_POS_INF_LIMIT;
    variant->sum_levels = CORE_SUM_LEVELS(problem->classes);
    variant->vector_width = 1;
    variant->work_group_size = 1;
    variant->access_width = 1;
}

/* Decides about the strategy: the one that the problem asks for by name, or that of "auto". A row that does not fit the
   device goes to `split`, which takes it in pieces. */
static void choose_strategy(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    decision->variant.strategy = problem->strategy;
    decision->reason = "asked for by name";
    if (problem->strategy != CLSOFTMAX_STRATEGY_AUTO)
        return;
    decision->variant.strategy = cls_choose_strategy(problem, limits);
    decision->reason = clsoftmax_strategy_rule(decision->variant.strategy);
    if (!cls_is_native(limits->type) && cls_row_is_too_long(problem, limits)) {
        decision->variant.strategy = CLSOFTMAX_STRATEGY_SPLIT;
        decision->reason = "a row is too long for the device: it goes through the kernels in pieces";
    }
}

clsoftmax_status cls_decide(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    CLS_FAIL_IF(!cls_strategy_supported(limits->type, problem->strategy), CLSOFTMAX_UNSUPPORTED,
                "strategy \"%s\" does not run on this device", clsoftmax_strategy_name(problem->strategy));
    memset(decision, 0, sizeof *decision);
    describe_problem(problem, &decision->variant);
    choose_strategy(problem, limits, decision);
    decision->share = decision->parts = 1;
    if (cls_is_native(limits->type)) {
        decision->launch_outer = problem->outer;
        decision->launch_temperatures = cls_problem_temperatures(problem);
        return CLSOFTMAX_OK;
    }
    CLS_FAIL_IF(problem->classes > UINT32_MAX && cls_problem_rows(problem) > 0, CLSOFTMAX_UNSUPPORTED,
                "rows of 2^32 classes or more need device \"cpu\"");
    cls_strategy_of(decision->variant.strategy)->choose(problem, limits, decision);
    CLS_FORWARD(choose_launch(problem, limits, decision));
    cls_choose_tiles(problem, limits, decision);
    return CLSOFTMAX_OK;
}
