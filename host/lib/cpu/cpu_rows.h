/*
 * What the backend of "cpu" and its strategies agree on, and their shared sizes. cpu_item.c, cpu_lane.c, cpu_parts.c
 * and cpu_sweep.c are compiled once for each instruction set, which CPU_ISA names, and each core, which CORE_LEAN
 * chooses. Bits do not depend on the instruction set: the numeric core has only exact operations, and sums are of
 * integers.
 */
#ifndef CLSOFTMAX_CPU_ROWS_H
#define CLSOFTMAX_CPU_ROWS_H

#include "clsoftmax/clsoftmax.h"
#include "core/interface.h"

#include <stdatomic.h>

/* Classes of a block: so many that beginning one costs little, and so few that logits, pairs and results stay in the
   first-level cache. */
#define CPU_BLOCK 1024

/* Elements of a vector, as loops have them: that of the widest instruction set. */
#define CPU_VECTOR 16

/* Elements of a strip, which go through an exponential step by step; each step is a loop that is unrolled. With eight
   vectors none waits for another's result, and gcc unrolls no more than that. */
#ifdef __AVX512F__
#define CPU_STRIP 128
#else
#define CPU_STRIP 64
#endif

/* Begins a function that must be inlined, so that those of its arguments that are constants are known. A compiler that
   does not optimise gains nothing by that, and gives each copy a place of its own on the stack, of which threads may
   have 128 KB. */
#ifdef __OPTIMIZE__
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

/* Begins a function that must not be inlined: many places call it, each of which would get a copy of all its loops. It
   has so much to do that the call costs nothing. */
#define OUTLINE static __attribute__((noinline, unused))

/* Rows of a panel in cpu_lane.c, and temperatures at a time in cpu_sweep.c. */
#define CPU_LANES 64

/* Floats behind a thread's room that may be read: cpu_block.h makes results from whole lines of pairs, also where fewer
   belong to a row. */
#define CPU_ROOM_BEHIND 64

/* A thread's room, aligned to a cache line. The strategies keep rows and their exponentials in it. */
typedef struct cpu_room {
    float *floats;
    size_t count;
} cpu_room;

/* A call: a checked problem, checked arguments, and the policies as the numeric core takes them. */
typedef struct cpu_call {
    const clsoftmax_problem *problem;
    const clsoftmax_arguments *arguments;
    uint32_t policies;
    int stream; /* 1: results are written past the caches */

    /* A sweep of few rows is cut into ranges of neighbouring temperatures, so that all threads have something to do. A
       row at one range then counts as a row by itself: range k of row r is the row r * ranges + k. */
    uint64_t ranges;             /* 1: rows are not cut */
    uint64_t range_temperatures; /* temperatures of a range; the last one may have fewer */
} cpu_call;

/* Rows [begin, end) of a call, in sweeps as its ranges count them. */
typedef struct cpu_share {
    uint64_t begin, end;
} cpu_share;

/* The rows of a call, of which threads take a share at a time. */
typedef struct cpu_shares {
    uint64_t rows, share_rows;
    atomic_uint_fast64_t next; /* the first row that nobody has taken */
} cpu_shares;

/* Takes the next share. It is empty if there is none. */
static inline cpu_share cpu_take_share(cpu_shares *shares)
{
    const cpu_share none = {shares->rows, shares->rows};
    if (atomic_load_explicit(&shares->next, memory_order_relaxed) >= shares->rows)
        return none;
    const uint64_t begin = atomic_fetch_add_explicit(&shares->next, shares->share_rows, memory_order_relaxed);
    if (begin >= shares->rows)
        return none;
    const uint64_t left = shares->rows - begin;
    return (cpu_share){begin, begin + (left < shares->share_rows ? left : shares->share_rows)};
}

/* Computes shares of rows until none is left. Returns the number of rows with an invalid temperature. Needs the default
   float environment. */
