/* What planning decides on usual devices, without opening one: strategies, sizes, and what is kept. The expected
   decisions are written out; test_plan_ends.c has the borders of the rules, test_plan_tiles.c the tiles,
   test_plan_problems.c problems that are refused. */
#include "decisions.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Checks the strategy for one matrix on three kinds of device. */
Test(plan, strategy_follows_the_device)
{
    cr_expect_eq(decide_rows(&gpu, 10, 1000).variant.strategy, CLSOFTMAX_STRATEGY_GROUP);
    cr_expect_eq(decide_rows(&opencl_cpu, 10, 1000).variant.strategy, CLSOFTMAX_STRATEGY_ITEM);
    cr_expect_eq(decide_rows(&opencl_cpu, 10, 1000).variant.vector_width, 16u);
    cr_expect_eq(decide_rows(&native, 10, 1000).variant.strategy, CLSOFTMAX_STRATEGY_ITEM);
}

/* Plans for devices with every limit of the work-group size. */
Test(plan, work_group_fits_the_limit_and_is_a_power_of_two)
{
    for (uint32_t limit = 1; limit <= 1024; limit += 7) {
        cls_limits limits = gpu;
        limits.max_work_group_size = limit;
        unsigned size = decide_rows(&limits, 10, 100000).variant.work_group_size;
        cr_expect(size >= 1 && size <= limit && (size & (size - 1)) == 0, "limit %u gives %u", limit, size);
    }
}

/* Checks that a third level of sums begins behind 2^18 classes on every device. */
Test(plan, sum_levels_follow_the_classes_alone)
{
    const cls_limits *all[] = {&gpu, &opencl_cpu, &native};
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(decide_rows(all[i], 1, 1 << 18).variant.sum_levels, 2u);
        cr_expect_eq(decide_rows(all[i], 1, (1 << 18) + 1).variant.sum_levels, 3u);
    }
}

/* Checks that launches have at most 2^31 work-items: some runtimes refuse more than 2^32. */
Test(plan, launches_are_bounded)
{
    const clsoftmax_problem problem = shape((uint64_t)1 << 33, 10, 1, CLSOFTMAX_STRATEGY_AUTO);
    const clsoftmax_problem checked = check(&problem);
    cls_limits large = gpu;
    large.max_allocation_bytes = large.global_memory_bytes = (uint64_t)1 << 50;
    const cls_decision decision = decide(&large, &problem);
    cr_expect(cls_global_size(&checked, &decision, decision.launch_outer) <= (uint64_t)1 << 31);
    cr_expect(decision.copied.outer <= decision.launch_outer && decision.shared.outer <= decision.launch_outer);
}

/* Plans for problems without rows, of any number of classes and with every size 0. */
Test(plan, no_rows_of_any_width)
{
    cls_decision decision = decide_rows(&gpu, 0, (uint64_t)1 << 40);
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

/* Plans for a device with little local memory. */
Test(plan, local_memory_bounds_the_group)
{
    cls_limits small = gpu;
    small.local_memory_bytes = 16384;
    clsoftmax_problem problem = shape(10, 100000, 1, CLSOFTMAX_STRATEGY_AUTO);
    problem.work_group_size = 1024;
    cr_expect_eq(decide(&small, &problem).variant.work_group_size, 512u, "20 bytes each in three quarters of 16 KiB");
}

/* Checks which rows `group` keeps in registers: up to 16,384 classes with 16 exponentials to a work-item, up to 32,768
   with 32. */
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
        cr_expect(variant.work_group_size == wanted[i].work_items && variant.accesses == wanted[i].vectors &&
                      variant.row_in_registers == wanted[i].is_kept,
                  "%llu classes: %u x %u, %u", (unsigned long long)wanted[i].classes, variant.work_group_size,
                  variant.accesses, variant.row_in_registers);
    }
    for (uint64_t classes = 1; classes < 40000; classes += 1 + classes / 7) {
        cls_variant v = decide_by(&gpu, CLSOFTMAX_STRATEGY_GROUP, 1000, classes).variant;
        cr_expect(!v.row_in_registers || classes <= (uint64_t)v.work_group_size * v.accesses * v.access_width);
    }
}

