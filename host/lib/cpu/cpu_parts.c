/*
 * Rows that all threads of `cpu` compute together, as strategy `item` does for one row: for calls that have fewer long
 * rows than threads, or a few more. cpu_backend.c calls cls_cpu_parts on each thread, once whole rows are taken.
 *
 * A row is cut into parts of neighbouring classes, and goes through its phases in every part:
 *
 *     top      top_of_part, finish_top      finds the largest logit of the part; then that of the row
 *     sums     sums_of_part, finish_sums    adds up exponentials, and keeps them if they fit; then the row's sums
 *     later    later_of_part, finish_sums   adds up what needs the sums of the others, for operations that have such
 *     emit     results_of_part              writes the results
 *
 * A thread takes on the first phase of every part that no other thread has taken on, then the second, then the third.
 * The one that ends the last part of a row merges what has been found of the parts. Maxima and sums of integers do not
 * depend on how the row was cut, nor on which thread was first, so the bits are those of one thread.
 *
 * Between phases a thread waits, but only for parts that other threads have taken on and are computing. It never waits
 * for a thread to arrive. So a call ends however few of its threads run, and in whatever order: one of them alone
 * computes everything.
 *
 * Each thread begins at a place of its own. It mostly meets the same parts again in the next phase, whose logits and
 * exponentials are in its caches.
 *
 * A row at one temperature of a sweep counts as a row here. The loops over a block are in cpu_tops.h, cpu_block.h and
 * cpu_results.h, what is known of a row in cpu_lanes.h, and loading and storing elements in cpu_dtype.h.
 */
#define LANES CPU_VECTOR /* of cpu_lanes.h */
#include "../problem.h"
#include "cpu_block.h"
#include "cpu_dtype.h"
#include "cpu_lanes.h"
#include "cpu_pool.h"

#include <time.h>

/* A thread at work, and the row that it is at. */
typedef struct __attribute__((aligned(64))) worker {
    const cpu_call *call;
    const cpu_cut *cut;
    const cpu_room *room;
    cpu_stream *stream; /* of the results; NULL: through the caches */
    size_t used;        /* floats of the room */
    int levels;
    uint64_t invalid; /* rows with an invalid temperature */

    uint64_t row, temperature; /* the row, and the number of its temperature in a sweep */
    uint64_t logits, results;  /* its first elements */
    float value;               /* of the temperature */
    int is_set;                /* 1: `rows` and `temperatures` are those of the row */
    lane_temperatures temperatures;
    lane_rows rows; /* the row, the same on the first CPU_VECTOR lanes */
} worker;

/* ---------------------------------------------------------------- Rows and parts */

/* Goes to the row with a number among those that are cut. */
static void go_to_row(worker *w, size_t number)
{
    const clsoftmax_problem *p = w->call->problem;
    const uint64_t at = w->cut->first + number, ranges = w->call->ranges; /* of one temperature each */
    w->row = at / ranges;
    w->temperature = at % ranges;
    w->logits = cls_layout_row(p, &p->logits_layout, w->row);
    w->results = cls_layout_row(p, &p->results_layout, w->row) + w->temperature * p->sweep_stride;
    w->value = p->sweep > 0             ? w->call->arguments->temperatures[w->temperature]
               : p->temperature_per_row ? w->call->arguments->temperatures[w->row]
                                        : w->call->arguments->temperature;
    w->is_set = 0;
}

/* Sets what the maximum and the temperature make of the row. */
static void set_row(worker *w, const cpu_cut_row *row)
{
    if (w->is_set)
        return;
    w->is_set = 1;
    set_one_temperature(&w->temperatures, w->value);
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        w->rows.key[l] = row->top.key;
        w->rows.second_key[l] = row->top.second_key;
        w->rows.operand_key[l] = row->top.operand_key;
    }
    set_lane_rows(&w->rows, &w->temperatures, 0, w->call->policies, CPU_VECTOR);
    set_lane_rests(&w->rows, CPU_VECTOR);
    if (cpu_has_teacher(w->call->problem))
        set_lane_teachers(&w->rows, &w->temperatures, w->call->policies, CPU_VECTOR);
    else if (cpu_has_operand(w->call->problem))
        set_lane_operands(&w->rows, CPU_VECTOR);
}