typedef uint64_t cpu_rows_function(const cpu_call *call, cpu_shares *shares, const cpu_room *room);

#define CPU_JOIN_(stem, core, isa) stem##_##core##_##isa
#define CPU_JOIN(stem, core, isa) CPU_JOIN_(stem, core, isa)
#if CORE_LEAN
#define CPU_FUNCTION(stem) CPU_JOIN(stem, lean, CPU_ISA)
#else
#define CPU_FUNCTION(stem) CPU_JOIN(stem, faithful, CPU_ISA)
#endif

/* cls_cpu_item computes rows one after another, cls_cpu_sweep does so for sweeps, and cls_cpu_lane computes CPU_LANES
   rows side by side, for `lane` and for `column`, whose rows are neighbours in memory. */
#define CPU_ROWS_OF(isa)                                                                                               \
    cpu_rows_function cls_cpu_item_faithful_##isa, cls_cpu_lane_faithful_##isa, cls_cpu_sweep_faithful_##isa;          \
    cpu_rows_function cls_cpu_item_lean_##isa, cls_cpu_lane_lean_##isa, cls_cpu_sweep_lean_##isa
CPU_ROWS_OF(baseline);
CPU_ROWS_OF(avx2);
CPU_ROWS_OF(avx512);

/* ---------------------------------------------------------------- Rows that are cut into parts */

/* The phases of a row that is cut; the third is for terms that are added up later than the others (TERMS_LATER). (What
 * other strategies do in the phase finish, the thread does that ends sums.) */
typedef enum cpu_phase { CPU_TOP, CPU_SUMS, CPU_LATER, CPU_EMIT, CPU_PHASES } cpu_phase;

/* A part of a row: neighbouring classes, and what a thread has found of them. Parts of several threads share no line.
 */
typedef struct __attribute__((aligned(64))) cpu_part {
    core_top_t top;
    core_total_t totals[TERM_COUNT];
    float *high, *low; /* the exponentials, in the room of the thread that computed them; NULL: not kept */
} cpu_part;

/* A row that is cut, and what is known of it. */
typedef struct __attribute__((aligned(64))) cpu_cut_row {
    atomic_size_t left[CPU_EMIT]; /* parts that have not finished the phase */
    atomic_int phase;             /* for which everything is known: top and totals stand still from then on */
    core_top_t top;
    core_total_t totals[TERM_COUNT];
    float label_logit; /* for a loss */
} cpu_cut_row;

/* The rows of a call that all threads compute together. In a sweep, each is a row at one temperature. */
typedef struct cpu_cut {
    uint64_t first;      /* the first row that is cut; all rows behind it are, too */
    size_t rows;         /* that are cut; 0: none */
    size_t parts;        /* of each row */
    size_t part_classes; /* whole blocks; the last part may have fewer */
    size_t threads;
    cpu_cut_row *row;
    cpu_part *part;        /* those of the first row, then those of the second ... */
    atomic_uchar *claimed; /* for each phase as many as there are parts; 1: a thread has taken it on */
} cpu_cut;

/* Prepares the rows that are cut for a call: nothing of them is known, and no thread has taken anything on. */
static inline void cpu_cut_begin(const cpu_cut *cut)
{
    for (size_t r = 0; r < cut->rows; r++) {
        atomic_init(&cut->row[r].phase, CPU_TOP);
        for (int phase = 0; phase < CPU_EMIT; phase++)
            atomic_init(&cut->row[r].left[phase], cut->parts);
    }
    for (size_t i = 0; i < CPU_PHASES * cut->rows * cut->parts; i++)
        atomic_init(&cut->claimed[i], 0);
}

/* Computes parts of the rows that are cut until no more are to be taken on. `thread` is the number of the thread, below
   cut->threads. Returns as a cpu_rows_function does; so does its need of the environment. */
