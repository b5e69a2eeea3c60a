/*
 * item on the CPU: rows one after another, in loops over blocks of neighbouring classes, which the compiler vectorises.
 *
 * A row goes through three stages: its maximum, the sum of its exponentials (which are kept if they fit the scratch
 * memory), its results. The first is bound by reading memory, the second by arithmetic, the third by writing memory. So
 * that they overlap, they run on three batches of rows in turns, a block each: while the exponentials of one batch are
 * computed, the maxima of the next are read and the results of the last are written.
 */
#include "../problem.h"
#include "cpu_block.h"
#include "cpu_dtype.h"

#define MOST_ROWS 16 /* in a batch: enough that what is done once a row overlaps between rows */

/* Pairs of a batch of several rows: two batches stay in the first-level cache. */
#define BATCH_PAIRS 1024

/* Rows that go through a stage together. */
typedef struct batch {
    uint64_t first; /* row */
    size_t rows;    /* 0: no batch */
    float *high, *low;
    uint64_t logits[MOST_ROWS], results[MOST_ROWS]; /* where the rows begin */
    lane_tops lanes[MOST_ROWS];                     /* without statistics their keys alone */
    core_top_t tops[MOST_ROWS];
    core_setting_t sets[MOST_ROWS];
    vector_sums sums[MOST_ROWS], weighted_sums[MOST_ROWS];
    core_total_t totals[MOST_ROWS], weighted[MOST_ROWS];
    core_two_float scales[MOST_ROWS]; /* 1 / sum, or ln(sum) */
} batch;

/* What all batches of a call share. */
typedef struct items {
    const cpu_call *call;
    cpu_stream *stream;             /* of the results, or NULL */
    core_temperature_t temperature; /* where all rows have the same */
    size_t row_blocks;              /* blocks of a row */
    size_t row_pairs;               /* room for a row's */
    size_t batch_rows;
    size_t pairs; /* of scratch memory to use */
    int keep;     /* exponentials are kept between the sum and the results */
    int overlap;  /* the results of a batch are written while the next one's exponentials are computed: room for two */
    int levels;
} items;

/* ---------------------------------------------------------------- Blocks */

/* A block of a batch's row: neighbouring classes, at most CPU_BLOCK. */
typedef struct block {
    size_t row;
    uint64_t first; /* class */
    size_t length;
    size_t slot; /* where its pairs are in the scratch memory */
} block;

static inline block row_block(const items *it, size_t row, size_t number)
{
    const uint64_t first = number * CPU_BLOCK, left = it->call->problem->classes - first;
    return (block){row, first, left < CPU_BLOCK ? (size_t)left : CPU_BLOCK, row * it->row_pairs + first};
}

/* The block's logits: where they stand, if they are f32 and neighbours, else in `buffer`. */
static const float *block_logits(const items *it, const batch *b, const block *k, float *buffer)
{
    const clsoftmax_problem *p = it->call->problem;
    const uint64_t stride = p->logits_layout.class_stride, begin = b->logits[k->row] + k->first * stride;
    if (p->logits_dtype == CLSOFTMAX_F32 && stride == 1)
        return (const float *)it->call->arguments->logits + begin;
    cpu_load(p->logits_dtype, it->call->arguments->logits, begin, stride, k->length, buffer);
    return buffer;
}

/* The same as an ordinary row has them. */
static const float *block_ordinary(const items *it, const batch *b, const block *k, float *buffer)
{
    const float *x = block_logits(it, b, k, buffer);
    const core_setting_t *set = &b->sets[k->row];
    if (set->kind != CORE_ROW_TIES)
        return x;
    for (size_t i = 0; i < k->length; i++)
        buffer[i] = core_tie(x[i], set->ties_at);
    return buffer;
}

/* ---------------------------------------------------------------- Stage 1: maximum */

/* Without statistics only the keys are found. */
static void block_top(const items *it, batch *b, const block *k)
{
    float buffer[CPU_BLOCK];
    const float *x = block_logits(it, b, k, buffer);
    if (it->call->problem->statistics)
        add_lane_tops(x, k->length, (uint32_t)(k->first / CPU_VECTOR), &b->lanes[k->row]);
    else
        add_lane_keys(x, k->length, b->lanes[k->row].key);
}

