/*
 * The strategies that put rows side by side, each on a lane of its own: lane and column. Their rows of the table, for
 * strategy.c; their kernels are kernels/strategies/lane.cl and column*.cl.
 */
#include "strategy.h"

#include "../problem.h"
#include "core/interface.h"

/* ---------------------------------------------------------------- lane */

/* Returns the most classes of a row that is transposed onto lanes in OpenCL; 0 if its classes are no neighbours. Each
   work-item of a work-group has room of its own for its rows, so that several work-items have room for few classes. */
static uint64_t most_transposed_classes(const clsoftmax_problem *problem, const cls_tuning *tuning)
{
    int are_neighbours = problem->logits_layout.class_stride == 1 &&
                         (!cls_has_results(problem) || problem->results_layout.class_stride == 1);
    if (!are_neighbours)
        return 0;
    return problem->work_group_size > 1 ? tuning->lane_classes : tuning->transposed_lane_classes;
}

/* Returns the most classes of a row for which `cpu` takes `lane`. Its code transposes rows so cheaply that most short
   rows go that way, unless they are too few to fill a panel. Vectors of 16 floats shift the limit down, because `item`
   is fast with them, above all if it converts nothing and computes no statistics. */
static uint64_t most_classes_on_cpu(const clsoftmax_problem *problem, const cls_limits *limits)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    if (problem->sweep == 0 && cls_problem_rows(problem) < problem->classes / tuning->panel_classes_per_row)
        return 0;
    if (!cls_suits_item(problem, limits))
        return tuning->lane_classes;
    return problem->logits_dtype == CLSOFTMAX_F32 && problem->results_dtype == CLSOFTMAX_F32 && !problem->statistics
               ? tuning->lane_classes_beside_f32_item
               : tuning->lane_classes_beside_item;
}

/* Returns the most classes of a row for which an OpenCL CPU device takes `lane`. `item` is better only at exponentials
   without statistics: in OpenCL it does not compute statistics and logarithms for a vector of rows at once. */
static uint64_t most_classes_on_opencl_cpu(const clsoftmax_problem *problem, const cls_limits *limits)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    uint64_t most = most_transposed_classes(problem, tuning);
    int item_is_better = cls_is_made_of_exponentials(problem) && !problem->statistics;
    if (cls_suits_item(problem, limits) && item_is_better && most > tuning->lane_classes_beside_item)
        most = tuning->lane_classes_beside_item;
    return most > tuning->lane_classes ? most : tuning->lane_classes;
}

static int lane_suits(const clsoftmax_problem *problem, const cls_limits *limits)
{
    uint64_t most = cls_limits_tuning(limits)->lane_classes;
    if (limits->type == CLSOFTMAX_DEVICE_CPU)
        most = most_classes_on_cpu(problem, limits);
    if (limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU)
        most = most_classes_on_opencl_cpu(problem, limits);
    return problem->inner == 1 && problem->classes <= most;
}

/* Chooses vectors, and room for rows that are transposed. The room is in private memory, since it belongs to a
   work-item, and small, so that its arrays fit the first-level cache. In rows of few classes most work is done once a
   row, in a chain of operations that wait for each other; so two vectors of such rows go abreast. */
static void choose_lane(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    /* Outside of tests only CPUs have vectors, so the size of the room comes from the numbers of OpenCL CPU devices. */
    const cls_tuning *tuning = limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU
                                   ? cls_limits_tuning(limits)
                                   : cls_tuning_of_type(CLSOFTMAX_DEVICE_OPENCL_CPU);
    cls_variant *variant = &decision->variant;
    variant->vector_width = problem->inner == 1 ? limits->vector_width : 1; /* only then are rows evenly spaced */
    variant->vectors_abreast = 1;
    /* The private memory of one work-item that takes many rows stays in the first-level cache; that of sixteen does
       not. */
    variant->work_group_size = cls_items_work_group_size(problem, limits, variant->vector_width > 1);
    if (variant->vector_width > 1 && problem->classes <= most_transposed_classes(problem, tuning)) {
        uint64_t room =
            problem->classes <= tuning->lane_classes ? tuning->lane_classes : tuning->transposed_lane_classes;
        variant->vectors_abreast = problem->classes <= tuning->two_abreast_classes ? 2 : 1;
        variant->room_classes = (unsigned)room / variant->vectors_abreast;
    }
    if (variant->vector_width > 1)
        decision->share = cls_share_of(problem->classes * variant->vector_width * variant->vectors_abreast, limits);
}

static uint64_t lane_global_size(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer)
{
    const cls_variant *variant = &decision->variant;
    uint64_t width = (uint64_t)variant->vector_width * variant->vectors_abreast;
    uint64_t items = cls_quotient_up(cls_quotient_up(outer * problem->inner, width), decision->share);
    return cls_round_up(items, variant->work_group_size);
}

