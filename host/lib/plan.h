/* Planning: problem + limits of a device -> what to run. Pure functions without any OpenCL, to be tested and printed.
 */
#ifndef CLSOFTMAX_PLAN_H
#define CLSOFTMAX_PLAN_H

#include "clsoftmax/clsoftmax.h"

/* What planning must know of a device. */
typedef struct cls_limits {
    clsoftmax_device_type type;
    unsigned compute_units;
    unsigned vector_width;         /* floats in a native vector */
    uint32_t max_work_group_size;  /* of the device; of the kernel once it is built */
    uint64_t max_allocation_bytes; /* of one buffer */
    uint64_t global_memory_bytes;  /* of all buffers together */
} cls_limits;

/* What is compiled into a kernel: the key of the program cache, the #define lines, the label. Everything else (rows,
   classes, temperature) is an argument and never recompiles. */
#define CLS_VARIANT_FIELDS(X)                                                                                          \
    X(CORE_WIDTH, vector_width, "width")                                                                               \
    X(WORK_GROUP_SIZE, work_group_size, "work-group")                                                                  \
    X(SUM_LEVELS, sum_levels, "levels")

typedef struct cls_variant {
    clsoftmax_strategy strategy;
    unsigned vector_width;
    unsigned work_group_size;
    unsigned sum_levels;
} cls_variant;

typedef struct cls_decision {
    cls_variant variant;
    uint64_t tile_rows; /* rows on the device at a time; 0 for no rows */
    const char *reason; /* of the strategy, for people */
} cls_decision;

/* 1 if devices of this type can run the strategy (AUTO always). */
int cls_strategy_supported(clsoftmax_device_type type, clsoftmax_strategy strategy);

/* Checks the problem and decides. Deterministic: equal arguments, equal decision. */
clsoftmax_status cls_decide(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision);

/* The variant as "#define NAME value" lines for the compiler, or as one label for people. Both are complete: variants
   that differ have texts that differ. */
typedef enum cls_variant_form { CLS_VARIANT_DEFINES, CLS_VARIANT_LABEL } cls_variant_form;
void cls_variant_print(const cls_variant *variant, cls_variant_form form, char *text, size_t size);

#endif
