/* The table of strategies, the choice that "auto" makes, and what several strategies share when they choose their
   variants. See strategy.h. */
#include "strategy.h"

#include "../problem.h"

#include <stddef.h>

/* ---------------------------------------------------------------- Table */

const cls_strategy *cls_strategy_of(clsoftmax_strategy strategy)
{
    static const cls_strategy *const strategies[CLSOFTMAX_STRATEGY_COUNT] = {
        [CLSOFTMAX_STRATEGY_COLUMN] = &cls_strategy_column, [CLSOFTMAX_STRATEGY_LANE] = &cls_strategy_lane,
        [CLSOFTMAX_STRATEGY_ITEM] = &cls_strategy_item,     [CLSOFTMAX_STRATEGY_SPLIT] = &cls_strategy_split,
        [CLSOFTMAX_STRATEGY_GROUP] = &cls_strategy_group,   [CLSOFTMAX_STRATEGY_PLAIN] = &cls_strategy_plain};
    return (unsigned)strategy < CLSOFTMAX_STRATEGY_COUNT ? strategies[strategy] : NULL;
}

int cls_strategy_supported(clsoftmax_device_type type, clsoftmax_strategy strategy)
{
    const cls_strategy *row = cls_strategy_of(strategy);
    return strategy == CLSOFTMAX_STRATEGY_AUTO || (row && (row->devices >> type & 1) != 0);
}

clsoftmax_strategy cls_choose_strategy(const clsoftmax_problem *problem, const cls_limits *limits)
{
    clsoftmax_strategy strategy = CLSOFTMAX_STRATEGY_AUTO;
    while (++strategy < CLSOFTMAX_STRATEGY_COUNT) {
        const cls_strategy *row = cls_strategy_of(strategy);
        if (cls_strategy_supported(limits->type, strategy) && row->suits && row->suits(problem, limits))
            return strategy;
    }
    return CLSOFTMAX_STRATEGY_ITEM; /* runs on every device */
}

/* ---------------------------------------------------------------- Shared */

uint32_t cls_items_work_group_size(const clsoftmax_problem *problem, const cls_limits *limits, int is_alone)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    uint64_t size = problem->work_group_size;
    int is_long = problem->classes >= tuning->long_row_classes;
    is_alone = is_alone && limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU;
    if (size == 0)
        size = is_alone ? 1 : is_long ? tuning->long_row_work_group : tuning->short_row_work_group;
    uint32_t limit = limits->max_work_group_size > 0 ? limits->max_work_group_size : 1;
    return cls_power_of_two_at_most(size < limit ? size : limit);
}

uint64_t cls_room_of(uint64_t classes, const cls_limits *limits)
{
    uint64_t room = cls_limits_tuning(limits)->least_room;
    while (room < classes)
        room *= 2;
    return room;
}

int cls_can_keep(const clsoftmax_problem *problem, const cls_variant *variant)
{
    return variant->vector_width > 1 && cls_problem_rows(problem) > 0 && cls_is_made_of_exponentials(problem) &&
           problem->work_group_size <= 1;
}

uint64_t cls_share_of(uint64_t elements, const cls_limits *limits)
{
    return (cls_limits_tuning(limits)->share_elements - 1) / elements + 1;
}

int cls_suits_item(const clsoftmax_problem *problem, const cls_limits *limits)
{
    return limits->vector_width >= 16 && problem->sweep == 0 && !problem->temperature_per_row;
}
