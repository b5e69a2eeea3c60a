/* Mixes of a label's and a teacher's losses: the arithmetic of clsoftmax_mix against MPFR and a search over all 16-bit
   numbers; and clsoftmax_distill_labelled against its formula in long double. cli/faults.bats plants faults that this
   test must see. */
#include "support/device.h"
#include "support/dtype_values.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <mpfr.h>
#include <string.h>

/* ---------------------------------------------------------------- clsoftmax_mix */

/* Returns alpha a + (1 - alpha) b, rounded once to f32. */
static float exact_mix(float alpha, float a, float b)
{
    mpfr_t share, sum, term;
    mpfr_inits2(300, share, sum, term, (mpfr_ptr)NULL);
    mpfr_set_flt(sum, a, MPFR_RNDN);
    mpfr_mul_d(sum, sum, (double)alpha, MPFR_RNDN);
    mpfr_set_ui(share, 1, MPFR_RNDN);
    mpfr_sub_d(share, share, (double)alpha, MPFR_RNDN);
    mpfr_set_flt(term, b, MPFR_RNDN);
    mpfr_mul(term, term, share, MPFR_RNDN);
    mpfr_add(sum, sum, term, MPFR_RNDN);
    const float exact = mpfr_get_flt(sum, MPFR_RNDN);
    mpfr_clears(share, sum, term, (mpfr_ptr)NULL);
    return exact;
}

/* Draws a number of either sign, from 2^-20 to 2^20. */
static float draw(uint64_t *random)
{
    return ldexpf((float)random_unit(random) - 0.5f, (int)random_below(random, 41) - 20);
}

/* Mixes random numbers into f32 and into 16 bits. With so few bits of alpha, double holds the mix of 16 bits. */
Test(mix, is_rounded_once)
{
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        uint64_t random = seed;
        const float alpha = (float)random_below(&random, 257) / 256, a = draw(&random), b = draw(&random);
        float wide;
        cr_assert_eq(clsoftmax_mix(alpha, 1, &a, &b, CLSOFTMAX_F32, &wide), CLSOFTMAX_OK);
        cr_expect_eq(wide, exact_mix(alpha, a, b), "seed %llu: %a, not %a", (unsigned long long)seed, (double)wide,
                     (double)exact_mix(alpha, a, b));
        for (clsoftmax_dtype dtype = CLSOFTMAX_F16; seed <= 50 && dtype <= CLSOFTMAX_BF16; dtype++) {
            uint16_t narrow;
            const double exact = (double)alpha * (double)a + (1 - (double)alpha) * (double)b;
            cr_assert_eq(clsoftmax_mix(alpha, 1, &a, &b, dtype, &narrow), CLSOFTMAX_OK);
            cr_expect_eq(narrow, nearest_value(exact, dtype), "seed %llu", (unsigned long long)seed);
        }
    }
}

/* Mixes numbers a little above, at and below the middle of two 16-bit numbers, where f32 would hide on which side they
   are; and sums that cancel. */
Test(mix, near_the_middle)
{
    const clsoftmax_dtype dtypes[] = {CLSOFTMAX_F16, CLSOFTMAX_BF16};
    const float halves[] = {0x1p-11f, 0x1p-8f}; /* of the spacing at 1 */
    for (int d = 0; d < 2; d++)
        for (int odd = 0; odd < 2; odd++)
            for (int side = -1; side <= 1; side++)
                for (int sign = -1; sign <= 1; sign += 2) {
                    const float a = (float)sign * 2 * (1 + halves[d] * (1 + 2 * (float)odd)),
                                b = (float)side * 2 * 0x1p-40f;
                    uint16_t mixed;
                    cr_assert_eq(clsoftmax_mix(0.5f, 1, &a, &b, dtypes[d], &mixed), CLSOFTMAX_OK);
                    cr_expect_eq(mixed, nearest_value(((double)a + (double)b) / 2, dtypes[d]), "%d, odd %d, side %d", d,
                                 odd, side);
                }
    const float a = 1, b = -1;
    float mixed;
    cr_assert_eq(clsoftmax_mix(0.5f, 1, &a, &b, CLSOFTMAX_F32, &mixed), CLSOFTMAX_OK);
    cr_expect(mixed == 0 && !signbit(mixed));
}

