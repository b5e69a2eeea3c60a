/* The parts of the numeric core, each against MPFR, exact integers, or what the C library computes: compiled with the
   faithful core as `core`, and with the lean one (CORE_LEAN) as `core_lean`. cli/faults.bats plants faults into the
   core, which core_error.c must see. */
#include "core/numeric_core.h"
#include "support/device.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <float.h>
#include <mpfr.h>
#include <stdio.h>

/* Returns the logarithm to base 2 of |(high + low) / exact - 1|. */
static double relative_error_log2(double high, double low, mpfr_t exact)
{
    mpfr_t sum;
    mpfr_init2(sum, 200);
    mpfr_set_d(sum, high, MPFR_RNDN);
    mpfr_add_d(sum, sum, low, MPFR_RNDN);
    mpfr_div(sum, sum, exact, MPFR_RNDN);
    mpfr_sub_ui(sum, sum, 1, MPFR_RNDN);
    double error = fabs(mpfr_get_d(sum, MPFR_RNDN));
    mpfr_clear(sum);
    return error > 0 ? log2(error) : -INFINITY;
}

/* Checks that keys are in the order of the floats, that floats come back from them, and that NaNs are above all. */
Test(core, key_orders_floats)
{
    const float ordered[] = {-INFINITY, -FLT_MAX,  -1, -FLT_MIN, -0x1p-149f, -0.0f,
                             0.0f,      0x1p-149f, 1,  FLT_MAX,  INFINITY};
    for (size_t i = 1; i < sizeof ordered / sizeof *ordered; i++)
        cr_expect(core_key(ordered[i - 1]) < core_key(ordered[i]), "%a is not below %a", (double)ordered[i - 1],
                  (double)ordered[i]);
    for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++) {
        float back = core_value_of_key(core_key(ordered[i]));
        cr_expect(core_bits_of_float(back) == core_bits_of_float(ordered[i]));
    }
    cr_expect_eq(core_key(-INFINITY), CORE_KEY_NEGATIVE_INFINITY);
    cr_expect_eq(core_key(INFINITY), CORE_KEY_POSITIVE_INFINITY);
    const uint32_t nans[] = {0x7F800001, 0x7FC00000, 0x7FFFFFFF, 0xFF800001, 0xFFC00000, 0xFFFFFFFF};
    for (size_t i = 0; i < sizeof nans / sizeof *nans; i++)
        cr_expect(core_key(core_float_of_bits(nans[i])) > CORE_KEY_POSITIVE_INFINITY, "%08x hides", nans[i]);
}

/* Returns N of the row, whose exponentials are scaled by 2^(B - N). */
static long shift_of(core_row_t row)
{
    return (long)(12582912.0f + (127 + CORE_EXPONENTIAL_BIAS) - row.magic);
}

/* The bound of docs/numerics.md for the relative error of an exponential, as a logarithm to base 2. */
#define MOST_EXPONENTIAL_ERROR (CORE_LEAN ? -23.29 : -26.5)

/* Measures the relative error of exponentials. A third of them are next to a half-integer multiple of T ln 2, where
   what is reduced is largest. */
Test(core, exponential_against_mpfr)
{
    mpfr_t exact, quotient;
    mpfr_inits2(200, exact, quotient, (mpfr_ptr)NULL);
    uint64_t random = 1;
    double worst = -INFINITY;
    for (int i = 0; i < 200000; i++) {
        float temperature = (float)exp((random_unit(&random) - 0.5) * 40);
        /* |max| / T up to 1000; from 256 on the core subtracts the maximum first */
        float maximum = (float)((random_unit(&random) - 0.5) * (i % 4 ? 200 : 2000) * temperature);
        float x = maximum - (float)(random_unit(&random) * 103 * temperature);
        if (i % 3 == 0) {
            const double unit = 0.6931471805599453 * (double)temperature;
            const double base = fabsf(maximum) > 256 * temperature ? (double)maximum : 0;
            const double jitter = (random_unit(&random) - 0.5) * 1e-4;
            const double halves = floor(((double)maximum - base) / unit) - (double)random_below(&random, 148) - 0.5;
            x = fminf((float)(base + (halves + jitter) * unit), maximum);
        }
        core_row_t row = core_row(core_temperature(temperature), maximum);
        core_pair e = core_exponential(x, row);
        mpfr_set_flt(quotient, x, MPFR_RNDN);
        mpfr_sub_d(quotient, quotient, (double)(row.base / row.scale), MPFR_RNDN);
        mpfr_div_d(quotient, quotient, (double)temperature, MPFR_RNDN);
        mpfr_exp(exact, quotient, MPFR_RNDN);
        mpfr_mul_2si(exact, exact, CORE_EXPONENTIAL_BIAS - shift_of(row), MPFR_RNDN);
        double error = relative_error_log2((double)e.high, (double)e.low, exact);
        worst = error > worst ? error : worst;
    }
    fprintf(stderr, "exponential: worst relative error 2^%.2f\n", worst);
    cr_expect(worst < MOST_EXPONENTIAL_ERROR, "2^%.2f; docs/numerics.md needs 2^%g", worst, MOST_EXPONENTIAL_ERROR);
    cr_expect(worst > -40, "an error that small is not believable");
    mpfr_clears(exact, quotient, (mpfr_ptr)NULL);
}

