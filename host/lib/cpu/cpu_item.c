/*
 * Strategy `item` on the CPU: rows one after another, in loops over blocks of neighbouring classes, which the compiler
 * vectorises. cpu_backend.c calls cls_cpu_item for each share of rows.
 *
 * A row goes through the four phases of every strategy:
 *
 *     top      begin_top, finish_tops    finds the largest logit, and what it and the temperature make of the row
 *     sums     block_sums                computes the exponentials, keeps them if they fit, and adds them up
 *     finish   finish_sums               writes the statistics, and prepares what results need of the sums
 *     emit     begin_results             writes the results
 *
 * Top is bound by reading memory, sums by arithmetic, and emit by writing memory. So that they overlap, they run on
 * three bundles of rows in turns, a strip each: while the exponentials of one bundle are computed, the logits of the
 * next are read and the results of the last are written (between_strips in cpu_block.h).
 *
 * The loops over a block are in cpu_tops.h, cpu_block.h and cpu_results.h, the steps of the exponential in cpu_steps.h,
 * what is done once a row for all rows of a bundle in cpu_lanes.h, and loading and storing elements in cpu_dtype.h.
 */
#define LANES CPU_VECTOR /* of cpu_lanes.h */
#include "../problem.h"
#include "cpu_block.h"
#include "cpu_dtype.h"
#include "cpu_lanes.h"

/* Most rows of a bundle. What is done once a row is done for all of them together: each row is a lane of a vector. */
#define MOST_ROWS CPU_VECTOR

/* What the lanes of fewer rows have seen and added up is reduced one row after another. */
#define ROWS_AT_ONCE 5

/* Pairs of a bundle of several rows: 16 rows of 256 classes fit the second-level cache, which is fast enough for them
   (docs/experiments.md, "cpu: item"). */
#define BUNDLE_PAIRS (8192 / CORE_EXPONENTIAL_FLOATS)

/* Most pairs of two rows whose phases overlap: with more, the second-level cache would not hold them beside the logits
   that are read and the results that are written (docs/experiments.md, "cpu: item"). */
#define OVERLAP_PAIRS (((size_t)1 << 17) / CORE_EXPONENTIAL_FLOATS)

/* Rows that go through a phase together. */
typedef struct bundle {
    uint64_t first; /* the first row */
    size_t rows;    /* 0: the bundle is empty */
    float *high, *low;
    uint64_t logits[MOST_ROWS], results[MOST_ROWS]; /* the first elements of the rows */
    core_top_t top[MOST_ROWS];
    lane_temperatures own_temperatures; /* if each row has a temperature of its own */
    lane_rows set;
    lane_ends ends;
} bundle;

/* What the lanes have seen of the rows of the bundle that is in the phase top: maxima if no more is needed, else tops.
 */
typedef union bundle_tops {
    lane_maxima maxima[MOST_ROWS];
    lane_tops tops[MOST_ROWS];
} bundle_tops;

/* What has been added up of the rows of the bundle that is in the phase sums: all terms but those that are added up
   later, which have the last places. */
typedef struct bundle_sums {
    vector_sums sums[CPU_FIRST_PLACES][MOST_ROWS]; /* since they were flushed */
    core_total_t flushed[CPU_FIRST_PLACES][MOST_ROWS];
    lane_totals totals[CPU_PLACES]; /* set in the phase finish */
} bundle_sums;

/* What all bundles of a call share. */
typedef struct items {
    const cpu_call *call;
    cpu_stream *stream;             /* of the results; NULL: through the caches */
    lane_temperatures temperatures; /* if all rows have the same one */
    size_t row_blocks;              /* blocks of a row */
    size_t row_pairs;               /* pairs that a row takes of the room */
    size_t bundle_rows;
    size_t pairs; /* that the room holds */
    int keep;     /* 1: exponentials are kept between the phases sums and emit */
    int overlap;  /* 1: emit of a bundle overlaps with sums of the next: the room holds both, or none is kept */
    int levels;
    uint terms; /* the set of terms of each row, without those that are added up later */
    cpu_top top;
    cpu_shares *shares;
    cpu_share share;  /* what is left of this thread's */
    int rows_at_once; /* 1: what lanes have seen and added up is reduced for all rows of a bundle at once */
    bundle_tops *tops;
    bundle_sums *sums;
} items;

