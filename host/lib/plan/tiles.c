/*
 * Tiles: how a call on host memory goes over an OpenCL device, whose memory may be smaller than the arrays. Used by
 * plan.c, which chooses their size, and by opencl/opencl_tiles.c and its neighbours, which go through them
 * (docs/host-memory.md).
 */
#include "plan.h"

#include "../array.h"
#include "../problem.h"
#include "core/interface.h"
#include "strategy.h"

#include <stdio.h>

/* Tiles of which a call has buffers: one is uploaded, one computed, one downloaded. */
#define TILES_UNDER_WAY 3

/* Returns the bytes of the largest element of a class. */
static uint64_t element_bytes(const clsoftmax_problem *problem)
{
    uint64_t largest = 0;
    CLS_FOR_ARRAYS(array)
        if (cls_array_layout(problem, array))
            largest = cls_larger(largest, cls_array_element_bytes(problem, array));
    return largest;
}

/* Returns the bytes of a dense array for so many rows at so many temperatures; 0 if the problem does not have the
   array. */
static uint64_t dense_bytes(const clsoftmax_problem *problem, cls_array array, uint64_t rows, uint64_t temperatures)
{
    cls_extent extent = cls_array_extent(problem, array);
    return !cls_array_is_wanted(problem, array)
               ? 0
               : (extent.rows ? rows : 1) * (extent.classes ? problem->classes : 1) *
                     (extent.temperatures ? temperatures : 1) * cls_array_element_bytes(problem, array);
}

/* Returns the bytes of the largest array for so many rows at so many temperatures. For rows of one or two classes that
   is the statistics. */
static uint64_t rows_bytes(const clsoftmax_problem *problem, uint64_t rows, uint64_t temperatures)
{
    uint64_t largest = 0;
    CLS_FOR_ARRAYS(array)
        largest = cls_larger(largest, dense_bytes(problem, array, rows, temperatures));
    return largest;
}

/* ---------------------------------------------------------------- Shared */

/* Returns the number of outer indices whose elements of an array with a layout one buffer of so many bytes can span. */
static uint64_t spanned_outer(const clsoftmax_problem *problem, cls_array array, uint64_t bytes)
{
    const clsoftmax_layout *layout = cls_array_layout(problem, array);
    clsoftmax_problem one = *problem;
    one.outer = 1;
    clsoftmax_layout from_first = *layout;
    from_first.offset = 0;
    uint64_t most = bytes / cls_array_element_bytes(problem, array), span = cls_layout_span(&one, &from_first, 1);
    if (span > most)
        return 0;
    return layout->outer_stride == 0 ? problem->outer
                                     : cls_smaller(problem->outer, (most - span) / layout->outer_stride + 1);
}

/* Returns 1 if kernels may write the caller's results where they stand. Other devices than CPUs must not if there are
   gaps: a driver may copy after all, and would write into the gaps what they held before the call. */
static int results_may_be_shared(const clsoftmax_problem *problem, const cls_limits *limits)
{
    return limits->type == CLSOFTMAX_DEVICE_OPENCL_CPU || !cls_has_results(problem) ||
           cls_array_span(problem, CLS_RESULTS) - problem->results_layout.offset ==
               cls_problem_rows(problem) * problem->classes * cls_problem_temperatures(problem);
}

/* Returns the outer indices of a shared tile; 0 if the arrays cannot be shared. */
static uint64_t shared_outer(const clsoftmax_problem *problem, const cls_limits *limits)
{
    if (!limits->shares_memory || !results_may_be_shared(problem, limits))
        return 0;
    uint64_t most = limits->max_allocation_bytes, of_records = problem->inner * sizeof(clsoftmax_statistics);
    if (problem->sweep > 0) { /* all rows or none, since one buffer holds the results at all temperatures */
        uint64_t largest = 0;
        CLS_FOR_ARRAYS(array)
            largest = cls_larger(largest, cls_array_bytes(problem, array));
        return largest <= most ? problem->outer : 0;
    }
    uint64_t outer = most / of_records;
    CLS_FOR_ARRAYS(array)
        if (cls_array_layout(problem, array))
            outer = cls_smaller(outer, spanned_outer(problem, array, most));
    return outer;
}

/* ---------------------------------------------------------------- Copied */

