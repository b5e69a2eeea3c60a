/*
 * The phase sums over a block of neighbouring classes of one row, in loops that the compiler vectorises: for
 * cpu_item.c, cpu_parts.c and cpu_sweep.c. (What is known of a row between the phases is in cpu_lanes.h, the phase top
 * in cpu_tops.h, the exponential and the sums of a strip in cpu_steps.h, the phase emit in cpu_results.h, loading and
 * storing elements in cpu_dtype.h.)
 *
 * Logits are read only as far as they go; exponentials and results have room for whole vectors.
 */
#ifndef CLSOFTMAX_CPU_BLOCK_H
#define CLSOFTMAX_CPU_BLOCK_H

#include "cpu_results.h"
#include "cpu_tops.h"

/* ---------------------------------------------------------------- Sums */

/* What each lane of a vector has added up since it was flushed, and how many vectors were added. */
typedef struct __attribute__((aligned(64))) vector_sums {
    uint32_t high[CPU_VECTOR], low[CPU_VECTOR], lowest[CPU_VECTOR];
    uint32_t added;
} vector_sums;

/* Returns the sum over the lanes of value - bias, each in [0, 2^32). It adds the 16-bit halves, whose sums fit 32 bits,
   because compilers reduce those in fewer operations than 64-bit integers. */
static inline int64_t sum_of_lanes(const uint32_t *values, uint32_t bias)
{
    uint32_t high = 0, low = 0;
#pragma omp simd reduction(+ : high, low)
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint32_t value = values[l] - bias;
        high += value >> 16;
        low += value & 0xFFFFu;
    }
    return ((int64_t)high << 16) + low;
}

/* Returns what `added` additions with a constant have put into a lane beside what they added. Less that, the lane is in
   [0, 2^32); one with a sign is SIGN_BIAS too large then. */
#define SIGN_BIAS 0x80000000u
INLINE uint32_t lane_bias(float unit, int is_signed, uint32_t added)
{
    return added * core_bits_of_float(unit) - (is_signed ? SIGN_BIAS : 0);
}

/* Returns how much the lanes of a row are too large together. */
INLINE int64_t row_bias(int is_signed)
{
    return is_signed ? CPU_VECTOR * (int64_t)SIGN_BIAS : 0;
}

/* Takes the largest of the lanes into those of the row. */
INLINE void flush_largest(vector_sums *sums, core_total_t *total)
{
    uint32_t high = 0, low = 0;
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        high = CORE_LARGER(high, sums->high[l]);
        low = CORE_LARGER(low, sums->low[l]);
    }
    *total = core_term_merge(TERM_BOUNDS, *total, (core_total_t){high, low, 0}); /* as any such term */
    memset(sums, 0, sizeof *sums);
}

/* Takes the sums of the lanes of a term into the totals of the row, as core_term_flush does; the lower levels have a
   sign. */
INLINE void flush_sums(int term, vector_sums *sums, int levels, core_total_t *total)
{
    const int is_signed = TERM_IS_SIGNED(term);
    if (TERM_IS_LARGEST(term)) {
        flush_largest(sums, total);
        return;
    }
    total->high += sum_of_lanes(sums->high, lane_bias(TERM_UNIT(term), is_signed, sums->added)) - row_bias(is_signed);
    total->low += sum_of_lanes(sums->low, lane_bias(CORE_UNIT_LOW, 1, sums->added)) - row_bias(1);
    if (levels == 3)
        total->lowest += sum_of_lanes(sums->lowest, lane_bias(CORE_UNIT_LOWEST, 1, sums->added)) - row_bias(1);
    memset(sums, 0, sizeof *sums);
}

/* Adds up a level of the sums of CPU_VECTOR rows, whose `values` are `stride` apart, less the row's bias for each lane,
   which leaves [0, 2^32). */
INLINE void sums_of_rows(const uint32_t *values, size_t stride, const uint32_t *bias, int64_t *sums)
{
    _Alignas(64) uint32_t lanes[CPU_VECTOR * CPU_VECTOR];
    transpose_square(values, stride, lanes);
#pragma omp simd
    for (size_t r = 0; r < CPU_VECTOR; r++) {
        uint32_t high = 0, low = 0;
        for (size_t l = 0; l < CPU_VECTOR; l++) {
            const uint32_t value = lanes[l * CPU_VECTOR + r] - bias[r];
            high += value >> 16;
            low += value & 0xFFFFu;
        }
        sums[r] = ((int64_t)high << 16) + low;
    }
}

