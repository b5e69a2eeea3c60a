/* Planning of shapes, strides and limits of any size: a problem that is accepted must be planned within the limits,
   twice the same, and its tiles must cover it once. */
#include "fuzz.h"
#include "plan/plan.h"
#include "problem.h"

static clsoftmax_layout read_layout(fuzz_bytes *bytes)
{
    clsoftmax_layout layout = {0};
    size_t size = fuzz_number(bytes, 1) % 9;
    layout.offset = fuzz_number(bytes, size);
    layout.outer_stride = fuzz_number(bytes, size);
    layout.class_stride = fuzz_number(bytes, size);
    layout.inner_stride = fuzz_number(bytes, size);
    return layout;
}

static clsoftmax_problem read_problem(fuzz_bytes *bytes)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    size_t size = fuzz_number(bytes, 1) % 9;
    problem.outer = fuzz_number(bytes, size);
    problem.classes = fuzz_number(bytes, size);
    problem.inner = fuzz_number(bytes, size);
    problem.operation = (clsoftmax_operation)fuzz_number(bytes, 1);
    problem.logits_dtype = (clsoftmax_dtype)fuzz_number(bytes, 1);
    problem.results_dtype = (clsoftmax_dtype)fuzz_number(bytes, 1);
    problem.strategy = (clsoftmax_strategy)fuzz_number(bytes, 1);
    problem.temperature_per_row = (int)fuzz_number(bytes, 1) & 1;
    problem.statistics = (int)fuzz_number(bytes, 1) & 1;
    problem.work_group_size = (uint32_t)fuzz_number(bytes, 2);
    problem.tile_outer = fuzz_number(bytes, 4);
    problem.logits_layout = read_layout(bytes);
    problem.results_layout = read_layout(bytes);
    size = fuzz_number(bytes, 1) % 9;
    problem.sweep = fuzz_number(bytes, size);
    problem.sweep_stride = fuzz_number(bytes, size);
    return problem;
}

/* Reads the limits of a device that is odd, but within the law. */
static cls_limits read_limits(fuzz_bytes *bytes)
{
    static const clsoftmax_device_type types[] = {CLSOFTMAX_DEVICE_CPU, CLSOFTMAX_DEVICE_OPENCL_CPU,
                                                  CLSOFTMAX_DEVICE_GPU, CLSOFTMAX_DEVICE_ACCELERATOR};
    cls_limits limits = {0};
    limits.type = types[fuzz_number(bytes, 1) % 4];
    limits.compute_units = 1 + (unsigned)fuzz_number(bytes, 2);
    limits.vector_width = 1u << fuzz_number(bytes, 1) % 5;
    limits.max_work_group_size = 1 + (uint32_t)fuzz_number(bytes, 2);
    limits.local_memory_bytes = 1024 + fuzz_number(bytes, 3);
    limits.max_allocation_bytes = 1 + fuzz_number(bytes, 5);
    limits.global_memory_bytes = limits.max_allocation_bytes + fuzz_number(bytes, 5);
    limits.alignment_bytes = (uint64_t)1 << fuzz_number(bytes, 1) % 12;
    limits.cache_bytes = fuzz_number(bytes, 4);
    return limits;
}

/* Checks that tiles are within the problem, and that those of each pass are together as large as it is. */
static void check_tiles(const clsoftmax_problem *problem, const cls_tiles *tiles)
{
    enum { MOST_TILES = 1000 };
    uint64_t temperatures = cls_problem_temperatures(problem), begins = 0, ends = 0;
    if (tiles->outer == 0 || problem->outer > UINT32_MAX || problem->inner > UINT32_MAX ||
        problem->classes > UINT32_MAX || cls_tile_count(problem, tiles) > MOST_TILES)
        return;
    unsigned __int128 sum = 0, all = problem->outer;
    for (uint64_t i = 0; i < cls_tile_count(problem, tiles); i++) {
        cls_tile tile = cls_tile_at(problem, tiles, i);
        FUZZ_CHECK(tile.outer > 0 && tile.inner > 0 && tile.classes > 0 && tile.temperatures > 0);
        FUZZ_CHECK(tile.first_outer + tile.outer <= problem->outer && tile.first_inner + tile.inner <= problem->inner);
        FUZZ_CHECK(tile.first_class + tile.classes <= problem->classes);
        FUZZ_CHECK(tile.first_temperature + tile.temperatures <= temperatures);
        begins += tile.piece == 0 && tile.pass == 0;
        ends += tile.is_end_of_rows != 0;
        if (tile.gives_results)
            sum += (unsigned __int128)tile.outer * tile.inner * tile.classes * tile.temperatures;
    }
    FUZZ_CHECK(sum == all * problem->inner * problem->classes * temperatures && begins == ends);
}

static void check_decision(const clsoftmax_problem *problem, const cls_limits *limits)
{
    cls_decision decision, again;
    memset(&decision, 0, sizeof decision);
    memset(&again, 0, sizeof again);
    if (cls_decide(problem, limits, &decision) != CLSOFTMAX_OK)
        return;
    FUZZ_CHECK(cls_decide(problem, limits, &again) == CLSOFTMAX_OK);
    FUZZ_CHECK(memcmp(&decision, &again, sizeof again) == 0);
    const cls_variant *v = &decision.variant;
    FUZZ_CHECK(v->work_group_size >= 1 && v->work_group_size <= limits->max_work_group_size);
    FUZZ_CHECK((v->work_group_size & (v->work_group_size - 1)) == 0);
    FUZZ_CHECK(decision.copied.outer <= problem->outer && decision.copied.inner <= problem->inner &&
               decision.copied.classes <= problem->classes);
    uint64_t temperatures = cls_problem_temperatures(problem);
    FUZZ_CHECK(decision.launch_temperatures >= 1 && decision.launch_temperatures <= temperatures);
    FUZZ_CHECK(decision.copied.temperatures <= decision.launch_temperatures);
    check_tiles(problem, &decision.copied);
    check_tiles(problem, &decision.shared);
    char text[200];
    cls_variant_label(v, text, sizeof text);
    FUZZ_CHECK(strlen(text) < sizeof text - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes bytes = {data, data + size};
    clsoftmax_problem problem = read_problem(&bytes), checked;
    cls_limits limits = read_limits(&bytes);
    if (cls_problem_check(&problem, &checked) == CLSOFTMAX_OK)
        check_decision(&checked, &limits);
    return 0;
}
