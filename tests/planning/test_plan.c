/* Planning, without any device. */
#include "problem.h"
#include "support/limits.h"

#include <criterion/criterion.h>
#include <string.h>

static cls_decision decide_by(const cls_limits *limits, clsoftmax_strategy strategy, uint64_t rows, uint64_t classes)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.outer = rows;
    problem.classes = classes;
    problem.strategy = strategy;
    cls_decision decision;
    cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    cr_assert_eq(cls_decide(&checked, limits, &decision), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    return decision;
}

static cls_decision decide(const cls_limits *limits, uint64_t rows, uint64_t classes)
{
    return decide_by(limits, CLSOFTMAX_STRATEGY_AUTO, rows, classes);
}

Test(plan, strategy_follows_the_device)
{
    cr_expect_eq(decide(&gpu, 10, 1000).variant.strategy, CLSOFTMAX_STRATEGY_GROUP);
    cr_expect_eq(decide(&opencl_cpu, 10, 1000).variant.strategy, CLSOFTMAX_STRATEGY_ITEM);
    cr_expect_eq(decide(&opencl_cpu, 10, 1000).variant.vector_width, 16u);
    cr_expect_eq(decide(&native, 10, 1000).variant.strategy, CLSOFTMAX_STRATEGY_ITEM);
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

/* Three tiles at a time, of logits and of results, in four fifths of the memory; an eighth of the matrix where that is 4 to 32 MiB. */
Test(plan, copied_tiles_fit_the_device)
{
    cr_expect_eq(decide(&gpu, 1000, 1000).copied.outer, 1000u, "4 MB: one tile");
    cr_expect_eq(decide(&gpu, 8192, 4096).copied.outer, 1024u, "16 MiB of 128");
    cr_expect_eq(decide(&gpu, 1000000, 1024).copied.outer, 8192u, "32 MiB");
    cr_expect_eq(decide(&gpu, 1000, 1000).shared.outer, 0u);
    cr_expect_eq(decide(&gpu, 10, (uint64_t)100 << 20).copied.outer, 1u,
                 "a row larger than a tile, not than the device");
    cls_decision decision = decide(&gpu, 3, (uint64_t)256 << 20);
    cr_expect(decision.variant.strategy == CLSOFTMAX_STRATEGY_SPLIT && decision.copied.outer == 1 &&
                  decision.copied.classes == 8 << 20,
              "a row of 1 GiB, of which six do not fit 3.2 GiB, in pieces of 32 MiB");
    decision = decide_by(&gpu, CLSOFTMAX_STRATEGY_GROUP, 3, (uint64_t)256 << 20);
    cr_expect_eq(decision.copied.outer, 0u, "group takes no pieces");
}

/* As much as a buffer spans; copied where that is no row, and where a driver might bring back what lies between results. */
Test(plan, shared_tiles_fit_a_buffer)
{
    cr_expect_eq(decide(&opencl_cpu, 1000000, 1000).shared.outer, ((uint64_t)1 << 30) / 4000);
    cr_expect_eq(decide(&opencl_cpu, 10, (uint64_t)256 << 20).shared.outer, 1u);
    cls_decision decision = decide(&opencl_cpu, 10, ((uint64_t)256 << 20) + 1);
    cr_expect(decision.shared.outer == 0 && decision.copied.outer == 1 && decision.copied.classes == 8 << 20);
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.outer = 1 << 20;
    problem.classes = 1000;
    problem.results_layout = (clsoftmax_layout){8, 4096, 1, 1};
    cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
    cr_assert_eq(cls_decide(&checked, &opencl_cpu, &decision), CLSOFTMAX_OK);
    cr_expect_eq(decision.shared.outer, (((uint64_t)1 << 28) - 1000) / 4096 + 1);
    cls_limits unified = gpu;
    unified.shares_memory = 1;
    cr_assert_eq(cls_decide(&checked, &unified, &decision), CLSOFTMAX_OK);
    cr_expect_eq(decision.shared.outer, 0u, "results with gaps");
    cr_expect_eq(decide(&unified, 1000, 1000).shared.outer, 1000u);
}

/* Every element of every row, at every temperature, once in each pass, whatever the tiles. */
Test(plan, tiles_cover_the_problem)
{
    enum { OUTER = 5, CLASSES = 11, INNER = 7, TEMPERATURES = 5 };
    const cls_tiles all[] = {{1, 7, 11, 5}, {2, 7, 11, 1}, {3, 7, 11, 2}, {5, 7, 11, 5}, {1, 1, 11, 4},
                             {1, 3, 11, 3}, {1, 1, 4, 1},  {1, 1, 1, 1},  {1, 1, 4, 2}};
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = OUTER;
    problem.classes = CLASSES;
    problem.inner = INNER;
    problem.sweep = TEMPERATURES;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        unsigned seen[TEMPERATURES][OUTER][CLASSES][INNER] = {{{{0}}}}, ends[TEMPERATURES][OUTER][INNER] = {{{0}}};
        for (uint64_t n = 0; n < cls_tile_count(&problem, &all[i]); n++) {
            cls_tile t = cls_tile_at(&problem, &all[i], n);
            for (uint64_t at = t.first_temperature; at < t.first_temperature + t.temperatures; at++)
                for (uint64_t o = t.first_outer; o < t.first_outer + t.outer; o++)
                    for (uint64_t k = t.first_inner; k < t.first_inner + t.inner; k++) {
                        for (uint64_t c = t.first_class; c < t.first_class + t.classes; c++)
                            cr_assert_eq(seen[at][o][c][k]++, t.pass, "tiles %zu", i);
                        ends[at][o][k] += t.is_end_of_rows != 0;
                        cr_assert((ends[at][o][k] == 0 || t.is_end_of_rows) && t.gives_results >= t.is_end_of_rows);
                    }
        }
        for (int at = 0; at < TEMPERATURES; at++)
            for (int o = 0; o < OUTER; o++)
                for (int k = 0; k < INNER; k++) {
                    cr_assert_eq(ends[at][o][k], 1u);
                    for (int c = 0; c < CLASSES; c++)
                        cr_assert_eq(seen[at][o][c][k], all[i].classes < CLASSES ? 3u : 1u);
                }
    }
}

