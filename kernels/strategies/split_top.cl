/* The first kernel of split: it finds the top of each part. split.cl tells the whole story. */
#include "strategies/split.h"

ROW_KERNEL row_split_top(SPLIT_PARAMETERS)
{
    const row_call call = ROW_CALL;
    __local local_top tops[WORK_GROUP_SIZE];
    float logits_of_chunk[ITEM_CLASSES];
    const split_place place = split_place_of(&call, piece, parts);
    const row_part part = split_chunks(&call, &place);
    core_top_t mine = part_top(&part, logits_of_chunk);
    mine.index += piece.PIECE_FIRST_CLASS;
    const core_top_t top = group_top(mine, tops);
    if (get_local_id(0) != 0)
        return;
    split_own(&place, 0)->top = top;
    if (piece.PIECE_FIRST_PART + place.part == 0) { /* until the second kernel finds the label */
        place.parts[0].label_logit = core_float_of_bits(CORE_NAN_BITS);
        place.parts[0].is_labelled = 0;
    }
}
