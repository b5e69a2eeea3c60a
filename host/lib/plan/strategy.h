/*
 * The strategies as rows of a table: on which devices each runs, when "auto" takes it, what it chooses of a variant,
 * which kernels it has, and how large a launch is. plan.c and the OpenCL backend ask the row, and never which strategy
 * it is.
 */
#ifndef CLSOFTMAX_STRATEGY_H
#define CLSOFTMAX_STRATEGY_H

#include "plan.h"

#define CLS_MOST_KERNELS 4

/* A file of kernels/strategies and its kernels, in the order in which they are launched. */
typedef struct cls_kernels {
    const char *file;
    const char *names[CLS_MOST_KERNELS];
    unsigned count;
} cls_kernels;

/* A row of the table. */
typedef struct cls_strategy {
    unsigned devices; /* a bit 1 << clsoftmax_device_type for each type that can run it */

    /* Returns 1 if "auto" takes the strategy, unless one before it in the list suits. NULL: "auto" never takes it. */
    int (*suits)(const clsoftmax_problem *problem, const cls_limits *limits);

    /* Chooses the strategy's share of the variant on an OpenCL device, and the parts of a row. */
    void (*choose)(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision);

    /* Returns the number of work-items of a launch over `outer` outer indices. */
    uint64_t (*global_size)(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer);

    /* Returns the most rows that a launch should have. NULL: any number. */
    uint64_t (*rows_in_flight)(const clsoftmax_problem *problem, const cls_limits *limits);

    /* Returns the kernels of a variant. */
    const cls_kernels *(*kernels)(const cls_variant *variant);

    /* 1: rows are cut into parts, which exchange what they know through scratch memory. Only such rows may come in
       pieces. */
    int has_parts;
} cls_strategy;

/* Returns the row of a strategy; NULL for AUTO, and for a number that is no strategy. */
const cls_strategy *cls_strategy_of(clsoftmax_strategy strategy);

/* Returns 1 if devices of this type can run the strategy. AUTO runs everywhere. */
int cls_strategy_supported(clsoftmax_device_type type, clsoftmax_strategy strategy);

/* Returns the strategy that AUTO takes: the first of CLSOFTMAX_STRATEGY_LIST that runs on the device and suits. */
clsoftmax_strategy cls_choose_strategy(const clsoftmax_problem *problem, const cls_limits *limits);

/* ---- The rows, by what their kernels share */

extern const cls_strategy cls_strategy_item;                                          /* strategy_item.c */
extern const cls_strategy cls_strategy_lane, cls_strategy_column;                     /* strategy_lanes.c */
extern const cls_strategy cls_strategy_group, cls_strategy_split, cls_strategy_plain; /* strategy_groups.c */

/* ---- What several rows share (strategy.c) */

#define CLS_ON(type) (1u << CLSOFTMAX_DEVICE_##type)
#define CLS_ON_OPENCL (CLS_ON(OPENCL_CPU) | CLS_ON(ACCELERATOR) | CLS_ON(GPU))

/* Returns the work-group size for kernels whose work-items have rows of their own: a power of two within the limits.
   is_alone: a work-item fills the first-level cache of a core, so that on an OpenCL CPU device it is a work-group by
   itself. */
uint32_t cls_items_work_group_size(const clsoftmax_problem *problem, const cls_limits *limits, int is_alone);

/* Returns the room for a row of so many classes: a power of two, so that few variants are built. */
uint64_t cls_room_of(uint64_t classes, const cls_limits *limits);

/* Returns 1 if exponentials can be kept between the phases of a row: the results are made of them, they are computed in
   vectors, and the problem does not ask for larger work-groups than one work-item. */
int cls_can_keep(const clsoftmax_problem *problem, const cls_variant *variant);

/* Returns how many rows, or vectors of rows, of so many elements a work-item, or a thread of `cpu`, takes at least, one
   after another. Its share is large beside the start of a work-group, and small beside a matrix. */
uint64_t cls_share_of(uint64_t elements, const cls_limits *limits);

/* Returns the smallest multiple that is at least the value. */
static inline uint64_t cls_round_up(uint64_t value, uint64_t multiple)
{
    return cls_quotient_up(value, multiple) * multiple;
}

/* Returns 1 if `item` loses little by what it does once a row: its vectors have 16 floats, and all rows have one
   temperature. */
int cls_suits_item(const clsoftmax_problem *problem, const cls_limits *limits);

#endif
