/*
 * The operand: a second matrix that some operations take, such as the gradient from above of a backward pass. Its
 * elements may have any sign and size. Before they are added up, those of a row are brought below 1/2 by a power of two
 * that their largest size gives; so their sums can be integers, as those of exponentials are, but with a sign. The
 * terms use it, and the results of such operations. (A teacher's logits are an operand, too, but are taken as logits
 * are: divergence.h.)
 */
#ifndef CLSOFTMAX_OPERAND_H
#define CLSOFTMAX_OPERAND_H

#include "core/row_setting.h"

/* What the operand of an operation is. */
#define OPERAND_NONE 0
#define OPERAND_NUMBERS 1 /* finite numbers, such as a gradient from above */
#define OPERAND_TARGETS 2 /* finite numbers that are not negative: target probabilities */
#define OPERAND_MASK 3    /* the row's own logits, which count as 1, or as 0 where they are -inf */
#define OPERAND_TEACHER 4 /* the logits of a teacher */

/* An element as its row has it, from what was read of memory, a float or a vector of floats. */
#define CORE_OPERAND_OF(type, read, kind)                                                                              \
    ((kind) == OPERAND_MASK ? ((read) == (type)(-CORE_INFINITY) ? (type)(0.0f) : (type)(1.0f)) : (read))

/* What stands for an element behind the last class. */
#define CORE_OPERAND_PADDING(kind) ((kind) == OPERAND_TEACHER ? -CORE_INFINITY : 0.0f)

/* Returns the key of an element. A larger key is a larger size; infinite sizes and NaN have the largest keys, and so
   have negative targets. A teacher's logit has the key of a logit. */
CORE_FUNCTION core_uint core_operand_key(core_float g, int kind)
{
    if (kind == OPERAND_TEACHER)
        return core_key(g);
    return kind == OPERAND_NUMBERS ? core_as_uint(g) & (core_uint)(0x7FFFFFFFu) : core_as_uint(g + 0.0f);
}

#define CORE_OPERAND_INFINITE 0x7F800000u /* a row with such a key, or a larger one, is NaN */

/* Returns the kind of a row whose operand has this largest key: NaN if that is NaN or infinite. */
CORE_FUNCTION core_row_int core_kind_with_operand(core_row_int kind, core_row_uint key)
{
    return key < (core_row_uint)(CORE_OPERAND_INFINITE) ? kind : (core_row_int)(CORE_ROW_NAN);
}

/* Two powers of two: an element times both is its share, less than 1/2 in size. There are two of them since one would
   leave the range of normal numbers where elements are huge. */
typedef struct {
    core_row_float first, second;
} core_operand_t;

/* Returns the powers for a row whose largest key this is. */
CORE_FUNCTION core_operand_t core_operand(core_row_uint key)
{
    core_row_int field = core_row_int_of_uint(key >> 23); /* sizes are below 2^(field - 126) */
    core_row_int is_huge = field > 190;
    field = field > 1 ? field : (core_row_int)(1);
    core_row_int bits = (core_row_int)(252) - field + (is_huge ? (core_row_int)(64) : (core_row_int)(0));
    core_operand_t powers = {is_huge ? CORE_ROW(0x1p-64f) : CORE_ROW(1.0f),
                             core_row_float_of_bits(core_row_uint_of_int(bits) << 23)};
    return powers;
}

/* Returns the binary logarithm of both powers together. */
CORE_FUNCTION core_row_int core_operand_exponent(core_operand_t powers)
{
    return core_row_int_of_uint((core_row_bits(powers.first) >> 23) + (core_row_bits(powers.second) >> 23)) - 254;
}

/* Returns the share of an element. */
CORE_FUNCTION core_float core_operand_share(core_float g, core_operand_t powers)
{
    return g * (core_float)(powers.first) * (core_float)(powers.second);
}

/* ------------------------------------------------------------------ Terms */

