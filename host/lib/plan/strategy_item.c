/*
 * The strategy `item`: rows one after another, in explicit vectors. Its row of the table, for strategy.c; its kernel is
 * kernels/strategies/item.cl.
 */
#include "strategy.h"

#include "../problem.h"

/* Returns 1 on CPUs: barriers are expensive there, and vectors cheap. */
static int suits(const clsoftmax_problem *problem, const cls_limits *limits)
{
    (void)problem;
    return cls_is_native(limits->type) || limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU;
}

/* Chooses vectors where classes are neighbours, and room for the exponentials of a row, one or two floats each, if it
   takes at most two thirds of local memory: a CPU's local memory is a cache, which must hold the row, too. */
static void choose(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    cls_variant *variant = &decision->variant;
    int are_neighbours = problem->logits_layout.class_stride == 1 && problem->results_layout.class_stride == 1 &&
                         problem->operand_layout.class_stride == 1 && problem->inner == 1;
    variant->vector_width = are_neighbours ? limits->vector_width : 1;
    variant->work_group_size = cls_items_work_group_size(problem, limits, 0);
    uint64_t room = cls_room_of(problem->classes, limits);
    if (!cls_can_keep(problem, variant) ||
        room * cls_exponential_floats(problem) * sizeof(float) > limits->local_memory_bytes / 3 * 2)
        return;
    variant->room_classes = (unsigned)room;
    variant->work_group_size = 1; /* local memory belongs to a work-group */
    decision->share = cls_share_of(problem->classes, limits);
}

static uint64_t global_size(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer)
{
    uint64_t items = cls_quotient_up(outer * problem->inner, decision->share);
    return cls_round_up(items, decision->variant.work_group_size);
}

static const cls_kernels *kernels(const cls_variant *variant)
{
    static const cls_kernels item = {"strategies/item.cl", {"row_item"}, 1};
    (void)variant;
    return &item;
}

const cls_strategy cls_strategy_item = {.devices = CLS_ON(REFERENCE) | CLS_ON(CPU) | CLS_ON_OPENCL,
                                        .suits = suits,
                                        .choose = choose,
                                        .global_size = global_size,
                                        .kernels = kernels};
