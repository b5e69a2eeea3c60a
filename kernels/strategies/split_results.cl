/* The last kernel of split: it writes the results of each part. The work-group of the row's last part finishes the
   row. */
#include "strategies/split.h"

ROW_KERNEL row_split_results(SPLIT_PARAMETERS)
{
    const row_call call = ROW_CALL;
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    chunk_registers mine;
    const split_place place = split_place_of(&call, piece, parts);
    const row_part part = split_chunks(&call, &place);
    const core_top_t top = split_top(&place, tops);
    const row_lot lot = {place.row, 1, 0, 0};
    __global result_t *p = row_results(&call, place.row);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
        row_state state = row_state_of(top, row_temperatures(&call, place.row, 1, k), policies);
        const row_totals totals = split_totals(&place, k, 1, sums);
        const int is_labelled = place.parts[0].is_labelled != 0;
        const core_loss_inputs_t inputs = row_inputs_labelled(&call, lot, place.parts[0].label_logit, &is_labelled);
        state.operation.end = row_end_of(&state, totals, inputs);
        if (piece.PIECE_FIRST_PART + place.part + 1 == piece.PIECE_PARTS_OF_ROW && get_local_id(0) == 0)
            row_finish(&call, k, lot, &state, top, totals, inputs);
        part_results(&part, &mine, &state, p, results_layout.LAYOUT_CLASS_STRIDE);
        if (HAS_RESULTS && part_has_label(&part, split_label(&call, &place)))
            split_store_label(&call, &place, &state, p);
        split_next_temperature();
    }
}