/* Returns the probability of x in a row whose sum is the largest exponential alone. */
static float probability_alone(float x, core_row_t row, float maximum)
{
    core_pair largest = core_exponential(maximum, row);
    core_two_float sum = core_fast_two_sum(largest.high * CORE_EXPONENTIAL_UNIT, largest.low * CORE_EXPONENTIAL_UNIT);
    core_two_float reciprocal = core_sum_reciprocal(sum);
    return core_probability(core_exponential(x, row), reciprocal.high, reciprocal.low);
}

/* Checks exponentials of 1, of 0, and at the limits of the temperature. */
Test(core, exponential_at_its_ends)
{
    core_row_t row = core_row(core_temperature(1), 0);
    cr_expect_eq(probability_alone(0, row, 0), 1);
    cr_expect_eq(probability_alone(-0.0f, row, 0), 1);
    const float nothing[] = {-104, -105, -FLT_MAX, -INFINITY};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        cr_expect_eq(core_bits_of_float(probability_alone(nothing[i], row, 0)), 0u);
    cr_expect_eq(probability_alone(-103.9f, row, 0), 0x1p-149f);
    core_row_t infinite = core_row(core_temperature(INFINITY), 5);
    cr_expect_eq(probability_alone(-FLT_MAX, infinite, 5), 1, "T = inf is not uniform");
    cr_expect_eq(core_bits_of_float(probability_alone(-INFINITY, infinite, 5)), 0u);
    core_row_t zero = core_row(core_temperature(0), 1);
    cr_expect_eq(probability_alone(nextafterf(1, 0), zero, 1), 0, "T = 0 is not sharp");
    core_row_t smallest = core_row(core_temperature(0), 0x1p-149f);
    cr_expect_eq(probability_alone(0, smallest, 0x1p-149f), 0, "T = 0 is not sharp near 0");
}

/* Checks, for every kind of temperature and maximum, that the exponential of a mask is 0, not a number that rounds to
   0: results that underflow are slow. Exponentials just above the clamp must be tiny. */
Test(core, masks_are_exactly_zero)
{
    uint64_t random = 12;
    for (int i = 0; i < 1000000; i++) {
        float temperature = i % 4 > 0 ? fabsf(random_pattern(&random)) : i % 8 > 0 ? 0.0f : INFINITY;
        float near = (float)((random_unit(&random) - 0.5) * 600) * temperature;
        float maximum = i % 2 ? near : random_pattern(&random);
        if (!isfinite(maximum) || !(temperature >= 0))
            continue;
        core_row_t row = core_row(core_temperature(temperature), maximum);
        core_pair mask = core_exponential(-INFINITY, row);
        cr_assert(mask.high == 0 && mask.low == 0, "T %a, max %a: %a + %a", (double)temperature, (double)maximum,
                  (double)mask.high, (double)mask.low);
        for (double above = 0; above < 1e-3; above += 1e-5) {
            double scaled = (double)row.lowest * (1 - above) + (double)row.base;
            float x = (float)(scaled / (double)row.scale);
            if ((double)x * (double)row.scale - (double)row.base > 0.9 * (double)row.lowest)
                continue; /* x was rounded up, far from the clamp */
            core_pair e = core_exponential(x, row);
            cr_assert(e.high >= 0 && ((double)e.high + (double)e.low) * (double)CORE_EXPONENTIAL_UNIT < 0x1p-60,
                      "T %a, max %a: %a + %a", (double)temperature, (double)maximum, (double)e.high, (double)e.low);
        }
    }
}

/* Compares core_reduce_unscaled, for rows whose logits need no scaling, with core_reduce, and checks which rows those
   are. */
