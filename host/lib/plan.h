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
    uint64_t local_memory_bytes;   /* of a work-group */
    uint64_t max_allocation_bytes; /* of one buffer */
    uint64_t global_memory_bytes;  /* of all buffers together */
    uint64_t alignment_bytes;      /* where buffers and sub-buffers begin */
    uint64_t cache_bytes;          /* of global memory, as the driver says */
} cls_limits;

/* What is compiled into a kernel: the key of the program cache, the #define lines, the label. Everything else (shape,
   layouts, temperature, which policy) is an argument and never recompiles. */
#define CLS_VARIANT_FIELDS(X)                                                                                          \
    X(OPERATION, operation)                                                                                            \
    X(LOGITS_DTYPE, logits_dtype)                                                                                      \
    X(RESULTS_DTYPE, results_dtype)                                                                                    \
    X(TEMPERATURE_PER_ROW, temperature_per_row)                                                                        \
    X(STATISTICS, statistics)                                                                                          \
    X(TIES, ties)                                                                                                      \
    X(CORE_WIDTH, vector_width)                                                                                        \
    X(WORK_GROUP_SIZE, work_group_size)                                                                                \
    X(SUM_LEVELS, sum_levels)                                                                                          \
    X(ACCESS_WIDTH, access_width)                                                                                      \
    X(ROW_VECTORS, row_vectors)                                                                                        \
    X(ROW_IS_KEPT, row_is_kept)                                                                                        \
    X(KEPT_CLASSES, kept_classes)

typedef struct cls_variant {
    clsoftmax_strategy strategy;
    unsigned operation;           /* clsoftmax_operation */
    unsigned logits_dtype;        /* clsoftmax_dtype */
    unsigned results_dtype;       /* clsoftmax_dtype */
    unsigned temperature_per_row; /* 0, 1 */
    unsigned statistics;          /* 0, 1 */
    unsigned ties;                /* 1: a policy can turn rows into ties */
    unsigned vector_width;
    unsigned work_group_size;
    unsigned sum_levels;
    unsigned
        access_width; /* elements of an access of `group` and `split`: see kernels/row_chunks.h; 0 elsewhere, as the next two */
    unsigned row_vectors; /* accesses that a work-item holds in registers at a time */
    unsigned row_is_kept; /* 1: they are the whole row */
    unsigned
        kept_classes; /* of `item` and `column`: room for so many exponentials of a row in local memory; 0: none is kept */
} cls_variant;

typedef struct cls_decision {
    cls_variant variant;
    uint64_t tile_outer;   /* outer indices on the device at a time for host memory; 0 if not one fits, or no rows */
    uint64_t launch_outer; /* outer indices in one launch at most */
    uint32_t parts;        /* work-groups to a row: 1 but for `split` */
    const char *reason;    /* of the strategy, for people */
} cls_decision;

/* 1 if devices of this type can run the strategy (AUTO always). */
int cls_strategy_supported(clsoftmax_device_type type, clsoftmax_strategy strategy);

/* 1 if work-groups go through rows in chunks (kernels/row_chunks.h). */
int cls_strategy_has_chunks(clsoftmax_strategy strategy);

/* 1 if lanes are rows, not classes (kernels/row_lanes.h). */
int cls_strategy_has_lanes(clsoftmax_strategy strategy);

/* Decides for a checked problem. Deterministic: equal arguments, equal decision. */
clsoftmax_status cls_decide(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision);

/* Work-items of a launch over `outer` outer indices. */
uint64_t cls_global_size(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer);

/* Device memory that launches need beside the arrays: a split_part (kernels/row_split.cl) for each part of each row of a launch. */
uint64_t cls_scratch_bytes(const clsoftmax_problem *problem, const cls_decision *decision);

/* The variant as "#define NAME value" lines for the compiler, and as one label for people. Both are complete: variants
   that differ have texts that differ. */
void cls_variant_defines(const cls_variant *variant, char *text, size_t size);
void cls_variant_label(const cls_variant *variant, char *text, size_t size);

#endif
