/* Arrays whose offsets do not fit 32 bits. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* More than 2^32 elements: offsets that do not fit 32 bits. Rows all alike but the first and the last, in f16, in place. */
Test(large, beyond_2_to_the_32, .timeout = 3600)
{
    if (!test_is_long())
        cr_skip_test("needs 9 GB: only in the long tests");
    const uint64_t classes = 65536, rows = 65537;
    clsoftmax_context *const contexts[2] = {test_open("cpu"), test_open_opencl()};
    uint16_t *x = malloc(rows * classes * sizeof *x), *row = malloc(classes * sizeof *row),
             *other = malloc(classes * sizeof *other);
    cr_assert(x && row && other, "9 GB are not to be had");
    for (int k = 0; k < 2; k++) {
        for (uint64_t i = 0; i < classes; i++) {
            row[i] = (uint16_t)(0x3C00 + i % 970); /* 1 to 1.95 */
            other[i] = (uint16_t)(0x4000 + i % 890);
        }
        for (uint64_t r = 0; r < rows; r++)
            memcpy(x + r * classes, r == rows - 1 ? other : row, classes * sizeof *x);
        for (int whole = 1; whole >= 0; whole--) /* all rows, then one of each alone */
            for (int which = 0; which < (whole ? 1 : 2); which++) {
                clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
                problem.outer = whole ? rows : 1;
                problem.classes = classes;
                problem.logits_dtype = problem.results_dtype = CLSOFTMAX_F16;
                clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
                arguments.logits = arguments.results = whole ? x : which ? other : row;
                clsoftmax_plan *plan = NULL;
                cr_assert_eq(clsoftmax_plan_create(contexts[k], &problem, &plan), CLSOFTMAX_OK, "%s",
                             clsoftmax_last_error());
                cr_assert_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
                clsoftmax_plan_release(plan);
            }
        cr_expect(memcmp(row, other, classes * sizeof *x) != 0, "the data proves nothing");
        for (uint64_t r = 0; r < rows; r++)
            cr_assert(memcmp(x + r * classes, r == rows - 1 ? other : row, classes * sizeof *x) == 0, "row %llu",
                      (unsigned long long)r);
        clsoftmax_context_release(contexts[k]);
    }
    free(x);
    free(row);
    free(other);
}