Test(core, unscaled_rows_have_the_same_bits)
{
    uint64_t random = 13;
    unsigned long unscaled = 0;
    for (int i = 0; i < 1000000; i++) {
        float maximum = (float)((random_unit(&random) - 0.5) * 1024);
        float x = i % 8 == 0 ? -INFINITY : i % 8 == 1 ? 0.0f : maximum - (float)(random_unit(&random) * 200);
        core_row_t row = core_row(core_temperature(1), maximum);
        cr_assert_eq(core_row_is_unscaled(row), fabsf(maximum) <= 256, "%a", (double)maximum);
        if (!core_row_is_unscaled(row))
            continue;
        core_reduced a = core_reduce(x, row), b = core_reduce_unscaled(x, row);
        cr_assert(memcmp(&a, &b, sizeof a) == 0, "max %a, x %a", (double)maximum, (double)x);
        unscaled++;
    }
    cr_assert(unscaled > 400000);
    /* the lean core multiplies by the reciprocal of T in any case */
    cr_expect_eq(core_row_is_unscaled(core_row(core_temperature(nextafterf(1, 2)), 3)), CORE_LEAN);
    cr_expect_eq(core_row_is_unscaled(core_row(core_temperature(2), 3)), CORE_LEAN);
    cr_expect_not(core_row_is_unscaled(core_row(core_temperature(0), 3)));
    cr_expect_not(core_row_is_unscaled(core_row(core_temperature(INFINITY), 3)));
    cr_expect_not(core_row_is_unscaled(core_row(core_temperature(0x1p-70f), 0)));
}

#if CORE_LEAN
/* Measures the relative error of the polynomial, its roundings included, over every float of its range; in a short run
   over each 61st. The largest that this finds over all of them is in docs/numerics.md. */
Test(core, polynomial_over_its_range)
{
    const uint32_t first = 0x30000000u, last = 0x3F000400u, step = test_is_long() ? 1 : 61; /* 2^-31 to 0.50006 */
    double worst = 0;
    for (uint32_t bits = first; bits <= last; bits += step) {
        const float r[2] = {core_float_of_bits(bits), -core_float_of_bits(bits)};
        for (int k = 0; k < 2; k++)
            worst = fmax(worst, fabs((double)core_polynomial(r[k]) / exp2((double)r[k]) - 1));
    }
    fprintf(stderr, "polynomial: worst relative error %.4f of 2^-24\n", worst * 0x1p24);
    cr_expect(worst * 0x1p24 < 1.1303, "%.4f", worst * 0x1p24);
    cr_expect(worst * 0x1p24 > 1, "an error that small is not believable");
}
#endif

/* Compares core_ceiling with ceilf. */
Test(core, ceiling_is_ceil)
{
    uint64_t random = 9;
    for (int i = 0; i < 1000000; i++) {
        float x = (float)((random_unit(&random) - 0.5) * (i % 2 ? 8 : 0x1p23));
        x = i % 4 == 3 ? nearbyintf(x) : x;
        cr_expect_eq(core_ceiling(x), ceilf(x), "%a", (double)x);
    }
}

/* Checks that the largest exponential of any row is in [1/2, 1], for which the integers of the sum are made. */
Test(core, largest_exponential_fits_the_sum)
{
    uint64_t random = 4;
    for (int i = 0; i < 200000; i++) {
        float temperature = (float)exp((random_unit(&random) - 0.5) * 170);
        float quotient = i % 2 ? (float)((random_unit(&random) - 0.5) * 600)
                               : (float)(0.6931471805599453 * (double)((long)random_below(&random, 700) - 350));
        float maximum = quotient * temperature;
        if (!isfinite(maximum))
            continue;
        core_pair e = core_exponential(maximum, core_row(core_temperature(temperature), maximum));
        double largest = ((double)e.high + (double)e.low) * (double)CORE_EXPONENTIAL_UNIT;
        cr_assert(largest >= 0.4999 && largest <= 1, "max %a, T %a: %a", (double)maximum, (double)temperature, largest);
    }
}

/* Measures the relative error of reciprocals. */
Test(core, reciprocal_against_mpfr)
{
    mpfr_t exact;
    mpfr_init2(exact, 200);
    uint64_t random = 2;
    double worst = -INFINITY;
    for (int i = 0; i < 200000; i++) {
        float high = (float)ldexp(1 + random_unit(&random), (int)random_below(&random, 150) - 85);
        core_two_float divisor = {high, (float)(high * 0x1p-25 * (random_unit(&random) * 2 - 1))};
        core_two_float reciprocal = core_reciprocal(divisor);
        mpfr_set_d(exact, (double)divisor.high, MPFR_RNDN);
        mpfr_add_d(exact, exact, (double)divisor.low, MPFR_RNDN);
        mpfr_ui_div(exact, 1, exact, MPFR_RNDN);
        double error = relative_error_log2((double)reciprocal.high, (double)reciprocal.low, exact);
        worst = error > worst ? error : worst;
    }
    fprintf(stderr, "reciprocal: worst relative error 2^%.2f\n", worst);
    cr_expect(worst < -45, "2^%.2f", worst);
    mpfr_clear(exact);
}