/* Sets the totals of CPU_VECTOR rows: what their lanes have added up, and what was flushed before. Row by row it would
   take three times as long as a transposition. */
static inline void finish_rows(int term, const vector_sums *sums, int levels, const core_total_t *flushed,
                               lane_totals *totals)
{
    const int is_signed = TERM_IS_SIGNED(term);
    const size_t stride = sizeof *sums / sizeof *sums->high;
    for (size_t r = 0; TERM_IS_LARGEST(term) && r < CPU_VECTOR; r++) {
        vector_sums of_row = sums[r];
        core_total_t total = flushed[r];
        flush_largest(&of_row, &total);
        set_lane_total(totals, r, total);
    }
    if (TERM_IS_LARGEST(term))
        return;
    _Alignas(64) uint32_t bias[CPU_VECTOR], low_bias[CPU_VECTOR], lowest_bias[CPU_VECTOR];
    for (size_t r = 0; r < CPU_VECTOR; r++) {
        bias[r] = lane_bias(TERM_UNIT(term), is_signed, sums[r].added);
        low_bias[r] = lane_bias(CORE_UNIT_LOW, 1, sums[r].added);
        lowest_bias[r] = lane_bias(CORE_UNIT_LOWEST, 1, sums[r].added);
    }
    sums_of_rows(sums->high, stride, bias, totals->high);
    sums_of_rows(sums->low, stride, low_bias, totals->low);
    if (levels == 3)
        sums_of_rows(sums->lowest, stride, lowest_bias, totals->lowest);
    for (size_t r = 0; r < CPU_VECTOR; r++) {
        totals->high[r] += flushed[r].high - row_bias(is_signed);
        totals->low[r] += flushed[r].low - row_bias(1);
        totals->lowest[r] = levels == 3 ? totals->lowest[r] + flushed[r].lowest - row_bias(1) : 0;
    }
}

/* Makes room for `length` more elements in the sums, by a flush if need be. */
INLINE void make_room(int term, vector_sums *sums, size_t length, int levels, core_total_t *total)
{
    const uint32_t vectors = (uint32_t)(padded(length) / CPU_VECTOR);
    if (sums->added + vectors > CORE_FLUSH_AFTER)
        flush_sums(term, sums, levels, total);
    sums->added += vectors;
}

/* ---------------------------------------------------------------- Between strips */

/* What is done between the strips of a block of exponentials, at the same place of blocks of other rows: the logits of
   one are read, and the results of another are written, a strip at a time. In one go either would fill the buffers that
   a core has for lines on their way, and arithmetic would wait. */
typedef struct between_strips {
    const char *ahead;   /* the first of the logits that are prefetched */
    size_t ahead_size;   /* bytes of each of them; 0: none are */
    const float *top;    /* logits whose tops are found; NULL: none */
    cpu_top find;        /* what is to be found of them */
    lane_maxima *maxima; /* into which, or for whole tops the other */
    lane_tops *tops;
    uint32_t step;        /* the number of the first vector of `top` in its row */
    kept_results results; /* that are written; none if the length of the run is 0 */
} between_strips;

/* Reads logits and prefetches, from element `begin` to `end` of the blocks. */
INLINE void read_between(const between_strips *b, size_t begin, size_t end)
{
    cpu_prefetch(b->ahead + begin * b->ahead_size, (end - begin) * b->ahead_size);
    if (b->top && b->find != CPU_TOP_WHOLE)
        add_lane_maxima(b->find, b->top + begin, end - begin, b->maxima);
    else if (b->top)
        add_lane_tops(b->top + begin, end - begin, b->step + (uint32_t)(begin / CPU_VECTOR), b->tops);
}

/* The same as a function by itself, for loops that are less often run. */
OUTLINE void read_between_call(const between_strips *b, size_t begin, size_t end)
{
    read_between(b, begin, end);
}