/* Checks the longest row for `lane` on each device. */
Test(plan, lane_is_for_short_rows)
{
    const cls_limits wide = {.type = CLSOFTMAX_DEVICE_CPU, .vector_width = 16};
    cls_limits narrow = opencl_cpu;
    narrow.vector_width = 8;
    const struct {
        const cls_limits *limits;
        uint64_t most, least_beyond;
    } devices[] = {{&gpu, 64, 65}, {&opencl_cpu, 96, 97}, {&narrow, 160, 161}, {&native, 255, 256}, {&wide, 111, 112}};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        cr_expect_eq(decide_rows(devices[i].limits, 1000, devices[i].most).variant.strategy, CLSOFTMAX_STRATEGY_LANE);
        cr_expect_neq(decide_rows(devices[i].limits, 1000, devices[i].least_beyond).variant.strategy,
                      CLSOFTMAX_STRATEGY_LANE);
    }
    for (int k = 0; k < 3; k++) { /* of what keeps `item` from being as fast */
        clsoftmax_problem most = shape(1000, 119, 1, CLSOFTMAX_STRATEGY_AUTO);
        most.statistics = k == 0;
        most.logits_dtype = k == 1 ? CLSOFTMAX_F16 : CLSOFTMAX_F32;
        most.results_dtype = k == 2 ? CLSOFTMAX_BF16 : CLSOFTMAX_F32;
        clsoftmax_problem beyond = most;
        beyond.classes = 120;
        cr_expect_eq(decide(&wide, &most).variant.strategy, CLSOFTMAX_STRATEGY_LANE, "%d", k);
        cr_expect_eq(decide(&wide, &beyond).variant.strategy, CLSOFTMAX_STRATEGY_ITEM, "%d", k);
    }
}

/* Checks that `lane` also takes longer rows where a row needs more than one softmax: on OpenCL CPU devices up to 160
   classes, beyond which rows are no longer transposed. */
Test(plan, lane_is_for_what_rows_have_of_their_own)
{
    for (int k = 0; k < 5; k++) {
        clsoftmax_problem problem = shape(1000, 160, 1, CLSOFTMAX_STRATEGY_AUTO);
        problem.statistics = k == 1;
        problem.operation = k == 2 ? CLSOFTMAX_OPERATION_LOG_SOFTMAX : CLSOFTMAX_OPERATION_SOFTMAX;
        problem.temperature_per_row = k == 3;
        problem.sweep = k == 4 ? 2 : 0;
        cr_expect_eq(decide(&opencl_cpu, &problem).variant.strategy,
                     k == 0 ? CLSOFTMAX_STRATEGY_ITEM : CLSOFTMAX_STRATEGY_LANE, "%d", k);
    }
}

/* Checks that `item` keeps the exponentials of a row in local memory, where they fit, with work-groups of one
   work-item. */
Test(plan, item_keeps_what_local_memory_holds)
{
    cls_decision d = decide_rows(&opencl_cpu, 1000, 1000);
    cr_expect(d.variant.room_classes == 1024 && d.variant.work_group_size == 1);
    cr_expect_eq(decide_rows(&opencl_cpu, 1000, 131072).variant.room_classes, 131072u); /* half of 2 MiB */
    cr_expect_eq(decide_rows(&opencl_cpu, 1000, 131073).variant.room_classes, 0u);
    cr_expect_eq(decide_by(&gpu, CLSOFTMAX_STRATEGY_ITEM, 1000, 1000).variant.room_classes, 0u);
}

/* Checks how `lane` shares rows out: a work-item with vectors takes many of them in a work-group of its own, one
   without takes a single row. Each row must have a work-item. */
