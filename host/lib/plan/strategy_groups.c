/*
 * The strategies that give each row a work-group, or several: group, split and plain. Their rows of the table, for
 * strategy.c; their kernels are kernels/strategies/group.cl, split*.cl and plain.cl.
 */
#include "strategy.h"

#include "../problem.h"
#include "core/interface.h"

/* ---------------------------------------------------------------- Accesses */

/* Returns 1 if classes are neighbours and every row begins at a multiple of `width` elements. */
static int begins_at_multiples(const clsoftmax_problem *problem, const clsoftmax_layout *layout, unsigned width)
{
    return layout->class_stride == 1 && layout->offset % width == 0 &&
           (problem->outer == 1 || layout->outer_stride % width == 0) &&
           (problem->inner == 1 || layout->inner_stride % width == 0);
}

/* Returns 1 if the results at each temperature of a sweep begin at a multiple of `width` elements, both in the caller's
   layout and in a dense one. */
static int temperatures_begin_at_multiples(const clsoftmax_problem *problem, unsigned width)
{
    return problem->sweep <= 1 ||
           (problem->sweep_stride % width == 0 && problem->classes * problem->inner % width == 0);
}

/* Returns the elements of an access: as many of the larger type as it has bytes for, if every row of both arrays begins
   at a multiple of them, in the caller's layout and in the dense one of a tile, which the same kernel serves; otherwise
   1. */
static unsigned choose_access_width(const clsoftmax_problem *problem, const cls_limits *limits)
{
    const uint64_t bytes = cls_limits_tuning(limits)->access_bytes;
    size_t x_size = clsoftmax_dtype_size(problem->logits_dtype), p_size = clsoftmax_dtype_size(problem->results_dtype);
    int has_results = cls_has_results(problem);
    unsigned width = (unsigned)(bytes / (has_results && p_size > x_size ? p_size : x_size));
    const clsoftmax_layout dense = cls_dense_layout(problem);
    int is_aligned = limits->alignment_bytes > 0 && limits->alignment_bytes % bytes == 0 &&
                     begins_at_multiples(problem, &problem->logits_layout, width) &&
                     (!has_results || begins_at_multiples(problem, &problem->results_layout, width)) &&
                     (!has_results || temperatures_begin_at_multiples(problem, width)) &&
                     begins_at_multiples(problem, &dense, width);
    return is_aligned ? width : 1;
}

/* ---------------------------------------------------------------- Work-groups */

/* Returns the most work-items of a group that need so many bytes of local memory each. A quarter of the memory is left,
   since some drivers keep it for themselves. */
static uint64_t most_work_items(const cls_limits *limits, uint64_t bytes_of_item)
{
    uint64_t fitting = limits->local_memory_bytes / 4 * 3 / bytes_of_item;
    return limits->max_work_group_size < fitting ? limits->max_work_group_size : fitting;
}

/* Returns how many logits a work-item holds together with their exponentials at most. Outside of a sweep the
   exponentials take the place of the logits, so that twice as many fit where each is one float. */
static uint64_t most_held_exponentials(const clsoftmax_problem *problem, const cls_tuning *tuning)
{
    return problem->sweep > 0 ? tuning->register_pairs_in_sweep
                              : tuning->register_pairs * 2 / cls_exponential_floats(problem);
}

/* Returns the fewest work-items that hold a row in registers, together with its exponentials if that is possible: more
   rows are in flight then, and barriers are shorter. In a sweep fewer pairs fit, because the logits stay beside them,
   and with accesses of one element the group is smaller, because the compiler keeps the address of each element in
   registers, too. Without exponentials a work-item holds 32 logits, since 16 take as many registers
   (docs/experiments.md, "What NVIDIA's compiler does"). */
static uint64_t items_that_hold_a_row(const clsoftmax_problem *problem, const cls_limits *limits,
                                      const cls_variant *variant, uint64_t limit)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    uint64_t held = most_held_exponentials(problem, tuning), size = tuning->smallest_work_group;
    if (problem->sweep > 0) {
        uint64_t unaligned = tuning->unaligned_sweep_work_group;
        uint64_t most = variant->access_width == 1 && limit > unaligned ? unaligned : limit;
        held = problem->classes <= most * tuning->register_pairs_in_sweep ? tuning->register_pairs_in_sweep
                                                                          : tuning->register_classes;
    }
    while (size * held < problem->classes && size < limit)
        size *= 2;
    return size;
}

/* Chooses the size of the group and what each work-item has of a chunk. may_hold: the whole row may be one chunk. A row
   that no group holds passes through fewer registers of a smaller group, so that more than one group runs on a compute
   unit. */
static void choose_chunks(const clsoftmax_problem *problem, const cls_limits *limits, cls_variant *variant,
                          int may_hold)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    uint64_t limit = most_work_items(limits, LOCAL_TOP_BYTES(variant->terms) +
                                                 LOCAL_SUMS_BYTES(variant->sum_levels, variant->terms));
    variant->access_width = choose_access_width(problem, limits);
    uint64_t size = problem->work_group_size;
    if (size == 0)
        size = items_that_hold_a_row(problem, limits, variant, limit);
    size = cls_power_of_two_at_most(size < limit ? size : limit);
    /* With an operand, which is read in the loops over a chunk, more logits than pass through are not held: the loops
       become too long to be unrolled, and the registers an array in memory. */
    const uint64_t most_held = cls_has_operand(problem) ? tuning->passing_classes : tuning->register_classes;
    variant->row_in_registers = may_hold && problem->classes <= size * most_held;
    if (!variant->row_in_registers && problem->work_group_size == 0 && size > tuning->passing_work_group)
        size = cls_power_of_two_at_most(tuning->passing_work_group);
    /* A sweep goes from 8 logits to 32: 16 with their exponentials spill, and alone 32 take as many registers as 16. */
    uint64_t held = tuning->passing_classes;
    while (variant->row_in_registers && problem->classes > size * held)
        held *= problem->sweep > 0 ? 4 : 2;
    variant->accesses = (unsigned)held / variant->access_width;
    variant->work_group_size = (unsigned)size;
    variant->pairs_in_registers = variant->row_in_registers && cls_is_made_of_exponentials(problem) &&
                                  held <= most_held_exponentials(problem, tuning);
}