/* ---------------------------------------------------------------- Blocks */

/* A block of a row of a bundle: neighbouring classes, at most CPU_BLOCK. */
typedef struct block {
    size_t row;
    uint64_t first; /* the first class */
    size_t length;
    size_t slot; /* index of its pairs in the room */
} block;

static inline block row_block(const items *it, size_t row, size_t number)
{
    const uint64_t first = number * CPU_BLOCK, left = it->call->problem->classes - first;
    return (block){row, first, left < CPU_BLOCK ? (size_t)left : CPU_BLOCK, row * it->row_pairs + first};
}

/* Returns the logits of the block: where they stand if they are f32 and neighbours, otherwise copied into `buffer`. */
INLINE const float *block_logits(const items *it, const bundle *b, const block *k, float *buffer)
{
    const clsoftmax_problem *p = it->call->problem;
    const uint64_t stride = p->logits_layout.class_stride, begin = b->logits[k->row] + k->first * stride;
    if (p->logits_dtype == CLSOFTMAX_F32 && stride == 1)
        return (const float *)it->call->arguments->logits + begin;
    cpu_load(p->logits_dtype, it->call->arguments->logits, begin, stride, k->length, buffer);
    return buffer;
}

/* Writes logits of a row of ties into `buffer`, which may be x, as an ordinary row has them. */
static const float *tied_logits(const float *x, size_t length, float ties_at, float *buffer)
{
    for (size_t i = 0; i < length; i++)
        buffer[i] = core_tie(x[i], ties_at);
    return buffer;
}

/* Returns the logits of the block as an ordinary row has them: those of a row of ties become 0 and -inf, in
   `buffer`. */
INLINE const float *block_ordinary(const items *it, const bundle *b, const block *k, float *buffer)
{
    const float *x = block_logits(it, b, k, buffer);
    return b->set.kind[k->row] == CORE_ROW_TIES ? tied_logits(x, k->length, b->set.ties_at[k->row], buffer) : x;
}

/* ---------------------------------------------------------------- Phase top */

/* Bytes from the block whose top was found to the logits that are prefetched meanwhile. */
#define AHEAD_BYTES 4096

/* Returns the address from which to prefetch: logits a page behind this block, or directly behind it if classes are no
   neighbours. */
static const char *ahead_of(const items *it, const bundle *b, const block *k)
{
    const clsoftmax_problem *p = it->call->problem;
    const uint64_t stride = p->logits_layout.class_stride, behind = b->logits[k->row] + k->first * stride + k->length;
    return (const char *)it->call->arguments->logits + behind * cpu_element_size(p->logits_dtype) +
           (stride == 1 ? AHEAD_BYTES : 0);
}

/* Has the logits of a block read between strips. `buffer` has room for them. */
INLINE void begin_top(const items *it, const bundle *b, const block *k, float *buffer, between_strips *between)
{
    between->ahead = ahead_of(it, b, k);
    between->ahead_size = cpu_element_size(it->call->problem->logits_dtype);
    between->top = block_logits(it, b, k, buffer);
    between->find = it->top;
    between->maxima = &it->tops->maxima[k->row];
    between->tops = &it->tops->tops[k->row];
    between->step = (uint32_t)(k->first / CPU_VECTOR);
}

/* Prepares the temperatures of the rows, where each has its own. Returns the number of invalid ones. */
static uint64_t set_own_temperatures(const items *it, bundle *b)
{
    uint64_t invalid = 0;
    for (size_t r = 0; r < b->rows; r++) {
        float temperature = it->call->arguments->temperatures[b->first + r];
        set_lane_temperature(&b->own_temperatures, r, temperature, core_temperature(temperature));
        invalid += temperature >= 0 ? 0 : 1;
    }
    return invalid;
}