/* Returns the bytes that a buffer of a copied tile can have, if all of them take four fifths of the memory. */
static uint64_t fitting_bytes(const clsoftmax_problem *problem, const cls_limits *limits)
{
    const uint64_t buffers = TILES_UNDER_WAY * (cls_takes_operand(problem) ? 3 : 2);
    return cls_smaller(limits->max_allocation_bytes, limits->global_memory_bytes / 5 * 4 / buffers);
}

/* Returns the bytes that the largest array of a copied tile should have: few beside the matrix, because nothing hides
   the first upload and the last download, and many beside the start of a transfer and a kernel. */
static uint64_t wanted_bytes(const clsoftmax_problem *problem, const cls_limits *limits)
{
    const cls_tuning *tuning = cls_limits_tuning(limits);
    uint64_t all = rows_bytes(problem, cls_problem_rows(problem), cls_problem_temperatures(problem));
    uint64_t share = all / tuning->tiles_of_a_matrix;
    return cls_smaller(cls_smaller(cls_larger(share, tuning->fewest_tile_bytes), tuning->most_tile_bytes),
                       fitting_bytes(problem, limits));
}

/* Returns how many outer indices, or columns, of so many bytes are wanted in a tile: at least one if it fits, otherwise
   0. */
static uint64_t units(uint64_t bytes, uint64_t wanted, uint64_t fitting)
{
    return bytes > fitting ? 0 : cls_larger(wanted / bytes, 1);
}

/* Returns tiles of whole outer indices if one fits, or else of whole columns, or else, for strategies with parts,
   pieces of one row. */
static cls_tiles copied_tiles(const clsoftmax_problem *problem, const cls_limits *limits, int has_parts,
                              uint64_t temperatures)
{
    uint64_t wanted = wanted_bytes(problem, limits), fitting = fitting_bytes(problem, limits);
    while (temperatures > 1 && rows_bytes(problem, 1, temperatures) > fitting)
        temperatures /= 2;
    cls_tiles tiles = {units(rows_bytes(problem, problem->inner, temperatures), wanted, fitting), problem->inner,
                       problem->classes, temperatures};
    if (tiles.outer > 0)
        return tiles;
    tiles.outer = 1;
    tiles.inner = units(rows_bytes(problem, 1, temperatures), wanted, fitting);
    if (tiles.inner > 0)
        return tiles;
    tiles.inner = 1;
    tiles.classes = cls_smaller(wanted / element_bytes(problem), problem->classes);
    /* Pieces cut a row, but not its records of statistics, and these may be what does not fit. */
    tiles.outer = has_parts && tiles.classes > 0 && tiles.classes < problem->classes;
    return tiles;
}

/* ---------------------------------------------------------------- Choice */

int cls_row_is_too_long(const clsoftmax_problem *problem, const cls_limits *limits)
{
    return cls_problem_rows(problem) > 0 && rows_bytes(problem, 1, 1) > fitting_bytes(problem, limits) &&
           shared_outer(problem, limits) == 0;
}

void cls_choose_tiles(const clsoftmax_problem *problem, const cls_limits *limits, cls_decision *decision)
{
    const cls_tiles none = {0, problem->inner, problem->classes, decision->launch_temperatures};
    decision->shared = decision->copied = none;
    if (cls_problem_rows(problem) == 0)
        return;
    uint64_t most = problem->tile_outer ? problem->tile_outer : UINT64_MAX;
    most = cls_smaller(most, cls_smaller(decision->launch_outer, problem->outer));
    int has_parts = cls_strategy_of(decision->variant.strategy)->has_parts;
    decision->copied = copied_tiles(problem, limits, has_parts, decision->launch_temperatures);
    decision->copied.outer = cls_smaller(decision->copied.outer, most);
    decision->shared.outer = cls_smaller(shared_outer(problem, limits), most);
    if (problem->sweep > 0 && decision->shared.outer < problem->outer)
        decision->shared.outer = 0;
}

/* ---------------------------------------------------------------- One after another */

uint64_t cls_tile_pieces(const clsoftmax_problem *problem, const cls_tiles *tiles)
{
    return tiles->classes > 0 ? cls_quotient_up(problem->classes, tiles->classes) : 1;
}

/* Returns how often the pieces of a row go through the device: once for each kernel of `split`, the only strategy that
   takes them. */