static uint64_t finish_tops(const items *it, batch *b)
{
    const clsoftmax_arguments *arguments = it->call->arguments;
    uint64_t invalid = 0;
    for (size_t r = 0; r < b->rows; r++) {
        float temperature = arguments->temperature;
        core_temperature_t prepared = it->temperature;
        if (it->call->problem->temperature_per_row) {
            temperature = arguments->temperatures[b->first + r];
            prepared = core_temperature(temperature);
            invalid += temperature >= 0 ? 0 : 1;
        }
        if (it->call->problem->statistics)
            b->tops[r] = top_of_lanes(&b->lanes[r]);
        else
            b->tops[r].key = largest_of_lanes(b->lanes[r].key);
        b->sets[r] = core_setting(b->tops[r].key, temperature, prepared, it->call->policies);
    }
    return invalid;
}

/* ---------------------------------------------------------------- Stage 2: sums */

/* So far behind the block whose maximum was found. */
#define AHEAD_BYTES 4096

static const char *ahead_of(const items *it, const batch *b, const block *k)
{
    const clsoftmax_problem *p = it->call->problem;
    const uint64_t stride = p->logits_layout.class_stride, behind = b->logits[k->row] + k->first * stride + k->length;
    return (const char *)it->call->arguments->logits + behind * cpu_element_size(p->logits_dtype) +
           (stride == 1 ? AHEAD_BYTES : 0);
}

/* levels: a constant, for the loops' sake. */
static inline __attribute__((always_inline)) void add_sums(const items *it, batch *b, const block *k, const float *x,
                                                           int levels, const char *ahead)
{
    const core_setting_t *set = &b->sets[k->row];
    float *high = b->high + (it->keep ? k->slot : 0), *low = b->low + (it->keep ? k->slot : 0);
    add_exponentials(x, k->length, set->row, levels, high, low, &b->sums[k->row], &b->totals[k->row], ahead);
    if (it->call->problem->statistics)
        add_weighted(x, high, low, k->length, core_distance(set->prepared, set->maximum), levels,
                     &b->weighted_sums[k->row], &b->weighted[k->row]);
}

static void block_sums(const items *it, batch *b, const block *k, const char *ahead)
{
    if (!core_row_is_computed(b->sets[k->row].kind))
        return;
    float buffer[CPU_BLOCK];
    const float *x = block_ordinary(it, b, k, buffer);
    if (it->levels == 2)
        add_sums(it, b, k, x, 2, ahead);
    else
        add_sums(it, b, k, x, 3, ahead);
}

static void write_statistics(const items *it, const batch *b, size_t r)
{
    uint64_t row = b->first + r;
    core_row_sums_t sums = {b->tops[r], b->totals[r], b->weighted[r], cpu_label_logit(it->call, row, b->logits[r])};
    it->call->arguments->statistics[row] = cpu_statistics(it->call, b->sets[r], sums);
}

static void finish_sums(const items *it, batch *b)
{
    const clsoftmax_problem *p = it->call->problem;
    for (size_t r = 0; r < b->rows; r++) {
        flush_sums(&b->sums[r], it->levels, &b->totals[r]);
        if (p->statistics) {
            flush_sums(&b->weighted_sums[r], it->levels, &b->weighted[r]);
            write_statistics(it, b, r); /* before the results, which may take the place of the label's logit */
        }
        b->scales[r] = p->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX
                           ? core_log_sum(b->sets[r], b->totals[r], it->levels)
                           : core_reciprocal(core_total_value(b->totals[r]));
    }
}

/* ---------------------------------------------------------------- Stage 3: results */

