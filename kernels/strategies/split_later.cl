/* A kernel of split between the second and the last, for operations with terms that need the sums of the others: it
   adds those up for each part at each temperature. */
#include "strategies/split.h"

ROW_KERNEL row_split_later(SPLIT_PARAMETERS)
{
    const row_call call = ROW_CALL;
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    chunk_registers mine;
    const split_place place = split_place_of(&call, piece, parts);
    const row_part part = split_chunks(&call, &place);
    const core_top_t top = split_top(&place, tops);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++) {
        row_state state = row_state_of(top, row_temperatures(&call, place.row, 1, k), policies);
        row_go_later(&call, &state, split_totals(&place, k, 0, sums));
        barrier(CLK_LOCAL_MEM_FENCE); /* all must have read the first sums */
        const row_totals totals = group_totals(part_sums(&part, &mine, &state), sums);
        if (get_local_id(0) == 0)
            FOR_TERMS_OF(1) split_own(&place, k)->totals[ROW_PLACE(t)] = totals.of[ROW_PLACE(t)];
        split_next_temperature();
    }
}
