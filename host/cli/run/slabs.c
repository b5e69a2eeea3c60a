#include "run/slabs.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

tile tiling_tile(const tiling *tiling, uint64_t row)
{
    uint64_t inner = tiling->inner, column = row % inner;
    uint64_t rows = smaller(tiling->end - row, tiling->tile_rows);
    tile tile = {.row = row};
    if (column == 0 && rows >= inner) {
        tile.outer = rows / inner;
        tile.inner = inner;
    } else {
        tile.outer = 1;
        tile.inner = smaller(rows, inner - column);
    }
    tile.rows = tile.outer * tile.inner;
    return tile;
}

tile_runs tiling_runs(const tiling *tiling, const tile *tile)
{
    uint64_t inner = tiling->inner, outer_index = tile->row / inner, column = tile->row % inner;
    tile_runs runs = {.first = outer_index * tiling->classes * inner + column};
    int is_whole = tile->inner == inner;
    runs.length = is_whole ? tile->rows * tiling->classes : tile->inner;
    runs.stride = is_whole ? runs.length : inner;
    runs.count = is_whole ? 1 : tiling->classes;
    return runs;
}

void tiling_share(uint64_t rows, uint64_t index, uint64_t count, uint64_t *begin, uint64_t *end)
{
    uint64_t each = rows / count, left = rows % count; /* the first shares take one more; no product overflows */
    *begin = index * each + smaller(index, left);
    *end = *begin + each + (index < left ? 1 : 0);
}