/* The classes of a part that have not been gone through, and the block that they begin with. */
typedef struct blocks {
    uint64_t first, end;
    size_t length; /* of the block; 0: behind the part */
} blocks;

static blocks blocks_from(uint64_t first, uint64_t end)
{
    return (blocks){first, end, end - first < CPU_BLOCK ? (size_t)(end - first) : CPU_BLOCK};
}

static blocks blocks_of_part(const worker *w, size_t number)
{
    const uint64_t classes = w->call->problem->classes, first = number * w->cut->part_classes;
    const uint64_t left = classes - first;
    return blocks_from(first, first + (left < w->cut->part_classes ? left : w->cut->part_classes));
}

static void next_block(blocks *b)
{
    *b = blocks_from(b->first + b->length, b->end);
}

/* Returns the index of the first logit of a block. */
static uint64_t block_begin(const worker *w, const blocks *b)
{
    return w->logits + b->first * w->call->problem->logits_layout.class_stride;
}

/* Returns the logits of a block: where they stand if they are f32 and neighbours, otherwise copied into `buffer`. */
static const float *block_logits(const worker *w, const blocks *b, float *buffer)
{
    const clsoftmax_problem *p = w->call->problem;
    const uint64_t stride = p->logits_layout.class_stride, begin = block_begin(w, b);
    if (p->logits_dtype == CLSOFTMAX_F32 && stride == 1)
        return (const float *)w->call->arguments->logits + begin;
    cpu_load(p->logits_dtype, w->call->arguments->logits, begin, stride, b->length, buffer);
    return buffer;
}

/* Returns the logits of a block as an ordinary row has them: those of a row of ties become 0 and -inf, in `buffer`. */
static const float *block_ordinary(const worker *w, const blocks *b, float *buffer)
{
    const float *x = block_logits(w, b, buffer);
    if (w->rows.kind[0] != CORE_ROW_TIES)
        return x;
    for (size_t i = 0; i < b->length; i++)
        buffer[i] = core_tie(x[i], w->rows.ties_at[0]);
    return buffer;
}

/* ---------------------------------------------------------------- Phase top */

static void top_of_part(const worker *w, size_t number, cpu_part *part)
{
    top_search search;
    begin_search(&search, w->call->problem);
    for (blocks b = blocks_of_part(w, number); b.length > 0; next_block(&b)) {
        float buffer[CPU_BLOCK];
        search_block(&search, block_logits(w, &b, buffer), b.length, b.first);
    }
    part->top = top_of_search(&search);
    if (cpu_has_operand(w->call->problem)) {
        const blocks all = blocks_of_part(w, number);
        part->top.operand_key = cpu_operand_key(w->call, w->row, all.first, all.end);
    }
}

/* Merges the tops of a row's parts. */
static void finish_top(worker *w, const cpu_part *parts, cpu_cut_row *row)
{
    row->top = parts[0].top;
    for (size_t i = 1; i < w->cut->parts; i++)
        row->top = core_top_merge(row->top, parts[i].top);
    w->invalid += w->value >= 0 ? 0 : 1;
}

/* ---------------------------------------------------------------- Phase sums */

/* Takes from the room what the exponentials of a part need, if they are needed again and the room has it: behind them
   there is room to read a line more, which no other thread may write. Returns where high begins, and sets how far
   behind it low does; NULL if they are not kept. */
static float *take_room(worker *w, size_t classes, size_t *distance)
{
    const size_t need = padded(classes) + CPU_ROOM_BEHIND;
    float *high = w->room->floats + w->used;
    if (cpu_made_of(w->call->problem) != MADE_OF_EXPONENTIALS ||
        w->room->count - w->used < CORE_EXPONENTIAL_FLOATS * need)
        return NULL;
    w->used += CORE_EXPONENTIAL_FLOATS * need;
    *distance = CORE_LEAN ? 0 : need;
    return high;
}

