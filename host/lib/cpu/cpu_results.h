/*
 * The phase emit over a block of neighbouring classes of one row, in loops that the compiler vectorises: for
 * cpu_item.c, cpu_parts.c and cpu_sweep.c, and for cpu_block.h, which writes some results between exponentials.
 *
 * Logits are read only as far as they go; exponentials and results have room for whole vectors.
 */
#ifndef CLSOFTMAX_CPU_RESULTS_H
#define CLSOFTMAX_CPU_RESULTS_H

#include "cpu_dtype.h"
#include "cpu_steps.h"

/* ---------------------------------------------------------------- Results of kept exponentials */

/* Computes the results of whole vectors of exponentials. operand: as many; NULL where there is none, here and below.
   operation: a constant, here and below. */
INLINE void results_of_pairs(int operation, const float *restrict high, const float *restrict low, const float *operand,
                             size_t length, operation_row row, float *restrict results)
{
#pragma omp simd
    for (size_t i = 0; i < length; i++)
        results[i] = operation_result(operation, kept_exponential(high, low, i), 0,
                                      operation_has_operand(operation) && operand ? operand[i] : 0, row);
}

/* A run of results that are neighbours in memory; stream: as cpu_write takes it. */
typedef struct result_run {
    char *to;
    size_t length; /* in elements */
    cpu_stream *stream;
} result_run;

/* A run of results and the exponentials that they are made of. */
typedef struct kept_results {
    int operation; /* whose results are made of exponentials */
    clsoftmax_dtype dtype;
    const float *high, *low;
    const lane_ends *ends; /* on this lane is the end of their row */
    size_t lane;
    size_t label; /* which of them is the result of the label's class, where that is one of its own; NO_LABEL: none */
    result_run run;
} kept_results;

#define NO_LABEL SIZE_MAX

/* Computes a line of results, and writes it where it belongs, or as much of it as a run has at its beginning or end.
   high and low have a whole line's pairs. label: the place of the label's class in the line, if that has it. dtype: a
   constant. */
INLINE void write_pairs(int operation, clsoftmax_dtype dtype, const float *high, const float *low, operation_row row,
                        size_t label, result_run run)
{
    enum { MOST = CPU_LINE / sizeof(uint16_t) };
    const size_t size = cpu_element_size(dtype), most = CPU_LINE / size;
    _Alignas(CPU_LINE) float values[MOST];
    _Alignas(CPU_LINE) uint16_t rounded[MOST];
    results_of_pairs(operation, high, low, NULL, most, row, values);
    if (operation_loss(operation) == LOSS_OF_LABEL && label < most)
        values[label] = row.end.at_label;
    const void *line = cpu_rounded(dtype, values, most, rounded);
    if (run.length * size == CPU_LINE)
        cpu_write_line(run.stream, run.to, line);
    else
        cpu_write_part(run.stream, run.to, line, run.length * size);
}

/* Writes `count` results of a run from `first` on, line by line. are_lines: a constant; 1 where they are whole lines,
   so that nothing needs to be asked. operation, dtype: constants. */
INLINE void write_pairs_run(int operation, clsoftmax_dtype dtype, const kept_results *kept, size_t first, size_t count,
                            int are_lines)
{
    const size_t size = cpu_element_size(dtype), most = CPU_LINE / size, end = first + count;
    const operation_row row = {.end = lane_end(kept->ends, kept->lane)};
    const float *high = kept->high, *low = kept->low;
    cpu_stream *stream = kept->run.stream;
    char *to = kept->run.to;
    size_t i = first;
    if (!are_lines) {
        i += cpu_write_head(stream, to + first * size, count * size) / size;
        if (i > first)
            write_pairs(operation, dtype, high + first, low + first, row, kept->label - first,
                        (result_run){to + first * size, i - first, stream});
    }
    for (; i + most <= end; i += most)
        write_pairs(operation, dtype, high + i, low + i, row, kept->label - i,
                    (result_run){to + i * size, most, stream});
    if (!are_lines && i < end)
        write_pairs(operation, dtype, high + i, low + i, row, kept->label - i,
                    (result_run){to + i * size, end - i, stream});
}

