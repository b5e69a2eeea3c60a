/*
 * Exact sums of f32, whose order cannot matter: clsoftmax_total of the public header, for the losses of rows.
 *
 * A total is a fixed-point number of 11 digits of 32 bits, from 2^-149 up to 2^203, each in an integer of 64 bits. A
 * number of f32 is added to the two digits that it touches. Between calls each digit but the last is in [0, 2^32), so
 * that totals of 2^31 processes add up digit by digit.
 */
#include "clsoftmax/clsoftmax.h"

#include <math.h>
#include <string.h>

enum { DIGITS = CLSOFTMAX_TOTAL_DIGITS, DIGIT_BITS = 32, MOST_ADDED = 1 << 30 };

#define LEAST_EXPONENT (-149) /* of the first digit's unit */

/* Carries, so that each digit but the last is in [0, 2^32). The last one has the sign. */
static void carry(clsoftmax_total *total)
{
    for (int i = 0; i + 1 < DIGITS; i++) {
        const int64_t over = total->digits[i] >> DIGIT_BITS; /* rounds down, also below 0 */
        total->digits[i] -= over * ((int64_t)1 << DIGIT_BITS);
        total->digits[i + 1] += over;
    }
}

/* Adds a number. */
static void add_one(clsoftmax_total *total, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t field = bits >> 23 & 0xFF, fraction = bits & 0x7FFFFF;
    const int is_negative = (bits & 0x80000000u) != 0;
    if (field == 0xFF) {
        total->nan += fraction != 0;
        total->positive_infinity += fraction == 0 && !is_negative;
        total->negative_infinity += fraction == 0 && is_negative;
        return;
    }
    const uint32_t place = field > 0 ? field - 1 : 0; /* of the fraction's last bit, above 2^-149 */
    const uint64_t shifted = (uint64_t)(field > 0 ? fraction | 0x800000 : fraction) << place % DIGIT_BITS;
    const int64_t low = (int64_t)(shifted & UINT32_MAX), high = (int64_t)(shifted >> DIGIT_BITS);
    int64_t *digits = total->digits + place / DIGIT_BITS;
    digits[0] += is_negative ? -low : low;
    digits[1] += is_negative ? -high : high;
}

void clsoftmax_total_add(clsoftmax_total *total, const float *values, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        add_one(total, values[i]);
        if (i % MOST_ADDED == MOST_ADDED - 1)
            carry(total);
    }
    carry(total);
}

void clsoftmax_total_merge(clsoftmax_total *total, const clsoftmax_total *other)
{
    for (int i = 0; i < DIGITS; i++)
        total->digits[i] += other->digits[i];
    total->nan += other->nan;
    total->positive_infinity += other->positive_infinity;
    total->negative_infinity += other->negative_infinity;
    carry(total);
}

/* Returns the value of digits that are not negative, rounded once. The highest two digits that are not 0 have at least
   33 bits and the next one has 32 more; whether anything is left below them decides only ties. */
static double magnitude(const int64_t *digits)
{
    int top = DIGITS - 1;
    while (top > 0 && digits[top] == 0)
        top--;
    const int below = top < 2 ? 2 : top;
    uint64_t high = (uint64_t)digits[below] << DIGIT_BITS | (uint64_t)digits[below - 1],
             low = (uint64_t)digits[below - 2];
    int is_more = 0, shift = 0;
    for (int i = 0; i < below - 2; i++)
        is_more |= digits[i] != 0;
    while (high >> 63 == 0 && shift < DIGIT_BITS) {
        shift++;
        high = high << 1 | (low >> (DIGIT_BITS - shift) & 1);
    }
    is_more |= (low & ((UINT64_C(1) << (DIGIT_BITS - shift)) - 1)) != 0;
    high |= is_more ? 1 : 0; /* below the last place of a double, if `high` is full; nothing is below it otherwise */
    return ldexp((double)high, LEAST_EXPONENT + (below - 1) * DIGIT_BITS - shift);
}

double clsoftmax_total_value(const clsoftmax_total *total)
{
    clsoftmax_total carried = *total;
    if (total->nan > 0 || (total->positive_infinity > 0 && total->negative_infinity > 0))
        return NAN;
    if (total->positive_infinity > 0 || total->negative_infinity > 0)
        return total->positive_infinity > 0 ? INFINITY : -INFINITY;
    carry(&carried);
    if (carried.digits[DIGITS - 1] >= 0)
        return magnitude(carried.digits);
    for (int i = 0; i < DIGITS; i++)
        carried.digits[i] = -carried.digits[i];
    carry(&carried);
    return -magnitude(carried.digits);
}