static unsigned passes(const clsoftmax_problem *problem, const cls_tiles *tiles)
{
    const cls_variant variant = {.terms = operation_row_terms((int)problem->operation, problem->statistics)};
    return tiles->classes < problem->classes ? cls_strategy_split.kernels(&variant)->count : 1;
}

/* Returns how many tiles take the temperatures of a sweep in turn. */
static uint64_t turns(const clsoftmax_problem *problem, const cls_tiles *tiles)
{
    return cls_quotient_up(cls_problem_temperatures(problem), tiles->temperatures);
}

uint64_t cls_tile_count(const clsoftmax_problem *problem, const cls_tiles *tiles)
{
    return cls_quotient_up(problem->outer, tiles->outer) * cls_quotient_up(problem->inner, tiles->inner) *
           turns(problem, tiles) * passes(problem, tiles) * cls_tile_pieces(problem, tiles);
}

cls_tile cls_tile_at(const clsoftmax_problem *problem, const cls_tiles *tiles, uint64_t number)
{
    uint64_t pieces = cls_tile_pieces(problem, tiles), columns = cls_quotient_up(problem->inner, tiles->inner);
    unsigned last_pass = passes(problem, tiles) - 1;
    cls_tile tile = {.piece = number % pieces, .pass = (unsigned)(number / pieces % (last_pass + 1))};
    uint64_t in_turn = number / pieces / (last_pass + 1), rows = in_turn / turns(problem, tiles);
    tile.first_temperature = in_turn % turns(problem, tiles) * tiles->temperatures;
    tile.temperatures = cls_smaller(tiles->temperatures, cls_problem_temperatures(problem) - tile.first_temperature);
    tile.first_class = tile.piece * tiles->classes;
    tile.classes = cls_smaller(tiles->classes, problem->classes - tile.first_class);
    tile.first_inner = rows % columns * tiles->inner;
    tile.inner = cls_smaller(tiles->inner, problem->inner - tile.first_inner);
    tile.first_outer = rows / columns * tiles->outer;
    tile.outer = cls_smaller(tiles->outer, problem->outer - tile.first_outer);
    tile.gives_results = tile.pass == last_pass;
    tile.is_end_of_rows = tile.gives_results && tile.piece + 1 == pieces;
    return tile;
}

/* ---------------------------------------------------------------- For people */

static uint64_t bytes_if(int is_wanted, uint64_t count, size_t size)
{
    return is_wanted ? count * size : 0;
}

void cls_describe_tiles(const clsoftmax_problem *problem, const cls_decision *decision, char *text, size_t size)
{
    const cls_tiles *tiles = decision->shared.outer ? &decision->shared : &decision->copied;
    text[0] = '\0';
    if (cls_problem_rows(problem) == 0)
        return;
    if (tiles->outer == 0) {
        snprintf(text, size, "; too large for host memory to go through");
        return;
    }
    unsigned times = passes(problem, tiles);
    uint64_t rows = cls_problem_rows(problem), elements = rows * problem->classes;
    uint64_t temperatures = cls_problem_temperatures(problem), passed = times * turns(problem, tiles);
    uint64_t up = elements * clsoftmax_dtype_size(problem->logits_dtype) +
                  bytes_if(cls_takes_operand(problem), elements, clsoftmax_dtype_size(problem->operand_dtype)) +
                  bytes_if(problem->temperature_per_row, rows, sizeof(float));
    uint64_t down =
        bytes_if(cls_has_results(problem), elements * temperatures, clsoftmax_dtype_size(problem->results_dtype)) +
        bytes_if(problem->statistics, rows * temperatures, sizeof(clsoftmax_statistics));
    char copies[96] = "", sweep[64] = "";
    if (!decision->shared.outer)
        snprintf(copies, sizeof copies, ", %llu bytes up in %llu %s, %llu down", (unsigned long long)(up * passed),
                 (unsigned long long)passed, passed == 1 ? "pass" : "passes", (unsigned long long)down);
    if (problem->sweep > 0)
        snprintf(sweep, sizeof sweep, " at %llu temperatures at a time", (unsigned long long)tiles->temperatures);
    snprintf(text, size, "; host memory %s, tiles: %llu of %llu x %llu x %llu%s%s",
             decision->shared.outer ? "shared" : "copied", (unsigned long long)(cls_tile_count(problem, tiles) / times),
             (unsigned long long)tiles->outer, (unsigned long long)tiles->classes, (unsigned long long)tiles->inner,
             sweep, copies);
}