static uint64_t rows_global_size(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer)
{
    return outer * problem->inner * decision->parts * decision->variant.work_group_size;
}

/* ---------------------------------------------------------------- group */

static int suits_group(const clsoftmax_problem *problem, const cls_limits *limits)
{
    (void)problem, (void)limits;
    return 1;
}

static void choose_group(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    choose_chunks(problem, limits, &decision->variant, 1);
}

static const cls_kernels *group_kernels(const cls_variant *variant)
{
    static const cls_kernels group = {"strategies/group.cl", {"row_group"}, 1};
    (void)variant;
    return &group;
}

const cls_strategy cls_strategy_group = {.devices = CLS_ON_OPENCL,
                                         .suits = suits_group,
                                         .choose = choose_group,
                                         .global_size = rows_global_size,
                                         .kernels = group_kernels};

/* ---------------------------------------------------------------- split */

/* Returns 1 if rows should be split. FlashInfer splits rows of 24,576 classes and more, for up to 128 rows, on devices
   of 132 compute units. Counted for our kernels, one work-group takes as long for 24,576 classes as three kernels take
   to start. Beyond 65,536 classes the registers and the local memory of one work-group cannot hold a row (Liger raises
   an error there; QuACK joins work-groups to clusters). See docs/experiments.md, "Where `split` begins". */
static int suits_split(const clsoftmax_problem *problem, const cls_limits *limits)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    if (problem->inner > 1 || problem->logits_layout.class_stride != 1)
        return 0;
    return problem->classes > tuning->one_group_classes ||
           (problem->outer < limits->compute_units && problem->classes >= tuning->few_rows_classes);
}

/* Returns the rows of a launch. Their logits take half of the cache, so that the second and the third read find them
   there. Each compute unit has at least launch_bytes_per_unit to do, however small the cache is, because three kernels
   take microseconds to start. (NVIDIA's driver is said to answer with 32 KiB a unit, not with the cache that the units
   share, which has 50 MB on an H200.) */
static uint64_t split_rows_in_flight(const clsoftmax_problem *problem, const cls_limits *limits)
{
    uint64_t least = limits->compute_units * cls_limits_tuning(limits)->launch_bytes_per_unit;
    uint64_t bytes = limits->cache_bytes / 2;
    uint64_t rows = (bytes > least ? bytes : least) / (problem->classes * clsoftmax_dtype_size(problem->logits_dtype));
    return rows > 0 ? rows : 1;
}

/* Returns as many parts of a row as keep all compute units busy; none of them is empty. */
static uint32_t choose_parts(const clsoftmax_problem *problem, const cls_limits *limits, const cls_variant *variant)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    uint64_t rows = cls_problem_rows(problem), in_flight = split_rows_in_flight(problem, limits);
    if (rows == 0)
        return 1;
    rows = in_flight < rows ? in_flight : rows;
    uint64_t chunk = (uint64_t)variant->work_group_size * variant->accesses * variant->access_width;
    uint64_t chunks = (problem->classes + chunk - 1) / chunk;
    uint64_t parts = (tuning->groups_per_unit * limits->compute_units + rows - 1) / rows;
    parts = parts < chunks ? parts : chunks;
    parts = parts < tuning->most_parts ? parts : tuning->most_parts;
    return parts > 0 ? (uint32_t)parts : 1;
}

static void choose_split(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    choose_chunks(problem, limits, &decision->variant, 0);
    decision->parts = choose_parts(problem, limits, &decision->variant);
}

static const cls_kernels *split_kernels(const cls_variant *variant)
{
    static const cls_kernels split = {
        "strategies/split.cl", {"row_split_top", "row_split_sums", "row_split_results"}, 3};
    static const cls_kernels with_later = {
        "strategies/split.cl", {"row_split_top", "row_split_sums", "row_split_later", "row_split_results"}, 4};
    return TERMS_LATER(variant->terms) ? &with_later : &split;
}

const cls_strategy cls_strategy_split = {.devices = CLS_ON_OPENCL,
                                         .suits = suits_split,
                                         .choose = choose_split,
                                         .global_size = rows_global_size,
                                         .rows_in_flight = split_rows_in_flight,
                                         .kernels = split_kernels,
                                         .has_parts = 1};

/* ---------------------------------------------------------------- plain */

static void choose_plain(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    cls_variant *variant = &decision->variant;
    uint64_t limit = most_work_items(limits, LOCAL_PLAIN_BYTES(variant->terms));
    uint64_t size = problem->work_group_size ? problem->work_group_size : cls_limits_tuning(limits)->passing_work_group;
    variant->work_group_size = cls_power_of_two_at_most(size < limit ? size : limit);
}

static const cls_kernels *plain_kernels(const cls_variant *variant)
{
    static const cls_kernels plain = {"strategies/plain.cl", {"row_plain"}, 1};
    (void)variant;
    return &plain;
}

const cls_strategy cls_strategy_plain = {
    .devices = CLS_ON_OPENCL, .choose = choose_plain, .global_size = rows_global_size, .kernels = plain_kernels};