/* Leaves out what has no share, whatever it is, and keeps every bit of the other; lets a mix take the place of either
   array; writes NaN as the canonical one. */
Test(mix, ends_and_places)
{
    const float odd[4] = {INFINITY, NAN, -0.0f, -INFINITY}, plain[4] = {1, -0.0f, 0x1p-149f, INFINITY};
    float mixed[4], place[4];
    cr_assert_eq(clsoftmax_mix(0, 4, odd, plain, CLSOFTMAX_F32, mixed), CLSOFTMAX_OK);
    cr_expect(memcmp(mixed, plain, sizeof mixed) == 0);
    cr_assert_eq(clsoftmax_mix(1, 4, plain, odd, CLSOFTMAX_F32, mixed), CLSOFTMAX_OK);
    cr_expect(memcmp(mixed, plain, sizeof mixed) == 0);
    cr_assert_eq(clsoftmax_mix(1, 4, plain, NULL, CLSOFTMAX_F32, mixed), CLSOFTMAX_OK);
    cr_assert_eq(clsoftmax_mix(0, 4, NULL, plain, CLSOFTMAX_F32, mixed), CLSOFTMAX_OK);
    cr_assert_eq(clsoftmax_mix(0.25f, 4, odd, plain, CLSOFTMAX_F32, mixed), CLSOFTMAX_OK);
    memcpy(place, plain, sizeof place);
    cr_assert_eq(clsoftmax_mix(0.25f, 4, odd, place, CLSOFTMAX_F32, place), CLSOFTMAX_OK);
    cr_expect(memcmp(mixed, place, sizeof mixed) == 0);
    memcpy(place, odd, sizeof place);
    cr_assert_eq(clsoftmax_mix(0.25f, 4, place, plain, CLSOFTMAX_F32, place), CLSOFTMAX_OK);
    cr_expect(memcmp(mixed, place, sizeof mixed) == 0);
    const uint32_t canonical = 0x7FC00000;
    cr_expect(mixed[0] == INFINITY && mixed[2] != 0);
    cr_expect(memcmp(&mixed[1], &canonical, 4) == 0 && memcmp(&mixed[3], &canonical, 4) == 0);
    uint16_t narrow[4];
    cr_assert_eq(clsoftmax_mix(0.25f, 4, odd, plain, CLSOFTMAX_F16, narrow), CLSOFTMAX_OK);
    cr_expect(narrow[0] == 0x7C00 && narrow[1] == 0x7E00 && narrow[2] == 0 && narrow[3] == 0x7E00);
}

Test(mix, refuses)
{
    const float a = 1, wrong[] = {-0x1p-149f, 0x1.000002p0f, NAN, INFINITY};
    float mixed = 7;
    for (int i = 0; i < 4; i++)
        cr_expect_eq(clsoftmax_mix(wrong[i], 1, &a, &a, CLSOFTMAX_F32, &mixed), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_mix(0.5f, 1, NULL, &a, CLSOFTMAX_F32, &mixed), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_mix(0.5f, 1, &a, NULL, CLSOFTMAX_F32, &mixed), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_mix(0.5f, 1, &a, &a, CLSOFTMAX_F32, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_mix(0.5f, 1, &a, &a, CLSOFTMAX_DTYPE_COUNT, &mixed), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_mix(0.5f, 0, NULL, NULL, CLSOFTMAX_F32, NULL), CLSOFTMAX_OK);
    cr_expect_eq(mixed, 7);
}

/* ---------------------------------------------------------------- clsoftmax_distill_labelled */

enum { ROWS = 40, CLASSES = 9 };

/* A batch: some rows have no label. */
typedef struct batch {
    float student[ROWS][CLASSES], teacher[ROWS][CLASSES];
    int64_t labels[ROWS];
} batch;

static batch draw_batch(uint64_t seed)
{
    uint64_t random = seed;
    batch b;
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < CLASSES; c++) {
            b.student[r][c] = (float)(random_unit(&random) * 8 - 4);
            b.teacher[r][c] = (float)(random_unit(&random) * 8 - 4);
        }
        b.labels[r] = r % 4 == 1 ? -100 : (int64_t)random_below(&random, CLASSES);
    }
    return b;
}

