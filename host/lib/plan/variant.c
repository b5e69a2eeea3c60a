/* Writes a variant as text, for the device's compiler and for people: see plan.h. */
#include "plan.h"

#include "core/interface.h"

#include <stdio.h>

uint32_t cls_power_of_two_at_most(uint64_t value)
{
    uint32_t power = 1;
    while (power <= (UINT32_MAX >> 1) && (uint64_t)power * 2 <= value)
        power *= 2;
    return power;
}

/* Returns the name of a dtype in kernels/strategies/dtypes.h. */
static const char *dtype_in_kernels(unsigned dtype)
{
    static const char *const names[] = {
#define CLS_DTYPE_IN_KERNELS(name, text, bytes) #name,
        CLSOFTMAX_DTYPE_LIST(CLS_DTYPE_IN_KERNELS)
#undef CLS_DTYPE_IN_KERNELS
    };
    return names[dtype];
}

void cls_variant_defines(const cls_variant *variant, char *text, size_t size)
{
    int length =
        snprintf(text, size, "/* %s */\n#define LOGITS_DTYPE %s\n#define RESULTS_DTYPE %s\n#define OPERAND_DTYPE %s\n",
                 clsoftmax_strategy_name(variant->strategy), dtype_in_kernels(variant->logits_dtype),
                 dtype_in_kernels(variant->results_dtype), dtype_in_kernels(variant->operand_dtype));
#define CLS_VARIANT_DEFINE(name, field)                                                                                \
    if (length >= 0 && (size_t)length < size)                                                                          \
        length += snprintf(text + length, size - (size_t)length, "#define %s %u\n", #name, variant->field);
    CLS_VARIANT_NUMBERS(CLS_VARIANT_DEFINE)
#undef CLS_VARIANT_DEFINE
}

void cls_variant_label(const cls_variant *variant, char *text, size_t size)
{
    static const char *const temperatures[] = {[TEMPERATURES_ONE] = "",
                                               [TEMPERATURES_PER_ROW] = ":temperature per row",
                                               [TEMPERATURES_SWEEP] = ":sweep",
                                               [TEMPERATURES_ON_LANES] = ":sweep on lanes"};
    char chunks[64] = "", kept[64] = "", abreast[64] = "", operand[16] = "";
    if (variant->room_classes)
        snprintf(kept, sizeof kept, ":up to %u kept", variant->room_classes);
    if (variant->vectors_abreast)
        snprintf(abreast, sizeof abreast, ":%u vector%s abreast", variant->vectors_abreast,
                 variant->vectors_abreast == 1 ? "" : "s");
    if (variant->accesses)
        snprintf(chunks, sizeof chunks, ":%u x %u %s%s", variant->accesses, variant->access_width,
                 variant->row_in_registers ? "kept" : "at a time",
                 variant->pairs_in_registers ? " with exponentials" : "");
    if (operation_has_operand((int)variant->operation))
        snprintf(operand, sizeof operand, ",%s", clsoftmax_dtype_name((clsoftmax_dtype)variant->operand_dtype));
    snprintf(text, size, "%s%s:%s:%s%s->%s%s%s%s:width %u:work-group %u%s%s%s:levels %u",
             clsoftmax_operation_name((clsoftmax_operation)variant->operation),
             variant->statistics ? "+statistics" : "", clsoftmax_strategy_name(variant->strategy),
             clsoftmax_dtype_name((clsoftmax_dtype)variant->logits_dtype), operand,
             clsoftmax_dtype_name((clsoftmax_dtype)variant->results_dtype), temperatures[variant->temperatures],
             variant->ties ? ":ties" : "", variant->lean ? ":lean" : "", variant->vector_width,
             variant->work_group_size, chunks, kept, abreast, variant->sum_levels);
}
