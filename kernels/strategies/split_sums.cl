/* The second kernel of split: it sums each part at each temperature, and keeps the logit of the row's label, before the
   last kernel can write a result in its place. */
#include "strategies/split.h"

ROW_KERNEL row_split_sums(SPLIT_PARAMETERS)
{
    const row_call call = ROW_CALL;
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    chunk_registers mine;
    const split_place place = split_place_of(&call, piece, parts);
    const row_part part = split_chunks(&call, &place);
    const core_top_t top = split_top(&place, tops);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++) {
        const row_state state = row_state_of(top, row_temperatures(&call, place.row, 1, k), policies);
        const row_totals totals = group_totals(part_sums(&part, &mine, &state), sums);
        if (get_local_id(0) == 0)
            FOR_TERMS_OF(0) split_own(&place, k)->totals[ROW_PLACE(t)] = totals.of[ROW_PLACE(t)];
        split_next_temperature();
    }
    if (get_local_id(0) != 0)
        return;
    const long label = place.part == 0 ? split_label(&call, &place) : -1;
    if (label >= 0) {
        place.parts[0].label_logit = row_load_one(part.x + (ulong)label * part.class_stride);
        place.parts[0].is_labelled = 1;
    }
}