static const lane_temperatures *temperatures_of(const items *it, const bundle *b)
{
    return it->call->problem->temperature_per_row ? &b->own_temperatures : &it->temperatures;
}

/* Reduces the lanes to the top of each row, and sets what it and the temperature make of the row. Returns the number of
   rows with an invalid temperature. */
static uint64_t finish_tops(const items *it, bundle *b)
{
    const clsoftmax_problem *p = it->call->problem;
    if (b->rows == 0)
        return 0;
    if (it->top == CPU_TOP_WHOLE)
        for (size_t r = 0; r < b->rows; r++) {
            b->top[r] = top_of_lanes(&it->tops->tops[r]);
            b->set.key[r] = b->top[r].key;
            b->set.second_key[r] = b->top[r].second_key;
        }
    else if (it->rows_at_once) {
        keys_of_rows(it->tops->maxima, b->set.key);
        if (it->top == CPU_TOP_TWO)
            second_keys_of_rows(it->tops->maxima, b->set.second_key);
    } else
        for (size_t r = 0; r < b->rows; r++) {
            b->set.key[r] = key_of_row(&it->tops->maxima[r]);
            if (it->top == CPU_TOP_TWO)
                b->set.second_key[r] = second_key_of_row(&it->tops->maxima[r]);
        }
    uint64_t invalid = p->temperature_per_row ? set_own_temperatures(it, b) : 0;
    set_lane_rows(&b->set, temperatures_of(it, b), !p->temperature_per_row, it->call->policies, MOST_ROWS);
    if (it->top != CPU_TOP_LARGEST)
        set_lane_rests(&b->set, MOST_ROWS);
    if (cpu_has_operand(p)) {
        for (size_t r = 0; r < b->rows; r++)
            b->set.operand_key[r] = cpu_operand_key(it->call, b->first + r, 0, p->classes);
        if (cpu_has_teacher(p))
            set_lane_teachers(&b->set, temperatures_of(it, b), it->call->policies, MOST_ROWS);
        else
            set_lane_operands(&b->set, MOST_ROWS);
    }
    return invalid;
}

/* ---------------------------------------------------------------- Phase sums */

static row_on_lane row_on_lane_of(const items *it, const bundle *b, size_t row)
{
    return (row_on_lane){&b->set, temperatures_of(it, b), &b->ends, row, it->call->policies};
}

/* Adds the terms of a block to the sums of its row. levels: a constant, so that the loops are compiled for it. */
INLINE void add_sums(const items *it, const bundle *b, const block *k, const float *x, int levels,
                     const between_strips *between)
{
    const row_on_lane on = row_on_lane_of(it, b, k->row);
    const size_t slot = it->keep ? k->slot : 0;
    const block_pairs pairs = {x, k->length, b->high + slot, b->low + slot, it->call, b->first + k->row, k->first};
    add_terms(it->call->problem, pairs, on, levels, &it->sums->sums[0][k->row], &it->sums->flushed[0][k->row],
              MOST_ROWS, between);
}

/* Adds the terms of a block to the sums of its row, which is computed. */
INLINE void block_sums(const items *it, const bundle *b, const block *k, const between_strips *between)
{
    float buffer[CPU_BLOCK];
    const float *x = block_ordinary(it, b, k, buffer);
    if (it->levels == 2)
        add_sums(it, b, k, x, 2, between);
    else
        add_sums(it, b, k, x, 3, between);
}

/* ---------------------------------------------------------------- Phase finish */

/* Ends the sums of all rows, and clears them for the next bundle. */
static void end_sums(const items *it, const bundle *b)
{
    bundle_sums *s = it->sums;
    FOR_TERMS_IN(it->terms, t) {
        vector_sums *sums = s->sums[cpu_place(t)];
        core_total_t *flushed = s->flushed[cpu_place(t)];
        lane_totals *totals = &s->totals[cpu_place(t)];
        if (it->rows_at_once)
            finish_rows(t, sums, it->levels, flushed, totals);
        for (size_t r = 0; r < b->rows && !it->rows_at_once; r++) {
            flush_sums(t, &sums[r], it->levels, &flushed[r]);
            set_lane_total(totals, r, flushed[r]);
        }
        memset(sums, 0, b->rows * sizeof *sums);
        memset(flushed, 0, b->rows * sizeof *flushed);
    }
    if (it->call->problem->statistics)
        complete_rests(&b->set, s->totals, b->rows);
}

