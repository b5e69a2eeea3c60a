#include "plan.h"

#include "core/numeric_core.h"
#include "problem.h"
#include "status.h"

#include <stdio.h>
#include <string.h>

/* Vectors need neighbours: classes for `item`, columns for `column`; rows that stand evenly for `lane`; in a tile of host memory
   too, which is dense and has the same kernel. */
static unsigned choose_vector_width(const clsoftmax_problem *problem, const cls_limits *limits,
                                    const cls_variant *variant)
{
    const clsoftmax_layout *x = &problem->logits_layout, *p = &problem->results_layout;
    clsoftmax_strategy strategy = variant->strategy;
    if (variant->temperatures == CLS_TEMPERATURES_ON_LANES)
        return limits->vector_width;
    int neighbours = strategy == CLSOFTMAX_STRATEGY_ITEM
                         ? x->class_stride == 1 && p->class_stride == 1 && problem->inner == 1
                     : strategy == CLSOFTMAX_STRATEGY_COLUMN ? x->inner_stride == 1 && p->inner_stride == 1
                     : strategy == CLSOFTMAX_STRATEGY_LANE   ? problem->inner == 1
                                                             : 0;
    return neighbours ? limits->vector_width : 1;
}

static uint32_t power_of_two_at_most(uint64_t value)
{
    uint32_t power = 1;
    while (power <= (UINT32_MAX >> 1) && (uint64_t)power * 2 <= value)
        power *= 2;
    return power;
}

/* Runtimes are known that refuse more work-items in one launch. */
#define MOST_WORK_ITEMS ((uint64_t)1 << 31)

/* Of a sweep, in one launch: kernels count them in 32 bits; beyond, a launch has more than enough to do. */
#define MOST_TEMPERATURES ((uint64_t)1 << 20)

/* ---------------------------------------------------------------- Work-groups that go through chunks */

/* Bytes of an access: what a GPU's load takes at most. */
#define ACCESS_BYTES 16

/* Registers for the logits of a work-item: 32 beside some 30 for the core are the 64 that each of 1,024 work-items has on a unit
   of 65,536. With 16 there is room for their exponentials, two registers each (kernels/row_chunks.h). Rows that no group holds pass
   through 8 by smaller groups, of which more than one runs on a unit. */
#define MOST_LANES 32
#define LANES_WITH_EXPONENTIALS 16
#define FEWEST_LANES 8 /* of 16 bits, an access; in a sweep, whose logits stay, those with exponentials */
#define PASSING_WORK_GROUP 256

static int begins_at_multiples(const clsoftmax_problem *problem, const clsoftmax_layout *layout, unsigned width)
{
    return layout->class_stride == 1 && layout->offset % width == 0 &&
           (problem->outer == 1 || layout->outer_stride % width == 0) &&
           (problem->inner == 1 || layout->inner_stride % width == 0);
}

/* The results of each temperature of a sweep, in both layouts likewise. */
static int temperatures_begin_at_multiples(const clsoftmax_problem *problem, unsigned width)
{
    return problem->sweep <= 1 ||
           (problem->sweep_stride % width == 0 && problem->classes * problem->inner % width == 0);
}

/* As many elements as an access takes of the larger type, if every row of both arrays begins at a multiple of it, in the caller's
   layout and in the dense one of a tile of host memory, which the same kernel serves; else 1. */
static unsigned choose_access_width(const clsoftmax_problem *problem, const cls_limits *limits)
{
    size_t x_size = clsoftmax_dtype_size(problem->logits_dtype), p_size = clsoftmax_dtype_size(problem->results_dtype);
    int has_results = problem->operation != CLSOFTMAX_OPERATION_NONE;
    unsigned width = ACCESS_BYTES / (unsigned)(has_results && p_size > x_size ? p_size : x_size);
    const clsoftmax_layout dense = {0, problem->classes * problem->inner, problem->inner, 1};
    int is_aligned = limits->alignment_bytes > 0 && limits->alignment_bytes % ACCESS_BYTES == 0 &&
                     begins_at_multiples(problem, &problem->logits_layout, width) &&
                     (!has_results || begins_at_multiples(problem, &problem->results_layout, width)) &&
                     (!has_results || temperatures_begin_at_multiples(problem, width)) &&
                     begins_at_multiples(problem, &dense, width);
    return is_aligned ? width : 1;
}

