/*
 * plain: the softmax of one row by one work-group, as a textbook has it. This is the kernel to read first. It is
 * written to learn from, and to be a lower bar for the other strategies, whose bits it has. "auto" never takes it.
 *
 * A work-group takes its row through the four phases that every strategy has. Top: it finds the maximum of the logits
 * x. Sums: it sums the exponentials of x / T over all classes. Finish: one item writes the statistics of the row, if
 * they are wanted. Emit: it writes each exponential divided by the sum. The work-items of the group share the classes:
 * item i has the classes i, i + WORK_GROUP_SIZE, and so on, so that neighbouring items read neighbouring logits. To
 * find the maximum, each item goes through its own classes first; then a tree in local memory merges what the items
 * have found (PLAIN_MERGE). The sum is found in the same way.
 *
 * Two things are not as in textbooks. First, neither the maximum nor the sum is a float. The maximum is a key, an
 * integer that orders floats, and a sum consists of integers as well. Integers merge to the same bits in any order, so
 * every strategy on every device has the same results. Second, a textbook subtracts the maximum from each logit, so
 * that no exponential overflows. Here the exponentials of a row are scaled by a power of two that its maximum gives,
 * which is cheaper and leaves the quotients as they are (core_row in core/numeric_core.h).
 *
 * Names that begin with core_ are in kernels/core. Those that begin with row_ are in phases.h, whose first comment
 * lists the functions, and in the headers that it includes. Macros in capitals are in call.h and core/interface.h.
 * ROW_PARAMETERS is the list of arguments that all kernels have. Of them this kernel names `classes`, how many logits a
 * row has; the layouts, which say where elements stand; `policies`, what becomes of a row without a finite maximum; and
 * `sweep`, for rows at several temperatures.
 *
 * Launch: one work-group of WORK_GROUP_SIZE work-items, a power of two, for each row.
 * Memory: each logit is read three times, and each result is written once. Local memory has a top and the sums of each
 * work-item.
 */
#include "strategies/phases.h"

/* Merges `values`, one of each work-item, into values[0]: the first half of the items merges the values of the second
   half into its own, then the first quarter those of the second, until one value is left. A barrier lets each round
   wait for the values of the one before; all items must pass it, also those that have nothing to merge. */
#define PLAIN_MERGE(values, item, merge)                                                                               \
    for (uint half_size = WORK_GROUP_SIZE / 2; half_size > 0; half_size /= 2) {                                        \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        if (item < half_size)                                                                                          \
            values[item] = merge(values[item], values[item + half_size]);                                              \
    }                                                                                                                  \
    barrier(CLK_LOCAL_MEM_FENCE)

ROW_KERNEL row_plain(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL; /* the arguments in one struct, as the functions of phases.h take them */
    __local core_top_t tops[WORK_GROUP_SIZE];
    __local row_totals totals[WORK_GROUP_SIZE];
    const ulong row = get_group_id(0);
    const uint item = (uint)get_local_id(0);

    /* The logit of class c is at x + c * x_stride, and its result goes to p + c * p_stride. Some operations take an
       operand as well, a second number for each class, at g + c * g_stride; for the others it is 0. */
    __global const logit_t *x = row_logits(&call, row);
    __global const operand_t *g = row_operand(&call, row);
    __global result_t *p = row_results(&call, row);
    const ulong x_stride = logits_layout.LAYOUT_CLASS_STRIDE, p_stride = results_layout.LAYOUT_CLASS_STRIDE;
    const ulong g_stride = operand_layout.LAYOUT_CLASS_STRIDE;

    /* Top: the maximum, as a key. For statistics a top also has the second largest key, and where the largest is. */
    row_top mine = row_top_of_nothing();
    for (ulong c = item; c < classes; c += WORK_GROUP_SIZE)
        mine = row_top_add_operand(row_top_add(mine, row_load_one(x + c * x_stride), (uint)c),
                                   row_load_operand_one(g + c * g_stride));
    tops[item] = row_top_of_steps(mine);
    PLAIN_MERGE(tops, item, core_top_merge);
    const core_top_t top = tops[0];

    /* The rest is done once, or for each temperature of a sweep, whose results are SWEEP_STRIDE elements apart. */
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
        row_state state = row_state_of(top, row_temperatures(&call, row, 1, k), policies);
        const row_lot lot = {row, 1, x, 0}; /* one row, whose logits begin at x */
        const core_loss_inputs_t inputs = row_inputs_of(&call, lot);

        /* Sums: of the exponentials, as integers. row_ordinary changes a logit only if the maximum is infinite. A few
           operations have a second phase sums, for what can be added up only once the first sums are known. */
        row_totals sum = row_totals_of_nothing();
        for (int is_later = 0; is_later <= HAS_LATER_TERMS; is_later++) {
            if (is_later)
                row_go_later(&call, &state, sum);
            row_sums sums = row_sums_of_nothing(is_later);
            for (ulong c = item; c < classes; c += WORK_GROUP_SIZE)
                sums = row_sums_add(sums, row_ordinary(row_load_one(x + c * x_stride), &state),
                                    row_load_operand_one(g + c * g_stride), &state);
            totals[item] = row_flush(sums);
            PLAIN_MERGE(totals, item, row_totals_merge);
            sum = row_totals_merge(sum, totals[0]);
            barrier(CLK_LOCAL_MEM_FENCE); /* all have read totals[0] before more sums are written */
        }

        /* Finish: one item writes the statistics of the row and its loss, if they are wanted. (What they need of the
           label was read above, since results may take the place of logits.) */
        state.operation.end = row_end_of(&state, sum, inputs); /* for a softmax, 1 / sum */
        if (item == 0)
            row_finish(&call, k, lot, &state, top, sum, inputs);

        /* Emit: the results, for a softmax each exponential times 1 / sum. A row that is not computed, such as one with
           a NaN, gets one value throughout. */
        if (!HAS_RESULTS)
            continue;
        const int is_computed = core_row_is_computed(state.set.kind);
        for (ulong c = item; c < classes; c += WORK_GROUP_SIZE) {
            const float logit = row_ordinary(row_load_one(x + c * x_stride), &state);
            const float operand_of_class = row_load_operand_one(g + c * g_stride);
            const float result =
                is_computed ? row_result(logit, operand_of_class, &state) : row_fill_value(state.set.kind);
            row_store_one(result, p + c * p_stride);
        }

        /* The label's class may have a result of its own, which the item that has the class writes. */
        if (row_label(&call, lot, 0) % WORK_GROUP_SIZE == item)
            row_store_labels(&call, lot, &state, p, 0);
    }
}