/* Adds up, row by row, the terms that need the sums of the others. */
OUTLINE void add_later_sums(const items *it, const bundle *b)
{
    for (size_t r = 0; r < b->rows; r++) {
        if (!core_row_is_computed(b->set.kind[r]))
            continue;
        const row_on_lane on = row_on_lane_of(it, b, r);
        core_total_t totals[TERM_COUNT] = {{0, 0, 0}};
        later_sums sums = {.totals = {{0, 0, 0}}};
        FOR_TERMS_IN(it->terms, t)
            totals[t] = lane_total(&it->sums->totals[cpu_place(t)], r);
        const later_row later = later_row_of(it->call, on, totals, it->levels);
        for (size_t number = 0; number < it->row_blocks; number++) {
            float buffer[CPU_BLOCK];
            const block k = row_block(it, r, number);
            const block_pairs block = {block_ordinary(it, b, &k, buffer),
                                       k.length,
                                       it->keep ? b->high + k.slot : NULL,
                                       it->keep ? b->low + k.slot : NULL,
                                       it->call,
                                       b->first + r,
                                       k.first};
            add_later_terms(block, on, &later, it->levels, &sums);
        }
        flush_later_terms(&later, it->levels, &sums);
        FOR_TERMS_IN(later.terms, t)
            set_lane_total(&it->sums->totals[cpu_place(t)], r, sums.totals[later_place(t)]);
    }
}

static void write_statistics(const items *it, const bundle *b)
{
    core_row_sums_t read[MOST_ROWS];
    clsoftmax_statistics records[MOST_ROWS];
    memset(read, 0, sizeof read);
    for (size_t r = 0; r < b->rows; r++) {
        read[r].top = b->top[r];
        read[r].label_logit = cpu_label_logit(it->call, b->first + r, b->logits[r]);
    }
    compute_lane_records(&b->set, temperatures_of(it, b), read, it->sums->totals, it->levels, MOST_ROWS, records);
    memcpy(it->call->arguments->statistics + b->first, records, b->rows * sizeof *records);
}

/* Reads what rows have for their losses. Lanes without a row have no label. */
static void read_inputs(const items *it, const bundle *b, lane_inputs *inputs)
{
    for (size_t r = 0; r < b->rows; r++)
        set_lane_input(it->call, inputs, r, b->first + r, cpu_label_logit(it->call, b->first + r, b->logits[r]));
    for (size_t r = b->rows; r < MOST_ROWS; r++)
        clear_lane_input(inputs, r);
}

/* Finishes the sums of all rows: writes their statistics and losses, and prepares what results need. */
static void finish_sums(const items *it, bundle *b)
{
    const clsoftmax_problem *p = it->call->problem;
    lane_inputs inputs;
    if (b->rows == 0)
        return;
    end_sums(it, b);
    if (TERMS_LATER(cpu_terms(p)))
        add_later_sums(it, b);
    if (p->statistics)
        write_statistics(it, b); /* first, because results may overwrite the label's logit */
    if (cpu_has_loss(p))
        read_inputs(it, b, &inputs); /* first, too */
    set_lane_ends(p, &b->ends,
                  &(lane_sums_of){&b->set, temperatures_of(it, b), it->sums->totals, &inputs, it->call->policies},
                  MOST_ROWS, 1);
    if (cpu_has_loss(p) && it->call->arguments->losses)
        memcpy(it->call->arguments->losses + b->first, b->ends.loss, b->rows * sizeof *b->ends.loss);
}

/* ---------------------------------------------------------------- Phase emit */

