/* Exact sums against MPFR, in any order and in any parts; and clsoftmax_loss and
   clsoftmax_loss_of_targets, whose means are such sums. */
#include "support/device.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 2000 };

/* Returns the exact sum, rounded to double. */
static double exact_sum(const float *values, size_t count)
{
    mpfr_t sum;
    mpfr_init2(sum, 400); /* holds every sum of this file */
    mpfr_set_zero(sum, 1);
    for (size_t i = 0; i < count; i++)
        mpfr_add_d(sum, sum, (double)values[i], MPFR_RNDN);
    const double value = mpfr_get_d(sum, MPFR_RNDN);
    mpfr_clear(sum);
    return value;
}

/* Returns a total of values. */
static clsoftmax_total total_of(const float *values, size_t count)
{
    clsoftmax_total total = CLSOFTMAX_TOTAL_INIT;
    clsoftmax_total_add(&total, values, count);
    return total;
}

/* Sums values of any size that cancel, forwards, backwards, and in two parts. */
Test(totals, equal_mpfr_in_any_order)
{
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        uint64_t random = seed;
        float values[MOST_VALUES], backwards[MOST_VALUES];
        const size_t count = 1 + (size_t)random_below(&random, seed % 10 ? 20 : MOST_VALUES);
        for (size_t i = 0; i < count; i++) {
            uint32_t bits = (uint32_t)random_bits(&random);
            if (seed % 3 == 0)
                bits = (bits & 0x807FFFFFu) | ((100u + bits % 30u) << 23);
            memcpy(&values[i], &bits, sizeof bits);
            values[i] = isfinite(values[i]) ? values[i] : FLT_MAX;
            if (seed % 5 == 0 && i % 2)
                values[i] = -values[i - 1];
            backwards[count - 1 - i] = values[i];
        }
        for (size_t i = 0; i < count; i++)
            backwards[count - 1 - i] = values[i];
        const clsoftmax_total total = total_of(values, count), other = total_of(backwards, count);
        const size_t cut = (size_t)random_below(&random, count + 1);
        clsoftmax_total merged = total_of(values + cut, count - cut), first = total_of(values, cut), summed = merged;
        for (int i = 0; i < CLSOFTMAX_TOTAL_DIGITS; i++) /* as MPI_SUM does */
            summed.digits[i] += first.digits[i];
        clsoftmax_total_merge(&merged, &first);
        const double exact = exact_sum(values, count);
        cr_assert_eq(clsoftmax_total_value(&total), exact, "seed %llu: %a, not %a", (unsigned long long)seed,
                     clsoftmax_total_value(&total), exact);
        cr_assert(memcmp(&total, &other, sizeof total) == 0 && memcmp(&total, &merged, sizeof total) == 0);
        cr_assert_eq(clsoftmax_total_value(&summed), exact);
    }
}

/* Sums what is no number, and nothing. */
Test(totals, infinities_and_nan)
{
    const float up[] = {1, INFINITY}, both[] = {INFINITY, -INFINITY}, nan[] = {1, NAN}, down[] = {-INFINITY, FLT_MAX};
    const clsoftmax_total of_up = total_of(up, 2), of_both = total_of(both, 2), of_nan = total_of(nan, 2),
                          of_down = total_of(down, 2), nothing = total_of(NULL, 0);
    cr_expect_eq(clsoftmax_total_value(&of_up), (double)INFINITY);
    cr_expect_eq(clsoftmax_total_value(&of_down), (double)-INFINITY);
    cr_expect(isnan(clsoftmax_total_value(&of_both)) && isnan(clsoftmax_total_value(&of_nan)));
    cr_expect_eq(clsoftmax_total_value(&nothing), 0.0);
}

