/*
 * column: neighbouring columns on neighbouring lanes, for a softmax axis that is not the last.
 *
 * A work-item takes CORE_WIDTH neighbouring columns of one outer index, each a row of its own, and goes down the classes:
 * every load is of neighbours in memory, nothing is transposed. Columns of up to KEPT_CLASSES are kept in local memory, and their
 * exponentials in their place: one read, one write, one exponential an element. Others are read three times.
 * Launch: outer * ceil(inner / CORE_WIDTH) work-items rounded up to a multiple of WORK_GROUP_SIZE, which is 1 if columns are kept; inner
 * strides 1 if CORE_WIDTH > 1.
 */
#if KEPT_CLASSES
#define COLUMN_AHEAD 16 /* classes: they stand on pages of their own, where no processor reads ahead by itself */

static void column_load(const lanes *l, __local core_float *kept)
{
    for (ulong c = 0; c < l->classes; c++) {
#ifdef __clang__ /* OpenCL's prefetch() is nothing on PoCL */
        __builtin_prefetch((const void *)(ulong)(l->x + (c + COLUMN_AHEAD) * l->class_stride));
#endif
        kept[c] = lanes_load(l, c);
    }
}
#endif

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_column(ROW_ARGUMENTS)
{
#if KEPT_CLASSES
    __local core_float kept[KEPT_CLASSES], low[KEPT_CLASSES];
#else
    core_float *const kept = 0, *const low = 0;
#endif
    const ulong blocks = (inner + CORE_WIDTH - 1) / CORE_WIDTH;
    const ulong outer_index = get_global_id(0) / blocks;
    const ulong column = (get_global_id(0) - outer_index * blocks) * CORE_WIDTH;
    const ulong row = outer_index * inner + column; /* the first lane's */
    if (row >= rows)
        return;
    const lanes l = {logits + row_offset(logits_layout, row, inner), logits_layout.s3, logits_layout.CLASS_STRIDE,
                     classes, (uint)(inner - column < CORE_WIDTH ? inner - column : CORE_WIDTH)};
#if KEPT_CLASSES
    column_load(&l, kept);
#endif
    row_state state;
    lanes_scan(&l, &state, KEPT_CLASSES > 0, kept, low,
               row_temperatures(one_temperature, temperatures, first, row, l.count, 0), row, policies, labels,
               statistics, first, invalid_rows);
    if (OPERATION == OPERATION_NONE)
        return;
    lanes_emit(&l, &state, KEPT_CLASSES > 0, kept, low, results + row_offset(results_layout, row, inner),
               results_layout.s3, results_layout.CLASS_STRIDE, row_wants_stream(logits, results, rows * classes));
}