/* Bytes from the logits of a block to those that are prefetched meanwhile. */
#define AHEAD_BYTES 4096

/* Adds up the terms of a part. levels: a constant, so that the loops are compiled for it. */
INLINE void add_part(worker *w, size_t number, cpu_part *part, int levels)
{
    const clsoftmax_problem *p = w->call->problem;
    const row_on_lane on = {&w->rows, &w->temperatures, NULL, 0, w->call->policies};
    blocks b = blocks_of_part(w, number);
    float buffer[CPU_BLOCK];
    _Alignas(64) float passing[CORE_EXPONENTIAL_FLOATS * CPU_BLOCK];
    size_t distance = CORE_LEAN ? 0 : CPU_BLOCK, slot = 0;
    float *kept = take_room(w, (size_t)(b.end - b.first), &distance), *high = kept ? kept : passing;
    core_total_t totals[CPU_PLACES] = {{0, 0, 0}};
    vector_sums sums[CPU_PLACES] = {{.added = 0}};
    for (; b.length > 0; next_block(&b)) {
        const float *x = block_ordinary(w, &b, buffer);
        const block_pairs pairs = {x, b.length, high + slot, high + distance + slot, w->call, w->row, b.first};
        const size_t size = cpu_element_size(p->logits_dtype);
        const char *ahead = (const char *)w->call->arguments->logits + block_begin(w, &b) * size + AHEAD_BYTES;
        const between_strips between = {.ahead = ahead, .ahead_size = size};
        add_terms(p, pairs, on, levels, sums, totals, 1, &between);
        slot += kept ? b.length : 0;
    }
    part->high = kept;
    part->low = kept ? kept + distance : NULL;
    FOR_TERMS_IN(cpu_terms(p), t) {
        flush_sums(t, &sums[cpu_place(t)], levels, &totals[cpu_place(t)]);
        part->totals[t] = totals[cpu_place(t)];
    }
}

static void sums_of_part(worker *w, size_t number, cpu_part *part)
{
    if (!core_row_is_computed(w->rows.kind[0]))
        memset(part->totals, 0, sizeof part->totals);
    else if (w->levels == 2)
        add_part(w, number, part, 2);
    else
        add_part(w, number, part, 3);
}

/* Adds up the terms of a part that need the sums of the others. */
static void later_of_part(worker *w, size_t number, cpu_part *part, const cpu_cut_row *row)
{
    const row_on_lane on = {&w->rows, &w->temperatures, NULL, 0, w->call->policies};
    later_sums sums = {.totals = {{0, 0, 0}}};
    size_t slot = 0;
    FOR_TERMS_IN(TERMS_LATER(cpu_terms(w->call->problem)), t)
        part->totals[t] = sums.totals[0];
    if (!core_row_is_computed(w->rows.kind[0]))
        return;
    const later_row later = later_row_of(w->call, on, row->totals, w->levels);
    for (blocks b = blocks_of_part(w, number); b.length > 0; next_block(&b)) {
        float buffer[CPU_BLOCK];
        const block_pairs block = {block_ordinary(w, &b, buffer),
                                   b.length,
                                   part->high ? part->high + slot : NULL,
                                   part->high ? part->low + slot : NULL,
                                   w->call,
                                   w->row,
                                   b.first};
        add_later_terms(block, on, &later, w->levels, &sums);
        slot += b.length;
    }
    flush_later_terms(&later, w->levels, &sums);
    FOR_TERMS_IN(later.terms, t)
        part->totals[t] = sums.totals[later_place(t)];
}

static void set_totals(const worker *w, const cpu_cut_row *row, lane_totals *totals)
{
    memset(totals, 0, CPU_PLACES * sizeof *totals);
    FOR_TERMS_IN(cpu_terms(w->call->problem), t)
        for (size_t l = 0; l < CPU_VECTOR; l++)
            set_lane_total(&totals[cpu_place(t)], l, row->totals[t]);
    if (w->call->problem->statistics)
        complete_rests(&w->rows, totals, CPU_VECTOR);
}

