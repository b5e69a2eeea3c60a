/*
 * What column.cl and column_kept.cl share: which columns a work-item takes. Before a kernel includes this file, it
 * defines COLUMNS, how many a work-item takes at most.
 */
#ifndef CLSOFTMAX_COLUMN_H
#define CLSOFTMAX_COLUMN_H

#include "strategies/lanes.h"

/* The columns of a work-item, which are neighbours at one outer index. */
typedef struct {
    ulong row;  /* the row that the first column is */
    uint count; /* at most COLUMNS; 0 if the launch has more work-items than there are shares */
} column_share;

/* Returns the columns of this work-item. */
static column_share column_share_of(const row_call *call)
{
    const ulong shares = (call->inner + COLUMNS - 1) / COLUMNS, outer_index = get_global_id(0) / shares;
    const ulong column = (get_global_id(0) - outer_index * shares) * COLUMNS, row = outer_index * call->inner + column;
    const ulong left = row >= call->rows ? 0 : call->inner - column;
    const column_share share = {row, left < COLUMNS ? (uint)left : COLUMNS};
    return share;
}

#endif