/* Writes the results before the first whole line. Returns how many these are. */
INLINE size_t begin_writing(const between_strips *b)
{
    const result_run run = b->results.run;
    const size_t size = cpu_element_size(b->results.dtype);
    const size_t head = run.length > 0 ? cpu_write_head(run.stream, run.to, run.length * size) / size : 0;
    if (head > 0)
        write_kept(&b->results, 0, head);
    return head;
}

/* Writes the results of a strip from `written` on, unless fewer are left. Returns how many are written then. */
INLINE size_t write_strip(const between_strips *b, size_t written)
{
    if (written + CPU_STRIP > b->results.run.length)
        return written;
    write_kept_lines(&b->results, written, CPU_STRIP);
    return written + CPU_STRIP;
}

OUTLINE size_t write_strip_call(const between_strips *b, size_t written)
{
    return write_strip(b, written);
}

INLINE void end_writing(const between_strips *b, size_t written)
{
    if (written < b->results.run.length)
        write_kept(&b->results, written, b->results.run.length - written);
}

/* Does everything at once, for blocks beside which no exponentials are computed. */
static inline void do_between(const between_strips *b, size_t length)
{
    read_between(b, 0, length);
    end_writing(b, 0);
}

/* ---------------------------------------------------------------- Exponentials */

/* Computes the exponentials of `count` classes, whole vectors and a constant, into high and low, and adds them to the
   sum of a term, a constant here and below: the first that the row has. */
INLINE void add_strip(int term, const float *x, size_t count, const strip_rows *row, int levels, float *high,
                      float *low, vector_sums *sums)
{
    const strip s = {.x = x, .high = high, .low = low, .stride = CPU_VECTOR};
    const strip_sums into = {sums->high, sums->low, sums->lowest};
    strip_exponentials(s, count / CPU_VECTOR, CPU_VECTOR, row);
    strip_add_term(term, s, count / CPU_VECTOR, CPU_VECTOR, row, levels, into);
}

/* Takes a block through add_strip: whole strips, then whole vectors, then the rest. */
INLINE void add_strips(int term, const float *restrict x, size_t length, const strip_rows *row, int levels,
                       float *restrict high, float *restrict low, vector_sums *restrict sums,
                       const between_strips *between)
{
    size_t i = 0, written = begin_writing(between);
    for (; i + CPU_STRIP <= length; i += CPU_STRIP) {
        if (term == TERM_EXPONENTIAL)
            read_between(between, i, i + CPU_STRIP);
        else
            read_between_call(between, i, i + CPU_STRIP);
        add_strip(term, x + i, CPU_STRIP, row, levels, high + i, low + i, sums);
        written = term == TERM_EXPONENTIAL ? write_strip(between, written) : write_strip_call(between, written);
    }
    if (i < length)
        read_between_call(between, i, length);
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR)
        add_strip(term, x + i, CPU_VECTOR, row, levels, high + i, low + i, sums);
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        add_strip(term, last, CPU_VECTOR, row, levels, high + i, low + i, sums);
    }
    end_writing(between, written);
}

/* The exponentials of a block of a row, at most CPU_BLOCK classes, and its logits. */
typedef struct block_pairs {
    const float *x;
    size_t length;
    float *high, *low;
    const cpu_call *call; /* for its operand: where it stands */
    uint64_t row, first_class;
} block_pairs;

/* Computes the exponentials of a block into its high and low, and adds them to the sums, which it flushes into the
   total if they are full. */
INLINE void add_exponentials(int term, block_pairs block, core_row_t row, core_term_row_t terms, int levels,
                             vector_sums *restrict sums, core_total_t *restrict total, const between_strips *between)
{
    make_room(term, sums, block.length, levels, total);
    if (core_row_is_unscaled(row)) {
        const strip_rows unscaled = one_row(row, terms, 1);
        add_strips(term, block.x, block.length, &unscaled, levels, block.high, block.low, sums, between);
    } else {
        const strip_rows any = one_row(row, terms, 0);
        add_strips(term, block.x, block.length, &any, levels, block.high, block.low, sums, between);
    }
}