static void write_statistics(const worker *w, const cpu_cut_row *row)
{
    core_row_sums_t read[CPU_VECTOR];
    clsoftmax_statistics records[CPU_VECTOR];
    lane_totals totals[CPU_PLACES];
    const core_row_sums_t one = {.top = row->top, .label_logit = cpu_label_logit(w->call, w->row, w->logits)};
    for (size_t l = 0; l < CPU_VECTOR; l++)
        read[l] = one;
    set_totals(w, row, totals);
    compute_lane_records(&w->rows, &w->temperatures, read, totals, w->levels, CPU_VECTOR, records);
    w->call->arguments->statistics[w->temperature * cls_problem_rows(w->call->problem) + w->row] = records[0];
}

/* Sets the end of the row, on each lane. */
static void set_ends(const worker *w, const cpu_cut_row *row, lane_ends *ends)
{
    lane_totals totals[CPU_PLACES];
    lane_inputs inputs;
    set_totals(w, row, totals);
    for (size_t l = 0; l < CPU_VECTOR && cpu_has_loss(w->call->problem); l++)
        set_lane_input(w->call, &inputs, l, w->row, row->label_logit);
    set_lane_ends(w->call->problem, ends,
                  &(lane_sums_of){&w->rows, &w->temperatures, totals, &inputs, w->call->policies}, CPU_VECTOR, 1);
}

/* Merges the sums of a row's parts. */
static void merge_sums(const worker *w, const cpu_part *parts, cpu_cut_row *row)
{
    const clsoftmax_problem *p = w->call->problem;
    memset(row->totals, 0, sizeof row->totals);
    for (size_t i = 0; i < w->cut->parts; i++)
        FOR_TERMS_IN(cpu_terms(p), t)
            row->totals[t] = core_term_merge(t, row->totals[t], parts[i].totals[t]);
}

/* Writes the row's statistics and its loss, once all is added up. (Before any results, because these may overwrite the
   label's logit.) */
static void finish_sums(const worker *w, cpu_cut_row *row)
{
    const clsoftmax_problem *p = w->call->problem;
    if (p->statistics)
        write_statistics(w, row);
    if (!cpu_has_loss(p))
        return;
    row->label_logit = cpu_label_logit(w->call, w->row, w->logits);
    if (w->call->arguments->losses) {
        lane_ends ends;
        set_ends(w, row, &ends);
        w->call->arguments->losses[w->temperature * cls_problem_rows(p) + w->row] = ends.loss[0];
    }
}

/* ---------------------------------------------------------------- Phase emit */

/* Writes the results of a part: from its kept exponentials, from its logits, or the fill of its row. */
static void results_of_part(const worker *w, size_t number, const cpu_part *part, const cpu_cut_row *row)
{
    const clsoftmax_problem *p = w->call->problem;
    const uint64_t stride = p->results_layout.class_stride;
    const int is_computed = core_row_is_computed(w->rows.kind[0]);
    lane_ends ends;
    const row_on_lane on = {&w->rows, &w->temperatures, &ends, 0, w->call->policies};
    size_t slot = 0;
    set_ends(w, row, &ends);
    for (blocks b = blocks_of_part(w, number); b.length > 0; next_block(&b)) {
        const result_block block = {w->call, w->stream, w->results + b.first * stride,
                                    stride,  b.length,  label_in_block(w->call, w->row, b.first, b.length),
                                    w->row,  b.first};
        float buffer[CPU_BLOCK];
        if (!is_computed)
            store_fill(block, w->rows.kind[0]);
        else if (part->high)
            store_results(block, NULL, part->high + slot, part->low + slot, on);
        else
            store_results(block, block_ordinary(w, &b, buffer), NULL, NULL, on);
        slot += b.length;
    }
}

/* ---------------------------------------------------------------- Threads */

/* So many pauses take longer than a part does. */
#define MOST_PAUSES 4096

/* Waits until everything is known of a row that the phase needs. A thread that computes a part of it may have lost its
   processor to another process, or to this thread, so after a while the processor is given away. */
