/*
 * The operand: a second matrix that some operations take, such as the gradient from above of a backward pass. Its
 * elements may have any sign and size. Before they are added up, those of a row are brought below 1/2 by a power of two
 * that their largest size gives; so their sums can be integers, as those of exponentials are, but with a sign. The
 * terms use it, and the results of such operations.
 */
#ifndef CLSOFTMAX_OPERAND_H
#define CLSOFTMAX_OPERAND_H

#include "core/row_setting.h"

/* Returns the key of an element: its bits without the sign. A larger key is a larger size; infinite sizes and NaN have
   the largest keys. If operands are logits, it is the key of one. */
CORE_FUNCTION core_uint core_operand_key(core_float g, int is_logit)
{
    return is_logit ? core_key(g) : core_as_uint(g) & (core_uint)(0x7FFFFFFFu);
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

#endif
