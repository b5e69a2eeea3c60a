/* Rows on the CPU: what the backend and the strategies agree on. cpu_item.c, cpu_lane.c and cpu_sweep.c are compiled once per
   instruction set; CPU_ISA names the one that a compilation is for. Bits do not depend on it: the core is exact operations only, and the
   reductions are of integers. */
#ifndef CLSOFTMAX_CPU_ROWS_H
#define CLSOFTMAX_CPU_ROWS_H

#include "clsoftmax/clsoftmax.h"
#include "core/interface.h"

/* Classes at a time: enough that beginning does not count, few enough that logits, pairs and results stay in the first-level cache. */
#define CPU_BLOCK 1024

/* Elements that loops go through without a rest: a vector of the widest instruction set. */
#define CPU_VECTOR 16

/* Elements that go through an exponential step by step, each step a loop that is unrolled: eight vectors, so that none waits for another's
   result. gcc unrolls no more than that. */
#ifdef __AVX512F__
#define CPU_STRIP 128
#else
#define CPU_STRIP 64
#endif

#define INLINE static inline __attribute__((always_inline))

/* Rows side by side in cpu_lane.c, temperatures in cpu_sweep.c. */
#define CPU_LANES 64

/* Floats behind a thread's scratch memory that may be read: results are made a line at a time (cpu_block.h), of what belongs to them or not. */
#define CPU_SCRATCH_BEHIND 64

/* A thread's own memory, aligned to a cache line: each strategy has rows and their exponentials in it. */
typedef struct cpu_scratch {
    float *room;
    size_t floats;
} cpu_scratch;

/* A call: a checked problem, checked arguments, the policies as the numeric core takes them. */
typedef struct cpu_call {
    const clsoftmax_problem *problem;
    const clsoftmax_arguments *arguments;
    uint32_t policies;
    int stream; /* 1: results are written past the caches */
} cpu_call;

/* Computes rows [begin, end); returns how many of them had a temperature that is none. Wants the default float
   environment. */
typedef uint64_t cpu_rows_function(const cpu_call *call, uint64_t begin, uint64_t end, const cpu_scratch *scratch);

#define CPU_JOIN_(stem, isa) stem##_##isa
#define CPU_JOIN(stem, isa) CPU_JOIN_(stem, isa)
#define CPU_FUNCTION(stem) CPU_JOIN(stem, CPU_ISA)

/* item: rows one after another. lane: CPU_LANES rows side by side; `column` too, where they are neighbours in memory. sweep: item, of
   problems that are sweeps. */
cpu_rows_function cls_cpu_item_baseline, cls_cpu_item_avx2, cls_cpu_item_avx512;
cpu_rows_function cls_cpu_lane_baseline, cls_cpu_lane_avx2, cls_cpu_lane_avx512;
cpu_rows_function cls_cpu_sweep_baseline, cls_cpu_sweep_avx2, cls_cpu_sweep_avx512;

static inline int cpu_sum_levels(const clsoftmax_problem *problem)
{
    return problem->classes > CORE_TWO_LEVEL_CLASSES ? 3 : 2;
}

/* Returns what is written throughout a row that is not computed. */
static inline float cpu_fill_value(const clsoftmax_problem *problem, int kind)
{
    return operation_fill((int)problem->operation, kind == CORE_ROW_ZERO);
}

static inline clsoftmax_statistics cpu_record(core_statistics_t s)
{
#define CPU_RECORD_FIELD(row_type, type, name) .name = s.name,
    return (clsoftmax_statistics){STATISTICS_FIELDS(CPU_RECORD_FIELD)};
#undef CPU_RECORD_FIELD
}

/* How many terms are added up for each row. */
static inline int cpu_terms(const clsoftmax_problem *problem)
{
    return TERMS_OF_ROW(problem->statistics);
}

/* What results are made of. */
static inline int cpu_made_of(const clsoftmax_problem *problem)
{
    return operation_made_of((int)problem->operation);
}

#endif
