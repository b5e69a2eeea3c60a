/*
 * What the kernels of column that have results share: which columns are a work-item's. The kernel defines COLUMNS, how many
 * a work-item takes, before it includes this file.
 */
#ifndef CLSOFTMAX_COLUMN_H
#define CLSOFTMAX_COLUMN_H

#include "strategies/lanes.h"

/* The columns of one outer index that are a work-item's. */
typedef struct {
    ulong row;  /* the first */
    uint count; /* at most COLUMNS; 0 for a work-item too many */
} column_share;

static column_share column_share_of(const row_call *call)
{
    const ulong blocks = (call->inner + COLUMNS - 1) / COLUMNS, outer_index = get_global_id(0) / blocks;
    const ulong column = (get_global_id(0) - outer_index * blocks) * COLUMNS, row = outer_index * call->inner + column;
    const ulong left = row >= call->rows ? 0 : call->inner - column;
    const column_share share = {row, left < COLUMNS ? (uint)left : COLUMNS};
    return share;
}

#endif