/* Writes the results of a block that are no neighbours, or made of logits. */
static void store_other_results(const items *it, const bundle *b, const block *k, result_block block, row_on_lane on)
{
    float buffer[CPU_BLOCK];
    const int pairs = it->keep && cpu_made_of(it->call->problem) == MADE_OF_EXPONENTIALS;
    const float *x = pairs ? NULL : block_ordinary(it, b, k, buffer);
    store_results(block, x, pairs ? b->high + k->slot : NULL, pairs ? b->low + k->slot : NULL, on);
}

/* Has the results of a block written between strips, if they are neighbours and made of kept exponentials. Others it
   writes itself: from these, from the logits, or the fill of the row. */
INLINE void begin_results(const items *it, const bundle *b, const block *k, between_strips *between)
{
    const clsoftmax_problem *p = it->call->problem;
    const int kind = b->set.kind[k->row], pairs = it->keep && cpu_made_of(p) == MADE_OF_EXPONENTIALS;
    const uint64_t stride = p->results_layout.class_stride;
    const result_block block = {it->call,
                                it->stream,
                                b->results[k->row] + k->first * stride,
                                stride,
                                k->length,
                                label_in_block(it->call, b->first + k->row, k->first, k->length),
                                b->first + k->row,
                                k->first};
    const row_on_lane on = row_on_lane_of(it, b, k->row);
    if (!core_row_is_computed(kind))
        store_fill(block, kind);
    else if (pairs && stride == 1 && !cpu_has_operand(p))
        between->results = kept_block(block, b->high + k->slot, b->low + k->slot, on);
    else
        store_other_results(it, b, k, block, on);
}

/* ---------------------------------------------------------------- Bundles */

/* Clears what is found of the rows of any bundle. Lanes without a row are computed, too, so they need valid numbers;
   the rest is left as it is, since clearing it takes longer than a short row. */
static void clear_items(const items *it)
{
    const size_t rows = it->rows_at_once ? MOST_ROWS : it->bundle_rows;
    for (size_t r = 0; r < rows; r++)
        clear_maxima(&it->tops->maxima[r]);
    for (int place = 0; place < CPU_PLACES; place++)
        for (size_t r = 0; r < MOST_ROWS; r++)
            set_lane_total(&it->sums->totals[place], r, (core_total_t){0, 0, 0});
    FOR_TERMS_IN(it->terms, t) {
        memset(it->sums->sums[cpu_place(t)], 0, rows * sizeof **it->sums->sums);
        memset(it->sums->flushed[cpu_place(t)], 0, rows * sizeof **it->sums->flushed);
    }
}

/* Empties a bundle. */
static void clear_bundle(const items *it, bundle *b)
{
    b->rows = 0;
    for (size_t r = 0; r < MOST_ROWS; r++) {
        b->set.key[r] = b->set.second_key[r] = CORE_KEY_NEGATIVE_INFINITY;
        b->set.operand_key[r] = 0;
    }
    if (it->call->problem->temperature_per_row)
        set_one_temperature(&b->own_temperatures, 1.0f);
}

/* Gives the bundle the next rows of this thread's share, or of the next share if that is used up. */
static void begin_bundle(items *it, bundle *b)
{
    const clsoftmax_problem *p = it->call->problem;
    if (it->share.begin == it->share.end)
        it->share = cpu_take_share(it->shares);
    const uint64_t first = it->share.begin, left = it->share.end - first;
    b->first = first;
    b->rows = left < it->bundle_rows ? (size_t)left : it->bundle_rows;
    it->share.begin += b->rows;
    if (b->rows == 0)
        return;
    for (size_t r = 0; r < b->rows; r++) {
        b->logits[r] = cls_layout_row(p, &p->logits_layout, first + r);
        b->results[r] = cls_layout_row(p, &p->results_layout, first + r);
        clear_maxima(&it->tops->maxima[r]);
    }
    if (it->top == CPU_TOP_WHOLE)
        memset(it->tops->tops, 0, b->rows * sizeof *it->tops->tops); /* keys of CORE_KEY_NEGATIVE_INFINITY */
}