static void wait_for_row(const cpu_cut_row *row, cpu_phase phase)
{
    const struct timespec nap = {0, 50000};
    for (unsigned pauses = 0; atomic_load_explicit(&row->phase, memory_order_acquire) < (int)phase; pauses++)
        if (pauses < MOST_PAUSES)
            cpu_pause();
        else
            nanosleep(&nap, NULL);
}

/* Returns 1 if rows have the phase later. */
static int has_later_terms(const worker *w)
{
    return TERMS_LATER(cpu_terms(w->call->problem)) != 0;
}

/* Takes a part through a phase. */
static void run_part(worker *w, cpu_phase phase, size_t number, cpu_part *part, cpu_cut_row *row)
{
    if (phase == CPU_TOP) {
        top_of_part(w, number, part);
        return;
    }
    wait_for_row(row, phase);
    set_row(w, row);
    if (phase == CPU_SUMS)
        sums_of_part(w, number, part);
    else if (phase == CPU_LATER)
        later_of_part(w, number, part, row);
    else
        results_of_part(w, number, part, row);
}

/* Ends a phase of a part, and of the row if it was the last part. What this thread has written of the part is seen by
   the thread that ends the row, and what that writes by all that wait for the row. */
static void end_part(worker *w, cpu_phase phase, const cpu_part *parts, cpu_cut_row *row)
{
    if (phase == CPU_EMIT || atomic_fetch_sub_explicit(&row->left[phase], 1, memory_order_acq_rel) > 1)
        return;
    cpu_phase next = phase == CPU_TOP ? CPU_SUMS : CPU_EMIT;
    if (phase == CPU_TOP) {
        finish_top(w, parts, row);
    } else {
        merge_sums(w, parts, row);
        if (phase == CPU_SUMS && has_later_terms(w))
            next = CPU_LATER;
        else
            finish_sums(w, row);
    }
    atomic_store_explicit(&row->phase, (int)next, memory_order_release);
}

/* Takes a phase of a part on. Returns 0 if another thread has. (It looks first, since many threads may look at once,
   and writing would take the line away from the others.) */
static int claim(atomic_uchar *claimed)
{
    unsigned char before = atomic_load_explicit(claimed, memory_order_relaxed);
    if (!before)
        before = atomic_exchange_explicit(claimed, 1, memory_order_relaxed);
    return !before;
}

/* Takes all parts through a phase that no other thread takes through it, from the thread's own place on. */
static void run_phase(worker *w, cpu_phase phase, size_t thread)
{
    const cpu_cut *cut = w->cut;
    const size_t all = cut->rows * cut->parts, begin = thread * all / cut->threads;
    for (size_t i = 0; i < all; i++) {
        const size_t at = begin + i < all ? begin + i : begin + i - all, number = at % cut->parts;
        cpu_part *part = &cut->part[at];
        cpu_cut_row *row = &cut->row[at / cut->parts];
        if (number == 0 || i == 0)
            go_to_row(w, at / cut->parts);
        if (!claim(&cut->claimed[(size_t)phase * all + at]))
            continue;
        run_part(w, phase, number, part, row);
        end_part(w, phase, part - number, row);
    }
}

uint64_t CPU_FUNCTION(cls_cpu_parts)(const cpu_call *call, const cpu_cut *cut, size_t thread, const cpu_room *room)
{
    cpu_stream stream = {.line = NULL};
    worker w = {.call = call, .cut = cut, .room = room, .levels = CORE_SUM_LEVELS(call->problem->classes)};
    w.stream = call->stream ? &stream : NULL;
    run_phase(&w, CPU_TOP, thread);
    run_phase(&w, CPU_SUMS, thread);
    if (has_later_terms(&w))
        run_phase(&w, CPU_LATER, thread);
    if (cpu_made_of(call->problem) != MADE_OF_NOTHING)
        run_phase(&w, CPU_EMIT, thread);
    if (w.stream)
        cpu_stream_end(&stream);
    return w.invalid;
}
