/* Tiles: how the rows of an array of (outer, classes, inner) are cut so that a part fits memory. Pure functions. */
#ifndef CLSOFTMAX_TILES_H
#define CLSOFTMAX_TILES_H

#include <stdint.h>

typedef struct tiling {
    uint64_t classes, inner;
    uint64_t begin, end; /* rows to cut; row r stands at outer index r / inner and column r % inner */
    uint64_t tile_rows;  /* of a tile at most; at least 1 */
} tiling;

/* Rows [row, row + rows): whole outer indices, or columns of one. Dense, it is an array of (outer, classes, inner). */
typedef struct tile {
    uint64_t row, rows;
    uint64_t outer, inner;
} tile;

/* Where a tile stands in the whole array: `count` runs of `length` elements, `stride` from one to the next. */
typedef struct tile_runs {
    uint64_t first, length, stride, count;
} tile_runs;

/* The tile that begins at `row`, which is where the one before ended. */
tile tiling_tile(const tiling *tiling, uint64_t row);

tile_runs tiling_runs(const tiling *tiling, const tile *tile);

/* Rows [*begin, *end) of share `index` of `count`: as equal as can be, in order, together all rows. */
void tiling_share(uint64_t rows, uint64_t index, uint64_t count, uint64_t *begin, uint64_t *end);

#endif