Test(plan, lane_shares_vectors_out)
{
    const uint64_t classes[] = {2, 10, 64};
    for (size_t i = 0; i < 3; i++) {
        const clsoftmax_problem problem = shape(1000001, classes[i], 1, CLSOFTMAX_STRATEGY_AUTO);
        const clsoftmax_problem checked = check(&problem);
        cls_decision d = decide_rows(&opencl_cpu, problem.outer, classes[i]);
        uint64_t items = cls_global_size(&checked, &d, problem.outer), elements = problem.outer * classes[i];
        cr_expect(d.variant.strategy == CLSOFTMAX_STRATEGY_LANE && d.variant.work_group_size == 1);
        cr_expect(items <= elements / 16384 + 1 && items >= elements / 32768, "%llu", (unsigned long long)items);
        cr_expect_eq(d.variant.vectors_abreast, classes[i] == 2 ? 2u : 1u); /* few classes: two vectors abreast */
        d = decide_by(&gpu, CLSOFTMAX_STRATEGY_LANE, problem.outer, classes[i]);
        cr_expect_eq(cls_global_size(&checked, &d, problem.outer), (uint64_t)1000064);
        cr_expect_eq(d.variant.vectors_abreast, 1u);
    }
}

/* Checks which columns `column` keeps in local memory. */
Test(plan, column_keeps_what_local_memory_holds)
{
    const uint64_t classes[] = {3, 1000, 1 << 20};
    const unsigned kept[] = {256, 1024, 0};
    for (size_t i = 0; i < 3; i++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
        const uint64_t sizes[2] = {classes[i], 100};
        cr_assert_eq(clsoftmax_problem_set_shape(&problem, 2, sizes, 0), CLSOFTMAX_OK);
        const cls_decision d = decide(&opencl_cpu, &problem);
        cr_expect_eq(d.variant.strategy, CLSOFTMAX_STRATEGY_COLUMN);
        cr_expect_eq(d.variant.room_classes, kept[i]);
        cr_expect_eq(d.variant.work_group_size, 1u);
    }
}

/* Checks how many vectors of columns `column` takes abreast: as many as local memory has rooms for, beside one for the
   lower halves of exponentials, but fewer where compute units would be idle. Each column must have a work-item. */
Test(plan, column_takes_vectors_abreast)
{
    const struct {
        uint64_t classes, columns, sweep;
        unsigned vectors;
    } cases[] = {
        {1000, 1000, 0, 4},     {1000, 448, 0, 3},     {1000, 300, 0, 2},
        {1000, 100, 0, 1},      {8192, 1 << 20, 0, 3}, {16384, 1 << 20, 0, 1},
        {32768, 1 << 20, 0, 0}, {8192, 1 << 20, 2, 1}, {16384, 1 << 20, 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
        const uint64_t sizes[2] = {cases[i].classes, cases[i].columns};
        cr_assert_eq(clsoftmax_problem_set_shape(&problem, 2, sizes, 0), CLSOFTMAX_OK);
        problem.sweep = cases[i].sweep;
        const clsoftmax_problem checked = check(&problem);
        const cls_decision d = decide(&opencl_cpu, &problem);
        cr_expect_eq(d.variant.vectors_abreast, cases[i].vectors, "case %zu: %u", i, d.variant.vectors_abreast);
        cr_expect_eq(d.variant.room_classes > 0, cases[i].vectors > 0, "case %zu", i);
        uint64_t columns = d.variant.vector_width * (cases[i].vectors > 0 ? cases[i].vectors : 1);
        uint64_t items = cls_global_size(&checked, &d, 1);
        cr_expect(items * columns >= cases[i].columns, "case %zu", i);
        cr_expect(d.variant.work_group_size > 1 || (items - 1) * columns < cases[i].columns, "case %zu", i);
    }
}

/* Checks both sides of the bounds of `split`, which is for a few long rows and for rows too long for one work-group. */
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
        cr_expect_eq(decide_rows(wanted[i].limits, wanted[i].rows, wanted[i].classes).variant.strategy,
                     wanted[i].strategy, "case %zu", i);
}

/* Checks the parts of `split`: none is empty, the work-groups of a launch keep the device busy, and the logits of a
   launch take half of the cache. */
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
        cr_expect(!d.variant.row_in_registers && d.copied.outer <= d.launch_outer);
    }
    cls_limits without_cache = gpu;
    without_cache.cache_bytes = 0;
    cr_expect_eq(decide_by(&without_cache, CLSOFTMAX_STRATEGY_SPLIT, 1000, 131072).launch_outer, 20u,
                 "128 KiB for each of 80 units");
    cr_expect_eq(decide_rows(&gpu, 1000, 1000).parts, 1u);
    for (uint64_t classes = 1; classes < (uint64_t)1 << 31; classes += 1 + classes / 3) {
        cls_decision d = decide_by(&gpu, CLSOFTMAX_STRATEGY_SPLIT, 3, classes);
        uint64_t chunk = (uint64_t)d.variant.work_group_size * d.variant.accesses * d.variant.access_width;
        cr_expect(d.parts >= 1 && (d.parts - 1) * chunk < classes, "%llu classes", (unsigned long long)classes);
    }
}

