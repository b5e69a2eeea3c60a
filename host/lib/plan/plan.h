/*
 * Planning: from a problem and the limits of a device to a decision. These are pure functions without any OpenCL, so
 * that they can be tested and printed. clsoftmax_plan_create calls cls_decide, and the backends do what the decision
 * says.
 */
#ifndef CLSOFTMAX_PLAN_H
#define CLSOFTMAX_PLAN_H

#include "clsoftmax/clsoftmax.h"
#include "tuning.h"

/* What planning must know of a device. */
typedef struct cls_limits {
    clsoftmax_device_type type;
    unsigned compute_units;
    unsigned vector_width;         /* of a native vector, in floats */
    uint32_t max_work_group_size;  /* of the device; of the kernel, once it is built */
    uint64_t local_memory_bytes;   /* of a work-group */
    uint64_t max_allocation_bytes; /* of one buffer */
    uint64_t global_memory_bytes;  /* of all buffers together */
    uint64_t alignment_bytes;      /* buffers and sub-buffers begin at multiples */
    uint64_t cache_bytes;          /* of the cache of global memory, by the driver's account */
    int shares_memory;             /* 1: kernels work on the host's memory */
    const cls_tuning *tuning;      /* NULL: the row of the type */
} cls_limits;

/* Returns the tuning numbers of the device. */
static inline const cls_tuning *cls_limits_tuning(const cls_limits *limits)
{
    return limits->tuning ? limits->tuning : cls_tuning_of_type(limits->type);
}

/* What is compiled into a kernel: X(macro of the kernel, field). These numbers are the key of the program cache, the
   #define lines of the source, and the label for people. Everything else (shape, layouts, temperature, which policy) is
   an argument and never recompiles. The names of the dtypes are compiled in, too. */
#define CLS_VARIANT_NUMBERS(X)                                                                                         \
    X(OPERATION, operation)                                                                                            \
    X(ROW_TERMS, terms)                                                                                                \
    X(TEMPERATURES, temperatures)                                                                                      \
    X(STATISTICS, statistics)                                                                                          \
    X(CORE_LEAN, lean)                                                                                                 \
    X(TIES, ties)                                                                                                      \
    X(CORE_WIDTH, vector_width)                                                                                        \
    X(WORK_GROUP_SIZE, work_group_size)                                                                                \
    X(SUM_LEVELS, sum_levels)                                                                                          \
    X(ACCESS_WIDTH, access_width)                                                                                      \
    X(ACCESSES, accesses)                                                                                              \
    X(ROW_IN_REGISTERS, row_in_registers)                                                                              \
    X(PAIRS_IN_REGISTERS, pairs_in_registers)                                                                          \
    X(VECTORS_ABREAST, vectors_abreast)                                                                                \
    X(ROOM_CLASSES, room_classes)

typedef struct cls_variant {
    clsoftmax_strategy strategy;
    unsigned operation;     /* clsoftmax_operation */
    unsigned terms;         /* the set of terms of a row (kernels/core/terms.h) */
    unsigned logits_dtype;  /* clsoftmax_dtype */
    unsigned results_dtype; /* clsoftmax_dtype */
    unsigned operand_dtype; /* clsoftmax_dtype; F32 without an operand */
    unsigned temperatures;  /* TEMPERATURES_* of kernels/core/interface.h */
    unsigned statistics;    /* 0, 1 */
    unsigned lean;          /* 1: the lean core, 0: the faithful one */
    unsigned ties;          /* 1: a policy can turn rows into ties */
    unsigned vector_width;
    unsigned work_group_size;
    unsigned sum_levels;
    unsigned access_width;       /* group, split: elements of an access; otherwise 1 */
    unsigned accesses;           /* group, split: accesses that a work-item holds in registers at a time */
    unsigned row_in_registers;   /* group: 1 if those accesses are the whole row */
    unsigned pairs_in_registers; /* group: 1 if the exponentials stay in registers, too */
    unsigned vectors_abreast;    /* lane, column: vectors of rows that a work-item has abreast; 0: one */
    unsigned room_classes;       /* item, column, lane: room for so many classes of a row; 0: rows are not kept */
} cls_variant;

