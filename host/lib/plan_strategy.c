#include "plan.h"

int cls_is_native(clsoftmax_device_type type)
{
    return type == CLSOFTMAX_DEVICE_CPU || type == CLSOFTMAX_DEVICE_REFERENCE;
}

int cls_strategy_has_chunks(clsoftmax_strategy strategy)
{
    return strategy == CLSOFTMAX_STRATEGY_GROUP || strategy == CLSOFTMAX_STRATEGY_SPLIT;
}

int cls_strategy_has_lanes(clsoftmax_strategy strategy)
{
    return strategy == CLSOFTMAX_STRATEGY_LANE || strategy == CLSOFTMAX_STRATEGY_COLUMN;
}

int cls_strategy_supported(clsoftmax_device_type type, clsoftmax_strategy strategy)
{
    switch (strategy) {
    case CLSOFTMAX_STRATEGY_AUTO:
    case CLSOFTMAX_STRATEGY_ITEM:
        return 1;
    case CLSOFTMAX_STRATEGY_LANE:
    case CLSOFTMAX_STRATEGY_COLUMN:
        return type != CLSOFTMAX_DEVICE_REFERENCE;
    case CLSOFTMAX_STRATEGY_GROUP:
    case CLSOFTMAX_STRATEGY_SPLIT:
        return !cls_is_native(type);
    case CLSOFTMAX_STRATEGY_COUNT:
        break;
    }
    return 0;
}

/* FlashInfer splits rows of 24,576 and more for up to 128 of them, on devices of 132 units. Counted for ours: one work-group takes as long
   for 24,576 classes as three kernels take to start. */
#define FEW_ROWS_CLASSES 24576
/* Beyond what registers and local memory of one work-group hold anywhere (Liger raises there; QuACK joins work-groups to clusters). */
#define ONE_GROUP_CLASSES 65536

static int wants_split(const clsoftmax_problem *problem, const cls_limits *limits)
{
    if (problem->inner > 1 || problem->logits_layout.class_stride != 1)
        return 0;
    return problem->classes > ONE_GROUP_CLASSES ||
           (problem->outer < limits->compute_units && problem->classes >= FEW_ROWS_CLASSES);
}

/* What `item` does once a row costs little beside vectors of 16, except where each row has a temperature of its own, or several. */
static int suits_item(const clsoftmax_problem *problem, const cls_limits *limits)
{
    return limits->vector_width >= 16 && problem->sweep == 0 && !problem->temperature_per_row;
}

/* Rows of at most so many classes are put into lanes; on OpenCL CPU devices, if they can be transposed. Measured: docs/kernels.md. */
#define LANE_CLASSES 64
#define TRANSPOSED_LANE_CLASSES 160

/* The native code transposes rows into lanes so cheaply that most short rows go that way; not of 256, which fall on each other in the
   first-level cache. Vectors of 16 floats, and above all full ones, are faster at classes than at that. Measured: docs/kernels.md. */
#define NATIVE_LANE_CLASSES 255
#define NATIVE_LANE_CLASSES_BESIDE_16 175
#define NATIVE_LANE_CLASSES_BESIDE_FULL_16 127

static uint64_t most_native_lane_classes(const clsoftmax_problem *problem, const cls_limits *limits)
{
    if (!suits_item(problem, limits))
        return NATIVE_LANE_CLASSES;
    return problem->classes % 16 == 0 ? NATIVE_LANE_CLASSES_BESIDE_FULL_16 : NATIVE_LANE_CLASSES_BESIDE_16;
}

/* Rows of neighbouring classes can be transposed. Each work-item of a work-group has a room of its own for them: several have room for few. */
static uint64_t most_transposed_classes(const clsoftmax_problem *problem)
{
    int are_neighbours = problem->logits_layout.class_stride == 1 &&
                         (problem->operation == CLSOFTMAX_OPERATION_NONE || problem->results_layout.class_stride == 1);
    return !are_neighbours ? 0 : problem->work_group_size > 1 ? LANE_CLASSES : TRANSPOSED_LANE_CLASSES;
}

unsigned cls_lane_room(const clsoftmax_problem *problem)
{
    if (problem->classes > most_transposed_classes(problem))
        return 0;
    return problem->classes <= LANE_CLASSES ? LANE_CLASSES : TRANSPOSED_LANE_CLASSES;
}

/* In OpenCL neither where it is statistics or logarithms, which no vectors of rows share there. */
#define TRANSPOSED_LANE_CLASSES_BESIDE_16 96

static uint64_t most_opencl_lane_classes(const clsoftmax_problem *problem, const cls_limits *limits)
{
    uint64_t most = most_transposed_classes(problem);
    int is_softmax_alone = problem->operation == CLSOFTMAX_OPERATION_SOFTMAX && !problem->statistics;
    if (suits_item(problem, limits) && is_softmax_alone && most > TRANSPOSED_LANE_CLASSES_BESIDE_16)
        most = TRANSPOSED_LANE_CLASSES_BESIDE_16;
    return most > LANE_CLASSES ? most : LANE_CLASSES;
}

static int wants_lanes(const clsoftmax_problem *problem, const cls_limits *limits)
{
    uint64_t most = limits->type == CLSOFTMAX_DEVICE_CPU          ? most_native_lane_classes(problem, limits)
                    : limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU ? most_opencl_lane_classes(problem, limits)
                                                                  : LANE_CLASSES;
    return problem->inner == 1 && problem->classes <= most;
}

int cls_may_have_temperatures_on_lanes(const clsoftmax_problem *problem)
{
    return problem->sweep > 0 && problem->operation == CLSOFTMAX_OPERATION_NONE && problem->inner == 1;
}

/* Fewer temperatures leave most of a vector empty. Rows of few classes are lanes themselves. Measured: docs/kernels.md. */
#define LEAST_TEMPERATURES_ON_LANES 12

static int wants_temperatures_on_lanes(const clsoftmax_problem *problem, const cls_limits *limits)
{
    return limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU && cls_may_have_temperatures_on_lanes(problem) &&
           problem->sweep >= LEAST_TEMPERATURES_ON_LANES && problem->classes > LANE_CLASSES;
}

clsoftmax_strategy cls_choose_strategy(const clsoftmax_problem *problem, const cls_limits *limits)
{
    if (limits->type == CLSOFTMAX_DEVICE_REFERENCE)
        return CLSOFTMAX_STRATEGY_ITEM;
    if ((problem->inner > 1 && problem->logits_layout.class_stride != 1) ||
        wants_temperatures_on_lanes(problem, limits))
        return CLSOFTMAX_STRATEGY_COLUMN;
    if (wants_lanes(problem, limits))
        return CLSOFTMAX_STRATEGY_LANE;
    if (cls_is_native(limits->type) || limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU)
        return CLSOFTMAX_STRATEGY_ITEM;
    return wants_split(problem, limits) ? CLSOFTMAX_STRATEGY_SPLIT : CLSOFTMAX_STRATEGY_GROUP;
}