static const cls_kernels *lane_kernels(const cls_variant *variant)
{
    static const cls_kernels lane = {"strategies/lane.cl", {"row_lane"}, 1};
    (void)variant;
    return &lane;
}

const cls_strategy cls_strategy_lane = {.devices = CLS_ON(CPU) | CLS_ON_OPENCL,
                                        .suits = lane_suits,
                                        .choose = choose_lane,
                                        .global_size = lane_global_size,
                                        .kernels = lane_kernels};

/* ---------------------------------------------------------------- column */

/* Returns 1 if the temperatures of a sweep can be the lanes. Results rule it out: those at each temperature have a
   place of their own. */
static int may_have_temperatures_on_lanes(const clsoftmax_problem *problem)
{
    return problem->sweep > 0 && !cls_has_results(problem) && problem->inner == 1;
}

/* Returns 1 if the temperatures of a sweep should be the lanes. Few temperatures leave most of a vector empty, and rows
   of few classes are lanes themselves. */
static int wants_temperatures_on_lanes(const clsoftmax_problem *problem, const cls_limits *limits)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    return limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU && may_have_temperatures_on_lanes(problem) &&
           problem->sweep >= tuning->temperatures_on_lanes && problem->classes > tuning->lane_classes;
}

static int column_suits(const clsoftmax_problem *problem, const cls_limits *limits)
{
    return (problem->inner > 1 && problem->logits_layout.class_stride != 1) ||
           wants_temperatures_on_lanes(problem, limits);
}

/* Returns how many vectors of columns go abreast: at best four, whose columns fill neighbouring cache lines in both
   arrays. Each vector needs a room, and a second one if a sweep needs its logits again; one more room holds the low
   halves of the exponentials of one vector, which the lean core does not have. Local memory may be used up, because
   columns without room are read three times. Fewer vectors go abreast if there are few columns, so that all compute
   units have work. 0: there is no room. */
static unsigned choose_column_vectors(const clsoftmax_problem *problem, const cls_limits *limits, uint64_t width,
                                      uint64_t room)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    uint64_t rooms = problem->sweep > 0 ? 2 : 1, vectors = tuning->column_vectors;
    uint64_t fitting = limits->local_memory_bytes / (room * width * sizeof(float));
    const uint64_t low_halves = cls_exponential_floats(problem) - 1;
    while (vectors > 0 && vectors * rooms + low_halves > fitting)
        vectors--;
    while (vectors > 1 && problem->outer * ((problem->inner - 1) / (width * vectors) + 1) <
                              tuning->items_per_unit * limits->compute_units)
        vectors--;
    return (unsigned)vectors;
}

/* Chooses vectors where columns are neighbours, or for the temperatures of a sweep, and room for what is kept. */
static void choose_column(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    cls_variant *variant = &decision->variant;
    int are_neighbours = problem->logits_layout.inner_stride == 1 && problem->results_layout.inner_stride == 1;
    if (may_have_temperatures_on_lanes(problem)) {
        variant->temperatures = TEMPERATURES_ON_LANES;
        are_neighbours = 1;
    }
    variant->vector_width = are_neighbours ? limits->vector_width : 1;
    variant->work_group_size = cls_items_work_group_size(problem, limits, 0);
    if (!cls_can_keep(problem, variant))
        return;
    uint64_t room = cls_room_of(problem->classes, limits);
    variant->vectors_abreast = choose_column_vectors(problem, limits, variant->vector_width, room);
    if (variant->vectors_abreast == 0)
        return;
    variant->room_classes = (unsigned)room;
    variant->work_group_size = 1; /* local memory belongs to a work-group */
}

static uint64_t column_global_size(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer)
{
    const cls_variant *variant = &decision->variant;
    uint64_t columns =
        variant->room_classes ? (uint64_t)variant->vector_width * variant->vectors_abreast : variant->vector_width;
    uint64_t items = variant->temperatures == TEMPERATURES_ON_LANES ? outer * problem->inner
                                                                    : outer * cls_quotient_up(problem->inner, columns);
    return cls_round_up(items, variant->work_group_size);
}

static const cls_kernels *column_kernels(const cls_variant *variant)
{
    static const cls_kernels read_again = {"strategies/column.cl", {"row_column"}, 1},
                             kept = {"strategies/column_kept.cl", {"row_column_kept"}, 1},
                             temperatures = {"strategies/column_temperatures.cl", {"row_column_temperatures"}, 1};
    return variant->temperatures == TEMPERATURES_ON_LANES ? &temperatures : variant->room_classes ? &kept : &read_again;
}

const cls_strategy cls_strategy_column = {.devices = CLS_ON(CPU) | CLS_ON_OPENCL,
                                          .suits = column_suits,
                                          .choose = choose_column,
                                          .global_size = column_global_size,
                                          .kernels = column_kernels};