/* The size of a tile: what is on the device at a time for a call on host memory. A tile has fewer columns than the
   problem only if it is one outer index, and fewer classes only if it is one row. Such a row goes through the three
   kernels of `split` in pieces, once for each kernel. */
typedef struct cls_tiles {
    uint64_t outer; /* outer indices; 0: this way is impossible, or there are no rows */
    uint64_t inner; /* columns */
    uint64_t classes;
    uint64_t temperatures; /* of a sweep; 1 otherwise */
} cls_tiles;

/* What planning chose for a problem on a device. */
typedef struct cls_decision {
    cls_variant variant;
    cls_tiles shared;             /* where kernels work on the caller's arrays as they are */
    cls_tiles copied;             /* where they are copied, dense, to the device and back */
    uint64_t launch_outer;        /* outer indices of one launch at most */
    uint64_t launch_temperatures; /* temperatures of a sweep in one launch at most; 1 otherwise */
    uint64_t share;               /* rows, or vectors of rows, that a work-item takes one after another at least */
    uint32_t parts;               /* of a row, or on `cpu` of those that are cut; 1: rows are not cut */
    uint64_t cut_rows;            /* `cpu`: rows that all threads compute together, in parts */
    const char *reason;           /* why the strategy was chosen, for people */
} cls_decision;

/* Decides for a checked problem. Equal arguments give equal decisions. UNSUPPORTED if the device cannot run the
   strategy, or cannot compute the problem at all. */
clsoftmax_status cls_decide(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision);

/* Returns the number of work-items of a launch over `outer` outer indices. */
uint64_t cls_global_size(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer);

/* Returns the bytes of device memory that launches need beside the arrays: a split_part (kernels/core/interface.h) for
   each part of each row of a launch, at each of its temperatures. */
uint64_t cls_scratch_bytes(const clsoftmax_problem *problem, const cls_decision *decision);

static inline uint64_t cls_smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t cls_larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Returns a / b, rounded up. */
static inline uint64_t cls_quotient_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

/* Returns 1 for the two devices that need no OpenCL. */
static inline int cls_is_native(clsoftmax_device_type type)
{
    return type == CLSOFTMAX_DEVICE_CPU || type == CLSOFTMAX_DEVICE_REFERENCE;
}

/* ---- Variants (variant.c) */

/* Write the variant as "#define NAME value" lines for the compiler, and as one label for people. Both are complete:
   different variants have different texts. */
#define CLS_MOST_DEFINES 1024
void cls_variant_defines(const cls_variant *variant, char *text, size_t size);
void cls_variant_label(const cls_variant *variant, char *text, size_t size);

/* Returns the largest power of two that is at most the value; 1 for 0. */
uint32_t cls_power_of_two_at_most(uint64_t value);

/* ---- Tiles (tiles.c) */

/* Returns 1 if the device does not hold even one row, shared or copied, so that it must take the row in pieces. */
int cls_row_is_too_long(const clsoftmax_problem *problem, const cls_limits *limits);

/* Decides about shared and copied tiles, once everything else is decided. */
void cls_choose_tiles(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision);

/* A tile: which elements it has, and its place in the order of tiles. */
typedef struct cls_tile {
    uint64_t first_outer, outer;
    uint64_t first_inner, inner;
    uint64_t first_class, classes;
    uint64_t first_temperature, temperatures;
    uint64_t piece;     /* of the row */
    unsigned pass;      /* over the pieces of the row, from 0 */
    int gives_results;  /* 0: a later pass does */
    int is_end_of_rows; /* 1: behind this tile, everything is known of its rows */
} cls_tile;

/* Returns the number of pieces of a row. */
uint64_t cls_tile_pieces(const clsoftmax_problem *problem, const cls_tiles *tiles);

/* Return the number of tiles of a call, and the tile with a number, in the order in which they go through the device.
   For each row the temperatures come in turn, and for each of them every pass over all pieces. The tiles must be
   possible. */
uint64_t cls_tile_count(const clsoftmax_problem *problem, const cls_tiles *tiles);
cls_tile cls_tile_at(const clsoftmax_problem *problem, const cls_tiles *tiles, uint64_t number);

/* Writes for people what a call on host memory will do. */
void cls_describe_tiles(const clsoftmax_problem *problem, const cls_decision *decision, char *text, size_t size);

#endif