typedef uint64_t cpu_parts_function(const cpu_call *call, const cpu_cut *cut, size_t thread, const cpu_room *room);
#define CPU_PARTS_OF(isa) cpu_parts_function cls_cpu_parts_faithful_##isa, cls_cpu_parts_lean_##isa
CPU_PARTS_OF(baseline);
CPU_PARTS_OF(avx2);
CPU_PARTS_OF(avx512);

/* ---------------------------------------------------------------- What all strategies ask */

/* Returns the fill of a row that is not computed. */
static inline float cpu_fill_value(const clsoftmax_problem *problem, int kind)
{
    return operation_fill((int)problem->operation, kind == CORE_ROW_ZERO);
}

/* Returns the statistics as the public header has them. */
static inline clsoftmax_statistics cpu_record(core_statistics_t s)
{
#define CPU_RECORD_FIELD(row_type, type, name) .name = s.name,
    return (clsoftmax_statistics){STATISTICS_FIELDS(CPU_RECORD_FIELD)};
#undef CPU_RECORD_FIELD
}

_Static_assert(TERM_COUNT == 12, "cpu_block.h and cpu_lane.c add all terms by name");

/* Where the sums of a term stand in arrays that have those of all terms of a row. Terms that no row has together have
   the same place, so that stacks are large enough. Those that are added up later than the others have the last ones:
   at most two of them, of which a row with one has the first. */
#define CPU_LATER_PLACES 2
#define CPU_FIRST_PLACES (TERM_OPERAND + 1)
#define CPU_PLACES (CPU_FIRST_PLACES + CPU_LATER_PLACES)
static inline size_t cpu_place(int term)
{
    if (TERM_IS_LATER(term))
        return CPU_FIRST_PLACES + (term == TERM_STUDENT_DIVERGENCE);
    if (term == TERM_REACH || term == TERM_TEACHER)
        return TERM_PRODUCT;
    return term == TERM_PRODUCT_WEIGHTED || term == TERM_BOUNDS ? TERM_OPERAND : (size_t)term;
}

/* Returns the set of terms that are added up for each row. */
static inline uint cpu_terms(const clsoftmax_problem *problem)
{
    return operation_row_terms((int)problem->operation, problem->statistics);
}

/* What is to be found of the top of a row: its largest logit; the two largest, which some terms need; or for statistics
   also where the largest is. */
typedef enum cpu_top { CPU_TOP_LARGEST, CPU_TOP_TWO, CPU_TOP_WHOLE } cpu_top;

static inline cpu_top cpu_top_of(const clsoftmax_problem *problem)
{
    if (problem->statistics)
        return CPU_TOP_WHOLE;
    return TERMS_NEED_SECOND(cpu_terms(problem)) ? CPU_TOP_TWO : CPU_TOP_LARGEST;
}

/* Runs the statement that follows for each term t of a set. */
#define FOR_TERMS_IN(set, t)                                                                                           \
    for (int t = 0; t < TERM_COUNT; t++)                                                                               \
        if (TERM_IS_IN(set, t))

/* Returns 1 if each row has a loss. */
static inline int cpu_has_loss(const clsoftmax_problem *problem)
{
    return operation_loss((int)problem->operation) != LOSS_NONE;
}

/* Returns 1 if that is the loss of its label. */
static inline int cpu_has_labels(const clsoftmax_problem *problem)
{
    return operation_loss((int)problem->operation) == LOSS_OF_LABEL;
}

/* Returns 1 if rows have a teacher's beside them. */
static inline int cpu_has_teacher(const clsoftmax_problem *problem)
{
    return operation_has_teacher((int)problem->operation);
}

/* Returns 1 if the operation takes an operand. */
static inline int cpu_has_operand(const clsoftmax_problem *problem)
{
    return operation_has_operand((int)problem->operation);
}

/* Returns what results are made of: MADE_OF_*. */
static inline int cpu_made_of(const clsoftmax_problem *problem)
{
    return operation_made_of((int)problem->operation);
}

#endif
