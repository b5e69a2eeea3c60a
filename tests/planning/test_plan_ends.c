/* The borders of the rules of planning, without opening a device: layouts, limits and sizes at which the decision
   becomes another one. The expected decisions are written out. */
#include "decisions.h"

#include <criterion/criterion.h>
#include <string.h>

static clsoftmax_problem statistics_of_sweep(uint64_t outer, uint64_t classes, uint64_t inner, uint64_t temperatures)
{
    clsoftmax_problem problem = shape(outer, classes, inner, CLSOFTMAX_STRATEGY_AUTO);
    problem.operation = CLSOFTMAX_OPERATION_NONE;
    problem.statistics = 1;
    problem.sweep = temperatures;
    return problem;
}

/* Returns the status of planning for a valid problem. */
static clsoftmax_status status_of(const cls_limits *limits, const clsoftmax_problem *problem)
{
    const clsoftmax_problem checked = check(problem);
    cls_decision decision;
    return cls_decide(&checked, limits, &decision);
}

/* ---------------------------------------------------------------- Strategies and widths */

/* Checks that cpu computes few short rows one after another, since a panel takes as long for one row as for 64. */
Test(plan_ends, few_rows_on_cpu)
{
    const struct {
        uint64_t rows, classes;
        clsoftmax_strategy strategy;
    } cases[] = {{1, 100, CLSOFTMAX_STRATEGY_ITEM},  {49, 100, CLSOFTMAX_STRATEGY_ITEM},
                 {50, 100, CLSOFTMAX_STRATEGY_LANE}, {4, 10, CLSOFTMAX_STRATEGY_ITEM},
                 {5, 10, CLSOFTMAX_STRATEGY_LANE},   {1, 2, CLSOFTMAX_STRATEGY_LANE},
                 {1, 1, CLSOFTMAX_STRATEGY_LANE},    {2000, 100, CLSOFTMAX_STRATEGY_LANE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const clsoftmax_problem few = shape(cases[i].rows, cases[i].classes, 1, CLSOFTMAX_STRATEGY_AUTO);
        cr_expect_eq(decide(&native, &few).variant.strategy, cases[i].strategy, "%llu x %llu",
                     (unsigned long long)cases[i].rows, (unsigned long long)cases[i].classes);
    }
    clsoftmax_problem sweep = shape(1, 100, 1, CLSOFTMAX_STRATEGY_AUTO);
    sweep.sweep = 3;
    cr_expect_eq(decide(&native, &sweep).variant.strategy, CLSOFTMAX_STRATEGY_LANE);
}

/* Checks when the lanes of a CPU's vectors take temperatures: for sweeps of enough of them, without results, over rows
   that fill no lanes themselves. */
Test(plan_ends, temperatures_on_lanes)
{
    const clsoftmax_problem wanted = statistics_of_sweep(9, 65, 1, 12);
    cls_decision decision = decide(&opencl_cpu, &wanted);
    cr_expect_eq(decision.variant.strategy, CLSOFTMAX_STRATEGY_COLUMN);
    cr_expect_eq(decision.variant.temperatures, (unsigned)TEMPERATURES_ON_LANES);
    cr_expect_eq(decision.variant.vector_width, 16u);
    cr_expect_eq(cls_global_size(&wanted, &decision, 9), 16u, "a work-item for each row, in a work-group of 16");
    cr_expect_neq(decide(&gpu, &wanted).variant.strategy, CLSOFTMAX_STRATEGY_COLUMN);
    clsoftmax_problem others[4] = {statistics_of_sweep(9, 65, 1, 11), statistics_of_sweep(9, 64, 1, 12),
                                   statistics_of_sweep(9, 65, 2, 12), wanted};
    others[3].operation = CLSOFTMAX_OPERATION_SOFTMAX;
    for (int i = 0; i < 4; i++) {
        decision = decide(&opencl_cpu, &others[i]);
        cr_expect_eq(decision.variant.temperatures, (unsigned)TEMPERATURES_SWEEP, "case %d", i);
        cr_expect_eq(decision.variant.strategy == CLSOFTMAX_STRATEGY_COLUMN, i == 2, "case %d", i);
    }
}

/* Checks that columns whose classes are neighbours, as in Fortran, are planned as rows with gaps: not by `column`,
   `lane` or `split`. */
Test(plan_ends, columns_of_neighbours)
{
    clsoftmax_problem problem = shape(1, 32768, 4, CLSOFTMAX_STRATEGY_AUTO);
    problem.logits_layout = problem.results_layout = (clsoftmax_layout){0, 131072, 1, 32768};
    cr_expect_eq(decide(&gpu, &problem).variant.strategy, CLSOFTMAX_STRATEGY_GROUP);
    cr_expect_eq(decide(&native, &problem).variant.strategy, CLSOFTMAX_STRATEGY_ITEM);
    problem.inner = 1;
    cr_expect_eq(decide(&gpu, &problem).variant.strategy, CLSOFTMAX_STRATEGY_SPLIT);
    problem.logits_layout.class_stride = 2;
    cr_expect_eq(decide(&gpu, &problem).variant.strategy, CLSOFTMAX_STRATEGY_GROUP);
}

/* Checks the vector width of each strategy: vectors need neighbouring elements in both arrays. */
Test(plan_ends, vectors_need_neighbours)
{
    const clsoftmax_layout dense = {0, 0, 0, 0};
    const struct {
        clsoftmax_strategy strategy;
        uint64_t inner;
        clsoftmax_layout logits, results;
        unsigned width;
    } wanted[] = {
        {CLSOFTMAX_STRATEGY_ITEM, 1, dense, dense, 16},
        {CLSOFTMAX_STRATEGY_ITEM, 1, {0, 2000, 2, 1}, dense, 1},
        {CLSOFTMAX_STRATEGY_ITEM, 1, dense, {0, 2000, 2, 1}, 1},
        {CLSOFTMAX_STRATEGY_ITEM, 4, {0, 4000, 1, 1000}, {0, 4000, 1, 1000}, 1},
        {CLSOFTMAX_STRATEGY_COLUMN, 7, dense, dense, 16},
        {CLSOFTMAX_STRATEGY_COLUMN, 7, {0, 14000, 14, 2}, dense, 1},
        {CLSOFTMAX_STRATEGY_COLUMN, 7, dense, {0, 14000, 14, 2}, 1},
        {CLSOFTMAX_STRATEGY_LANE, 1, dense, dense, 16},
        {CLSOFTMAX_STRATEGY_LANE, 7, dense, dense, 1},
        {CLSOFTMAX_STRATEGY_GROUP, 1, dense, dense, 1},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        clsoftmax_problem problem = shape(3, 1000, wanted[i].inner, wanted[i].strategy);
        problem.logits_layout = wanted[i].logits;
        problem.results_layout = wanted[i].results;
        cr_expect_eq(decide(&opencl_cpu, &problem).variant.vector_width, wanted[i].width, "case %zu", i);
    }
}

/* Checks when `lane` keeps rows in private memory: where they can be transposed. Other rows of more than 64 classes are
   not faster side by side. */
Test(plan_ends, lane_keeps_rows_that_it_transposes)
{
    const struct {
        uint64_t classes, logits_stride, results_stride;
        uint32_t work_group_size;
        clsoftmax_strategy strategy;
        unsigned kept;
    } cases[] = {
        {8, 1, 1, 0, CLSOFTMAX_STRATEGY_LANE, 32},   {9, 1, 1, 0, CLSOFTMAX_STRATEGY_LANE, 64},
        {64, 1, 1, 0, CLSOFTMAX_STRATEGY_LANE, 64},  {64, 2, 1, 0, CLSOFTMAX_STRATEGY_LANE, 0},
        {65, 1, 1, 0, CLSOFTMAX_STRATEGY_LANE, 160}, {65, 1, 0, 0, CLSOFTMAX_STRATEGY_LANE, 160},
        {65, 2, 1, 0, CLSOFTMAX_STRATEGY_ITEM, 0},   {65, 1, 2, 0, CLSOFTMAX_STRATEGY_ITEM, 0},
        {64, 1, 1, 2, CLSOFTMAX_STRATEGY_LANE, 64},  {65, 1, 1, 2, CLSOFTMAX_STRATEGY_ITEM, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clsoftmax_problem problem = shape(1000, cases[i].classes, 1, CLSOFTMAX_STRATEGY_AUTO);
        problem.logits_layout = problem.results_layout = (clsoftmax_layout){0, 500, cases[i].logits_stride, 1};
        problem.results_layout.class_stride = cases[i].results_stride;
        problem.work_group_size = cases[i].work_group_size;
        if (cases[i].results_stride == 0) { /* no results */
            problem.operation = CLSOFTMAX_OPERATION_NONE;
            problem.statistics = 1;
        }
        cls_variant variant = decide(&opencl_cpu, &problem).variant;
        cr_expect_eq(variant.strategy, cases[i].strategy, "case %zu", i);
        cr_expect_eq(variant.room_classes, cases[i].kept, "case %zu: %u", i, variant.room_classes);
    }
    clsoftmax_problem long_rows = shape(1000, 161, 1, CLSOFTMAX_STRATEGY_LANE),
                      short_rows = shape(1000, 10, 1, CLSOFTMAX_STRATEGY_LANE);
    cr_expect_eq(decide(&opencl_cpu, &long_rows).variant.room_classes, 0u);
    cr_expect_eq(decide(&gpu, &short_rows).variant.room_classes, 0u);
}

/* Checks what `group` keeps of a row in a sweep: 8 logits and their exponentials to a work-item, or 32 logits. */
Test(plan_ends, group_keeps_rows_of_a_sweep)
{
    const struct {
        uint64_t classes;
        unsigned limit, access, work_items, elements;
    } wanted[] = {{500, 1024, 4, 64, 8},      {1000, 1024, 4, 128, 8}, {8192, 1024, 4, 1024, 8},
                  {8196, 1024, 4, 512, 32},   {4095, 1024, 1, 512, 8}, {4097, 1024, 1, 256, 32},
                  {2047, 256, 1, 256, 8},     {2049, 256, 1, 128, 32}, {16385, 1024, 1, 1024, 32},
                  {16388, 1024, 4, 1024, 32}, {32772, 1024, 4, 256, 8}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        clsoftmax_problem problem = shape(1000, wanted[i].classes, 1, CLSOFTMAX_STRATEGY_GROUP);
        cls_limits limits = gpu;
        problem.sweep = 3;
        limits.max_work_group_size = wanted[i].limit;
        const cls_variant variant = decide(&limits, &problem).variant;
        cr_expect(variant.access_width == wanted[i].access && variant.work_group_size == wanted[i].work_items &&
                      variant.accesses * variant.access_width == wanted[i].elements,
                  "%llu classes: %u x %u x %u", (unsigned long long)wanted[i].classes, variant.work_group_size,
                  variant.accesses, variant.access_width);
    }
}

/* Checks accesses of sweeps: the results of a single row begin at the beginning of the array, but those of the second
   temperature need not be aligned. */
Test(plan_ends, accesses_of_every_temperature)
{
    const struct {
        uint64_t classes, sweep, sweep_stride;
        unsigned width;
    } wanted[] = {{20, 3, 0, 4}, {19, 0, 0, 4}, {19, 1, 0, 4}, {19, 3, 0, 1}, {20, 3, 21, 1}, {19, 3, 20, 1}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        clsoftmax_problem problem = shape(1, wanted[i].classes, 1, CLSOFTMAX_STRATEGY_GROUP);
        problem.sweep = wanted[i].sweep;
        problem.sweep_stride = wanted[i].sweep_stride;
        cr_expect_eq(decide(&gpu, &problem).variant.access_width, wanted[i].width, "case %zu", i);
    }
}

/* Checks accesses where only one array is aligned, where there are columns, and where only the logits count because
   there are no results. */
Test(plan_ends, accesses_of_either_array)
{
    const clsoftmax_layout dense = {0, 0, 0, 0};
    const struct {
        uint64_t inner;
        clsoftmax_layout logits, results;
        clsoftmax_operation operation;
        unsigned width;
    } wanted[] = {
        {1, dense, dense, CLSOFTMAX_OPERATION_SOFTMAX, 4},
        {1, dense, {1, 1000, 1, 1}, CLSOFTMAX_OPERATION_SOFTMAX, 1},
        {1, {1, 1000, 1, 1}, dense, CLSOFTMAX_OPERATION_SOFTMAX, 1},
        {1, dense, dense, CLSOFTMAX_OPERATION_NONE, 8},
        {4, {0, 4000, 1, 1000}, {0, 4000, 1, 1000}, CLSOFTMAX_OPERATION_SOFTMAX, 1}, /* a tile is dense */
        {4, {0, 4004, 1, 1001}, {0, 4000, 1, 1000}, CLSOFTMAX_OPERATION_SOFTMAX, 1},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        clsoftmax_problem problem = shape(3, 1000, wanted[i].inner, CLSOFTMAX_STRATEGY_GROUP);
        problem.logits_layout = wanted[i].logits;
        problem.results_layout = wanted[i].results;
        problem.logits_dtype = CLSOFTMAX_BF16;
        problem.operation = wanted[i].operation;
        problem.statistics = 1;
        cr_expect_eq(decide(&gpu, &problem).variant.access_width, wanted[i].width, "case %zu", i);
        cls_limits unknown = gpu;
        unknown.alignment_bytes = 0;
        cr_expect_eq(decide(&unknown, &problem).variant.access_width, 1u, "a driver that says nothing of alignment");
    }
}

/* ---------------------------------------------------------------- Work-groups and launches */

/* Plans work-groups of sizes that were asked for, on devices with unusual limits. */
Test(plan_ends, sizes_of_work_groups)
{
    cls_limits boundless = gpu, none = gpu;
    boundless.max_work_group_size = UINT32_MAX;
    none.max_work_group_size = 0;
    const struct {
        const cls_limits *limits;
        uint64_t classes;
        uint32_t asked, size;
    } wanted[] = {{&gpu, 1023, 0, 64},      {&gpu, 1024, 0, 256},      {&gpu, 1024, 100, 64},
                  {&opencl_cpu, 100, 8, 8}, {&opencl_cpu, 1000, 0, 1}, {&boundless, 1000, UINT32_MAX, 1u << 31},
                  {&none, 1000, 0, 1}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        clsoftmax_problem problem = shape(3, wanted[i].classes, 1, CLSOFTMAX_STRATEGY_ITEM);
        problem.work_group_size = wanted[i].asked;
        cls_variant variant = decide(wanted[i].limits, &problem).variant;
        cr_expect_eq(variant.work_group_size, wanted[i].size, "case %zu: %u", i, variant.work_group_size);
        cr_expect(variant.room_classes == 0 || wanted[i].asked <= 1, "local memory for one work-item of several");
    }
}

/* Plans launches at the largest sizes, and on devices that say little of themselves. */
Test(plan_ends, launches)
{
    clsoftmax_problem problem = shape(3, 2, 1 << 26, CLSOFTMAX_STRATEGY_GROUP);
    cr_expect_eq(status_of(&gpu, &problem), CLSOFTMAX_UNSUPPORTED, "2^26 groups of 64 in one launch");
    problem = shape(3, 131072, 1000, CLSOFTMAX_STRATEGY_SPLIT);
    cr_expect_eq(decide(&gpu, &problem).launch_outer, 1u, "1,000 columns, of which 32 are in flight");
    cls_limits large_cache = gpu, no_units = gpu;
    large_cache.cache_bytes = (uint64_t)1 << 30;
    problem = shape((uint64_t)1 << 26, 1, 1, CLSOFTMAX_STRATEGY_SPLIT);
    cr_expect_eq(decide(&large_cache, &problem).launch_outer, (uint64_t)1 << 25, "2^31 work-items in groups of 64");
    no_units.compute_units = 0;
    problem = shape(3, 1 << 20, 1, CLSOFTMAX_STRATEGY_SPLIT);
    cr_expect_eq(decide(&no_units, &problem).parts, 1u, "a driver that does not say how many units there are");
    problem = shape(1, (uint64_t)1 << 33, 1, CLSOFTMAX_STRATEGY_AUTO);
    cr_expect_eq(status_of(&gpu, &problem), CLSOFTMAX_UNSUPPORTED);
    cr_expect_eq(status_of(&native, &problem), CLSOFTMAX_OK);
}

/* Writes defines into buffers that are too small: the text must end early, and nothing may be written behind the
   buffer. */
Test(plan_ends, defines_without_room)
{
    const clsoftmax_problem problem = shape(3, 1000, 1, CLSOFTMAX_STRATEGY_GROUP);
    const cls_variant variant = decide(&gpu, &problem).variant;
    char whole[1024], part[1024];
    cls_variant_defines(&variant, whole, sizeof whole);
    for (size_t room = 1; room < strlen(whole); room++) {
        memset(part, '#', sizeof part);
        cls_variant_defines(&variant, part, room);
        cr_assert_eq(strlen(part), room - 1);
        cr_assert_eq(memcmp(part, whole, room - 1), 0);
        cr_assert_eq(part[room], '#');
    }
}

/* ---------------------------------------------------------------- Tiles */

/* Checks shared tiles of problems without results, between which nothing can be overwritten, and of sweeps, which are
   shared as a whole or not at all. */
Test(plan_ends, shared_tiles)
{
    cls_limits unified = gpu;
    unified.shares_memory = 1;
    clsoftmax_problem problem = statistics_of_sweep(1000, 1000, 1, 0);
    problem.logits_layout = (clsoftmax_layout){0, 4096, 1, 1};
    cr_expect_eq(decide(&unified, &problem).shared.outer, 1000u);
    problem = statistics_of_sweep(1 << 19, 100, 1, 64);
    cr_expect_eq(decide(&opencl_cpu, &problem).shared.outer, 1u << 19, "1 GiB of records, all that a buffer holds");
    problem.sweep = 65;
    cr_expect_eq(decide(&opencl_cpu, &problem).shared.outer, 0u);
}

static cls_limits with_buffers_of(uint64_t bytes)
{
    cls_limits limits = gpu;
    limits.max_allocation_bytes = bytes;
    return limits;
}

/* Checks copied tiles on devices with tiny buffers: single rows, some of the temperatures, or nothing at all. */
Test(plan_ends, copied_tiles)
{
    const cls_limits of_1000 = with_buffers_of(4000), of_4 = with_buffers_of(16), of_none = with_buffers_of(2);
    clsoftmax_problem problem = shape(3, 100, 1, CLSOFTMAX_STRATEGY_AUTO);
    problem.sweep = 16;
    cls_decision decision = decide(&of_1000, &problem);
    cr_expect(decision.copied.outer == 1 && decision.copied.temperatures == 8, "a row at eight temperatures at a time");
    char text[240];
    problem = check(&problem);
    cls_describe_tiles(&problem, &decision, text, sizeof text);
    cr_expect_str_eq(text,
                     "; host memory copied, tiles: 6 of 1 x 100 x 1 at 8 temperatures at a time, 2400 bytes up in 2 "
                     "passes, 19200 down");

    problem = shape(3, 3, 1, CLSOFTMAX_STRATEGY_SPLIT);
    problem.statistics = 1;
    decision = decide(&of_4, &problem);
    cr_expect(decision.copied.outer == 0 && decision.copied.classes == 3,
              "no piece, for it is the record that is too large");
    decision = decide(&of_none, &problem);
    cr_expect(decision.copied.outer == 0 && decision.copied.classes == 0, "not even one element");
    problem = check(&problem);
    cr_expect_eq(cls_tile_pieces(&problem, &decision.copied), 1u);
    cr_expect_eq(cls_scratch_bytes(&problem, &decision), 3u * decision.parts * 176);
    cls_describe_tiles(&problem, &decision, text, sizeof text);
    cr_expect_str_eq(text, "; too large for host memory to go through");
    problem.outer = 0;
    cls_describe_tiles(&problem, &decision, text, sizeof text);
    cr_expect_str_eq(text, "");
}

/* ---------------------------------------------------------------- Problems */

/* Checks how strides are completed: a stride along a dimension of one element becomes the dense one. Where others are
   0, a stride along several elements stays. */
Test(plan_ends, strides_that_matter)
{
    clsoftmax_problem problem = shape(1, 1, 1, CLSOFTMAX_STRATEGY_AUTO);
    problem.logits_layout = (clsoftmax_layout){5, 77, 88, 99};
    problem.sweep = 1;
    problem.sweep_stride = 11;
    clsoftmax_problem checked = check(&problem);
    const clsoftmax_layout ones = {5, 1, 1, 1};
    cr_expect_eq(memcmp(&checked.logits_layout, &ones, sizeof ones), 0);
    cr_expect_eq(checked.sweep_stride, 1u);
    problem.inner = 3;
    problem.logits_layout = (clsoftmax_layout){0, 0, 0, 5};
    checked = check(&problem);
    const clsoftmax_layout of_five = {0, 3, 3, 5};
    cr_expect_eq(memcmp(&checked.logits_layout, &of_five, sizeof of_five), 0);
    problem.inner = 0;
    problem.sweep = 2;
    problem.sweep_stride = 0;
    cr_expect_eq(check(&problem).sweep_stride, 1u, "as with one column");
}

/* Checks problems that contradict themselves. */
Test(plan_ends, problems_that_are_none)
{
    clsoftmax_problem checked, problem = shape(2, 3, 1, CLSOFTMAX_STRATEGY_AUTO);
    problem.results_layout = (clsoftmax_layout){0, UINT64_MAX / 3, 1, 1};
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_INVALID_SHAPE);
    cr_expect(strstr(clsoftmax_last_error(), "results:"), "%s", clsoftmax_last_error());
    problem = shape(2, 3, 1, CLSOFTMAX_STRATEGY_AUTO);
    problem.sweep = 2;
    problem.temperature_per_row = 1;
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_INVALID_ARGUMENT);
    problem = statistics_of_sweep(2, 3, 1, 0);
    problem.statistics = 0;
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_INVALID_ARGUMENT);
}

/* Checks that sizes overflow although a size of 0 makes their product 0. */
Test(plan_ends, no_classes_among_too_many)
{
    const uint64_t large = (uint64_t)1 << 40, shapes[][3] = {{large, large, 0}, {0, large, large}};
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, shapes[0], 2), CLSOFTMAX_INVALID_SHAPE);
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, shapes[1], 0), CLSOFTMAX_INVALID_SHAPE);
}