/* Adds as many exponentials as the integers of a lane take before they are flushed, also the largest of each level, and
   compares their total with the sum in double. */
Test(core, sum_is_exact_to_its_resolution)
{
    const float maximum = 2.079f; /* a little below 3 ln 2: its exponential is a little below 1 */
    core_row_t row = core_row(core_temperature(1), maximum);
    uint64_t random = 3;
    for (int round = 0; round < 2000; round++) {
        core_sum_t sum = {0, 0, 0};
        double low_parts = 0, high_parts = 0;
        for (int i = 0; i < CORE_FLUSH_AFTER; i++) {
            float z = round == 0 ? 0 : (float)(-random_unit(&random) * (round % 2 ? 1 : 40));
            core_pair e = core_exponential(maximum + z, row);
            sum = core_sum_add(sum, e, 3);
            high_parts += (double)e.high * (double)CORE_EXPONENTIAL_UNIT; /* exact: 8 + 24 bits and some */
            low_parts += (double)e.low * (double)CORE_EXPONENTIAL_UNIT;
        }
        core_lanes_total total = core_sum_flush(sum, CORE_FLUSH_AFTER, 3);
        double difference = ((double)total.high * 0x1p-23 - high_parts) + (double)total.low * 0x1p-45 + low_parts * -1;
        cr_assert(fabs(difference + (double)total.lowest * 0x1p-67) < 0x1p-44, "round %d: off by %g", round,
                  difference);
        if (round == 0)
            cr_assert((double)total.high * 0x1p-23 > 0.999 * CORE_FLUSH_AFTER, "not the largest values");
    }
}

/* Compares the value of a lane's 32-bit integers with that of the same total in 64 bits, to the last bit, at the bounds
   of both integers and between them. */
Test(core, short_total_value_is_the_total_value)
{
    const uint32_t most_high = (uint32_t)CORE_FLUSH_AFTER << 23;
    const int32_t most_low = CORE_FLUSH_AFTER * 3 << 20;
    const int32_t lows[] = {-most_low, -(1 << 22) - 1, -(1 << 22), -1, 0, 1, (1 << 22) - 1, 1 << 22, most_low};
    const size_t corners = sizeof lows / sizeof *lows;
    uint64_t random = 4;
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t added = i % CORE_FLUSH_AFTER + 1;
        uint32_t high = i % 3 ? (uint32_t)random_below(&random, most_high - 256) + 256 : i % 2 ? most_high : 256;
        int32_t low = i % 5 ? (int32_t)random_below(&random, (uint64_t)most_low * 2) - most_low : lows[i % corners];
        core_sum_t sum = {high + added * core_bits_of_float(CORE_UNIT_HIGH),
                          (uint32_t)low + added * core_bits_of_float(CORE_UNIT_LOW), 0};
        core_lanes_total lanes = core_sum_flush(sum, added, 2);
        cr_assert(lanes.high == high && lanes.low == low);
        core_two_float wanted = core_total_value((core_total_t){lanes.high, lanes.low, 0});
        core_two_float got = core_short_total_value(sum.high, sum.low, added);
        cr_assert(core_bits_of_float(got.high) == core_bits_of_float(wanted.high) &&
                      core_bits_of_float(got.low) == core_bits_of_float(wanted.low),
                  "%u, %d: %a + %a, not %a + %a", high, low, (double)got.high, (double)got.low, (double)wanted.high,
                  (double)wanted.low);
    }
}

/* Multiplies the reciprocal of totals of equal exponentials by their number. */
Test(core, total_reciprocal_for_every_number_of_ties)
{
    for (core_long count = 1; count < (core_long)1 << 40; count = count * 3 + 1) {
        core_total_t total = {count << 23, 0, 0};
        core_two_float reciprocal = core_reciprocal(core_total_value(total));
        double product = ((double)reciprocal.high + (double)reciprocal.low) * (double)count;
        cr_expect(fabs(product - 1) < 0x1p-44, "%lld ties: %g", (long long)count, product - 1);
    }
}
