/* How arrays larger than memory are cut (host/cli/run/slabs.h): every element is in one tile of one share, and nowhere
   else. */
#include "run/slabs.h"

#include <criterion/criterion.h>
#include <stdlib.h>

typedef struct shape {
    uint64_t outer, classes, inner;
} shape;

static const shape shapes[] = {{1, 1, 1}, {7, 3, 1}, {5, 2, 4}, {1, 3, 11}, {3, 1, 2}, {0, 3, 2}};

/* Counts how often each element is in a tile of the share; the rows of tiles follow one another. */
static void count_share(shape s, uint64_t tile_rows, uint64_t index, uint64_t shares, unsigned char *times)
{
    tiling tiling = {.classes = s.classes, .inner = s.inner, .tile_rows = tile_rows};
    tiling_share(s.outer * s.inner, index, shares, &tiling.begin, &tiling.end);
    for (uint64_t row = tiling.begin; row < tiling.end;) {
        tile tile = tiling_tile(&tiling, row);
        cr_assert(tile.row == row && tile.rows > 0 && tile.rows <= tile_rows);
        cr_assert(tile.rows == tile.outer * tile.inner);
        tile_runs runs = tiling_runs(&tiling, &tile);
        cr_assert(runs.count * runs.length == tile.rows * s.classes);
        for (uint64_t i = 0; i < runs.count; i++)
            for (uint64_t k = 0; k < runs.length; k++) {
                uint64_t at = runs.first + i * runs.stride + k;
                cr_assert(at < s.outer * s.classes * s.inner);
                times[at]++;
                /* dense, the tile is (outer, classes, inner): run i, element k stands at i * length + k */
                uint64_t dense = i * runs.length + k, column = dense % tile.inner, o = dense / tile.inner / s.classes;
                uint64_t class_index = dense / tile.inner % s.classes, r = tile.row + o * tile.inner + column;
                cr_assert(at == (r / s.inner * s.classes + class_index) * s.inner + r % s.inner);
            }
        row += tile.rows;
    }
}

Test(file_tiles, each_element_is_in_one_tile_of_one_share)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (uint64_t tile_rows = 1; tile_rows <= 13; tile_rows++)
            for (uint64_t shares = 1; shares <= 9; shares++) {
                shape s = shapes[i];
                uint64_t elements = s.outer * s.classes * s.inner;
                unsigned char *times = calloc(elements + 1, 1);
                for (uint64_t index = 0; index < shares; index++)
                    count_share(s, tile_rows, index, shares, times);
                for (uint64_t at = 0; at < elements; at++)
                    cr_assert(times[at] == 1, "element %llu of shape %zu is in %d tiles", (unsigned long long)at, i,
                              times[at]);
                free(times);
            }
}

Test(file_tiles, shares_are_as_equal_as_can_be)
{
    uint64_t begin, end, covered = 0;
    for (uint64_t index = 0; index < 7; index++) {
        tiling_share(UINT64_MAX - 3, index, 7, &begin, &end);
        cr_assert(begin == covered && end - begin >= (UINT64_MAX - 3) / 7 && end - begin <= (UINT64_MAX - 3) / 7 + 1);
        covered = end;
    }
    cr_assert(covered == UINT64_MAX - 3);
}