Test(plan, tiles_are_described)
{
    const struct {
        const cls_limits *limits;
        uint64_t classes;
        const char *text;
    } wanted[] = {
        {&opencl_cpu, 1000, "; host memory shared, tiles: 1 of 3 x 1000 x 1"},
        {&gpu, 1000, "; host memory copied, tiles: 1 of 3 x 1000 x 1, 12000 bytes up in 1 pass, 12000 down"},
        {&gpu, (uint64_t)256 << 20,
         "; host memory copied, tiles: 96 of 1 x 8388608 x 1, 9663676416 bytes up in 3 passes, 3221225472 down"},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
        problem.outer = 3;
        problem.classes = wanted[i].classes;
        cls_decision decision;
        char text[240];
        cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
        cr_assert_eq(cls_decide(&checked, wanted[i].limits, &decision), CLSOFTMAX_OK);
        cls_describe_tiles(&checked, &decision, text, sizeof text);
        cr_expect_str_eq(text, wanted[i].text);
    }
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
    cr_expect(cls_global_size(&checked, &decision, decision.launch_outer) <= (uint64_t)1 << 31);
    cr_expect(decision.copied.outer <= decision.launch_outer && decision.shared.outer <= decision.launch_outer);
}

Test(plan, no_rows_of_any_width)
{
    cls_decision decision = decide(&gpu, 0, (uint64_t)1 << 40);
    cr_expect_eq(decision.copied.outer, 0u);
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
    problem.classes = (uint64_t)1 << 62;
    cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_INVALID_SHAPE);
    const uint64_t sizes[][2] = {{0, 1}, {0, 5}, {1, 0}, {5, 0}, {0, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) { /* outer and inner; dense strides are 0, too */
        problem.outer = sizes[i][0];
        problem.classes = 3;
        problem.inner = sizes[i][1];
        cr_expect_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK, "%zu: %s", i, clsoftmax_last_error());
        cr_expect_eq(cls_decide(&checked, &gpu, &decision), CLSOFTMAX_OK, "%zu", i);
        cr_expect_eq(cls_decide(&checked, &opencl_cpu, &decision), CLSOFTMAX_OK, "%zu", i);
    }
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
    cr_expect_eq(decision.variant.work_group_size, 512u, "20 bytes each in three quarters of 16 KiB");
}