/* Returns e times the share of an element, at most half of e in size. Its relative error is 2^-27, or in the lean core
   2^-24. */
CORE_FUNCTION core_pair core_product(core_pair e, core_float g, core_operand_t powers)
{
    core_float share = core_operand_share(g, powers);
    core_pair product = {e.high * share, (core_float)(0.0f)};
    if (!CORE_LEAN)
        product.low = core_fma(e.high, share, -product.high) + e.low * share;
    return product;
}

/* Returns the share of an element in units of the largest exponential. */
CORE_FUNCTION core_pair core_share(core_float g, core_operand_t powers)
{
    core_pair share = {core_operand_share(g, powers) * (1.0f / CORE_EXPONENTIAL_UNIT), (core_float)(0.0f)};
    return share;
}

/* Returns e times the share of an element and the weight of its logit (core_weight), at most half of the row's largest
   exponential in size. Its relative error is 2^-22. */
CORE_FUNCTION core_pair core_weighted_product(core_pair e, core_float x, core_float g, core_operand_t powers,
                                              core_distance_t row)
{
    const core_float share = core_operand_share(g, powers);
    core_pair weighted = core_weighted(e, x, row);
    core_pair product = {weighted.high * share, CORE_LEAN ? (core_float)(0.0f) : weighted.low * share};
    return product;
}

/* ------------------------------------------------------------------ The operand times distances */

#define CORE_LARGEST_QUARTER 0x1p126f

/* Returns a quarter of the distance of a logit from the maximum, which cannot overflow as the distance can, over the
   factor of core_distance_t; at most CORE_LARGEST_QUARTER. */
CORE_FUNCTION core_float core_quarter_distance(core_float x, core_distance_t row)
{
    const core_float largest = (core_float)(CORE_LARGEST_QUARTER);
    core_float quarter = core_fma(x, (core_float)(row.scale * -0.25f), (core_float)(row.maximum * 0.25f));
    core_float distance = quarter * (core_float)(row.power);
    return core_select(distance < largest, distance, largest);
}

/* Returns two numbers that are not negative. The first is the size of the share of an element times a quarter of the
   distance of its logit, which bounds core_weighted_share. The second is infinite if that is, or is beyond f32. */
CORE_FUNCTION core_pair core_reach(core_float x, core_float g, core_operand_t powers, core_distance_t row)
{
    const core_float zero = (core_float)(0.0f), infinity = (core_float)(CORE_INFINITY);
    core_float share = core_operand_share(g, powers), quarter = core_quarter_distance(x, row);
    core_float size = core_select(share < zero, -share, share) + zero; /* -0 becomes +0 */
    core_int is_lost = (size > zero) & (quarter >= (core_float)(CORE_LARGEST_QUARTER));
    core_pair reach = {size * quarter, core_select(is_lost, infinity, zero)};
    return reach;
}

/* Returns the power of two by which shares times quarters of distances are multiplied, so that they are at most 1/4, or
   1/2 where they are as large as f32 can have them. */
CORE_FUNCTION core_row_float core_reach_power(core_total_t reach)
{
    core_row_int field = core_row_int_of_uint(core_row_uint_of_long(reach.high) >> 23);
    core_row_int bits = (core_row_int)(251) - field; /* the largest is below 2^(field - 126) */
    bits = bits > 0 ? bits : (core_row_int)(1);
    return core_row_float_of_bits(core_row_uint_of_int(bits) << 23);
}

/* Returns the share of an element times a quarter of the distance of its logit and that power, in units of the largest
   exponential. Its relative error is 2^-22. */
CORE_FUNCTION core_pair core_weighted_share(core_float x, core_float g, core_operand_t powers, core_distance_t row,
                                            core_row_float power)
{
    core_float product = core_operand_share(g, powers) * core_quarter_distance(x, row);
    core_pair share = {product * (core_float)(power) * (1.0f / CORE_EXPONENTIAL_UNIT), (core_float)(0.0f)};
    return share;
}

#endif