/* Local memory of a work-item: local_top and local_sums of kernels/row_chunks.h. */
static unsigned local_bytes(const cls_variant *variant)
{
    return variant->statistics ? 16 + 2 * 8 * variant->sum_levels : 4 + 8 * variant->sum_levels;
}

/* Work-items that hold a row in registers, as few as do: with the exponentials if they can, since more rows are in flight then and barriers
   are shorter. In a sweep the logits stay, too, and in accesses of one element each has an address; without exponentials 16 lanes take as
   many registers as 32 (ptxas). */
static uint64_t items_that_hold_a_row(const clsoftmax_problem *problem, const cls_variant *variant, uint64_t limit)
{
    uint64_t lanes = LANES_WITH_EXPONENTIALS, size = 64; /* AMD's wavefront, two of NVIDIA's warps */
    if (problem->sweep > 0) {
        uint64_t most = variant->access_width == 1 && limit > 512 ? 512 : limit;
        lanes = problem->classes <= most * FEWEST_LANES ? FEWEST_LANES : MOST_LANES;
    }
    while (size * lanes < problem->classes && size < limit)
        size *= 2;
    return size;
}

static void choose_chunks(const clsoftmax_problem *problem, const cls_limits *limits, cls_variant *variant)
{
    uint64_t fitting = limits->local_memory_bytes / 4 * 3 / local_bytes(variant); /* some drivers keep a part */
    uint64_t limit = limits->max_work_group_size < fitting ? limits->max_work_group_size : fitting;
    variant->access_width = choose_access_width(problem, limits);
    uint64_t size = problem->work_group_size;
    if (size == 0)
        size = items_that_hold_a_row(problem, variant, limit);
    size = power_of_two_at_most(size < limit ? size : limit);
    variant->row_is_kept = variant->strategy == CLSOFTMAX_STRATEGY_GROUP && problem->classes <= size * MOST_LANES;
    if (!variant->row_is_kept && problem->work_group_size == 0 && size > PASSING_WORK_GROUP)
        size = PASSING_WORK_GROUP;
    uint64_t lanes = FEWEST_LANES;
    while (variant->row_is_kept && problem->classes > size * lanes)
        lanes *= problem->sweep > 0 ? 4 : 2;
    variant->row_vectors = (unsigned)lanes / variant->access_width;
    variant->work_group_size = (unsigned)size;
}

/* ---------------------------------------------------------------- Parts of rows */

/* Work-groups of 256 that a unit of 65,536 registers runs at a time, at 40 each. */
#define GROUPS_PER_UNIT 6
/* What a unit should have to do in a launch, however small the cache: NVIDIA's driver is said to answer with 32 KiB a unit, not with the
   cache that the units share (50 MB of an H200), and three kernels take microseconds to start. */
#define LAUNCH_BYTES_PER_UNIT (128 << 10)
#define MOST_PARTS 256        /* each work-group merges those of its row */
#define PART_BYTES 72         /* split_part, kernels/row_split.cl */
#define SPLIT_TEMPERATURES 32 /* of a sweep, at once: each part has its sums at each */

/* Rows of `split` in one launch: their logits take half of the cache, so that the second and third read find them there. */
static uint64_t rows_in_flight(const clsoftmax_problem *problem, const cls_limits *limits)
{
    uint64_t least = (uint64_t)limits->compute_units * LAUNCH_BYTES_PER_UNIT, bytes = limits->cache_bytes / 2;
    uint64_t rows = (bytes > least ? bytes : least) / (problem->classes * clsoftmax_dtype_size(problem->logits_dtype));
    return rows > 0 ? rows : 1;
}

/* As many as keep all units busy, and no part empty. */
static uint32_t choose_parts(const clsoftmax_problem *problem, const cls_limits *limits, const cls_variant *variant)
{
    uint64_t rows = cls_problem_rows(problem);
    if (variant->strategy != CLSOFTMAX_STRATEGY_SPLIT || rows == 0)
        return 1;
    uint64_t in_flight = rows_in_flight(problem, limits);
    rows = in_flight < rows ? in_flight : rows;
    uint64_t chunk = (uint64_t)variant->work_group_size * variant->row_vectors * variant->access_width;
    uint64_t chunks = (problem->classes + chunk - 1) / chunk;
    uint64_t parts = (GROUPS_PER_UNIT * (uint64_t)limits->compute_units + rows - 1) / rows;
    parts = parts < chunks ? parts : chunks;
    parts = parts < MOST_PARTS ? parts : MOST_PARTS;
    return parts > 0 ? (uint32_t)parts : 1;
}