/* Registers for every row of up to 32,768 classes: 16 lanes for its exponentials to 16,384, 32 lanes beyond. */
Test(plan, group_keeps_rows_in_registers)
{
    const struct {
        uint64_t classes;
        unsigned work_items, vectors, is_kept;
    } wanted[] = {{1, 64, 8, 1},       {512, 64, 2, 1},     {516, 64, 4, 1},    {1000, 64, 4, 1},
                  {1024, 64, 4, 1},    {1028, 128, 4, 1},   {8192, 512, 4, 1},  {16384, 1024, 4, 1},
                  {16388, 1024, 8, 1}, {32768, 1024, 8, 1}, {32772, 256, 2, 0}, {128256, 256, 2, 0}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cls_variant variant = decide_by(&gpu, CLSOFTMAX_STRATEGY_GROUP, 1000, wanted[i].classes).variant;
        unsigned width = wanted[i].classes % 4 == 0 ? 4 : 1;
        cr_expect_eq(variant.access_width, width);
        cr_expect(variant.work_group_size == wanted[i].work_items && variant.row_vectors == wanted[i].vectors &&
                      variant.row_is_kept == wanted[i].is_kept,
                  "%llu classes: %u x %u, %u", (unsigned long long)wanted[i].classes, variant.work_group_size,
                  variant.row_vectors, variant.row_is_kept);
    }
    for (uint64_t classes = 1; classes < 40000; classes += 1 + classes / 7) {
        cls_variant v = decide_by(&gpu, CLSOFTMAX_STRATEGY_GROUP, 1000, classes).variant;
        cr_expect(!v.row_is_kept || classes <= (uint64_t)v.work_group_size * v.row_vectors * v.access_width);
    }
}

Test(plan, lane_is_for_short_rows)
{
    const cls_limits wide = {.type = CLSOFTMAX_DEVICE_CPU, .vector_width = 16}; /* where full vectors are for `item` */
    cls_limits narrow = opencl_cpu;
    narrow.vector_width = 8;
    const struct {
        const cls_limits *limits;
        uint64_t most, least_beyond;
    } devices[] = {{&gpu, 64, 65},    {&opencl_cpu, 96, 97}, {&narrow, 160, 161}, {&native, 255, 256},
                   {&wide, 127, 128}, {&wide, 175, 176},     {&wide, 143, 144},   {&wide, 143, 177}};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        cr_expect_eq(decide(devices[i].limits, 1000, devices[i].most).variant.strategy, CLSOFTMAX_STRATEGY_LANE);
        cr_expect_neq(decide(devices[i].limits, 1000, devices[i].least_beyond).variant.strategy,
                      CLSOFTMAX_STRATEGY_LANE);
    }
}

/* What takes more than a softmax once a row takes it in lanes, of OpenCL to where rows are no longer transposed. */
Test(plan, lane_is_for_what_rows_have_of_their_own)
{
    for (int k = 0; k < 5; k++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
        cls_decision decision;
        problem.outer = 1000;
        problem.classes = 160;
        problem.statistics = k == 1;
        problem.operation = k == 2 ? CLSOFTMAX_OPERATION_LOG_SOFTMAX : CLSOFTMAX_OPERATION_SOFTMAX;
        problem.temperature_per_row = k == 3;
        problem.sweep = k == 4 ? 2 : 0;
        cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
        cr_assert_eq(cls_decide(&checked, &opencl_cpu, &decision), CLSOFTMAX_OK);
        cr_expect_eq(decision.variant.strategy, k == 0 ? CLSOFTMAX_STRATEGY_ITEM : CLSOFTMAX_STRATEGY_LANE, "%d", k);
    }
}