/* Adds a block to the sum of a term, from its logits and their exponentials. */
INLINE void add_term(int term, block_pairs block, core_term_row_t terms, int levels, vector_sums *restrict sums,
                     core_total_t *restrict total)
{
    const strip_rows row = {.terms = terms};
    const strip_sums into = {sums->high, sums->low, sums->lowest};
    strip s = {block.x, block.high, block.low, CPU_VECTOR, NULL};
    size_t i = 0;
    make_room(term, sums, block.length, levels, total);
    for (; i + CPU_VECTOR <= block.length;
         i += CPU_VECTOR, s.x += CPU_VECTOR, s.high += CPU_VECTOR, s.low += CPU_VECTOR)
        strip_add_term(term, s, 1, CPU_VECTOR, &row, levels, into);
    if (i < block.length) {
        float last[CPU_VECTOR];
        last_vector(s.x, block.length - i, last);
        s.x = last;
        strip_add_term(term, s, 1, CPU_VECTOR, &row, levels, into);
    }
}

/* Adds a block to the sum of a term of its operand. */
INLINE void add_operand_term(int term, block_pairs block, const float *operand, core_term_row_t terms, int levels,
                             vector_sums *restrict sums, core_total_t *restrict total)
{
    const strip_rows row = {.terms = terms};
    const strip_sums into = {sums->high, sums->low, sums->lowest};
    make_room(term, sums, block.length, levels, total);
    size_t i = 0;
    for (; i + CPU_VECTOR <= block.length; i += CPU_VECTOR) {
        const strip s = {block.x + i, block.high + i, block.low + i, CPU_VECTOR, operand + i};
        strip_add_term(term, s, 1, CPU_VECTOR, &row, levels, into);
    }
    if (i < block.length) {
        float last[CPU_VECTOR];
        last_vector(block.x + i, block.length - i, last);
        const strip s = {last, block.high + i, block.low + i, CPU_VECTOR, operand + i};
        strip_add_term(term, s, 1, CPU_VECTOR, &row, levels, into);
    }
}

/* Adds a block to the sums of the terms of its operand that the set has. Those of a term stand `stride` behind those of
   the term before. */
INLINE void add_operand_terms(uint set, block_pairs block, const float *operand, core_term_row_t terms, int levels,
                              vector_sums *sums, core_total_t *totals, size_t stride)
{
#define ADD_OPERAND_TERM(term)                                                                                         \
    if (TERM_IS_IN(set, term))                                                                                         \
    add_operand_term(term, block, operand, terms, levels, sums + cpu_place(term) * stride,                             \
                     totals + cpu_place(term) * stride)
    ADD_OPERAND_TERM(TERM_PRODUCT);
    ADD_OPERAND_TERM(TERM_OPERAND);
    ADD_OPERAND_TERM(TERM_PRODUCT_WEIGHTED);
    ADD_OPERAND_TERM(TERM_REACH);
#undef ADD_OPERAND_TERM
}

/* Does so for any number of levels. */
OUTLINE void add_any_operand_terms(uint set, block_pairs block, core_term_row_t terms, int levels, vector_sums *sums,
                                   core_total_t *totals, size_t stride)
{
    float buffer[CPU_BLOCK];
    const float *operand = cpu_operand(block.call, block.row, block.first_class, block.length, buffer);
    if (levels == 2)
        add_operand_terms(set, block, operand, terms, 2, sums, totals, stride);
    else
        add_operand_terms(set, block, operand, terms, 3, sums, totals, stride);
}

/* ---------------------------------------------------------------- A teacher's row */

/* A row and its teacher's, as their strips need them. */
typedef struct both_rows {
    strip_rows student, teacher;
    core_match_t match;
    core_divergence_t divergence; /* in the phase later */
} both_rows;

/* Returns them. It is inlined: gcc makes far slower loops of a struct that comes out of memory. */
INLINE both_rows both_rows_of(row_on_lane on, core_divergence_t divergence)
{
    const core_term_row_t none = {0};
    both_rows both = {.match = match_of(on), .divergence = divergence};
    both.student = one_row(row_of(on), none, 0);
    both.teacher = one_row(both.match.teacher.row, none, 0);
    return both;
}

/* A strip of logits and their exponentials: of the student as `block_pairs` has them, and of the teacher. */
typedef struct both_strips {
    const float *x, *y, *high, *low, *teacher_high, *teacher_low;
} both_strips;

