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
    int shares_memory;             /* 1: kernels work on the host's memory */
} cls_limits;

/* What is compiled into a kernel: the key of the program cache, the #define lines, the label. Everything else (shape,
   layouts, temperature, which policy) is an argument and never recompiles. */
#define CLS_VARIANT_FIELDS(X)                                                                                          \
    X(OPERATION, operation)                                                                                            \
    X(LOGITS_DTYPE, logits_dtype)                                                                                      \
    X(RESULTS_DTYPE, results_dtype)                                                                                    \
    X(TEMPERATURES, temperatures)                                                                                      \
    X(STATISTICS, statistics)                                                                                          \
    X(TIES, ties)                                                                                                      \
    X(CORE_WIDTH, vector_width)                                                                                        \
    X(WORK_GROUP_SIZE, work_group_size)                                                                                \
    X(SUM_LEVELS, sum_levels)                                                                                          \
    X(ACCESS_WIDTH, access_width)                                                                                      \
    X(ROW_VECTORS, row_vectors)                                                                                        \
    X(ROW_IS_KEPT, row_is_kept)                                                                                        \
    X(KEPT_CLASSES, kept_classes)

/* TEMPERATURES_* of kernels/row.h. */
typedef enum cls_temperatures {
    CLS_TEMPERATURES_ONE,
    CLS_TEMPERATURES_PER_ROW,
    CLS_TEMPERATURES_SWEEP,
    CLS_TEMPERATURES_ON_LANES
} cls_temperatures;

typedef struct cls_variant {
    clsoftmax_strategy strategy;
    unsigned operation;     /* clsoftmax_operation */
    unsigned logits_dtype;  /* clsoftmax_dtype */
    unsigned results_dtype; /* clsoftmax_dtype */
    unsigned temperatures;  /* cls_temperatures */
    unsigned statistics;    /* 0, 1 */
    unsigned ties;          /* 1: a policy can turn rows into ties */
    unsigned vector_width;
    unsigned work_group_size;
    unsigned sum_levels;
    /* Of `group` and `split`, elements of an access (kernels/row_chunks.h); 0 elsewhere. */
    unsigned access_width;
    /* Accesses that their work-item holds in registers at a time; of `lane` and `column`, vectors abreast. */
    unsigned row_vectors;
    /* 1: those accesses are the whole row; of `lane`, kept_classes are in private memory. */
    unsigned row_is_kept;
    /* Of `item`, `column` and `lane`, room for so many classes of a row, or 0: in local memory, but lane's. */
    unsigned kept_classes;
} cls_variant;

/* What is on the device at a time for a call on host memory. */
typedef struct cls_tiles {
    uint64_t outer; /* outer indices; 0 if there is no such way, or no rows */
    uint64_t inner; /* columns; fewer than all only of one outer index */
    uint64_t
        classes; /* fewer than all only of one row, which goes through the three kernels of `split` in pieces, three times */
    uint64_t temperatures; /* of a sweep; 1 of all else */
} cls_tiles;

typedef struct cls_decision {
    cls_variant variant;
    cls_tiles shared;             /* where kernels work on the caller's arrays as they are */
    cls_tiles copied;             /* where they are copied, dense, to the device and back */
    uint64_t launch_outer;        /* outer indices in one launch at most */
    uint64_t launch_temperatures; /* of a sweep, likewise; 1 of all else */
    uint32_t parts;               /* work-groups to a row: 1 but for `split` */
    const char *reason;           /* of the strategy, for people */
} cls_decision;

/* Decides for a checked problem. Deterministic: equal arguments, equal decision. */
clsoftmax_status cls_decide(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision);

/* Work-items of a launch over `outer` outer indices. */
uint64_t cls_global_size(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer);

/* Device memory that launches need beside the arrays: a split_part (kernels/row_split.cl) for each part of each row of a launch, and each
   of its temperatures. */
uint64_t cls_scratch_bytes(const clsoftmax_problem *problem, const cls_decision *decision);

/* ---- Strategies (plan_strategy.c) */

/* 1 if devices of this type can run the strategy (AUTO always). */
int cls_strategy_supported(clsoftmax_device_type type, clsoftmax_strategy strategy);

/* 1 if work-groups go through rows in chunks (kernels/row_chunks.h). */
int cls_strategy_has_chunks(clsoftmax_strategy strategy);

/* 1 if lanes are rows, not classes (kernels/row_lanes.h). */
int cls_strategy_has_lanes(clsoftmax_strategy strategy);

/* 1 of the two devices that need no OpenCL. */
int cls_is_native(clsoftmax_device_type type);

/* What AUTO is for a problem: the rules of CLSOFTMAX_STRATEGY_LIST in their order. */
clsoftmax_strategy cls_choose_strategy(const clsoftmax_problem *problem, const cls_limits *limits);

/* Classes of the room in which `lane` transposes such rows in OpenCL; 0 if it does not. */
unsigned cls_lane_room(const clsoftmax_problem *problem);

/* 1 if temperatures can be the lanes of `column`: where there are no results, which would go to a place of their own each. */
int cls_may_have_temperatures_on_lanes(const clsoftmax_problem *problem);

/* ---- Tiles (plan_tiles.c) */

/* 1 if not even one row fits the device, however it gets there: it must go in pieces. */
int cls_row_is_too_long(const clsoftmax_problem *problem, const cls_limits *limits);

/* Decides about shared and copied tiles; all else of the decision is made. */
void cls_choose_tiles(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision);

/* One tile, and its turn. */
typedef struct cls_tile {
    uint64_t first_outer, outer;
    uint64_t first_inner, inner;
    uint64_t first_class, classes;
    uint64_t first_temperature, temperatures;
    uint64_t piece;     /* of the row */
    unsigned pass;      /* over the pieces of the row, from 0 */
    int gives_results;  /* 1 unless a later pass does */
    int is_end_of_rows; /* 1 if what is known of its rows is complete behind it */
} cls_tile;

/* Pieces of a row. */
uint64_t cls_tile_pieces(const clsoftmax_problem *problem, const cls_tiles *tiles);

/* Tiles of a call in their order: of a row, the temperatures in turn, each pass over all pieces; the tiles are possible. */
uint64_t cls_tile_count(const clsoftmax_problem *problem, const cls_tiles *tiles);
cls_tile cls_tile_at(const clsoftmax_problem *problem, const cls_tiles *tiles, uint64_t number);

/* What a call on host memory will do, for people. */
void cls_describe_tiles(const clsoftmax_problem *problem, const cls_decision *decision, char *text, size_t size);

/* The variant as "#define NAME value" lines for the compiler, and as one label for people. Both are complete: variants
   that differ have texts that differ. */
#define CLS_MOST_DEFINES 1024
void cls_variant_defines(const cls_variant *variant, char *text, size_t size);
void cls_variant_label(const cls_variant *variant, char *text, size_t size);

#endif