/* A row's exponentials are kept in local memory by a work-group of one item, where there is room. */
Test(plan, item_keeps_what_local_memory_holds)
{
    cls_decision d = decide(&opencl_cpu, 1000, 1000);
    cr_expect(d.variant.kept_classes == 1024 && d.variant.work_group_size == 1);
    cr_expect_eq(decide(&opencl_cpu, 1000, 131072).variant.kept_classes, 131072u); /* half of 2 MiB */
    cr_expect_eq(decide(&opencl_cpu, 1000, 131073).variant.kept_classes, 0u);
    cr_expect_eq(decide_by(&gpu, CLSOFTMAX_STRATEGY_ITEM, 1000, 1000).variant.kept_classes, 0u);
}

/* A work-item of vectors takes many of them, in a work-group of its own; one of a single row does not. Each row has its place. */
Test(plan, lane_shares_vectors_out)
{
    const uint64_t classes[] = {2, 10, 64};
    for (size_t i = 0; i < 3; i++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
        problem.outer = 1000001;
        problem.classes = classes[i];
        cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
        cls_decision d = decide(&opencl_cpu, problem.outer, classes[i]);
        uint64_t items = cls_global_size(&checked, &d, problem.outer), elements = problem.outer * classes[i];
        cr_expect(d.variant.strategy == CLSOFTMAX_STRATEGY_LANE && d.variant.work_group_size == 1);
        cr_expect(items <= elements / 16384 + 1 && items >= elements / 32768, "%llu", (unsigned long long)items);
        cr_expect_eq(d.variant.row_vectors, classes[i] == 2 ? 2u : 1u); /* few classes: two vectors abreast */
        d = decide_by(&gpu, CLSOFTMAX_STRATEGY_LANE, problem.outer, classes[i]);
        cr_expect_eq(cls_global_size(&checked, &d, problem.outer), (uint64_t)1000064);
        cr_expect_eq(d.variant.row_vectors, 1u);
    }
}

Test(plan, column_keeps_what_local_memory_holds)
{
    const uint64_t classes[] = {3, 1000, 1 << 20};
    const unsigned kept[] = {256, 1024, 0};
    for (size_t i = 0; i < 3; i++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
        cls_decision d;
        const uint64_t shape[2] = {classes[i], 100};
        cr_assert_eq(clsoftmax_problem_set_shape(&problem, 2, shape, 0), CLSOFTMAX_OK);
        cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
        cr_assert_eq(cls_decide(&checked, &opencl_cpu, &d), CLSOFTMAX_OK);
        cr_expect_eq(d.variant.strategy, CLSOFTMAX_STRATEGY_COLUMN);
        cr_expect_eq(d.variant.kept_classes, kept[i]);
        cr_expect_eq(d.variant.work_group_size, 1u);
    }
}

/* As many vectors of columns abreast as local memory has rooms for, beside one for the smaller halves; fewer where some of the units would
   have nothing to do. Each column has its place. */
