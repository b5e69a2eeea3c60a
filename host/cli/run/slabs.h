/* Slabs: how the rows of an array of (outer, classes, inner) are cut, so that a few at a time fit in memory. Pure
   functions. Used by everything that goes through the rows of a file. */
#ifndef CLSOFTMAX_SLABS_H
#define CLSOFTMAX_SLABS_H

#include <stdint.h>

/* The rows that a process goes through, and how they are cut. Row r stands at outer index r / inner and column r %
   inner. */
typedef struct slabs {
    uint64_t classes, inner;
    uint64_t begin, end; /* rows [begin, end) */
    uint64_t most_rows;  /* of a slab; at least 1 */
} slabs;

/* Rows [row, row + rows): whole outer indices, or columns of one of them. In memory a slab is a dense array of (outer,
   classes, inner). */
typedef struct slab {
    uint64_t row, rows;
    uint64_t outer, inner;
} slab;

/* Where a slab stands in the whole array: `count` stretches of `length` elements each, `stride` from one to the next.
 */
typedef struct slab_stretches {
    uint64_t first, length, stride, count;
} slab_stretches;

static inline uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Returns the slab that begins at `row`, which is where the one before it ended. */
slab slabs_next(const slabs *slabs, uint64_t row);

slab_stretches slabs_stretches(const slabs *slabs, const slab *slab);

/* Sets [*begin, *end) to the rows of shard `index` of `count`. Shards are in order, as equal as can be, and together
   all rows. */
void shard_rows(uint64_t rows, uint64_t index, uint64_t count, uint64_t *begin, uint64_t *end);

#endif