uint64_t cls_scratch_bytes(const clsoftmax_problem *problem, const cls_decision *decision)
{
    if (decision->variant.strategy != CLSOFTMAX_STRATEGY_SPLIT)
        return 0;
    uint64_t outer = problem->outer < decision->launch_outer ? problem->outer : decision->launch_outer;
    uint64_t rows = outer * problem->inner, pieces = cls_tile_pieces(problem, &decision->copied);
    return (rows > pieces ? rows : pieces) * decision->parts * decision->launch_temperatures * PART_BYTES;
}

/* ---------------------------------------------------------------- Work-groups of rows */

/* A size within the limit; a power of two. Vectors of `lane` are kept in private memory, of which each work-item of a group has its own:
   one that takes many of them stays in the first-level cache, sixteen do not. */
static uint32_t choose_work_group_size(const clsoftmax_problem *problem, const cls_limits *limits,
                                       const cls_variant *variant)
{
    uint32_t size = problem->work_group_size;
    int alone = problem->classes >= 256 || (variant->strategy == CLSOFTMAX_STRATEGY_LANE && variant->vector_width > 1);
    if (size == 0 && limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU)
        size = alone ? 1 : 16; /* short rows: more rows for the price of one dispatch */
    if (size == 0)
        size = problem->classes >= 1024 ? 256 : 64;
    uint32_t limit = limits->max_work_group_size > 0 ? limits->max_work_group_size : 1;
    return power_of_two_at_most(size < limit ? size : limit);
}

/* Room of `lane`, in private memory since it is a work-item's, for rows that it transposes: little, since the first-level cache holds few
   arrays of more. And vectors of rows abreast: in rows of few classes what is done once a row is a chain of operations that wait for each
   other. Longer rows have enough of others. Measured: docs/kernels.md. */
static void choose_lane_room(const clsoftmax_problem *problem, cls_variant *variant)
{
    unsigned room = cls_lane_room(problem);
    variant->row_vectors = 1;
    if (variant->vector_width == 1 || room == 0)
        return;
    variant->row_is_kept = 1;
    variant->row_vectors = problem->classes <= 8 ? 2 : 1;
    variant->kept_classes = room / variant->row_vectors;
}

/* ---------------------------------------------------------------- Rows that are kept by a work-item */

/* Fewer are not worth a variant of their own. */
#define LEAST_ROOM 256

/* Vectors of columns that a work-item takes abreast: four lines of a cache are next to each other in both arrays then. Measured:
   docs/kernels.md. */
#define MOST_COLUMN_VECTORS 4
/* Work-items of a unit, below which fewer vectors abreast keep all units busy. */
#define ITEMS_PER_UNIT 4

/* A room for each vector, a second if a sweep needs the logits again, and one for the smaller halves of one vector's exponentials. All of
   the local memory may go: what is not there is read three times instead. */
static unsigned choose_column_vectors(const clsoftmax_problem *problem, const cls_limits *limits,
                                      const cls_variant *variant, uint64_t room)
{
    uint64_t width = variant->vector_width, rooms = problem->sweep > 0 ? 2 : 1;
    uint64_t fitting = limits->local_memory_bytes / (room * width * sizeof(float)), vectors = MOST_COLUMN_VECTORS;
    while (vectors > 0 && vectors * rooms + 1 > fitting)
        vectors--;
    while (vectors > 1 && problem->outer * ((problem->inner - 1) / (width * vectors) + 1) <
                              (uint64_t)ITEMS_PER_UNIT * limits->compute_units)
        vectors--;
    return (unsigned)vectors;
}

/* Room in local memory for the exponentials of a row, two floats each, or for columns: a power of two, so that few variants are built; 0 if
   there is no vector or no room. Of rows two thirds, since a CPU's local memory is a cache, and the row is in it too. */