static void block_results(const items *it, const batch *b, const block *k)
{
    const clsoftmax_problem *p = it->call->problem;
    const core_setting_t *set = &b->sets[k->row];
    const uint64_t stride = p->results_layout.class_stride, begin = b->results[k->row] + k->first * stride;
    const int pairs = it->keep && p->operation == CLSOFTMAX_OPERATION_SOFTMAX && core_row_is_computed(set->kind);
    if (pairs) {
        store_probabilities(p->results_dtype, it->call->arguments->results, begin, stride, k->length, it->stream,
                            b->high + k->slot, b->low + k->slot, b->scales[k->row]);
        return;
    }
    float buffer[CPU_BLOCK], results[CPU_BLOCK];
    float fill = cpu_fill_value(p, set->kind);
    if (!core_row_is_computed(set->kind))
        for (size_t i = 0; i < k->length; i++)
            results[i] = fill;
    else if (p->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
        log_probabilities(block_ordinary(it, b, k, buffer), k->length, core_log_row(set->prepared, set->maximum),
                          b->scales[k->row], results);
    else
        probabilities(block_ordinary(it, b, k, buffer), k->length, set->row, b->scales[k->row], results);
    cpu_store(p->results_dtype, it->call->arguments->results, begin, stride, k->length, it->stream, results);
}

/* ---------------------------------------------------------------- Batches */

static void begin_batch(const items *it, batch *b, uint64_t first, uint64_t end)
{
    const clsoftmax_problem *p = it->call->problem;
    uint64_t left = first < end ? end - first : 0;
    b->first = first;
    b->rows = left < it->batch_rows ? (size_t)left : it->batch_rows;
    for (size_t r = 0; r < b->rows; r++) {
        b->logits[r] = cls_layout_row(p, &p->logits_layout, first + r);
        b->results[r] = cls_layout_row(p, &p->results_layout, first + r);
        b->tops[r] = (core_top_t){CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0};
        memset(&b->lanes[r], 0, sizeof b->lanes[r]); /* CORE_KEY_NEGATIVE_INFINITY */
        b->totals[r] = b->weighted[r] = (core_total_t){0, 0, 0};
    }
}

/* A stage of each batch, block by block in turns. */
static void run_stages(const items *it, batch *next, batch *current, const batch *last)
{
    int writes = it->call->problem->operation != CLSOFTMAX_OPERATION_NONE;
    for (size_t row = 0; row < it->batch_rows; row++)
        for (size_t number = 0; number < it->row_blocks; number++) {
            const block k = row_block(it, row, number);
            const char *ahead = it->call->arguments->logits;
            if (row < next->rows) {
                block_top(it, next, &k);
                ahead = ahead_of(it, next, &k);
            }
            if (row < current->rows)
                block_sums(it, current, &k, ahead);
            if (writes && row < last->rows)
                block_results(it, last, &k);
        }
}

/* How rows are batched. */
static items plan_items(const cpu_call *call, const cpu_scratch *scratch)
{
    items it = {.call = call,
                .temperature = core_temperature(call->arguments->temperature),
                .row_blocks = (size_t)((call->problem->classes + CPU_BLOCK - 1) / CPU_BLOCK),
                .levels = cpu_sum_levels(call->problem)};
    it.row_pairs = it.row_blocks == 1 ? padded((size_t)call->problem->classes) : it.row_blocks * CPU_BLOCK;
    size_t fitting = BATCH_PAIRS / it.row_pairs;
    it.pairs = scratch->floats / 4; /* half of the cache: the rows themselves stand in it, too */
    it.keep = it.row_pairs <= it.pairs;
    it.overlap = !it.keep || it.row_pairs * 2 <= it.pairs;
    it.batch_rows = fitting < 1 ? 1 : fitting > MOST_ROWS ? MOST_ROWS : fitting;
    return it;
}

uint64_t CPU_FUNCTION(cls_cpu_item)(const cpu_call *call, uint64_t begin, uint64_t end, const cpu_scratch *scratch)
{
    items it = plan_items(call, scratch);
    cpu_stream stream = {.line = NULL};
    it.stream = call->stream ? &stream : NULL;
    batch batches[3], none;
    size_t half = it.overlap ? it.pairs / 2 : 0;
    uint64_t invalid = 0;
    memset(batches, 0, sizeof batches);
    memset(&none, 0, sizeof none);
    begin_batch(&it, &batches[0], begin, end);
    for (unsigned step = 0; batches[step % 3].rows + batches[(step + 1) % 3].rows + batches[(step + 2) % 3].rows > 0;
         step++) {
        batch *next = &batches[step % 3], *current = &batches[(step + 2) % 3], *last = &batches[(step + 1) % 3];
        current->high = scratch->room + (step % 2) * half;
        current->low = current->high + scratch->floats / 2;
        run_stages(&it, next, current, it.overlap ? last : &none);
        invalid += finish_tops(&it, next);
        finish_sums(&it, current);
        if (!it.overlap)
            run_stages(&it, &none, &none, current);
        begin_batch(&it, last, next->first + next->rows, end);
    }
    if (it.stream)
        cpu_stream_end(&stream);
    return invalid;
}