/* Writes softmax(x / T). */
static void probabilities_of(const float *x, long double temperature, long double *p)
{
    long double sum = 0;
    for (int c = 0; c < CLASSES; c++)
        sum += expl((long double)x[c] / temperature);
    for (int c = 0; c < CLASSES; c++)
        p[c] = expl((long double)x[c] / temperature) / sum;
}

/* What a batch comes to by the formulas. */
typedef struct truth {
    long double losses[ROWS], gradient[ROWS][CLASSES], mean;
} truth;

static truth find_truth(const batch *b, long double temperature, long double alpha)
{
    truth t = {.mean = 0};
    int labelled = 0;
    for (int r = 0; r < ROWS; r++)
        labelled += b->labels[r] >= 0;
    for (int r = 0; r < ROWS; r++) {
        long double p[CLASSES], q[CLASSES], of_label[CLASSES], divergence = 0, cross_entropy = 0;
        const int has_label = b->labels[r] >= 0;
        probabilities_of(b->student[r], temperature, p);
        probabilities_of(b->teacher[r], temperature, q);
        probabilities_of(b->student[r], 1, of_label);
        for (int c = 0; c < CLASSES; c++) {
            const long double wanted = c == b->labels[r], of_teacher = (p[c] - q[c]) * temperature / ROWS;
            divergence += q[c] * logl(q[c] / p[c]) * temperature * temperature;
            cross_entropy -= has_label ? wanted * logl(of_label[c]) : 0;
            t.gradient[r][c] = (1 - alpha) * of_teacher + (has_label ? alpha * (of_label[c] - wanted) / labelled : 0);
        }
        t.losses[r] = alpha * cross_entropy + (1 - alpha) * divergence;
        t.mean += alpha * cross_entropy / labelled + (1 - alpha) * divergence / ROWS;
    }
    return t;
}

/* Computes batches at several temperatures and shares, and compares with the formulas; the gradient in every place. */
Test(mix, one_call)
{
    clsoftmax_context *cpu = test_open("cpu");
    const float temperatures[] = {0.5f, 1, 4, 20}, shares[] = {0.125f, 0.3f, 0.5f, 0.875f};
    for (uint64_t seed = 1; seed <= 16; seed++) {
        const batch b = draw_batch(seed);
        const float temperature = temperatures[seed % 4], alpha = shares[seed / 4 % 4];
        const truth t = find_truth(&b, (long double)temperature, (long double)alpha);
        float gradient[ROWS][CLASSES], losses[ROWS];
        double mean, again;
        batch place = b;
        cr_assert_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], temperature, b.labels,
                                                alpha, gradient[0], losses, &mean),
                     CLSOFTMAX_OK);
        const double size = 1 + (double)temperature * (double)temperature; /* of what T^2 multiplies */
        cr_expect(fabs(mean - (double)t.mean) <= 1e-6 * size, "%.9g, not %.9g", mean, (double)t.mean);
        for (int r = 0; r < ROWS; r++) {
            cr_expect(fabs((double)losses[r] - (double)t.losses[r]) <= 4e-7 * (double)t.losses[r],
                      "seed %llu, row %d: %.9g, not %.9g", (unsigned long long)seed, r, (double)losses[r],
                      (double)t.losses[r]);
            for (int c = 0; c < CLASSES; c++)
                cr_expect(fabs((double)gradient[r][c] - (double)t.gradient[r][c]) <= 0x1.8p-23 * size / ROWS,
                          "seed %llu, row %d, class %d: %.9g, not %.9g", (unsigned long long)seed, r, c,
                          (double)gradient[r][c], (double)t.gradient[r][c]);
        }
        cr_assert_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, place.student[0], place.teacher[0], temperature,
                                                place.labels, alpha, place.student[0], NULL, &again),
                     CLSOFTMAX_OK);
        cr_expect(again == mean && memcmp(place.student, gradient, sizeof gradient) == 0);
        cr_assert_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, b.student[0], place.teacher[0], temperature,
                                                place.labels, alpha, place.teacher[0], NULL, NULL),
                     CLSOFTMAX_OK);
        cr_expect(memcmp(place.teacher, gradient, sizeof gradient) == 0);
        cr_assert_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], temperature, b.labels,
                                                alpha, NULL, NULL, &again),
                     CLSOFTMAX_OK);
        cr_expect_eq(again, mean);
    }
    clsoftmax_context_release(cpu);
}