/* Computes the mean loss and its gradient by clsoftmax_loss, with and without what may be left out. */
Test(totals, loss_in_one_call)
{
    enum { ROWS = 5, CLASSES = 3 };
    const float x[ROWS * CLASSES] = {1, 2, 3, 0, 0, 0, 5, 1, 1, 3, 2, 1, -1, 4, 4};
    const int64_t labels[ROWS] = {2, 0, -100, 1, 1}, none[ROWS] = {-1, -1, -1, -1, 3};
    float gradient[ROWS * CLASSES], in_place[ROWS * CLASSES], losses[ROWS];
    double mean = 0, again = 0, of_place = 0, nothing = 0;
    clsoftmax_context *cpu = test_open("cpu");
    cr_assert_eq(clsoftmax_loss(cpu, ROWS, CLASSES, x, 2, labels, gradient, losses, &mean), CLSOFTMAX_OK);
    cr_expect(losses[2] == 0 && gradient[2 * CLASSES] == 0 && gradient[2 * CLASSES + 2] == 0, "an ignored row");
    double sum = 0;
    for (int r = 0; r < ROWS; r++)
        sum += (double)losses[r];
    cr_expect(fabs(mean - sum / 4) < 1e-15, "%g, not %g", mean, sum / 4);
    for (int i = 0; i < CLASSES; i++) { /* central differences of the mean in double precision */
        const double h = 1e-4, z[2][CLASSES] = {{0.5, 1, 1.5}, {0.5, 1, 1.5}};
        double loss[2];
        for (int side = 0; side < 2; side++) {
            double e[CLASSES], all = 0;
            for (int c = 0; c < CLASSES; c++)
                all += e[c] = exp(z[side][c] + (c == i ? (side ? h : -h) / 2 : 0));
            loss[side] = log(all) - log(e[2]);
        }
        cr_expect(fabs((double)gradient[i] - (loss[1] - loss[0]) / (2 * h) / 4) < 1e-7, "class %d", i);
    }
    memcpy(in_place, x, sizeof x);
    cr_assert_eq(clsoftmax_loss(cpu, ROWS, CLASSES, x, 2, labels, NULL, NULL, &again), CLSOFTMAX_OK);
    cr_assert_eq(clsoftmax_loss(cpu, ROWS, CLASSES, in_place, 2, labels, in_place, NULL, &of_place), CLSOFTMAX_OK);
    cr_expect(again == mean && of_place == mean && memcmp(in_place, gradient, sizeof gradient) == 0);
    cr_assert_eq(clsoftmax_loss(cpu, ROWS, CLASSES, x, 2, none, gradient, NULL, &nothing), CLSOFTMAX_OK);
    cr_expect(isnan(nothing) && gradient[0] == 0);
    cr_expect_eq(clsoftmax_loss(cpu, ROWS, CLASSES, x, 2, NULL, gradient, NULL, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_loss(cpu, ROWS, CLASSES, x, -1, labels, gradient, NULL, NULL),
                 CLSOFTMAX_INVALID_TEMPERATURE);
    clsoftmax_context_release(cpu);
}

/* Computes the mean loss with targets and its gradient: those of every row, whose formulas double precision holds. */
Test(totals, loss_of_targets_in_one_call)
{
    enum { ROWS = 2, CLASSES = 3 };
    const double temperature = 2;
    const float x[ROWS][CLASSES] = {{1, 2, 3}, {3, 2, -1}}, targets[ROWS][CLASSES] = {{0.25f, 0, 0.75f}, {0.5f, 1, 2}};
    float gradient[ROWS][CLASSES], in_place[ROWS][CLASSES], losses[ROWS];
    double mean = 0, of_place = 0, expected = 0;
    clsoftmax_context *cpu = test_open("cpu");
    cr_assert_eq(clsoftmax_loss_of_targets(cpu, ROWS, CLASSES, x[0], 2, targets[0], gradient[0], losses, &mean),
                 CLSOFTMAX_OK);
    for (int r = 0; r < ROWS; r++) {
        double all = 0, loss = 0, sum = 0;
        for (int c = 0; c < CLASSES; c++)
            all += exp((double)x[r][c] / temperature);
        for (int c = 0; c < CLASSES; c++) {
            loss += (double)targets[r][c] * (log(all) - (double)x[r][c] / temperature);
            sum += (double)targets[r][c];
        }
        for (int c = 0; c < CLASSES; c++) {
            const double p = exp((double)x[r][c] / temperature) / all;
            cr_expect(fabs((double)gradient[r][c] - (sum * p - (double)targets[r][c]) / temperature / ROWS) < 1e-7);
        }
        cr_expect(fabs((double)losses[r] - loss) < 1e-6 * loss);
        expected += loss / ROWS;
    }
    cr_expect(fabs(mean - expected) < 1e-6 * expected, "%g, not %g", mean, expected);
    memcpy(in_place, targets, sizeof targets);
    cr_assert_eq(clsoftmax_loss_of_targets(cpu, ROWS, CLASSES, x[0], 2, in_place[0], in_place[0], NULL, &of_place),
                 CLSOFTMAX_OK);
    cr_expect(of_place == mean && memcmp(in_place, gradient, sizeof gradient) == 0);
    cr_expect_eq(clsoftmax_loss_of_targets(cpu, ROWS, CLASSES, x[0], 2, NULL, NULL, losses, NULL),
                 CLSOFTMAX_INVALID_ARGUMENT);
    clsoftmax_context_release(cpu);
}