/* Adds a strip of `classes` vectors to the sum of a term. Its numbers are constants. */
INLINE void strip_add_teacher_term(int term, int kind, both_strips s, size_t classes, const both_rows *both, int levels,
                                   vector_sums *sums)
{
    const core_match_t match = both->match; /* copies, so that no load of theirs stands in the way of vectors */
    const core_divergence_t divergence = both->divergence;
#pragma omp simd
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        core_sum_t sum = {sums->high[l], sums->low[l], sums->lowest[l]};
#pragma GCC unroll 8
        for (size_t c = 0; c < classes; c++) {
            const size_t i = c * CPU_VECTOR + l;
            sum = core_term_add(term, sum,
                                core_teacher_term(term, kept_exponential(s.high, s.low, i),
                                                  kept_exponential(s.teacher_high, s.teacher_low, i), s.x[i], s.y[i],
                                                  match, divergence, kind),
                                levels);
        }
        sums->high[l] = sum.high;
        sums->low[l] = sum.low;
        sums->lowest[l] = sum.lowest;
    }
}

/* Adds a strip to what its teacher's row adds to the first sums, or, where is_later, to the divergence, of whose parts
   the student's is behind the other; `count` classes, whole vectors and a constant, as is_later, `kind`
   (DIVERGENCE_*) and `levels` are. The sums of a term stand `stride` behind those of the term before. */
INLINE void add_teacher_strip(int is_later, int kind, const float *x, const float *y, const float *high,
                              const float *low, size_t count, const both_rows *both, int levels, vector_sums *sums,
                              size_t stride)
{
    _Alignas(64) float own_high[CPU_STRIP], own_low[CPU_STRIP], teacher_high[CPU_STRIP], teacher_low[CPU_STRIP];
    both_strips s = {x, y, high, low, teacher_high, teacher_low};
    if (!high) {
        strip_exponentials((strip){x, own_high, own_low, CPU_VECTOR, NULL}, count / CPU_VECTOR, CPU_VECTOR,
                           &both->student);
        s.high = own_high;
        s.low = own_low;
    }
    strip_exponentials((strip){y, teacher_high, teacher_low, CPU_VECTOR, NULL}, count / CPU_VECTOR, CPU_VECTOR,
                       &both->teacher);
    if (is_later) {
        strip_add_teacher_term(TERM_DIVERGENCE, kind, s, count / CPU_VECTOR, both, levels, sums);
        if (kind == DIVERGENCE_MIXED)
            strip_add_teacher_term(TERM_STUDENT_DIVERGENCE, kind, s, count / CPU_VECTOR, both, levels, sums + 1);
        return;
    }
    strip_add_teacher_term(TERM_TEACHER, kind, s, count / CPU_VECTOR, both, levels,
                           sums + cpu_place(TERM_TEACHER) * stride);
    strip_add_teacher_term(TERM_BOUNDS, kind, s, count / CPU_VECTOR, both, 2, sums + cpu_place(TERM_BOUNDS) * stride);
}

/* Takes a block through add_teacher_strip: whole strips, then whole vectors, then the rest. */
INLINE void add_teacher_strips(int is_later, int kind, block_pairs block, const float *y, const both_rows *both,
                               int levels, vector_sums *sums, size_t stride)
{
    size_t i = 0;
#define KEPT(half) (block.high ? block.half + i : NULL)
    for (; i + CPU_STRIP <= block.length; i += CPU_STRIP)
        add_teacher_strip(is_later, kind, block.x + i, y + i, KEPT(high), KEPT(low), CPU_STRIP, both, levels, sums,
                          stride);
    for (; i + CPU_VECTOR <= block.length; i += CPU_VECTOR)
        add_teacher_strip(is_later, kind, block.x + i, y + i, KEPT(high), KEPT(low), CPU_VECTOR, both, levels, sums,
                          stride);
    if (i < block.length) {
        float last[CPU_VECTOR];
        last_vector(block.x + i, block.length - i, last);
        add_teacher_strip(is_later, kind, last, y + i, KEPT(high), KEPT(low), CPU_VECTOR, both, levels, sums, stride);
    }
#undef KEPT
}