/* Computes with alpha at its ends: the bits of the two other calls, though what has no share is infinite. */
Test(mix, one_call_at_the_ends)
{
    clsoftmax_context *cpu = test_open("cpu");
    batch b = draw_batch(3);
    float gradient[2][ROWS][CLASSES], losses[2][ROWS];
    double mean[2];
    b.student[0][b.labels[0]] = -INFINITY; /* so that both losses of row 0 are infinite */
    cr_assert_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], 3, b.labels, 1,
                                            gradient[0][0], losses[0], &mean[0]),
                 CLSOFTMAX_OK);
    cr_assert_eq(clsoftmax_loss(cpu, ROWS, CLASSES, b.student[0], 1, b.labels, gradient[1][0], losses[1], &mean[1]),
                 CLSOFTMAX_OK);
    cr_expect(memcmp(gradient[0], gradient[1], sizeof gradient[0]) == 0 && mean[0] == mean[1]);
    cr_expect(memcmp(losses[0], losses[1], sizeof losses[0]) == 0 && isinf(losses[0][0]) && isinf(mean[0]));
    b.teacher[0][b.labels[0]] = -INFINITY; /* now only the label's is */
    cr_assert_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], 3, b.labels, 0,
                                            gradient[0][0], losses[0], &mean[0]),
                 CLSOFTMAX_OK);
    cr_assert_eq(
        clsoftmax_distill(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], 3, gradient[1][0], losses[1], &mean[1]),
        CLSOFTMAX_OK);
    cr_expect(memcmp(gradient[0], gradient[1], sizeof gradient[0]) == 0 && mean[0] == mean[1]);
    cr_expect(memcmp(losses[0], losses[1], sizeof losses[0]) == 0 && isfinite(losses[0][0]) && isfinite(mean[0]));
    clsoftmax_context_release(cpu);
}

/* Computes a batch without any label, one without rows, and requests that are wrong. */
Test(mix, one_call_without_labels)
{
    clsoftmax_context *cpu = test_open("cpu");
    batch b = draw_batch(5);
    float gradient[2][ROWS][CLASSES];
    double mean[2];
    for (int r = 0; r < ROWS; r++)
        b.labels[r] = r % 2 ? -1 : CLASSES;
    cr_assert_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], 2, b.labels, 0.25f,
                                            gradient[0][0], NULL, &mean[0]),
                 CLSOFTMAX_OK);
    cr_assert_eq(clsoftmax_distill(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], 2, gradient[1][0], NULL, &mean[1]),
                 CLSOFTMAX_OK);
    cr_expect_eq(mean[0], 0.75 * mean[1]);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < CLASSES; c++)
            cr_expect_eq(gradient[0][r][c], 0.75f * gradient[1][r][c]);
    cr_expect_eq(clsoftmax_distill_labelled(cpu, 0, CLASSES, NULL, NULL, 2, NULL, 0.25f, NULL, NULL, &mean[0]),
                 CLSOFTMAX_OK);
    cr_expect(isnan(mean[0]));
    memset(gradient, 0, sizeof gradient);
    cr_expect_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], 2, b.labels, NAN,
                                            gradient[0][0], NULL, NULL),
                 CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], 2, NULL, 0.25f,
                                            gradient[0][0], NULL, NULL),
                 CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_distill_labelled(cpu, ROWS, CLASSES, b.student[0], b.teacher[0], 1e30f, b.labels, 0.25f,
                                            gradient[0][0], NULL, NULL),
                 CLSOFTMAX_INVALID_TEMPERATURE);
    cr_expect_eq(clsoftmax_distill_labelled(cpu, (uint64_t)1 << 57, CLASSES, b.student[0], b.teacher[0], 1, b.labels,
                                            0.25f, gradient[0][0], NULL, NULL),
                 CLSOFTMAX_OUT_OF_HOST_MEMORY);
    const float untouched[ROWS][CLASSES] = {{0}};
    cr_expect(memcmp(gradient[0], untouched, sizeof untouched) == 0);
    clsoftmax_context_release(cpu);
}