static void choose_kept(const clsoftmax_problem *problem, const cls_limits *limits, cls_variant *variant)
{
    uint64_t room = LEAST_ROOM;
    while (room < problem->classes)
        room *= 2;
    if (variant->vector_width == 1 || problem->operation != CLSOFTMAX_OPERATION_SOFTMAX || problem->work_group_size > 1)
        return;
    int is_kept = 0;
    if (variant->strategy == CLSOFTMAX_STRATEGY_ITEM)
        is_kept = room * 2 * sizeof(float) <= limits->local_memory_bytes / 3 * 2;
    if (variant->strategy == CLSOFTMAX_STRATEGY_COLUMN) {
        variant->row_vectors = choose_column_vectors(problem, limits, variant, room);
        is_kept = variant->row_vectors > 0;
    }
    if (!is_kept)
        return;
    variant->kept_classes = (unsigned)room;
    variant->work_group_size = 1; /* local memory is a work-group's */
}

/* Elements that a work-item takes at least, in rows or vectors of rows one after another, if it keeps them: large beside the start of a
   work-group, small beside a matrix. */
#define SHARE_ELEMENTS 16384

uint64_t cls_global_size(const clsoftmax_problem *problem, const cls_decision *decision, uint64_t outer)
{
    const cls_variant *variant = &decision->variant;
    uint64_t size = variant->work_group_size, width = variant->vector_width, rows = outer * problem->inner;
    uint64_t items = rows;
    if (variant->strategy == CLSOFTMAX_STRATEGY_COLUMN && variant->temperatures != CLS_TEMPERATURES_ON_LANES) {
        uint64_t columns = variant->kept_classes ? width * variant->row_vectors : width;
        items = outer * ((problem->inner + columns - 1) / columns);
    }
    if (variant->strategy == CLSOFTMAX_STRATEGY_LANE) {
        width *= variant->row_vectors;
        items = (rows + width - 1) / width;
    }
    int lanes = variant->strategy == CLSOFTMAX_STRATEGY_LANE && width > 1;
    if (lanes || (variant->strategy == CLSOFTMAX_STRATEGY_ITEM && variant->kept_classes)) {
        uint64_t share = (SHARE_ELEMENTS - 1) / (problem->classes * (lanes ? width : 1)) + 1;
        items = (items + share - 1) / share;
    }
    return cls_strategy_has_chunks(variant->strategy) ? items * decision->parts * size
                                                      : (items + size - 1) / size * size;
}

/* As many outer indices as one launch takes. */
static clsoftmax_status choose_launch(const clsoftmax_problem *problem, const cls_limits *limits,
                                      cls_decision *decision)
{
    int has_scratch = decision->variant.strategy == CLSOFTMAX_STRATEGY_SPLIT;
    uint64_t temperatures = cls_problem_temperatures(problem),
             most = has_scratch ? SPLIT_TEMPERATURES : MOST_TEMPERATURES;
    decision->launch_temperatures = temperatures < most ? temperatures : most;
    decision->launch_outer = 0;
    if (cls_problem_rows(problem) == 0)
        return CLSOFTMAX_OK;
    decision->launch_outer = MOST_WORK_ITEMS / cls_global_size(problem, decision, 1);
    CLS_FAIL_IF(decision->launch_outer == 0, CLSOFTMAX_UNSUPPORTED, "%llu columns are too many for one launch",
                (unsigned long long)problem->inner);
    uint64_t in_flight = rows_in_flight(problem, limits) / problem->inner;
    if (has_scratch && in_flight < decision->launch_outer)
        decision->launch_outer = in_flight > 0 ? in_flight : 1;
    return CLSOFTMAX_OK;
}

static void describe_problem(const clsoftmax_problem *problem, cls_variant *variant)
{
    memset(variant, 0, sizeof *variant);
    variant->operation = problem->operation;
    variant->logits_dtype = problem->logits_dtype;
    variant->results_dtype = problem->operation == CLSOFTMAX_OPERATION_NONE ? CLSOFTMAX_F32 : problem->results_dtype;
    variant->temperatures = problem->sweep > 0             ? CLS_TEMPERATURES_SWEEP
                            : problem->temperature_per_row ? CLS_TEMPERATURES_PER_ROW
                                                           : CLS_TEMPERATURES_ONE;
    variant->statistics = problem->statistics != 0;
    variant->ties =
        problem->neg_inf_rows == CLSOFTMAX_NEG_INF_ROWS_UNIFORM || problem->pos_inf == CLSOFTMAX_POS_INF_LIMIT;
    variant->sum_levels = problem->classes > CORE_TWO_LEVEL_CLASSES ? 3 : 2;
}