/* Does so for any divergence and number of levels. is_later: a constant. */
INLINE void add_any_teacher_strips(int is_later, block_pairs block, const float *y, const both_rows *both, int levels,
                                   vector_sums *sums, size_t stride)
{
#define ADD_KIND(kind)                                                                                                 \
    case kind:                                                                                                         \
        if (levels == 2)                                                                                               \
            add_teacher_strips(is_later, kind, block, y, both, 2, sums, stride);                                       \
        else                                                                                                           \
            add_teacher_strips(is_later, kind, block, y, both, 3, sums, stride);                                       \
        break
    switch (operation_divergence((int)block.call->problem->operation)) {
        ADD_KIND(DIVERGENCE_FORWARD);
        ADD_KIND(DIVERGENCE_REVERSED);
        ADD_KIND(DIVERGENCE_MIXED);
    }
#undef ADD_KIND
}

/* Returns a teacher's logits as an ordinary row has them: where they stand, or in `buffer`. */
static inline const float *teacher_logits(block_pairs block, const core_match_t *match, float *buffer)
{
    const float *y = cpu_operand(block.call, block.row, block.first_class, block.length, buffer);
    return ordinary_operand(y, block.length, match->teacher, buffer);
}

/* Adds a block, whose exponentials are known, to what its teacher's row adds to the first sums. Those of a term stand
   `stride` behind those of the term before. */
OUTLINE void add_teacher_terms(block_pairs block, row_on_lane on, int levels, vector_sums *sums, core_total_t *totals,
                               size_t stride)
{
    const both_rows both = both_rows_of(on, (core_divergence_t){.power = 0});
    float buffer[CPU_BLOCK];
    const float *y = teacher_logits(block, &both.match, buffer);
    make_room(TERM_TEACHER, sums + cpu_place(TERM_TEACHER) * stride, block.length, levels,
              totals + cpu_place(TERM_TEACHER) * stride);
    add_any_teacher_strips(0, block, y, &both, levels, sums, stride);
}

/* Returns what the divergence of the row on a lane needs of the first sums, whose totals these are. */
static inline core_divergence_t divergence_of(const cpu_call *call, row_on_lane on, const core_total_t *totals,
                                              int levels)
{
    const core_setting_t student = {.prepared = lane_temperature(on.temperatures, on.lane),
                                    .kind = on.rows->kind[on.lane],
                                    .maximum = on.rows->maximum[on.lane],
                                    .row = row_of(on)};
    const int is_mixed = operation_divergence((int)call->problem->operation) == DIVERGENCE_MIXED;
    return core_divergence(student, match_of(on), totals[TERM_EXPONENTIAL], totals[TERM_TEACHER], totals[TERM_BOUNDS],
                           is_mixed ? call->arguments->teacher_share : 0.0f, levels);
}

/* ---------------------------------------------------------------- Terms that need the sums of the others */

/* What the second phase sums of a row needs of the first. */
typedef struct later_row {
    uint terms;                   /* that are added up */
    core_divergence_t divergence; /* for those of a row with a teacher */
    float reach;                  /* for TERM_OPERAND_WEIGHTED */
} later_row;

/* Their sums, those of the first term before those of the second. */
typedef struct later_sums {
    vector_sums sums[CPU_LATER_PLACES]; /* since they were flushed */
    core_total_t totals[CPU_LATER_PLACES];
} later_sums;

/* Where the sums of a later term stand among them. */
static inline size_t later_place(int term)
{
    return cpu_place(term) - CPU_FIRST_PLACES;
}

/* Returns it for the row on a lane, from the totals of the first. */
static inline later_row later_row_of(const cpu_call *call, row_on_lane on, const core_total_t *totals, int levels)
{
    later_row later = {.terms = TERMS_LATER(cpu_terms(call->problem))};
    if (cpu_has_teacher(call->problem))
        later.divergence = divergence_of(call, on, totals, levels);
    else
        later.reach = core_reach_power(totals[TERM_REACH]);
    return later;
}

/* Adds a block to the divergence of its row. */
OUTLINE void add_divergence(block_pairs block, row_on_lane on, const later_row *later, int levels, later_sums *into)
{
    const both_rows both = both_rows_of(on, later->divergence);
    float buffer[CPU_BLOCK];
    const float *y = teacher_logits(block, &both.match, buffer);
    make_room(TERM_DIVERGENCE, &into->sums[0], block.length, levels, &into->totals[0]);
    make_room(TERM_STUDENT_DIVERGENCE, &into->sums[1], block.length, levels, &into->totals[1]);
    add_any_teacher_strips(1, block, y, &both, levels, into->sums, 0);
}