/* Does so for any dtype. operation: a constant. */
INLINE void write_kept_of(int operation, const kept_results *kept, size_t first, size_t count, int are_lines)
{
    switch (kept->dtype) {
#define WRITE_KEPT_OF(name, text, bytes)                                                                               \
    case CLSOFTMAX_##name:                                                                                             \
        write_pairs_run(operation, CLSOFTMAX_##name, kept, first, count, are_lines);                                   \
        break;
        CLSOFTMAX_DTYPE_LIST(WRITE_KEPT_OF)
#undef WRITE_KEPT_OF
    case CLSOFTMAX_DTYPE_COUNT:
        break;
    }
}

/* Does so for any operation. are_lines: a constant. */
INLINE void write_any_kept(const kept_results *kept, size_t first, size_t count, int are_lines)
{
    switch (kept->operation) {
#define WRITE_KEPT(name, made_of, ending, zero)                                                                        \
    case OPERATION_##name:                                                                                             \
        if (made_of == MADE_OF_EXPONENTIALS && !operation_has_operand(OPERATION_##name))                               \
            write_kept_of(OPERATION_##name, kept, first, count, are_lines);                                            \
        break;
        OPERATION_LIST(WRITE_KEPT)
#undef WRITE_KEPT
    }
}

/* Writes `count` kept results from `first` on: whole lines, or any. */
INLINE void write_kept_lines(const kept_results *kept, size_t first, size_t count)
{
    write_any_kept(kept, first, count, 1);
}

OUTLINE void write_kept(const kept_results *kept, size_t first, size_t count)
{
    write_any_kept(kept, first, count, 0);
}

/* ---------------------------------------------------------------- Results of logits */

/* Computes the results of `count` classes, whole vectors of at most CPU_STRIP, from their logits, which become
   exponentials first if results are made of those. */
INLINE void results_of_logits(int operation, const float *restrict x, const float *operand, size_t count,
                              const strip_rows *rows, operation_row row, float *restrict results)
{
    _Alignas(64) float high[CPU_STRIP], low[CPU_STRIP];
    if (operation_made_of(operation) == MADE_OF_EXPONENTIALS) {
        strip_exponentials((strip){x, high, low, CPU_VECTOR, NULL}, count / CPU_VECTOR, CPU_VECTOR, rows);
        results_of_pairs(operation, high, low, operand, count, row, results);
        return;
    }
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        results[i] = operation_result(operation, (core_pair){0, 0}, x[i],
                                      operation_has_operand(operation) && operand ? operand[i] : 0, row);
}

/* Computes the results of a block from its logits: whole strips, then whole vectors, then the rest. */
INLINE void results_of_strips(int operation, const float *restrict x, const float *operand, size_t length,
                              const strip_rows *rows, operation_row row, float *restrict results)
{
    size_t i = 0;
    for (; i + CPU_STRIP <= length; i += CPU_STRIP)
        results_of_logits(operation, x + i, operand ? operand + i : NULL, CPU_STRIP, rows, row, results + i);
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR)
        results_of_logits(operation, x + i, operand ? operand + i : NULL, CPU_VECTOR, rows, row, results + i);
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        results_of_logits(operation, last, operand ? operand + i : NULL, CPU_VECTOR, rows, row, results + i);
    }
}

/* ---------------------------------------------------------------- Blocks of results */

/* A block of results: its place in the array of results, `first` elements from its start. */
typedef struct result_block {
    const cpu_call *call;
    cpu_stream *stream; /* as cpu_write takes it */
    uint64_t first, stride;
    size_t length;
    size_t label; /* as kept_results has it */
    uint64_t row, first_class;
} result_block;

/* Returns the place of a row's label in a block that begins at class `first`. */
static inline size_t label_in_block(const cpu_call *call, uint64_t row, uint64_t first, size_t length)
{
    if (!cpu_has_labels(call->problem))
        return NO_LABEL;
    const uint64_t place = (uint64_t)call->arguments->labels[row] - first; /* a label below 0 wraps around */
    return place < length ? (size_t)place : NO_LABEL;
}

/* Returns the results of a block as a run of neighbours. */
INLINE kept_results kept_block(result_block block, const float *high, const float *low, row_on_lane on)
{
    const clsoftmax_problem *p = block.call->problem;
    const clsoftmax_dtype dtype = p->results_dtype;
    char *to = (char *)block.call->arguments->results + block.first * cpu_element_size(dtype);
    return (kept_results){(int)p->operation, dtype,   high,        low,
                          on.ends,           on.lane, block.label, {to, block.length, block.stream}};
}

/* Returns a teacher's logits as an ordinary row has them: `y`, or in `buffer`, which y may be. */
static inline const float *ordinary_operand(const float *y, size_t length, core_setting_t teacher, float *buffer)
{
    if (teacher.kind != CORE_ROW_TIES)
        return y;
    for (size_t i = 0; i < padded(length); i++)
        buffer[i] = core_tie(y[i], teacher.ties_at);
    return buffer;
}

/* Returns the operand of a block, if the operation has one, as cpu_operand does; a teacher's logits as an ordinary row
   has them. Sets what both rows are compared by. */
INLINE const float *operand_of_block(int operation, result_block block, row_on_lane on, core_match_t *match,
                                     float *buffer)
{
    if (!operation_has_operand(operation))
        return NULL;
    const float *operand = cpu_operand(block.call, block.row, block.first_class, block.length, buffer);
    if (!operation_has_teacher(operation))
        return operand;
    *match = match_of(on);
    return ordinary_operand(operand, block.length, match->teacher, buffer);
}

/* Writes the results of at most CPU_BLOCK exponentials. Neighbours are written line by line, without a buffer between;
   behind the exponentials there is room to read a line more (CPU_ROOM_BEHIND). operation: a constant. */
INLINE void store_results_of_pairs(int operation, result_block block, const float *restrict high,
                                   const float *restrict low, row_on_lane on)
{
    const clsoftmax_problem *p = block.call->problem;
    operation_row row = {.terms = term_row_of(on), .end = lane_end(on.ends, on.lane)};
    float results[CPU_BLOCK], buffer[CPU_BLOCK];
    if (block.stride == 1 && !operation_has_operand(operation)) {
        const kept_results kept = kept_block(block, high, low, on);
        write_kept_of(operation, &kept, 0, block.length, 0);
        return;
    }
    const float *operand = operand_of_block(operation, block, on, &row.match, buffer);
    results_of_pairs(operation, high, low, operand, padded(block.length), row, results);
    if (operation_loss(operation) == LOSS_OF_LABEL && block.label != NO_LABEL)
        results[block.label] = row.end.at_label;
    cpu_store(p->results_dtype, block.call->arguments->results, block.first, block.stride, block.length, block.stream,
              results);
}

/* Writes the results of at most CPU_BLOCK logits, which are those of an ordinary row. */
INLINE void store_results_of_logits(int operation, result_block block, const float *x, row_on_lane on)
{
    float results[CPU_BLOCK], buffer[CPU_BLOCK];
    operation_row end = operation_row_of(on);
    const core_term_row_t none = {0};
    const core_row_t row = row_of(on);
    const float *operand = operand_of_block(operation, block, on, &end.match, buffer);
    if (core_row_is_unscaled(row)) {
        const strip_rows unscaled = one_row(row, none, 1);
        results_of_strips(operation, x, operand, block.length, &unscaled, end, results);
    } else {
        const strip_rows any = one_row(row, none, 0);
        results_of_strips(operation, x, operand, block.length, &any, end, results);
    }
    if (operation_loss(operation) == LOSS_OF_LABEL && block.label != NO_LABEL)
        results[block.label] = end.end.at_label;
    cpu_store(block.call->problem->results_dtype, block.call->arguments->results, block.first, block.stride,
              block.length, block.stream, results);
}

/* Writes a block of results. If they are made of exponentials that are kept, high and low are these; otherwise high and
   low are NULL, and x is the block's logits. */
static inline void store_results(result_block block, const float *x, const float *high, const float *low,
                                 row_on_lane on)
{
    switch ((int)block.call->problem->operation) {
#define STORE_RESULTS(name, made_of, ending, zero)                                                                     \
    case OPERATION_##name:                                                                                             \
        if (made_of == MADE_OF_EXPONENTIALS && high)                                                                   \
            store_results_of_pairs(OPERATION_##name, block, high, low, on);                                            \
        else if (made_of != MADE_OF_NOTHING)                                                                           \
            store_results_of_logits(OPERATION_##name, block, x, on);                                                   \
        break;
        OPERATION_LIST(STORE_RESULTS)
#undef STORE_RESULTS
    }
}

/* Writes the fill into a block of a row that is not computed. kind: the row's. */
static inline void store_fill(result_block block, int kind)
{
    float results[CPU_BLOCK];
    const float fill = cpu_fill_value(block.call->problem, kind);
    for (size_t i = 0; i < block.length; i++)
        results[i] = fill;
    cpu_store(block.call->problem->results_dtype, block.call->arguments->results, block.first, block.stride,
              block.length, block.stream, results);
}

#endif