Test(plan, column_takes_vectors_abreast)
{
    const struct {
        uint64_t classes, columns, sweep;
        unsigned vectors;
    } cases[] = {
        {1000, 1000, 0, 4},     {1000, 448, 0, 3},      {1000, 100, 0, 1},     {8192, 1 << 20, 0, 3},
        {16384, 1 << 20, 0, 1}, {32768, 1 << 20, 0, 0}, {8192, 1 << 20, 2, 1}, {16384, 1 << 20, 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
        cls_decision d;
        const uint64_t shape[2] = {cases[i].classes, cases[i].columns};
        cr_assert_eq(clsoftmax_problem_set_shape(&problem, 2, shape, 0), CLSOFTMAX_OK);
        problem.sweep = cases[i].sweep;
        cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
        cr_assert_eq(cls_decide(&checked, &opencl_cpu, &d), CLSOFTMAX_OK);
        cr_expect_eq(d.variant.row_vectors, cases[i].vectors, "case %zu: %u", i, d.variant.row_vectors);
        cr_expect_eq(d.variant.kept_classes > 0, cases[i].vectors > 0, "case %zu", i);
        uint64_t columns = d.variant.vector_width * (cases[i].vectors > 0 ? cases[i].vectors : 1);
        uint64_t items = cls_global_size(&checked, &d, 1);
        cr_expect(items * columns >= cases[i].columns, "case %zu", i);
        cr_expect(d.variant.work_group_size > 1 || (items - 1) * columns < cases[i].columns, "case %zu", i);
    }
}

/* Few long rows, and rows too long for one work-group; the bounds on both sides. */
Test(plan, split_is_for_few_or_very_long_rows)
{
    const struct {
        const cls_limits *limits;
        uint64_t rows, classes;
        clsoftmax_strategy strategy;
    } wanted[] = {{&gpu, 1, 24575, CLSOFTMAX_STRATEGY_GROUP},         {&gpu, 1, 24576, CLSOFTMAX_STRATEGY_SPLIT},
                  {&gpu, 79, 32768, CLSOFTMAX_STRATEGY_SPLIT},        {&gpu, 80, 32768, CLSOFTMAX_STRATEGY_GROUP},
                  {&gpu, 80, 65536, CLSOFTMAX_STRATEGY_GROUP},        {&gpu, 80, 65537, CLSOFTMAX_STRATEGY_SPLIT},
                  {&opencl_cpu, 1, 1 << 20, CLSOFTMAX_STRATEGY_ITEM}, {&native, 1, 1 << 20, CLSOFTMAX_STRATEGY_ITEM}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_expect_eq(decide(wanted[i].limits, wanted[i].rows, wanted[i].classes).variant.strategy, wanted[i].strategy,
                     "case %zu", i);
}

/* No part is empty, the work-groups of a launch keep the device busy, and its logits take half of the cache. */
Test(plan, parts_and_rows_in_flight)
{
    const struct {
        uint64_t rows, classes;
        uint32_t parts;
        uint64_t launch_outer;
    } wanted[] = {{1, 131072, 64, 32},    /* 2,048 classes each: no smaller parts */
                  {1, 4 << 20, 256, 1},   /* as many as a work-group merges */
                  {20, 131072, 24, 32},   /* 480 work-groups on 80 units */
                  {1000, 131072, 15, 32}, /* 16 of 32 MiB in flight */
                  {1000, 1, 1, 4194304}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cls_decision d = decide_by(&gpu, CLSOFTMAX_STRATEGY_SPLIT, wanted[i].rows, wanted[i].classes);
        cr_expect(d.parts == wanted[i].parts && d.launch_outer == wanted[i].launch_outer, "case %zu: %u parts, %llu", i,
                  d.parts, (unsigned long long)d.launch_outer);
        cr_expect(!d.variant.row_is_kept && d.copied.outer <= d.launch_outer);
    }
    cls_limits without_cache = gpu;
    without_cache.cache_bytes = 0;
    cr_expect_eq(decide_by(&without_cache, CLSOFTMAX_STRATEGY_SPLIT, 1000, 131072).launch_outer, 20u,
                 "128 KiB for each of 80 units");
    cr_expect_eq(decide(&gpu, 1000, 1000).parts, 1u);
    for (uint64_t classes = 1; classes < (uint64_t)1 << 31; classes += 1 + classes / 3) {
        cls_decision d = decide_by(&gpu, CLSOFTMAX_STRATEGY_SPLIT, 3, classes);
        uint64_t chunk = (uint64_t)d.variant.work_group_size * d.variant.row_vectors * d.variant.access_width;
        cr_expect(d.parts >= 1 && (d.parts - 1) * chunk < classes, "%llu classes", (unsigned long long)classes);
    }
}

/* 16 bytes at a time where all rows of both arrays begin at a multiple of that. */
Test(plan, accesses_are_aligned)
{
    const struct {
        uint64_t rows, classes;
        clsoftmax_dtype logits, results;
        clsoftmax_layout layout;
        unsigned width;
    } wanted[] = {
        {9, 1000, CLSOFTMAX_F32, CLSOFTMAX_F32, {0, 0, 0, 0}, 4},
        {9, 1000, CLSOFTMAX_BF16, CLSOFTMAX_F32, {0, 0, 0, 0}, 4},
        {9, 1000, CLSOFTMAX_BF16, CLSOFTMAX_F16, {0, 0, 0, 0}, 8},
        {9, 1004, CLSOFTMAX_BF16, CLSOFTMAX_F16, {0, 0, 0, 0}, 1},
        {9, 50257, CLSOFTMAX_F32, CLSOFTMAX_F32, {0, 0, 0, 0}, 1},
        {1, 50257, CLSOFTMAX_F32, CLSOFTMAX_F32, {0, 0, 0, 0}, 4},
        {9, 1000, CLSOFTMAX_F32, CLSOFTMAX_F32, {4, 1004, 1, 1}, 4},
        {9, 1000, CLSOFTMAX_F32, CLSOFTMAX_F32, {2, 1004, 1, 1}, 1},
        {9, 1000, CLSOFTMAX_F32, CLSOFTMAX_F32, {4, 1006, 1, 1}, 1},
        {9, 1000, CLSOFTMAX_F32, CLSOFTMAX_F32, {0, 4000, 4, 1}, 1},
        {9, 1001, CLSOFTMAX_F32, CLSOFTMAX_F32, {0, 1004, 1, 1}, 1}, /* a tile of host memory is dense */
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT, checked;
        problem.outer = wanted[i].rows;
        problem.classes = wanted[i].classes;
        problem.logits_dtype = wanted[i].logits;
        problem.results_dtype = wanted[i].results;
        problem.logits_layout = wanted[i].layout;
        cls_decision decision;
        cls_limits unaligned = gpu;
        unaligned.alignment_bytes = 8;
        cr_assert_eq(cls_problem_check(&problem, &checked), CLSOFTMAX_OK);
        cr_assert_eq(cls_decide(&checked, &gpu, &decision), CLSOFTMAX_OK);
        cr_expect_eq(decision.variant.access_width, wanted[i].width, "case %zu: %u", i, decision.variant.access_width);
        cr_assert_eq(cls_decide(&checked, &unaligned, &decision), CLSOFTMAX_OK);
        cr_expect_eq(decision.variant.access_width, 1u);
    }
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
    const cls_variant base = {CLSOFTMAX_STRATEGY_GROUP,
                              CLSOFTMAX_OPERATION_SOFTMAX,
                              CLSOFTMAX_F32,
                              CLSOFTMAX_F32,
                              0,
                              0,
                              0,
                              1,
                              64,
                              2,
                              1,
                              4,
                              0,
                              0};
    enum { FIELDS = 14 };
    char defines[FIELDS + 1][1024], labels[FIELDS + 1][256];
    for (int i = 0; i <= FIELDS; i++) {
        cls_variant variant = base;
        unsigned *fields[FIELDS] = {NULL,
                                    &variant.operation,
                                    &variant.logits_dtype,
                                    &variant.results_dtype,
                                    &variant.temperatures,
                                    &variant.statistics,
                                    &variant.ties,
                                    &variant.vector_width,
                                    &variant.work_group_size,
                                    &variant.sum_levels,
                                    &variant.access_width,
                                    &variant.row_vectors,
                                    &variant.row_is_kept,
                                    &variant.kept_classes};
        if (i == 0)
            variant.strategy = CLSOFTMAX_STRATEGY_ITEM;
        else if (i < FIELDS)
            *fields[i] += i > 6 && *fields[i] ? *fields[i] : 1;
        cls_variant_defines(&variant, defines[i], sizeof defines[i]);
        cls_variant_label(&variant, labels[i], sizeof labels[i]);
        for (int k = 0; k < i; k++) {
            cr_expect_str_neq(defines[i], defines[k], "variants %d and %d", i, k);
            cr_expect_str_neq(labels[i], labels[k], "variants %d and %d", i, k);
        }
    }
    cr_expect_str_eq(labels[FIELDS], "softmax:group:f32->f32:width 1:work-group 64:4 x 1 at a time:levels 2");
}
