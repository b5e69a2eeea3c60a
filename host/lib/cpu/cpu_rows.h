/*
 * What the backend of "cpu" and its strategies agree on, and their shared sizes. cpu_item.c, cpu_lane.c and cpu_sweep.c
 * are compiled once for each instruction set, which CPU_ISA names, and each core, which CORE_LEAN chooses. Bits do not
 * depend on the instruction set: the numeric core has only exact operations, and sums are of integers.
 */
#ifndef CLSOFTMAX_CPU_ROWS_H
#define CLSOFTMAX_CPU_ROWS_H

#include "clsoftmax/clsoftmax.h"
#include "core/interface.h"

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

#define INLINE static inline __attribute__((always_inline))

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
} cpu_call;

/* Computes rows [begin, end). Returns the number of rows with an invalid temperature. Needs the default float
   environment. */
typedef uint64_t cpu_rows_function(const cpu_call *call, uint64_t begin, uint64_t end, const cpu_room *room);

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

_Static_assert(TERM_COUNT == 2, "cpu_block.h and cpu_lane.c add the exponential and the weighted term by name");

/* Returns the number of terms that are added up for each row. */
static inline int cpu_terms(const clsoftmax_problem *problem)
{
    return TERMS_OF_ROW(problem->statistics);
}

/* Returns what results are made of: MADE_OF_*. */
static inline int cpu_made_of(const clsoftmax_problem *problem)
{
    return operation_made_of((int)problem->operation);
}

#endif