clsoftmax_status cls_decide(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    CLS_FAIL_IF(!cls_strategy_supported(limits->type, problem->strategy), CLSOFTMAX_UNSUPPORTED,
                "strategy \"%s\" does not run on this device", clsoftmax_strategy_name(problem->strategy));
    memset(decision, 0, sizeof *decision);
    decision->reason = "asked for by name";
    cls_variant *variant = &decision->variant;
    describe_problem(problem, variant);
    variant->strategy = problem->strategy;
    if (problem->strategy == CLSOFTMAX_STRATEGY_AUTO) {
        variant->strategy = cls_choose_strategy(problem, limits);
        decision->reason = clsoftmax_strategy_rule(variant->strategy);
        if (!cls_is_native(limits->type) && cls_row_is_too_long(problem, limits)) {
            variant->strategy = CLSOFTMAX_STRATEGY_SPLIT;
            decision->reason = "a row is too long for the device: it goes through three kernels in pieces";
        }
    }
    if (cls_is_native(limits->type)) {
        variant->vector_width = 1;
        variant->work_group_size = 1;
        decision->launch_outer = problem->outer;
        decision->launch_temperatures = cls_problem_temperatures(problem);
        decision->parts = 1;
        return CLSOFTMAX_OK;
    }
    CLS_FAIL_IF(problem->classes > UINT32_MAX && cls_problem_rows(problem) > 0, CLSOFTMAX_UNSUPPORTED,
                "rows of more than 2^32 classes need device \"cpu\"");
    if (variant->strategy == CLSOFTMAX_STRATEGY_COLUMN && cls_may_have_temperatures_on_lanes(problem))
        variant->temperatures = CLS_TEMPERATURES_ON_LANES;
    variant->vector_width = choose_vector_width(problem, limits, variant);
    if (cls_strategy_has_chunks(variant->strategy))
        choose_chunks(problem, limits, variant);
    else
        variant->work_group_size = choose_work_group_size(problem, limits, variant);
    if (variant->strategy == CLSOFTMAX_STRATEGY_LANE)
        choose_lane_room(problem, variant);
    choose_kept(problem, limits, variant);
    decision->parts = choose_parts(problem, limits, variant);
    CLS_FORWARD(choose_launch(problem, limits, decision));
    cls_choose_tiles(problem, limits, decision);
    return CLSOFTMAX_OK;
}

void cls_variant_defines(const cls_variant *variant, char *text, size_t size)
{
    int length = snprintf(text, size, "/* %s */\n", clsoftmax_strategy_name(variant->strategy));
#define CLS_VARIANT_DEFINE(name, field)                                                                                \
    if (length >= 0 && (size_t)length < size)                                                                          \
        length += snprintf(text + length, size - (size_t)length, "#define %s %u\n", #name, variant->field);
    CLS_VARIANT_FIELDS(CLS_VARIANT_DEFINE)
#undef CLS_VARIANT_DEFINE
}

void cls_variant_label(const cls_variant *variant, char *text, size_t size)
{
    static const char *const temperatures[] = {"", ":temperature per row", ":sweep", ":sweep on lanes"};
    char chunks[64] = "", kept[64] = "", abreast[64] = "";
    if (variant->kept_classes)
        snprintf(kept, sizeof kept, ":up to %u kept", variant->kept_classes);
    if (variant->row_vectors && cls_strategy_has_lanes(variant->strategy))
        snprintf(abreast, sizeof abreast, ":%u vector%s abreast", variant->row_vectors,
                 variant->row_vectors == 1 ? "" : "s");
    if (variant->access_width)
        snprintf(chunks, sizeof chunks, ":%u x %u %s", variant->row_vectors, variant->access_width,
                 variant->row_is_kept ? "kept" : "at a time");
    snprintf(text, size, "%s%s:%s:%s->%s%s%s:width %u:work-group %u%s%s%s:levels %u",
             clsoftmax_operation_name((clsoftmax_operation)variant->operation),
             variant->statistics ? "+statistics" : "", clsoftmax_strategy_name(variant->strategy),
             clsoftmax_dtype_name((clsoftmax_dtype)variant->logits_dtype),
             clsoftmax_dtype_name((clsoftmax_dtype)variant->results_dtype), temperatures[variant->temperatures],
             variant->ties ? ":ties" : "", variant->vector_width, variant->work_group_size, chunks, kept, abreast,
             variant->sum_levels);
}
