#include "plan.h"

#include "numeric_core.h"
#include "status.h"

#include <stdio.h>

static int is_native(clsoftmax_device_type type)
{
    return type == CLSOFTMAX_DEVICE_CPU || type == CLSOFTMAX_DEVICE_REFERENCE;
}

int cls_strategy_supported(clsoftmax_device_type type, clsoftmax_strategy strategy)
{
    switch (strategy) {
    case CLSOFTMAX_STRATEGY_AUTO:
        return 1;
    case CLSOFTMAX_STRATEGY_ROWS:
        return is_native(type);
    case CLSOFTMAX_STRATEGY_ITEM:
    case CLSOFTMAX_STRATEGY_GROUP:
        return !is_native(type);
    case CLSOFTMAX_STRATEGY_COUNT:
        break;
    }
    return 0;
}

static clsoftmax_strategy choose_strategy(clsoftmax_device_type type, const char **reason)
{
    if (is_native(type)) {
        *reason = "rows are independent";
        return CLSOFTMAX_STRATEGY_ROWS;
    }
    if (type == CLSOFTMAX_DEVICE_OPENCL_CPU) {
        *reason = "a CPU runs work-items one after another: barriers are dear, vectors cheap";
        return CLSOFTMAX_STRATEGY_ITEM;
    }
    *reason = "neighbouring work-items read neighbouring logits";
    return CLSOFTMAX_STRATEGY_GROUP;
}

static uint32_t power_of_two_below(uint64_t value)
{
    uint32_t power = 1;
    while (power <= (UINT32_MAX >> 1) && (uint64_t)power * 2 <= value)
        power *= 2;
    return power;
}

/* A size within the limit; a power of two, which the tree reduction of `group` wants. */
static uint32_t choose_work_group_size(const clsoftmax_problem *problem, const cls_limits *limits,
                                       clsoftmax_strategy strategy)
{
    uint32_t size = problem->work_group_size;
    if (size == 0 && strategy == CLSOFTMAX_STRATEGY_ITEM)
        size = problem->classes >= 256 ? 1 : 16; /* short rows: more rows for the price of one dispatch */
    if (size == 0)
        size = problem->classes >= 1024 ? 256 : 64;
    uint32_t limit = limits->max_work_group_size > 0 ? limits->max_work_group_size : 1;
    return power_of_two_below(size < limit ? size : limit);
}

/* As many rows as two buffers, logits and probabilities, can hold in four fifths of the memory. */
static clsoftmax_status choose_tile_rows(const clsoftmax_problem *problem, const cls_limits *limits,
                                         uint64_t *tile_rows)
{
    uint64_t bytes = limits->global_memory_bytes / 5 * 2;
    if (bytes > limits->max_allocation_bytes)
        bytes = limits->max_allocation_bytes;
    uint64_t row_bytes = problem->classes * sizeof(float);
    CLS_FAIL_IF(row_bytes > bytes, CLSOFTMAX_OUT_OF_DEVICE_MEMORY,
                "a row of %llu classes takes %llu bytes, the device allows %llu; device \"cpu\" has no such limit",
                (unsigned long long)problem->classes, (unsigned long long)row_bytes, (unsigned long long)bytes);
    uint64_t rows = bytes / row_bytes;
    *tile_rows = rows < problem->rows ? rows : problem->rows;
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_decide(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    CLS_FAIL_IF(problem->classes == 0, CLSOFTMAX_INVALID_SHAPE, "a row needs at least one class");
    CLS_FAIL_IF(problem->rows > SIZE_MAX / sizeof(float) / problem->classes, CLSOFTMAX_INVALID_SHAPE,
                "%llu rows of %llu classes are more than memory can address", (unsigned long long)problem->rows,
                (unsigned long long)problem->classes);
    CLS_FAIL_IF(!cls_strategy_supported(limits->type, problem->strategy), CLSOFTMAX_UNSUPPORTED,
                "strategy \"%s\" does not run on this device",
                clsoftmax_strategy_name(problem->strategy) ? clsoftmax_strategy_name(problem->strategy) : "?");

    decision->reason = "asked for by name";
    cls_variant *variant = &decision->variant;
    variant->strategy = problem->strategy;
    if (problem->strategy == CLSOFTMAX_STRATEGY_AUTO)
        variant->strategy = choose_strategy(limits->type, &decision->reason);
    variant->sum_levels = problem->classes > CORE_TWO_LEVEL_CLASSES ? 3 : 2;
    if (variant->strategy == CLSOFTMAX_STRATEGY_ROWS) {
        variant->vector_width = 1;
        variant->work_group_size = 1;
        decision->tile_rows = problem->rows;
        return CLSOFTMAX_OK;
    }
    variant->vector_width = variant->strategy == CLSOFTMAX_STRATEGY_ITEM ? limits->vector_width : 1;
    variant->work_group_size = choose_work_group_size(problem, limits, variant->strategy);
    return choose_tile_rows(problem, limits, &decision->tile_rows);
}

const char *clsoftmax_strategy_name(clsoftmax_strategy strategy)
{
    switch (strategy) {
#define CLS_STRATEGY_CASE(name, text, idea)                                                                            \
    case CLSOFTMAX_STRATEGY_##name:                                                                                    \
        return text;
        CLSOFTMAX_STRATEGY_LIST(CLS_STRATEGY_CASE)
#undef CLS_STRATEGY_CASE
    case CLSOFTMAX_STRATEGY_COUNT:
        break;
    }
    return NULL;
}

void cls_variant_print(const cls_variant *variant, cls_variant_form form, char *text, size_t size)
{
    const char *strategy = clsoftmax_strategy_name(variant->strategy);
    int length =
        snprintf(text, size, form == CLS_VARIANT_DEFINES ? "/* softmax:%s */\n" : "softmax:%s:f32->f32", strategy);
#define CLS_VARIANT_PRINT(define, field, label)                                                                        \
    if (length >= 0 && (size_t)length < size) {                                                                        \
        const char *name = form == CLS_VARIANT_DEFINES ? #define : label;                                              \
        const char *format = form == CLS_VARIANT_DEFINES ? "#define %s %u\n" : ":%s %u";                               \
        length += snprintf(text + length, size - (size_t)length, format, name, variant->field);                        \
    }
    CLS_VARIANT_FIELDS(CLS_VARIANT_PRINT)
#undef CLS_VARIANT_PRINT
}
