/* How planning cuts calls on host memory into tiles, without opening a device: tiles fit the memory of the device, and
   they cover the problem. The oracle of tiles_cover_the_problem is a count for each element. */
#include "decisions.h"

#include <criterion/criterion.h>

/* Checks the sizes of copied tiles: three at a time, of logits and of results, fit four fifths of the device's memory;
   and a tile is an eighth of the matrix, but at least 4 MiB and at most 32 MiB. */
Test(plan, copied_tiles_fit_the_device)
{
    cr_expect_eq(decide_rows(&gpu, 1000, 1000).copied.outer, 1000u, "4 MB: one tile");
    cr_expect_eq(decide_rows(&gpu, 8192, 4096).copied.outer, 1024u, "16 MiB of 128");
    cr_expect_eq(decide_rows(&gpu, 1000000, 1024).copied.outer, 8192u, "32 MiB");
    cr_expect_eq(decide_rows(&gpu, 1000, 1000).shared.outer, 0u);
    cr_expect_eq(decide_rows(&gpu, 10, (uint64_t)100 << 20).copied.outer, 1u,
                 "a row larger than a tile, not than the device");
    cls_decision decision = decide_rows(&gpu, 3, (uint64_t)256 << 20);
    cr_expect(decision.variant.strategy == CLSOFTMAX_STRATEGY_SPLIT && decision.copied.outer == 1 &&
                  decision.copied.classes == 8 << 20,
              "a row of 1 GiB, of which six do not fit 3.2 GiB, in pieces of 32 MiB");
    decision = decide_by(&gpu, CLSOFTMAX_STRATEGY_GROUP, 3, (uint64_t)256 << 20);
    cr_expect_eq(decision.copied.outer, 0u, "group takes no pieces");
}

/* Checks the sizes of shared tiles: as many rows as a buffer holds. The call is copied where a buffer holds no row, and
   where a driver might write back what lies between the results. */
Test(plan, shared_tiles_fit_a_buffer)
{
    cr_expect_eq(decide_rows(&opencl_cpu, 1000000, 1000).shared.outer, ((uint64_t)1 << 30) / 4000);
    cr_expect_eq(decide_rows(&opencl_cpu, 10, (uint64_t)256 << 20).shared.outer, 1u);
    cls_decision decision = decide_rows(&opencl_cpu, 10, ((uint64_t)256 << 20) + 1);
    cr_expect(decision.shared.outer == 0 && decision.copied.outer == 1 && decision.copied.classes == 8 << 20);
    clsoftmax_problem problem = shape(1 << 20, 1000, 1, CLSOFTMAX_STRATEGY_AUTO);
    problem.results_layout = (clsoftmax_layout){8, 4096, 1, 1};
    cr_expect_eq(decide(&opencl_cpu, &problem).shared.outer, (((uint64_t)1 << 28) - 1000) / 4096 + 1);
    cls_limits unified = gpu;
    unified.shares_memory = 1;
    cr_expect_eq(decide(&unified, &problem).shared.outer, 0u, "results with gaps");
    cr_expect_eq(decide_rows(&unified, 1000, 1000).shared.outer, 1000u);
}

/* Checks for many ways to cut a problem that its tiles hold each element, at each temperature, once in each pass. */
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

/* Compares descriptions of tiles with what users are promised to read. */
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
        const clsoftmax_problem problem = shape(3, wanted[i].classes, 1, CLSOFTMAX_STRATEGY_AUTO);
        const clsoftmax_problem checked = check(&problem);
        const cls_decision decision = decide(wanted[i].limits, &problem);
        char text[240];
        cls_describe_tiles(&checked, &decision, text, sizeof text);
        cr_expect_str_eq(text, wanted[i].text);
    }
}