/* Runs a phase of each bundle: top of the next, sums of the current, emit of the last. They take turns strip by strip,
   in blocks at the same place. A NULL bundle is left out. */
static void run_phases(const items *it, const bundle *next, const bundle *current, const bundle *last)
{
    const int writes = cpu_made_of(it->call->problem) != MADE_OF_NOTHING;
    for (size_t row = 0; row < it->bundle_rows; row++)
        for (size_t number = 0; number < it->row_blocks; number++) {
            const block k = row_block(it, row, number);
            float buffer[CPU_BLOCK];
            between_strips between = {.ahead = NULL};
            if (next && row < next->rows)
                begin_top(it, next, &k, buffer, &between);
            if (writes && last && row < last->rows)
                begin_results(it, last, &k, &between);
            if (current && row < current->rows && core_row_is_computed(current->set.kind[row]))
                block_sums(it, current, &k, &between);
            else
                do_between(&between, k.length);
        }
}

/* Decides how rows are bundled, and what is kept of them. */
static items plan_items(const cpu_call *call, cpu_shares *shares, const cpu_room *room)
{
    items it = {.call = call,
                .shares = shares,
                .share = cpu_take_share(shares),
                .row_blocks = (size_t)((call->problem->classes + CPU_BLOCK - 1) / CPU_BLOCK),
                .levels = CORE_SUM_LEVELS(call->problem->classes),
                .terms = cpu_terms(call->problem) & ~TERMS_LATER(cpu_terms(call->problem))};
    it.top = cpu_top_of(call->problem);
    set_one_temperature(&it.temperatures, call->arguments->temperature);
    it.row_pairs = it.row_blocks == 1 ? padded((size_t)call->problem->classes) : it.row_blocks * CPU_BLOCK;
    size_t fitting = BUNDLE_PAIRS / it.row_pairs;
    it.pairs = room->count / CORE_EXPONENTIAL_FLOATS;
    it.keep = it.row_pairs <= it.pairs;
    it.overlap = !it.keep || it.row_pairs * 2 <= (it.pairs < OVERLAP_PAIRS ? it.pairs : OVERLAP_PAIRS);
    it.bundle_rows = fitting < 1 ? 1 : fitting > MOST_ROWS ? MOST_ROWS : fitting;
    if (it.bundle_rows > it.share.end - it.share.begin)
        it.bundle_rows = (size_t)(it.share.end - it.share.begin);
    it.rows_at_once = it.bundle_rows >= ROWS_AT_ONCE;
    return it;
}

uint64_t CPU_FUNCTION(cls_cpu_item)(const cpu_call *call, cpu_shares *shares, const cpu_room *room)
{
    items it = plan_items(call, shares, room);
    cpu_stream stream = {.line = NULL};
    it.stream = call->stream ? &stream : NULL;
    if (it.bundle_rows == 0) /* other threads were faster */
        return 0;
    bundle bundles[3];
    bundle_tops tops;
    bundle_sums sums;
    size_t half = it.overlap ? it.pairs / 2 : 0;
    uint64_t invalid = 0;
    it.tops = &tops;
    it.sums = &sums;
    clear_items(&it);
    for (size_t i = 0; i < 3; i++)
        clear_bundle(&it, &bundles[i]);
    begin_bundle(&it, &bundles[0]);
    for (unsigned step = 0; bundles[step % 3].rows + bundles[(step + 1) % 3].rows + bundles[(step + 2) % 3].rows > 0;
         step++) {
        bundle *next = &bundles[step % 3], *current = &bundles[(step + 2) % 3], *last = &bundles[(step + 1) % 3];
        current->high = room->floats + (step % 2) * half;
        current->low = CORE_LEAN ? current->high : current->high + it.pairs;
        run_phases(&it, next, current, it.overlap ? last : NULL);
        invalid += finish_tops(&it, next);
        finish_sums(&it, current);
        if (!it.overlap)
            run_phases(&it, NULL, NULL, current);
        begin_bundle(&it, last);
    }
    if (it.stream)
        cpu_stream_end(&stream);
    return invalid;
}
