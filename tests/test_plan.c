/* Planning, without any device. */
#include "plan.h"
#include "problem.h"

#include <criterion/criterion.h>
#include <string.h>

static const cls_limits gpu = {CLSOFTMAX_DEVICE_GPU, 80, 1, 1024, 49152, (uint64_t)1 << 30, (uint64_t)4 << 30};
static const cls_limits opencl_cpu = {
    CLSOFTMAX_DEVICE_OPENCL_CPU, 2, 16, 4096, 2 << 20, (uint64_t)1 << 30, (uint64_t)4 << 30};
static const cls_limits native = {CLSOFTMAX_DEVICE_CPU, 2, 1, 1, 0, 0, 0};

static cls_decision decide(const cls_limits *limits, uint64_t rows, uint64_t classes)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.outer = rows;
    problem.classes = classes;
    cls_decision decision;
    cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    cr_assert_eq(cls_decide(&checked, limits, &decision), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    return decision;
}

Test(plan, strategy_follows_the_device)
{
    cr_expect_eq(decide(&gpu, 10, 1000).variant.strategy, CLSOFTMAX_STRATEGY_GROUP);
    cr_expect_eq(decide(&opencl_cpu, 10, 1000).variant.strategy, CLSOFTMAX_STRATEGY_ITEM);
    cr_expect_eq(decide(&opencl_cpu, 10, 1000).variant.vector_width, 16u);
    cr_expect_eq(decide(&native, 10, 1000).variant.strategy, CLSOFTMAX_STRATEGY_ROWS);
}

Test(plan, work_group_fits_the_limit_and_is_a_power_of_two)
{
    for (uint32_t limit = 1; limit <= 1024; limit += 7) {
        cls_limits limits = gpu;
        limits.max_work_group_size = limit;
        unsigned size = decide(&limits, 10, 100000).variant.work_group_size;
        cr_expect(size >= 1 && size <= limit && (size & (size - 1)) == 0, "limit %u gives %u", limit, size);
    }
}

Test(plan, sum_levels_follow_the_classes_alone)
{
    const cls_limits *all[] = {&gpu, &opencl_cpu, &native};
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(decide(all[i], 1, 1 << 18).variant.sum_levels, 2u);
        cr_expect_eq(decide(all[i], 1, (1 << 18) + 1).variant.sum_levels, 3u);
    }
}

Test(plan, tiles_fit_the_device)
{
    cr_expect_eq(decide(&gpu, 1000, 1000).tile_outer, 1000u);
    cls_decision decision = decide(&gpu, 1000000, 1000);
    uint64_t bytes = decision.tile_outer * 1000 * sizeof(float);
    cr_expect(bytes <= gpu.max_allocation_bytes && 2 * bytes <= gpu.global_memory_bytes);
    cr_expect(bytes <= (256 << 20) && bytes > (128 << 20), "%llu bytes", (unsigned long long)bytes);
    cr_expect_eq(decide(&gpu, 10, (uint64_t)100 << 20).tile_outer, 1u,
                 "a row larger than a tile, but not than the device");
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.outer = 1;
    problem.classes = (uint64_t)1 << 30;
    cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
    cr_expect_eq(cls_decide(&checked, &gpu, &decision), CLSOFTMAX_OK);
    cr_expect_eq(decision.tile_outer, 0u, "a row that does not fit");
}

/* Some runtimes refuse more than 2^32 work-items, and none needs more than 2^31. */
Test(plan, launches_are_bounded)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.outer = (uint64_t)1 << 33;
    problem.classes = 10;
    cls_limits large = gpu;
    large.max_allocation_bytes = large.global_memory_bytes = (uint64_t)1 << 50;
    cls_decision decision;
    cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
    cr_assert_eq(cls_decide(&checked, &large, &decision), CLSOFTMAX_OK);
    cr_expect(cls_global_size(&checked, &decision.variant, decision.launch_outer) <= (uint64_t)1 << 31);
    cr_expect(decision.tile_outer <= decision.launch_outer);
}

Test(plan, no_rows_of_any_width)
{
    cls_decision decision = decide(&gpu, 0, (uint64_t)1 << 40);
    cr_expect_eq(decision.tile_outer, 0u);
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.classes = (uint64_t)1 << 62;
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_INVALID_SHAPE);
}

Test(plan, local_memory_bounds_the_group)
{
    cls_limits small = gpu;
    small.local_memory_bytes = 16384;
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.outer = 10;
    problem.classes = 100000;
    problem.work_group_size = 1024;
    cls_decision decision;
    cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
    cr_assert_eq(cls_decide(&checked, &small, &decision), CLSOFTMAX_OK);
    cr_expect_eq(decision.variant.work_group_size, 128u);
}

Test(plan, columns_for_an_axis_that_is_not_last)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    const uint64_t shape[3] = {4, 50, 6};
    cr_assert_eq(clsoftmax_problem_set_shape(&problem, 3, shape, 1), CLSOFTMAX_OK);
    cr_expect(problem.outer == 4 && problem.classes == 50 && problem.inner == 6);
    cr_assert_eq(clsoftmax_problem_set_shape(&problem, 3, shape, -3), CLSOFTMAX_OK);
    cr_expect(problem.outer == 1 && problem.classes == 4 && problem.inner == 300);
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, shape, 3), CLSOFTMAX_INVALID_SHAPE);
    const uint64_t too_large[3] = {(uint64_t)1 << 40, (uint64_t)1 << 40, 4};
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, too_large, -1), CLSOFTMAX_INVALID_SHAPE);
    cr_expect(problem.outer == 1 && problem.classes == 4 && problem.inner == 300, "a failure has changed the problem");
    cls_decision decision;
    cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
    cr_assert_eq(cls_decide(&checked, &gpu, &decision), CLSOFTMAX_OK);
    cr_expect_eq(decision.variant.strategy, CLSOFTMAX_STRATEGY_COLUMN);
}

/* Strides that put two elements in one place would let rows overwrite each other. */
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

/* The cache key: whatever differs in a variant differs in both of its texts. */
Test(plan, variants_that_differ_print_differently)
{
    const cls_variant base = {
        CLSOFTMAX_STRATEGY_GROUP, CLSOFTMAX_OPERATION_SOFTMAX, CLSOFTMAX_F32, CLSOFTMAX_F32, 0, 0, 0, 1, 64, 2};
    enum { FIELDS = 10 };
    char defines[FIELDS + 1][1024], labels[FIELDS + 1][256];
    for (int i = 0; i <= FIELDS; i++) {
        cls_variant variant = base;
        unsigned *fields[FIELDS] = {NULL,
                                    &variant.operation,
                                    &variant.logits_dtype,
                                    &variant.results_dtype,
                                    &variant.temperature_per_row,
                                    &variant.statistics,
                                    &variant.ties,
                                    &variant.vector_width,
                                    &variant.work_group_size,
                                    &variant.sum_levels};
        if (i == 0)
            variant.strategy = CLSOFTMAX_STRATEGY_ITEM;
        else if (i < FIELDS)
            *fields[i] += i == 1 ? 1 : i > 6 ? *fields[i] : 1;
        cls_variant_defines(&variant, defines[i], sizeof defines[i]);
        cls_variant_label(&variant, labels[i], sizeof labels[i]);
        for (int k = 0; k < i; k++) {
            cr_expect_str_neq(defines[i], defines[k], "variants %d and %d", i, k);
            cr_expect_str_neq(labels[i], labels[k], "variants %d and %d", i, k);
        }
    }
    cr_expect_str_eq(labels[FIELDS], "softmax:group:f32->f32:width 1:work-group 64:levels 2");
}
