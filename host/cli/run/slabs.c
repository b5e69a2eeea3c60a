/* Slabs: see slabs.h. */
#include "run/slabs.h"

slab slabs_next(const slabs *slabs, uint64_t row)
{
    uint64_t inner = slabs->inner, column = row % inner;
    uint64_t rows = smaller(slabs->end - row, slabs->most_rows);
    slab slab = {.row = row};
    if (column == 0 && rows >= inner) {
        slab.outer = rows / inner;
        slab.inner = inner;
    } else {
        slab.outer = 1;
        slab.inner = smaller(rows, inner - column);
    }
    slab.rows = slab.outer * slab.inner;
    return slab;
}

slab_stretches slabs_stretches(const slabs *slabs, const slab *slab)
{
    uint64_t inner = slabs->inner, outer_index = slab->row / inner, column = slab->row % inner;
    int is_whole = slab->inner == inner;
    slab_stretches stretches = {.first = outer_index * slabs->classes * inner + column};
    stretches.length = is_whole ? slab->rows * slabs->classes : slab->inner;
    stretches.stride = is_whole ? stretches.length : inner;
    stretches.count = is_whole ? 1 : slabs->classes;
    return stretches;
}

/* The first shards take one row more where the rows do not divide evenly. No product overflows. */
void shard_rows(uint64_t rows, uint64_t index, uint64_t count, uint64_t *begin, uint64_t *end)
{
    uint64_t each = rows / count, left = rows % count;
    *begin = index * each + smaller(index, left);
    *end = *begin + each + (index < left ? 1 : 0);
}