/* Checks that accesses take 16 bytes where all rows of both arrays begin at a multiple of 16 bytes, and one element
   elsewhere. */
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
        clsoftmax_problem problem = shape(wanted[i].rows, wanted[i].classes, 1, CLSOFTMAX_STRATEGY_AUTO);
        problem.logits_dtype = wanted[i].logits;
        problem.results_dtype = wanted[i].results;
        problem.logits_layout = wanted[i].layout;
        cls_limits unaligned = gpu;
        unaligned.alignment_bytes = 8;
        const unsigned width = decide(&gpu, &problem).variant.access_width;
        cr_expect_eq(width, wanted[i].width, "case %zu: %u", i, width);
        cr_expect_eq(decide(&unaligned, &problem).variant.access_width, 1u);
    }
}

/* Sets shapes with an axis at any place, and plans the columns of one that is not last. */
Test(plan, columns_for_an_axis_that_is_not_last)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    const uint64_t sizes[3] = {4, 50, 6};
    cr_assert_eq(clsoftmax_problem_set_shape(&problem, 3, sizes, 1), CLSOFTMAX_OK);
    cr_expect(problem.outer == 4 && problem.classes == 50 && problem.inner == 6);
    cr_assert_eq(clsoftmax_problem_set_shape(&problem, 3, sizes, -3), CLSOFTMAX_OK);
    cr_expect(problem.outer == 1 && problem.classes == 4 && problem.inner == 300);
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, sizes, 3), CLSOFTMAX_INVALID_SHAPE);
    const uint64_t too_large[3] = {(uint64_t)1 << 40, (uint64_t)1 << 40, 4};
    cr_expect_eq(clsoftmax_problem_set_shape(&problem, 3, too_large, -1), CLSOFTMAX_INVALID_SHAPE);
    cr_expect(problem.outer == 1 && problem.classes == 4 && problem.inner == 300, "a failure has changed the problem");
    cr_expect_eq(decide(&gpu, &problem).variant.strategy, CLSOFTMAX_STRATEGY_COLUMN);
}

/* Checks that variants which differ in one field have different labels and different defines, which are the key of the
   cache of programs. */
Test(plan, variants_that_differ_print_differently)
{
    const cls_variant base = {CLSOFTMAX_STRATEGY_GROUP,
                              CLSOFTMAX_OPERATION_SOFTMAX,
                              1, /* the terms, which follow from operation and statistics */
                              CLSOFTMAX_F32,
                              CLSOFTMAX_F32,
                              CLSOFTMAX_F32, /* the operand, which a softmax has none of */
                              0,
                              0,
                              0,
                              0,
                              1,
                              64,
                              2,
                              1,
                              4,
                              0,
                              0,
                              0,
                              0};
    enum { FIELDS = 17 };
    char defines[FIELDS + 1][1024], labels[FIELDS + 1][256];
    for (int i = 0; i <= FIELDS; i++) {
        cls_variant variant = base;
        unsigned *fields[FIELDS] = {NULL,
                                    &variant.operation,
                                    &variant.logits_dtype,
                                    &variant.results_dtype,
                                    &variant.temperatures,
                                    &variant.statistics,
                                    &variant.lean,
                                    &variant.ties,
                                    &variant.vector_width,
                                    &variant.work_group_size,
                                    &variant.sum_levels,
                                    &variant.access_width,
                                    &variant.accesses,
                                    &variant.row_in_registers,
                                    &variant.pairs_in_registers,
                                    &variant.vectors_abreast,
                                    &variant.room_classes};
        if (i == 0)
            variant.strategy = CLSOFTMAX_STRATEGY_ITEM;
        else if (i < FIELDS)
            *fields[i] += i > 7 && *fields[i] ? *fields[i] : 1;
        cls_variant_defines(&variant, defines[i], sizeof defines[i]);
        cls_variant_label(&variant, labels[i], sizeof labels[i]);
        for (int k = 0; k < i; k++) {
            cr_expect_str_neq(defines[i], defines[k], "variants %d and %d", i, k);
            cr_expect_str_neq(labels[i], labels[k], "variants %d and %d", i, k);
        }
    }
    cr_expect_str_eq(labels[FIELDS], "softmax:group:f32->f32:width 1:work-group 64:4 x 1 at a time:levels 2");
}