/* Adds a block to the sum of its operand times distances. */
OUTLINE void add_distances(block_pairs block, row_on_lane on, const later_row *later, int levels, later_sums *into)
{
    float buffer[CPU_BLOCK];
    const float *operand = cpu_operand(block.call, block.row, block.first_class, block.length, buffer);
    core_term_row_t terms = term_row_of(on);
    terms.reach = later->reach;
    block.high = block.low = buffer; /* the term has no exponential, and these may be read */
    if (levels == 2)
        add_operand_term(TERM_OPERAND_WEIGHTED, block, operand, terms, 2, into->sums, into->totals);
    else
        add_operand_term(TERM_OPERAND_WEIGHTED, block, operand, terms, 3, into->sums, into->totals);
}

/* Adds a block to the sums of the later terms. block.high may be NULL: exponentials are then computed again where they
   are needed. */
static inline void add_later_terms(block_pairs block, row_on_lane on, const later_row *later, int levels,
                                   later_sums *into)
{
    if (TERMS_NEED_TEACHER(cpu_terms(block.call->problem)))
        add_divergence(block, on, later, levels, into);
    else
        add_distances(block, on, later, levels, into);
}

/* Ends the sums of the later terms. */
static inline void flush_later_terms(const later_row *later, int levels, later_sums *sums)
{
#define FLUSH_LATER_TERM(term)                                                                                         \
    if (TERM_IS_IN(later->terms, term))                                                                                \
    flush_sums(term, &sums->sums[later_place(term)], levels, &sums->totals[later_place(term)])
    FLUSH_LATER_TERM(TERM_OPERAND_WEIGHTED);
    FLUSH_LATER_TERM(TERM_DIVERGENCE);
    FLUSH_LATER_TERM(TERM_STUDENT_DIVERGENCE);
#undef FLUSH_LATER_TERM
}

/* ---------------------------------------------------------------- All terms */

/* Adds a block to the rest of its row, whose largest exponential stands alone, and of which nothing else is added up.
   It is a function by itself since its loops would make those slower that it would be inlined beside. */
OUTLINE void add_rest_alone(block_pairs block, core_row_t row, core_term_row_t terms, int levels, vector_sums *sums,
                            core_total_t *total, const between_strips *between)
{
    if (levels == 2)
        add_exponentials(TERM_REST, block, row, terms, 2, sums, total, between);
    else
        add_exponentials(TERM_REST, block, row, terms, 3, sums, total, between);
}

/* Adds a block to the sums of all terms that the problem has. Those of a term stand `stride` behind those of the term
   before. The rest of a row is the sum of its exponentials, unless the largest stands alone: so that sum may be added
   up in its place, and beside it the rest is not (complete_rests). */
INLINE void add_terms(const clsoftmax_problem *problem, block_pairs block, row_on_lane on, int levels,
                      vector_sums *sums, core_total_t *totals, size_t stride, const between_strips *between)
{
    const size_t weighted = TERM_WEIGHTED * stride, rest = TERM_REST * stride;
    const uint set = cpu_terms(problem);
    const core_term_row_t terms = term_row_of(on);
    const int is_alone = TERM_IS_IN(set, TERM_REST) && core_is_alone(terms.rest);
    const size_t first = TERM_IS_IN(set, TERM_EXPONENTIAL) ? 0 : rest;
    if (is_alone && first == rest)
        add_rest_alone(block, row_of(on), terms, levels, sums + rest, totals + rest, between);
    else
        add_exponentials(TERM_EXPONENTIAL, block, row_of(on), terms, levels, sums + first, totals + first, between);
    if (TERM_IS_IN(set, TERM_WEIGHTED))
        add_term(TERM_WEIGHTED, block, terms, levels, sums + weighted, totals + weighted);
    if (is_alone && first != rest)
        add_term(TERM_REST, block, terms, levels, sums + rest, totals + rest);
    if (TERMS_NEED_TEACHER(set))
        add_teacher_terms(block, on, levels, sums, totals, stride);
    else if (TERMS_NEED_OPERAND(set))
        add_any_operand_terms(set, block, terms, levels, sums, totals, stride);
}

#endif
