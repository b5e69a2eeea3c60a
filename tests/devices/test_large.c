/* Arrays whose offsets do not fit 32 bits, and arrays that do not fit a device, on cpu and OpenCL. The oracles are
   single rows, and cpu, bit for bit. */
#include "context.h"
#include "support/device.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Computes more than 2^32 elements of f16 in place. The last row differs from all others, which are alike, so that an
   offset that wraps around shows. */
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
        for (int whole = 1; whole >= 0; whole--) /* all rows, then each of the two kinds alone */
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

/* ---------------------------------------------------------------- Beyond the device */

static void run_in_place(clsoftmax_context *context, uint64_t rows, uint64_t classes, uint16_t *x)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = rows;
    problem.classes = classes;
    problem.logits_dtype = problem.results_dtype = CLSOFTMAX_BF16;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = arguments.results = x;
    arguments.temperature = 0.1f;
    test_call(context, &problem, &arguments);
}

/* Fills with numbers from 0.5 to 2, of both signs. */
static void fill_bf16(uint64_t count, uint16_t *x)
{
    uint64_t random = 11;
    for (uint64_t i = 0; i < count; i++)
        x[i] = (uint16_t)((random_bits(&random) & 0x80FF) | 0x3F00);
}

/* Gives PoCL 1 GB of memory, of which a buffer has 256 MB, and computes a matrix and a row that are larger than a
   buffer and than a tile. */
Test(large, beyond_the_device, .timeout = 1200)
{
    setenv("POCL_MEMORY_LIMIT", "1", 1);
    const struct {
        uint64_t rows, classes;
    } shapes[] = {{9000, 16384}, {1, (uint64_t)140 << 20}};
    clsoftmax_context *const cpu = test_open("cpu");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        uint64_t count = shapes[i].rows * shapes[i].classes;
        uint16_t *expected = malloc(count * sizeof *expected), *found = malloc(count * sizeof *found);
        cr_assert(expected && found);
        fill_bf16(count, expected);
        run_in_place(cpu, shapes[i].rows, shapes[i].classes, expected);
        for (int way = 0; way < 2; way++) {
            setenv("CLSOFTMAX_HOST_MEMORY", way ? "copy" : "share", 1);
            clsoftmax_context *const opencl = test_open_opencl();
            if (opencl->limits.max_allocation_bytes >= count * sizeof *found)
                cr_skip_test("the device is too large");
            fill_bf16(count, found);
            run_in_place(opencl, shapes[i].rows, shapes[i].classes, found);
            cr_expect(memcmp(expected, found, count * sizeof *found) == 0, "%llu x %llu, way %d",
                      (unsigned long long)shapes[i].rows, (unsigned long long)shapes[i].classes, way);
            clsoftmax_context_release(opencl);
        }
        free(expected);
        free(found);
    }
    clsoftmax_context_release(cpu);
}