static int is_power_of_two(uint64_t value)
{
    return value > 0 && (value & (value - 1)) == 0;
}

/* Checks every device type's tuning numbers for what kernels need of them, whatever was measured. */
Test(plan, tuning_numbers_keep_what_kernels_need)
{
    for (int type = CLSOFTMAX_DEVICE_REFERENCE; type <= CLSOFTMAX_DEVICE_GPU; type++) {
        const cls_tuning *t = cls_tuning_of_type((clsoftmax_device_type)type);
        cr_expect(is_power_of_two(t->access_bytes) && is_power_of_two(t->smallest_work_group) &&
                  is_power_of_two(t->passing_work_group) && is_power_of_two(t->unaligned_sweep_work_group));
        cr_expect(is_power_of_two(t->passing_classes) && t->passing_classes * 2 >= t->access_bytes,
                  "a work-item has one access of 16 bits at least");
        cr_expect(t->register_classes <= CORE_FLUSH_AFTER, "a chunk is added without a flush");
        cr_expect(t->least_room % 4 == 0 && t->lane_classes > 0, "rooms hold whole steps of 4 classes");
        if (type == CLSOFTMAX_DEVICE_OPENCL_CPU)
            cr_expect(t->lane_classes % 8 == 0 && t->transposed_lane_classes % 4 == 0 &&
                          t->two_abreast_classes <= t->lane_classes / 2,
                      "rooms for transposed rows hold whole steps, halved too");
        cr_expect(t->split_temperatures > 0 && t->most_parts > 0 && t->share_elements > 0 && t->tiles_of_a_matrix > 0);
    }
}

/* Returns 1 if the text has the number as one of its numbers. */
static int has_number(const char *text, uint64_t number)
{
    int found = 0;
    while (*text && !found) {
        char *end = NULL;
        found = isdigit((unsigned char)*text) && strtoull(text, &end, 10) == number;
        text = end ? end : text + 1;
    }
    return found;
}

/* Checks that the rules of strategies, which people read, have the tuning numbers that planning goes by. */
Test(plan, rules_say_the_tuning_numbers)
{
    const cls_tuning *gpus = cls_tuning_of_type(CLSOFTMAX_DEVICE_GPU), *cpu = cls_tuning_of_type(CLSOFTMAX_DEVICE_CPU);
    const cls_tuning *opencl_cpus = cls_tuning_of_type(CLSOFTMAX_DEVICE_OPENCL_CPU);
    const struct {
        clsoftmax_strategy strategy;
        uint64_t number;
    } said[] = {{CLSOFTMAX_STRATEGY_COLUMN, opencl_cpus->temperatures_on_lanes},
                {CLSOFTMAX_STRATEGY_LANE, gpus->lane_classes},
                {CLSOFTMAX_STRATEGY_LANE, opencl_cpus->lane_classes_beside_item},
                {CLSOFTMAX_STRATEGY_LANE, opencl_cpus->transposed_lane_classes},
                {CLSOFTMAX_STRATEGY_LANE, cpu->lane_classes_beside_f32_item},
                {CLSOFTMAX_STRATEGY_LANE, cpu->lane_classes},
                {CLSOFTMAX_STRATEGY_SPLIT, gpus->one_group_classes},
                {CLSOFTMAX_STRATEGY_SPLIT, gpus->few_rows_classes}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        const char *rule = clsoftmax_strategy_rule(said[i].strategy);
        cr_expect(has_number(rule, said[i].number), "%llu is not in: %s", (unsigned long long)said[i].number, rule);
    }
    cr_expect_not(has_number("at most 640 classes", 64), "a part of a number");
}
